#include "lib/base/mem.h"
#include "lib/base/re.h"

#include "tests/unit/test.h"

/* Pattern, text, the spans of the match and its groups: answers of Go 1.26's
 * regexp package. */
static const struct {
    const char *pattern, *text, *want;
} matches[] = {
    {"a", "xa", "1,2"},
    {"ab|cd", "xcd", "1,3"},
    {"a|ab", "ab", "0,1"},
    {"ab|a", "ab", "0,2"},
    {"(a|ab)(c|bcd)", "abcd", "0,4 0,1 1,4"},
    {"(a+)(b+)", "xaabb", "1,5 1,3 3,5"},
    {"a*", "b", "0,0"},
    {"a*?", "aaa", "0,0"},
    {"a+?", "aaa", "0,1"},
    {"(a+?)(a*)", "aaa", "0,3 0,1 1,3"},
    {"a??b", "ab", "0,2"},
    {"(a*)*b", "aaab", "0,4 0,3"},
    {"(a*)+", "b", "0,0 0,0"},
    {"(a*)*", "b", "0,0 0,0"},
    {"(|a)*", "aa", "0,0 0,0"},
    {"(|a)+", "aa", "0,0 0,0"},
    {"(a|b)*?c", "abc", "0,3 1,2"},
    {"x{2}", "xxx", "0,2"},
    {"x{2,}", "xxxx", "0,4"},
    {"x{2,3}", "xxxx", "0,3"},
    {"x{2,3}?", "xxxx", "0,2"},
    {"x{0}", "x", "0,0"},
    {"x{,2}", "x{,2}", "0,5"},
    {"{", "{", "0,1"},
    {"a{1", "a{1", "0,3"},
    {"^$", "", "0,0"},
    {"^$", "a", "none"},
    {"^a", "ba", "none"},
    {"a$", "ab", "none"},
    {"a$", "ba", "1,2"},
    {"(?m)^b", "a\nb", "2,3"},
    {"(?m)a$", "a\nb", "0,1"},
    {"(?m)^$", "a\n\nb", "2,2"},
    {"\\Ab", "a\nb", "none"},
    {"a\\z", "a\n", "none"},
    {".", "\n", "none"},
    {"(?s).", "\n", "0,1"},
    {"a.c", "a\nc", "none"},
    {"(?s)a.c", "a\nc", "0,3"},
    {"\\bfoo\\b", "a foo b", "2,5"},
    {"\\bfoo\\b", "afoo", "none"},
    {"\\Boo", "foo", "1,3"},
    {"\\b", "\xC3\xA9", "none"},
    {"\\d+", "a12", "1,3"},
    {"\\D+", "12a3", "2,3"},
    {"\\s", "a\tb", "1,2"},
    {"\\S+", " ab ", "1,3"},
    {"\\w+", "-a_1-", "1,4"},
    {"\\W", "a-", "1,2"},
    {"[a-c]+", "xabcd", "1,4"},
    {"[^a-c]+", "abxyc", "2,4"},
    {"[]a]+", "a]", "0,2"},
    {"[^]a]", "]ab", "2,3"},
    {"[-a]+", "a-b", "0,2"},
    {"[a-]+", "a-b", "0,2"},
    {"[\\d-]+", "1-2", "0,3"},
    {"[[:alpha:]]+", "1ab2", "1,3"},
    {"[[:^alpha:]]", "ab1", "2,3"},
    {"[[:word:]]+", "-a_", "1,3"},
    {"[\\]\\\\]", "\\", "0,1"},
    {"\\pL+",
     "1\xC3\xA9"
     "a2",
     "1,4"},
    {"\\p{Lu}", "a\xC3\x89", "1,3"},
    {"\\P{L}", "a1", "1,2"},
    {"\\p{^L}", "a1", "1,2"},
    {"\\PL", "a1", "1,2"},
    {"\\p{Greek}+", "a\xCE\xA3\xCF\x83", "1,5"},
    {"\\p{Cyrillic}", "a\xD0\x96", "1,3"},
    {"\\p{Han}", "a\xE6\xBC\xA2", "1,4"},
    {"\\pN", "a\xD9\xA3", "1,3"},
    {"\\p{Sc}", "a\xE2\x82\xAC", "1,4"},
    {"[\\p{Lu}\\d]+", "aB1", "1,3"},
    {"(?i)abc", "xAbC", "1,4"},
    {"(?i)\xC3\xA9", "\xC3\x89", "0,2"},
    {"(?i)\xCF\x83", "\xCF\x82", "0,2"},
    {"(?i)k", "\xE2\x84\xAA", "0,3"},
    {"(?i)s", "\xC5\xBF", "0,2"},
    {"(?i)[a-c]+", "ABC", "0,3"},
    {"(?i)[^a]", "Ab", "1,2"},
    {"(?i)\xD0\xB6", "\xD0\x96", "0,2"},
    {"a(?i)b|c", "AC", "1,2"},
    {"(?i:a)b", "AB", "none"},
    {"(?i:a)b", "Ab", "0,2"},
    {"(?i)a(?-i)b", "AB", "none"},
    {"(?U)a+", "aaa", "0,1"},
    {"(?U)a+?", "aaa", "0,3"},
    {"(?P<n>a)b", "ab", "0,2 0,1"},
    {"(?<n>a)(b)?", "a", "0,1 0,1 -1,-1"},
    {"(a)|(b)", "b", "0,1 -1,-1 0,1"},
    {"(a)?(b)?", "b", "0,1 -1,-1 0,1"},
    {"((a)|b)*", "ab", "0,2 1,2 0,1"},
    {"(?:a|b)+", "ab", "0,2"},
    {"()", "a", "0,0 0,0"},
    {"(?:)", "a", "0,0"},
    {"a||b", "b", "0,0"},
    {"", "a", "0,0"},
    {"\\Qa*b\\E", "a*b", "0,3"},
    {"\\Qab\\E+", "abb", "0,3"},
    {"\\Qa", "a", "0,1"},
    {"\\x41\\x{42}\\103", "ABC", "0,3"},
    {"\\n\\t\\a", "\n\t\x07", "0,3"},
    {"\\.", "a.", "1,2"},
    {"\\-", "-", "0,1"},
    {"\\_", "_", "0,1"},
    {"\xC3\xA9"
     "+",
     "a\xC3\xA9\xC3\xA9", "1,5"},
    {"..",
     "\xC3\xA9"
     "a",
     "0,3"},
    {"[\xC3\xA9"
     "-\xC3\xAB"
     "]",
     "\xC3\xAA", "0,2"},
    {"\xF0\x9F\x98\x80", "a\xF0\x9F\x98\x80", "1,5"},
    {"(a{2}){2}", "aaaaa", "0,4 2,4"},
    {"((a{2}){3}){4}", "aaaaaaaaaaaaaaaaaaaaaaaa", "0,24 18,24 22,24"},
    {"(a|aa)(b|abb)?", "aabb", "0,4 0,1 1,4"},
    {"(foo|foobar)$", "foobar", "0,6 0,6"},
    {"^(a|b)*$", "abab", "0,4 3,4"},
    {"^(a|b)*$", "abac", "none"},
    {"x*y*z*", "zyx", "0,1"},
    {"(x*)(y*)", "yx", "0,1 0,0 0,1"},
    {"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "my-name-1", "0,9 1,9"},
    {"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$", "my-name-", "none"},
    {"^([a-z0-9]+\\.)+[a-z]+$", "a.b.example", "0,11 2,4"},
    {"^v?(0|[1-9]\\d*)\\.(0|[1-9]\\d*)\\.(0|[1-9]\\d*)$", "v1.20.3",
     "0,7 1,2 3,5 6,7"},
    {"^\\d{4}-\\d{2}-\\d{2}$", "2024-01-02", "0,10"},
    {"([^@]+)@([^@]+)", "a@b", "0,3 0,1 2,3"},
    {"^.{1,3}$", "\xC3\xA9\xC3\xA8\xC3\xAA", "0,6"},
    {"^.{1,3}$", "abcd", "none"},
    {"(\\d+)(?:px|em)", "12em", "0,4 0,2"},
    {"\"[^\"]*\"", "a\"b\"c", "1,4"},
    {"(?m)^(\\w+):\\s*(.*)$", "a: b\nc: d", "0,4 0,1 3,4"},
    {"a.*?b", "axxbxb", "0,4"},
    {"a.*b", "axxbxb", "0,6"},
    {"(a.*)(b?)", "ab", "0,2 0,2 2,2"},
    {"(a*?)(b*)", "aab", "0,0 0,0 0,0"},
    {"((a*)b)*", "aabb", "0,4 3,4 3,3"},
    {"(?:(a)|b)*", "ab", "0,2 0,1"},
    {"^^a", "a", "0,1"},
    {"a$$", "a", "0,1"},
    {"^*", "a", "0,0"},
    {"\\b+", "a b", "0,0"},
    {"($)*", "a", "0,0 -1,-1"},
    {"[\\x00-\\x{10FFFF}]", "\n", "0,1"},
    {"[^\\x00-\\x{10FFFF}]", "a", "none"},
    {"\\z", "ab", "2,2"},
    {"(?i-s)A.", "a\n", "none"},
    {"(?ms)^.$", "a\n", "0,1"},
};

static const struct {
    const char *pattern, *want;
} errors[] = {
    {"a(", "missing closing ): `a(`"},
    {"a)", "unexpected ): `a)`"},
    {"[a", "missing closing ]: `[a`"},
    {"[z-a]", "invalid character class range: `z-a`"},
    {"\\q", "invalid escape sequence: `\\q`"},
    {"*", "missing argument to repetition operator: `*`"},
    {"a**", "invalid nested repetition operator: `**`"},
    {"a*?*", "invalid nested repetition operator: `*?*`"},
    {"a++", "invalid nested repetition operator: `++`"},
    {"a{1001}", "invalid repeat count: `{1001}`"},
    {"a{2,1}", "invalid repeat count: `{2,1}`"},
    {"a\\", "trailing backslash at end of expression: ``"},
    {"(?=a)", "invalid or unsupported Perl syntax: `(?=`"},
    {"(?!a)", "invalid or unsupported Perl syntax: `(?!`"},
    {"(?<=a)", "invalid named capture: `(?<=a)`"},
    {"(?i", "invalid or unsupported Perl syntax: `(?i`"},
    {"(?", "invalid or unsupported Perl syntax: `(?`"},
    {"(?P<n", "invalid named capture: `(?P<n`"},
    {"(?P<n>a", "missing closing ): `(?P<n>a`"},
    {"(?P<n-x>a)", "invalid named capture: `(?P<n-x>`"},
    {"(?P<>a)", "invalid named capture: `(?P<>`"},
    {"(?P=n)", "invalid or unsupported Perl syntax: `(?P`"},
    {"((a{100}){100}){100}", "invalid repeat count: `{100}`"},
    {"\\p{Foo}", "invalid character class range: `\\p{Foo}`"},
    {"\\p{Greek", "invalid character class range: `\\p{Greek`"},
    {"\\pX", "invalid character class range: `\\pX`"},
    {"[[:foo:]]", "invalid character class range: `[:foo:]`"},
    {"(?z)", "invalid or unsupported Perl syntax: `(?z`"},
    {"(?i-)", "invalid or unsupported Perl syntax: `(?i-)`"},
    {"\\8", "invalid escape sequence: `\\8`"},
    {"\\1", "invalid escape sequence: `\\1`"},
    {"\\C", "invalid escape sequence: `\\C`"},
    {"\\x", "invalid escape sequence: `\\x`"},
    {"\\x{110000}", "invalid escape sequence: `\\x{110000`"},
    {"x{2}{3}", "invalid nested repetition operator: `{2}{3}`"},
    {"[\\", "trailing backslash at end of expression: ``"},
    {"[]", "missing closing ]: `[]`"},
    {"(|*)", "missing argument to repetition operator: `*`"},
    {"[a-\\d]", "invalid escape sequence: `\\d`"},
    {"x{99999999999}", "invalid repeat count: `{99999999999}`"},
    {"(?:", "missing closing ): `(?:`"},
    {"(a|b", "missing closing ): `(a|b`"},
    {"a|*", "missing argument to repetition operator: `*`"},
};

static void
spans_text(const struct re *re, struct str text, char out[256])
{
    struct re_span s[8];
    size_t n = re_groups(re) + 1, at = 0;

    if (!re_search(re, text, 0, s, n)) {
        snprintf(out, 256, "none");
        return;
    }
    for (size_t i = 0; i < n; i++)
        at += (size_t)snprintf(out + at, 256 - at, "%s%zd,%zd", i ? " " : "",
                               (ssize_t)s[i].start, (ssize_t)s[i].end);
}

static void
test_matches(UNUSED void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(matches); i++) {
        struct error err = {0};
        struct str text = str_of(matches[i].text);
        AUTO(re_free_ptr)
        struct re *re = re_compile(str_of(matches[i].pattern), &err);
        char got[256];

        if (!re)
            fail_msg("%s: %s", matches[i].pattern, err.msg);
        spans_text(re, text, got);
        if (strcmp(got, matches[i].want) != 0)
            fail_msg("%s on %s: %s, not %s", matches[i].pattern,
                     matches[i].text, got, matches[i].want);
        assert_int_equal(re_match(re, text),
                         strcmp(matches[i].want, "none") != 0);
    }
}

static void
test_errors(UNUSED void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        struct error err = {0};
        char want[256];

        assert_null(re_compile(str_of(errors[i].pattern), &err));
        snprintf(want, sizeof(want), "error parsing regexp: %s",
                 errors[i].want);
        assert_string_equal(err.msg, want);
    }
}

/* Would take for ever in a backtracking matcher. */
static void
test_catastrophes(UNUSED void **state)
{
    static const char *const patterns[] = {
        "(a*)*b",    "(a+)+$b",           "(a|a)*b",
        "(a|aa)+b",  "(.*)(.*)(.*)(.*)b", "(a?){100}a{100}b",
        "((a*)*)*b", "(x+x+)+y",          "^(a|b|ab)*c$",
    };
    AUTO(buf_release) struct buf text = BUF_INIT(1 << 20);

    buf_fill(&text, 'a', 20000);
    for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
        AUTO(re_free_ptr) struct re *re = re_compile(str_of(patterns[i]), NULL);

        assert_non_null(re);
        assert_false(re_match(re, buf_view(&text)));
    }
}

static void
test_caps(UNUSED void **state)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 20);
    struct error err = {0};

    buf_fill(&b, '(', 1001);
    buf_fill(&b, ')', 1001);
    assert_null(re_compile(buf_view(&b), &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.msg, "expression nests too deeply"));

    buf_reset(&b);
    buf_fill(&b, 'a', 65537);
    assert_null(re_compile(buf_view(&b), &err));
    assert_int_equal(err.code, ERR_LIMIT);

    /* Too many steps, too many ranges, too many groups times steps. */
    static const struct {
        const char *unit;
        int times;
    } bombs[] = {{"a{1000}", 200}, {"\\pL", 9000}, {"()", 20000}};

    for (size_t i = 0; i < ARRAY_LEN(bombs); i++) {
        buf_reset(&b);
        for (int k = 0; k < bombs[i].times; k++)
            buf_puts(&b, bombs[i].unit);
        assert_null(re_compile(buf_view(&b), &err));
        assert_int_equal(err.code, ERR_LIMIT);
        assert_non_null(strstr(err.msg, "expression too large"));
    }
    assert_null(re_compile(STR("((a{100}){100}){100}"), &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_null(re_compile(STR("a\xFF"), &err));
    assert_int_equal(err.code, ERR_PARSE);
}

static void
test_names_and_from(UNUSED void **state)
{
    AUTO(re_free_ptr)
    struct re *re = re_compile(STR("(?P<key>\\w+)=(\\w+)"), NULL);
    struct re_span s[4];

    assert_int_equal(re_groups(re), 2);
    assert_string_equal(re_group_name(re, 1), "key");
    assert_string_equal(re_group_name(re, 2), "");
    assert_string_equal(re_group_name(re, 9), "");
    assert_true(re_search(re, STR("a=1 b=2"), 3, s, 4));
    assert_int_equal(s[0].start, 4);
    assert_int_equal(s[2].end, 7);
    assert_true(s[3].start == SIZE_MAX);
    assert_false(re_search(re, STR("a=1"), 4, s, 4));
    assert_false(re_match(re, (struct str){0}));

    /* The text begins at 0, not where the search does. */
    AUTO(re_free_ptr) struct re *caret = re_compile(STR("^a"), NULL);

    assert_false(re_search(caret, STR("ba"), 1, s, 1));
    /* Bad bytes are one character each. */
    AUTO(re_free_ptr) struct re *dots = re_compile(STR("^..$"), NULL);

    assert_true(re_match(dots, STR("\xFF\xC3")));
}

static void
test_replace(UNUSED void **state)
{
    static const struct {
        const char *pattern, *text, *with, *want;
        bool expand;
    } cases[] = {
        {"a(x*)b", "-ab-axxb-", "T", "-T-T-", true},
        {"a(x*)b", "-ab-axxb-", "$1", "--xx-", true},
        {"a(x*)b", "-ab-axxb-", "$1W", "---", true},
        {"a(x*)b", "-ab-axxb-", "${1}W", "-W-xxW-", true},
        {"a(x*)b", "-ab-axxb-", "${1}W", "-${1}W-${1}W-", false},
        {"(?P<n>a)", "ba", "[$n]$$$9${x}$", "b[a]$$", true},
        {"a*", "baac", "x", "xbxcx", true},
        {"", "\xC3\xA9", "-", "-\xC3\xA9-", true},
        {"$", "ab", "!", "ab!", true},
        {"b", "abc", "", "ac", true},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(re_free_ptr)
        struct re *re = re_compile(str_of(cases[i].pattern), NULL);
        AUTO(buf_release) struct buf out = BUF_INIT(1000);

        assert_true(re_replace_all(re, str_of(cases[i].text),
                                   str_of(cases[i].with), cases[i].expand,
                                   &out));
        assert_string_equal(buf_cstr(&out), cases[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matches),        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_catastrophes),   cmocka_unit_test(test_caps),
        cmocka_unit_test(test_names_and_from), cmocka_unit_test(test_replace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
