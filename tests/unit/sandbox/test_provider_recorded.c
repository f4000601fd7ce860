/* What crossplane-runtime's managed reconciler was seen to do, case by case,
 * played against the simulated provider (docs/TESTING.md says how it was
 * recorded). */
#include "lib/base/file.h"

#include "tests/unit/sandbox/provider_world.h"

#define RECORDED "tests/unit/sandbox/data/managed-reconciler.txt"

enum { SET, CLOUD, OBJECT, STEP, CALLS, GONE, SYNCED, READY, EVENTS, COLUMNS };

/* Which set a message complains of is in no order there. */
static void
cut_value(struct buf *b)
{
    char *at = b->n ? strstr(b->s, "value(") : NULL, *end;

    if (!at || !(end = strchr(at, ')')))
        return;
    memmove(at + 6, end, strlen(end) + 1);
    b->n = strlen(b->s);
}

static void
condition_text(const struct json *obj, const char *type, struct buf *out)
{
    const struct json *c = condition_get(obj, type);
    const char *message = json_string_or(json_get(c, "message"), "");

    buf_reset(out);
    if (!c) {
        buf_putc(out, '-');
        return;
    }
    buf_printf(out, "%s %s%s%s", json_get_string(c, "status"),
               json_get_string(c, "reason"), *message ? " " : "", message);
    cut_value(out);
}

/* Each once, in byte order, as recorded; ours of the preparation is left out.
 */
static void
events_text(struct world *w, const char *name, bool paused, struct buf *out)
{
    AUTO(mem_free_ptr) char *all = events_of(w, name);
    AUTO(strlist_release) struct strlist lines = {0};
    struct str rest = str_of(all), line;

    while (str_next(&rest, '\n', &line)) {
        if (line.n && !strlist_has(&lines, line) &&
            (paused || !str_contains(line, STR("ReconciliationPaused"))))
            strlist_add(&lines, line);
    }
    strlist_sort(&lines);
    buf_reset(out);
    for (size_t i = 0; i < lines.n; i++)
        buf_printf(out, "%s%s", i ? ";" : "", lines.v[i]);
    cut_value(out);
}

/* The object as the case has it; paused while it is being prepared. */
static void
put_case(struct world *w, const char *name, char *const *c, bool paused)
{
    AUTO(buf_release) struct buf set = BUF_INIT(BUF_TEXT_MAX);
    struct str rest = str_of(c[SET]), p;

    while (strcmp(c[SET], "none") != 0 && str_next(&rest, ',', &p))
        buf_printf(&set, "%s\"%.*s\"", set.n ? "," : "", STR_ARG(p));
    applyf(w,
           "{apiVersion: " BIGQUERY ", kind: Dataset, metadata: {name: %s, "
           "namespace: ns, finalizers: "
           "[finalizer.managedresource.crossplane.io], annotations: "
           "{crossplane.io/paused: \"%s\"%s%s%s}}, spec: {forProvider: "
           "{friendlyName: F}, managementPolicies: [%s]}}",
           name, paused ? "true" : "false",
           *c[STEP] == '-' ? "" : ", sandbox.meshtop.io/fail: \"",
           *c[STEP] == '-' ? "" : c[STEP], *c[STEP] == '-' ? "" : ": boom\"",
           buf_cstr(&set));
}

static void
play_case(struct world *w, const char *name, char *const *c)
{
    bool stays_paused = strstr(c[OBJECT], "+paused") != NULL;

    if (strcmp(c[CLOUD], "absent") != 0)
        applyf(w,
               "{apiVersion: " EXTERNAL ", kind: ExternalResource, metadata: "
               "{name: x%s}, spec: {group: bigquery.gcp.m.upbound.io, kind: "
               "Dataset, externalName: %s, parameters: {friendlyName: %s}}}",
               name, name, strcmp(c[CLOUD], "same") == 0 ? "F" : "G");
    put_case(w, name, c, true);
    if (str_starts(str_of(c[OBJECT]), STR("deleted")))
        must_delete(w, BIGQUERY, "Dataset", name);
    if (!stays_paused)
        put_case(w, name, c, false);
}

static bool
is_as_recorded(struct world *w, const char *name, char *const *c)
{
    AUTO(json_free_ptr) struct json *obj = get(w, BIGQUERY, "Dataset", name);
    AUTO(buf_release) struct buf got = BUF_INIT(BUF_TEXT_MAX);
    bool good = (strcmp(c[GONE], "true") == 0) == (obj == NULL);
    static const char *const types[] = {"Synced", "Ready"};
    bool paused = strstr(c[SYNCED], "ReconcilePaused") != NULL;

    if (!good)
        print_message("gone: %s\n", obj ? "no" : "yes");
    for (size_t i = 0; obj && i < ARRAY_LEN(types); i++) {
        condition_text(obj, types[i], &got);
        if (strcmp(buf_cstr(&got), c[SYNCED + i]) == 0)
            continue;
        print_message("%s: %s\n", types[i], buf_cstr(&got));
        good = false;
    }
    events_text(w, name, paused, &got);
    if (strcmp(buf_cstr(&got), c[EVENTS]) != 0) {
        print_message("events: %s\n", buf_cstr(&got));
        good = false;
    }
    return good;
}

static void
every_recorded_case_comes_out_the_same(void **state)
{
    AUTO(buf_release) struct buf text = BUF_INIT(1 << 20);
    struct world *w = *state;
    struct error err;
    struct str rest, line;
    size_t n = 0, bad = 0;

    assert_true(file_read(RECORDED, &text, &err));
    rest = buf_view(&text);
    while (str_next(&rest, '\n', &line)) {
        AUTO(strlist_release) struct strlist c = {0};
        struct str part;

        if (!line.n || *line.s == '#')
            continue;
        while (str_next(&line, '|', &part))
            strlist_add(&c, part);
        if (c.n < COLUMNS) /* no events */
            strlist_add(&c, STR(""));
        assert_int_equal(c.n, COLUMNS);
        AUTO(mem_free_ptr) char *name = mem_printf("c%zu", n++);

        play_case(w, name, c.v);
        if (is_as_recorded(w, name, c.v))
            continue;
        bad++;
        print_message("want: %s|%s|%s|%s|%s|%s|%s|%s|%s\n\n", c.v[0], c.v[1],
                      c.v[2], c.v[3], c.v[4], c.v[5], c.v[6], c.v[7], c.v[8]);
    }
    assert_int_equal(n, 326);
    assert_int_equal(bad, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        T(every_recorded_case_comes_out_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
