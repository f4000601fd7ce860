/*
 * The policies as a part of the server. Design: policies and bindings are
 * compiled when they are first needed after a change; a write without a policy
 * costs one look at a counter.
 */
#include "devenv/sandbox/admission.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/identity.h"
#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/rbac.h"
#include "devenv/sandbox/rest.h"
#include "devenv/sandbox/selectors.h"

#define ADMISSION_GROUP "admissionregistration.k8s.io"
#define POLICIES        "validatingadmissionpolicies"
#define BINDINGS        "validatingadmissionpolicybindings"

struct admission {
    struct registry *registry;
    const struct rbac *rbac;
    struct admission_types types;
    struct arena *arena;
    const struct identity *ourselves;
    struct admission_policy **policies;
    size_t policies_n;
    struct json *bindings; /* an array in order of their names */
    bool stale;            /* both are to be read again */
    struct registry_subscription *subscriptions[2];
};

/* ---- what there is ---- */

static void
forget(struct admission *s)
{
    for (size_t i = 0; i < s->policies_n; i++)
        admission_policy_free(s->policies[i]);
    free(s->policies);
    json_free(s->bindings);
    s->policies = NULL;
    s->policies_n = 0;
    s->bindings = NULL;
}

static struct json *
all(struct admission *s, const char *plural)
{
    AUTO(status_release) struct status st = {0};
    const struct kind *k =
        registry_resource(s->registry, ADMISSION_GROUP, "v1", plural);

    return k ? registry_list_json(s->registry, k, NULL, NULL, &st) : NULL;
}

static void
read_all(struct admission *s)
{
    AUTO(json_free_ptr) struct json *list = all(s, POLICIES);

    forget(s);
    s->stale = false;
    s->bindings = all(s, BINDINGS);
    s->policies = mem_zalloc(json_len(list) + 1, sizeof(struct json *));
    while (json_first(list))
        s->policies[s->policies_n++] =
            admission_compile(&s->types, json_detach(list, json_first(list)));
}

static void
on_change(void *arg, const struct registry_event *e)
{
    struct admission *s = arg;

    s->stale = true;
    if (!strcmp(e->kind->plural, POLICIES))
        admission_observe(s->registry, e);
}

/* ---- one write ---- */

struct judging {
    struct admission *s;
    struct admission_write w;
    const struct registry_attempt *a;
    struct cel_authorizer authorizer;
    bool denied;
    char *text; /* of the first denial; owned */
    const char *reason;
};

static bool
decide(void *arg, const struct cel_question *q, struct buf *reason,
       struct buf *error)
{
    const struct judging *j = arg;
    AUTO(arena_free_ptr) struct arena *arena = arena_new();
    const struct identity *who = j->a->who;
    struct access a;

    (void)error;
    if (q->account_name.n)
        who = identity_account(arena, PROOF_NONE, q->account_namespace,
                               q->account_name, "");
    access_init(&a);
    a.resource = !q->is_path;
    a.verb = arena_dup(arena, q->verb);
    a.path = arena_dup(arena, q->path);
    a.group = arena_dup(arena, q->group);
    a.version = "*";
    a.plural = arena_dup(arena, q->resource);
    a.sub = arena_dup(arena, q->subresource);
    a.name = arena_dup(arena, q->name);
    a.ns = arena_dup(arena, q->ns);
    return who->master || rbac_allows(j->s->rbac, who, &a, reason);
}

static bool
asks(const struct json *binding, const char *action)
{
    for (const struct json *c =
             json_first(json_at(binding, "spec", "validationActions", NULL));
         c; c = json_next(c)) {
        if (!strcmp(json_string_or(c, ""), action))
            return true;
    }
    return false;
}

/* A validation failed: what the binding wants of it. */
static void
tell(struct judging *j, const struct admission_policy *p,
     const struct json *binding, const char *text, const char *reason)
{
    AUTO(mem_free_ptr)
    char *both = mem_printf("ValidatingAdmissionPolicy '%s' with binding '%s'",
                            p->name, kobj_name(binding));

    if (asks(binding, "Warn") && j->a->warnings)
        strlist_addf(j->a->warnings, "Validation failed for %s: %s", both,
                     text);
    if (asks(binding, "Deny") && !j->denied) {
        j->denied = true;
        j->text = mem_printf("%s denied request: %s", both, text);
        j->reason = reason;
    }
}

static void
run(struct judging *j, const struct admission_policy *p,
    const struct json *binding, const struct kind *as,
    const struct json *params)
{
    struct admission_decisions d = {0};

    admission_run(p, &j->s->types, &j->w, as, params, &j->authorizer, &d);
    for (size_t i = 0; i < d.n; i++)
        tell(j, p, binding, d.v[i].text, d.v[i].reason);
    admission_decisions_release(&d);
}

/* ---- params ---- */

static const struct kind *
params_kind(const struct judging *j, const struct admission_policy *p)
{
    const struct json *k = json_at(p->json, "spec", "paramKind", NULL);

    return registry_kind(j->s->registry,
                         json_string_or(json_get(k, "apiVersion"), ""),
                         json_string_or(json_get(k, "kind"), ""));
}

/* The objects that the binding means: an array. NULL and *why: it cannot be
 * said which. */
static struct json *
params_of(struct judging *j, const struct admission_policy *p,
          const struct json *binding, const char **why)
{
    const struct json *ref = json_at(binding, "spec", "paramRef", NULL);
    const struct json *selector = json_get(ref, "selector");
    const char *name = json_string_or(json_get(ref, "name"), "");
    const char *ns = json_string_or(json_get(ref, "namespace"), "");
    const struct kind *k = params_kind(j, p);
    AUTO(status_release) struct status st = {0};
    struct json *found = json_new_array(), *all_of_them, *one;

    *why = NULL;
    if (!k) {
        *why = "paramKind kind not found";
        return found;
    }
    if (k->namespaced && !*ns)
        ns = j->a->ns;
    if (k->namespaced && !*ns) {
        *why = "cannot use namespaced paramRef in policy binding that matches "
               "cluster-scoped resources";
        return found;
    }
    if (*name) {
        one = registry_get(j->s->registry, k, ns, name);
        if (one)
            json_append(found, one);
        return found;
    }
    all_of_them = registry_list_json(j->s->registry, k,
                                     k->namespaced ? ns : NULL, NULL, &st);
    for (const struct json *c = json_first(all_of_them); c; c = json_next(c)) {
        if (selector_object_matches(selector,
                                    json_at(c, "metadata", "labels", NULL)))
            json_append(found, json_copy(c));
    }
    json_free(all_of_them);
    return found;
}

/* "failed to configure binding: ...", as failurePolicy has it. */
static void
misconfigured(struct judging *j, const struct admission_policy *p,
              const struct json *binding, const char *why)
{
    AUTO(mem_free_ptr)
    char *text = mem_printf("failed to configure binding: %s", why);

    if (p->ignore || j->denied)
        return;
    j->denied = true;
    j->text = mem_printf(
        "ValidatingAdmissionPolicy '%s' with binding '%s' denied request: %s",
        p->name, kobj_name(binding), text);
}

static void
judge_binding(struct judging *j, const struct admission_policy *p,
              const struct json *binding, const struct kind *as)
{
    const struct json *ref = json_at(binding, "spec", "paramRef", NULL);
    AUTO(json_free_ptr) struct json *params = NULL;
    const char *why;

    if (!p->has_params || !ref) {
        run(j, p, binding, as, NULL);
        return;
    }
    params = params_of(j, p, binding, &why);
    if (why)
        misconfigured(j, p, binding, why);
    for (const struct json *c = json_first(params); c; c = json_next(c))
        run(j, p, binding, as, c);
    if (!why && !json_first(params) &&
        strcmp(json_string_or(json_get(ref, "parameterNotFoundAction"), "Deny"),
               "Allow") != 0)
        misconfigured(j, p, binding,
                      "no params found for policy binding with `Deny` "
                      "parameterNotFoundAction");
}

static void
judge_policy(struct judging *j, const struct admission_policy *p)
{
    const struct kind *as = j->a->k;

    if (!admission_matches(
            &j->w, json_at(p->json, "spec", "matchConstraints", NULL), &as))
        return;
    for (const struct json *b = json_first(j->s->bindings); b;
         b = json_next(b)) {
        if (!strcmp(json_string_or(json_at(b, "spec", "policyName", NULL), ""),
                    p->name) &&
            admission_matches(&j->w, json_at(b, "spec", "matchResources", NULL),
                              NULL))
            judge_binding(j, p, b, as);
    }
}

/* ---- the verdict ---- */

static bool
refuse(const struct judging *j, struct status *st)
{
    static const struct {
        const char *reason;
        int code;
    } codes[] = {{"Unauthorized", 401},
                 {"Forbidden", 403},
                 {"RequestEntityTooLarge", 413}};
    const char *reason = j->reason ? j->reason : "Invalid";
    const char *name = j->a->obj ? kobj_name(j->a->obj) : j->a->name;

    status_forbidden(st, j->a->k->group, j->a->k->plural, name, j->text);
    st->reason = "Invalid";
    st->code = 422;
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (!strcmp(codes[i].reason, reason)) {
            st->reason = codes[i].reason;
            st->code = codes[i].code;
        }
    }
    status_cause(st, NULL, NULL, j->text);
    return false;
}

static bool
admit(void *arg, const struct registry_attempt *attempt, struct status *st)
{
    struct admission *s = arg;
    struct registry_attempt a = *attempt;
    struct judging j = {.s = s, .a = &a, .w = {s->registry, &a, NULL}};
    bool good;

    if (s->stale)
        read_all(s);
    if (!s->policies_n || !strcmp(a.k->group, ADMISSION_GROUP))
        return true;
    if (!a.who)
        a.who = s->ourselves;
    j.authorizer = (struct cel_authorizer){decide, &j};
    if (*a.ns)
        j.w.space = registry_get(
            s->registry, registry_resource(s->registry, "", "v1", "namespaces"),
            NULL, a.ns);
    for (size_t i = 0; i < s->policies_n; i++)
        judge_policy(&j, s->policies[i]);
    good = !j.denied || refuse(&j, st);
    json_free(j.w.space);
    free(j.text);
    return good;
}

/* ---- birth and death ---- */

static bool
init(struct server *server, void **state, struct error *err)
{
    static const char *const watched[] = {POLICIES, BINDINGS};
    struct admission *s = mem_zalloc(1, sizeof(*s));

    (void)err;
    *state = s;
    s->registry = rest_registry(server);
    s->rbac = rbac_of(server);
    s->arena = arena_new();
    s->ourselves =
        identity_account(s->arena, PROOF_ACCOUNT, STR("crossplane-system"),
                         STR("crossplane"), "");
    admission_types_init(&s->types);
    s->stale = true;
    for (size_t i = 0; i < ARRAY_LEN(watched); i++)
        s->subscriptions[i] = registry_subscribe(s->registry, ADMISSION_GROUP,
                                                 watched[i], on_change, s);
    registry_set_admission(s->registry, admit, s);
    return true;
}

static void
rolled_back(void *state)
{
    struct admission *s = state;

    s->stale = true;
}

static void
module_free(void *state)
{
    struct admission *s = state;

    if (!s)
        return;
    for (size_t i = 0; i < ARRAY_LEN(s->subscriptions); i++)
        registry_unsubscribe(s->subscriptions[i]);
    forget(s);
    admission_types_release(&s->types);
    arena_free(s->arena);
    free(s);
}

const struct server_module admission_module = {
    .name = "admission",
    .init = init,
    .rolled_back = rolled_back,
    .free = module_free,
};
