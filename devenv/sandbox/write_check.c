/*
 * What is asked of an object before it is looked at as one: type, name,
 * namespace, unknown fields, version, uid.
 */
#include "lib/base/mem.h"

#include "devenv/sandbox/builtin.h"
#include "devenv/sandbox/write.h"

#define MANAGER_MAX 128

/* ---- checks that come first ---- */

/* A built-in kind is decoded into the type its body names, then converted. */
static bool
check_builtin_type(const struct write_job *j, const char *version,
                   const char *kind)
{
    const char *v = *version ? version : j->k->api_version;
    const char *k = *kind ? kind : j->k->kind;
    const char *slash = strrchr(v, '/');
    const struct kind *other;

    if (!strcmp(v, j->k->api_version) && !strcmp(k, j->k->kind))
        return true;
    other = registry_kind(j->r, v, k);
    if (!other || !other->builtin)
        return status_bad_request(
            j->st,
            "%s in version \"%s\" cannot be handled as a %s: no kind \"%s\" is "
            "registered for version \"%s\" in scheme "
            "\"pkg/runtime/scheme.go:110\"",
            k, slash ? slash + 1 : v, j->k->kind, k, v);
    return status_bad_request(
        j->st,
        "%s in version \"%s\" cannot be handled as a %s: converting (%s.%s) to "
        "(%s.%s): unknown conversion",
        k, other->version, j->k->kind, other->version, k,
        *j->k->group ? j->k->group : "core", j->k->kind);
}

bool
write_check_type(const struct write_job *j, const struct json *obj)
{
    const char *version = json_get_text(obj, "apiVersion");
    const char *kind = json_get_text(obj, "kind");

    if (j->k->builtin)
        return check_builtin_type(j, version, kind);
    return j->patched || !strcmp(version, j->k->api_version) || !*kind ||
           status_bad_request(j->st,
                              "the API version in the data (%s) does not match "
                              "the expected API version (%s)",
                              version, j->k->api_version);
}

bool
write_check_name(const struct json *obj, const char *name, struct status *st)
{
    if (!*stored_name(obj))
        return status_bad_request(st,
                                  "the name of the object (%s based on URL) "
                                  "was undeterminable: name must be provided",
                                  name);
    return !strcmp(stored_name(obj), name) ||
           status_bad_request(st,
                              "the name of the object (%s) does not match the "
                              "name on the URL (%s)",
                              stored_name(obj), name);
}

bool
write_check_namespace(const struct write_job *j, const char *ns,
                      struct json *obj)
{
    struct json *meta = json_need_object(obj, "metadata");
    const char *own = json_get_string(meta, "namespace");

    if (!j->k->namespaced) {
        json_del(meta, "namespace");
        return true;
    }
    if (own && *own && strcmp(own, ns ? ns : "") != 0)
        return status_bad_request(j->st,
                                  "the namespace of the provided object does "
                                  "not match the namespace sent on the "
                                  "request");
    json_set_string(meta, "namespace", ns ? ns : "");
    return true;
}

static bool
strict_failure(const struct write_job *j, const struct json *obj,
               const struct strlist *unknown)
{
    struct buf b = BUF_INIT(BUF_TEXT_MAX);

    for (size_t i = 0; i < unknown->n; i++) {
        bool line = str_starts(str_of(unknown->v[i]), STR("line "));

        if (line && !i)
            buf_puts(&b, "yaml: unmarshal errors:");
        buf_printf(&b, "%s%s", line ? "\n  " : i ? ", " : "", unknown->v[i]);
    }
    if (j->patched) {
        AUTO(mem_free_ptr)
        char *why = mem_printf("strict decoding error: %s", buf_cstr(&b));

        buf_release(&b);
        return write_bad_patch(j, obj, why);
    }
    status_bad_request(
        j->st,
        "%s in version \"%s\" cannot be handled as a %s: strict decoding "
        "error: %s",
        j->k->kind, j->k->version, j->k->kind, buf_cstr(&b));
    buf_release(&b);
    return false;
}

static bool
below_metadata(const char *path, bool embedded)
{
    return embedded ? strstr(path, ".metadata.") != NULL
                    : str_starts(str_of(path), STR("metadata."));
}

/* In the order of the server's decoders: what stands twice, metadata, the rest,
 * the metadata of embedded resources. */
static void
complaints(const struct write_job *j, const struct strlist *unknown,
           struct strlist *out)
{
    const struct strlist *doubles = j->w->doubles;

    for (size_t i = 0; doubles && i < doubles->n && !j->k->builtin; i++)
        strlist_add(out, str_of(doubles->v[i]));
    for (size_t i = 0; i < unknown->n; i++) {
        if (below_metadata(unknown->v[i], false))
            strlist_addf(out, "unknown field \"%s\"", unknown->v[i]);
    }
    for (size_t i = 0; doubles && i < doubles->n && j->k->builtin; i++)
        strlist_add(out, str_of(doubles->v[i]));
    for (int embedded = 0; embedded < 2; embedded++) {
        for (size_t i = 0; i < unknown->n; i++) {
            if (!below_metadata(unknown->v[i], false) &&
                below_metadata(unknown->v[i], true) == (embedded == 1))
                strlist_addf(out, "unknown field \"%s\"", unknown->v[i]);
        }
    }
}

/* Drops and reports what the schema does not know. */
bool
write_prune(const struct write_job *j, struct json *obj)
{
    AUTO(strlist_release) struct strlist unknown = {0}, texts = {0};
    const struct schema *s = j->k->builtin ? NULL : registry_schema(j->k);
    bool quiet = j->w->validation == VALIDATE_IGNORE ||
                 (j->w->validation == VALIDATE_WARN && !j->w->warnings);

    if (j->k->builtin && j->w->vouched)
        return true;
    if (j->k->builtin &&
        !builtin_decode(kind_info(j->k), obj, quiet ? NULL : &unknown, j->st))
        return false;
    if (s)
        schema_prune(s, obj, j->patched && j->w->validation == VALIDATE_STRICT,
                     quiet ? NULL : &unknown);
    if (quiet)
        return true;
    complaints(j, &unknown, &texts);
    if (texts.n && j->w->validation == VALIDATE_STRICT)
        return strict_failure(j, obj, &texts);
    for (size_t i = 0; i < texts.n; i++)
        strlist_add(j->w->warnings, str_of(texts.v[i]));
    return true;
}

bool
write_check_manager(const struct registry_write *w, struct status *st)
{
    AUTO(schema_findings_release) struct schema_findings bad = {0};

    if (!w->manager || strlen(w->manager) <= MANAGER_MAX)
        return true;
    schema_findings_add(&bad, "fieldManager", "FieldValueTooLong",
                        "Too long: may not be more than %d bytes", MANAGER_MAX);
    return status_invalid(st, "meta.k8s.io", "CreateOptions", "", &bad);
}

bool
write_check_version(const struct write_job *j, const struct json *obj)
{
    const struct builtin *b = kind_info(j->k)->builtin;
    const char *want = json_at_text(obj, "metadata", "resourceVersion");
    AUTO(schema_findings_release) struct schema_findings bad = {0};
    uint64_t number;

    if (*want && !str_to_u64(str_of(want), &number))
        return status_set(j->st, 500, NULL,
                          "strconv.ParseUint: parsing \"%s\": invalid syntax",
                          want);
    if (!*want || !number) {
        if (b && !b->needs_version)
            return true;
        schema_findings_add(&bad, "metadata.resourceVersion",
                            "FieldValueInvalid",
                            "Invalid value: 0: must be specified for an "
                            "update");
        return status_invalid(j->st, j->k->group, j->k->plural,
                              stored_name(obj), &bad);
    }
    if (!strcmp(want,
                json_string_or(
                    json_at(j->old, "metadata", "resourceVersion", NULL), "")))
        return true;
    return status_conflict(
        j->st, j->k->group, j->k->plural, stored_name(j->old),
        "the object has been modified; please apply your changes to the "
        "latest version and try again");
}

bool
write_check_uid(const struct write_job *j, const struct json *obj)
{
    const char *want =
        json_string_or(json_at(obj, "metadata", "uid", NULL), "");
    const char *have =
        json_string_or(json_at(j->old, "metadata", "uid", NULL), "");
    AUTO(mem_free_ptr) char *why = NULL;

    if (!*want || !strcmp(want, have))
        return true;
    why = mem_printf("StorageError: invalid object, Code: 4, Key: "
                     "/registry/%s%s%s%s%s/%s, ResourceVersion: 0, "
                     "AdditionalErrorMsg: Precondition failed: UID in "
                     "precondition: %s, UID in object meta: %s",
                     j->k->builtin ? "" : j->k->group, j->k->builtin ? "" : "/",
                     j->k->plural, j->k->namespaced ? "/" : "",
                     stored_ns(j->old), stored_name(j->old), want, have);
    return status_conflict(j->st, j->k->group, j->k->plural,
                           stored_name(j->old), why);
}
