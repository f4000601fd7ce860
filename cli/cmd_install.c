/* meshtop install, uninstall: packages and meshes on any cluster, by a plan. */
#include <stdlib.h>
#include <string.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"

#include "devenv/fetch.h"
#include "devenv/install.h"
#include "devenv/xpkg_source.h"

#include "cli/ask.h"
#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/progress.h"
#include "cli/registry.h"
#include "cli/target.h"

#define NAMED_MAX 20

/* What both commands work on. */
struct job {
    const struct args *a;
    char *name; /* of a path: from the root, so that it can be remembered */
    struct target t;
    struct env env; /* borrows t's; its profile is the newer one */
    struct progress progress;
    struct step_run run;
    const char *done; /* what to say at the end, or NULL */
};

/* A package as a file, a layout or in a registry becomes a folder in the
 * cache; NULL: it could not be read. */
static char *
unpacked(const struct args *a, const char *word, struct error *err)
{
    AUTO(registry_close) struct registry_access r = {0};
    AUTO(xpkg_release) struct xpkg x = {0};
    AUTO(mem_free_ptr)
    char *cache = fetch_home("XDG_CACHE_HOME", ".cache", "packages");

    if (!registry_open(&r, a, err) || !fetch_home_make(cache, err) ||
        !xpkg_load(r.loop, word, &r.options, &x, err))
        return NULL;
    return xpkg_unpack(&x, cache, err);
}

static bool
job_begin(struct job *j, const struct args *a, struct error *err)
{
    const char *word = args_word(a, 0);
    AUTO(mem_free_ptr) char *folder = NULL;

    *j = (struct job){.a = a};
    if (xpkg_is_source(word)) {
        folder = unpacked(a, word, err);
        if (!folder)
            return false;
        word = folder;
    }
    if (!install_name_ok(word, err))
        return false;
    j->name = package_is_builtin(word) || example_is_builtin(word)
                  ? NULL
                  : realpath(word, NULL);
    if (!j->name)
        j->name = mem_strdup(word);
    if (!target_open(&j->t, a, err))
        return false;
    progress_start(&j->progress, a, j->t.loop, &j->run);
    j->run.id = j->run.title = j->name;
    j->env = target_env(&j->t);
    if (j->t.of_profile)
        return profile_lock(&j->env.profile, err);
    /* What is there already stays its owner's. */
    snprintf(j->env.profile.engine, sizeof(j->env.profile.engine), "%s",
             args_has(a, "adopt") ? "" : "context");
    return true;
}

static void
job_end(struct job *j)
{
    if (j->t.loop) {
        j->t.profile = j->env.profile;
        profile_unlock(&j->t.profile);
        progress_end(&j->progress);
        step_run_release(&j->run);
        if (j->done && !j->progress.json)
            printf("%s %s\n", j->name, j->done);
        target_release(&j->t);
    }
    free(j->name);
}

static bool
may_write(struct job *j, struct error *err)
{
    if (!kube_client_read_only(j->t.client))
        return true;
    error_set(err, ERR_DENIED, "read-only: nothing is changed");
    error_remedy(err, "MT-READ-ONLY", "Start again without --read-only.");
    return false;
}

/* ---- the plan, for people and programs ---- */

/* "  + Kind/name  (ns)", or an element of the list. */
static void
say_object(struct json *list, char sign, const char *kind, const char *ns,
           const char *name, const char *detail)
{
    AUTO(mem_free_ptr) char *title = mem_printf("%s/%s", kind, name);

    if (list) {
        struct json *o = json_append(list, json_new_object());

        json_set_string(o, "action",
                        sign == '+'   ? "add"
                        : sign == '~' ? "change"
                                      : "destroy");
        json_set_string(o, "object", title);
        json_set_string(o, "namespace", ns ? ns : "");
        json_set_string(o, "detail", detail);
        return;
    }
    printf("  %c ", sign);
    columns_text(str_of(title), false, stdout);
    if (ns)
        printf(" (%s)", ns);
    putchar('\n');
    if (*detail) {
        printf("%8s", "");
        columns_wrap(str_of(detail), 8, columns_of_terminal(), stdout);
    }
}

static void
say_sums(struct json *list, size_t add, size_t change, size_t destroy)
{
    AUTO(json_free_ptr) struct json *j = NULL;
    AUTO(mem_free_ptr) char *text = NULL;

    if (!list) {
        printf("Plan: %zu to add, %zu to change, %zu to destroy.\n", add,
               change, destroy);
        fflush(stdout);
        return;
    }
    j = json_new_object();
    json_set_int(j, "add", (int64_t)add);
    json_set_int(j, "change", (int64_t)change);
    json_set_int(j, "destroy", (int64_t)destroy);
    json_set(j, "plan", list);
    text = json_text(j, JSON_COMPACT);
    puts(text);
    fflush(stdout);
}

/* ---- install ---- */

static void
say_install(const struct job *j, const struct install_plan *p)
{
    struct json *list = j->progress.json ? json_new_array() : NULL;

    if (!list)
        printf("%s\n", j->t.title);
    for (size_t i = 0; i < p->n; i++) {
        const struct install_item *o = &p->v[i];
        AUTO(mem_free_ptr)
        char *detail = mem_printf(
            "%s%s",
            o->foreign && o->what == DRIFT_CHANGED ? "somebody else's: " : "",
            o->fields);

        if (o->what != DRIFT_NONE)
            say_object(list, o->what == DRIFT_ABSENT ? '+' : '~', o->m->kind,
                       o->m->ns, o->m->name, detail);
    }
    say_sums(list, p->made, p->changed, 0);
}

static bool
install(struct job *j, struct error *err)
{
    struct install_plan p = {0};
    bool ok = install_plan(&j->env, j->name, &p, err);

    if (ok)
        say_install(j, &p);
    if (ok && p.foreign && !args_has(j->a, "adopt")) {
        ok = error_set(err, ERR_CONFLICT,
                       "%zu objects that would change are somebody else's",
                       p.foreign);
        error_remedy(err, "MT-FIELD-CONFLICT",
                     "--adopt takes them over; else leave %s to whoever put "
                     "it there.",
                     j->name);
    }
    install_plan_release(&p);
    if (!ok || args_has(j->a, "plan"))
        return ok;
    ok = may_write(j, err) && install_run(&j->env, j->name, &j->run, err);
    if (ok)
        j->done = "installed";
    return ok;
}

/* ---- uninstall ---- */

static void
say_set(struct json *list, const struct manifest_set *set)
{
    for (size_t i = set->n; i-- > 0;) {
        const struct manifest *m = &set->v[i];

        say_object(list, '-', m->kind, m->ns, m->name,
                   strcmp(m->kind, "Namespace") == 0 ? "and everything in it"
                                                     : "");
    }
}

static void
say_uninstall(const struct job *j, const struct uninstall_plan *p)
{
    struct json *list = j->progress.json ? json_new_array() : NULL;
    size_t shown = list ? p->users_n : MIN(p->users_n, NAMED_MAX);

    if (!list)
        printf("%s\n", j->t.title);
    for (size_t i = 0; i < shown; i++)
        say_object(list, '-', p->users[i].kind, p->users[i].ns,
                   p->users[i].name, "");
    if (shown < p->users_n)
        printf("  - ... and %zu more, with all they compose\n",
               p->users_n - shown);
    say_set(list, &p->set);
    say_set(list, &p->functions);
    for (size_t i = 0; i < p->kept.n && !list; i++) {
        fputs("  stays: ", stdout);
        columns_text(str_of(p->kept.v[i]), false, stdout);
        putchar('\n');
    }
    say_sums(list, 0, 0, p->users_n + p->set.n + p->functions.n);
}

static bool
uninstall(struct job *j, struct error *err)
{
    struct uninstall_plan p = {0};
    bool force = args_has(j->a, "force");
    bool ok = uninstall_plan(&j->env, j->name, &p, err);

    if (ok)
        say_uninstall(j, &p);
    /* What is refused is refused before the question. */
    if (ok && !args_has(j->a, "plan"))
        ok = may_write(j, err) &&
             ((p.users_n && !force) || ask_name(j->a, j->name, err)) &&
             uninstall_run(&j->env, j->name, &p, force, &j->run, err);
    if (ok && !args_has(j->a, "plan"))
        j->done = "removed";
    uninstall_plan_release(&p);
    return ok;
}

/* ---- the commands ---- */

static int
run(const struct args *a, bool (*fn)(struct job *j, struct error *err))
{
    struct error err = {0};
    struct job j;
    bool ok = job_begin(&j, a, &err) && fn(&j, &err);

    job_end(&j);
    return ok ? EXIT_DONE : command_fail(&err);
}

static int
run_install(const struct args *a)
{
    return run(a, install);
}

static int
run_uninstall(const struct args *a)
{
    return run(a, uninstall);
}

static const struct flag install_flags[] = {
    {"plan", 0, NULL, "print what would be added and changed, do nothing"},
    {"adopt", 0, NULL, "take over what somebody else put there"},
    REGISTRY_FLAGS,
    {0},
};

const struct command cmd_install = {
    .name = "install",
    .args = "PACKAGE|PATH|FILE.xpkg|REGISTRY/REPOSITORY:TAG",
    .summary = "put a mesh package or a mesh on a cluster",
    .help =
        "PACKAGE is built in (mesh-core, corner-shop); PATH is a folder with\n"
        "functions.yaml, xrds/ and compositions/, or any manifests; a package "
        "may be a\nfile, an OCI layout or in a registry too. Says what is "
        "added and changed, and\nwaits until it works. On the profile, or on "
        "the cluster of --context and\n--kubeconfig.",
    .group = "Packages",
    .flags = install_flags,
    .min_words = 1,
    .max_words = 1,
    .run = run_install,
};

static const struct flag uninstall_flags[] = {
    {"plan", 0, NULL, "print what would be removed, do nothing"},
    {"force", 0, NULL, "objects of its kinds as well, they go first"},
    {"yes", 'y', NULL, "without asking"},
    REGISTRY_FLAGS,
    {0},
};

const struct command cmd_uninstall = {
    .name = "uninstall",
    .args = "PACKAGE|PATH",
    .summary = "take it off again; refused while its kinds are used",
    .help = "Objects before what defines them. What other Compositions use and "
            "what never\n"
            "was ours stays. Asks for the name to be typed (--yes without a "
            "terminal).",
    .group = "Packages",
    .flags = uninstall_flags,
    .min_words = 1,
    .max_words = 1,
    .run = run_uninstall,
};
