/*
 * write_lines.c - writes, one case a line, for comparing with Go.
 *
 * What: reads lines of JSON from stdin and answers each with one line,
 * {"got": ...}. Kinds of cases:
 *   managed: schemas by version and a list of writes to one object; the object
 *     (without times) or the failure after each
 * tests/diffapi stands on the other side.
 */
#include "tests/tools/lines.h"
#include "tests/tools/write_cases.h"

static void
write_one(struct json *in, const struct error *err, struct json *out)
{
    (void)err;
    json_set(out, "got", write_case(in));
}

int
main(void)
{
    lines_answer(write_one);
    return 0;
}
