/*
 * crypto.h - keys, certificates and ciphers, for what templates make of them.
 *
 * What: the primitives under sprig's crypto functions: private keys in the PEM
 * forms Go writes, X.509 certificates, AES-CBC, HMAC, scrypt and bcrypt. A
 * second door to GnuTLS beside digest.c, and the only one to libcrypt.
 * Invariants: no clock: times are parameters. Keys are made with GnuTLS' own
 * randomness.
 * Lifetimes: a key belongs to the caller, texts are appended to buffers.
 * Sources: RFC 7914 (scrypt), RFC 5280; Go's crypto/x509, x/crypto/bcrypt.
 */
#ifndef LIB_BASE_CRYPTO_H
#define LIB_BASE_CRYPTO_H

#include "lib/base/buf.h"
#include "lib/base/error.h"

/* ---- private keys ---- */

enum crypto_kind { CRYPTO_RSA, CRYPTO_DSA, CRYPTO_ECDSA, CRYPTO_ED25519 };

struct crypto_key;

/* bits: of RSA and DSA; ECDSA is P-256. A long RSA key takes seconds. */
struct crypto_key *crypto_key_new(enum crypto_kind kind, unsigned bits,
                                  struct error *err);
/* The first PEM block of text; errors in sprig's words. */
struct crypto_key *crypto_key_read(struct str pem, struct error *err);
/* "RSA PRIVATE KEY" (PKCS#1), "DSA ...", "EC PRIVATE KEY", "PRIVATE KEY". */
bool crypto_key_print(const struct crypto_key *k, struct buf *out,
                      struct error *err);
void crypto_key_free(struct crypto_key *k);
/* For AUTO(crypto_key_free_ptr). */
void crypto_key_free_ptr(struct crypto_key **k);

/* ---- certificates ---- */

struct crypto_request {
    struct str common_name;
    const struct str *addresses, *names; /* of the subject: IP, DNS */
    size_t address_count, name_count;
    int64_t from_s, to_s; /* validity, since 1970 */
    uint8_t serial[16];
    bool is_ca;
};

/* Is text an IPv4 or IPv6 address? */
bool crypto_is_address(const char *text);
/* Is there a certificate in the PEM text? Errors in sprig's words. */
bool crypto_certificate_check(struct str pem, struct error *err);
/* Appends a PEM certificate for key, signed by signer, whose certificate is
 * issuer (PEM; empty: key signs itself). */
bool crypto_certificate(const struct crypto_request *request,
                        const struct crypto_key *key, struct str issuer,
                        const struct crypto_key *signer, struct buf *out,
                        struct error *err);

/* ---- ciphers and passwords ---- */

/* AES-256-CBC over whole blocks of 16 bytes, appended to out. */
bool crypto_aes_cbc(bool encrypt, const uint8_t key[32], const uint8_t iv[16],
                    struct str blocks, struct buf *out);
void crypto_hmac_sha256(struct str key, struct str data, uint8_t out[32]);
/* n = 1 << log_n; uses 128 * n * r bytes. */
void crypto_scrypt(struct str password, struct str salt, unsigned log_n,
                   unsigned r, unsigned p, uint8_t *out, size_t out_n);
/* Appends "$2a$10$...": bcrypt with these 16 bytes of salt. False when the
 * password has a NUL or libcrypt has no bcrypt. */
bool crypto_bcrypt(const char *password, const uint8_t salt[16],
                   struct buf *out);

#endif
