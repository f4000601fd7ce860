/*
 * source_mesh.h - a source (tui/source.h) over a store and the mesh in it.
 *
 * What: turns the mesh's graph and plain objects into the rows, pages and
 * plans that the screens show. Rows are copied into an arena of their table at
 * each refresh, so nothing dangles when the store goes on.
 * Caps: texts in cells 512 bytes; 20,000 events looked at; the rest is the
 * model's and the caches'.
 */
#ifndef TUI_SOURCE_MESH_H
#define TUI_SOURCE_MESH_H

#include "tui/store.h"

/* Takes the store over. */
struct tui_source *source_mesh_new(struct tui_store *store,
                                   const struct clock *clock);

/* ---- between the files of this source ---- */
struct source_mesh {
    struct tui_source base;
    struct tui_store *store;
    const struct clock *clock;
    uint64_t generation;
    struct mesh_table *tables; /* open ones */
    struct mesh_page *pages;
    struct tui_collection *defs[2]; /* definition of the kind in a form */
    char *defs_name;
};

struct mesh_table {
    struct tui_table base;
    struct mesh_table *next;
    struct tui_query query; /* its strings are in `kept` */
    struct arena *kept, *rows_arena;
    const struct kube_kind *kind;      /* TUI_OBJECTS, once known */
    struct tui_collection *collection; /* of kind, or NULL */
    const char *collected;             /* which kind that is */
    struct tui_row **rows;
    size_t cap;
};

struct mesh_page {
    struct tui_page base;
    struct mesh_page *next;
    struct tui_ref ref;
    struct arena *arena;
    struct tui_collection *collection; /* of ref, or NULL */
    struct json *object;
    char version[64]; /* resourceVersion of object */
};

/* Fills t->base from the store (tui/mesh_tables.c). */
void mesh_tables_fill(struct source_mesh *s, struct mesh_table *t);
/* Fills p->base from the store (tui/mesh_pages.c). */
void mesh_pages_fill(struct source_mesh *s, struct mesh_page *p);
bool mesh_pages_plan_create(struct tui_source *s, const struct json *body,
                            struct arena *a, struct tui_plan *out,
                            struct error *err);
bool mesh_pages_plan_delete(struct tui_source *s, const struct tui_ref *refs,
                            size_t n, struct arena *a, struct tui_plan *out,
                            struct error *err);
struct json *mesh_pages_schema(struct tui_source *s, const struct tui_ref *kind,
                               struct error *err);
/* The object of the page (watched from now on), or NULL. *problem: why not, or
 * NULL while it is still being read. */
const struct kube_object *source_mesh_object(struct source_mesh *s,
                                             struct mesh_page *p,
                                             const char **problem);
/* ---- rows (tui/mesh_tables.c) ---- */
void mesh_tables_columns(struct mesh_table *t, const struct tui_column *c,
                         size_t n);
/* A text for a cell; lives in the rows' arena. */
const char *mesh_tables_text(struct mesh_table *t, const char *z);
/* A row of the object, its cells empty. */
struct tui_row *mesh_tables_row(struct mesh_table *t, const char *api,
                                const struct kube_object *o,
                                struct tui_cell **cells);
/* The server's own columns and rows (tui/mesh_rows.c). */
void mesh_rows_fill(struct source_mesh *s, struct mesh_table *t,
                    const struct json *columns, const char *ns);
enum tui_state source_mesh_state(enum mesh_health h);
/* The apiVersion of a kind; lives in a. */
const char *source_mesh_api(const struct kube_kind *k, struct arena *a);

#endif
