#include "tests/unit/schema/cases.h"

/* {type: object, properties: {spec: {type: object, REST}}} */
static struct schema *
spec_schema(const char *rest)
{
    AUTO(mem_free_ptr)
    char *text = mem_printf(
        "{type: object, properties: {spec: {type: object, %s}}}", rest);

    return cases_schema(text);
}

static void
check_valid(const char *rest, const char *spec, const char *want)
{
    AUTO(schema_free_ptr) struct schema *s = spec_schema(rest);
    AUTO(mem_free_ptr) char *text = mem_printf("{spec: %s}", spec);
    AUTO(json_free_ptr) struct json *o = cases_yaml(text);
    AUTO(schema_findings_release) struct schema_findings f = {0};
    bool ok = schema_validate(s, o, &f);
    AUTO(mem_free_ptr) char *got = cases_findings(&f);

    if (strcmp(got, want) != 0)
        fail_msg("%s with %s:\n%s\nnot\n%s", rest, spec, got, want);
    assert_int_equal(ok, !*want);
}

#define COLOR "properties: {color: {type: string, enum: [red, blue]}}"
#define SIZE  "properties: {size: {type: integer, minimum: 1, maximum: 10}}"

/* The words of kube-apiserver 1.34. */
static void
test_messages(UNUSED void **state)
{
    static const struct {
        const char *schema, *spec, *want;
    } cases[] = {
        {COLOR ", required: [color]", "{}",
         "spec.color|FieldValueRequired|Required value"},
        {COLOR, "{color: green}",
         "spec.color|FieldValueNotSupported|Unsupported value: \"green\": "
         "supported values: \"red\", \"blue\""},
        {SIZE, "{size: x}",
         "spec.size|FieldValueTypeInvalid|Invalid value: \"string\": "
         "spec.size in body must be of type integer: \"string\""},
        {SIZE, "{size: 0}",
         "spec.size|FieldValueInvalid|Invalid value: 0: spec.size in body "
         "should be greater than or equal to 1"},
        {SIZE, "{size: 11}",
         "spec.size|FieldValueInvalid|Invalid value: 11: spec.size in body "
         "should be less than or equal to 10"},
        {SIZE, "{size: 1.5}",
         "spec.size|FieldValueTypeInvalid|Invalid value: \"number\": "
         "spec.size in body must be of type integer: \"number\""},
        {SIZE, "{size: 3.0}", ""},
        {"properties: {num: {type: integer, maximum: 5, exclusiveMaximum: "
         "true}}",
         "{num: 5}",
         "spec.num|FieldValueInvalid|Invalid value: 5: spec.num in body should "
         "be "
         "less than 5"},
        {"properties: {num: {type: number, minimum: 0.5, exclusiveMinimum: "
         "true}}",
         "{num: 0.5}",
         "spec.num|FieldValueInvalid|Invalid value: 0.5: spec.num in body "
         "should "
         "be greater than 0.5"},
        {"properties: {num: {type: number, maximum: 2000000}}",
         "{num: 3000000.5}",
         "spec.num|FieldValueInvalid|Invalid value: 3.0000005e+06: spec.num in "
         "body should be less than or equal to 2e+06"},
        {"properties: {num: {type: number, multipleOf: 0.5}}", "{num: 0.7}",
         "spec.num|FieldValueInvalid|Invalid value: 0.7: spec.num in body "
         "should "
         "be a multiple of 0.5"},
        {"properties: {a: {type: string, pattern: '^[a-z]+$'}}", "{a: X}",
         "spec.a|FieldValueInvalid|Invalid value: \"X\": spec.a in body should "
         "match '^[a-z]+$'"},
        {"properties: {a: {type: string, minLength: 2, maxLength: 5}}",
         "{a: x}",
         "spec.a|FieldValueInvalid|Invalid value: \"x\": spec.a in body should "
         "be at least 2 chars long"},
        {"properties: {a: {type: string, maxLength: 5}}", "{a: abcdef}",
         "spec.a|FieldValueTooLong|Too long: may not be more than 5 bytes"},
        {"properties: {a: {type: string, maxLength: 3}}",
         "{a: \xC3\xA9\xC3\xA9\xC3\xA9}", ""},
        {"properties: {t: {type: array, minItems: 1, items: {type: string}}}",
         "{t: []}",
         "spec.t|FieldValueInvalid|Invalid value: 0: spec.t in body should "
         "have at least 1 items"},
        {"properties: {t: {type: array, maxItems: 3, items: {type: integer}}}",
         "{t: [1, 2, 3, a]}",
         "spec.t[3]|FieldValueTypeInvalid|Invalid value: \"string\": spec.t[3] "
         "in body must be of type integer: \"string\"\n"
         "spec.t|FieldValueTooMany|Too many: 4: must have at most 3 items"},
        {"additionalProperties: {type: string}, maxProperties: 1, "
         "minProperties: 1",
         "{a: x, b: 2}",
         "spec.b|FieldValueTypeInvalid|Invalid value: \"integer\": spec.b in "
         "body must be of type string: \"integer\"\n"
         "spec|FieldValueTooMany|Too many: 2: must have at most 1 item"},
        {"properties: {w: {type: string, format: date-time}}", "{w: x}",
         "spec.w|FieldValueTypeInvalid|Invalid value: \"x\": spec.w in body "
         "must be of type date-time: \"x\""},
        {"properties: {t: {type: array, x-kubernetes-list-type: set, items: "
         "{type: string}}}",
         "{t: [a, a, b]}",
         "spec.t[1]|FieldValueDuplicate|Duplicate value: \"a\""},
        {"properties: {p: {type: array, x-kubernetes-list-type: map, "
         "x-kubernetes-list-map-keys: [name], items: {type: object, required: "
         "[name], properties: {name: {type: string}, v: {type: integer}}}}}",
         "{p: [{name: a, v: 1}, {name: a, v: 2}]}",
         "spec.p[1]|FieldValueDuplicate|Duplicate value: {\"name\":\"a\"}"},
        {"properties: {p: {x-kubernetes-int-or-string: true}}", "{p: true}",
         "spec.p|FieldValueTypeInvalid|Invalid value: \"boolean\": spec.p in "
         "body must be of type integer,string: \"boolean\""},
        {"properties: {p: {x-kubernetes-int-or-string: true}}", "{p: 80%}", ""},
        {"properties: {a: {type: string, nullable: true}}", "{a: null}", ""},
        {"properties: {a: {type: string}, b: {type: string}}, oneOf: "
         "[{required: [a]}, {required: [b]}]",
         "{a: x, b: z}",
         "<nil>|FieldValueInvalid|Invalid value: \"\": \"spec\" must validate "
         "one and only one schema (oneOf). Found 2 valid alternatives"},
        {"properties: {a: {type: string}}, not: {required: [a]}", "{a: x}",
         "<nil>|FieldValueInvalid|Invalid value: \"\": \"spec\" must not "
         "validate the schema (not)"},
        {"properties: {e: {type: object, x-kubernetes-embedded-resource: true, "
         "x-kubernetes-preserve-unknown-fields: true}}",
         "{e: {kind: X}}",
         "spec.e.apiVersion|FieldValueRequired|Required value"},
        {"properties: {a: {type: string}}, required: [a], "
         "x-kubernetes-validations: [{rule: 'true'}]",
         "{}",
         "<nil>|FieldValueInvalid|Invalid value: null: some validation rules "
         "were not checked because the object was invalid; correct the "
         "existing errors to complete validation\n"
         "spec.a|FieldValueRequired|Required value"},
        {"x-kubernetes-preserve-unknown-fields: true", "{any: [1, {b: 2}]}",
         ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_valid(cases[i].schema, cases[i].spec, cases[i].want);
}

static void
test_alternatives(UNUSED void **state)
{
    const char *any = "properties: {a: {type: string}, b: {type: string}}, "
                      "anyOf: [{required: [a]}, {required: [b]}]";

    check_valid(any, "{b: x}", "");
    check_valid(any, "{}",
                "<nil>|FieldValueInvalid|Invalid value: \"\": \"spec\" must "
                "validate at least one schema (anyOf)\n"
                "spec.a|FieldValueRequired|Required value");
    check_valid("properties: {a: {type: integer}}, allOf: [{properties: {a: "
                "{minimum: 3}}}, {required: [a]}]",
                "{a: 1}",
                "<nil>|FieldValueInvalid|Invalid value: \"\": \"spec\" must "
                "validate all the schemas (allOf)\n"
                "spec.a|FieldValueInvalid|Invalid value: 1: spec.a in body "
                "should be greater than or equal to 3");
}

static void
test_formats(UNUSED void **state)
{
    static const struct {
        const char *format, *good, *bad;
    } cases[] = {
        {"date-time", "2024-02-29T23:59:59.5+01:00", "2023-02-29T00:00:00Z"},
        {"date", "2024-12-31", "2024-13-01"},
        {"ipv4", "10.0.0.1", "10.0.0.256"},
        {"ipv6", "fe80::1", "fe80:::1"},
        {"ipv6", "::ffff:1.2.3.4", "1:2:3:4:5:6:7"},
        {"cidr", "10.0.0.0/8", "10.0.0.0/33"},
        {"mac", "01:23:45:67:89:ab", "01:23:45:67:89"},
        {"uuid", "123e4567-e89b-12d3-a456-426614174000", "123e4567"},
        {"uuid4", "123e4567-e89b-42d3-a456-426614174000",
         "123e4567-e89b-12d3-a456-426614174000"},
        {"byte", "aGk=", "aGk"},
        {"hostname", "a-b.example.org", "-a.org"},
        {"email", "a.b@example.org", "a@b@c"},
        {"uri", "https://example.org/a%20b", "example.org"},
        {"duration", "1h30m", "1 fortnight"},
        {"hexcolor", "#fff", "#ffff"},
        {"int32", "x", NULL},
        {"zzz", "anything", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(mem_free_ptr)
        char *rest = mem_printf("properties: {v: {type: string, format: %s}}",
                                cases[i].format);
        AUTO(schema_free_ptr) struct schema *s = spec_schema(rest);
        const struct schema *v = schema_at(s, "spec", "v", NULL);
        AUTO(json_free_ptr) struct json *good = json_new_string(cases[i].good);
        AUTO(json_free_ptr) struct json *bad = json_new_string(cases[i].bad);
        AUTO(schema_findings_release) struct schema_findings f = {0};

        if (!schema_validate_value(v, good, "v", &f))
            fail_msg("%s: %s", cases[i].format, cases[i].good);
        if (cases[i].bad && schema_validate_value(v, bad, "v", &f))
            fail_msg("%s: %s", cases[i].format, cases[i].bad);
    }
}

static void
test_prune(UNUSED void **state)
{
    AUTO(schema_free_ptr)
    struct schema *s = spec_schema(
        "properties: {a: {type: string}, l: {type: array, items: {type: "
        "object, properties: {x: {type: string}}}}, m: {type: object, "
        "additionalProperties: {type: object, properties: {yy: {type: "
        "string}}}}, keep: {type: object, "
        "x-kubernetes-preserve-unknown-fields: true, properties: {z: {type: "
        "object, properties: {q: {type: string}}}}}, e: {type: object, "
        "x-kubernetes-embedded-resource: true, properties: {spec: {type: "
        "object}}}}");
    AUTO(json_free_ptr)
    struct json *o = cases_yaml(
        "{apiVersion: v1, kind: K, metadata: {name: n, foo: 1}, bogus: 1, "
        "spec: {a: x, zz: 1, l: [{x: 1}, {x: 1, yy: {deep: 1}}], m: {k: {yy: "
        "1, "
        "nn: 2}}, keep: {free: {any: 1}, z: {q: 1, r: 2}}, e: {apiVersion: v1, "
        "kind: E, metadata: {name: i, bad: 1}, spec: {u: 1}, v: 1}}}");
    AUTO(strlist_release) struct strlist unknown = {0};
    AUTO(buf_release) struct buf b = BUF_INIT(4096);
    AUTO(json_free_ptr) struct json *before = json_copy(o);

    schema_prune(s, o, true, NULL);
    assert_true(json_equal(o, before));
    schema_prune(s, o, false, &unknown);
    for (size_t i = 0; i < unknown.n; i++)
        buf_printf(&b, "%s ", unknown.v[i]);
    assert_string_equal(buf_cstr(&b),
                        "bogus metadata.foo spec.e.metadata.bad spec.e.spec.u "
                        "spec.e.v spec.keep.z.r spec.l[1].yy spec.m.k.nn "
                        "spec.zz ");
    AUTO(mem_free_ptr) char *left = json_text(json_get(o, "spec"), 0);

    assert_string_equal(
        left,
        "{\"a\":\"x\",\"l\":[{\"x\":1},{\"x\":1}],\"m\":{\"k\":{\"yy\":1}}"
        ",\"keep\":{\"free\":{\"any\":1},\"z\":{\"q\":1}},\"e\":{"
        "\"apiVersion\":\"v1\",\"kind\":\"E\",\"metadata\":{\"name\":"
        "\"i\"},\"spec\":{}}}");
}

static void
test_default(UNUSED void **state)
{
    AUTO(schema_free_ptr)
    struct schema *s = spec_schema(
        "default: {}, properties: {size: {type: integer, default: 1}, nn: "
        "{type: string, nullable: true, default: d}, o: {type: object, "
        "default: {}, properties: {x: {type: boolean, default: true}}}, free: "
        "{type: string}, l: {type: array, items: {type: object, properties: "
        "{p: {type: string, default: q}}}}, m: {type: object, "
        "additionalProperties: {type: integer, default: 7}}}");
    static const struct {
        const char *before, *after;
    } cases[] = {
        {"{}", "{\"spec\":{\"size\":1,\"nn\":\"d\",\"o\":{\"x\":true}}}"},
        {"{spec: {size: null, nn: null, free: null, o: {x: false}}}",
         "{\"spec\":{\"size\":1,\"nn\":null,\"o\":{\"x\":false}}}"},
        {"{spec: {size: 2, nn: x, o: {}, l: [{}, {p: r}], m: {k: null, j: 1}}}",
         "{\"spec\":{\"size\":2,\"nn\":\"x\",\"o\":{\"x\":true},\"l\":[{\"p\":"
         "\"q\"},{\"p\":\"r\"}],\"m\":{\"k\":7,\"j\":1}}}"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(json_free_ptr) struct json *o = cases_yaml(cases[i].before);

        schema_default(s, o);
        AUTO(mem_free_ptr) char *after = json_text(o, 0);

        assert_string_equal(after, cases[i].after);
    }
}

/* What keeps a CRD's schema from being structural. */
static void
test_problems(UNUSED void **state)
{
    static const struct {
        const char *schema, *want;
    } cases[] = {
        {"{}", "s.type|FieldValueRequired|Required value: must not be empty at "
               "the root"},
        {"{type: array, items: {type: string}}",
         "s.type|FieldValueInvalid|Invalid value: \"array\": must be object at "
         "the root"},
        {"{type: object, properties: {a: {}}}",
         "s.properties[a].type|FieldValueRequired|Required value: must not be "
         "empty for specified object fields"},
        {"{type: object, properties: {a: {type: array}}}",
         "s.properties[a].items|FieldValueRequired|Required value: must be "
         "specified"},
        {"{type: object, properties: {a: {type: array, items: {}}}}",
         "s.properties[a].items.type|FieldValueRequired|Required value: must "
         "not be empty for specified array items"},
        {"{type: object, properties: {a: {type: bogus}}}",
         "s.properties[a].type|FieldValueNotSupported|Unsupported value: "
         "\"bogus\": supported values: \"array\", \"boolean\", \"integer\", "
         "\"number\", \"object\", \"string\""},
        {"{type: object, $ref: x}",
         "s.$ref|FieldValueForbidden|Forbidden: $ref is not supported"},
        {"{type: object, properties: {a: {type: array, uniqueItems: true, "
         "items: {type: string}}}}",
         "s.properties[a].uniqueItems|FieldValueForbidden|Forbidden: "
         "uniqueItems cannot be set to true since the runtime complexity "
         "becomes quadratic"},
        {"{type: object, properties: {a: {type: string, pattern: '('}}}",
         "s.properties[a].pattern|FieldValueInvalid|Invalid value: \"(\": must "
         "be a valid regular expression, but isn't: error parsing regexp: "
         "missing closing ): `(`"},
        {"{type: object, properties: {a: {type: integer, default: x}}}",
         "s.properties[a].default|FieldValueTypeInvalid|Invalid value: "
         "\"string\":  in body must be of type integer: \"string\""},
        {"{type: object, anyOf: [{type: object, properties: {b: {minimum: "
         "1}}}]}",
         "s.anyOf[0].type|FieldValueForbidden|Forbidden: must be empty to be "
         "structural\n"
         "s.properties[b]|FieldValueRequired|Required value: because it is "
         "defined in s.anyOf[0].properties[b]"},
        {"{type: object, properties: {a: {type: array, "
         "x-kubernetes-list-type: map, items: {type: object, properties: {k: "
         "{type: string}}}}}}",
         "s.properties[a].x-kubernetes-list-map-keys|FieldValueRequired|"
         "Required value: must not be empty if x-kubernetes-list-type is map"},
        {"{type: object, properties: {metadata: {type: object, properties: "
         "{labels: {type: object}}}}}",
         "s.properties[metadata]|FieldValueForbidden|Forbidden: must not "
         "specify anything other than name and generateName, but metadata is "
         "implicitly specified"},
        {"{type: object, properties: 3}",
         "s.properties|FieldValueInvalid|Invalid value: 3: has the wrong "
         "type"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(json_free_ptr) struct json *j = cases_yaml(cases[i].schema);
        AUTO(schema_findings_release) struct schema_findings f = {0};

        assert_null(schema_compile(j, "s", &f, NULL));
        AUTO(mem_free_ptr) char *got = cases_findings(&f);

        assert_string_equal(got, cases[i].want);
    }
}

static void
test_warnings_and_caps(UNUSED void **state)
{
    AUTO(strlist_release) struct strlist warnings = {0};
    AUTO(json_free_ptr)
    struct json *j = cases_yaml(
        "{type: object, foo: 1, properties: {a: {type: string, format: "
        "zzz, bar: 2}}}");
    AUTO(schema_free_ptr)
    struct schema *s = schema_compile(j, "spec.versions[0].s", NULL, &warnings);

    assert_non_null(s);
    assert_int_equal(warnings.n, 3);
    assert_string_equal(warnings.v[0],
                        "unknown field \"spec.versions[0].s.foo\"");
    assert_string_equal(
        warnings.v[1], "unknown field \"spec.versions[0].s.properties.a.bar\"");
    assert_string_equal(warnings.v[2], "unrecognized format \"zzz\"");

    struct json *deep = json_new_object();
    struct json *at = deep;

    for (int i = 0; i < 120; i++) {
        json_set_string(at, "type", "array");
        at = json_need_object(at, "items");
    }
    json_set_string(at, "type", "string");
    json_set_string(deep, "type", "array");
    AUTO(schema_findings_release) struct schema_findings f = {0};

    assert_null(schema_compile(deep, "s", &f, NULL));
    assert_non_null(strstr(f.v[0].message, "nested too deeply"));
    json_free(deep);
}

static void
test_nodes(UNUSED void **state)
{
    AUTO(schema_free_ptr)
    struct schema *s = spec_schema(
        "required: [b], x-kubernetes-validations: [{rule: 'true'}, {rule: "
        "'1 == 1'}], properties: {b: {type: array, x-kubernetes-list-type: "
        "map, x-kubernetes-list-map-keys: [k], items: {type: object, "
        "required: [k], x-kubernetes-map-type: atomic, properties: {k: {type: "
        "string, title: T, description: D, enum: [x], default: x}}}}, a: "
        "{type: object, additionalProperties: {type: string}}}");
    const struct schema *spec = schema_at(s, "spec", NULL);
    const char *name;
    bool required;

    assert_int_equal(schema_property_count(spec), 2);
    schema_property(spec, 0, &name, &required);
    assert_string_equal(name, "b");
    assert_true(required);
    const struct schema_info *b = schema_info(schema_at(spec, "b", NULL));

    assert_int_equal(b->list, SCHEMA_LIST_MAP);
    assert_string_equal(b->list_keys->v[0], "k");
    assert_true(schema_info(schema_at(spec, "b", "[]", NULL))->map_atomic);
    const struct schema_info *k =
        schema_info(schema_at(spec, "b", "[]", "k", NULL));

    assert_string_equal(k->title, "T");
    assert_string_equal(schema_type_name(k->type), "string");
    assert_string_equal(json_string(k->fallback), "x");
    assert_int_equal(k->min_length, -1);
    assert_non_null(schema_at(spec, "a", "whatever", NULL));
    assert_null(schema_at(spec, "c", "d", NULL));
    assert_null(schema_items(schema_at(spec, "a", NULL)));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages),
        cmocka_unit_test(test_alternatives),
        cmocka_unit_test(test_formats),
        cmocka_unit_test(test_prune),
        cmocka_unit_test(test_default),
        cmocka_unit_test(test_problems),
        cmocka_unit_test(test_warnings_and_caps),
        cmocka_unit_test(test_nodes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
