/*
 * composition_check.h - what keeps a Composition from composing.
 *
 * What: what schema and CEL rules (lib/schema,
 * assets/crossplane/apiextensions.yaml) cannot see: that no XR is of its type,
 * that a step's function is missing, that a function refuses the step's input
 * (a template that does not parse). Crossplane says these at the first
 * reconcile of an XR; the words are the same.
 * Lifetimes: nothing is kept; findings own their texts.
 * Source: crossplane 2.0.8 internal/controller/apiextensions/composite/
 * {api,composition_functions}.go, internal/xfn/function_runner.go.
 */
#ifndef LIB_COMPOSE_COMPOSITION_CHECK_H
#define LIB_COMPOSE_COMPOSITION_CHECK_H

#include "lib/schema/schema.h"

#include "lib/compose/function.h"

/* What is known beside the Composition; a NULL member is not asked about. */
struct composition_world {
    void *arg;
    /* The XRD that defines the kind (its own or its claim's), or NULL. */
    const struct json *(*xrd)(void *arg, const char *group, const char *kind);
    /* functions_find: ERR_NOT_FOUND, ERR_UNSUPPORTED. */
    const struct function *(*function)(void *arg, const char *name,
                                       struct error *err);
};

/* The reasons of the findings. */
#define COMPOSITION_TYPE_UNDEFINED    "TypeUndefined"
#define COMPOSITION_TYPE_INCOMPATIBLE "TypeIncompatible"
#define COMPOSITION_FUNCTION_MISSING  "FunctionMissing"
/* Installed, but it runs on a cluster only: its input cannot be read. */
#define COMPOSITION_FUNCTION_FOREIGN "FunctionForeign"
#define COMPOSITION_INPUT_REFUSED    "InputRefused"

void composition_check(const struct json *composition,
                       const struct composition_world *w,
                       struct schema_findings *bad);

#endif
