/* A tar that somebody sent: at most what the buffer holds comes out, and only
 * the member that was asked for.
 * covers: lib/base/archive.c */
#include <stdlib.h>

#include "lib/base/archive.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str tar = str_n((const char *)data, size);
    struct buf out = BUF_INIT(4096);
    struct error err = {0};

    if (archive_member_of(tar, "d/tool", &out, &err)) {
        if (out.n > 4096 || err.code)
            abort();
    } else if (out.n || !*err.msg) {
        abort();
    }
    buf_release(&out);
    return 0;
}
