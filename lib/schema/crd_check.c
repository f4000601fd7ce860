#include "lib/schema/crd_check.h"

#include <stdio.h>

#include "lib/base/mem.h"
#include "lib/base/utf8.h"

#include "lib/schema/crd_parts.h"
#include "lib/schema/crd_schema.h"
#include "lib/schema/crd_webhook.h"
#include "lib/schema/go_print.h"
#include "lib/schema/names.h"
#include "lib/schema/node.h"

/*
 * The server looks at its internal type, in which what is the same in all
 * versions (always, with one version) stands above them: then spec.validation,
 * spec.subresources... are named.
 */

#define INVALID   "FieldValueInvalid"
#define FORBIDDEN "FieldValueForbidden"
#define APPROVED  "api-approved.kubernetes.io"

enum { WARNING_MAX = 256 };

void
crd_default(struct json *crd)
{
    struct json *spec = json_need_object(crd, "spec");
    struct json *names = json_need_object(spec, "names");
    AUTO(mem_free_ptr) char *kind = mem_strdup(json_get_text(names, "kind"));
    AUTO(mem_free_ptr) char *list = mem_printf("%sList", kind);
    struct json *service =
        json_at(spec, "conversion", "webhook", "clientConfig", "service", NULL);

    if (!*json_get_text(names, "listKind") && *kind)
        json_set_string(names, "listKind", list);
    for (char *p = kind; *p; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
    if (!*json_get_text(names, "singular"))
        json_set_string(names, "singular", kind);
    if (!json_get(spec, "conversion"))
        json_set_string(json_need_object(spec, "conversion"), "strategy",
                        "None");
    if (json_is(service, JSON_OBJECT) && !json_get(service, "port"))
        json_set(service, "port", json_new_int(443));
}

/* ---- findings ---- */

/* All that is wrong with a name as one finding. */
static void
invalid_name(struct schema_findings *bad, const char *field, const char *value,
             const char *prefix, const struct strlist *why)
{
    AUTO(buf_release) struct buf b = BUF_INIT(8192);

    buf_puts(&b, prefix);
    for (size_t i = 0; i < why->n; i++)
        buf_printf(&b, "%s%s", i ? "," : "", why->v[i]);
    crd_invalid(bad, field, value, buf_cstr(&b));
}

static void
check_label(struct schema_findings *bad, const char *field, const char *value,
            bool mixed)
{
    AUTO(strlist_release) struct strlist why = {0};
    AUTO(mem_free_ptr) char *low = mem_strdup(value);

    for (char *p = low; mixed && *p; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
    if (!names_label_1035(str_of(low), &why))
        invalid_name(bad, field, value,
                     mixed ? "may have mixed case, but should otherwise match: "
                           : "",
                     &why);
}

/* ---- group, scope and names ---- */

static void
check_group(const char *group, struct schema_findings *bad)
{
    AUTO(strlist_release) struct strlist why = {0};

    if (!*group)
        crd_required(bad, "spec.group", "");
    else if (!names_subdomain(str_of(group), &why))
        invalid_name(bad, "spec.group", group, "", &why);
    else if (!strchr(group, '.'))
        crd_invalid(bad, "spec.group", group,
                    "should be a domain with at least one dot");
}

static void
check_scope(const char *scope, struct schema_findings *bad)
{
    if (!*scope)
        crd_required(bad, "spec.scope", "");
    else if (strcmp(scope, "Cluster") != 0 && strcmp(scope, "Namespaced") != 0)
        schema_findings_add(bad, "spec.scope", "FieldValueNotSupported",
                            "Unsupported value: \"%s\": supported values: "
                            "\"Cluster\", \"Namespaced\"",
                            scope);
}

static void
check_name_list(const struct json *names, const char *at, const char *key,
                struct schema_findings *bad)
{
    size_t i = 0;

    for (const struct json *n = json_first(json_get(names, key)); n;
         n = json_next(n)) {
        AUTO(mem_free_ptr)
        char *field = mem_printf("%s.%s[%zu]", at, key, i++);

        check_label(bad, field, json_string_or(n, ""), false);
    }
}

/* Names as they are, of the spec or those of the status. */
static void
check_names(const struct json *names, const char *at,
            struct schema_findings *bad)
{
    static const struct {
        const char *key;
        bool mixed;
    } keys[] = {{"plural", false},
                {"singular", false},
                {"kind", true},
                {"listKind", true}};
    const char *kind = json_get_text(names, "kind");
    AUTO(mem_free_ptr) char *list = mem_printf("%s.listKind", at);

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        AUTO(mem_free_ptr) char *field = mem_printf("%s.%s", at, keys[i].key);
        const char *value = json_get_text(names, keys[i].key);

        if (*value)
            check_label(bad, field, value, keys[i].mixed);
    }
    check_name_list(names, at, "shortNames", bad);
    if (*kind && strcmp(kind, json_get_text(names, "listKind")) == 0)
        crd_invalid(bad, list, kind, "kind and listKind may not be the same");
    check_name_list(names, at, "categories", bad);
}

static void
check_needed_names(const struct json *names, struct schema_findings *bad)
{
    static const char *const keys[] = {"plural", "singular", "kind",
                                       "listKind"};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        AUTO(mem_free_ptr) char *field = mem_printf("spec.names.%s", keys[i]);

        if (!*json_get_text(names, keys[i]))
            crd_required(bad, field, "");
    }
}

static void
check_object_name(const struct json *crd, struct schema_findings *bad)
{
    const struct json *spec = json_get(crd, "spec");
    const char *name = json_get_text(json_get(crd, "metadata"), "name");
    AUTO(mem_free_ptr)
    char *want =
        mem_printf("%s.%s", json_get_text(json_get(spec, "names"), "plural"),
                   json_get_text(spec, "group"));

    if (strcmp(name, want) != 0)
        crd_invalid(bad, "metadata.name", name,
                    "must be spec.names.plural+\".\"+spec.group");
}

/* ---- schemas ---- */

static const char allowed_at_root[] =
    "Description Type Format Title Maximum ExclusiveMaximum Minimum "
    "ExclusiveMinimum MaxLength MinLength Pattern MaxItems MinItems "
    "UniqueItems MultipleOf Required Items Properties ExternalDocs Example "
    "XPreserveUnknownFields XValidations";

static bool
is_zero(const struct json *v)
{
    return json_is(v, JSON_NULL) ||
           (json_is(v, JSON_BOOL) && !json_bool(v, true)) ||
           (json_string(v) && !*json_string(v));
}

/* With a status subresource the root says nothing that is lost when only the
 * status is validated. The first field in the order of the Go type is told. */
static void
check_root(const struct json *schema, const char *at,
           struct schema_findings *bad)
{
    AUTO(json_free_ptr) struct json *go = go_print_schema(schema);
    AUTO(mem_free_ptr) char *type = mem_printf("%s.openAPIV3Schema.type", at);
    AUTO(mem_free_ptr) char *root = mem_printf("%s.openAPIV3Schema", at);
    AUTO(mem_free_ptr) char *text = NULL;

    for (const struct json *m = json_first(go); m; m = json_next(m)) {
        struct str rest = str_of(allowed_at_root), one;
        bool allowed = is_zero(m);

        while (!allowed && str_next(&rest, ' ', &one))
            allowed = str_eqz(one, json_key(m));
        if (strcmp(json_key(m), "Type") == 0 && !is_zero(m) &&
            strcmp(json_string_or(m, ""), "object") != 0) {
            crd_invalid(
                bad, type, json_string_or(m, ""),
                "only \"object\" is allowed as the type at the root of the "
                "schema if the status subresource is enabled");
            return;
        }
        if (allowed)
            continue;
        text = json_text(go, JSON_HTML);
        schema_findings_add(bad, root, INVALID,
                            "Invalid value: %s: only [%s] fields are allowed "
                            "at the root of the schema if the status "
                            "subresource is enabled",
                            text, allowed_at_root);
        return;
    }
}

static void
check_schema(const struct json *schema, const char *at, bool status,
             struct schema_findings *bad)
{
    AUTO(mem_free_ptr) char *field = mem_printf("%s.openAPIV3Schema", at);
    AUTO(mem_free_ptr)
    char *nullable = mem_printf("%s.openAPIV3Schema.nullable", at);
    size_t before = bad->n, found;
    const char *unreadable;

    if (!schema)
        return;
    if (status)
        check_root(schema, at, bad);
    if (json_bool(json_get(schema, "nullable"), false))
        schema_findings_add(bad, nullable, FORBIDDEN,
                            "Forbidden: nullable cannot be true at the root");
    found = bad->n;
    schema_free(schema_compile(schema, field, bad, NULL));
    /* Told only when there is nothing else. */
    unreadable = structural_unreadable(schema);
    if (found > before && bad->n == found + 1 && unreadable &&
        strstr(bad->v[found].message, unreadable))
        schema_findings_truncate(bad, found);
}

/* ---- versions ---- */

static const struct json *
schema_of(const struct json *version)
{
    const struct json *s = json_at(version, "schema", "openAPIV3Schema", NULL);

    return json_is(s, JSON_NULL) ? NULL : s;
}

static bool
has_status(const struct json *version)
{
    const struct json *s = json_at(version, "subresources", "status", NULL);

    return s && !json_is(s, JSON_NULL);
}

/* Nothing, null and what is empty are the same. */
static bool
same_part(const struct json *a, const struct json *b)
{
    bool no_a = !a || json_is(a, JSON_NULL) ||
                (json_is(a, JSON_ARRAY) && !json_first(a));
    bool no_b = !b || json_is(b, JSON_NULL) ||
                (json_is(b, JSON_ARRAY) && !json_first(b));

    return no_a || no_b ? no_a == no_b : json_equal(a, b);
}

static bool
same_everywhere(const struct json *versions, const char *key)
{
    const struct json *first = json_get(json_first(versions), key);

    for (const struct json *v = json_first(versions); v; v = json_next(v)) {
        if (!same_part(json_get(v, key), first))
            return false;
    }
    return json_first(versions) != NULL;
}

/* unicode.IsPrint, as far as texts that are told to people go. */
static bool
is_printable(uint32_t c)
{
    static const struct {
        uint32_t from, to;
    } not_printed[] = {
        {0, 0x1F},        {0x7F, 0xA0},        {0xAD, 0xAD},
        {0x600, 0x605},   {0x61C, 0x61C},      {0x6DD, 0x6DD},
        {0x1680, 0x1680}, {0x180E, 0x180E},    {0x2000, 0x200F},
        {0x2028, 0x202F}, {0x205F, 0x206F},    {0x3000, 0x3000},
        {0xD800, 0xF8FF}, {0xFEFF, 0xFEFF},    {0xFFF0, 0xFFFB},
        {0xFFFE, 0xFFFF}, {0xE0000, 0x10FFFF},
    };

    for (size_t i = 0; i < ARRAY_LEN(not_printed); i++) {
        if (c >= not_printed[i].from && c <= not_printed[i].to)
            return false;
    }
    return true;
}

static void
check_warning_text(const struct json *warning, const char *field,
                   struct schema_findings *bad)
{
    struct str text = str_of(json_string(warning));
    char why[128];

    if (text.n > WARNING_MAX)
        crd_invalid_json(bad, field, warning, "must be <= 256 characters long");
    if (!text.n)
        crd_invalid_json(bad, field, warning, "must not be an empty string");
    for (size_t i = 0; i < text.n;) {
        uint32_t c;
        size_t n = utf8_decode(str_from(text, i), &c);

        if (!is_printable(c)) {
            snprintf(why, sizeof(why),
                     "must only contain printable UTF-8 characters; "
                     "non-printable character found at index %zu",
                     i);
            crd_invalid_json(bad, field, warning, why);
            return;
        }
        i += n;
    }
}

static void
check_deprecation(const struct json *v, const char *at,
                  struct schema_findings *bad)
{
    AUTO(mem_free_ptr) char *field = mem_printf("%s.deprecationWarning", at);
    const struct json *warning = json_get(v, "deprecationWarning");

    if (!json_string(warning))
        return;
    if (!json_bool(json_get(v, "deprecated"), false))
        crd_invalid_json(bad, field, warning,
                         "can only be set for deprecated versions");
    else
        check_warning_text(warning, field, bad);
}

static void
check_version(const struct json *v, const char *at, const struct go_hoisted *up,
              struct schema_findings *bad)
{
    AUTO(mem_free_ptr) char *name = mem_printf("%s.name", at);
    AUTO(mem_free_ptr) char *schema = mem_printf("%s.schema", at);

    check_label(bad, name, json_get_text(v, "name"), false);
    check_deprecation(v, at, bad);
    if (!up->schema)
        check_schema(schema_of(v), schema, has_status(v), bad);
    if (!up->subresources)
        crd_check_subresources(json_get(v, "subresources"), at, bad);
    if (!up->columns)
        crd_check_columns(json_get(v, "additionalPrinterColumns"), at, bad);
    if (!up->selectable)
        crd_check_selectables(json_get(v, "selectableFields"),
                              up->schema ? NULL : schema_of(v), at, bad);
}

static void
check_missing_schemas(const struct json *versions, struct schema_findings *bad)
{
    size_t i = 0;

    for (const struct json *v = json_first(versions); v; v = json_next(v)) {
        AUTO(mem_free_ptr)
        char *field =
            mem_printf("spec.versions[%zu].schema.openAPIV3Schema", i++);

        if (!schema_of(v))
            crd_required(bad, field, "");
    }
}

static bool
has_duplicates(const struct json *versions)
{
    for (const struct json *v = json_first(versions); v; v = json_next(v)) {
        for (const struct json *o = json_next(v); o; o = json_next(o)) {
            if (strcmp(json_get_text(v, "name"), json_get_text(o, "name")) == 0)
                return true;
        }
    }
    return false;
}

static void
check_version_set(const struct json *versions, const struct go_hoisted *up,
                  struct schema_findings *bad)
{
    size_t storage = 0;

    for (const struct json *v = json_first(versions); v; v = json_next(v))
        storage += json_bool(json_get(v, "storage"), false);
    bool twice = has_duplicates(versions);
    AUTO(mem_free_ptr)
    char *shown =
        twice || storage != 1 ? go_print_versions(versions, up) : NULL;

    if (twice)
        schema_findings_add(bad, "spec.versions", INVALID,
                            "Invalid value: %s: must contain unique version "
                            "names",
                            shown);
    if (storage != 1)
        schema_findings_add(bad, "spec.versions", INVALID,
                            "Invalid value: %s: must have exactly one version "
                            "marked as storage version",
                            shown);
}

/* What stands above the versions. */
static void
check_hoisted(const struct json *versions, const struct go_hoisted *up,
              struct schema_findings *bad)
{
    const struct json *first = json_first(versions);
    bool status = false;

    for (const struct json *v = first; v; v = json_next(v))
        status |= has_status(v);
    if (up->schema)
        check_schema(schema_of(first), "spec.validation", status, bad);
    if (up->subresources)
        crd_check_subresources(json_get(first, "subresources"), "spec", bad);
    if (up->columns)
        crd_check_columns(json_get(first, "additionalPrinterColumns"), "spec",
                          bad);
    if (up->selectable)
        crd_check_selectables(json_get(first, "selectableFields"),
                              up->schema ? schema_of(first) : NULL, "spec",
                              bad);
}

/* A default somewhere in a schema. */
static bool
says_default(const struct json *j)
{
    if (json_is(j, JSON_OBJECT) && json_get(j, "default") &&
        !json_is(json_get(j, "default"), JSON_NULL))
        return true;
    for (const struct json *m = json_first(j); m; m = json_next(m)) {
        if (says_default(m))
            return true;
    }
    return false;
}

static bool
has_defaults(const struct json *versions)
{
    for (const struct json *v = json_first(versions); v; v = json_next(v)) {
        if (schema_of(v) && says_default(schema_of(v)))
            return true;
    }
    return false;
}

static void
check_spec(const struct json *spec, struct schema_findings *bad)
{
    const struct json *versions = json_get(spec, "versions");
    const char *first = json_get_text(json_first(versions), "name");
    const char *strategy =
        json_get_text(json_get(spec, "conversion"), "strategy");
    bool keep = json_bool(json_get(spec, "preserveUnknownFields"), false);
    const struct go_hoisted up = {
        .schema = same_everywhere(versions, "schema"),
        .subresources = same_everywhere(versions, "subresources"),
        .columns = same_everywhere(versions, "additionalPrinterColumns"),
        .selectable = same_everywhere(versions, "selectableFields"),
    };
    size_t i = 0;

    check_group(json_get_text(spec, "group"), bad);
    check_scope(json_get_text(spec, "scope"), bad);
    if (!(up.schema && schema_of(json_first(versions))))
        check_missing_schemas(versions, bad);
    if (keep && has_defaults(versions))
        schema_findings_add(bad, "spec.preserveUnknownFields", INVALID,
                            "Invalid value: true: must be false in order to "
                            "use defaults in the schema");
    for (const struct json *v = json_first(versions); v; v = json_next(v)) {
        AUTO(mem_free_ptr) char *at = mem_printf("spec.versions[%zu]", i++);

        check_version(v, at, &up, bad);
    }
    check_version_set(versions, &up, bad);
    if (*first)
        check_label(bad, "spec.version", first, false);
    check_needed_names(json_get(spec, "names"), bad);
    check_names(json_get(spec, "names"), "spec.names", bad);
    check_hoisted(versions, &up, bad);
    if (keep && strcmp(strategy, "None") != 0)
        crd_invalid(bad, "spec.conversion.strategy", strategy,
                    "must be None if spec.preserveUnknownFields is true");
    crd_check_conversion(json_get(spec, "conversion"), bad);
}

/* ---- what an update may not do ---- */

static void
check_fixed(const struct json *spec, const struct json *was, bool established,
            struct schema_findings *bad)
{
    static const struct {
        const char *outer, *key;
        bool always;
    } fixed[] = {{NULL, "scope", false},
                 {"names", "kind", false},
                 {NULL, "group", true},
                 {"names", "plural", true}};

    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        const char *outer = fixed[i].outer;
        const struct json *a = outer ? json_get(spec, outer) : spec;
        const struct json *b = outer ? json_get(was, outer) : was;
        const char *now = json_get_text(a, fixed[i].key);
        AUTO(mem_free_ptr)
        char *field = mem_printf("spec.%s%s%s", outer ? outer : "",
                                 outer ? "." : "", fixed[i].key);

        if ((fixed[i].always || established) &&
            strcmp(now, json_get_text(b, fixed[i].key)) != 0)
            crd_invalid(bad, field, now, "field is immutable");
    }
}

static const struct json *
version_named(const struct json *versions, const char *name)
{
    const struct json *v = json_first(versions);

    while (v && strcmp(json_get_text(v, "name"), name) != 0)
        v = json_next(v);
    return v;
}

static bool
has_text(const struct json *list, const char *text)
{
    for (const struct json *e = json_first(list); e; e = json_next(e)) {
        if (strcmp(json_string_or(e, ""), text) == 0)
            return true;
    }
    return false;
}

/* The stored versions as the write leaves them: with the storage version. */
static struct json *
stored_versions(const struct json *versions, const struct json *old)
{
    const struct json *was = json_at(old, "status", "storedVersions", NULL);
    struct json *stored =
        json_is(was, JSON_ARRAY) ? json_copy(was) : json_new_array();
    const struct json *v = json_first(versions);

    while (v && !json_bool(json_get(v, "storage"), false))
        v = json_next(v);
    if (v && !has_text(stored, json_get_text(v, "name")))
        json_append(stored, json_new_string(json_get_text(v, "name")));
    return stored;
}

/* Versions that were stored must stay. */
static void
check_stored(const struct json *versions, const struct json *old,
             struct schema_findings *bad)
{
    AUTO(json_free_ptr) struct json *stored = stored_versions(versions, old);
    size_t i = 0;

    if (!json_first(stored))
        schema_findings_add(bad, "status.storedVersions", INVALID,
                            "Invalid value: null: must have at least one "
                            "stored version");
    for (const struct json *v = json_first(versions); v && json_first(stored);
         v = json_next(v)) {
        const char *name = json_get_text(v, "name");
        AUTO(mem_free_ptr)
        char *why = mem_printf("must have the storage version %s", name);

        if (json_bool(json_get(v, "storage"), false) && !has_text(stored, name))
            crd_invalid_json(bad, "status.storedVersions", stored, why);
    }
    for (const struct json *s = json_first(stored); s; s = json_next(s), i++) {
        const char *name = json_string_or(s, "");
        AUTO(mem_free_ptr)
        char *field = mem_printf("status.storedVersions[%zu]", i);
        AUTO(mem_free_ptr)
        char *why = mem_printf("missing from spec.versions; %s was previously "
                               "a storage version, and must remain in "
                               "spec.versions until a storage migration "
                               "ensures no data remains persisted in %s and "
                               "removes %s from status.storedVersions",
                               name, name, name);

        if (!version_named(versions, name))
            crd_invalid(bad, field, name, why);
    }
}

/* ---- the API's own groups ---- */

enum approval { MISSING, BYPASSED, APPROVED_BY, WRONG };

static enum approval
approval_of(const struct json *crd)
{
    struct str text = str_of(
        json_get_text(json_at(crd, "metadata", "annotations", NULL), APPROVED));
    size_t scheme = str_find(text, STR("://"), 0);

    if (!text.n)
        return MISSING;
    if (str_starts(text, STR("unapproved")))
        return BYPASSED;
    return scheme > 0 && scheme + 3 < text.n && text.s[scheme + 3] != '/'
               ? APPROVED_BY
               : WRONG;
}

static bool
is_protected(struct str group)
{
    static const char *const owners[] = {"k8s.io", "kubernetes.io"};

    for (size_t i = 0; i < ARRAY_LEN(owners); i++) {
        AUTO(mem_free_ptr) char *below = mem_printf(".%s", owners[i]);

        if (str_eqz(group, owners[i]) || str_ends(group, str_of(below)))
            return true;
    }
    return false;
}

static void
check_approval(const struct json *crd, const struct json *old,
               struct schema_findings *bad)
{
    static const char field[] = "metadata.annotations[" APPROVED "]";
    static const char see[] =
        "see https://github.com/kubernetes/enhancements/pull/1111";
    enum approval now = approval_of(crd);
    AUTO(mem_free_ptr)
    char *why = mem_printf("protected groups must have approval annotation "
                           "\"" APPROVED "\"%s, %s",
                           now == WRONG
                               ? " with either a URL or a reason starting with "
                                 "\"unapproved\""
                               : "",
                           see);

    if (!is_protected(str_of(json_get_text(json_get(crd, "spec"), "group"))) ||
        (old && approval_of(old) == now))
        return;
    if (now == MISSING)
        crd_required(bad, field, why);
    else if (now == WRONG)
        crd_invalid(bad, field,
                    json_get_text(json_at(crd, "metadata", "annotations", NULL),
                                  APPROVED),
                    why);
}

void
crd_check(const struct json *crd, const struct json *old, bool established,
          struct schema_findings *bad)
{
    const struct json *spec = json_get(crd, "spec");
    const struct json *was = json_get(old, "spec");

    if (!old)
        check_object_name(crd, bad);
    check_spec(spec, bad);
    if (old)
        check_fixed(spec, was, established, bad);
    check_names(json_at(crd, "status", "acceptedNames", NULL),
                "status.acceptedNames", bad);
    check_stored(json_get(spec, "versions"), old, bad);
    check_approval(crd, old, bad);
    if (json_bool(json_get(spec, "preserveUnknownFields"), false) &&
        !json_bool(json_get(was, "preserveUnknownFields"), false))
        schema_findings_add(bad, "spec.preserveUnknownFields", INVALID,
                            "Invalid value: true: cannot set to true, set "
                            "x-kubernetes-preserve-unknown-fields to true in "
                            "spec.versions[*].schema instead");
}
