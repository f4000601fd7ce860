#include "devenv/sandbox/meta.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "lib/schema/names.h"

#include "devenv/sandbox/body.h"
#include "devenv/sandbox/builtin.h"

#define ANNOTATIONS_MAX 262144

/* ---- types ---- */

/* owner is the Go struct, path the field in it. */
static bool
mismatch(const struct kind *k, const struct json *v, const char *owner,
         const char *path, const char *go_type, struct status *st)
{
    AUTO(mem_free_ptr)
    char *where = owner ? mem_printf("struct field %s.%s", owner, path)
                        : mem_strdup("value");

    return status_bad_request(
        st,
        "%s in version \"%s\" cannot be handled as a %s: json: cannot "
        "unmarshal %s into Go %s of type %s",
        k->kind, k->version, k->kind, body_go_word(v), where, go_type);
}

struct meta_field {
    const char *name;
    enum json_type type;
    const char *go_type;
    const char *item; /* the Go struct of an element, "" a string */
};

static const struct meta_field owner_fields[] = {
    {"apiVersion", JSON_STRING, "string", NULL},
    {"kind", JSON_STRING, "string", NULL},
    {"name", JSON_STRING, "string", NULL},
    {"uid", JSON_STRING, "types.UID", NULL},
    {"controller", JSON_BOOL, "bool", NULL},
    {"blockOwnerDeletion", JSON_BOOL, "bool", NULL},
};

static const struct meta_field entry_fields[] = {
    {"manager", JSON_STRING, "string", NULL},
    {"operation", JSON_STRING, "v1.ManagedFieldsOperationType", NULL},
    {"apiVersion", JSON_STRING, "string", NULL},
    {"fieldsType", JSON_STRING, "string", NULL},
    {"subresource", JSON_STRING, "string", NULL},
};

static const struct meta_field fields[] = {
    {"name", JSON_STRING, "string", NULL},
    {"generateName", JSON_STRING, "string", NULL},
    {"namespace", JSON_STRING, "string", NULL},
    {"selfLink", JSON_STRING, "string", NULL},
    {"uid", JSON_STRING, "types.UID", NULL},
    {"resourceVersion", JSON_STRING, "string", NULL},
    {"generation", JSON_NUMBER, "int64", NULL},
    {"creationTimestamp", JSON_STRING, "v1.Time", NULL},
    {"deletionTimestamp", JSON_STRING, "v1.Time", NULL},
    {"deletionGracePeriodSeconds", JSON_NUMBER, "int64", NULL},
    {"labels", JSON_OBJECT, "map[string]string", ""},
    {"annotations", JSON_OBJECT, "map[string]string", ""},
    {"ownerReferences", JSON_ARRAY, "[]v1.OwnerReference", "OwnerReference"},
    {"finalizers", JSON_ARRAY, "[]string", ""},
    {"managedFields", JSON_ARRAY, "[]v1.ManagedFieldsEntry",
     "ManagedFieldsEntry"},
};

/* One member of a struct that stands at prefix ("ownerReferences."). */
static bool
decode_field(const struct kind *k, const struct meta_field *f, size_t n,
             const char *owner, const char *prefix, const struct json *v,
             struct status *st)
{
    for (size_t i = 0; i < n; i++) {
        AUTO(mem_free_ptr) char *path = NULL;

        if (strcmp(f[i].name, json_key(v)) != 0)
            continue;
        if (json_is(v, JSON_NULL) || json_is(v, f[i].type))
            return true;
        path = mem_printf("%s%s", prefix, f[i].name);
        return mismatch(k, v, owner, path, f[i].go_type, st);
    }
    return true;
}

static bool
decode_items(const struct kind *k, const struct meta_field *f,
             const struct json *list, struct status *st)
{
    bool owners = f->item && *f->item == 'O';
    AUTO(mem_free_ptr) char *prefix = mem_printf("%s.", f->name);
    AUTO(mem_free_ptr) char *type = mem_printf("v1.%s", f->item);

    for (const struct json *i = json_first(list); i; i = json_next(i)) {
        if (json_is(i, JSON_NULL))
            continue;
        if (!*f->item) {
            if (!json_is(i, JSON_STRING))
                return mismatch(k, i, "ObjectMeta", f->name, "string", st);
            continue;
        }
        if (!json_is(i, JSON_OBJECT))
            return mismatch(k, i, "ObjectMeta", f->name, type, st);
        for (const struct json *c = json_first(i); c; c = json_next(c)) {
            if (!decode_field(k, owners ? owner_fields : entry_fields,
                              owners ? ARRAY_LEN(owner_fields)
                                     : ARRAY_LEN(entry_fields),
                              f->item, prefix, c, st))
                return false;
        }
    }
    return true;
}

/* Go's complaint about the first part of a time that it cannot read. */
static bool
decode_time(const struct kind *k, const struct json *v, struct status *st)
{
    const char *text = json_string(v);
    int64_t at;

    if (!text || clock_parse(str_of(text), &at))
        return true;
    return status_bad_request(
        st,
        "%s in version \"%s\" cannot be handled as a %s: parsing time \"%s\" "
        "as \"2006-01-02T15:04:05Z07:00\": cannot parse \"%s\" as \"2006\"",
        k->kind, k->version, k->kind, text, text);
}

static bool
decode_member(const struct kind *k, const struct json *v, struct status *st)
{
    if (!decode_field(k, fields, ARRAY_LEN(fields), "ObjectMeta", "", v, st))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (strcmp(fields[i].name, json_key(v)) != 0)
            continue;
        if (!strcmp(fields[i].go_type, "v1.Time"))
            return decode_time(k, v, st);
        return !fields[i].item || decode_items(k, &fields[i], v, st);
    }
    return true;
}

/* null is Go's "" in a map of texts. */
static void
fill_nulls(struct json *map)
{
    struct json *next;

    for (struct json *c = json_first(map); c; c = next) {
        next = json_next(c);
        if (json_is(c, JSON_NULL))
            json_replace(map, c, json_new_string(""));
    }
}

bool
meta_decode(const struct kind *k, struct json *obj, struct status *st)
{
    struct json *meta = json_get(obj, "metadata");

    /* builtin_decode reads these whole. */
    if (k->builtin)
        return true;
    if (meta && !json_is(meta, JSON_OBJECT) && !json_is(meta, JSON_NULL))
        return mismatch(k, meta, NULL, NULL, "v1.ObjectMeta", st);
    for (const struct json *c = json_first(meta); c; c = json_next(c)) {
        if (!decode_member(k, c, st))
            return false;
    }
    fill_nulls(json_get(meta, "labels"));
    fill_nulls(json_get(meta, "annotations"));
    /* An empty list does not survive Go's ObjectMeta. */
    if (!json_first(json_get(meta, "managedFields")))
        json_del(meta, "managedFields");
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
validate_name(const struct kind *k, const char *name, const char *shown,
              const char *field, struct schema_findings *bad)
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
        invalid(bad, field, shown, &why);
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

/* "group/version" or "version", as it should be. */
static bool
has_version(const char *api_version)
{
    const char *slash = strchr(api_version, '/');

    return *api_version && (!slash || (slash[1] && !strchr(slash + 1, '/')));
}

static void
validate_owner(const struct json *o, struct schema_findings *bad)
{
    static const char *const keys[] = {"kind", "name", "uid"};
    const char *version = json_get_text(o, "apiVersion");

    if (!has_version(version))
        schema_findings_add(
            bad, "metadata.ownerReferences.apiVersion", "FieldValueInvalid",
            "Invalid value: \"%s\": version must not be empty", version);
    for (size_t n = 0; n < ARRAY_LEN(keys); n++) {
        AUTO(mem_free_ptr)
        char *f = mem_printf("metadata.ownerReferences.%s", keys[n]);

        if (!*json_get_text(o, keys[n]))
            schema_findings_add(bad, f, "FieldValueInvalid",
                                "Invalid value: \"\": must not be empty");
    }
    if (!strcmp(version, "v1") && !strcmp(json_get_text(o, "kind"), "Event")) {
        AUTO(buf_release) struct buf shown = BUF_INIT(BUF_TEXT_MAX);

        json_print(o, JSON_COMPACT, &shown);
        schema_findings_add(bad, "metadata.ownerReferences",
                            "FieldValueInvalid",
                            "Invalid value: %s: /v1, Kind=Event is disallowed "
                            "from being an owner",
                            buf_cstr(&shown));
    }
}

static void
validate_owners(const struct json *refs, struct schema_findings *bad)
{
    const struct json *controller = NULL;

    for (const struct json *o = json_first(refs); o; o = json_next(o)) {
        validate_owner(o, bad);
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

/* Kinds of Kubernetes' own validation package know the finalizers that need no
 * domain. */
static bool
knows_finalizers(const struct kind *k)
{
    static const char *const others[] = {
        "coordination.k8s.io", "admissionregistration.k8s.io",
        "apiextensions.k8s.io", "apiregistration.k8s.io"};

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (!strcmp(others[i], k->group))
            return false;
    }
    return k->builtin;
}

static void
validate_finalizers(const struct kind *k, const struct json *list,
                    struct schema_findings *bad)
{
    bool known = knows_finalizers(k);
    size_t i = 0;

    for (const struct json *c = json_first(list); c; c = json_next(c), i++) {
        AUTO(strlist_release) struct strlist why = {0};
        const char *name = json_string_or(c, "");

        if (!names_qualified(str_of(name), &why))
            invalid(bad, "metadata.finalizers", name, &why);
        if (known && !strchr(name, '/') && !standard_finalizer(name) &&
            strcmp(name, "kubernetes") != 0) {
            AUTO(mem_free_ptr)
            char *path = mem_printf("metadata.finalizers[%zu]", i);

            schema_findings_add(bad, path, "FieldValueInvalid",
                                "Invalid value: \"%s\": name is neither a "
                                "standard finalizer name nor is it fully "
                                "qualified",
                                name);
        }
    }
}

void
meta_validate(const struct kind *k, const struct json *obj,
              struct schema_findings *bad)
{
    const struct json *meta = json_get(obj, "metadata");
    const char *generate = json_get_string(meta, "generateName");
    const char *name = json_string_or(json_get(meta, "name"), "");

    if (generate && *generate &&
        !(k->builtin && !strcmp(k->plural, "events"))) {
        AUTO(mem_free_ptr) char *stem = mem_strdup(generate);
        size_t n = strlen(stem);

        if (stem[n - 1] == '-')
            stem[n - 1] = n > 1 ? 'a' : '-';
        validate_name(k, stem, generate, "metadata.generateName", bad);
    }
    if (!*name)
        schema_findings_add(bad, "metadata.name", "FieldValueRequired",
                            "Required value: name or generateName is required");
    else
        validate_name(k, name, name, "metadata.name", bad);
    validate_labels(json_get(meta, "labels"), bad);
    validate_annotations(json_get(meta, "annotations"), bad);
    validate_owners(json_get(meta, "ownerReferences"), bad);
    validate_finalizers(k, json_get(meta, "finalizers"), bad);
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
    for (int n = 0; b.n && n < 2; n++)
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
                                        "metadata.deletionTimestamp",
                                        "metadata.deletionGracePeriodSeconds"};
    const struct json *now = json_get(obj, "metadata");
    const struct json *was = json_get(old, "metadata");

    for (size_t i = 0; i < ARRAY_LEN(fixed); i++) {
        const struct json *v = json_get(now, fixed[i] + strlen("metadata."));
        AUTO(buf_release) struct buf shown = BUF_INIT(4096);

        if (!v || json_equal(v, json_get(was, fixed[i] + strlen("metadata."))))
            continue;
        json_print(v, JSON_COMPACT, &shown);
        /* The server asks twice: for all kinds, and for each. */
        for (int n = 0; n < 2; n++)
            schema_findings_add(bad, fixed[i], "FieldValueInvalid",
                                "Invalid value: %s: field is immutable",
                                buf_cstr(&shown));
    }
    if (json_get(was, "deletionTimestamp"))
        no_new_finalizers(json_get(now, "finalizers"),
                          json_get(was, "finalizers"), bad);
}

void
meta_dedupe_owners(struct json *obj, struct strlist *warnings)
{
    struct json *refs = json_at(obj, "metadata", "ownerReferences", NULL);
    AUTO(strlist_release) struct strlist twice = {0};
    AUTO(buf_release) struct buf uids = BUF_INIT(BUF_TEXT_MAX);
    struct json *next;

    for (struct json *o = json_first(refs); o; o = next) {
        bool seen = false;

        next = json_next(o);
        for (struct json *e = json_first(refs); e != o && !seen;
             e = json_next(e))
            seen = json_equal(e, o);
        if (!seen)
            continue;
        if (!strlist_has(&twice, str_of(json_get_text(o, "uid"))))
            strlist_add(&twice, str_of(json_get_text(o, "uid")));
        json_free(json_detach(refs, o));
    }
    for (size_t i = 0; i < twice.n; i++)
        buf_printf(&uids, "%s%s", i ? ", " : "", twice.v[i]);
    if (twice.n && warnings)
        strlist_addf(warnings,
                     ".metadata.ownerReferences contains duplicate entries; "
                     "API server dedups owner references in 1.20+, and may "
                     "reject such requests as early as 1.24; please fix your "
                     "requests; duplicate UID(s) observed: %s",
                     buf_cstr(&uids));
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
