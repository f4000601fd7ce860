#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/utf8.h"

#include "lib/schema/cel_node.h"
#include "lib/schema/node.h"

/*
 * Values, and JSON seen as values: k8s.io/apiserver/pkg/cel/common
 * (UnstructuredToVal). A list or an object of JSON becomes a header that is
 * filled when it is asked for, so that a rule costs what it touches.
 */

enum { MEMORY_MAX = 64 << 20, WORK_MAX = 100 * 1000 * 1000 };

/* ---- making values ---- */

bool
cel_work(struct cel_eval *e, size_t n)
{
    e->work += n;
    if (e->work > WORK_MAX)
        e->run->stopped = true;
    return !e->run->stopped;
}

void *
cel_alloc(struct cel_eval *e, size_t n)
{
    e->bytes += n;
    if (n > MEMORY_MAX || e->bytes > MEMORY_MAX) {
        e->run->stopped = true;
        return NULL;
    }
    return arena_alloc(e->run->arena, n);
}

struct cel_value
cel_error(struct cel_eval *e, const char *fmt, ...)
{
    va_list ap;
    char *text;

    va_start(ap, fmt);
    if (vasprintf(&text, fmt, ap) < 0)
        die("out of memory");
    va_end(ap);
    struct cel_value v = {.kind = CEL_ERROR,
                          .s = arena_str(e->run->arena, str_of(text))};

    free(text);
    return v;
}

struct cel_value
cel_mismatch(void)
{
    return (struct cel_value){.kind = CEL_ERROR, .s = STR("no such overload")};
}

struct cel_value
cel_of_bool(bool b)
{
    return (struct cel_value){.kind = CEL_BOOL, .b = b};
}

struct cel_value
cel_of_int(int64_t i)
{
    return (struct cel_value){.kind = CEL_INT, .i = i};
}

struct cel_value
cel_of_double(double d)
{
    return (struct cel_value){.kind = CEL_DOUBLE, .d = d};
}

struct cel_value
cel_of_bytes(enum cel_kind kind, struct str s)
{
    return (struct cel_value){.kind = kind, .s = s};
}

struct cel_value
cel_of_string(struct str s)
{
    return cel_of_bytes(CEL_STRING, s);
}

struct cel_value
cel_optional(struct arena *a, const struct cel_value *some)
{
    struct cel_value v = {.kind = CEL_OPTIONAL}, *copy;

    if (some) {
        copy = arena_alloc(a, sizeof(*copy));
        *copy = *some;
        v.some = copy;
    }
    return v;
}

struct cel_value
cel_text(struct cel_eval *e, enum cel_kind kind, struct str s)
{
    char *copy = cel_alloc(e, s.n + 1);

    if (!copy)
        return cel_mismatch(); /* the run is stopped: nobody sees it */
    if (s.n)
        memcpy(copy, s.s, s.n);
    return cel_of_bytes(kind, str_n(copy, s.n));
}

struct cel_list *
cel_list_new(struct cel_eval *e, size_t n)
{
    struct cel_list *l = cel_alloc(e, sizeof(*l));

    if (l)
        l->v = cel_alloc(e, (n + !n) * sizeof(*l->v));
    return l && l->v ? l : NULL;
}

struct cel_map *
cel_map_new(struct cel_eval *e, size_t n)
{
    struct cel_map *m = cel_alloc(e, sizeof(*m));

    if (m)
        m->v = cel_alloc(e, (n + !n) * sizeof(*m->v));
    return m && m->v ? m : NULL;
}

struct cel_value
cel_of_list(struct cel_list *l)
{
    return l ? (struct cel_value){.kind = CEL_LIST, .list = l} : cel_mismatch();
}

struct cel_value
cel_of_map(struct cel_map *m)
{
    return m ? (struct cel_value){.kind = CEL_MAP, .map = m} : cel_mismatch();
}

/* ---- schemas ---- */

static const struct schema name_schema = {
    .info = {.type = SCHEMA_STRING, .format = ""}};
static const struct schema meta_schema = {
    .info = {.type = SCHEMA_OBJECT, .format = ""}};

static bool
is_resource(const struct schema *s)
{
    return s->is_root || s->info.embedded_resource;
}

/* Does the schema type its apiVersion, kind and names itself? */
static bool
types_meta(const struct schema *s)
{
    static const char *const strings[] = {"apiVersion", "kind"};
    static const char *const names[] = {"generateName", "name"};
    const struct schema_property *meta = schema_find(s, "metadata");

    for (size_t i = 0; i < ARRAY_LEN(strings); i++) {
        const struct schema_property *p = schema_find(s, strings[i]);
        const struct schema_property *n =
            meta ? schema_find(meta->schema, names[i]) : NULL;

        if (!p || p->schema->info.type != SCHEMA_STRING || !n ||
            n->schema->info.type != SCHEMA_STRING)
            return false;
    }
    return true;
}

const struct schema *
cel_property(const struct schema *s, const char *key)
{
    bool meta = strcmp(key, "metadata") == 0;

    if (s == &meta_schema)
        return strcmp(key, "name") == 0 || strcmp(key, "generateName") == 0
                   ? &name_schema
                   : NULL;
    if (is_resource(s) &&
        (meta || strcmp(key, "apiVersion") == 0 || strcmp(key, "kind") == 0) &&
        !types_meta(s))
        return meta ? &meta_schema : &name_schema;
    const struct schema_property *p = schema_find(s, key);

    return p ? p->schema : NULL;
}

/* Has named properties (as opposed to a map). */
static bool
has_properties(const struct schema *s)
{
    return s->property_count || is_resource(s) || s == &meta_schema;
}

/* ---- JSON as values ---- */

static struct cel_value
bad_data(struct arena *a, const char *what, const char *text)
{
    return (struct cel_value){.kind = CEL_ERROR,
                              .s = str_of(arena_printf(a, "%s%s", what, text))};
}

static struct cel_value
container(struct arena *a, const struct json *j, const struct schema *schema)
{
    struct cel_value v = {.kind = CEL_LIST};

    if (json_is(j, JSON_ARRAY)) {
        v.list = arena_alloc(a, sizeof(*v.list));
        *v.list = (struct cel_list){NULL, json_len(j), j, schema};
    } else {
        v.kind = CEL_MAP;
        v.map = arena_alloc(a, sizeof(*v.map));
        *v.map =
            (struct cel_map){.n = json_len(j), .json = j, .schema = schema};
    }
    return v;
}

static struct cel_value
untyped(struct arena *a, const struct json *j)
{
    struct cel_value v = {.kind = CEL_NULL};

    switch (json_type_of(j)) {
    case JSON_NULL:
        break;
    case JSON_BOOL:
        return cel_of_bool(json_bool(j, false));
    case JSON_STRING:
        return cel_of_string(str_of(json_string(j)));
    case JSON_NUMBER:
        if (json_is_integer(j) && json_int64(j, &v.i)) {
            v.kind = CEL_INT;
        } else {
            v.kind = CEL_DOUBLE;
            json_double(j, &v.d);
        }
        break;
    default:
        return container(a, j, NULL);
    }
    return v;
}

static struct cel_value
typed_text(struct arena *a, struct str s, const char *format)
{
    struct cel_value v = {.kind = CEL_DURATION};

    if (!*format)
        return cel_of_string(s);
    if (strcmp(format, "duration") == 0)
        return cel_parse_any_duration(s, &v.i)
                   ? v
                   : bad_data(a, "Invalid duration ", s.s);
    if (strcmp(format, "date") == 0 || strcmp(format, "date-time") == 0) {
        const char *text =
            strlen(format) == 4 ? arena_printf(a, "%sT00:00:00Z", s.s) : s.s;

        return cel_parse_timestamp(str_of(text), &v)
                   ? v
                   : bad_data(a, "Invalid date-time formatted string ", s.s);
    }
    if (strcmp(format, "byte") == 0)
        return cel_of_base64(a, s);
    return cel_of_string(s);
}

/* What does not fit its schema, in the words of UnstructuredToVal. */
static struct cel_value
bad_type(struct arena *a, enum schema_type want, const struct json *j)
{
    static const char *const wanted[] = {
        [SCHEMA_OBJECT] = "a map for the provided schema with type=object",
        [SCHEMA_ARRAY] = "an array for the provided schema with type=array",
        [SCHEMA_STRING] = "string, got ",
        [SCHEMA_INTEGER] = "int, got ",
        [SCHEMA_NUMBER] = "float, got ",
        [SCHEMA_BOOLEAN] = "bool, got "};
    static const char *const got[] = {
        [JSON_NULL] = "<nil>",
        [JSON_BOOL] = "bool",
        [JSON_NUMBER] = "float64",
        [JSON_STRING] = "string",
        [JSON_ARRAY] = "[]interface {}",
        [JSON_OBJECT] = "map[string]interface {}"};
    const char *type = json_is_integer(j) ? "int64" : got[json_type_of(j)];
    bool whole = want == SCHEMA_OBJECT || want == SCHEMA_ARRAY;

    return bad_data(a, "invalid data, expected ",
                    arena_printf(a, "%s%s", wanted[want], whole ? "" : type));
}

struct cel_value
cel_of_json(struct arena *a, const struct json *j, const struct schema *s)
{
    static const enum json_type wanted[] = {
        [SCHEMA_OBJECT] = JSON_OBJECT, [SCHEMA_ARRAY] = JSON_ARRAY,
        [SCHEMA_STRING] = JSON_STRING, [SCHEMA_INTEGER] = JSON_NUMBER,
        [SCHEMA_NUMBER] = JSON_NUMBER, [SCHEMA_BOOLEAN] = JSON_BOOL,
    };
    struct cel_value v = {.kind = CEL_NULL};

    if (!s)
        return untyped(a, j);
    if (json_is(j, JSON_NULL) || !j)
        return s->info.nullable
                   ? v
                   : bad_data(a, "",
                              "invalid data, got null for schema with "
                              "nullable=false");
    if (s->info.int_or_string)
        return json_is(j, JSON_STRING) || json_is_integer(j)
                   ? untyped(a, j)
                   : bad_data(a, "",
                              "invalid data, expected XIntOrString value to be "
                              "either a string or integer");
    if (s->info.type == SCHEMA_ANY)
        return (struct cel_value){.kind = CEL_UNKNOWN, .json = j};
    if (json_type_of(j) != wanted[s->info.type])
        return bad_type(a, s->info.type, j);
    switch (s->info.type) {
    case SCHEMA_OBJECT:
    case SCHEMA_ARRAY:
        return container(a, j, s);
    case SCHEMA_STRING:
        return typed_text(a, str_of(json_string(j)), s->info.format);
    case SCHEMA_NUMBER:
        v.kind = CEL_DOUBLE;
        json_double(j, &v.d);
        return v;
    case SCHEMA_INTEGER:
        v = untyped(a, j);
        return v.kind == CEL_INT ? v
                                 : bad_data(a, "",
                                            "invalid data, expected int, got "
                                            "float64");
    default:
        return untyped(a, j);
    }
}

const struct cel_value *
cel_list_items(struct cel_eval *e, const struct cel_list *l)
{
    struct cel_list *fill = (struct cel_list *)l;
    size_t i = 0;

    if (l->v)
        return l->v;
    struct cel_value *v = cel_alloc(e, (l->n + !l->n) * sizeof(*v));

    for (struct json *c = json_first(l->json); v && c; c = json_next(c))
        v[i++] =
            cel_of_json(e->run->arena, c, l->schema ? l->schema->items : NULL);
    if (v)
        fill->v = v;
    else
        fill->n = 0;
    return v;
}

const struct schema *
cel_map_member(const struct cel_map *m, const char *key, bool *known)
{
    const struct schema *s = m->schema;

    *known = true;
    if (!s)
        return NULL;
    const struct schema *p =
        has_properties(s) ? cel_property(s, key) : s->values;

    *known = p != NULL;
    return p;
}

static bool
find_in_json(struct cel_eval *e, const struct cel_map *m, struct str key,
             struct cel_value *out)
{
    AUTO(buf_release) struct buf plain = BUF_INIT(4096);
    bool object = m->schema && has_properties(m->schema), known;

    if (object && str_contains(key, STR("__"))) {
        if (!cel_unescape(key, &plain))
            return false;
        key = buf_view(&plain);
    }
    const struct json *j = json_get_str(m->json, key);

    /* In an object null is as good as absent. */
    if (!j || (object && json_is(j, JSON_NULL)))
        return false;
    const struct schema *s = cel_map_member(m, json_key(j), &known);

    if (known)
        *out = cel_of_json(e->run->arena, j, s);
    return known;
}

/* Field i of a lazy map was asked for when its key is no longer null. */
static bool
find_lazy(const struct cel_map *m, const struct cel_value *key,
          struct cel_value *out)
{
    for (size_t i = 0; key->kind == CEL_STRING && i < m->n; i++) {
        struct cel_entry *entry = &m->v[i];

        if (!str_eqz(key->s, m->lazy->fields->v[i].name))
            continue;
        if (entry->key.kind == CEL_NULL) {
            entry->key = *key;
            entry->value = m->lazy->get(m->lazy->arg, i);
        }
        *out = entry->value;
        return true;
    }
    return false;
}

bool
cel_map_find(struct cel_eval *e, const struct cel_map *m,
             const struct cel_value *key, struct cel_value *out)
{
    if (m->json) {
        if (key->kind == CEL_STRING)
            return find_in_json(e, m, key->s, out);
        if (m->schema)
            *out = cel_mismatch();
        return m->schema != NULL;
    }
    if (m->lazy)
        return find_lazy(m, key, out);
    if (!cel_work(e, m->n))
        return false;
    for (size_t i = 0; i < m->n; i++) {
        if (cel_is_equal(e, &m->v[i].key, key)) {
            *out = m->v[i].value;
            return true;
        }
    }
    return false;
}

struct cel_list *
cel_map_keys(struct cel_eval *e, const struct cel_map *m)
{
    struct cel_list *l = cel_list_new(e, m->n);
    bool object = m->schema && has_properties(m->schema), known;

    for (size_t i = 0; l && !m->json && i < m->n; i++)
        l->v[l->n++] = m->lazy
                           ? cel_of_string(str_of(m->lazy->fields->v[i].name))
                           : m->v[i].key;
    for (struct json *c = json_first(m->json); l && c; c = json_next(c)) {
        AUTO(buf_release) struct buf name = BUF_INIT(4096);
        struct str key = str_of(json_key(c));

        cel_map_member(m, json_key(c), &known);
        if (!known)
            continue;
        l->v[l->n++] = object && cel_escape(key, &name)
                           ? cel_text(e, CEL_STRING, buf_view(&name))
                           : cel_of_string(key);
    }
    return l;
}

/* ---- words ---- */

const char *
cel_type_of(const struct cel_value *v)
{
    static const char *const names[] = {
        [CEL_NULL] = "null_type",
        [CEL_BOOL] = "bool",
        [CEL_INT] = "int",
        [CEL_UINT] = "uint",
        [CEL_DOUBLE] = "double",
        [CEL_STRING] = "string",
        [CEL_BYTES] = "bytes",
        [CEL_LIST] = "list",
        [CEL_MAP] = "map",
        [CEL_TIMESTAMP] = "google.protobuf.Timestamp",
        [CEL_DURATION] = "google.protobuf.Duration",
        [CEL_TYPE] = "type",
        [CEL_OPTIONAL] = "optional_type",
        [CEL_QUANTITY] = "kubernetes.Quantity",
        [CEL_URL] = "kubernetes.URL",
        [CEL_IP] = "net.IP",
        [CEL_CIDR] = "net.CIDR",
        [CEL_SEMVER] = "kubernetes.Semver",
        [CEL_FORMAT] = "kubernetes.NamedFormat",
        [CEL_AUTHORIZER] = "kubernetes.authorization.Authorizer",
        [CEL_PATH_CHECK] = "kubernetes.authorization.PathCheck",
        [CEL_GROUP_CHECK] = "kubernetes.authorization.GroupCheck",
        [CEL_RESOURCE_CHECK] = "kubernetes.authorization.ResourceCheck",
        [CEL_DECISION] = "kubernetes.authorization.Decision",
        [CEL_UNKNOWN] = "unknown",
        [CEL_ERROR] = "error",
    };

    return names[v->kind];
}

void
cel_print(const struct cel_value *v, struct buf *out)
{
    switch (v->kind) {
    case CEL_NULL:
        buf_puts(out, "null");
        break;
    case CEL_BOOL:
        buf_puts(out, v->b ? "true" : "false");
        break;
    case CEL_INT:
        buf_printf(out, "%lld", (long long)v->i);
        break;
    case CEL_UINT:
        buf_printf(out, "%llu", (unsigned long long)v->u);
        break;
    case CEL_DOUBLE:
        if (isfinite(v->d))
            json_print_float(v->d, false, out);
        else
            buf_puts(out, isnan(v->d) ? "NaN" : v->d > 0 ? "+Inf" : "-Inf");
        break;
    case CEL_STRING:
    case CEL_BYTES:
    case CEL_TYPE:
        buf_str(out, v->s);
        break;
    case CEL_DURATION:
        cel_print_duration(v->i, out);
        break;
    case CEL_TIMESTAMP:
        cel_print_timestamp(v, out);
        break;
    default:
        buf_puts(out, cel_type_of(v));
    }
}

uint64_t
cel_size(const struct cel_value *v)
{
    switch (v->kind) {
    case CEL_STRING:
        return utf8_count(v->s);
    case CEL_BYTES:
        return v->s.n;
    case CEL_LIST:
        return v->list->n;
    case CEL_MAP:
        return v->map->n;
    case CEL_IP:
    case CEL_CIDR:
        return (uint64_t)v->object->bits / 8;
    case CEL_OPTIONAL:
        return v->some ? cel_size(v->some) : 1;
    default:
        return 1;
    }
}
