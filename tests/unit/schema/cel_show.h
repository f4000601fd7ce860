/*
 * cel_show.h - values of expressions as the golden file writes them.
 *
 * What: one text for every kind, with the type to be seen: 1, 1u, double(1),
 * "text", timestamp(...), [..], {..} with members in the order of their text.
 */
#ifndef TESTS_UNIT_SCHEMA_CEL_SHOW_H
#define TESTS_UNIT_SCHEMA_CEL_SHOW_H

#include <math.h>

#include "lib/base/digest.h"
#include "lib/base/quantity.h"

#include "lib/schema/cel_value.h"

static void cel_show(struct cel_eval *e, const struct cel_value *v,
                     struct buf *out);

static inline void
cel_show_text(struct str s, struct buf *out)
{
    AUTO(json_free_ptr) struct json *j = json_new_str(s);

    json_print(j, JSON_COMPACT, out);
}

static inline void
cel_show_members(struct cel_eval *e, const struct cel_map *m, struct buf *out)
{
    AUTO(strlist_release) struct strlist members = {0};
    const struct cel_list *keys = cel_map_keys(e, m);

    for (size_t i = 0; keys && i < keys->n; i++) {
        AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
        struct cel_value v = {.kind = CEL_NULL};

        cel_map_find(e, m, &keys->v[i], &v);
        cel_show(e, &keys->v[i], &b);
        buf_puts(&b, ": ");
        cel_show(e, &v, &b);
        strlist_add(&members, buf_view(&b));
    }
    strlist_sort(&members);
    buf_putc(out, '{');
    for (size_t i = 0; i < members.n; i++)
        buf_printf(out, "%s%s", i ? ", " : "", members.v[i]);
    buf_putc(out, '}');
}

static inline void
cel_show_items(struct cel_eval *e, const struct cel_list *l, struct buf *out)
{
    const struct cel_value *v = cel_list_items(e, l);

    buf_putc(out, '[');
    for (size_t i = 0; v && i < l->n; i++) {
        if (i)
            buf_puts(out, ", ");
        cel_show(e, &v[i], out);
    }
    buf_putc(out, ']');
}

static inline void
cel_show_object(const struct cel_value *v, struct buf *out)
{
    static const char *const names[] = {
        [CEL_QUANTITY] = "quantity",
        [CEL_URL] = "url",
        [CEL_IP] = "ip",
        [CEL_CIDR] = "cidr",
        [CEL_SEMVER] = "semver",
        [CEL_FORMAT] = "format",
    };

    buf_printf(out, "%s(", names[v->kind]);
    if (v->kind == CEL_QUANTITY)
        quantity_print(v->object->quantity, out);
    else if (v->kind == CEL_IP || v->kind == CEL_CIDR)
        cel_print_address(v->object, out);
    else
        buf_str(out, v->object->text);
    buf_putc(out, ')');
}

static void
cel_show(struct cel_eval *e, const struct cel_value *v, struct buf *out)
{
    switch (v->kind) {
    case CEL_STRING:
        cel_show_text(v->s, out);
        break;
    case CEL_BYTES:
        buf_puts(out, "b\"");
        digest_base64(v->s, false, out);
        buf_putc(out, '"');
        break;
    case CEL_UINT:
        buf_printf(out, "%lluu", (unsigned long long)v->u);
        break;
    case CEL_DURATION:
        buf_printf(out, "duration(%lld)", (long long)v->i);
        break;
    case CEL_LIST:
        cel_show_items(e, v->list, out);
        break;
    case CEL_MAP:
        cel_show_members(e, v->map, out);
        break;
    case CEL_OPTIONAL:
        buf_puts(out, v->some ? "optional(" : "none");
        if (v->some) {
            cel_show(e, v->some, out);
            buf_putc(out, ')');
        }
        break;
    case CEL_DOUBLE:
    case CEL_TIMESTAMP:
    case CEL_TYPE:
        buf_printf(out, "%s(",
                   v->kind == CEL_DOUBLE ? "double"
                   : v->kind == CEL_TYPE ? "type"
                                         : "timestamp");
        cel_print(v, out);
        buf_putc(out, ')');
        break;
    case CEL_QUANTITY:
    case CEL_URL:
    case CEL_IP:
    case CEL_CIDR:
    case CEL_SEMVER:
    case CEL_FORMAT:
        cel_show_object(v, out);
        break;
    case CEL_ERROR:
        buf_printf(out, "error(%.*s)", STR_ARG(v->s));
        break;
    default:
        cel_print(v, out);
    }
}

#endif
