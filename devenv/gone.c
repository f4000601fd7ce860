#include "devenv/gone.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#define LIMIT_MS 180000
#define GRACE_MS 10000
#define LOOK_MS  200

static const struct kube_gvr deployments = {"apps", "v1", "deployments"};

/* Whose work a finalizer is. A deployment that can be asked after is named. */
static const struct controller {
    const char *finalizer; /* a finalizer that contains this */
    const char *words;
    const char *ns, *deployment; /* or NULL */
} controllers[] = {
    {"finalizer.managedresource.crossplane.io", "the provider of the kind",
     NULL, NULL},
    {".crossplane.io", "crossplane", "crossplane-system", "crossplane"},
    {"foregroundDeletion", "kube-controller-manager", NULL, NULL},
    {"orphan", "kube-controller-manager", NULL, NULL},
    {"kubernetes.io/pvc-protection", "kube-controller-manager", NULL, NULL},
    {"kubernetes.io/pv-protection", "kube-controller-manager", NULL, NULL},
    {"customresourcecleanup.apiextensions.k8s.io", "the API server", NULL,
     NULL},
};

static const struct controller *
controller_of(const char *finalizer)
{
    for (size_t i = 0; i < ARRAY_LEN(controllers); i++) {
        if (strstr(finalizer, controllers[i].finalizer))
            return &controllers[i];
    }
    return NULL;
}

const char *
gone_controller(const char *finalizer)
{
    const struct controller *c = controller_of(finalizer);

    return c ? c->words : NULL;
}

/* ---- the list ---- */

struct finding {
    const struct kube_kind *kind;
    struct gone_list *out;
};

static void
set_text(char **text, const char *to)
{
    free(*text);
    *text = mem_strdup(to);
}

/* What an object stands for outside of the cluster: only managed resources
 * that were made there and are not to be kept. */
static char *
external_of(const struct json *o, const char *kind)
{
    const struct json *notes = json_at(o, "metadata", "annotations", NULL);
    const char *name = json_get_string(notes, "crossplane.io/external-name");

    if (!name || !json_at(o, "spec", "forProvider", NULL))
        return NULL;
    return mem_printf("%s %s (external name %s)", kind,
                      json_string_or(json_at(o, "metadata", "name", NULL), ""),
                      name);
}

/* What is known of an object now. */
static void
read_object(struct gone_object *g, const struct json *o)
{
    const struct json *finalizers = json_at(o, "metadata", "finalizers", NULL);

    set_text(&g->finalizer, json_string(json_first(finalizers)));
    free(g->external);
    g->external = external_of(o, g->kind);
}

static bool
has_controller(const struct json *meta)
{
    const struct json *owners = json_get(meta, "ownerReferences");

    for (const struct json *o = json_first(owners); o; o = json_next(o)) {
        if (json_bool(json_get(o, "controller"), false))
            return true;
    }
    return false;
}

static bool
on_item(void *arg, struct str item)
{
    struct finding *f = arg;
    struct gone_list *l = f->out;
    AUTO(json_free_ptr) struct json *o = json_parse(item, NULL, NULL);
    const struct json *meta = json_get(o, "metadata");

    if (!json_get_string(meta, "name"))
        return true;
    l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
    struct gone_object *g = &l->v[l->n++];

    *g = (struct gone_object){
        .gvr = f->kind->gvr,
        .kind = mem_strdup(f->kind->kind),
        .ns = mem_strdup(json_get_string(meta, "namespace")),
        .name = mem_strdup(json_get_string(meta, "name")),
        .uid = mem_strdup(json_string_or(json_get(meta, "uid"), "")),
        .composed = has_controller(meta)};
    read_object(g, o);
    return true;
}

bool
gone_find(struct env *e, const struct kube_kind *kind, const char *label,
          struct gone_list *out, struct error *err)
{
    struct finding f = {kind, out};
    struct kube_request r = {.gvr = kind->gvr, .label_selector = label};
    struct error why = {0};

    if (kube_client_wait_list(e->client, &r, on_item, &f, &why) ||
        why.code == ERR_NOT_FOUND || why.code == ERR_UNSUPPORTED)
        return true;
    if (err)
        *err = why;
    return error_wrap(err, "cannot list %s", kind->gvr.resource);
}

/* Groups whose kinds we put objects of; those below meshifi.io too. */
static const char *const groups[] = {
    "",
    "apps",
    "batch",
    "rbac.authorization.k8s.io",
    "apiextensions.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.crossplane.io",
    "pkg.crossplane.io",
};

/* Another row of the discovery that stands for the same kind goes first. */
static bool
is_repeated(const struct kube_discovery *d, const struct kube_kind *kind)
{
    const struct kube_kind *k;
    bool behind = false;

    for (size_t i = 0; (k = kube_discovery_at(d, i)); i++) {
        if (k == kind)
            behind = true;
        else if (strcmp(k->gvr.group, kind->gvr.group) == 0 &&
                 strcmp(k->gvr.resource, kind->gvr.resource) == 0 &&
                 (k->preferred || (!behind && !kind->preferred)))
            return true;
    }
    return false;
}

bool
gone_may_be_ours(const struct kube_discovery *d, const struct kube_kind *kind)
{
    const unsigned verbs = KUBE_CAN_LIST | KUBE_CAN_DELETE;
    const char *group = kind->gvr.group;
    bool known = str_ends(str_of(group), STR("meshifi.io"));

    for (size_t i = 0; i < ARRAY_LEN(groups) && !known; i++)
        known = strcmp(groups[i], group) == 0;
    return known && (kind->verbs & verbs) == verbs && !is_repeated(d, kind);
}

void
gone_release(struct gone_list *l)
{
    for (size_t i = 0; i < l->n; i++) {
        struct gone_object *g = &l->v[i];

        free(g->kind);
        free(g->ns);
        free(g->name);
        free(g->uid);
        free(g->finalizer);
        free(g->external);
    }
    free(l->v);
    *l = (struct gone_list){0};
}

/* ---- deleting and looking ---- */

static struct kube_request
request(const struct gone_object *g, enum kube_verb verb)
{
    return (struct kube_request){
        .verb = verb, .gvr = g->gvr, .ns = g->ns, .name = g->name};
}

/* Answers for an object that is gone, or another by now. */
static bool
passes(enum err_code code)
{
    return code == ERR_NOT_FOUND || code == ERR_CONFLICT;
}

static bool
ask_deletion(struct env *e, struct gone_list *l, struct error *err)
{
    for (size_t i = 0; i < l->n; i++) {
        struct kube_request r = request(&l->v[i], KUBE_DELETE);
        struct error why = {0};

        r.if_uid = l->v[i].uid;
        if (l->v[i].composed || l->v[i].gone)
            continue;
        if (kube_client_wait(e->client, &r, NULL, &why) || passes(why.code))
            continue;
        if (err)
            *err = why;
        return error_wrap(err, "cannot delete %s %s", l->v[i].kind,
                          l->v[i].name);
    }
    return true;
}

static bool
look(struct env *e, struct gone_object *g, struct error *err)
{
    struct kube_request r = request(g, KUBE_GET);
    struct error why = {0};
    AUTO(json_free_ptr)
    struct json *o = kube_client_wait_json(e->client, &r, &why);

    if (!o && why.code != ERR_NOT_FOUND) {
        if (err)
            *err = why;
        return false;
    }
    g->gone =
        !o || strcmp(json_string_or(json_at(o, "metadata", "uid", NULL), ""),
                     g->uid) != 0;
    if (!g->gone)
        read_object(g, o);
    return true;
}

/* Looks at what is not gone yet; the first that is left into *first. */
static bool
look_all(struct env *e, struct gone_list *l, struct step_run *run,
         const struct gone_object **first, struct error *err)
{
    size_t gone = 0;

    *first = NULL;
    for (size_t i = 0; i < l->n; i++) {
        struct gone_object *g = &l->v[i];

        if (!g->gone && !look(e, g, err))
            return false;
        gone += g->gone;
        if (!g->gone && !*first)
            *first = g;
    }
    if (*first)
        step_detail(run, "%zu of %zu are gone; waiting for %s %s%s%s", gone,
                    l->n, (*first)->kind, (*first)->name,
                    (*first)->finalizer ? ", finalizer " : "",
                    (*first)->finalizer ? (*first)->finalizer : "");
    return true;
}

/* ---- what holds ---- */

static bool
is_sandbox(struct env *e)
{
    struct kube_request r = {.verb = KUBE_RAW_GET, .path = "/version"};
    AUTO(json_free_ptr)
    struct json *j = kube_client_wait_json(e->client, &r, NULL);

    return strstr(json_string_or(json_get(j, "gitVersion"), ""),
                  "meshtop-sandbox") != NULL;
}

/* "does not run" and "is not installed" are certain; "" is not. The sandbox
 * has its controllers inside. */
static const char *
controller_state(struct env *e, const struct controller *c)
{
    struct kube_request r = {.verb = KUBE_GET, .gvr = deployments};
    struct error why = {0};

    if (!c || !c->deployment || is_sandbox(e))
        return "";
    r.ns = c->ns;
    r.name = c->deployment;
    AUTO(json_free_ptr)
    struct json *j = kube_client_wait_json(e->client, &r, &why);

    if (!j)
        return why.code == ERR_NOT_FOUND ? "is not installed" : "";
    return json_int64_or(json_at(j, "status", "availableReplicas", NULL), 0) > 0
               ? "runs"
               : "does not run";
}

static bool
stuck(const struct gone_object *g, const char *state, struct error *err)
{
    const struct controller *c =
        g->finalizer ? controller_of(g->finalizer) : NULL;

    if (!g->finalizer)
        return error_set(err, ERR_TIMEOUT, "%s %s%s%s is not gone yet", g->kind,
                         g->ns ? g->ns : "", g->ns ? "/" : "", g->name);
    error_set(err, ERR_TIMEOUT, "%s %s%s%s waits for the finalizer %s (%s%s%s)",
              g->kind, g->ns ? g->ns : "", g->ns ? "/" : "", g->name,
              g->finalizer, c ? c->words : "no controller is known for it",
              *state ? " " : "", state);
    error_remedy(err, "MT-STUCK-FINALIZER",
                 "%s%s%s\n"
                 "meshtop down --drop-finalizers --yes takes it off; what it "
                 "guards may stay behind%s%s.",
                 c ? "Start " : "Find out who takes it off", c ? c->words : "",
                 c ? " and run this again." : ".", g->external ? ": " : "",
                 g->external ? g->external : "");
    return false;
}

/* Takes every finalizer off what is left. */
static bool
drop(struct env *e, const struct gone_list *l, const struct gone_options *o,
     struct step_run *run, struct error *err)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct gone_object *g = &l->v[i];
        AUTO(mem_free_ptr)
        char *body = mem_printf(
            "{\"metadata\":{\"uid\":\"%s\",\"finalizers\":null}}", g->uid);
        struct kube_request r = request(g, KUBE_PATCH);
        struct error why = {0};

        r.body = str_of(body);
        if (g->gone)
            continue;
        if (!kube_client_wait(e->client, &r, NULL, &why) && !passes(why.code)) {
            if (err)
                *err = why;
            return error_wrap(err, "cannot take the finalizers off %s %s",
                              g->kind, g->name);
        }
        AUTO(mem_free_ptr)
        char *line = mem_printf("%s %s: finalizer %s dropped", g->kind, g->name,
                                g->finalizer ? g->finalizer : "-");

        step_log(run, str_of(line));
        if (o->leaks)
            strlist_addf(o->leaks, "%s",
                         g->external ? g->external
                                     : "what it composed or reserved");
    }
    return true;
}

static int64_t
now_ms(void)
{
    return clock_mono_ms(clock_system());
}

/* Waits; false with MT-STUCK-FINALIZER, or another error. */
static bool
wait_gone(struct env *e, struct gone_list *l, const struct gone_options *o,
          struct step_run *run, struct error *err)
{
    int64_t begun = now_ms();
    int64_t limit = o->limit_ms ? o->limit_ms : LIMIT_MS;
    int64_t grace = MIN(o->grace_ms ? o->grace_ms : GRACE_MS, limit);
    const struct gone_object *first;
    const char *state = "";
    bool asked = false;

    for (;;) {
        if (!look_all(e, l, run, &first, err))
            return false;
        if (!first)
            return true;
        int64_t passed = now_ms() - begun;

        if (passed >= grace && !asked && first->finalizer) {
            asked = true;
            state = controller_state(e, controller_of(first->finalizer));
        }
        if (passed >= limit ||
            (*state && strcmp(state, "runs") != 0 && first->finalizer))
            return stuck(first, state, err);
        if (!step_pause(run, MIN(LOOK_MS, MAX(limit - passed, 1)), err))
            return false;
    }
}

bool
gone_delete(struct env *e, struct gone_list *l, const struct gone_options *o,
            struct step_run *run, struct error *err)
{
    struct error why = {0};

    if (!ask_deletion(e, l, err))
        return false;
    if (wait_gone(e, l, o, run, &why)) {
        step_detail(run, "%zu gone", l->n);
        return true;
    }
    if (o->drop && strcmp(why.id, "MT-STUCK-FINALIZER") == 0)
        return drop(e, l, o, run, err) && wait_gone(e, l, o, run, err);
    if (err)
        *err = why;
    return false;
}
