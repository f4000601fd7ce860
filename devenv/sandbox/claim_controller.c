/*
 * Claims: each is bound to a composite resource of its own, made for it or
 * named by it. Spec goes down, status comes up (lib/compose/claim.h).
 * Source: crossplane 2.0.8 internal/controller/apiextensions/claim/
 * {reconciler,syncer_ssa,connection}.go.
 */
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/random.h"

#include "lib/compose/claim.h"
#include "lib/compose/conditions.h"

#include "devenv/sandbox/connection.h"
#include "devenv/sandbox/kobj.h"

#define FINALIZER "finalizer.apiextensions.crossplane.io"
#define COMPONENT                                                              \
    "offered/compositeresourcedefinition.apiextensions.crossplane.io"
#define PAUSED                                                                 \
    "Reconciliation (including deletion) is paused via the pause annotation"

struct look {
    struct control *c;
    const struct xr_type *t;
    const struct kind *k, *xr_kind;
    struct json *claim;
    struct json *xr;     /* NULL: not there */
    struct json *before; /* the claim's status as it was read */
};

static void
event(struct look *l, bool warning, const char *reason, const char *text)
{
    control_event(l->c, l->claim, COMPONENT, warning, reason, "%s", text);
}

static void
mark(struct look *l, const char *type, const char *status, const char *reason,
     const char *message)
{
    control_mark(l->c, l->claim, type, status, reason, message);
}

/* Status().Update, when anything in it changed. */
static void
finish(struct look *l)
{
    if (json_equal(l->before, json_get(l->claim, "status")))
        return;
    control_update_status(l->c, l->k, CORE_MANAGER, &l->claim);
    json_free(l->before);
    l->before = json_copy(json_get(l->claim, "status"));
}

static bool
failed(struct look *l, const char *reason, const char *what, const char *why)
{
    AUTO(mem_free_ptr) char *text = mem_printf("%s: %s", what, why);

    event(l, true, reason, text);
    mark(l, "Synced", "False", "ReconcileError", text);
    finish(l);
    return false;
}

static bool
update(struct look *l, const char *reason, const char *what)
{
    AUTO(status_release) struct status st = {0};

    if (control_update(l->c, l->k, CORE_MANAGER, &l->claim, &st))
        return true;
    if (status_is(&st, "Conflict"))
        return false;
    return failed(l, reason, what, st.message);
}

/* ---- bound to another claim ---- */

static bool
refers_to(const struct json *ref, const struct json *claim)
{
    return strcmp(kobj_api_version(ref), kobj_api_version(claim)) == 0 &&
           strcmp(kobj_kind(ref), kobj_kind(claim)) == 0 &&
           strcmp(json_string_or(json_get(ref, "name"), ""),
                  kobj_name(claim)) == 0 &&
           strcmp(json_string_or(json_get(ref, "namespace"), ""),
                  kobj_namespace(claim)) == 0;
}

static bool
is_foreign(struct look *l)
{
    const struct json *ref = json_at(l->xr, "spec", "claimRef", NULL);
    AUTO(mem_free_ptr) char *text = NULL;

    if (!ref || refers_to(ref, l->claim))
        return false;
    text =
        mem_printf("refusing to operate on composite resource \"%s\" that "
                   "is not bound to this claim: bound to claim \"%s\"",
                   kobj_name(l->xr), json_string_or(json_get(ref, "name"), ""));
    event(l, true, "BindCompositeResource", text);
    mark(l, "Synced", "False", "ReconcileError", text);
    finish(l);
    return true;
}

/* ---- deleting ---- */

/* True: the claim may go on without its XR. */
static bool
delete_xr(struct look *l, bool foreground)
{
    const struct registry_delete how = {
        .propagation = foreground ? PROPAGATE_FOREGROUND : PROPAGATE_DEFAULT};
    AUTO(status_release) struct status st = {0};

    if (kobj_is_deleted(l->xr) && foreground) {
        finish(l);
        return false;
    }
    if (!registry_delete(l->c->registry, l->xr_kind, "", kobj_name(l->xr), &how,
                         NULL, &st) &&
        !status_is(&st, "NotFound"))
        return failed(l, "DeleteCompositeResource",
                      "cannot delete bound composite resource", st.message);
    return !foreground;
}

static bool
end(struct look *l)
{
    bool foreground =
        strcmp(
            json_string_or(
                json_at(l->claim, "spec", "compositeDeletePolicy", NULL), ""),
            "Foreground") == 0;

    mark(l, "Ready", "False", "Deleting", NULL);
    if (l->xr && !delete_xr(l, foreground))
        return false;
    event(l, false, "DeleteCompositeResource",
          "Successfully deleted composite resource");
    if (kobj_remove_finalizer(l->claim, FINALIZER) &&
        !update(l, "DeleteCompositeResource",
                "cannot remove finalizer from claim"))
        return false;
    mark(l, "Synced", "True", "ReconcileSuccess", NULL);
    finish(l);
    return true;
}

/* ---- binding ---- */

/* "<claim>-" cut to 58 bytes and five characters that nobody has. */
static char *
fresh_name(struct look *l)
{
    for (;;) {
        char tail[6];
        char *name;

        random_name(tail, 5);
        name = mem_printf("%.57s-%s", kobj_name(l->claim), tail);
        if (!registry_has(l->c->registry, l->xr_kind, "", name))
            return name;
        free(name);
    }
}

static bool
sync_failed(struct look *l, const char *what, const char *why)
{
    AUTO(mem_free_ptr)
    char *text = mem_printf(
        "cannot bind and sync claim with composite resource: %s", what);

    return failed(l, "BindCompositeResource", text, why);
}

/* The claim is written first: an XR that nobody refers to would be lost. */
static bool
sync(struct look *l, const struct claim_sync *s)
{
    const struct registry_write w = {.manager = CLAIM_MANAGER, .force = true};
    AUTO(status_release) struct status st = {0};
    struct error err = {0};
    AUTO(json_free_ptr) struct json *patch = claim_to_xr(l->claim, s, &err);
    struct json *stored;

    if (!patch)
        return failed(l, "BindCompositeResource",
                      "cannot bind and sync claim with composite resource",
                      err.msg);
    if (claim_bind(l->claim, s, patch) &&
        !control_update(l->c, l->k, CORE_MANAGER, &l->claim, &st))
        return !status_is(&st, "Conflict") &&
               sync_failed(l, "cannot update claim", st.message);
    stored = registry_apply(l->c->registry, l->xr_kind, &w, "", patch, &st);
    if (!stored)
        return sync_failed(l, "cannot apply composite resource", st.message);
    json_free(l->xr);
    l->xr = stored;
    if (claim_take_status(l->claim, l->xr))
        finish(l);
    return true;
}

/* Conditions that functions meant for the claim too. */
static void
take_conditions(struct look *l)
{
    const struct json *types =
        json_at(l->xr, "status", "claimConditionTypes", NULL);

    for (const struct json *t = json_first(types); t; t = json_next(t)) {
        const char *type = json_string_or(t, "");
        const struct json *c = condition_get(l->xr, type);

        mark(l, type, json_string_or(json_get(c, "status"), "Unknown"),
             json_string_or(json_get(c, "reason"), ""),
             json_string(json_get(c, "message")));
    }
}

/* ---- connection details ---- */

static bool
may_propagate(struct look *l, const struct json *from, const char **why)
{
    const struct kind *k = registry_kind(l->c->registry, "v1", "Secret");
    AUTO(json_free_ptr)
    struct json *secret = registry_get(
        l->c->registry, k, json_string_or(json_get(from, "namespace"), ""),
        json_string_or(json_get(from, "name"), ""));

    if (secret && kobj_is_controlled_by(secret, kobj_uid(l->xr)))
        return true;
    *why = secret ? "cannot establish control of existing connection secret"
                  : "cannot get composite resource's connection secret";
    return false;
}

static bool
propagate(struct look *l)
{
    static const char what[] =
        "cannot propagate connection details from composite resource";
    const struct json *from =
        json_at(l->xr, "spec", "writeConnectionSecretToRef", NULL);
    const char *to = json_string_or(
        json_at(l->claim, "spec", "writeConnectionSecretToRef", "name", NULL),
        "");
    AUTO(json_free_ptr) struct json *data = NULL;
    struct error err = {0};
    const char *why = NULL;
    char now[CLOCK_RFC3339_LEN];
    bool wrote;

    if (!from || !*to)
        return true;
    if (!may_propagate(l, from, &why))
        return failed(l, "PropagateConnectionSecret", what, why);
    data = connection_read(l->c, from, "");
    if (!connection_write(l->c, l->claim, kobj_namespace(l->claim), to, data,
                          CONNECTION_REPLACE, &wrote, &err)) {
        error_wrap(&err, "cannot create or update connection secret");
        return failed(l, "PropagateConnectionSecret", what, err.msg);
    }
    if (!wrote)
        return true;
    clock_format(control_now_s(l->c), now);
    json_set_string(json_need_object(json_need_object(l->claim, "status"),
                                     "connectionDetails"),
                    "lastPublishedTime", now);
    event(l, false, "PropagateConnectionSecret",
          "Successfully propagated connection details from composite "
          "resource");
    return true;
}

/* ---- the whole ---- */

static bool
bind(struct look *l)
{
    AUTO(mem_free_ptr) char *fresh = fresh_name(l);
    const struct claim_sync s = {
        .xrd = control_get(l->c, "compositeresourcedefinitions", l->t->xrd),
        .xr = l->xr,
        .fresh_name = fresh};
    bool bound = json_at(l->xr, "spec", "claimRef", NULL) != NULL;

    if (kobj_add_finalizer(l->claim, FINALIZER) &&
        !update(l, "BindCompositeResource", "cannot add finalizer to claim"))
        return false;
    if (!s.xrd || !sync(l, &s))
        return false;
    if (!bound)
        event(l, false, "BindCompositeResource",
              "Successfully bound composite resource");
    mark(l, "Synced", "True", "ReconcileSuccess", NULL);
    take_conditions(l);
    if (!condition_true(l->xr, "Ready")) {
        event(l, false, "BindCompositeResource",
              "Composite resource is not yet ready");
        mark(l, "Ready", "False", "Waiting",
             "Claim is waiting for composite resource to become Ready");
        finish(l);
        return true;
    }
    if (!propagate(l))
        return false;
    mark(l, "Ready", "True", "Available", NULL);
    finish(l);
    return true;
}

static bool
reconcile(struct look *l)
{
    const char *name = json_string_or(
        json_at(l->claim, "spec", "resourceRef", "name", NULL), "");

    if (strcmp(kobj_annotation(l->claim, "crossplane.io/paused"), "true") ==
        0) {
        event(l, false, "ReconciliationPaused", PAUSED);
        mark(l, "Synced", "False", "ReconcilePaused", PAUSED);
        finish(l);
        return true;
    }
    if (*name)
        l->xr = registry_get(l->c->registry, l->xr_kind, "", name);
    /* That takes a human: the claim's next change brings it here. */
    if (is_foreign(l))
        return true;
    return kobj_is_deleted(l->claim) ? end(l) : bind(l);
}

bool
control_claim(struct control *c, const struct job *j)
{
    AUTO(mem_free_ptr) char *key = mem_printf("%s/%s", j->group, j->plural);
    struct look l = {.c = c, .t = map_get(&c->claims, str_of(key))};
    bool ok = true;

    if (!l.t)
        return true;
    l.k = registry_resource(c->registry, l.t->group, l.t->version, j->plural);
    l.xr_kind =
        registry_resource(c->registry, l.t->group, l.t->version, l.t->plural);
    if (!l.k || !l.xr_kind)
        return true;
    l.claim = registry_get(c->registry, l.k, j->ns, j->name);
    l.before = json_copy(json_get(l.claim, "status"));
    if (l.claim)
        ok = reconcile(&l);
    json_free(l.before);
    json_free(l.claim);
    json_free(l.xr);
    return ok;
}
