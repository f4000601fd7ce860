/*
 * Composite resources: the steps of Crossplane's reconcile, in its order and
 * words (crossplane 2.0.8 composite/{reconciler,api}.go). Differences on
 * purpose: of several Compositions that match, the first by name is taken
 * (upstream: a random one); the finalizer and the label ride with the write of
 * the Composition and of its revision.
 */
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/random.h"

#include "lib/compose/conditions.h"
#include "lib/compose/xrd.h"

#include "devenv/sandbox/connection.h"
#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/xr_compose.h"

#define FINALIZER "composite.apiextensions.crossplane.io"
#define TTL_MAX_S 86400
#define TTL_SHARE 50

struct look {
    struct control *c;
    const struct job *j;
    struct xr_state *s;
    const struct kind *k;
    struct json *xr;
    struct json *before; /* status as it was read */
    bool unsaved;        /* metadata or spec differ from what is stored */
};

static void
event(struct look *l, bool warning, const char *reason, const char *text)
{
    control_event(l->c, l->xr, XR_COMPONENT, warning, reason, "%s", text);
}

static void
mark(struct look *l, const char *type, const char *status, const char *reason,
     const char *message)
{
    struct condition cond = {type, status, reason, message,
                             kobj_generation(l->xr)};

    condition_set(l->xr, &cond, control_now_s(l->c));
}

static struct json *
machinery(struct look *l)
{
    struct json *spec = json_need_object(l->xr, "spec");

    return l->s->type->legacy ? spec : json_need_object(spec, "crossplane");
}

static const char *
ref_name(struct look *l, const char *key)
{
    const struct json *m = xrd_machinery(l->xr, l->s->type->legacy);

    return json_string_or(json_at(m, key, "name", NULL), "");
}

/* Writes metadata and spec. Conditions marked before are kept. */
static bool
update(struct look *l, struct status *st)
{
    struct json *status = json_get(l->xr, "status");
    struct json *marked = status ? json_copy(status) : NULL;
    bool ok = control_update(l->c, l->k, CORE_MANAGER, &l->xr, st);

    if (ok && marked)
        json_set(l->xr, "status", marked);
    else
        json_free(marked);
    l->unsaved = l->unsaved && !ok;
    return ok;
}

/* Status().Update, when anything in it changed. */
static void
finish(struct look *l)
{
    if (!json_equal(l->before, json_get(l->xr, "status")))
        control_update_status(l->c, l->k, CORE_MANAGER, &l->xr);
    l->s->seen = MAX(l->s->seen, kobj_revision(l->xr));
}

/* A step failed: event, Synced False, try again. */
static bool
failed(struct look *l, const char *reason, const char *what, const char *why)
{
    AUTO(mem_free_ptr) char *text = mem_printf("%s: %s", what, why);
    AUTO(status_release) struct status st = {0};

    if (l->unsaved)
        update(l, &st);
    event(l, true, reason, text);
    mark(l, "Synced", "False", "ReconcileError", text);
    finish(l);
    return false;
}

/* ---- paused, deleted ---- */

static bool
pause(struct look *l)
{
    event(l, false, "ReconciliationPaused",
          "Reconciliation is paused via the pause annotation");
    mark(l, "Synced", "False", "ReconcilePaused",
         "Reconciliation (including deletion) is paused via the pause "
         "annotation");
    finish(l);
    return true;
}

/* The write of the finalizer answers with the status that is stored: what was
 * marked before is lost, and marked by the next look if there is one. */
static bool delete (struct look *l)
{
    AUTO(status_release) struct status st = {0};

    if (!kobj_remove_finalizer(l->xr, FINALIZER)) {
        mark(l, "Ready", "False", "Deleting", NULL);
        mark(l, "Synced", "True", "ReconcileSuccess", NULL);
        finish(l);
        return true;
    }
    if (!control_update(l->c, l->k, CORE_MANAGER, &l->xr, &st)) {
        if (status_is(&st, "Conflict"))
            return false;
        mark(l, "Ready", "False", "Deleting", NULL);
        return failed(l, "DeleteCompositeResource",
                      "cannot remove composite resource finalizer", st.message);
    }
    mark(l, "Synced", "True", "ReconcileSuccess", NULL);
    control_update_status(l->c, l->k, CORE_MANAGER, &l->xr);
    return true;
}

/* ---- which Composition, which revision ---- */

static bool
set_composition(struct look *l, const char *name, bool store, struct error *err)
{
    AUTO(status_release) struct status st = {0};
    bool ok = true;

    /* What is not stored here must not ride with the finalizer either. */
    if (!store && l->unsaved)
        ok = update(l, &st);
    json_set_string(json_set(machinery(l), "compositionRef", json_new_object()),
                    "name", name);
    if (store)
        ok = update(l, &st);
    return ok || error_set(err, ERR_INVALID,
                           "cannot update composite resource: %s", st.message);
}

/* The first Composition by name whose labels and type fit. */
static bool
select_by_labels(struct look *l, struct error *err)
{
    const struct json *m = xrd_machinery(l->xr, l->s->type->legacy);
    const struct json *labels =
        json_at(m, "compositionSelector", "matchLabels", NULL);
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    AUTO(status_release) struct status st = {0};
    AUTO(mem_free_ptr) char *chosen = NULL;

    for (const struct json *x = json_first(labels); x; x = json_next(x))
        buf_printf(&b, "%s%s=%s", b.n ? "," : "", json_key(x),
                   json_string_or(x, ""));
    const struct json *all =
        control_list(l->c, "compositions", b.n ? buf_cstr(&b) : NULL, &st);

    if (!all)
        return error_set(err, ERR_INVALID, "cannot list Compositions: %s",
                         st.message);
    for (const struct json *x = json_first(all); x && !chosen;
         x = json_next(x)) {
        const struct json *t = json_at(x, "spec", "compositeTypeRef", NULL);

        if (strcmp(kobj_api_version(t), l->s->type->api_version) == 0 &&
            strcmp(kobj_kind(t), l->s->type->kind) == 0)
            chosen = mem_strdup(kobj_name(x));
    }
    if (!chosen)
        return error_set(err, ERR_NOT_FOUND,
                         "no compatible Compositions found");
    return set_composition(l, chosen, true, err);
}

/* Enforced, then the reference, then the default, then the labels. */
static bool
choose(struct look *l, struct error *err)
{
    const struct xr_type *t = l->s->type;
    const struct json *m = xrd_machinery(l->xr, t->legacy);

    if (t->enforced && strcmp(ref_name(l, "compositionRef"), t->enforced)) {
        if (!set_composition(l, t->enforced, true, err))
            return false;
        event(l, false, "CompositionSelection",
              "Enforced composition has been selected");
    }
    if (*ref_name(l, "compositionRef"))
        return true;
    if (t->fallback && !json_get(m, "compositionSelector")) {
        event(l, false, "CompositionSelection",
              "Default composition has been selected");
        return set_composition(l, t->fallback, false, err);
    }
    return select_by_labels(l, err);
}

static bool
select_composition(struct look *l)
{
    AUTO(mem_free_ptr) char *had = mem_strdup(ref_name(l, "compositionRef"));
    struct error err = {0};
    const char *name;

    if (!choose(l, &err))
        return failed(l, "SelectComposition", "cannot select Composition",
                      err.msg);
    name = ref_name(l, "compositionRef");
    if (strcmp(had, name) != 0)
        control_event(l->c, l->xr, XR_COMPONENT, false, "SelectComposition",
                      "Successfully selected composition: %s", name);
    return true;
}

static const struct json *
latest_revision(struct look *l, const struct json *comp)
{
    const struct json *m = xrd_machinery(l->xr, l->s->type->legacy);
    const char *policy =
        json_string_or(json_get(m, "compositionUpdatePolicy"), "");
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    AUTO(status_release) struct status st = {0};
    const struct json *best = NULL;
    int64_t number = 0;

    buf_printf(&b, "crossplane.io/composition-name=%s", kobj_name(comp));
    if (strcmp(policy, "Automatic") == 0) {
        const struct json *labels =
            json_at(m, "compositionRevisionSelector", "matchLabels", NULL);

        for (const struct json *x = json_first(labels); x; x = json_next(x))
            buf_printf(&b, ",%s=%s", json_key(x), json_string_or(x, ""));
    }
    const struct json *all =
        control_list(l->c, "compositionrevisions", buf_cstr(&b), &st);

    for (const struct json *r = json_first(all); r; r = json_next(r)) {
        int64_t n = json_int64_or(json_at(r, "spec", "revision", NULL), 0);

        if (n > number && kobj_is_controlled_by(r, kobj_uid(comp))) {
            best = r;
            number = n;
        }
    }
    return best;
}

/* The XR's own name, unless a parent gave it the root's. Rides with the write
 * of the revision when there is one. */
static void
set_root_label(struct look *l)
{
    if (*kobj_label(l->xr, COMPOSE_LABEL_COMPOSITE))
        return;
    kobj_set_label(l->xr, COMPOSE_LABEL_COMPOSITE, l->s->name);
    l->unsaved = true;
}

/* NULL: failed, and said so. */
static const struct json *
fetch_revision(struct look *l)
{
    const char *comp_name = ref_name(l, "compositionRef");
    const char *current = ref_name(l, "compositionRevisionRef");
    const struct json *m = xrd_machinery(l->xr, l->s->type->legacy);
    bool manual =
        strcmp(json_string_or(json_get(m, "compositionUpdatePolicy"), ""),
               "Manual") == 0;
    AUTO(mem_free_ptr) char *why = NULL;
    AUTO(status_release) struct status st = {0};
    const struct json *rev = NULL;

    l->s->manual = manual;
    if (*current && manual) {
        rev = control_get(l->c, "compositionrevisions", current);
        if (!rev)
            why = mem_printf("cannot get CompositionRevision: "
                             "CompositionRevision.apiextensions.crossplane.io "
                             "\"%s\" not found",
                             current);
    } else {
        const struct json *comp = control_get(l->c, "compositions", comp_name);

        rev = comp ? latest_revision(l, comp) : NULL;
        if (!comp)
            why = mem_printf("cannot get Composition: "
                             "Composition.apiextensions.crossplane.io \"%s\" "
                             "not found",
                             comp_name);
        else if (!rev)
            why = mem_strdup("no compatible CompositionRevisions found");
    }
    if (rev)
        set_root_label(l);
    if (rev && strcmp(current, kobj_name(rev)) != 0) {
        json_set_string(
            json_set(machinery(l), "compositionRevisionRef", json_new_object()),
            "name", kobj_name(rev));
        if (update(l, &st))
            control_event(l->c, l->xr, XR_COMPONENT, false, "SelectComposition",
                          "Selected composition revision: %s", kobj_name(rev));
        else
            why =
                mem_printf("cannot update composite resource: %s", st.message);
    }
    if (why) {
        failed(l, "ComposeResources", "cannot fetch Composition", why);
        return NULL;
    }
    return rev;
}

static bool
check_revision(struct look *l, const struct json *rev)
{
    const struct json *t = json_at(rev, "spec", "compositeTypeRef", NULL);
    const char *message = json_string_or(
        json_get(condition_get(rev, "ValidPipeline"), "message"), "");
    AUTO(mem_free_ptr) char *what = NULL;

    if (!condition_true(rev, "ValidPipeline")) {
        what = mem_printf("selected CompositionRevision %s does not have a "
                          "valid function pipeline",
                          kobj_name(rev));
        return failed(l, "ComposeResources", what,
                      *message ? message : "pipeline status unknown");
    }
    if (strcmp(kobj_api_version(t), l->s->type->api_version) != 0 ||
        strcmp(kobj_kind(t), l->s->type->kind) != 0)
        return failed(l, "ComposeResources",
                      "cannot configure composite resource",
                      "referenced composition is not compatible with this "
                      "composite resource");
    return true;
}

static bool
save(struct look *l)
{
    AUTO(status_release) struct status st = {0};

    return !l->unsaved || update(l, &st) ||
           failed(l, "ComposeResources", "cannot configure composite resource",
                  st.message);
}

/* Legacy: a Composition may say where connection secrets go. */
static void
need_secret_ref(struct look *l, const struct json *rev)
{
    const char *ns = json_string_or(
        json_at(rev, "spec", "writeConnectionSecretsToNamespace", NULL), "");
    struct json *spec = json_get(l->xr, "spec"), *ref;

    if (!l->s->type->legacy || !*ns ||
        json_get(spec, "writeConnectionSecretToRef"))
        return;
    ref = json_need_object(spec, "writeConnectionSecretToRef");
    json_set_string(ref, "name", kobj_uid(l->xr));
    json_set_string(ref, "namespace", ns);
    l->unsaved = true;
}

/* ---- what composing said ---- */

/* The claim that the XR is bound to, or NULL. */
static struct json *
claim_of(struct look *l)
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
tell_claim(struct look *l, const struct compose_result *r)
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
share_condition(struct look *l, const char *type)
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
tell(struct look *l, const struct compose_result *r)
{
    for (size_t i = 0; i < r->event_count; i++)
        event(l, r->events[i].warning, r->events[i].reason,
              r->events[i].message);
    tell_claim(l, r);
    for (size_t i = 0; i < r->outcome.condition_count; i++) {
        const struct fn_condition *f = &r->outcome.conditions[i];
        struct condition cond = {f->type, f->status, f->reason, f->message, 0};

        if (compose_reserved_condition(f->type))
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
mark_unknown(struct look *l, const struct compose_result *r)
{
    const struct json *all = json_at(l->xr, "status", "conditions", NULL);
    AUTO(strlist_release) struct strlist types = {0};

    for (const struct json *x = json_first(all); x; x = json_next(x)) {
        const char *type = json_string_or(json_get(x, "type"), "");

        if (!compose_reserved_condition(type) && !was_seen(r, type))
            strlist_add(&types, str_of(type));
    }
    for (size_t i = 0; i < types.n; i++)
        mark(l, types.v[i], "Unknown", "FatalError",
             "A fatal error occurred before the status of this condition "
             "could be determined.");
}

/* Only a fatal result leaves something to tell behind; any other failure is
 * all there is. */
static bool
compose_failed(struct look *l, const struct xr_outcome *out, const char *why)
{
    static const struct compose_result nothing;
    const char *fatal = out->result.outcome.fatal;
    const struct compose_result *said = fatal ? &out->result : &nothing;
    AUTO(mem_free_ptr)
    char *text =
        mem_printf("cannot compose resources: %s", fatal ? fatal : why);

    event(l, true, "ComposeResources", text);
    mark(l, "Synced", "False", "ReconcileError",
         out->invalid ? "cannot compose resources: some resources were "
                        "invalid, check events"
                      : text);
    tell(l, said);
    mark_unknown(l, said);
    finish(l);
    return false;
}

static void
mark_list(struct look *l, struct strlist *names, const char *what,
          const char *type, const char *reason)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    buf_printf(&b, "%s resources: ", what);
    condition_names(names, &b);
    mark(l, type, "False", reason, buf_cstr(&b));
}

static void
tell_each(struct look *l, struct xr_outcome *out)
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
publish(struct look *l, const struct xr_outcome *out)
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
        return failed(l, "PublishConnectionSecret",
                      "cannot publish connection details: cannot apply "
                      "connection secret",
                      err.msg);
    if (!wrote)
        return true;
    clock_format(control_now_s(l->c), now);
    json_set_string(json_need_object(json_need_object(l->xr, "status"),
                                     "connectionDetails"),
                    "lastPublishedTime", now);
    event(l, false, "PublishConnectionSecret",
          "Successfully published connection details");
    return true;
}

/* Looks again when the functions' answer is worth nothing any more, a tenth
 * sooner or later; later when there are so many XRs that these looks would take
 * more than a fiftieth of the time. */
static void
look_later(struct look *l, int64_t ttl_s)
{
    int64_t ms = MIN(ttl_s, TTL_MAX_S) * 1000;
    int64_t share =
        (int64_t)map_count(&l->c->states) * MAX(l->s->cost_ms, 1) * TTL_SHARE;

    if (ms > 0)
        ms = MIN(MAX(ms, share), TTL_MAX_S * 1000);
    if (ms > 0)
        queue_add(l->c->queue, QUEUE_LOW, l->j, control_now_ms(l->c),
                  ms - ms / 10 + random_below((uint32_t)(ms / 5) + 1));
}

static bool
conclude(struct look *l, struct xr_outcome *out)
{
    if (!publish(l, out))
        return false;
    tell(l, &out->result);
    for (size_t i = 0; i < out->refused.n; i++)
        event(l, true, "ComposeResources", out->refused.v[i]);
    tell_each(l, out);
    if (out->unsynced.n)
        mark_list(l, &out->unsynced, "Unsynced", "Synced", "ReconcileError");
    else
        mark(l, "Synced", "True", "ReconcileSuccess", NULL);
    if (out->result.composite_ready == FN_READY_FALSE)
        mark(l, "Ready", "False", "Creating", NULL);
    else if (out->result.composite_ready == FN_READY_TRUE || !out->unready.n)
        mark(l, "Ready", "True", "Available", NULL);
    else
        mark_list(l, &out->unready, "Unready", "Ready", "Creating");
    finish(l);
    look_later(l, out->result.outcome.ttl_s);
    return true;
}

static bool
compose_xr(struct look *l, const struct json *rev)
{
    struct xr_outcome out;
    struct error err = {0};
    bool ok;

    free(l->s->revision);
    l->s->revision = mem_strdup(kobj_name(rev));
    ok = xr_compose(l->c, l->s, l->k, rev, &l->xr, &out, &err);
    json_free(l->before);
    l->before = json_copy(json_get(l->xr, "status"));
    ok = ok ? conclude(l, &out) : compose_failed(l, &out, err.msg);
    xr_outcome_release(&out);
    return ok;
}

static bool
reconcile(struct look *l)
{
    const struct json *rev;

    if (strcmp(kobj_annotation(l->xr, "crossplane.io/paused"), "true") == 0)
        return pause(l);
    if (kobj_is_deleted(l->xr))
        return delete (l);
    if (kobj_add_finalizer(l->xr, FINALIZER))
        l->unsaved = true;
    if (!select_composition(l))
        return false;
    rev = fetch_revision(l);
    if (!rev || !check_revision(l, rev))
        return false;
    need_secret_ref(l, rev);
    return save(l) && compose_xr(l, rev);
}

bool
control_xr(struct control *c, const struct job *j)
{
    AUTO(mem_free_ptr) char *key = mem_printf("%s/%s", j->group, j->plural);
    struct xr_type *t = map_get(&c->types, str_of(key));
    int64_t start = control_now_ms(c);
    struct look l = {.c = c, .j = j};
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
    l.s->cost_ms = control_now_ms(c) - start;
    json_free(l.before);
    json_free(l.xr);
    return ok;
}
