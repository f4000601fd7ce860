#include "lib/compose/pipeline.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/compose/structpb.h"

/* A step keeps its input's tree; during a run the tree hangs in the request,
 * so that a run need not copy it. */
struct step {
    char *name, *function;
    struct json *input;       /* NULL: none */
    char *bad_input;          /* the text of one that is no object */
    struct json *credentials; /* arrays or NULL */
    struct json *bootstrap;
    const struct function *fn; /* what prepared belongs to */
    void *prepared;
    char *unprepared; /* why preparing failed */
};

struct pipeline {
    struct step *steps;
    size_t n;
};

bool
compose_is_live(enum compose_mode mode)
{
    return mode == COMPOSE_LIVE || mode == COMPOSE_LIVE_23;
}

/* ---- compiling ---- */

static void
step_forget(struct step *s)
{
    if (s->prepared && s->fn && s->fn->discard)
        s->fn->discard(s->prepared);
    free(s->unprepared);
    s->prepared = NULL;
    s->unprepared = NULL;
    s->fn = NULL;
}

void
pipeline_free(struct pipeline *p)
{
    for (size_t i = 0; p && i < p->n; i++) {
        struct step *s = &p->steps[i];

        step_forget(s);
        free(s->name);
        free(s->function);
        json_free(s->input);
        free(s->bad_input);
        json_free(s->credentials);
        json_free(s->bootstrap);
    }
    free(p ? p->steps : NULL);
    free(p);
}

void
pipeline_free_ptr(struct pipeline **p)
{
    pipeline_free(*p);
}

static struct json *
copy_if(const struct json *j, enum json_type type)
{
    return json_is(j, type) ? json_copy(j) : NULL;
}

static bool
step_read(struct step *s, const struct json *j, struct error *err)
{
    const char *name = json_get_string(j, "step");
    const char *fn = json_string(json_at(j, "functionRef", "name", NULL));

    if (!name || !*name)
        return error_set(err, ERR_INVALID, "a pipeline step has no name");
    if (!fn || !*fn)
        return error_set(err, ERR_INVALID,
                         "pipeline step \"%s\" names no function", name);
    s->name = mem_strdup(name);
    s->function = mem_strdup(fn);
    s->input = copy_if(json_get(j, "input"), JSON_OBJECT);
    if (!s->input && json_type_of(json_get(j, "input")) != JSON_NULL)
        s->bad_input = json_text(json_get(j, "input"), JSON_COMPACT);
    structpb_numbers(s->input);
    s->credentials = copy_if(json_get(j, "credentials"), JSON_ARRAY);
    s->bootstrap = copy_if(
        json_at(j, "requirements", "requiredResources", NULL), JSON_ARRAY);
    return true;
}

struct pipeline *
pipeline_new(const struct json *spec, struct error *err)
{
    const struct json *steps = json_get(spec, "pipeline");
    const char *mode = json_string_or(json_get(spec, "mode"), "Pipeline");
    size_t n = json_len(steps);

    if (strcmp(mode, "Pipeline") != 0 || !json_is(steps, JSON_ARRAY) || !n) {
        error_set(err, ERR_INVALID,
                  "an array of pipeline steps is required in Pipeline mode");
        return NULL;
    }
    if (n > PIPELINE_STEPS_MAX) {
        error_set(err, ERR_INVALID, "%zu pipeline steps, at most %d may be", n,
                  PIPELINE_STEPS_MAX);
        return NULL;
    }
    struct pipeline *p = mem_zalloc(1, sizeof(*p));

    p->steps = mem_zalloc(n, sizeof(*p->steps));
    for (const struct json *j = json_first(steps); j; j = json_next(j)) {
        if (!step_read(&p->steps[p->n++], j, err)) {
            pipeline_free(p);
            return NULL;
        }
    }
    return p;
}

/* ---- one step ---- */

struct run {
    const struct pipeline_input *in;
    const struct compose_host *host;
    struct json *data; /* the request */
    struct pipeline_outcome *out;
    struct error *err;
};

/* Puts the step before err in the words of who runs the pipeline. */
static bool
step_failed(struct run *r, const struct step *s, const struct error *why)
{
    if (r->err)
        *r->err = *why;
    return error_wrap(r->err, "cannot run %spipeline step \"%s\"",
                      compose_is_live(r->in->mode) ? "Composition " : "",
                      s->name);
}

static bool
step_resolve(struct run *r, struct step *s)
{
    struct error why = {0};
    const struct function *fn =
        r->host->function(r->host->arg, s->function, &why);

    if (!fn)
        return step_failed(r, s, &why);
    if (s->fn == fn)
        return true;
    step_forget(s);
    s->fn = fn;
    if (fn->prepare) {
        s->prepared = fn->prepare(s->input, &why);
        if (!s->prepared && why.code)
            s->unprepared = mem_strdup(why.msg);
    }
    return true;
}

typedef bool fetch_fn(void *arg, const struct json *selector,
                      struct json **items, struct error *err);

/* Asks from, or the host's fetch when from is NULL. */
static bool
ask(struct run *r, fetch_fn *from, const struct json *selector,
    struct json **items, struct error *err)
{
    if (!from)
        from = r->host->fetch;
    *items = NULL;
    json_append(r->out->required, json_copy(selector));
    return !from || from(r->host->arg, selector, items, err);
}

/* {items: [{resource}...]}, or {} when items is NULL. Takes items. */
static struct json *
as_resources(struct json *items)
{
    struct json *list = json_new_object();

    if (!items)
        return list;
    structpb_numbers(items);
    struct json *wrapped = json_new_array();

    for (struct json *j; (j = json_first(items));) {
        struct json *w = json_new_object();

        json_set(w, "resource", json_detach(items, j));
        json_append(wrapped, w);
    }
    json_free(items);
    if (json_len(wrapped))
        json_set(list, "items", wrapped);
    else
        json_free(wrapped);
    return list;
}

static bool
no_credential(struct run *r, const struct step *s, const char *credential,
              const char *secret, const struct error *why)
{
    AUTO(mem_free_ptr)
    char *reason = why->code ? mem_strdup(why->msg)
                   : compose_is_live(r->in->mode)
                       ? mem_printf("Secret \"%s\" not found", secret)
                       : mem_printf("secret \"%s\" not found", secret);

    if (!compose_is_live(r->in->mode))
        return error_set(r->err, ERR_NOT_FOUND,
                         "cannot get credentials from secret \"%s\": %s",
                         secret, reason);
    return error_set(r->err, ERR_NOT_FOUND,
                     "cannot get Composition pipeline step \"%s\" credential "
                     "\"%s\" from Secret: %s",
                     s->name, credential, reason);
}

static bool
add_credentials(struct run *r, const struct step *s)
{
    struct json *all = json_new_object();

    json_set(r->data, "credentials", all);
    for (const struct json *c = json_first(s->credentials); c;
         c = json_next(c)) {
        const struct json *ref = json_get(c, "secretRef");
        const char *cred = json_string_or(json_get(c, "name"), "");
        const char *name = json_string_or(json_get(ref, "name"), "");
        AUTO(json_free_ptr) struct json *sel = json_new_object();
        AUTO(json_free_ptr) struct json *items = NULL;
        struct error why = {0};

        if (!ref ||
            strcmp(json_string_or(json_get(c, "source"), ""), "Secret") != 0)
            continue;
        json_set_string(sel, "apiVersion", "v1");
        json_set_string(sel, "kind", "Secret");
        json_set_string(sel, "matchName", name);
        json_set_string(sel, "namespace",
                        json_string_or(json_get(ref, "namespace"), ""));
        if (!ask(r, r->host->secret, sel, &items, &why) || !json_len(items))
            return no_credential(r, s, cred, name, &why);
        const struct json *secret = json_get(json_first(items), "data");
        struct json *w =
            json_need_object(json_need_object(all, cred), "credentialData");

        if (json_len(secret))
            json_set(w, "data", json_copy(secret));
    }
    if (!json_len(all))
        json_del(r->data, "credentials");
    return true;
}

/* A requirement of the Composition as a function would have written it. */
static struct json *
bootstrap_selector(const struct json *b)
{
    static const char *const same[] = {"apiVersion", "kind", "namespace"};
    struct json *sel = json_new_object();

    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        if (json_get_string(b, same[i]))
            json_set_string(sel, same[i], json_get_string(b, same[i]));
    }
    if (json_get_string(b, "name"))
        json_set_string(sel, "matchName", json_get_string(b, "name"));
    else if (json_get(b, "matchLabels"))
        json_set(json_need_object(sel, "matchLabels"), "labels",
                 json_copy(json_get(b, "matchLabels")));
    return sel;
}

static bool
add_bootstrap(struct run *r, const struct step *s)
{
    json_del(r->data, "requiredResources");
    json_del(r->data, "extraResources");
    for (const struct json *b = json_first(s->bootstrap); b; b = json_next(b)) {
        const char *name = json_string_or(json_get(b, "requirementName"), "");
        AUTO(json_free_ptr) struct json *sel = bootstrap_selector(b);
        struct json *items = NULL;
        struct error why = {0};

        if (!ask(r, r->host->bootstrap, sel, &items, &why))
            return error_set(r->err, why.code,
                             "cannot fetch bootstrap required resources for "
                             "requirement \"%s\": %s",
                             name, why.msg);
        json_set(json_need_object(r->data, "requiredResources"), name,
                 as_resources(items));
    }
    return true;
}

static bool
fetch_required(struct run *r, const struct step *s,
               const struct json *requirements)
{
    if (!add_bootstrap(r, s))
        return false;
    for (const struct json *q = json_first(requirements); q; q = json_next(q)) {
        struct json *items = NULL;
        struct error why = {0};

        if (!ask(r, NULL, q, &items, &why)) {
            error_wrap(&why, "fetching resources for %s", json_key(q));
            return step_failed(r, s, &why);
        }
        items = as_resources(items);
        /* function-go-templating asks for these in the old field as well, which
         * knows no namespaces; templates then see them there, and only them. */
        if (!json_get_string(q, "namespace") &&
            strcmp(s->fn->name, "function-go-templating") == 0)
            json_set(json_need_object(r->data, "extraResources"), json_key(q),
                     json_copy(items));
        json_set(json_need_object(r->data, "requiredResources"), json_key(q),
                 items);
    }
    return true;
}

static void
step_call(struct run *r, const struct step *s, struct fn_response *rsp)
{
    struct fn_request req = {
        .data = r->data, .prepared = s->prepared, .world = &r->host->world};

    fn_response_init(rsp, &req);
    if (s->unprepared)
        fn_resultf(rsp, FN_FATAL, "%s", s->unprepared);
    else
        s->fn->run(&req, rsp);
}

/* Calls until the requirements stay the same, as FetchingFunctionRunner. */
static bool
step_loop(struct run *r, const struct step *s, struct fn_response *rsp)
{
    const struct json *known = json_get(r->in->known, s->name);
    struct error why = {0};
    AUTO(json_free_ptr)
    struct json *before = known ? json_copy(known) : json_new_object();

    if (known && !fetch_required(r, s, before))
        return false;
    for (int i = 0; i <= PIPELINE_ITERATIONS_MAX; i++) {
        step_call(r, s, rsp);
        if (fn_is_fatal(rsp) || json_equal(rsp->requirements, before)) {
            if (json_len(before))
                json_set(r->out->asked, s->name, json_copy(before));
            return true;
        }
        json_free(before);
        before = rsp->requirements;
        rsp->requirements = NULL;
        json_set(r->data, "context", rsp->context);
        rsp->context = NULL;
        fn_response_release(rsp);
        if (!fetch_required(r, s, before))
            return false;
    }
    error_set(&why, ERR_LIMIT,
              "requirements didn't stabilize after the maximum number of "
              "iterations (%d)",
              PIPELINE_ITERATIONS_MAX);
    return step_failed(r, s, &why);
}

/* Moves what the step said into the outcome; false at its fatal result. */
static bool
step_gather(struct run *r, const struct step *s, struct fn_response *rsp)
{
    struct pipeline_outcome *o = r->out;

    o->conditions = mem_grow(o->conditions, &o->condition_cap,
                             o->condition_count + rsp->condition_count,
                             sizeof(*o->conditions));
    for (size_t i = 0; i < rsp->condition_count; i++)
        o->conditions[o->condition_count++] = rsp->conditions[i];
    rsp->condition_count = 0;
    o->results =
        mem_grow(o->results, &o->result_cap,
                 o->result_count + rsp->result_count, sizeof(*o->results));
    for (size_t i = 0; i < rsp->result_count; i++) {
        struct fn_result *res = &rsp->results[i];

        if (res->severity == FN_FATAL) {
            o->fatal =
                mem_printf("pipeline step \"%s\" returned a fatal result: %s",
                           s->name, res->message);
            return error_set(r->err, ERR_INVALID, "%s", o->fatal);
        }
        o->results[o->result_count++] =
            (struct pipeline_result){.step = s->name, .result = *res};
        *res = (struct fn_result){0};
    }
    if (rsp->ttl_s > 0 && (!o->ttl_s || rsp->ttl_s < o->ttl_s))
        o->ttl_s = rsp->ttl_s;
    return true;
}

static bool
step_run(struct run *r, struct step *s)
{
    struct fn_response rsp = {0};

    if (s->bad_input)
        return error_set(r->err, ERR_INVALID,
                         "cannot unmarshal input for Composition pipeline step "
                         "\"%s\": proto: syntax error (line 1:1): unexpected "
                         "token %.*s",
                         s->name, *s->bad_input == '[' ? 1 : 200, s->bad_input);
    if (!step_resolve(r, s) || !add_credentials(r, s) || !add_bootstrap(r, s))
        return false;
    if (s->input)
        json_set(r->data, "input", s->input);
    bool ok = step_loop(r, s, &rsp) && step_gather(r, s, &rsp);

    if (s->input)
        json_detach(r->data, s->input);
    if (ok) {
        if (!json_len(json_get(rsp.desired, "resources")))
            json_del(rsp.desired, "resources");
        structpb_numbers(rsp.desired);
        structpb_numbers(rsp.context);
        json_set(r->data, "desired", rsp.desired);
        json_set(r->data, "context", rsp.context);
        rsp.desired = rsp.context = NULL;
    }
    fn_response_release(&rsp);
    return ok;
}

/* ---- the whole ---- */

static struct json *
take(struct json *data, const char *key)
{
    struct json *j = json_get(data, key);

    return j ? json_detach(data, j) : json_new_object();
}

bool
pipeline_run(struct pipeline *p, const struct pipeline_input *in,
             struct pipeline_outcome *out, struct error *err)
{
    AUTO(json_free_ptr) struct json *data = json_new_object();
    struct run r = {in, in->host, data, out, err};
    bool ok = true;

    *out = (struct pipeline_outcome){.required = json_new_array(),
                                     .asked = json_new_object()};
    json_set(data, "observed", in->observed);
    json_set(data, "desired", json_new_object());
    json_set(data, "context", in->context ? in->context : json_new_object());
    structpb_numbers(data);
    for (size_t i = 0; ok && i < p->n; i++)
        ok = step_run(&r, &p->steps[i]);
    out->desired = take(data, "desired");
    out->context = take(data, "context");
    return ok;
}

void
pipeline_outcome_release(struct pipeline_outcome *o)
{
    for (size_t i = 0; i < o->result_count; i++) {
        free(o->results[i].result.message);
        free(o->results[i].result.reason);
    }
    for (size_t i = 0; i < o->condition_count; i++) {
        free(o->conditions[i].type);
        free(o->conditions[i].status);
        free(o->conditions[i].reason);
        free(o->conditions[i].message);
    }
    free(o->fatal);
    free(o->results);
    free(o->conditions);
    json_free(o->desired);
    json_free(o->context);
    json_free(o->required);
    json_free(o->asked);
    *o = (struct pipeline_outcome){0};
}
