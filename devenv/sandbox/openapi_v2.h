/*
 * openapi_v2.h - the OpenAPI v2 document in protobuf, for kubectl before 1.27.
 *
 * What: gnostic's Document (openapiv2/OpenAPIv2.proto) with a definition and a
 * PATCH for each served kind: explain, validation and dry-run of old kubectls.
 * Newer ones read v3 (openapi.h).
 */
#ifndef DEVENV_SANDBOX_OPENAPI_V2_H
#define DEVENV_SANDBOX_OPENAPI_V2_H

#include "devenv/sandbox/registry_state.h"

/* Appends the document. */
void openapi_v2(struct registry *r, struct buf *out);

#endif
