/* Values as yaml.v3 reads them. Source: its resolve.go and decode.go. */
#include <stdlib.h>

#include "lib/base/digest.h"
#include "lib/base/map.h"
#include "lib/base/yaml_node.h"
#include "lib/base/yaml_scalar.h"

#include "lib/compose/format.h"
#include "lib/compose/template_number.h"
#include "lib/compose/value.h"

#define MAX_NODES ((size_t)1000000)
#define MAX_BYTES ((size_t)64 << 20) /* of aliases as well */
#define TAG       "tag:yaml.org,2002:"

struct reader {
    struct arena *a;
    size_t nodes, bytes;
    struct buf *equal_keys; /* what is wrong though it can be read */
    struct error *err;
};

static bool read_node(struct reader *r, const struct yaml_node *n,
                      struct value *out);

/* ---- scalars ---- */

/* What the text of a plain scalar is. */
static struct value
resolve_plain(struct str s)
{
    static const char *const layouts[] = {
        "2006-1-2T15:4:5.999999999Z07:00", "2006-1-2t15:4:5.999999999Z07:00",
        "2006-1-2 15:4:5.999999999", "2006-1-2"};
    struct yaml_scalar v = {0};
    struct gotime t;
    int64_t i;

    yaml_resolve(s, &v);
    switch (v.kind) {
    case YAML_NULL:
        return value_nil();
    case YAML_BOOL: /* yes, no, on, off are texts by now */
        if (s.n == strlen(v.truth ? "true" : "false") && s.n > 3)
            return value_bool(v.truth);
        return value_str(s);
    case YAML_INT:
        if (template_parse_int(str_of(v.text), 10, &i))
            return value_int(i);
        return value_float((double)strtoull(v.text, NULL, 10));
    case YAML_FLOAT:
        return value_float(v.number);
    default:
        break;
    }
    for (size_t k = 0; s.n > 5 && s.s[4] == '-' && k < ARRAY_LEN(layouts);
         k++) {
        if (gotime_parse(str_of(layouts[k]), s, &t, NULL))
            return value_time(t);
    }
    return value_str(s);
}

static const char *
tag_of(struct value v)
{
    switch (v.type) {
    case VALUE_NIL:
        return "null";
    case VALUE_BOOL:
        return "bool";
    case VALUE_INT:
        return "int";
    case VALUE_FLOAT:
        return "float";
    case VALUE_TIME:
        return "timestamp";
    default:
        return "str";
    }
}

/* A known tag has to agree with the text; any other one makes it a string. */
static bool
read_scalar(struct reader *r, const struct yaml_node *n, struct value *out)
{
    AUTO(buf_release) struct buf bytes = BUF_INIT(MAX_BYTES);
    const char *tag = n->tag;

    *out = value_str(n->text);
    if (!tag && n->plain)
        *out = resolve_plain(n->text);
    if (!tag || strncmp(tag, TAG, strlen(TAG)) != 0)
        return true;
    tag += strlen(TAG);
    if (strcmp(tag, "binary") == 0) {
        if (!digest_unbase64(n->text, false, &bytes))
            return error_set(r->err, ERR_PARSE,
                             "!!binary value contains invalid base64 data");
        *out = value_str(arena_str(r->a, buf_view(&bytes)));
        return true;
    }
    if (!strstr(" bool int float null timestamp ", tag) || !*tag)
        return true;
    *out = resolve_plain(n->text);
    if (strcmp(tag, "float") == 0 && out->type == VALUE_INT)
        *out = value_float((double)out->i);
    return strcmp(tag, tag_of(*out)) == 0 ||
           error_set(r->err, ERR_PARSE, "cannot decode !!%s `%.*s` as a !!%s",
                     tag_of(*out), (int)MIN(n->text.n, (size_t)200), n->text.s,
                     tag);
}

/* ---- collections ---- */

static bool
is_merge(const struct yaml_node *key)
{
    if (key->kind != YAML_NODE_SCALAR || !str_eqz(key->text, "<<"))
        return false;
    return key->tag ? strcmp(key->tag, TAG "merge") == 0 : key->plain;
}

static bool
merge(struct reader *r, const struct yaml_node *from, struct value map)
{
    struct value v;
    size_t n;

    if (from->kind == YAML_NODE_LIST) {
        /* The first one wins. */
        for (size_t i = from->n; i-- > 0;) {
            if (from->kids[i]->kind != YAML_NODE_MAP)
                goto wrong;
            if (!merge(r, from->kids[i], map))
                return false;
        }
        return true;
    }
    if (from->kind != YAML_NODE_MAP)
        goto wrong;
    if (!read_node(r, from, &v))
        return false;
    const struct value_entry *e = value_entries(r->a, v, &n);

    for (size_t i = 0; i < n; i++)
        value_set(r->a, map, e[i].key, e[i].value);
    return true;
wrong:
    return error_set(r->err, ERR_PARSE,
                     "map merge requires map or sequence of maps as the value");
}

static bool
key_text(struct reader *r, const struct yaml_node *key, struct str *out,
         bool *text)
{
    AUTO(buf_release) struct buf shown = BUF_INIT(MAX_BYTES);
    struct value v;

    if (!read_node(r, key, &v))
        return false;
    *text = v.type == VALUE_STRING && (!key->tag || key->tag[0] != '!');
    if (v.type == VALUE_STRING) {
        *out = v.s;
        return true;
    }
    if (v.type == VALUE_MAP || v.type == VALUE_LIST) {
        struct value arg[] = {v};

        format_printf(r->a, STR("%#v"), arg, 1, &shown);
        return error_set(r->err, ERR_PARSE, "invalid map key: %.800s",
                         buf_cstr(&shown));
    }
    format_value(r->a, v, &shown);
    *out = arena_str(r->a, buf_view(&shown));
    return true;
}

/* Scalars with the same text are the same key to yaml.v3. */
static void
note_equal_keys(struct reader *r, const struct yaml_node *n)
{
    struct map seen = {0};

    for (size_t i = 0; i + 1 < n->n; i += 2) {
        const struct yaml_node *key = n->kids[i], *before;

        if (key->kind != YAML_NODE_SCALAR)
            continue;
        before = map_put(&seen, key->text, (void *)key);
        if (!before)
            continue;
        map_put(&seen, key->text, (void *)before);
        buf_printf(r->equal_keys, "\n  line %u: mapping key ", key->line);
        format_quote(key->text, false, r->equal_keys);
        buf_printf(r->equal_keys, " already defined at line %u", before->line);
    }
    map_release(&seen, NULL);
}

static bool
read_map(struct reader *r, const struct yaml_node *n, struct value *out)
{
    bool general = false, text = true;

    note_equal_keys(r, n);
    *out = value_map(r->a, ELEM_ANY);
    for (size_t i = 0; i + 1 < n->n; i += 2) {
        if (is_merge(n->kids[i]) && !merge(r, n->kids[i + 1], *out))
            return false;
    }
    for (size_t i = 0; i + 1 < n->n; i += 2) {
        struct str key;
        struct value v;

        if (is_merge(n->kids[i]))
            continue;
        if (!key_text(r, n->kids[i], &key, &text) ||
            !read_node(r, n->kids[i + 1], &v))
            return false;
        general |= !text;
        value_set(r->a, *out, key, v);
    }
    if (general)
        out->map->elem = ELEM_GENERAL;
    return true;
}

static bool
read_list(struct reader *r, const struct yaml_node *n, struct value *out)
{
    *out = value_list(r->a, n->n, ELEM_ANY);
    for (size_t i = 0; i < n->n; i++) {
        if (!read_node(r, n->kids[i], &out->list->v[i]))
            return false;
    }
    return true;
}

static bool
read_node(struct reader *r, const struct yaml_node *n, struct value *out)
{
    r->bytes += n->text.n;
    if (++r->nodes > MAX_NODES || r->bytes > MAX_BYTES)
        return error_set(r->err, ERR_LIMIT,
                         "document contains excessive aliasing");
    switch (n->kind) {
    case YAML_NODE_LIST:
        return read_list(r, n, out);
    case YAML_NODE_MAP:
        return read_map(r, n, out);
    default:
        return read_scalar(r, n, out);
    }
}

bool
value_read_yaml(struct arena *a, struct str text, struct value *out,
                size_t *work, struct error *err)
{
    AUTO(buf_release) struct buf equal = BUF_INIT(900);
    struct reader r = {.a = a, .equal_keys = &equal, .err = err};
    const struct yaml_node *root = NULL;
    bool ok = yaml_node_read(a, text, &root, err);

    *out = value_nil();
    ok = ok && (!root || read_node(&r, root, out));
    *work += r.nodes;
    if (!ok)
        return error_wrap(err, "yaml");
    return !equal.n || error_set(err, ERR_PARSE, "yaml: unmarshal errors:%s",
                                 buf_cstr(&equal));
}
