#include "lib/base/mem.h"

#include "lib/kube/items.h"

#include "tests/unit/test.h"

static struct buf got;

static bool
keep(void *arg, struct str item)
{
    const char *stop = arg;

    buf_str(&got, item);
    buf_putc(&got, '|');
    return !stop || !str_eqz(item, stop);
}

/* Feeds text in pieces of n bytes; "items -> rest", or the error. */
static const char *
feed(const char *text, size_t n, char *stop)
{
    static char out[1000];
    struct kube_items s;
    struct error err = {0};
    struct str left = str_of(text), rest;
    bool ok = true;

    buf_reset(&got);
    kube_items_init(&s, "items", 64, 128, keep, stop);
    while (ok && left.n) {
        ok = kube_items_feed(&s, str_sub(left, 0, n), &err);
        left = str_from(left, MIN(n, left.n));
    }
    if (ok && kube_items_end(&s, &rest, &err))
        snprintf(out, sizeof(out), "%s -> %.*s", buf_cstr(&got), STR_ARG(rest));
    else
        snprintf(out, sizeof(out), "%s", err.code ? err.msg : "stopped");
    kube_items_release(&s);
    return out;
}

static void
pieces(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"{\"kind\":\"L\",\"items\":[{\"a\":1},{\"b\":[{}]}],\"x\":{\"items\":"
         "[{}]}}",
         "{\"a\":1}|{\"b\":[{}]}| -> "
         "{\"kind\":\"L\",\"items\":[],\"x\":{\"items\":[{}]}}"},
        {" { \"items\" : [ { \"a\" : \"}]\\\"\\\\\" } , {} ] } \n",
         "{ \"a\" : \"}]\\\"\\\\\" }|{}| -> { \"items\" : [] }"},
        {"{\"items\":null,\"kind\":\"L\"}",
         " -> {\"items\":null,\"kind\":\"L\"}"},
        {"{\"x\":\"items\",\"items\":[]}",
         " -> {\"x\":\"items\",\"items\":[]}"},
        {"{\"items\":[]}", " -> {\"items\":[]}"},
        {"{\"items\":[{}],\"items\":[{}]}",
         "{}| -> {\"items\":[],\"items\":[{}]}"},
        {"{\"\\u0069tems\":[{}]}", " -> {\"\\u0069tems\":[{}]}"},
        {"{}", " -> {}"},
        {"[]", "the answer is no list"},
        {"garbage", "the answer is no list"},
        {"{}{}", "the answer is no list"},
        {"{\"items\":[1]}", "an item of the list is no object"},
        {"{\"items\":[{}", "the list ended before it was complete"},
        {"{\"items\":[{\"a\":\"", "the list ended before it was complete"},
        {"", "the list ended before it was complete"},
        {"{\"items\":[{\"a\":\"0123456789012345678901234567890123456789012345"
         "6789012345678901234567890\"}]}",
         "an object of more than 64 bytes"},
        {"{\"items\":[{\"s\":1},{\"b\":2}]}", "stopped"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        for (size_t n = 1; n < 100; n++) {
            const char *out = feed(rows[i].text, n, (char *)"{\"s\":1}");

            if (strcmp(out, rows[i].want) != 0)
                fail_msg("row %zu, pieces of %zu: %s", i, n, out);
        }
    }
}

/* Cut anywhere, a list is not complete. */
static void
cut(void **state)
{
    static const char text[] =
        "{\"kind\":\"L\",\"items\":[{\"a\":\"\\\"\"},{}],\"m\":{\"r\":\"7\"}}";

    (void)state;
    for (size_t n = 0; n < sizeof(text) - 1; n++) {
        char *part = mem_strndup(text, n);

        assert_string_equal(feed(part, 100, NULL),
                            "the list ended before it was complete");
        free(part);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces),
        cmocka_unit_test(cut),
    };

    buf_init(&got, 10000);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);

    buf_release(&got);
    return failed;
}
