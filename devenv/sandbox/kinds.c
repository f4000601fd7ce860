#include "devenv/sandbox/kinds.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/types_schema.h"

/* ---- the order of versions (apimachinery version/helpers.go) ---- */

struct parsed {
    int64_t major, rank, minor; /* rank: 2 GA, 1 beta, 0 alpha */
    bool good;
};

static struct parsed
parse_version(const char *v)
{
    struct parsed p = {.rank = 2};
    struct str rest = str_from(str_of(v), 1);
    size_t digits = strspn(rest.s, "0123456789");
    static const struct {
        const char *word;
        int64_t rank;
    } words[] = {{"beta", 1}, {"alpha", 0}};

    if (*v != 'v' || !str_to_i64(str_sub(rest, 0, digits), &p.major))
        return p;
    rest = str_from(rest, digits);
    p.good = !rest.n;
    for (size_t i = 0; rest.n && i < ARRAY_LEN(words); i++) {
        struct str word = str_of(words[i].word);

        if (str_starts(rest, word) &&
            str_to_i64(str_from(rest, word.n), &p.minor)) {
            p.rank = words[i].rank;
            p.good = true;
        }
    }
    return p;
}

int
kinds_version_order(const char *a, const char *b)
{
    struct parsed x = parse_version(a), y = parse_version(b);

    if (x.good != y.good)
        return x.good ? -1 : 1;
    if (!x.good)
        return strcmp(a, b);
    if (x.rank != y.rank)
        return x.rank > y.rank ? -1 : 1;
    if (x.major != y.major)
        return x.major > y.major ? -1 : 1;
    return (x.minor < y.minor) - (x.minor > y.minor);
}

/* ---- one version ---- */

struct kind_info *
kind_keep(struct kind_info *k)
{
    k->users++;
    return k;
}

void
kind_drop(struct kind_info *k)
{
    if (!k || --k->users)
        return;
    for (size_t i = 0; i < k->columns_n; i++)
        jsonpath_free(k->columns[i].path);
    for (size_t i = 0; i < k->selectable_n; i++)
        jsonpath_free(k->selectable[i].path);
    jsonpath_free(k->scale_spec);
    jsonpath_free(k->scale_status);
    jsonpath_free(k->scale_selector);
    schema_free(k->schema);
    json_free(k->crd);
    arena_free(k->arena);
    free(k);
}

static const char *
copy_text(struct arena *a, const struct json *j, const char *fallback)
{
    return arena_strdup(a, json_string_or(j, fallback));
}

static char **
copy_texts(struct arena *a, const struct json *list)
{
    char **v = arena_array(a, json_len(list) + 1, sizeof(*v));
    size_t n = 0;

    for (const struct json *c = json_first(list); c; c = json_next(c))
        v[n++] = arena_strdup(a, json_string_or(c, ""));
    return v;
}

static struct jsonpath *
path_of(const struct json *text)
{
    return json_string(text) ? jsonpath_compile(str_of(json_string(text)), NULL)
                             : NULL;
}

static void
add_columns(struct kind_info *k, const struct json *list)
{
    AUTO(json_free_ptr) struct json *age = NULL;

    if (!json_first(list)) {
        age =
            json_parse(STR("[{\"name\":\"Age\",\"type\":\"date\",\"jsonPath\":"
                           "\".metadata.creationTimestamp\"}]"),
                       NULL, NULL);
        list = age;
    }
    k->columns = arena_array(k->arena, json_len(list), sizeof(*k->columns));
    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        struct kind_column *col = &k->columns[k->columns_n];
        const char *path = json_string_or(json_get(c, "jsonPath"), "");

        col->path = path_of(json_get(c, "jsonPath"));
        if (!col->path)
            continue;
        col->name = copy_text(k->arena, json_get(c, "name"), "");
        col->type = copy_text(k->arena, json_get(c, "type"), "string");
        col->format = copy_text(k->arena, json_get(c, "format"), "");
        col->priority = json_int64_or(json_get(c, "priority"), 0);
        col->description = copy_text(k->arena, json_get(c, "description"), "");
        if (!*col->description)
            col->description = arena_printf(
                k->arena,
                "Custom resource definition column (in JSONPath format): %s",
                path);
        k->columns_n++;
    }
}

static void
add_selectable(struct kind_info *k, const struct json *list)
{
    k->selectable =
        arena_array(k->arena, json_len(list) + 1, sizeof(*k->selectable));
    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        const char *path = json_string_or(json_get(c, "jsonPath"), "");
        struct kind_selectable *s = &k->selectable[k->selectable_n];

        s->path = path_of(json_get(c, "jsonPath"));
        if (!s->path)
            continue;
        s->label = arena_strdup(k->arena, path + 1);
        k->selectable_n++;
    }
}

const struct types_struct *
kind_type(const struct kind_info *k)
{
    return k->pub.builtin ? types_kind(k->all, k->pub.api_version, k->pub.kind)
                          : NULL;
}

/* Compiled when first asked for: most kinds of a cluster have no object. */
const struct fields_types *
kind_types(struct kind_info *k)
{
    AUTO(schema_findings_release) struct schema_findings bad = {0};
    AUTO(json_free_ptr) struct json *made = NULL;
    const struct json *openapi = k->openapi;

    if (k->compiled)
        return &k->types;
    if (k->pub.builtin)
        openapi = made = types_schema(k->all, kind_type(k));
    if (openapi)
        k->types.root = k->schema = schema_compile(openapi, "", &bad, NULL);
    k->types.meta = types_schema_of_meta(k->all);
    k->compiled = true;
    return &k->types;
}

static void
add_names(struct kind_info *k, const struct json *spec, const char *version)
{
    const struct json *names = json_get(spec, "names");
    struct arena *a = k->arena;
    struct kind *p = &k->pub;

    p->group = copy_text(a, json_get(spec, "group"), "");
    p->version = arena_strdup(a, version);
    p->api_version =
        *p->group ? arena_printf(a, "%s/%s", p->group, version) : p->version;
    p->kind = copy_text(a, json_get(names, "kind"), "");
    p->list_kind = json_get(names, "listKind")
                       ? copy_text(a, json_get(names, "listKind"), "")
                       : arena_printf(a, "%sList", p->kind);
    p->plural = copy_text(a, json_get(names, "plural"), "");
    p->singular = copy_text(a, json_get(names, "singular"), "");
    p->namespaced =
        !strcmp(json_string_or(json_get(spec, "scope"), ""), "Namespaced");
    k->store_kind = arena_printf(a, "%s/%s", p->group, p->plural);
    k->view = arena_printf(a, "%s/%s/%s", p->group, version, p->plural);
    k->short_names = copy_texts(a, json_get(names, "shortNames"));
    k->categories = copy_texts(a, json_get(names, "categories"));
}

static void
add_deprecation(struct kind_info *k, const struct json *spec,
                const struct json *version)
{
    const char *text = json_get_string(version, "deprecationWarning");
    const char *better = NULL;

    if (!json_bool(json_get(version, "deprecated"), false))
        return;
    for (const struct json *v = json_first(json_get(spec, "versions")); v;
         v = json_next(v)) {
        const char *name = json_string_or(json_get(v, "name"), "");

        if (json_bool(json_get(v, "served"), false) &&
            !json_bool(json_get(v, "deprecated"), false) &&
            (!better || kinds_version_order(name, better) < 0))
            better = name;
    }
    if (text)
        k->deprecation = arena_strdup(k->arena, text);
    else if (better && kinds_version_order(better, k->pub.version) < 0)
        k->deprecation = arena_printf(
            k->arena, "%s %s is deprecated; use %s/%s %s", k->pub.api_version,
            k->pub.kind, k->pub.group, better, k->pub.kind);
    else
        k->deprecation = arena_printf(k->arena, "%s %s is deprecated",
                                      k->pub.api_version, k->pub.kind);
}

static struct kind_info *
new_kind(const struct json *crd, size_t i, const char *storage,
         struct types *all)
{
    struct kind_info *k = mem_zalloc(1, sizeof(*k));
    const struct json *spec, *version, *sub;

    k->users = 1;
    k->arena = arena_new();
    k->crd = json_copy(crd);
    spec = json_get(k->crd, "spec");
    version = json_item(json_get(spec, "versions"), i);
    add_names(k, spec, json_string_or(json_get(version, "name"), ""));
    k->storage_api_version =
        *k->pub.group ? arena_printf(k->arena, "%s/%s", k->pub.group, storage)
                      : arena_strdup(k->arena, storage);
    k->pub.storage = !strcmp(k->pub.version, storage);
    sub = json_get(version, "subresources");
    k->pub.has_status = json_get(sub, "status") != NULL;
    sub = json_get(sub, "scale");
    k->scale_spec = path_of(json_get(sub, "specReplicasPath"));
    k->scale_status = path_of(json_get(sub, "statusReplicasPath"));
    k->scale_selector = path_of(json_get(sub, "labelSelectorPath"));
    add_columns(k, json_get(version, "additionalPrinterColumns"));
    add_selectable(k, json_get(version, "selectableFields"));
    k->openapi = json_at(version, "schema", "openAPIV3Schema", NULL);
    k->all = all;
    k->fit_read =
        !k->pub.storage ||
        json_int64_or(json_at(crd, "metadata", "generation", NULL), 1) > 1;
    add_deprecation(k, spec, version);
    return k;
}

/* ---- the table ---- */

static struct str
key_text(struct buf *b, const char *fmt, const char *x, const char *y,
         const char *z)
{
    buf_reset(b);
    for (const char *p = fmt; *p; p++) {
        if (*p == '1')
            buf_puts(b, x);
        else if (*p == '2')
            buf_puts(b, y);
        else if (*p == '3')
            buf_puts(b, z);
        else
            buf_putc(b, *p);
    }
    return buf_view(b);
}

static void
forget(struct map *m, struct str key, const struct kind_info *k)
{
    if (map_get(m, key) == k)
        map_del(m, key);
}

static void
resource_free(struct kinds *t, struct resource *r)
{
    struct buf b = BUF_INIT(4096);

    for (size_t i = 0; i < r->n; i++) {
        const struct kind *p = &r->v[i]->pub;

        forget(&t->by_kind, key_text(&b, "1 2", p->api_version, p->kind, ""),
               r->v[i]);
        forget(&t->by_resource,
               key_text(&b, "1/2/3", p->group, p->version, p->plural), r->v[i]);
        kind_drop(r->v[i]);
    }
    free(r->v);
    free(r);
    buf_release(&b);
}

void
kinds_remove(struct kinds *t, const char *group, const char *plural)
{
    struct buf b = BUF_INIT(4096);
    struct resource *r =
        map_del(&t->resources, key_text(&b, "1/2", group, plural, ""));

    if (r)
        resource_free(t, r);
    t->version++;
    buf_release(&b);
}

static void
document_free(void *arg)
{
    struct kinds_document *d = arg;

    buf_release(&d->text);
    free(d);
}

void
kinds_release(struct kinds *t)
{
    for (struct map_entry *e = map_first(&t->resources); e;
         e = map_next(&t->resources, e))
        resource_free(t, e->value);
    map_release(&t->resources, NULL);
    map_release(&t->by_kind, NULL);
    map_release(&t->by_resource, NULL);
    types_free(t->types);
    map_release(&t->documents, document_free);
    *t = (struct kinds){0};
}

static int
by_preference(const void *a, const void *b)
{
    const struct kind_info *const *x = a, *const *y = b;

    return kinds_version_order((*x)->pub.version, (*y)->pub.version);
}

static const char *
storage_version(const struct json *versions)
{
    for (const struct json *v = json_first(versions); v; v = json_next(v)) {
        if (json_bool(json_get(v, "storage"), false))
            return json_string_or(json_get(v, "name"), "");
    }
    return "";
}

void
kinds_fit_storage(struct kinds *t, const struct kind *k, struct json *obj)
{
    struct kind_info *stored;
    const struct schema *s;

    if (k->builtin || k->storage)
        return;
    stored = kinds_kind(t, kind_info(k)->storage_api_version, k->kind);
    s = stored ? kind_types(stored)->root : NULL;
    if (!s)
        return;
    schema_prune(s, obj, false, NULL);
}

void
kind_fit_read(struct kind_info *k, struct json *obj)
{
    const struct schema *s = kind_types(k)->root;

    if (!s)
        return;
    if (k->pub.storage)
        schema_default(s, obj);
    schema_prune(s, obj, false, NULL);
}

void
kinds_serve(struct kinds *t, struct resource *r)
{
    struct buf b = BUF_INIT(4096);

    qsort(r->v, r->n, sizeof(struct kind_info *), by_preference);
    for (size_t i = 0; i < r->n; i++) {
        struct kind *p = &r->v[i]->pub;

        map_put(&t->by_kind, key_text(&b, "1 2", p->api_version, p->kind, ""),
                r->v[i]);
        map_put(&t->by_resource,
                key_text(&b, "1/2/3", p->group, p->version, p->plural),
                r->v[i]);
    }
    if (r->n)
        map_put(
            &t->resources,
            key_text(&b, "1/2", r->v[0]->pub.group, r->v[0]->pub.plural, ""),
            r);
    buf_release(&b);
}

void
kinds_add(struct kinds *t, const struct json *crd)
{
    const struct json *spec = json_get(crd, "spec");
    const struct json *versions = json_get(spec, "versions");
    struct resource *r = mem_zalloc(1, sizeof(*r));
    struct buf b = BUF_INIT(4096);
    const char *group = json_string_or(json_get(spec, "group"), "");
    const char *plural =
        json_string_or(json_at(spec, "names", "plural", NULL), "");
    size_t i = 0;

    kinds_remove(t, group, plural);
    r->v = mem_zalloc(json_len(versions) + 1, sizeof(struct kind_info *));
    for (const struct json *v = json_first(versions); v;
         v = json_next(v), i++) {
        if (json_bool(json_get(v, "served"), false))
            r->v[r->n++] =
                new_kind(crd, i, storage_version(versions), t->types);
    }
    kinds_serve(t, r);
    /* A definition that serves nothing still has its place. */
    map_put(&t->resources, key_text(&b, "1/2", group, plural, ""), r);
    buf_release(&b);
}

struct resource *
kinds_resource(const struct kinds *t, const char *group, const char *plural)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);

    return map_get(&t->resources, key_text(&b, "1/2", group, plural, ""));
}

struct kind_info *
kinds_kind(const struct kinds *t, const char *api_version, const char *kind)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);

    return map_get(&t->by_kind, key_text(&b, "1 2", api_version, kind, ""));
}

struct kind_info *
kinds_find(const struct kinds *t, const char *group, const char *version,
           const char *plural)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);
    struct resource *r;

    if (version)
        return map_get(&t->by_resource,
                       key_text(&b, "1/2/3", group, version, plural));
    r = kinds_resource(t, group, plural);
    return r && r->n ? r->v[0] : NULL;
}
