/*
 * openapi.h - /openapi/v3, made from the schemas as clients ask for it, and
 * /openapi/v2 (openapi_v2.h).
 *
 * What kubectl needs (facts 1.4): per group and version the paths with a PATCH
 * that has a fieldValidation parameter, x-kubernetes-group-version-kind, and
 * the schemas for explain.
 */
#ifndef DEVENV_SANDBOX_OPENAPI_H
#define DEVENV_SANDBOX_OPENAPI_H

#include "lib/base/base.h"

struct rest;

/* Answers when the path is under /openapi. */
bool openapi_serve(struct rest *rq);

#endif
