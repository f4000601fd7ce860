#include "lib/mesh/planner.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/compose/conditions.h"

#include "lib/mesh/catalog.h"
#include "lib/mesh/diff.h"

/*
 * The pipeline is run on the object as it would be, with what exists as
 * observed; then again with what it wants taken for existing and Ready, until
 * no new name appears: so what waits for something else is in the plan as well.
 * Composed XRs are planned the same way, one level deeper.
 */

#define ROUNDS_MAX 8
#define DEPTH_MAX  6
#define ITEMS_MAX  MESH_TREE_MAX

struct mesh_planner {
    struct catalog catalog;
};

/* One plan on its way. */
struct work {
    struct catalog *c;
    struct mesh_plan *p;
    struct arena *a;
};

struct mesh_planner *
mesh_planner_new(const struct mesh_host *host)
{
    struct mesh_planner *p = mem_zalloc(1, sizeof(*p));

    catalog_init(&p->catalog, host);
    return p;
}

void
mesh_planner_free(struct mesh_planner *p)
{
    if (!p)
        return;
    catalog_release(&p->catalog);
    free(p);
}

void
mesh_planner_free_ptr(struct mesh_planner **p)
{
    mesh_planner_free(*p);
}

void
mesh_planner_forget(struct mesh_planner *p)
{
    catalog_forget(&p->catalog);
}

void
mesh_planner_pretend(struct mesh_planner *p, const struct json *object)
{
    if (object) {
        json_append(p->catalog.pretended, json_copy(object));
    } else {
        json_free(p->catalog.pretended);
        p->catalog.pretended = json_new_array();
    }
    catalog_forget(&p->catalog);
}

/* ---- small readers ---- */

static const char *
text_at(const struct json *j, const char *key)
{
    return json_string_or(json_get(j, key), "");
}

static const char *
meta_at(const struct json *j, const char *key)
{
    return text_at(json_get(j, "metadata"), key);
}

static const char *
resource_name(const struct json *j)
{
    return json_string_or(
        json_at(j, "metadata", "annotations", COMPOSE_ANNOTATION_NAME, NULL),
        "");
}

static const char *
controller_uid(const struct json *j)
{
    const struct json *owners = json_at(j, "metadata", "ownerReferences", NULL);

    for (struct json *o = json_first(owners); o; o = json_next(o)) {
        if (json_bool(json_get(o, "controller"), false))
            return text_at(o, "uid");
    }
    return "";
}

/* The tree now belongs to the plan. */
static const struct json *
own(struct work *w, struct json *j)
{
    if (!w->p->owned)
        w->p->owned = json_new_array();
    return json_append(w->p->owned, j);
}

/* ---- what the object becomes ---- */

/* Members of `over` put over `base`; lists are replaced. */
static void
overlay(struct json *base, const struct json *over)
{
    for (struct json *m = json_first(over); m; m = json_next(m)) {
        struct json *old = json_get(base, json_key(m));

        if (json_is(m, JSON_OBJECT) && json_is(old, JSON_OBJECT))
            overlay(old, m);
        else
            json_set(base, json_key(m), json_copy(m));
    }
}

static bool
is_replacement(const struct json *object)
{
    return *meta_at(object, "resourceVersion");
}

/* Core keeps its machinery and status whatever a replacement says. */
static void
keep_machinery(struct json *merged, const struct json *before)
{
    const struct json *machinery = json_at(before, "spec", "crossplane", NULL);
    const struct json *status = json_get(before, "status");

    if (machinery && !json_at(merged, "spec", "crossplane", NULL))
        json_set(json_need_object(merged, "spec"), "crossplane",
                 json_copy(machinery));
    if (status)
        json_set(merged, "status", json_copy(status));
}

static struct json *
merge(const struct json *before, const struct json *object)
{
    struct json *merged = json_copy(object);

    if (!before)
        return merged;
    if (is_replacement(object)) {
        keep_machinery(merged, before);
        return merged;
    }
    json_free(merged);
    merged = json_copy(before);
    overlay(merged, object);
    return merged;
}

/* ---- the schema's say ---- */

static void
check_schema(struct work *w, const struct definition *d, struct json *merged)
{
    AUTO(strlist_release) struct strlist unknown = {0};
    struct schema_findings found = {0};
    struct error err = {0};
    const struct schema *s =
        catalog_schema(w->c, d, text_at(merged, "apiVersion"), &err);
    struct json *status = json_get(merged, "status");

    if (!s) {
        mesh_plan_note(w->p, MESH_BLOCK, "%s", err.msg);
        return;
    }
    /* Status is the controller's, and not ours to judge. */
    if (status)
        status = json_detach(merged, status);
    schema_prune(s, merged, false, &unknown);
    schema_default(s, merged);
    schema_validate(s, merged, &found);
    if (status)
        json_set(merged, "status", status);
    for (size_t i = 0; i < unknown.n; i++)
        mesh_plan_note(w->p, MESH_WARN, "unknown field \"%s\"", unknown.v[i]);
    for (size_t i = 0; i < found.n; i++) {
        /* That rules were skipped is no finding of its own. */
        if (strcmp(found.v[i].field, "<nil>") != 0)
            mesh_plan_note(w->p, MESH_BLOCK, "%s: %s", found.v[i].field,
                           found.v[i].message);
    }
    schema_findings_release(&found);
    w->p->cel_skipped += schema_rule_count(s);
}

/* ---- rows ---- */

static struct mesh_plan_item *
row(struct work *w, enum mesh_sign sign, unsigned depth, const struct json *j)
{
    struct mesh_plan_item *i = mesh_plan_add(w->p, sign, depth);
    const char *name = meta_at(j, "name");

    i->api_version = arena_strdup(w->a, text_at(j, "apiVersion"));
    i->kind = arena_strdup(w->a, text_at(j, "kind"));
    i->ns = arena_strdup(w->a, meta_at(j, "namespace"));
    i->name = *name ? arena_strdup(w->a, name)
                    : arena_printf(w->a, "%s...", meta_at(j, "generateName"));
    i->resource = arena_strdup(w->a, resource_name(j));
    return i;
}

/* A plan is shown and logged: the values of Secrets are not for that. */
static const struct mesh_diff *
masked(struct work *w, const struct json *j, const struct mesh_diff *diff,
       size_t n)
{
    struct mesh_diff *out;

    if (strcmp(text_at(j, "kind"), "Secret") != 0 || !n)
        return diff;
    out = arena_array(w->a, n, sizeof(*out));
    for (size_t i = 0; i < n; i++) {
        bool secret = strncmp(diff[i].path, "data", 4) == 0 ||
                      strncmp(diff[i].path, "stringData", 10) == 0;

        out[i] = diff[i];
        if (secret && diff[i].before)
            out[i].before = "(secret)";
        if (secret && diff[i].after)
            out[i].after = "(secret)";
    }
    return out;
}

static void
add_row(struct work *w, unsigned depth, const struct json *before,
        const struct json *after, bool whole)
{
    size_t n = 0;
    const struct mesh_diff *diff =
        before ? diff_objects(before, after, whole, w->a, &n) : NULL;
    enum mesh_sign sign = !before ? MESH_ADD : (n ? MESH_CHANGE : MESH_KEEP);
    struct mesh_plan_item *i = row(w, sign, depth, after);

    i->diff = masked(w, after, diff, n);
    i->diff_n = n;
    i->object = own(w, json_copy(after));
}

/* ---- one pipeline ---- */

/* NAME -> {resource} of what spec.crossplane.resourceRefs leads to. */
static struct json *
observe(struct work *w, const struct definition *d, const struct json *xr)
{
    const struct json *refs =
        json_get(xrd_machinery(xr, d->legacy), "resourceRefs");
    struct json *out = json_new_object();

    for (struct json *r = json_first(refs); r; r = json_next(r)) {
        const char *ns = json_get_string(r, "namespace");
        struct json *j =
            catalog_get(w->c, text_at(r, "apiVersion"), text_at(r, "kind"),
                        ns ? ns : meta_at(xr, "namespace"), text_at(r, "name"));

        if (!j || !*resource_name(j)) {
            json_free(j);
            continue;
        }
        json_set(json_need_object(out, resource_name(j)), "resource", j);
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

/* What would be observed once r is there and Ready. */
static struct json *
foresee(const struct json *observed, const struct compose_result *r)
{
    struct json *out = json_new_object();

    for (size_t i = 0; i < r->resource_count; i++) {
        const struct compose_resource *c = &r->resources[i];
        const struct json *now = json_at(observed, c->name, "resource", NULL);
        struct json *j = now ? json_copy(now) : json_copy(c->object);

        if (now)
            overlay(j, c->object);
        mark_ready(j);
        json_set(json_need_object(out, c->name), "resource", j);
    }
    return out;
}

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
run_until_stable(struct work *w, const struct json *xr,
                 const struct json *composition, const struct json *observed,
                 struct compose_result *out, struct error *err)
{
    const struct compose_host host = catalog_compose_host(w->c);
    AUTO(strlist_release) struct strlist names = {0};
    AUTO(json_free_ptr) struct json *asked = NULL;
    struct compose_input in = {.mode = COMPOSE_LIVE, .xr = xr, .host = &host};
    bool looks_back;

    in.pipeline = catalog_pipeline(w->c, composition, &looks_back, err);
    if (!in.pipeline)
        return false;
    in.observed = json_copy(observed);
    for (unsigned round = 0;; round++) {
        if (!compose(&in, out, err))
            return false;
        /* At least once with everything of the first round Ready. */
        if (!looks_back || round == ROUNDS_MAX ||
            (round && same_names(&names, out)))
            return true;
        take_names(&names, out);
        in.observed = foresee(observed, out);
        json_free(asked);
        in.known = asked = out->outcome.asked;
        out->outcome.asked = NULL;
        compose_release(out);
    }
}

static void
note_result(struct work *w, const struct json *xr,
            const struct compose_result *r)
{
    const char *kind = text_at(xr, "kind");

    for (size_t i = 0; i < r->event_count; i++) {
        if (r->events[i].warning)
            mesh_plan_note(w->p, MESH_WARN, "%s/%s: %s", kind,
                           meta_at(xr, "name"), r->events[i].message);
    }
    for (size_t i = 0; i < r->outcome.condition_count; i++) {
        const struct fn_condition *c = &r->outcome.conditions[i];

        if (strcmp(c->status, "False") == 0)
            mesh_plan_note(w->p, MESH_WARN, "%s/%s: %s is False: %s%s%s", kind,
                           meta_at(xr, "name"), c->type, c->reason,
                           c->message ? ": " : "",
                           c->message ? c->message : "");
    }
}

static void plan_xr(struct work *w, const struct definition *d,
                    const struct json *xr, unsigned depth);

/* Something of that name is there, and it is not ours: core refuses. */
static bool
is_taken(const struct json *xr, const struct json *there)
{
    const char *uid = controller_uid(there);

    return *uid && strcmp(uid, meta_at(xr, "uid")) != 0;
}

static void
plan_composed(struct work *w, const struct json *xr,
              const struct compose_resource *r, const struct json *observed,
              unsigned depth)
{
    const struct json *before = json_at(observed, r->name, "resource", NULL);
    const char *api_version = text_at(r->object, "apiVersion");
    const char *kind = text_at(r->object, "kind");
    const char *name = meta_at(r->object, "name");
    AUTO(json_free_ptr) struct json *there = NULL;

    if (!before && *name)
        there = catalog_get(w->c, api_version, kind,
                            meta_at(r->object, "namespace"), name);
    if (there && is_taken(xr, there)) {
        row(w, MESH_CONFLICT, depth, r->object)->note =
            "exists and belongs to somebody else";
        mesh_plan_note(w->p, MESH_BLOCK,
                       "%s/%s exists and belongs to somebody else", kind, name);
        return;
    }
    add_row(w, depth, before ? before : there, r->object, false);
    if (there)
        w->p->items[w->p->items_n - 1].note = "exists already: taken over";
    const struct definition *d = catalog_definition(w->c, api_version, kind);

    if (d && depth < DEPTH_MAX) {
        AUTO(json_free_ptr)
        struct json *child = merge(before ? before : there, r->object);

        plan_xr(w, d, child, depth + 1);
    }
}

/* What goes takes along what it composed. */
static void
plan_gone(struct work *w, const struct json *gone, unsigned depth)
{
    const struct definition *d = catalog_definition(
        w->c, text_at(gone, "apiVersion"), text_at(gone, "kind"));

    row(w, MESH_DESTROY, depth, gone)->note = "no longer composed";
    if (!d || depth >= DEPTH_MAX)
        return;
    AUTO(json_free_ptr) struct json *below = observe(w, d, gone);

    for (struct json *o = json_first(below); o; o = json_next(o))
        plan_gone(w, json_get(o, "resource"), depth + 1);
}

static void
plan_all_gone(struct work *w, const struct compose_result *r,
              const struct json *observed, unsigned depth)
{
    for (struct json *o = json_first(observed); o; o = json_next(o)) {
        if (!compose_find(r, json_key(o)))
            plan_gone(w, json_get(o, "resource"), depth);
    }
}

static void
plan_xr(struct work *w, const struct definition *d, const struct json *xr,
        unsigned depth)
{
    struct compose_result r = {0};
    struct error err = {0};
    size_t choices;
    const struct json *composition =
        catalog_composition(w->c, d, xr, &choices, &err);
    AUTO(json_free_ptr) struct json *observed = observe(w, d, xr);

    if (choices > 1)
        mesh_plan_note(w->p, MESH_WARN,
                       "%zu Compositions fit %s/%s and one is taken at random; "
                       "this is the plan of %s",
                       choices, d->kind, meta_at(xr, "name"),
                       meta_at(composition, "name"));
    if (!composition) {
        mesh_plan_note(w->p, MESH_BLOCK, "%s/%s: %s", d->kind,
                       meta_at(xr, "name"), err.msg);
        return;
    }
    if (run_until_stable(w, xr, composition, observed, &r, &err)) {
        note_result(w, xr, &r);
        for (size_t i = 0; i < r.resource_count && w->p->items_n < ITEMS_MAX;
             i++)
            plan_composed(w, xr, &r.resources[i], observed, depth);
        plan_all_gone(w, &r, observed, depth);
    } else {
        mesh_plan_note(w->p, MESH_BLOCK, "%s/%s: cannot compose resources: %s",
                       d->kind, meta_at(xr, "name"), err.msg);
    }
    compose_release(&r);
}

/* ---- the plan ---- */

static bool
check_identity(const struct json *object, struct error *err)
{
    if (!json_is(object, JSON_OBJECT))
        return error_set(err, ERR_INVALID, "not a Kubernetes object");
    if (!*text_at(object, "apiVersion") || !*text_at(object, "kind"))
        return error_set(err, ERR_INVALID,
                         "an object needs apiVersion and kind");
    if (!*meta_at(object, "name") && !*meta_at(object, "generateName"))
        return error_set(err, ERR_INVALID, "a %s needs metadata.name",
                         text_at(object, "kind"));
    return true;
}

/* Where the object goes: its namespace, or the default one. */
static struct json *
placed(struct work *w, const struct definition *d, const struct json *object)
{
    struct json *j = json_copy(object);
    bool namespaced = *meta_at(object, "namespace");
    bool served =
        w->c->host.served(w->c->host.arg, text_at(object, "apiVersion"),
                          text_at(object, "kind"), &namespaced);

    if (!served && d)
        namespaced = strcmp(xrd_scope(d->xrd), "Namespaced") == 0;
    if (!served && !d)
        mesh_plan_note(w->p, MESH_BLOCK,
                       "no matches for kind \"%s\" in version \"%s\"",
                       text_at(object, "kind"), text_at(object, "apiVersion"));
    if (namespaced && !*meta_at(j, "namespace"))
        json_set_string(json_need_object(j, "metadata"), "namespace",
                        "default");
    return j;
}

static void
note_unknown(struct work *w)
{
    for (size_t i = 0; i < w->c->unknown.n; i++)
        mesh_plan_note(w->p, MESH_WARN,
                       "objects of kind %s could not be looked at",
                       w->c->unknown.v[i]);
    strlist_release(&w->c->unknown);
    if (w->p->cel_skipped)
        mesh_plan_note(w->p, MESH_INFO,
                       "%zu validation rule%s (CEL) only the server checks",
                       w->p->cel_skipped, w->p->cel_skipped == 1 ? "" : "s");
}

bool
mesh_plan_apply(struct mesh_planner *p, const struct json *object,
                struct arena *a, struct mesh_plan *out, struct error *err)
{
    struct work w = {.c = &p->catalog, .p = out, .a = a};

    if (!check_identity(object, err))
        return false;
    mesh_plan_init(out, a);
    if (!catalog_load(w.c))
        mesh_plan_note(out, MESH_WARN,
                       "what the cluster composes is not known completely");
    const struct definition *d = catalog_definition(
        w.c, text_at(object, "apiVersion"), text_at(object, "kind"));
    AUTO(json_free_ptr) struct json *mine = placed(&w, d, object);
    AUTO(json_free_ptr) struct json *before = NULL;

    if (*meta_at(mine, "name"))
        before =
            catalog_get(w.c, text_at(mine, "apiVersion"), text_at(mine, "kind"),
                        meta_at(mine, "namespace"), meta_at(mine, "name"));
    AUTO(json_free_ptr) struct json *merged = merge(before, mine);

    if (d)
        check_schema(&w, d, merged);
    add_row(&w, 0, before, merged, is_replacement(object));
    if (d && !out->blockers)
        plan_xr(&w, d, merged, 1);
    note_unknown(&w);
    return true;
}
