/*
 * A change of any object comes here once, as an event; rules[] says which job
 * it makes. Objects of kinds that an XRD defines are XR jobs, objects of kinds
 * in category "managed" are the simulated provider's; and whoever follows the
 * object looks again (xr_state.c). No event is parsed: keys are enough.
 */
#include "devenv/sandbox/control.h"

#include <stdlib.h>

#include "lib/base/asset.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "lib/compose/conditions.h"

#include "devenv/sandbox/brought.h"
#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/managed_kinds.h"
#include "devenv/sandbox/provider.h"
#include "devenv/sandbox/usage_index.h"
#include "devenv/sandbox/workload_looks.h"

/* Jobs done before the API gets its turn again. */
#define BUDGET_US      25000
#define LOW_BUDGET_US  10000 /* what can wait lets requests pass sooner */
#define LOW_WAIT_MS    50
#define LOW_TURN_MS    500
#define FIRST_RETRY_MS 1000
#define FETCHED_MAX    20000 /* objects kept between jobs */

static const struct rule {
    const char *group, *plural;
    enum job_kind job;
} rules[] = {
    {CROSSPLANE_GROUP, "compositeresourcedefinitions", JOB_XRD},
    {CROSSPLANE_GROUP, "compositions", JOB_COMPOSITION},
    {CROSSPLANE_GROUP, "compositionrevisions", JOB_REVISION},
    {CROSSPLANE_GROUP, "managedresourcedefinitions", JOB_MRD},
    {CROSSPLANE_GROUP, "managedresourceactivationpolicies", JOB_MRAP},
    {PACKAGE_GROUP, "functions", JOB_PACKAGE},
    {PACKAGE_GROUP, "configurations", JOB_PACKAGE},
    {PACKAGE_GROUP, "providers", JOB_PACKAGE},
    {"protection.crossplane.io", "usages", JOB_USAGE},
    {"protection.crossplane.io", "clusterusages", JOB_USAGE},
    {CROSSPLANE_GROUP, "usages", JOB_USAGE},
    {"apps", "deployments", JOB_WORKLOAD},
    {"apps", "daemonsets", JOB_WORKLOAD},
    {"", "pods", JOB_WORKLOAD},
    {"", "nodes", JOB_WORKLOAD},
    {"apps", "replicasets", JOB_WORKLOAD},
    {"apps", "statefulsets", JOB_WORKLOAD},
    {"", "replicationcontrollers", JOB_WORKLOAD},
    {"batch", "jobs", JOB_WORKLOAD},
    {"", "services", JOB_WORKLOAD},
    {"", "persistentvolumeclaims", JOB_WORKLOAD},
    {"", "persistentvolumes", JOB_WORKLOAD},
    {"", "resourcequotas", JOB_WORKLOAD},
};

/* What the controllers read and write of Crossplane's own. */
static const struct {
    const char *group, *plural;
} own_kinds[] = {
    {CROSSPLANE_GROUP, "compositeresourcedefinitions"},
    {CROSSPLANE_GROUP, "compositions"},
    {CROSSPLANE_GROUP, "compositionrevisions"},
    {CROSSPLANE_GROUP, "environmentconfigs"},
    {CROSSPLANE_GROUP, "managedresourcedefinitions"},
    {CROSSPLANE_GROUP, "managedresourceactivationpolicies"},
    {PACKAGE_GROUP, "functions"},
    {PACKAGE_GROUP, "functionrevisions"},
    {PACKAGE_GROUP, "configurations"},
    {PACKAGE_GROUP, "providers"},
    {PACKAGE_GROUP, "imageconfigs"},
};

/* How a job of each kind is done, before or after others, and how long its
 * retries are put off at most. XRs: definition/reconciler.go. */
static const struct {
    bool (*look)(struct control *c, const struct job *j);
    enum queue_lane lane;
    int64_t retry_max_ms;
} work[] = {
    [JOB_XRD] = {control_xrd, QUEUE_FIRST, 60000},
    [JOB_COMPOSITION] = {control_composition, QUEUE_FIRST, 60000},
    [JOB_REVISION] = {control_revision, QUEUE_FIRST, 60000},
    [JOB_PACKAGE] = {control_package, QUEUE_FIRST, 60000},
    [JOB_MRD] = {control_mrd, QUEUE_FIRST, 60000},
    [JOB_MRAP] = {control_mrap, QUEUE_FIRST, 60000},
    [JOB_XR] = {control_xr, QUEUE_NORMAL, 30000},
    [JOB_CLAIM] = {control_claim, QUEUE_NORMAL, 60000},
    [JOB_MANAGED] = {control_managed, QUEUE_NORMAL, 60000},
    [JOB_WORKLOAD] = {control_workload, QUEUE_NORMAL, 60000},
    [JOB_USAGE] = {control_usage, QUEUE_NORMAL, 60000},
    [JOB_REPLAY] = {control_replay, QUEUE_NORMAL, 60000},
};

/* ---- small helpers of the controllers ---- */

int64_t
control_now_ms(const struct control *c)
{
    return clock_mono_ms(c->clock);
}

int64_t
control_now_s(const struct control *c)
{
    return clock_wall_ms(c->clock) / 1000;
}

const struct kind *
control_kind(struct control *c, const char *group, const char *plural)
{
    const struct kind *k = registry_resource(c->registry, group, "v1", plural);

    return k ? k : registry_resource(c->registry, group, NULL, plural);
}

static void
wake(struct control *c)
{
    if (c->kick)
        c->kick(c->kick_arg);
}

void
control_add_later(struct control *c, const struct job *j, int64_t delay_ms)
{
    queue_add(c->queue, work[j->kind].lane, j, control_now_ms(c), delay_ms);
    wake(c);
}

void
control_add(struct control *c, enum job_kind kind, const char *group,
            const char *plural, const char *ns, const char *name)
{
    struct job j = {kind, group, plural, ns, name};

    control_add_later(c, &j, 0);
}

struct adding {
    struct control *c;
    enum job_kind kind;
    const struct kind *k;
    struct strlist ns, names;
};

static bool
add_one(void *arg, struct str text)
{
    struct adding *a = arg;
    struct error err;
    AUTO(json_free_ptr) struct json *obj = json_parse(text, NULL, &err);

    strlist_add(&a->ns, str_of(kobj_namespace(obj)));
    strlist_add(&a->names, str_of(kobj_name(obj)));
    return true;
}

void
control_add_all(struct control *c, enum job_kind kind, const struct kind *k)
{
    struct adding a = {.c = c, .kind = kind, .k = k};
    AUTO(status_release) struct status st = {0};

    registry_list(c->registry, k, NULL, NULL, add_one, &a, &st);
    for (size_t i = 0; i < a.names.n; i++)
        control_add(c, kind, k->group, k->plural, a.ns.v[i], a.names.v[i]);
    strlist_release(&a.ns);
    strlist_release(&a.names);
}

void
control_add_xrs(struct control *c,
                bool (*pick)(const struct xr_state *s, const void *arg),
                const void *arg)
{
    for (struct map_entry *e = map_first(&c->states); e;
         e = map_next(&c->states, e)) {
        const struct xr_state *s = e->value;
        struct job j = {JOB_XR, s->type->group, s->type->plural, s->ns,
                        s->name};

        if (!pick || pick(s, arg))
            queue_add(c->queue, QUEUE_LOW, &j, control_now_ms(c), 0);
    }
    wake(c);
}

void
control_event(struct control *c, const struct json *obj, const char *component,
              bool warning, const char *reason, const char *fmt, ...)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    registry_emit(c->registry, obj, component, warning ? "Warning" : "Normal",
                  reason, buf_cstr(&b));
}

bool
control_mark(const struct control *c, struct json *obj, const char *type,
             const char *status, const char *reason, const char *message)
{
    const struct condition cond = {type, status, reason, message,
                                   kobj_generation(obj)};

    return condition_set(obj, &cond, control_now_s(c));
}

static bool
replace(struct json **obj, struct json *stored)
{
    if (!stored)
        return false;
    json_free(*obj);
    *obj = stored;
    return true;
}

bool
control_update_status(struct control *c, const struct kind *k,
                      const char *manager, struct json **obj)
{
    AUTO(status_release) struct status st = {0};

    return replace(obj, registry_update_status(c->registry, k, manager,
                                               kobj_namespace(*obj),
                                               json_copy(*obj), &st));
}

bool
control_update(struct control *c, const struct kind *k, const char *manager,
               struct json **obj, struct status *st)
{
    const struct registry_write w = {.manager = manager};

    return replace(obj,
                   registry_update(c->registry, k, &w, kobj_namespace(*obj),
                                   json_copy(*obj), st));
}

/* ---- what was fetched ---- */

static void
free_items(void *items)
{
    json_free(items);
}

static void
free_fetched(void *p)
{
    map_release(p, free_items);
    free(p);
}

static size_t
weight(const struct json *items)
{
    return 1 + (json_is(items, JSON_ARRAY) ? json_len(items) : 0);
}

static char *
kind_key(const struct kind *k)
{
    return mem_printf("%s/%s", k->group, k->kind);
}

static void
forget_fetched(struct control *c, const struct kind *k)
{
    AUTO(mem_free_ptr) char *key = kind_key(k);
    struct map *m = map_del(&c->fetched, str_of(key));

    if (!m)
        return;
    for (struct map_entry *e = map_first(m); e; e = map_next(m, e))
        c->fetched_n -= weight(e->value);
    free_fetched(m);
}

/* Between jobs, so that a job may hold on to what it was given. */
static void
bound_fetched(struct control *c)
{
    if (c->fetched_n <= FETCHED_MAX)
        return;
    map_release(&c->fetched, free_fetched);
    c->fetched_n = 0;
}

const struct json *
control_fetched(struct control *c, const struct kind *k, struct str selector)
{
    AUTO(mem_free_ptr) char *key = kind_key(k);
    const struct map *m = map_get(&c->fetched, str_of(key));

    return m ? map_get(m, selector) : NULL;
}

const struct json *
control_keep_fetched(struct control *c, const struct kind *k,
                     struct str selector, struct json *items)
{
    AUTO(mem_free_ptr) char *key = kind_key(k);
    struct map *m = map_get(&c->fetched, str_of(key));

    if (!m) {
        m = mem_zalloc(1, sizeof(*m));
        map_put(&c->fetched, str_of(key), m);
    }
    struct json *old = map_put(m, selector, items);

    c->fetched_n += weight(items) - (old ? weight(old) : 0);
    json_free(old);
    return items;
}

const struct json *
control_get(struct control *c, const char *plural, const char *name)
{
    const struct kind *k = control_kind(c, CROSSPLANE_GROUP, plural);
    AUTO(mem_free_ptr) char *key = mem_printf("name=%s", name);
    const struct json *j = control_fetched(c, k, str_of(key));

    if (!j) {
        struct json *obj = registry_get(c->registry, k, "", name);

        j = control_keep_fetched(c, k, str_of(key),
                                 obj ? obj : json_new_null());
    }
    return json_is(j, JSON_OBJECT) ? j : NULL;
}

const struct json *
control_list(struct control *c, const char *plural, const char *labels,
             struct status *st)
{
    const struct kind *k = control_kind(c, CROSSPLANE_GROUP, plural);
    AUTO(mem_free_ptr)
    char *key = mem_printf("labels=%s", labels ? labels : "");
    const struct json *j = control_fetched(c, k, str_of(key));

    if (!j) {
        struct json *all = registry_list_json(c->registry, k, NULL, labels, st);

        if (!all)
            return NULL;
        j = control_keep_fetched(c, k, str_of(key), all);
    }
    return j;
}

/* ---- changes become jobs ---- */

/* A generated CRD that somebody changed goes back to what defines it. Most have
 * no owner, and need not be parsed to see that. */
static void
add_owners(struct control *c, const struct registry_event *e)
{
    bool owned = str_contains(e->text, STR("\"ownerReferences\":"));
    AUTO(json_free_ptr)
    struct json *crd = owned ? json_parse(e->text, NULL, NULL) : NULL;
    const struct json *owners =
        json_at(crd, "metadata", "ownerReferences", NULL);

    for (const struct json *o = json_first(owners); o; o = json_next(o)) {
        const char *name = json_string_or(json_get(o, "name"), "");

        if (strcmp(kobj_kind(o), "CompositeResourceDefinition") == 0)
            control_add(c, JOB_XRD, CROSSPLANE_GROUP,
                        "compositeresourcedefinitions", "", name);
        else if (strcmp(kobj_kind(o), "ManagedResourceDefinition") == 0)
            control_add(c, JOB_MRD, CROSSPLANE_GROUP,
                        "managedresourcedefinitions", "", name);
    }
}

static void
add_by_rule(struct control *c, const struct registry_event *e)
{
    const struct kind *k = e->kind;
    struct job j = {JOB_XR, k->group, k->plural, e->ns, e->name};

    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (strcmp(rules[i].plural, k->plural) == 0 &&
            strcmp(rules[i].group, k->group) == 0) {
            j.kind = rules[i].job;
            control_add_later(c, &j, 0);
            return;
        }
    }
    if (strcmp(k->plural, "customresourcedefinitions") == 0)
        add_owners(c, e);
}

static struct xr_type *
type_in(const struct map *types, const struct kind *k)
{
    AUTO(mem_free_ptr) char *key = mem_printf("%s/%s", k->group, k->plural);

    return map_get(types, str_of(key));
}

/* A claim follows its XR. */
static void
add_claim(struct control *c, const struct xr_type *t,
          const struct registry_event *e)
{
    AUTO(json_free_ptr) struct json *xr = json_parse(e->text, NULL, NULL);
    const struct json *ref = json_at(xr, "spec", "claimRef", NULL);

    if (ref)
        control_add(c, JOB_CLAIM, t->group, t->claim_plural,
                    json_string_or(json_get(ref, "namespace"), ""),
                    json_string_or(json_get(ref, "name"), ""));
}

static void
add_xr(struct control *c, const struct registry_event *e)
{
    const struct kind *k = e->kind;
    struct xr_state *s = xr_state_find(c, k->group, k->plural, e->ns, e->name);
    bool heard = !s || xr_state_hears(c, s, e);

    /* Our own writes are no news to us. */
    if (!heard ||
        (s && e->type != CHANGE_DELETED && (int64_t)e->revision <= s->seen))
        return;
    control_add(c, JOB_XR, k->group, k->plural, e->ns, e->name);
}

static void
on_event(void *arg, const struct registry_event *e)
{
    struct control *c = arg;
    const struct kind *k = e->kind;
    const struct xr_type *type = type_in(&c->types, k);

    c->heard = MAX(c->heard, e->revision);
    if (strcmp(k->plural, "events") == 0)
        return;
    forget_fetched(c, k);
    usage_index_event(c->usages, e);
    add_by_rule(c, e);
    if (e->type == CHANGE_DELETED)
        workload_gone(c, e);
    if (type && type->claim_plural)
        add_claim(c, type, e);
    if (type)
        add_xr(c, e);
    else if (type_in(&c->claims, k))
        control_add(c, JOB_CLAIM, k->group, k->plural, e->ns, e->name);
    else if (!provider_heard(c->provider, e) &&
             registry_in_category(k, "managed"))
        control_add(c, JOB_MANAGED, k->group, k->plural, e->ns, e->name);
    xr_state_changed(c, e);
    wake(c);
}

/* ---- the whole ---- */

#define DEFINITIONS "apiextensions.k8s.io/customresourcedefinitions"

static bool
install_docs(struct control *c, const struct asset *a, struct strlist *ids,
             struct error *err)
{
    const struct registry_write w = {.manager = CORE_MANAGER, .vouched = true};
    struct yaml_docs docs = {0};
    bool ok = yaml_parse(a->data, NULL, &docs, err);

    for (size_t i = 0; ok && i < docs.n; i++) {
        AUTO(status_release) struct status st = {0};

        ok = registry_install_crd(c->registry, &w, docs.v[i].value, &st) ||
             status_error(&st, err);
        strlist_addf(ids, DEFINITIONS " %s", kobj_name(docs.v[i].value));
    }
    yaml_docs_release(&docs);
    return ok || error_wrap(err, "%s", a->path);
}

static bool
install_own_kinds(struct control *c, struct error *err)
{
    struct store *store = registry_store(c->registry);
    AUTO(strlist_release) struct strlist ids = {0};
    AUTO(buf_release) struct buf all = BUF_INIT(BUF_TEXT_MAX);
    struct brought b = {.note = "crossplane"};
    struct asset a;

    for (unsigned i = 0; asset_under("assets/crossplane/", i, &a); i++)
        buf_str(&all, a.data);
    b.made_of = buf_view(&all);
    if (brought_stands(store, &b))
        return true;
    for (unsigned i = 0; asset_under("assets/crossplane/", i, &a); i++) {
        if (!install_docs(c, &a, &ids, err))
            return false;
    }
    brought_note(store, &b, &ids, true);
    return true;
}

/* The controllers cannot be without their kinds: one that somebody deleted
 * comes back. */
static void
need_own_kinds(struct control *c)
{
    bool there = true;

    for (size_t i = 0; i < ARRAY_LEN(own_kinds) && there; i++)
        there = registry_resource(c->registry, own_kinds[i].group, NULL,
                                  own_kinds[i].plural) != NULL;
    if (!there)
        install_own_kinds(c, NULL);
}

static void
add_managed(void *arg, const struct kind *k)
{
    if (registry_in_category(k, "managed"))
        control_add_all(arg, JOB_MANAGED, k);
}

/* XRs follow by themselves once their XRD is established. */
static void
look_at_all(struct control *c)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        const struct kind *k = control_kind(c, rules[i].group, rules[i].plural);

        if (k)
            control_add_all(c, rules[i].job, k);
    }
    registry_each_kind(c->registry, add_managed, c);
}

static void
on_timer(void *arg)
{
    wake(arg);
}

struct control *
control_new(const struct control_options *o, struct error *err)
{
    struct control *c = mem_zalloc(1, sizeof(*c));

    c->registry = o->registry;
    c->loop = o->loop;
    c->clock = o->clock;
    c->provider_delay_ms = o->provider_delay_ms;
    c->core_23 = o->core_23;
    c->kick = o->kick;
    c->kick_arg = o->kick_arg;
    c->queue = queue_new();
    c->provider = provider_new(c);
    if (!install_own_kinds(c, err) ||
        !managed_kinds_install(c->registry, err)) {
        control_free(c);
        return NULL;
    }
    control_default_policy(c);
    c->usages = usage_index_new(c);
    c->subscription = registry_subscribe(c->registry, NULL, NULL, on_event, c);
    c->timer = loop_timer_add(c->loop, -1, on_timer, c);
    look_at_all(c);
    return c;
}

static void
free_pipeline(void *p)
{
    pipeline_free(p);
}

void
control_free(struct control *c)
{
    if (!c)
        return;
    registry_unsubscribe(c->subscription);
    usage_index_free(c->usages);
    loop_timer_del(c->timer);
    map_release(&c->states, xr_state_free);
    map_release(&c->claims, NULL);
    map_release(&c->types, xr_type_free);
    map_release(&c->children, xr_followers_free);
    map_release(&c->wanted, xr_followers_free);
    map_release(&c->pipelines, free_pipeline);
    map_release(&c->fetched, free_fetched);
    map_release(&c->delays, free);
    provider_free(c->provider);
    functions_release(&c->functions);
    queue_free(c->queue);
    free(c);
}

/* The low lane waits until nothing is on its way that would make its jobs run
 * again: all that the other lane wrote has been heard of. Now and then one of
 * its jobs goes first all the same. */
static bool
take(struct control *c, struct job *j)
{
    int64_t now = control_now_ms(c);
    bool turn = now - c->low_ms >= LOW_TURN_MS;

    c->low = false;
    if (queue_take(c->queue, now, QUEUE_FIRST, j))
        return true;
    if (!turn && queue_take(c->queue, now, QUEUE_NORMAL, j))
        return true;
    if (c->heard < c->written && now - c->low_ms < LOW_WAIT_MS)
        return false;
    c->low_ms = now;
    c->low = queue_take(c->queue, now, QUEUE_LOW, j);
    return c->low || queue_take(c->queue, now, QUEUE_NORMAL, j);
}

static void
run(struct control *c, const struct job *j)
{
    if (work[j->kind].look(c, j))
        queue_forget(c->queue, j);
    else
        queue_retry(c->queue, work[j->kind].lane, j, control_now_ms(c),
                    FIRST_RETRY_MS, work[j->kind].retry_max_ms);
    if (!c->low)
        c->written = registry_revision(c->registry);
}

bool
control_turn(struct control *c)
{
    int64_t start = clock_mono_us(), due;
    bool spent = false;
    struct job j;

    need_own_kinds(c);
    while (!spent && take(c, &j)) {
        bound_fetched(c);
        run(c, &j);
        spent = clock_mono_us() - start > (c->low ? LOW_BUDGET_US : BUDGET_US);
    }
    due = queue_due(c->queue, control_now_ms(c));
    /* What waits in the low lane is looked at when events have come in. */
    if (due == 0 && !spent)
        due = LOW_WAIT_MS;
    loop_timer_set(c->timer, due > 0 ? due : -1);
    return due == 0;
}

bool
control_idle(const struct control *c)
{
    return queue_due(c->queue, control_now_ms(c)) != 0;
}

void
control_rolled_back(struct control *c)
{
    provider_rolled_back(c->provider);
    for (struct map_entry *e = map_first(&c->states); e;
         e = map_next(&c->states, e)) {
        struct xr_state *s = e->value;

        s->seen = 0;
        s->status_hash[0] = '\0';
        map_release(&s->applied, free);
    }
    control_add_xrs(c, NULL, NULL);
    look_at_all(c);
}
