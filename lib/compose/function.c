#include "lib/compose/function.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

const struct json *
fn_input(const struct fn_request *req)
{
    return json_get(req->data, "input");
}

const struct json *
fn_context(const struct fn_request *req)
{
    return json_get(req->data, "context");
}

const struct json *
fn_observed_composite(const struct fn_request *req)
{
    return json_at(req->data, "observed", "composite", "resource", NULL);
}

const struct json *
fn_observed_all(const struct fn_request *req)
{
    return json_at(req->data, "observed", "resources", NULL);
}

const struct json *
fn_observed(const struct fn_request *req, const char *name)
{
    return json_get(json_get(fn_observed_all(req), name), "resource");
}

const struct json *
fn_required(const struct fn_request *req, const char *name)
{
    return json_at(req->data, "requiredResources", name, NULL);
}

static struct json *
copy_or_object(const struct json *j)
{
    return json_is(j, JSON_OBJECT) ? json_copy(j) : json_new_object();
}

void
fn_response_init(struct fn_response *rsp, const struct fn_request *req)
{
    *rsp = (struct fn_response){0};
    rsp->desired = copy_or_object(json_get(req->data, "desired"));
    rsp->context = copy_or_object(fn_context(req));
    rsp->requirements = json_new_object();
}

static void
result_release(struct fn_result *r)
{
    free(r->message);
    free(r->reason);
}

void
fn_response_release(struct fn_response *rsp)
{
    for (size_t i = 0; i < rsp->result_count; i++)
        result_release(&rsp->results[i]);
    for (size_t i = 0; i < rsp->condition_count; i++) {
        struct fn_condition *c = &rsp->conditions[i];

        free(c->type);
        free(c->status);
        free(c->reason);
        free(c->message);
    }
    free(rsp->results);
    free(rsp->conditions);
    json_free(rsp->desired);
    json_free(rsp->context);
    json_free(rsp->requirements);
    *rsp = (struct fn_response){0};
}

/* Takes r's texts over. */
static void
add_result(struct fn_response *rsp, struct fn_result r)
{
    if (rsp->result_count >= FN_RESULTS_MAX) {
        struct fn_result *last = &rsp->results[FN_RESULTS_MAX - 1];

        /* A fatal result must end the pipeline however many came before. */
        if (r.severity != FN_FATAL) {
            result_release(&r);
            r = (struct fn_result){.severity = FN_WARNING};
            r.message = mem_strdup("too many results: the others are left out");
        }
        if (last->severity == FN_FATAL) {
            result_release(&r);
            return;
        }
        result_release(last);
        *last = r;
        return;
    }
    rsp->results = mem_grow(rsp->results, &rsp->result_cap,
                            rsp->result_count + 1, sizeof(*rsp->results));
    rsp->results[rsp->result_count++] = r;
}

void
fn_resultf(struct fn_response *rsp, enum fn_severity severity, const char *fmt,
           ...)
{
    struct fn_result r = {.severity = severity};
    va_list ap;

    va_start(ap, fmt);
    if (vasprintf(&r.message, fmt, ap) < 0)
        die("out of memory");
    va_end(ap);
    add_result(rsp, r);
}

void
fn_result_add(struct fn_response *rsp, enum fn_severity severity,
              const char *reason, enum fn_target target, const char *message)
{
    add_result(rsp, (struct fn_result){.severity = severity,
                                       .target = target,
                                       .message = mem_strdup(message),
                                       .reason = mem_strdup(reason)});
}

void
fn_condition_add(struct fn_response *rsp, const char *type, const char *status,
                 const char *reason, const char *message, enum fn_target target)
{
    if (rsp->condition_count >= FN_CONDITIONS_MAX) {
        fn_resultf(rsp, FN_WARNING, "too many conditions: \"%s\" is left out",
                   type);
        return;
    }
    rsp->conditions =
        mem_grow(rsp->conditions, &rsp->condition_cap, rsp->condition_count + 1,
                 sizeof(*rsp->conditions));
    rsp->conditions[rsp->condition_count++] = (struct fn_condition){
        .type = mem_strdup(type),
        .status = mem_strdup(status),
        .reason = mem_strdup(reason),
        .message = mem_strdup(message),
        .target = target,
    };
}

bool
fn_is_fatal(const struct fn_response *rsp)
{
    for (size_t i = 0; i < rsp->result_count; i++) {
        if (rsp->results[i].severity == FN_FATAL)
            return true;
    }
    return false;
}

struct json *
fn_desired_composite(struct fn_response *rsp)
{
    return json_need_object(json_need_object(rsp->desired, "composite"),
                            "resource");
}

struct json *
fn_desired_all(struct fn_response *rsp)
{
    return json_need_object(rsp->desired, "resources");
}

void
fn_desired_set(struct fn_response *rsp, const char *name, struct json *resource,
               enum fn_ready ready)
{
    struct json *w = json_set(fn_desired_all(rsp), name, json_new_object());

    json_set(w, "resource", resource);
    fn_ready_set(w, ready);
}

enum fn_ready
fn_ready_of(const struct json *wrapper)
{
    const char *z = json_string_or(json_get(wrapper, "ready"), "");

    if (strcmp(z, "READY_TRUE") == 0)
        return FN_READY_TRUE;
    return strcmp(z, "READY_FALSE") == 0 ? FN_READY_FALSE
                                         : FN_READY_UNSPECIFIED;
}

void
fn_ready_set(struct json *wrapper, enum fn_ready ready)
{
    if (ready == FN_READY_UNSPECIFIED)
        json_del(wrapper, "ready");
    else
        json_set_string(wrapper, "ready",
                        ready == FN_READY_TRUE ? "READY_TRUE" : "READY_FALSE");
}
