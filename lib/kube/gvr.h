/*
 * gvr.h - names of kinds, and the URL paths made of them.
 *
 * What: a resource is (group, version, plural); an object of it stands under
 * /api/v1/... (core group) or /apis/GROUP/VERSION/... (Kubernetes API
 * conventions, "API concepts"). Path segments are percent-encoded here, once.
 * Lifetimes: struct kube_gvr only points; its strings are literals, or belong
 * to a struct kube_kind of a discovery, which keeps them until it is freed.
 */
#ifndef LIB_KUBE_GVR_H
#define LIB_KUBE_GVR_H

#include "lib/base/buf.h"
#include "lib/base/error.h"

struct kube_gvr {
    const char *group; /* "" is the core group */
    const char *version;
    const char *resource; /* plural, lower case: "dataproducts" */
};

/* KUBE_GVR("meshifi.io", "v1alpha1", "dataproducts") */
#define KUBE_GVR(g, v, r) ((struct kube_gvr){(g), (v), (r)})

enum {
    KUBE_CAN_GET = 1,
    KUBE_CAN_LIST = 2,
    KUBE_CAN_WATCH = 4,
    KUBE_CAN_CREATE = 8,
    KUBE_CAN_UPDATE = 16,
    KUBE_CAN_PATCH = 32,
    KUBE_CAN_DELETE = 64,
    KUBE_CAN_DELETECOLLECTION = 128
};

/* One served kind, as discovery describes it. */
struct kube_kind {
    struct kube_gvr gvr;
    const char *kind;               /* "DataProduct" */
    const char *singular;           /* "dataproduct" */
    const char *const *short_names; /* NULL-terminated, never NULL */
    const char *const *categories;  /* NULL-terminated, never NULL */
    bool namespaced;
    bool preferred;  /* its version is the group's preferred one */
    bool has_status; /* has a status subresource */
    unsigned verbs;  /* KUBE_CAN_* */
};

/* NULL strings count as "". */
bool kube_gvr_eq(const struct kube_gvr *a, const struct kube_gvr *b);
/* "dataproducts.meshifi.io", or "configmaps" for the core group. */
bool kube_gvr_name(const struct kube_gvr *g, struct buf *out);
/* The apiVersion of its objects: "meshifi.io/v1alpha1", "v1". */
bool kube_gvr_api_version(const struct kube_gvr *g, struct buf *out);
/* The URL path, without host and query. ns NULL or "": cluster-scoped or all
 * namespaces; name NULL or "": the collection; sub NULL or "": none. A name or
 * namespace that can be no path segment ("", ".", "..", with '/' or '%') is
 * ERR_USAGE. */
bool kube_gvr_path(const struct kube_gvr *g, const char *ns, const char *name,
                   const char *sub, struct buf *out, struct error *err);
/* Splits "group/version" or "version"; false when it is neither. The views
 * point into api_version. */
bool kube_api_version_split(struct str api_version, struct str *group,
                            struct str *version);
/* Appends "key=value" with value percent-encoded, behind '?' or '&' as what
 * is in out so far asks for. */
bool kube_query_add(struct buf *out, const char *key, struct str value);

#endif
