/* Values as trees that print as yaml.v3 writes them. */
#include <math.h>

#include "lib/base/utf8.h"

#include "lib/compose/format.h"
#include "lib/compose/gotime.h"
#include "lib/compose/value.h"

#define MAX_DEPTH 200
#define MAX_NODES ((size_t)1000000)

struct tree {
    struct arena *a;
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

static struct json *
new_float(double f)
{
    AUTO(buf_release) struct buf text = BUF_INIT(512);

    if (isnan(f) || isinf(f))
        return json_new_string(isnan(f) ? ".nan" : f > 0 ? ".inf" : "-.inf");
    format_float(f, 'g', -1, &text);
    return json_new_number(buf_view(&text));
}

static struct json *
new_list(struct tree *t, struct value v, unsigned depth)
{
    struct json *array = json_new_array();
    size_t n;

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
        }
        json_set(object, name, child);
    }
    return object;
}

static struct json *
new_bytes(struct str s)
{
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
    const struct value_entry *e;
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
        return new_float(v.f);
    case VALUE_STRING:
        return json_new_str(clean(t->a, v.s));
    case VALUE_BYTES:
        return new_bytes(v.s);
    case VALUE_LIST:
        return new_list(t, v, depth);
    case VALUE_MAP:
        e = value_entries(t->a, v, &n);
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
value_to_tree(struct arena *a, struct value v, size_t *work, struct error *err)
{
    struct tree t = {a, 0, err};
    struct json *j = convert(&t, v, 0);

    *work += t.nodes;
    return j;
}
