/*
 * Composite resources: waited for until all are Ready, and explained when they
 * do not become so, from the first one that is not down to the leaf it waits
 * for.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "devenv/crossplane_watch.h"

#define LIMIT_MS  120000
#define RBAC_MS   8000  /* roles are aggregated within seconds */
#define SAME_MS   30000 /* a refusal that Crossplane's retries did not change */
#define PARTS_MAX 40
#define DEPTH_MAX 8
/* On a real Crossplane a composite resource made just now may lose Ready once
 * more while its neighbours come, and reads them again only after a minute. */
#define YOUNG_S     60
#define SETTLE_MS   1500
#define DEGRADED_MS 75000
#define NAMED_MAX   3

static const struct watch_kind kinds[] = {
    {.gvr = {"meshifi.io", "v1alpha1", "meshes"}, .what = "meshes"},
    {.gvr = {"meshifi.io", "v1alpha1", "datadomains"}, .what = "data domains"},
    {.gvr = {"meshifi.io", "v1alpha1", "datacontracts"},
     .what = "data contracts"},
    {.gvr = {"meshifi.io", "v1alpha1", "dataproducts"},
     .what = "data products"},
    {.what = NULL},
};

struct judging {
    size_t ready, total;
    bool young, degraded; /* one was made just now; and is Degraded */
    char *first;          /* JSON of the first that is not Ready */
};

static const char *
condition_text(const struct json *object, const char *type, const char *key)
{
    return json_string_or(json_get(env_condition(object, type), key), "");
}

/* Crossplane's words for a right it does not have. */
static bool
is_forbidden(const char *message)
{
    struct str m = str_of(message);

    return str_contains(m, STR("is forbidden")) ||
           str_contains(m, STR("cannot create resource")) ||
           str_contains(m, STR("cannot patch resource")) ||
           str_contains(m, STR("cannot get resource"));
}

/* "roles.rbac.authorization.k8s.io" of `cannot patch resource "roles" in API
 * group "rbac.authorization.k8s.io"`, else "". */
static void
forbidden_resource(const char *message, char *out, size_t size)
{
    static const char a[] = " resource \"", b[] = "in API group \"";
    struct str m = str_of(message), resource, group = {0}, rest;
    size_t in = str_find(m, STR(b), 0), at = SIZE_MAX, next = 0;

    *out = '\0';
    /* The last before the group: names of composed ones stand in front. */
    while ((next = str_find(m, STR(a), next)) != SIZE_MAX && next < in)
        at = next++;
    if (at == SIZE_MAX)
        return;
    str_cut(str_from(m, at + sizeof(a) - 1), '"', &resource, &rest);
    if (in != SIZE_MAX)
        str_cut(str_from(m, in + sizeof(b) - 1), '"', &group, &rest);
    snprintf(out, size, "%.*s%s%.*s", STR_ARG(resource), group.n ? "." : "",
             STR_ARG(group));
}

static enum watch_verdict
fail_forbidden(const char *name, const char *message, struct error *err)
{
    char what[160];

    forbidden_resource(message, what, sizeof(what));
    error_set(err, ERR_DENIED, "Crossplane may not compose %s for %s: %s",
              *what ? what : "what it should", name, message);
    error_remedy(
        err, "MT-XR-RBAC",
        "Give it the right with a ClusterRole that has the label\n"
        "rbac.crossplane.io/aggregate-to-crossplane: \"true\"; meshtop "
        "up repairs what our own packages need.");
    return WATCH_FAILED;
}

static enum watch_verdict
judge_object(struct watch *w, const struct kube_object *o, char *why,
             size_t size, struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(2048);
    AUTO(json_free_ptr) struct json *j = NULL;
    const char *message;

    if (env_check_ready(NULL, o, &text))
        return WATCH_DONE;
    snprintf(why, size, "%s", buf_cstr(&text));
    j = watch_object(o);
    message = condition_text(j, "Synced", "message");
    if (strcmp(condition_text(j, "Synced", "status"), "False") != 0)
        return WATCH_WAIT;
    if (is_forbidden(message))
        return watch_since(w, "rbac %s", o->uid.s) < RBAC_MS
                   ? WATCH_WAIT
                   : fail_forbidden(o->name.s, message, err);
    if (watch_since(w, "%s %s", o->uid.s, message) < SAME_MS)
        return WATCH_WAIT;
    error_set(err, ERR_INVALID, "%s", why);
    return WATCH_FAILED;
}

/* Only what a real Crossplane composes has to settle. */
static void
note_age(struct judging *j, const struct watch *w, const struct kube_object *o)
{
    int64_t now = clock_wall_ms(w->clock) / 1000;

    if (strcmp(w->env->profile.engine, "sandbox") == 0 ||
        o->created_s + YOUNG_S + DEGRADED_MS / 1000 < now)
        return;
    AUTO(json_free_ptr) struct json *tree = watch_object(o);
    const char *phase = json_string(json_at(tree, "status", "phase", NULL));

    j->young |= o->created_s + YOUNG_S >= now;
    j->degraded |= phase && strcmp(phase, "Degraded") == 0;
}

/* All are Ready: will they stay so? */
static enum watch_verdict
judge_settled(const struct judging *j, struct watch *w)
{
    if (j->young && watch_since(w, "all ready") < SETTLE_MS)
        return WATCH_WAIT;
    if (!j->degraded || watch_since(w, "degraded") >= DEGRADED_MS)
        return WATCH_DONE;
    step_detail(w->run,
                "%zu of %zu Ready; some are Degraded until Crossplane "
                "looks at their inputs again",
                j->ready, j->total);
    return WATCH_WAIT;
}

static enum watch_verdict
judge_kind(struct judging *j, struct watch *w, size_t kind, char *first,
           size_t size, struct error *err)
{
    const struct kube_object *o;
    size_t count = kube_cache_count(w->caches[kind]);

    for (size_t i = 0; (o = kube_cache_at(w->caches[kind], i)); i++) {
        char why[400] = "";
        enum watch_verdict v = judge_object(w, o, why, sizeof(why), err);

        j->total++;
        j->ready += v == WATCH_DONE;
        note_age(j, w, o);
        if (count <= PARTS_MAX)
            step_part(w->run, o->name.s,
                      v == WATCH_DONE     ? STEP_DONE
                      : v == WATCH_FAILED ? STEP_FAILED
                                          : STEP_RUNNING,
                      v == WATCH_DONE ? "Ready" : why);
        if (v != WATCH_DONE && !j->first) {
            j->first = mem_strdup(o->body.s);
            snprintf(first, size, ", %s", why);
        }
        if (v == WATCH_FAILED) {
            free(j->first);
            j->first = mem_strdup(o->body.s);
            return v;
        }
    }
    return WATCH_WAIT;
}

static enum watch_verdict
judge_all(void *arg, struct watch *w, struct error *err)
{
    struct judging *j = arg;
    char first[420] = "";

    free(j->first);
    *j = (struct judging){0};
    for (size_t k = 0; k < w->n; k++) {
        if (judge_kind(j, w, k, first, sizeof(first), err) == WATCH_FAILED)
            return WATCH_FAILED;
    }
    step_detail(w->run, "%zu of %zu Ready%s", j->ready, j->total, first);
    return j->ready == j->total ? judge_settled(j, w) : WATCH_WAIT;
}

/* ---- why not ---- */

/* The composed resource a reference means; NULL: it is not there, or its kind
 * is not served. */
static struct json *
composed(struct env *e, const struct json *xr, const struct json *ref)
{
    const struct kube_kind *k = kube_discovery_of(
        e->discovery, str_of(json_get_string(ref, "apiVersion")),
        str_of(json_get_string(ref, "kind")));
    const char *ns = json_get_string(ref, "namespace");
    struct kube_request r = {.name = json_get_string(ref, "name")};

    if (!k || !r.name)
        return NULL;
    r.gvr = k->gvr;
    if (k->namespaced)
        r.ns = ns ? ns
                  : json_string_or(json_at(xr, "metadata", "namespace", NULL),
                                   "default");
    return kube_client_wait_json(e->client, &r, NULL);
}

/* An object without a Ready condition is ready by being there. */
static bool
is_ready(const struct json *object)
{
    return object && (!env_condition(object, "Ready") ||
                      env_condition_true(object, "Ready"));
}

static const char *
why_of(const struct json *object)
{
    static const char *const types[] = {"Synced", "Ready"};

    for (size_t i = 0; object && i < ARRAY_LEN(types); i++) {
        const char *m = condition_text(object, types[i], "message");

        if (strcmp(condition_text(object, types[i], "status"), "True") == 0)
            continue;
        if (*m || *condition_text(object, types[i], "reason"))
            return *m ? m : condition_text(object, types[i], "reason");
    }
    return object ? "it says no reason" : "it is not there";
}

/* One level of the tree into the log; the first that is not ready into *next
 * (NULL: all are), counts into the error's first sentence. */
static struct json *
explain_level(struct env *e, struct step_run *run, const struct json *xr,
              unsigned depth, struct buf *sentence)
{
    const struct json *spec = json_get(xr, "spec");
    const struct json *refs = json_at(spec, "crossplane", "resourceRefs", NULL);
    AUTO(buf_release) struct buf waiting = BUF_INIT(512);
    struct json *next = NULL;
    size_t n = 0, ready = 0;

    refs = refs ? refs : json_get(spec, "resourceRefs");
    for (const struct json *r = json_first(refs); r; r = json_next(r), n++) {
        struct json *o = composed(e, xr, r);
        const char *name = json_string_or(json_get(r, "name"), "?");
        AUTO(mem_free_ptr)
        char *line = mem_printf("%*s%s %s %s%s", (int)(2 * depth), "",
                                json_string_or(json_get(r, "kind"), "?"), name,
                                is_ready(o) ? "Ready" : "- ",
                                is_ready(o) ? "" : why_of(o));

        step_log(run, str_of(line));
        if (is_ready(o)) {
            ready++;
        } else if (n - ready < NAMED_MAX) {
            buf_printf(&waiting, "%s%s", waiting.n ? ", " : "", name);
        }
        if (!is_ready(o) && !next)
            next = o;
        else
            json_free(o);
    }
    if (depth == 1)
        buf_printf(sentence, "%zu of %zu composed resources Ready%s%s", ready,
                   n, waiting.n ? "; waiting: " : "", buf_cstr(&waiting));
    return next;
}

/* The newest warning about an object. */
struct newest {
    char *text;
    char when[40];
};

static bool
newer(void *arg, struct str item)
{
    struct newest *n = arg;
    AUTO(json_free_ptr) struct json *e = json_parse(item, NULL, NULL);
    const char *when = json_string_or(json_get(e, "lastTimestamp"), "");

    if (strcmp(when, n->when) < 0)
        return true;
    free(n->text);
    n->text = mem_strdup(json_string_or(json_get(e, "message"), ""));
    snprintf(n->when, sizeof(n->when), "%s", when);
    return true;
}

static char *
last_warning(struct env *e, const struct json *object)
{
    const struct json *meta = json_get(object, "metadata");
    AUTO(mem_free_ptr)
    char *about = mem_printf("type=Warning,involvedObject.uid=%s",
                             json_string_or(json_get(meta, "uid"), "-"));
    struct kube_request r = {
        .gvr = {"", "v1", "events"},
        .ns = json_string_or(json_get(meta, "namespace"), "default"),
        .field_selector = about};
    struct newest n = {0};

    kube_client_wait_list(e->client, &r, newer, &n, NULL);
    return n.text;
}

static const char *
name_of(const struct json *object)
{
    return json_string_or(json_at(object, "metadata", "name", NULL), "?");
}

bool
crossplane_explain_xr(struct env *e, struct step_run *run,
                      const struct json *xr, struct error *err)
{
    AUTO(buf_release) struct buf sentence = BUF_INIT(1024);
    AUTO(json_free_ptr) struct json *leaf = json_copy(xr);
    AUTO(mem_free_ptr) char *warning = NULL;
    AUTO(mem_free_ptr)
    char *head =
        mem_printf("%s %s - %s", json_string_or(json_get(xr, "kind"), ""),
                   name_of(xr), why_of(xr));

    step_log(run, str_of(head));
    for (unsigned depth = 1; depth <= DEPTH_MAX; depth++) {
        struct json *next = explain_level(e, run, leaf, depth, &sentence);

        if (!next)
            break;
        json_free(leaf);
        leaf = next;
    }
    warning = last_warning(e, leaf);
    error_set(err, ERR_TIMEOUT, "%s: %s; %s: %s%s%s", name_of(xr),
              buf_cstr(&sentence), name_of(leaf), why_of(leaf),
              warning && *warning ? "; last warning: " : "",
              warning && *warning ? warning : "");
    error_remedy(err, "MT-XR-NOTREADY",
                 "meshtop why %s tells the first cause, meshtop tree %s what "
                 "it is made of.",
                 name_of(xr), name_of(xr));
    return false;
}

bool
crossplane_wait_ready(struct env *e, struct step_run *run, struct error *err)
{
    struct judging j = {0};
    struct error why = {0};
    struct watch w;
    bool ok;

    if (!watch_open(&w, e, run, kinds, err))
        return false;
    ok = watch_until(&w, LIMIT_MS, judge_all, &j, &why);
    watch_close(&w);
    AUTO(json_free_ptr)
    struct json *first =
        j.first ? json_parse(str_of(j.first), NULL, NULL) : NULL;

    free(j.first);
    if (ok)
        return true;
    if (!*why.id && why.code != ERR_CANCELLED && first)
        return crossplane_explain_xr(e, run, first, err);
    if (err)
        *err = why;
    return false;
}
