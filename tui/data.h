/*
 * data.h - what screens show, as plain structs: tables, pages, plans.
 *
 * What: filled by a source (tui/source.h), read by views. Invariants: no text
 * is NULL unless its comment says so; text comes from a cluster and is
 * hostile: only the canvas may show it. Lifetimes: source.h.
 */
#ifndef TUI_DATA_H
#define TUI_DATA_H

#include "lib/base/json.h"

/* How something is. Worse is larger, so that a roll-up is a maximum. */
enum tui_state {
    TUI_NONE, /* says nothing about itself */
    TUI_OK,
    TUI_PAUSED,
    TUI_DELETING,
    TUI_UNKNOWN, /* not known yet */
    TUI_MISSING, /* referred to and not there */
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
    COL_STATE, /* glyph of num as enum tui_state; its word, or text if any */
    COL_NUMBER,
    COL_MESSAGE, /* a sentence; takes what is left, cut at its end */
    COL_AGE,     /* num is wall milliseconds, 0: unknown */
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
    uint64_t generation; /* grows when there is news for refresh */
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

#endif
