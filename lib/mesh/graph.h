/*
 * graph.h - the inside of the model, for the files of lib/mesh only.
 *
 * What: struct item is what stands behind a struct mesh_item (its first
 * member). Text of a present object lives in a pack: a chain of small pieces
 * freed at once, because an arena's block is too big for ten thousand owners.
 * Invariants: every edge is known at both ends; an item that is not present
 * and has no edge is freed; `sick` holds every item that mesh_attention looks
 * at.
 */
#ifndef LIB_MESH_GRAPH_H
#define LIB_MESH_GRAPH_H

#include "lib/base/map.h"

#include "lib/mesh/model.h"
#include "lib/mesh/why.h"

struct item;

struct items {
    struct mesh_item **v; /* each the first member of a struct item */
    size_t n, cap;
};

struct pack {
    struct pack_piece *first;
};

/* The product an input reads, the contract an output names; parallel to the
 * ports. name NULL: none. */
struct port_ref {
    const char *ns, *name;
};

struct item {
    struct mesh_item pub;
    struct pack pack;
    struct items children, parents, readers, users, usages;
    struct item *usage_of; /* of a Usage */
    /* Writable sides of pub.product, pub.domain, pub.contract. */
    struct mesh_product *product;
    struct mesh_domain *domain;
    struct mesh_contract *contract;
    struct mesh_port *ports;
    struct port_ref *port_refs;
    struct items products;    /* of a domain */
    enum mesh_health counted; /* how its domain has counted a product */
    size_t role_index;        /* in mesh.roles */
    size_t sick_index;        /* in mesh.sick, from 1; 0: well */
    bool dirty, wanted;
    bool domain_missing; /* of a product, and all domains are known */
    uint32_t offer;      /* hash of what others judge it by */
    unsigned stamp;      /* the last walk that was here */
    unsigned *walks;     /* the model's count of walks */
    char *own_name;      /* block of ns and name, lives with the item */
};

struct mesh {
    const struct clock *clock;
    struct map items; /* "group/Kind|ns|name" -> struct item */
    struct map kinds; /* "group/Kind" -> struct mesh_kind */
    struct mesh_kind **kind_list;
    size_t kinds_n, kinds_cap;
    uint64_t generation, told, kinds_generation;
    unsigned stamp;
    struct items roles[MESH_ROLES];
    struct items dirty, sick, wanted;
    struct map by_label; /* label meshifi.io/data-domain -> struct items of
                            domains */
    struct map by_ref;   /* spec.dataDomainRef -> struct items of products */
    mesh_lookup_fn *lookup;
    void *lookup_arg;
};

static inline struct item *
item_at(const struct items *l, size_t i)
{
    return (struct item *)l->v[i];
}

/* ---- graph.c ---- */
void items_add(struct items *l, struct item *i);
/* Removes one occurrence; order is not kept. False: it was not there. */
bool items_del(struct items *l, const struct item *i);
bool items_has(const struct items *l, const struct item *i);
void items_release(struct items *l);
/* Shows the edges of i to readers; after every change of them. */
void graph_publish(struct item *i);
/* sizeof bytes, zeroed, that die with the pack. */
void *pack_alloc(struct pack *p, size_t size);
/* A copy cut at max bytes (on a character's edge); "" for NULL. */
const char *pack_str(struct pack *p, const char *z, size_t max);
void pack_release(struct pack *p);

struct mesh_kind *graph_kind(struct mesh *m, const char *api_version,
                             const char *kind);
/* NULL when create is false and there is none, or a part is no name. */
struct item *graph_item(struct mesh *m, struct mesh_kind *k, const char *ns,
                        const char *name, bool create);
/* Frees an item that nothing holds any more. */
void graph_drop_unheld(struct mesh *m, struct item *i);
void graph_item_free(struct item *i);
/* Puts i among the sick or takes it out. */
void graph_sick(struct mesh *m, struct item *i);
/* Something about i that can be seen changed: its place among the sick, the
 * roots above it. */
void graph_changed(struct mesh *m, struct item *i);

/* ---- facts.c ---- */
/* Fills what the object itself says; edges stay as they are. */
void facts_read(struct item *i, const struct json *object);
/* What is said of an object that is not there. Frees the pack. */
void facts_clear(struct item *i);

/* By a managed resource's spec: what it stands for outlives it
 * (crossplane-runtime resource/managed: deletionPolicy, managementPolicies). */
bool facts_keeps_external(const struct json *spec);

/* ---- relations.c ---- */
/* Makes the edges that object says; facts are read before. */
void relations_link(struct mesh *m, struct item *i, const struct json *object);
/* Takes back every edge that starts at i. */
void relations_unlink(struct mesh *m, struct item *i);
/* i came, changed or went: those who refer to it look again. */
void relations_notify(struct mesh *m, struct item *i);
/* Judges the ports of a product again. */
void relations_judge(struct item *i);
/* Finds the domain of a product again. */
void relations_domain(struct mesh *m, struct item *i);

/* ---- rollup.c ---- */
/* Adds a product's worth to (sign 1) or takes it from (-1) its domain. */
void rollup_count(struct item *product, int sign);
void rollup_refresh(struct mesh *m, struct item *root);
/* Required ports and the domain of a product are in order. */
bool rollup_has_fault(const struct item *i);

/* ---- words.c ---- */
/* Sets text and hint of a cause that is complete otherwise. alone: the text is
 * about c->item, however many others have the same. */
void cause_words(struct mesh_cause *c, bool alone, int64_t now_s,
                 struct arena *a);

#endif
