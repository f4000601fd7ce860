/*
 * kinds.h - what the sandbox knows of each served resource: names, schema,
 * columns, subresources; and the table of all of them.
 *
 * What: a resource is one plural of one group; it has one struct kind_info per
 * served version. Built-in resources come from assets/api, the
 * others from CustomResourceDefinitions.
 * Lifetimes: a kind_info is counted (kind_keep, kind_drop), because a watch
 * may outlive its CRD's version; everything it points to lives as long.
 */
#ifndef DEVENV_SANDBOX_KINDS_H
#define DEVENV_SANDBOX_KINDS_H

#include "lib/base/arena.h"
#include "lib/base/map.h"

#include "lib/schema/jsonpath.h"
#include "lib/schema/schema.h"

#include "devenv/sandbox/fields.h"
#include "devenv/sandbox/registry.h"
#include "devenv/sandbox/types.h"

struct builtin;

struct kind_column {
    const char *name, *type, *format, *description;
    int64_t priority;
    struct jsonpath *path;
    const char *cell; /* of built-in kinds, instead of path: cells.h */
};

/* What else stands below an object of a built-in kind. */
struct kind_sub {
    const char *name;                   /* "scale" */
    const char *group, *version, *kind; /* "autoscaling", "v1", "Scale" */
    char **verbs;                       /* NULL-terminated */
};

struct kind_selectable {
    const char *label; /* "spec.color" */
    struct jsonpath *path;
};

struct kind_info {
    struct kind pub; /* first */
    size_t users;
    struct arena *arena;              /* of every text here */
    const char *store_kind;           /* "group/plural": the key of the store */
    const char *view;                 /* "group/version/plural" */
    char **short_names, **categories; /* NULL-terminated */
    struct schema *schema;            /* of kind_types */
    struct fields_types types;
    bool compiled; /* schema and types.root are what they will be */
    struct kind_column *columns;
    size_t columns_n;
    struct kind_selectable *selectable;
    size_t selectable_n;
    struct jsonpath *scale_spec, *scale_status, *scale_selector;
    const char *deprecation;       /* the warning's text, or NULL */
    const struct json *openapi;    /* openAPIV3Schema; owned through crd */
    struct json *crd;              /* the definition it was made from */
    const struct builtin *builtin; /* what only this kind does, or NULL */
    struct types *all;             /* the table of types of built-in kinds */
    char **verbs;                  /* of built-in kinds, NULL-terminated */
    struct kind_sub *subs;         /* of built-in kinds */
    size_t subs_n;
    const char *storage_api_version;
    /* Objects may be stored that were made by another schema: what is read is
     * pruned and defaulted. */
    bool fit_read;
};

/* One plural of one group. */
struct resource {
    struct kind_info **v; /* served versions, the preferred first */
    size_t n;
    bool terminating; /* its CRD is going: no creates */
};

/* A document made of the kinds, as text, and what it was made from. */
struct kinds_document {
    char hash[17];
    struct buf text;
};

struct kinds {
    struct map by_kind;     /* "g/v Kind" -> kind_info */
    struct map by_resource; /* "g/v/plural" -> kind_info */
    struct map resources;   /* "g/plural" -> resource, owned */
    struct types *types;    /* of built-in kinds; owned */
    struct map documents;   /* kinds_document, owned: openapi.h */
    uint64_t version;       /* rises with each change: discovery's ETag */
};

void kinds_release(struct kinds *k);
/* Reads assets/api/kinds.txt (builtin_kinds.c). */
bool kinds_add_builtin(struct kinds *k, struct error *err);
/* Serves the versions of a resource (takes them), in place of what is there. */
void kinds_serve(struct kinds *t, struct resource *r);
/* Serves (or serves anew) the versions of a CRD object. Problems of the
 * schemas are found before, by crd_check; a version that does not compile
 * is served without schema. */
void kinds_add(struct kinds *k, const struct json *crd);
void kinds_remove(struct kinds *k, const char *group, const char *plural);
struct resource *kinds_resource(const struct kinds *k, const char *group,
                                const char *plural);
struct kind_info *kinds_kind(const struct kinds *k, const char *api_version,
                             const char *kind);
struct kind_info *kinds_find(const struct kinds *k, const char *group,
                             const char *version, const char *plural);

struct kind_info *kind_keep(struct kind_info *k);
void kind_drop(struct kind_info *k);
/* An object of another version becomes one of the version that is stored: what
 * its schema does not know goes. */
void kinds_fit_storage(struct kinds *t, const struct kind *k, struct json *obj);
/* What was stored becomes an object of this version (fit_read). */
void kind_fit_read(struct kind_info *k, struct json *obj);
/* What the fields of its objects are; root is NULL when everything is kept. */
const struct fields_types *kind_types(struct kind_info *k);
/* Its Go type; NULL: a custom kind. */
const struct types_struct *kind_type(const struct kind_info *k);
/* The full one behind the public face. */
static inline struct kind_info *
kind_info(const struct kind *k)
{
    return (struct kind_info *)k;
}

/* Kubernetes' order of versions: v2 before v1 before v1beta1 before foo; the
 * sign of strcmp. */
int kinds_version_order(const char *a, const char *b);

#endif
