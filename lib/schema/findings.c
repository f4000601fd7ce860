#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/schema/node.h"

enum { FINDINGS_MAX = 1000 };

void
schema_findings_release(struct schema_findings *f)
{
    for (size_t i = 0; i < f->n; i++) {
        free(f->v[i].field);
        free(f->v[i].message);
    }
    free(f->v);
    *f = (struct schema_findings){0};
}

void
schema_findings_add(struct schema_findings *f, const char *field,
                    const char *reason, const char *fmt, ...)
{
    va_list ap;
    char *message;

    if (f->n >= FINDINGS_MAX)
        return;
    va_start(ap, fmt);
    if (vasprintf(&message, fmt, ap) < 0)
        die("out of memory");
    va_end(ap);
    f->v = mem_grow(f->v, &f->cap, f->n + 1, sizeof(*f->v));
    f->v[f->n++] = (struct schema_finding){mem_strdup(*field ? field : "<nil>"),
                                           reason, message};
}

void
schema_findings_truncate(struct schema_findings *f, size_t n)
{
    while (f->n > n) {
        f->n--;
        free(f->v[f->n].field);
        free(f->v[f->n].message);
    }
}

void
schema_findings_text(const struct schema_findings *f, struct buf *out)
{
    AUTO(strlist_release) struct strlist said = {0};

    /* What is found twice is said once. */
    for (size_t i = 0; i < f->n; i++) {
        AUTO(buf_release) struct buf one = BUF_INIT(BUF_TEXT_MAX);

        buf_printf(&one, "%s: %s", f->v[i].field, f->v[i].message);
        if (!strlist_has(&said, buf_view(&one)))
            strlist_add(&said, buf_view(&one));
    }
    if (said.n > 1)
        buf_putc(out, '[');
    for (size_t i = 0; i < said.n; i++)
        buf_printf(out, "%s%s", i ? ", " : "", said.v[i]);
    if (said.n > 1)
        buf_putc(out, ']');
}

struct json *
schema_findings_causes(const struct schema_findings *f)
{
    struct json *list = json_new_array();

    for (size_t i = 0; i < f->n; i++) {
        struct json *c = json_append(list, json_new_object());

        json_set_string(c, "reason", f->v[i].reason);
        json_set_string(c, "message", f->v[i].message);
        json_set_string(c, "field", f->v[i].field);
    }
    return list;
}

/* ---- values as Go prints them in errors ---- */

/* Go's %q. */
static void
put_quoted(const char *z, struct buf *out)
{
    static const char from[] = "\a\b\f\n\r\t\v\"\\";
    static const char to[] = "abfnrtv\"\\";

    buf_putc(out, '"');
    for (; *z; z++) {
        const char *hit = strchr(from, *z);

        if (hit)
            buf_printf(out, "\\%c", to[hit - from]);
        else if ((unsigned char)*z < 0x20 || *z == 0x7F)
            buf_printf(out, "\\x%02x", (unsigned)*z);
        else
            buf_putc(out, *z);
    }
    buf_putc(out, '"');
}

static void
put_value(const struct json *v, struct buf *out)
{
    double d;

    if (json_string(v))
        put_quoted(json_string(v), out);
    else if (json_is(v, JSON_NUMBER) && !json_is_integer(v) &&
             json_double(v, &d))
        json_print_float(d, false, out);
    else
        json_print(v, JSON_SORTED | JSON_HTML, out);
}

char *
schema_value_text(const struct json *v)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);

    put_value(v, &b);
    return buf_take(&b);
}

/* ---- paths ---- */

size_t
schema_path_key(struct buf *path, const char *key)
{
    size_t mark = path->n;

    path->over = false; /* one key too long must not spoil the others */
    if (mark)
        buf_putc(path, '.');
    buf_puts(path, key);
    return mark;
}

size_t
schema_path_index(struct buf *path, size_t i)
{
    size_t mark = path->n;

    path->over = false;
    buf_printf(path, "[%zu]", i);
    return mark;
}
