/* The token of a list's next page: what is accepted comes back the same.
 * covers: devenv/sandbox/continue.c */
#include <stdlib.h>

#include "devenv/sandbox/continue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Names of objects need no escapes in JSON. */
static bool
plain(const struct buf *b)
{
    for (const char *p = buf_cstr(b); *p; p++) {
        if ((unsigned char)*p < ' ' || *p == '"' || *p == '\\')
            return false;
    }
    return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct status st = {0};
    struct buf start = BUF_INIT(BUF_TEXT_MAX), text = BUF_INIT(BUF_TEXT_MAX);
    struct buf again = BUF_INIT(BUF_TEXT_MAX);
    int64_t rev = 0, rev2 = 0;

    if (continue_decode(str_n((const char *)data, size), &rev, &start, &st) &&
        plain(&start)) {
        continue_encode(rev, true, buf_view(&start), &text);
        if (!continue_decode(buf_view(&text), &rev2, &again, &st) ||
            rev2 != rev || !str_eq(buf_view(&start), buf_view(&again)))
            abort();
    } else if (st.code && st.code != 400 && st.code != 410) {
        abort();
    }
    status_release(&st);
    buf_release(&start);
    buf_release(&text);
    buf_release(&again);
    return 0;
}
