/* What is wrong with an object before it is applied. */
#include "lib/base/mem.h"

#include "lib/mesh/diff.h"
#include "lib/mesh/graph.h"
#include "lib/mesh/plan_builtin.h"
#include "lib/mesh/planner_work.h"

/* "Kind/name: ", for what is said of objects that the user did not write. */
static const char *
prefix(struct work *w, const struct judged *j, size_t item)
{
    const struct mesh_plan_item *i = &w->p->items[item];

    return j->composed ? arena_printf(w->a, "%s/%s: ", i->kind, i->name) : "";
}

/* ---- schema ---- */

static bool
is_among(const struct schema_finding *f, const struct schema_findings *all)
{
    for (size_t i = 0; i < all->n; i++) {
        if (strcmp(all->v[i].field, f->field) == 0 &&
            strcmp(all->v[i].message, f->message) == 0)
            return true;
    }
    return false;
}

static void
note_replace(struct work *w, const struct judged *j, size_t item,
             const char *field, const char *why)
{
    planner_resign(w->p, item, MESH_REPLACE);
    mesh_plan_tell(w->p, MESH_BLOCK, "immutable-field", item,
                   "%s%s: %s: the server refuses the change; %s",
                   prefix(w, j, item), field, why,
                   j->composed ? "once it is deleted it is composed anew"
                               : "delete it and apply again");
}

/* Rules that only an object with a past can break: fields that never change. */
static void
check_update(struct work *w, const struct judged *j, const struct schema *s,
             size_t item)
{
    struct schema_findings alone = {0}, update = {0};

    if (!schema_validate_update(s, j->merged, j->before, &update) && j->before)
        schema_validate(s, j->merged, &alone);
    for (size_t i = 0; i < update.n; i++) {
        const struct schema_finding *f = &update.v[i];

        if (j->before && !is_among(f, &alone))
            note_replace(w, j, item, f->field, f->message);
        /* That rules were skipped is no finding of its own. */
        else if (strcmp(f->field, "<nil>") != 0)
            mesh_plan_tell(w->p, MESH_BLOCK, "invalid", item, "%s%s: %s",
                           prefix(w, j, item), f->field, f->message);
    }
    schema_findings_release(&alone);
    schema_findings_release(&update);
}

/* A write drops what the schema does not know; applying refuses it. Of the
 * kinds every cluster has, ours may be older than the server's. */
static void
check_unknown(struct work *w, const struct judged *j, const struct schema *s,
              size_t item)
{
    AUTO(strlist_release) struct strlist unknown = {0};
    bool certain = j->composed && !j->definition->built_in;

    schema_prune(s, j->merged, j->definition->built_in, &unknown);
    for (size_t i = 0; i < unknown.n; i++)
        mesh_plan_tell(w->p, certain ? MESH_BLOCK : MESH_WARN, "unknown-field",
                       item,
                       certain ? "%s.%s: field not declared in schema"
                               : "%sunknown field \"%s\"",
                       prefix(w, j, item), unknown.v[i]);
}

static void
check_schema(struct work *w, const struct judged *j, size_t item)
{
    struct error err = {0};
    const struct schema *s = catalog_schema(
        w->c, j->definition, json_get_text(j->merged, "apiVersion"), &err);
    struct json *status = json_get(j->merged, "status");

    if (!s && j->definition->built_in)
        return;
    if (!s) {
        mesh_plan_tell(w->p, MESH_BLOCK, "no-schema", item, "%s%s",
                       prefix(w, j, item), err.msg);
        return;
    }
    /* Status is the controller's, and not ours to judge. */
    if (status)
        status = json_detach(j->merged, status);
    check_unknown(w, j, s, item);
    /* What is there has the server's own defaults. */
    if (!j->before || !j->definition->built_in)
        schema_default(s, j->merged);
    check_update(w, j, s, item);
    if (status)
        json_set(j->merged, "status", status);
}

static void
check_version(struct work *w, const struct judged *j, size_t item)
{
    const char *api_version = json_get_text(j->merged, "apiVersion");
    const struct json *v = catalog_version(j->definition, api_version);
    const char *said = json_get_string(v, "deprecationWarning");

    if (!json_bool(json_get(v, "deprecated"), false))
        return;
    mesh_plan_tell(w->p, MESH_WARN, "deprecated-version", item, "%s%s%s%s%s",
                   prefix(w, j, item), said ? said : api_version,
                   said ? "" : " ",
                   said ? "" : json_get_text(j->merged, "kind"),
                   said ? "" : " is deprecated");
}

static void
check_fixed_fields(struct work *w, const struct judged *j, size_t item)
{
    for (size_t i = 0; i < w->p->items[item].diff_n; i++) {
        const struct mesh_diff *d = &w->p->items[item].diff[i];
        const char *why =
            d->before ? plan_builtin_immutable(j->before, d->path) : NULL;

        if (why)
            note_replace(w, j, item, d->path, why);
    }
}

size_t
planner_place(struct work *w, const struct judged *j, unsigned depth)
{
    size_t item = w->p->items_n, n = 0;

    planner_row(w, MESH_KEEP, depth, j->merged);
    if (j->definition) {
        check_schema(w, j, item);
        check_version(w, j, item);
    }
    const struct mesh_diff *diff =
        j->before ? diff_objects(j->before, j->merged, true, w->a, &n) : NULL;
    struct mesh_plan_item *i = &w->p->items[item];

    i->diff = diff;
    i->diff_n = n;
    if (i->sign == MESH_KEEP)
        planner_resign(w->p, item,
                       !j->before ? MESH_ADD : (n ? MESH_CHANGE : MESH_KEEP));
    check_fixed_fields(w, j, item);
    planner_mask(w, item);
    i->object = planner_own(w, json_copy(j->merged));
    return item;
}

/* ---- names ---- */

static void
place_key(struct buf *key, const struct mesh_plan_item *i)
{
    struct str group, version;

    if (!str_cut(str_of(i->api_version), '/', &group, &version))
        group = STR("");
    buf_printf(key, "%.*s/%s/%s/%s", STR_ARG(group), i->kind, i->ns, i->name);
}

/* The row of the same object that came first, or MESH_NO_ITEM. */
static size_t
placed_before(struct work *w, size_t item)
{
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);

    place_key(&key, &w->p->items[item]);
    size_t first = (size_t)(uintptr_t)map_get(&w->placed, buf_view(&key));

    return first ? first - 1 : MESH_NO_ITEM;
}

bool
planner_collides(struct work *w, size_t item)
{
    const struct mesh_plan_item *i = &w->p->items[item];
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);
    size_t first = placed_before(w, item);

    /* A name that the server completes is nobody else's. */
    if (str_ends(str_of(i->name), STR("...")))
        return false;
    if (first == MESH_NO_ITEM) {
        place_key(&key, i);
        map_put(&w->placed, buf_view(&key), (void *)(uintptr_t)(item + 1));
        return false;
    }
    const struct mesh_plan_item *other = &w->p->items[first];

    mesh_plan_tell(w->p, MESH_BLOCK, "name-collision", item,
                   "%s/%s is in this plan twice (as %s and as %s): only one "
                   "can have the name",
                   i->kind, i->name,
                   *other->resource ? other->resource : "the object itself",
                   *i->resource ? i->resource : "the object itself");
    return true;
}

void
planner_note_renamed(struct work *w, size_t gone)
{
    const struct mesh_plan_item *i = &w->p->items[gone];
    size_t first = placed_before(w, gone);

    if (first != MESH_NO_ITEM)
        mesh_plan_tell(w->p, MESH_WARN, "made-anew", gone,
                       "%s/%s is deleted and made anew: its resource name "
                       "changes from %s to %s",
                       i->kind, i->name, i->resource,
                       w->p->items[first].resource);
}

const char *
planner_controller(struct work *w, const struct json *j)
{
    const struct json *owners = json_at(j, "metadata", "ownerReferences", NULL);

    for (struct json *o = json_first(owners); o; o = json_next(o)) {
        if (json_bool(json_get(o, "controller"), false))
            return arena_printf(w->a, "%s/%s", json_get_text(o, "kind"),
                                json_get_text(o, "name"));
    }
    return NULL;
}

/* ---- the outside world ---- */

const char *
planner_external(struct work *w, const struct json *gone)
{
    const struct json *spec = json_get(gone, "spec");
    const char *name =
        json_string_or(json_at(gone, "metadata", "annotations",
                               "crossplane.io/external-name", NULL),
                       planner_meta(gone, "name"));

    if (!json_is(json_get(spec, "forProvider"), JSON_OBJECT))
        return "";
    if (facts_keeps_external(spec)) {
        w->p->external_kept++;
        return arena_printf(w->a, "external %s stays", name);
    }
    w->p->external_lost++;
    return arena_printf(w->a, "external %s is lost", name);
}
