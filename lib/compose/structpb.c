#include "lib/compose/structpb.h"

/* Integers of up to 15 digits are doubles as they are. */
static bool
is_plain(const char *text)
{
    enum { EXACT_DIGITS = 15 };

    return strlen(text) <= EXACT_DIGITS && !strpbrk(text, ".eE");
}

void
structpb_numbers(struct json *j)
{
    for (struct json *c = json_first(j), *next; c; c = next) {
        const char *text = json_number_text(c);
        double d;

        next = json_next(c);
        if (!text)
            structpb_numbers(c);
        else if (!is_plain(text) && json_double(c, &d))
            json_replace(j, c, json_new_double(d));
    }
}

const char *
structpb_type(const struct json *j)
{
    static const char *const types[] = {
        "nil",    "bool",           "float64",
        "string", "[]interface {}", "map[string]interface {}"};

    return types[json_type_of(j)];
}
