/* A path, a line feed, a tree: read, changed, deleted, expanded, merged.
 * covers: lib/compose/fieldpath.c lib/compose/merge.c */
#include <stdlib.h>

#include "lib/compose/fieldpath.h"
#include "lib/compose/merge.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was set is found, what was deleted is not (elements move up). */
static void
change(struct json *j, struct str path)
{
    struct error err = {0};
    struct fieldpath p;

    if (fieldpath_set(j, path, json_new_int(7), &err)) {
        const struct json *got = fieldpath_get(j, path, &err);

        if (path.n && json_int64_or(got, 0) != 7)
            abort();
    } else if (!*err.msg) {
        abort();
    }
    if (!fieldpath_parse(path, &p, NULL) || !p.n ||
        !fieldpath_delete(j, path, &err))
        return;
    if (!p.v[p.n - 1].is_index && fieldpath_get(j, path, &err))
        abort();
}

static void
expand(const struct json *j, struct str path)
{
    AUTO(strlist_release) struct strlist paths = {0};
    struct error err = {0};

    if (!fieldpath_expand(j, path, &paths, &err)) {
        if (!*err.msg)
            abort();
        return;
    }
    /* A key may hold what a path cannot say, so not each one is found. */
    for (size_t i = 0; i < paths.n && i < 20; i++)
        fieldpath_get(j, str_of(paths.v[i]), &err);
}

/* Each option, of the tree with itself and with a part of it. */
static void
merge(const struct json *j, struct str path)
{
    for (int i = 0; i < 8; i++) {
        struct merge_options o = {
            .keep = i & 1, .append = i & 2, .dst_floats = i & 4};
        struct json *copy = json_copy(j);
        const struct json *part = fieldpath_get(j, path, NULL);
        struct error err = {0};
        struct json *merged =
            merge_values(json_copy(j), json_copy(j), &o, &err);

        if (!merged || (!o.append && !json_equal(merged, j)))
            abort();
        json_free(merged);
        merge_at(copy, path, part ? json_copy(part) : json_copy(j), &o, &err);
        json_free(copy);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_options limits = {.max_nodes = 500, .max_depth = 30};
    struct str path, text;
    struct json *j;

    str_cut(str_n((const char *)data, size), '\n', &path, &text);
    if (path.n > 300 || (path.n && memchr(path.s, '\0', path.n)))
        return 0;
    j = json_parse(text, &limits, NULL);
    if (!j)
        j = json_new_object();
    expand(j, path);
    merge(j, path);
    change(j, path);
    json_free(j);
    return 0;
}
