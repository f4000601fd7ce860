#include "devenv/sandbox/server.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/mem.h"

#include "devenv/sandbox/daemon.h"
#include "devenv/sandbox/doors.h"
#include "devenv/sandbox/gc.h"
#include "devenv/sandbox/listen.h"
#include "devenv/sandbox/probes.h"

#define ROUNDS          8 /* in a turn, before the loop is asked again */
#define FILES           4096
#define START_LOOK_MS   50
#define KUBECONFIG_MAX  65536
#define CLUSTER_DEFAULT "meshtop-mesh"

/* ---- a turn ---- */

static bool
run_modules(struct server *s)
{
    bool more = s->kicked;

    s->kicked = false;
    for (size_t i = 0; s->modules[i]; i++) {
        if (s->modules[i]->turn && s->modules[i]->turn(s->states[i]))
            more = true;
    }
    return more;
}

/* Everybody who was promised something hears how it ended. */
static void
commit(struct server *s)
{
    struct error err = {0};

    if (store_commit(s->store, &err)) {
        if (s->failing)
            fprintf(stderr, "meshtop sandbox: writing works again\n");
        s->failing = false;
        http_release(s->http);
        hub_turn(s->hub);
        return;
    }
    if (!s->failing)
        fprintf(stderr, "meshtop sandbox: %s\n", err.msg);
    s->failing = true;
    for (size_t i = 0; s->modules[i]; i++) {
        if (s->modules[i]->rolled_back)
            s->modules[i]->rolled_back(s->states[i]);
    }
    http_release_failed(s->http, &err);
}

static void
told_ready(struct server *s)
{
    loop_timer_set(s->start_timer, -1);
    if (s->on_ready)
        s->on_ready(s, s->on_ready_arg);
}

/* Goes on with the modules that are not ready yet, in their order. */
static void
start_modules(struct server *s)
{
    const struct server_module *m;

    while ((m = s->modules[s->started_n])) {
        enum server_start how =
            m->start ? m->start(s->states[s->started_n], &s->start_error)
                     : SERVER_READY;

        if (how == SERVER_WAITS) {
            loop_timer_set(s->start_timer, START_LOOK_MS);
            return;
        }
        if (how == SERVER_FAILED) {
            told_ready(s);
            return;
        }
        s->started_n++;
    }
    s->ready = true;
    told_ready(s);
}

static int
turn(void *arg)
{
    struct server *s = arg;
    int wait = 0;

    for (int round = 0; round < ROUNDS; round++) {
        if (!s->ready && !s->start_error.code)
            start_modules(s);
        wait = http_run(s->http);

        bool more = run_modules(s);
        bool dirty = store_dirty(s->store);

        if (dirty)
            commit(s);
        if (!more && !dirty && !http_pending(s->http))
            return wait;
    }
    return 0;
}

void
server_kick(struct server *s)
{
    s->kicked = true;
}

/* ---- requests ---- */

/* Without a judge: the admin, and everybody where everybody may look. */
static bool
judge_alone(const struct http_request *r, struct status *st)
{
    if (r->who->master || probes_is_open(r))
        return true;
    return status_set(st, 401, "Unauthorized", "Unauthorized");
}

static bool
admit(void *arg, struct http_request *r)
{
    struct server *s = arg;
    struct status st = {0};

    s->requests++;
    if (!doors_open(r))
        return false;
    r->who = authn_request(s->authn, r);
    if (!r->who)
        status_set(&st, 401, "Unauthorized", "Unauthorized");
    else if (s->judge ? s->judge(s->judge_arg, r, &st) : judge_alone(r, &st))
        return doors_more(r);
    if (!r->refused)
        http_refuse(r, &st);
    return false;
}

static void
on_request(void *arg, struct http_request *r)
{
    struct server *s = arg;

    if (r->refused) {
        http_reply_refusal(r);
        return;
    }
    if (probes_open(s, r) || probes_status(s, r))
        return;
    if (s->handler)
        s->handler(s->handler_arg, r);
    else
        http_fail(r, 404, "nothing is served here");
}

static bool
must_hold(void *arg)
{
    const struct server *s = arg;

    return store_dirty(s->store);
}

void
server_set_handler(struct server *s, http_handler_fn *fn, void *arg)
{
    s->handler = fn;
    s->handler_arg = arg;
}

void
server_set_judge(struct server *s, server_judge_fn *fn, void *arg)
{
    s->judge = fn;
    s->judge_arg = arg;
}

void *
server_module_state(const struct server *s, const char *name)
{
    for (size_t i = 0; s->modules[i]; i++) {
        if (strcmp(s->modules[i]->name, name) == 0)
            return s->states[i];
    }
    return NULL;
}

const char *
server_url(const struct server *s)
{
    return s->url;
}

/* ---- start ---- */

static bool
load_identity(struct server *s, struct error *err)
{
    const char *data = s->options->data, *slash = strrchr(data, '/');
    AUTO(mem_free_ptr) char *folder = NULL;

    if (strcmp(data, ":memory:") != 0)
        folder = slash ? mem_strndup(data, MAX((size_t)(slash - data), 1))
                       : mem_strdup(".");
    const struct authn_options o = {.id = &s->identity,
                                    .clock = s->clock,
                                    .token_file = s->options->token_file};

    return tls_load(folder, &s->identity, err) &&
           (s->authn = authn_new(&o, err)) != NULL;
}

static bool
init_modules(struct server *s, const struct server_module *const *modules,
             struct error *err)
{
    size_t n = 0;

    while (modules[n])
        n++;
    s->modules = modules;
    s->states = mem_zalloc(n + 1, sizeof(*s->states));
    for (size_t i = 0; i < n; i++) {
        if (!modules[i]->init(s, &s->states[i], err))
            return error_wrap(err, "%s", modules[i]->name);
    }
    return true;
}

/* The port asked for, else the one of the last start, else any. The last one
 * may be somebody else's by now; then any will do, as the kubeconfig is
 * written anew. */
static bool
start_http(struct server *s, struct error *err)
{
    const char *kept = store_note(s->store, "port");
    struct http_options o = {.id = &s->identity,
                             .host = "127.0.0.1",
                             .handler = on_request,
                             .hold = must_hold,
                             .admit = admit,
                             .arg = s,
                             .timeout_s = s->options->http_timeout_s,
                             .max_connections = s->options->http_connections};
    uint64_t port = 0;
    char text[16];

    if (s->options->listen &&
        !listen_parse(s->options->listen, &o.host, &o.port, err))
        return false;
    if (!o.port && kept && str_to_u64(str_of(kept), &port) && port < 65536) {
        o.port = (unsigned)port;
        s->http = http_new(s->loop, &o, NULL);
        o.port = 0;
    }
    if (!s->http)
        s->http = http_new(s->loop, &o, err);
    if (!s->http)
        return false;
    snprintf(text, sizeof(text), "%u", http_port(s->http));
    s->url =
        mem_printf(strchr(o.host, ':') ? "https://[%s]:%s" : "https://%s:%s",
                   o.host, text);
    if (kept && strcmp(kept, text) == 0)
        return true;
    return store_set_note(s->store, "port", text, err);
}

static const char *
server_host(const struct server *s)
{
    return strchr(s->url, '[') ? "::1" : "127.0.0.1";
}

/* Left alone when it says the same already: a start then waits for no disk. */
static bool
write_kubeconfig(struct server *s, struct error *err)
{
    const struct server_options *o = s->options;
    AUTO(buf_release) struct buf b = BUF_INIT(KUBECONFIG_MAX);
    AUTO(buf_release) struct buf old = BUF_INIT(KUBECONFIG_MAX);

    if (!o->kubeconfig)
        return true;
    tls_kubeconfig(&s->identity, NULL, o->name ? o->name : CLUSTER_DEFAULT,
                   server_host(s), http_port(s->http), &b);
    if (file_read(o->kubeconfig, &old, NULL) &&
        str_eq(buf_view(&old), buf_view(&b)) && chmod(o->kubeconfig, 0600) == 0)
        return true;
    return file_write(o->kubeconfig, buf_view(&b), 0600, err);
}

/* A turn follows every callback. */
static void
nothing(void *arg)
{
    (void)arg;
}

struct server *
server_new(struct loop *l, const struct server_options *o,
           const struct server_module *const *modules, struct error *err)
{
    struct server *s = mem_zalloc(1, sizeof(*s));
    struct store_options how = o->store;
    struct error commit_err = {0};

    how.mark = gc_concerns;
    s->options = o;
    s->clock = o->store.clock ? o->store.clock : clock_system();
    s->loop = l;
    s->started_ms = clock_wall_ms(s->clock);
    if (!load_identity(s, err) || !(s->store = store_open(o->data, &how, err)))
        goto failed;
    s->hub = hub_new(l, s->store);
    if (!init_modules(s, modules, err))
        goto failed;
    if (!store_commit(s->store, &commit_err)) {
        if (err)
            *err = commit_err;
        goto failed;
    }
    if (!start_http(s, err) || !write_kubeconfig(s, err))
        goto failed;
    s->start_timer = loop_timer_add(l, -1, nothing, NULL);
    s->hook = loop_hook_add(l, turn, s);
    return s;
failed:
    server_free(s);
    return NULL;
}

void
server_free(struct server *s)
{
    size_t n = 0;

    if (!s)
        return;
    if (s->hook)
        turn(s);
    loop_hook_del(s->hook);
    loop_timer_del(s->start_timer);
    http_free(s->http);
    while (s->states && s->modules[n])
        n++;
    /* The later ones use the earlier ones. */
    while (n-- > 0) {
        if (s->modules[n]->free)
            s->modules[n]->free(s->states[n]);
    }
    free(s->states);
    hub_free(s->hub);
    store_close(s->store);
    authn_free(s->authn);
    tls_release(&s->identity);
    free(s->url);
    free(s);
}

/* ---- the process ---- */

static void
on_signal(void *arg, int signo)
{
    (void)signo;
    loop_stop(arg, 0);
}

static void
say_ready(const struct server *s)
{
    const struct server_options *o = s->options;

    if (o->quiet)
        return;
    printf("meshtop sandbox: serving %s", server_url(s));
    if (o->kubeconfig)
        printf(" (kubeconfig %s)", o->kubeconfig);
    printf("\n");
    fflush(stdout);
}

/* Watches are connections: as many as the system allows, within reason. */
static void
raise_limits(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < FILES) {
        r.rlim_cur = MIN(r.rlim_max, FILES);
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

/* The pid file and the line are the news that it serves. */
static void
on_ready(struct server *s, void *arg)
{
    const int *pid_fd = arg;

    if (s->ready && *pid_fd >= 0 &&
        !daemon_publish(*pid_fd, server_host(s), http_port(s->http),
                        s->options->kubeconfig, &s->start_error))
        s->ready = false;
    if (s->ready)
        say_ready(s);
    else
        loop_stop(s->loop, 1);
}

static bool
serve(struct loop *l, const struct server_options *o, int pid_fd,
      struct error *err)
{
    struct server *s;

    /* A full disk must come back as an error of write. */
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    raise_limits();
    if (!loop_signal_add(l, SIGTERM, on_signal, l, err) ||
        !loop_signal_add(l, SIGINT, on_signal, l, err))
        return false;
    s = server_new(l, o, server_modules, err);
    if (!s)
        return false;
    s->on_ready = on_ready;
    s->on_ready_arg = &pid_fd;

    bool good = loop_run(l) == 0;

    if (!good && err)
        *err = s->start_error;
    server_free(s);
    return good;
}

bool
server_run(const struct server_options *o, struct error *err)
{
    int pid_fd = -1;
    struct loop *l;
    bool good;

    if (o->pid_file && (pid_fd = daemon_lock(o->pid_file, err)) < 0)
        return false;
    l = loop_new(err);
    good = l && serve(l, o, pid_fd, err);
    loop_free(l);
    daemon_unlock(pid_fd);
    return good;
}
