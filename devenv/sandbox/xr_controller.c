/*
 * Composite resources: the steps of Crossplane's reconcile, in its order and
 * words (crossplane 2.0.8 composite/reconciler.go). Which Composition is in
 * xr_select.c, what composing writes in xr_compose.c.
 */
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/random.h"

#include "lib/compose/conditions.h"
#include "lib/compose/gotime.h"

#include "devenv/sandbox/circuit.h"
#include "devenv/sandbox/connection.h"
#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/xr_compose.h"
#include "devenv/sandbox/xr_look.h"

#define FINALIZER   "composite.apiextensions.crossplane.io"
#define TTL_MAX_S   86400
#define TTL_SHARE   50
#define POLL_MIN_MS 1000
#define AGAIN_MS    250

/* ---- what 2.3 does before and after ---- */

/* Before the writes of metadata and spec, which lose it again: it shows from
 * the second look on. */
static void
mark_responsive(struct xr_look *l)
{
    const char *by = circuit_open_by(l->s->circuit);
    AUTO(mem_free_ptr)
    char *why = by ? mem_printf("Too many watch events from %s. Allowing "
                                "events periodically.",
                                by)
                   : NULL;

    if (l->c->core_23)
        xr_mark(l, "Responsive", by ? "False" : "True",
                by ? "WatchCircuitOpen" : "WatchCircuitClosed", why);
}

/* The token should be kept in the status; its schema drops it, so that each
 * look says this again. */
static void
say_requested(struct xr_look *l)
{
    if (l->c->core_23 &&
        *kobj_annotation(l->xr, "crossplane.io/reconcile-requested-at"))
        xr_say(l, false, "ReconcileRequestHandled",
               "Handling reconcile request");
}

/* Upstream's own writes are events to it, so it looks again. Never at once: the
 * status may be one that is never stored. */
static void
look_again(struct xr_look *l)
{
    const struct json *r = condition_get(l->xr, "Responsive");

    if (l->c->core_23 && json_int64_or(json_get(r, "observedGeneration"), 0) !=
                             kobj_generation(l->xr))
        queue_add(l->c->queue, QUEUE_LOW, l->j, control_now_ms(l->c), AGAIN_MS);
}

/* Which conditions a function may not set. */
static bool
is_reserved(const struct xr_look *l, const char *type)
{
    return compose_reserved_condition(type) ||
           (l->c->core_23 && strcmp(type, "Responsive") == 0);
}

/* What annotation crossplane.io/poll-interval asks for; 0: nothing. */
static int64_t
poll_ms(const struct xr_look *l)
{
    const char *text = kobj_annotation(l->xr, "crossplane.io/poll-interval");
    int64_t ns = 0;

    if (!l->c->core_23 || !*text ||
        !gotime_parse_duration(str_of(text), &ns, NULL) || ns <= 0)
        return 0;
    return MIN(MAX(ns / 1000000, POLL_MIN_MS), TTL_MAX_S * 1000);
}

/* ---- paused, deleted ---- */

static bool
pause(struct xr_look *l)
{
    xr_say(l, false, "ReconciliationPaused",
           "Reconciliation is paused via the pause annotation");
    xr_mark(l, "Synced", "False", "ReconcilePaused",
            "Reconciliation (including deletion) is paused via the pause "
            "annotation");
    xr_finish(l);
    return true;
}

/* The write of the finalizer answers with the status that is stored: what was
 * marked before is lost, and marked by the next look if there is one. */
static bool delete (struct xr_look *l)
{
    AUTO(status_release) struct status st = {0};

    circuit_free(l->s->circuit);
    l->s->circuit = NULL;
    if (!kobj_remove_finalizer(l->xr, FINALIZER)) {
        xr_mark(l, "Ready", "False", "Deleting", NULL);
        xr_mark(l, "Synced", "True", "ReconcileSuccess", NULL);
        xr_finish(l);
        return true;
    }
    if (!control_update(l->c, l->k, CORE_MANAGER, &l->xr, &st)) {
        if (status_is(&st, "Conflict"))
            return false;
        xr_mark(l, "Ready", "False", "Deleting", NULL);
        return xr_failed(l, "DeleteCompositeResource",
                         "cannot remove composite resource finalizer",
                         st.message);
    }
    xr_mark(l, "Synced", "True", "ReconcileSuccess", NULL);
    control_update_status(l->c, l->k, CORE_MANAGER, &l->xr);
    return true;
}

/* ---- what composing said ---- */

/* The claim that the XR is bound to, or NULL. */
static struct json *
claim_of(struct xr_look *l)
{
    const struct json *ref = json_at(l->xr, "spec", "claimRef", NULL);
    const struct kind *k =
        l->s->type->legacy && ref
            ? registry_kind(l->c->registry, kobj_api_version(ref),
                            kobj_kind(ref))
            : NULL;

    return k ? registry_get(l->c->registry, k,
                            json_string_or(json_get(ref, "namespace"), ""),
                            json_string_or(json_get(ref, "name"), ""))
             : NULL;
}

/* The claim hears the bare message. */
static void
tell_claim(struct xr_look *l, const struct compose_result *r)
{
    AUTO(json_free_ptr) struct json *claim = claim_of(l);

    for (size_t i = 0; claim && i < r->outcome.result_count; i++) {
        const struct fn_result *f = &r->outcome.results[i].result;

        if (f->target != FN_TARGET_COMPOSITE_AND_CLAIM ||
            f->severity == FN_UNSPECIFIED)
            continue;
        control_event(l->c, claim, XR_COMPONENT, f->severity == FN_WARNING,
                      f->reason ? f->reason : "ComposeResources", "%s",
                      f->message);
    }
}

/* The claim takes over conditions of this type from now on. */
static void
share_condition(struct xr_look *l, const char *type)
{
    struct json *types;

    if (!l->s->type->legacy)
        return;
    types = json_need_array(json_need_object(l->xr, "status"),
                            "claimConditionTypes");
    for (const struct json *t = json_first(types); t; t = json_next(t)) {
        if (strcmp(json_string_or(t, ""), type) == 0)
            return;
    }
    json_append(types, json_new_string(type));
}

static void
tell(struct xr_look *l, const struct compose_result *r)
{
    for (size_t i = 0; i < r->event_count; i++)
        xr_say(l, r->events[i].warning, r->events[i].reason,
               r->events[i].message);
    tell_claim(l, r);
    for (size_t i = 0; i < r->outcome.condition_count; i++) {
        const struct fn_condition *f = &r->outcome.conditions[i];
        struct condition cond = {f->type, f->status, f->reason, f->message, 0};

        if (is_reserved(l, f->type))
            continue;
        condition_set(l->xr, &cond, control_now_s(l->c));
        if (f->target == FN_TARGET_COMPOSITE_AND_CLAIM)
            share_condition(l, f->type);
    }
}

static bool
was_seen(const struct compose_result *r, const char *type)
{
    for (size_t i = 0; i < r->outcome.condition_count; i++) {
        if (strcmp(r->outcome.conditions[i].type, type) == 0)
            return true;
    }
    return false;
}

/* Conditions a failed run did not get to are unknown. */
static void
mark_unknown(struct xr_look *l, const struct compose_result *r)
{
    const struct json *all = json_at(l->xr, "status", "conditions", NULL);
    AUTO(strlist_release) struct strlist types = {0};

    for (const struct json *x = json_first(all); x; x = json_next(x)) {
        const char *type = json_string_or(json_get(x, "type"), "");

        if (!is_reserved(l, type) && !was_seen(r, type))
            strlist_add(&types, str_of(type));
    }
    for (size_t i = 0; i < types.n; i++)
        xr_mark(l, types.v[i], "Unknown", "FatalError",
                "A fatal error occurred before the status of this condition "
                "could be determined.");
}

/* Only a fatal result leaves something to tell behind; any other failure is
 * all there is. */
static bool
compose_failed(struct xr_look *l, const struct xr_outcome *out, const char *why)
{
    static const struct compose_result nothing;
    const char *fatal = out->result.outcome.fatal;
    const struct compose_result *said = fatal ? &out->result : &nothing;
    AUTO(mem_free_ptr)
    char *text =
        mem_printf("cannot compose resources: %s", fatal ? fatal : why);

    xr_say(l, true, "ComposeResources", text);
    xr_mark(l, "Synced", "False", "ReconcileError",
            out->invalid ? "cannot compose resources: some resources were "
                           "invalid, check events"
                         : text);
    tell(l, said);
    mark_unknown(l, said);
    xr_finish(l);
    return false;
}

static void
mark_list(struct xr_look *l, struct strlist *names, const char *what,
          const char *type, const char *reason)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    buf_printf(&b, "%s resources: ", what);
    condition_names(names, &b);
    xr_mark(l, type, "False", reason, buf_cstr(&b));
}

static void
tell_each(struct xr_look *l, struct xr_outcome *out)
{
    for (size_t i = 0; i < out->unsynced.n; i++)
        control_event(l->c, l->xr, XR_COMPONENT, false, "ComposeResources",
                      "Composed resource \"%s\" is not yet valid",
                      out->unsynced.v[i]);
    for (size_t i = 0; i < out->unready.n; i++)
        control_event(l->c, l->xr, XR_COMPONENT, false, "ComposeResources",
                      "Composed resource \"%s\" is not yet ready",
                      out->unready.v[i]);
}

/* Those of the details that the XRD wants published; NULL: all of them. */
static struct json *
only_keys(const struct json *details, const struct json *keys)
{
    struct json *out = json_new_object();

    for (const struct json *d = json_first(details); d; d = json_next(d)) {
        bool wanted = !json_len(keys);

        for (const struct json *k = json_first(keys); k && !wanted;
             k = json_next(k))
            wanted = strcmp(json_string_or(k, ""), json_key(d)) == 0;
        if (wanted)
            json_set(out, json_key(d), json_copy(d));
    }
    return out;
}

/* Legacy: connection details go to the Secret that the XR names. */
static bool
publish(struct xr_look *l, const struct xr_outcome *out)
{
    const struct json *ref =
        json_at(l->xr, "spec", "writeConnectionSecretToRef", NULL);
    AUTO(json_free_ptr) struct json *data = NULL;
    struct error err = {0};
    char now[CLOCK_RFC3339_LEN];
    bool wrote;

    if (!l->s->type->legacy || !ref)
        return true;
    data = only_keys(json_at(out->result.outcome.desired, "composite",
                             "connectionDetails", NULL),
                     l->s->type->keys);
    if (!connection_write(l->c, l->xr,
                          json_string_or(json_get(ref, "namespace"), ""),
                          json_string_or(json_get(ref, "name"), ""), data,
                          CONNECTION_MERGE, &wrote, &err))
        return xr_failed(l, "PublishConnectionSecret",
                         "cannot publish connection details: cannot apply "
                         "connection secret",
                         err.msg);
    if (!wrote)
        return true;
    clock_format(control_now_s(l->c), now);
    json_set_string(json_need_object(json_need_object(l->xr, "status"),
                                     "connectionDetails"),
                    "lastPublishedTime", now);
    xr_say(l, false, "PublishConnectionSecret",
           "Successfully published connection details");
    return true;
}

/* Looks again when the functions' answer is worth nothing any more, a tenth
 * sooner or later; later when there are so many XRs that these looks would take
 * more than a fiftieth of the time. */
static void
look_later(struct xr_look *l, int64_t ttl_s)
{
    int64_t ms = ttl_s > 0 ? MIN(ttl_s, TTL_MAX_S) * 1000 : poll_ms(l);
    int64_t share =
        (int64_t)map_count(&l->c->states) * MAX(l->s->cost_ms, 1) * TTL_SHARE;

    if (ms > 0)
        ms = MIN(MAX(ms, share), TTL_MAX_S * 1000);
    if (ms > 0)
        queue_add(l->c->queue, QUEUE_LOW, l->j, control_now_ms(l->c),
                  ms - ms / 10 + random_below((uint32_t)(ms / 5) + 1));
}

static bool
conclude(struct xr_look *l, struct xr_outcome *out)
{
    if (!publish(l, out))
        return false;
    tell(l, &out->result);
    for (size_t i = 0; i < out->refused.n; i++)
        xr_say(l, true, "ComposeResources", out->refused.v[i]);
    tell_each(l, out);
    if (out->unsynced.n)
        mark_list(l, &out->unsynced, "Unsynced", "Synced", "ReconcileError");
    else
        xr_mark(l, "Synced", "True", "ReconcileSuccess", NULL);
    if (out->result.composite_ready == FN_READY_FALSE)
        xr_mark(l, "Ready", "False", "Creating", NULL);
    else if (out->result.composite_ready == FN_READY_TRUE || !out->unready.n)
        xr_mark(l, "Ready", "True", "Available", NULL);
    else
        mark_list(l, &out->unready, "Unready", "Ready", "Creating");
    xr_finish(l);
    look_later(l, out->result.outcome.ttl_s);
    return true;
}

static bool
compose_xr(struct xr_look *l, const struct json *rev)
{
    struct xr_outcome out;
    struct error err = {0};
    bool ok;

    free(l->s->revision);
    l->s->revision = mem_strdup(kobj_name(rev));
    ok = xr_compose(l->c, l->s, l->k, rev, &l->xr, &out, &err);
    if (ok) {
        json_free(l->before);
        l->before = json_copy(json_get(l->xr, "status"));
    }
    ok = ok ? conclude(l, &out) : compose_failed(l, &out, err.msg);
    xr_outcome_release(&out);
    return ok;
}

static bool
reconcile(struct xr_look *l)
{
    const struct json *rev;

    mark_responsive(l);
    if (strcmp(kobj_annotation(l->xr, "crossplane.io/paused"), "true") == 0)
        return pause(l);
    say_requested(l);
    if (kobj_is_deleted(l->xr))
        return delete (l);
    if (kobj_add_finalizer(l->xr, FINALIZER))
        l->unsaved = true;
    rev = xr_select(l);
    return rev && compose_xr(l, rev);
}

bool
control_xr(struct control *c, const struct job *j)
{
    AUTO(mem_free_ptr) char *key = mem_printf("%s/%s", j->group, j->plural);
    struct xr_type *t = map_get(&c->types, str_of(key));
    int64_t start = control_now_ms(c);
    struct xr_look l = {.c = c, .j = j};
    bool ok;

    if (!t)
        return true;
    l.k = registry_resource(c->registry, t->group, t->version, t->plural);
    l.xr = l.k ? registry_get(c->registry, l.k, j->ns, j->name) : NULL;
    l.s = xr_state_need(c, t, j->ns, j->name);
    if (!l.xr) {
        xr_state_drop(c, l.s);
        return true;
    }
    l.s->nested = kobj_controller(l.xr) != NULL;
    l.before = json_copy(json_get(l.xr, "status"));
    ok = reconcile(&l);
    look_again(&l);
    l.s->cost_ms = control_now_ms(c) - start;
    json_free(l.before);
    json_free(l.xr);
    return ok;
}
