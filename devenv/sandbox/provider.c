/*
 * The simulated provider: every kind whose CRD is in category "managed" is
 * created nowhere, turns Ready after a delay, and fails when told to. Words
 * and order: crossplane-runtime 2.0 pkg/reconciler/managed/reconciler.go.
 * Annotations that steer it:
 *   sandbox.meshtop.io/delay: "1500"   milliseconds until Ready (and until
 *                                      gone), instead of the server's
 *   sandbox.meshtop.io/fail: "create: googleapi: Error 403: ..."
 *       also observe:, update:, delete:, connect: as upstream words them, and
 *       unavailable: which is Synced but Ready False Unavailable
 * Creation and Ready are two writes; what upstream writes on the way (pending
 * annotation) is left out.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/compose/conditions.h"

#include "devenv/sandbox/control.h"
#include "devenv/sandbox/kobj.h"

#define FINALIZER     "finalizer.managedresource.crossplane.io"
#define EXTERNAL_NAME "crossplane.io/external-name"
#define SUCCEEDED     "crossplane.io/external-create-succeeded"
#define DELAY         "sandbox.meshtop.io/delay"
#define FAIL          "sandbox.meshtop.io/fail"
#define DELAY_MAX_MS  (24 * 3600 * 1000)

struct look {
    struct control *c;
    const struct kind *k;
    const struct job *job;
    struct json *mr;
    struct json *before; /* status as it was read */
    char component[160];
};

/* What each step is called when it fails. */
static const struct failure {
    const char *step, *what, *reason;
} failures[] = {
    {"connect", "connect failed", "CannotConnectToProvider"},
    {"observe", "observe failed", "CannotObserveExternalResource"},
    {"create", "create failed", "CannotCreateExternalResource"},
    {"update", "update failed", "CannotUpdateExternalResource"},
    {"delete", "delete failed", "CannotDeleteExternalResource"},
};

static void
mark(struct look *l, const char *type, const char *status, const char *reason,
     const char *message)
{
    struct condition cond = {type, status, reason, message,
                             kobj_generation(l->mr)};

    condition_set(l->mr, &cond, control_now_s(l->c));
}

static void
finish(struct look *l)
{
    if (!json_equal(l->before, json_get(l->mr, "status")))
        control_update_status(l->c, l->k, PROVIDER_MANAGER, &l->mr);
}

static void
event(struct look *l, bool warning, const char *reason, const char *text)
{
    control_event(l->c, l->mr, l->component, warning, reason, "%s", text);
}

static int64_t
delay_of(const struct look *l)
{
    int64_t ms;

    if (str_to_i64(str_of(kobj_annotation(l->mr, DELAY)), &ms))
        return MAX(0, MIN(ms, DELAY_MAX_MS));
    return l->c->provider_delay_ms;
}

/* The text behind "STEP: " when the object is to fail at it, else NULL. */
static const char *
told_to_fail(const struct look *l, const char *step)
{
    struct str text = str_of(kobj_annotation(l->mr, FAIL));
    struct str head, tail;

    if (!str_cut(text, ':', &head, &tail) || !str_eqz(str_trim(head), step))
        return NULL;
    return str_trim(tail).s;
}

/* True when it failed at step, and said so. */
static bool
fails_at(struct look *l, const char *step)
{
    const char *why = told_to_fail(l, step);

    for (size_t i = 0; why && i < ARRAY_LEN(failures); i++) {
        const struct failure *f = &failures[i];

        if (strcmp(f->step, step) != 0)
            continue;
        AUTO(mem_free_ptr) char *text = mem_printf("%s: %s", f->what, why);

        event(l, true, f->reason, why);
        mark(l, "Synced", "False", "ReconcileError", text);
        return true;
    }
    return false;
}

/* True when the delay that began with the first call for this step is over;
 * otherwise the object is looked at again when it is. What was begun before a
 * restart begins anew. */
static bool
waited(struct look *l, char step)
{
    const struct job *j = l->job;
    int64_t now = control_now_ms(l->c), delay = delay_of(l), *due;
    AUTO(mem_free_ptr)
    char *key = mem_printf("%c/%s/%s/%s", step, j->plural, j->ns, j->name);

    due = map_get(&l->c->delays, str_of(key));
    if (!due && delay > 0) {
        due = mem_zalloc(1, sizeof(*due));
        *due = now + delay;
        map_put(&l->c->delays, str_of(key), due);
    }
    if (due && *due > now) {
        queue_add(l->c->queue, QUEUE_NORMAL, j, now, *due - now);
        return false;
    }
    free(map_del(&l->c->delays, str_of(key)));
    return true;
}

/* ---- paused, deleted ---- */

static bool
is_paused(const struct look *l)
{
    const struct json *p = json_at(l->mr, "spec", "managementPolicies", NULL);

    return strcmp(kobj_annotation(l->mr, "crossplane.io/paused"), "true") ==
               0 ||
           (json_is(p, JSON_ARRAY) && !json_len(p));
}

static bool
pause(struct look *l)
{
    static const char text[] =
        "Reconciliation is paused either through the "
        "`spec.managementPolicies` or the pause annotation";

    event(l, false, "ReconciliationPaused", text);
    mark(l, "Synced", "False", "ReconcilePaused", text);
    finish(l);
    return true;
}

static bool delete (struct look *l)
{
    AUTO(status_release) struct status st = {0};
    const struct json *ready = condition_get(l->mr, "Ready");
    bool asked =
        strcmp(json_string_or(json_get(ready, "reason"), ""), "Deleting") == 0;

    if (!kobj_has_finalizer(l->mr, FINALIZER))
        return true;
    if (fails_at(l, "delete")) {
        mark(l, "Ready", "False", "Deleting", NULL);
        finish(l);
        return false;
    }
    if (!asked) {
        event(l, false, "DeletedExternalResource",
              "Successfully requested deletion of external resource");
        mark(l, "Ready", "False", "Deleting", NULL);
        mark(l, "Synced", "True", "ReconcileSuccess", NULL);
        finish(l);
    }
    if (!waited(l, 'd'))
        return true;
    kobj_remove_finalizer(l->mr, FINALIZER);
    return control_update(l->c, l->k, PROVIDER_MANAGER, &l->mr, &st) ||
           status_is(&st, "NotFound");
}

/* ---- what the outside world would answer ---- */

/* status.atProvider: what was asked for, and an id, an address, a state. The
 * CRD's schema keeps what it knows. */
static void
observe(struct look *l)
{
    const char *name = kobj_annotation(l->mr, EXTERNAL_NAME);
    const struct json *want = json_at(l->mr, "spec", "forProvider", NULL);
    struct json *status = json_need_object(l->mr, "status");
    struct json *at = json_set(status, "atProvider",
                               json_is(want, JSON_OBJECT) ? json_copy(want)
                                                          : json_new_object());
    AUTO(mem_free_ptr)
    char *arn = mem_printf("arn:sandbox:%s:::%s", l->k->singular, name);
    AUTO(mem_free_ptr)
    char *endpoint = mem_printf("%s.%s.sandbox.local", name, l->k->singular);

    json_set_string(at, "id", name);
    json_set_string(at, "arn", arn);
    json_set_string(at, "endpoint", endpoint);
    json_set_string(at, "state", "ACTIVE");
}

static void
publish_connection(struct look *l)
{
    const struct json *ref =
        json_at(l->mr, "spec", "writeConnectionSecretToRef", NULL);
    const char *name = json_string_or(json_get(ref, "name"), "");
    const char *ns =
        json_string_or(json_get(ref, "namespace"), kobj_namespace(l->mr));
    const struct kind *k = registry_kind(l->c->registry, "v1", "Secret");
    const struct registry_write w = {.manager = PROVIDER_MANAGER};
    AUTO(status_release) struct status st = {0};
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    struct json *secret, *data;

    if (!*name || registry_has(l->c->registry, k, ns, name))
        return;
    secret = kobj_new("v1", "Secret", ns, name);
    json_append(
        json_need_array(json_get(secret, "metadata"), "ownerReferences"),
        kobj_owner_reference(l->mr));
    json_set_string(secret, "type", "connection.crossplane.io/v1alpha1");
    data = json_need_object(secret, "stringData");
    buf_printf(&b, "%s.%s.sandbox.local", kobj_annotation(l->mr, EXTERNAL_NAME),
               l->k->singular);
    json_set_string(data, "endpoint", buf_cstr(&b));
    json_set_string(data, "username", "sandbox");
    json_set_string(data, "password", kobj_uid(l->mr));
    json_free(registry_create(l->c->registry, k, &w, ns, secret, &st));
}

/* ---- creating, becoming ready, following changes ---- */

static bool
initialise(struct look *l)
{
    AUTO(status_release) struct status st = {0};
    bool changed = kobj_add_finalizer(l->mr, FINALIZER);

    if (!*kobj_annotation(l->mr, EXTERNAL_NAME)) {
        kobj_set_annotation(l->mr, EXTERNAL_NAME, kobj_name(l->mr));
        changed = true;
    }
    if (!changed || control_update(l->c, l->k, PROVIDER_MANAGER, &l->mr, &st))
        return true;
    event(l, true, "CannotInitializeManagedResource", st.message);
    return false;
}

static bool
create(struct look *l)
{
    AUTO(status_release) struct status st = {0};
    char now[CLOCK_RFC3339_LEN];

    if (fails_at(l, "create")) {
        mark(l, "Ready", "False", "Creating", NULL);
        finish(l);
        return false;
    }
    clock_format(control_now_s(l->c), now);
    kobj_set_annotation(l->mr, SUCCEEDED, now);
    if (!control_update(l->c, l->k, PROVIDER_MANAGER, &l->mr, &st)) {
        event(l, true, "CannotUpdateManagedResource", st.message);
        return false;
    }
    event(l, false, "CreatedExternalResource",
          "Successfully requested creation of external resource");
    return true;
}

static bool
settle(struct look *l)
{
    const struct json *ready = condition_get(l->mr, "Ready");
    int64_t seen = json_int64_or(json_get(ready, "observedGeneration"), 0);
    const char *why = told_to_fail(l, "unavailable");
    bool was_ready = condition_true(l->mr, "Ready");

    if (was_ready && seen && seen < kobj_generation(l->mr)) {
        if (fails_at(l, "update")) {
            finish(l);
            return false;
        }
        event(l, false, "UpdatedExternalResource",
              "Successfully requested update of external resource");
    }
    observe(l);
    publish_connection(l);
    if (why)
        mark(l, "Ready", "False", "Unavailable", why);
    else
        mark(l, "Ready", "True", "Available", NULL);
    mark(l, "Synced", "True", "ReconcileSuccess", NULL);
    finish(l);
    return true;
}

/* Neither Ready nor told to be Unavailable yet. */
static bool
is_coming(const struct look *l)
{
    const struct json *ready = condition_get(l->mr, "Ready");

    return !ready || strcmp(json_string_or(json_get(ready, "reason"), ""),
                            "Creating") == 0;
}

static bool
reconcile(struct look *l)
{
    if (is_paused(l))
        return pause(l);
    if (kobj_is_deleted(l->mr))
        return delete (l);
    if (!initialise(l))
        return false;
    if (fails_at(l, "connect") || fails_at(l, "observe")) {
        finish(l);
        return false;
    }
    if (!*kobj_annotation(l->mr, SUCCEEDED) && !create(l))
        return false;
    if (is_coming(l) && !waited(l, 'c')) {
        mark(l, "Ready", "False", "Creating", NULL);
        mark(l, "Synced", "True", "ReconcileSuccess", NULL);
        finish(l);
        return true;
    }
    return settle(l);
}

bool
control_managed(struct control *c, const struct job *j)
{
    const struct kind *k =
        registry_resource(c->registry, j->group, NULL, j->plural);
    struct look l = {.c = c, .k = k, .job = j};
    bool ok;

    if (!k || !registry_in_category(k, "managed"))
        return true;
    l.mr = registry_get(c->registry, k, j->ns, j->name);
    if (!l.mr)
        return true;
    snprintf(l.component, sizeof(l.component), "managed/%s.%s", k->singular,
             k->group);
    l.before = json_copy(json_get(l.mr, "status"));
    ok = reconcile(&l);
    json_free(l.before);
    json_free(l.mr);
    return ok;
}
