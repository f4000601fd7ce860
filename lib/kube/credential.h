/*
 * credential.h - inside of auth.h: what a credential plugin prints.
 *
 * What: an ExecCredential (client.authentication.k8s.io v1, v1beta1) read and
 * checked by the rules of client-go (plugin/pkg/client/auth/exec,
 * refreshCredsLocked), in its words. Pure.
 * Invariants: a token has no control characters; a certificate has its key.
 */
#ifndef LIB_KUBE_CREDENTIAL_H
#define LIB_KUBE_CREDENTIAL_H

#include "lib/base/error.h"
#include "lib/base/str.h"

struct kube_credential {
    char *token, *cert, *key; /* or NULL; secret */
    int64_t expires_s;        /* since 1970; 0: it does not say */
};

/* api_version is the one the kubeconfig names. out untouched on failure. */
bool kube_credential_read(struct str text, const char *api_version,
                          struct kube_credential *out, struct error *err);
/* Wipes. */
void kube_credential_release(struct kube_credential *c);

#endif
