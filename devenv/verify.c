#include "devenv/verify.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "devenv/package.h"
#include "devenv/verify_group.h"

#define LIST_MAX     5000
#define OBJECTS_MAX  200000
#define CORE_PACKAGE "mesh-core"

static const char *const words[] = {
    [VERIFY_OK] = "ok", [VERIFY_MISS] = "MISS", [VERIFY_NOTE] = "note"};

/* The order is the order of the proof: what later groups need comes first. */
static const struct verify_group groups[] = {
    {"V-a", "engine and cluster are alive"},
    {"V-b", "versions are as they should be"},
    {"V-c", "packages, kinds and compositions"},
    {"V-d", "examples are as expected"},
    {"V-e", "what is invalid is refused"},
    {"V-f", "nothing has drifted"},
    {"V-m", "the mesh keeps its own rules"},
    {"V-g", "a scratch domain lives and goes"},
    {0},
};
static verify_group_fn *const functions[ARRAY_LEN(groups) - 1] = {
    verify_alive,    verify_versions, verify_conditions, verify_examples,
    verify_negative, verify_drift,    verify_rules,      verify_scratch,
};

const struct verify_group *
verify_groups(void)
{
    return groups;
}

const char *
verify_word(enum verify_outcome outcome)
{
    return words[outcome];
}

/* ---- reporting ---- */

void
verify_report(struct verify *v, enum verify_outcome outcome, const char *name,
              const char *detail)
{
    int64_t now = clock_mono_ms(clock_system());
    struct verify_check check = {
        .group = v->group->id,
        .subject = v->subject,
        .name = name,
        .outcome = outcome,
        .detail = outcome == VERIFY_OK || !detail ? "" : detail,
        .ms = now - v->last_ms,
    };

    v->last_ms = now;
    v->result->passed += outcome == VERIFY_OK;
    v->result->missed += outcome == VERIFY_MISS;
    v->o->fn(v->o->arg, &check);
}

void
verify_say(struct verify *v, bool ok, const char *detail, const char *fmt, ...)
{
    AUTO(buf_release) struct buf name = BUF_INIT(4096);
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&name, fmt, ap);
    va_end(ap);
    verify_report(v, ok ? VERIFY_OK : VERIFY_MISS, buf_cstr(&name), detail);
}

void
verify_note(struct verify *v, const char *detail, const char *fmt, ...)
{
    AUTO(buf_release) struct buf name = BUF_INIT(4096);
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&name, fmt, ap);
    va_end(ap);
    verify_report(v, VERIFY_NOTE, buf_cstr(&name), detail);
}

bool
verify_condition(struct verify *v, const struct json *object, const char *name,
                 const char *type, const char *more)
{
    const struct json *c = env_condition(object, type);
    const char *status = json_string_or(json_get(c, "status"), "");
    const char *message = json_string_or(json_get(c, "message"), "");
    const char *reason = json_string_or(json_get(c, "reason"), "");
    bool ok = env_condition_true(object, type);
    AUTO(buf_release) struct buf detail = BUF_INIT(BUF_TEXT_MAX);

    if (strcmp(status, "True") == 0)
        buf_puts(&detail, "that was before its last change");
    else if (!c)
        buf_puts(&detail, "there is no such condition");
    else
        buf_printf(&detail, "%s%s%s%s%s", *status ? status : "no status",
                   *reason ? ", " : "", reason, *message ? ": " : "", message);
    if (more && *more) {
        if (str_ends(buf_view(&detail), STR(".")))
            buf_truncate(&detail, detail.n - 1);
        buf_printf(&detail, "; %s", more);
    }
    verify_say(v, ok, buf_cstr(&detail), "%s is %s", name, type);
    return ok;
}

bool
verify_stopped(const struct verify *v)
{
    return v->dead || step_cancelled(v->o->run, NULL);
}

void
verify_heed(struct verify *v, const struct error *why)
{
    if (!why->http && (why->code == ERR_TIMEOUT || why->code == ERR_NETWORK))
        v->dead = true;
}

/* ---- reading ---- */

struct json *
verify_get(struct verify *v, const char *api_version, const char *kind,
           const char *ns, const char *name, struct error *err)
{
    const struct kube_kind *k =
        kube_discovery_of(v->env->discovery, str_of(api_version), str_of(kind));
    struct kube_request r = {.name = name, .timeout_ms = VERIFY_ANSWER_MS};
    struct error why = {0};

    if (!k) {
        error_set(err, ERR_NOT_FOUND, "the cluster serves no kind %s in %s",
                  kind, api_version);
        return NULL;
    }
    r.gvr = k->gvr;
    r.ns = k->namespaced ? ns : NULL;
    struct json *j = kube_client_wait_json(v->env->client, &r, &why);

    verify_heed(v, &why);
    if (!j && err)
        *err = why;
    return j;
}

struct each {
    void (*fn)(void *arg, struct json *object);
    void *arg;
    size_t n;
};

static bool
give_item(void *arg, struct str item)
{
    struct each *e = arg;
    struct json *j = json_parse(item, NULL, NULL);

    if (j)
        e->fn(e->arg, j);
    return ++e->n < OBJECTS_MAX;
}

bool
verify_each(struct verify *v, const struct kube_request *r,
            void (*fn)(void *arg, struct json *object), void *arg,
            struct error *err)
{
    struct kube_request limited = *r;
    struct each e = {fn, arg, 0};
    struct error why = {0};

    limited.timeout_ms = VERIFY_ANSWER_MS;
    if (kube_client_wait_list(v->env->client, &limited, give_item, &e, &why)) {
        if (e.n < OBJECTS_MAX)
            return true;
        error_set(&why, ERR_LIMIT, "there are more than %d", OBJECTS_MAX);
    }
    verify_heed(v, &why);
    if (err)
        *err = why;
    return false;
}

static void
keep(void *arg, struct json *object)
{
    struct json *list = arg;

    if (json_len(list) < LIST_MAX)
        json_append(list, object);
    else
        json_free(object);
}

struct json *
verify_list(struct verify *v, const struct kube_request *r, struct error *err)
{
    struct json *list = json_new_array();

    if (verify_each(v, r, keep, list, err) && json_len(list) < LIST_MAX)
        return list;
    if (json_len(list) >= LIST_MAX)
        error_set(err, ERR_LIMIT, "there are more than %d", LIST_MAX);
    json_free(list);
    return NULL;
}

const char *
verify_name_of(const struct json *object)
{
    return json_string_or(json_at(object, "metadata", "name", NULL), "?");
}

/* ---- what is looked at ---- */

static bool
serves(struct verify *v, const char *api_version, const char *kind)
{
    return kube_discovery_of(v->env->discovery, str_of(api_version),
                             str_of(kind)) != NULL;
}

/* Something of the example is on the cluster. */
static bool
is_there(struct verify *v, const char *example)
{
    AUTO(manifest_release) struct manifest_set set = {0};
    bool found = false;

    if (!example_load(&set, example, NULL))
        return false;
    for (size_t i = 0; i < set.n && !found; i++) {
        const struct manifest *m = &set.v[i];
        AUTO(json_free_ptr) struct json *j = NULL;

        if (strcmp(m->kind, "DataDomain") != 0)
            continue;
        j = verify_get(v, m->api_version, m->kind, m->ns, m->name, NULL);
        found = j != NULL;
    }
    return found;
}

static void
choose(struct verify *v)
{
    const struct profile *p = &v->env->profile;
    const struct strlist *examples =
        v->o->examples ? v->o->examples : &p->examples;

    /* A profile is to have the core, also when its up came not so far. */
    if (*p->engine)
        strlist_add(&v->packages, STR(CORE_PACKAGE));
    for (size_t i = 0; i < p->packages.n; i++) {
        if (!strlist_has(&v->packages, str_of(p->packages.v[i])))
            strlist_add(&v->packages, str_of(p->packages.v[i]));
    }
    for (size_t i = 0; i < examples->n; i++)
        strlist_add(&v->examples, str_of(examples->v[i]));
    if (*p->engine)
        return;
    /* A cluster that is no profile's: what is there is what there should be. */
    AUTO(strlist_release) struct strlist names = {0};

    if (serves(v, "meshifi.io/v1alpha1", "DataDomain") &&
        !strlist_has(&v->packages, STR(CORE_PACKAGE)))
        strlist_add(&v->packages, STR(CORE_PACKAGE));
    if (v->o->examples)
        return;
    example_names(&names);
    for (size_t i = 0; i < names.n; i++) {
        if (is_there(v, names.v[i]))
            strlist_add(&v->examples, str_of(names.v[i]));
    }
}

/* ---- the proof ---- */

static void
run_group(struct verify *v, size_t i)
{
    struct step_run *run = v->o->run;
    struct verify_result before = *v->result;
    AUTO(mem_free_ptr) char *counts = NULL;

    v->group = &groups[i];
    v->subject = "cluster";
    step_part(run, groups[i].title, STEP_RUNNING, "");
    step_detail(run, "%s %s", groups[i].id, groups[i].title);
    if (v->dead)
        verify_note(v, "the API does not answer", "nothing was looked at");
    else
        functions[i](v);

    size_t missed = v->result->missed - before.missed;

    counts = mem_printf("%zu ok, %zu missed", v->result->passed - before.passed,
                        missed);
    step_part(run, groups[i].title,
              missed    ? STEP_FAILED
              : v->dead ? STEP_SKIPPED
                        : STEP_DONE,
              counts);
}

bool
verify_run(struct env *e, const struct verify_options *o,
           struct verify_result *out, struct error *err)
{
    struct verify v = {.env = e, .o = o, .result = out, .subject = ""};
    size_t n = ARRAY_LEN(functions);

    *out = (struct verify_result){0};
    v.last_ms = clock_mono_ms(clock_system());
    if (!o->scratch)
        n--; /* the last row: only when asked for */
    for (size_t i = 0; i < n && !step_cancelled(o->run, NULL); i++) {
        run_group(&v, i);
        if (i == 0 && !v.dead)
            choose(&v);
    }
    strlist_release(&v.examples);
    strlist_release(&v.packages);
    strlist_release(&v.nodes);
    return !step_cancelled(o->run, err);
}
