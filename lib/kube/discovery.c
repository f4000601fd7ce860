#include "lib/kube/discovery.h"

#include <stdlib.h>
#include <strings.h>

#include "lib/base/arena.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"

#include "lib/kube/discovery_disk.h"

#define DOCUMENT_MAX ((size_t)16 << 20)
#define KINDS_MAX    20000
#define GROUPS_MAX   2000
#define AGGREGATED                                                             \
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,"    \
    "application/json;g=apidiscovery.k8s.io;v=v2beta1;"                        \
    "as=APIGroupDiscoveryList,application/json"

/* One document that is asked for. */
struct ask {
    struct kube_discovery *d;
    struct kube_call *call;
    struct ask *next;
    char *path;
    char *group, *version; /* of a legacy document; NULL: /api or /apis */
    bool preferred;
    unsigned order;
};

struct waiter {
    kube_discovery_fn *fn;
    void *arg;
};

/* Documents come in any order; the list does not. */
struct listed {
    struct kube_kind *kind;
    uint64_t order; /* of its document, then of its place there */
};

struct kube_discovery {
    struct kube_client *c;
    struct arena *a;   /* kinds and their strings, for ever */
    struct map by_gvk; /* "group/version/Kind" -> struct kube_kind, for ever */
    struct listed *v;  /* what is served now, in order */
    size_t n;
    struct listed *fresh; /* of the load that runs */
    size_t fresh_n, fresh_cap;
    struct ask *asks;
    unsigned document; /* order of the one being read */
    size_t groups;
    bool loaded, stale; /* stale: no server has said so yet */
    bool reading;       /* documents come from disk now, at once */
    bool missing;       /* one was not there */
    bool tried;         /* the disk was asked */
    char *folder;       /* of the documents on disk, or NULL */
    kube_discovery_news_fn *on_news;
    void *news_arg;
    struct error err; /* of the load that runs */
    struct buf problem, fresh_problem;
    struct waiter *waiters;
    size_t waiters_n, waiters_cap;
};

static void ask(struct kube_discovery *d, const char *path, const char *group,
                const char *version, bool preferred);
static void tell_waiters(void *arg);

struct kube_discovery *
kube_discovery_new(struct kube_client *c)
{
    struct kube_discovery *d = mem_zalloc(1, sizeof(*d));

    d->c = c;
    d->folder = kube_disk_folder(kube_client_cache_dir(c),
                                 kube_client_access(c)->server,
                                 kube_client_access(c)->ca);
    d->a = arena_new();
    buf_init(&d->problem, 1024);
    buf_init(&d->fresh_problem, 1024);
    return d;
}

static void
ask_free(struct ask *q)
{
    struct ask **at = &q->d->asks;

    while (*at != q)
        at = &(*at)->next;
    *at = q->next;
    kube_call_cancel(q->call);
    free(q->path);
    free(q->group);
    free(q->version);
    free(q);
}

void
kube_discovery_free(struct kube_discovery *d)
{
    if (!d)
        return;
    loop_undefer(kube_client_loop(d->c), tell_waiters, d);
    while (d->asks)
        ask_free(d->asks);
    free(d->folder);
    map_release(&d->by_gvk, NULL);
    arena_free(d->a);
    free(d->v);
    free(d->fresh);
    free(d->waiters);
    buf_release(&d->problem);
    buf_release(&d->fresh_problem);
    free(d);
}

/* ---- kinds ---- */

static const char *const *
strings_of(struct arena *a, const struct json *list)
{
    const char **v = arena_array(a, json_len(list) + 1, sizeof(*v));
    size_t n = 0;

    for (struct json *i = json_first(list); i; i = json_next(i)) {
        if (json_string(i))
            v[n++] = arena_strdup(a, json_string(i));
    }
    return v;
}

static unsigned
verbs_of(const struct json *list)
{
    static const char *const names[] = {
        "get",    "list",  "watch",  "create",
        "update", "patch", "delete", "deletecollection"};
    unsigned verbs = 0;

    for (struct json *i = json_first(list); i; i = json_next(i)) {
        for (size_t b = 0; b < ARRAY_LEN(names); b++) {
            if (strcmp(json_string_or(i, ""), names[b]) == 0)
                verbs |= 1u << b;
        }
    }
    return verbs;
}

/* The kind of that name, made once and then kept. */
static struct kube_kind *
intern(struct kube_discovery *d, const char *group, const char *version,
       const char *resource, const char *kind)
{
    AUTO(mem_free_ptr)
    char *key = mem_printf("%s/%s/%s/%s", group, version, kind, resource);
    struct kube_kind *k = map_get(&d->by_gvk, str_of(key));

    if (k)
        return k;
    k = arena_alloc(d->a, sizeof(*k));
    k->gvr.group = arena_strdup(d->a, group);
    k->gvr.version = arena_strdup(d->a, version);
    k->gvr.resource = arena_strdup(d->a, resource);
    k->kind = arena_strdup(d->a, kind);
    k->singular = "";
    k->short_names = k->categories = strings_of(d->a, NULL);
    map_put(&d->by_gvk, str_of(key), k);
    return k;
}

static bool
same(const char *const *v, const struct json *list)
{
    for (struct json *i = json_first(list); i; i = json_next(i), v++) {
        if (!*v || strcmp(*v, json_string_or(i, "")) != 0)
            return false;
    }
    return !*v;
}

/* Adds a kind to the list that is being loaded; words of it that have changed
 * are stored anew (the old ones stay readable). */
static void
add_kind(struct kube_discovery *d, struct kube_kind *k, const char *singular,
         const struct json *r)
{
    const struct json *short_names = json_get(r, "shortNames");
    const struct json *categories = json_get(r, "categories");

    if (d->fresh_n >= KINDS_MAX) {
        error_set(&d->err, ERR_LIMIT, "more than %d kinds", KINDS_MAX);
        return;
    }
    if (strcmp(k->singular, singular) != 0)
        k->singular = arena_strdup(d->a, singular);
    if (!same(k->short_names, short_names))
        k->short_names = strings_of(d->a, short_names);
    if (!same(k->categories, categories))
        k->categories = strings_of(d->a, categories);
    k->verbs = verbs_of(json_get(r, "verbs"));
    d->fresh =
        mem_grow(d->fresh, &d->fresh_cap, d->fresh_n + 1, sizeof(*d->fresh));
    d->fresh[d->fresh_n] =
        (struct listed){k, (uint64_t)d->document << 32 | d->fresh_n};
    d->fresh_n++;
}

static void
note_problem(struct kube_discovery *d, const char *group, const char *why)
{
    buf_printf(&d->fresh_problem, "%s%s: %s", d->fresh_problem.n ? "; " : "",
               *group ? group : "core", why);
}

/* ---- aggregated documents ---- */

static void
read_resource(struct kube_discovery *d, const char *group, const char *version,
              bool preferred, const struct json *r)
{
    const struct json *kind = json_get(r, "responseKind");
    const char *name = json_get_string(r, "resource");
    const char *scope = json_string_or(json_get(r, "scope"), "");
    struct kube_kind *k;

    if (!name || !json_get_string(kind, "kind"))
        return;
    k = intern(d, group, version, name, json_get_string(kind, "kind"));
    k->namespaced = strcmp(scope, "Namespaced") == 0;
    k->preferred = preferred;
    k->has_status = false;
    for (struct json *s = json_first(json_get(r, "subresources")); s;
         s = json_next(s)) {
        if (strcmp(json_string_or(json_get(s, "subresource"), ""), "status") ==
            0)
            k->has_status = true;
    }
    add_kind(d, k, json_string_or(json_get(r, "singularResource"), ""), r);
}

static void
read_aggregated(struct kube_discovery *d, const struct json *doc)
{
    for (struct json *g = json_first(json_get(doc, "items")); g;
         g = json_next(g)) {
        const char *group =
            json_string_or(json_at(g, "metadata", "name", NULL), "");
        bool preferred = true;

        for (struct json *v = json_first(json_get(g, "versions")); v;
             v = json_next(v)) {
            const char *version = json_get_string(v, "version");
            const char *fresh =
                json_string_or(json_get(v, "freshness"), "Current");

            if (!version)
                continue;
            if (strcmp(fresh, "Stale") == 0)
                note_problem(d, group, "its server does not answer");
            for (struct json *r = json_first(json_get(v, "resources")); r;
                 r = json_next(r))
                read_resource(d, group, version, preferred, r);
            preferred = false;
        }
    }
}

/* ---- legacy documents ---- */

static void
ask_version(struct kube_discovery *d, const char *group, const char *version,
            bool preferred)
{
    AUTO(mem_free_ptr) char *path = NULL;

    if (d->groups >= GROUPS_MAX) {
        error_set(&d->err, ERR_LIMIT, "more than %d group versions",
                  GROUPS_MAX);
        return;
    }
    path = *group ? mem_printf("/apis/%s/%s", group, version)
                  : mem_printf("/api/%s", version);
    ask(d, path, group, version, preferred);
}

/* APIVersions of /api, APIGroupList of /apis. */
static void
read_index(struct kube_discovery *d, const struct json *doc)
{
    bool first = true;

    for (struct json *v = json_first(json_get(doc, "versions")); v;
         v = json_next(v)) {
        ask_version(d, "", json_string_or(v, "v1"), first);
        first = false;
    }
    for (struct json *g = json_first(json_get(doc, "groups")); g;
         g = json_next(g)) {
        const char *best =
            json_string_or(json_at(g, "preferredVersion", "version", NULL), "");

        for (struct json *v = json_first(json_get(g, "versions")); v;
             v = json_next(v)) {
            const char *version = json_get_string(v, "version");

            if (version)
                ask_version(d, json_string_or(json_get(g, "name"), ""), version,
                            strcmp(version, best) == 0);
        }
    }
}

/* APIResourceList; "widgets/status" is a subresource of "widgets". */
static void
read_resources(struct kube_discovery *d, const struct ask *q,
               const struct json *doc)
{
    struct kube_kind *k;

    for (struct json *r = json_first(json_get(doc, "resources")); r;
         r = json_next(r)) {
        const char *name = json_get_string(r, "name");
        const char *kind = json_get_string(r, "kind");

        if (!name || !kind || strchr(name, '/'))
            continue;
        k = intern(d, q->group, q->version, name, kind);
        k->namespaced = json_bool(json_get(r, "namespaced"), false);
        k->preferred = q->preferred;
        k->has_status = false;
        for (struct json *s = json_first(json_get(doc, "resources")); s;
             s = json_next(s)) {
            const char *sub = json_string_or(json_get(s, "name"), "");

            if (str_starts(str_of(sub), str_of(name)) &&
                strcmp(sub + strlen(name), "/status") == 0)
                k->has_status = true;
        }
        add_kind(d, k, json_string_or(json_get(r, "singularName"), ""), r);
    }
}

/* ---- loading ---- */

static int
by_order(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;

    return (x->order > y->order) - (x->order < y->order);
}

static bool
is_news(const struct kube_discovery *d)
{
    bool same = d->n == d->fresh_n;

    for (size_t i = 0; same && i < d->n; i++)
        same = d->v[i].kind == d->fresh[i].kind;
    return !same;
}

/* Puts the list that was read in place of the one that is there. */
static void
take_list(struct kube_discovery *d)
{
    bool news;

    if (d->fresh_n)
        qsort(d->fresh, d->fresh_n, sizeof(*d->fresh), by_order);
    news = is_news(d);
    free(d->v);
    d->v = d->fresh;
    d->n = d->fresh_n;
    d->fresh = NULL;
    d->fresh_n = d->fresh_cap = 0;
    d->loaded = true;
    d->stale = d->reading;
    buf_reset(&d->problem);
    buf_str(&d->problem, buf_view(&d->fresh_problem));
    if (news && d->on_news)
        d->on_news(d->news_arg);
}

static void
tell_waiters(void *arg)
{
    struct kube_discovery *d = arg;
    struct waiter *w = d->waiters;
    size_t n = d->waiters_n;
    struct error err = d->err;

    d->waiters = NULL;
    d->waiters_n = d->waiters_cap = 0;
    for (size_t i = 0; i < n; i++) {
        if (w[i].fn)
            w[i].fn(w[i].arg, err.code == ERR_NONE ? NULL : &err);
    }
    free(w);
}

static void
load_done(struct kube_discovery *d)
{
    if (d->err.code == ERR_NONE)
        take_list(d);
    d->fresh_n = 0;
    tell_waiters(d);
}

static void
take_document(struct kube_discovery *d, const struct ask *q, struct str body)
{
    struct error err = {0};
    struct json *doc = json_parse(body, NULL, &err);
    const char *kind = json_string_or(json_get(doc, "kind"), "");

    d->document = q->order;
    if (!doc)
        error_set(&d->err, ERR_PARSE, "%s: %s", q->path, err.msg);
    else if (q->group)
        read_resources(d, q, doc);
    else if (strcmp(kind, "APIGroupDiscoveryList") == 0)
        read_aggregated(d, doc);
    else
        read_index(d, doc);
    json_free(doc);
}

/* What the server answered; 304 means what is on disk. */
static void
take_reply(struct ask *q, const struct kube_reply *r)
{
    struct kube_discovery *d = q->d;
    struct kube_disk_doc doc;

    if (r->http != 304) {
        take_document(d, q, r->body);
        if (d->folder && d->err.code == ERR_NONE)
            kube_disk_write(d->folder, q->path, r->etag, r->body);
    } else if (kube_disk_read(d->folder, q->path, true, &doc)) {
        take_document(d, q, buf_view(&doc.body));
        kube_disk_touch(d->folder, q->path);
        kube_disk_release(&doc);
    } else {
        error_set(&d->err, ERR_IO, "%s: what was kept of it is gone", q->path);
    }
}

/* The core group's document may be missing: servers of other APIs have none. */
static bool
is_no_core(const struct ask *q, const struct kube_reply *r)
{
    return !q->group && strcmp(q->path, "/api") == 0 && r->http == 404;
}

static void
on_document(void *arg, const struct kube_reply *r, const struct error *err)
{
    struct ask *q = arg;
    struct kube_discovery *d = q->d;

    q->call = NULL;
    if (!err)
        take_reply(q, r);
    else if (q->group)
        note_problem(d, q->group, err->msg);
    else if (d->err.code == ERR_NONE && !is_no_core(q, r))
        d->err = *err;
    ask_free(q);
    if (!d->asks)
        load_done(d);
}

static void
send_ask(struct ask *q)
{
    struct kube_discovery *d = q->d;
    struct kube_disk_doc doc = {0};
    struct kube_request r = {
        .verb = KUBE_RAW_GET,
        .path = q->path,
        .accept = q->group ? NULL : AGGREGATED,
        .max_body = DOCUMENT_MAX,
    };

    if (d->folder && kube_disk_read(d->folder, q->path, true, &doc))
        r.if_none_match = doc.etag[0] ? doc.etag : NULL;
    q->call = kube_client_send(d->c, &r, on_document, q, &d->err);
    kube_disk_release(&doc);
    if (!q->call)
        ask_free(q);
}

static void
read_ask(struct ask *q)
{
    struct kube_discovery *d = q->d;
    struct kube_disk_doc doc;

    if (!d->folder || !kube_disk_read(d->folder, q->path, false, &doc)) {
        d->missing = true;
    } else {
        take_document(d, q, buf_view(&doc.body));
        kube_disk_release(&doc);
    }
    ask_free(q);
}

static void
ask(struct kube_discovery *d, const char *path, const char *group,
    const char *version, bool preferred)
{
    struct ask *q = mem_zalloc(1, sizeof(*q));

    q->d = d;
    q->path = mem_strdup(path);
    q->group = mem_strdup(group);
    q->version = mem_strdup(version);
    q->preferred = preferred;
    /* The core group first. */
    q->order = (unsigned)d->groups++ + (group && *group ? GROUPS_MAX : 0);
    q->next = d->asks;
    d->asks = q;
    if (d->reading)
        read_ask(q);
    else
        send_ask(q);
}

static void
begin(struct kube_discovery *d)
{
    d->err = (struct error){0};
    d->groups = 0;
    d->fresh_n = 0;
    d->missing = false;
    buf_reset(&d->fresh_problem);
    ask(d, "/api", NULL, NULL, true);
    ask(d, "/apis", NULL, NULL, true);
}

/* The list as it was left on disk; false when a part is missing or odd. */
static bool
load_from_disk(struct kube_discovery *d)
{
    bool ok;

    if (d->loaded || d->tried || !d->folder)
        return false;
    d->tried = true;
    d->reading = true;
    begin(d);
    ok = !d->missing && d->err.code == ERR_NONE && d->fresh_n;
    if (ok)
        take_list(d);
    d->fresh_n = 0;
    d->err = (struct error){0};
    d->reading = false;
    return ok;
}

bool
kube_discovery_read(struct kube_discovery *d, struct str api, struct str apis)
{
    const struct ask first = {.d = d, .path = (char *)(uintptr_t) "/api"};
    const struct ask second = {
        .d = d, .path = (char *)(uintptr_t) "/apis", .order = 1};
    bool ok;

    d->reading = true;
    d->missing = false;
    d->fresh_n = 0;
    take_document(d, &first, api);
    take_document(d, &second, apis);
    ok = d->err.code == ERR_NONE;
    if (ok)
        take_list(d);
    d->err = (struct error){0};
    d->reading = false;
    return ok;
}

static void
add_waiter(struct kube_discovery *d, kube_discovery_fn *fn, void *arg)
{
    d->waiters = mem_grow(d->waiters, &d->waiters_cap, d->waiters_n + 1,
                          sizeof(*d->waiters));
    d->waiters[d->waiters_n++] = (struct waiter){fn, arg};
}

/* Asks the server, or joins what runs. */
static bool
load_from_server(struct kube_discovery *d, struct error *err)
{
    if (!d->asks)
        begin(d);
    if (d->asks)
        return true;
    if (err)
        *err = d->err;
    return false;
}

bool
kube_discovery_load(struct kube_discovery *d, kube_discovery_fn *fn, void *arg,
                    struct error *err)
{
    if (!d->asks && load_from_disk(d)) {
        /* The answer comes from the loop; beside it the server is asked. */
        loop_defer(kube_client_loop(d->c), tell_waiters, d);
        add_waiter(d, fn, arg);
        load_from_server(d, NULL);
        return true;
    }
    add_waiter(d, fn, arg);
    if (load_from_server(d, err))
        return true;
    d->waiters_n--;
    return false;
}

bool
kube_discovery_need(struct kube_discovery *d, kube_discovery_fn *fn, void *arg,
                    struct error *err)
{
    if (!d->loaded || d->asks)
        return kube_discovery_load(d, fn, arg, err);
    d->err = (struct error){0};
    add_waiter(d, fn, arg);
    loop_defer(kube_client_loop(d->c), tell_waiters, d);
    return true;
}

void
kube_discovery_forget(struct kube_discovery *d, kube_discovery_fn *fn,
                      void *arg)
{
    for (size_t i = 0; i < d->waiters_n; i++) {
        if (d->waiters[i].fn == fn && d->waiters[i].arg == arg)
            d->waiters[i].fn = NULL;
    }
}

void
kube_discovery_on_news(struct kube_discovery *d, kube_discovery_news_fn *fn,
                       void *arg)
{
    d->on_news = fn;
    d->news_arg = arg;
}

struct wait {
    bool done;
    struct error err;
};

static void
on_loaded(void *arg, const struct error *err)
{
    struct wait *w = arg;

    w->done = true;
    if (err)
        w->err = *err;
}

static bool
await(struct kube_discovery *d, const struct wait *w, struct error *err)
{
    while (!w->done)
        loop_turn(kube_client_loop(d->c), -1);
    if (w->err.code == ERR_NONE)
        return true;
    if (err)
        *err = w->err;
    return false;
}

bool
kube_discovery_wait(struct kube_discovery *d, bool again, struct error *err)
{
    struct wait w = {0};

    if (d->loaded && !d->stale && !again)
        return true;
    add_waiter(d, on_loaded, &w);
    if (load_from_server(d, err))
        return await(d, &w, err);
    d->waiters_n--;
    return false;
}

const struct kube_kind *
kube_discovery_seek(struct kube_discovery *d, const char *word,
                    struct error *err)
{
    const struct kube_kind *k;
    struct wait w = {0};

    if (!d->loaded &&
        (!kube_discovery_load(d, on_loaded, &w, err) || !await(d, &w, err)))
        return NULL;
    k = kube_discovery_find(d, word, d->stale ? NULL : err);
    if (k || !d->stale)
        return k;
    return kube_discovery_wait(d, false, err)
               ? kube_discovery_find(d, word, err)
               : NULL;
}

bool
kube_discovery_loaded(const struct kube_discovery *d)
{
    return d->loaded;
}

bool
kube_discovery_stale(const struct kube_discovery *d)
{
    return d->stale;
}

const char *
kube_discovery_problem(const struct kube_discovery *d)
{
    return d->problem.n ? buf_cstr(&d->problem) : NULL;
}

/* ---- what is served ---- */

const struct kube_kind *
kube_discovery_at(const struct kube_discovery *d, size_t i)
{
    return i < d->n ? d->v[i].kind : NULL;
}
