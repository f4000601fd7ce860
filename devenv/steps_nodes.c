/*
 * The steps of `up` that look into a Kind cluster's nodes: are they ready, and
 * do they trust the registry they shall pull from.
 */
#include <stdio.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/crossplane_steps.h"
#include "devenv/docker_exec.h"
#include "devenv/docker_image.h"
#include "devenv/failure.h"
#include "devenv/kind_image.h"
#include "devenv/lock.h"
#include "devenv/up_steps.h"

#define NODES_LIMIT_MS 120000
#define PAUSE_MS       400
#define CA_MAX         ((size_t)1 << 20)

/* ---- nodes ---- */

static const struct json *
list_of(struct env *e, const char *path, struct json **answer,
        struct error *err)
{
    struct kube_request r = {.verb = KUBE_RAW_GET, .path = path};

    *answer = kube_client_wait_json(e->client, &r, err);
    return json_get(*answer, "items");
}

static const char *
name_of(const struct json *object)
{
    return json_string_or(json_at(object, "metadata", "name", NULL), "?");
}

/* Why a condition is not True: its message, else its reason. */
static void
why_not(const struct json *object, const char *type, struct buf *why)
{
    const struct json *c = env_condition(object, type);
    const char *message = json_get_string(c, "message");

    buf_printf(why, "%s is not %s: %s", name_of(object), type,
               message && *message
                   ? message
                   : json_string_or(json_get(c, "reason"), "no word of it"));
}

/* All objects of the list have the condition; the first that does not is why.
 * Fewer than at_least is "none yet". */
static bool
all_have(const struct json *items, const char *type, size_t at_least,
         const char *what, struct buf *why)
{
    if (json_len(items) < at_least) {
        buf_printf(why, "no %s yet", what);
        return false;
    }
    for (const struct json *o = json_first(items); o; o = json_next(o)) {
        if (!env_condition_true(o, type)) {
            why_not(o, type, why);
            return false;
        }
    }
    return true;
}

/* The containers' own words beat the pod's phase: "ImagePullBackOff". */
static const char *
waiting_reason(const struct json *pod)
{
    const struct json *all = json_at(pod, "status", "containerStatuses", NULL);

    for (const struct json *c = json_first(all); c; c = json_next(c)) {
        const char *reason =
            json_string(json_at(c, "state", "waiting", "reason", NULL));

        if (reason)
            return reason;
    }
    return json_string_or(json_at(pod, "status", "phase", NULL), "Unknown");
}

static bool
show_pods(struct env *e, struct step_run *run, struct error *err)
{
    AUTO(json_free_ptr) struct json *answer = NULL;
    const struct json *items =
        list_of(e, "/api/v1/namespaces/kube-system/pods", &answer, err);

    if (!answer)
        return false;
    for (const struct json *p = json_first(items); p; p = json_next(p)) {
        bool ready = env_condition_true(p, "Ready");

        step_part(run, name_of(p), ready ? STEP_DONE : STEP_RUNNING,
                  ready ? "" : waiting_reason(p));
    }
    return true;
}

/* False with an empty why: asking failed (err). */
static bool
nodes_ready(struct env *e, struct buf *why, struct error *err)
{
    AUTO(json_free_ptr) struct json *nodes = NULL;
    AUTO(json_free_ptr) struct json *deployments = NULL;
    const struct json *items = list_of(e, "/api/v1/nodes", &nodes, err);

    if (!nodes || !all_have(items, "Ready", 1, "node", why))
        return false;
    items = list_of(e, "/apis/apps/v1/namespaces/kube-system/deployments",
                    &deployments, err);
    return deployments && all_have(items, "Available", 1, "deployment", why);
}

enum step_verdict
up_nodes_check(void *context, struct step_run *run)
{
    struct up *up = context;
    AUTO(buf_release) struct buf why = BUF_INIT(1024);

    if (nodes_ready(up->env, &why, NULL))
        return STEP_IS_DONE;
    step_detail(run, "%s", buf_cstr(&why));
    return STEP_IS_TODO;
}

bool
up_nodes(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;
    int64_t tries = NODES_LIMIT_MS / PAUSE_MS;

    for (;;) {
        AUTO(buf_release) struct buf why = BUF_INIT(1024);
        bool ready = nodes_ready(up->env, &why, err);

        if ((!ready && !why.n) || !show_pods(up->env, run, err))
            return false;
        step_detail(run, "%s", ready ? "" : buf_cstr(&why));
        if (ready)
            return true;
        if (!tries--) {
            error_set(err, ERR_TIMEOUT, "the nodes are not ready: %s",
                      buf_cstr(&why));
            if (err)
                failure_remedy(err, "MT-KUBEADM");
            return false;
        }
        if (!step_pause(run, PAUSE_MS, err))
            return false;
    }
}

/* ---- proxy ----
 *
 * A pod that starts before kube-proxy has written its rules does not find the
 * API server, fails, and is tried again only after a while.
 */

/* Every node has its kube-proxy; so has a cluster that uses none. */
static bool
proxy_runs(struct env *e, struct buf *why)
{
    struct kube_request r = {.gvr = {"apps", "v1", "daemonsets"},
                             .ns = "kube-system",
                             .name = "kube-proxy"};
    struct error err = {0};
    AUTO(json_free_ptr)
    struct json *d = kube_client_wait_json(e->client, &r, &err);
    const struct json *status = json_get(d, "status");
    int64_t want = json_int64_or(json_get(status, "desiredNumberScheduled"), 0);
    int64_t ready = json_int64_or(json_get(status, "numberReady"), 0);

    if (!d && err.code == ERR_NOT_FOUND)
        return true;
    if (d && want && ready >= want)
        return true;
    buf_printf(why, "%s", d ? "kube-proxy is not ready" : err.msg);
    return false;
}

enum step_verdict
up_proxy_check(void *context, struct step_run *run)
{
    struct up *up = context;
    AUTO(buf_release) struct buf why = BUF_INIT(1024);

    if (proxy_runs(up->env, &why))
        return STEP_IS_DONE;
    step_detail(run, "%s", buf_cstr(&why));
    return STEP_IS_TODO;
}

bool
up_proxy(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;

    for (int64_t left = NODES_LIMIT_MS / PAUSE_MS; left > 0; left--) {
        AUTO(buf_release) struct buf why = BUF_INIT(1024);

        if (proxy_runs(up->env, &why)) {
            step_detail(run, "%s", "");
            return true;
        }
        step_detail(run, "%s", buf_cstr(&why));
        if (!step_pause(run, PAUSE_MS, err))
            return false;
    }
    error_set(err, ERR_TIMEOUT, "the nodes' kube-proxy does not start");
    if (err)
        failure_remedy(err, "MT-KUBEADM");
    return false;
}

/* ---- images ----
 *
 * What the nodes will need and the engine has already need not be fetched a
 * second time. Without a mirror only: from a mirror images have other names.
 */

/* Crossplane's image by the lock, when it is in the engine and a node lacks
 * it; else NULL. */
static char *
image_to_bring(struct up *up, const struct kind_cluster *c,
               struct step_run *run, struct arena *a)
{
    AUTO(lock_release) struct lock lock = {0};
    const struct lock_entry *e;
    struct docker_image image;

    if (up_mirror(up) || !lock_load(&lock, NULL))
        return NULL;
    e = lock_find(&lock, "crossplane", up->options->crossplane);
    if (!e || !docker_image(up->docker, run, e->ref, a, &image, NULL))
        return NULL;
    for (size_t i = 0; i < c->nodes.n; i++) {
        bool has = true;

        if (kind_image_in_node(up->docker, c->nodes.v[i].id, e->ref, run, &has,
                               NULL) &&
            !has)
            return mem_strdup(e->ref);
    }
    return NULL;
}

static char *
look_for_images(struct up *up, struct step_run *run, struct arena *a,
                struct kind_cluster *c, struct error *err)
{
    if (!kind_look(up->docker, &up->env->profile, run, a, c, err))
        return NULL;
    return image_to_bring(up, c, run, a);
}

enum step_verdict
up_images_check(void *context, struct step_run *run)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct kind_cluster c;
    AUTO(mem_free_ptr) char *ref = look_for_images(context, run, a, &c, NULL);

    step_detail(run, "%s", ref ? ref : "nothing the engine could give");
    return ref ? STEP_IS_TODO : STEP_IS_DONE;
}

bool
up_images(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct kind_cluster c;
    AUTO(mem_free_ptr) char *ref = look_for_images(up, run, a, &c, err);

    return !ref || kind_image_preload(up->docker, &c, ref, run, err);
}

/* ---- registry-trust ----
 *
 * containerd asks /etc/containerd/certs.d/HOST/hosts.toml where images of HOST
 * come from: the mirror for itself, and for the registries it stands for. No
 * restart is needed: the file is read at each pull.
 */
#define CERTS_D "/etc/containerd/certs.d"

static const char *const mirrored[] = {"xpkg.crossplane.io", NULL};

struct trust {
    struct docker *docker;
    struct step_run *run;
    const char *host;   /* of the mirror, with its port */
    const char *prefix; /* "a/b", or "" */
    struct buf ca;      /* PEM, or empty: the node's own CAs */
};

/* A host goes into paths and TOML: letters, digits and . - : [ ] only. */
static bool
host_is_fine(const char *host)
{
    static const char fine[] = "abcdefghijklmnopqrstuvwxyz"
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";

    return *host && *host != '.' && host[strspn(host, fine)] == '\0';
}

static bool
prefix_is_fine(const char *prefix)
{
    static const char fine[] = "abcdefghijklmnopqrstuvwxyz0123456789._-/";

    return prefix[strspn(prefix, fine)] == '\0' && !strstr(prefix, "..");
}

static void
hosts_toml(const struct trust *t, bool is_mirror, struct buf *out)
{
    bool moved = !is_mirror && *t->prefix;
    AUTO(mem_free_ptr)
    char *url = moved ? mem_printf("https://%s/v2/%s", t->host, t->prefix)
                      : mem_printf("https://%s", t->host);

    buf_printf(out,
               "server = \"%s\"\n\n[host.\"%s\"]\n"
               "  capabilities = [\"pull\", \"resolve\"]\n",
               url, url);
    if (moved)
        buf_puts(out, "  override_path = true\n");
    if (t->ca.n)
        buf_printf(out, "  ca = \"" CERTS_D "/%s/ca.crt\"\n", t->host);
}

static bool
make_folder(const struct trust *t, const char *node, const char *folder,
            struct error *err)
{
    const char *const argv[] = {"mkdir", "-p", folder, NULL};
    struct docker_exec x = {.argv = argv};
    int status = 0;

    if (!docker_exec(t->docker, t->run, node, &x, &status, NULL, NULL, err))
        return false;
    return status == 0 || error_set(err, ERR_IO, "mkdir %s in %s ended with %d",
                                    folder, node, status);
}

static bool
has_file(const struct trust *t, const char *node, const char *path,
         struct str want)
{
    AUTO(buf_release) struct buf have = BUF_INIT(CA_MAX);

    return docker_get_file(t->docker, t->run, node, path, &have, NULL) &&
           str_eq(buf_view(&have), want);
}

/* Looks at (put false) or writes one registry's files in a node. */
static bool
trust_registry(const struct trust *t, const char *node, const char *registry,
               bool put, struct error *err)
{
    AUTO(mem_free_ptr) char *folder = mem_printf(CERTS_D "/%s", registry);
    AUTO(mem_free_ptr) char *hosts = file_join(folder, "hosts.toml");
    AUTO(mem_free_ptr) char *ca = file_join(folder, "ca.crt");
    AUTO(buf_release) struct buf toml = BUF_INIT(8192);
    bool is_mirror = strcmp(registry, t->host) == 0;
    bool with_ca = is_mirror && t->ca.n;

    hosts_toml(t, is_mirror, &toml);
    if (!put)
        return has_file(t, node, hosts, buf_view(&toml)) &&
               (!with_ca || has_file(t, node, ca, buf_view(&t->ca)));
    return make_folder(t, node, folder, err) &&
           (!with_ca || docker_put_file(t->docker, t->run, node, ca, 0644,
                                        buf_view(&t->ca), err)) &&
           docker_put_file(t->docker, t->run, node, hosts, 0644,
                           buf_view(&toml), err);
}

static bool
trust_node(const struct trust *t, const char *node, bool put, struct error *err)
{
    if (!trust_registry(t, node, t->host, put, err))
        return false;
    for (size_t i = 0; mirrored[i]; i++) {
        if (!trust_registry(t, node, mirrored[i], put, err))
            return false;
    }
    return true;
}

static bool
trust_all(struct up *up, struct step_run *run, bool put, struct error *err)
{
    const char *mirror = up_mirror(up), *file = up_mirror_ca(up);
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    AUTO(mem_free_ptr) char *host = mem_strdup(mirror);
    AUTO(buf_release) struct buf ca = BUF_INIT(CA_MAX);
    char *slash = strchr(host, '/');
    struct trust t = {.docker = up->docker, .run = run, .host = host};
    struct kind_cluster c;

    if (slash)
        *slash = '\0';
    t.prefix = slash ? slash + 1 : "";
    if (!host_is_fine(host) || !prefix_is_fine(t.prefix))
        return error_set(err, ERR_USAGE,
                         "--registry-mirror %.200s: expected "
                         "HOST[:PORT][/PREFIX]",
                         mirror);
    if ((file && !file_read(file, &ca, err)) ||
        !kind_look(up->docker, &up->env->profile, run, a, &c, err))
        return false;
    t.ca = ca;
    for (size_t i = 0; i < c.nodes.n; i++) {
        step_detail(run, "%s", c.nodes.v[i].name);
        if (!trust_node(&t, c.nodes.v[i].id, put, err))
            return false;
    }
    return true;
}

enum step_verdict
up_registry_trust_check(void *context, struct step_run *run)
{
    struct up *up = context;

    const char *ca = up_mirror_ca(up);

    if (!up_mirror(up)) {
        step_detail(run, "no mirror asked for");
        return STEP_IS_DONE;
    }
    if (ca && !up->options->registry_ca && !file_exists(ca)) {
        step_detail(run, "%s is gone: the nodes keep what they have", ca);
        return STEP_IS_DONE;
    }
    return trust_all(up, run, false, NULL) ? STEP_IS_DONE : STEP_IS_TODO;
}

bool
up_registry_trust(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;

    if (!trust_all(up, run, true, err))
        return false;
    step_detail(run, "%s", up_mirror(up));
    return true;
}
