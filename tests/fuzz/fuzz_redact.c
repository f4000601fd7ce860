/* Text and trees on their way into a support bundle: a secret that is known
 * never comes through, and what was a tree is one afterwards.
 * covers: devenv/redact.c */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/redact.h"

#define SECRET "hunter2-hunter2"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_text(struct str text)
{
    struct redact r = {0};
    struct buf out = BUF_INIT((size_t)1 << 22);

    redact_know(&r, STR(SECRET));
    if (!redact_text(&r, text, &out))
        abort();
    if (str_contains(buf_view(&out), STR(SECRET)))
        abort();
    redact_release(&r);
    buf_release(&out);
}

static void
check_tree(struct str text)
{
    struct json_options o = {.max_bytes = 1 << 20};
    struct json *j = json_parse(text, &o, NULL), *again;
    struct redact r = {0};

    if (!j)
        return;
    redact_know(&r, STR(SECRET));
    redact_json(&r, j);
    char *out = json_text(j, JSON_COMPACT);

    again = json_parse(str_of(out), NULL, NULL);
    if (!again)
        abort();
    json_free(again);
    free(out);
    json_free(j);
    redact_release(&r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, MIN(size, 1 << 16));

    check_text(text);
    check_tree(text);
    return 0;
}
