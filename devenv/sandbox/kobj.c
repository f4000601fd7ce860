#include "devenv/sandbox/kobj.h"

const char *
kobj_name(const struct json *obj)
{
    return json_at_text(obj, "metadata", "name");
}

const char *
kobj_namespace(const struct json *obj)
{
    return json_at_text(obj, "metadata", "namespace");
}

const char *
kobj_uid(const struct json *obj)
{
    return json_at_text(obj, "metadata", "uid");
}

const char *
kobj_kind(const struct json *obj)
{
    return json_get_text(obj, "kind");
}

const char *
kobj_api_version(const struct json *obj)
{
    return json_get_text(obj, "apiVersion");
}

const char *
kobj_label(const struct json *obj, const char *key)
{
    return json_get_text(json_at(obj, "metadata", "labels", NULL), key);
}

const char *
kobj_annotation(const struct json *obj, const char *key)
{
    return json_get_text(json_at(obj, "metadata", "annotations", NULL), key);
}

int64_t
kobj_generation(const struct json *obj)
{
    return json_int64_or(json_at(obj, "metadata", "generation", NULL), 0);
}

int64_t
kobj_revision(const struct json *obj)
{
    int64_t v = 0;

    str_to_i64(str_of(json_at_text(obj, "metadata", "resourceVersion")), &v);
    return v;
}

bool
kobj_is_deleted(const struct json *obj)
{
    return *json_at_text(obj, "metadata", "deletionTimestamp");
}

struct json *
kobj_controller(const struct json *obj)
{
    struct json *all = json_at(obj, "metadata", "ownerReferences", NULL);

    for (struct json *o = json_first(all); o; o = json_next(o)) {
        if (json_bool(json_get(o, "controller"), false))
            return o;
    }
    return NULL;
}

bool
kobj_is_controlled_by(const struct json *obj, const char *uid)
{
    return *uid && strcmp(json_get_text(kobj_controller(obj), "uid"), uid) == 0;
}

struct json *
kobj_owner_reference(const struct json *owner)
{
    struct json *o = json_new_object();

    json_set_string(o, "apiVersion", kobj_api_version(owner));
    json_set_string(o, "kind", kobj_kind(owner));
    json_set_string(o, "name", kobj_name(owner));
    json_set_string(o, "uid", kobj_uid(owner));
    json_set_bool(o, "controller", true);
    json_set_bool(o, "blockOwnerDeletion", true);
    return o;
}

static struct json *
find_finalizer(const struct json *obj, const char *finalizer)
{
    struct json *all = json_at(obj, "metadata", "finalizers", NULL);

    for (struct json *f = json_first(all); f; f = json_next(f)) {
        if (strcmp(json_string_or(f, ""), finalizer) == 0)
            return f;
    }
    return NULL;
}

bool
kobj_has_finalizer(const struct json *obj, const char *finalizer)
{
    return find_finalizer(obj, finalizer) != NULL;
}

bool
kobj_add_finalizer(struct json *obj, const char *finalizer)
{
    if (find_finalizer(obj, finalizer))
        return false;
    json_append(
        json_need_array(json_need_object(obj, "metadata"), "finalizers"),
        json_new_string(finalizer));
    return true;
}

bool
kobj_remove_finalizer(struct json *obj, const char *finalizer)
{
    struct json *f = find_finalizer(obj, finalizer);

    if (!f)
        return false;
    json_free(json_detach(json_at(obj, "metadata", "finalizers", NULL), f));
    return true;
}

static void
set_in(struct json *obj, const char *where, const char *key, const char *value)
{
    json_set_string(json_need_object(json_need_object(obj, "metadata"), where),
                    key, value);
}

void
kobj_set_label(struct json *obj, const char *key, const char *value)
{
    set_in(obj, "labels", key, value);
}

void
kobj_set_annotation(struct json *obj, const char *key, const char *value)
{
    set_in(obj, "annotations", key, value);
}

struct json *
kobj_new(const char *api_version, const char *kind, const char *ns,
         const char *name)
{
    struct json *o = json_new_object();
    struct json *m;

    json_set_string(o, "apiVersion", api_version);
    json_set_string(o, "kind", kind);
    m = json_need_object(o, "metadata");
    json_set_string(m, "name", name);
    if (ns && *ns)
        json_set_string(m, "namespace", ns);
    return o;
}

struct str
kobj_group(struct str api_version)
{
    struct str group, version;

    return str_cut(api_version, '/', &group, &version)
               ? group
               : str_n(api_version.s, 0);
}
