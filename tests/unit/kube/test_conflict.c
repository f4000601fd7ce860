#include "lib/base/buf.h"

#include "lib/kube/conflict.h"

#include "tests/unit/test.h"

/* Every conflict as kube_conflict_text has it, a line each. */
static void
expect(int http, const char *body, const char *want)
{
    struct kube_conflicts c = {0};
    struct kube_status s;
    struct buf b = BUF_INIT(1 << 20);

    kube_status_read(http, str_of(body), -1, &s);
    assert_int_equal(kube_conflicts_read(&s, &c), want != NULL);
    for (size_t i = 0; i < c.n; i++) {
        assert_true(kube_conflict_text(&c.v[i], &b));
        buf_putc(&b, '\n');
    }
    if (want)
        assert_string_equal(buf_cstr(&b), want);
    kube_conflicts_release(&c);
    kube_status_release(&s);
    buf_release(&b);
}

#define STATUS(message, causes)                                                \
    "{\"kind\":\"Status\",\"reason\":\"Conflict\",\"message\":\"" message      \
    "\",\"details\":{" causes "},\"code\":409}"
#define CAUSE(message, field)                                                  \
    "{\"reason\":\"FieldManagerConflict\",\"message\":\"" message              \
    "\",\"field\":\"" field "\"}"

static void
causes(void **state)
{
    (void)state;
    expect(
        409,
        STATUS(
            "Apply failed with 3 conflicts: ...",
            "\"causes\":[" CAUSE(
                "conflict with \\\"a\\\"",
                ".spec.x") "," CAUSE("conflict with \\\"kubectl-edit\\\" using "
                                     "v1 at "
                                     "2026-11-21T04:42:05Z",
                                     ".data.k") "," CAUSE("conflict with "
                                                          "\\\"c\\\" with "
                                                          "subresource "
                                                          "\\\"status"
                                                          "\\\" using x.io/v1",
                                                          ".status.y") "]"),
        ".spec.x belongs to \"a\"\n"
        ".data.k belongs to \"kubectl-edit\" (v1, since "
        "2026-11-21T04:42:05Z)\n"
        ".status.y belongs to \"c\" through status (x.io/v1)\n");
    /* a name with quotes in it; words nobody knows */
    expect(409,
           STATUS("m", "\"causes\":[" CAUSE("conflict with \\\"a \\\\\\\"b\\\\"
                                            "\\\" c\\\"",
                                            ".x") "," CAUSE("what?", ".y") "]"),
           ".x belongs to \"a \"b\" c\"\n.y belongs to \"\"\n");
}

/* A server that sends no causes: the message alone. */
static void
messages(void **state)
{
    (void)state;
    expect(409,
           STATUS("Apply failed with 1 conflict: conflict with \\\"alice\\\" "
                  "using example.org/v1 at 2026-11-21T04:42:05Z: .spec.size",
                  ""),
           ".spec.size belongs to \"alice\" (example.org/v1, since "
           "2026-11-21T04:42:05Z)\n");
    expect(409,
           STATUS("Apply failed with 1 conflict: conflict with \\\"bob\\\": "
                  ".spec.list[name=\\\"x: y\\\"]",
                  ""),
           ".spec.list[name=\"x: y\"] belongs to \"bob\"\n");
    expect(409,
           STATUS("Apply failed with 3 conflicts: conflicts with \\\"a\\\" "
                  "using v1:\\n- .data.k\\n- .data.l\\nconflicts with "
                  "\\\"b\\\" with subresource \\\"status\\\":\\n- .status",
                  ""),
           ".data.k belongs to \"a\" (v1)\n.data.l belongs to \"a\" (v1)\n"
           ".status belongs to \"b\" through status\n");
}

static void
others(void **state)
{
    (void)state;
    expect(409,
           STATUS("Operation cannot be fulfilled on widgets \\\"w\\\": the "
                  "object has been modified",
                  ""),
           NULL);
    expect(409, STATUS("Apply failed with 2 conflicts: - .x\\n- .y", ""), NULL);
    expect(409, STATUS("Apply failed with 1 conflict: conflict with \\\"a", ""),
           NULL);
    expect(409, "", NULL);
    expect(
        500,
        STATUS("m", "\"causes\":[" CAUSE("conflict with \\\"a\\\"", ".x") "]"),
        NULL);
}

/* More than anybody reads is cut, not followed. */
static void
many(void **state)
{
    struct buf b = BUF_INIT(1 << 20);
    struct kube_conflicts c;
    struct kube_status s;

    (void)state;
    buf_puts(&b, "{\"kind\":\"Status\",\"message\":\"Apply failed with 9000 "
                 "conflicts: conflicts with \\\"a\\\":");
    for (int i = 0; i < 9000; i++)
        buf_puts(&b, "\\n- .x");
    buf_puts(&b, "\"}");
    kube_status_read(409, buf_view(&b), -1, &s);
    assert_true(kube_conflicts_read(&s, &c));
    assert_int_equal(c.n, 256);
    kube_conflicts_release(&c);
    kube_status_release(&s);
    buf_release(&b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(causes),
        cmocka_unit_test(messages),
        cmocka_unit_test(others),
        cmocka_unit_test(many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
