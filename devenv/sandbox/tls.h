/*
 * tls.h - who the sandbox is: its CA, its certificate, its bearer token; and
 * the certificates by which it knows its users.
 *
 * What: made in process at the first start (P-256, names 127.0.0.1, ::1 and
 * localhost, valid 10 years), kept in the data folder (0600) and used again;
 * made anew when they expire within 30 days or cannot be read as ours.
 * Why TLS at all on loopback: client-go sends no token over plain HTTP.
 * Why the CA's key is kept: to sign certificates of users at any time, also
 * while nothing runs. Whoever reads it could read the admin's token beside it,
 * and only our own kubeconfigs trust this CA.
 * Lifetime: struct tls_identity and struct tls_peer own their texts.
 */
#ifndef DEVENV_SANDBOX_TLS_H
#define DEVENV_SANDBOX_TLS_H

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/str.h"

struct tls_identity {
    char *ca;     /* PEM */
    char *cert;   /* PEM, the leaf alone */
    char *key;    /* PEM */
    char *ca_key; /* PEM */
    char *token;  /* 43 characters, base64url of 32 random bytes */
    bool fresh;   /* made by this call */
};

/* Reads FOLDER/sandbox.pem and FOLDER/sandbox.token or makes them; folder NULL
 * makes an identity that is written nowhere. Errors: ERR_IO, ERR_DENIED;
 * ERR_INTERNAL when GnuTLS refuses. */
bool tls_load(const char *folder, struct tls_identity *id, struct error *err);
void tls_release(struct tls_identity *id);

/* ---- certificates of users ---- */

/* A key and a certificate for it, both PEM. */
struct tls_user {
    char *cert, *key;
};
/* Signs a client certificate: CN = name, O = each group, for days from now.
 * ERR_USAGE when a text does not fit into a name (64 bytes each). */
bool tls_sign_user(const struct tls_identity *id, const char *name,
                   const struct strlist *groups, unsigned days,
                   struct tls_user *out, struct error *err);
void tls_user_release(struct tls_user *u);

enum tls_peer_state {
    TLS_PEER_NONE,    /* it showed no certificate */
    TLS_PEER_REFUSED, /* none of ours, not for clients, expired, no name */
    TLS_PEER_GOOD
};
/* Whom the other end's certificate names. */
struct tls_peer {
    enum tls_peer_state state;
    char *name;            /* CN */
    struct strlist groups; /* each O */
    char fingerprint[65];  /* SHA-256 of the certificate, hexadecimal */
};
/* session: of GnuTLS, after its handshake, with our CA trusted. */
void tls_peer_read(void *session, struct tls_peer *out);
void tls_peer_release(struct tls_peer *p);

/* ---- kubeconfigs ---- */

/* Appends a kubeconfig with one cluster, user and context, all called name
 * ("meshtop-mesh"), for https://host:port. user NULL: with the token. */
void tls_kubeconfig(const struct tls_identity *id, const struct tls_user *user,
                    const char *name, const char *host, unsigned port,
                    struct buf *out);

/* Equal, found out in a time that does not say where they differ. */
bool tls_same(struct str a, struct str b);
/* True when given equals the token; takes as long for every wrong one. */
bool tls_token_ok(const struct tls_identity *id, struct str given);

#endif
