#include "devenv/docker_network.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/docker_call.h"

/* ---- reading ---- */

static void
read_subnets(const struct json *config, struct arena *a,
             struct docker_network *n)
{
    size_t cap = json_len(config);

    n->subnets = cap ? arena_array(a, cap, sizeof(*n->subnets)) : NULL;
    for (struct json *p = json_first(config); p; p = json_next(p))
        n->subnets[n->subnets_n++] = docker_text(a, p, "Subnet");
}

static void
read_network(const struct json *j, struct arena *a, struct docker_network *n)
{
    const struct json *containers = json_get(j, "Containers");
    size_t cap = json_is(containers, JSON_OBJECT) ? json_len(containers) : 0;

    *n = (struct docker_network){
        .id = docker_text(a, j, "Id"),
        .name = docker_text(a, j, "Name"),
        .driver = docker_text(a, j, "Driver"),
    };
    read_subnets(json_at(j, "IPAM", "Config", NULL), a, n);
    n->labels = docker_pairs(a, json_get(j, "Labels"), &n->labels_n);
    n->containers = cap ? arena_array(a, cap, sizeof(*n->containers)) : NULL;
    for (struct json *p = cap ? json_first(containers) : NULL; p;
         p = json_next(p))
        n->containers[n->containers_n++] = (struct docker_pair){
            docker_text(a, p, "Name"), docker_text(a, p, "IPv4Address")};
}

bool
docker_networks(struct docker *d, struct step_run *run, const char *name,
                struct arena *a, struct docker_networks *out, struct error *err)
{
    AUTO(json_free_ptr)
    struct json *j = docker_call_list(d, run, "/networks", "", NULL, JSON_ARRAY,
                                      "list networks", err);
    struct docker_networks l = {0};

    if (!j)
        return false;
    l.v = arena_array(a, MAX(json_len(j), 1), sizeof(*l.v));
    for (struct json *p = json_first(j); p; p = json_next(p)) {
        if (!json_is(p, JSON_OBJECT))
            continue;
        read_network(p, a, &l.v[l.n]);
        /* Not by the engine's filter: Docker's finds parts of names, Podman's
         * does not know the name it gives its default network here. */
        l.n += !name || strcmp(l.v[l.n].name, name) == 0;
    }
    *out = l;
    return true;
}

bool
docker_network(struct docker *d, struct step_run *run, const char *id,
               struct arena *a, struct docker_network *out, struct error *err)
{
    AUTO(buf_release) struct buf path = BUF_INIT(4096);
    AUTO(mem_free_ptr) char *doing = mem_printf("look at network %s", id);
    AUTO(json_free_ptr) struct json *j = NULL;
    struct docker_request q = {.doing = doing};

    buf_puts(&path, "/networks/");
    docker_segment(&path, id);
    q.path = buf_cstr(&path);
    j = docker_call_json(d, run, &q, err);
    if (!j || !docker_expect(j, JSON_OBJECT, doing, err))
        return false;
    read_network(j, a, out);
    return true;
}

/* ---- acting ---- */

/* Sends it; a refusal that fine knows is a success. */
static bool
act(struct docker *d, struct step_run *run, const struct docker_request *q,
    bool (*fine)(const struct error *e), struct error *err)
{
    struct error e = {0};

    if (docker_call(d, run, q, NULL, &e) || fine(&e))
        return true;
    if (err)
        *err = e;
    return false;
}

static bool
is_connected(const struct error *e)
{
    return e->http / 100 != 2 && e->http != 0 &&
           strstr(e->msg, "already exists in network");
}

static bool
is_apart(const struct error *e)
{
    return e->http == 404 || (e->http && strstr(e->msg, "is not connected to"));
}

static bool
is_gone(const struct error *e)
{
    return e->http == 404;
}

static bool
join(struct docker *d, struct step_run *run, const char *network,
     const char *container, bool connect, struct error *err)
{
    AUTO(buf_release) struct buf path = BUF_INIT(4096);
    AUTO(json_free_ptr) struct json *body = json_new_object();
    AUTO(mem_free_ptr) char *text = NULL;
    AUTO(mem_free_ptr)
    char *doing = mem_printf("%s container %s %s network %s",
                             connect ? "connect" : "disconnect", container,
                             connect ? "to" : "from", network);
    struct docker_request q = {.method = "POST", .doing = doing};

    json_set_string(body, "Container", container);
    if (!connect)
        json_set_bool(body, "Force", true);
    text = json_text(body, JSON_COMPACT);
    buf_puts(&path, "/networks/");
    docker_segment(&path, network);
    buf_puts(&path, connect ? "/connect" : "/disconnect");
    q.path = buf_cstr(&path);
    q.body = str_of(text);
    return act(d, run, &q, connect ? is_connected : is_apart, err);
}

bool
docker_network_connect(struct docker *d, struct step_run *run,
                       const char *network, const char *container,
                       struct error *err)
{
    return join(d, run, network, container, true, err);
}

bool
docker_network_disconnect(struct docker *d, struct step_run *run,
                          const char *network, const char *container,
                          struct error *err)
{
    return join(d, run, network, container, false, err);
}

static bool
erase(struct docker *d, struct step_run *run, const char *kind, const char *id,
      struct error *err)
{
    AUTO(buf_release) struct buf path = BUF_INIT(4096);
    AUTO(mem_free_ptr) char *doing = mem_printf("remove %s %s", kind, id);
    struct docker_request q = {.method = "DELETE", .doing = doing};

    buf_printf(&path, "/%ss/", kind);
    docker_segment(&path, id);
    q.path = buf_cstr(&path);
    return act(d, run, &q, is_gone, err);
}

bool
docker_network_delete(struct docker *d, struct step_run *run, const char *id,
                      struct error *err)
{
    struct error e = {0};

    if (erase(d, run, "network", id, &e))
        return true;
    /* The engine refuses with 403 what is used. */
    if (e.http == 403)
        e.code = ERR_CONFLICT;
    if (err)
        *err = e;
    return false;
}

/* ---- volumes ---- */

bool
docker_volumes(struct docker *d, struct step_run *run, const char *label,
               struct arena *a, struct docker_volumes *out, struct error *err)
{
    AUTO(json_free_ptr)
    struct json *j = docker_call_list(d, run, "/volumes", "label", label,
                                      JSON_OBJECT, "list volumes", err);
    struct docker_volumes l = {0};
    const struct json *list;

    if (!j)
        return false;
    list = json_get(j, "Volumes");
    l.v = arena_array(a, MAX(json_len(list), 1), sizeof(*l.v));
    for (struct json *p = json_first(list); p; p = json_next(p)) {
        struct docker_volume *v = &l.v[l.n++];

        v->name = docker_text(a, p, "Name");
        v->driver = docker_text(a, p, "Driver");
        v->mountpoint = docker_text(a, p, "Mountpoint");
        v->labels = docker_pairs(a, json_get(p, "Labels"), &v->labels_n);
    }
    *out = l;
    return true;
}

bool
docker_volume_delete(struct docker *d, struct step_run *run, const char *name,
                     struct error *err)
{
    return erase(d, run, "volume", name, err);
}
