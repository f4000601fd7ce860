#include "lib/mesh/live.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/mesh/graph.h"
#include "lib/mesh/live_in.h"

/*
 * Every callback of a cache puts what changed into the model and asks for one
 * deferred `turn`; there the model settles, kinds that are newly referred to
 * get their cache, and the screen is told once.
 *
 * Of kinds without a role only objects go into the model that somebody
 * controls or that a tree refers to. Of Kubernetes' own kinds only objects that
 * Crossplane composed are even asked for: a cluster holds thousands of
 * ConfigMaps that are nobody's, and Secrets that are none of our business.
 */

#define BACKOFF_FIRST_MS 800
#define BACKOFF_LAST_MS  30000

static const char *const role_kinds[][2] = {
    {MESH_GROUP "/v1alpha1", "DataProduct"},
    {MESH_GROUP "/v1alpha1", "DataDomain"},
    {MESH_GROUP "/v1alpha1", "DataContract"},
    {MESH_GROUP "/v1alpha1", "Mesh"},
    {"protection.crossplane.io/v1beta1", "Usage"},
    {"protection.crossplane.io/v1beta1", "ClusterUsage"},
};

static void turn(void *arg);

static void
ask_turn(struct mesh_live *l)
{
    if (l->turn_wanted)
        return;
    l->turn_wanted = true;
    loop_defer(kube_client_loop(l->client), turn, l);
}

/* ---- caches ---- */

static void
put(struct mesh_entry *e, const struct kube_object *o)
{
    struct error err;
    struct mesh *m = e->l->model;

    if (!e->role && !o->owner.n &&
        !mesh_wants(m, e->api_version, e->kind->kind, o->ns.s, o->name.s))
        return;
    /* What cannot be read is shown by lists, not by the mesh. */
    mesh_put(m, e->api_version, e->kind->kind, o->body, &err);
}

/* What the planner has compiled. */
static bool
is_machinery(const struct kube_kind *k)
{
    return strcmp(k->gvr.group, "apiextensions.crossplane.io") == 0 ||
           strcmp(k->gvr.group, "pkg.crossplane.io") == 0;
}

void
mesh_entry_changes(void *arg, const struct kube_change *v, size_t n)
{
    struct mesh_entry *e = arg;

    if (is_machinery(e->kind))
        mesh_planner_forget(e->l->planner);
    e->l->news = true;
    ask_turn(e->l);
    if (!e->fed)
        return;
    for (size_t i = 0; i < n; i++) {
        const struct kube_object *o = v[i].object;

        if (v[i].type == KUBE_DELETED)
            mesh_del(e->l->model, e->api_version, e->kind->kind, o->ns.s,
                     o->name.s);
        else
            put(e, o);
    }
}

static enum mesh_watch
watch_of(const struct mesh_feed *f)
{
    if (mesh_feed_synced(f))
        return MESH_SYNCED;
    return mesh_feed_refused(f) ? MESH_REFUSED : MESH_SYNCING;
}

void
mesh_entry_state(void *arg)
{
    struct mesh_entry *e = arg;

    if (e->fed && e->feed)
        mesh_watched(e->l->model, e->api_version, e->kind->kind,
                     watch_of(e->feed));
    e->l->news = true;
    ask_turn(e->l);
}

/* From now on its objects go into the model; those that are there, now. */
static void
feed(struct mesh_entry *e, struct mesh_kind *k)
{
    if (e->fed)
        return;
    e->fed = k;
    e->role = e->role || k->role != MESH_ROLE_OTHER;
    mesh_watched(e->l->model, e->api_version, e->kind->kind, watch_of(e->feed));
    for (size_t i = 0; i < mesh_feed_count(e->feed); i++)
        put(e, mesh_feed_at(e->feed, i));
    ask_turn(e->l);
}

bool
mesh_live_follow(struct mesh_live *l, const struct kube_kind *kind,
                 struct error *err)
{
    struct mesh_entry *e = mesh_entry_open(l, kind, KUBE_FULL, false, err);

    if (!e)
        return false;
    feed(e, graph_kind(l->model, e->api_version, kind->kind));
    e->role = true;
    for (size_t i = 0; i < mesh_feed_count(e->feed); i++)
        put(e, mesh_feed_at(e->feed, i));
    ask_turn(l);
    return true;
}

static struct str
lookup(void *arg, const struct mesh_item *i)
{
    return mesh_live_body(arg, i);
}

/* ---- which kinds ---- */

/* Kubernetes' own: "", "apps", "networking.k8s.io". */
static bool
is_builtin(const char *group)
{
    return !strchr(group, '.') || str_ends(str_of(group), STR(".k8s.io"));
}

/* Of these the model wants no more than that they exist and whose they are:
 * no data, above all none of Secrets. */
static enum kube_form
form_of(const struct mesh_kind *k)
{
    static const char *const bare[] = {"ConfigMap", "Secret", "ServiceAccount"};

    if (strcmp(k->group, "rbac.authorization.k8s.io") == 0)
        return KUBE_META;
    for (size_t i = 0; i < ARRAY_LEN(bare) && !*k->group; i++) {
        if (strcmp(bare[i], k->kind) == 0)
            return KUBE_META;
    }
    return KUBE_FULL;
}

static void
open_kind(struct mesh_live *l, struct mesh_kind *k)
{
    const struct kube_kind *kind = kube_discovery_of(
        l->discovery, str_of(k->api_version), str_of(k->kind));
    struct mesh_entry *e =
        kind ? mesh_entry_open(l, kind, form_of(k), is_builtin(k->group), NULL)
             : NULL;

    if (e)
        feed(e, k);
    else
        mesh_watched(l->model, k->api_version, k->kind, MESH_REFUSED);
}

/* Kinds that trees refer to, now that something can be known of them. */
static void
open_referred(struct mesh_live *l, bool once_more)
{
    struct mesh_kind *k;

    l->kinds_seen = mesh_kinds_generation(l->model);
    for (size_t i = 0; (k = mesh_kind_at(l->model, i)); i++) {
        bool closed = k->watch == MESH_UNWATCHED ||
                      (once_more && k->watch == MESH_REFUSED &&
                       !mesh_entry_of(l, k->group, k->kind));

        if (closed && (k->referred || k->role != MESH_ROLE_OTHER))
            open_kind(l, k);
    }
}

/* The model knows these kinds from the start. */
static void
name_roles(struct mesh_live *l)
{
    for (size_t i = 0; i < ARRAY_LEN(role_kinds); i++)
        graph_kind(l->model, role_kinds[i][0], role_kinds[i][1]);
}

static bool
serves_mesh(const struct mesh_live *l)
{
    return kube_discovery_of(l->discovery, str_of(role_kinds[0][0]),
                             str_of(role_kinds[0][1]));
}

static bool
has_unserved(const struct mesh_live *l)
{
    const struct mesh_kind *k;

    for (size_t i = 0; (k = mesh_kind_at(l->model, i)); i++) {
        if (k->referred && k->watch == MESH_REFUSED &&
            !mesh_entry_of(l, k->group, k->kind))
            return true;
    }
    return false;
}

/* ---- discovery ---- */

static void on_again(void *arg);

static void
plan_again(struct mesh_live *l)
{
    struct loop *loop = kube_client_loop(l->client);

    if (!l->again)
        l->again = loop_timer_add(loop, l->backoff_ms, on_again, l);
    else
        loop_timer_set(l->again, l->backoff_ms);
    l->backoff_ms = MIN(l->backoff_ms * 2, BACKOFF_LAST_MS);
}

static void
on_discovery(void *arg, const struct error *err)
{
    struct mesh_live *l = arg;
    struct error why;

    /* What an old list lacks may be there by now: the server is being asked. */
    if (!err && kube_discovery_stale(l->discovery) &&
        (!serves_mesh(l) || has_unserved(l)) &&
        kube_discovery_load(l->discovery, on_discovery, l, &why))
        return;
    l->problem = err ? *err : (struct error){0};
    l->news = true;
    l->looked = l->looked || !err;
    if (!err)
        open_referred(l, true);
    /* Only what is not there (yet) is asked for again and again. */
    if (err || !serves_mesh(l) || has_unserved(l))
        plan_again(l);
    else
        l->backoff_ms = BACKOFF_FIRST_MS;
    ask_turn(l);
}

static void
on_again(void *arg)
{
    struct mesh_live *l = arg;
    struct error err;

    if (!kube_discovery_load(l->discovery, on_discovery, l, &err))
        on_discovery(l, &err);
}

static void
turn(void *arg)
{
    struct mesh_live *l = arg;

    l->turn_wanted = false;
    if (mesh_kinds_generation(l->model) != l->kinds_seen && l->looked) {
        open_referred(l, false);
        /* A kind that came after we asked what there is: ask once more. */
        if (has_unserved(l))
            plan_again(l);
    }
    bool news = mesh_settle(l->model) || l->news;

    l->news = false;
    /* Settling may have met references to yet other kinds. */
    if (mesh_kinds_generation(l->model) != l->kinds_seen && l->looked)
        ask_turn(l);
    if (news && l->fns.on_change)
        l->fns.on_change(l->fns.arg);
}

/* ---- what the planner asks ---- */

static struct mesh_entry *
planner_entry(struct mesh_live *l, const char *api_version, const char *kind)
{
    struct str group, version;
    const struct kube_kind *k;
    char name[256];

    if (!kube_api_version_split(str_of(api_version), &group, &version) ||
        group.n >= sizeof(name))
        return NULL;
    memcpy(name, group.s, group.n);
    name[group.n] = '\0';
    struct mesh_entry *e = mesh_entry_of(l, name, kind);
    bool secret = !group.n && strcmp(kind, "Secret") == 0;

    if (e && e->form == KUBE_FULL && (secret || !e->composed_only)) {
        e->stays = true;
        return e;
    }
    k = kube_discovery_of(l->discovery, str_of(api_version), str_of(kind));
    return k ? mesh_entry_open(l, k, KUBE_FULL, secret, NULL) : NULL;
}

static struct str
host_get(void *arg, const char *api_version, const char *kind, const char *ns,
         const char *name, bool *known)
{
    struct mesh_entry *e = planner_entry(arg, api_version, kind);
    const struct kube_object *o = e ? mesh_feed_find(e->feed, ns, name) : NULL;

    *known = e && mesh_feed_synced(e->feed);
    return o ? o->body : (struct str){0};
}

static bool
host_each(void *arg, const char *api_version, const char *kind, const char *ns,
          const struct json *labels, mesh_body_fn *fn, void *fn_arg)
{
    struct mesh_entry *e = planner_entry(arg, api_version, kind);

    (void)labels;
    if (!e || !mesh_feed_synced(e->feed))
        return false;
    for (size_t i = ns ? mesh_feed_lower(e->feed, ns, "") : 0;
         i < mesh_feed_count(e->feed); i++) {
        const struct kube_object *o = mesh_feed_at(e->feed, i);

        if (ns && !str_eqz(o->ns, ns))
            break;
        if (!fn(fn_arg, o->body))
            break;
    }
    return true;
}

static bool
host_served(void *arg, const char *api_version, const char *kind,
            bool *namespaced)
{
    struct mesh_live *l = arg;
    const struct kube_kind *k =
        kube_discovery_of(l->discovery, str_of(api_version), str_of(kind));

    if (k)
        *namespaced = k->namespaced;
    return k;
}

/* ---- the live model ---- */

static void
on_scope(void *arg)
{
    struct mesh_live *l = arg;

    for (size_t i = 0; i < l->n; i++)
        mesh_feed_scoped(l->v[i]->feed);
    l->news = true;
    ask_turn(l);
}

/* What is served has become different: kinds may be there, or gone. */
static void
on_news(void *arg)
{
    struct mesh_live *l = arg;

    l->news = true;
    if (l->looked)
        open_referred(l, true);
    ask_turn(l);
}

struct mesh_live *
mesh_live_new(struct kube_client *c, const struct mesh_live_fns *fns,
              struct error *err)
{
    return mesh_live_new_on(c, NULL, fns, err);
}

struct mesh_live *
mesh_live_new_on(struct kube_client *c, struct kube_discovery *discovery,
                 const struct mesh_live_fns *fns, struct error *err)
{
    struct mesh_live *l = mem_zalloc(1, sizeof(*l));

    l->client = c;
    l->fns = fns ? *fns : (struct mesh_live_fns){0};
    l->backoff_ms = BACKOFF_FIRST_MS;
    l->unseen_for_ms = -1;
    l->scope = mesh_scope_new(c, on_scope, l);
    l->borrowed = discovery != NULL;
    l->discovery = discovery ? discovery : kube_discovery_new(c);
    l->model = mesh_new(clock_system());
    l->host = (struct mesh_host){
        .arg = l, .get = host_get, .each = host_each, .served = host_served};
    l->planner = mesh_planner_new(&l->host);
    mesh_set_lookup(l->model, lookup, l);
    name_roles(l);
    kube_discovery_on_news(l->discovery, on_news, l);
    if (kube_discovery_need(l->discovery, on_discovery, l, err))
        return l;
    mesh_live_free(l);
    return NULL;
}

void
mesh_live_free(struct mesh_live *l)
{
    if (!l)
        return;
    loop_undefer(kube_client_loop(l->client), turn, l);
    loop_timer_del(l->again);
    mesh_entries_free(l);
    mesh_scope_free(l->scope);
    mesh_planner_free(l->planner);
    mesh_free(l->model);
    if (l->borrowed) {
        kube_discovery_on_news(l->discovery, NULL, NULL);
        kube_discovery_forget(l->discovery, on_discovery, l);
    } else {
        kube_discovery_free(l->discovery);
    }
    free(l);
}

void
mesh_live_free_ptr(struct mesh_live **l)
{
    mesh_live_free(*l);
}

struct mesh *
mesh_live_model(struct mesh_live *l)
{
    return l->model;
}

struct kube_discovery *
mesh_live_discovery(struct mesh_live *l)
{
    return l->discovery;
}

struct mesh_planner *
mesh_live_planner(struct mesh_live *l)
{
    return l->planner;
}

struct str
mesh_live_body(struct mesh_live *l, const struct mesh_item *i)
{
    struct mesh_entry *e = mesh_entry_of(l, i->kind->group, i->kind->kind);
    const struct kube_object *o =
        e ? mesh_feed_find(e->feed, i->ns, i->name) : NULL;

    return o ? o->body : (struct str){0};
}

static bool
is_products(const struct kube_kind *k)
{
    return strcmp(k->gvr.group, MESH_GROUP) == 0 &&
           strcmp(k->kind, "DataProduct") == 0;
}

void
mesh_live_state(const struct mesh_live *l, struct mesh_live_state *out)
{
    *out = (struct mesh_live_state){
        .synced = l->looked && mesh_kinds_generation(l->model) == l->kinds_seen,
        .live = l->looked && l->problem.code == ERR_NONE,
        .no_mesh = l->looked && !serves_mesh(l),
        .problem = l->problem.code == ERR_NONE ? NULL : &l->problem,
    };
    for (size_t i = 0; i < l->n; i++) {
        const struct mesh_feed *f = l->v[i]->feed;
        bool stale = mesh_feed_state(f) == KUBE_CACHE_STALE;
        int64_t as_of = stale ? mesh_feed_as_of(f) : 0;

        if (mesh_entry_unseen(l->v[i]))
            continue;
        if (mesh_feed_refused(f)) {
            /* Without products there is no mesh to show: that must be said. */
            if (!out->problem && is_products(l->v[i]->kind))
                out->problem = mesh_feed_error(f);
            continue;
        }
        out->synced = out->synced && (mesh_feed_synced(f) || !l->v[i]->fed);
        out->live = out->live && !stale;
        if (as_of && (!out->as_of_ms || as_of < out->as_of_ms))
            out->as_of_ms = as_of;
        if (!out->problem && mesh_feed_state(f) != KUBE_CACHE_LIVE)
            out->problem = mesh_feed_error(f);
    }
}

void
mesh_live_retry(struct mesh_live *l)
{
    for (size_t i = 0; i < l->n; i++)
        mesh_feed_retry(l->v[i]->feed);
    l->backoff_ms = BACKOFF_FIRST_MS;
    on_again(l);
}

bool
mesh_live_wait(struct mesh_live *l, int64_t timeout_ms, struct error *err)
{
    int64_t end = clock_mono_ms(clock_system()) + timeout_ms;
    struct mesh_live_state s;

    for (;;) {
        mesh_live_state(l, &s);
        int64_t left = end - clock_mono_ms(clock_system());

        if (s.problem && s.problem->code != ERR_NETWORK &&
            s.problem->code != ERR_TIMEOUT) {
            if (err)
                *err = *s.problem;
            return false;
        }
        if (s.synced && !l->turn_wanted)
            return true;
        if (left <= 0)
            break;
        loop_turn(kube_client_loop(l->client), (int)left);
    }
    if (s.problem && err)
        *err = *s.problem;
    else
        error_set(err, ERR_TIMEOUT, "the cluster did not answer in %lld s",
                  (long long)(timeout_ms / 1000));
    return false;
}
