/* A pattern, a line feed, a text: compiled, searched, replaced.
 * covers: lib/base/re.c lib/base/re_parse.c lib/base/re_escape.c
 * covers: lib/base/re_compile.c lib/base/re_class.c */
#include <stdlib.h>

#include "lib/base/re.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_spans(const struct re *re, struct str text, size_t from)
{
    struct re_span s[8], first;
    size_t n = MIN(re_groups(re) + 1, ARRAY_LEN(s));
    bool found = re_search(re, text, from, s, n);

    if (from == 0 && found != re_match(re, text))
        abort();
    if (found != re_search(re, text, from, &first, 1))
        abort();
    if (!found)
        return;
    if (first.start != s[0].start || first.end != s[0].end ||
        first.start < from)
        abort();
    for (size_t i = 0; i < n; i++) {
        if (s[i].start == SIZE_MAX ? s[i].end != SIZE_MAX || i == 0
                                   : s[i].start > s[i].end || s[i].end > text.n)
            abort();
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str all = str_n((const char *)data, size), pattern, text;
    struct error err = {0};
    struct buf out = BUF_INIT(1 << 20);

    str_cut(all, '\n', &pattern, &text);
    if (pattern.n > 300 || text.n > 2000)
        return 0;
    struct re *re = re_compile(pattern, &err);

    if (!re) {
        if (!*err.msg)
            abort();
        return 0;
    }
    for (size_t i = 1; i <= re_groups(re) && i < 20; i++) {
        if (!re_group_name(re, i))
            abort();
    }
    check_spans(re, text, 0);
    check_spans(re, text, text.n / 2);
    re_replace_all(re, str_sub(text, 0, 200), STR("<$0|${1}$x>"), true, &out);
    buf_release(&out);
    re_free(re);
    return 0;
}
