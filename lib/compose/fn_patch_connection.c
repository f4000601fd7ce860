/* Connection details of an XR, and the Secret that holds them when the XR has
 * no connection secret of its own (Crossplane v2). */
#include "lib/base/digest.h"
#include "lib/base/mem.h"

#include "lib/compose/fieldpath.h"
#include "lib/compose/fn_patch.h"

/* ---- details ---- */

static void
set_bytes(struct json *out, const char *key, struct str bytes)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    digest_base64(bytes, false, &b);
    json_set_string(out, key, buf_cstr(&b));
}

/* A string as it is, anything else as JSON; what is not there adds nothing. */
static void
from_field(const struct json *observed, const char *path, const char *key,
           struct json *out)
{
    const struct json *j = fieldpath_get(observed, str_of(path), NULL);
    AUTO(mem_free_ptr) char *text = NULL;

    if (json_is(j, JSON_STRING)) {
        set_bytes(out, key, str_of(json_string(j)));
    } else if (j) {
        /* The empty path names nothing, which Go prints as null. */
        text =
            *path ? json_text(j, JSON_SORTED | JSON_HTML) : mem_strdup("null");
        set_bytes(out, key, str_of(text));
    }
}

void
patch_connection_details(const struct json *details,
                         const struct json *observed, struct json *out)
{
    const struct json *have = json_get(observed, "connectionDetails");

    for (const struct json *d = json_first(details); d; d = json_next(d)) {
        const char *type = json_get_text(d, "type"),
                   *name = json_get_text(d, "name");
        const char *key = json_get_text(d, "fromConnectionSecretKey");

        if (strcmp(type, "FromValue") == 0)
            set_bytes(out, name, str_of(json_get_text(d, "value")));
        else if (strcmp(type, "FromFieldPath") == 0)
            from_field(json_get(observed, "resource"),
                       json_get_text(d, "fromFieldPath"), name, out);
        else if (json_get(have, key))
            json_set(out, name, json_copy(json_get(have, key)));
    }
}

/* ---- the secret's name ---- */

/* The XR's own reference, when it has one that can be read. */
static bool
own_reference(const struct json *xr, const struct json **ref)
{
    static const char *const members[] = {"name", "namespace"};

    *ref = fieldpath_get(xr, STR("spec.writeConnectionSecretToRef"), NULL);
    if (!*ref)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const struct json *m = json_get(*ref, members[i]);

        if (json_type_of(m) != JSON_NULL && !json_is(m, JSON_STRING))
            return false;
    }
    return json_is(*ref, JSON_OBJECT) || json_is(*ref, JSON_NULL);
}

/* {apiVersion, kind, name, namespace}: an object that patches can change. */
static struct json *
new_reference(const struct json *xr, const struct json *input)
{
    const struct json *meta = json_get(xr, "metadata"), *ref;
    struct json *out = json_new_object();
    AUTO(mem_free_ptr) char *name = NULL;

    json_set_string(out, "apiVersion", "v1");
    json_set_string(out, "kind", "SecretReference");
    if (!own_reference(xr, &ref))
        ref = input;
    if (ref != input || *json_get_text(ref, "name") ||
        *json_get_text(ref, "namespace")) {
        json_set_string(out, "name", json_get_text(ref, "name"));
        json_set_string(out, "namespace", json_get_text(ref, "namespace"));
        return out;
    }
    name = mem_printf("%s-connection", json_get_text(meta, "name"));
    json_set_string(out, "name", name);
    json_set_string(out, "namespace", json_get_text(meta, "namespace"));
    return out;
}

static bool
patch_reference(const struct json *xr, const struct json *patches,
                struct json *ref, struct error *err)
{
    const struct patch_object from = {.j = xr, .floats = true};
    struct patch_object to = {.j = ref, .own = ref};
    int i = 0;

    for (const struct json *p = json_first(patches); p; p = json_next(p), i++) {
        const struct patch_type *type = patch_type_of(p);
        const char *name = patch_type_name(p);

        if (!type || type->from != PATCH_OBSERVED_XR)
            return error_set(err, ERR_INVALID,
                             "unsupported patch type %s at index %d", name, i);
        if (patch_apply(p, &from, &to, err) ||
            (!type->combine && strcmp(patch_from_policy(p), "Optional") == 0))
            continue;
        return error_wrap(err, "cannot apply patch type %s at index %d", name,
                          i);
    }
    return true;
}

struct json *
patch_connection_secret(const struct json *xr, const struct json *details,
                        const struct json *input, struct error *err)
{
    static const char *const members[] = {"name", "namespace"};
    AUTO(json_free_ptr) struct json *before = new_reference(xr, input);
    AUTO(json_free_ptr) struct json *ref = json_copy(before);
    struct json *secret;

    if (!patch_reference(xr, json_get(input, "patches"), ref, err)) {
        error_wrap(err, "cannot generate connection secret reference: cannot "
                        "apply connection secret patches");
        return NULL;
    }
    secret = json_new_object();
    json_set_string(secret, "apiVersion", "v1");
    json_set_string(secret, "kind", "Secret");
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        /* A patch may have put something there that is no string. */
        const char *text = json_string_or(json_get(ref, members[i]),
                                          json_get_text(before, members[i]));

        if (*text)
            json_set_string(json_need_object(secret, "metadata"), members[i],
                            text);
    }
    json_set(secret, "data", json_copy(details));
    json_set_string(secret, "type", "connection.crossplane.io/v1alpha1");
    return secret;
}
