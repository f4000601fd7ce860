/*
 * model.h - the mesh as one graph, kept up to date object by object.
 *
 * What: every object that matters is an item: domains, products, contracts,
 * and what is composed below them by v2 reference path
 * (spec.crossplane.resourceRefs, then spec.resourceRefs; a reference without
 * namespace has the XR's). Items know what they compose, who composes them,
 * who reads them, and how they are. A reference to an object that is not there
 * makes an item with present == false.
 * How it is fed: mesh_put and mesh_del with any object, in any order
 * (lib/mesh/live.h does it from caches); mesh_settle then brings roll-ups up
 * to date. One put costs what changed: the object, the roots above it, and the
 * readers beside it.
 * Invariants: an object is identified by API group, kind, namespace and name
 * (not by version); all text is valid UTF-8 but hostile to a terminal; no
 * pointer is NULL unless its comment says so; roll-ups are those of the last
 * mesh_settle.
 * Caps: MESH_REFS_MAX references, MESH_PORTS_MAX ports of each direction,
 * MESH_TREE_MAX items and MESH_DEPTH_MAX levels a tree; what is beyond is not
 * followed and sets `cut`.
 * Lifetimes: items live until the next mesh_put or mesh_del; keep names, or
 * the key (mesh_item_key), beyond that.
 */
#ifndef LIB_MESH_MODEL_H
#define LIB_MESH_MODEL_H

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/json.h"

#include "lib/mesh/item.h"

struct mesh;

struct mesh *mesh_new(const struct clock *clock);
void mesh_free(struct mesh *m);

/* ---- feeding ---- */
/* An object was added or changed. api_version and kind may be NULL: the
 * object says them. ERR_PARSE / ERR_INVALID: no JSON object, or one without
 * kind or name (the model is unchanged). Everything else that is malformed is
 * read as if it were absent. */
bool mesh_put(struct mesh *m, const char *api_version, const char *kind,
              struct str body, struct error *err);
/* The same with a tree (not kept). */
bool mesh_put_json(struct mesh *m, const struct json *object,
                   struct error *err);
/* It is gone; unknown is fine. ns NULL or "": cluster-scoped. */
void mesh_del(struct mesh *m, const char *api_version, const char *kind,
              const char *ns, const char *name);
/* The object behind an item that was referred to before it was put, or the
 * empty view. Lets a feeder put only objects that somebody composed
 * (kube_object.owner) or that mesh_wants, out of thousands of others. */
typedef struct str mesh_lookup_fn(void *arg, const struct mesh_item *i);
void mesh_set_lookup(struct mesh *m, mesh_lookup_fn *fn, void *arg);
/* Somebody refers to such an object, or it is known already. */
bool mesh_wants(const struct mesh *m, const char *api_version, const char *kind,
                const char *ns, const char *name);
/* Says what is known of a kind from now on. */
void mesh_watched(struct mesh *m, const char *api_version, const char *kind,
                  enum mesh_watch watch);
/* Brings roll-ups up to date; true when anything visible changed since the
 * last call. Cheap when nothing did. */
bool mesh_settle(struct mesh *m);
/* Grows with every visible change. */
uint64_t mesh_generation(const struct mesh *m);

/* ---- reading ---- */
/* The i-th kind that occurs, NULL past the last; those to watch have a role,
 * or referred > 0. */
struct mesh_kind *mesh_kind_at(const struct mesh *m, size_t i);
/* Grows when a kind appears, or becomes referred to. */
uint64_t mesh_kinds_generation(const struct mesh *m);
/* Present items of a role, in no order that means anything. */
const struct mesh_item *mesh_role_at(const struct mesh *m, enum mesh_role r,
                                     size_t i);
size_t mesh_role_count(const struct mesh *m, enum mesh_role r);
/* NULL when it is neither there nor referred to. */
const struct mesh_item *mesh_find(const struct mesh *m, const char *api_version,
                                  const char *kind, const char *ns,
                                  const char *name);
/* By name alone within a role ("web-orders", "dm-shop/web-orders"); NULL and
 * err when there is none (ERR_NOT_FOUND) or several (ERR_CONFLICT, names
 * them). */
const struct mesh_item *mesh_named(const struct mesh *m, enum mesh_role r,
                                   const char *name, struct error *err);
/* "Kind/name", and " (ns)" behind it when ns is set; lives in a. */
const char *mesh_item_text(const struct mesh_item *i, struct arena *a);
/* The owner of a product: its own, else its domain's; "" when nobody. */
const char *mesh_owner(const struct mesh_item *product);
/* How the whole is: roll.health of a root, else the own health. */
enum mesh_health mesh_item_health(const struct mesh_item *i);

/* ---- the composed tree ---- */
struct mesh_node {
    const struct mesh_item *item;
    unsigned depth; /* 0: the root */
    bool last;      /* no brother after it */
    bool again;     /* stood above or beside already (cycle, shared): not
                       followed here */
};
struct mesh_tree {
    struct mesh_node *v; /* preorder */
    size_t n;
    struct mesh_rollup roll;
};
/* The tree of any item; lives in a. */
void mesh_tree(const struct mesh_item *root, struct arena *a,
               struct mesh_tree *out);
/* Missing and its kind is fully known; an item whose kind is not watched (yet)
 * is not missing but unknown. */
bool mesh_is_missing(const struct mesh_item *i);
/* What a tree says beside a name: "Ready", "ReconcileError", "missing",
 * "loading", "Deleting", "Creating", ... ; lives as long as the item. */
const char *mesh_item_note(const struct mesh_item *i);

/* ---- lineage ---- */
/* Products that read root, directly or through others: breadth first, depth
 * from 1, each once; upstream: those it reads. Missing ones are included
 * upstream. Lives in a. */
void mesh_lineage(const struct mesh_item *root, bool upstream, struct arena *a,
                  struct mesh_tree *out);

#endif
