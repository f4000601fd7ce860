#include "devenv/sandbox/rest.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "devenv/sandbox/builtin.h"
#include "devenv/sandbox/discovery.h"
#include "devenv/sandbox/openapi.h"
#include "devenv/sandbox/table.h"

/* ---- answers ---- */

bool
rest_flag(const struct http_request *h, const char *name)
{
    const char *v = http_param(h, name);

    return v && strcmp(v, "0") != 0 && strcmp(v, "false") != 0;
}

/* Warning: 299 - "text", each once; all together at most 4,096 bytes. */
static void
send_warnings(struct rest *rq)
{
    size_t total = 0;

    for (size_t i = 0; i < rq->warnings.n; i++) {
        struct buf b = BUF_INIT(4096);

        buf_puts(&b, "299 - \"");
        for (const char *p = rq->warnings.v[i]; *p; p++) {
            if (*p == '"' || *p == '\\')
                buf_putc(&b, '\\');
            buf_putc(&b, (unsigned char)*p < ' ' ? ' ' : *p);
        }
        buf_putc(&b, '"');
        total += b.n;
        if (total <= 4096)
            http_set_header(rq->h, "Warning", buf_cstr(&b));
        buf_release(&b);
    }
}

void
rest_fail(struct rest *rq)
{
    struct buf b = BUF_INIT(BUF_TEXT_MAX);
    bool pretty = rest_flag(rq->h, "pretty") || rq->st.code == 406;
    char seconds[16];

    send_warnings(rq);
    if (rq->st.retry_after_s > 0) {
        snprintf(seconds, sizeof(seconds), "%d", rq->st.retry_after_s);
        http_set_header(rq->h, "Retry-After", seconds);
    }
    status_print(&rq->st, pretty, &b);
    http_reply_buf(rq->h, rq->st.code, NULL, &b);
}

void
rest_no_page(struct http_request *h)
{
    http_set_header(h, "X-Content-Type-Options", "nosniff");
    http_reply(h, 404, "text/plain; charset=utf-8",
               STR("404 page not found\n"));
}

static void
print_form(struct rest *rq, const struct json *obj, struct buf *b)
{
    const char *version = rq->accept.version;
    enum table_include include = INCLUDE_METADATA;
    const char *rev =
        json_string_or(json_at(obj, "metadata", "resourceVersion", NULL), "");

    sandbox_table_include(http_param(rq->h, "includeObject"), &include,
                          &rq->st);
    if (rq->accept.form == ACCEPT_METADATA) {
        sandbox_table_metadata(obj, version, b);
    } else if (rq->accept.form == ACCEPT_TABLE) {
        buf_printf(b,
                   "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/%s\","
                   "\"metadata\":{\"resourceVersion\":\"%s\"},",
                   version, rev);
        sandbox_table_columns(kind_info(rq->k), b);
        buf_puts(b, ",\"rows\":[");
        sandbox_table_row(kind_info(rq->k), obj, include, version,
                          clock_wall_ms(rq->r->clock) / 1000, b);
        buf_puts(b, "]}");
    } else if (rq->accept.yaml) {
        yaml_print(obj, YAML_SORTED, b);
    } else {
        json_print(obj,
                   rest_flag(rq->h, "pretty") || rq->accept.pretty
                       ? JSON_PRETTY
                       : JSON_COMPACT,
                   b);
    }
}

void
rest_object(struct rest *rq, int code, struct json *obj)
{
    struct buf b = BUF_INIT(BUF_TEXT_MAX);

    if (!obj) {
        rest_fail(rq);
        return;
    }
    if (rq->accept.form == ACCEPT_METADATA_LIST) {
        json_free(obj);
        status_set(&rq->st, 500, NULL, "content is not a list");
        rest_fail(rq);
        return;
    }
    send_warnings(rq);
    print_form(rq, obj, &b);
    json_free(obj);
    buf_putc(&b, '\n');
    http_reply_buf(rq->h, code, rq->accept.yaml ? "application/yaml" : NULL,
                   &b);
}

/* ---- parameters of writes ---- */

static bool
bad_option(struct rest *rq, const char *options, const char *field,
           const char *value, const char *supported)
{
    AUTO(schema_findings_release) struct schema_findings bad = {0};

    schema_findings_add(&bad, field, "FieldValueNotSupported",
                        "Unsupported value: \"%s\": supported values: %s",
                        value, supported);
    return status_invalid(&rq->st, "meta.k8s.io", options, "", &bad);
}

/* What a request without fieldManager is called: its User-Agent up to "/". */
static const char *
default_manager(struct rest *rq)
{
    const char *agent = http_header(rq->h, "User-Agent");
    struct str head, tail;

    str_cut(str_of(agent ? agent : ""), '/', &head, &tail);
    head = str_sub(head, 0, 128);
    return head.n ? arena_dup(rq->h->arena, head) : "unknown";
}

bool
rest_write_options(struct rest *rq, const char *options,
                   struct registry_write *w)
{
    static const struct {
        const char *text;
        enum registry_validation v;
    } modes[] = {{"", VALIDATE_WARN},
                 {"Ignore", VALIDATE_IGNORE},
                 {"Strict", VALIDATE_STRICT},
                 {"Warn", VALIDATE_WARN}};
    const char *manager = http_param(rq->h, "fieldManager");
    const char *dry = http_param(rq->h, "dryRun");
    const char *mode = http_param(rq->h, "fieldValidation");
    size_t i = 0;

    if (dry && *dry && strcmp(dry, "All") != 0)
        return bad_option(rq, options, "dryRun", dry, "\"All\"");
    while (mode && i < ARRAY_LEN(modes) && strcmp(mode, modes[i].text) != 0)
        i++;
    if (i == ARRAY_LEN(modes))
        return bad_option(rq, options, "fieldValidation", mode,
                          "\"\", \"Ignore\", \"Strict\", \"Warn\"");
    *w = (struct registry_write){
        .manager = manager && *manager ? manager : default_manager(rq),
        .who = rq->h->who,
        .subresource = rq->sub,
        .dry_run = dry && *dry,
        .force = rest_flag(rq->h, "force"),
        .validation = modes[i].v,
        .warnings = &rq->warnings,
    };
    return true;
}

/* ---- routing ---- */

static bool
knows_sub(const struct rest *rq)
{
    if (!rq->sub)
        return true;
    if (!strcmp(rq->sub, "status"))
        return rq->k->has_status;
    if (!strcmp(rq->sub, "scale"))
        return kind_info(rq->k)->scale_spec != NULL;
    return !strcmp(rq->sub, "finalize") && rq->k->builtin &&
           !strcmp(rq->k->plural, "namespaces");
}

struct verb {
    const char *method;
    const char *name; /* as in "create is not supported" */
    void (*item)(struct rest *rq);
    void (*collection)(struct rest *rq);
    bool sub; /* also on subresources */
};

static void
get_or_watch(struct rest *rq)
{
    if (rq->watch_path || rest_flag(rq->h, "watch"))
        rest_watch(rq);
    else
        rest_list(rq);
}

static void
no_name(struct rest *rq)
{
    status_bad_request(&rq->st, "name must be provided");
    rest_fail(rq);
}

static const struct verb verbs[] = {
    {"GET", "get", rest_get, get_or_watch, true},
    {"HEAD", "get", rest_get, get_or_watch, true},
    {"POST", "create", rest_create, rest_create, false},
    {"PUT", "update", rest_update, no_name, true},
    {"PATCH", "patch", rest_patch, no_name, true},
    {"DELETE", "delete", rest_delete, rest_delete_collection, false},
};

static void
not_supported(struct rest *rq, const char *verb)
{
    const char *g = rq->k->group;

    status_set(&rq->st, 405, "MethodNotAllowed",
               "%s is not supported on resources of kind \"%s%s%s\"", verb,
               rq->k->plural, *g ? "." : "", g);
    status_about(&rq->st, g, rq->k->plural, NULL);
    rest_fail(rq);
}

static void
dispatch(struct rest *rq)
{
    size_t i = 0;

    while (i < ARRAY_LEN(verbs) && strcmp(verbs[i].method, rq->h->method) != 0)
        i++;
    if (i == ARRAY_LEN(verbs)) {
        not_supported(rq, "request");
        return;
    }
    if (!knows_sub(rq)) {
        status_not_found(&rq->st, rq->k->group, rq->k->plural, rq->name);
        rest_fail(rq);
    } else if (rq->sub && !verbs[i].sub) {
        not_supported(rq, verbs[i].name);
    } else if (!rq->name && !strcmp(rq->h->method, "DELETE") &&
               !builtin_serves(kind_info(rq->k), "deletecollection")) {
        not_supported(rq, "deletecollection");
    } else if (rq->name && !rq->watch_path) {
        verbs[i].item(rq);
    } else {
        verbs[i].collection(rq);
    }
}

/* The segments after the group and version. False: no such page. */
static bool
route(struct rest *rq, const char *group, const char *version, size_t i)
{
    const struct url *u = &rq->h->url;
    const char *const *s = u->segments + i;
    size_t n = u->segments_n - i;
    const char *plural;

    if (n && !strcmp(s[0], "watch")) {
        rq->watch_path = true;
        s++;
        n--;
    }
    rq->ns = "";
    if (n >= 3 && !strcmp(s[0], "namespaces") &&
        !(n == 3 && !*group &&
          (!strcmp(s[2], "status") || !strcmp(s[2], "finalize")))) {
        rq->ns = s[1];
        s += 2;
        n -= 2;
    }
    if (!n || n > 3)
        return false;
    plural = s[0];
    rq->name = n > 1 ? s[1] : NULL;
    rq->sub = n > 2 ? s[2] : NULL;
    rq->k = registry_resource(rq->r, group, version, plural);
    if (!rq->k || (*rq->ns && !rq->k->namespaced))
        return false;
    /* All namespaces at once can only be listed and watched. */
    return !rq->k->namespaced || *rq->ns ||
           (!rq->name && (!strcmp(rq->h->method, "GET") ||
                          !strcmp(rq->h->method, "HEAD"))) ||
           (rq->watch_path && rq->name);
}

static void
serve_resource(struct rest *rq, const char *group, const char *version,
               size_t i)
{
    const char *timeout = http_param(rq->h, "timeout");

    if (!route(rq, group, version, i)) {
        rest_no_page(rq->h);
        return;
    }
    if (timeout && *timeout && strcspn(timeout, "0123456789") != 0) {
        status_bad_request(&rq->st,
                           "invalid timeout specified in the request URL - "
                           "time: invalid duration \"%s\"",
                           timeout);
        rest_fail(rq);
        return;
    }
    if (!negotiate_accept(http_header(rq->h, "Accept"), ALLOW_TRANSFORMS,
                          &rq->accept, &rq->st))
        rest_fail(rq);
    else
        dispatch(rq);
}

void
rest_handle(void *arg, struct http_request *h)
{
    struct rest rq = {.r = arg, .h = h, .ns = ""};
    const char *const *s = h->url.segments;
    size_t n = h->url.segments_n;

    if (discovery_serve(&rq) || openapi_serve(&rq))
        ;
    else if (n > 2 && !strcmp(s[0], "api") && !strcmp(s[1], "v1"))
        serve_resource(&rq, "", "v1", 2);
    else if (n > 3 && !strcmp(s[0], "apis"))
        serve_resource(&rq, s[1], s[2], 3);
    else
        rest_no_page(h);
    status_release(&rq.st);
    strlist_release(&rq.warnings);
}
