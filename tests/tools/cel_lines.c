/*
 * cel_lines.c - expressions, one a line, for comparing with cel-go.
 *
 * What: reads lines of JSON from stdin, {"e": EXPRESSION, "b": {NAME:
 * EXPRESSION}}, and answers each with one line: {"v": VALUE, "t": TYPE, "n":
 * COST}, "x" instead of "v" for an error, or {"c": COMPLAINT}. Variables are of
 * type dyn and have the values of their expressions. tests/diff/cel is the
 * other side.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "tests/unit/schema/cel_ask.h"

int
main(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    while ((n = getline(&line, &cap, stdin)) > 0) {
        struct error err = {0};
        struct cel_answer answer;
        AUTO(json_free_ptr)
        struct json *in = json_parse(str_n(line, (size_t)n), NULL, &err);
        AUTO(json_free_ptr) struct json *out = json_new_object();

        cel_ask(json_get_string(in, "e"), json_get(in, "b"), &answer);
        json_set_string(out, answer.key, buf_cstr(&answer.text));
        if (answer.type) {
            json_set_string(out, "t", answer.type);
            json_set_int(out, "n", (int64_t)answer.cost);
        }
        AUTO(mem_free_ptr) char *text = json_text(out, JSON_COMPACT);

        puts(text);
        fflush(stdout);
        cel_answer_release(&answer);
    }
    free(line);
    return 0;
}
