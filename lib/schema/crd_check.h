/*
 * crd_check.h - what makes a CustomResourceDefinition (v1) invalid.
 *
 * What: the API server's defaults and its checks, in its words, as findings.
 * Source: apiextensions-apiserver pkg/apis/apiextensions/{v1/defaults.go,
 * validation/validation.go}.
 */
#ifndef LIB_SCHEMA_CRD_CHECK_H
#define LIB_SCHEMA_CRD_CHECK_H

#include "lib/schema/schema.h"

/* Sets listKind, singular and conversion where they are absent. */
void crd_default(struct json *crd);
/* Adds a finding for each fault of a defaulted CRD. old: the CRD as it was, or
 * NULL for a new one; established: objects of it may exist (kind and scope are
 * fixed then). What all objects have (metadata) and names that other CRDs have
 * are the caller's. */
void crd_check(const struct json *crd, const struct json *old, bool established,
               struct schema_findings *bad);

#endif
