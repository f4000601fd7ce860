/*
 * What down removes inside a cluster: composite resources first (their
 * finalizers need a Crossplane that runs; what they stand for outside goes only
 * through them), then, where the cluster is not ours, everything else of ours.
 */
#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/context.h"
#include "devenv/crossplane.h"
#include "devenv/down_steps.h"
#include "devenv/gone.h"
#include "devenv/owner.h"

#define NAMED_MAX      5
#define RISK_NAMES_MAX 2048

/* All objects of a category ("composite", "managed") with the label, or all
 * (label NULL). */
static bool
find_category(struct down *d, const char *category, const char *label,
              struct gone_list *out, struct error *err)
{
    const struct kube_kind *k;

    for (size_t i = 0;
         (k = kube_discovery_category(d->env->discovery, category, i)); i++) {
        if (!gone_find(d->env, k, label, out, err))
            return false;
    }
    return true;
}

static bool
connect(struct down *d, struct error *err)
{
    struct kube_request r = {
        .verb = KUBE_RAW_GET, .path = "/readyz", .timeout_ms = 5000};

    return env_connect(d->env, err) &&
           kube_client_wait(d->env->client, &r, NULL, err) &&
           kube_discovery_wait(d->env->discovery, false, err);
}

/* Names what nobody composed, "A a, B b and 2 more"; how many there are. */
static size_t
name_roots(const struct gone_list *l, struct buf *out)
{
    size_t n = 0;

    for (size_t i = 0; i < l->n; i++) {
        if (!l->v[i].composed && n++ < NAMED_MAX)
            buf_printf(out, "%s%s %s", n > 1 ? ", " : "", l->v[i].kind,
                       l->v[i].name);
    }
    if (n > NAMED_MAX)
        buf_printf(out, " and %zu more", n - NAMED_MAX);
    return n;
}

/* Composite resources that no example of ours brought. */
static void
risk_own_objects(struct down *d)
{
    AUTO(mem_free_ptr)
    char *label = mem_printf("%s!=%s", MARK_RUN, d->env->profile.name);
    AUTO(buf_release) struct buf names = BUF_INIT(RISK_NAMES_MAX);
    struct gone_list own = {0};
    size_t n = 0;

    if (find_category(d, "composite", label, &own, NULL))
        n = name_roots(&own, &names);
    if (n)
        buf_printf(&d->risk, "%s%zu %s that up did not make would be lost: %s",
                   d->risk.n ? "\n" : "", n, n == 1 ? "object" : "objects",
                   buf_cstr(&names));
    gone_release(&own);
}

/* Managed resources of real providers stand for something outside. */
static void
risk_external(struct down *d)
{
    struct gone_list managed = {0};
    size_t n = 0;

    find_category(d, "managed", NULL, &managed, NULL);
    for (size_t i = 0; i < managed.n; i++)
        n += managed.v[i].external != NULL;
    if (n)
        buf_printf(&d->risk,
                   "%s%zu resources outside of the cluster would be deleted",
                   d->risk.n ? "\n" : "", n);
    gone_release(&managed);
}

/* The kubeconfig of a context that was lost is taken again from where it came
 * from. */
static void
restore_context(struct profile *p)
{
    if (strcmp(p->engine, "context") == 0 && *p->context &&
        !file_exists(p->kubeconfig))
        context_take(p, profile_fact(p, CONTEXT_FACT_SOURCE), p->context, NULL);
}

/* Nothing was put on a cluster that was never reached: the mark comes first,
 * and its run-id before it. */
static bool
touched(const struct down *d)
{
    const struct profile *p = &d->env->profile;

    return profile_is_up(p) || profile_fact(p, OWNER_FACT_RUN);
}

void
down_look_cluster(struct down *d, struct step_run *run UNUSED)
{
    struct error why = {0};

    restore_context(&d->env->profile);
    if (!*d->engine || !touched(d))
        return;
    d->api = connect(d, &why);
    if (d->guest)
        buf_printf(&d->risk,
                   "everything of ours would be removed from the cluster "
                   "\"%s\", which is not ours",
                   *d->env->profile.context ? d->env->profile.context
                                            : d->engine);
    if (!d->api)
        return;
    if (!d->guest)
        risk_own_objects(d);
    if (strcmp(d->engine, "kind") == 0) /* the sandbox only plays providers */
        risk_external(d);
}

void
down_audit_cluster(struct down *d, struct audit *out)
{
    AUTO(mem_free_ptr) char *command = NULL;

    if (!d->guest || !touched(d))
        return;
    if (d->api) {
        audit_objects(d->env, out);
        return;
    }
    command =
        mem_printf("kubectl --kubeconfig %s get all,functions,xrd -A "
                   "-l %s=%s",
                   d->env->profile.kubeconfig, MARK_RUN, d->env->profile.name);
    audit_add(out, true, command, "what is in the cluster of the context %s",
              d->env->profile.context);
}

/* ---- composites ---- */

/* On a cluster of ours only where something outside hangs on them. */
static bool
needs_order(struct down *d)
{
    struct gone_list managed = {0};
    size_t n = 0;

    if (d->guest)
        return true;
    find_category(d, "managed", NULL, &managed, NULL);
    for (size_t i = 0; i < managed.n; i++)
        n += managed.v[i].external != NULL;
    gone_release(&managed);
    return n > 0;
}

enum step_verdict
down_composites_check(void *context, struct step_run *run)
{
    struct down *d = context;

    if (d->api && !needs_order(d)) {
        step_detail(run, "nothing outside of the cluster");
        return STEP_IS_DONE;
    }
    return touched(d) ? STEP_IS_TODO : STEP_IS_DONE;
}

enum step_verdict
down_guest_check(void *context, struct step_run *run)
{
    struct down *d = context;

    if (touched(d))
        return STEP_IS_TODO;
    step_detail(run, "the cluster was never touched");
    return STEP_IS_DONE;
}

/* Composite kinds that go behind the others, in this order: products live in
 * what their domain composed, domains in their mesh. */
static const char *const last_kinds[] = {"DataDomain", "Mesh"};

static size_t
wave_of(const struct gone_object *g)
{
    for (size_t i = 0; i < ARRAY_LEN(last_kinds); i++) {
        if (strcmp(g->kind, last_kinds[i]) == 0)
            return i + 1;
    }
    return 0;
}

/* The objects of list that belong to a wave; the rest is passed over. */
static bool
remove_wave(struct down *d, struct gone_list *list, size_t wave,
            struct step_run *run, struct error *err)
{
    const struct gone_options o = {.limit_ms = d->options->gone_ms,
                                   .drop = d->options->drop_finalizers,
                                   .leaks = &d->leaks};

    for (size_t i = 0; i < list->n; i++) {
        struct gone_object *g = &list->v[i];

        /* What is composed is waited for at the end. */
        g->gone = wave < ARRAY_LEN(last_kinds) + 1 &&
                  (g->composed || wave_of(g) != wave);
    }
    return gone_delete(d->env, list, &o, run, err);
}

static bool
remove_composites(struct down *d, struct step_run *run, struct error *err)
{
    AUTO(mem_free_ptr)
    char *label = mem_printf("%s=%s", MARK_RUN, d->env->profile.name);
    struct gone_list list = {0};
    bool ok =
        find_category(d, "composite", d->guest ? label : NULL, &list, err);

    for (size_t wave = 0; ok && wave <= ARRAY_LEN(last_kinds) + 1; wave++)
        ok = remove_wave(d, &list, wave, run, err);
    if (ok)
        step_detail(run, "%zu composite resources are gone", list.n);
    gone_release(&list);
    return ok;
}

/* A cluster of ours whose API is dead goes as a whole: it cannot take anything
 * down in order any more. That is said; a cluster that is not ours has to
 * answer. */
static bool
without_api(struct down *d, const struct error *why, struct step_run *run,
            struct error *err)
{
    if (d->guest)
        return down_forgive(d, run, why, err);
    strlist_addf(&d->leaks, "what providers made elsewhere, if there are any "
                            "(the cluster did not answer)");
    step_detail(run, "the API does not answer: %s", why->msg);
    return true;
}

bool
down_composites(void *context, struct step_run *run, struct error *err)
{
    struct down *d = context;
    struct error why = d->no_docker;

    if (down_needs_engine(d))
        return down_forgive(d, run, &why, err);
    if (!d->api && !(d->api = connect(d, &why)))
        return without_api(d, &why, run, err);
    return remove_composites(d, run, &why) || down_forgive(d, run, &why, err);
}

/* ---- a cluster that is not ours ---- */

/* What is removed behind what: kinds that are not named go first. */
static const char *const order[] = {
    "",
    "compositions",
    "compositeresourcedefinitions",
    "configurations",
    "functions",
    "providers",
    "customresourcedefinitions",
    "namespaces",
};

static size_t
rank_of(const struct kube_kind *k)
{
    for (size_t i = 1; i < ARRAY_LEN(order); i++) {
        if (strcmp(order[i], k->gvr.resource) == 0)
            return i;
    }
    return 0;
}

/* What goes with its owner is waited for at the very end; our mark stays until
 * all else is gone: it says whose the rest is. */
static void
spare(struct gone_list *l, bool with_owner)
{
    for (size_t i = 0; i < l->n; i++) {
        struct gone_object *g = &l->v[i];
        bool mark = strcmp(g->name, OWNER_NAME) == 0 && g->ns &&
                    strcmp(g->ns, OWNER_NAMESPACE) == 0;

        g->gone = mark || (g->composed && with_owner);
    }
}

/* rank ARRAY_LEN(order): all that is left. */
static bool
find_rank(struct down *d, size_t rank, struct gone_list *out, struct error *err)
{
    AUTO(mem_free_ptr)
    char *label = mem_printf("%s=%s", MARK_RUN, d->env->profile.name);
    const struct kube_discovery *all = d->env->discovery;
    bool last = rank == ARRAY_LEN(order);
    const struct kube_kind *k;

    for (size_t i = 0; (k = kube_discovery_at(all, i)); i++) {
        if ((last || rank_of(k) == rank) && gone_may_be_ours(all, k) &&
            !gone_find(d->env, k, label, out, err))
            return false;
    }
    spare(out, !last);
    return true;
}

/* Everything that still has our label: namespaces of examples, and what a run
 * that was killed left. */
static bool
remove_rest(struct down *d, struct step_run *run, struct error *err)
{
    const struct gone_options o = {.limit_ms = d->options->gone_ms,
                                   .drop = d->options->drop_finalizers,
                                   .leaks = &d->leaks};
    bool ok = kube_discovery_wait(d->env->discovery, true, err);

    for (size_t rank = 0; ok && rank <= ARRAY_LEN(order); rank++) {
        struct gone_list list = {0};

        ok = find_rank(d, rank, &list, err) &&
             gone_delete(d->env, &list, &o, run, err);
        gone_release(&list);
    }
    if (ok)
        step_detail(run, "nothing has our label but the mark");
    return ok;
}

static bool
not_connected(struct down *d, struct step_run *run, struct error *err)
{
    struct error why = {0};

    error_set(&why, ERR_NETWORK, "the cluster does not answer");
    return down_forgive(d, run, &why, err);
}

bool
down_crossplane(void *context, struct step_run *run, struct error *err)
{
    struct down *d = context;
    const struct crossplane_removal o = {.crossplane = true,
                                         .keep_foreign = true,
                                         .limit_ms = d->options->gone_ms,
                                         .left = &d->stays};
    struct error why = {0};

    if (!d->api)
        return not_connected(d, run, err);
    return crossplane_remove(d->env, &o, run, &why) ||
           down_forgive(d, run, &why, err);
}

bool
down_rest(void *context, struct step_run *run, struct error *err)
{
    struct down *d = context;
    struct error why = {0};

    if (!d->api)
        return not_connected(d, run, err);
    return remove_rest(d, run, &why) || down_forgive(d, run, &why, err);
}

bool
down_mark(void *context, struct step_run *run, struct error *err)
{
    struct down *d = context;
    struct error why = {0};

    if (!d->api || owner_release(d->env, &why))
        return true;
    return down_forgive(d, run, &why, err);
}

bool
down_guest(struct env *e, struct step_run *run, struct error *err)
{
    static const struct down_options o = {0};
    struct down d = {.env = e, .options = &o, .guest = true};
    const struct crossplane_removal all = {
        .crossplane = true, .keep_foreign = true, .left = &d.stays};
    bool ok = connect(&d, err) && remove_composites(&d, run, err) &&
              crossplane_remove(e, &all, run, err) && remove_rest(&d, run, err);

    strlist_release(&d.stays);
    strlist_release(&d.leaks);
    return ok;
}
