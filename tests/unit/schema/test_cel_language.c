/*
 * The expression language by the areas of its specification: each row of
 * data/cel_language.txt against what cel-go 0.26 with the libraries of
 * Kubernetes 1.34.4 answered (recorded by tests/diff/cel).
 */
#include "lib/base/file.h"

#include "tests/unit/schema/cel_ask.h"
#include "tests/unit/test.h"

#define TABLE "tests/unit/schema/data/cel_language.txt"

/* A row as it is read. */
struct row {
    struct buf expression;
    struct json *bindings;
    struct buf answer; /* its lines, each with a line feed */
    size_t count;      /* rows played */
};

static void
escaped(const struct buf *b, struct buf *out)
{
    for (size_t i = 0; i < b->n; i++) {
        if (b->s[i] == '\n')
            buf_puts(out, "\\n");
        else if (b->s[i] == '\\')
            buf_puts(out, "\\\\");
        else
            buf_putc(out, b->s[i]);
    }
}

/* The answer as the table writes it. */
static void
answer_lines(const struct cel_answer *a, struct buf *out)
{
    buf_printf(out, "  %s ",
               *a->key == 'v'   ? "is"
               : *a->key == 'x' ? "fails"
                                : "refused");
    escaped(&a->text, out);
    buf_putc(out, '\n');
    if (a->type)
        buf_printf(out, "  cost %llu, type %s\n", (unsigned long long)a->cost,
                   a->type);
}

static void
play(struct row *r)
{
    AUTO(buf_release) struct buf got = BUF_INIT(1 << 20);
    struct cel_answer a;

    if (!r->expression.n)
        return;
    cel_ask(buf_cstr(&r->expression), r->bindings, &a);
    answer_lines(&a, &got);
    if (strcmp(buf_cstr(&got), buf_cstr(&r->answer)) != 0)
        fail_msg("%s\nwanted:\n%sgot:\n%s", buf_cstr(&r->expression),
                 buf_cstr(&r->answer), buf_cstr(&got));
    cel_answer_release(&a);
    buf_reset(&r->expression);
    buf_reset(&r->answer);
    json_free(r->bindings);
    r->bindings = json_new_object();
    r->count++;
}

static void
take_line(struct row *r, struct str line)
{
    struct str name, value;

    if (str_starts(line, STR("  with "))) {
        size_t at = str_find(line, STR(" = "), 0);
        AUTO(buf_release) struct buf text = BUF_INIT(4096);
        AUTO(buf_release) struct buf key = BUF_INIT(100);

        name = str_sub(line, 7, at - 7);
        value = str_from(line, at + 3);
        buf_str(&text, value);
        buf_str(&key, name);
        json_set_string(r->bindings, buf_cstr(&key), buf_cstr(&text));
    } else if (str_starts(line, STR("  and "))) {
        buf_putc(&r->expression, '\n');
        buf_str(&r->expression, str_from(line, 6));
    } else if (str_starts(line, STR("  "))) {
        buf_str(&r->answer, line);
        buf_putc(&r->answer, '\n');
    } else {
        play(r);
        if (line.n && !str_starts(line, STR("# ")))
            buf_str(&r->expression, line);
    }
}

static void
test_language(UNUSED void **state)
{
    AUTO(buf_release) struct buf file = BUF_INIT(8 << 20);
    struct row r = {.expression = BUF_INIT(1 << 20),
                    .answer = BUF_INIT(1 << 20),
                    .bindings = json_new_object()};
    struct error err = {0};
    struct str line;

    if (!file_read(TABLE, &file, &err))
        fail_msg("%s", err.msg);
    struct str rest = buf_view(&file);

    while (str_next(&rest, '\n', &line))
        take_line(&r, line);
    play(&r);
    assert_true(r.count > 700);
    buf_release(&r.expression);
    buf_release(&r.answer);
    json_free(r.bindings);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_language)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
