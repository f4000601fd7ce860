/*
 * revision.h - a Composition's hash and the revision made of it.
 *
 * Source: crossplane 2.0.8 apis/apiextensions/v1/composition_hash.go,
 * internal/controller/apiextensions/composition/revision.go.
 */
#ifndef LIB_COMPOSE_REVISION_H
#define LIB_COMPOSE_REVISION_H

#include "lib/base/json.h"

/* sha256 of the YAML of labels, annotations and spec, 64 hex digits. The spec
 * is read as the API server stores it (mode Pipeline defaulted). */
#define REVISION_HASH_LEN 65
void revision_hash(const struct json *composition, char out[REVISION_HASH_LEN]);
/* The CompositionRevision of number n (from 1): name "<composition>-<7 hex>",
 * labels, controller reference, spec. A fresh tree of the caller. */
struct json *revision_new(const struct json *composition, int64_t n);

#endif
