#include "tui/filter.h"

#include "tests/unit/test.h"

static const struct tui_column columns[] = {
    {"HEALTH", COL_STATE, 0, false},   {"NAME", COL_NAME, 0, false},
    {"DOMAIN", COL_TEXT, 0, false},    {"OWNER", COL_TEXT, 0, false},
    {"READERS", COL_NUMBER, 0, false}, {"AGE", COL_AGE, 0, false},
};

enum { NOW = 1000000000 };

static const struct tui_cell cells[] = {
    {"", TUI_FAIL}, {"customer-profile", 0}, {"Sales", 0}, {"", 0},
    {"7", 7},       {"", NOW - 90 * 60000},
};

static const struct tui_row row = {.key = "k",
                                   .cells = cells,
                                   .labels = "team=shop,tier=gold",
                                   .state = TUI_FAIL,
                                   .name = "customer-profile"};

static bool
match(const char *text)
{
    const struct tui_table t = {.columns = columns,
                                .columns_n = ARRAY_LEN(columns)};
    struct error err = {0};
    struct filter *f = filter_parse(str_of(text), &err);
    bool answer;

    if (err.code)
        fail_msg("%s: %s", text, err.msg);
    answer = filter_match(f, &t, &row, NOW);
    filter_free(f);
    return answer;
}

static void
terms(void **state)
{
    static const struct {
        const char *text;
        bool want;
    } cases[] = {
        {"", true},
        {"profile", true},
        {"PROFILE", true},
        {"cupr", true}, /* letters in order */
        {"prcu", false},
        {"sales", true},
        {"fail", true}, /* the word of the state */
        {"sales profile", true},
        {"sales nothing", false},
        {"!sales", false},
        {"!finance", true},
        {"~^cust.*le$", true},
        {"~^profile", false},
        {"-l team=shop", true},
        {"-l team=ship", false},
        {"-l tier", true},
        {"-l tie", false},
        {"-l tier profile", true},
        {"domain=sal", true},
        {"domain!=sal", false},
        {"domain=hr", false},
        {"owner=", true}, /* none is declared */
        {"readers>6", true},
        {"readers<6", false},
        {"readers=7", true},
        {"age<2h", true},
        {"age<1h", false},
        {"age>30m", true},
        {"ready=false", true},
        {"ready=true", false},
        {"ready!=true", true},
        {"health=fail", true},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (match(cases[i].text) != cases[i].want)
            fail_msg("filter \"%s\"", cases[i].text);
    }
}

static void
bad_regex(void **state)
{
    struct error err = {0};

    (void)state;
    assert_null(filter_parse(STR("~a("), &err));
    assert_int_equal(err.code, ERR_PARSE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(terms),
                                       cmocka_unit_test(bad_regex)};

    return cmocka_run_group_tests_name("tui/filter", tests, NULL, NULL);
}
