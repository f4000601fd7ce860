/*
 * Every recorded conversation with an engine is played to our client: what it
 * makes of it, what it asked, and that no cut of an answer passes as whole.
 */
#include <sys/stat.h>

#include "devenv/docker_call.h"
#include "devenv/docker_exec.h"
#include "devenv/docker_image.h"
#include "devenv/docker_network.h"

#include "tests/unit/devenv/wire.h"

typedef bool call_fn(struct docker *d, const char *arg, struct buf *out,
                     struct error *err);

static struct loop *l;
static struct fake peer;
static struct arena *a;
static struct script script;
static char folder[64], address[96];

/* ---- the calls; each prints what it got ---- */

static bool
c_get(struct docker *d, const char *path, struct buf *out, struct error *err)
{
    AUTO(json_free_ptr) struct json *j = docker_get(d, NULL, path, err);

    return j && json_print(j, JSON_COMPACT, out);
}

/* "METHOD path" or "METHOD path body" */
static bool
c_raw(struct docker *d, const char *arg, struct buf *out, struct error *err)
{
    struct str method, path, body;
    AUTO(buf_release) struct buf got = {0};
    AUTO(mem_free_ptr) char *m = NULL;
    AUTO(mem_free_ptr) char *p = NULL;
    struct docker_request q = {.doing = "try"};

    str_cut(str_of(arg), ' ', &method, &path);
    str_cut(path, ' ', &path, &body);
    q.method = m = mem_strndup(method.s, method.n);
    q.path = p = mem_strndup(path.s, path.n);
    q.body = body;
    return docker_call(d, NULL, &q, &got, err) && buf_str(out, buf_view(&got));
}

static bool
c_info(struct docker *d, const char *arg, struct buf *out, struct error *err)
{
    struct docker_info i;

    (void)arg;
    if (!docker_info(d, NULL, a, &i, err))
        return false;
    return buf_printf(
        out,
        "%s|%s|%s|%s|%s on %s|%s|v%s %s|%lld cpu|%lld|%lld/%lld|%lld|%d%d%d|"
        "%d%d%d|%zu",
        i.server_version, i.os, i.os_type, i.arch, i.driver, i.backing_fs,
        i.root_dir, i.cgroup_version, i.cgroup_driver, (long long)i.cpus,
        (long long)i.mem_bytes, (long long)i.running, (long long)i.containers,
        (long long)i.images, i.rootless, i.userns, i.containerd_store,
        i.cpu_limits, i.mem_limits, i.pids_limits, i.warnings_n);
}

static void
print_container(const struct docker_container *c, struct buf *out)
{
    buf_printf(out, "%.12s %s %s %s [%s]", c->id, c->name, c->image, c->state,
               c->status);
    for (size_t i = 0; i < c->ports_n; i++)
        buf_printf(out, " %s:%d->%d/%s", c->ports[i].ip, c->ports[i].host,
                   c->ports[i].private_port, c->ports[i].proto);
    for (size_t i = 0; i < c->labels_n; i++)
        buf_printf(out, " %s=%s", c->labels[i].key, c->labels[i].value);
    for (size_t i = 0; i < c->mounts_n; i++)
        buf_printf(out, " %s:%.8s:%s", c->mounts[i].type, c->mounts[i].name,
                   c->mounts[i].target);
    for (size_t i = 0; i < c->networks_n; i++)
        buf_printf(out, " %s@%s", c->networks[i].key, c->networks[i].value);
}

static bool
c_list(struct docker *d, const char *label, struct buf *out, struct error *err)
{
    struct docker_containers c;

    if (!docker_containers(d, NULL, label, a, &c, err))
        return false;
    buf_printf(out, "%zu:", c.n);
    for (size_t i = 0; i < c.n; i++)
        print_container(&c.v[i], out);
    return true;
}

static bool
c_look(struct docker *d, const char *id, struct buf *out, struct error *err)
{
    struct docker_container c;

    if (!docker_container(d, NULL, id, a, &c, err))
        return false;
    print_container(&c, out);
    return buf_printf(out, " exit %lld oom %d tty %d started %lld ended %lld",
                      (long long)c.exit_code, c.oom_killed, c.tty,
                      (long long)c.started_s, (long long)c.ended_s);
}

static bool
c_start(struct docker *d, const char *id, struct buf *out, struct error *err)
{
    (void)out;
    return docker_start(d, NULL, id, err);
}

static bool
c_delete(struct docker *d, const char *id, struct buf *out, struct error *err)
{
    (void)out;
    return docker_delete(d, NULL, id, err);
}

static bool
print_line(void *arg, int stream, struct str line)
{
    return buf_printf(arg, "%d:%.*s|", stream, STR_ARG(line));
}

static bool
c_logs(struct docker *d, const char *id, struct buf *out, struct error *err)
{
    struct docker_logs o = {.tail = 5, .on_line = print_line, .arg = out};

    return docker_logs(d, NULL, id, &o, err);
}

static bool
c_tail(struct docker *d, const char *id, struct buf *out, struct error *err)
{
    return docker_log_tail(d, NULL, id, 5, out, err);
}

static bool
run_program(struct docker *d, const char *id, struct str input, struct buf *out,
            struct error *err)
{
    AUTO(buf_release) struct buf o = BUF_INIT(4096), e = BUF_INIT(4096);
    const char *const argv[] = {"sh", "-c", "x", NULL};
    struct docker_exec x = {.argv = argv, .input = input};
    int status;

    if (!docker_exec(d, NULL, id, &x, &status, &o, &e, err))
        return false;
    return buf_printf(out, "%d out <%s> err <%s>", status, buf_cstr(&o),
                      buf_cstr(&e));
}

static bool
c_exec(struct docker *d, const char *id, struct buf *out, struct error *err)
{
    return run_program(d, id, STR(""), out, err);
}

static bool
c_input(struct docker *d, const char *id, struct buf *out, struct error *err)
{
    return run_program(d, id, STR("some input"), out, err);
}

static bool
c_file(struct docker *d, const char *path, struct buf *out, struct error *err)
{
    return docker_get_file(d, NULL, "mt-control-plane", path, out, err);
}

static void
print_image(const struct docker_image *i, struct buf *out)
{
    buf_printf(out, "%.19s %s/%s %lld", i->id, i->os, i->arch,
               (long long)i->size);
    for (size_t k = 0; k < i->tags_n; k++)
        buf_printf(out, " %s", i->tags[k]);
    for (size_t k = 0; k < i->digests_n; k++)
        buf_printf(out, " %s", i->digests[k]);
}

static bool
c_image(struct docker *d, const char *ref, struct buf *out, struct error *err)
{
    struct docker_image i;

    if (!docker_image(d, NULL, ref, a, &i, err))
        return false;
    print_image(&i, out);
    return true;
}

static bool
c_images(struct docker *d, const char *ref, struct buf *out, struct error *err)
{
    struct docker_images i;

    if (!docker_images(d, NULL, ref, a, &i, err))
        return false;
    buf_printf(out, "%zu:", i.n);
    for (size_t k = 0; k < i.n; k++)
        print_image(&i.v[k], out);
    return true;
}

static bool
c_image_delete(struct docker *d, const char *ref, struct buf *out,
               struct error *err)
{
    (void)out;
    return docker_image_delete(d, NULL, ref, err);
}

/* Prints where the bytes ended. */
static bool
c_pull(struct docker *d, const char *ref, struct buf *out, struct error *err)
{
    struct step_run run = {.loop = l};
    bool ok;

    docker_set_patience(d, script.hold ? 30 : 60000);
    ok = docker_pull(d, &run, ref, NULL, a, NULL, err);
    buf_printf(out, "%llu/%llu %s", (unsigned long long)run.done,
               (unsigned long long)run.total, run.detail);
    step_run_release(&run);
    return ok;
}

static bool
c_load(struct docker *d, const char *arg, struct buf *out, struct error *err)
{
    AUTO(mem_free_ptr) char *path = mem_printf("%s/image.tar", folder);
    struct strlist loaded = {0};
    bool ok = file_write(path, str_of(arg), 0600, err) &&
              docker_image_load(d, NULL, path, &loaded, err);

    for (size_t i = 0; i < loaded.n; i++)
        buf_puts(out, loaded.v[i]);
    strlist_release(&loaded);
    return ok;
}

static void
print_network(const struct docker_network *n, struct buf *out)
{
    buf_printf(out, " %s %.8s %s", n->name, n->id, n->driver);
    for (size_t i = 0; i < n->subnets_n; i++)
        buf_printf(out, " %s", n->subnets[i]);
    for (size_t i = 0; i < n->containers_n; i++)
        buf_printf(out, " %s@%s", n->containers[i].key, n->containers[i].value);
}

static bool
c_networks(struct docker *d, const char *name, struct buf *out,
           struct error *err)
{
    struct docker_networks n;

    if (!docker_networks(d, NULL, name, a, &n, err))
        return false;
    buf_printf(out, "%zu:", n.n);
    for (size_t i = 0; i < n.n; i++)
        print_network(&n.v[i], out);
    return true;
}

static bool
c_network(struct docker *d, const char *id, struct buf *out, struct error *err)
{
    struct docker_network n;

    if (!docker_network(d, NULL, id, a, &n, err))
        return false;
    print_network(&n, out);
    return true;
}

static bool
c_volumes(struct docker *d, const char *label, struct buf *out,
          struct error *err)
{
    struct docker_volumes v;

    if (!docker_volumes(d, NULL, label, a, &v, err))
        return false;
    for (size_t i = 0; i < v.n; i++)
        buf_printf(out, "%.8s %s", v.v[i].name, v.v[i].driver);
    return true;
}

static bool
c_disk(struct docker *d, const char *arg, struct buf *out, struct error *err)
{
    struct docker_disk k;

    (void)arg;
    if (!docker_disk(d, NULL, &k, err))
        return false;
    return buf_printf(out, "%llu, %zu images %llu unused, %zu, %zu %llu",
                      (unsigned long long)k.layers, k.images_n,
                      (unsigned long long)k.images_unused, k.containers_n,
                      k.volumes_n, (unsigned long long)k.volumes);
}

static void
print_event(void *arg, const struct docker_event *e)
{
    buf_printf(arg, "%s %s %lld|", e->action, e->name, (long long)e->exit_code);
}

/* The whole of a stream that ends; a stream that does not is left alone. */
static bool
c_watch(struct docker *d, const char *label, struct buf *out, struct error *err)
{
    struct docker_watch *w =
        docker_watch(d, label, 1795230784, print_event, out, err);
    struct error e = {0};

    for (int i = 0; w && i < 2000 && !docker_watch_ended(w, &e); i++) {
        loop_turn(l, script.hold ? 0 : 1);
        if (script.hold && i > 50)
            break;
    }
    docker_watch_free(w);
    if (err && !strstr(e.msg, "ended its events"))
        *err = e;
    return w && (script.hold ? e.code == 0 : !err->code);
}

static bool
c_open(struct docker *d, const char *host, struct buf *out, struct error *err)
{
    struct docker *other = docker_open(l, host ? host : address, NULL, err);

    (void)d;
    if (other)
        buf_printf(out, "%s %s %s %s %s", docker_product(other),
                   docker_version(other), docker_api(other),
                   docker_provider(other), docker_source(other));
    docker_free(other);
    return other != NULL;
}

/* ---- the table ---- */

#define NODE                  "mt-control-plane"
#define LABEL                 "io.x-k8s.kind.cluster"
#define AUTO_READY            "127.0.0.1:32768/crossplane-contrib/function-auto-ready"
#define FAILS(code, http, id) false, ERR_##code, http, id

static const struct row {
    const char *files; /* played one after the other; the tested one first in
                          the order of asking, or marked by * */
    call_fn *call;
    const char *arg;
    bool ok;
    enum err_code code;
    int http;
    const char *id;
    const char *want; /* in what the call printed, or in the error */
} rows[] = {
    {"*01-ping 03-version", c_open, NULL, true, 0, 0, "",
     "Docker 20.10.24+dfsg1 1.41 docker the address"},
    {"02-ping-head", c_raw, "HEAD /_ping", true, 0, 0, "", ""},
    {"01-ping *03-version", c_open, NULL, true, 0, 0, "", "1.41"},
    {"04-version-v1.41", c_get, "/version", true, 0, 0, "",
     "\"MinAPIVersion\":\"1.12\""},
    {"05-version-too-new", c_get, "/version",
     FAILS(UNSUPPORTED, 400, "MT-ENGINE-API"),
     "client version 1.60 is too new"},
    {"06-version-too-old", c_get, "/version",
     FAILS(UNSUPPORTED, 400, "MT-ENGINE-API"), "1.1 is too old"},
    {"01-ping *06-version-too-old", c_open, NULL,
     FAILS(UNSUPPORTED, 400, "MT-ENGINE-API"), "too old"},
    {"07-info", c_info, NULL, true, 0, 0, "",
     "20.10.24+dfsg1|Debian GNU/Linux 12 (bookworm)|linux|x86_64|overlay2 on "
     "extfs|/var/lib/docker/.|v1 cgroupfs|2 cpu|25276510208|2/2|13|000|111|0"},
    {"08-containers-kind-all", c_list, LABEL, true, 0, 0, "",
     "1:c4730cb5f85c mt-control-plane meshtop/node:v1.34.4 running [Up 7 "
     "minutes] 127.0.0.1:33951->6443/tcp io.x-k8s.kind.cluster=mt "
     "io.x-k8s.kind.role=control-plane bind::/lib/modules "
     "volume:e086e54a:/var kind@172.18.0.2"},
    {"09-containers-kind-one", c_list, LABEL "=mt", true, 0, 0, "", "1:c473"},
    {"10-containers-kind-none", c_list, LABEL "=nope", true, 0, 0, "", "0:"},
    {"11-containers-bad-filter", c_list, LABEL, FAILS(INTERNAL, 500, ""),
     "cannot list containers: unexpected end of JSON input"},
    {"12-container-inspect", c_look, NODE, true, 0, 0, "",
     "running [] 127.0.0.1:33951->6443/tcp"},
    {"13-container-inspect-missing", c_look, "nope", FAILS(NOT_FOUND, 404, ""),
     "No such container: nope"},
    {"14-images", c_images, NULL, true, 0, 0, "",
     "sha256:7218b75dde90 / 908295397 meshtop/node:v1.34.4"},
    {"15-images-filter", c_images, "meshtop/node", true, 0, 0, "", "1:sha256"},
    {"16-image-inspect", c_image, "meshtop/node:v1.34.4", true, 0, 0, "",
     "linux/amd64 908295397 meshtop/node:v1.34.4"},
    {"17-image-inspect-missing", c_image, "meshtop/node:nope",
     FAILS(NOT_FOUND, 404, ""), "no such image: meshtop/node:nope"},
    {"18-image-create-unreachable", c_pull, "kindest/node:v1.34.0",
     FAILS(NETWORK, 500, "MT-NET-DNS"), "lookup registry-1.docker.io"},
    {"19-image-create-unreachable-host", c_pull, "registry.invalid/x/y:1",
     FAILS(NETWORK, 500, "MT-NET-DNS"), "no such host"},
    {"20-image-create-refused", c_pull, "localhost:1/x/y:1",
     FAILS(NETWORK, 500, "MT-NET-DNS"), "connection refused"},
    {"21-networks", c_networks, NULL, true, 0, 0, "",
     "4: kind 3726f8cf bridge 172.18.0.0/16 fc00:f853:ccd:e793::/64 none"},
    {"22-networks-kind", c_networks, "kind", true, 0, 0, "", "1: kind"},
    {"23-network-inspect", c_network, "kind", true, 0, 0, "",
     "mt-registry@172.18.0.3/16 mt-control-plane@172.18.0.2/16"},
    {"24-system-df", c_disk, NULL, true, 0, 0, "",
     "2620394168, 5 images 1700224305 unused, 2, 1 804518095"},
    {"12-container-inspect *25-logs-tty", c_logs, NODE, true, 0, 0, "",
     "systemd-update-ut… - Record Runlevel Change in UTMP.|"},
    {"26-top", c_get, "/containers/" NODE "/top", true, 0, 0, "",
     "kube-controller-manager"},
    {"27-stats", c_get, "/containers/" NODE "/stats?stream=false", true, 0, 0,
     "", "total_usage"},
    {"*28-exec-create 29-exec-start-stream 30-exec-inspect", c_exec, NODE, true,
     0, 0, "", "3 out <to-out\n> err <to-err\n>"},
    {"28-exec-create *29-exec-start-stream 30-exec-inspect", c_exec, NODE, true,
     0, 0, "", "3 out <to-out\n> err <to-err\n>"},
    {"28-exec-create 29-exec-start-stream *30-exec-inspect", c_exec, NODE, true,
     0, 0, "", "3 out <to-out\n> err <to-err\n>"},
    {"28-exec-create *31-exec-start-again 30-exec-inspect", c_exec, NODE, true,
     0, 0, "", "has already run"},
    {"32-exec-missing-container", c_exec, "nope", FAILS(NOT_FOUND, 404, ""),
     "No such container: nope"},
    {"28-exec-create *33-exec-no-such-program 34-exec-no-such-program-inspect",
     c_exec, NODE, FAILS(NOT_FOUND, 0, ""), "/no/such/program"},
    {"28-exec-create 33-exec-no-such-program *34-exec-no-such-program-inspect",
     c_exec, NODE, FAILS(NOT_FOUND, 0, ""), "OCI runtime exec failed"},
    {"35-create", c_raw, "POST /containers/create?name=mtvec {}", true, 0, 0,
     "", "cbe6860e79e5"},
    {"36-create-name-taken", c_raw, "POST /containers/create?name=mtvec {}",
     FAILS(CONFLICT, 409, ""), "already in use by container"},
    {"37-create-no-image", c_raw, "POST /containers/create {}",
     FAILS(NOT_FOUND, 404, ""), "No such image"},
    {"38-create-bad-json", c_raw, "POST /containers/create {",
     FAILS(INTERNAL, 500, ""), "unexpected EOF"},
    {"39-start", c_start, "mtvec", true, 0, 0, "", ""},
    {"40-wait", c_raw, "POST /containers/mtvec/wait", true, 0, 0, "",
     "\"StatusCode\":7"},
    {"41-start-again", c_start, "mtvec", true, 0, 0, "", ""},
    {"45-inspect-exited *42-logs-multiplexed", c_logs, "mtvec", true, 0, 0, "",
     "2:two|1:one|1:three|1:one|1:three|2:two|"},
    {"45-inspect-exited *43-logs-multiplexed-timestamps", c_tail, "mtvec", true,
     0, 0, "", "2026-11-21T03:12:58.302498892Z three\n2026-11-21T"},
    {"45-inspect-exited *44-logs-no-stream-chosen", c_logs, "mtvec",
     FAILS(INVALID, 400, ""), "must choose at least one stream"},
    {"45-inspect-exited", c_look, "mtvec", true, 0, 0, "",
     "exited [] io.x-k8s.kind.cluster=vec io.x-k8s.kind.role=control-plane"},
    {"46-kill-exited", c_raw, "POST /containers/mtvec/kill",
     FAILS(CONFLICT, 409, ""), "is not running"},
    {"47-delete", c_delete, "mtvec", true, 0, 0, "", ""},
    {"48-delete-again", c_delete, "mtvec", true, 0, 0, "", ""},
    {"49-delete-running-not-forced", c_delete, NODE, FAILS(CONFLICT, 409, ""),
     "Stop the container before"},
    {"50-events", c_watch, LABEL, true, 0, 0, "", "create mtvec2 -1|"},
    {"51-events-all", c_watch, NULL, true, 0, 0, "", "start mtvec2 -1|"},
    {"52-events-live-cut-after-3s", c_watch, LABEL "=zzz", true, 0, 0, "", ""},
    {"53-archive-head", c_raw,
     "HEAD /containers/" NODE "/archive?path=/kind/version", true, 0, 0, "",
     ""},
    {"54-archive", c_file, "/kind/version", true, 0, 0, "", "v1.34.4"},
    {"55-archive-missing", c_file, "/no/such", FAILS(NOT_FOUND, 404, ""),
     "Could not find the file /no/such"},
    {"56-volumes", c_volumes, NULL, true, 0, 0, "", "e086e54a local"},
    {"57-not-an-endpoint", c_get, "/nope", FAILS(NOT_FOUND, 404, ""),
     "page not found"},
    {"45-inspect-exited *58-logs-raw-chunks", c_logs, "mtvec3", true, 0, 0, "",
     "1:one|2:two|"},
    {"59-events-raw-chunks", c_watch, LABEL, true, 0, 0, "",
     "die mtvec2 0|destroy mtvec2 -1|"},
    {"28-exec-create *60-exec-start-upgrade 30-exec-inspect", c_input, NODE,
     true, 0, 0, "", "3 out <hi\n> err <>"},
    {"61-exec-start-tty", c_raw, "POST /exec/x/start {}", true, 0, 0, "",
     "hi\r\n"},
    {"62-exec-start-detach", c_raw, "POST /exec/x/start {}", true, 0, 0, "",
     ""},
    {"*63-pull-ok 16-image-inspect", c_pull, AUTO_READY ":v0", true, 0, 0, "",
     "13964219/13964219 2 of 2 layers unpacked"},
    {"*64-pull-up-to-date 16-image-inspect", c_pull, AUTO_READY ":v0", true, 0,
     0, "", "0/0"},
    {"65-pull-no-such-tag", c_pull, AUTO_READY ":v9",
     FAILS(NOT_FOUND, 404, "MT-IMAGE-PULL"), "manifest unknown"},
    {"66-pull-no-such-image", c_pull, "127.0.0.1:32768/x/nope:v9",
     FAILS(NOT_FOUND, 404, "MT-IMAGE-PULL"), "name unknown"},
    {"67-push-refused", c_raw, "POST /images/localhost:1/x/y/push?tag=1", true,
     0, 0, "", "connection refused"},
    {"68-load-ok", c_load, "archive", true, 0, 0, "", "localhost:1/x/y:1"},
    {"69-load-cut", c_load, "archive", FAILS(INVALID, 0, ""),
     "docker-import-2987689683"},
    {"70-image-delete", c_image_delete, "localhost:1/x/y:1", true, 0, 0, "",
     ""},
    {"71-image-delete-again", c_image_delete, "localhost:1/x/y:1", true, 0, 0,
     "", ""},
    {"72-containers-kind-stopped-not-all", c_list, LABEL, true, 0, 0, "", "0:"},
    {"73-containers-kind-stopped-all", c_list, LABEL, true, 0, 0, "",
     "exited [Exited (137) 1 second ago] io.x-k8s"},
    {"74-exec-in-stopped", c_exec, NODE, FAILS(CONFLICT, 409, ""),
     "is not running"},
    {"75-containers-kind-started", c_list, LABEL, true, 0, 0, "",
     "running [Up Less than a second]"},
    {"80-pull-stream-gone", c_pull, "localhost:5999/gone/x:1",
     FAILS(INVALID, 0, "MT-IMAGE-PULL"), "unknown blob"},
    {"*81-pull-stream-cut 17-image-inspect-missing", c_pull,
     "localhost:5999/cut/x:1", FAILS(NOT_FOUND, 404, "MT-IMAGE-PULL"),
     "ended the pull of localhost:5999/cut/x:1 without it"},
    {"82-pull-stream-auth", c_pull, "localhost:5999/auth/x:1",
     FAILS(INTERNAL, 500, "MT-IMAGE-PULL"), "unauthorized"},
    {"83-pull-stream-slow", c_pull, "localhost:5999/slow/x:1",
     FAILS(TIMEOUT, 0, "MT-IMAGE-PULL"), "69515 of 5000000 bytes"},
};

/* ---- playing ---- */

static bool
never_ends(const struct row *r)
{
    return strstr(r->files, "52-events-live") || strstr(r->files, "83-pull");
}

/* Loads a row's recordings; *key is the tested one. */
static void
load_row(const struct row *r, size_t *key)
{
    char names[256];
    size_t n = 0, file = 0;

    *key = 0;
    for (const char *p = r->files; *p; p++) {
        file += *p == ' ';
        if (*p == '*')
            *key = file;
        else
            names[n++] = *p;
    }
    names[n] = 0;
    script_load(&script, names);
    script.hold = never_ends(r);
}

static struct docker *
opened(void)
{
    struct docker *d;
    struct error e = {0};

    script_load(&script, "01-ping 03-version");
    d = docker_open(l, address, NULL, &e);
    if (!d)
        fail_msg("%s", e.msg);
    script_release(&script);
    return d;
}

/* "POST /v1.41/exec/ID/start" of a request line: no query, no long ids. */
static void
shape(const char *method, struct str path, char *out, size_t n)
{
    struct str rest;
    size_t at = (size_t)snprintf(out, n, "%s ", method);

    str_cut(path, '?', &path, &rest);
    for (size_t i = 0; i < path.n && at + 3 < n; i++) {
        size_t k = i;

        while (k < path.n && isxdigit((unsigned char)path.s[k]))
            k++;
        if (k - i == 64) {
            at += (size_t)snprintf(out + at, n - at, "ID");
            i = k - 1;
        } else {
            out[at++] = path.s[i];
        }
    }
    out[at] = 0;
}

static void
asked_as_recorded(const struct row *r, size_t key)
{
    const struct recording *rec = &script.v[key];
    char ours[600], theirs[600];
    struct str method, path;
    AUTO(mem_free_ptr) char *m = NULL;

    if (r->call == c_raw)
        return;
    str_cut(str_of(script.asked[key]), ' ', &method, &path);
    m = mem_strndup(method.s, method.n);
    shape(m, path, ours, sizeof(ours));
    shape(rec->method, str_of(rec->path), theirs, sizeof(theirs));
    /* These were recorded with another version or name on purpose. */
    if (strstr(theirs, "/v1.60/") || strstr(theirs, "/v1.1/") ||
        !strstr(theirs, "/v1.41/"))
        return;
    if (strstr(r->files, "vec3") || strstr(r->files, "/nope"))
        return;
    assert_string_equal(ours, theirs);
}

static void
judge(const struct row *r, bool ok, const struct buf *out,
      const struct error *e)
{
    if (ok != r->ok)
        fail_msg("%s: %s: %s", r->files, ok ? "went well" : "failed", e->msg);
    if (!strstr(ok ? buf_cstr(out) : e->msg, r->want))
        fail_msg("%s: <%s> is not in: %s", r->files, r->want,
                 ok ? buf_cstr(out) : e->msg);
    if (ok)
        return;
    if (e->code != r->code || e->http != r->http || strcmp(e->id, r->id) != 0)
        fail_msg("%s: code %d http %d id %s: %s", r->files, e->code, e->http,
                 e->id, e->msg);
    assert_true(!e->id[0] || e->remedy[0]);
}

static void
plays(void **state)
{
    struct docker *d = opened();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        struct buf out = BUF_INIT(1 << 20);
        struct error e = {0};
        size_t key;
        bool ok;

        load_row(r, &key);
        ok = r->call(d, r->arg, &out, &e);
        judge(r, ok, &out, &e);
        asked_as_recorded(r, key);
        arena_reset(a);
        buf_release(&out);
        script_release(&script);
    }
    docker_free(d);
}

/* An answer that is cut is never taken for a whole one, unless the peer's
 * form has no way to tell (a stream whose end is the connection's). */
static void
cuts(void **state)
{
    struct docker *d = opened();
    size_t played = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct row *r = &rows[i];
        const struct recording *rec;
        size_t key;

        if (never_ends(r))
            continue;
        load_row(r, &key);
        rec = &script.v[key];
        for (size_t n = 0; n < rec->raw.n; n += 7) {
            struct buf out = BUF_INIT(1 << 20);
            struct error e = {0};
            /* "0\r\n", the last chunk, is the end; an empty line follows. */
            bool told = rec->sized || n < rec->head_n ||
                        (rec->chunked && n + 2 < rec->raw.n);
            bool ok;

            script.at = 0;
            script.cuts = true;
            script.cut_at = key;
            script.cut = n;
            ok = r->call(d, r->arg, &out, &e);
            if (ok && told)
                fail_msg("%s cut after %zu bytes went well: %s", r->files, n,
                         buf_cstr(&out));
            assert_true(ok || (e.code && e.msg[0]));
            arena_reset(a);
            buf_release(&out);
            played++;
        }
        script_release(&script);
    }
    assert_true(played > 5000);
    docker_free(d);
}

/* Every file of the folder is in the table, or is one of the sockets that do
 * not answer (90 to 92; test_docker_sockets.c). */
static void
all_are_played(void **state)
{
    DIR *dir = opendir(WIRE);
    struct dirent *e;
    size_t files = 0;

    (void)state;
    assert_non_null(dir);
    while ((e = readdir(dir))) {
        struct str name = str_of(e->d_name);
        bool found = false;

        if (!str_ends(name, STR(".http")))
            continue;
        files++;
        name.n -= 5;
        for (size_t i = 0; i < ARRAY_LEN(rows); i++)
            found |= str_contains(str_of(rows[i].files), name);
        if (!found && !str_starts(name, STR("9")))
            fail_msg("%.*s is played by no row", STR_ARG(name));
    }
    closedir(dir);
    assert_int_equal(files, 82);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plays),
        cmocka_unit_test(cuts),
        cmocka_unit_test(all_are_played),
    };
    char config[96];
    int failed;

    snprintf(folder, sizeof(folder), "/tmp/meshtop-wire.XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    chmod(folder, 0755);
    snprintf(config, sizeof(config), "%s/engine.sock", folder);
    snprintf(address, sizeof(address), "unix://%s", config);
    setenv("DOCKER_CONFIG", folder, 1);
    l = loop_new(NULL);
    a = arena_new();
    fake_init_unix(&peer, l, config, script_play, &script);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    fake_release(&peer);
    arena_free(a);
    loop_free(l);
    file_remove_tree(folder, NULL);
    return failed;
}
