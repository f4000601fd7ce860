/* A template's text: parsed, executed over a small request under small caps,
 * its output read as manifests and as yaml.v3 reads it.
 * covers: lib/compose/template_lex.c lib/compose/template_parse.c
 * covers: lib/compose/template_exec.c lib/compose/template_eval.c
 * covers: lib/compose/manifests.c lib/compose/gojson.c
 * covers: lib/compose/value_yaml.c lib/base/yaml_node.c */
#include <stdlib.h>

#include "lib/compose/manifests.h"
#include "lib/compose/template.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char request[] =
    "{\"s\":\"hello\",\"e\":\"\",\"n\":5,\"z\":0,\"f\":1.5,\"t\":true,"
    "\"nil\":null,\"l\":[\"a\",\"b\",\"c\"],\"nums\":[3,1,2],\"mix\":[\"x\",1,"
    "null,true,2.5],\"m\":{\"k\":\"v\",\"a\":{\"b\":{\"c\":1}}},\"em\":{},"
    "\"objs\":[{\"name\":\"one\"}],\"u\":\"Gr\\u00fc\\u00dfe\",\"ml\":\"1\\n2"
    "\\n\",\"observed\":{\"composite\":{\"resource\":{\"kind\":\"X\",\"status\""
    ":{\"conditions\":[{\"type\":\"Ready\",\"status\":\"True\"}]}}},"
    "\"resources\":{\"a\":{\"resource\":{\"n\":3}}}}}";

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {0};
    struct str text = str_n((const char *)data, size);
    struct template *t = template_parse("fuzz", text, STR(""), STR(""), &err);

    if (!t) {
        if (!*err.msg)
            abort();
        return 0;
    }
    struct json *j = json_parse(STR(request), NULL, NULL);
    struct arena *a = arena_new();
    struct buf out = BUF_INIT(128 << 10);
    struct template_run run = {.arena = a,
                               .max_steps = 5000,
                               .max_output = 64 << 10,
                               .max_memory = 8 << 20,
                               .now_ns = 1700000000 * INT64_C(1000000000)};
    struct manifests m = {0};
    struct value v;
    size_t work = 0;

    if (!template_execute(t, value_json(a, j, NUMBERS_K8S), &run, &out, &err)) {
        if (!*err.msg)
            abort();
    } else {
        if (manifests_read(buf_view(&out), NULL, &m, &err))
            manifests_release(&m);
        value_read_yaml(a, buf_view(&out), &v, &work, &err);
    }
    buf_release(&out);
    arena_free(a);
    json_free(j);
    template_free(t);
    return 0;
}
