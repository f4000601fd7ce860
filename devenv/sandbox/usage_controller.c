/*
 * Usages: each marks what it speaks of as in use, and stays until that may go.
 * Source: crossplane 2.0.8 internal/controller/protection/usage.
 */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/compose/compose.h"
#include "lib/compose/conditions.h"

#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/usage_index.h"

#define FINALIZER  "usage.apiextensions.crossplane.io"
#define DETAILS    "crossplane.io/usage-details"
#define REPLAY_MS  2000
#define WAITING_MS 30000
#define POLL_MS    60000

/* ---- selectors ---- */

static bool
same_controller(const struct json *a, const struct json *b)
{
    const struct json *o = kobj_controller(a);

    return o &&
           kobj_is_controlled_by(b, json_string_or(json_get(o, "uid"), ""));
}

/* As a label selector and as Go prints the map. */
static void
print_labels(const struct json *labels, struct buf *selector, struct buf *text)
{
    AUTO(json_free_ptr) struct json *sorted = json_copy(labels);

    if (sorted)
        json_sort(sorted);
    buf_puts(text, "map[");
    for (const struct json *l = json_first(sorted); l; l = json_next(l)) {
        const char *value = json_string_or(l, "");
        bool first = l == json_first(sorted);

        buf_printf(selector, "%s%s=%s", first ? "" : ",", json_key(l), value);
        buf_printf(text, "%s\"%s\":\"%s\"", first ? "" : " ", json_key(l),
                   value);
    }
    buf_putc(text, ']');
}

static const struct json *
pick(const struct json *items, const struct json *usage, bool same)
{
    for (const struct json *i = json_first(items); i; i = json_next(i)) {
        if (!same || same_controller(i, usage))
            return i;
    }
    return NULL;
}

static bool
resolve(struct control *c, const struct json *usage, struct json *side,
        struct error *err)
{
    const struct json *sel = json_get(side, "resourceSelector");
    const char *ns =
        json_string_or(json_get(sel, "namespace"), kobj_namespace(usage));
    bool same = json_bool(json_get(sel, "matchControllerRef"), false);
    AUTO(buf_release) struct buf q = BUF_INIT(BUF_TEXT_MAX);
    AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);
    AUTO(status_release) struct status st = {0};
    AUTO(json_free_ptr) struct json *items = NULL;
    const struct kind *k = usage_kind_named(c, side, err);
    const struct json *found;

    if (!sel)
        return error_set(err, ERR_INVALID, "no selector defined for resolving");
    if (!k)
        return error_wrap(err, "cannot list resources matching labels");
    print_labels(json_get(sel, "matchLabels"), &q, &text);
    items = registry_list_json(c->registry, k, k->namespaced && *ns ? ns : NULL,
                               q.n ? buf_cstr(&q) : NULL, &st);
    if (!items)
        return error_set(err, ERR_INVALID,
                         "cannot list resources matching labels: %s",
                         st.message);
    found = pick(items, usage, same);
    if (!found)
        return error_set(
            err, ERR_NOT_FOUND, "no \"%s\" found matching labels: %s%s",
            kobj_kind(side), buf_cstr(&text),
            json_len(items) ? " and with same controller reference" : "");
    struct json *ref = json_need_object(side, "resourceRef");

    json_set_string(ref, "name", kobj_name(found));
    if (strcmp(kobj_namespace(found), kobj_namespace(usage)) != 0)
        json_set_string(ref, "namespace", kobj_namespace(found));
    return true;
}

/* ---- one look ---- */

struct look {
    struct control *c;
    const struct job *j;
    const struct kind *k;
    const struct usage_kind *row;
    struct json *usage;
    bool changed; /* anything was written */
};

static bool
failed(struct look *l, const char *reason, const char *what, const char *why)
{
    control_event(l->c, l->usage, l->row->component, true, reason, "%s: %s",
                  what, why);
    return false;
}

static bool
update(struct look *l, const char *reason, const char *what)
{
    AUTO(status_release) struct status st = {0};

    l->changed = true;
    if (control_update(l->c, l->k, CORE_MANAGER, &l->usage, &st))
        return true;
    if (status_is(&st, "Conflict"))
        return false;
    return failed(l, reason, what, st.message);
}

static bool
resolve_side(struct look *l, const char *name, const char *what)
{
    struct json *side = json_at(l->usage, "spec", name, NULL);
    struct error err = {0};

    if (!side || *usage_ref_name(side))
        return true;
    if (!resolve(l->c, l->usage, side, &err)) {
        error_wrap(&err,
                   "cannot resolve selector at \"spec.%s."
                   "resourceSelector\"",
                   what);
        return failed(l, "ResolveSelectors", "cannot resolve selectors",
                      err.msg);
    }
    return update(l, "ResolveSelectors",
                  "cannot resolve selectors: cannot update usage after "
                  "resolving selector");
}

/* A composed usage goes together with its composite: it stays until who uses
 * is gone, or it would protect nothing. */
static bool
must_wait(struct look *l)
{
    const struct json *by = usage_side(l->usage, "by");
    const struct kind *k;
    struct error err = {0};
    AUTO(json_free_ptr) struct json *using = NULL;

    if (!by || !*kobj_label(l->usage, COMPOSE_LABEL_COMPOSITE))
        return false;
    using = usage_get_side(l->c, by, kobj_namespace(l->usage), &k, &err);
    if (!using)
        return false;
    control_event(l->c, l->usage, l->row->component, false,
                  "WaitingUsingDeleted",
                  "Waiting for the using resource (which is a \"%s\" named "
                  "\"%s\") to be deleted.",
                  kobj_kind(by), usage_ref_name(by));
    control_add_later(l->c, l->j, WAITING_MS);
    return true;
}

static bool
release_used(struct look *l, const struct kind *k, struct json **used)
{
    AUTO(status_release) struct status st = {0};
    struct users users;

    usage_find(l->c->usages, k, *used, &users);
    json_free(users.first);
    if (users.n >= 2 || !*kobj_label(*used, USAGE_IN_USE))
        return true;
    json_del(json_at(*used, "metadata", "labels", NULL), USAGE_IN_USE);
    if (control_update(l->c, k, CORE_MANAGER, used, &st))
        return true;
    if (status_is(&st, "Conflict"))
        return false;
    return failed(l, "RemoveInUseLabel",
                  "cannot remove in use label from the used resource",
                  st.message);
}

static bool
end(struct look *l)
{
    const struct json *of = usage_side(l->usage, "of");
    const struct kind *k;
    struct error err = {0};
    AUTO(json_free_ptr) struct json *used = NULL;

    if (must_wait(l))
        return true;
    used =
        usage_get_side(l->c, of, usage_ref_namespace(l->usage, of), &k, &err);
    if (used && !release_used(l, k, &used))
        return false;
    if (used && *kobj_annotation(used, USAGE_ATTEMPT) &&
        json_bool(json_at(l->usage, "spec", "replayDeletion", NULL), false)) {
        const struct job again = {JOB_REPLAY, k->group, k->plural,
                                  kobj_namespace(used), kobj_name(used)};

        control_add_later(l->c, &again, REPLAY_MS);
    }
    return !kobj_remove_finalizer(l->usage, FINALIZER) ||
           update(l, "RemoveFinalizer", "cannot remove finalizer");
}

static char *
details(const struct json *usage)
{
    const struct json *of = usage_side(usage, "of"),
                      *by = usage_side(usage, "by");
    const char *reason =
        json_string_or(json_at(usage, "spec", "reason", NULL), "");
    const char *ns =
        json_string_or(json_at(of, "resourceRef", "namespace", NULL), "");

    if (*reason)
        return mem_strdup(reason);
    if (!by)
        return mem_strdup("undefined");
    return mem_printf("%s/%s uses %s/%s%s%s", kobj_kind(by), usage_ref_name(by),
                      kobj_kind(of), usage_ref_name(of),
                      *ns ? " in namespace " : "", ns);
}

static bool
annotate(struct look *l)
{
    AUTO(mem_free_ptr) char *text = details(l->usage);

    if (strcmp(kobj_annotation(l->usage, DETAILS), text) == 0)
        return true;
    kobj_set_annotation(l->usage, DETAILS, text);
    return update(l, "AddDetailsToUsage",
                  "cannot update usage resource with details annotation");
}

static bool
mark_used(struct look *l)
{
    const struct json *of = usage_side(l->usage, "of");
    const struct kind *k;
    struct error err = {0};
    AUTO(status_release) struct status st = {0};
    AUTO(json_free_ptr)
    struct json *used =
        usage_get_side(l->c, of, usage_ref_namespace(l->usage, of), &k, &err);

    if (!used)
        return failed(l, "GetUsedResource", "cannot get used", err.msg);
    if (strcmp(kobj_label(used, USAGE_IN_USE), "true") == 0)
        return true;
    kobj_set_label(used, USAGE_IN_USE, "true");
    return control_update(l->c, k, CORE_MANAGER, &used, &st) ||
           failed(l, "AddInUseLabel",
                  "cannot add in use label to the used resource", st.message);
}

static bool
is_first_owner(const struct json *usage, const struct json *using)
{
    const struct json *first =
        json_first(json_at(usage, "metadata", "ownerReferences", NULL));

    return strcmp(json_string_or(json_get(first, "uid"), ""),
                  kobj_uid(using)) == 0;
}

static bool
has_owner(const struct json *usage, const char *uid)
{
    const struct json *all =
        json_at(usage, "metadata", "ownerReferences", NULL);

    for (const struct json *o = json_first(all); o; o = json_next(o)) {
        if (strcmp(json_string_or(json_get(o, "uid"), ""), uid) == 0)
            return true;
    }
    return false;
}

static bool
own(struct look *l)
{
    const struct json *by = usage_side(l->usage, "by");
    const struct kind *k;
    struct error err = {0};
    AUTO(json_free_ptr) struct json *using = NULL;
    struct json *ref;

    if (!by)
        return true;
    using = usage_get_side(l->c, by, kobj_namespace(l->usage), &k, &err);
    if (!using)
        return failed(l, "GetUsingResource", "cannot get using", err.msg);
    if (is_first_owner(l->usage, using) || has_owner(l->usage, kobj_uid(using)))
        return true;
    ref = kobj_owner_reference(using);
    json_del(ref, "controller");
    json_del(ref, "blockOwnerDeletion");
    json_append(
        json_need_array(json_get(l->usage, "metadata"), "ownerReferences"),
        ref);
    return update(l, "AddOwnerRefToUsage",
                  "cannot update usage resource with owner ref");
}

static bool
configure(struct look *l)
{
    struct condition ready = {"Ready", "True", "Available", NULL, 0};

    if (kobj_add_finalizer(l->usage, FINALIZER) &&
        !update(l, "AddFinalizer", "cannot add finalizer"))
        return false;
    if (!annotate(l) || !mark_used(l) || !own(l))
        return false;
    ready.generation = kobj_generation(l->usage);
    if (condition_set(l->usage, &ready, control_now_s(l->c)))
        l->changed = true;
    control_add_later(l->c, l->j, POLL_MS);
    if (!l->changed)
        return true;
    control_event(l->c, l->usage, l->row->component, false, "UsageConfigured",
                  "Usage configured successfully.");
    return control_update_status(l->c, l->k, CORE_MANAGER, &l->usage);
}

bool
control_usage(struct control *c, const struct job *j)
{
    struct look l = {.c = c, .j = j, .k = control_kind(c, j->group, j->plural)};
    bool ok = true;

    if (!l.k)
        return true;
    l.row = usage_kind_of(l.k);
    l.usage = registry_get(c->registry, l.k, j->ns, j->name);
    if (l.usage)
        ok = resolve_side(&l, "of", "of") && resolve_side(&l, "by", "by") &&
             (kobj_is_deleted(l.usage) ? end(&l) : configure(&l));
    json_free(l.usage);
    return ok;
}

/* A deletion that was refused while the object was in use. */
bool
control_replay(struct control *c, const struct job *j)
{
    const struct kind *k =
        registry_resource(c->registry, j->group, NULL, j->plural);
    AUTO(json_free_ptr)
    struct json *obj = k ? registry_get(c->registry, k, j->ns, j->name) : NULL;
    const char *policy = kobj_annotation(obj, USAGE_ATTEMPT);
    struct registry_delete how = {0};
    AUTO(status_release) struct status st = {0};

    if (!obj)
        return true;
    while (how.propagation < PROPAGATE_ORPHAN &&
           strcmp(usage_policy_name(how.propagation), policy) != 0)
        how.propagation++;
    registry_delete(c->registry, k, j->ns, j->name, &how, NULL, &st);
    return true;
}
