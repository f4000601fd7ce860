/* Secrets do not survive, and what is none stays readable. */
#include "lib/base/mem.h"

#include "devenv/redact.h"

#include "tests/unit/test.h"

static const char *
text_of(const char *in, struct buf *out)
{
    struct redact r = {0};

    buf_reset(out);
    out->max = 1 << 20;
    redact_know(&r, STR("the-known-one"));
    assert_true(redact_text(&r, str_of(in), out));
    redact_release(&r);
    return buf_cstr(out);
}

/* Each row plants one secret that begins with "SECRET" or is given. */
static const struct {
    const char *text, *secret;
} planted[] = {
    {"GET / Authorization: Bearer SECRETabc.def and more", "SECRET"},
    {"curl -H 'authorization: Basic U0VDUkVU' https://x", "U0VDUkVU"},
    {"proxy-authorization: SECRET x y z", "x y z"},
    {"Set-Cookie: session=SECRET; Path=/", "SECRET"},
    {"sent Bearer SECRET0123", "SECRET"},
    {"http_proxy=http://user:SECRET@proxy:3128/", "SECRET"},
    {"https://SECRET@host/x", "SECRET"},
    {"https://u:p@SECRET@host/x", "SECRET"},
    {"DB_PASSWORD=SECRET", "SECRET"},
    {"dbPassword: SECRET", "SECRET"},
    {"{\"password\":\"SECRET one two\"}", "two"},
    {"{\"password\": \"a\\\"SECRET\"}", "SECRET"},
    {"msg=\"{\\\"token\\\":\\\"SECRET\\\"}\"", "SECRET"},
    {"kubeadm join --token SECRET --x y", "SECRET"},
    {"--client-secret=SECRET", "SECRET"},
    {"url?access_token=SECRET&x=1", "SECRET"},
    {"api-key := SECRET", "SECRET"},
    {"\"auth\":\"U0VDUkVU\"", "U0VDUkVU"},
    {"it says the-known-one in passing", "the-known-one"},
    {"as base64: dGhlLWtub3duLW9uZQ==", "dGhlLWtub3duLW9uZ"},
    {"-----BEGIN RSA PRIVATE KEY-----\nSECRET\n-----END RSA PRIVATE KEY-----",
     "SECRET"},
    {"-----BEGIN EC PRIVATE KEY-----\nSECRET cut", "SECRET"},
    {"x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJlc2ln y",
     "c2lnbmF0dXJl"},
    {"ghp_aBcDeFgHiJkLmNoPqRsTuVwXyZ012345", "aBcDeF"},
    {"glpat-0123456789abcdefghij", "0123456789abc"},
    {"AKIAIOSFODNN7EXAMPLE", "IOSFODNN7"},
    {"LS0tLS1CRUdJTiBQUklWQVRFIEtFWS0tLS0tU0VDUkVU", "U0VDUkVU"},
    {"value wJ4rX0tnFEM1iK7MDb2Pxf1iCYz9EX end", "wJ4rX0tn"},
    {"value a/wJ4rX0tnFEM1iK7MDb2Pxf1iCYz9EX/b+c end", "wJ4rX0tn"},
    {"PASSWORD=one\nPASSWORD=SECRET\n", "SECRET"},
};

static void
no_planted_secret_survives(void **state)
{
    AUTO(buf_release) struct buf out = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(planted); i++) {
        const char *got = text_of(planted[i].text, &out);

        if (strstr(got, planted[i].secret) || !strstr(got, REDACT_MARK))
            fail_msg("%s -> %s", planted[i].text, got);
    }
}

/* What a reader of a bundle needs. */
static const char *const kept[] = {
    "sha256:50030de23cf40a18505f20426f6a8506bedf13c6e509244bd1fa9463721b0f54",
    "uid 6a2f41a3-c54c-fce8-32d2-0324e1c32e22",
    "pod crossplane-rbac-manager-6b8f9d7c5b-x2x7q is Running",
    "secretName: crossplane-root-ca",
    "imagePullSecrets: [regcred]",
    "automountServiceAccountToken: true",
    "tokenFile: /var/run/secrets/token",
    "WatchingCompositeResourceDefinitionRevisions2",
    "https://127.0.0.1:6443/api/v1/namespaces?limit=500",
    "ghcr.io/crossplane-contrib/function-go-templating:v0.12.2",
    "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots/12",
    "apiextensions.crossplane.io/composed/"
    "8a4f0de23cf40a18505f20426f6a8506bedf13c6e509244bd1fa9463721b0f54",
    "time=\"2026-11-21T07:57:01Z\" level=info msg=\"serving on :8443\"",
    "the token expired",
    "PWD=/home/nora/mesh",
    "password: ",
    "password: null",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "",
};

static void
what_is_no_secret_stays(void **state)
{
    AUTO(buf_release) struct buf out = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(kept); i++)
        assert_string_equal(text_of(kept[i], &out), kept[i]);
}

static const char tree[] =
    "{\"items\":["
    "{\"kind\":\"Secret\",\"metadata\":{\"name\":\"s\",\"managedFields\":[1],"
    " \"annotations\":{\"kubectl.kubernetes.io/last-applied-configuration\":"
    " \"SECRET1\",\"note\":\"x\"}},\"data\":{\"a\":\"SECRET2\",\"b\":7},"
    " \"stringData\":{\"c\":\"SECRET3\"}},"
    "{\"kind\":\"ConfigMap\",\"data\":{\"plain\":\"SECRET4\"}},"
    "{\"kind\":\"Pod\",\"spec\":{\"containers\":[{\"env\":["
    " {\"name\":\"DB_PASSWORD\",\"value\":\"SECRET5\"},"
    " {\"name\":\"HTTPS_PROXY\",\"value\":\"http://u:SECRET6@p:1\"},"
    " {\"name\":\"LEVEL\",\"value\":\"debug\"}],"
    " \"args\":[\"--token\",\"SECRET7\",\"--token=SECRET8\",\"--v=2\"]}]}},"
    "{\"Config\":{\"Env\":[\"API_KEY=SECRET9\",\"PATH=/bin\"]}},"
    "{\"auths\":{\"ghcr.io\":{\"auth\":\"SECRETa\"}}},"
    "{\"users\":[{\"name\":\"u\",\"user\":{\"token\":\"SECRETb\","
    " \"client-key-data\":\"SECRETc\",\"password\":\"SECRETd\"}}]},"
    "{\"tokenList\":[\"SECRETe\"],\"spec\":{\"apiToken\":{\"v\":1}}},"
    "{\"message\":\"cannot log in with the-known-one\"}]}";

static void
trees_lose_values_and_keep_names(void **state)
{
    static const char *const stay[] = {
        "\"a\"",     "\"c\"",   "plain",       "debug", "--v=2",
        "PATH=/bin", "ghcr.io", "DB_PASSWORD", "note",  "API_KEY="};
    struct redact r = {0};
    AUTO(json_free_ptr)
    struct json *j = json_parse(str_of(tree), NULL, NULL);

    (void)state;
    assert_non_null(j);
    redact_know(&r, STR("the-known-one"));
    redact_json(&r, j);
    AUTO(mem_free_ptr) char *text = json_text(j, JSON_COMPACT);

    if (strstr(text, "SECRET") || strstr(text, "the-known") ||
        strstr(text, "managedFields") || strstr(text, "last-applied"))
        fail_msg("%s", text);
    for (size_t i = 0; i < ARRAY_LEN(stay); i++) {
        if (!strstr(text, stay[i]))
            fail_msg("%s is gone from %s", stay[i], text);
    }
    assert_int_equal(r.count, 15);
    redact_release(&r);
}

/* A long text of every trap costs time in proportion. */
static void
hostile_text_ends(void **state)
{
    static const char *const pieces[] = {"token:",       "/a",          "://",
                                         "\"token\":\"", "-----BEGIN ", "eyJ"};
    AUTO(buf_release)
    struct buf in = BUF_INIT(1 << 22), out = BUF_INIT(1 << 23);
    struct redact r = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++) {
        for (size_t n = 0; n < 60000; n++)
            buf_puts(&in, pieces[i]);
    }
    assert_true(redact_text(&r, buf_view(&in), &out));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_planted_secret_survives),
        cmocka_unit_test(what_is_no_secret_stays),
        cmocka_unit_test(trees_lose_values_and_keep_names),
        cmocka_unit_test(hostile_text_ends),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
