/* meshtop apply: manifests onto the cluster, server-side. */
#include <unistd.h>

#include "lib/kube/conflict.h"

#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/objects.h"
#include "cli/plan_text.h"

#define KIND_WAIT_MS 15000

static const char *const result_words[] = {
    [MANIFEST_CREATED] = "created",
    [MANIFEST_CONFIGURED] = "configured",
    [MANIFEST_SAME] = "unchanged",
};

struct answers {
    bool dry_run;
};

static void
on_object(void *arg, const struct manifest *m, enum manifest_result result,
          const struct strlist *warnings UNUSED)
{
    const struct answers *w = arg;
    AUTO(buf_release) struct buf title = BUF_INIT(1024);

    objects_title(m->api_version, m->kind, m->name, &title);
    /* A dry run answers with the version that is there: it cannot tell
     * "unchanged". */
    printf("%s %s\n", buf_cstr(&title),
           w->dry_run && result != MANIFEST_CREATED ? "accepted (dry run)"
           : w->dry_run                             ? "created (dry run)"
                                                    : result_words[result]);
    fflush(stdout);
}

/* Whose fields the apply wanted, one a line. */
static void
on_conflicts(void *arg UNUSED, const struct manifest *m,
             const struct kube_conflicts *c)
{
    for (size_t i = 0; i < c->n; i++) {
        AUTO(buf_release) struct buf line = BUF_INIT(BUF_TEXT_MAX);

        kube_conflict_text(&c->v[i], &line);
        fprintf(stderr, "%s/%s: ", m->kind, m->name);
        columns_text(buf_view(&line), false, stderr);
        fputc('\n', stderr);
    }
}

/* ---- the plan before ---- */

static bool
print_plan(struct plan_world *w, const struct manifest_set *set,
           const struct plan_style *style, struct error *err)
{
    struct plan_run r;
    bool ok = plan_run(&r, w, set, err);

    if (ok) {
        struct plan_total total = plan_run_total(&r);

        for (size_t i = 0; i < r.n; i++)
            plan_text(&r.docs[i].plan, style);
        plan_text_total(&total, style);
    }
    plan_run_release(&r);
    return ok;
}

/* People see first what they do; that it cannot be said stops nobody. */
static void
show_plan(const struct args *a, struct target *t,
          const struct manifest_set *set)
{
    const char *ns = target_ns(a, kube_client_access(t->client)->ns);
    struct plan_style style;
    struct plan_world w = {0};
    struct error err = {0};

    if (!args_has(a, "plan") && !isatty(STDOUT_FILENO))
        return;
    if (!plan_style_of(&style, a, stderr, &err) ||
        !plan_world_on(&w, t, ns ? ns : "default", &err) ||
        !print_plan(&w, set, &style, &err))
        fprintf(stderr, "meshtop: no plan: %s\n", err.msg);
    plan_world_release(&w);
}

/* ---- applying ---- */

/* Without it nothing behind it has a place. */
static bool
is_ground(const struct manifest *m)
{
    static const char *const kinds[] = {"Namespace", "CustomResourceDefinition",
                                        "CompositeResourceDefinition"};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (strcmp(m->kind, kinds[i]) == 0)
            return true;
    }
    return false;
}

static int
fail(struct error *err)
{
    if (err->code == ERR_CONFLICT && !*err->id)
        error_remedy(err, "MT-FIELD-CONFLICT",
                     "Others manage these fields; --force takes them over.");
    return command_fail(err);
}

/* What does not need what was refused is applied all the same. */
static int
apply_all(struct manifest_set *set, const struct manifest_apply *how)
{
    int code = EXIT_DONE;

    for (size_t i = 0; i < set->n; i++) {
        const struct manifest_set one = {.v = &set->v[i], .n = 1, .cap = 1};
        struct error err = {0};

        if (manifest_apply(&one, how, &err))
            continue;
        int failed = fail(&err);

        code = code == EXIT_DONE ? failed : code;
        if (is_ground(&set->v[i]) || !err.http)
            break;
    }
    return code;
}

static int
run(const struct args *a)
{
    AUTO(manifest_release) struct manifest_set set = {0};
    struct answers answers = {.dry_run = args_has(a, "dry-run")};
    struct error err = {0};
    struct target t;

    if (!objects_load(a, &set, &err) || !target_open(&t, a, &err))
        return command_fail(&err);
    const struct manifest_apply how = {
        .client = t.client,
        .discovery = t.discovery,
        .ns = target_ns(a, kube_client_access(t.client)->ns),
        .force = args_has(a, "force"),
        .dry_run = answers.dry_run,
        .kind_wait_ms = KIND_WAIT_MS,
        .on_object = on_object,
        .on_conflicts = on_conflicts,
        .arg = &answers,
    };

    show_plan(a, &t, &set);
    int code = apply_all(&set, &how);

    target_release(&t);
    return code;
}

static const struct flag flags[] = {
    {"filename", 'f', "FILE", "file, folder or - (repeatable)"},
    {"force", 0, NULL, "take over fields that others manage"},
    {"dry-run", 0, NULL, "let the server check, change nothing"},
    {"plan", 0, NULL, "show the plan first (on a terminal it is shown)"},
    {0},
};

const struct command cmd_apply = {
    .name = "apply",
    .args = "-f FILE",
    .summary = "create or change objects from manifests",
    .help = "Server-side apply in an order that works: namespaces, CRDs and "
            "XRDs first, then\nthe rest as given; waits until new kinds are "
            "served. On a terminal the plan is shown\nfirst. What is refused "
            "does not keep the rest from being applied.",
    .group = "Change",
    .flags = flags,
    .run = run,
};
