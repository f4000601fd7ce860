#include "cli/table.h"

#include <ctype.h>
#include <stdio.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "cli/columns.h"

/* Which of the server's columns are shown. */
struct shown {
    bool v[256];
    size_t all, n;
};

static void
choose(const struct json *definitions, bool wide, bool with_ns, struct shown *s)
{
    *s = (struct shown){0};
    for (struct json *d = json_first(definitions); d; d = json_next(d)) {
        bool main = json_int64_or(json_get(d, "priority"), 0) == 0;

        if (s->all == ARRAY_LEN(s->v))
            return;
        s->v[s->all] = (main || wide) && s->n + with_ns < COLUMNS_MAX;
        s->n += s->v[s->all++];
    }
}

static const char *
upper(const char *z, struct strlist *keep)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1000);

    for (; *z; z++)
        buf_putc(&b, (char)toupper((unsigned char)*z));
    strlist_add(keep, buf_view(&b));
    return keep->v[keep->n - 1];
}

static const char *
cell_text(const struct json *cell, struct strlist *keep)
{
    if (json_string(cell))
        return json_string(cell);
    if (!cell || json_type_of(cell) == JSON_NULL)
        return "<none>";
    AUTO(mem_free_ptr) char *text = json_text(cell, JSON_COMPACT);

    strlist_add(keep, str_of(text));
    return keep->v[keep->n - 1];
}

static void
add_row(struct columns *c, const struct shown *s, const struct json *row,
        bool with_ns)
{
    AUTO(strlist_release) struct strlist keep = {0};
    const char *cells[COLUMNS_MAX];
    struct json *cell = json_first(json_get(row, "cells"));
    size_t n = 0;

    if (with_ns)
        cells[n++] = json_string_or(
            json_at(row, "object", "metadata", "namespace", NULL), "");
    for (size_t i = 0; i < s->all; i++) {
        if (s->v[i])
            cells[n++] = cell_text(cell, &keep);
        cell = cell ? json_next(cell) : NULL;
    }
    columns_row(c, cells);
}

static size_t
print_table(const struct json *t, bool wide, bool with_ns)
{
    const struct json *definitions = json_get(t, "columnDefinitions");
    AUTO(strlist_release) struct strlist keep = {0};
    const char *heads[COLUMNS_MAX];
    struct shown s;
    struct columns c;
    size_t n = 0, at = 0, rows = 0;

    choose(definitions, wide, with_ns, &s);
    if (!s.n)
        return 0;
    if (with_ns)
        heads[n++] = "NAMESPACE";
    for (struct json *d = json_first(definitions); d && at < s.all;
         d = json_next(d)) {
        if (s.v[at++])
            heads[n++] = upper(json_string_or(json_get(d, "name"), "?"), &keep);
    }
    columns_init(&c, n);
    columns_row(&c, heads);
    for (struct json *r = json_first(json_get(t, "rows")); r;
         r = json_next(r), rows++)
        add_row(&c, &s, r, with_ns);
    if (rows)
        columns_print(&c, "", stdout);
    columns_release(&c);
    return rows;
}

static void
add_object(struct columns *c, const struct json *o)
{
    const struct json *meta = json_get(o, "metadata");
    char age[CLOCK_HUMAN_LEN] = "";
    int64_t created;

    if (clock_parse(str_of(json_get_string(meta, "creationTimestamp")),
                    &created))
        clock_human(clock_wall_ms(clock_system()) / 1000 - created, age);
    const char *const cells[] = {
        json_string_or(json_get(meta, "namespace"), ""),
        json_string_or(json_get(meta, "name"), ""), age};

    columns_row(c, cells);
}

static size_t
print_objects(const struct json *list)
{
    static const char *const heads[] = {"NAMESPACE", "NAME", "AGE"};
    const struct json *items = json_get(list, "items");
    struct columns c;
    size_t rows = 0;

    columns_init(&c, ARRAY_LEN(heads));
    columns_row(&c, heads);
    for (struct json *o = json_first(items); o; o = json_next(o), rows++)
        add_object(&c, o);
    if (!json_is(items, JSON_ARRAY)) {
        add_object(&c, list);
        rows = 1;
    }
    if (rows)
        columns_print(&c, "", stdout);
    columns_release(&c);
    return rows;
}

size_t
table_print(const struct json *answer, bool wide, bool with_ns)
{
    const char *kind = json_string_or(json_get(answer, "kind"), "");

    if (strcmp(kind, "Table") == 0)
        return print_table(answer, wide, with_ns);
    return print_objects(answer);
}
