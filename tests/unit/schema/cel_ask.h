/*
 * cel_ask.h - one expression asked, with variables that are expressions too.
 *
 * What: what cel_lines and test_cel_language share. A variable is of type dyn
 * and has the value of an expression without variables, so that every type
 * can be said in text.
 * Lifetimes: an answer owns its texts; cel_answer_release.
 */
#ifndef TESTS_UNIT_SCHEMA_CEL_ASK_H
#define TESTS_UNIT_SCHEMA_CEL_ASK_H

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "tests/unit/schema/cel_show.h"

enum { CEL_ASK_VARIABLES = 8 };

struct cel_answer {
    const char *key; /* "v" a value, "x" an error, "c" a complaint */
    struct buf text;
    char *type; /* NULL: it did not compile */
    uint64_t cost;
};

static inline void
cel_answer_release(struct cel_answer *a)
{
    buf_release(&a->text);
    free(a->type);
}

/* The value of an expression that is known to have one. */
static inline struct cel_value
cel_ask_value(const char *source, struct arena *a, struct cel **c)
{
    AUTO(buf_release) struct buf why = BUF_INIT(1 << 20);
    struct cel_failure failure = {.text = &why};
    struct cel_run run = {.arena = a};

    *c = cel_compile(str_of(source), NULL, 0, &failure);
    if (!*c) {
        fprintf(stderr, "%s: %s\n", source, buf_cstr(&why));
        abort();
    }
    return cel_eval(*c, NULL, &run);
}

static inline void
cel_ask_compiled(const struct cel *c, const struct cel_value *values,
                 struct arena *a, struct cel_answer *answer)
{
    struct cel_run run = {.arena = a};
    struct cel_eval e = {.run = &run};
    struct cel_value v = cel_eval(c, values, &run);

    answer->cost = run.cost;
    answer->type = mem_strdup(cel_result_type(c));
    answer->key = v.kind == CEL_ERROR ? "x" : "v";
    if (v.kind == CEL_ERROR)
        buf_str(&answer->text, v.s);
    else
        cel_show(&e, &v, &answer->text);
}

static inline void
cel_ask(const char *source, const struct json *bindings,
        struct cel_answer *answer)
{
    struct arena *a = arena_new();
    struct cel_variable variables[CEL_ASK_VARIABLES] = {0};
    struct cel_value values[CEL_ASK_VARIABLES];
    struct cel *made[CEL_ASK_VARIABLES] = {0};
    size_t n = 0;
    AUTO(buf_release) struct buf why = BUF_INIT(BUF_TEXT_MAX);
    struct cel_failure failure = {.text = &why};

    *answer = (struct cel_answer){.key = "c", .text = BUF_INIT(BUF_TEXT_MAX)};
    for (const struct json *b = json_first(bindings); b && n < ARRAY_LEN(made);
         b = json_next(b), n++) {
        variables[n].name = json_key(b);
        values[n] = cel_ask_value(json_string(b), a, &made[n]);
    }
    struct cel *c = cel_compile(str_of(source), variables, n, &failure);

    if (c)
        cel_ask_compiled(c, values, a, answer);
    else
        buf_printf(&answer->text, "%s%s",
                   failure.instantiation ? "program: " : "", buf_cstr(&why));
    cel_free(c);
    while (n)
        cel_free(made[--n]);
    arena_free(a);
}

#endif
