/* Published vectors: FIPS 180-2, RFC 1950, RFC 4648, Noll's FNV page. */
#include "lib/base/digest.h"

#include "tests/unit/test.h"

static void
hashes_match_their_standards(void **state)
{
    static const struct {
        enum digest_kind kind;
        const char *text, *want;
    } rows[] = {
        {DIGEST_SHA1, "abc", "a9993e364706816aba3e25717850c26c9cd0d89d"},
        {DIGEST_SHA256, "",
         "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {DIGEST_SHA256, "abc",
         "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {DIGEST_SHA512, "abc",
         "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
         "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    };
    uint8_t raw[DIGEST_MAX];
    char hex[DIGEST_HEX_MAX];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        digest_hex(rows[i].kind, str_of(rows[i].text), hex);
        assert_string_equal(hex, rows[i].want);
        assert_int_equal(digest_of(rows[i].kind, str_of(rows[i].text), raw) * 2,
                         strlen(rows[i].want));
    }
    assert_int_equal(digest_adler32(STR("Wikipedia")), 0x11E60398);
    assert_int_equal(digest_adler32(STR("")), 1);
    assert_int_equal(digest_fnv32(STR("")), 0x811c9dc5);
    assert_int_equal(digest_fnv32(STR("foobar")), 0xbf9cf968);
}

static void
base64_is_go_s(void **state)
{
    static const struct {
        struct str plain;
        const char *standard, *url;
    } rows[] = {
        {STR(""), "", ""},
        {STR("f"), "Zg==", "Zg"},
        {STR("fo"), "Zm8=", "Zm8"},
        {STR("foo"), "Zm9v", "Zm9v"},
        {STR("foob"), "Zm9vYg==", "Zm9vYg"},
        {STR("\0\xff\xfe\xfb"), "AP/++w==", "AP_--w"},
    };
    static const char *const bad[] = {
        "Zg", "Zg=",   "Z",    "Zg==Zg==", "Zg=a",
        "=",  "Zm 9v", "Z===", "Zm9v====", "Zm-v"};
    AUTO(buf_release) struct buf out = BUF_INIT(100);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (int url = 0; url < 2; url++) {
            const char *want = url ? rows[i].url : rows[i].standard;

            buf_reset(&out);
            assert_true(digest_base64(rows[i].plain, url, &out));
            assert_string_equal(buf_cstr(&out), want);
            buf_reset(&out);
            assert_true(digest_unbase64(str_of(want), url, &out));
            assert_true(str_eq(buf_view(&out), rows[i].plain));
        }
    }
    buf_reset(&out);
    buf_puts(&out, "kept");
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_false(digest_unbase64(str_of(bad[i]), false, &out));
        assert_string_equal(buf_cstr(&out), "kept");
    }
    assert_false(digest_unbase64(STR("Zg=="), true, &out));
    assert_false(digest_unbase64(STR("Zm9v\n"), true, &out));
    assert_true(digest_unbase64(STR("Zm\r\n9v\n"), false, &out));
    assert_string_equal(buf_cstr(&out), "keptfoo");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_match_their_standards),
        cmocka_unit_test(base64_is_go_s),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
