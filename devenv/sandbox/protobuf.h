/*
 * protobuf.h - bodies that clients send in Kubernetes' protobuf form.
 *
 * What: the envelope "k8s\0" + runtime.Unknown, then the message of a built-in
 * kind, turned by its type (types.h) into the JSON a client would have sent.
 * Why: kubectl from 1.32 sends it for every typed POST and does not fall
 * back. Answers are always JSON. Fields with no value are left out, as
 * Go's omitempty does; unknown fields are skipped. Caps: depth 100, values at
 * most as long as the input.
 */
#ifndef DEVENV_SANDBOX_PROTOBUF_H
#define DEVENV_SANDBOX_PROTOBUF_H

#include "lib/base/error.h"
#include "lib/base/json.h"

struct types;

/* The object as a JSON tree with apiVersion and kind. ERR_PARSE when the bytes
 * are no such envelope, ERR_UNSUPPORTED (naming the kind) when the kind has no
 * table. */
struct json *protobuf_object(struct types *t, struct str body,
                             struct error *err);

#endif
