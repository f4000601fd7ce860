/*
 * control_world.h - a sandbox without its server, for the tests of the
 * controllers: registry and controllers over a store in memory and a clock
 * that only moves when told.
 */
#ifndef TESTS_UNIT_SANDBOX_CONTROL_WORLD_H
#define TESTS_UNIT_SANDBOX_CONTROL_WORLD_H

#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "lib/compose/conditions.h"

#include "devenv/sandbox/control.h"
#include "devenv/sandbox/hub.h"
#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/registry_state.h"
#include "devenv/sandbox/store.h"

#include "tests/unit/test.h"

struct world {
    struct loop *loop;
    struct clock clock;
    struct store *store;
    struct hub *hub;
    struct registry *registry;
    struct control *control;
};

static inline void
start_control(struct world *w)
{
    struct error err = {0};
    const struct control_options o = {.registry = w->registry,
                                      .loop = w->loop,
                                      .clock = &w->clock,
                                      .provider_delay_ms = 0};

    w->control = control_new(&o, &err);
    if (!w->control)
        fail_msg("%s", err.msg);
}

static inline int
set_up(void **state)
{
    struct world *w = calloc(1, sizeof(*w));
    struct error err = {0};

    clock_fake(&w->clock, 1763700000000);
    w->loop = loop_new(&err);
    w->store = store_open(":memory:", NULL, &err);
    assert_non_null(w->store);
    w->hub = hub_new(w->loop, w->store);
    const struct registry_options o = {
        .loop = w->loop, .clock = &w->clock, .store = w->store, .hub = w->hub};

    w->registry = registry_new(&o, &err);
    if (!w->registry)
        fail_msg("%s", err.msg);
    start_control(w);
    *state = w;
    return 0;
}

static inline int
tear_down(void **state)
{
    struct world *w = *state;

    control_free(w->control);
    registry_free(w->registry);
    hub_free(w->hub);
    store_close(w->store);
    loop_free(w->loop);
    free(w);
    return 0;
}

/* Until nothing is left to do now. */
static inline void
settle(struct world *w)
{
    struct error err;

    for (int i = 0; i < 1000; i++) {
        bool more = control_turn(w->control);

        more = registry_turn(w->registry) || more;

        assert_true(store_commit(w->store, &err));
        hub_turn(w->hub);
        loop_turn(w->loop, 0);
        if (!more && control_idle(w->control) && i > 2)
            return;
    }
    fail_msg("it does not come to rest");
}

/* At rest: another look at an object writes nothing. */
static inline void
expect_rest(struct world *w, enum job_kind job, const char *group,
            const char *plural, const char *ns, const char *name)
{
    uint64_t rev = registry_revision(w->registry);

    control_add(w->control, job, group, plural, ns, name);
    settle(w);
    assert_int_equal(registry_revision(w->registry), rev);
}

static inline void
apply(struct world *w, const char *yaml)
{
    struct yaml_docs docs = {0};
    struct error err;
    const struct registry_write how = {.manager = "test", .force = true};

    if (!yaml_parse(str_of(yaml), NULL, &docs, &err))
        fail_msg("%s", err.msg);
    for (size_t i = 0; i < docs.n; i++) {
        const struct json *obj = docs.v[i].value;
        const struct kind *k =
            registry_kind(w->registry, kobj_api_version(obj), kobj_kind(obj));
        struct status st = {0};

        if (!k)
            fail_msg("%s is not served", kobj_kind(obj));
        struct json *stored =
            registry_apply(w->registry, k, &how, kobj_namespace(obj), obj, &st);

        if (!stored)
            fail_msg("%s", st.message);
        json_free(stored);
    }
    yaml_docs_release(&docs);
    settle(w);
}

static inline struct json *
get(struct world *w, const char *api_version, const char *kind,
    const char *name)
{
    const struct kind *k = registry_kind(w->registry, api_version, kind);

    return k ? registry_get(w->registry, k, k->namespaced ? "ns" : "", name)
             : NULL;
}

static inline void
expect_condition(const struct json *obj, const char *type, const char *want)
{
    const struct json *c = condition_get(obj, type);
    char got[1200];

    snprintf(got, sizeof(got), "%s %s %s",
             json_string_or(json_get(c, "status"), "-"),
             json_string_or(json_get(c, "reason"), "-"),
             json_string_or(json_get(c, "message"), ""));
    assert_string_equal(got, want);
}

/* Every event about an object, "Type Reason message\n" each, oldest first. */
static inline char *
events_of(struct world *w, const char *name)
{
    const struct kind *k = registry_kind(w->registry, "v1", "Event");
    struct status st = {0};
    AUTO(json_free_ptr)
    struct json *all = registry_list_json(w->registry, k, NULL, NULL, &st);
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    for (const struct json *e = json_first(all); e; e = json_next(e)) {
        if (strcmp(
                json_string_or(json_at(e, "involvedObject", "name", NULL), ""),
                name) != 0)
            continue;
        buf_printf(&b, "%s %s %s\n", json_get_string(e, "type"),
                   json_get_string(e, "reason"), json_get_string(e, "message"));
    }
    return mem_strdup(buf_cstr(&b));
}

static inline void
expect_event(struct world *w, const char *name, const char *line)
{
    AUTO(mem_free_ptr) char *all = events_of(w, name);

    if (!strstr(all, line))
        fail_msg("no \"%s\" among\n%s", line, all);
}

/* Asks for a deletion; NULL: granted, else why not. */
static inline char *
try_delete(struct world *w, const char *api_version, const char *kind,
           const char *name)
{
    const struct kind *k = registry_kind(w->registry, api_version, kind);
    AUTO(status_release) struct status st = {0};

    if (registry_delete(w->registry, k, k->namespaced ? "ns" : "", name, NULL,
                        NULL, &st)) {
        settle(w);
        return NULL;
    }
    settle(w);
    return mem_printf("%d %s", st.code, st.message);
}

static inline void
must_delete(struct world *w, const char *api_version, const char *kind,
            const char *name)
{
    AUTO(mem_free_ptr) char *why = try_delete(w, api_version, kind, name);

    if (why)
        fail_msg("%s", why);
}

#endif
