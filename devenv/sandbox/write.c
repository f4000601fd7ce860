/*
 * Design: every write ends in write_finish(): the new object beside the one it
 * replaces (NULL: it is created). What differs between the verbs is only how
 * the new object comes about. Order as in apiserver's endpoints/handlers:
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
    if (!json_get(meta, "deletionGracePeriodSeconds") ||
        json_is(json_get(meta, "deletionGracePeriodSeconds"), JSON_NULL))
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
    if (entries)
        json_set(meta, "managedFields",
                 json_detach(json_get(obj, "metadata"), entries));
    else
        json_del(meta, "managedFields");
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

/* "example.org" of "example.org/v1", "" of "v1". */
static void
split_version(const char *api_version, struct buf *group)
{
    const char *slash = strchr(api_version, '/');

    if (slash)
        buf_add(group, api_version, (size_t)(slash - api_version));
}

/* A custom object says what it is, and may say something else. */
static void
check_kind(const struct write_job *j, const struct json *obj,
           struct schema_findings *bad)
{
    const char *version = json_get_text(obj, "apiVersion");
    const char *kind = json_get_text(obj, "kind");

    /* Our own controllers need not say what they write. */
    if (j->k->builtin || (!*version && !*kind))
        return;
    if (strcmp(kind, j->k->kind) != 0)
        schema_findings_add(bad, "kind", "FieldValueInvalid",
                            "Invalid value: \"%s\": must be %s", kind,
                            j->k->kind);
    if (strcmp(version, j->k->api_version) != 0)
        schema_findings_add(bad, "apiVersion", "FieldValueInvalid",
                            "Invalid value: \"%s\": must be %s", version,
                            j->k->api_version);
}

static bool
validate(const struct write_job *j, struct json *obj)
{
    AUTO(schema_findings_release) struct schema_findings bad = {0};
    AUTO(buf_release) struct buf group = BUF_INIT(1024);
    const char *kind;

    check_kind(j, obj, &bad);
    meta_validate(j->k, obj, &bad);
    if (j->old)
        meta_validate_update(obj, j->old, &bad);
    if (!j->k->builtin && registry_schema(j->k) && j->old && on_status(j))
        schema_validate_status(registry_schema(j->k), obj, j->old, &bad);
    else if (!j->k->builtin && registry_schema(j->k))
        schema_validate_update(registry_schema(j->k), obj, j->old, &bad);
    scale_check(j->k, obj, j->old && on_status(j), &bad);
    builtin_prepare(kind_info(j->k), j->w, obj, j->old, &bad);
    if (!bad.n)
        return true;
    kind = json_get_text(obj, "kind");
    if (j->k->builtin || !*kind)
        return status_invalid(j->st, j->k->group, j->k->kind, stored_name(obj),
                              &bad);
    split_version(json_get_text(obj, "apiVersion"), &group);
    return status_invalid(j->st, buf_cstr(&group), kind, stored_name(obj),
                          &bad);
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
exists_already(const struct write_job *j, struct json *obj)
{
    const char *name = stored_name(obj);
    struct store_item it;
    char *text;

    for (int i = 0; j->generated && i < 8; i++) {
        if (!registry_has(j->r, j->k, stored_ns(obj), stored_name(obj)))
            return false;
        generate_name(obj);
    }
    if (!stored_find(j->r, j->k, stored_ns(obj), name, &it))
        return false;
    status_exists(j->st, j->k->group, j->k->plural, name);
    if (stored_facts(it.json)->deleting) {
        text = mem_printf("object is being deleted: %s", j->st->message);
        free(j->st->message);
        j->st->message = text;
    }
    if (j->generated) {
        text = mem_printf("%s, the server was not able to generate a unique "
                          "name for the object",
                          j->st->message);
        free(j->st->message);
        j->st->message = text;
        j->st->retry_after_s = 1;
        json_set_int(j->st->details, "retryAfterSeconds", 1);
    }
    return true;
}

/* What the store itself asks of a new object. */
static bool
may_store_new(const struct write_job *j, struct json *obj)
{
    if (!j->w->dry_run && *json_at_text(obj, "metadata", "resourceVersion"))
        return status_set(j->st, 500, NULL,
                          "resourceVersion should not be set on objects to be "
                          "created");
    return !exists_already(j, obj);
}

/* Is obj what is stored, but for times of managedFields? They then stay. */
static bool
nothing_new(const struct write_job *j, struct json *obj)
{
    struct json *meta = json_get(obj, "metadata"), *was, *is;

    if (json_equal(obj, j->old))
        return true;
    is = json_get(meta, "managedFields");
    if (!is || !managed_times_alone(j->old, obj))
        return false;
    is = json_detach(meta, is);
    was = json_copy(json_at(j->old, "metadata", "managedFields", NULL));
    json_set(meta, "managedFields", was);
    if (json_equal(obj, j->old)) {
        json_free(is);
        return true;
    }
    json_set(meta, "managedFields", is);
    return false;
}

/* The part of a write that only an existing object needs. */
static struct json *
onto_old(struct write_job *j, struct json *obj)
{
    if (!j->applied)
        note_managers(j, obj);
    keep_old(j, obj);
    if (on_status(j))
        return only_part(j, obj, "status");
    return on_finalize(j) ? only_part(j, obj, "spec") : obj;
}

/* Takes obj, whole and typed; returns what is stored now. */
struct json *
write_finish(struct write_job *j, struct json *obj)
{
    tidy(j, obj);
    meta_dedupe_owners(obj, j->w->warnings);
    if (j->k->builtin)
        builtin_complete(kind_info(j->k), obj);
    else if (registry_schema(j->k))
        schema_default(registry_schema(j->k), obj);
    if (j->old)
        obj = onto_old(j, obj);
    else if (!j->applied)
        note_managers(j, obj);
    /* This also fills in what the kind defaults, which is no change. */
    if (!may_write(j, obj) || !validate(j, obj))
        goto fail;
    kinds_fit_storage(&j->r->kinds, j->k, obj);
    if (j->old)
        raise_generation(j, obj);
    if (!admitted(j, obj) || (!j->old && !may_store_new(j, obj)))
        goto fail;
    add_warnings(j, obj);
    if ((j->old && nothing_new(j, obj)) || j->w->dry_run)
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

struct json *
registry_create(struct registry *r, const struct kind *k,
                const struct registry_write *w, const char *ns,
                struct json *obj, struct status *st)
{
    struct write_job j = {
        .r = r, .k = k, .w = w, .generated = wants_name(obj), .st = st};

    if (!write_check_type(&j, obj) || !meta_decode(k, obj, st) ||
        !write_check_namespace(&j, ns, obj) || !write_check_manager(w, st) ||
        !write_prune(&j, obj) || !write_may_create(&j, ns, stored_name(obj)))
        goto fail;
    write_stamp_new(&j, obj);
    if (j.generated)
        generate_name(obj);
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

struct json *
registry_update(struct registry *r, const struct kind *k,
                const struct registry_write *w, const char *ns,
                struct json *obj, struct status *st)
{
    struct write_job j = {.r = r, .k = k, .w = w, .st = st};
    struct json *out = NULL;

    if (!write_check_type(&j, obj) || !meta_decode(k, obj, st) ||
        !write_check_namespace(&j, ns, obj) || !write_check_manager(w, st) ||
        !write_prune(&j, obj) || !write_load(&j, ns, stored_name(obj)) ||
        !write_check_uid(&j, obj) || !write_check_version(&j, obj))
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
