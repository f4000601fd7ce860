#include "devenv/sandbox/connection.h"

#include "devenv/sandbox/kobj.h"

#define TYPE "connection.crossplane.io/v1alpha1"

static const struct kind *
secrets(struct control *c)
{
    return registry_kind(c->registry, "v1", "Secret");
}

struct json *
connection_read(struct control *c, const struct json *ref, const char *ns)
{
    const char *name = json_string_or(json_get(ref, "name"), "");
    AUTO(json_free_ptr) struct json *secret = NULL;
    struct json *data;

    if (!*name)
        return NULL;
    if (!*ns)
        ns = json_string_or(json_get(ref, "namespace"), "");
    secret = registry_get(c->registry, secrets(c), ns, name);
    data = json_get(secret, "data");
    return data ? json_detach(secret, data) : NULL;
}

static struct json *
secret_of(const struct json *owner, const char *ns, const char *name,
          const struct json *data)
{
    struct json *s = kobj_new("v1", "Secret", ns, name);

    json_append(json_need_array(json_get(s, "metadata"), "ownerReferences"),
                kobj_owner_reference(owner));
    json_set_string(s, "type", TYPE);
    if (json_len(data))
        json_set(s, "data", json_copy(data));
    return s;
}

static bool
may_write(const struct json *secret, const char *uid, struct error *err)
{
    const char *type = json_string_or(json_get(secret, "type"), "");

    if (!kobj_controller(secret))
        return strcmp(type, TYPE) == 0 ||
               error_set(err, ERR_CONFLICT,
                         "refusing to modify uncontrolled secret of type "
                         "\"%s\"",
                         type);
    return kobj_is_controlled_by(secret, uid) ||
           error_set(err, ERR_CONFLICT,
                     "existing secret is not controlled by UID \"%s\"", uid);
}

static bool
same_data(const struct json *a, const struct json *b)
{
    return json_len(a) == json_len(b) && (!json_len(a) || json_equal(a, b));
}

static struct json *
write_over(struct control *c, const struct json *current, struct json *secret,
           enum connection_how how, struct status *st)
{
    const struct registry_write w = {.manager = CORE_MANAGER};
    const char *ns = kobj_namespace(current);
    AUTO(buf_release) struct buf body = BUF_INIT(BUF_TEXT_MAX);

    if (how == CONNECTION_REPLACE) {
        json_set(
            json_get(secret, "metadata"), "resourceVersion",
            json_copy(json_at(current, "metadata", "resourceVersion", NULL)));
        return registry_update(c->registry, secrets(c), &w, ns, secret, st);
    }
    json_print(secret, JSON_COMPACT, &body);
    json_free(secret);
    return registry_patch(c->registry, secrets(c), &w, ns, kobj_name(current),
                          PATCH_MERGE, buf_view(&body), st);
}

bool
connection_write(struct control *c, const struct json *owner, const char *ns,
                 const char *name, const struct json *data,
                 enum connection_how how, bool *wrote, struct error *err)
{
    const struct registry_write w = {.manager = CORE_MANAGER};
    AUTO(json_free_ptr)
    struct json *current = registry_get(c->registry, secrets(c), ns, name);
    AUTO(status_release) struct status st = {0};
    AUTO(json_free_ptr) struct json *stored = NULL;

    *wrote = false;
    if (current && !may_write(current, kobj_uid(owner), err))
        return false;
    if (current && same_data(data, json_get(current, "data")))
        return true;
    stored = current ? write_over(c, current, secret_of(owner, ns, name, data),
                                  how, &st)
                     : registry_create(c->registry, secrets(c), &w, ns,
                                       secret_of(owner, ns, name, data), &st);
    if (!stored)
        return error_set(err, ERR_INVALID, "cannot %s object: %s",
                         !current                  ? "create"
                         : how == CONNECTION_MERGE ? "patch"
                                                   : "update",
                         st.message);
    *wrote = true;
    return true;
}
