/*
 * One look at one managed resource, in the order and the words of
 * crossplane-runtime's managed reconciler (provider.h says what it is held
 * against). Annotations that steer it:
 *   sandbox.meshtop.io/delay: "1500"   milliseconds until Ready (and until
 *                                      gone), instead of the server's
 *   sandbox.meshtop.io/fail            what fails, as faults.h says
 */
#include "devenv/sandbox/provider.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

#include "lib/compose/conditions.h"

#include "devenv/sandbox/kobj.h"

#define FINALIZER    "finalizer.managedresource.crossplane.io"
#define PENDING      "crossplane.io/external-create-pending"
#define SUCCEEDED    "crossplane.io/external-create-succeeded"
#define FAILED       "crossplane.io/external-create-failed"
#define DELAY        "sandbox.meshtop.io/delay"
#define DELAY_MAX_MS (24 * 3600 * 1000)
#define GRACE_S      30
#define TEXT_MAX     4096

/* ---- saying ---- */

static void
mark(struct look *l, const char *type, const char *status, const char *reason,
     const char *message)
{
    control_mark(l->c, l->mr, type, status, reason, message);
}

static void
event(struct look *l, bool warning, const char *reason, const char *text)
{
    control_event(l->c, l->mr, l->component, warning, reason, "%s", text);
}

static void
wrote(struct look *l)
{
    provider_wrote(l->p, l->job->group, l->job->plural, l->mr);
}

static void
finish(struct look *l)
{
    if (json_equal(l->before, json_get(l->mr, "status")))
        return;
    if (control_update_status(l->c, l->k, PROVIDER_MANAGER, &l->mr))
        wrote(l);
}

/* Synced is False for this reason; always answers false. */
static bool
failed(struct look *l, const char *reason, const char *prefix, const char *why)
{
    AUTO(mem_free_ptr) char *text = mem_printf("%s%s", prefix, why);

    event(l, true, reason, why);
    mark(l, "Synced", "False", "ReconcileError", text);
    finish(l);
    return false;
}

/* Puts what changed outside status; false: refused, and said so. */
static bool
save(struct look *l)
{
    AUTO(status_release) struct status st = {0};

    if (!l->dirty)
        return true;
    if (!control_update(l->c, l->k, PROVIDER_MANAGER, &l->mr, &st)) {
        AUTO(mem_free_ptr)
        char *why =
            mem_printf("cannot update managed resource: %s", st.message);

        return failed(l, "CannotUpdateManagedResource", "", why);
    }
    l->dirty = false;
    wrote(l);
    return true;
}

/* ---- what may be done ---- */

static const struct action {
    const char *name;
    unsigned bit;
} actions[] = {
    {"Observe", MAY_OBSERVE},
    {"Create", MAY_CREATE},
    {"Update", MAY_UPDATE},
    {"Delete", MAY_DELETE},
    {"LateInitialize", MAY_LATE_INITIALISE},
    {"*", MAY_ALL},
};

/* Every set crossplane-runtime supports, beside ["*"] and the empty one. */
static const unsigned policies[] = {
    MAY_ALL,
    MAY_OBSERVE,
    MAY_ALL & ~MAY_LATE_INITIALISE,
    MAY_ALL & ~MAY_DELETE,
    MAY_OBSERVE | MAY_CREATE | MAY_UPDATE,
    MAY_ALL & ~MAY_UPDATE,
    MAY_OBSERVE | MAY_CREATE | MAY_LATE_INITIALISE,
    MAY_OBSERVE | MAY_CREATE | MAY_DELETE,
    MAY_OBSERVE | MAY_CREATE,
    MAY_OBSERVE | MAY_DELETE,
    MAY_OBSERVE | MAY_UPDATE,
    MAY_OBSERVE | MAY_LATE_INITIALISE,
    MAY_OBSERVE | MAY_UPDATE | MAY_LATE_INITIALISE,
};

/* A deletionPolicy and managementPolicies that disagree: whichever is not the
 * default. */
static void
read_deletion_policy(struct look *l, bool all)
{
    const char *p = json_get_string(json_get(l->mr, "spec"), "deletionPolicy");

    l->legacy = p != NULL;
    if (p && strcmp(p, "Orphan") == 0 && all)
        l->may &= ~(unsigned)MAY_DELETE;
}

/* False: a set that is not supported; why has the words. */
static bool
read_policies(struct look *l, struct buf *why)
{
    const struct json *list =
        json_at(l->mr, "spec", "managementPolicies", NULL);
    bool all = !list, mixed = false;

    l->may = list ? 0 : MAY_ALL;
    for (const struct json *p = json_first(list); p; p = json_next(p)) {
        for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
            if (strcmp(actions[i].name, json_string_or(p, "")) == 0)
                l->may |= actions[i].bit;
        }
        all = all || strcmp(json_string_or(p, ""), "*") == 0;
    }
    mixed = all && json_len(list) > 1;
    read_deletion_policy(l, all);
    for (size_t i = 0; i < ARRAY_LEN(policies) && !mixed; i++) {
        if (policies[i] == l->may || all || !l->may)
            return true;
    }
    buf_puts(why, "`spec.managementPolicies` is set to a value([");
    for (const struct json *p = json_first(list); p; p = json_next(p))
        buf_printf(why, "%s%s", p == json_first(list) ? "" : " ",
                   json_string_or(p, ""));
    buf_puts(why, "]) which is not supported. Check docs for supported "
                  "policies");
    return false;
}

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
    mark(l, "Synced", "False", "ReconcilePaused", NULL);
    finish(l);
    return true;
}

/* ---- what is to fail ---- */

/* What each step is called when it fails. */
static const struct failure {
    const char *step, *prefix, *reason;
} failures[] = {
    {"connect", "connect failed: ", "CannotConnectToProvider"},
    {"observe", "observe failed: ", "CannotObserveExternalResource"},
    {"create", "create failed: ", "CannotCreateExternalResource"},
    {"update", "update failed: ", "CannotUpdateExternalResource"},
    {"delete", "delete failed: ", "CannotDeleteExternalResource"},
};

/* The words when something was told to fail at step. */
static bool
told_to_fail(struct look *l, const char *step, struct buf *why)
{
    int64_t now = control_now_s(l->c);
    struct fault_hit hit;

    if (!faults_find(&l->p->faults, l->mr, l->k, step, l->external != NULL, now,
                     &hit))
        return false;
    if (hit.until_s)
        queue_add(l->c->queue, QUEUE_NORMAL, l->job, control_now_ms(l->c),
                  hit.until_s * 1000 - clock_wall_ms(l->c->clock));
    if (hit.literal)
        buf_puts(why, hit.reason);
    else
        provider_text(
            l, faults_message(hit.reason, l->mk ? l->mk->family->name : NULL),
            step, why);
    return true;
}

/* step failed for this reason. */
static bool
step_failed(struct look *l, const char *step, const char *why)
{
    const struct failure *f = failures;

    while (strcmp(f->step, step) != 0)
        f++;
    return failed(l, f->reason, f->prefix, why);
}

/* True: it was told to fail at step, and said so. */
static bool
fails_at(struct look *l, const char *step)
{
    AUTO(buf_release) struct buf why = BUF_INIT(TEXT_MAX);

    return told_to_fail(l, step, &why) && !step_failed(l, step, buf_cstr(&why));
}

/* ---- waiting ---- */

static int64_t
delay_of(const struct look *l)
{
    int64_t slow =
        faults_slow_ms(&l->p->faults, l->mr, l->k, control_now_s(l->c));
    int64_t ms;

    if (slow)
        return slow;
    if (str_to_i64(str_of(kobj_annotation(l->mr, DELAY)), &ms))
        return MAX(0, MIN(ms, DELAY_MAX_MS));
    return l->c->provider_delay_ms;
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

/* ---- the cloud ---- */

static struct cloud_id
cloud_id(const struct look *l)
{
    return (struct cloud_id){l->k->group, l->k->kind,
                             kobj_annotation(l->mr, EXTERNAL_NAME)};
}

static bool
put_external(struct look *l, struct json *parameters)
{
    struct cloud_id id = cloud_id(l);
    AUTO(status_release) struct status st = {0};
    bool good = cloud_put(&l->p->cloud, &id, l->mr, l->k->plural,
                          control_now_s(l->c), parameters, &st);

    json_free(l->external);
    l->external = cloud_find(&l->p->cloud, &id);
    provider_wrote(l->p, CLOUD_GROUP, CLOUD_PLURAL, l->external);
    return good || failed(l, "CannotUpdateManagedResource", "", st.message);
}

/* ---- deleting ---- */

static bool
let_go(struct look *l)
{
    AUTO(status_release) struct status st = {0};

    if (!kobj_remove_finalizer(l->mr, FINALIZER))
        return true;
    return control_update(l->c, l->k, PROVIDER_MANAGER, &l->mr, &st) ||
           status_is(&st, "NotFound");
}

/* Asks the cloud once; then it takes its time. */
static bool
delete_external(struct look *l)
{
    const struct json *ready = condition_get(l->mr, "Ready");
    bool asked =
        strcmp(json_string_or(json_get(ready, "reason"), ""), "Deleting") == 0;
    struct cloud_id id;
    AUTO(status_release) struct status st = {0};

    if (!asked || !condition_true(l->mr, "Synced")) {
        event(l, false, "DeletedExternalResource",
              "Successfully requested deletion of external resource");
        mark(l, "Ready", "False", "Deleting", NULL);
        mark(l, "Synced", "True", "ReconcileSuccess", NULL);
        finish(l);
    }
    if (!waited(l, 'd'))
        return true;
    id = cloud_id(l); /* points into what finish() may have replaced */
    cloud_delete(&l->p->cloud, &id, &st);
    return let_go(l);
}

static bool
has_other_finalizers(const struct look *l)
{
    return json_len(json_at(l->mr, "metadata", "finalizers", NULL)) > 1;
}

static bool delete (struct look *l)
{
    AUTO(buf_release) struct buf why = BUF_INIT(TEXT_MAX);

    if (has_other_finalizers(l))
        return true; /* their going is a change, and comes here */
    if (!l->external)
        return let_go(l);
    if (told_to_fail(l, "delete", &why)) {
        mark(l, "Ready", "False", "Deleting", NULL);
        return step_failed(l, "delete", buf_cstr(&why));
    }
    return delete_external(l);
}

/* ---- creating ---- */

static void
stamp(struct look *l, const char *annotation)
{
    char now[CLOCK_RFC3339_LEN];

    clock_format(control_now_s(l->c), now);
    kobj_set_annotation(l->mr, annotation, now);
    l->dirty = true;
}

static int64_t
stamped(const struct look *l, const char *annotation)
{
    int64_t at = 0;

    clock_parse(str_of(kobj_annotation(l->mr, annotation)), &at);
    return at;
}

static bool
is_incomplete(const struct look *l)
{
    return stamped(l, PENDING) > MAX(stamped(l, SUCCEEDED), stamped(l, FAILED));
}

static bool
cannot_create(struct look *l, const char *why)
{
    stamp(l, FAILED);
    if (!save(l))
        return false;
    mark(l, "Ready", "False", "Creating", NULL);
    return step_failed(l, "create", why);
}

static bool
create(struct look *l)
{
    AUTO(buf_release) struct buf why = BUF_INIT(TEXT_MAX);
    AUTO(buf_release) struct buf name = BUF_INIT(TEXT_MAX);

    stamp(l, PENDING);
    if (told_to_fail(l, "create", &why))
        return cannot_create(l, buf_cstr(&why));
    if (provider_names(l, &name)) {
        if (!name.n)
            return cannot_create(l, "a field that names the resource is "
                                    "missing");
        kobj_set_annotation(l->mr, EXTERNAL_NAME, buf_cstr(&name));
    }
    stamp(l, SUCCEEDED);
    if (!put_external(l, provider_wanted(l)))
        return false;
    if (l->may & MAY_LATE_INITIALISE)
        provider_late_initialise(l, false);
    if (!save(l))
        return false;
    event(l, false, "CreatedExternalResource",
          "Successfully requested creation of external resource");
    return true;
}

/* ---- following changes ---- */

static bool
update(struct look *l)
{
    AUTO(buf_release) struct buf refusal = BUF_INIT(TEXT_MAX);
    AUTO(json_free_ptr) struct json *next = NULL;
    struct json *taken;

    if (!provider_differs(l, &next, &refusal) || !(l->may & MAY_UPDATE))
        return true;
    if (refusal.n)
        return step_failed(l, "update", buf_cstr(&refusal));
    if (fails_at(l, "update"))
        return false;
    taken = next;
    next = NULL;
    if (!put_external(l, taken))
        return false;
    provider_report(l);
    event(l, false, "UpdatedExternalResource",
          "Successfully requested update of external resource");
    return true;
}

/* Neither Ready nor told to be Unavailable yet. */
static bool
is_coming(const struct look *l)
{
    const struct json *ready = condition_get(l->mr, "Ready");

    return *kobj_annotation(l->mr, SUCCEEDED) &&
           (!ready || strcmp(json_string_or(json_get(ready, "reason"), ""),
                             "Creating") == 0);
}

/* What the cloud says of it. */
static bool
settle(struct look *l)
{
    AUTO(buf_release) struct buf why = BUF_INIT(TEXT_MAX);
    bool coming = is_coming(l) && !waited(l, 'c');

    provider_report(l);
    if (coming)
        mark(l, "Ready", "False", "Creating", NULL);
    else if (told_to_fail(l, "ready", &why))
        mark(l, "Ready", "False", "Unavailable", buf_cstr(&why));
    else
        mark(l, "Ready", "True", "Available", NULL);
    buf_reset(&why);
    if (!provider_publish(l, &why))
        return failed(l, "CannotPublishConnectionDetails", "", buf_cstr(&why));
    if (!coming && !update(l))
        return false;
    mark(l, "Synced", "True", "ReconcileSuccess", NULL);
    finish(l);
    return true;
}

/* Nothing there, and it is not ours to create. */
static bool
absent(struct look *l)
{
    static const char why[] = "external resource does not exist";

    if (l->may == MAY_OBSERVE)
        return step_failed(l, "observe", why);
    if (l->may & MAY_UPDATE)
        return step_failed(l, "update", why);
    mark(l, "Synced", "True", "ReconcileSuccess", NULL);
    finish(l);
    return true;
}

/* It was created a moment ago and is gone: the cloud may only be late. */
static bool
is_in_grace(struct look *l)
{
    int64_t since = control_now_s(l->c) - stamped(l, SUCCEEDED);

    if (since >= GRACE_S)
        return false;
    event(l, false, "PendingExternalResource",
          "Waiting for external resource existence to be confirmed");
    queue_add(l->c->queue, QUEUE_NORMAL, l->job, control_now_ms(l->c),
              (GRACE_S - since) * 1000);
    return true;
}

/* ---- one look ---- */

/* The external name, unless the provider gives it. */
static void
initialise(struct look *l)
{
    if (*kobj_annotation(l->mr, EXTERNAL_NAME) || (l->mk && l->mk->named))
        return;
    kobj_set_annotation(l->mr, EXTERNAL_NAME, kobj_name(l->mr));
    l->dirty = true;
}

static bool
prepare(struct look *l, struct buf *why)
{
    static const char incomplete[] =
        "cannot determine creation result - remove the " PENDING
        " annotation if it is safe to proceed";

    initialise(l);
    if (is_incomplete(l)) {
        mark(l, "Ready", "False", "Creating", NULL);
        failed(l, "CannotInitializeManagedResource", "", incomplete);
        return false;
    }
    if (!kobj_is_deleted(l->mr) && !provider_resolve(l, why)) {
        failed(l, "CannotResolveResourceReferences", "", buf_cstr(why));
        return false;
    }
    if (fails_at(l, "connect"))
        return false;
    if (!provider_connect(l, why)) {
        step_failed(l, "connect", buf_cstr(why));
        return false;
    }
    return true;
}

static bool
observe(struct look *l)
{
    struct cloud_id id = cloud_id(l);

    json_free(l->external);
    l->external = cloud_find(&l->p->cloud, &id);
    return !fails_at(l, "observe");
}

static bool
bring_nearer(struct look *l)
{
    bool imported = !*kobj_annotation(l->mr, SUCCEEDED);

    if (!l->external && l->may == MAY_OBSERVE)
        return absent(l);
    if (!l->external && is_in_grace(l))
        return true;
    l->dirty = kobj_add_finalizer(l->mr, FINALIZER) || l->dirty;
    if (!l->external && !(l->may & MAY_CREATE))
        return save(l) && absent(l);
    if (!l->external)
        return create(l) && settle(l);
    if (l->may & MAY_LATE_INITIALISE)
        l->dirty = provider_late_initialise(l, imported) || l->dirty;
    return save(l) && settle(l);
}

static bool
reconcile(struct look *l)
{
    AUTO(buf_release) struct buf why = BUF_INIT(TEXT_MAX);
    bool known = read_policies(l, &why);

    if (is_paused(l))
        return pause(l);
    if (!known) {
        failed(l, "CannotUseInvalidManagementPolicy", "", buf_cstr(&why));
        return true;
    }
    if (kobj_is_deleted(l->mr) && !(l->may & MAY_DELETE))
        return let_go(l);
    if (!prepare(l, &why) || !observe(l))
        return false;
    return kobj_is_deleted(l->mr) ? delete (l) : bring_nearer(l);
}

/* The table, made when the first managed resource comes. */
static const struct managed_kinds *
kinds(struct provider *p)
{
    if (!p->kinds)
        p->kinds = managed_kinds_new(NULL);
    return p->kinds;
}

bool
control_managed(struct control *c, const struct job *j)
{
    const struct kind *k =
        registry_resource(c->registry, j->group, NULL, j->plural);
    struct look l = {.p = c->provider, .c = c, .k = k, .job = j};
    bool ok;

    if (k && provider_is_config(k))
        return provider_config(c->provider, k, j);
    if (!k || !registry_in_category(k, "managed"))
        return true;
    l.mr = registry_get(c->registry, k, j->ns, j->name);
    if (!l.mr)
        return true;
    l.mk = managed_kinds_find(kinds(c->provider), k->group, k->kind);
    snprintf(l.component, sizeof(l.component), "managed/%s.%s", k->singular,
             k->group);
    l.before = json_copy(json_get(l.mr, "status"));
    ok = reconcile(&l);
    json_free(l.before);
    json_free(l.external);
    json_free(l.mr);
    return ok;
}
