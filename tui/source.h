/*
 * source.h - where the screens get their data, and where their writes go.
 *
 * What: a table of functions over plain structs. Two sources exist: the live
 * one (tui/source_live.c over lib/kube and lib/mesh) and the in-memory one of
 * the screen tests. Why a table: screens are tested with a fixed source, a
 * fixed clock and no terminal (docs/STYLE.md rules 15, 18, 20).
 * Invariants: nothing here waits; what is not known yet is empty and `loading`;
 * whenever anything a view can see changes, the source calls `changed` once.
 * Text comes from a cluster and is hostile: only the canvas may show it.
 * Lifetimes: a table or page lives from open to close; its content is valid
 * until the loop runs again (views read it while drawing or handling a key).
 */
#ifndef TUI_SOURCE_H
#define TUI_SOURCE_H

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"

/* How something is. Worse is larger, so that a roll-up is a maximum. */
enum tui_state {
    TUI_NONE, /* says nothing about itself */
    TUI_OK,
    TUI_PAUSED,
    TUI_DELETING,
    TUI_UNKNOWN,
    TUI_WAIT,
    TUI_FAIL
};

/* One object's address, a plain value. ns is "" for a cluster-scoped one. */
struct tui_ref {
    char api[256]; /* apiVersion, "meshifi.io/v1alpha1" */
    char kind[64];
    char ns[64];
    char name[254];
};

/* False (and *out empty) when a part is too long to be a Kubernetes name. */
bool tui_ref_set(struct tui_ref *out, const char *api, const char *kind,
                 const char *ns, const char *name);
bool tui_ref_eq(const struct tui_ref *a, const struct tui_ref *b);
/* From an object's apiVersion, kind and metadata. */
bool tui_ref_of(struct tui_ref *out, const struct json *object);

/* ---- tables ---- */
enum tui_column_type {
    COL_TEXT,
    COL_NAME,  /* cut in the middle; takes what is left */
    COL_STATE, /* glyph and word of num as enum tui_state */
    COL_NUMBER,
    COL_AGE, /* num is wall milliseconds, 0: unknown */
};

struct tui_column {
    const char *title; /* upper case; its lower case is the filter's word */
    enum tui_column_type type;
    /* What goes first when there is little room: 0 always stays. */
    unsigned char drop;
    bool wide; /* only when wide columns are asked for */
};

struct tui_cell {
    const char *text; /* never NULL */
    int64_t num;
};

struct tui_row {
    const char *key; /* unique in its table, stable */
    const struct tui_cell *cells;
    const char *labels; /* "a=b,c=d" or "" */
    enum tui_state state;
    /* What Enter opens; api == NULL: nothing. */
    const char *api, *kind, *ns, *name;
};

struct tui_table {
    uint64_t generation; /* grows with every change of columns or rows */
    const struct tui_column *columns;
    size_t columns_n;
    struct tui_row *const *rows;
    size_t rows_n;
    bool loading;
    const char *problem; /* why it is empty or incomplete, or NULL */
};

enum tui_what {
    TUI_DOMAINS,
    TUI_PRODUCTS,
    TUI_ATTENTION, /* root causes, worst first */
    TUI_KINDS,     /* every served kind */
    TUI_OBJECTS,   /* objects of query.kind */
    TUI_EVENTS,    /* of query.ref, or all when its name is "" */
    TUI_CONTEXTS,
    TUI_NAMESPACES
};

struct tui_query {
    enum tui_what what;
    const char *kind; /* what a user types: "dp", "configmaps" */
    const char *ns;   /* "" or NULL: all */
    struct tui_ref ref;
};

/* ---- the page of one object ---- */
struct tui_node {
    int depth; /* 0: the object itself */
    struct tui_ref ref;
    enum tui_state state;
    const char *note; /* "Ready", "Synced: ReconcileError", "missing" */
    const char *message;
};

struct tui_line {
    enum tui_state state; /* TUI_NONE: plain */
    int indent;
    const char *text;
};

struct tui_condition {
    const char *type, *status, *reason, *message;
    int64_t since_ms; /* wall; 0: unknown */
    bool bad;         /* this status is not the one hoped for */
};

struct tui_port {
    bool input;
    const char *name, *peer, *version, *contract, *note;
    enum tui_state state;
};

struct tui_page {
    uint64_t generation;
    bool loading, gone;
    const char *problem; /* why there is no object, or NULL */
    enum tui_state state;
    const char *headline; /* "owner a.lee@x  version 1.2.0", or "" */
    int64_t created_ms;
    const struct json *object; /* NULL while unknown; Secrets are complete */
    const struct tui_node *nodes;
    size_t nodes_n;
    const struct tui_line *why;
    size_t why_n;
    const struct tui_condition *conditions;
    size_t conditions_n;
    const struct tui_port *ports;
    size_t ports_n;
    bool product; /* it has a tree, ports and a why of the mesh */
};

/* ---- plans ---- */
enum tui_plan_sign {
    PLAN_ADD,
    PLAN_CHANGE,
    PLAN_DELETE,
    PLAN_KEEP,
    PLAN_CONFLICT
};

struct tui_plan_item {
    enum tui_plan_sign sign;
    int depth;
    const char *kind, *name, *note;
};

struct tui_plan {
    const char *summary; /* "3 to add, 1 to change, 0 to destroy" */
    const struct tui_plan_item *items;
    size_t items_n;
    /* Consequences and warnings; TUI_FAIL blocks, TUI_WAIT warns. */
    const struct tui_line *notes;
    size_t notes_n;
    size_t blockers;
};

/* ---- the connection ---- */
struct tui_link {
    bool live;         /* everything shown is what the cluster said last */
    bool ever;         /* it was live at least once */
    int64_t as_of_ms;  /* wall, when !live */
    int64_t retry_ms;  /* wall time of the next attempt; 0: none planned */
    const char *where; /* context or profile */
    const char *server;
    const char *ns; /* "" all */
    const char *problem;
    bool read_only;
};

/* ---- writing ---- */
enum tui_verb { TUI_CREATE, TUI_REPLACE, TUI_DELETE };

struct tui_write {
    enum tui_verb verb;
    bool dry_run;
    struct tui_ref ref;
    const struct json *body; /* CREATE, REPLACE */
    bool foreground;         /* DELETE: wait for dependents */
};

/* Exactly once: result on success (may be NULL; valid during the call), else
 * err. warnings: what the server warned of, newline-separated, or "". */
typedef void tui_done_fn(void *arg, const struct json *result,
                         const char *warnings, const struct error *err);

struct tui_source;

struct tui_source_ops {
    void (*free)(struct tui_source *s);
    void (*link)(struct tui_source *s, struct tui_link *out);
    /* Never NULL; a failure is in ->problem. */
    struct tui_table *(*open)(struct tui_source *s, const struct tui_query *q);
    void (*close)(struct tui_source *s, struct tui_table *t);
    struct tui_page *(*page_open)(struct tui_source *s,
                                  const struct tui_ref *ref);
    void (*page_close)(struct tui_source *s, struct tui_page *p);
    /* The kind a user typed, as apiVersion and Kind; false: none served. */
    bool (*kind)(struct tui_source *s, const char *word, struct tui_ref *out);
    /* What creating body would bring; lives in a. False: err says why. */
    bool (*plan_create)(struct tui_source *s, const struct json *body,
                        struct arena *a, struct tui_plan *out,
                        struct error *err);
    bool (*plan_delete)(struct tui_source *s, const struct tui_ref *ref,
                        struct arena *a, struct tui_plan *out,
                        struct error *err);
    /* The OpenAPI v3 schema of a kind (the caller frees it), or NULL and err;
     * ERR_NOT_FOUND while it is still on its way (`changed` follows). */
    struct json *(*schema)(struct tui_source *s, const struct tui_ref *kind,
                           struct error *err);
    /* Starts a write; false and err when it could not start (done never
     * runs). Read-only is refused here. */
    bool (*write)(struct tui_source *s, const struct tui_write *w,
                  tui_done_fn *done, void *arg, struct error *err);
    /* Forgets every write of (done, arg): done will not run. */
    void (*forget)(struct tui_source *s, tui_done_fn *done, void *arg);
    /* Asks everything again from the start. */
    void (*resync)(struct tui_source *s);
    bool (*set_context)(struct tui_source *s, const char *name,
                        struct error *err);
    void (*set_namespace)(struct tui_source *s, const char *ns);
    void (*set_read_only)(struct tui_source *s, bool on);
};

struct tui_source {
    const struct tui_source_ops *ops;
    void (*changed)(void *arg);
    void *changed_arg;
};

#endif
