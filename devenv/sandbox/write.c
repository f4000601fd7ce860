/*
 * Design: every write ends in write_finish(): the new object beside the one it
 * replaces (NULL: it is created). What differs between the verbs is only how
 * the new object comes about. Order as in apiserver (facts 1.9 to 1.13):
 * decode, unknown fields, defaults, managedFields, checks, store.
 */
#include "devenv/sandbox/write.h"

#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/random.h"

#include "devenv/sandbox/builtin.h"
#include "devenv/sandbox/crd.h"
#include "devenv/sandbox/managed.h"
#include "devenv/sandbox/meta.h"
#include "devenv/sandbox/namespaces.h"
#include "devenv/sandbox/registry_state.h"
#include "devenv/sandbox/scale.h"
#include "devenv/sandbox/types_json.h"

#define MANAGER_MAX 128

static bool
on_status(const struct write_job *j)
{
    return j->w->subresource && !strcmp(j->w->subresource, "status");
}

static bool
on_finalize(const struct write_job *j)
{
    return j->w->subresource && !strcmp(j->w->subresource, "finalize");
}

static const char *
manager_of(const struct registry_write *w)
{
    return w->manager && *w->manager ? w->manager : "unknown";
}

/* ---- checks that come first ---- */

bool
write_check_type(const struct write_job *j, const struct json *obj)
{
    const char *version = json_get_string(obj, "apiVersion");
    const char *kind = json_get_string(obj, "kind");
    AUTO(schema_findings_release) struct schema_findings bad = {0};

    if (version && *version && strcmp(version, j->k->api_version) != 0)
        return status_bad_request(
            j->st,
            "the API version in the data (%s) does not match the expected API "
            "version (%s)",
            version, j->k->api_version);
    if (!kind || !*kind || !strcmp(kind, j->k->kind))
        return true;
    schema_findings_add(&bad, "kind", "FieldValueInvalid",
                        "Invalid value: \"%s\": must be %s", kind, j->k->kind);
    return status_invalid(j->st, j->k->group, kind, stored_name(obj), &bad);
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

    for (size_t i = 0; i < unknown->n; i++)
        buf_printf(&b, "%s%s", i ? ", " : "", unknown->v[i]);
    if (j->patched) {
        AUTO(schema_findings_release) struct schema_findings bad = {0};
        AUTO(mem_free_ptr) char *text = json_text(obj, JSON_COMPACT);

        schema_findings_add(&bad, "patch", "FieldValueInvalid",
                            "Invalid value: \"%s\": strict decoding error: %s",
                            text, buf_cstr(&b));
        buf_release(&b);
        return status_invalid(j->st, "", "", "", &bad);
    }
    status_bad_request(
        j->st,
        "%s in version \"%s\" cannot be handled as a %s: strict decoding "
        "error: %s",
        j->k->kind, j->k->version, j->k->kind, buf_cstr(&b));
    buf_release(&b);
    return false;
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
    for (size_t i = 0; i < unknown.n; i++)
        strlist_addf(&texts, "unknown field \"%s\"", unknown.v[i]);
    if (texts.n && j->w->validation == VALIDATE_STRICT)
        return strict_failure(j, obj, &texts);
    for (size_t i = 0; i < texts.n; i++)
        strlist_add(j->w->warnings, str_of(texts.v[i]));
    return true;
}

/* ---- what the server sets ---- */

static void
carry(struct json *meta, const struct json *from, const char *key)
{
    const struct json *v = json_get(from, key);

    if (v)
        json_set(meta, key, json_copy(v));
    else
        json_del(meta, key);
}

void
write_stamp_new(struct write_job *j, struct json *obj)
{
    static const char *const wiped[] = {
        "uid",        "creationTimestamp", "deletionTimestamp",
        "generation", "selfLink",          "deletionGracePeriodSeconds"};
    struct json *meta = json_need_object(obj, "metadata");
    const struct builtin *b = kind_info(j->k)->builtin;
    char uid[RANDOM_UUID_LEN], now[CLOCK_RFC3339_LEN];

    for (size_t i = 0; i < ARRAY_LEN(wiped); i++)
        json_del(meta, wiped[i]);
    json_del(meta, "resourceVersion");
    random_uuid(uid);
    registry_now(j->r, now);
    json_set_string(meta, "uid", uid);
    json_set_string(meta, "creationTimestamp", now);
    if (!b || b->generation)
        json_set_int(meta, "generation", 1);
    if (j->k->has_status)
        json_del(obj, "status");
}

/* What an update leaves as it was. */
static void
keep_old(struct write_job *j, struct json *obj)
{
    struct json *meta = json_need_object(obj, "metadata");
    const struct json *was = json_get(j->old, "metadata");

    carry(meta, was, "creationTimestamp");
    carry(meta, was, "generation");
    carry(meta, was, "deletionGracePeriodSeconds");
    if (!json_get(meta, "uid") || !*json_string_or(json_get(meta, "uid"), ""))
        carry(meta, was, "uid");
    if (!json_get(meta, "deletionTimestamp") ||
        json_is(json_get(meta, "deletionTimestamp"), JSON_NULL))
        carry(meta, was, "deletionTimestamp");
    carry(meta, was, "resourceVersion");
    json_del(meta, "selfLink");
    if (j->k->namespaced)
        carry(meta, was, "namespace");
    if (j->k->has_status && !on_status(j)) {
        const struct json *status = json_get(j->old, "status");

        if (status)
            json_set(obj, "status", json_copy(status));
        else
            json_del(obj, "status");
    }
}

/* Through a subresource only a part of the request counts: the rest becomes
 * what it was. Returns the object to store. */
static struct json *
only_part(struct write_job *j, struct json *obj, const char *part)
{
    struct json *next = json_copy(j->old);
    struct json *v = json_get(obj, part);
    struct json *entries = json_at(obj, "metadata", "managedFields", NULL);
    struct json *meta = json_get(next, "metadata");

    if (v)
        json_set(next, part, json_detach(obj, v));
    else
        json_del(next, part);
    if (j->applied && entries)
        json_set(meta, "managedFields",
                 json_detach(json_get(obj, "metadata"), entries));
    json_free(obj);
    return next;
}

/* True when something outside metadata (and outside status, where it is a
 * subresource) differs. */
static bool
content_changed(const struct write_job *j, const struct json *obj)
{
    size_t seen = 0, had = 0;

    for (const struct json *c = json_first(obj); c; c = json_next(c)) {
        const char *key = json_key(c);

        if (!strcmp(key, "metadata") || !strcmp(key, "apiVersion") ||
            !strcmp(key, "kind") ||
            (j->k->has_status && !strcmp(key, "status")))
            continue;
        seen++;
        if (!json_equal(c, json_get(j->old, key)) || !json_get(j->old, key))
            return true;
    }
    for (const struct json *c = json_first(j->old); c; c = json_next(c)) {
        const char *key = json_key(c);

        had += strcmp(key, "metadata") != 0 && strcmp(key, "apiVersion") != 0 &&
               strcmp(key, "kind") != 0 &&
               !(j->k->has_status && !strcmp(key, "status"));
    }
    return seen != had;
}

static void
raise_generation(const struct write_job *j, struct json *obj)
{
    struct json *meta = json_get(obj, "metadata");
    const struct builtin *b = kind_info(j->k)->builtin;

    if ((!b || b->generation) && content_changed(j, obj))
        json_set_int(meta, "generation",
                     json_int64_or(json_get(meta, "generation"), 0) + 1);
}

/* ---- the common end ---- */

/* The types of another version of the job's kind. */
static const struct fields_types *
types_of_version(void *arg, const char *api_version)
{
    const struct write_job *j = arg;
    struct kind_info *k = kinds_kind(&j->r->kinds, api_version, j->k->kind);

    return k && !strcmp(k->pub.plural, j->k->plural) ? kind_types(k) : NULL;
}

struct managed_by
write_managed_by(struct write_job *j, char now[CLOCK_RFC3339_LEN])
{
    registry_now(j->r, now);
    return (struct managed_by){
        .manager = manager_of(j->w),
        .subresource = j->w->subresource,
        .api_version = j->k->api_version,
        .now = now,
        .reset = on_status(j)       ? "f:spec"
                 : j->k->has_status ? "f:status"
                                    : NULL,
        .types = kind_types(kind_info(j->k)),
        .other = types_of_version,
        .other_arg = j,
    };
}

/* The server cannot read a custom object's Scale as an object of its kind, so
 * nobody owns the replicas any more after a write of the Scale. */
static void
disown_replicas(const struct write_job *j, struct json *obj)
{
    const struct json *was = json_at(j->old, "metadata", "managedFields", NULL);
    struct json *list = was ? json_copy(was) : json_new_array(), *next;

    for (struct json *e = json_first(list); e; e = next) {
        struct json *fields = json_get(e, "fieldsV1");

        next = json_next(e);
        scale_disown(j->k, fields);
        if (!json_first(fields))
            json_free(json_detach(list, e));
    }
    json_set(json_get(obj, "metadata"), "managedFields", list);
}

static void
note_managers(struct write_job *j, struct json *obj)
{
    char now[CLOCK_RFC3339_LEN];
    struct managed_by by = write_managed_by(j, now);
    AUTO(json_free_ptr) struct json *empty = NULL;

    if (j->old && !j->k->builtin && j->w->subresource &&
        !strcmp(j->w->subresource, "scale")) {
        disown_replicas(j, obj);
        return;
    }
    if (!j->old && j->k->builtin)
        by.empty = empty = types_empty(kind_type(kind_info(j->k)));
    managed_update(&by, j->old, obj);
}

static bool
validate(const struct write_job *j, struct json *obj)
{
    AUTO(schema_findings_release) struct schema_findings bad = {0};

    meta_validate(j->k, obj, &bad);
    if (j->old)
        meta_validate_update(obj, j->old, &bad);
    if (!j->k->builtin && registry_schema(j->k) && j->old && on_status(j))
        schema_validate_status(registry_schema(j->k), obj, j->old, &bad);
    else if (!j->k->builtin && registry_schema(j->k))
        schema_validate_update(registry_schema(j->k), obj, j->old, &bad);
    scale_check(j->k, obj, j->old && on_status(j), &bad);
    builtin_prepare(kind_info(j->k), j->w, obj, j->old, &bad);
    return !bad.n || status_invalid(j->st, j->k->group, j->k->kind,
                                    stored_name(obj), &bad);
}

/* A deleting object whose last finalizer went is deleted by this write. */
static bool
is_last_breath(const struct write_job *j, const struct json *obj)
{
    return stored_deleting(obj) &&
           !json_first(json_at(obj, "metadata", "finalizers", NULL)) &&
           !(j->k->builtin && !strcmp(j->k->plural, "namespaces") &&
             json_first(json_at(obj, "spec", "finalizers", NULL)));
}

static void
tell_kind(const struct write_job *j, const struct json *obj,
          const struct json *old)
{
    const struct builtin *b = kind_info(j->k)->builtin;

    if (b && b->written)
        b->written(j->r, obj, old);
}

static bool
store(struct write_job *j, struct json *obj)
{
    if (j->old && is_last_breath(j, obj)) {
        AUTO(json_free_ptr) struct json *last = json_copy(j->old);

        if (!stored_remove(j->r, j->k, last, j->rev, j->st))
            return false;
        tell_kind(j, NULL, j->old);
        return true;
    }
    if (!stored_put(j->r, j->k, obj, j->old ? j->rev : STORE_ABSENT, j->st))
        return false;
    tell_kind(j, obj, j->old);
    return true;
}

static void
add_warnings(const struct write_job *j, const struct json *obj)
{
    if (!j->w->warnings)
        return;
    meta_warnings(obj, j->old, j->w->warnings);
}

/* What Go's types leave out when it is empty. */
static void
tidy(const struct write_job *j, struct json *obj)
{
    static const char *const of_meta[] = {"labels", "annotations",
                                          "ownerReferences", "finalizers"};
    static const char *const of_core[] = {"data", "binaryData", "stringData"};
    struct json *meta = json_get(obj, "metadata");

    for (size_t i = 0; i < ARRAY_LEN(of_meta); i++) {
        struct json *v = json_get(meta, of_meta[i]);

        if (v && !json_first(v))
            json_del(meta, of_meta[i]);
    }
    for (size_t i = 0; j->k->builtin && i < ARRAY_LEN(of_core); i++) {
        struct json *v = json_get(obj, of_core[i]);

        if (v && !json_first(v))
            json_del(obj, of_core[i]);
    }
}

static bool
may_write(const struct write_job *j, const struct json *obj)
{
    return !j->w->who || !j->r->gate ||
           j->r->gate(j->r->gate_arg, j->w, j->k, obj, j->old, j->st);
}

/* The name that the client chose: none where the server makes one up. */
static const char *
asked_name(const struct write_job *j, const struct json *obj)
{
    bool generated =
        !j->old &&
        *json_string_or(json_at(obj, "metadata", "generateName", NULL), "");

    return generated ? "" : stored_name(obj);
}

static bool
admitted(const struct write_job *j, const struct json *obj)
{
    const struct registry_attempt a = {.k = j->k,
                                       .operation =
                                           j->old ? "UPDATE" : "CREATE",
                                       .ns = stored_ns(obj),
                                       .name = asked_name(j, obj),
                                       .sub = j->w->subresource,
                                       .who = j->w->who,
                                       .dry_run = j->w->dry_run,
                                       .obj = obj,
                                       .old = j->old,
                                       .warnings = j->w->warnings};

    return !j->r->admit || j->r->admit(j->r->admit_arg, &a, j->st);
}

/* Takes obj, whole and typed; returns what is stored now. */
struct json *
write_finish(struct write_job *j, struct json *obj)
{
    tidy(j, obj);
    if (j->k->builtin)
        builtin_complete(kind_info(j->k), obj);
    else if (registry_schema(j->k))
        schema_default(registry_schema(j->k), obj);
    if (j->old) {
        keep_old(j, obj);
        if (on_status(j))
            obj = only_part(j, obj, "status");
        else if (on_finalize(j))
            obj = only_part(j, obj, "spec");
    }
    if (!j->applied)
        note_managers(j, obj);
    /* This also fills in what the kind defaults, which is no change. */
    if (!may_write(j, obj) || !validate(j, obj))
        goto fail;
    kinds_fit_storage(&j->r->kinds, j->k, obj);
    if (j->old)
        raise_generation(j, obj);
    if (!admitted(j, obj))
        goto fail;
    add_warnings(j, obj);
    if (j->old && json_equal(obj, j->old))
        return obj;
    if (j->w->dry_run)
        return obj;
    if (!store(j, obj))
        goto fail;
    return obj;
fail:
    json_free(obj);
    return NULL;
}

/* ---- create ---- */

bool
write_may_create(const struct write_job *j, const char *ns, const char *name)
{
    const struct resource *res =
        kinds_resource(&j->r->kinds, j->k->group, j->k->plural);

    if (res && res->terminating)
        return status_forbidden(j->st, j->k->group, j->k->plural, name,
                                "create not allowed while custom resource "
                                "definition is terminating");
    return !j->k->namespaced || namespaces_admit(j->r, j->k, ns, name, j->st);
}

/* "stem" and five characters; the stem is cut so that 63 fit. */
static void
generate_name(struct json *obj)
{
    struct json *meta = json_get(obj, "metadata");
    const char *stem = json_string_or(json_get(meta, "generateName"), "");
    char tail[6];
    AUTO(mem_free_ptr) char *name = NULL;

    random_name(tail, 5);
    name = mem_printf("%.58s%s", stem, tail);
    json_set_string(meta, "name", name);
}

static bool
wants_name(const struct json *obj)
{
    return !*stored_name(obj) &&
           *json_string_or(json_at(obj, "metadata", "generateName", NULL), "");
}

static bool
exists_already(const struct write_job *j, struct json *obj, bool generated)
{
    const char *name = stored_name(obj);

    for (int i = 0; generated && i < 8; i++) {
        if (!registry_has(j->r, j->k, stored_ns(obj), stored_name(obj)))
            return false;
        generate_name(obj);
    }
    if (!generated && !registry_has(j->r, j->k, stored_ns(obj), name))
        return false;
    status_exists(j->st, j->k->group, j->k->plural, name);
    if (generated) {
        char *text = mem_printf("%s, the server was not able to generate a "
                                "unique name for the object",
                                j->st->message);

        free(j->st->message);
        j->st->message = text;
        j->st->retry_after_s = 1;
        json_set_int(j->st->details, "retryAfterSeconds", 1);
    }
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

struct json *
registry_create(struct registry *r, const struct kind *k,
                const struct registry_write *w, const char *ns,
                struct json *obj, struct status *st)
{
    struct write_job j = {.r = r, .k = k, .w = w, .st = st};
    bool generated = wants_name(obj);

    if (!write_check_type(&j, obj) || !meta_decode(k, obj, st) ||
        !write_check_namespace(&j, ns, obj) || !write_check_manager(w, st) ||
        !write_prune(&j, obj) || !write_may_create(&j, ns, stored_name(obj)))
        goto fail;
    if (!w->dry_run &&
        *json_string_or(json_at(obj, "metadata", "resourceVersion", NULL),
                        "")) {
        status_set(st, 500, NULL,
                   "resourceVersion should not be set on objects to be "
                   "created");
        goto fail;
    }
    write_stamp_new(&j, obj);
    if (generated)
        generate_name(obj);
    if (*stored_name(obj) && exists_already(&j, obj, generated))
        goto fail;
    return write_finish(&j, obj);
fail:
    json_free(obj);
    return NULL;
}

/* ---- update ---- */

bool
write_load(struct write_job *j, const char *ns, const char *name)
{
    struct store_item it;

    if (!stored_find(j->r, j->k, ns, name, &it))
        return status_not_found(j->st, j->k->group, j->k->plural, name);
    j->old = stored_read(j->k, it.json);
    j->rev = it.rev;
    return true;
}

bool
write_check_version(const struct write_job *j, const struct json *obj)
{
    const struct builtin *b = kind_info(j->k)->builtin;
    const char *want =
        json_string_or(json_at(obj, "metadata", "resourceVersion", NULL), "");
    AUTO(schema_findings_release) struct schema_findings bad = {0};

    if (!*want) {
        if (!j->put || (b && !b->needs_version))
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

static bool
check_uid(const struct write_job *j, const struct json *obj)
{
    const char *want =
        json_string_or(json_at(obj, "metadata", "uid", NULL), "");
    const char *have =
        json_string_or(json_at(j->old, "metadata", "uid", NULL), "");
    AUTO(mem_free_ptr) char *why = NULL;

    if (!*want || !strcmp(want, have))
        return true;
    why = mem_printf("Precondition failed: UID in precondition: %s, UID in "
                     "object meta: %s",
                     want, have);
    return status_conflict(j->st, j->k->group, j->k->plural,
                           stored_name(j->old), why);
}

struct json *
registry_update(struct registry *r, const struct kind *k,
                const struct registry_write *w, const char *ns,
                struct json *obj, struct status *st)
{
    struct write_job j = {.r = r, .k = k, .w = w, .put = true, .st = st};
    struct json *out = NULL;

    if (!write_check_type(&j, obj) || !meta_decode(k, obj, st) ||
        !write_check_namespace(&j, ns, obj) || !write_check_manager(w, st) ||
        !write_prune(&j, obj) || !write_load(&j, ns, stored_name(obj)) ||
        !check_uid(&j, obj) || !write_check_version(&j, obj))
        json_free(obj);
    else
        out = write_finish(&j, obj);
    json_free(j.old);
    return out;
}

struct json *
registry_update_status(struct registry *r, const struct kind *k,
                       const char *manager, const char *ns, struct json *obj,
                       struct status *st)
{
    struct registry_write w = {.manager = manager, .subresource = "status"};

    return registry_update(r, k, &w, ns, obj, st);
}
