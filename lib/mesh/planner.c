#include "lib/mesh/planner.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/mesh/planner_work.h"

/* The field manager of `meshtop apply` (lib/kube/client.h). */
#define APPLY_MANAGER "meshtop"
/* The label of what a run of `up` made (devenv/crossplane.h). */
#define MARK "meshtop.dev/run"

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
mesh_planner_forget(struct mesh_planner *p)
{
    catalog_forget(&p->catalog);
}

/* ---- small readers ---- */

const char *
planner_meta(const struct json *j, const char *key)
{
    return json_get_text(json_get(j, "metadata"), key);
}

const char *
planner_resource(const struct json *j)
{
    return json_string_or(
        json_at(j, "metadata", "annotations", COMPOSE_ANNOTATION_NAME, NULL),
        "");
}

/* ---- rows ---- */

const struct json *
planner_own(struct work *w, struct json *j)
{
    if (!w->p->owned)
        w->p->owned = json_new_array();
    return json_append(w->p->owned, j);
}

struct mesh_plan_item *
planner_row(struct work *w, enum mesh_sign sign, unsigned depth,
            const struct json *j)
{
    struct mesh_plan_item *i = mesh_plan_add(w->p, sign, depth);
    const char *name = planner_meta(j, "name");

    i->api_version = arena_strdup(w->a, json_get_text(j, "apiVersion"));
    i->kind = arena_strdup(w->a, json_get_text(j, "kind"));
    i->ns = arena_strdup(w->a, planner_meta(j, "namespace"));
    i->name =
        *name ? arena_strdup(w->a, name)
              : arena_printf(w->a, "%s...", planner_meta(j, "generateName"));
    i->resource = arena_strdup(w->a, planner_resource(j));
    return i;
}

void
planner_resign(struct mesh_plan *p, size_t item, enum mesh_sign sign)
{
    size_t *const counts[] = {
        [MESH_ADD] = &p->add,           [MESH_CHANGE] = &p->change,
        [MESH_DESTROY] = &p->destroy,   [MESH_KEEP] = &p->keep,
        [MESH_CONFLICT] = &p->conflict, [MESH_REPLACE] = &p->replace,
    };

    --*counts[p->items[item].sign];
    p->items[item].sign = sign;
    ++*counts[sign];
}

void
planner_mask(struct work *w, size_t item)
{
    struct mesh_plan_item *i = &w->p->items[item];
    struct mesh_diff *out;

    if (strcmp(i->kind, "Secret") != 0 || !i->diff_n)
        return;
    out = arena_array(w->a, i->diff_n, sizeof(*out));
    for (size_t n = 0; n < i->diff_n; n++) {
        bool secret = strncmp(i->diff[n].path, "data", 4) == 0 ||
                      strncmp(i->diff[n].path, "stringData", 10) == 0;

        out[n] = i->diff[n];
        if (secret && out[n].before)
            out[n].before = "(secret)";
        if (secret && out[n].after)
            out[n].after = "(secret)";
    }
    i->diff = out;
}

/* ---- what the object becomes ---- */

static bool
is_replacement(const struct json *object)
{
    return *planner_meta(object, "resourceVersion");
}

/* Core keeps its machinery and status whatever a replacement says. */
static struct json *
replacement(const struct json *before, const struct json *object)
{
    const struct json *machinery = json_at(before, "spec", "crossplane", NULL);
    const struct json *status = json_get(before, "status");
    struct json *merged = json_copy(object);

    if (machinery && !json_at(merged, "spec", "crossplane", NULL))
        json_set(json_need_object(merged, "spec"), "crossplane",
                 json_copy(machinery));
    if (status)
        json_set(merged, "status", json_copy(status));
    return merged;
}

/* `up` marked it, and applying keeps the mark (devenv/manifest.c). */
static void
keep_mark(struct json *object, const struct json *before)
{
    const char *mark =
        json_string(json_at(before, "metadata", "labels", MARK, NULL));
    struct json *meta = json_need_object(object, "metadata");

    if (mark && !json_at(meta, "labels", MARK, NULL))
        json_set_string(json_need_object(meta, "labels"), MARK, mark);
}

static struct json *
outcome(struct work *w, const struct definition *d, const struct json *before,
        struct json *object)
{
    struct error err;

    if (is_replacement(object))
        return replacement(before, object);
    keep_mark(object, before);
    return planner_merge(
        before, object,
        d ? catalog_schema(w->c, d, json_get_text(object, "apiVersion"), &err)
          : NULL,
        APPLY_MANAGER);
}

/* ---- the plan ---- */

static bool
check_identity(const struct json *object, struct error *err)
{
    if (!json_is(object, JSON_OBJECT))
        return error_set(err, ERR_INVALID, "not a Kubernetes object");
    if (!*json_get_text(object, "apiVersion") ||
        !*json_get_text(object, "kind"))
        return error_set(err, ERR_INVALID,
                         "an object needs apiVersion and kind");
    if (!*planner_meta(object, "name") &&
        !*planner_meta(object, "generateName"))
        return error_set(err, ERR_INVALID, "a %s needs metadata.name",
                         json_get_text(object, "kind"));
    return true;
}

/* Where the object goes: its namespace, or the default one. *served false:
 * nobody serves its kind. */
static struct json *
placed(struct work *w, const struct definition *d, const struct json *object,
       bool *served)
{
    struct json *j = json_copy(object);
    bool namespaced = *planner_meta(object, "namespace");

    *served =
        w->c->host.served(w->c->host.arg, json_get_text(object, "apiVersion"),
                          json_get_text(object, "kind"), &namespaced);
    if (!*served && d && d->composite) {
        namespaced = strcmp(xrd_scope(d->source), "Namespaced") == 0;
        *served = true;
    }
    if (namespaced && !*planner_meta(j, "namespace"))
        json_set_string(json_need_object(j, "metadata"), "namespace",
                        "default");
    return j;
}

static void
close_plan(struct work *w)
{
    for (size_t i = 0; i < w->c->unknown.n; i++)
        mesh_plan_tell(w->p, MESH_WARN, "not-looked-at", MESH_NO_ITEM,
                       "objects of kind %s could not be looked at",
                       w->c->unknown.v[i]);
    w->p->incomplete = w->p->incomplete || w->c->unknown.n;
    if (w->p->external_lost)
        mesh_plan_tell(w->p, MESH_WARN, "external-data-lost", MESH_NO_ITEM,
                       "%zu external resource%s with all data in %s",
                       w->p->external_lost,
                       w->p->external_lost == 1 ? " is lost" : "s are lost",
                       w->p->external_lost == 1 ? "it" : "them");
}

/* What a package holds is read by the cluster. What a new version of a function
 * composes cannot be said: here runs the one that is built in. */
static void
note_package(struct work *w, const struct json *merged, size_t item)
{
    const struct mesh_plan_item *i = &w->p->items[item];
    const char *package =
        json_string_or(json_at(merged, "spec", "package", NULL), "(none)");
    bool ours = str_starts(str_of(i->api_version), STR("pkg.crossplane.io/"));

    if (!ours || i->sign == MESH_KEEP)
        return;
    if (strcmp(i->kind, "Configuration") == 0)
        mesh_plan_tell(w->p, MESH_WARN, "package-not-opened", item,
                       "what %s holds is not read: plan -f FOLDER with its "
                       "manifests says what it brings",
                       package);
    if (strcmp(i->kind, "Function") == 0 && i->sign != MESH_ADD)
        mesh_plan_tell(w->p, MESH_WARN, "function-version", item,
                       "Function %s becomes %s: what Compositions compose with "
                       "it may change; plans run the version that is built in",
                       i->name, package);
}

/* Applying does not take fields from others unless told so. */
static void
note_conflicts(struct work *w, const struct json *before,
               const struct json *mine, size_t item)
{
    AUTO(strlist_release) struct strlist conflicts = {0};

    if (!before || is_replacement(mine))
        return;
    planner_conflicts(before, mine, APPLY_MANAGER, &conflicts);
    for (size_t i = 0; i < conflicts.n; i++)
        mesh_plan_tell(w->p, MESH_WARN, "field-conflict", item,
                       "conflict with %s: applying is refused without --force",
                       conflicts.v[i]);
}

static void
plan_object(struct work *w, const struct json *object)
{
    const char *api_version = json_get_text(object, "apiVersion");
    const char *kind = json_get_text(object, "kind");
    const struct definition *d = catalog_kind(w->c, api_version, kind);
    AUTO(json_free_ptr) struct json *before = NULL;
    bool served;
    AUTO(json_free_ptr) struct json *mine = placed(w, d, object, &served);

    if (*planner_meta(mine, "name"))
        before = catalog_get(w->c, api_version, kind,
                             planner_meta(mine, "namespace"),
                             planner_meta(mine, "name"));
    AUTO(json_free_ptr) struct json *merged = outcome(w, d, before, mine);
    const struct judged j = {
        .definition = d, .before = before, .merged = merged};
    size_t item = planner_place(w, &j, 0);

    if (!served)
        mesh_plan_tell(w->p, MESH_BLOCK, "not-served", item,
                       "no matches for kind \"%s\" in version \"%s\"", kind,
                       api_version);
    note_conflicts(w, before, mine, item);
    planner_collides(w, item);
    note_package(w, merged, item);
    if (d && d->composite && !w->p->blockers)
        planner_compose(w, d, merged, item, 1);
}

bool
mesh_plan_apply(struct mesh_planner *p, const struct json *object,
                struct arena *a, struct mesh_plan *out, struct error *err)
{
    struct work w = {.c = &p->catalog, .p = out, .a = a};

    if (!check_identity(object, err))
        return false;
    mesh_plan_init(out, a);
    catalog_begin_plan(w.c);
    if (!catalog_load(w.c)) {
        mesh_plan_tell(out, MESH_WARN, "not-looked-at", MESH_NO_ITEM,
                       "what the cluster composes is not known completely");
        out->incomplete = true;
    }
    plan_object(&w, object);
    close_plan(&w);
    map_release(&w.placed, NULL);
    return true;
}
