/*
 * What an admission policy's expressions see: object and oldObject as they are,
 * request typed, variables that are evaluated when they are asked for, and an
 * authorizer.
 */
#include "lib/base/mem.h"

#include "lib/schema/cel.h"

#include "tests/unit/test.h"

/* `variables`: big is object.spec.size > 3, name a text, broken an error. */
struct policy {
    struct arena *arena;
    struct cel *big, *name, *broken;
    struct cel_field list[3];
    struct cel_fields fields;
    struct cel_value object;
    int asked[3];
    struct cel_question last;
};

static struct cel *
compile(const char *text, const struct cel_variable *variables, size_t n,
        struct buf *why)
{
    struct cel_failure failure = {.text = why};

    return cel_compile(str_of(text), variables, n, &failure);
}

static struct cel_value
get(void *arg, size_t i)
{
    struct policy *p = arg;
    struct cel_run run = {.arena = p->arena};

    p->asked[i]++;
    return cel_eval(p->list[i].expression, &p->object, &run);
}

/* Says yes to get of pods, fails for secrets. */
static bool
decide(void *arg, const struct cel_question *q, struct buf *reason,
       struct buf *error)
{
    struct policy *p = arg;

    struct str *const texts[] = {&p->last.account_namespace,
                                 &p->last.account_name,
                                 &p->last.verb,
                                 &p->last.group,
                                 &p->last.resource,
                                 &p->last.subresource,
                                 &p->last.ns,
                                 &p->last.name,
                                 &p->last.field_selector,
                                 &p->last.label_selector};

    /* They are the expression's, which goes. */
    p->last = *q;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        *texts[i] = arena_str(p->arena, *texts[i]);
    buf_puts(reason, "because");
    if (str_eqz(q->resource, "secrets"))
        buf_puts(error, "no answer");
    return str_eqz(q->verb, "get") &&
           (q->is_path || str_eqz(q->resource, "pods"));
}

static struct schema *
request_schema(void)
{
    struct schema_findings problems = {0};
    AUTO(json_free_ptr)
    struct json *j = json_parse(
        STR("{\"type\":\"object\",\"properties\":{\"request\":{\"type\":"
            "\"object\",\"properties\":{\"operation\":{\"type\":\"string\"},"
            "\"dryRun\":{\"type\":\"boolean\"}}}}}"),
        NULL, NULL);

    return schema_compile(j, "", &problems, NULL);
}

/* What the expression gives, or why it does not compile. */
static void
evaluate(struct policy *p, const struct schema *s, const char *text,
         struct buf *out)
{
    const struct cel_variable variables[] = {
        {.name = "object"},
        {.name = "oldObject"},
        {.name = "request", .schema = schema_at(s, "request", NULL)},
        {.name = "variables",
         .type = CEL_VARIABLE_FIELDS,
         .fields = &p->fields},
        {.name = "authorizer", .type = CEL_VARIABLE_AUTHORIZER},
        {.name = "authorizer.requestResource", .type = CEL_VARIABLE_CHECK}};
    const struct cel_lazy lazy = {&p->fields, get, p};
    const struct cel_authorizer authorizer = {decide, p};
    const struct cel_question about = {.resource = STR("pods"),
                                       .ns = STR("here")};
    AUTO(json_free_ptr)
    struct json *request =
        json_parse(STR("{\"operation\":\"CREATE\"}"), NULL, NULL);
    const struct cel_value values[] = {
        p->object,
        {.kind = CEL_NULL},
        cel_of_json(p->arena, request, variables[2].schema),
        cel_of_lazy(p->arena, &lazy),
        cel_of_authorizer(p->arena, &authorizer),
        cel_of_check(p->arena, &authorizer, &about)};
    struct cel_run run = {.arena = p->arena};
    struct cel *c = compile(text, variables, ARRAY_LEN(variables), out);

    memset(p->asked, 0, sizeof(p->asked));
    if (!c)
        return;
    struct cel_value v = cel_eval(c, values, &run);

    if (v.kind == CEL_BOOL)
        buf_puts(out, v.b ? "true" : "false");
    else
        buf_str(out, v.s);
    buf_printf(out, " %llu", (unsigned long long)run.cost);
    cel_free(c);
}

static void
test_variables(UNUSED void **state)
{
    static const struct {
        const char *text, *wanted; /* and the cost */
    } cases[] = {
        {"object.spec.size == 5 && oldObject == null", "true 6"},
        {"request.operation == 'CREATE'", "true 3"},
        {"has(request.dryRun)", "false 1"},
        {"variables.big && variables.big", "true 4"},
        {"variables.name.startsWith('a')", "true 3"},
        {"variables.broken == 1", "no such key: nothing 3"},
        {"variables.broken == 1 || variables.big", "true 5"},
        {"authorizer.path('/x').check('get').allowed()", "true 350003"},
        {"authorizer.group('').resource('pods').namespace('n').name('p')"
         ".subresource('log').check('get').reason()",
         "because 350007"},
        {"authorizer.group('').resource('secrets').check('get').errored()",
         "true 350004"},
        {"authorizer.group('').resource('secrets').check('get').error()",
         "no answer 350004"},
        {"authorizer.requestResource.check('list').allowed()", "false 350002"},
        {"authorizer.path(' ').check('get').allowed()",
         "path must not be empty 4"},
        {"authorizer.serviceAccount('n', 'a b').path('/x').check('get')"
         ".allowed()",
         "Invalid service account name 5"},
        {"variables.small",
         "ERROR: <input>:1:10: undefined field 'small'\n | variables.small\n |"
         " .........^"},
        {"variables.big + 1",
         "ERROR: <input>:1:15: found no matching overload for '_+_' applied to "
         "'(bool, int)'\n | variables.big + 1\n | ..............^"},
        {"request.kind == 'x'",
         "ERROR: <input>:1:8: undefined field 'kind'\n | request.kind == 'x'"
         "\n | .......^"},
        {"authorizer.allowed()",
         "ERROR: <input>:1:19: found no matching overload for 'allowed' "
         "applied to 'kubernetes.authorization.Authorizer.()'\n | "
         "authorizer.allowed()\n | ..................^"},
    };
    const struct cel_variable object = {.name = "object"};
    AUTO(buf_release) struct buf why = BUF_INIT(1000);
    AUTO(json_free_ptr)
    struct json *j = json_parse(
        STR("{\"spec\":{\"size\":5},\"metadata\":{\"name\":\"a-1\"}}"), NULL,
        NULL);
    struct schema *s = request_schema();
    struct policy p = {.arena = arena_new()};

    p.object = cel_of_json(p.arena, j, NULL);
    p.big = compile("object.spec.size > 3", &object, 1, &why);
    p.name = compile("string(object.metadata.name)", &object, 1, &why);
    p.broken = compile("object.nothing", &object, 1, &why);
    p.list[0] = (struct cel_field){"big", p.big};
    p.list[1] = (struct cel_field){"name", p.name};
    p.list[2] = (struct cel_field){"broken", p.broken};
    p.fields = (struct cel_fields){p.list, 3};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(buf_release) struct buf out = BUF_INIT(10000);

        evaluate(&p, s, cases[i].text, &out);
        if (strcmp(buf_cstr(&out), cases[i].wanted) != 0)
            fail_msg("%s\n%s\nwanted %s", cases[i].text, buf_cstr(&out),
                     cases[i].wanted);
        /* Only what is asked for is evaluated, and once. */
        assert_int_equal(p.asked[0], strstr(cases[i].wanted, "ERROR") ? 0
                                     : strstr(cases[i].text, "variables.big")
                                         ? 1
                                         : 0);
        assert_true(p.asked[2] <= 1);
    }
    cel_free(p.big);
    cel_free(p.name);
    cel_free(p.broken);
    schema_free(s);
    arena_free(p.arena);
}

static void
test_questions(UNUSED void **state)
{
    AUTO(buf_release) struct buf out = BUF_INIT(10000);
    struct policy p = {.arena = arena_new()};
    struct schema *s = request_schema();

    evaluate(&p, s,
             "authorizer.serviceAccount('ns', 'robot').group('apps')"
             ".resource('deployments').subresource('scale').namespace('n')"
             ".name('web').fieldSelector('a=b').labelSelector('c=d')"
             ".check('update').allowed()",
             &out);
    assert_string_equal(buf_cstr(&out), "false 350010");
    assert_true(str_eqz(p.last.account_namespace, "ns"));
    assert_true(str_eqz(p.last.account_name, "robot"));
    assert_true(str_eqz(p.last.verb, "update"));
    assert_true(str_eqz(p.last.group, "apps"));
    assert_true(str_eqz(p.last.resource, "deployments"));
    assert_true(str_eqz(p.last.subresource, "scale"));
    assert_true(str_eqz(p.last.ns, "n"));
    assert_true(str_eqz(p.last.name, "web"));
    assert_true(str_eqz(p.last.field_selector, "a=b"));
    assert_true(str_eqz(p.last.label_selector, "c=d"));
    schema_free(s);
    arena_free(p.arena);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_variables),
        cmocka_unit_test(test_questions),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
