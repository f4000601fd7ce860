#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "devenv/sandbox/rbac.h"

#include "tests/unit/test.h"

/*
 * Rules against a table that kubernetes' own code wrote (release 1.34: random
 * rules, what they allow, which rights are missing and in what words); then the
 * index: who is named by which binding, and what happens when they change.
 */

#define CASES "tests/unit/sandbox/data/rbac_cases.jsonl"

static void
read_access(const struct json *ask, struct access *a)
{
    access_init(a);
    a->verb = json_get_text(ask, "Verb");
    a->path = json_get_text(ask, "Path");
    a->resource = !*a->path;
    a->group = json_get_text(ask, "Group");
    a->plural = json_get_text(ask, "Resource");
    a->sub = json_get_text(ask, "Sub");
    a->name = json_get_text(ask, "Name");
}

static void
check_asks(const struct json *j, struct arena *arena, int line)
{
    struct rbac_rules rules;

    rbac_rules_read(j, arena, &rules);
    for (const struct json *c = json_first(json_get(j, "asks")); c;
         c = json_next(c)) {
        struct access a;
        bool yes = false;

        read_access(c, &a);
        for (size_t i = 0; i < rules.n; i++)
            yes = yes || rbac_rule_allows(&rules.v[i], &a);
        if (yes != json_bool(json_get(c, "Allow"), false)) {
            AUTO(mem_free_ptr) char *text = json_text(c, JSON_COMPACT);

            fail_msg("%s:%d: %s", CASES, line, text);
        }
    }
}

static void
rules_of(const struct json *j, const char *key, struct arena *arena,
         struct rbac_rules *out)
{
    AUTO(json_free_ptr) struct json *role = json_new_object();

    json_set(role, "rules", json_copy(json_get(j, key)));
    rbac_rules_read(role, arena, out);
}

static void
check_missing(const struct json *j, struct arena *arena)
{
    const char *head =
        "user \"u\" (groups=[\"g\"]) is attempting to grant RBAC "
        "permissions not currently held:\n";
    struct rbac_rules held, wanted, missing;
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    rules_of(j, "held", arena, &held);
    rules_of(j, "wanted", arena, &wanted);
    rbac_missing(&held, &wanted, arena, &missing);
    if (missing.n)
        buf_puts(&b, head);
    rbac_print_missing(&missing, arena, &b);
    assert_string_equal(buf_cstr(&b), json_get_text(j, "text"));
}

static void
test_cases(void **state)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    struct error err = {0};
    struct str rest, line;
    int n = 0;

    (void)state;
    assert_true(file_read(CASES, &b, &err));
    rest = buf_view(&b);
    while (str_next(&rest, '\n', &line)) {
        AUTO(json_free_ptr) struct json *j = NULL;
        AUTO(arena_free_ptr) struct arena *arena = arena_new();

        if (!line.n)
            continue;
        j = json_parse(line, NULL, &err);
        assert_non_null(j);
        if (json_get(j, "asks"))
            check_asks(j, arena, ++n);
        else
            check_missing(j, arena);
    }
    assert_int_equal(n, 100);
}

/* ---- the index ---- */

static void
put(struct rbac *b, bool binding, const char *ns, const char *name,
    const char *yaml)
{
    AUTO(json_free_ptr)
    struct json *j = yaml ? yaml_parse_one(str_of(yaml), NULL, NULL) : NULL;

    (binding ? rbac_set_binding : rbac_set_role)(b, ns, name, j);
}

static const char *
ask(struct rbac *b, const struct identity *who, const char *verb,
    const char *plural, const char *ns)
{
    static char text[512];
    AUTO(buf_release) struct buf why = BUF_INIT(4096);
    struct access a;
    bool yes;

    access_init(&a);
    a.resource = true;
    a.verb = verb;
    a.plural = plural;
    a.ns = ns;
    yes = rbac_allows(b, who, &a, NULL);
    assert_int_equal(rbac_allows(b, who, &a, &why), yes);
    snprintf(text, sizeof(text), "%s%s%s", yes ? "yes" : "no",
             why.n ? ": " : "", buf_cstr(&why));
    return text;
}

static void
test_index(void **state)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct identity *bob = identity_new(a, PROOF_TOKEN, "bob", NULL);
    struct identity *bot =
        identity_account(a, PROOF_ACCOUNT, STR("shop"), STR("bot"), "u");
    struct rbac *b = rbac_new();

    (void)state;
    identity_add_group(a, bob, STR("dev"));
    identity_add_group(a, bob, STR("ops"));
    assert_string_equal(ask(b, bob, "get", "pods", "shop"), "no");
    put(b, true, "", "all",
        "roleRef: {kind: ClusterRole, name: look}\n"
        "subjects: [{kind: Group, name: nobody}, {kind: Group, name: ops}]");
    /* the role may come after the binding */
    assert_string_equal(ask(b, bob, "get", "pods", "shop"),
                        "no: RBAC: clusterrole.rbac.authorization.k8s.io "
                        "\"look\" not found");
    put(b, false, "", "look",
        "rules: [{verbs: [get], apiGroups: [''], resources: [pods]}]");
    assert_string_equal(ask(b, bob, "get", "pods", "shop"),
                        "yes: RBAC: allowed by ClusterRoleBinding \"all\" of "
                        "ClusterRole \"look\" to Group \"ops\"");
    assert_string_equal(ask(b, bob, "get", "pods", ""),
                        "yes: RBAC: allowed by ClusterRoleBinding \"all\" of "
                        "ClusterRole \"look\" to Group \"ops\"");
    assert_string_equal(ask(b, bob, "list", "pods", ""), "no");
    assert_string_equal(ask(b, bot, "get", "pods", "shop"), "no");

    /* in one namespace, of a role there; twice named, once counted */
    put(b, false, "shop", "edit",
        "rules: [{verbs: ['*'], apiGroups: ['*'], resources: ['*']}]");
    put(b, true, "shop", "edits",
        "roleRef: {kind: Role, name: edit}\n"
        "subjects: [{kind: ServiceAccount, name: bot}, {kind: User, name: bob},"
        " {kind: ServiceAccount, name: bot}]");
    assert_string_equal(ask(b, bot, "delete", "pods", "shop"),
                        "yes: RBAC: allowed by RoleBinding \"edits/shop\" of "
                        "Role \"edit\" to ServiceAccount \"bot/shop\"");
    assert_string_equal(ask(b, bot, "delete", "pods", "other"), "no");
    assert_string_equal(ask(b, bot, "delete", "pods", ""), "no");
    assert_string_equal(ask(b, bob, "delete", "pods", "shop"),
                        "yes: RBAC: allowed by RoleBinding \"edits/shop\" of "
                        "Role \"edit\" to User \"bob\"");

    /* changes and deletions count at once */
    put(b, true, "shop", "edits",
        "roleRef: {kind: Role, name: edit}\nsubjects: []");
    assert_string_equal(ask(b, bot, "delete", "pods", "shop"), "no");
    put(b, false, "", "look", NULL);
    assert_string_equal(ask(b, bob, "get", "pods", ""),
                        "no: RBAC: clusterrole.rbac.authorization.k8s.io "
                        "\"look\" not found");
    put(b, true, "", "all", NULL);
    assert_string_equal(ask(b, bob, "get", "pods", ""), "no");
    assert_string_equal(ask(b, identity_admin(a), "x", "y", "z"), "yes");
    rbac_free(b);
}

/* A name as long as it likes is nobody's; a thousand bindings of others are
 * not looked at, which the bench shows and this only survives. */
static void
test_many(void **state)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    AUTO(buf_release) struct buf name = BUF_INIT(BUF_TEXT_MAX);
    struct rbac *b = rbac_new();
    struct identity *who;

    (void)state;
    put(b, false, "", "r",
        "rules: [{verbs: [get], apiGroups: [''], resources: [pods]}]");
    for (int i = 0; i < 1000; i++) {
        AUTO(buf_release) struct buf text = BUF_INIT(4096);
        char bound[16];

        snprintf(bound, sizeof(bound), "b%d", i);
        buf_printf(
            &text,
            "roleRef: {kind: ClusterRole, name: r}\n"
            "subjects: [{kind: User, name: u%d}, {kind: Group, name: g}]",
            i);
        put(b, true, i % 2 ? "x" : "", bound, buf_cstr(&text));
    }
    assert_string_equal(
        ask(b, identity_new(a, PROOF_TOKEN, "u4", NULL), "get", "pods", ""),
        "yes: RBAC: allowed by ClusterRoleBinding \"b4\" of "
        "ClusterRole \"r\" to User \"u4\"");
    for (int i = 0; i < 1000; i++) {
        char bound[16];

        snprintf(bound, sizeof(bound), "b%d", i);
        put(b, true, i % 2 ? "x" : "", bound, NULL);
    }
    who = identity_new(a, PROOF_TOKEN, "u4", NULL);
    identity_add_group(a, who, STR("g"));
    assert_string_equal(ask(b, who, "get", "pods", "x"), "no");
    buf_fill(&name, 'n', 5000);
    assert_string_equal(ask(b,
                            identity_new(a, PROOF_TOKEN, buf_cstr(&name), NULL),
                            "get", "pods", "x"),
                        "no");
    rbac_free(b);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_index),
        cmocka_unit_test(test_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
