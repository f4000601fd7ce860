#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/digest.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

#include "devenv/dockerconfig.h"

#include "tests/unit/test.h"

static char path[64];

static struct dockerconfig *
with(const char *text, struct error *err)
{
    assert_true(file_write(path, str_of(text), 0600, NULL));
    return dockerconfig_open(path, err);
}

/* me:s3cret, you:pass:word with a NUL behind */
#define AUTHS                                                                  \
    "{\"auths\":{"                                                             \
    "\"https://index.docker.io/v1/\":{\"auth\":\"bWU6czNjcmV0\"},"             \
    "\"ghcr.io\":{\"auth\":\"eW91OnBhc3M6d29yZAA=\"},"                         \
    "\"reg.example:5000\":{\"username\":\"u\\\"x\",\"password\":\"p\\\\y\"},"  \
    "\"tok.example\":{\"auth\":\"\",\"identitytoken\":\"idtok\"},"             \
    "\"empty.example\":{},"                                                    \
    "\"bad.example\":{\"auth\":\"%%%\"}},"                                     \
    "\"credHelpers\":{\"gcr.io\":\"gcloud\"},"                                 \
    "\"currentContext\":\"colima\"}"

/* The decoded auth of the one host in a document. */
static void
document_says(const struct dockerconfig *c, const char *host, const char *key,
              const char *plain)
{
    struct buf doc = BUF_INIT(4096), text = BUF_INIT(4096);
    struct json *j;

    assert_true(dockerconfig_json_for(c, host, &doc));
    j = json_parse(buf_view(&doc), NULL, NULL);
    assert_int_equal(json_len(json_get(j, "auths")), 1);
    assert_true(digest_unbase64(
        str_of(json_string(json_at(j, "auths", key, "auth", NULL))), false,
        &text));
    assert_string_equal(buf_cstr(&text), plain);
    json_free(j);
    dockerconfig_wipe(&doc);
    buf_release(&text);
}

static void
plain_auths(void **state)
{
    struct error e = {0};
    struct dockerconfig *c = with(AUTHS, &e);
    struct strlist hosts = {0};
    struct buf doc = BUF_INIT(4096);

    (void)state;
    assert_non_null(c);
    document_says(c, "docker.io", "https://index.docker.io/v1/", "me:s3cret");
    document_says(c, "registry-1.docker.io", "https://index.docker.io/v1/",
                  "me:s3cret");
    document_says(c, "ghcr.io", "ghcr.io", "you:pass:word");
    document_says(c, "reg.example:5000", "reg.example:5000", "u\"x:p\\y");
    assert_false(dockerconfig_json_for(c, "reg.example", &doc));
    assert_false(dockerconfig_json_for(c, "tok.example", &doc));
    assert_false(dockerconfig_json_for(c, "bad.example", &doc));
    assert_int_equal(doc.n, 0);
    dockerconfig_hosts(c, &hosts);
    assert_int_equal(hosts.n, 3);
    assert_true(dockerconfig_json_all(c, &doc));
    assert_non_null(strstr(buf_cstr(&doc), "reg.example:5000"));
    assert_string_equal(dockerconfig_helper(c, "gcr.io"), "gcloud");
    assert_null(dockerconfig_helper(c, "ghcr.io"));
    assert_string_equal(dockerconfig_context(c), "colima");
    strlist_release(&hosts);
    dockerconfig_wipe(&doc);
    dockerconfig_free(c);
}

static void
header(void **state)
{
    struct dockerconfig *c = with(AUTHS, NULL);
    static const struct {
        const char *host, *want;
    } rows[] = {
        {"docker.io", "{\"username\":\"me\",\"password\":\"s3cret\","
                      "\"serveraddress\":\"https://index.docker.io/v1/\"}"},
        {"tok.example", "{\"identitytoken\":\"idtok\","
                        "\"serveraddress\":\"tok.example\"}"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf b64 = BUF_INIT(4096), text = BUF_INIT(4096);

        assert_true(dockerconfig_header_for(c, rows[i].host, &b64));
        /* padded, as engines decode it, and url-safe */
        assert_int_equal(b64.n % 4, 0);
        assert_null(strpbrk(buf_cstr(&b64), "+/"));
        while (b64.s[b64.n - 1] == '=')
            buf_truncate(&b64, b64.n - 1);
        assert_true(digest_unbase64(buf_view(&b64), true, &text));
        assert_string_equal(buf_cstr(&text), rows[i].want);
        buf_release(&b64);
        buf_release(&text);
    }
    struct buf none = BUF_INIT(64);

    assert_false(dockerconfig_header_for(c, "quay.io", &none));
    assert_int_equal(none.n, 0);
    dockerconfig_free(c);
}

static void
stores_are_named(void **state)
{
    struct dockerconfig *c =
        with("{\"auths\":{\"ghcr.io\":{}},\"credsStore\":\"desktop\"}", NULL);

    (void)state;
    assert_non_null(c);
    assert_string_equal(dockerconfig_helper(c, "ghcr.io"), "desktop");
    assert_false(dockerconfig_has(c, "ghcr.io"));
    dockerconfig_free(c);
}

static void
bad_files(void **state)
{
    static const struct {
        const char *text;
        bool ok;
    } rows[] = {
        {"", true},
        {"{}", true},
        {"{\"auths\":[]}", true},
        {"{\"auths\":{\"x\":7,\"y\":{\"auth\":[]}}}", true},
        {"{\"auths\":{\"x\":{\"auth\":\"bm9jb2xvbg==\"}}}", true},
        {"{\"credHelpers\":7,\"credsStore\":{},\"currentContext\":[]}", true},
        {"[]", false},
        {"{\"auths\":", false},
        {"\377\376", false},
    };
    struct strlist hosts = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct error e = {0};
        struct dockerconfig *c = with(rows[i].text, &e);

        assert_int_equal(c != NULL, rows[i].ok);
        assert_int_equal(c ? 0 : e.code, c ? 0 : ERR_PARSE);
        if (c)
            dockerconfig_hosts(c, &hosts);
        dockerconfig_free(c);
    }
    assert_int_equal(hosts.n, 0);
    strlist_release(&hosts);
}

/* An error names the file, and nothing that stands in it. */
static void
errors_keep_secrets(void **state)
{
    struct error e = {0};

    (void)state;
    assert_null(with("{\"auths\":{\"x\":{\"auth\":\"czNjcmV0\" oops", &e));
    assert_non_null(strstr(e.msg, path));
    assert_null(strstr(e.msg, "czNj"));
}

static void
missing_and_forbidden(void **state)
{
    struct error e = {0};
    struct dockerconfig *c = dockerconfig_open("/nowhere/config.json", &e);

    (void)state;
    assert_non_null(c);
    assert_string_equal(dockerconfig_context(c), "");
    dockerconfig_free(c);
    assert_true(file_write(path, STR("{}"), 0600, NULL));
    if (geteuid() == 0)
        assert_int_equal(seteuid(65534), 0);
    else
        chmod(path, 0);
    c = dockerconfig_open(path, &e);
    if (getuid() == 0)
        assert_int_equal(seteuid(0), 0);
    assert_null(c);
    assert_int_equal(e.code, ERR_DENIED);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_auths),
        cmocka_unit_test(header),
        cmocka_unit_test(stores_are_named),
        cmocka_unit_test(bad_files),
        cmocka_unit_test(errors_keep_secrets),
        cmocka_unit_test(missing_and_forbidden),
    };
    int fd, failed;

    snprintf(path, sizeof(path), "/tmp/meshtop-config.XXXXXX");
    fd = mkstemp(path);
    close(fd);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
