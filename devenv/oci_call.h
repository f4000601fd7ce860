/*
 * oci_call.h - one request to a registry (for devenv/oci.c).
 *
 * What: sends, waits, sends again: with a token when the registry asks who one
 * is, in plain HTTP where a loopback registry speaks no TLS, after a pause when
 * the network or the server failed.
 * Lifetimes: texts of struct oci live in its arena, authorization until the
 * next one or oci_close, which wipes it; an answer is the caller's.
 */
#ifndef DEVENV_OCI_CALL_H
#define DEVENV_OCI_CALL_H

#include "lib/base/arena.h"

#include "devenv/docker_ref.h"
#include "devenv/oci.h"

struct oci {
    struct loop *loop;
    struct kube_http *http;
    struct arena *arena;
    struct docker_ref ref;
    struct oci_options options;
    const char *host;       /* to speak to: "registry-1.docker.io" */
    const char *repository; /* "library/nginx" */
    const char *scheme;     /* "https", or "http" once that is settled */
    bool settled;           /* somebody answered on scheme */
    char *authorization;    /* a header's value, secret; or NULL */
};

struct oci_request {
    const char *method; /* "GET" ... */
    const char *path;   /* "/v2/...", or a whole URL (an upload's Location) */
    const char *type;   /* of the body, or NULL */
    const char *accept; /* or NULL */
    struct str body;
    size_t max; /* bytes of an answer; 0: 4 MiB */
    bool push;  /* a token must allow writing */
};

struct oci_answer {
    int status;
    struct buf body;
    char *location;
};
void oci_answer_release(struct oci_answer *a);

/* True for every answer below 500; a refusal for want of rights is an answer
 * too. */
bool oci_call(struct oci *o, const struct oci_request *r,
              struct oci_answer *out, struct error *err);
/* err: what was being done, and the registry's words. Returns false. */
bool oci_refused(const struct oci *o, const struct oci_answer *a,
                 const char *what, struct error *err);

#endif
