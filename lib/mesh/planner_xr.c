/* What a composite resource composes, down to the last object. */
#include "lib/base/mem.h"

#include "lib/compose/conditions.h"

#include "lib/mesh/planner_work.h"

/*
 * The pipeline is run on the object as it would be, with what exists as
 * observed; then again with what it wants taken for existing and Ready, until
 * no new name appears: so what waits for something else is in the plan as well.
 * Composed XRs are planned the same way, one level deeper.
 */

#define ROUNDS_MAX 8
#define DEPTH_MAX  6
#define ITEMS_MAX  MESH_TREE_MAX

/* An XR on its way down. */
struct parent {
    const struct definition *d;
    const struct json *xr;
    struct json *observed;    /* NAME -> {resource} of what it refers to */
    const struct json *guess; /* of what will be observed, or NULL */
    const struct json *asked; /* by a similar run, or NULL */
    size_t item;
    unsigned depth; /* of what it composes */
    char manager[COMPOSE_OWNER_MAX];
};

/* ---- what is there ---- */

/* NAME -> {resource} of what spec.crossplane.resourceRefs leads to. */
static struct json *
observe(struct work *w, const struct definition *d, const struct json *xr)
{
    const struct json *refs =
        json_get(xrd_machinery(xr, d->legacy), "resourceRefs");
    struct json *out = json_new_object();

    for (struct json *r = json_first(refs); r; r = json_next(r)) {
        const char *ns = json_get_string(r, "namespace");
        const char *name = json_get_text(r, "name");
        struct json *j =
            *name ? catalog_get(w->c, json_get_text(r, "apiVersion"),
                                json_get_text(r, "kind"),
                                ns ? ns : planner_meta(xr, "namespace"), name)
                  : NULL;

        if (!j || !*planner_resource(j)) {
            json_free(j);
            continue;
        }
        json_set(json_need_object(out, planner_resource(j)), "resource", j);
    }
    return out;
}

static void
mark_ready(struct json *object)
{
    static const char *const types[] = {"Synced", "Ready"};

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        const struct condition c = {
            .type = types[i], .status = "True", .reason = "Available"};

        condition_set(object, &c, 0);
    }
}

struct json *
planner_foresee(const struct json *observed, const struct compose_result *r)
{
    struct json *out = json_new_object();

    for (size_t i = 0; i < r->resource_count; i++) {
        const struct compose_resource *c = &r->resources[i];
        const struct json *now = json_at(observed, c->name, "resource", NULL);
        struct json *j = planner_merge(now, c->object, NULL, "");

        mark_ready(j);
        json_set(json_need_object(out, c->name), "resource", j);
    }
    return out;
}

/* ---- one pipeline ---- */

static bool
same_names(const struct strlist *names, const struct compose_result *r)
{
    bool same = names->n == r->resource_count;

    for (size_t i = 0; same && i < names->n; i++)
        same = strcmp(names->v[i], r->resources[i].name) == 0;
    return same;
}

static void
take_names(struct strlist *names, const struct compose_result *r)
{
    strlist_release(names);
    for (size_t i = 0; i < r->resource_count; i++)
        strlist_add(names, str_of(r->resources[i].name));
}

static bool
run_until_stable(struct work *w, const struct parent *p, struct recipe *recipe,
                 struct compose_result *out, struct error *err)
{
    const struct compose_host host = catalog_compose_host(w->c);
    AUTO(strlist_release) struct strlist names = {0};
    AUTO(json_free_ptr) struct json *asked = NULL;
    struct compose_input in = {
        .mode = COMPOSE_LIVE, .xr = p->xr, .known = p->asked, .host = &host};

    in.pipeline = catalog_pipeline(recipe, err);
    if (!in.pipeline)
        return false;
    in.observed = json_copy(p->guess ? p->guess : p->observed);
    for (struct json *g = json_first(p->guess); g; g = json_next(g))
        strlist_add(&names, str_of(json_key(g)));
    for (unsigned round = p->guess ? 1 : 0;; round++) {
        if (!compose(&in, out, err))
            return false;
        /* At least once with everything of the first round Ready. */
        if (!recipe->looks_back || round == ROUNDS_MAX ||
            (round && same_names(&names, out)))
            return true;
        take_names(&names, out);
        in.observed = planner_foresee(p->observed, out);
        json_free(asked);
        in.known = asked = out->outcome.asked;
        out->outcome.asked = NULL;
        compose_release(out);
    }
}

static void
note_result(struct work *w, const struct parent *p,
            const struct compose_result *r)
{
    const char *kind = json_get_text(p->xr, "kind");
    const char *name = planner_meta(p->xr, "name");

    for (size_t i = 0; i < r->event_count; i++) {
        if (r->events[i].warning)
            mesh_plan_tell(w->p, MESH_WARN, "function-warning", p->item,
                           "%s/%s: %s", kind, name, r->events[i].message);
    }
    for (size_t i = 0; i < r->outcome.condition_count; i++) {
        const struct fn_condition *c = &r->outcome.conditions[i];

        if (strcmp(c->status, "False") == 0)
            mesh_plan_tell(w->p, MESH_WARN, "condition-false", p->item,
                           "%s/%s: %s is False: %s%s%s", kind, name, c->type,
                           c->reason, c->message ? ": " : "",
                           c->message ? c->message : "");
    }
}

/* A selector that finds nothing, although something of the wanted name is
 * there: a label is missing. What was found by its name needs none. */
static void
note_missed(struct work *w, const struct parent *p, const struct json *s)
{
    const char *kind = json_get_text(s, "kind");
    const char *ns = json_get_string(s, "namespace");
    const struct json *labels = json_at(s, "matchLabels", "labels", NULL);

    for (struct json *l = json_first(labels); l; l = json_next(l)) {
        const char *name = json_string_or(l, "");
        AUTO(mem_free_ptr) char *key = mem_printf("%s/%s", kind, name);

        if (!*name || map_has(&w->c->found, str_of(key)))
            continue;
        AUTO(json_free_ptr)
        struct json *j =
            catalog_get(w->c, json_get_text(s, "apiVersion"), kind,
                        ns ? ns : planner_meta(p->xr, "namespace"), name);

        if (j && !catalog_labels_match(j, labels))
            mesh_plan_tell(w->p, MESH_WARN, "label-missing", p->item,
                           "%s/%s does not see %s/%s: it has no label %s=%s",
                           json_get_text(p->xr, "kind"),
                           planner_meta(p->xr, "name"), kind, name, json_key(l),
                           name);
    }
}

static void
note_all_missed(struct work *w, const struct parent *p)
{
    AUTO(json_free_ptr) struct json *missed = w->c->missed;

    w->c->missed = json_new_array();
    for (struct json *s = json_first(missed); s; s = json_next(s)) {
        if (strchr(json_get_text(s, "apiVersion"), '/'))
            note_missed(w, p, s);
    }
}

/* ---- what is composed ---- */

/* Something of that name is there, and it is not ours: core refuses. An XR
 * that does not exist yet has no uid: then its name must do. */
static bool
is_taken(const struct json *xr, const struct json *there)
{
    const struct json *owners =
        json_at(there, "metadata", "ownerReferences", NULL);

    for (struct json *o = json_first(owners); o; o = json_next(o)) {
        const char *uid = json_get_text(o, "uid"),
                   *mine = planner_meta(xr, "uid");

        if (!json_bool(json_get(o, "controller"), false))
            continue;
        if (*uid || *mine)
            return strcmp(uid, mine) != 0;
        return strcmp(json_get_text(o, "kind"), json_get_text(xr, "kind")) !=
                   0 ||
               strcmp(json_get_text(o, "name"), planner_meta(xr, "name")) != 0;
    }
    return false;
}

static void
note_taken(struct work *w, const struct parent *p,
           const struct compose_resource *r, const struct json *there)
{
    const char *owner = planner_controller(w, there);
    size_t item = w->p->items_n;

    planner_row(w, MESH_CONFLICT, p->depth, r->object)->note =
        arena_printf(w->a, "belongs to %s", owner);
    mesh_plan_tell(w->p, MESH_BLOCK, "name-taken", item,
                   "%s/%s exists and is controlled by %s: %s/%s cannot have "
                   "it and stays unsynced",
                   json_get_text(r->object, "kind"),
                   planner_meta(r->object, "name"), owner,
                   json_get_text(p->xr, "kind"), planner_meta(p->xr, "name"));
}

static bool
same_kind(const struct json *a, const struct json *b)
{
    struct str group_a, group_b, rest;
    bool core_a =
        !str_cut(str_of(json_get_text(a, "apiVersion")), '/', &group_a, &rest);
    bool core_b =
        !str_cut(str_of(json_get_text(b, "apiVersion")), '/', &group_b, &rest);

    return strcmp(json_get_text(a, "kind"), json_get_text(b, "kind")) == 0 &&
           core_a == core_b && (core_a || str_eq(group_a, group_b));
}

/* Core tells resources by name: one whose kind changes is made anew, and the
 * old object is referred to by nobody. */
static void
note_left_behind(struct work *w, const struct parent *p, const struct json *old,
                 const struct compose_resource *r)
{
    mesh_plan_tell(w->p, MESH_WARN, "left-behind", p->item,
                   "resource %s is a %s now: %s/%s is not deleted, and "
                   "nothing refers to it any more",
                   r->name, json_get_text(r->object, "kind"),
                   json_get_text(old, "kind"), planner_meta(old, "name"));
}

static void
place_composed(struct work *w, const struct parent *p,
               const struct compose_resource *r, const struct json *before,
               bool taken_over)
{
    const char *api_version = json_get_text(r->object, "apiVersion");
    const struct definition *d =
        catalog_kind(w->c, api_version, json_get_text(r->object, "kind"));
    struct error err;
    const struct schema *s =
        d ? catalog_schema(w->c, d, api_version, &err) : NULL;
    AUTO(json_free_ptr)
    struct json *merged = planner_merge(before, r->object, s, p->manager);
    const struct judged j = {
        .definition = d, .before = before, .merged = merged, .composed = true};
    size_t item = planner_place(w, &j, p->depth);

    if (planner_collides(w, item))
        planner_resign(w->p, item, MESH_CONFLICT);
    if (taken_over)
        w->p->items[item].note = "exists already: taken over";
    if (w->p->items[item].sign == MESH_REPLACE)
        w->p->items[item].note = planner_external(w, before);
    if (d && d->composite && p->depth < DEPTH_MAX)
        planner_compose(w, d, merged, item, p->depth + 1);
}

static void
plan_composed(struct work *w, const struct parent *p,
              const struct compose_resource *r)
{
    const struct json *before = json_at(p->observed, r->name, "resource", NULL);
    const char *name = planner_meta(r->object, "name");
    AUTO(json_free_ptr) struct json *there = NULL;

    if (before && !same_kind(before, r->object)) {
        note_left_behind(w, p, before, r);
        before = NULL;
    }
    if (!before && *name)
        there = catalog_get(w->c, json_get_text(r->object, "apiVersion"),
                            json_get_text(r->object, "kind"),
                            planner_meta(r->object, "namespace"), name);
    if (there && is_taken(p->xr, there))
        note_taken(w, p, r, there);
    else
        place_composed(w, p, r, before ? before : there, there != NULL);
}

/* ---- what is not composed any more ---- */

/* What goes takes along what it composed. */
static void
plan_gone(struct work *w, const struct json *gone, unsigned depth)
{
    const struct definition *d = catalog_definition(
        w->c, json_get_text(gone, "apiVersion"), json_get_text(gone, "kind"));
    const char *lost = planner_external(w, gone);

    planner_row(w, MESH_DESTROY, depth, gone)->note =
        *lost ? arena_printf(w->a, "no longer composed; %s", lost)
              : "no longer composed";
    planner_note_renamed(w, w->p->items_n - 1);
    if (!d || depth >= DEPTH_MAX)
        return;
    AUTO(json_free_ptr) struct json *below = observe(w, d, gone);

    for (struct json *o = json_first(below); o; o = json_next(o))
        plan_gone(w, json_get(o, "resource"), depth + 1);
}

static void
plan_all_gone(struct work *w, const struct parent *p,
              const struct compose_result *r)
{
    for (struct json *o = json_first(p->observed); o; o = json_next(o)) {
        if (!compose_find(r, json_key(o)))
            plan_gone(w, json_get(o, "resource"), p->depth);
    }
}

/* ---- an XR ---- */

static void
note_choice(struct work *w, const struct parent *p, const struct choice *c)
{
    struct mesh_plan_item *i = &w->p->items[p->item];
    const char *name = planner_meta(p->xr, "name");

    i->composition = arena_strdup(w->a, c->recipe->name);
    i->revision = arena_strdup(w->a, c->recipe->revision);
    if (c->choices > 1)
        mesh_plan_tell(w->p, MESH_WARN, "composition-by-chance", p->item,
                       "%zu Compositions fit %s/%s and one is taken at random; "
                       "this is the plan of %s",
                       c->choices, p->d->kind, name, c->recipe->name);
    if (c->newer)
        mesh_plan_tell(w->p, MESH_INFO, "revision-kept", p->item,
                       "%s/%s stays on revision %s (%s); %s is at %s",
                       p->d->kind, name, c->recipe->revision,
                       c->manual ? "its update policy is Manual"
                                 : "its revision selector",
                       c->recipe->name, c->newer);
}

/* What runs on a cluster only is no fault of what is planned. */
static void
note_failure(struct work *w, const struct parent *p, const struct error *err)
{
    bool ours = err->code == ERR_UNSUPPORTED;

    w->p->incomplete = w->p->incomplete || ours;
    mesh_plan_tell(w->p, ours ? MESH_WARN : MESH_BLOCK,
                   ours ? "function-not-built-in" : "cannot-compose", p->item,
                   "%s/%s: cannot compose resources: %s", p->d->kind,
                   planner_meta(p->xr, "name"), err->msg);
}

void
planner_compose(struct work *w, const struct definition *d,
                const struct json *xr, size_t item, unsigned depth)
{
    struct parent p = {.d = d, .xr = xr, .item = item, .depth = depth};
    struct compose_result r = {0};
    struct error err = {0};
    struct choice choice;

    compose_owner(xr, p.manager);
    AUTO(json_free_ptr) struct json *observed = p.observed = observe(w, d, xr);

    if (!catalog_choose(w->c, d, xr, &choice, &err)) {
        mesh_plan_tell(w->p, MESH_BLOCK, "no-composition", item, "%s/%s: %s",
                       d->kind, planner_meta(xr, "name"), err.msg);
        return;
    }
    note_choice(w, &p, &choice);
    if (run_until_stable(w, &p, choice.recipe, &r, &err)) {
        note_result(w, &p, &r);
        note_all_missed(w, &p);
        for (size_t i = 0; i < r.resource_count && w->p->items_n < ITEMS_MAX;
             i++)
            plan_composed(w, &p, &r.resources[i]);
        plan_all_gone(w, &p, &r);
    } else {
        note_failure(w, &p, &err);
    }
    compose_release(&r);
}

bool
planner_desire(struct work *w, struct recipe *recipe, const struct json *xr,
               const struct similar *like, struct compose_result *out,
               struct error *err)
{
    AUTO(json_free_ptr) struct json *nothing = json_new_object();
    const struct parent p = {.xr = xr,
                             .observed = nothing,
                             .guess = like ? like->foreseen : NULL,
                             .asked = like ? like->asked : NULL};

    return run_until_stable(w, &p, recipe, out, err);
}
