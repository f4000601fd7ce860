/*
 * crd_webhook.h - what spec.conversion of a CRD must say.
 *
 * Source: apiextensions-apiserver validation.go
 * validateCustomResourceConversion and apiserver
 * pkg/util/webhook/validation.go.
 */
#ifndef LIB_SCHEMA_CRD_WEBHOOK_H
#define LIB_SCHEMA_CRD_WEBHOOK_H

#include "lib/schema/schema.h"

void crd_check_conversion(const struct json *conversion,
                          struct schema_findings *bad);

#endif
