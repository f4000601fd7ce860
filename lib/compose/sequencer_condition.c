#include "lib/compose/sequencer_condition.h"

#include "lib/schema/cel.h"

static struct json *
as_message(const struct json *wrapper)
{
    struct json *m = json_new_object();
    const struct json *resource = json_get(wrapper, "resource");
    const struct json *details = json_get(wrapper, "connectionDetails");

    json_set(m, "resource", resource ? json_copy(resource) : json_new_object());
    json_set(m, "connection_details",
             details ? json_copy(details) : json_new_object());
    json_set_int(m, "ready", fn_ready_of(wrapper));
    return m;
}

static struct json *
as_state(const struct json *state)
{
    struct json *m = json_new_object(), *all = json_new_object();
    const struct json *resources = json_get(state, "resources");

    json_set(m, "composite", as_message(json_get(state, "composite")));
    json_set(m, "resources", all);
    for (const struct json *r = json_first(resources); r; r = json_next(r))
        json_set(all, json_key(r), as_message(r));
    return m;
}

static struct cel *
compile(const char *source, struct error *err)
{
    static const struct cel_variable variables[] = {
        {.name = "observed"}, {.name = "desired"}, {.name = "context"}};
    AUTO(buf_release) struct buf text = BUF_INIT(900);
    struct cel_failure why = {.text = &text};
    struct cel *c =
        cel_compile(str_of(source), variables, ARRAY_LEN(variables), &why);
    const char *type = c ? cel_result_type(c) : "";

    if (!c) {
        bool syntax = strstr(buf_cstr(&text), "Syntax error") != NULL;

        error_set(err, ERR_INVALID, "cannot %s CEL condition: %s",
                  syntax ? "parse" : "type-check", buf_cstr(&text));
    } else if (strcmp(type, "bool") != 0 && strcmp(type, "dyn") != 0) {
        error_set(err, ERR_INVALID, "CEL condition must return bool, got %s",
                  type);
        cel_free(c);
        c = NULL;
    }
    return c;
}

bool
sequencer_condition(const struct fn_request *req, const char *source,
                    bool *holds, struct error *err)
{
    AUTO(json_free_ptr)
    struct json *observed = as_state(json_get(req->data, "observed"));
    AUTO(json_free_ptr)
    struct json *desired = as_state(json_get(req->data, "desired"));
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct cel_run run = {.arena = a};
    struct cel *c = compile(source, err);

    if (!c)
        return false;
    const struct cel_value values[] = {cel_of_json(a, observed, NULL),
                                       cel_of_json(a, desired, NULL),
                                       cel_of_json(a, fn_context(req), NULL)};
    struct cel_value v = cel_eval(c, values, &run);

    cel_free(c);
    if (v.kind == CEL_ERROR)
        return error_set(err, ERR_INVALID,
                         "cannot evaluate CEL condition: %.*s", STR_ARG(v.s));
    if (v.kind != CEL_BOOL)
        return error_set(err, ERR_INVALID, "CEL condition result is not bool");
    *holds = v.b;
    return true;
}
