/*
 * Claim and XR follow each other: what Crossplane 2.0.8's
 * ServerSideCompositeSyncer writes, recorded case by case.
 */
#include "lib/base/file.h"

#include "lib/compose/claim.h"

#include "tests/unit/compose/compose_test.h"

static struct json *
load(void)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 20);
    struct error err;

    if (!file_read("tests/unit/compose/data/claims.json", &b, &err))
        fail_msg("%s", err.msg);
    return json_parse(buf_view(&b), NULL, &err);
}

static void
same(const struct json *got, const struct json *want, const char *why)
{
    char *a = json_text(got, JSON_SORTED), *b = json_text(want, JSON_SORTED);

    if (!json_equal(got, want))
        fail_msg("%s: got %s\nwant %s", why, a, b);
    free(a);
    free(b);
}

static void
every_case_as_crossplane(void **state)
{
    AUTO(json_free_ptr) struct json *all = load();
    size_t n = 0;

    (void)state;
    for (const struct json *c = json_first(all); c; c = json_next(c), n++) {
        const char *why = json_get_string(c, "why");
        struct claim_sync s = {json_get(c, "xrd"), json_get(c, "xr"),
                               json_get_string(c, "name")};
        AUTO(json_free_ptr)
        struct json *claim = json_copy(json_get(c, "claim"));
        struct error err = {0};
        bool changed;
        AUTO(json_free_ptr) struct json *patch = claim_to_xr(claim, &s, &err);

        if (json_get(c, "error")) {
            assert_null(patch);
            assert_string_equal(err.msg, json_get_string(c, "error"));
            continue;
        }
        same(patch, json_get(c, "patch"), why);
        changed = claim_bind(claim, &s, patch);
        assert_int_equal(changed, !json_equal(claim, json_get(c, "claim")));
        same(claim, json_get(c, "bound"), why);
        claim_take_status(claim, json_get(c, "applied"));
        same(json_get(claim, "status"), json_at(c, "synced", "status", NULL),
             why);
        /* What has been done is not done again. */
        assert_false(claim_bind(claim, &s, patch));
        assert_false(claim_take_status(claim, json_get(c, "applied")));
    }
    assert_true(n >= 8);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_case_as_crossplane),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
