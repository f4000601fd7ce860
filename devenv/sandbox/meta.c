#include "devenv/sandbox/meta.h"

#include "lib/base/mem.h"

#include "lib/schema/names.h"

#include "devenv/sandbox/builtin.h"

#define ANNOTATIONS_MAX 262144

/* ---- types ---- */

static const char *
go_word(const struct json *v)
{
    static const char *const words[] = {
        [JSON_NULL] = "null",     [JSON_BOOL] = "bool",
        [JSON_NUMBER] = "number", [JSON_STRING] = "string",
        [JSON_ARRAY] = "array",   [JSON_OBJECT] = "object",
    };

    return words[json_type_of(v)];
}

/* field is a member of ObjectMeta, NULL: metadata itself. */
static bool
mismatch(const struct kind *k, const struct json *v, const char *field,
         const char *go_type, struct status *st)
{
    return status_bad_request(
        st,
        "%s in version \"%s\" cannot be handled as a %s: json: cannot "
        "unmarshal %s into Go struct field %s.%s of type %s",
        k->kind, k->version, k->kind, go_word(v),
        field ? "ObjectMeta" : k->kind, field ? field : "metadata", go_type);
}

static bool
texts_only(const struct kind *k, const struct json *list, const char *field,
           struct status *st)
{
    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        if (!json_is(c, JSON_STRING) && !json_is(c, JSON_NULL))
            return mismatch(k, c, field, "string", st);
    }
    return true;
}

struct meta_field {
    const char *name;
    enum json_type type;
    const char *go_type;
};

static const struct meta_field fields[] = {
    {"name", JSON_STRING, "string"},
    {"generateName", JSON_STRING, "string"},
    {"namespace", JSON_STRING, "string"},
    {"uid", JSON_STRING, "types.UID"},
    {"resourceVersion", JSON_STRING, "string"},
    {"generation", JSON_NUMBER, "int64"},
    {"creationTimestamp", JSON_STRING, "v1.Time"},
    {"deletionTimestamp", JSON_STRING, "v1.Time"},
    {"labels", JSON_OBJECT, "map[string]string"},
    {"annotations", JSON_OBJECT, "map[string]string"},
    {"ownerReferences", JSON_ARRAY, "[]v1.OwnerReference"},
    {"finalizers", JSON_ARRAY, "[]string"},
    {"managedFields", JSON_ARRAY, "[]v1.ManagedFieldsEntry"},
};

static bool
objects_only(const struct kind *k, const struct json *list, const char *field,
             const char *go_type, struct status *st)
{
    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        if (!json_is(c, JSON_OBJECT))
            return mismatch(k, c, field, go_type, st);
    }
    return true;
}

static bool
decode_member(const struct kind *k, const struct json *v, struct status *st)
{
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        const char *name = fields[i].name;

        if (strcmp(name, json_key(v)) != 0 || json_is(v, JSON_NULL))
            continue;
        if (!json_is(v, fields[i].type))
            return mismatch(k, v, name, fields[i].go_type, st);
        if (fields[i].type == JSON_OBJECT || !strcmp(name, "finalizers"))
            return texts_only(k, v, name, st);
        return fields[i].type != JSON_ARRAY ||
               objects_only(k, v, name, fields[i].go_type, st);
    }
    return true;
}

bool
meta_decode(const struct kind *k, const struct json *obj, struct status *st)
{
    const struct json *meta = json_get(obj, "metadata");

    /* builtin_decode reads these whole. */
    if (k->builtin)
        return true;
    if (meta && !json_is(meta, JSON_OBJECT) && !json_is(meta, JSON_NULL))
        return mismatch(k, meta, NULL, "v1.ObjectMeta", st);
    for (const struct json *c = json_first(meta); c; c = json_next(c)) {
        if (!decode_member(k, c, st))
            return false;
    }
    return true;
}

/* ---- values ---- */

static void
invalid(struct schema_findings *bad, const char *field, const char *value,
        const struct strlist *why)
{
    for (size_t i = 0; i < why->n; i++)
        schema_findings_add(bad, field, "FieldValueInvalid",
                            "Invalid value: \"%s\": %s", value, why->v[i]);
}

static void
validate_name(const struct kind *k, const char *name, const char *field,
              struct schema_findings *bad)
{
    static bool (*const rules[])(struct str, struct strlist *) = {
        [NAME_SUBDOMAIN] = names_subdomain,
        [NAME_LABEL] = names_label,
        [NAME_LABEL_1035] = names_label_1035,
        [NAME_PATH] = names_path,
    };
    const struct builtin *b = kind_info(k)->builtin;
    AUTO(strlist_release) struct strlist why = {0};

    if (!rules[b ? b->name : NAME_SUBDOMAIN](str_of(name), &why))
        invalid(bad, field, name, &why);
}

static void
validate_labels(const struct json *labels, struct schema_findings *bad)
{
    for (const struct json *c = json_first(labels); c; c = json_next(c)) {
        AUTO(strlist_release) struct strlist key = {0}, value = {0};

        if (!names_qualified(str_of(json_key(c)), &key))
            invalid(bad, "metadata.labels", json_key(c), &key);
        if (!names_label_value(str_of(json_string_or(c, "")), &value))
            invalid(bad, "metadata.labels", json_string_or(c, ""), &value);
    }
}

static void
validate_annotations(const struct json *notes, struct schema_findings *bad)
{
    size_t total = 0;

    for (const struct json *c = json_first(notes); c; c = json_next(c)) {
        AUTO(strlist_release) struct strlist why = {0};
        AUTO(mem_free_ptr) char *lower = mem_strdup(json_key(c));

        for (char *p = lower; *p; p++)
            *p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
        if (!names_qualified(str_of(lower), &why))
            invalid(bad, "metadata.annotations", json_key(c), &why);
        total += strlen(json_key(c)) + strlen(json_string_or(c, ""));
    }
    if (total > ANNOTATIONS_MAX)
        schema_findings_add(bad, "metadata.annotations", "FieldValueTooLong",
                            "Too long: may not be more than %d bytes",
                            ANNOTATIONS_MAX);
}

/* The list is told as Go prints it: fields in the order of the type. */
static void
two_controllers(const struct json *refs, const struct json *one,
                const struct json *other, struct schema_findings *bad)
{
    static const char *const order[] = {"apiVersion", "kind",
                                        "name",       "uid",
                                        "controller", "blockOwnerDeletion"};
    AUTO(buf_release) struct buf list = BUF_INIT(BUF_TEXT_MAX);
    AUTO(json_free_ptr) struct json *shown = json_new_array();

    for (const struct json *o = json_first(refs); o; o = json_next(o)) {
        struct json *to = json_append(shown, json_new_object());

        for (size_t i = 0; i < ARRAY_LEN(order); i++) {
            if (json_get(o, order[i]))
                json_set(to, order[i], json_copy(json_get(o, order[i])));
        }
    }
    json_print(shown, JSON_COMPACT, &list);
    schema_findings_add(
        bad, "metadata.ownerReferences", "FieldValueInvalid",
        "Invalid value: %s: Only one reference can have Controller set to "
        "true. Found \"true\" in references for %s/%s and %s/%s",
        buf_cstr(&list), json_get_string(one, "kind"),
        json_get_string(one, "name"), json_get_string(other, "kind"),
        json_get_string(other, "name"));
}

static void
validate_owners(const struct json *refs, struct schema_findings *bad)
{
    static const char *const keys[] = {"apiVersion", "kind", "name", "uid"};
    const struct json *controller = NULL;
    size_t i = 0;

    for (const struct json *o = json_first(refs); o; o = json_next(o), i++) {
        for (size_t n = 0; n < ARRAY_LEN(keys); n++) {
            AUTO(mem_free_ptr)
            char *f =
                mem_printf("metadata.ownerReferences[%zu].%s", i, keys[n]);

            if (!*json_string_or(json_get(o, keys[n]), ""))
                schema_findings_add(
                    bad, f, "FieldValueInvalid", "Invalid value: \"\": %s",
                    n ? "must not be empty" : "version must not be empty");
        }
        if (!json_bool(json_get(o, "controller"), false))
            continue;
        if (controller)
            two_controllers(refs, controller, o, bad);
        controller = o;
    }
}

static bool
standard_finalizer(const char *name)
{
    return !strcmp(name, "foregroundDeletion") || !strcmp(name, "orphan");
}

static void
validate_finalizers(const struct json *list, struct schema_findings *bad)
{
    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        AUTO(strlist_release) struct strlist why = {0};
        const char *name = json_string_or(c, "");

        if (!names_qualified(str_of(name), &why))
            invalid(bad, "metadata.finalizers", name, &why);
    }
}

void
meta_validate(const struct kind *k, const struct json *obj,
              struct schema_findings *bad)
{
    const struct json *meta = json_get(obj, "metadata");
    const char *generate = json_get_string(meta, "generateName");
    const char *name = json_string_or(json_get(meta, "name"), "");

    if (generate && *generate) {
        AUTO(mem_free_ptr) char *stem = mem_strdup(generate);
        size_t n = strlen(stem);

        if (stem[n - 1] == '-')
            stem[n - 1] = n > 1 ? 'a' : '-';
        validate_name(k, stem, "metadata.generateName", bad);
    }
    if (!*name)
        schema_findings_add(bad, "metadata.name", "FieldValueRequired",
                            "Required value: name or generateName is required");
    else
        validate_name(k, name, "metadata.name", bad);
    validate_labels(json_get(meta, "labels"), bad);
    validate_annotations(json_get(meta, "annotations"), bad);
    validate_owners(json_get(meta, "ownerReferences"), bad);
    validate_finalizers(json_get(meta, "finalizers"), bad);
}

static bool
holds(const struct json *list, const char *text)
{
    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        if (!strcmp(json_string_or(c, ""), text))
            return true;
    }
    return false;
}

/* Go's []string{"a", "b"} of what is new. */
static void
no_new_finalizers(const struct json *now, const struct json *old,
                  struct schema_findings *bad)
{
    struct buf b = BUF_INIT(BUF_TEXT_MAX);
    const char *sep = "";

    for (const struct json *c = json_first(now); c; c = json_next(c)) {
        if (!holds(old, json_string_or(c, ""))) {
            buf_printf(&b, "%s\"%s\"", sep, json_string_or(c, ""));
            sep = ", ";
        }
    }
    if (b.n)
        schema_findings_add(bad, "metadata.finalizers", "FieldValueForbidden",
                            "Forbidden: no new finalizers can be added if the "
                            "object is being deleted, found new finalizers "
                            "[]string{%s}",
                            buf_cstr(&b));
    buf_release(&b);
}

void
meta_validate_update(const struct json *obj, const struct json *old,
                     struct schema_findings *bad)
{
    static const char *const fixed[] = {"metadata.uid",
                                        "metadata.deletionTimestamp"};
    const struct json *now = json_get(obj, "metadata");
    const struct json *was = json_get(old, "metadata");

    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        const struct json *v = json_get(now, fixed[i] + strlen("metadata."));

        if (v && !json_equal(v, json_get(was, fixed[i] + strlen("metadata."))))
            schema_findings_add(bad, fixed[i], "FieldValueInvalid",
                                "Invalid value: \"%s\": field is immutable",
                                json_string_or(v, ""));
    }
    if (json_get(was, "deletionTimestamp"))
        no_new_finalizers(json_get(now, "finalizers"),
                          json_get(was, "finalizers"), bad);
}

void
meta_warnings(const struct json *obj, const struct json *old,
              struct strlist *warnings)
{
    const struct json *list = json_at(obj, "metadata", "finalizers", NULL);
    const struct json *was = json_at(old, "metadata", "finalizers", NULL);

    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        const char *name = json_string_or(c, "");

        if (!strchr(name, '/') && !standard_finalizer(name) &&
            !holds(was, name))
            strlist_addf(warnings,
                         "metadata.finalizers: \"%s\": prefer a "
                         "domain-qualified finalizer name to avoid accidental "
                         "conflicts with other finalizer writers",
                         name);
    }
}
