/*
 * fn_gotemplate.h - what function-go-templating makes of the objects its
 * template wrote (private to lib/compose).
 *
 * What: fn_gotemplate.c reads the input and renders; fn_gotemplate_objects.c
 * turns each object into desired state, status, conditions, context, connection
 * details or requirements.
 * Source: function-go-templating v0.12.2 fn.go, claimconditions.go, context.go,
 * extraresources.go.
 */
#ifndef LIB_COMPOSE_FN_GOTEMPLATE_H
#define LIB_COMPOSE_FN_GOTEMPLATE_H

#include "lib/compose/function.h"

#define GOTEMPLATE_PREFIX "gotemplating.fn.crossplane.io/"

/* Takes *object over when it becomes a desired resource. False: a fatal result
 * is in rsp. */
bool gotemplate_take(const struct fn_request *req, struct fn_response *rsp,
                     struct json **object);
/* What was asked for lands in the context, where other steps find it. */
void gotemplate_context(const struct fn_request *req, struct fn_response *rsp);

#endif
