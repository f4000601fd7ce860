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

bool
rest_pretty(const struct rest *rq)
{
    return rq->accept.pretty ||
           negotiate_pretty(http_param(rq->h, "pretty"),
                            http_header(rq->h, "User-Agent"));
}

/* A refusal is a Status, whatever form of the object was asked for; to those
 * who take no Status the real server prints it for people. */
void
rest_warn(struct rest *rq, const char *text)
{
    strlist_add(&rq->warnings, str_of(text));
    send_warnings(rq);
    strlist_release(&rq->warnings);
}

void
rest_fail(struct rest *rq)
{
    AUTO(status_release) struct status none = {0};
    AUTO(json_free_ptr) struct json *j = status_json(&rq->st);
    char seconds[16];

    send_warnings(rq);
    if (rq->st.retry_after_s > 0) {
        snprintf(seconds, sizeof(seconds), "%d", rq->st.retry_after_s);
        http_set_header(rq->h, "Retry-After", seconds);
    }
    if (!negotiate_accept(http_header(rq->h, "Accept"), 0, &rq->accept, &none))
        rq->accept = (struct accept){.pretty = true};
    rest_reply(rq, rq->st.code, j);
}

void
rest_reply(struct rest *rq, int code, const struct json *j)
{
    struct buf b = BUF_INIT(BUF_TEXT_MAX);

    if (rq->accept.yaml)
        yaml_print(j, YAML_SORTED, &b);
    else
        json_print(j, JSON_HTML | (rest_pretty(rq) ? JSON_PRETTY : 0), &b);
    if (!rq->accept.yaml)
        buf_putc(&b, '\n');
    http_reply_buf(rq->h, code, rq->accept.yaml ? "application/yaml" : NULL,
                   &b);
}

void
rest_no_page(struct http_request *h)
{
    http_set_header(h, "X-Content-Type-Options", "nosniff");
    http_reply(h, 404, "text/plain; charset=utf-8",
               STR("404 page not found\n"));
}

/* Tables and metadata alone, as text. */
static void
print_form(struct rest *rq, const struct json *obj, enum table_include include,
           struct buf *b)
{
    const char *version = rq->accept.version;
    const char *rev =
        json_string_or(json_at(obj, "metadata", "resourceVersion", NULL), "");

    if (rq->accept.form == ACCEPT_METADATA) {
        sandbox_table_metadata(obj, version, b);
        return;
    }
    buf_printf(b,
               "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/%s\","
               "\"metadata\":{\"resourceVersion\":\"%s\"},",
               version, rev);
    sandbox_table_columns(kind_info(rq->k), b);
    buf_puts(b, ",\"rows\":[");
    sandbox_table_row(kind_info(rq->k), obj, include, version,
                      clock_wall_ms(rq->r->clock) / 1000, b);
    buf_puts(b, "]}");
}

/* The package and name of the type that the real server has for k. */
static void
put_go_type(const struct kind *k, bool list, struct buf *b)
{
    struct str package, rest;

    if (!k->builtin) {
        buf_puts(b, list ? "*unstructured.UnstructuredList"
                         : "*unstructured.Unstructured");
        return;
    }
    str_cut(str_of(k->group), '.', &package, &rest);
    if (!package.n || str_eqz(package, "events"))
        package = STR("core");
    buf_printf(b, "*%.*s.%s", STR_ARG(package), list ? k->list_kind : k->kind);
}

bool
rest_check_form(struct rest *rq, bool list)
{
    enum accept_form wrong = list ? ACCEPT_METADATA : ACCEPT_METADATA_LIST;
    AUTO(buf_release) struct buf type = BUF_INIT(1024);

    if (rq->accept.form != wrong)
        return true;
    if (!list && !rq->k->builtin)
        return status_set(&rq->st, 500, NULL, "content is not a list");
    put_go_type(rq->k, list, &type);
    return status_set(&rq->st, 406, "NotAcceptable",
                      "you requested PartialObjectMetadata%s, but the "
                      "requested object is %sa list (%s)",
                      list ? "" : "List", list ? "" : "not ", buf_cstr(&type));
}

void
rest_text(struct rest *rq, int code, struct buf *b)
{
    AUTO(json_free_ptr) struct json *j = NULL;

    if (rq->accept.yaml || rest_pretty(rq)) {
        j = json_parse(buf_view(b), NULL, NULL);
        buf_release(b);
        rest_reply(rq, code, j);
        return;
    }
    buf_putc(b, '\n');
    http_reply_buf(rq->h, code, NULL, b);
}

void
rest_object(struct rest *rq, int code, struct json *obj)
{
    struct buf b = BUF_INIT((size_t)1 << 30);
    enum table_include include;

    if (!obj || !rest_check_form(rq, false) ||
        !sandbox_table_include(http_param(rq->h, "includeObject"), &include,
                               &rq->st)) {
        json_free(obj);
        rest_fail(rq);
        return;
    }
    send_warnings(rq);
    if (rq->accept.form == ACCEPT_OBJECT) {
        rest_reply(rq, code, obj);
    } else {
        print_form(rq, obj, include, &b);
        rest_text(rq, code, &b);
    }
    json_free(obj);
}

/* ---- the beginning ---- */

void
rest_handle(void *arg, struct http_request *h)
{
    struct rest rq = {.r = arg, .h = h, .ns = ""};
    const char *const *s = h->url.segments;
    size_t n = h->url.segments_n;

    if (!rest_check_timeout(&rq)) {
        rest_fail(&rq);
        status_release(&rq.st);
        return;
    }
    if (h->url.doubled)
        rest_nowhere(&rq);
    else if (discovery_serve(&rq) || openapi_serve(&rq))
        ;
    else if (n > 2 && !strcmp(s[0], "api") && !strcmp(s[1], "v1"))
        rest_route(&rq, "", "v1", 2);
    else if (n > 3 && !strcmp(s[0], "apis"))
        rest_route(&rq, s[1], s[2], 3);
    else if (n == 1 && !strcmp(s[0], "version"))
        rest_no_method(&rq);
    else
        rest_nowhere(&rq);
    status_release(&rq.st);
    strlist_release(&rq.warnings);
}
