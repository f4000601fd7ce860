#include "lib/kube/credential.h"

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

static bool
printable(const char *z)
{
    for (; *z; z++) {
        if ((unsigned char)*z < ' ' || *z == 0x7f)
            return false;
    }
    return true;
}

/* The rules of refreshCredsLocked, in its words. */
static bool
check(const char *api_version, const struct json *j, struct error *err)
{
    const char *version = json_string_or(json_get(j, "apiVersion"), "");
    const char *kind = json_string_or(json_get(j, "kind"), "");
    const struct json *status = json_get(j, "status");
    const char *token = json_string_or(json_get(status, "token"), "");
    const char *cert =
        json_string_or(json_get(status, "clientCertificateData"), "");
    const char *key = json_string_or(json_get(status, "clientKeyData"), "");
    const struct json *until = json_get(status, "expirationTimestamp");
    int64_t s;

    if (strcmp(kind, "ExecCredential") != 0)
        return error_set(err, ERR_PARSE,
                         "decoding stdout: its kind is \"%s\", not "
                         "ExecCredential",
                         kind);
    if (strcmp(version, api_version) != 0)
        return error_set(err, ERR_PARSE,
                         "exec plugin is configured to use API version %s, "
                         "plugin returned version %s",
                         api_version, *version ? version : "\"\"");
    if (!json_is(status, JSON_OBJECT))
        return error_set(err, ERR_PARSE,
                         "exec plugin didn't return a status field");
    if (!*token && !*cert && !*key)
        return error_set(err, ERR_PARSE,
                         "exec plugin didn't return a token or cert/key pair");
    if (!*cert != !*key)
        return error_set(err, ERR_PARSE,
                         "exec plugin returned only certificate or key, not "
                         "both");
    if (*token && !printable(token))
        return error_set(err, ERR_PARSE,
                         "the token of the exec plugin has control characters");
    if (until && !json_is(until, JSON_NULL) &&
        !(json_string(until) && clock_parse(str_of(json_string(until)), &s)))
        return error_set(err, ERR_PARSE,
                         "decoding stdout: expirationTimestamp is no time");
    return true;
}

static char *
text_of(const struct json *j, const char *key)
{
    const char *z = json_get_string(j, key);

    return z && *z ? mem_strdup(z) : NULL;
}

bool
kube_credential_read(struct str text, const char *api_version,
                     struct kube_credential *out, struct error *err)
{
    AUTO(json_free_ptr) struct json *j = json_parse(text, NULL, err);
    const struct json *status = json_get(j, "status");
    const char *until = json_get_string(status, "expirationTimestamp");

    if (!j)
        return error_wrap(err, "decoding stdout");
    if (!check(api_version, j, err))
        return false;
    *out = (struct kube_credential){
        .token = text_of(status, "token"),
        .cert = text_of(status, "clientCertificateData"),
        .key = text_of(status, "clientKeyData"),
    };
    if (until)
        clock_parse(str_of(until), &out->expires_s);
    return true;
}

void
kube_credential_release(struct kube_credential *c)
{
    mem_wipe(c->token);
    mem_wipe(c->cert);
    mem_wipe(c->key);
    *c = (struct kube_credential){0};
}
