/*
 * compose_lines.c - templates and function calls, one a line, for comparing
 * with Go.
 *
 * What: reads lines of JSON from stdin and answers each with one line.
 *   {"t": TEMPLATE, "d": DATA, "o": [OPTION...], "l": LEFT, "r": RIGHT}
 *   {"fn": FUNCTION, "req": RUNFUNCTIONREQUEST, "files": TEXT}
 * Answers: {"bytes": base64 of the output}, {"err": MESSAGE},
 *   {"rsp": {desired, context, requirements, results, conditions, ttl}}.
 * docs/FUNCTIONS.md says what stands on the other side.
 */
#include <assert.h>
#include <time.h>

#include "lib/base/digest.h"

#include "lib/compose/function.h"
#include "lib/compose/functions.h"
#include "lib/compose/structpb.h"
#include "lib/compose/template.h"

#include "tests/tools/lines.h"

enum { LINE_MAX_BYTES = 16 << 20 };

/* ---- a template ---- */

static bool
render(const struct json *in, struct buf *out, struct error *err)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct str left = str_of(json_get_string(in, "l"));
    struct str right = str_of(json_get_string(in, "r"));
    struct template_run run = {.arena = a,
                               .now_ns = (int64_t)time(NULL) * 1000000000};
    AUTO(template_free_ptr)
    struct template *t = template_parse(
        "manifests", str_of(json_get_string(in, "t")), left, right, err);
    const struct json *o = json_first(json_get(in, "o"));

    for (; t && o; o = json_next(o)) {
        if (!template_option(&run, str_of(json_string(o)), err))
            return false;
    }
    return t &&
           template_execute(t, value_json(a, json_get(in, "d"), NUMBERS_K8S),
                            &run, out, err);
}

static void
answer_template(const struct json *in, struct json *answer)
{
    AUTO(buf_release) struct buf out = BUF_INIT(LINE_MAX_BYTES);
    AUTO(buf_release) struct buf text = BUF_INIT(2 * LINE_MAX_BYTES);
    struct error err = {0};

    if (render(in, &out, &err)) {
        digest_base64(buf_view(&out), false, &text);
        json_set_string(answer, "bytes", buf_cstr(&text));
    } else {
        json_set_string(answer, "err", err.msg);
    }
}

/* ---- a function ---- */

static bool
files_text(void *arg, const char *dir, struct buf *out, struct error *err)
{
    (void)dir, (void)err;
    return buf_puts(out, json_string(arg));
}

static void
answer_results(const struct fn_response *rsp, struct json *answer)
{
    struct json *results = json_need_array(answer, "results");
    struct json *conditions = json_need_array(answer, "conditions");

    for (size_t i = 0; i < rsp->result_count; i++) {
        struct json *r = json_append(results, json_new_object());

        json_set_int(r, "severity", rsp->results[i].severity);
        json_set_string(r, "message", rsp->results[i].message);
    }
    for (size_t i = 0; i < rsp->condition_count; i++) {
        const struct fn_condition *from = &rsp->conditions[i];
        struct json *c = json_append(conditions, json_new_object());

        json_set_string(c, "type", from->type);
        json_set_string(c, "status", from->status);
        json_set_string(c, "reason", from->reason);
        if (from->message)
            json_set_string(c, "message", from->message);
        json_set_int(c, "target", from->target);
    }
}

static void
answer_function(const struct json *in, struct json *answer)
{
    struct json *data = json_get(in, "req");
    struct json *files = json_get(in, "files");
    struct fn_world world = {.now_ns = (int64_t)time(NULL) * 1000000000};
    struct fn_request req = {.data = data, .world = &world};
    struct error err = {0};
    struct fn_response rsp;
    const char *name = json_string_or(json_get(in, "fn"), fn_gotemplate.name);
    const struct function *f = function_builtin(str_of(name));

    assert(f);
    structpb_numbers(data);
    if (files) {
        world.arg = files;
        world.files = files_text;
    }
    fn_response_init(&rsp, &req);
    if (f->prepare)
        req.prepared = f->prepare(fn_input(&req), &err);
    if (f->prepare && !req.prepared)
        fn_resultf(&rsp, FN_FATAL, "%s", err.msg);
    else
        f->run(&req, &rsp);
    structpb_numbers(rsp.desired);
    structpb_numbers(rsp.context);
    json_set(answer, "desired", json_copy(rsp.desired));
    json_set(answer, "context", json_copy(rsp.context));
    json_set(answer, "requirements", json_copy(rsp.requirements));
    json_set_int(answer, "ttl", rsp.ttl_s);
    answer_results(&rsp, answer);
    if (f->discard)
        f->discard(req.prepared);
    fn_response_release(&rsp);
}

static void
answer(struct json *in, const struct error *err, struct json *out)
{
    if (!in)
        json_set_string(out, "err", err->msg);
    else if (json_get(in, "req"))
        answer_function(in, json_need_object(out, "rsp"));
    else
        answer_template(in, out);
}

int
main(void)
{
    lines_answer(answer);
    return 0;
}
