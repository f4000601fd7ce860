/*
 * source.h - where the screens get their data, and where their writes go.
 *
 * What: a table of functions over plain structs. Two sources exist: the live
 * one (tui/source_mesh.c over lib/kube and lib/mesh) and the in-memory one of
 * the screen tests. Why a table: screens are tested with a fixed source, a
 * fixed clock and no terminal (docs/STYLE.md rules 15, 18, 20).
 * Invariants: nothing here waits; what is not known yet is empty and `loading`;
 * whenever anything a view can see changes, the source calls `changed` once.
 * Text comes from a cluster and is hostile: only the canvas may show it.
 * A table's or page's `generation` grows when there is news; its content
 * changes only in refresh, so that a view is never surprised.
 * Lifetimes: a table or page lives from open to close; its content is valid
 * until its next refresh.
 */
#ifndef TUI_SOURCE_H
#define TUI_SOURCE_H

#include "lib/base/arena.h"
#include "lib/base/clock.h"

#include "tui/data.h"

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
    bool none; /* there is no cluster to look at (yet) */
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
    /* Takes the news in; costs in proportion to the rows. */
    void (*refresh)(struct tui_source *s, struct tui_table *t);
    void (*close)(struct tui_source *s, struct tui_table *t);
    struct tui_page *(*page_open)(struct tui_source *s,
                                  const struct tui_ref *ref);
    void (*page_refresh)(struct tui_source *s, struct tui_page *p);
    void (*page_close)(struct tui_source *s, struct tui_page *p);
    /* The kind a user typed, as apiVersion and Kind; ns is where a new one
     * would go, "" for a cluster-scoped kind. False: none served. */
    bool (*kind)(struct tui_source *s, const char *word, struct tui_ref *out);
    /* What creating body would bring; lives in a. False: err says why. */
    bool (*plan_create)(struct tui_source *s, const struct json *body,
                        struct arena *a, struct tui_plan *out,
                        struct error *err);
    bool (*plan_delete)(struct tui_source *s, const struct tui_ref *refs,
                        size_t n, struct arena *a, struct tui_plan *out,
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
