#include "lib/compose/funcs.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/utf8.h"

#include "lib/compose/gonumber.h"
#include "lib/compose/template_number.h"

static const struct func_table *const tables[] = {
    &funcs_builtin, &funcs_compare, &funcs_string, &funcs_case,
    &funcs_list,    &funcs_dict,    &funcs_math,   &funcs_encode,
    &funcs_type,    &funcs_regex,   &funcs_semver, &funcs_date,
    &funcs_path,    &funcs_random,  &funcs_crypto, &funcs_crossplane,
};

const struct func *
func_find(struct str name)
{
    for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
        for (size_t k = 0; k < tables[i]->n; k++) {
            if (str_eqz(name, tables[i]->v[k].name))
                return &tables[i]->v[k];
        }
    }
    return NULL;
}

bool
call_fail(struct call *c, const char *fmt, ...)
{
    char text[sizeof(c->err.msg)];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return error_set(&c->err, ERR_INVALID, "%s", text);
}

bool
call_limit(struct call *c, const char *fmt, ...)
{
    char text[sizeof(c->err.msg)];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return error_set(&c->err, ERR_LIMIT, "%s", text);
}

bool
call_text(struct call *c, struct value *out)
{
    if (c->text.over)
        return call_limit(c, "a text is larger than %zu bytes", c->max_text);
    *out = value_str(arena_str(c->a, buf_view(&c->text)));
    return true;
}

bool
call_work(struct call *c, size_t n)
{
    if (n <= c->max_work && c->work <= c->max_work - n) {
        c->work += n;
        return true;
    }
    return call_limit(c, "the template's functions have too much to do");
}

/* splitmix64 */
uint64_t
call_random(struct call *c)
{
    uint64_t z = c->random += 0x9E3779B97F4A7C15u;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return z ^ z >> 31;
}

struct str
call_strval(struct call *c, struct value v)
{
    if (v.type == VALUE_STRING || v.type == VALUE_BYTES)
        return v.s;
    AUTO(buf_release) struct buf text = BUF_INIT(c->max_text);

    format_value(c->a, v, &text);
    return arena_str(c->a, buf_view(&text));
}

static int64_t
int_of_double(double d)
{
    if (!(d >= -9223372036854775808.0 && d < 9223372036854775808.0))
        return INT64_MIN; /* what amd64 answers */
    return (int64_t)d;
}

/* cast drops ".0", ".00", ... from numeric strings. */
static struct str
without_zero_decimals(struct str s)
{
    size_t i = s.n;

    while (i && s.s[i - 1] == '0')
        i--;
    return i && i < s.n && s.s[i - 1] == '.' ? str_sub(s, 0, i - 1) : s;
}

int64_t
func_to_int(struct value v)
{
    int64_t i;

    switch (v.type) {
    case VALUE_INT:
    case VALUE_INT64:
    case VALUE_INT32:
    case VALUE_UINT8:
        return v.i;
    case VALUE_FLOAT:
        return int_of_double(v.f);
    case VALUE_BOOL:
        return v.b;
    case VALUE_STRING:
        return !v.name && template_parse_int(without_zero_decimals(v.s), 0, &i)
                   ? i
                   : 0;
    default:
        return 0;
    }
}

double
func_to_float(struct value v)
{
    double d;

    switch (v.type) {
    case VALUE_INT:
    case VALUE_INT64:
    case VALUE_INT32:
    case VALUE_UINT8:
        return (double)v.i;
    case VALUE_FLOAT:
        return v.f;
    case VALUE_BOOL:
        return v.b;
    case VALUE_STRING:
        return !v.name && gonumber_float(v.s, &d, NULL) ? d : 0;
    default:
        return 0;
    }
}

/* ---- lists ---- */

#define MAX_LIST 1000000

bool
call_list(struct call *c, size_t n, enum value_elem elem, struct value *out)
{
    if (n > MAX_LIST)
        return call_limit(c, "a list has more than %d elements", MAX_LIST);
    *out = value_list(c->a, n, elem);
    return true;
}

bool
call_slice(struct call *c, const char *what, struct value v,
           struct value **items, size_t *n)
{
    switch (v.type) {
    case VALUE_NONE:
    case VALUE_NIL:
        return call_fail(c, "runtime error: invalid memory address or nil "
                            "pointer dereference");
    case VALUE_LIST:
        *items = value_items(c->a, v, n);
        return true;
    case VALUE_BYTES:
        *n = v.s.n;
        *items = arena_array(c->a, v.s.n, sizeof(**items));
        for (size_t i = 0; i < v.s.n; i++)
            (*items)[i] = (struct value){.type = VALUE_UINT8,
                                         .i = (unsigned char)v.s.s[i]};
        return true;
    default:
        return call_fail(c, "%s %s", what, value_kind_name(v));
    }
}

bool
call_split(struct call *c, struct str text, struct str sep, int64_t limit,
           struct value *out)
{
    size_t n = 1, at = 0, i = 0;

    if (limit == 0) {
        *out = value_nil_list(c->a, ELEM_STRING);
        return true;
    }
    if (!sep.n) { /* into characters */
        n = utf8_count(text);
    } else {
        while ((at = str_find(text, sep, at)) != SIZE_MAX) {
            at += sep.n;
            n++;
        }
    }
    if (limit > 0 && n > (size_t)limit)
        n = (size_t)limit;
    if (!call_list(c, n, ELEM_STRING, out))
        return false;
    for (; i + 1 < n; i++) {
        uint32_t cp;
        size_t end = sep.n ? str_find(text, sep, 0) : utf8_decode(text, &cp);

        out->list->v[i] = value_str(str_sub(text, 0, end));
        text = str_from(text, end + sep.n);
    }
    if (n)
        out->list->v[i] = value_str(text);
    return true;
}

bool
call_strings(struct call *c, struct value v, struct value *out)
{
    struct value *items;
    size_t n, used = 0;

    if (v.type == VALUE_LIST && v.list->elem == ELEM_STRING) {
        *out = v;
        return true;
    }
    if (v.type == VALUE_NIL || v.type == VALUE_NONE) {
        *out = value_list(c->a, 0, ELEM_STRING);
        return true;
    }
    if (v.type != VALUE_LIST && v.type != VALUE_BYTES) {
        *out = value_list(c->a, 1, ELEM_STRING);
        out->list->v[0] = value_str(call_strval(c, v));
        return true;
    }
    if (!call_slice(c, "", v, &items, &n) || !call_list(c, n, ELEM_STRING, out))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (items[i].type != VALUE_NIL)
            out->list->v[used++] = value_str(call_strval(c, items[i]));
    }
    out->list->n = used;
    return true;
}
