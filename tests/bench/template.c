/* What one product costs: mesh-core's largest template, parsed, and run over a
 * product of corner-shop with everything it asks for at hand. */
#include <stdio.h>

#include "lib/base/asset.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "lib/compose/function.h"

enum { PARSES = 200, RUNS = 2000 };

static struct json *
document(const char *path, const char *kind)
{
    struct yaml_docs docs = {0};
    struct error err = {0};
    struct asset a;
    struct json *found = NULL;

    if (!asset_find(path, &a) || !yaml_parse(a.data, NULL, &docs, &err))
        die("%s: %s", path, err.msg);
    for (size_t i = 0; i < docs.n && !found; i++) {
        const char *k = json_get_string(docs.v[i].value, "kind");

        if (k && strcmp(k, kind) == 0)
            found = json_copy(docs.v[i].value);
    }
    yaml_docs_release(&docs);
    if (!found)
        die("%s: no %s", path, kind);
    return found;
}

static void
require(struct json *request, const char *name, struct json *object)
{
    struct json *all = json_need_object(request, "requiredResources");
    struct json *items = json_need_array(json_need_object(all, name), "items");

    json_set(json_append(items, json_new_object()), "resource", object);
}

static struct json *
new_request(struct json *input)
{
    static const char *const xrds[][2] = {
        {"capability-bucket", "storagebuckets"},
        {"capability-database", "sqldatabases"},
        {"capability-warehouse", "warehouses"},
        {"capability-identity", "productidentities"},
    };
    struct json *r = json_new_object();
    struct json *observed = json_need_object(r, "observed");
    struct json *xr =
        document("examples/corner-shop/30-daily-revenue.yaml", "DataProduct");

    json_set(json_need_object(observed, "composite"), "resource", xr);
    json_set(r, "input", input);
    require(r, "mesh", document("examples/corner-shop/00-mesh.yaml", "Mesh"));
    require(r, "domain",
            document("examples/corner-shop/00-mesh.yaml", "DataDomain"));
    for (size_t i = 0; i < ARRAY_LEN(xrds); i++) {
        char path[128];

        snprintf(path, sizeof(path), "assets/mesh-core/xrds/%s.yaml",
                 xrds[i][1]);
        require(r, xrds[i][0], document(path, "CompositeResourceDefinition"));
    }
    return r;
}

static void
say(const char *what, double us, double budget)
{
    printf("%s  %-52s %10.1f us     (budget %.0f us)\n",
           us <= budget ? "OK  " : "MISS", what, us, budget);
}

static size_t
run_once(const struct fn_request *req)
{
    struct fn_response rsp;

    fn_response_init(&rsp, req);
    fn_gotemplate.run(req, &rsp);
    if (fn_is_fatal(&rsp))
        die("%s", rsp.results[0].message);
    size_t n = json_len(fn_desired_all(&rsp));

    fn_response_release(&rsp);
    return n;
}

int
main(void)
{
    struct json *composition = document(
        "assets/mesh-core/compositions/dataproduct.yaml", "Composition");
    const struct json *step =
        json_first(json_at(composition, "spec", "pipeline", NULL));
    struct json *data = new_request(json_copy(json_get(step, "input")));
    struct fn_request req = {.data = data};
    struct error err = {0};
    int64_t start = clock_mono_us();

    for (int i = 0; i < PARSES; i++) {
        void *p = fn_gotemplate.prepare(fn_input(&req), &err);

        if (!p)
            die("%s", err.msg);
        fn_gotemplate.discard(p);
    }
    say("template of 400 lines: parse",
        (double)(clock_mono_us() - start) / PARSES, 2000);
    req.prepared = fn_gotemplate.prepare(fn_input(&req), &err);
    start = clock_mono_us();
    for (int i = 0; i < RUNS; i++)
        run_once(&req);
    say("template of 400 lines: one product",
        (double)(clock_mono_us() - start) / RUNS, 1000);
    fn_gotemplate.discard(req.prepared);
    json_free(data);
    json_free(composition);
    return 0;
}
