/*
 * body.h - the object in the body of a create or update, and the API server's
 * words where there is none.
 *
 * What: JSON, YAML or Kubernetes' protobuf to a tree that has an apiVersion and
 * a kind; what stands twice in it. Words: apimachinery runtime/serializer and
 * runtime.SummarizeData.
 */
#ifndef DEVENV_SANDBOX_BODY_H
#define DEVENV_SANDBOX_BODY_H

#include "devenv/sandbox/rest.h"

/* The Go type that finds out what a body is. */
#define BODY_TYPE_META                                                         \
    "struct { APIVersion string \"json:\\\"apiVersion,omitempty\\\"\"; Kind "  \
    "string \"json:\\\"kind,omitempty\\\"\" }"

/* The object; NULL: 400 or 415 in rq->st. doubles gets a text for each field
 * that stands twice (`duplicate field "spec.color"`), in the order of the body.
 */
struct json *body_object(struct rest *rq, struct strlist *doubles);
/* Parses JSON; on failure why gets what Go's decoder says of the text. */
struct json *body_json(struct str text, const struct json_options *o,
                       struct buf *why);
/* Go's word for the type of a value: "array". */
const char *body_go_word(const struct json *j);

#endif
