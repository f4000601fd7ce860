/*
 * What we make of mesh-core, held against what the real Crossplane 2.0.8 on a
 * real API server made of the same files (golden/, recorded from there).
 */
#include "lib/base/asset.h"
#include "lib/base/file.h"
#include "lib/base/yaml.h"

#include "lib/compose/revision.h"
#include "lib/compose/xrd.h"

#include "tests/unit/test.h"

static struct json *
golden(const char *name)
{
    struct buf text = BUF_INIT(1 << 20);
    struct error err = {0};
    char path[128];

    snprintf(path, sizeof(path), "tests/unit/compose/golden/%s.json", name);
    assert_true(file_read(path, &text, &err));
    struct json *j = json_parse(buf_view(&text), NULL, &err);

    assert_non_null(j);
    buf_release(&text);
    return j;
}

static void
print_difference(const struct json *got, const struct json *want)
{
    char *g = json_text(got, JSON_SORTED | JSON_PRETTY);
    char *w = json_text(want, JSON_SORTED | JSON_PRETTY);
    const char *a = g, *b = w;

    while (*a && *a == *b)
        a++, b++;
    if (*a != *b)
        print_error("got:  %.200s\nwant: %.200s\n", a, b);
    free(g);
    free(w);
}

static void
assert_same(const struct json *got, const struct json *want)
{
    if (!json_equal(got, want)) {
        print_difference(got, want);
        fail();
    }
}

/* What the API server adds on storing. */
static void
stored(struct json *spec)
{
    struct json *names = json_get(spec, "names");

    if (!json_get(spec, "conversion"))
        json_set_string(json_set(spec, "conversion", json_new_object()),
                        "strategy", "None");
    if (!json_get(names, "listKind")) {
        struct buf list = BUF_INIT(256);

        buf_printf(&list, "%sList", json_get_string(names, "kind"));
        json_set_string(names, "listKind", buf_cstr(&list));
        buf_release(&list);
    }
}

static void
crd_is_the_one_crossplane_makes(const char *plural, const char *group)
{
    struct error err = {0};
    struct asset a;
    char path[128], name[128];

    snprintf(path, sizeof(path), "assets/mesh-core/xrds/%s.yaml", plural);
    snprintf(name, sizeof(name), "%s.%s", plural, group);
    assert_true(asset_find(path, &a));
    struct json *xrd = yaml_parse_one(a.data, NULL, &err);
    struct json *want = golden(name);
    struct json *crd = xrd_to_crd(xrd, &err);

    assert_non_null(crd);
    stored(json_get(crd, "spec"));
    assert_same(json_get(crd, "spec"), json_get(want, "spec"));
    json_free(crd);
    json_free(want);
    json_free(xrd);
}

static void
a_cluster_kind(void **state)
{
    (void)state;
    crd_is_the_one_crossplane_makes("meshes", "meshifi.io");
}

static void
a_namespaced_capability(void **state)
{
    (void)state;
    crd_is_the_one_crossplane_makes("sqldatabases", "infra.meshifi.io");
}

static void
revision_has_crossplanes_hash_and_name(void **state)
{
    struct json *both = golden("revision");
    struct json *mine = revision_new(json_get(both, "composition"), 1);
    const struct json *real = json_get(both, "revision");

    (void)state;
    assert_same(json_at(mine, "metadata", "name", NULL),
                json_at(real, "metadata", "name", NULL));
    assert_same(json_at(mine, "metadata", "labels", NULL),
                json_at(real, "metadata", "labels", NULL));
    assert_same(json_get(mine, "spec"), json_get(real, "spec"));
    json_free(mine);
    json_free(both);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cluster_kind),
        cmocka_unit_test(a_namespaced_capability),
        cmocka_unit_test(revision_has_crossplanes_hash_and_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
