#include "devenv/env.h"

#include <assert.h>

#include "lib/base/json.h"

#define ROWS_MAX 16

bool
env_open(struct env *e, struct loop *loop, const char *profile,
         struct error *err)
{
    *e = (struct env){.loop = loop, .profile.lock_fd = -1};
    return profile_open(profile, &e->profile, err);
}

bool
env_connect(struct env *e, struct error *err)
{
    if (e->client)
        return true;
    if (!profile_is_up(&e->profile)) {
        error_set(err, ERR_NOT_FOUND, "the profile \"%s\" is not up",
                  e->profile.name);
        error_remedy(err, "MT-NOT-UP", "meshtop up --profile %s",
                     e->profile.name);
        return false;
    }
    const char *context = *e->profile.context ? e->profile.context : NULL;
    AUTO(kube_access_free_ptr)
    struct kube_access *access =
        kube_access_open(e->profile.kubeconfig, context, err);

    if (!access)
        return false;
    e->client = kube_client_new(e->loop, access, NULL, err);
    if (!e->client)
        return false;
    e->discovery = kube_discovery_new(e->client);
    return true;
}

void
env_disconnect(struct env *e)
{
    kube_discovery_free(e->discovery);
    kube_client_free(e->client);
    e->discovery = NULL;
    e->client = NULL;
}

void
env_release(struct env *e)
{
    env_disconnect(e);
    profile_release(&e->profile);
}

const struct json *
env_condition(const struct json *object, const char *type)
{
    const struct json *list = json_at(object, "status", "conditions", NULL);

    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        if (strcmp(json_string_or(json_get(c, "type"), ""), type) == 0)
            return c;
    }
    return NULL;
}

bool
env_condition_true(const struct json *object, const char *type)
{
    const struct json *c = env_condition(object, type);
    int64_t now =
        json_int64_or(json_at(object, "metadata", "generation", NULL), 0);

    return strcmp(json_string_or(json_get(c, "status"), ""), "True") == 0 &&
           json_int64_or(json_get(c, "observedGeneration"), now) >= now;
}

bool
env_check_ready(void *unused UNUSED, const struct kube_object *o,
                struct buf *why)
{
    AUTO(json_free_ptr) struct json *j = NULL;
    static const char *const types[] = {"Synced", "Ready"};

    j = json_parse(o->body, NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        const struct json *c = env_condition(j, types[i]);
        const char *status = json_string_or(json_get(c, "status"), "Unknown");
        int64_t seen =
            json_int64_or(json_get(c, "observedGeneration"), o->generation);

        if (strcmp(status, "True") == 0 && seen >= o->generation)
            continue;
        buf_printf(why, "%s: %s %s", o->name.s, types[i], status);
        if (json_get_string(c, "message"))
            buf_printf(why, ", %s", json_get_string(c, "message"));
        else if (json_get_string(c, "reason"))
            buf_printf(why, ", %s", json_get_string(c, "reason"));
        return false;
    }
    return true;
}

struct waiting {
    const struct env_wait *rows;
    struct kube_cache *caches[ROWS_MAX];
    size_t n;
    struct step_run *run;
    bool look; /* something changed since the last look */
};

static void
on_changes(void *arg, const struct kube_change *v UNUSED, size_t n UNUSED)
{
    ((struct waiting *)arg)->look = true;
}

static void
on_state(void *arg)
{
    ((struct waiting *)arg)->look = true;
}

/* The first thing that is not as wanted becomes the step's detail. */
static bool
row_holds(const struct env_wait *row, struct kube_cache *cache,
          struct step_run *run)
{
    AUTO(buf_release) struct buf why = BUF_INIT(2048), rest = BUF_INIT(2048);
    size_t n = kube_cache_count(cache), bad = 0;

    if (!kube_cache_synced(cache)) {
        const struct error *err = kube_cache_error(cache);

        step_detail(run, "reading %s%s%s", row->what, err ? ": " : "",
                    err ? err->msg : "");
        return false;
    }
    if (n < row->at_least) {
        step_detail(run, "%zu of %zu %s", n, row->at_least, row->what);
        return false;
    }
    for (size_t i = 0; i < n; i++) {
        struct buf *note = bad ? &rest : &why;

        bad += !row->check(row->arg, kube_cache_at(cache, i), note);
    }
    if (bad)
        step_detail(run, "%zu of %zu %s, %s", n - bad, n, row->what,
                    buf_cstr(&why));
    return bad == 0;
}

static bool
all_hold(void *arg)
{
    struct waiting *w = arg;

    if (!w->look)
        return false;
    w->look = false;
    for (size_t i = 0; i < w->n; i++) {
        if (!row_holds(&w->rows[i], w->caches[i], w->run))
            return false;
    }
    return true;
}

bool
env_wait_all(struct env *e, const struct env_wait *rows, struct step_run *run,
             struct error *err)
{
    struct waiting w = {.rows = rows, .run = run, .look = true};
    const struct kube_cache_fns fns = {on_changes, on_state, &w};
    int64_t limit = 0;
    bool ok = true;

    for (; ok && rows[w.n].check; w.n += ok) {
        struct kube_cache_options o = {.gvr = rows[w.n].gvr};

        assert(w.n < ROWS_MAX);
        limit = MAX(limit, rows[w.n].limit_ms);
        w.caches[w.n] = kube_cache_new(e->client, &o, &fns, err);
        ok = w.caches[w.n] != NULL;
    }
    ok = ok && step_wait(run, limit, all_hold, &w, err);
    while (w.n-- > 0)
        kube_cache_free(w.caches[w.n]);
    return ok;
}
