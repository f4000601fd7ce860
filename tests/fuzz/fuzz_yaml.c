/* A YAML stream: what is read is printed in each style, read again and found
 * equal.
 * What is read quickly is read by libyaml too, and as the same.
 * covers: lib/base/yaml.c lib/base/yaml_plain.c lib/base/yaml_print.c
 * covers: lib/base/yaml_scalar.c */
#include <stdlib.h>

#include "lib/base/yaml_plain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A number beyond int64 and double changes when YAML reads it. */
static bool
ordinary(const struct json *j)
{
    int64_t whole;
    double d;

    if (json_is(j, JSON_NUMBER) &&
        !(json_is_integer(j) ? json_int64(j, &whole) : json_double(j, &d)))
        return false;
    for (struct json *c = json_first(j); c; c = json_next(c)) {
        if (!ordinary(c))
            return false;
    }
    return true;
}

static void
check_style(const struct json *j, unsigned flags)
{
    struct error err = {0};
    struct buf b = BUF_INIT(64 << 20);
    struct yaml_options o = {.max_depth = 300, .max_bytes = 64 << 20};

    if (!yaml_print(j, flags, &b))
        abort();
    struct json *again = yaml_parse_one(buf_view(&b), &o, &err);

    if (!again || !json_equal(again, j))
        abort();
    json_free(again);
    buf_release(&b);
}

/* Whoever asks for places is served by libyaml alone. */
static void
check_quick(struct str text, struct yaml_options o)
{
    struct json_places places = {0};
    struct yaml_docs quick = {0}, docs = {0};
    struct error err = {0};

    o.max_depth = 100;
    o.max_documents = 100;
    if (!yaml_plain(text, &o, &quick))
        return;
    o.places = &places;
    if (!yaml_parse(text, &o, &docs, &err) || docs.n != quick.n)
        abort();
    for (size_t i = 0; i < docs.n; i++) {
        if (docs.v[i].line != quick.v[i].line ||
            !json_equal(docs.v[i].value, quick.v[i].value))
            abort();
    }
    json_places_release(&places);
    yaml_docs_release(&quick);
    yaml_docs_release(&docs);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size);
    struct strlist dups = {0};
    struct yaml_options o = {.max_nodes = 5000, .max_bytes = 1 << 16};
    struct yaml_docs docs = {0};
    struct error err = {0};

    check_quick(text, o);
    if (size && data[0] & 1)
        o.duplicates = &dups;
    if (!yaml_parse(text, &o, &docs, &err)) {
        if (!*err.msg || docs.n)
            abort();
    }
    for (size_t i = 0; i < docs.n; i++) {
        if (!docs.v[i].line || json_is(docs.v[i].value, JSON_NULL))
            abort();
        if (!ordinary(docs.v[i].value))
            continue;
        check_style(docs.v[i].value, YAML_SORTED);
        check_style(docs.v[i].value, YAML_LIST_INDENT);
        check_style(docs.v[i].value, YAML_INDENT4);
    }
    yaml_docs_release(&docs);
    strlist_release(&dups);
    return 0;
}
