#include "lib/base/buf.h"

#include "lib/mesh/planner.h"

#include "cli/overlay.h"

#include "tests/unit/test.h"

#define OBJECT(ns, name, more)                                                 \
    "{\"metadata\":{\"name\":\"" name "\",\"namespace\":\"" ns "\"}" more "}"

/* A cluster of two things. */
static const char *const there[] = {OBJECT("a", "one", ""),
                                    OBJECT("b", "two", "")};

static struct str
get(void *arg, const char *api_version, const char *kind, const char *ns,
    const char *name, bool *known)
{
    (void)arg;
    (void)api_version;
    (void)ns;
    *known = strcmp(kind, "Thing") == 0;
    return *known && strcmp(name, "one") == 0 ? str_of(there[0])
                                              : (struct str){0};
}

static bool
each(void *arg, const char *api_version, const char *kind, const char *ns,
     const struct json *labels, mesh_body_fn *fn, void *fn_arg)
{
    (void)labels;
    (void)arg;
    (void)api_version;
    (void)ns;
    for (size_t i = 0; i < ARRAY_LEN(there); i++) {
        if (!fn(fn_arg, str_of(there[i])))
            break;
    }
    return strcmp(kind, "Thing") == 0;
}

static bool
served(void *arg, const char *api_version, const char *kind, bool *namespaced)
{
    (void)arg;
    (void)api_version;
    *namespaced = true;
    return strcmp(kind, "Thing") == 0;
}

static const struct mesh_host base = {
    .arg = NULL, .get = get, .each = each, .served = served};

static void
take(struct overlay *o, enum mesh_sign sign, const char *api_version,
     const char *ns, const char *name, const char *text, bool machinery)
{
    struct json *object = json_parse(str_of(text), NULL, NULL);
    struct mesh_plan_item item = {.sign = sign,
                                  .api_version = api_version,
                                  .kind = "Thing",
                                  .ns = ns,
                                  .name = name,
                                  .object = object};
    struct mesh_plan p = {.items = &item, .items_n = 1};

    assert_int_equal(overlay_take(o, &p), machinery);
    json_free(object);
}

static bool
collect(void *arg, struct str body)
{
    buf_printf(arg, "%.*s\n", STR_ARG(body));
    return true;
}

static bool
only_one(void *arg, struct str body)
{
    (void)body;
    return ++*(unsigned *)arg < 1;
}

static void
lies_over(void **state)
{
    struct overlay o = {.base = &base};
    struct mesh_host h = overlay_host(&o);
    AUTO(buf_release) struct buf all = BUF_INIT(1000);
    unsigned calls = 0;
    bool known = false, namespaced;

    (void)state;
    take(&o, MESH_CHANGE, "x.io/v1", "a", "one",
         OBJECT("a", "one", ",\"new\":1"), false);
    take(&o, MESH_ADD, "x.io/v2", "a", "three", OBJECT("a", "three", ""),
         false);
    take(&o, MESH_DESTROY, "x.io/v1", "b", "two", "{}", false);
    take(&o, MESH_KEEP, "x.io/v1", "b", "four", "{}", false);
    /* changed, added, untouched, unknown; whatever the version */
    assert_true(str_eqz(h.get(h.arg, "x.io/v9", "Thing", "a", "one", &known),
                        OBJECT("a", "one", ",\"new\":1")));
    assert_true(known);
    assert_true(str_eqz(h.get(h.arg, "x.io/v1", "Thing", "a", "three", &known),
                        OBJECT("a", "three", "")));
    assert_null(h.get(h.arg, "x.io/v1", "Thing", "b", "four", &known).s);
    assert_null(h.get(h.arg, "x.io/v1", "Other", "", "x", &known).s);
    assert_false(known);
    assert_true(h.served(h.arg, "x.io/v1", "Thing", &namespaced));
    /* each object once, and what goes not at all */
    assert_true(h.each(h.arg, "x.io/v1", "Thing", NULL, NULL, collect, &all));
    assert_string_equal(
        buf_cstr(&all),
        OBJECT("a", "one", ",\"new\":1") "\n" OBJECT("a", "three", "") "\n");
    assert_true(
        h.each(h.arg, "x.io/v1", "Thing", NULL, NULL, only_one, &calls));
    assert_int_equal(calls, 1);
    /* a second plan of the same object replaces the first */
    take(&o, MESH_CHANGE, "x.io/v1", "a", "three", "{\"again\":1}", false);
    assert_true(str_eqz(h.get(h.arg, "x.io/v1", "Thing", "a", "three", &known),
                        "{\"again\":1}"));
    take(&o, MESH_ADD, "apiextensions.crossplane.io/v1", "", "c", "{}", true);
    overlay_release(&o);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lies_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
