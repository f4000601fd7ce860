/*
 * negotiate.h - which form a client asked for, and which one it sends.
 *
 * What: Accept clauses by their quality, then in their order; the first that
 * can be served wins. The server answers in JSON or YAML, as objects, Tables,
 * metadata alone, aggregated discovery. Content-Type of bodies.
 * Source: apiserver endpoints/handlers/negotiation; go-restful for the routes
 * of built-in kinds; recorded in tests/wire/kubeapi.
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
    const char *version; /* "v1", "v1beta1", "v2"; static */
};

/* What may be asked for at an endpoint. */
enum { ALLOW_TRANSFORMS = 1, ALLOW_DISCOVERY = 2 };

/* header NULL: JSON. Nothing that can be served is a 406 in st. */
bool negotiate_accept(const char *header, unsigned allow, struct accept *out,
                      struct status *st);

/* What the routes of built-in kinds look at before: media types alone, by
 * name. 406 in st. */
enum route_forms { ROUTE_JSON, ROUTE_OBJECT, ROUTE_LIST };
bool negotiate_route(const char *header, enum route_forms forms,
                     struct status *st);

/* Whether JSON is to be indented, when it was not asked for by Accept: ?pretty
 * (NULL: absent), else what people read with. */
bool negotiate_pretty(const char *param, const char *user_agent);

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
