#include "lib/schema/crd_check.h"

#include "lib/base/mem.h"

#include "lib/schema/jsonpath.h"
#include "lib/schema/names.h"

#define INVALID  "FieldValueInvalid"
#define REQUIRED "FieldValueRequired"

void
crd_default(struct json *crd)
{
    struct json *spec = json_need_object(crd, "spec");
    struct json *names = json_need_object(spec, "names");
    AUTO(mem_free_ptr) char *kind = mem_strdup(json_get_text(names, "kind"));
    AUTO(mem_free_ptr) char *list = mem_printf("%sList", kind);

    if (!*json_get_text(names, "listKind") && *kind)
        json_set_string(names, "listKind", list);
    for (char *p = kind; *p; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
    if (!*json_get_text(names, "singular"))
        json_set_string(names, "singular", kind);
    if (!json_get(spec, "conversion"))
        json_set_string(json_need_object(spec, "conversion"), "strategy",
                        "None");
}

static void
add_why(struct schema_findings *bad, const char *field, const char *value,
        const char *prefix, const struct strlist *why)
{
    for (size_t i = 0; i < why->n; i++)
        schema_findings_add(bad, field, INVALID, "Invalid value: \"%s\": %s%s",
                            value, prefix, why->v[i]);
}

static void
validate_group(const char *group, struct schema_findings *bad)
{
    AUTO(strlist_release) struct strlist why = {0};

    if (!*group) {
        schema_findings_add(bad, "spec.group", REQUIRED, "Required value");
        return;
    }
    if (!names_subdomain(str_of(group), &why))
        add_why(bad, "spec.group", group, "", &why);
    else if (!strchr(group, '.'))
        schema_findings_add(bad, "spec.group", INVALID,
                            "Invalid value: \"%s\": should be a domain with at "
                            "least one dot",
                            group);
}

static void
validate_one_name(const char *value, const char *field, bool lower,
                  struct schema_findings *bad)
{
    AUTO(strlist_release) struct strlist why = {0};
    AUTO(mem_free_ptr) char *low = mem_strdup(value);

    if (!*value) {
        schema_findings_add(bad, field, REQUIRED, "Required value");
        return;
    }
    for (char *p = low; !lower && *p; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
    if (!names_label_1035(str_of(low), &why))
        add_why(bad, field, value,
                lower ? ""
                      : "may have mixed case, but should otherwise match: ",
                &why);
}

static void
validate_labels(const struct json *names, const char *key,
                struct schema_findings *bad)
{
    size_t i = 0;

    for (const struct json *n = json_first(json_get(names, key)); n;
         n = json_next(n)) {
        AUTO(mem_free_ptr)
        char *field = mem_printf("spec.names.%s[%zu]", key, i++);

        validate_one_name(json_string_or(n, ""), field, true, bad);
    }
}

static void
validate_names(const struct json *obj, const struct json *spec,
               struct schema_findings *bad)
{
    const char *name = json_get_text(json_get(obj, "metadata"), "name");
    const struct json *names = json_get(spec, "names");
    AUTO(mem_free_ptr)
    char *want = mem_printf("%s.%s", json_get_text(names, "plural"),
                            json_get_text(spec, "group"));

    if (strcmp(name, want) != 0)
        schema_findings_add(bad, "metadata.name", INVALID,
                            "Invalid value: \"%s\": must be "
                            "spec.names.plural+\".\"+spec.group",
                            name);
    validate_one_name(json_get_text(names, "plural"), "spec.names.plural", true,
                      bad);
    validate_one_name(json_get_text(names, "singular"), "spec.names.singular",
                      true, bad);
    validate_one_name(json_get_text(names, "kind"), "spec.names.kind", false,
                      bad);
    validate_one_name(json_get_text(names, "listKind"), "spec.names.listKind",
                      false, bad);
    validate_labels(names, "shortNames", bad);
    validate_labels(names, "categories", bad);
    if (*json_get_text(names, "kind") &&
        !strcmp(json_get_text(names, "kind"), json_get_text(names, "listKind")))
        schema_findings_add(bad, "spec.names.listKind", INVALID,
                            "Invalid value: \"%s\": kind and listKind may not "
                            "be the same",
                            json_get_text(names, "kind"));
}

static void
validate_scope(const char *scope, struct schema_findings *bad)
{
    if (!*scope)
        schema_findings_add(bad, "spec.scope", REQUIRED, "Required value");
    else if (strcmp(scope, "Cluster") != 0 && strcmp(scope, "Namespaced") != 0)
        schema_findings_add(bad, "spec.scope", "FieldValueNotSupported",
                            "Unsupported value: \"%s\": supported values: "
                            "\"Cluster\", \"Namespaced\"",
                            scope);
}

/* value must be one of choices ("a,b"); "" is fine unless required. */
static void
validate_choice(const char *value, const char *choices, bool required,
                const char *field, struct schema_findings *bad)
{
    struct str rest = str_of(choices), one;

    while (str_next(&rest, ',', &one)) {
        if (str_eqz(one, value))
            return;
    }
    if (!*value && required)
        schema_findings_add(bad, field, REQUIRED, "Required value");
    else if (*value)
        schema_findings_add(bad, field, INVALID,
                            "Invalid value: \"%s\": must be one of %s", value,
                            choices);
}

static void
validate_column(const struct json *c, const char *path,
                struct schema_findings *bad)
{
    const char *jp = json_get_text(c, "jsonPath");
    struct error err = {0};
    struct jsonpath *p = jsonpath_compile(str_of(jp), &err);
    AUTO(mem_free_ptr) char *field = mem_printf("%s.JSONPath", path);
    AUTO(mem_free_ptr) char *name = mem_printf("%s.name", path);
    AUTO(mem_free_ptr) char *type = mem_printf("%s.type", path);
    AUTO(mem_free_ptr) char *format = mem_printf("%s.format", path);

    if (!*json_get_text(c, "name"))
        schema_findings_add(bad, name, REQUIRED, "Required value");
    validate_choice(json_get_text(c, "type"),
                    "boolean,date,integer,number,string", true, type, bad);
    validate_choice(json_get_text(c, "format"),
                    "byte,date,date-time,double,float,int32,int64,password",
                    false, format, bad);
    if (!p && !*jp)
        schema_findings_add(bad, field, REQUIRED, "Required value");
    else if (!p)
        schema_findings_add(bad, field, INVALID, "Invalid value: \"%s\": %s",
                            jp, err.msg);
    jsonpath_free(p);
}

static void
validate_columns(const struct json *list, const char *path,
                 struct schema_findings *bad)
{
    size_t i = 0;

    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        AUTO(mem_free_ptr)
        char *field = mem_printf("%s.additionalPrinterColumns[%zu]", path, i++);

        validate_column(c, field, bad);
    }
}

static void
validate_schema(const struct json *version, const char *path,
                struct schema_findings *bad)
{
    const struct json *s = json_at(version, "schema", "openAPIV3Schema", NULL);
    AUTO(mem_free_ptr)
    char *field = mem_printf("%s.openAPIV3Schema", path);
    struct schema *compiled;

    if (!s) {
        schema_findings_add(bad, field, REQUIRED,
                            "Required value: schemas are required");
        return;
    }
    compiled = schema_compile(s, field, bad, NULL);
    schema_free(compiled);
}

static void
validate_version(const struct json *versions, const struct json *v,
                 const char *at, struct schema_findings *bad)
{
    AUTO(mem_free_ptr) char *warning = mem_printf("%s.deprecationWarning", at);
    const struct json *before = json_first(versions);

    if (json_get_string(v, "deprecationWarning") &&
        !json_bool(json_get(v, "deprecated"), false))
        schema_findings_add(bad, warning, INVALID,
                            "Invalid value: \"%s\": can only be set for "
                            "deprecated versions",
                            json_get_string(v, "deprecationWarning"));
    while (before != v &&
           strcmp(json_get_text(before, "name"), json_get_text(v, "name")) != 0)
        before = json_next(before);
    if (before != v)
        schema_findings_add(bad, "spec.versions", INVALID,
                            "Invalid value: must contain unique version "
                            "names");
}

static void
validate_versions(const struct json *versions, struct schema_findings *bad)
{
    size_t i = 0, storage = 0;
    bool one = json_len(versions) == 1;

    if (!json_first(versions))
        schema_findings_add(bad, "spec.versions", REQUIRED,
                            "Required value: must have at least one version");
    for (const struct json *v = json_first(versions); v;
         v = json_next(v), i++) {
        AUTO(mem_free_ptr) char *at = mem_printf("spec.versions[%zu]", i);
        AUTO(mem_free_ptr) char *name = mem_printf("%s.name", at);
        AUTO(mem_free_ptr)
        char *schema =
            one ? mem_strdup("spec.validation") : mem_printf("%s.schema", at);

        storage += json_bool(json_get(v, "storage"), false);
        validate_one_name(json_get_text(v, "name"), name, true, bad);
        validate_columns(json_get(v, "additionalPrinterColumns"),
                         one ? "spec" : at, bad);
        validate_version(versions, v, at, bad);
        validate_schema(v, schema, bad);
    }
    if (json_first(versions) && storage != 1)
        schema_findings_add(bad, "spec.versions", INVALID,
                            "Invalid value: must have exactly one version "
                            "marked as storage version");
}

static void
validate_conversion(const struct json *conversion, struct schema_findings *bad)
{
    static const char reviews[] = "spec.conversion.conversionReviewVersions";
    const char *strategy = json_get_text(conversion, "strategy");
    const struct json *hook = json_get(conversion, "webhook");
    const struct json *versions = json_get(hook, "conversionReviewVersions");

    if (strcmp(strategy, "Webhook") == 0) {
        if (!json_get(hook, "clientConfig"))
            schema_findings_add(bad, "spec.conversion.webhookClientConfig",
                                REQUIRED,
                                "Required value: required when strategy is set "
                                "to Webhook");
        if (!json_len(versions))
            schema_findings_add(bad, reviews, REQUIRED, "Required value");
    } else if (strcmp(strategy, "None") == 0) {
        if (json_get(hook, "clientConfig"))
            schema_findings_add(bad, "spec.conversion.webhookClientConfig",
                                "FieldValueForbidden",
                                "Forbidden: should not be set when strategy is "
                                "not set to Webhook");
        if (json_len(versions))
            schema_findings_add(bad, reviews, "FieldValueForbidden",
                                "Forbidden: should not be set when strategy is "
                                "not set to Webhook");
    } else if (conversion) {
        schema_findings_add(bad, "spec.conversion.strategy",
                            "FieldValueNotSupported",
                            "Unsupported value: \"%s\": supported values: "
                            "\"None\", \"Webhook\"",
                            strategy);
    }
}

static void
validate_fixed(const struct json *spec, const struct json *was,
               struct schema_findings *bad)
{
    static const char *const fixed[] = {"group", "scope"};

    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        AUTO(mem_free_ptr) char *field = mem_printf("spec.%s", fixed[i]);

        if (!json_equal(json_get(spec, fixed[i]), json_get(was, fixed[i])))
            schema_findings_add(bad, field, INVALID,
                                "Invalid value: \"%s\": field is immutable",
                                json_get_text(spec, fixed[i]));
    }
}

void
crd_check(const struct json *crd, const struct json *established,
          struct schema_findings *bad)
{
    const struct json *spec = json_get(crd, "spec");

    validate_group(json_get_text(spec, "group"), bad);
    validate_names(crd, spec, bad);
    validate_scope(json_get_text(spec, "scope"), bad);
    validate_versions(json_get(spec, "versions"), bad);
    validate_conversion(json_get(spec, "conversion"), bad);
    if (json_bool(json_get(spec, "preserveUnknownFields"), false))
        schema_findings_add(bad, "spec.preserveUnknownFields", INVALID,
                            "Invalid value: true: cannot set to true, set "
                            "x-kubernetes-preserve-unknown-fields to true in "
                            "spec.versions[*].schema instead");
    if (established)
        validate_fixed(spec, json_get(established, "spec"), bad);
}
