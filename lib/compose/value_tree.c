/* Values into JSON trees. */
#include <math.h>

#include "lib/base/digest.h"
#include "lib/base/utf8.h"

#include "lib/compose/format.h"
#include "lib/compose/gotime.h"
#include "lib/compose/value.h"

#define MAX_DEPTH 200
#define MAX_NODES ((size_t)1000000)

struct tree {
    struct arena *a;
    bool yaml;
    size_t nodes;
    struct error *err;
};

static struct json *convert(struct tree *t, struct value v, unsigned depth);

/* s as valid UTF-8 without NUL, for what the tree can hold. */
static struct str
clean(struct arena *a, struct str s)
{
    struct buf out = BUF_INIT(SIZE_MAX / 2);

    if (utf8_valid(s) && (!s.n || !memchr(s.s, '\0', s.n)))
        return s;
    while (s.n) {
        uint32_t cp;
        char text[4];
        size_t n = utf8_decode(s, &cp);

        buf_add(&out, text, utf8_encode(cp ? cp : UTF8_REPLACEMENT, text));
        s = str_from(s, n);
    }
    s = arena_str(a, buf_view(&out));
    buf_release(&out);
    return s;
}

/* encoding/json: plain between 1e-6 and 1e21, else e-9 for e-09. */
static void
json_float(double f, struct buf *out)
{
    double size = fabs(f);

    if (f == 0 || (size >= 1e-6 && size < 1e21)) {
        format_float(f, 'f', -1, out);
        return;
    }
    format_float(f, 'e', -1, out);
    if (out->n >= 4 && out->s[out->n - 4] == 'e' && out->s[out->n - 3] == '-' &&
        out->s[out->n - 2] == '0') {
        out->s[out->n - 2] = out->s[out->n - 1];
        buf_truncate(out, out->n - 1);
    }
}

static struct json *
new_float(struct tree *t, double f)
{
    AUTO(buf_release) struct buf text = BUF_INIT(512);

    if (isnan(f) || isinf(f)) {
        error_set(t->err, ERR_INVALID, "json: unsupported value: %s",
                  isnan(f) ? "NaN"
                  : f > 0  ? "+Inf"
                           : "-Inf");
        return NULL;
    }
    if (t->yaml)
        format_float(f, 'g', -1, &text);
    else
        json_float(f, &text);
    return json_new_number(buf_view(&text));
}

static struct json *
new_list(struct tree *t, struct value v, unsigned depth)
{
    struct json *array = json_new_array();
    size_t n;

    if (v.list->nil && !t->yaml) {
        json_free(array);
        return json_new_null();
    }
    const struct value *items = value_items(t->a, v, &n);

    for (size_t i = 0; i < n; i++) {
        struct json *child = convert(t, items[i], depth + 1);

        if (!child) {
            json_free(array);
            return NULL;
        }
        json_append(array, child);
    }
    return array;
}

static struct json *
new_object(struct tree *t, const struct value_entry *e, size_t n,
           unsigned depth, bool fields)
{
    struct json *object = json_new_object();

    for (size_t i = 0; i < n; i++) {
        struct json *child = convert(t, e[i].value, depth + 1);
        struct str key = clean(t->a, e[i].key);
        char *name = arena_dup(t->a, key);

        if (!child) {
            json_free(object);
            return NULL;
        }
        for (char *p = name; fields && *p >= 'A' && *p <= 'Z'; p++) {
            *p = (char)(*p - 'A' + 'a');
            if (!t->yaml)
                break;
        }
        json_set(object, name, child);
    }
    return object;
}

static struct json *
new_bytes(struct tree *t, struct str s)
{
    AUTO(buf_release) struct buf text = BUF_INIT(SIZE_MAX / 2);

    if (!t->yaml) {
        digest_base64(s, false, &text);
        return json_new_str(buf_view(&text));
    }
    struct json *array = json_new_array();

    for (size_t i = 0; i < s.n; i++)
        json_append(array, json_new_int((unsigned char)s.s[i]));
    return array;
}

static struct json *
new_struct(struct tree *t, struct value v, unsigned depth)
{
    if (v.st->text.s)
        return json_new_str(clean(t->a, v.st->text));
    return new_object(t, v.st->fields, v.st->n, depth, true);
}

static struct json *
convert(struct tree *t, struct value v, unsigned depth)
{
    size_t n;
    AUTO(buf_release) struct buf text = BUF_INIT(64);

    if (depth > MAX_DEPTH || ++t->nodes > MAX_NODES) {
        error_set(t->err, ERR_LIMIT,
                  "a value nests deeper than %d or has more than %zu nodes",
                  MAX_DEPTH, MAX_NODES);
        return NULL;
    }
    switch (v.type) {
    case VALUE_NONE:
    case VALUE_NIL:
        return json_new_null();
    case VALUE_BOOL:
        return json_new_bool(v.b);
    case VALUE_FLOAT:
        return new_float(t, v.f);
    case VALUE_STRING:
        return json_new_str(clean(t->a, v.s));
    case VALUE_BYTES:
        return new_bytes(t, v.s);
    case VALUE_LIST:
        return new_list(t, v, depth);
    case VALUE_MAP:
        if (v.map->nil && !t->yaml)
            return json_new_null();
        const struct value_entry *e = value_entries(t->a, v, &n);

        return new_object(t, e, n, depth, false);
    case VALUE_STRUCT:
        return new_struct(t, v, depth);
    case VALUE_TIME:
        gotime_format(v.time, STR("2006-01-02T15:04:05.999999999Z07:00"),
                      &text);
        return json_new_str(buf_view(&text));
    default:
        return json_new_int(v.i);
    }
}

struct json *
value_to_json(struct arena *a, struct value v, bool yaml, size_t *work,
              struct error *err)
{
    struct tree t = {a, yaml, 0, err};
    struct json *j = convert(&t, v, 0);

    *work += t.nodes;
    return j;
}
