/* meshtop up: brings the mesh up; running it again repairs. */
#include <string.h>

#include "devenv/package.h"
#include "devenv/up.h"

#include "cli/commands.h"
#include "cli/up_plan.h"
#include "cli/work.h"

static bool
show_plan(struct work *w, const struct up_options *o, struct error *err)
{
    const struct step_graph_options g = {0};
    struct up *up = up_new(&w->env, o, &g, err);

    if (!up)
        return false;
    steps_plan(up_graph(up));
    up_plan_print(up, w->env.profile.name, w->progress.json);
    up_free(up);
    return true;
}

/* Names are checked before anything is started. */
static bool
check_names(const struct strlist *packages, struct error *err)
{
    for (size_t i = 0; i < packages->n; i++) {
        if (package_is_builtin(packages->v[i]))
            continue;
        error_set(err, ERR_USAGE, "package %s is not shipped yet",
                  packages->v[i]);
        return false;
    }
    return true;
}

static int
run(const struct args *a)
{
    AUTO(strlist_release) struct strlist examples = {0}, packages = {0};
    struct up_options o = {.engine = args_get(a, "engine", "auto"),
                           .examples = &examples,
                           .until = args_get(a, "until", NULL)};
    const char *only = args_get(a, "only", NULL);
    struct error err = {0};
    struct work w;

    args_list(a, "examples", &examples);
    args_list(a, "with", &packages);
    o.only_packages = only && strcmp(only, "packages") == 0;
    if ((only && !o.only_packages &&
         !error_set(&err, ERR_USAGE, "--only takes \"packages\"")) ||
        !check_names(&packages, &err) || !work_begin(&w, a, false, &err))
        return command_fail(&err);
    bool ok =
        args_has(a, "plan") ? show_plan(&w, &o, &err) : work_up(&w, &o, &err);

    work_end(&w);
    return ok ? EXIT_DONE : command_fail(&err);
}

static const struct flag flags[] = {
    {"engine", 0, "NAME", "auto, sandbox, kind or context (default auto)"},
    {"examples", 0, "NAME,...", "example meshes to put on it"},
    {"with", 0, "NAME,...", "further packages"},
    {"until", 0, "STEP", "stop after this step"},
    {"only", 0, "packages", "the packages alone, on an engine that runs"},
    {"plan", 0, NULL, "print the steps, do nothing"},
    {0},
};

const struct command cmd_up = {
    .name = "up",
    .args = "",
    .summary = "bring the mesh up; run again, it repairs",
    .help = "Starts the engine of the profile, puts the mesh packages on it "
            "and waits\nuntil everything is Ready. Ctrl-C stops after the "
            "current step; what is done\nstays done.",
    .group = "Bring up, prove, remove",
    .flags = flags,
    .run = run,
};
