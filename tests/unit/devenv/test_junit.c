/* JUnit XML: valid whatever the texts hold, whole or not at all. */
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/junit.h"

#include "tests/unit/test.h"

static struct verify_check
check(enum verify_outcome outcome, const char *name, const char *detail)
{
    return (struct verify_check){.group = "V-c",
                                 .subject = "mesh-core",
                                 .name = name,
                                 .outcome = outcome,
                                 .detail = detail,
                                 .ms = 1234};
}

static char *
text_of(const char *name, const char *detail)
{
    struct verify_check c = check(VERIFY_MISS, name, detail);
    AUTO(junit_free_ptr) struct junit *j = junit_new("t");

    junit_add(j, &c);
    return junit_text(j, NULL);
}

static void
must_have(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("%s is not in:\n%s", part, text);
}

static void
counts(void **state)
{
    const struct verify_check checks[] = {
        check(VERIFY_OK, "a", ""), check(VERIFY_MISS, "b", "gone"),
        check(VERIFY_NOTE, "c", "not looked at")};
    AUTO(junit_free_ptr) struct junit *j = junit_new("t");
    AUTO(mem_free_ptr) char *text = NULL;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(checks); i++)
        junit_add(j, &checks[i]);
    text = junit_text(j, NULL);
    must_have(text, "<testsuites name=\"t\" tests=\"3\" failures=\"1\" "
                    "time=\"3.702\">");
    must_have(text, "<testsuite name=\"V-c packages, kinds and compositions\" "
                    "tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\" "
                    "time=\"3.702\" timestamp=\"20");
    must_have(text, "<testcase classname=\"V-c.mesh-core\" name=\"a\" "
                    "time=\"1.234\"/>");
    must_have(text, "name=\"b\" time=\"1.234\"><failure type=\"miss\" "
                    "message=\"gone\"/></testcase>");
    must_have(text, "<skipped message=\"not looked at\"/>");
}

/* XML 1.0 section 2.2: what it does not know becomes U+FFFD. */
static void
escapes(void **state)
{
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"<a href=\"x\">&'", "&lt;a href=&quot;x&quot;&gt;&amp;'"},
        {"a\nb\tc\rd", "a&#10;b&#9;c&#13;d"},
        {"\x01\x1b[31m\x7f", "\xEF\xBF\xBD\xEF\xBF\xBD[31m\x7f"},
        {"\xff\xc3(", "\xEF\xBF\xBD\xEF\xBF\xBD("},
        {"\xEF\xBF\xBE\xEF\xBF\xBF", "\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"\xED\xA0\x80", "\xEF\xBF\xBD"},
        {"gr\xC3\xBC\xC3\x9F \xF0\x9F\x90\x95",
         "gr\xC3\xBC\xC3\x9F \xF0\x9F\x90\x95"},
        {"]]>", "]]&gt;"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(mem_free_ptr) char *text = text_of(rows[i].in, rows[i].in);
        AUTO(mem_free_ptr) char *name = mem_printf("name=\"%s", rows[i].out);

        must_have(text, name);
        assert_null(strchr(text, 0x1b));
    }
}

/* In a temporary folder: mode, replaced whole, errors that leave it alone. */
static void
files(void **state)
{
    char folder[] = "/tmp/meshtop-junit.XXXXXX";
    AUTO(junit_free_ptr) struct junit *j = junit_new("t");
    struct verify_check c = check(VERIFY_OK, "a", "");
    AUTO(buf_release) struct buf read = BUF_INIT(65536);
    struct error err = {0};

    (void)state;
    assert_non_null(mkdtemp(folder));
    AUTO(mem_free_ptr) char *path = file_join(folder, "out.xml");
    AUTO(mem_free_ptr) char *missing = file_join(folder, "no/out.xml");

    junit_add(j, &c);
    assert_true(junit_write(j, path, NULL));
    assert_true(file_read(path, &read, NULL));
    assert_true(str_ends(buf_view(&read), STR("</testsuites>\n")));
    assert_false(junit_write(j, folder, &err));
    assert_int_equal(err.code, ERR_USAGE);
    assert_false(junit_write(j, missing, &err));
    assert_non_null(strstr(err.msg, "no/out.xml"));
    assert_true(junit_write(j, "/dev/null", NULL));
    assert_false(junit_write(j, "/dev/full", &err));
    assert_non_null(strstr(err.msg, "No space left"));
    struct stat st;

    assert_int_equal(stat("/dev/full", &st), 0);
    assert_true(S_ISCHR(st.st_mode));
    file_remove_tree(folder, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(escapes),
        cmocka_unit_test(files),
    };

    return cmocka_run_group_tests_name("junit", tests, NULL, NULL);
}
