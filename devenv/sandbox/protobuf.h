/*
 * protobuf.h - bodies that clients send in Kubernetes' protobuf form.
 *
 * What: the envelope "k8s\0" + runtime.Unknown, then the message of one of the
 * kinds in a table (protobuf_kinds.c), turned into the JSON a client would
 * have sent. Why: kubectl from 1.32 sends it for every typed POST and does not
 * fall back (facts 0.2). Answers are always JSON.
 * Fields with no value are left out, as Go's omitempty does; unknown fields
 * are skipped. Caps: depth 32, values at most as long as the input.
 */
#ifndef DEVENV_SANDBOX_PROTOBUF_H
#define DEVENV_SANDBOX_PROTOBUF_H

#include "lib/base/error.h"
#include "lib/base/json.h"

enum protobuf_type {
    PB_STRING,
    PB_INT,
    PB_BOOL,
    PB_BYTES,    /* base64 in JSON */
    PB_RAW_JSON, /* a message whose field 1 is JSON text */
    PB_MESSAGE,
    PB_STRING_MAP,
    PB_BYTES_MAP,
    PB_TIME,       /* RFC 3339, seconds */
    PB_MICRO_TIME, /* RFC 3339, microseconds */
    PB_INT_OR_STRING
};
enum { PB_LIST = 1, PB_KEEP_ZERO = 2 };

struct protobuf_message;
struct protobuf_field {
    unsigned number;
    const char *name;
    enum protobuf_type type;
    unsigned flags;
    const struct protobuf_message *message; /* of PB_MESSAGE */
};
struct protobuf_message {
    const struct protobuf_field *fields; /* ends with number 0 */
};
struct protobuf_kind {
    const char *api_version, *kind;
    const struct protobuf_message *message;
};
/* Ends with kind NULL. */
extern const struct protobuf_kind protobuf_kinds[];

/* The object as a JSON tree with apiVersion and kind. ERR_PARSE when the bytes
 * are no such envelope, ERR_UNSUPPORTED (naming the kind) when the kind has no
 * table. */
struct json *protobuf_object(struct str body, struct error *err);

#endif
