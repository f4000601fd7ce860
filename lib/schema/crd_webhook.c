#include "lib/schema/crd_webhook.h"

#include "lib/base/mem.h"

#include "lib/schema/crd_parts.h"
#include "lib/schema/names.h"
#include "lib/schema/node.h"

#define CLIENT  "spec.conversion.webhookClientConfig"
#define REVIEWS "spec.conversion.conversionReviewVersions"

static void
invalid(struct schema_findings *bad, const char *field, struct str value,
        const char *why)
{
    AUTO(json_free_ptr) struct json *j = json_new_str(value);
    AUTO(mem_free_ptr) char *text = schema_value_text(j);

    schema_findings_add(bad, field, "FieldValueInvalid",
                        "Invalid value: %s: %s", text, why);
}

/* ---- a URL ---- */

#define FORM "; desired format: https://host[/path]"

static void
check_url(struct str url, struct schema_findings *bad)
{
    static const char field[] = CLIENT ".url";
    size_t end = str_find(url, STR("://"), 0);
    bool has_scheme = end < url.n;
    struct str scheme = str_sub(url, 0, has_scheme ? end : 0);
    struct str rest = has_scheme ? str_from(url, end + 3) : STR("");
    struct str host, bare, fragment = {0}, query = {0}, user = {0}, before;

    if (str_cut(rest, '#', &before, &fragment))
        rest = before;
    if (str_cut(rest, '?', &before, &query))
        rest = before;
    host = str_sub(rest, 0, str_find(rest, STR("/"), 0));
    if (str_cut(host, '@', &before, &bare))
        user = before;
    host = user.n ? bare : host;
    if (!str_eqz(scheme, "https"))
        invalid(bad, field, scheme,
                "'https' is the only allowed URL scheme" FORM);
    if (!host.n)
        invalid(bad, field, host, "host must be specified" FORM);
    if (user.n)
        invalid(bad, field, user,
                "user information is not permitted in the URL");
    if (fragment.n)
        invalid(bad, field, fragment, "fragments are not permitted in the URL");
    if (query.n)
        invalid(bad, field, query,
                "query parameters are not permitted in the URL");
}

/* ---- a service ---- */

static void
check_segments(struct str path, struct schema_findings *bad)
{
    static const char field[] = CLIENT ".service.path";
    struct str rest = str_from(path, 1);
    size_t i = 0;

    if (str_ends(rest, STR("/")))
        rest = str_sub(rest, 0, rest.n - 1);
    for (bool more = true; more; i++) {
        AUTO(strlist_release) struct strlist why = {0};
        size_t end = str_find(rest, STR("/"), 0);
        struct str step = str_sub(rest, 0, end);

        more = end < rest.n;
        rest = str_from(rest, end + 1);
        if (!step.n)
            strlist_addf(&why, "segment[%zu] may not be empty", i);
        else
            names_subdomain(step, &why);
        for (size_t k = 0; k < why.n; k++) {
            AUTO(mem_free_ptr)
            char *text = step.n ? mem_printf("segment[%zu]: %s", i, why.v[k])
                                : mem_strdup(why.v[k]);

            invalid(bad, field, path, text);
        }
    }
}

/* The server passes name and namespace the wrong way round. */
static void
check_service(const struct json *service, struct schema_findings *bad)
{
    static const char port_field[] = CLIENT ".service.port";
    struct str path = str_of(json_get_text(service, "path"));
    int64_t port = json_int64_or(json_get(service, "port"), 443);

    if (!*json_get_text(service, "namespace"))
        crd_required(bad, CLIENT ".service.name", "");
    if (!*json_get_text(service, "name"))
        crd_required(bad, CLIENT ".service.namespace", "");
    if (port < 1 || port > 65535)
        schema_findings_add(bad, port_field, "FieldValueInvalid",
                            "Invalid value: %lld: port is not valid: must be "
                            "between 1 and 65535, inclusive",
                            (long long)port);
    if (!path.n || str_eqz(path, "/"))
        return;
    if (str_eqz(path, "//")) {
        invalid(bad, CLIENT ".service.path", path,
                "segment[0] may not be empty");
        return;
    }
    if (path.s[0] != '/')
        invalid(bad, CLIENT ".service.path", path, "must start with a '/'");
    check_segments(path, bad);
}

/* ---- review versions ---- */

static void
check_reviews(const struct json *list, struct schema_findings *bad)
{
    AUTO(strlist_release) struct strlist seen = {0};
    AUTO(mem_free_ptr) char *shown = json_text(list, JSON_HTML);
    bool known = false;
    size_t i = 0;

    if (!json_first(list)) {
        crd_required(bad, REVIEWS, "");
        return;
    }
    for (const struct json *v = json_first(list); v; v = json_next(v)) {
        AUTO(strlist_release) struct strlist why = {0};
        AUTO(mem_free_ptr) char *field = mem_printf(REVIEWS "[%zu]", i++);
        struct str name = str_of(json_string_or(v, ""));

        if (strlist_has(&seen, name)) {
            invalid(bad, field, name, "duplicate version");
            continue;
        }
        strlist_add(&seen, name);
        names_label_1035(name, &why);
        for (size_t k = 0; k < why.n; k++)
            invalid(bad, field, name, why.v[k]);
        known |= str_eqz(name, "v1") || str_eqz(name, "v1beta1");
    }
    if (!known)
        schema_findings_add(bad, REVIEWS, "FieldValueInvalid",
                            "Invalid value: %s: must include at least one of "
                            "v1, v1beta1",
                            shown);
}

/* ---- all of it ---- */

static void
check_client(const struct json *client, struct schema_findings *bad)
{
    const char *url = json_get_string(client, "url");
    const struct json *service = json_get(client, "service");

    if (json_is(service, JSON_NULL))
        service = NULL;
    if (!json_is(client, JSON_OBJECT))
        crd_required(bad, CLIENT, "required when strategy is set to Webhook");
    else if (!url == !service)
        crd_required(bad, CLIENT, "exactly one of url or service is required");
    else if (url)
        check_url(str_of(url), bad);
    else
        check_service(service, bad);
}

void
crd_check_conversion(const struct json *conversion, struct schema_findings *bad)
{
    static const char no[] =
        "Forbidden: should not be set when strategy is not set to Webhook";
    const char *strategy = json_get_text(conversion, "strategy");
    const struct json *hook = json_get(conversion, "webhook");
    const struct json *reviews = json_get(hook, "conversionReviewVersions");
    bool webhook = strcmp(strategy, "Webhook") == 0;

    if (!json_is(conversion, JSON_OBJECT))
        return;
    if (!*strategy)
        crd_required(bad, "spec.conversion.strategy", "");
    else if (!webhook && strcmp(strategy, "None") != 0)
        schema_findings_add(bad, "spec.conversion.strategy",
                            "FieldValueNotSupported",
                            "Unsupported value: \"%s\": supported values: "
                            "\"None\", \"Webhook\"",
                            strategy);
    if (webhook) {
        check_client(json_get(hook, "clientConfig"), bad);
        check_reviews(reviews, bad);
        return;
    }
    if (json_is(json_get(hook, "clientConfig"), JSON_OBJECT))
        schema_findings_add(bad, CLIENT, "FieldValueForbidden", "%s", no);
    if (json_first(reviews))
        schema_findings_add(bad, REVIEWS, "FieldValueForbidden", "%s", no);
}
