/*
 * lines.h - JSON a line in, JSON a line out: how programs of another language
 * ask ours.
 *
 * What: every line of stdin is parsed and handed to the tool, which fills the
 * answer; each answer leaves at once. in is NULL and err says why when the line
 * is no JSON.
 */
#ifndef TESTS_TOOLS_LINES_H
#define TESTS_TOOLS_LINES_H

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/json.h"

typedef void lines_fn(struct json *in, const struct error *err,
                      struct json *out);

static inline void
lines_answer(lines_fn *fn)
{
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;

    while ((n = getline(&line, &cap, stdin)) > 0) {
        struct error err = {0};
        AUTO(json_free_ptr)
        struct json *in = json_parse(str_n(line, (size_t)n), NULL, &err);
        AUTO(json_free_ptr) struct json *out = json_new_object();
        AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);

        fn(in, &err, out);
        json_print(out, JSON_COMPACT, &text);
        puts(buf_cstr(&text));
        fflush(stdout);
    }
    free(line);
}

#endif
