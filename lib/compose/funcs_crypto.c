/* Keys, certificates, ciphers and passwords. What is made of chance takes it
 * from the execution's seed, private keys excepted: those are GnuTLS'. Dear
 * ones are paid for as work. Source: sprig 3.3 crypto.go. */
#include <arpa/inet.h>

#include "lib/base/crypto.h"
#include "lib/base/digest.h"

#include "lib/compose/funcs.h"

/* In units of call_work: what took about as long when it was written. */
enum {
    WORK_BCRYPT = 2000000,
    WORK_SCRYPT = 4000000,
    WORK_RSA_2048 = 2000000,
    WORK_RSA_4096 = 12000000
};

static void
random_fill(struct call *c, uint8_t *out, size_t n)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)call_random(c);
}

/* base64 that Go's decoder takes whole, into text. */
static bool
decode(struct call *c, struct str s, struct buf *out)
{
    return digest_unbase64(s, false, out) && !c->text.over;
}

/* ---- passwords ---- */

static bool
hash_password(struct call *c, struct str password, struct value *out)
{
    const char *what = "failed to encrypt string with bcrypt: ";
    uint8_t salt[16];

    if (!call_work(c, WORK_BCRYPT))
        return false;
    random_fill(c, salt, sizeof(salt));
    if (password.n > 72)
        buf_printf(&c->text, "%sbcrypt: password length exceeds 72 bytes",
                   what);
    else if (memchr(password.s ? password.s : "", '\0', password.n) ||
             !crypto_bcrypt(arena_dup(c->a, password), salt, &c->text))
        buf_printf(&c->text, "%sthe system's libcrypt does not take it", what);
    return call_text(c, out);
}

FUNC(fn_bcrypt)
{
    return hash_password(c, v[0].s, out);
}

FUNC(fn_htpasswd)
{
    if (v[0].s.n && memchr(v[0].s.s, ':', v[0].s.n)) {
        buf_printf(&c->text, "invalid username: %.*s", STR_ARG(v[0].s));
        return call_text(c, out);
    }
    buf_printf(&c->text, "%.*s:", STR_ARG(v[0].s));
    return hash_password(c, v[1].s, out);
}

/* The Master Password algorithm: what kinds of passwords there are, and the
 * characters that each letter of a kind stands for. */
static const struct {
    const char *name;
    const char *const templates[22];
} kinds[] = {
    {"maximum", {"anoxxxxxxxxxxxxxxxxx", "axxxxxxxxxxxxxxxxxno"}},
    {"long",
     {"CvcvnoCvcvCvcv", "CvcvCvcvnoCvcv", "CvcvCvcvCvcvno", "CvccnoCvcvCvcv",
      "CvccCvcvnoCvcv", "CvccCvcvCvcvno", "CvcvnoCvccCvcv", "CvcvCvccnoCvcv",
      "CvcvCvccCvcvno", "CvcvnoCvcvCvcc", "CvcvCvcvnoCvcc", "CvcvCvcvCvccno",
      "CvccnoCvccCvcv", "CvccCvccnoCvcv", "CvccCvccCvcvno", "CvcvnoCvccCvcc",
      "CvcvCvccnoCvcc", "CvcvCvccCvccno", "CvccnoCvcvCvcc", "CvccCvcvnoCvcc",
      "CvccCvcvCvccno"}},
    {"medium", {"CvcnoCvc", "CvcCvcno"}},
    {"short", {"Cvcn"}},
    {"basic", {"aaanaaan", "aannaaan", "aaannaaa"}},
    {"pin", {"nnnn"}},
};

#define VOWELS     "AEIOU"
#define CONSONANTS "BCDFGHJKLMNPQRSTVWXYZ"
#define LETTERS    VOWELS "aeiou" CONSONANTS "bcdfghjklmnpqrstvwxyz"

static const struct {
    char letter;
    const char *characters;
} classes[] = {
    {'V', VOWELS},
    {'C', CONSONANTS},
    {'v', "aeiou"},
    {'c', "bcdfghjklmnpqrstvwxyz"},
    {'a', LETTERS},
    {'n', "0123456789"},
    {'o', "@&%?,=[]_:-+*$#!'^~;()/."},
    {'x', LETTERS "0123456789!@#$%^&*()"},
};

static const char *
characters_of(char letter)
{
    size_t i = 0;

    while (classes[i].letter != letter)
        i++;
    return classes[i].characters;
}

/* "com.lyndir.masterpassword", the length of s, s. */
static void
add_scope(struct buf *out, struct str s)
{
    uint32_t n = htonl((uint32_t)s.n);

    buf_puts(out, "com.lyndir.masterpassword");
    buf_add(out, &n, sizeof(n));
    buf_str(out, s);
}

/* counter, kind, password, user, site */
FUNC(fn_derive_password)
{
    AUTO(buf_release) struct buf salt = BUF_INIT(c->max_text);
    AUTO(buf_release) struct buf site = BUF_INIT(c->max_text);
    uint8_t key[64], seed[32];
    uint32_t counter = htonl((uint32_t)v[0].i);
    size_t kind = 0, count = 0;

    while (kind < ARRAY_LEN(kinds) && !str_eqz(v[1].s, kinds[kind].name))
        kind++;
    if (kind == ARRAY_LEN(kinds)) {
        buf_printf(&c->text, "cannot find password template %.*s",
                   STR_ARG(v[1].s));
        return call_text(c, out);
    }
    if (!call_work(c, WORK_SCRYPT))
        return false;
    add_scope(&salt, v[3].s);
    crypto_scrypt(v[2].s, buf_view(&salt), 15, 8, 2, key, sizeof(key));
    add_scope(&site, v[4].s);
    buf_add(&site, &counter, sizeof(counter));
    crypto_hmac_sha256(str_n((const char *)key, sizeof(key)), buf_view(&site),
                       seed);
    while (kinds[kind].templates[count])
        count++;
    const char *template = kinds[kind].templates[seed[0] % count];

    for (size_t i = 0; template[i]; i++) {
        const char *set = characters_of(template[i]);

        buf_putc(&c->text, set[seed[i + 1] % strlen(set)]);
    }
    return call_text(c, out);
}

/* ---- ciphers ---- */

FUNC(fn_rand_bytes)
{
    AUTO(buf_release) struct buf bytes = BUF_INIT(c->max_text);

    if (v[0].i < 0)
        return call_fail(c, "runtime error: makeslice: len out of range");
    if ((uint64_t)v[0].i > c->max_text / 2)
        return call_limit(c, "a text is larger than %zu bytes", c->max_text);
    for (int64_t i = 0; i < v[0].i; i++)
        buf_putc(&bytes, (char)call_random(c));
    digest_base64(buf_view(&bytes), false, &c->text);
    return call_text(c, out);
}

static void
key_of(struct str password, uint8_t key[32])
{
    memset(key, 0, 32);
    if (password.n)
        memcpy(key, password.s, MIN(password.n, (size_t)32));
}

FUNC(fn_encrypt_aes)
{
    AUTO(buf_release) struct buf plain = BUF_INIT(c->max_text);
    AUTO(buf_release) struct buf bytes = BUF_INIT(c->max_text);
    uint8_t key[32], iv[16];
    size_t pad = 16 - v[1].s.n % 16;

    *out = value_str(STR(""));
    if (!v[1].s.n)
        return true;
    key_of(v[0].s, key);
    random_fill(c, iv, sizeof(iv));
    buf_str(&plain, v[1].s);
    buf_fill(&plain, (char)pad, pad);
    buf_add(&bytes, iv, sizeof(iv));
    crypto_aes_cbc(true, key, iv, buf_view(&plain), &bytes);
    if (bytes.over || plain.over)
        return call_limit(c, "a text is larger than %zu bytes", c->max_text);
    digest_base64(buf_view(&bytes), false, &c->text);
    return call_text(c, out);
}

/* The padding is taken off without a look, so the panics are Go's. */
FUNC(fn_decrypt_aes)
{
    AUTO(buf_release) struct buf bytes = BUF_INIT(c->max_text);
    uint8_t key[32];

    *out = value_str(STR(""));
    if (!v[1].s.n)
        return true;
    if (!decode(c, v[1].s, &bytes))
        return call_fail(c, "illegal base64 data at input byte %zu",
                         func_base64_bad_at(v[1].s));
    if (bytes.n < 16)
        return call_fail(c,
                         "runtime error: slice bounds out of range [:16] with "
                         "capacity %zu",
                         v[1].s.n / 4 * 3);
    if (bytes.n % 16)
        return call_fail(c, "crypto/cipher: input not full blocks");
    key_of(v[0].s, key);
    crypto_aes_cbc(false, key, (const uint8_t *)bytes.s,
                   str_from(buf_view(&bytes), 16), &c->text);
    if (!c->text.n)
        return call_fail(c, "runtime error: index out of range [-1]");
    size_t pad = (unsigned char)c->text.s[c->text.n - 1];

    if (pad > c->text.n)
        return call_fail(c, "runtime error: slice bounds out of range [:-%zu]",
                         pad - c->text.n);
    buf_truncate(&c->text, c->text.n - pad);
    return call_text(c, out);
}

/* ---- keys ---- */

static const struct key_kind {
    const char *name;
    enum crypto_kind kind;
    unsigned bits;
    size_t work;
} key_kinds[] = {
    {"", CRYPTO_RSA, 4096, WORK_RSA_4096},
    {"rsa", CRYPTO_RSA, 4096, WORK_RSA_4096},
    {"dsa", CRYPTO_DSA, 2048, WORK_RSA_4096},
    {"ecdsa", CRYPTO_ECDSA, 0, WORK_BCRYPT / 10},
    {"ed25519", CRYPTO_ED25519, 0, WORK_BCRYPT / 10},
};

FUNC(fn_private_key)
{
    for (size_t i = 0; i < ARRAY_LEN(key_kinds); i++) {
        const struct key_kind *k = &key_kinds[i];

        if (!str_eqz(v[0].s, k->name))
            continue;
        if (!call_work(c, k->work))
            return false;
        AUTO(crypto_key_free_ptr)
        struct crypto_key *key = crypto_key_new(k->kind, k->bits, &c->err);

        return key && crypto_key_print(key, &c->text, &c->err) &&
               call_text(c, out);
    }
    buf_printf(&c->text, "Unknown type %.*s", STR_ARG(v[0].s));
    return call_text(c, out);
}

/* ---- certificates ---- */

static bool
new_certificate(struct call *c, struct str cert, struct str key,
                struct value *out)
{
    struct value_entry *f = arena_array(c->a, 2, sizeof(*f));
    struct value_struct *st = arena_alloc(c->a, sizeof(*st));

    f[0] = (struct value_entry){STR("Cert"), value_str(arena_str(c->a, cert))};
    f[1] = (struct value_entry){STR("Key"), value_str(arena_str(c->a, key))};
    *st = (struct value_struct){.type = FUNC_CERTIFICATE, .fields = f, .n = 2};
    *out = (struct value){.type = VALUE_STRUCT, .st = st};
    return true;
}

FUNC(fn_custom_certificate)
{
    AUTO(buf_release) struct buf cert = BUF_INIT(c->max_text);
    AUTO(buf_release) struct buf key = BUF_INIT(c->max_text);

    if (!decode(c, v[0].s, &cert))
        return call_fail(c, "unable to decode base64 certificate");
    if (!decode(c, v[1].s, &key))
        return call_fail(c, "unable to decode base64 private key");
    if (!crypto_certificate_check(buf_view(&cert), &c->err))
        return false;
    AUTO(crypto_key_free_ptr)
    struct crypto_key *parsed = crypto_key_read(buf_view(&key), &c->err);

    if (!parsed)
        return error_wrap(&c->err, "error parsing private key");
    return new_certificate(c, buf_view(&cert), buf_view(&key), out);
}

/* The texts of a list of names or addresses. */
static bool
read_texts(struct call *c, struct value list, bool addresses,
           const struct str **out, size_t *n)
{
    const struct value *items = value_items(c->a, list, n);
    struct str *texts = arena_array(c->a, *n, sizeof(*texts));

    for (size_t i = 0; i < *n; i++) {
        if (items[i].type != VALUE_STRING)
            return call_fail(c,
                             addresses ? "error parsing ip: %.*s is not a "
                                         "string"
                                       : "error processing alternate dns name: "
                                         "%.*s is not a string",
                             STR_ARG(call_strval(c, items[i])));
        texts[i] = items[i].s;
        if (addresses && !crypto_is_address(arena_dup(c->a, texts[i])))
            return call_fail(c, "error parsing ip: %.*s", STR_ARG(texts[i]));
    }
    *out = texts;
    return true;
}

/* What one of the functions below asks for. */
struct order {
    struct str name, key_pem, issuer, issuer_key;
    struct value addresses, names; /* lists */
    int64_t days;
    bool own_key; /* key_pem is the key */
    bool is_ca, is_signed;
};

static struct crypto_key *
order_key(struct call *c, const struct order *o)
{
    struct crypto_key *key;

    if (!o->own_key)
        return call_work(c, WORK_RSA_2048)
                   ? crypto_key_new(CRYPTO_RSA, 2048, &c->err)
                   : NULL;
    key = crypto_key_read(o->key_pem, &c->err);
    if (!key)
        error_wrap(&c->err, "parsing private key");
    return key;
}

static struct crypto_key *
order_signer(struct call *c, const struct order *o)
{
    struct crypto_key *key;

    if (!crypto_certificate_check(o->issuer, &c->err))
        return NULL;
    key = crypto_key_read(o->issuer_key, &c->err);
    if (!key)
        error_wrap(&c->err, "error parsing private key");
    return key;
}

static bool
deliver(struct call *c, const struct order *o, struct value *out)
{
    AUTO(buf_release) struct buf cert = BUF_INIT(c->max_text);
    AUTO(buf_release) struct buf text = BUF_INIT(c->max_text);
    AUTO(crypto_key_free_ptr) struct crypto_key *key = order_key(c, o);
    AUTO(crypto_key_free_ptr)
    struct crypto_key *signer = key && o->is_signed ? order_signer(c, o) : NULL;
    int64_t now = c->run->now_ns / 1000000000;
    struct crypto_request q = {.common_name = o->name,
                               .from_s = now,
                               .to_s = now +
                                       86400 * MIN(MAX(o->days, -36500), 36500),
                               .is_ca = o->is_ca};

    if (!key || (o->is_signed && !signer) ||
        !read_texts(c, o->addresses, true, &q.addresses, &q.address_count) ||
        !read_texts(c, o->names, false, &q.names, &q.name_count))
        return false;
    random_fill(c, q.serial, sizeof(q.serial));
    q.serial[0] = (q.serial[0] & 0x7f) | 1; /* positive, without a zero */
    return crypto_certificate(&q, key, o->issuer, signer ? signer : key, &cert,
                              &c->err) &&
           crypto_key_print(key, &text, &c->err) &&
           new_certificate(c, buf_view(&cert), buf_view(&text), out);
}

static bool
authority(struct call *c, const struct value *v, bool own_key,
          struct value *out)
{
    const struct order o = {.name = v[0].s,
                            .days = v[1].i,
                            .own_key = own_key,
                            .key_pem = own_key ? v[2].s : STR(""),
                            .addresses = value_nil_list(c->a, ELEM_ANY),
                            .names = value_nil_list(c->a, ELEM_ANY),
                            .is_ca = true};

    return deliver(c, &o, out);
}

FUNC(fn_ca)
{
    return authority(c, v, false, out);
}

FUNC(fn_ca_with_key)
{
    return authority(c, v, true, out);
}

/* name, addresses, names, days; own_key: where the key is, else 0. */
static bool
leaf(struct call *c, const struct value *v, bool is_signed, size_t own_key,
     struct value *out)
{
    struct order o = {.name = v[0].s,
                      .addresses = v[1],
                      .names = v[2],
                      .days = v[3].i,
                      .own_key = own_key,
                      .key_pem = own_key ? v[own_key].s : STR(""),
                      .is_signed = is_signed};

    if (is_signed) {
        o.issuer = v[4].st->fields[0].value.s;
        o.issuer_key = v[4].st->fields[1].value.s;
    }
    return deliver(c, &o, out);
}

FUNC(fn_self_signed)
{
    return leaf(c, v, false, 0, out);
}

FUNC(fn_self_signed_with_key)
{
    return leaf(c, v, false, 4, out);
}

FUNC(fn_signed)
{
    return leaf(c, v, true, 0, out);
}

FUNC(fn_signed_with_key)
{
    return leaf(c, v, true, 5, out);
}

FUNC(fn_host_by_name)
{
    return call_fail(c, "no host is looked up here: a template has no network, "
                        "and what it would find is another address on each "
                        "machine");
}

static const struct func rows[] = {
    {"getHostByName", "s", fn_host_by_name},
    {"randBytes", "i", fn_rand_bytes},
    {"bcrypt", "s", fn_bcrypt},
    {"htpasswd", "ss", fn_htpasswd},
    {"genPrivateKey", "s", fn_private_key},
    {"derivePassword", "ussss", fn_derive_password},
    {"buildCustomCert", "ss", fn_custom_certificate},
    {"genCA", "si", fn_ca},
    {"genCAWithKey", "sis", fn_ca_with_key},
    {"genSelfSignedCert", "sLLi", fn_self_signed},
    {"genSelfSignedCertWithKey", "sLLis", fn_self_signed_with_key},
    {"genSignedCert", "sLLiC", fn_signed},
    {"genSignedCertWithKey", "sLLiCs", fn_signed_with_key},
    {"encryptAES", "ss", fn_encrypt_aes},
    {"decryptAES", "ss", fn_decrypt_aes},
};

const struct func_table funcs_crypto = {rows, ARRAY_LEN(rows)};
