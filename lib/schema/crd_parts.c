#include "lib/schema/crd_parts.h"

#include "lib/base/mem.h"

#include "lib/schema/crd_schema.h"
#include "lib/schema/field_path.h"
#include "lib/schema/node.h"

enum { SELECTABLE_MAX = 8 };

void
crd_invalid(struct schema_findings *bad, const char *field, const char *value,
            const char *why)
{
    AUTO(json_free_ptr) struct json *j = json_new_string(value);
    AUTO(mem_free_ptr) char *text = schema_value_text(j);

    schema_findings_add(bad, field, "FieldValueInvalid",
                        "Invalid value: %s: %s", text, why);
}

void
crd_invalid_json(struct schema_findings *bad, const char *field,
                 const struct json *value, const char *why)
{
    AUTO(mem_free_ptr) char *text = json_text(value, JSON_HTML);

    schema_findings_add(bad, field, "FieldValueInvalid",
                        "Invalid value: %s: %s", text, why);
}

void
crd_required(struct schema_findings *bad, const char *field, const char *why)
{
    schema_findings_add(bad, field, "FieldValueRequired", "Required value%s%s",
                        *why ? ": " : "", why);
}

/* ---- columns, subresources, selectable fields ---- */

static bool
is_one_of(const char *value, const char *choices)
{
    struct str rest = str_of(choices), one;

    while (str_next(&rest, ',', &one)) {
        if (str_eqz(one, value))
            return true;
    }
    return false;
}

/* validateSimpleJSONPath; false with a finding. */
static bool
check_simple_path(const char *path, const char *field,
                  struct schema_findings *bad)
{
    if (!*path)
        crd_invalid(bad, field, path, "must not be empty");
    else if (*path != '.')
        crd_invalid(bad, field, path,
                    "must be a simple json path starting with .");
    return *path == '.';
}

static void
check_column(const struct json *c, const char *at, struct schema_findings *bad)
{
    static const char types[] = "boolean,date,integer,number,string";
    static const char formats[] =
        "byte,date,date-time,double,float,int32,int64,password";
    const char *type = json_get_text(c, "type");
    const char *format = json_get_text(c, "format");
    const char *path = json_get_text(c, "jsonPath");
    AUTO(mem_free_ptr) char *need = mem_printf("must be one of %s", types);
    AUTO(buf_release) struct buf field = BUF_INIT(8192);
    size_t mark;

    buf_puts(&field, at);
    mark = schema_path_key(&field, "name");
    if (!*json_get_text(c, "name"))
        crd_required(bad, buf_cstr(&field), "");
    buf_truncate(&field, mark);
    schema_path_key(&field, "type");
    if (!*type)
        crd_required(bad, buf_cstr(&field), need);
    else if (!is_one_of(type, types))
        crd_invalid(bad, buf_cstr(&field), type, need);
    buf_truncate(&field, mark);
    schema_path_key(&field, "format");
    if (*format && !is_one_of(format, formats)) {
        AUTO(mem_free_ptr) char *why = mem_printf("must be one of %s", formats);

        crd_invalid(bad, buf_cstr(&field), format, why);
    }
    buf_truncate(&field, mark);
    schema_path_key(&field, "JSONPath");
    if (!*path)
        crd_required(bad, buf_cstr(&field), "");
    else
        check_simple_path(path, buf_cstr(&field), bad);
}

void
crd_check_columns(const struct json *list, const char *at,
                  struct schema_findings *bad)
{
    size_t i = 0;

    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        AUTO(mem_free_ptr)
        char *field = mem_printf("%s.additionalPrinterColumns[%zu]", at, i++);

        check_column(c, field, bad);
    }
}

/* shown: the path as the server prints it here. */
static void
check_replicas(const struct json *scale, const char *key, const char *part,
               const char *at, struct schema_findings *bad)
{
    const char *path = json_get_text(scale, key);
    AUTO(mem_free_ptr)
    char *field = mem_printf("%s.subresources.scale.%s", at, key);
    AUTO(mem_free_ptr) char *under = mem_printf(".%s.", part);
    AUTO(mem_free_ptr)
    char *why = mem_printf("should be a json path under .%s", part);

    if (!*path)
        crd_required(bad, field, "");
    else if (check_simple_path(path, field, bad) &&
             !str_starts(str_of(path), str_of(under)))
        crd_invalid(bad, field, path, why);
}

void
crd_check_subresources(const struct json *sub, const char *at,
                       struct schema_findings *bad)
{
    const struct json *scale = json_get(sub, "scale");
    const char *labels = json_get_text(scale, "labelSelectorPath");
    AUTO(mem_free_ptr)
    char *field = mem_printf("%s.subresources.scale.labelSelectorPath", at);

    if (!json_is(scale, JSON_OBJECT))
        return;
    check_replicas(scale, "specReplicasPath", "spec", at, bad);
    check_replicas(scale, "statusReplicasPath", "status", at, bad);
    if (*labels && check_simple_path(labels, field, bad) &&
        !str_starts(str_of(labels), STR(".spec.")) &&
        !str_starts(str_of(labels), STR(".status.")))
        crd_invalid_json(bad, field, json_get(scale, "labelSelectorPath"),
                         "should be a json path under either .spec or "
                         ".status");
}

static void
check_selectable(const struct json *f, const struct json *schema,
                 const char *field, struct strlist *seen,
                 struct schema_findings *bad)
{
    const char *path = json_get_text(f, "jsonPath");
    AUTO(buf_release) struct buf found = BUF_INIT(4096);
    AUTO(buf_release) struct buf why = BUF_INIT(4096);
    const struct json *s;

    if (!*path) {
        crd_required(bad, field, "");
        return;
    }
    s = field_path_find(schema, str_of(path), false, &found, &why);
    if (!s) {
        AUTO(mem_free_ptr)
        char *text = mem_printf("is an invalid path: %s", buf_cstr(&why));

        crd_invalid(bad, field, path, text);
        return;
    }
    if (strcmp(buf_cstr(&found), "metadata") == 0 ||
        str_starts(buf_view(&found), STR("metadata.")))
        crd_invalid(bad, field, path, "must not point to fields in metadata");
    if (!is_one_of(json_get_text(s, "type"), "string,boolean,integer"))
        crd_invalid(bad, field, path,
                    "must point to a field of type string, boolean or integer. "
                    "Enum string fields and strings with formats are allowed.");
    if (strlist_has(seen, buf_view(&found)))
        schema_findings_add(bad, field, "FieldValueDuplicate",
                            "Duplicate value: \"%s\"", path);
    else
        strlist_add(seen, buf_view(&found));
}

void
crd_check_selectables(const struct json *list, const struct json *schema,
                      const char *at, struct schema_findings *bad)
{
    AUTO(strlist_release) struct strlist seen = {0};
    AUTO(mem_free_ptr) char *all = mem_printf("%s.selectableFields", at);
    const char *unreadable = schema ? structural_unreadable(schema) : NULL;
    AUTO(mem_free_ptr)
    char *whole = mem_printf("%s.schema.openAPIV3Schema", at);
    bool top = strcmp(at, "spec") == 0;
    size_t i = 0;

    if (!json_first(list))
        return;
    if (!schema) {
        crd_invalid(
            bad, all, "",
            top ? "may only be set when validations.schema is included"
                : "may only be set when `version.schema.openAPIV3Schema` "
                  "is not included");
        return;
    }
    if (unreadable)
        crd_invalid(bad, whole, "", unreadable);
    for (const struct json *f = json_first(list); f; f = json_next(f)) {
        AUTO(mem_free_ptr)
        char *field = mem_printf("%s[%zu].jsonPath", all, i++);

        check_selectable(f, unreadable ? NULL : schema, field, &seen, bad);
    }
    if (seen.n > SELECTABLE_MAX)
        schema_findings_add(bad, all, "FieldValueTooMany",
                            "Too many: %zu: must have at most %d items", seen.n,
                            SELECTABLE_MAX);
}
