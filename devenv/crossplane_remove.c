/*
 * Taking out what was put in. Each part goes while what takes off its
 * finalizers still runs: composite resources before their XRDs (an XRD whose
 * objects live hangs), packages before Crossplane, Crossplane before its
 * kinds. What others use stays, with what it needs, and is named.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/crossplane.h"
#include "devenv/gone.h"
#include "devenv/owner.h"

#define LOCK_LIMIT_MS 8000
#define DEPTH_MAX     8

struct removing {
    struct env *env;
    const struct crossplane_removal *o;
    struct step_run *run;
    char *label;              /* meshtop.dev/run=PROFILE */
    struct strlist kept;      /* "group/Kind" whose XRDs stay */
    struct strlist functions; /* names that went */
};

struct kind_name {
    const char *api_version, *kind;
};

static const struct kind_name
    xrds = {"apiextensions.crossplane.io/v2", "CompositeResourceDefinition"},
    compositions = {"apiextensions.crossplane.io/v1", "Composition"},
    functions = {"pkg.crossplane.io/v1", "Function"},
    revisions = {"pkg.crossplane.io/v1", "FunctionRevision"},
    roles = {"rbac.authorization.k8s.io/v1", "ClusterRole"},
    bindings = {"rbac.authorization.k8s.io/v1", "ClusterRoleBinding"},
    configs = {"pkg.crossplane.io/v1beta1", "ImageConfig"},
    locks = {"pkg.crossplane.io/v1beta1", "Lock"},
    deployments = {"apps/v1", "Deployment"}, pods = {"v1", "Pod"},
    crds = {"apiextensions.k8s.io/v1", "CustomResourceDefinition"},
    namespaces = {"v1", "Namespace"};

/* Of these, any that is not ours needs the Crossplane that is there. */
static const struct kind_name packages[] = {
    {"apiextensions.crossplane.io/v2", "CompositeResourceDefinition"},
    {"apiextensions.crossplane.io/v1", "Composition"},
    {"pkg.crossplane.io/v1", "Function"},
    {"pkg.crossplane.io/v1", "Provider"},
    {"pkg.crossplane.io/v1", "Configuration"},
};

static const struct kube_kind *
served(struct removing *r, const struct kind_name *k)
{
    return kube_discovery_of(r->env->discovery, str_of(k->api_version),
                             str_of(k->kind));
}

static bool
find(struct removing *r, const struct kind_name *k, const char *label,
     struct gone_list *out, struct error *err)
{
    const struct kube_kind *kind = served(r, k);

    return !kind || gone_find(r->env, kind, label, out, err);
}

static bool
delete_list(struct removing *r, struct gone_list *l, struct error *err)
{
    const struct gone_options o = {.limit_ms = r->o->limit_ms};

    return !l->n || gone_delete(r->env, l, &o, r->run, err);
}

/* Deletes all of a kind that have the label and whose name fits (pick NULL:
 * any). */
static bool
remove_kind(struct removing *r, const struct kind_name *k, const char *label,
            bool (*pick)(struct removing *r, const struct gone_object *g),
            struct error *err)
{
    struct gone_list l = {0};
    bool ok = find(r, k, label, &l, err);

    for (size_t i = 0; i < l.n && pick; i++)
        l.v[i].gone |= !pick(r, &l.v[i]);
    ok = ok && delete_list(r, &l, err);
    if (ok && l.n)
        step_part(r->run, k->kind, STEP_DONE, "gone");
    gone_release(&l);
    return ok;
}

static void
say_left(struct removing *r, const char *what, const char *why)
{
    if (r->o->left)
        strlist_addf(r->o->left, "%s: %s", what, why);
}

/* ---- composite resources ---- */

static struct json *
get(struct removing *r, const struct gone_object *g)
{
    struct kube_request q = {.gvr = g->gvr, .ns = g->ns, .name = g->name};

    return kube_client_wait_json(r->env->client, &q, NULL);
}

/* The kind an XRD defines; NULL: it is not served. */
static const struct kube_kind *
defined_by(struct removing *r, const struct json *xrd)
{
    const struct json *spec = json_get(xrd, "spec");
    AUTO(mem_free_ptr)
    char *api = mem_printf(
        "%s/%s", json_string_or(json_get(spec, "group"), ""),
        json_string_or(json_get(json_first(json_get(spec, "versions")), "name"),
                       ""));

    return kube_discovery_of(
        r->env->discovery, str_of(api),
        str_of(json_string(json_at(spec, "names", "kind", NULL))));
}

/* Ours, of every kind at once: they hang on each other. */
static bool
remove_composites(struct removing *r, const struct gone_list *definitions,
                  struct error *err)
{
    struct gone_list ours = {0};
    bool ok = true;

    for (size_t i = 0; ok && i < definitions->n; i++) {
        AUTO(json_free_ptr) struct json *xrd = get(r, &definitions->v[i]);
        const struct kube_kind *k = xrd ? defined_by(r, xrd) : NULL;

        ok = !k || gone_find(r->env, k, r->o->keep_foreign ? r->label : NULL,
                             &ours, err);
    }
    ok = ok && delete_list(r, &ours, err);
    gone_release(&ours);
    return ok;
}

/* The object that controls it, or NULL: there is none (any more). */
static struct json *
controller_of(struct removing *r, const struct json *object)
{
    const struct json *meta = json_get(object, "metadata");
    const struct json *ref = json_first(json_get(meta, "ownerReferences"));
    const struct kube_kind *k;
    struct json *owner;

    while (ref && !json_bool(json_get(ref, "controller"), false))
        ref = json_next(ref);
    k = kube_discovery_of(r->env->discovery,
                          str_of(json_get_string(ref, "apiVersion")),
                          str_of(json_get_string(ref, "kind")));
    if (!k)
        return NULL;
    struct kube_request q = {.gvr = k->gvr,
                             .name = json_get_string(ref, "name")};

    if (k->namespaced)
        q.ns = json_get_string(meta, "namespace");
    owner = kube_client_wait_json(r->env->client, &q, NULL);
    if (json_equal(json_at(owner, "metadata", "uid", NULL),
                   json_get(ref, "uid")))
        return owner;
    json_free(owner);
    return NULL;
}

/* Does it go by itself, because what composed it is gone or is going? */
static bool
is_going(struct removing *r, const struct gone_object *g)
{
    struct json *o = get(r, g);
    bool going = !o;

    for (unsigned depth = 0; o && !going && depth < DEPTH_MAX; depth++) {
        bool owned = json_at(o, "metadata", "ownerReferences", NULL) != NULL;
        struct json *owner = controller_of(r, o);

        going = json_at(o, "metadata", "deletionTimestamp", NULL) ||
                (owned && !owner);
        json_free(o);
        o = owner;
    }
    json_free(o);
    return going;
}

/* The objects of a kind when ours are deleted: what is on its way out goes to
 * going; the number of the others. */
static bool
look_at_rest(struct removing *r, const struct kube_kind *k,
             struct gone_list *all, size_t *others, struct error *err)
{
    *others = 0;
    if (!gone_find(r->env, k, NULL, all, err))
        return false;
    for (size_t i = 0; i < all->n; i++) {
        all->v[i].gone = !is_going(r, &all->v[i]);
        all->v[i].composed = true; /* waited for, not deleted */
        *others += all->v[i].gone;
    }
    return true;
}

/* Waits for what goes with ours, and keeps the XRDs whose kinds others use. */
static bool
keep_used(struct removing *r, struct gone_list *definitions, struct error *err)
{
    for (size_t i = 0; i < definitions->n; i++) {
        AUTO(json_free_ptr) struct json *xrd = get(r, &definitions->v[i]);
        const struct kube_kind *k = xrd ? defined_by(r, xrd) : NULL;
        struct gone_list rest = {0};
        size_t others = 0;
        bool ok = !k || (look_at_rest(r, k, &rest, &others, err) &&
                         delete_list(r, &rest, err));

        gone_release(&rest);
        if (!ok)
            return false;
        if (!others)
            continue;
        AUTO(mem_free_ptr)
        char *why = mem_printf("%zu objects of it are not ours", others);

        definitions->v[i].gone = true;
        strlist_addf(&r->kept, "%s/%s", k->gvr.group, k->kind);
        say_left(r, definitions->v[i].name, why);
    }
    return true;
}

static bool
is_of_kept(struct removing *r, const struct gone_object *composition)
{
    AUTO(json_free_ptr) struct json *c = get(r, composition);
    const struct json *ref = json_at(c, "spec", "compositeTypeRef", NULL);
    struct str group = {0}, version;
    AUTO(mem_free_ptr) char *key = NULL;

    kube_api_version_split(str_of(json_get_string(ref, "apiVersion")), &group,
                           &version);
    key = mem_printf("%.*s/%s", STR_ARG(group),
                     json_string_or(json_get(ref, "kind"), ""));
    return strlist_has(&r->kept, str_of(key));
}

static bool
composition_goes(struct removing *r, const struct gone_object *g)
{
    return !r->kept.n || !is_of_kept(r, g);
}

static bool
remove_kinds_of_ours(struct removing *r, struct error *err)
{
    struct gone_list l = {0};
    bool ok = find(r, &xrds, r->label, &l, err) &&
              remove_composites(r, &l, err) && keep_used(r, &l, err) &&
              remove_kind(r, &compositions, r->label, composition_goes, err) &&
              delete_list(r, &l, err);

    if (ok && l.n)
        step_part(r->run, xrds.kind, STEP_DONE, "gone");
    gone_release(&l);
    return ok;
}

/* ---- functions ---- */

/* Adds the functions that the Compositions still there run. */
static bool
used_functions(struct removing *r, struct strlist *out, struct error *err)
{
    struct gone_list l = {0};
    bool ok = find(r, &compositions, NULL, &l, err);

    for (size_t i = 0; ok && i < l.n; i++) {
        AUTO(json_free_ptr) struct json *c = get(r, &l.v[i]);
        const struct json *steps = json_at(c, "spec", "pipeline", NULL);

        for (const struct json *s = json_first(steps); s; s = json_next(s))
            strlist_add(out, str_of(json_string(
                                 json_at(s, "functionRef", "name", NULL))));
    }
    gone_release(&l);
    return ok;
}

/* What comes from a function that went. */
static bool
revision_goes(struct removing *r, const struct gone_object *g)
{
    AUTO(json_free_ptr) struct json *o = get(r, g);
    const char *of = json_string_or(
        json_at(o, "metadata", "labels", "pkg.crossplane.io/package", NULL),
        "");

    return strlist_has(&r->functions, str_of(of));
}

static bool
remove_functions(struct removing *r, struct error *err)
{
    AUTO(strlist_release) struct strlist used = {0};
    struct gone_list l = {0};
    bool ok =
        find(r, &functions, r->label, &l, err) && used_functions(r, &used, err);

    for (size_t i = 0; i < l.n; i++) {
        if (strlist_has(&used, str_of(l.v[i].name))) {
            l.v[i].gone = true;
            say_left(r, l.v[i].name, "Compositions that stay run it");
        } else {
            strlist_add(&r->functions, str_of(l.v[i].name));
        }
    }
    ok = ok && delete_list(r, &l, err);
    if (ok && l.n)
        step_part(r->run, functions.kind, STEP_DONE, "gone");
    gone_release(&l);
    /* Revisions linger a while behind their function. */
    return ok && remove_kind(r, &revisions, NULL, revision_goes, err);
}

static bool
is_compose_role(struct removing *r UNUSED, const struct gone_object *g)
{
    return str_starts(str_of(g->name), STR("meshtop:"));
}

static bool hand_over(struct removing *r, struct error *err);

/* ---- Crossplane itself ---- */

/* Is the Crossplane that is there ours, and does nobody else use it? Its
 * namespace goes last: as long as that is there, there is something to do. */
static bool
may_remove_crossplane(struct removing *r, bool *yes, struct error *err)
{
    struct gone_list l = {0};
    bool ok = find(r, &namespaces, r->label, &l, err);
    AUTO(buf_release) struct buf users = BUF_INIT(400);

    *yes = false;
    for (size_t i = 0; i < l.n; i++)
        *yes |= strcmp(l.v[i].name, CROSSPLANE_NAMESPACE) == 0;
    gone_release(&l);
    for (size_t i = 0; ok && *yes && i < ARRAY_LEN(packages); i++) {
        ok = find(r, &packages[i], NULL, &l, err);
        if (ok && l.n)
            buf_printf(&users, "%s%zu %s", users.n ? ", " : "", l.n,
                       l.v[0].gvr.resource);
        gone_release(&l);
    }
    if (ok && users.n) {
        AUTO(mem_free_ptr)
        char *why = mem_printf("others use it (%s)", buf_cstr(&users));

        say_left(r, "Crossplane", why);
        *yes = false;
        ok = hand_over(r, err);
    }
    return ok;
}

/* The Lock's finalizer may hang (crossplane#2079); it guards nothing once no
 * package is left. */
static bool
remove_lock(struct removing *r, struct error *err)
{
    const struct gone_options o = {
        .limit_ms = LOCK_LIMIT_MS, .grace_ms = LOCK_LIMIT_MS / 2, .drop = true};
    struct gone_list l = {0};
    bool ok = find(r, &locks, NULL, &l, err) &&
              (!l.n || gone_delete(r->env, &l, &o, r->run, err));

    gone_release(&l);
    return ok;
}

/* Webhooks that Crossplane serves: without it they would refuse or delay. */
static bool
is_own_webhook(struct removing *r, const struct gone_object *g)
{
    AUTO(json_free_ptr) struct json *o = get(r, g);
    const struct json *hook = json_first(json_get(o, "webhooks"));

    return strcmp(json_string_or(json_at(hook, "clientConfig", "service",
                                         "namespace", NULL),
                                 ""),
                  CROSSPLANE_NAMESPACE) == 0;
}

static bool
remove_webhooks(struct removing *r, struct error *err)
{
    static const struct kind_name kinds[] = {
        {"admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"},
        {"admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"}};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!remove_kind(r, &kinds[i], NULL, is_own_webhook, err))
            return false;
    }
    return true;
}

/* A pod of the namespace, while its Deployment goes. */
static bool
is_in_namespace(struct removing *r UNUSED, const struct gone_object *g)
{
    return g->ns && strcmp(g->ns, CROSSPLANE_NAMESPACE) == 0;
}

static bool
is_own_namespace(struct removing *r UNUSED, const struct gone_object *g)
{
    return strcmp(g->name, CROSSPLANE_NAMESPACE) == 0;
}

static bool
is_own_crd(struct removing *r UNUSED, const struct gone_object *g)
{
    static const char *const groups[] = {
        ".apiextensions.crossplane.io", ".pkg.crossplane.io",
        ".ops.crossplane.io", ".protection.crossplane.io"};

    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        if (str_ends(str_of(g->name), str_of(groups[i])))
            return true;
    }
    return false;
}

static bool
remove_crossplane(struct removing *r, struct error *err)
{
    bool yes;

    if (!may_remove_crossplane(r, &yes, err))
        return false;
    return !yes ||
           (remove_lock(r, err) && remove_webhooks(r, err) &&
            remove_kind(r, &deployments, r->label, NULL, err) &&
            remove_kind(r, &pods, NULL, is_in_namespace, err) &&
            (profile_fact(&r->env->profile, FACT_XP_KINDS) ||
             remove_kind(r, &crds, NULL, is_own_crd, err)) &&
            remove_kind(r, &bindings, r->label, NULL, err) &&
            remove_kind(r, &roles, r->label, NULL, err) &&
            remove_kind(r, &namespaces, r->label, is_own_namespace, err));
}

/* ---- what stays ---- */

/* What stays is no longer ours: without our label no later removal takes it
 * for ours, and no look for leftovers finds it. */
static bool
hand_over_kind(struct removing *r, const struct kind_name *k, struct error *err)
{
    static const char body[] =
        "{\"metadata\":{\"labels\":{\"" MARK_RUN "\":null}}}";
    struct gone_list l = {0};
    bool ok = find(r, k, r->label, &l, err);

    for (size_t i = 0; ok && i < l.n; i++) {
        const struct gone_object *g = &l.v[i];
        struct kube_request q = {.verb = KUBE_PATCH,
                                 .patch = KUBE_PATCH_MERGE,
                                 .gvr = g->gvr,
                                 .ns = g->ns,
                                 .name = g->name,
                                 .body = STR(body)};
        const char *ns = strcmp(g->kind, "Namespace") == 0 ? g->name : g->ns;

        /* Of namespaces and what is in them, Crossplane's alone. */
        if (!ns || strcmp(ns, CROSSPLANE_NAMESPACE) == 0)
            ok = kube_client_wait(r->env->client, &q, NULL, err);
    }
    gone_release(&l);
    return ok;
}

static bool
hand_over(struct removing *r, struct error *err)
{
    static const struct kind_name kinds[] = {
        {"apiextensions.crossplane.io/v2", "CompositeResourceDefinition"},
        {"apiextensions.crossplane.io/v1", "Composition"},
        {"pkg.crossplane.io/v1", "Function"},
        {"pkg.crossplane.io/v1beta1", "ImageConfig"},
        {"rbac.authorization.k8s.io/v1", "ClusterRole"},
        {"rbac.authorization.k8s.io/v1", "ClusterRoleBinding"},
        {"apps/v1", "Deployment"},
        {"v1", "Service"},
        {"v1", "ServiceAccount"},
        {"v1", "Secret"},
        {"v1", "ConfigMap"},
        {"v1", "Namespace"},
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (!hand_over_kind(r, &kinds[i], err))
            return false;
    }
    return true;
}

/* ---- the whole ---- */

static bool
remove_all(struct removing *r, struct error *err)
{
    if (!kube_discovery_wait(r->env->discovery, true, err) ||
        !remove_kinds_of_ours(r, err))
        return false;
    if (r->kept.n) {
        say_left(r, "functions and Crossplane", "kinds that stay need them");
        return hand_over(r, err);
    }
    return remove_functions(r, err) &&
           remove_kind(r, &configs, r->label, NULL, err) &&
           remove_kind(r, &roles, r->label, is_compose_role, err) &&
           (!r->o->crossplane || remove_crossplane(r, err));
}

bool
crossplane_remove(struct env *e, const struct crossplane_removal *o,
                  struct step_run *run, struct error *err)
{
    struct removing r = {.env = e, .o = o, .run = run};
    bool ok;

    r.label = mem_printf("%s=%s", MARK_RUN, e->profile.name);
    ok = remove_all(&r, err);
    if (ok)
        step_detail(run, "gone%s",
                    o->left && o->left->n ? ", but for what others use" : "");
    free(r.label);
    strlist_release(&r.kept);
    strlist_release(&r.functions);
    return ok;
}
