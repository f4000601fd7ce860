/*
 * validate_schemas.h - the schemas that `validate` and `lint` check against.
 *
 * What: CRDs, what XRDs become, and packages' CRDs, by apiVersion and kind, as
 * `crossplane beta validate` gathers them. Nothing is fetched: packages come
 * from the folder where the crossplane CLI keeps what it fetched, from folders
 * and .xpkg files the user names, or are noted as missing.
 * Lifetimes: schemas live as long as the set; the objects given may go.
 * Source: crossplane 2.0.8 cmd/crank/beta/validate/manager.go.
 */
#ifndef CLI_VALIDATE_SCHEMAS_H
#define CLI_VALIDATE_SCHEMAS_H

#include "lib/base/map.h"

#include "lib/schema/schema.h"

struct schema_set {
    struct map by_kind;           /* "apiVersion/Kind" -> struct schema_entry */
    struct map packages;          /* references that were looked for */
    struct strlist missing;       /* of those, the ones that are not at hand */
    const char *cache;            /* the crossplane CLI's folder */
    struct strlist places;        /* folders and .xpkg files to look into */
    struct managed_kinds *clouds; /* with the mesh's kinds */
    bool as_crank;                /* XRDs are read as crank 2.0.8 reads them */
};

struct schema_entry {
    struct json *openapi;  /* until it is compiled */
    struct schema *schema; /* NULL before, and when it does not compile */
    bool builtin;
    char *problem; /* why it does not compile */
};

/* Adds what an extension gives; other objects are passed over. Errors:
 * `cannot derive composite CRD from XRD "x": ...`. */
bool schema_set_add(struct schema_set *s, const struct json *object,
                    struct error *err);
/* Crossplane's own kinds; with mesh, also the mesh's and the simulated cloud
 * providers'. What a user's extension defines goes before. */
void schema_set_add_builtin(struct schema_set *s, bool mesh);
/* NULL: no schema for that kind (err untouched), or it does not compile (err:
 * `cannot create schema validators: ...`). */
const struct schema *schema_set_find(struct schema_set *s,
                                     const char *api_version, const char *kind,
                                     struct error *err);
/* Every user's schema compiles? */
bool schema_set_compile(struct schema_set *s, struct error *err);
void schema_set_release(struct schema_set *s);

#endif
