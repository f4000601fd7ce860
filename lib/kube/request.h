/*
 * request.h - inside of client.h: a struct kube_request as HTTP.
 *
 * What: method, path with query, content type and body, by the API's rules
 * (facts of each verb stand beside its row in request.c). Pure: no connection.
 * Lifetimes: method and content_type are literals; path and body are owned.
 */
#ifndef LIB_KUBE_REQUEST_H
#define LIB_KUBE_REQUEST_H

#include "lib/kube/client.h"

struct kube_wire {
    const char *method;
    const char *content_type; /* NULL: no body */
    const char *accept;
    char *if_none_match; /* or NULL; owned */
    struct buf path;     /* "/api/v1/...?x=y" */
    struct buf body;
    bool writes;
    bool repeatable; /* a second time changes nothing more */
};

/* read_only refuses writes. On failure w needs no release. */
bool kube_wire_init(struct kube_wire *w, const struct kube_request *r,
                    bool read_only, struct error *err);
void kube_wire_release(struct kube_wire *w);

#endif
