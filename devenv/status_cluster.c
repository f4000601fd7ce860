/* What the cluster says: that it answers, what runs on it, how the mesh is. */
#include <stdlib.h>

#include "lib/base/arena.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "lib/kube/client.h"

#include "lib/mesh/health.h"
#include "lib/mesh/live.h"
#include "lib/mesh/why.h"

#include "devenv/env.h"
#include "devenv/lock.h"
#include "devenv/package.h"
#include "devenv/status_probe.h"

#define SANDBOX_MARK "meshtop-sandbox-"
#define CAUSES_MAX   20

struct cluster {
    struct probing *s;
    struct kube_client *client;
    struct lock lock;
    struct manifest_set functions; /* what the packages ask for */
};

/* ---- it answers ---- */

static bool
answers(struct cluster *c)
{
    struct json *j = json_need_object(c->s->doc, "cluster");
    struct kube_request version = {.verb = KUBE_RAW_GET, .path = "/version"};
    struct kube_request ready = {.verb = KUBE_RAW_GET, .path = "/readyz"};
    struct error why = {0};
    /* The first request pays for the connection. */
    AUTO(json_free_ptr)
    struct json *said = kube_client_wait_json(c->client, &version, &why);
    int64_t before = clock_mono_us();

    if (!said || !kube_client_wait(c->client, &ready, NULL, &why)) {
        probe_error(c->s, "cluster", &why);
        probe_trouble(c->s, TROUBLE_OF_CLUSTER, "dead", 0, why.msg,
                      *why.remedy ? why.remedy : "meshtop up repairs it");
        return false;
    }
    json_set_int(j, "latencyMicros", clock_mono_us() - before);
    json_set_string(j, "version",
                    json_string_or(json_get(said, "gitVersion"), "?"));
    return true;
}

/* ---- versions ---- */

static void
add_server_version(struct cluster *c)
{
    const char *have =
        json_string_or(json_at(c->s->doc, "cluster", "version", NULL), "");
    const char *ours = strstr(have, SANDBOX_MARK);

    if (ours)
        probe_version(c->s, "meshtop sandbox", ours + strlen(SANDBOX_MARK),
                      MESHTOP_VERSION);
    else
        probe_version(c->s, "kubernetes", have, NULL);
}

static void
add_crossplane(struct cluster *c)
{
    struct kube_request r = {.gvr = {"apps", "v1", "deployments"},
                             .ns = "crossplane-system",
                             .name = "crossplane"};
    AUTO(json_free_ptr)
    struct json *deployment = kube_client_wait_json(c->client, &r, NULL);
    const struct json *containers =
        json_at(deployment, "spec", "template", "spec", "containers", NULL);
    const struct lock_entry *want = lock_default(&c->lock, "crossplane");

    if (!deployment)
        return;
    AUTO(mem_free_ptr)
    char *tag = env_image_tag(
        json_string_or(json_get(json_first(containers), "image"), ""));

    probe_version(c->s, "crossplane", tag, want ? want->version : NULL);
}

/* ---- functions ---- */

/* The package our own manifest names; NULL: not one of ours. */
static const char *
wanted_package(const struct cluster *c, const char *function)
{
    for (size_t i = 0; i < c->functions.n; i++) {
        const struct manifest *m = &c->functions.v[i];

        if (strcmp(m->name, function) == 0)
            return json_string(json_at(m->object, "spec", "package", NULL));
    }
    return NULL;
}

static bool
add_function(void *arg, struct str item)
{
    struct cluster *c = arg;
    AUTO(json_free_ptr) struct json *f = json_parse(item, NULL, NULL);
    const char *name =
        json_string_or(json_at(f, "metadata", "name", NULL), "?");
    const char *package =
        json_string_or(json_at(f, "status", "currentIdentifier", NULL), "");
    const char *want = wanted_package(c, name);
    bool installed = env_condition_true(f, "Installed");
    bool ok = installed && env_condition_true(f, "Healthy");
    const struct json *bad =
        env_condition(f, installed ? "Healthy" : "Installed");
    struct json *j =
        json_append(json_need_array(c->s->doc, "functions"), json_new_object());
    AUTO(mem_free_ptr) char *tag = env_image_tag(package);
    AUTO(mem_free_ptr) char *want_tag = want ? env_image_tag(want) : NULL;

    json_set_string(j, "name", name);
    json_set_string(j, "package", package);
    json_set_bool(j, "ok", ok);
    json_set_string(j, "message",
                    ok ? "" : json_string_or(json_get(bad, "message"), ""));
    if (*tag)
        probe_version(c->s, name, tag, want_tag);
    return true;
}

static void
add_functions(struct cluster *c)
{
    struct kube_request r = {.gvr = {"pkg.crossplane.io", "v1", "functions"}};
    const struct profile *p = c->s->ask->profile;

    for (size_t i = 0; p && i < p->packages.n; i++)
        package_load(&c->functions, p->packages.v[i], PACKAGE_FUNCTIONS, NULL);
    kube_client_wait_list(c->client, &r, add_function, c, NULL);
}

/* ---- the mesh ---- */

static const struct {
    const char *key, *plural;
    enum mesh_role role;
} kinds[] = {
    {"domains", "datadomains", MESH_ROLE_DOMAIN},
    {"contracts", "datacontracts", MESH_ROLE_CONTRACT},
    {"products", "dataproducts", MESH_ROLE_PRODUCT},
};

struct tally {
    size_t total, ok, waiting, failing;
};

static void
count(struct tally *t, enum mesh_health h)
{
    t->total++;
    t->ok += h == MESH_OK;
    t->failing += h == MESH_FAIL || h == MESH_MISSING;
    t->waiting += h != MESH_OK && h != MESH_FAIL && h != MESH_MISSING;
}

static bool
count_item(void *arg, struct str item)
{
    AUTO(json_free_ptr) struct json *j = json_parse(item, NULL, NULL);
    struct mesh_health_facts facts;

    mesh_health_of(j, true, &facts);
    count(arg, facts.health);
    return true;
}

/* True when there is something and all of it is well. */
static bool
add_tallies(struct json *mesh, const struct tally t[ARRAY_LEN(kinds)])
{
    size_t total = 0, ok = 0;

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct json *j = json_need_object(mesh, kinds[i].key);

        json_set_int(j, "total", (int64_t)t[i].total);
        json_set_int(j, "ok", (int64_t)t[i].ok);
        json_set_int(j, "waiting", (int64_t)t[i].waiting);
        json_set_int(j, "failing", (int64_t)t[i].failing);
        total += t[i].total;
        ok += t[i].ok;
    }
    json_set_bool(mesh, "ready", total > 0 && ok == total);
    return total > 0 && ok == total;
}

/* By the objects' own words, kind by kind. */
static void
add_mesh_brief(struct cluster *c)
{
    struct tally t[ARRAY_LEN(kinds)] = {0};
    struct error why = {0};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct kube_request r = {
            .gvr = {"meshifi.io", "v1alpha1", kinds[i].plural}};

        if (kube_client_wait_list(c->client, &r, count_item, &t[i], &why))
            continue;
        probe_error(c->s, "mesh", &why);
        return;
    }
    add_tallies(json_need_object(c->s->doc, "mesh"), t);
}

static void
add_attention(struct json *mesh, struct mesh *m)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct json *list = json_need_array(mesh, "attention");
    struct mesh_causes causes;

    mesh_attention(m, a, &causes);
    for (size_t i = 0; i < MIN(causes.n, CAUSES_MAX); i++) {
        struct json *j = json_append(list, json_new_object());

        json_set_string(j, "health", mesh_health_word(causes.v[i].health));
        json_set_string(j, "text", causes.v[i].text);
        json_set_string(j, "hint", causes.v[i].hint);
        json_set_int(j, "hits", (int64_t)causes.v[i].hits_n);
    }
    json_set_int(mesh, "attentionMore",
                 (int64_t)(causes.n - MIN(causes.n, CAUSES_MAX) + causes.more));
}

/* With all that is composed below, and the causes. */
static void
add_mesh(struct cluster *c)
{
    AUTO(mesh_live_free_ptr) struct mesh_live *live = NULL;
    struct tally t[ARRAY_LEN(kinds)] = {0};
    struct mesh_live_state state;
    struct error why = {0};

    kube_client_set_once(c->client, true);
    live = mesh_live_new(c->client, NULL, &why);
    if (!live || !mesh_live_wait(live, probe_left(c->s), &why)) {
        probe_error(c->s, "mesh", &why);
        return;
    }
    mesh_live_state(live, &state);
    if (state.no_mesh) {
        error_set(&why, ERR_NOT_FOUND, "no mesh is installed on it");
        probe_error(c->s, "mesh", &why);
        return;
    }
    struct json *mesh = json_need_object(c->s->doc, "mesh");
    struct mesh *m = mesh_live_model(live);

    mesh_settle(m);
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
        for (size_t i = 0; i < mesh_role_count(m, kinds[k].role); i++)
            count(&t[k], mesh_item_health(mesh_role_at(m, kinds[k].role, i)));
    }
    add_tallies(mesh, t);
    add_attention(mesh, m);
}

/* ---- all of it ---- */

/* Which cluster, before anything is asked. NULL: it cannot be known. */
static struct kube_access *
open_access(struct probing *s, struct error *err)
{
    const struct profile *p = s->ask->profile;
    const char *context =
        p ? (*p->context ? p->context : NULL) : s->ask->context;
    const char *file = p ? p->kubeconfig : s->ask->kubeconfig;
    struct json *j = json_need_object(s->doc, "cluster");
    struct kube_access *access = kube_access_open(file, context, err);

    if (file)
        json_set_string(j, "kubeconfig", file);
    if (access) {
        json_set_string(j, "context", access->context ? access->context : "");
        json_set_string(j, "server", access->server ? access->server : "");
    }
    return access;
}

static void
ask_cluster(struct cluster *c)
{
    if (!answers(c))
        return;
    add_server_version(c);
    add_crossplane(c);
    add_functions(c);
    if (c->s->ask->brief)
        add_mesh_brief(c);
    else
        add_mesh(c);
}

void
probe_cluster(struct probing *s, struct step_run *run UNUSED)
{
    struct cluster c = {.s = s};
    struct kube_client_options o = {.read_only = true,
                                    .timeout_ms = probe_left(s)};
    const struct profile *p = s->ask->profile;
    struct error why = {0};

    if (p && !file_exists(p->kubeconfig)) {
        probe_trouble(s, TROUBLE_OF_CLUSTER, "unfinished", 0,
                      "the last up did not come to a "
                      "cluster",
                      "meshtop up");
        return;
    }
    AUTO(kube_access_free_ptr)
    struct kube_access *access = open_access(s, &why);

    c.client = access ? kube_client_new(s->ask->loop, access, &o, &why) : NULL;
    if (c.client) {
        lock_load(&c.lock, NULL);
        ask_cluster(&c);
    } else {
        probe_error(s, "cluster", &why);
        probe_trouble(s, TROUBLE_OF_CLUSTER, "dead", 0, why.msg, why.remedy);
    }
    kube_client_free(c.client);
    lock_release(&c.lock);
    manifest_release(&c.functions);
}
