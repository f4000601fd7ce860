/*
 * negotiate.h - which form a client asked for, and which one it sends.
 *
 * What: Accept clauses in their order, the first that can be served wins; the
 * server answers in JSON only, as objects, Tables, metadata alone, aggregated
 * discovery, or (asked for YAML) as YAML. Content-Type of bodies.
 * Source: apiserver endpoints/handlers/negotiation, facts of 1.2.
 */
#ifndef DEVENV_SANDBOX_NEGOTIATE_H
#define DEVENV_SANDBOX_NEGOTIATE_H

#include "lib/base/str.h"

#include "devenv/sandbox/status.h"

enum accept_form {
    ACCEPT_OBJECT,
    ACCEPT_TABLE,
    ACCEPT_METADATA,      /* PartialObjectMetadata */
    ACCEPT_METADATA_LIST, /* PartialObjectMetadataList */
    ACCEPT_DISCOVERY      /* APIGroupDiscoveryList */
};

struct accept {
    enum accept_form form;
    bool yaml, pretty;
    const char *version; /* "v1", "v1beta1", "v2", "v2beta1"; static */
};

/* What may be asked for at an endpoint. */
enum { ALLOW_TRANSFORMS = 1, ALLOW_DISCOVERY = 2 };

/* header NULL: JSON. Nothing that can be served is a 406 in st. */
bool negotiate_accept(const char *header, unsigned allow, struct accept *out,
                      struct status *st);

enum body_type {
    BODY_JSON,
    BODY_YAML,
    BODY_PROTOBUF,
    BODY_MERGE_PATCH,
    BODY_JSON_PATCH,
    BODY_STRATEGIC_PATCH,
    BODY_APPLY,
    BODY_OTHER
};
/* header NULL or empty: JSON. */
enum body_type negotiate_body(const char *header);

#endif
