/* The target of a request: path and query.
 * covers: devenv/sandbox/url.c */
#include <stdlib.h>

#include "lib/base/utf8.h"

#include "devenv/sandbox/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_text(const char *z)
{
    if (!utf8_valid(str_of(z)))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {0};
    struct url u;

    if (!url_parse(str_n((const char *)data, size), &u, &err)) {
        if (!*err.msg || !utf8_valid(str_of(err.msg)))
            abort();
        return 0;
    }
    check_text(u.path);
    for (size_t i = 0; i < u.segments_n; i++) {
        check_text(u.segments[i]);
        if (!strcmp(u.segments[i], "..") || !strcmp(u.segments[i], "."))
            abort();
    }
    for (size_t i = 0; i < u.params_n; i++) {
        check_text(u.params[i].value);
        if (!url_param(&u, u.params[i].name))
            abort();
    }
    url_release(&u);
    return 0;
}
