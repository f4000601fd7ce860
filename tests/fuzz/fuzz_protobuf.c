/* Bodies in Kubernetes' protobuf form, and continue tokens.
 * covers: devenv/sandbox/protobuf.c devenv/sandbox/continue.c */
#include <stdlib.h>

#include "devenv/sandbox/continue.h"
#include "devenv/sandbox/protobuf.h"
#include "devenv/sandbox/types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {0};
    struct status st = {0};
    struct buf start = BUF_INIT(8192);
    int64_t rev = 0;
    static struct types *types;
    struct json *j;

    if (!types)
        types = types_new();
    j = protobuf_object(types, str_n((const char *)data, size), &err);

    if (!j && !err.msg[0])
        abort();
    if (j && !json_get_string(j, "kind"))
        abort();
    json_free(j);
    if (!continue_decode(str_n((const char *)data, size), &rev, &start, &st) &&
        st.code != 400)
        abort();
    status_release(&st);
    buf_release(&start);
    return 0;
}
