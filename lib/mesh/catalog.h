/*
 * catalog.h - what a cluster can compose: XRDs, Compositions, Functions,
 * parsed and compiled once. For the planner only.
 *
 * Lifetimes: everything handed out lives until catalog_forget. Objects that a
 * plan pretends to be there (the other documents of the same file) stand
 * before those of the host.
 */
#ifndef LIB_MESH_CATALOG_H
#define LIB_MESH_CATALOG_H

#include "lib/base/map.h"

#include "lib/schema/schema.h"

#include "lib/compose/compose.h"
#include "lib/compose/functions.h"
#include "lib/compose/xrd.h"

#include "lib/mesh/planner.h"

struct definition {
    struct json *xrd;
    const char *group, *kind;
    bool legacy; /* its machinery stands in spec, not in spec.crossplane */
};

struct catalog {
    struct mesh_host host;
    bool loaded;
    struct map definitions;  /* "group/Kind" -> struct definition */
    struct map schemas;      /* "apiVersion/Kind" -> struct schema */
    struct map compositions; /* name -> struct json */
    struct map pipelines;    /* Composition's name -> struct compiled */
    struct functions functions;
    struct json *pretended; /* an array */
    struct strlist unknown; /* kinds that could not be looked up */
};

void catalog_init(struct catalog *c, const struct mesh_host *host);
void catalog_forget(struct catalog *c);
void catalog_release(struct catalog *c);
/* Reads what there is, once; false when the cluster's state is not known
 * (yet). */
bool catalog_load(struct catalog *c);
/* NULL: no XRD defines it. */
const struct definition *catalog_definition(const struct catalog *c,
                                            const char *api_version,
                                            const char *kind);
/* The schema of a version; NULL and err when it cannot be had. */
const struct schema *catalog_schema(struct catalog *c,
                                    const struct definition *d,
                                    const char *api_version, struct error *err);
/* The Composition that core would take (crossplane composite/api.go): the
 * XRD's enforced one, the XR's reference, its selector, the XRD's default, any
 * that fits. *choices: how many fitted where core would take one at random,
 * else 1. NULL: err in upstream's words. */
const struct json *catalog_composition(const struct catalog *c,
                                       const struct definition *d,
                                       const struct json *xr, size_t *choices,
                                       struct error *err);
/* *looks_back: whether what exists already may change what is composed; when
 * not, one run says all. */
struct pipeline *catalog_pipeline(struct catalog *c,
                                  const struct json *composition,
                                  bool *looks_back, struct error *err);
/* One object of the cluster as a fresh tree, or NULL. What cannot be said is
 * remembered in c->unknown. */
struct json *catalog_get(struct catalog *c, const char *api_version,
                         const char *kind, const char *ns, const char *name);
/* A host for compose(); c lives as long as it is used. */
struct compose_host catalog_compose_host(struct catalog *c);

#endif
