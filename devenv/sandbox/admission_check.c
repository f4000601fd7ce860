/*
 * What a policy and a binding must be to be stored, beyond what the table of
 * types says of their fields; in the words of
 * kubernetes pkg/apis/admissionregistration/validation/validation.go.
 */
#include "lib/base/mem.h"

#include "lib/schema/names.h"

#include "devenv/sandbox/admission.h"
#include "devenv/sandbox/kobj.h"

struct checking {
    struct schema_findings *bad;
    const struct admission_policy *policy;
};

static bool
blank(const char *z)
{
    return !z || !str_trim(str_of(z)).n;
}

static void
required(struct schema_findings *bad, const char *path, const char *why)
{
    schema_findings_add(bad, path, "FieldValueRequired", "Required value%s%s",
                        why ? ": " : "", why ? why : "");
}

/* The value is printed as Go prints it. */
static void
invalid(struct schema_findings *bad, const char *path, const struct json *v,
        const char *why)
{
    AUTO(mem_free_ptr) char *text = schema_value_text(v);

    schema_findings_add(bad, path, "FieldValueInvalid", "Invalid value: %s: %s",
                        text, why);
}

static void
unsupported(struct schema_findings *bad, const char *path, const char *value,
            const char *choices)
{
    schema_findings_add(bad, path, "FieldValueNotSupported",
                        "Unsupported value: \"%s\": supported values: %s",
                        value, choices);
}

/* Each problem that a rule of names has with the text. */
static void
named(struct schema_findings *bad, const char *path, const char *text,
      bool (*rule)(struct str s, struct strlist *why))
{
    AUTO(strlist_release) struct strlist why = {0};
    AUTO(json_free_ptr) struct json *v = json_new_string(text);

    if (rule(str_of(text), &why))
        return;
    for (size_t i = 0; i < why.n; i++)
        invalid(bad, path, v, why.v[i]);
}

/* ---- expressions ---- */

/* wanted: "bool", "one of [string null_type]"; NULL: anything. */
static void
check_expression(const struct checking *c, const char *path,
                 const struct admission_expression *x, const char *wanted)
{
    AUTO(mem_free_ptr) char *why = NULL;
    AUTO(json_free_ptr) struct json *v = json_new_string(x->source);
    const char *type;

    if (!x->cel) {
        invalid(c->bad, path, v, x->trouble);
        return;
    }
    type = cel_result_type(x->cel);
    if (!wanted || !strcmp(type, wanted) || !strcmp(type, "dyn") ||
        (strchr(wanted, '[') && strstr(wanted, type)))
        return;
    why = mem_printf("must evaluate to %s but got %s", wanted, type);
    invalid(c->bad, path, v, why);
}

/* The name of the i-th of earlier ones again. */
static bool
seen_before(const struct json *list, const struct json *item, const char *key)
{
    const char *name = json_string_or(json_get(item, key), "");

    for (const struct json *c = json_first(list); c != item; c = json_next(c)) {
        if (!strcmp(json_string_or(json_get(c, key), ""), name))
            return true;
    }
    return false;
}

static void
duplicate(struct schema_findings *bad, const char *path, const char *value)
{
    schema_findings_add(bad, path, "FieldValueDuplicate",
                        "Duplicate value: \"%s\"", value);
}

static bool
is_identifier(const char *z)
{
    for (const char *p = z; *p; p++) {
        if (!(*p == '_' || (*p >= 'a' && *p <= 'z') ||
              (*p >= 'A' && *p <= 'Z') || (p > z && *p >= '0' && *p <= '9')))
            return false;
    }
    return true;
}

static void
check_variables(const struct checking *c, const struct json *list)
{
    size_t i = 0;

    for (const struct json *v = json_first(list); v; v = json_next(v), i++) {
        AUTO(mem_free_ptr)
        char *name = mem_printf("spec.variables[%zu].name", i);
        AUTO(mem_free_ptr)
        char *path = mem_printf("spec.variables[%zu].expression", i);
        const char *text = json_string_or(json_get(v, "name"), "");

        if (!*text)
            required(c->bad, name, "name is not specified");
        else if (!is_identifier(text))
            invalid(c->bad, name, json_get(v, "name"),
                    "must be a valid CEL identifier");
        if (blank(json_string(json_get(v, "expression"))))
            required(c->bad, path, "expression is not specified");
        else
            check_expression(c, path, &c->policy->variables[i], NULL);
    }
}

static void
check_conditions(const struct checking *c, const struct json *list)
{
    size_t i = 0;

    for (const struct json *v = json_first(list); v; v = json_next(v), i++) {
        AUTO(mem_free_ptr)
        char *name = mem_printf("spec.matchConditions[%zu].name", i);
        AUTO(mem_free_ptr)
        char *path = mem_printf("spec.matchConditions[%zu].expression", i);
        const char *text = json_string_or(json_get(v, "name"), "");

        if (blank(json_string(json_get(v, "expression"))))
            required(c->bad, path, NULL);
        else
            check_expression(c, path, &c->policy->conditions[i], "bool");
        if (!*text)
            required(c->bad, name, NULL);
        else if (seen_before(list, v, "name"))
            duplicate(c->bad, name, text);
        else
            named(c->bad, name, text, names_qualified);
    }
}

static void
check_message(const struct checking *c, size_t i, const struct json *v)
{
    AUTO(mem_free_ptr)
    char *path = mem_printf("spec.validations[%zu].message", i);
    AUTO(mem_free_ptr)
    char *reason = mem_printf("spec.validations[%zu].reason", i);
    AUTO(mem_free_ptr)
    char *expression = mem_printf("spec.validations[%zu].messageExpression", i);
    const char *text = json_string_or(json_get(v, "message"), "");
    const char *why = json_string_or(json_get(v, "reason"), "Invalid");

    if (*text && blank(text))
        invalid(c->bad, path, json_get(v, "message"),
                "must be non-empty if specified");
    else if (strchr(text, '\n'))
        invalid(c->bad, path, json_get(v, "message"),
                "must not contain line breaks");
    if (c->policy->validations[i].message.source)
        check_expression(c, expression, &c->policy->validations[i].message,
                         "string");
    if (strcmp(why, "Unauthorized") != 0 && strcmp(why, "Forbidden") != 0 &&
        strcmp(why, "Invalid") != 0 &&
        strcmp(why, "RequestEntityTooLarge") != 0)
        unsupported(c->bad, reason, why,
                    "\"Forbidden\", \"Invalid\", \"RequestEntityTooLarge\"");
}

static void
check_validations(const struct checking *c, const struct json *list)
{
    size_t i = 0;

    for (const struct json *v = json_first(list); v; v = json_next(v), i++) {
        AUTO(mem_free_ptr)
        char *path = mem_printf("spec.validations[%zu].expression", i);

        if (blank(json_string(json_get(v, "expression"))))
            required(c->bad, path, "expression is not specified");
        else
            check_expression(c, path, &c->policy->validations[i].rule, "bool");
        check_message(c, i, v);
    }
}

static void
check_annotations(const struct checking *c, const struct json *spec)
{
    const struct json *list = json_get(spec, "auditAnnotations");
    size_t i = 0;

    for (const struct json *v = json_first(list); v; v = json_next(v), i++) {
        AUTO(mem_free_ptr)
        char *path = mem_printf("spec.auditAnnotations[%zu].key", i);
        AUTO(mem_free_ptr)
        char *value =
            mem_printf("spec.auditAnnotations[%zu].valueExpression", i);
        const char *key = json_string_or(json_get(v, "key"), "");
        AUTO(mem_free_ptr)
        char *whole = mem_printf("%s/%s", c->policy->name, key);

        if (seen_before(list, v, "key"))
            duplicate(c->bad, path, key);
        else
            named(c->bad, path, whole, names_qualified);
        if (blank(json_string(json_get(v, "valueExpression"))))
            required(c->bad, value, "valueExpression is not specified");
        else
            check_expression(c, value, &c->policy->annotations[i],
                             "one of [string null_type]");
    }
    if (json_first(list) || json_first(json_get(spec, "validations")))
        return;
    required(c->bad, "spec.validations",
             "validations or auditAnnotations must contain at least one item");
    required(c->bad, "spec.auditAnnotations",
             "validations or auditAnnotations must contain at least one item");
}

/* ---- what they match ---- */

/* A list that must not be empty, nor hold "*" beside others. */
static void
check_list(struct schema_findings *bad, const char *rule, const char *key,
           const struct json *list, const char *many)
{
    AUTO(mem_free_ptr) char *path = mem_printf("%s.%s", rule, key);
    AUTO(mem_free_ptr)
    char *why =
        mem_printf("if '*' is present, must not specify other %s", many);
    bool star = false;

    if (!json_first(list))
        required(bad, path, NULL);
    for (const struct json *c = json_first(list); c; c = json_next(c))
        star = star || !strcmp(json_string_or(c, ""), "*");
    if (star && json_len(list) > 1)
        invalid(bad, path, list, why);
}

static void
check_resources(struct schema_findings *bad, const char *rule,
                const struct json *list)
{
    AUTO(mem_free_ptr) char *path = mem_printf("%s.resources", rule);
    bool all = false;
    size_t i = 0;

    if (!json_first(list))
        required(bad, path, NULL);
    for (const struct json *c = json_first(list); c; c = json_next(c), i++) {
        AUTO(mem_free_ptr) char *at = mem_printf("%s[%zu]", path, i);

        if (!*json_string_or(c, ""))
            required(bad, at, NULL);
        all = all || !strcmp(json_string_or(c, ""), "*/*");
    }
    if (all && json_len(list) > 1)
        invalid(bad, path, list,
                "if '*/*' is present, must not specify other resources");
}

static void
check_rule(struct schema_findings *bad, const char *rule, const struct json *v)
{
    AUTO(mem_free_ptr) char *scope = mem_printf("%s.scope", rule);
    const char *text = json_string_or(json_get(v, "scope"), "*");
    size_t i = 0;

    check_list(bad, rule, "operations", json_get(v, "operations"),
               "operations");
    check_list(bad, rule, "apiGroups", json_get(v, "apiGroups"), "API groups");
    check_list(bad, rule, "apiVersions", json_get(v, "apiVersions"),
               "API versions");
    for (const struct json *c = json_first(json_get(v, "apiVersions")); c;
         c = json_next(c), i++) {
        AUTO(mem_free_ptr)
        char *at = mem_printf("%s.apiVersions[%zu]", rule, i);

        if (!*json_string_or(c, ""))
            required(bad, at, NULL);
    }
    check_resources(bad, rule, json_get(v, "resources"));
    if (strcmp(text, "*") != 0 && strcmp(text, "Cluster") != 0 &&
        strcmp(text, "Namespaced") != 0)
        unsupported(bad, scope, text, "\"*\", \"Cluster\", \"Namespaced\"");
}

static void
check_rules(struct schema_findings *bad, const char *path,
            const struct json *list)
{
    size_t i = 0;

    for (const struct json *c = json_first(list); c; c = json_next(c), i++) {
        AUTO(mem_free_ptr) char *at = mem_printf("%s[%zu]", path, i);

        check_rule(bad, at, c);
    }
}

static void
check_requirement(struct schema_findings *bad, const char *at,
                  const struct json *e)
{
    AUTO(mem_free_ptr) char *values = mem_printf("%s.values", at);
    AUTO(mem_free_ptr) char *key = mem_printf("%s.key", at);
    AUTO(mem_free_ptr) char *path = mem_printf("%s.operator", at);
    const char *op = json_string_or(json_get(e, "operator"), "");
    bool some = json_first(json_get(e, "values")) != NULL;

    if (!strcmp(op, "In") || !strcmp(op, "NotIn")) {
        if (!some)
            required(bad, values,
                     "must be specified when `operator` is 'In' or 'NotIn'");
    } else if (!strcmp(op, "Exists") || !strcmp(op, "DoesNotExist")) {
        if (some)
            schema_findings_add(bad, values, "FieldValueForbidden",
                                "Forbidden: may not be specified when "
                                "`operator` is 'Exists' or 'DoesNotExist'");
    } else {
        invalid(bad, path, json_get(e, "operator"),
                "not a valid selector operator");
    }
    named(bad, key, json_string_or(json_get(e, "key"), ""), names_qualified);
}

static void
check_selector(struct schema_findings *bad, const char *path,
               const struct json *selector)
{
    size_t i = 0;

    for (const struct json *e =
             json_first(json_get(selector, "matchExpressions"));
         e; e = json_next(e), i++) {
        AUTO(mem_free_ptr)
        char *at = mem_printf("%s.matchExpressions[%zu]", path, i);

        check_requirement(bad, at, e);
    }
}

static void
check_resources_of(struct schema_findings *bad, const char *path,
                   const struct json *v, bool rules_needed)
{
    AUTO(mem_free_ptr) char *rules = mem_printf("%s.resourceRules", path);
    AUTO(mem_free_ptr) char *but = mem_printf("%s.excludeResourceRules", path);
    AUTO(mem_free_ptr) char *space = mem_printf("%s.namespaceSelector", path);
    AUTO(mem_free_ptr) char *object = mem_printf("%s.objectSelector", path);

    check_selector(bad, space, json_get(v, "namespaceSelector"));
    check_selector(bad, object, json_get(v, "objectSelector"));
    check_rules(bad, rules, json_get(v, "resourceRules"));
    check_rules(bad, but, json_get(v, "excludeResourceRules"));
    if (rules_needed && !json_first(json_get(v, "resourceRules")))
        required(bad, rules, NULL);
}

/* ---- a policy, a binding ---- */

static void
check_param_kind(struct schema_findings *bad, const struct json *k)
{
    const char *version = json_string_or(json_get(k, "apiVersion"), "");
    const char *kind = json_string_or(json_get(k, "kind"), "");
    const char *slash = strchr(version, '/');
    AUTO(mem_free_ptr)
    char *why = mem_printf("unexpected GroupVersion string: %s", version);
    AUTO(strlist_release) struct strlist problems = {0};

    if (!k)
        return;
    if (!*version)
        required(bad, "spec.paramKind.apiVersion", NULL);
    else if (slash && strchr(slash + 1, '/'))
        invalid(bad, "spec.paramKind.apiVersion", json_get(k, "apiVersion"),
                why);
    if (!*kind) {
        required(bad, "spec.paramKind.kind", NULL);
        return;
    }
    AUTO(mem_free_ptr) char *lower = mem_strdup(kind);

    for (char *p = lower; *p; p++)
        *p = *p >= 'A' && *p <= 'Z' ? *p - 'A' + 'a' : *p;
    if (names_label_1035(str_of(lower), &problems))
        return;
    for (size_t i = 0; i < problems.n; i++) {
        AUTO(mem_free_ptr)
        char *text = mem_printf("may have mixed case, but should otherwise "
                                "match: %s",
                                problems.v[i]);

        invalid(bad, "spec.paramKind.kind", json_get(k, "kind"), text);
    }
}

void
admission_check_policy(const struct json *obj, const struct json *old,
                       struct schema_findings *bad)
{
    const struct json *spec = json_get(obj, "spec");
    struct admission_types types;
    struct admission_policy *p;
    struct checking c = {.bad = bad};

    (void)old;
    admission_types_init(&types);
    c.policy = p = admission_compile(&types, json_copy(obj));
    check_param_kind(bad, json_get(spec, "paramKind"));
    if (json_get(spec, "matchConstraints"))
        check_resources_of(bad, "spec.matchConstraints",
                           json_get(spec, "matchConstraints"), true);
    else
        required(bad, "spec.matchConstraints", NULL);
    check_conditions(&c, json_get(spec, "matchConditions"));
    check_variables(&c, json_get(spec, "variables"));
    check_validations(&c, json_get(spec, "validations"));
    check_annotations(&c, spec);
    admission_policy_free(p);
    admission_types_release(&types);
}

static void
check_param_ref(struct schema_findings *bad, const struct json *ref)
{
    static const char clash[] = "Forbidden: name and selector are mutually "
                                "exclusive";
    const char *name = json_string_or(json_get(ref, "name"), "");
    bool selector = json_get(ref, "selector") != NULL;

    if (!ref)
        return;
    if (*name && selector) {
        schema_findings_add(bad, "spec.paramRef.name", "FieldValueForbidden",
                            "%s", clash);
        schema_findings_add(bad, "spec.paramRef.selector",
                            "FieldValueForbidden", "%s", clash);
    } else if (!*name && !selector) {
        required(bad, "spec.paramRef",
                 "one of name or selector must be specified");
    }
    check_selector(bad, "spec.paramRef.selector", json_get(ref, "selector"));
    if (!json_get(ref, "parameterNotFoundAction"))
        required(bad, "spec.paramRef.parameterNotFoundAction", NULL);
}

static void
check_actions(struct schema_findings *bad, const struct json *list)
{
    bool deny = false, warn = false;
    size_t i = 0;

    if (!json_first(list))
        required(bad, "spec.validationActions",
                 "at least one validation action is required");
    for (const struct json *c = json_first(list); c; c = json_next(c), i++) {
        AUTO(mem_free_ptr)
        char *at = mem_printf("spec.validationActions[%zu]", i);
        const char *text = json_string_or(c, "");
        const struct json *before = json_first(list);

        while (before != c && strcmp(json_string_or(before, ""), text) != 0)
            before = json_next(before);
        if (before != c)
            duplicate(bad, at, text);
        deny = deny || !strcmp(text, "Deny");
        warn = warn || !strcmp(text, "Warn");
    }
    if (deny && warn)
        invalid(bad, "spec.validationActions", list,
                "must not contain both Deny and Warn (repeating the same "
                "validation failure information in the API response and "
                "headers serves no purpose)");
}

void
admission_check_binding(const struct json *obj, const struct json *old,
                        struct schema_findings *bad)
{
    const struct json *spec = json_get(obj, "spec");
    const char *policy = json_string_or(json_get(spec, "policyName"), "");

    (void)old;
    if (!*policy)
        required(bad, "spec.policyName", NULL);
    else
        named(bad, "spec.policyName", policy, names_subdomain);
    check_param_ref(bad, json_get(spec, "paramRef"));
    if (json_get(spec, "matchResources"))
        check_resources_of(bad, "spec.matchResources",
                           json_get(spec, "matchResources"), false);
    check_actions(bad, json_get(spec, "validationActions"));
}
