#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/mesh/live_in.h"

/* Crossplane's core puts it on everything it composes. */
#define COMPOSED_LABEL "crossplane.io/composite"

/* What no screen shows any more is kept for a while: who goes back finds it. */
#define UNSEEN_MS  30000
#define UNSEEN_MAX 4

static bool
is_kind(const struct mesh_entry *e, const char *group, const char *kind)
{
    return strcmp(e->kind->kind, kind) == 0 &&
           strcmp(e->kind->gvr.group, group) == 0;
}

struct mesh_entry *
mesh_entry_of(const struct mesh_live *l, const char *group, const char *kind)
{
    struct mesh_entry *best = NULL;

    for (size_t i = 0; i < l->n; i++) {
        struct mesh_entry *e = l->v[i];

        if (!is_kind(e, group, kind) || e->name || e->ns ||
            e->form == KUBE_TABLE)
            continue;
        if (!best || (best->form == KUBE_META && e->form == KUBE_FULL) ||
            (best->composed_only && !e->composed_only && e->form == KUBE_FULL))
            best = e;
    }
    return best;
}

static void
free_entry(struct mesh_entry *e)
{
    mesh_feed_free(e->feed);
    free(e->api_version);
    free(e->ns);
    free(e->name);
    free(e);
}

static struct mesh_entry *
add_entry(struct mesh_live *l, const struct mesh_feed_options *o,
          struct error *err)
{
    AUTO(buf_release) struct buf api = BUF_INIT(512);
    struct mesh_entry *e;

    if (!(o->kind->verbs & KUBE_CAN_WATCH) ||
        !(o->kind->verbs & KUBE_CAN_LIST)) {
        error_set(err, ERR_UNSUPPORTED, "%s cannot be watched",
                  o->kind->gvr.resource);
        return NULL;
    }
    e = mem_zalloc(1, sizeof(*e));
    e->l = l;
    e->kind = o->kind;
    e->form = o->form;
    e->composed_only = o->label_selector != NULL;
    e->ns = mem_strdup(o->ns);
    e->name = mem_strdup(o->name);
    kube_gvr_api_version(&o->kind->gvr, &api);
    e->api_version = buf_take(&api);
    const struct kube_cache_fns fns = {mesh_entry_changes, mesh_entry_state, e};

    e->feed = mesh_feed_new(l->client, l->scope, o, &fns, err);
    if (!e->feed) {
        free_entry(e);
        return NULL;
    }
    l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
    l->v[l->n++] = e;
    return e;
}

struct mesh_entry *
mesh_entry_open(struct mesh_live *l, const struct kube_kind *kind,
                enum kube_form form, bool composed_only, struct error *err)
{
    const struct mesh_feed_options o = {
        .kind = kind,
        .form = form,
        .label_selector = composed_only ? COMPOSED_LABEL : NULL};
    struct mesh_entry *e = mesh_entry_of(l, kind->gvr.group, kind->kind);

    if (!e || (e->composed_only && !composed_only) ||
        (e->form == KUBE_META && form == KUBE_FULL))
        e = add_entry(l, &o, err);
    if (e)
        e->stays = true;
    return e;
}

/* ---- what screens show ---- */

static bool
same_word(const char *a, const char *b)
{
    return str_eq(str_of(a), str_of(b));
}

/* An entry that holds what is wanted, whole objects where there are any. */
static struct mesh_entry *
entry_for(const struct mesh_live *l, const struct mesh_feed_options *o)
{
    struct mesh_entry *e = mesh_entry_of(l, o->kind->gvr.group, o->kind->kind);

    if (e && e->form == KUBE_FULL && !e->composed_only)
        return e;
    for (size_t i = 0; i < l->n; i++) {
        e = l->v[i];
        if (e->kind == o->kind && e->form == o->form && !e->composed_only &&
            same_word(e->ns, o->ns) && same_word(e->name, o->name))
            return e;
    }
    return NULL;
}

bool
mesh_entry_unseen(const struct mesh_entry *e)
{
    return !e->stays && !e->holds;
}

/* The one that is unseen for longest; *count: all that are. */
static size_t
longest_unseen(const struct mesh_live *l, size_t *count)
{
    size_t at = l->n;

    *count = 0;
    for (size_t i = 0; i < l->n; i++) {
        if (!mesh_entry_unseen(l->v[i]))
            continue;
        ++*count;
        if (at == l->n || l->v[i]->unseen_ms < l->v[at]->unseen_ms)
            at = i;
    }
    return at;
}

static int64_t
keep_ms(const struct mesh_live *l)
{
    return l->unseen_for_ms >= 0 ? l->unseen_for_ms : UNSEEN_MS;
}

static void
sweep(void *arg)
{
    struct mesh_live *l = arg;
    struct loop *loop = kube_client_loop(l->client);
    size_t count, at;

    while ((at = longest_unseen(l, &count)) < l->n) {
        int64_t age = loop_now(loop) - l->v[at]->unseen_ms;

        if (count <= UNSEEN_MAX && age < keep_ms(l)) {
            if (!l->sweeper)
                l->sweeper = loop_timer_add(loop, keep_ms(l) - age, sweep, l);
            else
                loop_timer_set(l->sweeper, keep_ms(l) - age);
            return;
        }
        free_entry(l->v[at]);
        l->v[at] = l->v[--l->n];
    }
}

struct mesh_feed *
mesh_live_hold(struct mesh_live *l, const struct mesh_feed_options *o,
               struct error *err)
{
    struct mesh_entry *e = entry_for(l, o);

    if (!e)
        e = add_entry(l, o, err);
    if (!e)
        return NULL;
    e->holds++;
    return e->feed;
}

void
mesh_live_drop(struct mesh_live *l, struct mesh_feed *f)
{
    struct loop *loop = kube_client_loop(l->client);

    for (size_t i = 0; f && i < l->n; i++) {
        struct mesh_entry *e = l->v[i];

        if (e->feed != f)
            continue;
        e->holds--;
        e->unseen_ms = loop_now(loop);
        /* Later: this may be a callback of the feed. */
        loop_defer(loop, sweep, l);
        return;
    }
}

void
mesh_live_unseen(struct mesh_live *l, int64_t ms)
{
    l->unseen_for_ms = ms;
}

size_t
mesh_live_feeds(const struct mesh_live *l)
{
    return l->n;
}

void
mesh_entries_free(struct mesh_live *l)
{
    loop_undefer(kube_client_loop(l->client), sweep, l);
    loop_timer_del(l->sweeper);
    for (size_t i = 0; i < l->n; i++)
        free_entry(l->v[i]);
    free(l->v);
}
