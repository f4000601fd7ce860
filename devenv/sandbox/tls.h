/*
 * tls.h - who the sandbox is: its CA, its certificate, its bearer token.
 *
 * What: made in process at the first start (P-256, names 127.0.0.1, ::1 and
 * localhost, valid 10 years), kept in the data folder (0600) and used again;
 * made anew when they expire within 30 days or cannot be read as ours.
 * Why TLS at all on loopback: client-go sends no token over plain HTTP.
 * The CA's private key is thrown away once the leaf is signed.
 * Lifetime: struct tls_identity owns its texts; tls_release.
 */
#ifndef DEVENV_SANDBOX_TLS_H
#define DEVENV_SANDBOX_TLS_H

#include "lib/base/buf.h"
#include "lib/base/error.h"

struct tls_identity {
    char *ca;    /* PEM */
    char *cert;  /* PEM, the leaf alone */
    char *key;   /* PEM */
    char *token; /* 43 characters, base64url of 32 random bytes */
    bool fresh;  /* made by this call */
};

/* Reads FOLDER/sandbox.pem and FOLDER/sandbox.token or makes them; folder NULL
 * makes an identity that is written nowhere. Errors: ERR_IO, ERR_DENIED;
 * ERR_INTERNAL when GnuTLS refuses. */
bool tls_load(const char *folder, struct tls_identity *id, struct error *err);
void tls_release(struct tls_identity *id);

/* Appends a kubeconfig with one cluster, user and context, all called name
 * ("meshtop-mesh"), for https://host:port. */
void tls_kubeconfig(const struct tls_identity *id, const char *name,
                    const char *host, unsigned port, struct buf *out);

/* True when given equals the token; takes as long for every wrong one. */
bool tls_token_ok(const struct tls_identity *id, struct str given);

#endif
