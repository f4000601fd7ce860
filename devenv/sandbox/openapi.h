/*
 * openapi.h - /openapi/v3, made from the types and schemas as clients ask for
 * it, and /openapi/v2 (openapi_v2.h).
 *
 * What kubectl needs: per group and version the paths with a PATCH
 * that has a fieldValidation parameter, x-kubernetes-group-version-kind, and
 * the schemas for explain. Built-in types stand there once and refer to each
 * other, as on a real server.
 * Documents are made when first asked for and kept as text until something
 * they are made of changes: their hash, which is also their ETag, comes from
 * the definitions (uid, generation), not from the text, so that the index costs
 * nothing.
 */
#ifndef DEVENV_SANDBOX_OPENAPI_H
#define DEVENV_SANDBOX_OPENAPI_H

#include "lib/base/base.h"

#include "devenv/sandbox/kinds.h"

struct rest;

/* Answers when the path is under /openapi. */
bool openapi_serve(struct rest *rq);

/* ---- for openapi_v2.c ---- */

#define OPENAPI_META_MODEL "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"

/* Models by name (fresh trees) of what has been named so far, and the types
 * that are still to be added. */
struct openapi_models {
    struct types *types;
    const char *prefix;   /* of references: "#/definitions/" */
    struct json *schemas; /* name -> schema */
    struct map wanted;    /* name -> struct types_struct */
};
/* Adds the model of k; what it refers to is wanted then. Its name, in fresh
 * memory. */
char *openapi_add_model(struct openapi_models *m, const struct kind_info *k);
/* Adds what is wanted until nothing is; releases the map. */
void openapi_add_wanted(struct openapi_models *m);
struct json *openapi_gvk(const struct kind *k);
/* What the definitions of group/version ("v1", "apps/v1"; NULL: all) hash to,
 * as 16 hexadecimal digits. */
#define OPENAPI_HASH_LEN 17
void openapi_hash(const struct kinds *t, const char *gv,
                  char out[OPENAPI_HASH_LEN]);

#endif
