#include "cli/plan_run.h"

#include <stdlib.h>

#include "lib/base/mem.h"

/* A plan opens questions; it is complete when it puts no new one. */
static bool
plan_fully(struct plan_run *r, struct plan_doc *d, struct error *err)
{
    bool more = true;

    for (;;) {
        if (!mesh_plan_apply(r->planner, d->m->object, d->a, &d->plan, err))
            return error_wrap(err, "%s", d->m->source);
        if (!plan_world_fetch(r->world, &more, err))
            return error_wrap(err, "%s", d->m->source);
        if (!more)
            return true;
        mesh_plan_release(&d->plan);
        arena_reset(d->a);
    }
}

static bool
plan_one(struct plan_run *r, struct plan_doc *d, struct error *err)
{
    if (!plan_fully(r, d, err))
        return false;
    if (overlay_take(&r->overlay, &d->plan))
        mesh_planner_forget(r->planner);
    return true;
}

/* Did a pipeline miss something that may be among the other documents? */
static bool
missed_something(const struct mesh_plan *p)
{
    static const char *const codes[] = {"condition-false", "label-missing",
                                        "function-warning", "cannot-compose"};

    for (size_t i = 0; i < p->notes_n; i++) {
        for (size_t c = 0; c < ARRAY_LEN(codes); c++) {
            if (strcmp(p->notes[i].code, codes[c]) == 0)
                return true;
        }
    }
    return false;
}

static bool
plan_again(struct plan_run *r, struct plan_doc *d, struct error *err)
{
    overlay_give_back(&r->overlay, &d->plan);
    mesh_plan_release(&d->plan);
    arena_reset(d->a);
    return plan_one(r, d, err);
}

/* What kubectl would not send either: build files of a package. */
static bool
is_applied(const struct manifest *m)
{
    return !str_starts(str_of(m->api_version), STR("meta.pkg.crossplane.io/"));
}

bool
plan_run(struct plan_run *r, struct plan_world *w,
         const struct manifest_set *set, struct error *err)
{
    *r = (struct plan_run){.world = w, .overlay = {.base = &w->host}};
    r->host = overlay_host(&r->overlay);
    r->planner = mesh_planner_new(&r->host);
    r->docs = mem_zalloc(set->n + 1, sizeof(*r->docs));
    for (size_t i = 0; i < set->n; i++) {
        if (!is_applied(&set->v[i]))
            continue;
        plan_world_place(w, &set->v[i]);
        r->docs[r->n] = (struct plan_doc){.m = &set->v[i], .a = arena_new()};
        if (!plan_one(r, &r->docs[r->n++], err))
            return false;
    }
    for (size_t i = 0; i + 1 < r->n; i++) {
        if (missed_something(&r->docs[i].plan) &&
            !plan_again(r, &r->docs[i], err))
            return false;
    }
    return true;
}

void
plan_run_release(struct plan_run *r)
{
    for (size_t i = 0; i < r->n; i++) {
        mesh_plan_release(&r->docs[i].plan);
        arena_free(r->docs[i].a);
    }
    free(r->docs);
    mesh_planner_free(r->planner);
    overlay_release(&r->overlay);
}

struct plan_total
plan_run_total(const struct plan_run *r)
{
    struct plan_total t = {0};

    for (size_t i = 0; i < r->n; i++) {
        const struct mesh_plan *p = &r->docs[i].plan;

        t.add += p->add;
        t.change += p->change;
        t.destroy += p->destroy;
        t.replace += p->replace;
        t.keep += p->keep;
        t.conflict += p->conflict;
        t.blockers += p->blockers;
        t.external_lost += p->external_lost;
        t.incomplete = t.incomplete || p->incomplete;
        for (size_t n = 0; n < p->notes_n; n++)
            t.warnings += p->notes[n].weight == MESH_WARN;
    }
    return t;
}
