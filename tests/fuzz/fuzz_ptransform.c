/* An input of function-patch-and-transform, a line feed, the composite's spec:
 * the whole function runs, twice with the same answer.
 * covers: lib/compose/fn_patch.c lib/compose/fn_patch_apply.c
 * covers: lib/compose/fn_patch_convert.c lib/compose/fn_patch_input.c
 * covers: lib/compose/fn_patch_string.c lib/compose/fn_patch_transform.c
 * covers: lib/compose/fn_patch_validate.c lib/compose/fn_patch_ready.c
 * covers: lib/compose/fn_patch_connection.c lib/compose/gonumber.c */
#include <stdlib.h>

#include "lib/compose/function.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A request with spec as the composite's and as that of resource "a". Takes
 * both. */
static struct json *
new_request(struct json *input, struct json *spec)
{
    struct json *data = json_new_object();
    struct json *observed = json_need_object(data, "observed");
    struct json *xr =
        json_need_object(json_need_object(observed, "composite"), "resource");
    struct json *all = json_need_object(observed, "resources");
    struct json *a = json_need_object(all, "a");

    json_set(data, "input", input);
    json_set_string(xr, "apiVersion", "example.org/v1");
    json_set_string(xr, "kind", "XThing");
    json_set(xr, "spec", json_copy(spec));
    json_set(json_need_object(a, "resource"), "spec", spec);
    return data;
}

static void
run(const struct json *data, struct fn_response *rsp)
{
    struct fn_request req = {.data = data};
    struct error err = {0};

    fn_response_init(rsp, &req);
    req.prepared = fn_patch.prepare(fn_input(&req), &err);
    if (!req.prepared) {
        if (!*err.msg)
            abort();
        fn_resultf(rsp, FN_FATAL, "%s", err.msg);
        return;
    }
    fn_patch.run(&req, rsp);
    fn_patch.discard(req.prepared);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct json_options limits = {.max_nodes = 500, .max_depth = 30};
    struct fn_response one, two;
    struct json *input, *spec, *request;
    struct str first, rest;

    if (size > 4000)
        return 0;
    str_cut(str_n((const char *)data, size), '\n', &first, &rest);
    input = json_parse(first, &limits, NULL);
    spec = json_parse(rest, &limits, NULL);
    if (!input)
        input = json_new_object();
    if (!spec)
        spec = json_new_object();
    request = new_request(input, spec);
    run(request, &one);
    run(request, &two);
    if (!json_equal(one.desired, two.desired) ||
        one.result_count != two.result_count)
        abort();
    fn_response_release(&one);
    fn_response_release(&two);
    json_free(request);
    return 0;
}
