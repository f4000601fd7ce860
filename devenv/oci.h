/*
 * oci.h - a package's repository in a container registry.
 *
 * What: pushes and pulls one package over HTTP(S), with the credentials of the
 * user's docker configuration: Basic, or a Bearer token from the place that
 * the registry names. A blob that is there is not sent again.
 * Invariants: what is pulled is what its digest says. A credential goes to the
 * registry's own host and to the token server it names, over HTTPS (or to a
 * registry that is spoken to in plain HTTP), and nowhere else. Plain HTTP is
 * spoken to loopback names, and to others only when asked for. The network's
 * failures and 5xx are tried three times.
 * Errors: MT-PKG-PULL with the registry's words; a usage error for a reference
 * that is none.
 * Lifetimes: oci_open ... oci_close; a progress function is called between.
 * Source: OCI distribution specification 1.1; docker's token specification;
 * the package layout as crossplane 2.0.8 cmd/crank/xpkg/push.go pushes it.
 */
#ifndef DEVENV_OCI_H
#define DEVENV_OCI_H

#include "lib/base/loop.h"

#include "devenv/dockerconfig.h"
#include "devenv/xpkg.h"

struct oci;

struct oci_options {
    const char *ca;  /* PEM text; NULL: the system's CAs */
    bool plain_http; /* no TLS, whatever the host */
    const struct dockerconfig *credentials; /* or NULL */
    /* What is being done, for people: "layer 1 of 2, 18300 bytes". */
    void (*on_progress)(void *arg, const char *text);
    void *arg;
};

/* ref: REGISTRY/REPOSITORY[:TAG][@sha256:...]; the registry must be named, as
 * Crossplane asks for. Asks nothing yet. */
struct oci *oci_open(struct loop *l, const char *ref,
                     const struct oci_options *o, struct error *err);
void oci_close(struct oci *o);
void oci_close_ptr(struct oci **o);
/* Is text such a reference (and no path)? */
bool oci_is_reference(const char *text);

/* All blobs, then the manifest under the reference's tag ("latest" without
 * one). */
bool oci_push(struct oci *o, const struct xpkg *x, struct error *err);
bool oci_pull(struct oci *o, struct xpkg *out, struct error *err);

#endif
