/*
 * catalog.h - what a cluster can compose: definitions, Compositions, revisions,
 * Functions, asked for when a plan needs them, parsed and compiled once. For
 * the planner only.
 *
 * Invariants: only what the host knew is kept; what it did not know is counted
 * in `unknown` and asked for again by the next plan.
 * Lifetimes: everything handed out lives until catalog_forget.
 */
#ifndef LIB_MESH_CATALOG_H
#define LIB_MESH_CATALOG_H

#include "lib/base/map.h"

#include "lib/schema/schema.h"

#include "lib/compose/compose.h"
#include "lib/compose/functions.h"
#include "lib/compose/manifests.h"
#include "lib/compose/revision.h"
#include "lib/compose/xrd.h"

#include "lib/mesh/planner.h"

/* What defines a kind. */
struct definition {
    struct json *source; /* an XRD, or a CustomResourceDefinition */
    const char *group, *kind;
    bool composite; /* source is an XRD */
    bool legacy;    /* its machinery stands in spec, not in spec.crossplane */
    bool built_in;  /* Kubernetes' or Crossplane's own: not asked for */
};

/* A Composition or a CompositionRevision. */
struct recipe {
    struct json *source;
    char *name;     /* of the Composition */
    char *revision; /* its revision's name, as core makes it */
    struct pipeline *pipeline;
    bool looks_back; /* what exists may change what is composed */
};

struct catalog {
    struct mesh_host host;
    bool scanned;           /* definitions of a host that cannot look up */
    bool functions_known;   /* functions is complete */
    struct map definitions; /* "group/Kind" -> struct definition, or NULL */
    struct map schemas;     /* "apiVersion/Kind" -> struct schema */
    struct map recipes;     /* "Kind/name" -> struct recipe */
    struct map selections;  /* "apiVersion Kind labels" -> what was selected */
    struct map definitions_asked; /* selector -> an array of XRDs */
    struct map found; /* names that pipelines found, as "Kind/name" */
    struct functions functions;
    struct strlist unknown; /* kinds that could not be looked up */
    struct json *missed;    /* selectors by label that matched nothing */
    struct manifests_memo own, *memo; /* own, or the one of another catalog */
};

void catalog_init(struct catalog *c, const struct mesh_host *host);
void catalog_forget(struct catalog *c);
void catalog_release(struct catalog *c);
/* The Functions and, where the host cannot look definitions up, the XRDs; once.
 * False: they are not known (yet). */
bool catalog_load(struct catalog *c);
/* Of what a plan met: unknown, found, missed. */
void catalog_begin_plan(struct catalog *c);

/* NULL: nothing is known to define it. */
const struct definition *
catalog_kind(struct catalog *c, const char *api_version, const char *kind);
/* The same of composite resources only. */
const struct definition *catalog_definition(struct catalog *c,
                                            const char *api_version,
                                            const char *kind);
/* The version's entry in spec.versions, or NULL. */
const struct json *catalog_version(const struct definition *d,
                                   const char *api_version);
/* The schema of a version; NULL and err when it cannot be had. */
const struct schema *catalog_schema(struct catalog *c,
                                    const struct definition *d,
                                    const char *api_version, struct error *err);
/* One object of the cluster as a fresh tree, or NULL. What cannot be said is
 * remembered in c->unknown. */
struct json *catalog_get(struct catalog *c, const char *api_version,
                         const char *kind, const char *ns, const char *name);

/* ---- catalog_choice.c ---- */
struct choice {
    struct recipe *recipe;
    size_t choices; /* how many fitted where core takes one at random, else 1 */
    /* Manual, or a selector, keeps it on recipe although the Composition is
     * at this revision; NULL: it is at the newest. Lives in the catalog. */
    const char *newer;
    bool manual;
};

/* What core would run for xr (composite/api.go): the XRD's enforced
 * Composition, the XR's reference, its selector, the XRD's default, any that
 * fits; of it the revision that the update policy and the revision selector
 * say. False: err in upstream's words (or that it is not known). */
bool catalog_choose(struct catalog *c, const struct definition *d,
                    const struct json *xr, struct choice *out,
                    struct error *err);
/* Compiles a recipe's pipeline, once. */
struct pipeline *catalog_pipeline(struct recipe *r, struct error *err);
void catalog_recipe_free(struct recipe *r);
bool catalog_labels_match(const struct json *object, const struct json *want);
/* Most bodies are told apart without parsing them. */
bool catalog_may_match(struct str body, const struct json *labels);

/* ---- catalog_host.c ---- */
/* A host for compose(); c lives as long as it is used. */
struct compose_host catalog_compose_host(struct catalog *c);

#endif
