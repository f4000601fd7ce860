#include "lib/base/digest.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>

#include "lib/base/ascii.h"
#include "lib/base/mem.h"

static const struct algorithm {
    gnutls_digest_algorithm_t id;
    size_t size;
} algorithms[] = {
    [DIGEST_SHA1] = {GNUTLS_DIG_SHA1, 20},
    [DIGEST_SHA256] = {GNUTLS_DIG_SHA256, 32},
    [DIGEST_SHA512] = {GNUTLS_DIG_SHA512, 64},
};

size_t
digest_of(enum digest_kind kind, struct str data, uint8_t out[DIGEST_MAX])
{
    const struct algorithm *a = &algorithms[kind];

    if (gnutls_hash_fast(a->id, data.s, data.n, out) < 0)
        die("GnuTLS cannot hash");
    return a->size;
}

static void
hex_of(const uint8_t *hash, size_t n, char out[DIGEST_HEX_MAX])
{
    for (size_t i = 0; i < n; i++) {
        *out++ = ascii_hex_digit(hash[i] >> 4);
        *out++ = ascii_hex_digit(hash[i]);
    }
    *out = '\0';
}

void
digest_hex(enum digest_kind kind, struct str data, char out[DIGEST_HEX_MAX])
{
    uint8_t hash[DIGEST_MAX];

    hex_of(hash, digest_of(kind, data, hash), out);
}

struct digest {
    gnutls_hash_hd_t hash;
    size_t size;
};

struct digest *
digest_new(enum digest_kind kind)
{
    struct digest *d = mem_zalloc(1, sizeof(*d));

    d->size = algorithms[kind].size;
    if (gnutls_hash_init(&d->hash, algorithms[kind].id) < 0)
        die("GnuTLS cannot hash");
    return d;
}

void
digest_add(struct digest *d, const void *p, size_t n)
{
    if (gnutls_hash(d->hash, p, n) < 0)
        die("GnuTLS cannot hash");
}

void
digest_end(struct digest *d, char out[DIGEST_HEX_MAX])
{
    uint8_t hash[DIGEST_MAX];

    if (!d)
        return;
    gnutls_hash_deinit(d->hash, hash);
    if (out)
        hex_of(hash, d->size, out);
    free(d);
}

uint32_t
digest_adler32(struct str data)
{
    uint32_t a = 1, b = 0;

    for (size_t i = 0; i < data.n; i++) {
        a = (a + (unsigned char)data.s[i]) % 65521;
        b = (b + a) % 65521;
    }
    return b << 16 | a;
}

uint32_t
digest_fnv32(struct str data)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < data.n; i++)
        h = (h ^ (unsigned char)data.s[i]) * 16777619u;
    return h;
}

static const char alphabets[2][65] = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

bool
digest_base64(struct str data, bool url, struct buf *out)
{
    const char *alphabet = alphabets[url];

    for (size_t i = 0; i < data.n; i += 3) {
        size_t left = MIN(data.n - i, 3);
        uint32_t bits = 0;
        char four[4];

        for (size_t k = 0; k < 3; k++)
            bits = bits << 8 | (k < left ? (unsigned char)data.s[i + k] : 0);
        for (size_t k = 0; k < 4; k++)
            four[k] = alphabet[bits >> (18 - 6 * k) & 63];
        if (!url)
            memset(four + left + 1, '=', 3 - left);
        if (!buf_add(out, four, url ? left + 1 : 4))
            return false;
    }
    return true;
}

/* Appends what n (2 to 4) digits in bits say. */
static bool
add_group(struct buf *out, uint32_t bits, size_t n)
{
    bits <<= 6 * (4 - n);
    const char three[3] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};

    return buf_add(out, three, n - 1);
}

static bool
decode(struct str text, bool url, struct buf *out)
{
    uint32_t bits = 0;
    size_t n = 0, padding = 0;

    for (size_t i = 0; i < text.n; i++) {
        char c = text.s[i];
        const char *at = c ? strchr(alphabets[url], c) : NULL;

        if (!url && (c == '\r' || c == '\n'))
            continue;
        if (!url && c == '=' && n >= 2 && n + padding < 4) {
            padding++;
            continue;
        }
        if (!at || padding)
            return false;
        bits = bits << 6 | (uint32_t)(at - alphabets[url]);
        if (++n == 4) {
            if (!add_group(out, bits, 4))
                return false;
            n = 0;
            bits = 0;
        }
    }
    if (n == 0)
        return true;
    if (n == 1 || (!url && n + padding != 4))
        return false;
    return add_group(out, bits, n);
}

bool
digest_unbase64(struct str text, bool url, struct buf *out)
{
    size_t before = out->n;

    if (decode(text, url, out))
        return true;
    buf_truncate(out, before);
    return false;
}
