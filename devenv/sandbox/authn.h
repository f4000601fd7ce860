/*
 * authn.h - who sends a request: certificates, tokens, or nobody.
 *
 * What: the proofs a request may bring, in kube-apiserver's order: a client
 * certificate of our CA (CN is the user, each O a group), a bearer token (the
 * admin's, those of a token file, those of ServiceAccounts). Without any it is
 * system:anonymous; one that is wrong is 401, also beside nothing else.
 * Source: apiserver authentication/request/{x509,bearertoken,anonymous},
 * token/tokenfile; kubernetes serviceaccount/claims.go.
 * Lifetimes: an identity lives in the arena of the call, or as long as authn.
 */
#ifndef DEVENV_SANDBOX_AUTHN_H
#define DEVENV_SANDBOX_AUTHN_H

#include "lib/base/clock.h"

#include "devenv/sandbox/http.h"
#include "devenv/sandbox/identity.h"
#include "devenv/sandbox/tls.h"

struct authn;

/* What a ServiceAccount's token is about. Texts are the caller's. */
struct authn_account {
    struct str ns, name;
    const char *uid;
    /* The Secret or Pod it dies with; kind "": none. */
    const char *bound_kind, *bound_name, *bound_uid;
    int64_t from_s, to_s; /* seconds since 1970 */
    const char *jti;      /* a UUID */
};
/* Whether account (and what it is bound to) are still there with these uids. */
typedef bool authn_alive_fn(void *arg, const struct authn_account *account);

struct authn_options {
    const struct tls_identity *id; /* not owned */
    const struct clock *clock;
    const char *token_file; /* as --token-auth-file has it; NULL: none */
};
/* Errors: of reading the token file (ERR_PARSE names the line). */
struct authn *authn_new(const struct authn_options *o, struct error *err);
void authn_free(struct authn *a);
/* Who knows the ServiceAccounts; without it their tokens are refused. */
void authn_set_accounts(struct authn *a, authn_alive_fn *fn, void *arg);

/* Who sent r, in r->arena; NULL: 401. */
const struct identity *authn_request(struct authn *a,
                                     const struct http_request *r);
/* Whose token this is; NULL: nobody's, or not meant for any of audiences
 * (NULL or none: for us). matched (may be NULL) gets those it is meant for. */
const struct identity *authn_token(struct authn *a, struct str token,
                                   const struct strlist *audiences,
                                   struct arena *arena,
                                   struct strlist *matched);
/* Appends the token that says account: a JWT that only this sandbox believes.
 * audiences: at least one. */
void authn_account_token(const struct authn *a,
                         const struct authn_account *account,
                         const struct strlist *audiences, struct buf *out);

/* The issuer and the audience of the API server itself. */
#define AUTHN_ISSUER "https://kubernetes.default.svc"

#endif
