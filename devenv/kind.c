#include "devenv/kind.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/base/digest.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "lib/kube/kubeconfig.h"

#include "devenv/docker_exec.h"
#include "devenv/kind_config.h"

#define ADMIN_CONF "/etc/kubernetes/admin.conf"
#define API_PORT   6443
/* A container may be this much older than the word that it would be made:
 * the clock of an engine in a virtual machine. */
#define SKEW_S     600
#define CONFIG_MAX ((size_t)1 << 20)

/* ---- names ---- */

/* NAME-control-plane is a host name. */
#define WHOLE_MAX 41
#define CUT       32

void
kind_cluster_name(const char *profile, char out[KIND_NAME_SIZE])
{
    char hex[DIGEST_HEX_MAX];

    if (strlen(profile) <= WHOLE_MAX) {
        snprintf(out, KIND_NAME_SIZE, "meshtop-%s", profile);
        return;
    }
    digest_hex(DIGEST_SHA256, str_of(profile), hex);
    snprintf(out, KIND_NAME_SIZE, "meshtop-%.*s-%.8s", CUT, profile, hex);
}

/* ---- whose it is ---- */

static const char *
fact_of_node(const struct profile *p, const char *node)
{
    AUTO(mem_free_ptr) char *key = mem_printf("container/%s", node);

    return profile_fact(p, key);
}

/* By its id; or it came after we had said that one would come. */
static bool
node_is_ours(const struct profile *p, const struct docker_container *n)
{
    const char *id = fact_of_node(p, n->name);
    const char *intent = profile_fact(p, KIND_FACT_INTENT);
    int64_t since;

    if (id)
        return strcmp(id, n->id) == 0;
    return intent && str_to_i64(str_of(intent), &since) &&
           n->created_s >= since - SKEW_S;
}

static bool
all_ours(const struct profile *p, const struct docker_containers *nodes)
{
    for (size_t i = 0; i < nodes->n; i++) {
        if (!node_is_ours(p, &nodes->v[i]))
            return false;
    }
    return nodes->n > 0;
}

/* ---- looking ---- */

static bool
is_state(const struct docker_container *c, const char *state)
{
    return strcmp(c->state, state) == 0;
}

/* A node that was never started, or that the engine could not remove. */
static bool
never_lived(const struct docker_containers *nodes)
{
    for (size_t i = 0; i < nodes->n; i++) {
        if (is_state(&nodes->v[i], "created") || is_state(&nodes->v[i], "dead"))
            return true;
    }
    return false;
}

static bool
all_run(const struct docker_containers *nodes)
{
    for (size_t i = 0; i < nodes->n; i++) {
        if (!docker_is_running(&nodes->v[i]))
            return false;
    }
    return true;
}

static const struct docker_container *
control_plane(const struct docker_containers *nodes)
{
    for (size_t i = 0; i < nodes->n; i++) {
        const struct docker_container *c = &nodes->v[i];

        if (strcmp(docker_label(c, KIND_LABEL_ROLE), "control-plane") == 0)
            return c;
    }
    return NULL;
}

/* Did kubeadm write what the administrator needs? */
static bool
is_configured(struct docker *d, const struct docker_container *control,
              struct step_run *run, bool *yes, struct error *err)
{
    AUTO(buf_release) struct buf conf = BUF_INIT(CONFIG_MAX);
    struct error why = {0};

    *yes = docker_get_file(d, run, control->id, ADMIN_CONF, &conf, &why);
    if (*yes || why.code == ERR_NOT_FOUND)
        return true;
    if (err)
        *err = why;
    return false;
}

/* kind writes the kubeconfig last: while a creation is under way a cluster is
 * whole when the kubeconfig is there and fits. */
static bool
state_of(struct docker *d, const struct profile *p, struct step_run *run,
         struct kind_cluster *c, struct error *err)
{
    bool configured = false;

    c->state = KIND_HALF;
    if (!c->control || never_lived(&c->nodes))
        return true;
    if (profile_fact(p, KIND_FACT_INTENT) && !kind_kubeconfig_fits(c, p))
        return true;
    if (!is_configured(d, c->control, run, &configured, err))
        return false;
    if (configured)
        c->state = all_run(&c->nodes) ? KIND_RUNNING : KIND_STOPPED;
    return true;
}

bool
kind_look(struct docker *d, const struct profile *p, struct step_run *run,
          struct arena *a, struct kind_cluster *out, struct error *err)
{
    struct kind_cluster c = {.state = KIND_ABSENT};
    const char *adopted = profile_fact(p, KIND_FACT_ADOPTED);

    kind_cluster_name(p->name, c.name);
    AUTO(mem_free_ptr)
    char *label = mem_printf(KIND_LABEL_CLUSTER "=%s", c.name);

    if (!docker_containers(d, run, label, a, &c.nodes, err))
        return false;
    c.ours = all_ours(p, &c.nodes);
    c.adopted = c.nodes.n && adopted && strcmp(adopted, c.name) == 0;
    c.control = control_plane(&c.nodes);
    if (c.nodes.n && !state_of(d, p, run, &c, err))
        return false;
    *out = c;
    return true;
}

void
kind_describe(const struct kind_cluster *c, struct buf *out)
{
    static const char *const words[] = {
        [KIND_ABSENT] = "there is none",
        [KIND_STOPPED] = "it is stopped",
        [KIND_HALF] = "it was not made to its end",
        [KIND_RUNNING] = "it runs",
    };
    size_t n = c->nodes.n;

    buf_printf(out, "%s: %s", c->name, words[c->state]);
    if (n)
        buf_printf(out, ", %zu node%s", n, n == 1 ? "" : "s");
    for (size_t i = 0; i < n; i++) {
        if (!docker_is_running(&c->nodes.v[i]))
            buf_printf(out, "; %s: %s", c->nodes.v[i].name,
                       c->nodes.v[i].status);
    }
}

bool
kind_foreign(const struct kind_cluster *c, struct error *err)
{
    error_set(err, ERR_EXISTS,
              "a Kind cluster \"%s\" exists that meshtop did not make",
              c->name);
    error_remedy(err, "MT-CLUSTER-FOREIGN",
                 "meshtop up --profile OTHER     another name\n"
                 "meshtop up --adopt             use it; down leaves it there\n"
                 "kind delete cluster --name %s   if you do not need it",
                 c->name);
    return false;
}

/* ---- what is done to it ---- */

bool
kind_start(struct docker *d, const struct kind_cluster *c, struct step_run *run,
           struct error *err)
{
    for (size_t i = 0; i < c->nodes.n; i++) {
        const struct docker_container *n = &c->nodes.v[i];

        if (docker_is_running(n))
            continue;
        step_detail(run, "starting %s", n->name);
        if (!docker_start(d, run, n->id, err))
            return error_wrap(err, "starting %s", n->name);
    }
    return true;
}

static void
note_ids(const struct kind_cluster *c, bool ours, struct profile *p)
{
    for (size_t i = 0; i < c->nodes.n; i++) {
        AUTO(mem_free_ptr)
        char *key = mem_printf("container/%s", c->nodes.v[i].name);

        profile_set_fact(p, key, ours ? c->nodes.v[i].id : NULL);
    }
}

void
kind_forget_ids(struct profile *p)
{
    AUTO(strlist_release) struct strlist keys = {0};
    char name[KIND_NAME_SIZE];

    kind_cluster_name(p->name, name);
    AUTO(mem_free_ptr) char *prefix = mem_printf("container/%s-", name);

    for (struct json *f = json_first(p->facts); f; f = json_next(f)) {
        if (str_starts(str_of(json_key(f)), str_of(prefix)))
            strlist_add(&keys, str_of(json_key(f)));
    }
    for (size_t i = 0; i < keys.n; i++)
        profile_set_fact(p, keys.v[i], NULL);
}

bool
kind_own(const struct kind_cluster *c, bool adopt, struct profile *p,
         struct error *err)
{
    note_ids(c, !adopt, p);
    profile_set_fact(p, KIND_FACT_INTENT, NULL);
    profile_set_fact(p, KIND_FACT_ADOPTED, adopt ? c->name : NULL);
    return profile_save(p, err);
}

bool
kind_own_half(const struct kind_cluster *c, struct profile *p,
              struct error *err)
{
    if (c->ours)
        note_ids(c, true, p);
    if (!c->nodes.n)
        profile_set_fact(p, KIND_FACT_INTENT, NULL);
    return profile_save(p, err);
}

/* ---- the kubeconfig ---- */

/* "https://127.0.0.1:41234", in fresh memory; NULL: not published. Docker
 * Desktop names the port in a label. */
static char *
server_of(const struct kind_cluster *c)
{
    const struct docker_port *port;
    const char *desktop;

    if (!c->control)
        return NULL;
    desktop = docker_label(c->control, "desktop.docker.io/ports/6443/tcp");
    if (*desktop)
        return mem_printf("https://%s", desktop);
    port = docker_port(c->control, API_PORT);
    if (!port)
        return NULL;
    bool any = !*port->ip || strcmp(port->ip, "0.0.0.0") == 0;

    return mem_printf("https://%s:%d", any ? "127.0.0.1" : port->ip,
                      port->host);
}

bool
kind_kubeconfig_fits(const struct kind_cluster *c, const struct profile *p)
{
    AUTO(mem_free_ptr) char *server = server_of(c);
    AUTO(kube_config_free_ptr)
    struct kube_config *k = kube_config_load(p->kubeconfig, NULL);
    const char *current = k ? kube_config_current(k) : NULL;
    struct kube_context now;

    return server && current && kube_config_describe(k, current, &now) &&
           strcmp(now.server, server) == 0;
}

/* A list of one {name, KEY: value}; takes value. */
static void
one_named(struct json *root, const char *list, const char *name,
          const char *key, struct json *value)
{
    struct json *item =
        json_append(json_need_array(root, list), json_new_object());

    json_set_string(item, "name", name);
    json_set(item, key, value);
}

/* The administrator's configuration as seen from here. */
static struct json *
seen_from_here(const struct json *admin, const char *cluster,
               const char *server)
{
    const struct json *c = json_item(json_get(admin, "clusters"), 0);
    const struct json *u = json_item(json_get(admin, "users"), 0);
    const struct json *from = json_get(c, "cluster");
    AUTO(mem_free_ptr) char *name = mem_printf("kind-%s", cluster);
    struct json *k, *to;

    if (!json_is(from, JSON_OBJECT) ||
        !json_is(json_get(u, "user"), JSON_OBJECT))
        return NULL;
    k = json_new_object();
    json_set_string(k, "apiVersion", "v1");
    json_set_string(k, "kind", "Config");
    to = json_copy(from);
    json_set_string(to, "server", server);
    one_named(k, "clusters", name, "cluster", to);
    to = json_new_object();
    json_set_string(to, "cluster", name);
    json_set_string(to, "user", name);
    one_named(k, "contexts", name, "context", to);
    json_set_string(k, "current-context", name);
    one_named(k, "users", name, "user", json_copy(json_get(u, "user")));
    return k;
}

bool
kind_kubeconfig(struct docker *d, const struct kind_cluster *c,
                const struct profile *p, struct step_run *run,
                struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(CONFIG_MAX);
    AUTO(mem_free_ptr) char *server = server_of(c);
    AUTO(json_free_ptr) struct json *admin = NULL;
    AUTO(json_free_ptr) struct json *k = NULL;

    if (!server)
        return error_set(err, ERR_NOT_FOUND,
                         "%s publishes no port for the Kubernetes API",
                         c->name);
    if (!docker_get_file(d, run, c->control->id, ADMIN_CONF, &text, err))
        return false;
    admin = yaml_parse_one(buf_view(&text), NULL, err);
    if (!admin)
        return error_wrap(err, "%s of %s", ADMIN_CONF, c->control->name);
    k = seen_from_here(admin, c->name, server);
    if (!k)
        return error_set(err, ERR_PARSE, "%s of %s is no kubeconfig",
                         ADMIN_CONF, c->control->name);
    buf_reset(&text);
    return yaml_print(k, 0, &text) &&
           file_write(p->kubeconfig, buf_view(&text), 0600, err);
}
