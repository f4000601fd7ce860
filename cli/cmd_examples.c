/* meshtop examples: example meshes on a profile. */
#include <string.h>

#include "devenv/package.h"

#include "cli/commands.h"
#include "cli/work.h"

typedef bool change_fn(struct env *e, const char *name, struct step_run *run,
                       struct error *err);

static bool
add_and_wait(struct env *e, const char *name, struct step_run *run,
             struct error *err)
{
    return example_add(e, name, run, err) && example_wait_ready(e, run, err);
}

/* Locks the profile, connects, changes. */
static int
change(const struct args *a, const char *name, change_fn *fn, const char *done)
{
    struct error err = {0};
    struct work w;

    if (!work_begin(&w, a, true, &err))
        return command_fail(&err);
    bool ok =
        profile_lock(&w.env.profile, &err) && fn(&w.env, name, &w.run, &err);

    work_end(&w);
    if (!ok)
        return command_fail(&err);
    printf("%s %s\n", name, done);
    return EXIT_DONE;
}

static int
list(const struct args *a)
{
    AUTO(strlist_release) struct strlist names = {0};
    struct error err = {0};
    struct work w;

    if (!work_begin(&w, a, false, &err))
        return command_fail(&err);
    example_names(&names);
    for (size_t i = 0; i < names.n; i++) {
        bool on = strlist_has(&w.env.profile.examples, str_of(names.v[i]));

        printf("%-20s %s\n", names.v[i], on ? "added" : "");
    }
    work_end(&w);
    return EXIT_DONE;
}

static const struct {
    const char *word;
    change_fn *fn;
    const char *done;
} verbs[] = {
    {"add", add_and_wait, "added, all Ready"},
    {"rm", example_remove, "removed"},
};

static int
run_examples(const struct args *a)
{
    const char *verb = args_word(a, 0), *name = args_word(a, 1);
    struct error err = {0};

    if (strcmp(verb, "list") == 0 && !name)
        return list(a);
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (strcmp(verb, verbs[i].word) == 0 && name)
            return change(a, name, verbs[i].fn, verbs[i].done);
    }
    error_set(&err, ERR_USAGE, "examples takes list, add NAME or rm NAME");
    return command_fail(&err);
}

const struct command cmd_examples = {
    .name = "examples",
    .args = "list|add NAME|rm NAME",
    .summary = "example meshes: what there is, put one on, take it off",
    .help = "NAME is a built-in example or a folder of manifests.",
    .group = "Packages",
    .min_words = 1,
    .max_words = 2,
    .run = run_examples,
};
