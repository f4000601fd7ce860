#include "tui/source_mesh.h"

#include <stdlib.h>

#include "lib/base/mem.h"

static struct source_mesh *
self(struct tui_source *s)
{
    return (struct source_mesh *)s;
}

static void
on_change(void *arg)
{
    struct source_mesh *s = arg;

    s->generation++;
    for (struct mesh_table *t = s->tables; t; t = t->next)
        t->base.generation = s->generation;
    for (struct mesh_page *p = s->pages; p; p = p->next)
        p->base.generation = s->generation;
    if (s->base.changed)
        s->base.changed(s->base.changed_arg);
}

enum tui_state
source_mesh_state(enum mesh_health h)
{
    static const enum tui_state states[] = {
        [MESH_NONE] = TUI_NONE,       [MESH_OK] = TUI_OK,
        [MESH_PAUSED] = TUI_PAUSED,   [MESH_DELETING] = TUI_DELETING,
        [MESH_MISSING] = TUI_MISSING, [MESH_WAIT] = TUI_WAIT,
        [MESH_FAIL] = TUI_FAIL,
    };

    return states[h];
}

const char *
source_mesh_api(const struct kube_kind *k, struct arena *a)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1024);

    kube_gvr_api_version(&k->gvr, &b);
    return arena_dup(a, buf_view(&b));
}

const struct kube_object *
source_mesh_object(struct source_mesh *s, struct mesh_page *p,
                   const char **problem)
{
    const struct tui_store_ops *ops = s->store->ops;
    const struct tui_ref *ref = &p->ref;
    const struct kube_kind *k = ops->kind_of(s->store, ref->api, ref->kind);
    const char *ns = k && k->namespaced && *ref->ns ? ref->ns : NULL;
    const struct tui_want want = {
        .kind = k, .form = KUBE_FULL, .ns = ns, .name = ref->name};
    const struct kube_object *o;

    *problem = NULL;
    if (!k) {
        if (ops->synced(s->store))
            *problem = "the cluster does not serve this kind";
        return NULL;
    }
    if (!p->collection)
        p->collection = ops->collection(s->store, &want, NULL);
    if (!p->collection) {
        *problem = "this kind cannot be watched";
        return NULL;
    }
    o = ops->find(s->store, p->collection, ns ? ns : "", ref->name);
    if (!o && ops->collected(s->store, p->collection, problem))
        *problem = "there is no such object";
    return o;
}

/* ---- tables ---- */

static struct tui_table *
open_table(struct tui_source *base, const struct tui_query *q)
{
    struct source_mesh *s = self(base);
    struct mesh_table *t = mem_zalloc(1, sizeof(*t));

    t->kept = arena_new();
    t->rows_arena = arena_new();
    t->query = *q;
    t->query.kind = q->kind ? arena_strdup(t->kept, q->kind) : NULL;
    t->query.ns = q->ns ? arena_strdup(t->kept, q->ns) : NULL;
    t->base.generation = ++s->generation;
    t->base.loading = true;
    t->next = s->tables;
    s->tables = t;
    return &t->base;
}

static void
refresh_table(struct tui_source *base, struct tui_table *t)
{
    mesh_tables_fill(self(base), (struct mesh_table *)t);
}

static void
close_table(struct tui_source *base, struct tui_table *table)
{
    struct mesh_table *t = (struct mesh_table *)table;

    for (struct mesh_table **at = &self(base)->tables; *at; at = &(*at)->next) {
        if (*at == t) {
            *at = t->next;
            break;
        }
    }
    self(base)->store->ops->release(self(base)->store, t->collection);
    arena_free(t->kept);
    arena_free(t->rows_arena);
    free(t->rows);
    free(t);
}

/* ---- pages ---- */

static struct tui_page *
open_page(struct tui_source *base, const struct tui_ref *ref)
{
    struct source_mesh *s = self(base);
    struct mesh_page *p = mem_zalloc(1, sizeof(*p));

    p->arena = arena_new();
    p->ref = *ref;
    p->base.generation = ++s->generation;
    p->base.headline = "";
    p->base.loading = true;
    p->next = s->pages;
    s->pages = p;
    return &p->base;
}

static void
refresh_page(struct tui_source *base, struct tui_page *p)
{
    mesh_pages_fill(self(base), (struct mesh_page *)p);
}

static void
close_page(struct tui_source *base, struct tui_page *page)
{
    struct mesh_page *p = (struct mesh_page *)page;

    for (struct mesh_page **at = &self(base)->pages; *at; at = &(*at)->next) {
        if (*at == p) {
            *at = p->next;
            break;
        }
    }
    self(base)->store->ops->release(self(base)->store, p->collection);
    arena_free(p->arena);
    json_free(p->object);
    free(p);
}

/* ---- what the store does itself ---- */

static void
free_source(struct tui_source *base)
{
    struct source_mesh *s = self(base);

    while (s->tables)
        close_table(base, &s->tables->base);
    while (s->pages)
        close_page(base, &s->pages->base);
    for (size_t i = 0; i < ARRAY_LEN(s->defs); i++)
        s->store->ops->release(s->store, s->defs[i]);
    free(s->defs_name);
    s->store->ops->free(s->store);
    free(s);
}

static void
get_link(struct tui_source *base, struct tui_link *out)
{
    struct tui_store *st = self(base)->store;

    *out = (struct tui_link){.where = "", .server = "", .ns = ""};
    st->ops->link(st, out);
}

static bool
find_kind(struct tui_source *base, const char *word, struct tui_ref *out)
{
    struct tui_store *st = self(base)->store;
    const struct kube_kind *k = st->ops->kind_find(st, word);
    struct tui_link link;
    struct arena *a;
    bool ok;

    if (!k)
        return false;
    a = arena_new();
    get_link(base, &link);
    ok = tui_ref_set(out, source_mesh_api(k, a), k->kind,
                     !k->namespaced ? ""
                     : *link.ns     ? link.ns
                                    : "default",
                     "");
    arena_free(a);
    return ok;
}

static bool
start_write(struct tui_source *base, const struct tui_write *w,
            tui_done_fn *done, void *arg, struct error *err)
{
    struct tui_store *st = self(base)->store;
    struct tui_link link;

    get_link(base, &link);
    if (link.read_only && !w->dry_run)
        return error_set(err, ERR_DENIED, "read-only: nothing was written");
    return st->ops->write(st, w, done, arg, err);
}

static void
forget(struct tui_source *base, tui_done_fn *done, void *arg)
{
    struct tui_store *st = self(base)->store;

    st->ops->forget(st, done, arg);
}

static void
resync(struct tui_source *base)
{
    struct tui_store *st = self(base)->store;

    st->ops->resync(st);
}

static bool
set_context(struct tui_source *base, const char *name, struct error *err)
{
    struct source_mesh *s = self(base);

    if (!s->store->ops->set_context(s->store, name, err))
        return false;
    for (struct mesh_table *t = s->tables; t; t = t->next)
        t->kind = NULL; /* of another discovery */
    on_change(s);
    return true;
}

static void
set_namespace(struct tui_source *base, const char *ns)
{
    struct source_mesh *s = self(base);

    s->store->ops->set_namespace(s->store, ns);
    on_change(s);
}

static void
set_read_only(struct tui_source *base, bool on)
{
    struct tui_store *st = self(base)->store;

    st->ops->set_read_only(st, on);
}

static const struct tui_source_ops ops = {
    .free = free_source,
    .link = get_link,
    .open = open_table,
    .refresh = refresh_table,
    .close = close_table,
    .page_open = open_page,
    .page_refresh = refresh_page,
    .page_close = close_page,
    .kind = find_kind,
    .plan_create = mesh_pages_plan_create,
    .plan_delete = mesh_pages_plan_delete,
    .schema = mesh_pages_schema,
    .write = start_write,
    .forget = forget,
    .resync = resync,
    .set_context = set_context,
    .set_namespace = set_namespace,
    .set_read_only = set_read_only,
};

struct tui_source *
source_mesh_new(struct tui_store *store, const struct clock *clock)
{
    struct source_mesh *s = mem_zalloc(1, sizeof(*s));

    s->base.ops = &ops;
    s->store = store;
    s->clock = clock;
    store->changed = on_change;
    store->changed_arg = s;
    return &s->base;
}
