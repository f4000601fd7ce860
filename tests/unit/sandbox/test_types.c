/* The table of built-in types: what patches, applies and bodies rely on. */
#include "devenv/sandbox/types.h"

#include "tests/unit/test.h"

static int
setup(void **state)
{
    *state = types_new();
    return 0;
}

static int
teardown(void **state)
{
    types_free(*state);
    return 0;
}

/* The field at a path of members below a kind. */
static const struct types_field *
at(struct types *t, const char *api_version, const char *kind, const char *path)
{
    const struct types_struct *s = types_kind(t, api_version, kind);
    const struct types_field *f = NULL;
    struct str rest = str_of(path), name;

    while (str_next(&rest, '.', &name)) {
        char z[64];

        snprintf(z, sizeof(z), "%.*s", STR_ARG(name));
        f = types_field(s, z);
        if (!f)
            return NULL;
        s = f->type;
    }
    return f;
}

static void
lists_merge_as_go_s_tags_say(void **state)
{
    static const struct {
        const char *api_version, *kind, *path, *merge, *keys;
    } t[] = {
        {"v1", "Service", "spec.ports", "port", "port,protocol"},
        {"v1", "Pod", "spec.containers", "name", "name"},
        {"apps/v1", "Deployment", "spec.template.spec.containers", "name",
         "name"},
        {"batch/v1", "CronJob",
         "spec.jobTemplate.spec.template.spec.containers.env", "name", "name"},
        {"v1", "Pod", "metadata.finalizers", "", ""},
        {"v1", "Pod", "metadata.ownerReferences", "uid", "uid"},
        {"v1", "Pod", "spec.tolerations", NULL, NULL},
        {"v1", "Pod", "spec.hostAliases", "ip", "ip"},
        {"v1", "ServiceAccount", "secrets", "name", "name"},
        {"v1", "Pod", "spec.containers.args", NULL, NULL},
    };

    for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
        const struct types_field *f =
            at(*state, t[i].api_version, t[i].kind, t[i].path);

        if (!f)
            fail_msg("%s is no field", t[i].path);
        assert_true(f->shape == TYPES_LIST);
        assert_true(f->merged == (t[i].merge != NULL));
        assert_true(f->keyed == (t[i].keys != NULL));
        if (t[i].merge)
            assert_string_equal(f->merge_key, t[i].merge);
        if (t[i].keys)
            assert_string_equal(f->list_keys, t[i].keys);
    }
}

static void
fields_without_a_name_are_their_parent_s(void **state)
{
    const struct types_field *f =
        at(*state, "v1", "Pod", "spec.volumes.secret");

    assert_non_null(f);
    assert_string_equal(f->type->name, "core.v1.SecretVolumeSource");
    assert_true(f->pointer);
    assert_true(
        at(*state, "apps/v1", "Deployment", "spec.strategy")->retain_keys);
    assert_true(at(*state, "v1", "Service", "spec.selector")->atomic);
}

static void
every_kind_has_fields_of_known_types(void **state)
{
    static const char *const kinds[][2] = {
        {"v1", "ConfigMap"},
        {"apps/v1", "DaemonSet"},
        {"batch/v1", "Job"},
        {"events.k8s.io/v1", "Event"},
        {"v1", "DeleteOptions"},
        {"apiextensions.k8s.io/v1", "CustomResourceDefinition"}};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        const struct types_struct *s =
            types_kind(*state, kinds[i][0], kinds[i][1]);

        assert_non_null(s);
        assert_true(s->fields_n > 0);
        assert_string_equal(s->kind, kinds[i][1]);
    }
    assert_null(types_kind(*state, "v1", "Nothing"));
    assert_null(types_field(types_find(*state, "core.v1.PodSpec"), "nothing"));
    assert_string_equal(types_short_name(types_find(*state, "core.v1.PodSpec")),
                        "PodSpec");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lists_merge_as_go_s_tags_say, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(
            fields_without_a_name_are_their_parent_s, setup, teardown),
        cmocka_unit_test_setup_teardown(every_kind_has_fields_of_known_types,
                                        setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
