/*
 * write_lines.c - writes, one case a line, for comparing with Go.
 *
 * What: reads lines of JSON from stdin and answers each with one line,
 * {"got": ...}. Kinds of cases:
 *   managed: schemas by version and a list of writes to one object; the object
 *     (without times) or the failure after each
 * tests/diffapi stands on the other side.
 */
#include <stdio.h>
#include <stdlib.h>

#include "tests/tools/write_cases.h"

int
main(void)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    while ((n = getline(&line, &cap, stdin)) > 0) {
        AUTO(json_free_ptr)
        struct json *in = json_parse(str_n(line, (size_t)n), NULL, NULL);
        AUTO(json_free_ptr) struct json *answer = json_new_object();
        AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);

        json_set(answer, "got", write_case(in));
        json_print(answer, JSON_COMPACT, &text);
        puts(buf_cstr(&text));
        fflush(stdout);
    }
    free(line);
    return 0;
}
