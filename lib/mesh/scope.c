#include "lib/mesh/scope.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#define NAMESPACES_MAX 64
#define RULES_MAX      4096
#define LIST_META                                                              \
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,"        \
    "application/json"

struct place {
    struct mesh_scope *s;
    char *ns;
    struct json *rules; /* resourceRules, or NULL */
    bool open;          /* nobody knows: the list will say */
    struct kube_call *call;
};

struct mesh_scope {
    struct kube_client *c;
    loop_fn *fn;
    void *arg;
    struct kube_call *call; /* the list of namespaces */
    struct place *v[NAMESPACES_MAX];
    size_t n, waiting;
    bool asked, known;
};

struct mesh_scope *
mesh_scope_new(struct kube_client *c, loop_fn *fn, void *arg)
{
    struct mesh_scope *s = mem_zalloc(1, sizeof(*s));

    s->c = c;
    s->fn = fn;
    s->arg = arg;
    return s;
}

void
mesh_scope_free(struct mesh_scope *s)
{
    if (!s)
        return;
    kube_call_cancel(s->call);
    loop_undefer(kube_client_loop(s->c), s->fn, s->arg);
    for (size_t i = 0; i < s->n; i++) {
        kube_call_cancel(s->v[i]->call);
        json_free(s->v[i]->rules);
        free(s->v[i]->ns);
        free(s->v[i]);
    }
    free(s);
}

bool
mesh_scope_known(const struct mesh_scope *s)
{
    return s->known;
}

/* ---- the rules ---- */

static void
answered(struct mesh_scope *s)
{
    if (s->waiting)
        return;
    s->known = true;
    loop_defer(kube_client_loop(s->c), s->fn, s->arg);
}

static void
on_rules(void *arg, const struct kube_reply *r, const struct error *err)
{
    struct place *p = arg;
    struct json *j = err ? NULL : json_parse(r->body, NULL, NULL);
    const struct json *status = json_get(j, "status");
    struct json *rules = json_get(status, "resourceRules");

    p->call = NULL;
    p->open = !j || json_bool(json_get(status, "incomplete"), false);
    if (json_is(rules, JSON_ARRAY))
        p->rules = json_copy(rules);
    json_free(j);
    p->s->waiting--;
    answered(p->s);
}

static bool
ask_rules(struct place *p)
{
    AUTO(json_free_ptr) struct json *j = json_new_object();
    AUTO(buf_release) struct buf body = BUF_INIT(1000);
    struct kube_request r = {
        .verb = KUBE_CREATE,
        .gvr =
            KUBE_GVR("authorization.k8s.io", "v1", "selfsubjectrulesreviews"),
        /* A question, not a write: so it may be asked by who only reads. */
        .dry_run = true,
    };

    json_set_string(j, "apiVersion", "authorization.k8s.io/v1");
    json_set_string(j, "kind", "SelfSubjectRulesReview");
    json_set_string(json_need_object(j, "spec"), "namespace", p->ns);
    json_print(j, JSON_COMPACT, &body);
    r.body = buf_view(&body);
    p->call = kube_client_send(p->s->c, &r, on_rules, p, NULL);
    return p->call != NULL;
}

/* ---- the namespaces ---- */

static int
by_name(const void *a, const void *b)
{
    const struct place *x = *(struct place *const *)a;
    const struct place *y = *(struct place *const *)b;

    return strcmp(x->ns, y->ns);
}

static void
add(struct mesh_scope *s, const char *ns)
{
    if (!ns || !*ns || s->n == NAMESPACES_MAX)
        return;
    for (size_t i = 0; i < s->n; i++) {
        if (strcmp(s->v[i]->ns, ns) == 0)
            return;
    }
    s->v[s->n] = mem_zalloc(1, sizeof(struct place));
    *s->v[s->n++] = (struct place){.s = s, .ns = mem_strdup(ns)};
}

static bool
on_namespace(void *arg, struct str item)
{
    struct mesh_scope *s = arg;
    struct json *j = json_parse(item, NULL, NULL);

    add(s, json_string(json_at(j, "metadata", "name", NULL)));
    json_free(j);
    return s->n < NAMESPACES_MAX;
}

static void
on_namespaces(void *arg, const struct kube_reply *r UNUSED,
              const struct error *err UNUSED)
{
    struct mesh_scope *s = arg;

    s->call = NULL;
    qsort(s->v, s->n, sizeof(s->v[0]), by_name);
    s->waiting = s->n;
    for (size_t i = 0; i < s->n; i++) {
        if (!ask_rules(s->v[i])) {
            s->v[i]->open = true;
            s->waiting--;
        }
    }
    answered(s);
}

void
mesh_scope_ask(struct mesh_scope *s)
{
    struct kube_request r = {.gvr = KUBE_GVR("", "v1", "namespaces"),
                             .accept = LIST_META};

    if (s->asked)
        return;
    s->asked = true;
    add(s, kube_client_access(s->c)->ns);
    s->call = kube_client_list(s->c, &r, on_namespace, on_namespaces, s, NULL);
    if (!s->call)
        answered(s);
}

/* ---- reading ---- */

static bool
names(const struct json *list, const char *word)
{
    for (struct json *i = json_first(list); i; i = json_next(i)) {
        const char *z = json_string_or(i, "");

        if (strcmp(z, "*") == 0 || strcmp(z, word) == 0)
            return true;
    }
    return false;
}

static bool
allows(const struct json *rule, const struct kube_gvr *gvr, const char *verb)
{
    return names(json_get(rule, "verbs"), verb) &&
           names(json_get(rule, "apiGroups"), gvr->group) &&
           names(json_get(rule, "resources"), gvr->resource) &&
           !json_len(json_get(rule, "resourceNames"));
}

static bool
may(const struct place *p, const struct kube_gvr *gvr, const char *verb)
{
    size_t n = 0;

    for (struct json *r = json_first(p->rules); r && n < RULES_MAX;
         r = json_next(r), n++) {
        if (allows(r, gvr, verb))
            return true;
    }
    return false;
}

const char *
mesh_scope_at(const struct mesh_scope *s, const struct kube_gvr *gvr, size_t i)
{
    for (size_t k = 0; k < s->n; k++) {
        const struct place *p = s->v[k];

        if ((p->open || (may(p, gvr, "list") && may(p, gvr, "watch"))) &&
            i-- == 0)
            return p->ns;
    }
    return NULL;
}
