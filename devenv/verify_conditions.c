/* V-c: what the packages bring is there, and Crossplane is content with it. */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/package.h"
#include "devenv/verify_group.h"

/* What a check needs beside the object. */
struct part_check {
    struct verify *v;
    const struct manifest *m;
    const struct json *object;
    const struct verify_events *events;
};

/* ---- why something does not work ---- */

/* Why the container waits, in the kubelet's words; NULL: it does not. */
static const char *
waits_for(const struct json *pod)
{
    static const char *const lists[] = {"initContainerStatuses",
                                        "containerStatuses"};

    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        const struct json *list = json_at(pod, "status", lists[i], NULL);

        for (const struct json *s = json_first(list); s; s = json_next(s)) {
            const struct json *waiting = json_at(s, "state", "waiting", NULL);
            const char *message = json_get_string(waiting, "message");

            if (message && *message)
                return message;
        }
    }
    return NULL;
}

/* "pod x: failed to pull ..." of the first that waits, in fresh memory; NULL:
 * none does. */
static char *
pod_words(struct verify *v, const char *selector)
{
    struct kube_request r = {.gvr = {"", "v1", "pods"},
                             .ns = "crossplane-system",
                             .label_selector = selector};
    AUTO(json_free_ptr) struct json *pods = verify_list(v, &r, NULL);

    for (const struct json *p = json_first(pods); p; p = json_next(p)) {
        const char *words = waits_for(p);

        if (words)
            return mem_printf("pod %s: %s", verify_name_of(p), words);
    }
    return NULL;
}

/* What else is known of a condition that is not True: what its pods wait for,
 * else, where the condition says nothing, its events. */
static char *
what_else(const struct part_check *c, const char *type, const char *selector)
{
    const struct json *condition = env_condition(c->object, type);
    char *words = NULL;

    if (env_condition_true(c->object, type))
        return NULL;
    if (selector)
        words = pod_words(c->v, selector);
    if (!words && !*json_string_or(json_get(condition, "message"), ""))
        words = verify_events_about(c->events, c->object, 0);
    return words;
}

/* ---- functions ---- */

/* Installed, then Healthy: the first that is not tells why, in the words of
 * the registry. */
static void
check_function(const struct part_check *c)
{
    static const char *const types[] = {"Installed", "Healthy"};
    AUTO(mem_free_ptr) char *name = mem_printf("function %s", c->m->name);
    AUTO(mem_free_ptr)
    char *pods = mem_printf("pkg.crossplane.io/function=%s", c->m->name);

    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        AUTO(mem_free_ptr) char *more = what_else(c, types[i], pods);

        if (!verify_condition(c->v, c->object, name, types[i], more))
            return;
    }
}

/* ---- definitions ---- */

/* A broken definition is accepted and its status stays empty: only its events
 * tell. */
static void
check_xrd(const struct part_check *c)
{
    AUTO(mem_free_ptr) char *more = what_else(c, "Established", NULL);
    AUTO(mem_free_ptr) char *crd_name = mem_printf("kind of %s", c->m->name);
    AUTO(json_free_ptr) struct json *crd = NULL;
    struct error why = {0};

    if (!verify_condition(c->v, c->object, c->m->name, "Established", more))
        return;
    crd = verify_get(c->v, "apiextensions.k8s.io/v1",
                     "CustomResourceDefinition", NULL, c->m->name, &why);
    if (crd)
        verify_condition(c->v, crd, crd_name, "Established", "");
    else
        verify_say(c->v, false, why.msg, "%s is Established", crd_name);
}

/* ---- compositions ---- */

/* The newest revision: what Crossplane runs. */
static struct json *
newest_revision(const struct part_check *c, struct error *err)
{
    AUTO(mem_free_ptr)
    char *only = mem_printf("crossplane.io/composition-name=%s", c->m->name);
    struct kube_request r = {
        .gvr = {"apiextensions.crossplane.io", "v1", "compositionrevisions"},
        .label_selector = only};
    AUTO(json_free_ptr) struct json *all = verify_list(c->v, &r, err);
    struct json *newest = NULL;
    int64_t number = 0;

    for (struct json *j = json_first(all); j; j = json_next(j)) {
        int64_t n = json_int64_or(json_at(j, "spec", "revision", NULL), 0);

        if (n > number) {
            number = n;
            newest = j;
        }
    }
    if (!newest && all)
        error_set(err, ERR_NOT_FOUND, "it has no CompositionRevision");
    return newest ? json_detach(all, newest) : NULL;
}

/* A step of the pipeline whose function is not there, in fresh memory. */
static char *
absent_function(const struct part_check *c, const struct json *composition)
{
    const struct json *steps = json_at(composition, "spec", "pipeline", NULL);

    for (const struct json *s = json_first(steps); s; s = json_next(s)) {
        const char *name =
            json_string_or(json_at(s, "functionRef", "name", NULL), "?");
        struct error why = {0};
        AUTO(json_free_ptr)
        struct json *f = verify_get(c->v, "pkg.crossplane.io/v1", "Function",
                                    NULL, name, &why);

        if (!f)
            return mem_printf("step %s needs function %s: %s",
                              json_string_or(json_get(s, "step"), "?"), name,
                              why.msg);
    }
    return NULL;
}

static void
check_composition(const struct part_check *c)
{
    struct error why = {0};
    AUTO(json_free_ptr) struct json *revision = newest_revision(c, &why);
    AUTO(mem_free_ptr) char *detail = NULL;
    const struct json *valid = env_condition(revision, "ValidPipeline");
    const struct json *type =
        json_at(c->object, "spec", "compositeTypeRef", NULL);

    if (!revision)
        detail = mem_strdup(why.msg);
    else if (strcmp(json_string_or(json_get(valid, "status"), ""), "False") ==
             0)
        detail = mem_printf("its pipeline is not valid: %s",
                            json_string_or(json_get(valid, "message"), "-"));
    else if (!kube_discovery_of(
                 c->v->env->discovery,
                 str_of(json_string_or(json_get(type, "apiVersion"), "")),
                 str_of(json_string_or(json_get(type, "kind"), ""))))
        detail = mem_printf("the cluster does not serve %s, which it composes",
                            json_string_or(json_get(type, "kind"), "?"));
    else
        detail = absent_function(c, c->object);
    verify_say(c->v, !detail, detail, "composition %s is in use", c->m->name);
}

static const struct {
    enum package_part part;
    const char *word;
    void (*check)(const struct part_check *c);
} parts[] = {
    {PACKAGE_FUNCTIONS, "function ", check_function},
    {PACKAGE_XRDS, "", check_xrd},
    {PACKAGE_COMPOSITIONS, "composition ", check_composition},
};

static void
check_part(struct verify *v, const char *package, size_t i,
           const struct verify_events *events)
{
    AUTO(manifest_release) struct manifest_set set = {0};
    struct error why = {0};

    if (!package_load(&set, package, parts[i].part, &why)) {
        verify_say(v, false, why.msg, "the package %s can be read", package);
        return;
    }
    for (size_t n = 0; n < set.n && !verify_stopped(v); n++) {
        const struct manifest *m = &set.v[n];
        AUTO(json_free_ptr)
        struct json *object =
            verify_get(v, m->api_version, m->kind, m->ns, m->name, &why);
        struct part_check check = {v, m, object, events};

        if (object)
            parts[i].check(&check);
        else
            verify_say(v, false, why.msg, "%s%s exists", parts[i].word,
                       m->name);
    }
}

/* On the sandbox nobody needs rights; elsewhere up gives them. */
static void
check_rights(struct verify *v, const char *package)
{
    const char *engine = v->env->profile.engine;

    if (strcmp(engine, "kind") != 0 && strcmp(engine, "context") != 0)
        return;
    verify_say(v, package_is_allowed(v->env, package),
               "its ClusterRole is not there, or not as it should be",
               "Crossplane may compose what %s composes",
               package_title(package));
}

/* Crossplane's own two. The sandbox has it built in. */
static void
check_deployments(struct verify *v)
{
    static const char *const names[] = {"crossplane",
                                        "crossplane-rbac-manager"};

    for (size_t i = 0; i < ARRAY_LEN(names) && !verify_stopped(v); i++) {
        struct error why = {0};
        AUTO(mem_free_ptr)
        char *title = mem_printf("deployment %s", names[i]);
        AUTO(mem_free_ptr) char *selector = mem_printf("app=%s", names[i]);
        AUTO(mem_free_ptr) char *more = NULL;
        AUTO(json_free_ptr)
        struct json *d = verify_get(v, "apps/v1", "Deployment",
                                    "crossplane-system", names[i], &why);

        if (d && !env_condition_true(d, "Available"))
            more = pod_words(v, selector);
        if (d)
            verify_condition(v, d, title, "Available", more);
        else if (verify_wants_crossplane(v))
            verify_say(v, false, why.msg, "%s is Available", title);
    }
}

void
verify_conditions(struct verify *v)
{
    struct verify_events events;

    check_deployments(v);
    verify_events_read(v, &events);
    if (!v->packages.n)
        verify_note(v, "this profile has none", "no package to look at");
    for (size_t p = 0; p < v->packages.n && !verify_stopped(v); p++) {
        v->subject = v->packages.v[p];
        for (size_t i = 0; i < ARRAY_LEN(parts); i++)
            check_part(v, v->packages.v[p], i, &events);
        check_rights(v, v->packages.v[p]);
    }
    verify_events_release(&events);
}
