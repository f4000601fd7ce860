/*
 * store.h - the objects of a cluster, as the source over the mesh reads them.
 *
 * What: kinds, collections of objects, the mesh made of them, and writes. Two
 * stores exist: tui/store_live.c (lib/kube, lib/mesh/live.h) and the in-memory
 * one of the screen tests. Kinds and objects are lib/kube's plain structs.
 * Lifetimes: as lib/kube/cache.h and lib/mesh/model.h say: an object is valid
 * until the loop turns on.
 */
#ifndef TUI_STORE_H
#define TUI_STORE_H

#include "lib/kube/cache.h"
#include "lib/kube/discovery.h"

#include "lib/mesh/planner.h"

#include "tui/source.h"

struct tui_store;
struct tui_collection; /* the store's own */

struct tui_want {
    const struct kube_kind *kind;
    enum kube_form form; /* at least that much of each object */
    const char *ns;      /* with name: of that object alone; else NULL */
    const char *name;
};

struct tui_store_ops {
    void (*free)(struct tui_store *s);
    struct mesh *(*model)(struct tui_store *s);           /* or NULL */
    struct mesh_planner *(*planner)(struct tui_store *s); /* or NULL */
    void (*link)(struct tui_store *s, struct tui_link *out);
    /* True once everything the mesh needs was read. */
    bool (*synced)(struct tui_store *s);
    const struct kube_kind *(*kind_at)(struct tui_store *s, size_t i);
    const struct kube_kind *(*kind_find)(struct tui_store *s, const char *word);
    const struct kube_kind *(*kind_of)(struct tui_store *s, const char *api,
                                       const char *kind);
    /* What is wanted of a kind, watched until it is released; NULL and err.
     * It lives through a change of the connection. */
    struct tui_collection *(*collection)(struct tui_store *s,
                                         const struct tui_want *w,
                                         struct error *err);
    void (*release)(struct tui_store *s, struct tui_collection *c);
    /* The server's columns when the objects are rows (KUBE_TABLE), or NULL:
     * they are more than that. */
    const struct json *(*columns)(struct tui_store *s,
                                  struct tui_collection *c);
    size_t (*count)(struct tui_store *s, struct tui_collection *c);
    const struct kube_object *(*at)(struct tui_store *s,
                                    struct tui_collection *c, size_t i);
    const struct kube_object *(*find)(struct tui_store *s,
                                      struct tui_collection *c, const char *ns,
                                      const char *name);
    /* Complete at least once; else *problem may say why not. */
    bool (*collected)(struct tui_store *s, struct tui_collection *c,
                      const char **problem);
    bool (*write)(struct tui_store *s, const struct tui_write *w,
                  tui_done_fn *done, void *arg, struct error *err);
    void (*forget)(struct tui_store *s, tui_done_fn *done, void *arg);
    void (*resync)(struct tui_store *s);
    /* The i-th context: its name and a word about it; false past the last. */
    bool (*context_at)(struct tui_store *s, size_t i, const char **name,
                       const char **about);
    bool (*set_context)(struct tui_store *s, const char *name,
                        struct error *err);
    void (*set_namespace)(struct tui_store *s, const char *ns);
    void (*set_read_only)(struct tui_store *s, bool on);
};

struct tui_store {
    const struct tui_store_ops *ops;
    /* The source's: called after anything above may answer otherwise. */
    void (*changed)(void *arg);
    void *changed_arg;
};

#endif
