/*
 * Design: a list collects blobs, which are shared and not copied, and only
 * then prints the head with the continue token. Stored bytes go out as they
 * are; where another version was asked for, their first member is replaced.
 */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/builtin.h"
#include "devenv/sandbox/continue.h"
#include "devenv/sandbox/rest.h"
#include "devenv/sandbox/scale.h"
#include "devenv/sandbox/table.h"

#define ITEMS_MAX 1000000

/* ---- selectors ---- */

bool
rest_filter_read(struct rest *rq, struct rest_filter *f)
{
    const char *labels = http_param(rq->h, "labelSelector");
    const char *fields = http_param(rq->h, "fieldSelector");

    f->k = kind_info(rq->k);
    if (labels && !selector_labels_parse(str_of(labels), &f->labels, &rq->st))
        return false;
    if (fields && !selector_fields_parse(str_of(fields), &f->fields, &rq->st)) {
        rest_filter_release(f);
        return false;
    }
    for (size_t i = 0; i < f->fields.n; i++) {
        if (rest_field_check(f->k, f->fields.v[i].key, &rq->st))
            continue;
        rest_filter_release(f);
        return false;
    }
    return true;
}

void
rest_filter_release(struct rest_filter *f)
{
    selector_release(&f->labels);
    selector_release(&f->fields);
}

bool
rest_filter_match(const struct rest_filter *f, struct blob *b)
{
    AUTO(json_free_ptr) struct json *obj = NULL;
    struct rest_fields s = {.k = f->k, .text = BUF_INIT(4096)};
    bool match;

    if (f->labels.n && !stored_labels_match(&f->labels, b))
        return false;
    if (!f->fields.n)
        return true;
    s.obj = obj = json_parse(blob_view(b), NULL, NULL);
    match = selector_fields_match(&f->fields, rest_field_value, &s);
    buf_release(&s.text);
    return match;
}

/* ---- one object ---- */

/* Go's ParseUint of 64 bits, in its words. */
static bool
read_revision(const char *text, uint64_t *n, struct buf *why)
{
    size_t digits = strspn(text, "0123456789");

    if (*text && !text[digits] && str_to_u64(str_of(text), n))
        return true;
    buf_printf(why,
               "resourceVersion: Invalid value: \"%s\": strconv.ParseUint: "
               "parsing \"%s\": %s",
               text, text,
               *text && !text[digits] ? "value out of range"
                                      : "invalid syntax");
    return false;
}

/* resourceVersion: only one from the future matters here. */
static bool
check_future(struct rest *rq, bool list)
{
    const char *want = http_param(rq->h, "resourceVersion");
    AUTO(buf_release) struct buf why = BUF_INIT(URL_MAX * 4);
    uint64_t n, now = (uint64_t)store_rev(rq->r->store);

    if (!want || !*want)
        return true;
    if (!read_revision(want, &n, &why))
        return list
                   ? status_bad_request(&rq->st, "invalid resource version: %s",
                                        buf_cstr(&why))
                   : status_set(&rq->st, 500, NULL, "%s", buf_cstr(&why));
    if (n <= now)
        return true;
    status_set(&rq->st, 504, "Timeout",
               "Timeout: Too large resource version: %llu, current: %llu",
               (unsigned long long)n, (unsigned long long)now);
    status_cause(&rq->st, "ResourceVersionTooLarge", NULL,
                 "Too large resource version");
    json_set_int(rq->st.details, "retryAfterSeconds", 1);
    rq->st.retry_after_s = 1;
    return false;
}

/* Where the members after apiVersion and kind begin; SIZE_MAX: the text does
 * not begin with them. */
static size_t
after_type(struct str text)
{
    struct str kind = STR("\",\"kind\":\""), end = STR("\",");
    size_t at = str_find(str_sub(text, 0, 1024), kind, 0);

    if (!str_starts(text, STR("{\"apiVersion\":\"")) || at == SIZE_MAX)
        return SIZE_MAX;
    at = str_find(str_sub(text, 0, 1024), end, at + kind.n);
    return at == SIZE_MAX ? at : at + end.n;
}

/* The items of a list of built-in objects do not say what they are. */
static void
add_untyped(const struct kind_info *k, struct blob *b, struct http_parts *parts)
{
    AUTO(json_free_ptr) struct json *obj = NULL;
    AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);
    size_t skip = k->builtin && k->builtin->from_stored
                      ? SIZE_MAX
                      : after_type(blob_view(b));

    if (skip != SIZE_MAX) {
        http_parts_text(parts, STR("{"));
        http_parts_blob(parts, b, skip, b->n - skip);
        return;
    }
    obj = rest_untyped(stored_read(&k->pub, b));
    json_print(obj, JSON_COMPACT, &text);
    http_parts_text(parts, buf_view(&text));
}

struct json *
rest_untyped(struct json *obj)
{
    json_del(obj, "apiVersion");
    json_del(obj, "kind");
    return obj;
}

static void
add_item(const struct kind_info *k, struct blob *b, struct http_parts *parts)
{
    struct str head;
    size_t skip = stored_raw_head(k, blob_view(b), &head);

    if (skip == SIZE_MAX) {
        AUTO(json_free_ptr) struct json *obj = stored_read(&k->pub, b);
        AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);

        json_print(obj, JSON_COMPACT, &text);
        http_parts_text(parts, buf_view(&text));
        return;
    }
    if (skip) {
        http_parts_text(parts, STR("{\"apiVersion\":\""));
        http_parts_text(parts, head);
    }
    http_parts_blob(parts, b, skip, b->n - skip);
}

static bool
plain(const struct rest *rq)
{
    return rq->accept.form == ACCEPT_OBJECT && !rq->accept.yaml &&
           !rest_pretty(rq);
}

void
rest_get(struct rest *rq)
{
    struct store_item it;
    struct http_parts parts = {0};

    if (!check_future(rq, false)) {
        rest_fail(rq);
    } else if (!stored_find(rq->r, rq->k, rq->ns, rq->name, &it)) {
        status_not_found(&rq->st, rq->k->group, rq->k->plural, rq->name);
        rest_fail(rq);
    } else if (rq->sub && !strcmp(rq->sub, "scale")) {
        AUTO(json_free_ptr)
        struct json *obj = stored_read(rq->k, it.json);

        if (scale_known(rq->k, obj, &rq->st))
            rest_object(rq, 200, scale_of(rq->k, obj));
        else
            rest_fail(rq);
    } else if (!plain(rq)) {
        rest_object(rq, 200, stored_read(rq->k, it.json));
    } else {
        add_item(kind_info(rq->k), it.json, &parts);
        http_parts_text(&parts, STR("\n"));
        http_reply_parts(rq->h, 200, NULL, &parts);
    }
}

/* ---- lists ---- */

struct list {
    struct rest *rq;
    struct rest_filter f;
    int64_t rev;   /* shown as the list's */
    int64_t at;    /* 0: now, else an older revision */
    int64_t limit; /* 0: none */
    bool inconsistent;
    struct buf from; /* key to go on after */
    struct blob **v; /* each kept */
    size_t n, cap;
    struct buf last; /* key of the last item */
    int64_t remaining;
    bool more;
};

static void
list_release(struct list *l)
{
    for (size_t i = 0; i < l->n; i++)
        blob_drop(l->v[i]);
    free(l->v);
    buf_release(&l->from);
    buf_release(&l->last);
    rest_filter_release(&l->f);
}

static bool
bad_options(struct rest *rq, const struct schema_findings *bad)
{
    return status_invalid(&rq->st, "meta.k8s.io", "ListOptions", "", bad);
}

static bool
read_match(struct rest *rq)
{
    const char *rv = http_param(rq->h, "resourceVersion");
    const char *match = http_param(rq->h, "resourceVersionMatch");
    const char *next = http_param(rq->h, "continue");
    const char *field = "resourceVersionMatch";
    AUTO(schema_findings_release) struct schema_findings bad = {0};

    if (match && *match) {
        if (!rv || !*rv)
            schema_findings_add(&bad, field, "FieldValueForbidden",
                                "Forbidden: resourceVersionMatch is forbidden "
                                "unless resourceVersion is provided");
        if (next && *next)
            schema_findings_add(&bad, field, "FieldValueForbidden",
                                "Forbidden: resourceVersionMatch is forbidden "
                                "when continue is provided");
        if (strcmp(match, "Exact") != 0 && strcmp(match, "NotOlderThan") != 0)
            schema_findings_add(&bad, field, "FieldValueNotSupported",
                                "Unsupported value: \"%s\": supported values: "
                                "\"Exact\", \"NotOlderThan\", \"\"",
                                match);
        if (!strcmp(match, "Exact") && rv && !strcmp(rv, "0"))
            schema_findings_add(&bad, field, "FieldValueForbidden",
                                "Forbidden: resourceVersionMatch \"exact\" is "
                                "forbidden for resourceVersion \"0\"");
    }
    if (http_param(rq->h, "sendInitialEvents"))
        schema_findings_add(&bad, "sendInitialEvents", "FieldValueForbidden",
                            "Forbidden: sendInitialEvents is forbidden for "
                            "list");
    return !bad.n || bad_options(rq, &bad);
}

bool
rest_number(struct rest *rq, const char *name, int64_t *out)
{
    const char *text = http_param(rq->h, name);
    size_t sign, digits;
    bool number;

    *out = 0;
    if (!text)
        return true;
    sign = *text == '-' || *text == '+';
    digits = strspn(text + sign, "0123456789");
    number = digits && !text[sign + digits];
    if (number && str_to_i64(str_of(text + (*text == '+')), out))
        return true;
    return status_bad_request(&rq->st, "strconv.ParseInt: parsing \"%s\": %s",
                              text,
                              number ? "value out of range" : "invalid syntax");
}

/* Numbers are read before anything else is looked at. */
static bool
read_numbers(struct list *l)
{
    int64_t seconds;

    if (!rest_number(l->rq, "limit", &l->limit) ||
        !rest_number(l->rq, "timeoutSeconds", &seconds))
        return false;
    l->limit = MAX(l->limit, 0);
    return true;
}

static bool
too_old(struct list *l, bool continued)
{
    struct rest *rq = l->rq;
    struct buf token = BUF_INIT(8192);
    struct json *j;

    if (!continued)
        return status_set(&rq->st, 410, "Expired",
                          "The resourceVersion for the provided list is too "
                          "old.");
    status_set(&rq->st, 410, "Expired",
               "The provided continue parameter is too old to display a "
               "consistent list result. You can start a new list without the "
               "continue parameter, or use the continue token in this response "
               "to retrieve the remainder of the results. Continuing with the "
               "provided token results in an inconsistent list - objects that "
               "were created, modified, or deleted between the time the first "
               "chunk was returned and now may show up in the list.");
    continue_encode(-1, false, buf_view(&l->from), &token);
    j = status_json(&rq->st);
    json_set_string(json_get(j, "metadata"), "continue", buf_cstr(&token));
    buf_release(&token);
    http_reply_json(rq->h, 410, j);
    json_free(j);
    rq->h = NULL;
    return false;
}

static bool
at_revision(struct list *l, int64_t rev, bool continued)
{
    if (rev == store_rev(l->rq->r->store))
        return true;
    if (rev < store_oldest(l->rq->r->store))
        return too_old(l, continued);
    l->at = l->rev = rev;
    return true;
}

/* Which state is shown: resourceVersion and its match. */
static bool
read_version(struct list *l)
{
    struct rest *rq = l->rq;
    const char *rv = http_param(rq->h, "resourceVersion");
    const char *match = http_param(rq->h, "resourceVersionMatch");
    const char *next = http_param(rq->h, "continue");
    int64_t rev = 0;

    l->rev = store_rev(rq->r->store);
    if (rv && !strcmp(rv, "0"))
        l->limit = 0;
    if (next && *next) {
        if (!continue_decode(str_of(next), &rev, &l->from, &rq->st))
            return false;
        if (rv && *rv && strcmp(rv, "0") != 0)
            return status_bad_request(&rq->st, "specifying resource version "
                                               "is not allowed when using "
                                               "continue");
        return rev == -1 || at_revision(l, rev, true);
    }
    if (!check_future(rq, true))
        return false;
    if (!rv || !*rv)
        return true;
    if (!strcmp(rv, "0"))
        return true;
    str_to_i64(str_of(rv), &rev);
    if ((match && !strcmp(match, "Exact")) || (l->limit && !(match && *match)))
        return at_revision(l, rev, false);
    return true;
}

/* A field selector on the name alone is a look-up. */
static bool
wanted_key(const struct list *l, const struct store_item *it)
{
    const char *name = selector_fields_exact(&l->f.fields, "metadata.name");

    return !name || str_eqz(it->name, name);
}

static void
walk(struct list *l)
{
    struct rest *rq = l->rq;
    struct store_cursor c;
    struct store_item it;
    struct buf from = BUF_INIT(8192);
    bool all = !l->f.labels.n && !l->f.fields.n;

    if (l->from.n) {
        /* Keys after this one: a NUL sorts before every other byte. */
        if (*rq->ns && !memchr(l->from.s, '/', l->from.n))
            buf_printf(&from, "%s/", rq->ns);
        buf_str(&from, buf_view(&l->from));
        buf_add(&from, "", 1);
    }
    store_scan(rq->r->store, str_of(kind_info(rq->k)->store_kind),
               str_of(rq->ns), buf_view(&from), l->at, &c);
    while (l->n < ITEMS_MAX && store_next_key(&c, &it)) {
        bool full = l->limit && l->n >= (size_t)l->limit;

        if (full && all) {
            l->more = true;
            l->remaining = 1 + (int64_t)store_left(&c);
            break;
        }
        if (!all && !wanted_key(l, &it))
            continue;
        it.json = store_item_json(&c, &it);
        if (!all && !rest_filter_match(&l->f, it.json))
            continue;
        if (full) {
            l->more = true;
            break;
        }
        l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(struct blob *));
        l->v[l->n++] = blob_keep(it.json);
        buf_reset(&l->last);
        buf_str(&l->last, *rq->ns ? it.name : it.key);
    }
    store_cursor_release(&c);
    buf_release(&from);
    if (!all)
        l->remaining = 0;
}

/* {"resourceVersion":"5","continue":"...","remainingItemCount":2} */
static void
put_list_meta(const struct list *l, struct buf *b)
{
    buf_printf(b, "\"metadata\":{\"resourceVersion\":\"%lld\"",
               (long long)l->rev);
    if (l->more) {
        buf_puts(b, ",\"continue\":\"");
        continue_encode(l->rev, l->rq->k->namespaced, buf_view(&l->last), b);
        buf_putc(b, '"');
    } else if (!l->rq->k->builtin && l->rq->accept.form == ACCEPT_OBJECT) {
        buf_puts(b, ",\"continue\":\"\"");
    }
    if (l->more && l->remaining)
        buf_printf(b, ",\"remainingItemCount\":%lld", (long long)l->remaining);
    buf_putc(b, '}');
}

static void
reply_parts(struct list *l)
{
    struct rest *rq = l->rq;
    struct buf head = BUF_INIT(16384);
    struct http_parts parts = {0};

    buf_printf(&head, "{\"kind\":\"%s\",\"apiVersion\":\"%s\",",
               rq->k->list_kind, rq->k->api_version);
    put_list_meta(l, &head);
    buf_puts(&head, ",\"items\":[");
    http_parts_text(&parts, buf_view(&head));
    buf_release(&head);
    for (size_t i = 0; i < l->n; i++) {
        if (i)
            http_parts_text(&parts, STR(","));
        if (rq->k->builtin)
            add_untyped(kind_info(rq->k), l->v[i], &parts);
        else
            add_item(kind_info(rq->k), l->v[i], &parts);
    }
    http_parts_text(&parts, STR("]}\n"));
    http_reply_parts(rq->h, 200, NULL, &parts);
}

static void
put_rows(struct list *l, enum table_include include, struct buf *b)
{
    struct rest *rq = l->rq;
    int64_t now = clock_wall_ms(rq->r->clock) / 1000;
    bool table = rq->accept.form == ACCEPT_TABLE;

    for (size_t i = 0; i < l->n; i++) {
        AUTO(json_free_ptr) struct json *obj = stored_read(rq->k, l->v[i]);

        buf_puts(b, i ? "," : "");
        if (table)
            sandbox_table_row(kind_info(rq->k), obj, include,
                              rq->accept.version, now, b);
        else
            sandbox_table_metadata(obj, rq->accept.version, b);
    }
}

static void
reply_form(struct list *l)
{
    struct rest *rq = l->rq;
    enum table_include include;
    struct buf b = BUF_INIT((size_t)1 << 30);
    bool table = rq->accept.form == ACCEPT_TABLE;

    if (!rest_check_form(rq, true) ||
        !sandbox_table_include(http_param(rq->h, "includeObject"), &include,
                               &rq->st)) {
        rest_fail(rq);
        return;
    }
    buf_printf(&b, "{\"kind\":\"%s\",\"apiVersion\":\"meta.k8s.io/%s\",",
               table ? "Table" : "PartialObjectMetadataList",
               rq->accept.version);
    put_list_meta(l, &b);
    buf_putc(&b, ',');
    if (table) {
        sandbox_table_columns(kind_info(rq->k), &b);
        buf_puts(&b, ",\"rows\":[");
    } else {
        buf_puts(&b, "\"items\":[");
    }
    put_rows(l, include, &b);
    buf_puts(&b, "]}");
    rest_text(rq, 200, &b);
}

/* YAML or indented: a tree, for people. */
static void
reply_tree(struct list *l)
{
    struct rest *rq = l->rq;
    struct json *list = json_new_object(), *items;
    AUTO(buf_release) struct buf meta = BUF_INIT(16384);
    AUTO(json_free_ptr) struct json *m = NULL;

    buf_putc(&meta, '{');
    put_list_meta(l, &meta);
    buf_putc(&meta, '}');
    m = json_parse(buf_view(&meta), NULL, NULL);
    json_set_string(list, "kind", rq->k->list_kind);
    json_set_string(list, "apiVersion", rq->k->api_version);
    json_set(list, "metadata", json_copy(json_get(m, "metadata")));
    items = json_set(list, "items", json_new_array());
    for (size_t i = 0; i < l->n; i++) {
        struct json *obj = stored_read(rq->k, l->v[i]);

        json_append(items, rq->k->builtin ? rest_untyped(obj) : obj);
    }
    rest_reply(rq, 200, list);
    json_free(list);
}

void
rest_list(struct rest *rq)
{
    AUTO(list_release)
    struct list l = {.rq = rq, .from = BUF_INIT(8192), .last = BUF_INIT(8192)};

    if (!read_numbers(&l) || !rest_filter_read(rq, &l.f) || !read_match(rq) ||
        !read_version(&l)) {
        if (rq->h)
            rest_fail(rq);
        return;
    }
    walk(&l);
    if (plain(rq))
        reply_parts(&l);
    else if (rq->accept.form == ACCEPT_OBJECT)
        reply_tree(&l);
    else
        reply_form(&l);
}
