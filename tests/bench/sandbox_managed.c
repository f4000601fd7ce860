/*
 * sandbox_managed - what the simulated provider costs, without TLS and without
 * a disk: 5,000 datasets, each created in the cloud, tracked, told and Ready.
 * The budget is a tenth of what 5,000 products may take (docs: 30 s).
 */
#include <stdio.h>
#include <sys/resource.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/control.h"
#include "devenv/sandbox/hub.h"
#include "devenv/sandbox/registry_state.h"

#define OBJECTS  5000
#define BUDGET_S 3.0

static const char object[] =
    "{\"apiVersion\":\"bigquery.gcp.m.upbound.io/v1beta1\",\"kind\":"
    "\"Dataset\",\"metadata\":{\"name\":\"d%05d\"},\"spec\":{\"forProvider\":{"
    "\"project\":\"p\",\"location\":\"EU\",\"friendlyName\":\"n%d\"}}}";

static double
cpu_s(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

static void
create_all(struct registry *r)
{
    const struct kind *k =
        registry_kind(r, "bigquery.gcp.m.upbound.io/v1beta1", "Dataset");
    const struct registry_write w = {.manager = "bench"};

    for (int i = 0; i < OBJECTS; i++) {
        struct status st = {0};
        AUTO(mem_free_ptr) char *text = mem_printf(object, i, i);
        struct json *made = registry_create(
            r, k, &w, "default", json_parse(str_of(text), NULL, NULL), &st);

        if (!made)
            die("%s", st.message);
        json_free(made);
    }
}

static bool
count_ready(void *arg, struct str text)
{
    *(size_t *)arg += str_contains(text, STR("\"reason\":\"Available\""));
    return true;
}

int
main(void)
{
    struct error err = {0};
    struct status st = {0};
    struct loop *loop = loop_new(&err);
    struct registry_options o = {.loop = loop,
                                 .clock = clock_system(),
                                 .store = store_open(":memory:", NULL, &err)};
    struct control_options co = {.loop = loop, .clock = clock_system()};
    size_t ready = 0;
    uint64_t before;
    double start;

    o.hub = hub_new(loop, o.store);
    co.registry = registry_new(&o, &err);
    struct control *c = co.registry ? control_new(&co, &err) : NULL;

    if (!c)
        die("%s", err.msg);
    create_all(co.registry);
    before = registry_revision(co.registry);
    start = cpu_s();
    for (int idle = 0; idle < 3;) {
        idle = control_turn(c) || !control_idle(c) ? 0 : idle + 1;
        store_commit(o.store, &err);
        hub_turn(o.hub);
        loop_turn(loop, 0);
    }
    start = cpu_s() - start;
    registry_list(co.registry,
                  registry_kind(co.registry,
                                "bigquery.gcp.m.upbound.io/v1beta1", "Dataset"),
                  NULL, NULL, count_ready, &ready, &st);
    printf("%s  5,000 managed resources created and Ready, processor %10.2f s"
           "    (budget %.0f)\n",
           start <= BUDGET_S && ready == OBJECTS ? "OK  " : "MISS", start,
           BUDGET_S);
    printf("      %zu Ready, %.1f writes and %.0f us each\n", ready,
           (double)(registry_revision(co.registry) - before) / OBJECTS,
           start * 1e6 / OBJECTS);
    control_free(c);
    registry_free(co.registry);
    hub_free(o.hub);
    store_close(o.store);
    loop_free(loop);
    return 0;
}
