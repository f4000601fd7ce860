/* meshtop plan: what applying manifests would compose, change and destroy. */
#include "lib/base/mem.h"

#include "cli/commands.h"
#include "cli/objects.h"
#include "cli/output.h"
#include "cli/plan_impact.h"
#include "cli/plan_json.h"
#include "cli/plan_text.h"

enum { EXIT_CHANGES = 2 };

/* How a plan is answered. */
struct answer {
    const struct args *a;
    enum output how;
    struct plan_style style;
    enum plan_impact_depth impact;
};

static void
print_refused(const struct plan_world *w)
{
    const struct strlist *refused =
        w->fetch ? plan_fetch_refused(w->fetch) : NULL;

    for (size_t i = 0; refused && i < refused->n; i++)
        fprintf(stderr, "meshtop: %s\n", refused->v[i]);
    for (size_t i = 0; i < w->objects.assumed.n; i++)
        fprintf(stderr,
                "meshtop: nothing here defines %s: it is taken as namespaced "
                "and not checked\n",
                w->objects.assumed.v[i]);
}

static void
print(const struct answer *s, const struct plan_run *r,
      const struct plan_impact *impact)
{
    struct plan_total total = plan_run_total(r);

    if (s->how == OUTPUT_TEXT || s->how == OUTPUT_WIDE) {
        for (size_t i = 0; i < r->n; i++)
            plan_text(&r->docs[i].plan, &s->style);
        plan_impact_text(impact, &s->style);
        plan_text_total(&total, &s->style);
    } else {
        AUTO(json_free_ptr) struct json *j = plan_json(r);
        struct json *more = plan_impact_json(impact);

        if (more)
            json_set(j, "impact", more);
        output_tree(j, s->how);
    }
    print_refused(r->world);
}

static int
code_of(const struct args *a, const struct plan_total *t)
{
    bool changes = t->add + t->change + t->destroy + t->replace > 0;

    if (t->blockers) {
        fprintf(stderr, "meshtop: the server would refuse this\n");
        return EXIT_ERROR;
    }
    return changes && args_has(a, "detailed-exitcode") ? EXIT_CHANGES
                                                       : EXIT_DONE;
}

static bool
plan_and_print(const struct answer *s, struct plan_world *w,
               const struct manifest_set *set, int *code, struct error *err)
{
    struct plan_run r;
    struct plan_impact impact = {0};
    bool ok = plan_run(&r, w, set, err) &&
              plan_impact_run(&impact, &r, s->impact, err);

    if (ok) {
        struct plan_total total = plan_run_total(&r);

        print(s, &r, &impact);
        ok = output_flush(err);
        *code = impact.cancelled ? EXIT_CANCELLED : code_of(s->a, &total);
    }
    plan_impact_release(&impact);
    plan_run_release(&r);
    return ok;
}

static bool
plan_files(const struct answer *s, int *code, struct error *err)
{
    AUTO(manifest_release) struct manifest_set set = {0};
    struct plan_world w;
    const char *said;

    if (!objects_load(s->a, &set, err) ||
        !plan_world_open(&w, s->a, &set, &said, err))
        return false;
    if (said)
        fprintf(stderr, "meshtop: %s\n", said);
    bool ok = plan_and_print(s, &w, &set, code, err);

    plan_world_release(&w);
    return ok;
}

static int
run(const struct args *a)
{
    struct answer s = {.a = a};
    struct error err = {0};
    int code = EXIT_DONE;

    if (output_of(a, &s.how, &err) &&
        plan_style_of(&s.style, a, stdout, &err) &&
        plan_impact_depth_of(a, &s.impact, &err) && plan_files(&s, &code, &err))
        return code;
    code = command_fail(&err);
    /* 2 would read as "there are changes". */
    return args_has(a, "detailed-exitcode") ? EXIT_ERROR : code;
}

static const struct flag flags[] = {
    {"filename", 'f', "FILE", "file, folder or - (repeatable)"},
    {"against", 0, "WORLD", "live (default), nothing, or a folder of objects"},
    {"diff", 0, "DEPTH", "none, changes (default) or full"},
    {"impact", 0, "DEPTH",
     "of Compositions and XRDs: summary (default), full or none"},
    {"detailed-exitcode", 0, NULL, "0 nothing, 2 changes, 1 any error"},
    {0},
};

const struct command cmd_plan = {
    .name = "plan",
    .args = "-f FILE",
    .summary = "what applying manifests would compose and change",
    .help = "Runs the Compositions here, on the state of the cluster (or of "
            "a folder, or of\nnothing: then without a cluster), and compares. "
            "Nothing is changed. + added,\n~ changed, - destroyed, -/+ to be "
            "replaced, = kept, ! conflict. docs/PLAN.md\nsays what is looked "
            "at and what -o json holds.",
    .group = "Foresee",
    .flags = flags,
    .run = run,
};
