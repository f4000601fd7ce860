/* JSON text: what is read is printed, read again and found equal; a list is
 * walked item by item with the same verdict.
 * covers: lib/base/json.c lib/base/json_scan.c lib/base/json_print.c
 * covers: lib/base/json_keys.c lib/base/json_number.c */
#include <stdlib.h>

#include "lib/base/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_round_trip(const struct json *j, unsigned flags)
{
    struct error err = {0};
    char *text = json_text(j, flags);
    struct json *again = json_parse(str_of(text), NULL, &err);
    struct json *copy = json_copy(j);

    if (!again || !json_equal(j, again) || !json_equal(copy, j))
        abort();
    json_sort(copy);
    if (!json_equal(copy, j))
        abort();
    json_free(copy);
    json_free(again);
    free(text);
}

static void
check_numbers(const struct json *j)
{
    int64_t whole;
    double d;

    if (json_is_integer(j) && json_int64(j, &whole)) {
        struct json *same = json_new_int(whole);

        if (!json_equal(same, j))
            abort();
        json_free(same);
    } else if (json_double(j, &d)) {
        struct json *same = json_new_double(d);
        double back;

        if (!json_double(same, &back) || back != d)
            abort();
        json_free(same);
    }
    for (struct json *c = json_first(j); c; c = json_next(c))
        check_numbers(c);
}

static bool
count(void *arg, struct str item)
{
    struct json *j = json_parse(item, NULL, NULL);

    if (!j)
        abort();
    json_free(j);
    ++*(size_t *)arg;
    return true;
}

/* The text as the only item of a list. */
static void
check_walk(struct str text, bool good)
{
    struct buf list = BUF_INIT(1 << 20);
    struct json *rest = NULL;
    size_t n = 0;

    buf_puts(&list, "{\"kind\":\"List\",\"items\":[");
    buf_str(&list, text);
    buf_puts(&list, "]}");
    bool walked =
        json_each_item(buf_view(&list), "items", count, &n, &rest, NULL);

    if (good && (!walked || n != 1))
        abort();
    json_free(rest);
    buf_release(&list);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size);
    struct strlist dups = {0};
    struct json_options o = {.max_depth = 150, .duplicates = &dups};
    struct error err = {0};
    struct json *j = json_parse(text, &o, &err);

    if (!j && !*err.msg)
        abort();
    if (j) {
        check_round_trip(j, JSON_COMPACT);
        check_round_trip(j, JSON_PRETTY | JSON_SORTED | JSON_HTML);
        check_numbers(j);
    }
    check_walk(text, j != NULL);
    json_free(j);
    strlist_release(&dups);
    return 0;
}
