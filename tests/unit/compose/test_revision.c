/* Hashes against Crossplane 2.0.8's own (data/revisions.json). */
#include "lib/base/file.h"

#include "lib/compose/revision.h"

#include "tests/unit/compose/compose_test.h"

static struct json *
load(void)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 20);
    struct error err;

    if (!file_read("tests/unit/compose/data/revisions.json", &b, &err))
        fail_msg("%s", err.msg);
    return json_parse(buf_view(&b), NULL, &err);
}

static void
hashes_equal_upstreams(void **state)
{
    AUTO(json_free_ptr) struct json *all = load();
    size_t n = 0;

    (void)state;
    for (const struct json *j = json_first(all); j; j = json_next(j), n++) {
        char hash[REVISION_HASH_LEN];

        revision_hash(json_get(j, "composition"), hash);
        assert_string_equal(hash, json_get_string(j, "hash"));
    }
    assert_int_equal(n, 4);
}

static void
revisions_carry_what_core_gives_them(void **state)
{
    AUTO(json_free_ptr) struct json *all = load();
    const struct json *last = json_item(all, 3);
    const char *hash = json_get_string(last, "hash");
    AUTO(json_free_ptr)
    struct json *r = revision_new(json_get(last, "composition"), 7);
    const struct json *labels = json_at(r, "metadata", "labels", NULL);
    char want[80];

    (void)state;
    snprintf(want, sizeof(want), "c-%.7s", hash);
    assert_string_equal(json_string(json_at(r, "metadata", "name", NULL)),
                        want);
    snprintf(want, sizeof(want), "%.63s", hash);
    assert_string_equal(
        json_get_string(labels, "crossplane.io/composition-hash"), want);
    assert_string_equal(
        json_get_string(labels, "crossplane.io/composition-name"), "c");
    assert_string_equal(json_get_string(labels, "c"), "waits");
    assert_int_equal(json_int64_or(json_at(r, "spec", "revision", NULL), 0), 7);
    assert_string_equal(json_string(json_at(r, "spec", "mode", NULL)),
                        "Pipeline");
    assert_null(json_at(r, "metadata", "annotations", NULL));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_equal_upstreams),
        cmocka_unit_test(revisions_carry_what_core_gives_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
