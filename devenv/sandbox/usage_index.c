/*
 * A usage is known by its id "<row>/<namespace>/<name>", an object it speaks of
 * by "<group>/<Kind>/<name>": the namespace is looked at when it matters,
 * because a selector may not have said it yet.
 */
#include "devenv/sandbox/usage_index.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/compose/format.h"

#include "devenv/sandbox/kobj.h"

#define WEBHOOK "nousages.protection.crossplane.io"

/* In the order in which they are looked for. */
static const struct usage_kind usage_kinds[] = {
    {"protection.crossplane.io", "usages",
     "usage/usage.protection.crossplane.io", "*v1beta1.Usage"},
    {"protection.crossplane.io", "clusterusages",
     "usage/clusterusage.protection.crossplane.io", "*v1beta1.ClusterUsage"},
    {CROSSPLANE_GROUP, "usages", "usage/usage.apiextensions.crossplane.io",
     "*v1beta1.Usage"},
};

struct usage_index {
    struct control *c;
    struct map objects; /* object key -> struct map: usage id -> itself */
    struct map usages;  /* usage id -> struct strlist of object keys */
};

const struct usage_kind *
usage_kind_of(const struct kind *k)
{
    for (size_t i = 0; i < ARRAY_LEN(usage_kinds); i++) {
        if (strcmp(k->plural, usage_kinds[i].plural) == 0 &&
            strcmp(k->group, usage_kinds[i].group) == 0)
            return &usage_kinds[i];
    }
    return NULL;
}

/* ---- the index ---- */

static void
free_ids(void *p)
{
    map_release(p, NULL);
    free(p);
}

static void
free_keys(void *p)
{
    strlist_release(p);
    free(p);
}

static void
forget(struct usage_index *x, struct str id)
{
    struct strlist *keys = map_del(&x->usages, id);

    for (size_t i = 0; keys && i < keys->n; i++) {
        struct map *ids = map_get(&x->objects, str_of(keys->v[i]));

        if (ids)
            map_del(ids, id);
        if (ids && !map_count(ids))
            free_ids(map_del(&x->objects, str_of(keys->v[i])));
    }
    if (keys)
        free_keys(keys);
}

static void
add_object(struct usage_index *x, struct strlist *keys, struct str id,
           const struct json *side)
{
    const char *name =
        json_string_or(json_at(side, "resourceRef", "name", NULL), "");
    struct str key;
    struct map *ids;

    if (!*name)
        return;
    strlist_addf(keys, "%.*s/%s/%s",
                 STR_ARG(kobj_group(str_of(kobj_api_version(side)))),
                 kobj_kind(side), name);
    key = str_of(keys->v[keys->n - 1]);
    ids = map_get(&x->objects, key);
    if (!ids) {
        ids = mem_zalloc(1, sizeof(*ids));
        map_put(&x->objects, key, ids);
    }
    map_put(ids, id, x);
}

static char *
usage_id(const struct usage_kind *row, const char *ns, const char *name)
{
    return mem_printf("%d/%s/%s", (int)(row - usage_kinds), ns, name);
}

static void
note(struct usage_index *x, const struct usage_kind *row,
     const struct json *usage)
{
    AUTO(mem_free_ptr)
    char *id = usage_id(row, kobj_namespace(usage), kobj_name(usage));
    struct strlist *keys = mem_zalloc(1, sizeof(*keys));

    forget(x, str_of(id));
    add_object(x, keys, str_of(id), json_at(usage, "spec", "of", NULL));
    add_object(x, keys, str_of(id), json_at(usage, "spec", "by", NULL));
    map_put(&x->usages, str_of(id), keys);
}

struct id_parts {
    const struct usage_kind *row;
    char *ns, *name;
};

static void
id_parts_release(struct id_parts *p)
{
    free(p->ns);
    free(p->name);
}

static struct id_parts
parse_id(const char *id)
{
    struct str rest = str_of(id + 2), ns, name;

    str_cut(rest, '/', &ns, &name);
    return (struct id_parts){&usage_kinds[*id - '0'], mem_strndup(ns.s, ns.n),
                             mem_strndup(name.s, name.n)};
}

static void
look_again(struct usage_index *x, const struct map *ids)
{
    for (struct map_entry *e = map_first(ids); e; e = map_next(ids, e)) {
        AUTO(mem_free_ptr) char *id = mem_strndup(e->key.s, e->key.n);
        AUTO(id_parts_release) struct id_parts p = parse_id(id);

        control_add(x->c, JOB_USAGE, p.row->group, p.row->plural, p.ns, p.name);
    }
}

void
usage_index_event(struct usage_index *x, const struct registry_event *e)
{
    const struct usage_kind *row = usage_kind_of(e->kind);

    if (row && e->type == CHANGE_DELETED) {
        AUTO(mem_free_ptr) char *id = usage_id(row, e->ns, e->name);

        forget(x, str_of(id));
    } else if (row) {
        AUTO(json_free_ptr)
        struct json *usage = json_parse(e->text, NULL, NULL);

        note(x, row, usage);
    } else if (map_count(&x->objects) && e->type != CHANGE_MODIFIED) {
        AUTO(mem_free_ptr)
        char *key =
            mem_printf("%s/%s/%s", e->kind->group, e->kind->kind, e->name);
        const struct map *ids = map_get(&x->objects, str_of(key));

        if (ids)
            look_again(x, ids);
    }
}

/* ---- one side of a usage ---- */

const struct json *
usage_side(const struct json *usage, const char *side)
{
    return json_at(usage, "spec", side, NULL);
}

const char *
usage_ref_name(const struct json *side)
{
    return json_string_or(json_at(side, "resourceRef", "name", NULL), "");
}

const char *
usage_ref_namespace(const struct json *usage, const struct json *side)
{
    return json_string_or(json_at(side, "resourceRef", "namespace", NULL),
                          kobj_namespace(usage));
}

const struct kind *
usage_kind_named(struct control *c, const struct json *side, struct error *err)
{
    const struct kind *k =
        registry_kind(c->registry, kobj_api_version(side), kobj_kind(side));

    if (!k)
        error_set(err, ERR_NOT_FOUND,
                  "no matches for kind \"%s\" in version \"%s\"",
                  kobj_kind(side), kobj_api_version(side));
    return k;
}

struct json *
usage_get_side(struct control *c, const struct json *side, const char *ns,
               const struct kind **k, struct error *err)
{
    struct json *obj;

    *k = usage_kind_named(c, side, err);
    obj = *k ? registry_get(c->registry, *k, ns, usage_ref_name(side)) : NULL;
    if (*k && !obj) {
        AUTO(status_release) struct status st = {0};

        status_not_found(&st, (*k)->group, (*k)->plural, usage_ref_name(side));
        error_set(err, ERR_NOT_FOUND, "%s", st.message);
    }
    return obj;
}

/* ---- who uses an object ---- */

/* Upstream keys a usage by what it says, so one of the cluster protects every
 * object of that name. */
static bool
speaks_of(const struct json *usage, const char *group, const struct json *obj)
{
    const struct json *of = usage_side(usage, "of");
    const char *ns = *kobj_namespace(usage) ? usage_ref_namespace(usage, of)
                                            : kobj_namespace(obj);

    return str_eqz(kobj_group(str_of(kobj_api_version(of))), group) &&
           strcmp(kobj_kind(of), kobj_kind(obj)) == 0 &&
           strcmp(usage_ref_name(of), kobj_name(obj)) == 0 &&
           strcmp(ns, kobj_namespace(obj)) == 0;
}

void
usage_find(struct usage_index *x, const struct kind *k, const struct json *obj,
           struct users *out)
{
    AUTO(mem_free_ptr)
    char *key = mem_printf("%s/%s/%s", k->group, k->kind, kobj_name(obj));
    const struct map *ids = map_get(&x->objects, str_of(key));
    AUTO(strlist_release) struct strlist sorted = {0};

    *out = (struct users){0};
    for (struct map_entry *e = ids ? map_first(ids) : NULL; e;
         e = map_next(ids, e))
        strlist_add(&sorted, e->key);
    strlist_sort(&sorted);
    for (size_t i = 0; i < sorted.n; i++) {
        AUTO(id_parts_release) struct id_parts p = parse_id(sorted.v[i]);
        const struct kind *uk = control_kind(x->c, p.row->group, p.row->plural);
        struct json *usage =
            uk ? registry_get(x->c->registry, uk, p.ns, p.name) : NULL;
        bool match = usage && speaks_of(usage, k->group, obj);

        out->n += match;
        if (match && !out->first) {
            out->first = usage;
            out->row = p.row;
        } else {
            json_free(usage);
        }
    }
}

/* ---- the guard ---- */

static void
say_in_use(const struct users *u, struct buf *b)
{
    const struct json *by = usage_side(u->first, "by");
    const char *reason =
        json_string_or(json_at(u->first, "spec", "reason", NULL), "");

    buf_printf(b,
               "This resource is in-use by %zu usage(s), including the %s "
               "\"%s\"",
               u->n, u->row->go_type, kobj_name(u->first));
    if (*kobj_namespace(u->first))
        buf_printf(b, " (in namespace \"%s\")", kobj_namespace(u->first));
    if (by) {
        buf_printf(b, " by resource %s/%s.", kobj_kind(by), usage_ref_name(by));
    } else if (*reason) {
        buf_puts(b, " with reason: ");
        format_quote(str_of(reason), false, b);
        buf_putc(b, '.');
    } else {
        buf_putc(b, '.');
    }
}

const char *
usage_policy_name(enum registry_propagation p)
{
    static const char *const names[] = {
        [PROPAGATE_DEFAULT] = "Background",
        [PROPAGATE_BACKGROUND] = "Background",
        [PROPAGATE_FOREGROUND] = "Foreground",
        [PROPAGATE_ORPHAN] = "Orphan",
    };

    return names[p];
}

/* So that the deletion can be done once nobody uses the object any more. */
static void
record_attempt(struct control *c, const struct kind *k, const struct json *obj,
               const char *policy)
{
    AUTO(json_free_ptr) struct json *copy = NULL;
    AUTO(status_release) struct status st = {0};

    if (strcmp(kobj_annotation(obj, USAGE_ATTEMPT), policy) == 0)
        return;
    copy = json_copy(obj);
    kobj_set_annotation(copy, USAGE_ATTEMPT, policy);
    control_update(c, k, CORE_MANAGER, &copy, &st);
}

static bool
guard(void *arg, const struct kind *k, const struct json *obj,
      const struct registry_delete *how, struct status *st)
{
    struct usage_index *x = arg;
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    struct users users;

    if (strcmp(kobj_label(obj, USAGE_IN_USE), "true") != 0)
        return true;
    usage_find(x, k, obj, &users);
    if (!users.n)
        return true;
    say_in_use(&users, &b);
    json_free(users.first);
    if (!how->dry_run)
        record_attempt(x->c, k, obj, usage_policy_name(how->propagation));
    return status_denied(st, 409, WEBHOOK, buf_cstr(&b));
}

/* ---- the index' life ---- */

struct usage_index *
usage_index_new(struct control *c)
{
    struct usage_index *x = mem_zalloc(1, sizeof(*x));

    x->c = c;
    for (size_t i = 0; i < ARRAY_LEN(usage_kinds); i++) {
        const struct usage_kind *row = &usage_kinds[i];
        const struct kind *k = control_kind(c, row->group, row->plural);
        AUTO(status_release) struct status st = {0};
        AUTO(json_free_ptr)
        struct json *all =
            k ? registry_list_json(c->registry, k, NULL, NULL, &st) : NULL;

        for (const struct json *u = json_first(all); u; u = json_next(u))
            note(x, row, u);
    }
    registry_set_guard(c->registry, guard, x);
    return x;
}

void
usage_index_free(struct usage_index *x)
{
    if (!x)
        return;
    registry_set_guard(x->c->registry, NULL, NULL);
    map_release(&x->objects, free_ids);
    map_release(&x->usages, free_keys);
    free(x);
}
