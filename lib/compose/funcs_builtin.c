/* text/template's own functions, comparisons excepted. */
#include "lib/base/utf8.h"

#include "lib/compose/funcs.h"

static bool
fn_not(struct call *c, const struct value *v, size_t n, struct value *out)
{
    (void)c, (void)n;
    *out = value_bool(!value_true(v[0]));
    return true;
}

static bool
fn_len(struct call *c, const struct value *v, size_t n, struct value *out)
{
    (void)n;
    switch (v[0].type) {
    case VALUE_STRING:
    case VALUE_BYTES:
    case VALUE_LIST:
    case VALUE_MAP:
        *out = value_int((int64_t)value_len(v[0]));
        return true;
    case VALUE_NIL:
        return call_fail(c, "len of nil pointer");
    case VALUE_NONE:
        return call_fail(c,
                         "reflect: call of reflect.Value.Type on zero Value");
    default:
        return call_fail(c, "len of type %s", value_type_name(v[0]));
    }
}

static bool
index_number(struct call *c, struct value index, size_t len, size_t *out)
{
    if (index.type == VALUE_NIL || index.type == VALUE_NONE)
        return call_fail(c, "cannot index slice/array with nil");
    if (!value_is_integer(index))
        return call_fail(c, "cannot index slice/array with type %s",
                         value_type_name(index));
    if (index.i < 0 || (uint64_t)index.i > len)
        return call_fail(c, "index out of range: %lld", (long long)index.i);
    *out = (size_t)index.i;
    return true;
}

static bool
index_sequence(struct call *c, struct value *item, struct value index)
{
    bool text = item->type == VALUE_STRING;
    size_t i = 0, n = value_len(*item);

    if (!index_number(c, index, n, &i))
        return false;
    if (i == n)
        return call_fail(c, "reflect: %s index out of range",
                         text ? "string" : "slice");
    if (item->type == VALUE_LIST) {
        bool boxed = item->list->elem == ELEM_ANY;

        *item = value_items(c->a, *item, &n)[i];
        item->boxed = boxed;
    } else {
        *item = (struct value){.type = VALUE_UINT8,
                               .i = (unsigned char)item->s.s[i]};
    }
    return true;
}

static bool
index_map(struct call *c, struct value *item, struct value index)
{
    struct value map = *item;

    if (index.type == VALUE_NIL || index.type == VALUE_NONE)
        return call_fail(c, "value is nil; should be of type string");
    if (index.type != VALUE_STRING || index.name)
        return call_fail(c, "value has type %s; should be string",
                         value_type_name(index));
    if (!value_get(c->a, map, index.s, item)) {
        *item = map.map->elem == ELEM_STRING ? value_str(STR("")) : value_nil();
        item->boxed = map.map->elem == ELEM_ANY;
    }
    return true;
}

static bool
fn_index(struct call *c, const struct value *v, size_t n, struct value *out)
{
    struct value item = v[0];

    if (item.type == VALUE_NIL || item.type == VALUE_NONE)
        return call_fail(c, "index of untyped nil");
    for (size_t i = 1; i < n; i++) {
        bool ok;

        switch (item.type) {
        case VALUE_NIL:
            return call_fail(c, "index of nil pointer");
        case VALUE_LIST:
        case VALUE_STRING:
        case VALUE_BYTES:
            ok = index_sequence(c, &item, v[i]);
            break;
        case VALUE_MAP:
            ok = index_map(c, &item, v[i]);
            break;
        default:
            return call_fail(c, "can't index item of type %s",
                             value_type_name(item));
        }
        if (!ok)
            return false;
    }
    *out = item;
    return true;
}

static bool
fn_print(struct call *c, const struct value *v, size_t n, struct value *out)
{
    format_print(c->a, v, n, &c->text);
    return call_text(c, out);
}

static bool
fn_println(struct call *c, const struct value *v, size_t n, struct value *out)
{
    format_println(c->a, v, n, &c->text);
    return call_text(c, out);
}

static bool
fn_printf(struct call *c, const struct value *v, size_t n, struct value *out)
{
    format_printf(c->a, v[0].s, v + 1, n - 1, &c->text);
    return call_text(c, out);
}

/* ---- escaping ---- */

/* One string as it is; anything else as Sprint gives it. */
static struct str
plain(struct call *c, const struct value *v, size_t n)
{
    AUTO(buf_release) struct buf text = BUF_INIT(c->max_text);
    struct value *shown = arena_array(c->a, n, sizeof(*shown));

    for (size_t i = 0; i < n; i++) {
        shown[i] = v[i];
        if (v[i].type == VALUE_NIL || v[i].type == VALUE_NONE)
            shown[i] = value_str(STR("<no value>"));
    }
    if (n == 1 && shown[0].type == VALUE_STRING)
        return shown[0].s;
    format_print(c->a, shown, n, &text);
    return arena_str(c->a, buf_view(&text));
}

static bool
fn_html(struct call *c, const struct value *v, size_t n, struct value *out)
{
    static const struct {
        char c;
        const char *text;
    } map[] = {{'"', "&#34;"}, {'\'', "&#39;"}, {'&', "&amp;"},
               {'<', "&lt;"},  {'>', "&gt;"},   {'\0', "\xEF\xBF\xBD"}};
    struct str s = plain(c, v, n);

    for (size_t i = 0; i < s.n; i++) {
        size_t k = 0;

        while (k < ARRAY_LEN(map) && map[k].c != s.s[i])
            k++;
        if (k < ARRAY_LEN(map))
            buf_puts(&c->text, map[k].text);
        else
            buf_putc(&c->text, s.s[i]);
    }
    return call_text(c, out);
}

static bool
fn_js(struct call *c, const struct value *v, size_t n, struct value *out)
{
    struct str s = plain(c, v, n);

    while (s.n) {
        uint32_t cp;
        size_t k = utf8_decode(s, &cp);

        if (cp == '\\' || cp == '\'' || cp == '"')
            buf_printf(&c->text, "\\%c", (char)cp);
        else if (cp < ' ' || cp == '<' || cp == '>' || cp == '&' || cp == '=')
            buf_printf(&c->text, "\\u%04X", cp);
        else if (cp >= 0x80 && utf8_unsafe(cp))
            buf_printf(&c->text, "\\u%04X", cp);
        else
            buf_add(&c->text, s.s, k);
        s = str_from(s, k);
    }
    return call_text(c, out);
}

static bool
fn_urlquery(struct call *c, const struct value *v, size_t n, struct value *out)
{
    struct str s = plain(c, v, n);

    for (size_t i = 0; i < s.n; i++) {
        char x = s.s[i], low = (char)(x | 0x20);

        if ((low >= 'a' && low <= 'z') || (x >= '0' && x <= '9') ||
            (x && strchr("-_.~", x)))
            buf_putc(&c->text, x);
        else if (x == ' ')
            buf_putc(&c->text, '+');
        else
            buf_printf(&c->text, "%%%02X", (unsigned char)x);
    }
    return call_text(c, out);
}

static const struct func rows[] = {
    {"and", "vv+", NULL},
    {"or", "vv+", NULL},
    {"not", "v", fn_not},
    {"len", "v", fn_len},
    {"index", "vv+", fn_index},
    {"print", "a+", fn_print},
    {"printf", "sa+", fn_printf},
    {"println", "a+", fn_println},
    {"html", "a+", fn_html},
    {"js", "a+", fn_js},
    {"urlquery", "a+", fn_urlquery},
    {"call", "vv+", NULL},
};

const struct func_table funcs_builtin = {rows, ARRAY_LEN(rows)};
