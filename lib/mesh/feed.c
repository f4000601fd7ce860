#include "lib/mesh/feed.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#define PARTS_MAX 64

struct part {
    struct mesh_feed *f;
    char *ns; /* NULL: all */
    struct kube_cache *k;
};

struct mesh_feed {
    struct kube_client *c;
    struct mesh_scope *scope;
    struct mesh_feed_options o;
    char *ns, *name, *labels;
    struct kube_cache_fns fns;
    struct part *v[PARTS_MAX];
    size_t n;
    bool asked, asking; /* for the scope: ever, now */
    bool scoped;        /* the parts are of its namespaces */
    struct error refusal;
};

/* ---- copies ---- */

static void
part_free(struct part *p)
{
    kube_cache_free(p->k);
    free(p->ns);
    free(p);
}

static bool
is_forbidden(const struct kube_cache *k)
{
    const struct error *err = kube_cache_error(k);

    return err && err->http == 403 && !kube_cache_synced(k);
}

/* Says in our own words what is forbidden, so that it can be asked for. */
static void
say_refusal(struct mesh_feed *f, const char *ns, const struct error *said)
{
    AUTO(buf_release) struct buf what = BUF_INIT(512);

    kube_gvr_name(&f->o.kind->gvr, &what);
    error_set(&f->refusal, ERR_DENIED, "no permission: list %s %s%s",
              buf_cstr(&what), ns ? "in namespace " : "at cluster scope",
              ns ? ns : "");
    f->refusal.http = said->http;
    error_remedy(&f->refusal, "MT-FORBIDDEN", "The server says: %s", said->msg);
}

static void
tell(struct mesh_feed *f)
{
    if (f->fns.on_state)
        f->fns.on_state(f->fns.arg);
}

static void
scoped_later(void *arg)
{
    mesh_feed_scoped(arg);
}

static void
on_state(void *arg)
{
    struct part *p = arg;
    struct mesh_feed *f = p->f;

    if (is_forbidden(p->k)) {
        say_refusal(f, p->ns, kube_cache_error(p->k));
        if (!p->ns && f->o.kind->namespaced && !f->asked) {
            f->asking = f->asked = true;
            mesh_scope_ask(f->scope);
        }
    }
    if (f->asking && mesh_scope_known(f->scope))
        loop_defer(kube_client_loop(f->c), scoped_later, f);
    tell(f);
}

static void
on_changes(void *arg, const struct kube_change *v, size_t n)
{
    struct part *p = arg;

    if (p->f->fns.on_changes)
        p->f->fns.on_changes(p->f->fns.arg, v, n);
}

static bool
add_part(struct mesh_feed *f, const char *ns, struct error *err)
{
    AUTO(buf_release) struct buf one = BUF_INIT(1000);
    struct part *p = mem_zalloc(1, sizeof(*p));
    const struct kube_cache_fns fns = {on_changes, on_state, p};
    struct kube_cache_options o = {.gvr = f->o.kind->gvr,
                                   .kind = f->o.kind->kind,
                                   .ns = ns,
                                   .label_selector = f->labels,
                                   .form = f->o.form};

    if (f->name) {
        buf_printf(&one, "metadata.name=%s", f->name);
        o.field_selector = buf_cstr(&one);
    }
    p->f = f;
    p->ns = mem_strdup(ns);
    p->k = kube_cache_new(f->c, &o, &fns, err);
    if (!p->k) {
        part_free(p);
        return false;
    }
    f->v[f->n++] = p;
    return true;
}

struct mesh_feed *
mesh_feed_new(struct kube_client *c, struct mesh_scope *s,
              const struct mesh_feed_options *o,
              const struct kube_cache_fns *fns, struct error *err)
{
    struct mesh_feed *f = mem_zalloc(1, sizeof(*f));

    f->c = c;
    f->scope = s;
    f->o = *o;
    f->ns = mem_strdup(o->ns);
    f->name = mem_strdup(o->name);
    f->labels = mem_strdup(o->label_selector);
    if (fns)
        f->fns = *fns;
    if (add_part(f, f->ns, err))
        return f;
    mesh_feed_free(f);
    return NULL;
}

void
mesh_feed_free(struct mesh_feed *f)
{
    if (!f)
        return;
    loop_undefer(kube_client_loop(f->c), scoped_later, f);
    for (size_t i = 0; i < f->n; i++)
        part_free(f->v[i]);
    free(f->ns);
    free(f->name);
    free(f->labels);
    free(f);
}

/* The one copy that was refused gives way to those that are not. */
void
mesh_feed_scoped(struct mesh_feed *f)
{
    const struct kube_gvr *gvr = &f->o.kind->gvr;
    const char *ns = mesh_scope_at(f->scope, gvr, 0);

    if (!f->asking || !mesh_scope_known(f->scope))
        return;
    f->asking = false;
    if (ns && is_forbidden(f->v[0]->k)) {
        part_free(f->v[0]);
        f->n = 0;
        f->scoped = true;
        for (size_t i = 0; f->n < PARTS_MAX && ns; i++) {
            add_part(f, ns, NULL);
            ns = mesh_scope_at(f->scope, gvr, i + 1);
        }
    }
    tell(f);
}

void
mesh_feed_retry(struct mesh_feed *f)
{
    for (size_t i = 0; i < f->n; i++) {
        if (kube_cache_state(f->v[i]->k) != KUBE_CACHE_LIVE)
            kube_cache_retry(f->v[i]->k);
    }
}

/* ---- what is known ---- */

static bool
is_refused(const struct kube_cache *k)
{
    const struct error *err = kube_cache_error(k);

    return err && !kube_cache_synced(k) &&
           (err->code == ERR_DENIED || err->code == ERR_NOT_FOUND ||
            err->code == ERR_UNSUPPORTED);
}

bool
mesh_feed_refused(const struct mesh_feed *f)
{
    for (size_t i = 0; i < f->n; i++) {
        if (!is_refused(f->v[i]->k))
            return false;
    }
    return !f->asking;
}

bool
mesh_feed_synced(const struct mesh_feed *f)
{
    bool any = false;

    for (size_t i = 0; i < f->n; i++) {
        if (kube_cache_synced(f->v[i]->k))
            any = true;
        else if (!is_refused(f->v[i]->k))
            return false;
    }
    return any && !f->asking;
}

enum kube_cache_state
mesh_feed_state(const struct mesh_feed *f)
{
    if (!mesh_feed_synced(f))
        return KUBE_CACHE_SYNCING;
    for (size_t i = 0; i < f->n; i++) {
        if (kube_cache_state(f->v[i]->k) == KUBE_CACHE_STALE)
            return KUBE_CACHE_STALE;
    }
    return KUBE_CACHE_LIVE;
}

int64_t
mesh_feed_as_of(const struct mesh_feed *f)
{
    int64_t oldest = 0;

    for (size_t i = 0; i < f->n; i++) {
        int64_t t = kube_cache_as_of(f->v[i]->k);

        if (t && (!oldest || t < oldest))
            oldest = t;
    }
    return oldest;
}

const struct error *
mesh_feed_error(const struct mesh_feed *f)
{
    if (f->asking)
        return NULL;
    for (size_t i = 0; i < f->n; i++) {
        if (is_forbidden(f->v[i]->k))
            return &f->refusal;
        if (kube_cache_error(f->v[i]->k))
            return kube_cache_error(f->v[i]->k);
    }
    return NULL;
}

/* ---- reading ---- */

size_t
mesh_feed_count(const struct mesh_feed *f)
{
    size_t n = 0;

    for (size_t i = 0; i < f->n; i++)
        n += kube_cache_count(f->v[i]->k);
    return n;
}

const struct kube_object *
mesh_feed_at(const struct mesh_feed *f, size_t i)
{
    for (size_t p = 0; p < f->n; p++) {
        size_t n = kube_cache_count(f->v[p]->k);

        if (i < n)
            return kube_cache_at(f->v[p]->k, i);
        i -= n;
    }
    return NULL;
}

const struct kube_object *
mesh_feed_find(const struct mesh_feed *f, const char *ns, const char *name)
{
    const struct kube_object *o = NULL;

    for (size_t p = 0; p < f->n && !o; p++)
        o = kube_cache_find(f->v[p]->k, ns, name);
    return o;
}

size_t
mesh_feed_lower(const struct mesh_feed *f, const char *ns, const char *name)
{
    size_t n = 0;

    for (size_t p = 0; p < f->n; p++)
        n += kube_cache_lower(f->v[p]->k, ns, name);
    return n;
}

const struct json *
mesh_feed_columns(const struct mesh_feed *f)
{
    const struct json *c = NULL;

    for (size_t p = 0; p < f->n && !c; p++)
        c = kube_cache_columns(f->v[p]->k);
    return c;
}
