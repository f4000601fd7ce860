#include "lib/base/crypto.h"

#include <arpa/inet.h>
#include <crypt.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdlib.h>

#include "lib/base/mem.h"

struct crypto_key {
    gnutls_x509_privkey_t key;
};

static bool
fail(struct error *err, const char *what, int code)
{
    return error_set(err, ERR_INVALID, "%s: %s", what, gnutls_strerror(code));
}

/* ---- private keys ---- */

static struct crypto_key *
new_key(void)
{
    struct crypto_key *k = mem_zalloc(1, sizeof(*k));

    if (gnutls_x509_privkey_init(&k->key) < 0)
        die("GnuTLS cannot make a key");
    return k;
}

void
crypto_key_free(struct crypto_key *k)
{
    if (k)
        gnutls_x509_privkey_deinit(k->key);
    free(k);
}

void
crypto_key_free_ptr(struct crypto_key **k)
{
    crypto_key_free(*k);
}

struct crypto_key *
crypto_key_new(enum crypto_kind kind, unsigned bits, struct error *err)
{
    static const gnutls_pk_algorithm_t algorithms[] = {
        [CRYPTO_RSA] = GNUTLS_PK_RSA,
        [CRYPTO_DSA] = GNUTLS_PK_DSA,
        [CRYPTO_ECDSA] = GNUTLS_PK_ECDSA,
        [CRYPTO_ED25519] = GNUTLS_PK_EDDSA_ED25519,
    };
    struct crypto_key *k = new_key();

    if (kind == CRYPTO_ECDSA)
        bits = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);
    if (kind == CRYPTO_ED25519)
        bits = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_ED25519);
    int r = gnutls_x509_privkey_generate(k->key, algorithms[kind], bits, 0);

    if (r >= 0)
        return k;
    crypto_key_free(k);
    fail(err, "failed to generate private key", r);
    return NULL;
}

/* The type of the first PEM block and the text from there on; an empty type
 * when there is none. */
static struct str
pem_type(struct str pem, struct str *block)
{
    const struct str begin = STR("-----BEGIN "), end = STR("-----");
    size_t at = str_find(pem, begin, 0);
    size_t close = at == SIZE_MAX ? SIZE_MAX : str_find(pem, end, at + begin.n);

    *block = pem;
    if (close == SIZE_MAX || str_find(pem, STR("-----END "), close) == SIZE_MAX)
        return STR("");
    *block = str_from(pem, at);
    return str_sub(pem, at + begin.n, close - at - begin.n);
}

struct crypto_key *
crypto_key_read(struct str pem, struct error *err)
{
    static const struct {
        const char *type, *what;
    } known[] = {
        {"PRIVATE KEY", "decoding PEM as PKCS#8"},
        {"RSA PRIVATE KEY", "parsing RSA private key from PEM"},
        {"EC PRIVATE KEY", "parsing EC private key from PEM"},
        {"DSA PRIVATE KEY", "parsing DSA private key from PEM"},
    };
    struct str block, type = pem_type(pem, &block);
    const struct str suffix = STR(" PRIVATE KEY");
    gnutls_datum_t data = {(unsigned char *)block.s, (unsigned)block.n};

    for (size_t i = 0; i < ARRAY_LEN(known); i++) {
        if (!str_eqz(type, known[i].type))
            continue;
        struct crypto_key *k = new_key();
        int r = gnutls_x509_privkey_import2(k->key, &data, GNUTLS_X509_FMT_PEM,
                                            NULL, GNUTLS_PKCS_PLAIN);

        if (r >= 0)
            return k;
        crypto_key_free(k);
        fail(err, known[i].what, r);
        return NULL;
    }
    if (!type.n)
        error_set(err, ERR_PARSE, "no PEM data in input");
    else if (!str_ends(type, suffix))
        error_set(err, ERR_PARSE,
                  "no private key data in PEM block of type "
                  "%.*s",
                  STR_ARG(type));
    else
        error_set(err, ERR_PARSE, "invalid private key type %.*s",
                  STR_ARG(type));
    return NULL;
}

bool
crypto_key_print(const struct crypto_key *k, struct buf *out, struct error *err)
{
    gnutls_datum_t text = {0};
    bool pkcs8 =
        gnutls_x509_privkey_get_pk_algorithm(k->key) == GNUTLS_PK_EDDSA_ED25519;
    int r =
        pkcs8 ? gnutls_x509_privkey_export2_pkcs8(
                    k->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &text)
              : gnutls_x509_privkey_export2(k->key, GNUTLS_X509_FMT_PEM, &text);

    if (r < 0)
        return fail(err, "error pem-encoding key", r);
    buf_add(out, text.data, text.size);
    gnutls_free(text.data);
    return true;
}

/* ---- certificates ---- */

bool
crypto_is_address(const char *text)
{
    uint8_t bytes[16];

    return inet_pton(AF_INET, text, bytes) == 1 ||
           inet_pton(AF_INET6, text, bytes) == 1;
}

/* NULL when pem is no certificate. */
static gnutls_x509_crt_t
read_certificate(struct str pem, struct error *err)
{
    struct str block, type = pem_type(pem, &block);
    gnutls_datum_t data = {(unsigned char *)block.s, (unsigned)block.n};
    gnutls_x509_crt_t crt;

    if (!type.n) {
        error_set(err, ERR_PARSE, "unable to decode certificate");
        return NULL;
    }
    if (gnutls_x509_crt_init(&crt) < 0)
        die("GnuTLS cannot make a certificate");
    int r = gnutls_x509_crt_import(crt, &data, GNUTLS_X509_FMT_PEM);

    if (r >= 0)
        return crt;
    gnutls_x509_crt_deinit(crt);
    fail(err, "error parsing certificate: decodedCert.Bytes", r);
    return NULL;
}

bool
crypto_certificate_check(struct str pem, struct error *err)
{
    gnutls_x509_crt_t crt = read_certificate(pem, err);

    if (crt)
        gnutls_x509_crt_deinit(crt);
    return crt;
}

static int
add_address(gnutls_x509_crt_t crt, struct str text)
{
    char z[64] = "";
    uint8_t bytes[16];
    bool v4;

    memcpy(z, text.s, MIN(text.n, sizeof(z) - 1));
    v4 = inet_pton(AF_INET, z, bytes) == 1;
    if (!v4 && inet_pton(AF_INET6, z, bytes) != 1)
        return GNUTLS_E_INVALID_REQUEST;
    return gnutls_x509_crt_set_subject_alt_name(
        crt, GNUTLS_SAN_IPADDRESS, bytes, v4 ? 4 : 16, GNUTLS_FSAN_APPEND);
}

static int
set_names(gnutls_x509_crt_t crt, const struct crypto_request *q)
{
    int r = 0;

    if (q->common_name.n)
        r = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0,
                                          q->common_name.s,
                                          (unsigned)q->common_name.n);
    for (size_t i = 0; r >= 0 && i < q->name_count; i++)
        r = gnutls_x509_crt_set_subject_alt_name(
            crt, GNUTLS_SAN_DNSNAME, q->names[i].s, (unsigned)q->names[i].n,
            GNUTLS_FSAN_APPEND);
    for (size_t i = 0; r >= 0 && i < q->address_count; i++)
        r = add_address(crt, q->addresses[i]);
    return r;
}

/* What the certificate is for: always servers and clients, as sprig has it. */
static int
set_usage(gnutls_x509_crt_t crt, bool is_ca)
{
    unsigned usage = GNUTLS_KEY_KEY_ENCIPHERMENT | GNUTLS_KEY_DIGITAL_SIGNATURE;
    int r = gnutls_x509_crt_set_key_usage(
        crt, is_ca ? usage | GNUTLS_KEY_KEY_CERT_SIGN : usage);

    if (r >= 0)
        r = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER,
                                                0);
    if (r >= 0)
        r = gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_CLIENT,
                                                0);
    if (r >= 0)
        r = gnutls_x509_crt_set_basic_constraints(crt, is_ca, -1);
    return r;
}

static int
set_key_ids(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer, bool is_ca)
{
    uint8_t id[64];
    size_t n = sizeof(id);
    int r = 0;

    if (is_ca) {
        r = gnutls_x509_crt_get_key_id(crt, 0, id, &n);
        if (r >= 0)
            r = gnutls_x509_crt_set_subject_key_id(crt, id, n);
    }
    n = sizeof(id);
    if (r >= 0 && issuer &&
        gnutls_x509_crt_get_subject_key_id(issuer, id, &n, NULL) >= 0)
        r = gnutls_x509_crt_set_authority_key_id(crt, id, n);
    return r;
}

static int
fill(gnutls_x509_crt_t crt, const struct crypto_request *q,
     gnutls_x509_privkey_t key, gnutls_x509_crt_t issuer)
{
    int r = gnutls_x509_crt_set_version(crt, 3);

    if (r >= 0)
        r = gnutls_x509_crt_set_serial(crt, q->serial, sizeof(q->serial));
    if (r >= 0)
        r = gnutls_x509_crt_set_activation_time(crt, (time_t)q->from_s);
    if (r >= 0)
        r = gnutls_x509_crt_set_expiration_time(crt, (time_t)q->to_s);
    if (r >= 0)
        r = gnutls_x509_crt_set_key(crt, key);
    if (r >= 0)
        r = set_names(crt, q);
    if (r >= 0)
        r = set_usage(crt, q->is_ca);
    if (r >= 0)
        r = set_key_ids(crt, issuer, q->is_ca);
    return r;
}

static int export(gnutls_x509_crt_t crt, struct buf *out)
{
    gnutls_datum_t text = {0};
    int r = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &text);

    if (r >= 0)
        buf_add(out, text.data, text.size);
    gnutls_free(text.data);
    return r;
}

bool
crypto_certificate(const struct crypto_request *q, const struct crypto_key *key,
                   struct str issuer, const struct crypto_key *signer,
                   struct buf *out, struct error *err)
{
    gnutls_x509_crt_t crt, by = NULL;

    if (issuer.n && !(by = read_certificate(issuer, err)))
        return false;
    if (gnutls_x509_crt_init(&crt) < 0)
        die("GnuTLS cannot make a certificate");
    int r = fill(crt, q, key->key, by);

    if (r >= 0)
        r = gnutls_x509_crt_sign2(crt, by ? by : crt, signer->key,
                                  GNUTLS_DIG_SHA256, 0);
    if (r >= 0)
        r = export(crt, out);
    gnutls_x509_crt_deinit(crt);
    if (by)
        gnutls_x509_crt_deinit(by);
    return r >= 0 || fail(err, "error creating certificate", r);
}

/* ---- ciphers ---- */

bool
crypto_aes_cbc(bool encrypt, const uint8_t key[32], const uint8_t iv[16],
               struct str blocks, struct buf *out)
{
    gnutls_datum_t k = {(unsigned char *)key, 32},
                   v = {(unsigned char *)iv, 16};
    gnutls_cipher_hd_t cipher;
    size_t start = out->n;

    if (!buf_str(out, blocks))
        return false;
    if (gnutls_cipher_init(&cipher, GNUTLS_CIPHER_AES_256_CBC, &k, &v) < 0)
        die("GnuTLS has no AES");
    int r = encrypt ? gnutls_cipher_encrypt(cipher, out->s + start, blocks.n)
                    : gnutls_cipher_decrypt(cipher, out->s + start, blocks.n);

    gnutls_cipher_deinit(cipher);
    return r >= 0;
}

void
crypto_hmac_sha256(struct str key, struct str data, uint8_t out[32])
{
    if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, key.s, key.n, data.s, data.n, out) <
        0)
        die("GnuTLS cannot hash");
}

/* ---- scrypt (RFC 7914) ---- */

static void
pbkdf2(struct str password, struct str salt, uint8_t *out, size_t n)
{
    gnutls_datum_t p = {(unsigned char *)password.s, (unsigned)password.n};
    gnutls_datum_t s = {(unsigned char *)salt.s, (unsigned)salt.n};

    if (gnutls_pbkdf2(GNUTLS_MAC_SHA256, &p, &s, 1, out, n) < 0)
        die("GnuTLS cannot derive a key");
}

static uint32_t
rotate(uint32_t x, unsigned n)
{
    return x << n | x >> (32 - n);
}

/* One quarter round over four of the sixteen words. */
static void
quarter(uint32_t *x, unsigned a, unsigned b, unsigned c, unsigned d)
{
    x[b] ^= rotate(x[a] + x[d], 7);
    x[c] ^= rotate(x[b] + x[a], 9);
    x[d] ^= rotate(x[c] + x[b], 13);
    x[a] ^= rotate(x[d] + x[c], 18);
}

static void
salsa8(uint32_t b[16])
{
    uint32_t x[16];

    memcpy(x, b, sizeof(x));
    for (int i = 0; i < 4; i++) {
        quarter(x, 0, 4, 8, 12);
        quarter(x, 5, 9, 13, 1);
        quarter(x, 10, 14, 2, 6);
        quarter(x, 15, 3, 7, 11);
        quarter(x, 0, 1, 2, 3);
        quarter(x, 5, 6, 7, 4);
        quarter(x, 10, 11, 8, 9);
        quarter(x, 15, 12, 13, 14);
    }
    for (int i = 0; i < 16; i++)
        b[i] += x[i];
}

/* in and out: 2r blocks of 16 words. */
static void
block_mix(const uint32_t *in, uint32_t *out, unsigned r)
{
    uint32_t x[16];

    memcpy(x, &in[(2 * r - 1) * 16], sizeof(x));
    for (unsigned i = 0; i < 2 * r; i++) {
        for (int k = 0; k < 16; k++)
            x[k] ^= in[i * 16 + (unsigned)k];
        salsa8(x);
        memcpy(&out[(i / 2 + (i & 1) * r) * 16], x, sizeof(x));
    }
}

/* Words are little-endian, as on every machine this runs on. */
static void
ro_mix(uint32_t *b, uint32_t *v, size_t n, unsigned r)
{
    size_t words = (size_t)32 * r;
    AUTO(mem_free_ptr) uint32_t *y = mem_zalloc(words, sizeof(*y));

    for (size_t i = 0; i < n; i++) {
        memcpy(&v[i * words], b, words * sizeof(*b));
        block_mix(&v[i * words], b, r);
    }
    for (size_t i = 0; i < n; i++) {
        const uint32_t *pick = &v[(b[(2 * r - 1) * 16] & (n - 1)) * words];

        for (size_t k = 0; k < words; k++)
            y[k] = b[k] ^ pick[k];
        block_mix(y, b, r);
    }
}

void
crypto_scrypt(struct str password, struct str salt, unsigned log_n, unsigned r,
              unsigned p, uint8_t *out, size_t out_n)
{
    size_t words = (size_t)32 * r, n = (size_t)1 << log_n;
    AUTO(mem_free_ptr) uint32_t *b = mem_zalloc(p * words, sizeof(*b));
    AUTO(mem_free_ptr) uint32_t *v = mem_zalloc(n * words, sizeof(*v));

    pbkdf2(password, salt, (uint8_t *)b, p * words * sizeof(*b));
    for (unsigned i = 0; i < p; i++)
        ro_mix(b + i * words, v, n, r);
    pbkdf2(password, str_n((const char *)b, p * words * sizeof(*b)), out,
           out_n);
}

/* ---- bcrypt ---- */

bool
crypto_bcrypt(const char *password, const uint8_t salt[16], struct buf *out)
{
    AUTO(mem_free_ptr) struct crypt_data *data = mem_zalloc(1, sizeof(*data));
    char setting[CRYPT_GENSALT_OUTPUT_SIZE];
    const char *hash;

    if (!crypt_gensalt_rn("$2a$", 10, (const char *)salt, 16, setting,
                          sizeof(setting)))
        return false;
    hash = crypt_r(password, setting, data);
    return hash && hash[0] == '$' && buf_puts(out, hash);
}
