/*
 * kv.h - the smallest module a sandbox can have, for tests and benches of the
 * engine: texts by name, and a watch.
 *
 *   PUT, GET, DELETE /kv/NAME     PUT answers the revision, 201 or 200
 *   GET /kv                       every name=text line, from shared pieces
 *   GET /watch?since=N            "+name=text\n" ...; without since: all first
 *   GET /wait                     never answered; GET /left: how many of its
 *                                 clients left
 *   GET /echo?...                 body, path and parameters
 */
#ifndef TESTS_KV_H
#define TESTS_KV_H

#include <stdlib.h>

#include "devenv/sandbox/server.h"

#define KV_KIND STR("test/texts")

struct kv {
    struct server *server;
    int left;
    unsigned rollbacks;
};

static UNUSED void
kv_event(void *arg, enum hub_type type, struct blob *json, int64_t rev,
         bool first, struct buf *out)
{
    (void)arg;
    (void)first;
    buf_printf(out, "%c%s@%lld\n", "+~-"[type], json -> data, (long long)rev);
}

static UNUSED void
kv_bookmark(void *arg, int64_t rev, bool initial_end, bool first,
            struct buf *out)
{
    (void)arg;
    (void)first;
    buf_printf(out, "%s@%lld\n", initial_end ? "END" : "B", (long long)rev);
}

static UNUSED void
kv_watch(struct kv *k, struct http_request *r)
{
    static const struct hub_view_ops ops = {kv_event, kv_bookmark, NULL};
    struct hub_watch_options o = {.kind = KV_KIND,
                                  .view =
                                      hub_view(k->server->hub, "kv", &ops, k),
                                  .initial = !http_param(r, "since"),
                                  .initial_end_bookmark = true};
    struct error err = {0};

    if (!o.initial)
        str_to_i64(str_of(http_param(r, "since")), &o.since);
    if (!hub_watch(k->server->hub, r, &o, &err))
        http_fail(r, 410, "%s", err.msg);
}

static UNUSED void
kv_list(struct kv *k, struct http_request *r)
{
    struct http_parts parts = {0};
    struct store_cursor c;
    struct store_item it;

    store_scan(k->server->store, KV_KIND, STR(""), STR(""), 0, &c);
    while (store_next(&c, &it)) {
        http_parts_blob(&parts, it.json, 0, it.json->n);
        http_parts_text(&parts, STR("\n"));
    }
    store_cursor_release(&c);
    http_reply_parts(r, 200, "text/plain", &parts);
}

static UNUSED void
kv_object(struct kv *k, struct http_request *r, struct str name)
{
    struct store *s = k->server->store;
    struct error err = {0};
    struct store_item it;
    char *text =
        arena_printf(r->arena, "%.*s=%.*s", STR_ARG(name), STR_ARG(r->body));
    struct blob *b = blob_new(str_of(text));
    bool there = store_get(s, KV_KIND, name, 0, &it);
    int64_t rev = 1;

    if (strcmp(r->method, "PUT") == 0)
        rev = store_put(s, KV_KIND, name, STORE_ANY, b, &err);
    else if (strcmp(r->method, "DELETE") == 0)
        rev = store_delete(s, KV_KIND, name, STORE_ANY, b, &err);
    else if (there)
        http_reply(r, 200, "text/plain", blob_view(it.json));
    else
        http_fail(r, 404, "no %.*s", STR_ARG(name));
    blob_drop(b);
    if (strcmp(r->method, "GET") == 0)
        return;
    if (rev)
        http_reply(r, there ? 200 : 201, "text/plain",
                   str_of(arena_printf(r->arena, "%lld", (long long)rev)));
    else
        http_fail(r, 409, "%s", err.msg);
}

static UNUSED void
kv_left(void *arg)
{
    ((struct kv *)arg)->left++;
}

static UNUSED void
kv_handle(void *arg, struct http_request *r)
{
    const char *first = r->url.segments_n ? r->url.segments[0] : "";
    struct kv *k = arg;

    if (strcmp(first, "kv") == 0 && r->url.segments_n == 2) {
        kv_object(k, r, str_of(r->url.segments[1]));
    } else if (strcmp(first, "kv") == 0) {
        kv_list(k, r);
    } else if (strcmp(first, "watch") == 0) {
        kv_watch(k, r);
    } else if (strcmp(first, "wait") == 0) {
        r->gone = kv_left;
        r->gone_arg = k;
    } else if (strcmp(first, "left") == 0) {
        http_reply(
            r, 200, "text/plain",
            str_of(arena_printf(r->arena, "%d %u", k->left, k->rollbacks)));
    } else {
        struct buf b = BUF_INIT(BUF_TEXT_MAX);

        buf_printf(&b, "%s %s", r->method, r->url.path);
        for (size_t i = 0; i < r->url.params_n; i++)
            buf_printf(&b, " %s=%s", r->url.params[i].name,
                       r->url.params[i].value);
        buf_printf(&b, " %zu", r->body.n);
        http_reply_buf(r, 200, "text/plain", &b);
    }
}

static UNUSED bool
kv_init(struct server *s, void **state, struct error *err)
{
    struct kv *k = calloc(1, sizeof(*k));

    (void)err;
    k->server = s;
    *state = k;
    server_set_handler(s, kv_handle, k);
    return true;
}

static UNUSED void
kv_rolled_back(void *state)
{
    ((struct kv *)state)->rollbacks++;
}

static const struct server_module kv_module = {
    .name = "kv",
    .init = kv_init,
    .rolled_back = kv_rolled_back,
    .free = free,
};
static UNUSED const struct server_module *const kv_modules[] = {&kv_module,
                                                                NULL};

#endif
