#include "devenv/docker_container.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "lib/kube/gvr.h"

#include "devenv/docker_call.h"

#define START_MS       60000
#define DELETE_MS      60000
#define DELETE_TRIES   3
#define DELETE_REST_MS 1000

/* ---- reading ---- */

static const char *
plain_name(struct arena *a, const char *name)
{
    return arena_strdup(a, name[0] == '/' ? name + 1 : name);
}

static struct docker_port *
add_port(struct docker_container *c, struct arena *a, size_t cap)
{
    if (!c->ports)
        c->ports = arena_array(a, cap, sizeof(*c->ports));
    return &c->ports[c->ports_n++];
}

/* A list's form: [{"IP","PrivatePort","PublicPort","Type"}]. */
static void
list_ports(const struct json *ports, struct arena *a,
           struct docker_container *c)
{
    for (struct json *p = json_first(ports); p; p = json_next(p))
        *add_port(c, a, json_len(ports)) = (struct docker_port){
            docker_text(a, p, "IP"), (int)docker_number(p, "PrivatePort"),
            (int)docker_number(p, "PublicPort"), docker_text(a, p, "Type")};
}

static int
number_of(const char *text)
{
    uint64_t n;

    return str_to_u64(str_of(text), &n) && n <= 65535 ? (int)n : 0;
}

/* A look's form: {"6443/tcp":[{"HostIp","HostPort"}], "80/tcp":null}. */
static void
look_ports(const struct json *ports, struct arena *a,
           struct docker_container *c)
{
    size_t cap = 0;

    for (struct json *p = json_first(ports); p; p = json_next(p))
        cap += MAX(json_len(p), 1);
    for (struct json *p = json_first(ports); p; p = json_next(p)) {
        struct str number, proto;
        const struct json *at = json_first(p);
        struct docker_port port;
        AUTO(mem_free_ptr) char *text = NULL;

        str_cut(str_of(json_key(p)), '/', &number, &proto);
        text = mem_strndup(number.s, number.n);
        port = (struct docker_port){
            .ip = "",
            .private_port = number_of(text),
            .proto = arena_dup(a, proto),
        };
        do {
            if (at) {
                port.ip = docker_text(a, at, "HostIp");
                port.host =
                    number_of(json_string_or(json_get(at, "HostPort"), ""));
            }
            *add_port(c, a, cap) = port;
        } while (at && (at = json_next(at)));
    }
}

static void
read_mounts(const struct json *mounts, struct arena *a,
            struct docker_container *c)
{
    size_t n = json_len(mounts);

    c->mounts = n ? arena_array(a, n, sizeof(*c->mounts)) : NULL;
    for (struct json *p = json_first(mounts); p; p = json_next(p))
        c->mounts[c->mounts_n++] = (struct docker_mount){
            docker_text(a, p, "Type"), docker_text(a, p, "Name"),
            docker_text(a, p, "Source"), docker_text(a, p, "Destination")};
}

static void
read_networks(const struct json *networks, struct arena *a,
              struct docker_container *c)
{
    size_t n = json_len(networks);

    c->networks = n ? arena_array(a, n, sizeof(*c->networks)) : NULL;
    for (struct json *p = json_first(networks); p; p = json_next(p))
        c->networks[c->networks_n++] = (struct docker_pair){
            arena_strdup(a, json_key(p) ? json_key(p) : ""),
            docker_text(a, p, "IPAddress")};
}

/* What a list's element and a look share. */
static void
read_common(const struct json *j, struct arena *a, struct docker_container *c)
{
    *c = (struct docker_container){.id = docker_text(a, j, "Id"), .error = ""};
    read_mounts(json_get(j, "Mounts"), a, c);
    read_networks(json_at(j, "NetworkSettings", "Networks", NULL), a, c);
}

static void
read_element(const struct json *j, struct arena *a, struct docker_container *c)
{
    const struct json *names = json_get(j, "Names");

    read_common(j, a, c);
    c->name = plain_name(a, json_string_or(json_first(names), ""));
    c->image = docker_text(a, j, "Image");
    c->image_id = docker_text(a, j, "ImageID");
    c->state = docker_text(a, j, "State");
    c->status = docker_text(a, j, "Status");
    c->created_s = docker_number(j, "Created");
    c->labels = docker_pairs(a, json_get(j, "Labels"), &c->labels_n);
    list_ports(json_get(j, "Ports"), a, c);
}

static void
read_look(const struct json *j, struct arena *a, struct docker_container *c)
{
    const struct json *state = json_get(j, "State");
    const struct json *config = json_get(j, "Config");

    read_common(j, a, c);
    c->name = plain_name(a, json_string_or(json_get(j, "Name"), ""));
    c->image = docker_text(a, config, "Image");
    c->image_id = docker_text(a, j, "Image");
    c->state = docker_text(a, state, "Status");
    c->status = "";
    c->created_s = docker_time(j, "Created");
    c->started_s = docker_time(state, "StartedAt");
    c->ended_s = docker_time(state, "FinishedAt");
    c->exit_code = docker_number(state, "ExitCode");
    c->pid = docker_number(state, "Pid");
    c->restarts = docker_number(j, "RestartCount");
    c->oom_killed = json_bool(json_get(state, "OOMKilled"), false);
    c->error = docker_text(a, state, "Error");
    c->tty = json_bool(json_get(config, "Tty"), false);
    c->labels = docker_pairs(a, json_get(config, "Labels"), &c->labels_n);
    look_ports(json_at(j, "NetworkSettings", "Ports", NULL), a, c);
}

bool
docker_containers(struct docker *d, struct step_run *run, const char *label,
                  struct arena *a, struct docker_containers *out,
                  struct error *err)
{
    AUTO(json_free_ptr)
    struct json *j =
        docker_call_list(d, run, "/containers/json?all=1", "label", label,
                         JSON_ARRAY, "list containers", err);
    struct docker_containers l = {0};

    if (!j)
        return false;
    l.v = arena_array(a, MAX(json_len(j), 1), sizeof(*l.v));
    for (struct json *p = json_first(j); p; p = json_next(p))
        if (json_is(p, JSON_OBJECT))
            read_element(p, a, &l.v[l.n++]);
    *out = l;
    return true;
}

/* "/containers/ID" + rest. */
static void
path_of(struct buf *path, const char *id, const char *rest)
{
    *path = BUF_INIT(8192);
    buf_puts(path, "/containers/");
    docker_segment(path, id);
    buf_puts(path, rest);
}

struct json *
docker_inspect(struct docker *d, struct step_run *run, const char *id,
               struct error *err)
{
    AUTO(buf_release) struct buf path;
    AUTO(mem_free_ptr) char *doing = mem_printf("look at container %s", id);
    struct docker_request q = {.doing = doing};
    struct json *j;

    path_of(&path, id, "/json");
    q.path = buf_cstr(&path);
    j = docker_call_json(d, run, &q, err);
    if (j && !docker_expect(j, JSON_OBJECT, doing, err)) {
        json_free(j);
        j = NULL;
    }
    return j;
}

bool
docker_container(struct docker *d, struct step_run *run, const char *id,
                 struct arena *a, struct docker_container *out,
                 struct error *err)
{
    AUTO(json_free_ptr) struct json *j = docker_inspect(d, run, id, err);

    if (!j)
        return false;
    read_look(j, a, out);
    return true;
}

const char *
docker_label(const struct docker_container *c, const char *key)
{
    for (size_t i = 0; i < c->labels_n; i++)
        if (strcmp(c->labels[i].key, key) == 0)
            return c->labels[i].value;
    return "";
}

const struct docker_port *
docker_port(const struct docker_container *c, int private_port)
{
    for (size_t i = 0; i < c->ports_n; i++)
        if (c->ports[i].private_port == private_port && c->ports[i].host)
            return &c->ports[i];
    return NULL;
}

bool
docker_is_running(const struct docker_container *c)
{
    return strcmp(c->state, "running") == 0;
}

/* ---- acting ---- */

static bool
post(struct docker *d, struct step_run *run, const char *id, const char *verb,
     const char *rest, int64_t limit_ms, struct error *err)
{
    AUTO(buf_release) struct buf path;
    AUTO(mem_free_ptr) char *doing = mem_printf("%s container %s", verb, id);
    struct docker_request q = {
        .method = "POST", .limit_ms = limit_ms, .doing = doing};

    path_of(&path, id, rest);
    q.path = buf_cstr(&path);
    return docker_call(d, run, &q, NULL, err);
}

bool
docker_start(struct docker *d, struct step_run *run, const char *id,
             struct error *err)
{
    return post(d, run, id, "start", "/start", START_MS, err);
}

bool
docker_stop(struct docker *d, struct step_run *run, const char *id, int grace_s,
            struct error *err)
{
    AUTO(mem_free_ptr) char *rest = mem_printf("/stop?t=%d", grace_s);

    return post(d, run, id, "stop", rest, START_MS + (int64_t)grace_s * 1000,
                err);
}

static void
on_rest(void *arg)
{
    *(bool *)arg = true;
}

bool
docker_rest(struct docker *d, struct step_run *run, int64_t ms,
            struct error *err)
{
    bool over = false;
    struct loop_timer *t = loop_timer_add(docker_loop(d), ms, on_rest, &over);
    bool stopped = false;

    while (!over && !(stopped = run && step_cancelled(run, err)))
        loop_turn(docker_loop(d), -1);
    loop_timer_del(t);
    return !stopped;
}

/* "is not there" and "somebody else removes it" are what was wanted. */
static bool
is_gone(const struct error *e)
{
    return e->http == 404 ||
           (e->http == 409 && strstr(e->msg, "already in progress"));
}

bool
docker_delete(struct docker *d, struct step_run *run, const char *id,
              struct error *err)
{
    AUTO(buf_release) struct buf path;
    AUTO(mem_free_ptr) char *doing = mem_printf("remove container %s", id);
    struct docker_request q = {
        .method = "DELETE", .limit_ms = DELETE_MS, .doing = doing};
    struct error e;

    path_of(&path, id, "?force=1&v=1");
    q.path = buf_cstr(&path);
    for (int i = 0; i < DELETE_TRIES; i++) {
        e = (struct error){0};
        if (docker_call(d, run, &q, NULL, &e) || is_gone(&e))
            return true;
        if (e.http != 500 || i + 1 == DELETE_TRIES)
            break;
        if (run)
            step_detail(run, "%s; trying again", e.msg);
        if (!docker_rest(d, run, DELETE_REST_MS, err))
            return false;
    }
    if (err)
        *err = e;
    return false;
}
