/*
 * digest.h - hashes and the texts made of bytes. Hashes come from GnuTLS,
 * whose other doors are crypto.h and devenv/sandbox/tls.c.
 */
#ifndef LIB_BASE_DIGEST_H
#define LIB_BASE_DIGEST_H

#include "lib/base/buf.h"

enum digest_kind { DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA512 };
#define DIGEST_MAX 64

/* Hashes data into out; returns its size: 20, 32 or 64 bytes. */
size_t digest_of(enum digest_kind kind, struct str data,
                 uint8_t out[DIGEST_MAX]);
/* Lower-case hexadecimal of the hash, NUL-terminated. */
#define DIGEST_HEX_MAX (2 * DIGEST_MAX + 1)
void digest_hex(enum digest_kind kind, struct str data,
                char out[DIGEST_HEX_MAX]);
/* The same over pieces. digest_end puts the hexadecimal into out (NULL: not
 * wanted) and frees d; NULL is fine. */
struct digest;
struct digest *digest_new(enum digest_kind kind);
void digest_add(struct digest *d, const void *p, size_t n);
void digest_end(struct digest *d, char out[DIGEST_HEX_MAX]);
/* RFC 1950. */
uint32_t digest_adler32(struct str data);
/* FNV-1a, 32 bits. */
uint32_t digest_fnv32(struct str data);
/* RFC 4648 base64 with padding; url: the url-safe alphabet without padding. */
bool digest_base64(struct str data, bool url, struct buf *out);
/* Strict; false on any byte outside the alphabet or a bad length. Line breaks
 * are accepted when not url (as Go's StdEncoding does). */
bool digest_unbase64(struct str text, bool url, struct buf *out);

#endif
