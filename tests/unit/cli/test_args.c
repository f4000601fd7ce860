#include "cli/args.h"

#include "tests/unit/test.h"

static const struct flag common[] = {
    {"namespace", 'n', "NS", "namespace"},
    {"all", 'A', NULL, "all"},
    {0},
};
static const struct flag own[] = {
    {"examples", 0, "NAME,...", "examples"},
    {"plan", 'p', NULL, "plan"},
    {0},
};

static bool
parse(struct args *a, struct error *err, const char *line)
{
    static char copy[256];
    static char *argv[32];
    int argc = 0;

    snprintf(copy, sizeof(copy), "%s", line);
    for (char *p = copy; *p && argc < 32;) {
        argv[argc++] = p;
        p = strchrnul(p, ' ');
        if (*p)
            *p++ = '\0';
    }
    return args_parse(a, common, own, argc, argv, err);
}

static void
flags_and_words_mix(void **state)
{
    struct args a;
    struct strlist list = {0};

    (void)state;
    assert_true(parse(&a, NULL,
                      "one -n ns1 --examples=a,b two --examples c -Ap -- -x"));
    assert_string_equal(args_get(&a, "namespace", ""), "ns1");
    assert_true(args_has(&a, "all") && args_has(&a, "plan"));
    assert_int_equal(a.words_n, 3);
    assert_string_equal(args_word(&a, 2), "-x");
    assert_null(args_word(&a, 3));
    args_list(&a, "examples", &list);
    assert_int_equal(list.n, 3);
    assert_string_equal(list.v[2], "c");
    strlist_release(&list);
    args_release(&a);
    assert_true(parse(&a, NULL, "-nfoo -n bar"));
    assert_string_equal(args_get(&a, "namespace", ""), "bar");
    args_release(&a);
}

static void
mistakes_are_named(void **state)
{
    static const struct {
        const char *line, *says;
    } rows[] = {
        {"--exampels x", "did you mean --examples?"},
        {"--nothinglikeit", "unknown flag --nothinglikeit"},
        {"-z", "unknown flag -z"},
        {"--examples", "--examples needs NAME,..."},
        {"x -n", "-n needs NS"},
        {"--plan=yes", "--plan takes no value"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct error err = {0};
        struct args a;

        assert_false(parse(&a, &err, rows[i].line));
        assert_int_equal(err.code, ERR_USAGE);
        assert_non_null(strstr(err.msg, rows[i].says));
    }
}

static void
counts_are_kept(void **state)
{
    struct error err = {0};
    struct args a;

    (void)state;
    assert_true(parse(&a, NULL, "one two"));
    assert_true(args_count(&a, 1, 2, &err));
    assert_false(args_count(&a, 0, 1, &err));
    assert_non_null(strstr(err.msg, "two"));
    assert_false(args_count(&a, 3, 3, &err));
    args_release(&a);
}

static void
more_flags_than_there_is_room_for(void **state)
{
    char *argv[200];
    struct error err = {0};
    struct args a;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(argv); i++)
        argv[i] = (char *)"--all";
    assert_false(args_parse(&a, common, own, ARRAY_LEN(argv), argv, &err));
    assert_int_equal(err.code, ERR_USAGE);
}

static void
the_command_stands_behind_common_flags(void **state)
{
    static const struct {
        const char *argv[5];
        int at;
    } rows[] = {
        {{"m", "up", "-n", "x", "y"}, 1},
        {{"m", "-n", "up", "down", "y"}, 3},
        {{"m", "--namespace", "up", "down", "y"}, 3},
        {{"m", "--namespace=x", "down", "y", "z"}, 2},
        {{"m", "-A", "-nfoo", "down", "y"}, 3},
        {{"m", "-A", "--all", "--help", "-n"}, 5},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(args_first_word(common, 5, (char **)rows[i].argv, 1),
                         rows[i].at);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_and_words_mix),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(counts_are_kept),
        cmocka_unit_test(the_command_stands_behind_common_flags),
        cmocka_unit_test(more_flags_than_there_is_room_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
