#include "lib/mesh/impact.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/mesh/diff.h"
#include "lib/mesh/graph.h"
#include "lib/mesh/impact_groups.h"
#include "lib/mesh/plan_builtin.h"
#include "lib/mesh/planner_work.h"

/*
 * A composite is looked at as a whole before anything of it is counted: its
 * changes are gathered in a list, and put into the groups when both hosts have
 * known all that was asked.
 */

#define DEPTH_MAX 6

/* One side of the comparison. */
struct side {
    struct catalog *c;
    struct json *xr; /* as this side's schema has it */
    struct compose_result r;
    struct choice choice;
    bool ok;
    struct error err;
};

struct look {
    struct mesh_impact *i;
    struct arena *a;
    struct impact_changes changes;
};

struct mesh_impact {
    struct mesh_planner *before, *after;
    struct impact_groups groups;
    struct mesh_impact_sum sum;
};

struct mesh_impact *
mesh_impact_new(struct mesh_planner *before, struct mesh_planner *after)
{
    struct mesh_impact *i = mem_zalloc(1, sizeof(*i));

    i->before = before;
    i->after = after;
    /* Most of what they compose is the same. */
    after->catalog.memo = before->catalog.memo;
    impact_groups_init(&i->groups);
    return i;
}

void
mesh_impact_free(struct mesh_impact *i)
{
    if (!i)
        return;
    i->after->catalog.memo = &i->after->catalog.own;
    impact_groups_release(&i->groups);
    free(i);
}

const struct mesh_impact_sum *
mesh_impact_sum(const struct mesh_impact *i)
{
    return &i->sum;
}

const struct mesh_impact_group *
mesh_impact_at(struct mesh_impact *i, size_t n)
{
    i->sum.dropped = i->groups.dropped;
    return impact_groups_at(&i->groups, n);
}

/* ---- composing ---- */

static void
side_release(struct side *s)
{
    compose_release(&s->r);
    json_free(s->xr);
}

/* As the server would read it after the change: pruned and defaulted. */
static struct json *
as_read(struct catalog *c, const struct definition *d, const struct json *xr)
{
    struct json *j = json_copy(xr);
    struct error err;
    const struct schema *s =
        catalog_schema(c, d, json_get_text(xr, "apiVersion"), &err);
    struct json *status = json_get(j, "status");

    if (!s)
        return j;
    if (status)
        status = json_detach(j, status);
    schema_prune(s, j, false, NULL);
    schema_default(s, j);
    if (status)
        json_set(j, "status", status);
    return j;
}

/* Chooses what would compose xr; NULL: there is none on this side. */
static void
side_open(struct side *s, struct mesh_planner *p, const struct json *xr)
{
    const struct definition *d;

    *s = (struct side){.c = &p->catalog};
    d = xr ? catalog_definition(s->c, json_get_text(xr, "apiVersion"),
                                json_get_text(xr, "kind"))
           : NULL;
    if (!d) {
        s->ok = !xr;
        error_set(&s->err, ERR_NOT_FOUND, "its definition is gone");
        return;
    }
    s->xr = as_read(s->c, d, xr);
    s->ok = catalog_choose(s->c, d, s->xr, &s->choice, &s->err);
}

/* other: the side composed before, or NULL. */
static void
side_compose(struct side *s, const struct side *other)
{
    struct work w = {.c = s->c};
    bool similar = other && other->ok && other->xr;

    if (!s->ok || !s->xr)
        return;
    AUTO(json_free_ptr)
    struct json *foreseen = similar ? planner_foresee(NULL, &other->r) : NULL;
    const struct similar like = {foreseen,
                                 similar ? other->r.outcome.asked : NULL};

    s->ok = planner_desire(&w, s->choice.recipe, s->xr, similar ? &like : NULL,
                           &s->r, &s->err);
}

/* The same object by the same revision: the same result. */
static bool
is_same(const struct side *b, const struct side *a)
{
    return b->ok && a->ok && b->xr && a->xr &&
           strcmp(b->choice.recipe->revision, a->choice.recipe->revision) ==
               0 &&
           json_equal(b->xr, a->xr);
}

static void
compose_sides(struct side *b, struct side *a)
{
    if (is_same(b, a))
        return;
    side_compose(b, NULL);
    side_compose(a, b);
}

/* ---- comparing ---- */

static void compare_xr(struct look *l, const struct json *before,
                       const struct json *after, unsigned depth);

static bool
is_composite(struct look *l, const struct json *object)
{
    return catalog_definition(&l->i->after->catalog,
                              json_get_text(object, "apiVersion"),
                              json_get_text(object, "kind")) ||
           catalog_definition(&l->i->before->catalog,
                              json_get_text(object, "apiVersion"),
                              json_get_text(object, "kind"));
}

static void
whole_object(struct look *l, enum mesh_sign sign, const struct json *object,
             unsigned depth)
{
    const struct json *spec = json_get(object, "spec");
    bool managed = json_is(json_get(spec, "forProvider"), JSON_OBJECT);

    impact_changes_add(
        &l->changes,
        (struct impact_change){
            .sign = sign,
            .kind = arena_strdup(l->a, json_get_text(object, "kind")),
            .resource = arena_strdup(l->a, planner_resource(object)),
            .path = "",
            .why = "",
            .whole = true,
            .lost = managed && sign == MESH_DESTROY &&
                    !facts_keeps_external(spec)});
    if (is_composite(l, object))
        compare_xr(l, sign == MESH_DESTROY ? object : NULL,
                   sign == MESH_ADD ? object : NULL, depth + 1);
}

/* The fields of one object on both sides; true when there are any. */
static bool
changed_fields(struct look *l, const struct json *before,
               const struct json *after)
{
    size_t n;
    const struct mesh_diff *d = diff_objects(before, after, true, l->a, &n);
    bool secret = strcmp(json_get_text(after, "kind"), "Secret") == 0;

    for (size_t k = 0; k < n; k++) {
        bool hide = secret && str_starts(str_of(d[k].path), STR("data"));
        bool fixed = d[k].before && plan_builtin_immutable(before, d[k].path);

        impact_changes_add(
            &l->changes,
            (struct impact_change){
                .sign = fixed ? MESH_REPLACE : MESH_CHANGE,
                .kind = arena_strdup(l->a, json_get_text(after, "kind")),
                .resource = arena_strdup(l->a, planner_resource(after)),
                .path = d[k].path,
                .before = hide && d[k].before ? "(secret)" : d[k].before,
                .after = hide && d[k].after ? "(secret)" : d[k].after,
                .why = "",
                .whole = k == 0});
    }
    return n;
}

static void
compare_results(struct look *l, const struct side *b, const struct side *a,
                unsigned depth)
{
    for (size_t k = 0; k < a->r.resource_count; k++) {
        const struct compose_resource *now = &a->r.resources[k];
        const struct compose_resource *was = compose_find(&b->r, now->name);

        if (!was)
            whole_object(l, MESH_ADD, now->object, depth);
        else if (changed_fields(l, was->object, now->object) &&
                 is_composite(l, now->object))
            compare_xr(l, was->object, now->object, depth + 1);
    }
    for (size_t k = 0; k < b->r.resource_count; k++) {
        const struct compose_resource *was = &b->r.resources[k];

        if (!compose_find(&a->r, was->name))
            whole_object(l, MESH_DESTROY, was->object, depth);
    }
}

static void
note_failure(struct look *l, const struct side *a)
{
    impact_changes_add(&l->changes, (struct impact_change){
                                        .sign = MESH_CONFLICT,
                                        .kind = arena_strdup(
                                            l->a, json_get_text(a->xr, "kind")),
                                        .resource = "",
                                        .path = "",
                                        .why = arena_strdup(l->a, a->err.msg)});
}

static void
compare_sides(struct look *l, const struct side *b, const struct side *a,
              unsigned depth)
{
    if (b->ok && a->ok)
        compare_results(l, b, a, depth);
    else if (!a->ok && b->ok)
        note_failure(l, a);
    else if (a->ok)
        compare_results(l, &(struct side){.ok = true}, a, depth);
}

/* Both sides of a composed XR. */
static void
compare_xr(struct look *l, const struct json *before, const struct json *after,
           unsigned depth)
{
    struct side b, a;

    if (depth > DEPTH_MAX)
        return;
    side_open(&b, l->i->before, before);
    side_open(&a, l->i->after, after);
    compose_sides(&b, &a);
    compare_sides(l, &b, &a, depth);
    side_release(&a);
    side_release(&b);
}

/* ---- one composite ---- */

/* What the new schema says of it as it is stored. */
static bool
is_refused(struct look *l, const struct side *a)
{
    const struct definition *d = catalog_definition(
        a->c, json_get_text(a->xr, "apiVersion"), json_get_text(a->xr, "kind"));
    struct error err;
    const struct schema *s =
        d ? catalog_schema(a->c, d, json_get_text(a->xr, "apiVersion"), &err)
          : NULL;
    AUTO(json_free_ptr) struct json *bare = json_copy(a->xr);
    struct schema_findings found = {0};
    bool any = false;

    json_del(bare, "status");
    if (s)
        schema_validate(s, bare, &found);
    for (size_t k = 0; k < found.n; k++) {
        /* That rules were skipped is no finding of its own. */
        if (strcmp(found.v[k].field, "<nil>") == 0)
            continue;
        any = true;
        impact_changes_add(
            &l->changes,
            (struct impact_change){
                .sign = MESH_CONFLICT,
                .kind = arena_strdup(l->a, json_get_text(a->xr, "kind")),
                .resource = "",
                .path = arena_strdup(l->a, found.v[k].field),
                .why = arena_strdup(l->a, found.v[k].message)});
    }
    schema_findings_release(&found);
    return any;
}

static void
look_at(struct look *l, const struct json *xr, struct side *b, struct side *a,
        struct mesh_impact_one *one)
{
    side_open(b, l->i->before, xr);
    side_open(a, l->i->after, xr);
    compose_sides(b, a);
    one->kept = a->ok && a->choice.newer;
    one->failing = b->ok && !a->ok;
    if (a->xr && b->xr) {
        changed_fields(l, b->xr, a->xr);
        one->refused = is_refused(l, a);
    }
    compare_sides(l, b, a, 0);
}

static void
count(struct mesh_impact *i, const struct mesh_impact_one *one)
{
    i->sum.composites++;
    i->sum.changed += one->changed;
    i->sum.kept += one->kept;
    i->sum.failing += one->failing;
    i->sum.refused += one->refused;
    i->sum.add += one->add;
    i->sum.change += one->change;
    i->sum.destroy += one->destroy;
    i->sum.replace += one->replace;
}

/* Objects are counted once, whatever changes in them. */
static void
count_objects(const struct impact_changes *v, struct mesh_impact_one *one)
{
    for (size_t k = 0; k < v->n; k++) {
        const struct impact_change *c = &v->v[k];

        one->changed = one->changed || c->sign != MESH_CONFLICT;
        if (!c->whole)
            continue;
        one->add += c->sign == MESH_ADD;
        one->destroy += c->sign == MESH_DESTROY;
        one->replace += c->sign == MESH_REPLACE;
        one->change += c->sign == MESH_CHANGE;
    }
}

bool
mesh_impact_add(struct mesh_impact *i, const struct json *xr,
                struct mesh_impact_one *one)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct look l = {.i = i, .a = a};
    struct mesh_impact_one mine = {0};
    struct side before, after;
    const char *ns = planner_meta(xr, "namespace");

    catalog_begin_plan(&i->before->catalog);
    catalog_begin_plan(&i->after->catalog);
    bool known = catalog_load(&i->before->catalog);

    known = catalog_load(&i->after->catalog) && known;
    look_at(&l, xr, &before, &after, &mine);
    known =
        known && !i->before->catalog.unknown.n && !i->after->catalog.unknown.n;
    if (known) {
        count_objects(&l.changes, &mine);
        count(i, &mine);
        i->sum.external_lost +=
            impact_groups_take(&i->groups, &l.changes,
                               arena_printf(a, "%s%s%s", ns, *ns ? "/" : "",
                                            planner_meta(xr, "name")));
        if (one)
            *one = mine;
    }
    impact_changes_release(&l.changes);
    side_release(&after);
    side_release(&before);
    return known;
}
