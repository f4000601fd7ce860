/* What an object becomes by server-side apply. */
#include "lib/base/mem.h"

#include "lib/mesh/planner_work.h"

#define MANAGERS_MAX 64

/* ---- what is left out ---- */

/* Who owns what, at one place of the object: fieldsV1 trees; NULL entries own
 * nothing here. */
struct owners {
    const struct json *mine;
    const struct json *others[MANAGERS_MAX];
    const char *names[MANAGERS_MAX]; /* of the others */
    size_t n;
};

static struct owners
below(const struct owners *o, const char *key)
{
    struct owners b = {.mine = json_get(o->mine, key), .n = o->n};

    for (size_t i = 0; i < o->n; i++)
        b.others[i] = json_get(o->others[i], key);
    memcpy(b.names, o->names, o->n * sizeof(*o->names));
    return b;
}

static bool
others_own(const struct owners *o)
{
    for (size_t i = 0; i < o->n; i++) {
        if (o->others[i])
            return true;
    }
    return false;
}

static bool
has_keys(const struct json *element, const struct json *keys)
{
    for (struct json *k = json_first(keys); k; k = json_next(k)) {
        if (!json_equal(json_get(element, json_key(k)), k))
            return false;
    }
    return json_is(element, JSON_OBJECT);
}

/* The element that a path "k:{...}" or "v:..." means, or NULL. */
static struct json *
element_of(const struct json *list, const char *path)
{
    AUTO(json_free_ptr)
    struct json *want = json_parse(str_of(path + 2), NULL, NULL);

    for (struct json *e = json_first(list); want && e; e = json_next(e)) {
        if (*path == 'k' ? has_keys(e, want) : json_equal(e, want))
            return e;
    }
    return NULL;
}

static struct json *
member_of(const struct json *j, const char *path)
{
    switch (*path) {
    case 'f':
        return json_get(j, path + 2);
    case 'k':
    case 'v':
        return json_is(j, JSON_ARRAY) ? element_of(j, path) : NULL;
    default:
        return NULL;
    }
}

static void
drop_left_out(struct json *base, const struct json *applied,
              const struct owners *o)
{
    for (struct json *f = json_first(o->mine); f; f = json_next(f)) {
        struct json *there = member_of(base, json_key(f));
        const struct json *wanted = member_of(applied, json_key(f));
        struct owners b = below(o, json_key(f));
        bool leaf = json_len(f) == 0;

        if (!there)
            continue;
        if (!leaf)
            drop_left_out(there, wanted, &b);
        if (!wanted && !others_own(&b) &&
            (leaf || json_len(there) == 0 || *json_key(f) == 'k'))
            json_free(json_detach(base, there));
    }
}

static void
read_owners(const struct json *before, const char *manager, struct owners *o)
{
    const struct json *all = json_at(before, "metadata", "managedFields", NULL);

    *o = (struct owners){0};
    for (struct json *m = json_first(all); m; m = json_next(m)) {
        bool apply = strcmp(json_get_text(m, "operation"), "Apply") == 0;

        if (apply && !o->mine &&
            strcmp(json_get_text(m, "manager"), manager) == 0)
            o->mine = json_get(m, "fieldsV1");
        else if (o->n < MANAGERS_MAX) {
            o->names[o->n] = json_get_text(m, "manager");
            o->others[o->n++] = json_get(m, "fieldsV1");
        }
    }
    /* Who cannot be told apart may own anything. */
    if (json_len(all) > MANAGERS_MAX)
        o->mine = NULL;
}

/* ---- what is put over it ---- */

static void overlay(struct json *base, const struct json *over,
                    const struct schema *schema);

static bool
same_keys(const struct json *a, const struct json *b,
          const struct strlist *keys)
{
    for (size_t i = 0; i < keys->n; i++) {
        if (!json_equal(json_get(a, keys->v[i]), json_get(b, keys->v[i])))
            return false;
    }
    return json_is(a, JSON_OBJECT);
}

static struct json *
partner(const struct json *list, const struct json *e,
        const struct schema_info *how)
{
    for (struct json *b = json_first(list); b; b = json_next(b)) {
        if (how->list == SCHEMA_LIST_MAP ? same_keys(b, e, how->list_keys)
                                         : json_equal(b, e))
            return b;
    }
    return NULL;
}

static void
merge_list(struct json *base, const struct json *over,
           const struct schema *schema)
{
    const struct schema_info *how = schema_info(schema);

    for (struct json *e = json_first(over); e; e = json_next(e)) {
        struct json *there = partner(base, e, how);

        if (!there)
            json_append(base, json_copy(e));
        else if (how->list == SCHEMA_LIST_MAP)
            overlay(there, e, schema_items(schema));
    }
}

/* Those of others stay (metadata has no schema of its own). */
static void
merge_owner_references(struct json *base, const struct json *over)
{
    for (struct json *e = json_first(over); e; e = json_next(e)) {
        struct json *there = json_first(base);

        while (there && strcmp(json_get_text(there, "uid"),
                               json_get_text(e, "uid")) != 0)
            there = json_next(there);
        if (there)
            overlay(there, e, NULL);
        else
            json_append(base, json_copy(e));
    }
}

static void
overlay_member(struct json *base, const struct json *m,
               const struct schema *schema)
{
    struct json *old = json_get(base, json_key(m));
    bool lists = json_is(m, JSON_ARRAY) && json_is(old, JSON_ARRAY);

    if (json_is(m, JSON_OBJECT) && json_is(old, JSON_OBJECT) &&
        !(schema && schema_info(schema)->map_atomic))
        overlay(old, m, schema);
    else if (lists && schema && schema_info(schema)->list != SCHEMA_LIST_ATOMIC)
        merge_list(old, m, schema);
    else if (lists && strcmp(json_key(m), "ownerReferences") == 0)
        merge_owner_references(old, m);
    else
        json_set(base, json_key(m), json_copy(m));
}

static void
overlay(struct json *base, const struct json *over, const struct schema *schema)
{
    for (struct json *m = json_first(over); m; m = json_next(m))
        overlay_member(base, m, schema_member(schema, json_key(m)));
}

struct json *
planner_merge(const struct json *before, const struct json *applied,
              const struct schema *schema, const char *manager)
{
    struct json *merged = json_copy(before ? before : applied);
    struct owners o;

    if (!before)
        return merged;
    /* Caches drop who owns what: then a list is taken for the manager's. */
    bool told = json_at(before, "metadata", "managedFields", NULL);

    read_owners(before, manager, &o);
    drop_left_out(merged, applied, &o);
    overlay(merged, applied, told ? schema : NULL);
    return merged;
}

/* ---- whose fields are changed ---- */

static void
find_conflicts(const struct json *before, const struct json *applied,
               const struct owners *o, const char *path, struct strlist *out)
{
    for (struct json *m = json_first(applied); m; m = json_next(m)) {
        const struct json *was = json_get(before, json_key(m));
        AUTO(mem_free_ptr) char *field = mem_printf("f:%s", json_key(m));
        AUTO(mem_free_ptr) char *at = mem_printf("%s.%s", path, json_key(m));
        struct owners b = below(o, field);

        if (!was || json_equal(was, m))
            continue;
        if (json_is(m, JSON_OBJECT) && json_is(was, JSON_OBJECT)) {
            find_conflicts(was, m, &b, at, out);
            continue;
        }
        /* Lists that merge have owners element by element: not looked at. */
        for (size_t i = 0; i < b.n; i++) {
            if (b.others[i] && !json_len(b.others[i]))
                strlist_addf(out, "%s: %s", b.names[i], at);
        }
    }
}

void
planner_conflicts(const struct json *before, const struct json *applied,
                  const char *manager, struct strlist *out)
{
    struct owners o;

    read_owners(before, manager, &o);
    find_conflicts(before, applied, &o, "", out);
}
