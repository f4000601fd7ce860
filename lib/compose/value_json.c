/* Values as encoding/json writes them. */
#include <math.h>

#include "lib/base/digest.h"
#include "lib/base/utf8.h"

#include "lib/compose/format.h"
#include "lib/compose/value.h"

#define MAX_DEPTH 200
#define MAX_NODES ((size_t)1000000)

struct writer {
    struct arena *a;
    unsigned flags;
    struct buf *out;
    size_t nodes;
    unsigned depth;
    struct error *err;
};

static bool put(struct writer *w, struct value v);

/* Bytes that are no UTF-8 become \ufffd. */
static bool
put_string(struct writer *w, struct str s)
{
    static const char from[] = "\"\\\n\r\t\b\f", to[] = "\"\\nrtbf";

    buf_putc(w->out, '"');
    while (s.n) {
        uint32_t cp;
        size_t n = utf8_decode(s, &cp);
        const char *hit = cp && cp < 0x80 ? strchr(from, (int)cp) : NULL;

        if (hit)
            buf_printf(w->out, "\\%c", to[hit - from]);
        else if (cp < 0x20 || cp == 0x2028 || cp == 0x2029 ||
                 (cp == UTF8_REPLACEMENT && n == 1) ||
                 ((w->flags & JSON_HTML) &&
                  (cp == '<' || cp == '>' || cp == '&')))
            buf_printf(w->out, "\\u%04x", cp);
        else
            buf_add(w->out, s.s, n);
        s = str_from(s, n);
    }
    return buf_putc(w->out, '"');
}

/* Plain between 1e-6 and 1e21, else e-9 for e-09. */
static bool
put_float(struct writer *w, double f)
{
    struct buf *out = w->out;
    double size = fabs(f);

    if (isnan(f) || isinf(f))
        return error_set(w->err, ERR_INVALID, "json: unsupported value: %s",
                         isnan(f) ? "NaN"
                         : f > 0  ? "+Inf"
                                  : "-Inf");
    if (f == 0 || (size >= 1e-6 && size < 1e21)) {
        format_float(f, 'f', -1, out);
        return true;
    }
    format_float(f, 'e', -1, out);
    if (out->n >= 4 && out->s[out->n - 4] == 'e' && out->s[out->n - 3] == '-' &&
        out->s[out->n - 2] == '0') {
        char digit = out->s[out->n - 1];

        buf_truncate(out, out->n - 2);
        buf_putc(out, digit);
    }
    return true;
}

static void
line(struct writer *w)
{
    if (!(w->flags & JSON_PRETTY))
        return;
    buf_putc(w->out, '\n');
    buf_fill(w->out, ' ', 2 * (size_t)w->depth);
}

static bool
put_key(struct writer *w, struct str key)
{
    put_string(w, key);
    return buf_puts(w->out, w->flags & JSON_PRETTY ? ": " : ":");
}

static bool
put_list(struct writer *w, struct value v)
{
    size_t n;
    const struct value *items = value_items(w->a, v, &n);

    buf_putc(w->out, '[');
    w->depth++;
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_putc(w->out, ',');
        line(w);
        if (!put(w, items[i]))
            return false;
    }
    w->depth--;
    if (n)
        line(w);
    return buf_putc(w->out, ']');
}

static bool
put_map(struct writer *w, struct value v)
{
    size_t n;
    const struct value_entry *e = value_entries(w->a, v, &n);

    if (v.map->elem == ELEM_GENERAL)
        return error_set(w->err, ERR_INVALID, "json: unsupported type: %s",
                         value_type_name(v));
    buf_putc(w->out, '{');
    w->depth++;
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_putc(w->out, ',');
        line(w);
        put_key(w, e[i].key);
        if (!put(w, e[i].value))
            return false;
    }
    w->depth--;
    if (n)
        line(w);
    return buf_putc(w->out, '}');
}

/* Fields under the names of their tags; a name with a question mark before it
 * stands for omitempty. */
static bool
put_struct(struct writer *w, struct value v)
{
    const struct value_struct *st = v.st;
    bool first = true;

    if (st->text.s)
        return put_string(w, st->text);
    buf_putc(w->out, '{');
    w->depth++;
    for (size_t i = 0; i < st->n; i++) {
        struct str name = st->tags ? str_of(st->tags[i]) : st->fields[i].key;
        bool optional = name.s[0] == '?';

        if (optional && value_empty(st->fields[i].value))
            continue;
        if (!first)
            buf_putc(w->out, ',');
        first = false;
        line(w);
        put_key(w, str_from(name, optional));
        if (!put(w, st->fields[i].value))
            return false;
    }
    w->depth--;
    line(w);
    return buf_putc(w->out, '}');
}

/* metav1.Time has a name, no fraction, and null for none. */
static bool
put_time(struct writer *w, struct value v)
{
    struct gotime t = v.time;

    if (v.name && t.s == GOTIME_ZERO.s)
        return buf_puts(w->out, "null");
    if (v.name)
        t.offset = 0;
    buf_putc(w->out, '"');
    gotime_format(t,
                  v.name ? STR("2006-01-02T15:04:05Z07:00")
                         : STR("2006-01-02T15:04:05.999999999Z07:00"),
                  w->out);
    return buf_putc(w->out, '"');
}

static bool
put_bytes(struct writer *w, struct str s)
{
    buf_putc(w->out, '"');
    digest_base64(s, false, w->out);
    return buf_putc(w->out, '"');
}

static bool
put(struct writer *w, struct value v)
{
    if (w->depth > MAX_DEPTH || ++w->nodes > MAX_NODES)
        return error_set(w->err, ERR_LIMIT,
                         "a value nests deeper than %d or has more than %zu "
                         "nodes",
                         MAX_DEPTH, MAX_NODES);
    switch (v.type) {
    case VALUE_NONE:
    case VALUE_NIL:
        buf_puts(w->out, "null");
        return true;
    case VALUE_BOOL:
        buf_puts(w->out, v.b ? "true" : "false");
        return true;
    case VALUE_FLOAT:
        return put_float(w, v.f);
    case VALUE_STRING:
        put_string(w, v.s);
        return true;
    case VALUE_BYTES:
        put_bytes(w, v.s);
        return true;
    case VALUE_LIST:
    case VALUE_MAP:
        if (value_is_nil(v))
            return buf_puts(w->out, "null") || w->out->over;
        return (v.type == VALUE_LIST ? put_list(w, v) : put_map(w, v)) ||
               w->out->over;
    case VALUE_STRUCT:
        return put_struct(w, v) || w->out->over;
    case VALUE_TIME:
        put_time(w, v);
        return true;
    default:
        buf_printf(w->out, "%lld", (long long)v.i);
        return true;
    }
}

bool
value_print_json(struct arena *a, struct value v, unsigned flags,
                 struct buf *out, size_t *work, struct error *err)
{
    struct writer w = {.a = a, .flags = flags, .out = out, .err = err};
    bool ok = put(&w, v);

    *work += w.nodes;
    return ok;
}

struct json *
value_to_json(struct arena *a, struct value v, size_t *work, struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);

    if (!value_print_json(a, v, JSON_COMPACT, &text, work, err))
        return NULL;
    return json_parse(buf_view(&text), NULL, err);
}
