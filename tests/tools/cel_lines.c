/*
 * cel_lines.c - expressions, one a line, for comparing with cel-go.
 *
 * What: reads lines of JSON from stdin, {"e": EXPRESSION, "b": {NAME:
 * EXPRESSION}}, and answers each with one line: {"v": VALUE, "t": TYPE, "n":
 * COST}, "x" instead of "v" for an error, or {"c": COMPLAINT}. Variables are of
 * type dyn and have the values of their expressions. tests/diff/cel is the
 * other side.
 */
#include "lib/base/mem.h"

#include "tests/tools/lines.h"
#include "tests/unit/schema/cel_ask.h"

static void
ask(struct json *in, const struct error *err, struct json *out)
{
    struct cel_answer answer;

    (void)err;
    cel_ask(json_get_string(in, "e"), json_get(in, "b"), &answer);
    json_set_string(out, answer.key, buf_cstr(&answer.text));
    if (answer.type) {
        json_set_string(out, "t", answer.type);
        json_set_int(out, "n", (int64_t)answer.cost);
    }
    cel_answer_release(&answer);
}

int
main(void)
{
    lines_answer(ask);
    return 0;
}
