/*
 * xrd_check.h - what keeps an XRD from being established.
 *
 * What: the API server takes any XRD that its schema and its CEL rules allow
 * (lib/schema, assets/crossplane/apiextensions.yaml); whether Crossplane can
 * make CustomResourceDefinitions of it shows later, in events only. This says
 * it at once: the errors of rendering, and what the API server would say to the
 * rendered definitions, with the XRD's own field paths.
 * Lifetimes: nothing is kept; findings own their texts.
 * Source: crossplane 2.0.8 internal/controller/apiextensions/{definition,
 * offered}/reconciler.go, internal/xcrd.
 */
#ifndef LIB_COMPOSE_XRD_CHECK_H
#define LIB_COMPOSE_XRD_CHECK_H

#include "lib/schema/schema.h"

/* Adds a finding for each fault; fields are the XRD's ("spec.versions[0].
 * schema.openAPIV3Schema.properties[spec]..."). */
void xrd_check(const struct json *xrd, struct schema_findings *bad);
/* The names of xrd that other has taken already: `"xshelves" is already in
 * use` (NamesAccepted of the definition is then False). Nothing when both are
 * the same XRD (by name) or of different groups. */
void xrd_check_names(const struct json *xrd, const struct json *other,
                     struct schema_findings *bad);

#endif
