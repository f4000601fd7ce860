#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/rest.h"
#include "devenv/sandbox/table.h"

/* How the events of a kind look in one form; shared by all its watches. */
struct view {
    struct registry *r;
    struct kind_info *k; /* kept */
    enum accept_form form;
    enum table_include include;
    char version[16];
};

static const char *const type_names[] = {[HUB_ADDED] = "ADDED",
                                         [HUB_MODIFIED] = "MODIFIED",
                                         [HUB_DELETED] = "DELETED"};

/* The bytes say rev themselves, as nearly always. */
static bool
says_revision(struct blob *b, int64_t rev)
{
    char want[48];

    snprintf(want, sizeof(want), "\"resourceVersion\":\"%lld\"",
             (long long)rev);
    return str_contains(blob_view(b), str_of(want));
}

static void
put_table(const struct view *v, const struct json *obj, int64_t rev, bool first,
          struct buf *out)
{
    buf_printf(out,
               "{\"kind\":\"Table\",\"apiVersion\":\"meta.k8s.io/%s\","
               "\"metadata\":{\"resourceVersion\":\"%lld\"},",
               v->version, (long long)rev);
    if (first)
        sandbox_table_columns(v->k, out);
    else
        buf_puts(out, "\"columnDefinitions\":null");
    buf_puts(out, ",\"rows\":[");
    sandbox_table_row(v->k, obj, v->include, v->version,
                      clock_wall_ms(v->r->clock) / 1000, out);
    buf_puts(out, "]}");
}

static void
put_object(const struct view *v, struct blob *b, int64_t rev, bool first,
           struct buf *out)
{
    AUTO(json_free_ptr) struct json *obj = NULL;
    struct str head;
    size_t skip = stored_raw_head(v->k, blob_view(b), &head);
    char text[24];

    if (v->form == ACCEPT_OBJECT && skip != SIZE_MAX && says_revision(b, rev)) {
        if (skip) {
            buf_puts(out, "{\"apiVersion\":\"");
            buf_str(out, head);
        }
        buf_str(out, str_from(blob_view(b), skip));
        return;
    }
    obj = stored_read(&v->k->pub, b);
    snprintf(text, sizeof(text), "%lld", (long long)rev);
    json_set_string(json_get(obj, "metadata"), "resourceVersion", text);
    if (v->form == ACCEPT_TABLE)
        put_table(v, obj, rev, first, out);
    else if (v->form == ACCEPT_METADATA)
        sandbox_table_metadata(obj, v->version, out);
    else
        json_print(obj, JSON_COMPACT, out);
}

static void
view_event(void *arg, enum hub_type type, struct blob *b, int64_t rev,
           bool first, struct buf *out)
{
    buf_printf(out, "{\"type\":\"%s\",\"object\":", type_names[type]);
    put_object(arg, b, rev, first, out);
    buf_puts(out, "}\n");
}

static void
view_bookmark(void *arg, int64_t rev, bool initial_end, bool first,
              struct buf *out)
{
    const struct view *v = arg;
    AUTO(json_free_ptr) struct json *obj = json_new_object();
    struct json *meta;
    char text[24];

    snprintf(text, sizeof(text), "%lld", (long long)rev);
    json_set_string(obj, "kind", v->k->pub.kind);
    json_set_string(obj, "apiVersion", v->k->pub.api_version);
    meta = json_set(obj, "metadata", json_new_object());
    json_set_string(meta, "resourceVersion", text);
    if (initial_end)
        json_set_string(json_need_object(meta, "annotations"),
                        "k8s.io/initial-events-end", "true");
    buf_puts(out, "{\"type\":\"BOOKMARK\",\"object\":");
    if (v->form == ACCEPT_TABLE)
        put_table(v, obj, rev, first, out);
    else if (v->form == ACCEPT_METADATA)
        sandbox_table_metadata(obj, v->version, out);
    else
        json_print(obj, JSON_COMPACT, out);
    buf_puts(out, "}\n");
}

static void
view_free(void *arg)
{
    struct view *v = arg;

    kind_drop(v->k);
    free(v);
}

static const struct hub_view_ops view_ops = {view_event, view_bookmark,
                                             view_free};

/* One name for each form of a kind. */
static char *
view_name(const struct kind_info *k, enum accept_form form,
          enum table_include include, const char *version)
{
    return mem_printf("%s;%d;%d;%s", k->view, (int)form, (int)include,
                      version ? version : "");
}

static struct hub_view *
find_view(struct rest *rq, enum table_include include)
{
    struct view *v = mem_zalloc(1, sizeof(*v));
    AUTO(mem_free_ptr) char *name = NULL;

    v->r = rq->r;
    v->k = kind_keep(kind_info(rq->k));
    v->form = rq->accept.form == ACCEPT_METADATA_LIST ? ACCEPT_METADATA
                                                      : rq->accept.form;
    v->include = include;
    snprintf(v->version, sizeof(v->version), "%s",
             rq->accept.version ? rq->accept.version : "");
    name = view_name(v->k, v->form, include, v->version);
    return hub_view(rq->r->hub, name, &view_ops, v);
}

void
registry_drop_views(struct registry *r, const struct kind_info *k)
{
    static const char *const versions[] = {"", "v1", "v1beta1"};

    for (int form = ACCEPT_OBJECT; r->hub && form <= ACCEPT_METADATA; form++) {
        for (int include = 0; include <= INCLUDE_NONE; include++) {
            for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
                AUTO(mem_free_ptr)
                char *name =
                    view_name(k, (enum accept_form)form,
                              (enum table_include)include, versions[i]);

                hub_view_drop(r->hub, name);
            }
        }
    }
}

/* ---- the request ---- */

static bool
filter_match(void *arg, struct blob *b)
{
    return rest_filter_match(arg, b);
}

static void
filter_free(void *arg)
{
    struct rest_filter *f = arg;

    kind_drop((struct kind_info *)f->k);
    rest_filter_release(f);
    free(f);
}

/* The combinations that ValidateListOptions refuses. */
static bool
check_initial(struct rest *rq)
{
    static const char field[] = "resourceVersionMatch";
    const char *match = http_param(rq->h, field);
    const char *next = http_param(rq->h, "continue");
    const char *rv = http_param(rq->h, "resourceVersion");
    bool asked = http_param(rq->h, "sendInitialEvents") != NULL;
    bool given = match && *match;
    bool right = given && !strcmp(match, "NotOlderThan");
    /* A watch from now on asks for its initial events without saying so. */
    bool implied = !asked && !given && (!rv || !*rv || !strcmp(rv, "0"));
    AUTO(schema_findings_release) struct schema_findings bad = {0};

    if (asked && !right)
        schema_findings_add(&bad, field, "FieldValueForbidden",
                            "Forbidden: sendInitialEvents requires setting "
                            "resourceVersionMatch to NotOlderThan");
    if (given && !asked)
        schema_findings_add(&bad, field, "FieldValueForbidden",
                            "Forbidden: resourceVersionMatch is forbidden for "
                            "watch unless sendInitialEvents is provided");
    if (next && *next && (given || implied))
        schema_findings_add(&bad, field, "FieldValueForbidden",
                            "Forbidden: resourceVersionMatch is forbidden "
                            "when continue is provided");
    if (given && !right)
        schema_findings_add(&bad, field, "FieldValueNotSupported",
                            "Unsupported value: \"%s\": supported values: "
                            "\"NotOlderThan\"",
                            match);
    if (!bad.n)
        return true;
    return status_invalid(&rq->st, "meta.k8s.io", "ListOptions", "", &bad);
}

/* Where the stream begins. False: answered or in st. */
static bool
read_start(struct rest *rq, struct hub_watch_options *o)
{
    const char *rv = http_param(rq->h, "resourceVersion");
    const char *initial = http_param(rq->h, "sendInitialEvents");
    bool none = !rv || !*rv || !strcmp(rv, "0");
    int64_t now = store_committed(rq->r->store);

    o->initial = initial ? rest_flag(rq->h, "sendInitialEvents") : none;
    o->since = now;
    if (none)
        return true;
    if (!str_to_i64(str_of(rv), &o->since) || o->since < 0)
        return status_set(&rq->st, 500, NULL,
                          "resourceVersion: Invalid value: \"%s\": "
                          "strconv.ParseUint: parsing \"%s\": invalid syntax",
                          rv, rv);
    if (o->since > store_rev(rq->r->store)) {
        http_reply(rq->h, 200, NULL, (struct str){0});
        rq->h = NULL;
        return false;
    }
    return true;
}

static void
reply_gone(struct rest *rq, int64_t since)
{
    struct buf b = BUF_INIT(4096);

    status_set(&rq->st, 410, "Expired", "too old resource version: %lld (%lld)",
               (long long)since, (long long)store_oldest(rq->r->store));
    buf_puts(&b, "{\"type\":\"ERROR\",\"object\":");
    status_print(&rq->st, false, &b);
    buf_truncate(&b, b.n - 1);
    buf_puts(&b, "}\n");
    http_reply_buf(rq->h, 200, NULL, &b);
}

/* What the selectors leave of a kind: one object is a walk of its events. */
static void
narrow(const struct rest *rq, const struct rest_filter *f,
       struct hub_watch_options *o)
{
    const char *name = selector_fields_exact(&f->fields, "metadata.name");
    const char *ns = selector_fields_exact(&f->fields, "metadata.namespace");

    o->kind = str_of(f->k->store_kind);
    o->ns = str_of(*rq->ns ? rq->ns : ns && f->k->pub.namespaced ? ns : "");
    o->name = str_of(rq->name ? rq->name : name ? name : "");
}

/* Filters by their own words: the same words of a kind are the same filter. */
static void
set_filter(const struct rest *rq, struct rest_filter *f,
           struct hub_watch_options *o, struct buf *name)
{
    static const char *const words[] = {"labelSelector", "fieldSelector"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        const char *given = http_param(rq->h, words[i]);

        buf_puts(name, given ? given : "");
        buf_putc(name, '\n');
    }
    o->filter = filter_match;
    o->filter_arg = f;
    o->filter_free = filter_free;
    o->filter_name = name->over ? NULL : buf_cstr(name);
}

static bool
only_name(const struct rest_filter *f)
{
    return !f->labels.n && f->fields.n == 1 &&
           selector_fields_exact(&f->fields, "metadata.name");
}

void
rest_watch(struct rest *rq)
{
    struct rest_filter *f = mem_zalloc(1, sizeof(*f));
    AUTO(buf_release) struct buf words = BUF_INIT(16384);
    struct hub_watch_options o = {0};
    enum table_include include;
    struct error err = {0};
    int64_t seconds = 0, limit;

    if (!rest_number(rq, "limit", &limit) ||
        !rest_number(rq, "timeoutSeconds", &seconds) || !check_initial(rq) ||
        !read_start(rq, &o) ||
        !sandbox_table_include(http_param(rq->h, "includeObject"), &include,
                               &rq->st) ||
        !rest_filter_read(rq, f)) {
        free(f);
        if (rq->h)
            rest_fail(rq);
        return;
    }
    kind_keep((struct kind_info *)f->k);
    narrow(rq, f, &o);
    o.view = find_view(rq, include);
    if (seconds > 0)
        o.timeout_ms = MIN(seconds, 86400) * 1000;
    o.bookmarks = rest_flag(rq->h, "allowWatchBookmarks");
    o.initial_end_bookmark = o.initial && o.bookmarks;
    if ((f->labels.n || f->fields.n) && !only_name(f))
        set_filter(rq, f, &o, &words);
    if (!hub_watch(rq->r->hub, rq->h, &o, &err))
        reply_gone(rq, o.since);
    if (!o.filter)
        filter_free(f);
}
