/*
 * Rows of kinds the program knows nothing about: what the server itself shows
 * of them (meta.k8s.io/v1 Table), as kubectl get prints it. NAMESPACE comes
 * from the metadata; AGE too, since the server's cell is as old as its event;
 * conditions by their usual columns give the colour.
 */
#include <ctype.h>

#include "lib/base/mem.h"

#include "tui/source_mesh.h"
#include "tui/table.h"

enum { SERVER_MAX = TABLE_COLUMNS_MAX - 2 };

/* What is done with the server's i-th cell. */
struct layout {
    int at[SERVER_MAX]; /* our column, or -1 */
    size_t n;
    int state, name, ns, age; /* our columns, or -1 */
    int ready, synced;        /* the server's, or -1 */
};

static const char *
upper(struct mesh_table *t, const char *z)
{
    char *out = arena_strdup(t->rows_arena, mesh_tables_text(t, z));

    for (char *c = out; *c; c++)
        *c = (char)toupper((unsigned char)*c);
    return out;
}

static bool
is_word(const char *a, const char *b)
{
    return strcasecmp(a, b) == 0;
}

static void
add(struct mesh_table *t, const struct tui_column *c)
{
    struct tui_column *all = (struct tui_column *)(uintptr_t)t->base.columns;

    all[t->base.columns_n++] = *c;
}

/* The server's column as one of ours. */
static struct tui_column
column_of(struct mesh_table *t, const struct json *d, size_t i)
{
    const char *name = json_string_or(json_get(d, "name"), "");
    const char *type = json_string_or(json_get(d, "type"), "");
    bool number = is_word(type, "integer") || is_word(type, "number");

    return (struct tui_column){
        .title = upper(t, name),
        .type = i == 0                                          ? COL_NAME
                : is_word(name, "age") && is_word(type, "date") ? COL_AGE
                : is_word(name, "age")                          ? COL_AGE
                : number                                        ? COL_NUMBER
                                                                : COL_TEXT,
        .drop = (unsigned char)(i == 0 ? 0 : MIN(i + 1, 200)),
        .wide = json_int64_or(json_get(d, "priority"), 0) > 0,
    };
}

static void
lay_out(struct mesh_table *t, const struct json *columns, struct layout *l)
{
    static const struct tui_column state = {"HEALTH", COL_STATE, 0, false};
    static const struct tui_column ns = {"NAMESPACE", COL_TEXT, 1, false};
    struct json *d;

    *l = (struct layout){.state = -1,
                         .name = -1,
                         .ns = -1,
                         .age = -1,
                         .ready = -1,
                         .synced = -1};
    for (d = json_first(columns); d && l->n < SERVER_MAX; d = json_next(d)) {
        const char *name = json_string_or(json_get(d, "name"), "");

        if (is_word(name, "ready"))
            l->ready = (int)l->n;
        if (is_word(name, "synced"))
            l->synced = (int)l->n;
        l->n++;
    }
    mesh_tables_columns(
        t, arena_array(t->rows_arena, TABLE_COLUMNS_MAX, sizeof(ns)), 0);
    if (l->synced >= 0 && l->ready >= 0) {
        l->state = 0;
        add(t, &state);
    }
    d = json_first(columns);
    for (size_t i = 0; i < l->n; i++, d = json_next(d)) {
        struct tui_column c = column_of(t, d, i);

        if (i == 0)
            l->name = (int)t->base.columns_n;
        if (c.type == COL_AGE)
            l->age = (int)t->base.columns_n;
        l->at[i] = (int)t->base.columns_n;
        add(t, &c);
        if (i == 0 && t->kind->namespaced) {
            l->ns = (int)t->base.columns_n;
            add(t, &ns);
        }
    }
}

static const char *
cell_text(struct mesh_table *t, const struct json *cell)
{
    if (json_string(cell))
        return mesh_tables_text(t, json_string(cell));
    if (!cell || json_type_of(cell) == JSON_NULL)
        return "";
    AUTO(mem_free_ptr) char *z = json_text(cell, JSON_COMPACT);

    return mesh_tables_text(t, z);
}

static enum tui_state
state_of(const struct kube_object *o, const char *ready, const char *synced)
{
    if (o->deleted_s)
        return TUI_DELETING;
    if (is_word(synced, "false"))
        return TUI_FAIL;
    if (!*ready)
        return TUI_NONE;
    return is_word(ready, "true") ? TUI_OK : TUI_WAIT;
}

static void
fill_row(struct mesh_table *t, const struct layout *l, const char *api,
         const struct kube_object *o)
{
    AUTO(json_free_ptr) struct json *row = json_parse(o->body, NULL, NULL);
    struct json *cell = json_first(json_get(row, "cells"));
    const char *ready = "", *synced = "";
    struct tui_cell *c;
    struct tui_row *r = mesh_tables_row(t, api, o, &c);

    for (size_t i = 0; i < l->n; i++) {
        struct tui_cell *to = &c[l->at[i]];

        to->text = cell_text(t, cell);
        if (json_type_of(cell) == JSON_NUMBER)
            to->num = json_int64_or(cell, 0);
        if ((int)i == l->ready)
            ready = to->text;
        if ((int)i == l->synced)
            synced = to->text;
        cell = cell ? json_next(cell) : NULL;
    }
    c[l->name].text = r->name;
    if (l->ns >= 0)
        c[l->ns].text = r->ns;
    if (l->age >= 0)
        c[l->age] = (struct tui_cell){"", o->created_s * 1000};
    if (l->state >= 0) {
        r->state = state_of(o, ready, synced);
        c[l->state].num = r->state;
    }
}

void
mesh_rows_fill(struct source_mesh *s, struct mesh_table *t,
               const struct json *columns, const char *ns)
{
    const struct tui_store_ops *ops = s->store->ops;
    const char *api = source_mesh_api(t->kind, t->rows_arena);
    const struct kube_object *o;
    struct layout l;

    lay_out(t, columns, &l);
    if (l.name < 0)
        return;
    for (size_t i = 0; (o = ops->at(s->store, t->collection, i)); i++) {
        if (!*ns || !o->ns.n || str_eqz(o->ns, ns))
            fill_row(t, &l, api, o);
    }
}
