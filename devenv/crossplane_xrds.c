/*
 * XRDs and Compositions. A broken XRD shows no condition at all: only a Warning
 * event tells (crossplane#7516). Warnings can also be about a passing state, so
 * one is believed when it stands for a while without an Established.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/crossplane_watch.h"

#define XRD_LIMIT_MS         120000
#define COMPOSITION_LIMIT_MS 30000
#define SILENT_MS            5000

enum { XRDS, EVENTS };
enum { COMPOSITIONS, REVISIONS };

static const struct watch_kind xrd_kinds[] = {
    {.gvr = {"apiextensions.crossplane.io", "v2",
             "compositeresourcedefinitions"},
     .what = "resource definitions"},
    {.gvr = {"", "v1", "events"},
     .ns = "default",
     .field_selector = "involvedObject.kind=CompositeResourceDefinition",
     .what = "events"},
    {.what = NULL},
};

static const struct watch_kind composition_kinds[] = {
    {.gvr = {"apiextensions.crossplane.io", "v1", "compositions"},
     .what = "compositions"},
    {.gvr = {"apiextensions.crossplane.io", "v1", "compositionrevisions"},
     .what = "composition revisions"},
    {.what = NULL},
};

struct crossplane_xrds {
    struct watch watch;
    struct strlist old; /* "uid version" of events from before */
};

static char *
event_key(const struct kube_object *o)
{
    return mem_printf("%s %s", o->uid.s, o->version.s);
}

struct crossplane_xrds *
crossplane_xrds_begin(struct env *e, struct step_run *run, struct error *err)
{
    struct crossplane_xrds *x = mem_zalloc(1, sizeof(*x));
    const struct kube_object *o;

    if (!watch_open(&x->watch, e, run, xrd_kinds, err)) {
        free(x);
        return NULL;
    }
    if (!watch_sync(&x->watch, XRD_LIMIT_MS, err)) {
        crossplane_xrds_end(x);
        return NULL;
    }
    for (size_t i = 0; (o = kube_cache_at(x->watch.caches[EVENTS], i)); i++) {
        AUTO(mem_free_ptr) char *key = event_key(o);

        strlist_add(&x->old, str_of(key));
    }
    return x;
}

void
crossplane_xrds_end(struct crossplane_xrds *x)
{
    if (!x)
        return;
    watch_close(&x->watch);
    strlist_release(&x->old);
    free(x);
}

/* Does the event say that the XRD itself is wrong? Warnings of the manager of
 * roles, and of races with other writers, pass by themselves. */
static bool
is_verdict(const struct json *event)
{
    static const char *const reasons[] = {"EstablishComposite", "RenderCRD"};
    static const char *const passing[] = {
        "already exists",         "the object has been modified",
        "failed calling webhook", "connection refused",
        "deadline exceeded",      "not yet established"};
    const char *reason = json_string_or(json_get(event, "reason"), "");
    struct str text = str_of(json_get_string(event, "message"));
    bool of_core = false;

    for (size_t i = 0; i < ARRAY_LEN(reasons); i++)
        of_core |= strcmp(reason, reasons[i]) == 0;
    for (size_t i = 0; i < ARRAY_LEN(passing); i++)
        of_core &= !str_contains(text, str_of(passing[i]));
    return of_core;
}

/* The newest new warning about the object with this uid, in fresh memory. */
static char *
warning_about(const struct crossplane_xrds *x, struct str uid)
{
    const struct kube_object *o;
    char *text = NULL;

    for (size_t i = 0; (o = kube_cache_at(x->watch.caches[EVENTS], i)); i++) {
        AUTO(mem_free_ptr) char *key = event_key(o);
        AUTO(json_free_ptr) struct json *event = NULL;

        if (!str_contains(o->body, uid) || strlist_has(&x->old, str_of(key)))
            continue;
        event = watch_object(o);
        if (strcmp(json_string_or(json_get(event, "type"), ""), "Warning") ||
            !is_verdict(event) ||
            !str_eqz(uid,
                     json_string_or(
                         json_at(event, "involvedObject", "uid", NULL), "")))
            continue;
        free(text);
        text = mem_strdup(json_string_or(json_get(event, "message"), "?"));
    }
    return text;
}

struct judging {
    struct crossplane_xrds *xrds;
    const struct manifest_set *set;
};

static enum watch_verdict
judge_xrd(struct judging *j, struct watch *w, const struct manifest *m,
          char *why, size_t size, struct error *err)
{
    const struct kube_object *o =
        kube_cache_find(w->caches[XRDS], NULL, m->name);
    AUTO(json_free_ptr) struct json *xrd = watch_object(o);
    AUTO(mem_free_ptr) char *warning = NULL;

    snprintf(why, size, "not there yet");
    if (!xrd)
        return WATCH_WAIT;
    if (env_condition_true(xrd, "Established"))
        return WATCH_DONE;
    warning = warning_about(j->xrds, o->uid);
    snprintf(why, size, "%s", warning ? warning : "not Established");
    if (!warning || watch_since(w, "warning %s", m->name) < SILENT_MS)
        return WATCH_WAIT;
    error_set(err, ERR_INVALID, "XRD %s is invalid: %s", m->name, warning);
    error_remedy(err, "MT-XRD-SILENT",
                 "Crossplane shows no condition for this, only the event. Mend "
                 "%s at the place it names and apply it again.",
                 m->source);
    return WATCH_FAILED;
}

static enum watch_verdict
judge_xrds(void *arg, struct watch *w, struct error *err)
{
    struct judging *j = arg;
    char first[400] = "";
    size_t done = 0;

    for (size_t i = 0; i < j->set->n; i++) {
        const struct manifest *m = &j->set->v[i];
        char why[300];
        enum watch_verdict v = judge_xrd(j, w, m, why, sizeof(why), err);

        step_part(w->run, m->name,
                  v == WATCH_DONE     ? STEP_DONE
                  : v == WATCH_FAILED ? STEP_FAILED
                                      : STEP_RUNNING,
                  v == WATCH_DONE ? "Established" : why);
        if (v == WATCH_FAILED)
            return v;
        done += v == WATCH_DONE;
        if (v != WATCH_DONE && !*first)
            snprintf(first, sizeof(first), ", %s: %s", m->name, why);
    }
    step_detail(w->run, "%zu of %zu kinds Established%s", done, j->set->n,
                first);
    return done == j->set->n ? WATCH_DONE : WATCH_WAIT;
}

bool
crossplane_xrds_wait(struct crossplane_xrds *x, const struct manifest_set *xrds,
                     struct error *err)
{
    struct judging j = {x, xrds};

    return watch_until(&x->watch, XRD_LIMIT_MS, judge_xrds, &j, err);
}

/* ---- compositions ---- */

/* The newest revision of a composition; the caller frees it. */
static struct json *
revision_of(struct watch *w, const char *composition)
{
    struct json *best = NULL;
    const struct kube_object *o;
    int64_t newest = -1;

    for (size_t i = 0; (o = kube_cache_at(w->caches[REVISIONS], i)); i++) {
        struct json *r;
        int64_t n;

        if (!str_starts(o->name, str_of(composition)))
            continue;
        r = watch_object(o);
        n = json_int64_or(json_at(r, "spec", "revision", NULL), 0);
        if (n > newest &&
            strcmp(
                json_string_or(json_at(r, "metadata", "labels",
                                       "crossplane.io/composition-name", NULL),
                               ""),
                composition) == 0) {
            json_free(best);
            best = r;
            newest = n;
        } else {
            json_free(r);
        }
    }
    return best;
}

static enum watch_verdict
judge_compositions(void *arg, struct watch *w, struct error *err)
{
    const struct manifest_set *set = arg;
    size_t done = 0;

    for (size_t i = 0; i < set->n; i++) {
        AUTO(json_free_ptr) struct json *r = revision_of(w, set->v[i].name);
        const struct json *valid = env_condition(r, "ValidPipeline");

        if (strcmp(json_string_or(json_get(valid, "status"), ""), "False") ==
            0) {
            error_set(err, ERR_INVALID, "the Composition %s cannot run: %s",
                      set->v[i].name,
                      json_string_or(json_get(valid, "message"),
                                     json_string_or(json_get(valid, "reason"),
                                                    "no reason is given")));
            error_remedy(err, "MT-PKG-UNHEALTHY",
                         "Its functions lack what it asks of them: kubectl "
                         "describe composition %s",
                         set->v[i].name);
            return WATCH_FAILED;
        }
        done += r != NULL;
    }
    step_detail(w->run, "%zu of %zu compositions have a revision", done,
                set->n);
    return done == set->n ? WATCH_DONE : WATCH_WAIT;
}

bool
crossplane_wait_compositions(struct env *e,
                             const struct manifest_set *compositions,
                             struct step_run *run, struct error *err)
{
    struct watch w;
    bool ok;

    if (!watch_open(&w, e, run, composition_kinds, err))
        return false;
    ok = watch_until(&w, COMPOSITION_LIMIT_MS, judge_compositions,
                     (void *)compositions, err);
    watch_close(&w);
    return ok;
}
