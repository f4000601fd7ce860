/* What the tests of lib/compose share. */
#ifndef TESTS_UNIT_COMPOSE_COMPOSE_TEST_H
#define TESTS_UNIT_COMPOSE_COMPOSE_TEST_H

#include "lib/base/json.h"

#include "tests/unit/test.h"

/* A tree from text; 'q' quotes serve as double ones, so that tests read. */
static inline struct json *
parse(const char *text)
{
    struct error err;
    char *z = strdup(text);

    for (char *p = z; *p; p++) {
        if (*p == '\'')
            *p = '"';
    }
    struct json *j = json_parse(str_of(z), NULL, &err);

    if (!j)
        fail_msg("%s in %s", err.msg, z);
    free(z);
    return j;
}

/* j prints as text (sorted keys, ' for "). */
static inline void
expect(const struct json *j, const char *text)
{
    char *got = json_text(j, JSON_SORTED);

    for (char *p = got; *p; p++) {
        if (*p == '"')
            *p = '\'';
    }
    assert_string_equal(got, text);
    free(got);
}

#endif
