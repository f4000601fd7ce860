/* The objects against the chart's own render; registries, words, roles. */
/* clang-format off */
#include "tests/unit/test.h"
/* clang-format on */

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/crossplane.h"

#define GOLDEN "tests/unit/devenv/golden/"

static struct json *
read_json(const char *path)
{
    AUTO(buf_release) struct buf text = BUF_INIT(4 << 20);
    struct error err = {0};
    struct json *j = NULL;

    if (!file_read(path, &text, &err) ||
        !(j = json_parse(buf_view(&text), NULL, &err)))
        fail_msg("%s: %s", path, err.msg);
    return j;
}

static const char *
meta(const struct json *o, const char *key)
{
    return json_string_or(json_at(o, "metadata", key, NULL), "");
}

static const struct json *
find(const struct json *list, const struct json *like)
{
    for (const struct json *o = json_first(list); o; o = json_next(o)) {
        if (strcmp(json_get_string(o, "kind"), json_get_string(like, "kind")) ==
                0 &&
            strcmp(meta(o, "name"), meta(like, "name")) == 0)
            return o;
    }
    return NULL;
}

/* What we say otherwise than the chart, and say so in crossplane.h. */
static void
as_ours(struct json *object)
{
    struct json *places[] = {
        json_at(object, "metadata", "labels", NULL),
        json_at(object, "spec", "template", "metadata", "labels", NULL)};

    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        if (!places[i])
            continue;
        assert_string_equal(
            json_get_string(places[i], "app.kubernetes.io/managed-by"), "Helm");
        json_set_string(places[i], "app.kubernetes.io/managed-by", "meshtop");
        json_del(places[i], "helm.sh/chart");
    }
}

/* The order of verbs means nothing. */
static void
sort_verbs(struct json *object)
{
    struct json *rules = json_get(object, "rules");

    for (struct json *r = json_first(rules); r; r = json_next(r)) {
        AUTO(strlist_release) struct strlist verbs = {0};
        struct json *sorted = json_new_array(), *old = json_get(r, "verbs");

        for (struct json *v = json_first(old); v; v = json_next(v))
            strlist_add(&verbs, str_of(json_string(v)));
        strlist_sort(&verbs);
        for (size_t i = 0; i < verbs.n; i++)
            json_append(sorted, json_new_string(verbs.v[i]));
        json_set(r, "verbs", sorted);
    }
}

static void
replace_all(struct buf *out, struct str text, const char *what,
            const char *with)
{
    size_t at, from = 0;

    while ((at = str_find(text, str_of(what), from)) != SIZE_MAX) {
        buf_str(out, str_sub(text, from, at - from));
        buf_puts(out, with);
        from = at + strlen(what);
    }
    buf_str(out, str_from(text, from));
}

/* The golden object, with the version's number put in. */
static struct json *
expected(const struct json *chart, const char *version)
{
    AUTO(mem_free_ptr) char *text = json_text(chart, JSON_COMPACT);
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 20);
    struct json *j;

    replace_all(&b, str_of(text), "VERSION", version);
    j = json_parse(buf_view(&b), NULL, NULL);
    as_ours(j);
    sort_verbs(j);
    return j;
}

static void
compare(const struct crossplane_values *v, const char *golden)
{
    AUTO(json_free_ptr) struct json *chart = read_json(GOLDEN "chart.json");
    AUTO(json_free_ptr) struct json *other = read_json(golden);
    AUTO(manifest_release) struct manifest_set set = {0};
    struct error err = {0};

    if (!crossplane_objects(v, &set, &err))
        fail_msg("%s", err.msg);
    assert_int_equal(set.n, json_len(chart) + 1);
    assert_string_equal(set.v[0].kind, "Namespace");
    for (size_t i = 1; i < set.n; i++) {
        struct json *o = set.v[i].object;
        const struct json *want = find(other, o);
        AUTO(json_free_ptr) struct json *wanted = NULL;

        want = want ? want : find(chart, o);
        if (!want)
            fail_msg("%s: %s is not in the chart", golden, set.v[i].name);
        wanted = expected(want, v->version);
        sort_verbs(o);
        if (!json_equal(o, wanted)) {
            AUTO(mem_free_ptr)
            char *a = json_text(o, JSON_PRETTY | JSON_SORTED);
            AUTO(mem_free_ptr)
            char *b = json_text(wanted, JSON_PRETTY | JSON_SORTED);

            fail_msg("%s: %s\nours %s\nchart %s", golden, set.v[i].name, a, b);
        }
    }
}

static void
test_golden(void **state UNUSED)
{
    static const char *const versions[] = {"2.0.2", "2.0.8", "2.1.3",
                                           "2.2.0", "2.3.0", "2.3.4"};

    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        struct crossplane_values v = {.version = versions[i]};
        AUTO(mem_free_ptr)
        char *path = strcmp(versions[i], "2.3.4") == 0
                         ? mem_strdup(GOLDEN "chart.json")
                         : mem_printf(GOLDEN "chart-%s.json", versions[i]);

        compare(&v, path);
    }
}

static void
test_golden_options(void **state UNUSED)
{
    struct crossplane_values v = {.version = "2.3.4",
                                  .image = "mirror.example.com/x/crossplane",
                                  .ca_config = "registry-ca",
                                  .ca_key = "ca.crt",
                                  .pull_secret = "regcred",
                                  .replicas = 2};

    compare(&v, GOLDEN "chart-options.json");
}

static void
test_marks(void **state UNUSED)
{
    struct crossplane_values v = {.run = "mesh"}, w = {.run = "mesh"};
    AUTO(manifest_release) struct manifest_set a = {0}, b = {0};
    size_t differ = 0;

    w.version = "2.3.0";
    assert_true(crossplane_objects(&v, &a, NULL));
    assert_true(crossplane_objects(&w, &b, NULL));
    assert_int_equal(a.n, 24);
    for (size_t i = 0; i < a.n; i++) {
        const struct json *m = json_get(a.v[i].object, "metadata");
        const struct json *n = json_get(b.v[i].object, "metadata");
        const char *x =
            json_string(json_at(m, "annotations", MARK_DIGEST, NULL));
        const char *y =
            json_string(json_at(n, "annotations", MARK_DIGEST, NULL));

        assert_string_equal(json_string(json_at(m, "labels", MARK_RUN, NULL)),
                            "mesh");
        assert_int_equal(strlen(x), 16);
        differ += strcmp(x, y) != 0;
    }
    /* All that carry the version: not the namespace and the three secrets. */
    assert_int_equal(differ, 20);
}

static void
test_versions(void **state UNUSED)
{
    static const struct {
        const char *text;
        enum err_code code;
    } rows[] = {
        {"2.0.0", ERR_NONE},
        {"2.3.99", ERR_NONE},
        {"v2.1.3", ERR_NONE},
        {"2.4.0", ERR_UNSUPPORTED},
        {"1.20.0", ERR_UNSUPPORTED},
        {"3.0.0", ERR_UNSUPPORTED},
        {"", ERR_USAGE},
        {"2.3", ERR_USAGE},
        {"2.3.4.5", ERR_USAGE},
        {"2.x.1", ERR_USAGE},
        {"../../etc", ERR_USAGE},
        {"2.-1.0", ERR_USAGE},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct crossplane_values v = {.version = rows[i].text};
        AUTO(manifest_release) struct manifest_set set = {0};
        struct error err = {0};

        assert_int_equal(crossplane_objects(&v, &set, &err),
                         rows[i].code == ERR_NONE);
        assert_int_equal(err.code, rows[i].code);
    }
}

/* ---- registries ---- */

static void
test_mirrored(void **state UNUSED)
{
    static const struct {
        const char *ref, *mirror, *want;
    } rows[] = {
        {"xpkg.crossplane.io/a/b:v1", NULL, "xpkg.crossplane.io/a/b:v1"},
        {"xpkg.crossplane.io/a/b:v1", "", "xpkg.crossplane.io/a/b:v1"},
        {"xpkg.crossplane.io/a/b:v1", "reg.example:5000",
         "reg.example:5000/a/b:v1"},
        {"xpkg.crossplane.io/a/b@sha256:0", "reg.example/m/n/",
         "reg.example/m/n/a/b@sha256:0"},
        {"nohost", "reg.example", "nohost"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(mem_free_ptr)
        char *got = crossplane_mirrored(rows[i].ref, rows[i].mirror);

        assert_string_equal(got, rows[i].want);
    }
}

static void
test_image_config(void **state UNUSED)
{
    AUTO(json_free_ptr)
    struct json *got = crossplane_image_config("reg.example:5000",
                                               "m.example/x/", "creds", "mesh");
    AUTO(json_free_ptr)
    struct json *want = json_parse(
        STR("{\"matchImages\":[{\"type\":\"Prefix\",\"prefix\":"
            "\"reg.example:5000\"}],\"rewriteImage\":{\"prefix\":\"m.example/"
            "x\"},"
            "\"registry\":{\"authentication\":{\"pullSecretRef\":{\"name\":"
            "\"creds\"}}}}"),
        NULL, NULL);

    assert_true(json_equal(json_get(got, "spec"), want));
    assert_string_equal(meta(got, "name"), "meshtop-reg.example-5000");
}

/* Words that were recorded, and what is made of them. */
static void
test_recorded_words(void **state UNUSED)
{
    static const struct {
        const char *file;
        enum pull_verdict verdict;
        const char *says;
    } rows[] = {
        {"function-no-host", PULL_TRANSIENT,
         "dial tcp: lookup packages.nowhere.invalid on 10.96.0.10:53: no such "
         "host"},
        {"function-refused", PULL_TRANSIENT,
         "dial tcp 127.0.0.1:1: connect: connection refused"},
        {"function-no-tag", PULL_REFUSED, "MANIFEST_UNKNOWN: Unknown manifest"},
        {"function-no-image", PULL_REFUSED, "NAME_UNKNOWN: Unknown name"},
        {"function-never-not-cached", PULL_REFUSED,
         "failed to get pre-cached package with pull policy Never"},
    };

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(mem_free_ptr)
        char *path = mem_printf("tests/wire/crossplane/%s.json", rows[i].file);
        AUTO(json_free_ptr) struct json *j = read_json(path);
        const struct json *c =
            env_condition(json_get(j, "object"), "Installed");
        const char *message = json_get_string(c, "message");
        struct error err = {0};

        if (!message)
            message = json_get_string(
                env_condition(json_get(j, "object"), "Healthy"), "message");
        assert_int_equal(crossplane_pull_verdict(message), rows[i].verdict);
        assert_false(crossplane_pull_error("registry.example.com/x/y:v1",
                                           message, &err));
        assert_string_equal(err.id, "MT-PKG-PULL");
        assert_non_null(strstr(err.msg, rows[i].says));
        assert_non_null(strstr(err.remedy, "registry.example.com"));
    }
}

static void
test_words(void **state UNUSED)
{
    static const char limit[] =
        "Failed to pull image \"docker.io/a/b:v1\": failed to pull and unpack "
        "image \"docker.io/a/b:v1\": failed to copy: httpReadSeeker: failed "
        "open: unexpected status code https://registry-1.docker.io/v2/a/b: 429 "
        "Too Many Requests - Server message: toomanyrequests: You have reached "
        "your unauthenticated pull rate limit.";
    static const char denied[] =
        "cannot unpack package: failed to fetch package digest from remote: "
        "GET "
        "https://xpkg.upbound.io/service/token?scope=x&service=y: DENIED: "
        "denied";
    struct error err = {0};

    crossplane_pull_error("docker.io/a/b:v1", limit, &err);
    assert_string_equal(err.id, "MT-NET-RATELIMIT");
    crossplane_pull_error("xpkg.upbound.io/a/b:v1", denied, &err);
    assert_string_equal(err.id, "MT-PKG-PULL");
    assert_string_equal(err.msg, "xpkg.upbound.io/a/b:v1 cannot be fetched: "
                                 "DENIED: denied");
    assert_non_null(strstr(err.remedy, "use xpkg.crossplane.io/a/b:v1"));
    assert_int_equal(crossplane_pull_verdict("Package revision is not healthy "
                                             "yet"),
                     PULL_FINE);
    assert_int_equal(crossplane_pull_verdict("secrets \"x\" not found"),
                     PULL_FINE);
    assert_int_equal(crossplane_pull_verdict(NULL), PULL_FINE);
    crossplane_pull_error("", "", &err);
    crossplane_pull_error("x", "GET http: ", &err);
    assert_string_equal(err.id, "MT-PKG-PULL");
}

/* ---- roles ---- */

static struct json *
role(const char *yaml, const char *composes, struct strlist *unknown)
{
    AUTO(manifest_release) struct manifest_set set = {0};
    struct error err = {0};

    if (!manifest_parse(&set, str_of(yaml), "test", &err))
        fail_msg("%s", err.msg);
    return crossplane_compose_role("p", "mesh", &set, composes, unknown);
}

#define COMPOSITION                                                            \
    "apiVersion: apiextensions.crossplane.io/v1\n"                             \
    "kind: Composition\n"                                                      \
    "metadata: {name: c}\n"                                                    \
    "spec:\n"                                                                  \
    "  compositeTypeRef: {apiVersion: a.example.org/v1, kind: Box}\n"          \
    "  pipeline:\n"

static void
test_role(void **state UNUSED)
{
    static const char yaml[] = COMPOSITION
        "  - input:\n"
        "      inline:\n"
        "        template: |\n"
        "          {{- $x := 1 }}\n"
        "          ---\n"
        "          apiVersion: v1\n"
        "          kind: ConfigMap\n"
        "          data:\n"
        "            kind: Pod\n"
        "          ---\n"
        "          apiVersion: networking.k8s.io/v1 # why\n"
        "          kind: \"NetworkPolicy\"\n"
        "          ---\n"
        "          apiVersion: a.example.org/v1\n"
        "          kind: Box\n"
        "          ---\n"
        "          apiVersion: {{ $x }}/v1\n"
        "          kind: Odd\n"
        "  - input:\n"
        "      resources:\n"
        "      - base: {apiVersion: networking.k8s.io/v1, kind: Ingress}\n"
        "      - base: {apiVersion: v1, kind: Namespace}\n"
        "      - base: {apiVersion: networking.k8s.io/v1, kind: Ingress}\n";
    AUTO(strlist_release) struct strlist unknown = {0};
    AUTO(json_free_ptr) struct json *got = role(yaml, NULL, &unknown);
    AUTO(mem_free_ptr) char *text = json_text(json_get(got, "rules"), 0);
    static const char verbs[] = "\"verbs\":[\"get\",\"list\",\"watch\","
                                "\"create\",\"update\",\"patch\",\"delete\"]}";
    AUTO(mem_free_ptr)
    char *want =
        mem_printf("[{\"apiGroups\":[\"\"],\"resources\":[\"namespaces\"],%s,"
                   "{\"apiGroups\":[\"networking.k8s.io\"],\"resources\":["
                   "\"ingresses\"],%s,"
                   "{\"apiGroups\":[\"networking.k8s.io\"],\"resources\":"
                   "[\"networkpolicies\"],%s]",
                   verbs, verbs, verbs);

    assert_string_equal(text, want);
    assert_string_equal(meta(got, "name"), "meshtop:compose:p");
    assert_string_equal(
        json_string(json_at(got, "metadata", "labels",
                            "rbac.crossplane.io/aggregate-to-crossplane",
                            NULL)),
        "true");
    assert_int_equal(unknown.n, 1);
    assert_non_null(strstr(unknown.v[0], "{{ $x }}/v1 Odd"));
}

static void
test_role_declared(void **state UNUSED)
{
    AUTO(strlist_release) struct strlist unknown = {0};
    AUTO(json_free_ptr)
    struct json *got =
        role(COMPOSITION "  - {}\n", " batch/v1/Job ,v1/Pod,,x", &unknown);

    assert_int_equal(json_len(json_get(got, "rules")), 2);
    assert_null(role(COMPOSITION "  - {}\n", NULL, &unknown));
    assert_null(role(COMPOSITION "  - {}\n", "v1/Secret", &unknown));
    assert_int_equal(unknown.n, 0);
}

/* A folder of a user's may hold anything. */
static void
test_role_nonsense(void **state UNUSED)
{
    static const char *const specs[] = {
        "[]",
        "{pipeline: x, resources: {a: 1}}",
        "{pipeline: [1, [], {input: 7}, {input: {inline: {template: 5}}}]}",
        "{compositeTypeRef: 1, resources: [{base: []}, {base: {kind: K}}]}",
        "{pipeline: [{input: {inline: {template: \"apiVersion: a/b/c\\nkind: "
        "'\\n---\\nkind:\\n---\"}}}]}",
    };

    for (size_t i = 0; i < ARRAY_LEN(specs); i++) {
        AUTO(strlist_release) struct strlist unknown = {0};
        AUTO(mem_free_ptr)
        char *yaml = mem_printf("apiVersion: v1\nkind: Composition\n"
                                "metadata: {name: c}\nspec: %s\n",
                                specs[i]);

        assert_null(role(yaml, NULL, &unknown));
    }
}

/* What we ship needs one right, and it is known without a declaration. */
static void
test_role_of_core(void **state UNUSED)
{
    AUTO(manifest_release) struct manifest_set set = {0};
    AUTO(strlist_release) struct strlist unknown = {0};

    assert_true(
        manifest_load_assets(&set, "assets/mesh-core/compositions/", NULL));
    AUTO(json_free_ptr)
    struct json *got =
        crossplane_compose_role("mesh-core", "mesh", &set, NULL, &unknown);
    const struct json *rule = json_first(json_get(got, "rules"));

    assert_int_equal(json_len(json_get(got, "rules")), 1);
    assert_string_equal(json_string(json_first(json_get(rule, "resources"))),
                        "namespaces");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),
        cmocka_unit_test(test_golden_options),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_mirrored),
        cmocka_unit_test(test_image_config),
        cmocka_unit_test(test_recorded_words),
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_role),
        cmocka_unit_test(test_role_declared),
        cmocka_unit_test(test_role_nonsense),
        cmocka_unit_test(test_role_of_core),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
