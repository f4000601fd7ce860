#include "tui/store_live.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/kube/discovery_disk.h"

#include "lib/mesh/live.h"

struct pending {
    struct store_live *store;
    struct pending *next;
    struct kube_call *call;
    tui_done_fn *done;
    void *arg;
};

/* What a table or a page looks at; its feed is of the connection. */
struct tui_collection {
    struct tui_collection *next;
    char *api, *kind, *ns, *name;
    enum kube_form form;
    struct mesh_feed *feed; /* NULL: not connected */
};

struct store_live {
    struct tui_store base;
    struct loop *loop;
    const struct clock *clock;
    const struct tui_options *o;
    struct kube_config *config;
    struct kube_client *client; /* read-only when the options say so */
    struct kube_client *writer; /* once read-only was lifted */
    struct mesh_live *live;
    struct pending *pending;
    struct tui_collection *collections;
    char *context; /* chosen; NULL: the options' */
    char ns[64];
    bool read_only, ever;
    bool none; /* connect to nothing */
    struct error problem;
};

static struct store_live *
self(struct tui_store *s)
{
    return (struct store_live *)s;
}

static void
changed(void *arg)
{
    struct store_live *s = arg;

    if (s->base.changed)
        s->base.changed(s->base.changed_arg);
}

/* ---- connecting ---- */

static void
drop_pending(struct store_live *s)
{
    while (s->pending) {
        struct pending *p = s->pending;

        s->pending = p->next;
        kube_call_cancel(p->call);
        free(p);
    }
}

static void
disconnect(struct store_live *s)
{
    drop_pending(s);
    for (struct tui_collection *c = s->collections; c; c = c->next)
        c->feed = NULL;
    mesh_live_free(s->live);
    kube_client_free(s->writer);
    kube_client_free(s->client);
    s->live = NULL;
    s->client = s->writer = NULL;
    s->ever = false;
}

static bool
connect_to(struct store_live *s, const char *context, struct error *err)
{
    AUTO(mem_free_ptr) char *cache = kube_disk_home();
    struct kube_client_options co = {.read_only = s->o->read_only,
                                     .cache_dir = cache};
    struct mesh_live_fns fns = {changed, s};
    AUTO(kube_access_free_ptr)
    struct kube_access *access =
        kube_access_open(s->o->kubeconfig, context, err);

    if (!access)
        return false;
    s->client = kube_client_new(s->loop, access, &co, err);
    if (!s->client)
        return false;
    s->live = mesh_live_new(s->client, &fns, err);
    return s->live != NULL;
}

void
store_live_connect(struct tui_store *base)
{
    struct store_live *s = self(base);

    disconnect(s);
    s->problem = (struct error){0};
    if (!s->none &&
        !connect_to(s, s->context ? s->context : s->o->context, &s->problem))
        disconnect(s);
    changed(s);
}

static void
free_store(struct tui_store *base)
{
    struct store_live *s = self(base);

    disconnect(s);
    kube_config_free(s->config);
    free(s->context);
    free(s);
}

/* ---- reading ---- */

static struct mesh *
model(struct tui_store *base)
{
    struct store_live *s = self(base);

    return s->live ? mesh_live_model(s->live) : NULL;
}

static struct mesh_planner *
planner(struct tui_store *base)
{
    struct store_live *s = self(base);

    return s->live ? mesh_live_planner(s->live) : NULL;
}

static void
get_link(struct tui_store *base, struct tui_link *out)
{
    struct store_live *s = self(base);
    const struct kube_access *access =
        s->client ? kube_client_access(s->client) : NULL;
    struct mesh_live_state st = {0};

    out->read_only = s->read_only;
    out->none = s->none;
    out->ns = s->ns;
    out->where = s->o->title && !s->context ? s->o->title
                 : access                   ? access->context
                                            : "";
    out->server = access ? access->server : "";
    out->problem = s->problem.code ? s->problem.msg : NULL;
    if (!s->live)
        return;
    mesh_live_state(s->live, &st);
    s->ever |= st.synced;
    out->live = st.synced && st.live;
    out->ever = s->ever;
    out->as_of_ms = st.as_of_ms;
    if (st.problem)
        out->problem = st.problem->msg;
}

static bool
synced(struct tui_store *base)
{
    struct store_live *s = self(base);
    struct mesh_live_state st = {0};

    if (!s->live)
        return false;
    mesh_live_state(s->live, &st);
    return st.synced || st.no_mesh;
}

static const struct kube_kind *
kind_at(struct tui_store *base, size_t i)
{
    struct store_live *s = self(base);

    return s->live ? kube_discovery_at(mesh_live_discovery(s->live), i) : NULL;
}

static const struct kube_kind *
kind_find(struct tui_store *base, const char *word)
{
    struct store_live *s = self(base);

    return s->live
               ? kube_discovery_find(mesh_live_discovery(s->live), word, NULL)
               : NULL;
}

static const struct kube_kind *
kind_of(struct tui_store *base, const char *api, const char *kind)
{
    struct store_live *s = self(base);

    return s->live ? kube_discovery_of(mesh_live_discovery(s->live),
                                       str_of(api), str_of(kind))
                   : NULL;
}

/* ---- collections ---- */

/* Its feed, of whichever connection there is now; NULL: there is none. */
static struct mesh_feed *
feed(struct tui_store *base, struct tui_collection *c)
{
    struct store_live *s = self(base);
    const struct kube_kind *k =
        c->feed || !s->live ? NULL : kind_of(base, c->api, c->kind);
    const struct mesh_feed_options o = {
        .kind = k, .form = c->form, .ns = c->ns, .name = c->name};

    if (k)
        c->feed = mesh_live_hold(s->live, &o, NULL);
    return c->feed;
}

static void
release(struct tui_store *base, struct tui_collection *c)
{
    struct store_live *s = self(base);

    if (!c)
        return;
    for (struct tui_collection **at = &s->collections; *at; at = &(*at)->next) {
        if (*at == c) {
            *at = c->next;
            break;
        }
    }
    if (s->live)
        mesh_live_drop(s->live, c->feed);
    free(c->api);
    free(c->kind);
    free(c->ns);
    free(c->name);
    free(c);
}

static struct tui_collection *
collection(struct tui_store *base, const struct tui_want *w, struct error *err)
{
    struct store_live *s = self(base);
    const struct mesh_feed_options o = {
        .kind = w->kind, .form = w->form, .ns = w->ns, .name = w->name};
    AUTO(buf_release) struct buf api = BUF_INIT(512);
    struct tui_collection *c;
    struct mesh_feed *f;

    if (!s->live) {
        error_set(err, ERR_NETWORK, "not connected");
        return NULL;
    }
    f = mesh_live_hold(s->live, &o, err);
    if (!f)
        return NULL;
    c = mem_zalloc(1, sizeof(*c));
    kube_gvr_api_version(&w->kind->gvr, &api);
    c->api = buf_take(&api);
    c->kind = mem_strdup(w->kind->kind);
    c->ns = mem_strdup(w->ns);
    c->name = mem_strdup(w->name);
    c->form = w->form;
    c->feed = f;
    c->next = s->collections;
    s->collections = c;
    return c;
}

static const struct json *
columns(struct tui_store *base, struct tui_collection *c)
{
    const struct mesh_feed *f = feed(base, c);

    return f ? mesh_feed_columns(f) : NULL;
}

static size_t
count(struct tui_store *base, struct tui_collection *c)
{
    const struct mesh_feed *f = feed(base, c);

    return f ? mesh_feed_count(f) : 0;
}

static const struct kube_object *
at(struct tui_store *base, struct tui_collection *c, size_t i)
{
    const struct mesh_feed *f = feed(base, c);

    return f ? mesh_feed_at(f, i) : NULL;
}

static const struct kube_object *
find(struct tui_store *base, struct tui_collection *c, const char *ns,
     const char *name)
{
    const struct mesh_feed *f = feed(base, c);

    return f ? mesh_feed_find(f, ns, name) : NULL;
}

static bool
collected(struct tui_store *base, struct tui_collection *c,
          const char **problem)
{
    const struct mesh_feed *f = feed(base, c);
    const struct error *err = f ? mesh_feed_error(f) : NULL;
    bool done = f && mesh_feed_synced(f);

    *problem = err && !done ? err->msg : NULL;
    return done;
}

/* ---- writing ---- */

static void
unlink_pending(struct pending *p)
{
    for (struct pending **q = &p->store->pending; *q; q = &(*q)->next) {
        if (*q == p) {
            *q = p->next;
            return;
        }
    }
}

static void
on_reply(void *arg, const struct kube_reply *r, const struct error *err)
{
    AUTO(buf_release) struct buf warnings = BUF_INIT(8192);
    struct pending *p = arg;
    struct json *result = err ? NULL : json_parse(r->body, NULL, NULL);

    for (size_t i = 0; r->warnings && i < r->warnings->n; i++)
        buf_printf(&warnings, "%s%s", i ? "\n" : "", r->warnings->v[i]);
    unlink_pending(p);
    p->done(p->arg, result, buf_cstr(&warnings), err);
    json_free(result);
    free(p);
}

static struct kube_client *
client_for(struct store_live *s, const struct tui_write *w, struct error *err)
{
    struct kube_client_options co = {.read_only = false};

    if (!s->client) {
        error_set(err, ERR_NETWORK, "not connected");
        return NULL;
    }
    if (w->dry_run || !kube_client_read_only(s->client))
        return s->client;
    if (!s->writer && !s->read_only)
        s->writer =
            kube_client_new(s->loop, kube_client_access(s->client), &co, err);
    return s->read_only ? s->client : s->writer;
}

static bool
start_write(struct tui_store *base, const struct tui_write *w,
            tui_done_fn *done, void *arg, struct error *err)
{
    static const enum kube_verb verbs[] = {[TUI_CREATE] = KUBE_CREATE,
                                           [TUI_REPLACE] = KUBE_UPDATE,
                                           [TUI_DELETE] = KUBE_DELETE};
    struct store_live *s = self(base);
    const struct kube_kind *k = kind_of(base, w->ref.api, w->ref.kind);
    struct kube_client *client = client_for(s, w, err);
    AUTO(buf_release) struct buf body = BUF_INIT(BUF_TEXT_MAX);
    struct kube_request r = {.verb = verbs[w->verb], .dry_run = w->dry_run};
    struct pending *p;

    if (!client)
        return false;
    if (!k)
        return error_set(err, ERR_NOT_FOUND, "the cluster serves no %s in %s",
                         w->ref.kind, w->ref.api);
    r.gvr = k->gvr;
    r.ns = k->namespaced ? w->ref.ns : NULL;
    r.name = w->verb == TUI_CREATE ? NULL : w->ref.name;
    r.strict = w->verb != TUI_DELETE;
    if (w->foreground)
        r.propagation = KUBE_PROPAGATE_FOREGROUND;
    if (w->body) {
        json_print(w->body, JSON_COMPACT, &body);
        r.body = buf_view(&body);
    }
    p = mem_zalloc(1, sizeof(*p));
    *p = (struct pending){.store = s, .done = done, .arg = arg};
    p->call = kube_client_send(client, &r, on_reply, p, err);
    if (!p->call) {
        free(p);
        return false;
    }
    p->next = s->pending;
    s->pending = p;
    return true;
}

/* The request itself goes on: only its answer is no longer wanted. */
static void
ignore(void *arg UNUSED, const struct json *result UNUSED,
       const char *warnings UNUSED, const struct error *err UNUSED)
{
}

static void
forget(struct tui_store *base, tui_done_fn *done, void *arg)
{
    for (struct pending *p = self(base)->pending; p; p = p->next) {
        if (p->done == done && p->arg == arg)
            p->done = ignore;
    }
}

/* ---- the rest ---- */

static void
resync(struct tui_store *base)
{
    struct store_live *s = self(base);

    if (s->live)
        mesh_live_retry(s->live);
    else
        store_live_connect(base);
}

static bool
context_at(struct tui_store *base, size_t i, const char **name,
           const char **about)
{
    struct store_live *s = self(base);
    struct kube_context c = {0};

    if (!s->config)
        s->config = kube_config_load(s->o->kubeconfig, NULL);
    *name = s->config ? kube_config_context(s->config, i) : NULL;
    if (!*name)
        return false;
    *about = kube_config_describe(s->config, *name, &c) ? c.server : "";
    return true;
}

static bool
set_context(struct tui_store *base, const char *name, struct error *err)
{
    struct store_live *s = self(base);
    AUTO(kube_access_free_ptr)
    struct kube_access *access = kube_access_open(s->o->kubeconfig, name, err);

    if (!access)
        return false;
    free(s->context);
    s->context = mem_strdup(name);
    s->none = false;
    store_live_connect(base);
    return true;
}

static void
set_namespace(struct tui_store *base, const char *ns)
{
    struct store_live *s = self(base);

    snprintf(s->ns, sizeof(s->ns), "%s", ns);
}

static void
set_read_only(struct tui_store *base, bool on)
{
    self(base)->read_only = on;
}

static const struct tui_store_ops ops = {
    .free = free_store,
    .model = model,
    .planner = planner,
    .link = get_link,
    .synced = synced,
    .kind_at = kind_at,
    .kind_find = kind_find,
    .kind_of = kind_of,
    .collection = collection,
    .release = release,
    .columns = columns,
    .count = count,
    .at = at,
    .find = find,
    .collected = collected,
    .write = start_write,
    .forget = forget,
    .resync = resync,
    .context_at = context_at,
    .set_context = set_context,
    .set_namespace = set_namespace,
    .set_read_only = set_read_only,
};

struct tui_store *
store_live_new(struct loop *l, const struct clock *clock,
               const struct tui_options *o)
{
    struct store_live *s = mem_zalloc(1, sizeof(*s));

    s->base.ops = &ops;
    s->loop = l;
    s->clock = clock;
    s->o = o;
    s->read_only = o->read_only;
    s->none = o->none;
    snprintf(s->ns, sizeof(s->ns), "%s", o->ns ? o->ns : "");
    return &s->base;
}

void
store_live_none(struct tui_store *base, bool none)
{
    struct store_live *s = self(base);

    s->none = none;
    free(s->context);
    s->context = NULL;
}
