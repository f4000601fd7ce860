#include "devenv/sandbox/tls.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/digest.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/random.h"

#define YEARS(n)     ((int64_t)(n)*365 * 86400)
#define RENEW_BEFORE ((int64_t)30 * 86400)
#define PEM_MAX      65536
#define TOKEN_BYTES  32

/* ---- making ---- */

struct maker {
    gnutls_x509_privkey_t ca_key, key;
    gnutls_x509_crt_t ca, leaf;
    int rc; /* the first failure */
};

/* Remembers the first failure; true while there was none. */
static bool
step(struct maker *m, int rc)
{
    if (m->rc >= 0 && rc < 0)
        m->rc = rc;
    return m->rc >= 0;
}

static void
maker_release(struct maker *m)
{
    gnutls_x509_privkey_deinit(m->ca_key);
    gnutls_x509_privkey_deinit(m->key);
    gnutls_x509_crt_deinit(m->ca);
    gnutls_x509_crt_deinit(m->leaf);
}

static void
make_key(struct maker *m, gnutls_x509_privkey_t *key)
{
    unsigned bits = GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1);

    if (step(m, gnutls_x509_privkey_init(key)))
        step(m, gnutls_x509_privkey_generate(*key, GNUTLS_PK_ECDSA, bits, 0));
}

/* What CA and leaf have in common; valid from a day ago, for clocks that
 * differ. */
static void
make_common(struct maker *m, gnutls_x509_crt_t *crt, gnutls_x509_privkey_t key,
            const char *name, int64_t seconds)
{
    unsigned char serial[16], id[64];
    size_t id_n = sizeof(id);
    time_t now = time(NULL);

    random_bytes(serial, sizeof(serial));
    serial[0] = (unsigned char)((serial[0] & 0x3f) | 0x40); /* positive */
    if (!step(m, gnutls_x509_crt_init(crt)))
        return;
    step(m, gnutls_x509_crt_set_version(*crt, 3));
    step(m, gnutls_x509_crt_set_serial(*crt, serial, sizeof(serial)));
    step(m, gnutls_x509_crt_set_activation_time(*crt, now - 86400));
    step(m, gnutls_x509_crt_set_expiration_time(*crt, now + seconds));
    step(m, gnutls_x509_crt_set_dn_by_oid(*crt, GNUTLS_OID_X520_COMMON_NAME, 0,
                                          name, (unsigned)strlen(name)));
    step(m, gnutls_x509_crt_set_key(*crt, key));
    if (step(m, gnutls_x509_crt_get_key_id(*crt, 0, id, &id_n)))
        step(m, gnutls_x509_crt_set_subject_key_id(*crt, id, MIN(id_n, 20)));
}

static void
make_leaf_names(struct maker *m)
{
    static const unsigned char v4[4] = {127, 0, 0, 1}, v6[16] = {[15] = 1};

    step(m, gnutls_x509_crt_set_subject_alt_name(
                m->leaf, GNUTLS_SAN_DNSNAME, "localhost", 9, GNUTLS_FSAN_SET));
    step(m,
         gnutls_x509_crt_set_subject_alt_name(m->leaf, GNUTLS_SAN_IPADDRESS, v4,
                                              sizeof(v4), GNUTLS_FSAN_APPEND));
    step(m,
         gnutls_x509_crt_set_subject_alt_name(m->leaf, GNUTLS_SAN_IPADDRESS, v6,
                                              sizeof(v6), GNUTLS_FSAN_APPEND));
}

/* m->leaf, signed by m->ca for one purpose. */
static bool
sign_leaf(struct maker *m, const char *purpose)
{
    step(m, gnutls_x509_crt_set_basic_constraints(m->leaf, 0, -1));
    step(m,
         gnutls_x509_crt_set_key_usage(m->leaf, GNUTLS_KEY_DIGITAL_SIGNATURE));
    step(m, gnutls_x509_crt_set_key_purpose_oid(m->leaf, purpose, 0));
    return step(m, gnutls_x509_crt_sign2(m->leaf, m->ca, m->ca_key,
                                         GNUTLS_DIG_SHA256, 0));
}

static bool
make_certificates(struct maker *m)
{
    make_key(m, &m->ca_key);
    make_key(m, &m->key);
    if (m->rc < 0)
        return false;
    make_common(m, &m->ca, m->ca_key, "meshtop sandbox CA", YEARS(10));
    step(m, gnutls_x509_crt_set_basic_constraints(m->ca, 1, 0));
    step(m, gnutls_x509_crt_set_key_usage(m->ca, GNUTLS_KEY_KEY_CERT_SIGN));
    step(m,
         gnutls_x509_crt_sign2(m->ca, m->ca, m->ca_key, GNUTLS_DIG_SHA256, 0));
    make_common(m, &m->leaf, m->key, "meshtop sandbox", YEARS(10));
    if (m->rc < 0)
        return false;
    make_leaf_names(m);
    return sign_leaf(m, GNUTLS_KP_TLS_WWW_SERVER);
}

/* Copies d into fresh memory and frees it. */
static char *
take(gnutls_datum_t *d)
{
    char *text = mem_strndup((const char *)d->data, d->size);

    gnutls_free(d->data);
    d->data = NULL;
    return text;
}

static void
make_token(struct tls_identity *id)
{
    char bytes[TOKEN_BYTES];
    AUTO(buf_release) struct buf b = BUF_INIT(128);

    random_bytes(bytes, sizeof(bytes));
    digest_base64(str_n(bytes, sizeof(bytes)), true, &b);
    id->token = buf_take(&b);
}

static bool
make(struct tls_identity *id, struct error *err)
{
    struct maker m = {0};
    gnutls_datum_t d = {0};

    if (make_certificates(&m)) {
        if (step(&m, gnutls_x509_crt_export2(m.ca, GNUTLS_X509_FMT_PEM, &d)))
            id->ca = take(&d);
        if (step(&m, gnutls_x509_crt_export2(m.leaf, GNUTLS_X509_FMT_PEM, &d)))
            id->cert = take(&d);
        if (step(&m,
                 gnutls_x509_privkey_export2_pkcs8(
                     m.key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &d)))
            id->key = take(&d);
        if (step(&m, gnutls_x509_privkey_export2_pkcs8(
                         m.ca_key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN,
                         &d)))
            id->ca_key = take(&d);
    }
    maker_release(&m);
    if (m.rc < 0)
        return error_set(err, ERR_INTERNAL, "cannot make a certificate: %s",
                         gnutls_strerror(m.rc));
    make_token(id);
    id->fresh = true;
    return true;
}

/* ---- reading ---- */

/* Takes the first PEM block of that label off *text; NULL when it is not
 * there. */
static char *
pem_next(struct str *text, const char *label)
{
    AUTO(buf_release) struct buf mark = BUF_INIT(128);
    size_t start, end;

    buf_printf(&mark, "-----BEGIN %s-----\n", label);
    start = str_find(*text, buf_view(&mark), 0);
    buf_reset(&mark);
    buf_printf(&mark, "-----END %s-----\n", label);
    end = str_find(*text, buf_view(&mark), start == SIZE_MAX ? 0 : start);
    if (start == SIZE_MAX || end == SIZE_MAX)
        return NULL;
    end += mark.n;

    char *pem = mem_strndup(text->s + start, end - start);

    *text = str_from(*text, end);
    return pem;
}

/* Lasts long enough. */
static bool
still_good(const char *pem)
{
    gnutls_datum_t d = {(unsigned char *)(uintptr_t)pem, (unsigned)strlen(pem)};
    gnutls_x509_crt_t crt;
    bool good;

    if (gnutls_x509_crt_init(&crt) < 0)
        return false;
    good = gnutls_x509_crt_import(crt, &d, GNUTLS_X509_FMT_PEM) >= 0 &&
           gnutls_x509_crt_get_expiration_time(crt) > time(NULL) + RENEW_BEFORE;
    gnutls_x509_crt_deinit(crt);
    return good;
}

/* False when the files are not there or not good any more. */
static bool
read_files(const char *pem_path, const char *token_path,
           struct tls_identity *id)
{
    AUTO(buf_release) struct buf pem = BUF_INIT(PEM_MAX);
    AUTO(buf_release) struct buf token = BUF_INIT(256);
    struct str rest;

    if (!file_read(pem_path, &pem, NULL) ||
        !file_read(token_path, &token, NULL))
        return false;
    rest = buf_view(&pem);
    id->ca = pem_next(&rest, "CERTIFICATE");
    id->cert = pem_next(&rest, "CERTIFICATE");
    id->key = pem_next(&rest, "PRIVATE KEY");
    id->ca_key = pem_next(&rest, "PRIVATE KEY");

    struct str word = str_trim(buf_view(&token));

    id->token = mem_strndup(word.s, word.n);
    if (id->ca && id->cert && id->key && id->ca_key && word.n >= 20 &&
        still_good(id->ca) && still_good(id->cert))
        return true;
    tls_release(id);
    return false;
}

static bool
write_files(const char *pem_path, const char *token_path,
            const struct tls_identity *id, struct error *err)
{
    AUTO(buf_release) struct buf b = BUF_INIT(PEM_MAX);

    buf_printf(&b, "%s%s%s%s", id->ca, id->cert, id->key, id->ca_key);
    if (!file_write(pem_path, buf_view(&b), 0600, err))
        return false;
    buf_reset(&b);
    buf_printf(&b, "%s\n", id->token);
    return file_write(token_path, buf_view(&b), 0600, err);
}

bool
tls_load(const char *folder, struct tls_identity *id, struct error *err)
{
    AUTO(mem_free_ptr)
    char *pem = folder ? file_join(folder, "sandbox.pem") : NULL;
    AUTO(mem_free_ptr)
    char *token = folder ? file_join(folder, "sandbox.token") : NULL;
    struct tls_identity fresh = {0};

    if (!folder || !read_files(pem, token, &fresh)) {
        if (!make(&fresh, err) ||
            (folder && !write_files(pem, token, &fresh, err))) {
            tls_release(&fresh);
            return false;
        }
    }
    *id = fresh;
    return true;
}

void
tls_release(struct tls_identity *id)
{
    free(id->ca);
    free(id->cert);
    free(id->key);
    free(id->ca_key);
    free(id->token);
    *id = (struct tls_identity){0};
}

/* ---- users ---- */

static gnutls_datum_t
datum(const char *pem)
{
    return (gnutls_datum_t){(unsigned char *)(uintptr_t)pem,
                            (unsigned)strlen(pem)};
}

static bool
read_ca(const struct tls_identity *id, struct maker *m)
{
    gnutls_datum_t cert = datum(id->ca), key = datum(id->ca_key);

    return step(m, gnutls_x509_crt_init(&m->ca)) &&
           step(m, gnutls_x509_crt_import(m->ca, &cert, GNUTLS_X509_FMT_PEM)) &&
           step(m, gnutls_x509_privkey_init(&m->ca_key)) &&
           step(m, gnutls_x509_privkey_import2(m->ca_key, &key,
                                               GNUTLS_X509_FMT_PEM, NULL, 0));
}

static bool
sign_user(struct maker *m, const char *name, const struct strlist *groups,
          unsigned days)
{
    make_key(m, &m->key);
    if (m->rc < 0)
        return false;
    make_common(m, &m->leaf, m->key, name, (int64_t)days * 86400);
    for (size_t i = 0; m->rc >= 0 && groups && i < groups->n; i++)
        step(m, gnutls_x509_crt_set_dn_by_oid(
                    m->leaf, GNUTLS_OID_X520_ORGANIZATION_NAME, 0, groups->v[i],
                    (unsigned)strlen(groups->v[i])));
    if (m->rc < 0)
        return false;
    return sign_leaf(m, GNUTLS_KP_TLS_WWW_CLIENT);
}

/* RFC 5280, appendix A: the upper bounds of these names. */
static bool
fits(const char *text, struct error *err)
{
    if (*text && strlen(text) <= 64)
        return true;
    return error_set(err, ERR_USAGE,
                     "\"%s\" does not fit into a certificate: 1 to 64 bytes",
                     text);
}

bool
tls_sign_user(const struct tls_identity *id, const char *name,
              const struct strlist *groups, unsigned days, struct tls_user *out,
              struct error *err)
{
    struct maker m = {0};
    gnutls_datum_t d = {0};

    if (!fits(name, err))
        return false;
    for (size_t i = 0; groups && i < groups->n; i++) {
        if (!fits(groups->v[i], err))
            return false;
    }
    *out = (struct tls_user){0};
    if (read_ca(id, &m) && sign_user(&m, name, groups, days)) {
        if (step(&m, gnutls_x509_crt_export2(m.leaf, GNUTLS_X509_FMT_PEM, &d)))
            out->cert = take(&d);
        if (step(&m,
                 gnutls_x509_privkey_export2_pkcs8(
                     m.key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &d)))
            out->key = take(&d);
    }
    maker_release(&m);
    if (m.rc >= 0)
        return true;
    tls_user_release(out);
    return error_set(err, ERR_INTERNAL, "cannot make a certificate: %s",
                     gnutls_strerror(m.rc));
}

void
tls_user_release(struct tls_user *u)
{
    free(u->cert);
    free(u->key);
    *u = (struct tls_user){0};
}

/* ---- the other end ---- */

/* The i-th value of a part of the subject; false: there is none. */
static bool
subject_part(gnutls_x509_crt_t crt, const char *oid, unsigned i,
             struct buf *out)
{
    char text[512];
    size_t n = sizeof(text);

    if (gnutls_x509_crt_get_dn_by_oid(crt, oid, i, 0, text, &n) < 0)
        return false;
    buf_reset(out);
    return buf_add(out, text, n) && !memchr(text, 0, n);
}

static bool
read_subject(const gnutls_datum_t *der, struct tls_peer *out)
{
    AUTO(buf_release) struct buf b = BUF_INIT(512);
    gnutls_x509_crt_t crt;

    if (gnutls_x509_crt_init(&crt) < 0)
        return false;
    if (gnutls_x509_crt_import(crt, der, GNUTLS_X509_FMT_DER) >= 0) {
        if (subject_part(crt, GNUTLS_OID_X520_COMMON_NAME, 0, &b) && b.n)
            out->name = mem_strdup(buf_cstr(&b));
        for (unsigned i = 0;
             subject_part(crt, GNUTLS_OID_X520_ORGANIZATION_NAME, i, &b); i++)
            strlist_add(&out->groups, buf_view(&b));
    }
    gnutls_x509_crt_deinit(crt);
    return out->name != NULL;
}

void
tls_peer_read(void *session, struct tls_peer *out)
{
    gnutls_typed_vdata_st purpose = {
        .type = GNUTLS_DT_KEY_PURPOSE_OID,
        .data = (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT};
    unsigned n = 0, status = 0;
    const gnutls_datum_t *der = gnutls_certificate_get_peers(session, &n);
    char hex[DIGEST_HEX_MAX];

    *out = (struct tls_peer){0};
    if (!der || !n)
        return;
    out->state = TLS_PEER_REFUSED;
    if (gnutls_certificate_verify_peers(session, &purpose, 1, &status) < 0 ||
        status || !read_subject(der, out))
        return;
    digest_hex(DIGEST_SHA256, str_n((const char *)der->data, der->size), hex);
    snprintf(out->fingerprint, sizeof(out->fingerprint), "%s", hex);
    out->state = TLS_PEER_GOOD;
}

void
tls_peer_release(struct tls_peer *p)
{
    free(p->name);
    strlist_release(&p->groups);
    *p = (struct tls_peer){0};
}

/* ---- kubeconfigs ---- */

static void
put_user(const struct tls_identity *id, const struct tls_user *user,
         struct buf *out)
{
    if (!user) {
        buf_printf(out, "    token: %s\n", id->token);
        return;
    }
    buf_puts(out, "    client-certificate-data: ");
    digest_base64(str_of(user->cert), false, out);
    buf_puts(out, "\n    client-key-data: ");
    digest_base64(str_of(user->key), false, out);
    buf_puts(out, "\n");
}

void
tls_kubeconfig(const struct tls_identity *id, const struct tls_user *user,
               const char *name, const char *host, unsigned port,
               struct buf *out)
{
    bool v6 = strchr(host, ':') != NULL;

    buf_printf(out,
               "apiVersion: v1\n"
               "kind: Config\n"
               "clusters:\n"
               "- name: %s\n"
               "  cluster:\n"
               "    server: https://%s%s%s:%u\n"
               "    certificate-authority-data: ",
               name, v6 ? "[" : "", host, v6 ? "]" : "", port);
    digest_base64(str_of(id->ca), false, out);
    buf_printf(out,
               "\n"
               "users:\n"
               "- name: %s\n"
               "  user:\n",
               name);
    put_user(id, user, out);
    buf_printf(out,
               "contexts:\n"
               "- name: %s\n"
               "  context:\n"
               "    cluster: %s\n"
               "    user: %s\n"
               "current-context: %s\n",
               name, name, name, name);
}

bool
tls_same(struct str a, struct str b)
{
    return a.n == b.n && (!a.n || gnutls_memcmp(a.s, b.s, a.n) == 0);
}

bool
tls_token_ok(const struct tls_identity *id, struct str given)
{
    return tls_same(given, str_of(id->token));
}
