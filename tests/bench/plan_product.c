/*
 * Plans inside the process: mesh-core and the corner shop in memory, compiled
 * once. One product again and again (budget 2 ms), 100 products, and what a
 * changed Composition does to 5,000 of them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "lib/base/asset.h"
#include "lib/base/clock.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "lib/mesh/impact.h"

#include "cli/overlay.h"

enum { ROUNDS = 300, MANY = 100, COMPOSITES = 5000 };

/* Objects by "group/Kind/ns/name", as a cache has them: bytes. */
struct cluster {
    struct map bodies;
};

static void
key_of(struct buf *out, const char *api, const char *kind, const char *ns,
       const char *name)
{
    struct str group, version;

    str_cut(str_of(api), '/', &group, &version);
    buf_reset(out);
    buf_printf(out, "%.*s/%s/%s/%s", STR_ARG(group), kind, ns ? ns : "", name);
}

static void
add(struct cluster *c, const struct json *j)
{
    AUTO(buf_release) struct buf key = BUF_INIT(2000);
    const struct json *meta = json_get(j, "metadata");

    key_of(&key, json_get_string(j, "apiVersion"), json_get_string(j, "kind"),
           json_get_string(meta, "namespace"), json_get_string(meta, "name"));
    free(map_put(&c->bodies, buf_view(&key), json_text(j, JSON_COMPACT)));
}

static void
add_assets(struct cluster *c, const char *prefix)
{
    struct asset f;

    for (unsigned i = 0; asset_under(prefix, i, &f); i++) {
        struct yaml_docs docs = {0};

        if (strstr(f.path, "expectations") ||
            !yaml_parse(f.data, NULL, &docs, NULL))
            continue;
        for (size_t d = 0; d < docs.n; d++)
            add(c, docs.v[d].value);
        yaml_docs_release(&docs);
    }
}

static struct str
get(void *arg, const char *api, const char *kind, const char *ns,
    const char *name, bool *known)
{
    AUTO(buf_release) struct buf key = BUF_INIT(2000);
    struct cluster *c = arg;

    *known = true;
    key_of(&key, api, kind, ns, name);
    return str_of(map_get(&c->bodies, buf_view(&key)));
}

static bool
each(void *arg, const char *api, const char *kind, const char *ns,
     const struct json *labels, mesh_body_fn *fn, void *fn_arg)
{
    AUTO(buf_release) struct buf prefix = BUF_INIT(2000);
    struct cluster *c = arg;

    (void)labels;
    key_of(&prefix, api, kind, ns ? ns : "", "");
    if (!ns)
        buf_truncate(&prefix, prefix.n - 2);
    for (struct map_entry *e = map_first(&c->bodies); e;
         e = map_next(&c->bodies, e)) {
        if (str_starts(e->key, buf_view(&prefix)) &&
            !fn(fn_arg, str_of(e->value)))
            break;
    }
    return true;
}

static bool
served(void *arg, const char *api, const char *kind, bool *namespaced)
{
    (void)arg;
    (void)api;
    *namespaced = strcmp(kind, "Mesh") != 0;
    return true;
}

static const char wanted[] =
    "apiVersion: meshifi.io/v1alpha1\nkind: DataProduct\n"
    "metadata: {name: returns, namespace: dm-shop}\n"
    "spec:\n"
    "  id: returns\n  name: Returns\n  description: What came back\n"
    "  dataDomainRef: shop\n"
    "  inputPorts: [{name: orders, product: {name: web-orders,\n"
    "    port: orders}, minVersion: 1.0.0}]\n"
    "  capabilities:\n"
    "  - {name: intake, type: database}\n"
    "  - {name: store, type: storage, dependsOn: [intake]}\n";

/* Processor time: this is work, not waiting, and the machine may be busy. */
static int64_t
cpu_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int
compare(const void *a, const void *b)
{
    const int64_t *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static size_t
plan_once(struct mesh_planner *p, const struct json *j)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct error err = {0};
    struct mesh_plan plan;

    if (!mesh_plan_apply(p, j, a, &plan, &err))
        die("%s", err.msg);
    size_t add_n = plan.add;

    mesh_plan_release(&plan);
    return add_n;
}

static void
say(const char *what, double value, const char *unit, double budget, bool ok)
{
    printf("%s  %-52s %10.1f %-4s (budget %g)\n",
           ok && value <= budget ? "OK  " : "MISS", what, value, unit, budget);
}

/* The same product under another name. */
static struct json *
named(const struct json *product, unsigned n)
{
    struct json *j = json_copy(product);
    char name[32];

    snprintf(name, sizeof(name), "returns-%04u", n);
    json_set_string(json_get(j, "metadata"), "name", name);
    json_set_string(json_get(j, "metadata"), "uid", name);
    json_set_string(json_get(j, "spec"), "id", name);
    return j;
}

static void
plan_many(struct mesh_planner *p, const struct json *product)
{
    int64_t start = cpu_us();
    size_t n = 0;

    for (unsigned i = 0; i < MANY; i++) {
        AUTO(json_free_ptr) struct json *j = named(product, i);

        n += plan_once(p, j);
    }
    say("plan of 100 products", (double)(cpu_us() - start) / 1000, "ms", 200,
        n == MANY * 12);
}

/* The Composition of products with an annotation more on one ConfigMap. */
static struct json *
changed_composition(struct cluster *c)
{
    static const char mark[] =
        "{{ setResourceNameAnnotation \\\"descriptor\\\" "
        "}}\\n";
    struct str text = str_of(
        map_get(&c->bodies, STR("apiextensions.crossplane.io/Composition//"
                                "dataproduct-core")));
    size_t at = str_find(text, str_of(mark), 0);
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    if (at == SIZE_MAX)
        die("the Composition has changed: mend this bench");
    at += strlen(mark);
    buf_str(&b, str_sub(text, 0, at));
    buf_puts(&b, "    example.org/new: added\\n");
    buf_str(&b, str_from(text, at));
    return json_parse(buf_view(&b), NULL, NULL);
}

static void
look_at_all(struct mesh_planner *before, struct cluster *c,
            const struct mesh_host *host, const struct json *product)
{
    struct overlay o = {.base = host};
    AUTO(json_free_ptr) struct json *composition = changed_composition(c);
    const struct mesh_host after_host = overlay_host(&o);
    struct mesh_planner *after = mesh_planner_new(&after_host);
    struct mesh_impact *impact = mesh_impact_new(before, after);

    overlay_put(&o, composition);
    int64_t start = cpu_us();

    for (unsigned i = 0; i < COMPOSITES; i++) {
        AUTO(json_free_ptr) struct json *j = named(product, i);

        mesh_impact_add(impact, j, NULL);
    }
    double s = (double)(cpu_us() - start) / 1e6;
    const struct mesh_impact_sum *sum = mesh_impact_sum(impact);

    say("upgrade impact on 5,000 products", s, "s", 20,
        sum->changed == COMPOSITES && sum->change == COMPOSITES &&
            sum->add + sum->destroy == 0);
    mesh_impact_free(impact);
    mesh_planner_free(after);
    overlay_release(&o);
}

int
main(void)
{
    struct cluster c = {0};
    const struct mesh_host host = {
        .arg = &c, .get = get, .each = each, .served = served};
    struct mesh_planner *p = mesh_planner_new(&host);
    AUTO(json_free_ptr)
    struct json *j = yaml_parse_one(str_of(wanted), NULL, NULL);
    static int64_t took[ROUNDS];

    add_assets(&c, "assets/mesh-core/");
    add_assets(&c, "examples/corner-shop/");
    int64_t start = cpu_us();
    size_t n = plan_once(p, j);
    int64_t first = cpu_us() - start;

    for (unsigned i = 0; i < ROUNDS; i++) {
        start = cpu_us();
        plan_once(p, j);
        took[i] = cpu_us() - start;
    }
    qsort(took, ROUNDS, sizeof(*took), compare);
    double us = (double)took[ROUNDS / 2];

    say("plan of one product (12 objects), median", us, "us", 2000, n == 12);
    say("the first one, which reads and compiles", (double)first, "us", 20000,
        true);
    plan_many(p, j);
    look_at_all(p, &c, &host, j);
    mesh_planner_free(p);
    map_release(&c.bodies, free);
    return 0;
}
