/* meshtop down: removes what up made, and shows that nothing is left. */
#include <string.h>

#include "devenv/down.h"
#include "devenv/package.h"

#include "cli/commands.h"
#include "cli/work.h"

/* Examples or packages alone; the engine stays. */
static bool
remove_only(struct work *w, const struct args *a, struct error *err)
{
    const char *only = args_get(a, "only", "");
    bool examples = strcmp(only, "examples") == 0;
    struct profile *p = &w->env.profile;

    if (!examples && strcmp(only, "packages") != 0)
        return error_set(err, ERR_USAGE,
                         "--only takes \"examples\" or \"packages\"");
    if (!profile_lock(p, err) || !env_connect(&w->env, err))
        return false;
    while (p->examples.n) {
        AUTO(strlist_release) struct strlist name = {0};

        strlist_add(&name, str_of(p->examples.v[0]));
        if (!example_remove(&w->env, name.v[0], &w->run, err))
            return false;
    }
    while (!examples && p->packages.n) {
        AUTO(strlist_release) struct strlist name = {0};

        strlist_add(&name, str_of(p->packages.v[0]));
        if (!package_uninstall(&w->env, name.v[0], &w->run, err))
            return false;
    }
    return true;
}

static int
report_leftovers(const struct strlist *leftovers, bool json)
{
    if (json) {
        printf("{\"leftovers\":%zu}\n", leftovers->n);
        return leftovers->n ? EXIT_CLEANUP : EXIT_DONE;
    }
    printf("leftovers: %zu\n", leftovers->n);
    for (size_t i = 0; i < leftovers->n; i++)
        printf("  %s\n", leftovers->v[i]);
    return leftovers->n ? EXIT_CLEANUP : EXIT_DONE;
}

/* Opens the profile, though its state may be damaged when force is given. */
static bool
begin(struct work *w, const struct args *a, struct error *err)
{
    struct error why = {0};

    if (work_begin(w, a, false, &why))
        return true;
    if (why.code == ERR_PARSE && args_has(a, "force") &&
        profile_discard_state(args_get(a, "profile", NULL), err))
        return work_begin(w, a, false, err);
    *err = why;
    return false;
}

static int
run(const struct args *a)
{
    AUTO(strlist_release) struct strlist leftovers = {0};
    struct error err = {0};
    struct work w;
    int code;

    if (!begin(&w, a, &err))
        return command_fail(&err);
    if (args_has(a, "only"))
        code = remove_only(&w, a, &err) ? EXIT_DONE : command_fail(&err);
    else if (down_run(&w.env, args_has(a, "force"), &w.run, &leftovers, &err))
        code = report_leftovers(&leftovers, w.progress.json);
    else
        code = command_fail(&err);
    work_end(&w);
    return code;
}

static const struct flag flags[] = {
    {"force", 0, NULL, "go on when the engine cannot be asked"},
    {"purge", 0, NULL, "caches as well"},
    {"only", 0, "WHAT", "examples or packages; the engine stays"},
    {0},
};

const struct command cmd_down = {
    .name = "down",
    .args = "",
    .summary = "remove what up made, audit what is left",
    .help = "Stops the control plane, removes its data and the profile's "
            "files, then looks\nwhat is left: exit code 90 with a list if "
            "anything is.",
    .group = "Bring up, prove, remove",
    .flags = flags,
    .run = run,
};
