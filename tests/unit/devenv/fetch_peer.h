/*
 * fetch_peer.h - a badly behaved HTTPS server (tests/tools/fetch_server.py)
 * with a throw-away CA, and a cache of its own, for tests of downloads.
 */
#ifndef TESTS_UNIT_DEVENV_FETCH_PEER_H
#define TESTS_UNIT_DEVENV_FETCH_PEER_H

/* clang-format off */
#include "tests/unit/test.h"
/* clang-format on */

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/process.h"

#include "lib/kube/http.h"

#include "devenv/fetch.h"

#include "devenv/sandbox/tls.h"

struct peer {
    struct loop *l;
    struct tls_identity id;
    char *dir;
    pid_t pid;
    int in; /* closing it ends the server */
    unsigned port;
    char sum[65];
    unsigned caches; /* made so far */
};

/* False: there is no python3. */
static bool
peer_start(struct peer *p)
{
    char name[] = "/tmp/meshtop-fetch.XXXXXX", line[128] = "";
    AUTO(mem_free_ptr) char *python = process_find("python3");
    int in[2], out[2];

    *p = (struct peer){.l = loop_new(NULL)};
    signal(SIGXFSZ, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    if (!python)
        return false;
    p->dir = mem_strdup(mkdtemp(name));
    assert_true(tls_load(NULL, &p->id, NULL));
    AUTO(mem_free_ptr) char *pem = file_join(p->dir, "server.pem");
    AUTO(mem_free_ptr) char *text = mem_printf("%s%s", p->id.cert, p->id.key);

    assert_true(file_write(pem, str_of(text), 0600, NULL));
    assert_int_equal(pipe2(in, O_CLOEXEC) | pipe2(out, O_CLOEXEC), 0);
    p->pid = fork();
    if (p->pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        execl(python, "python3", "tests/tools/fetch_server.py", pem, NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    p->in = in[1];
    for (size_t n = 0; n < sizeof(line) - 1 && !strchr(line, '\n'); n++)
        assert_int_equal(read(out[0], line + n, 1), 1);
    close(out[0]);
    assert_int_equal(sscanf(line, "%u %64s", &p->port, p->sum), 2);
    return true;
}

/* Says so, as tests/skips.txt knows it. */
static int
peer_skipped(void)
{
    puts("ok 1 - downloads from a misbehaving server # SKIP no python3");
    return 0;
}

static void
peer_stop(struct peer *p)
{
    if (p->pid) {
        close(p->in);
        waitpid(p->pid, NULL, 0);
        tls_release(&p->id);
        file_remove_tree(p->dir, NULL);
    }
    free(p->dir);
    loop_free(p->l);
}

/* An empty cache and an empty folder of tools from now on. */
static void
peer_new_cache(struct peer *p)
{
    AUTO(mem_free_ptr) char *cache = mem_printf("%s/c%u", p->dir, ++p->caches);

    assert_int_equal(setenv("XDG_CACHE_HOME", cache, 1), 0);
    assert_int_equal(setenv("XDG_DATA_HOME", cache, 1), 0);
}

static UNUSED char *
peer_url(const struct peer *p, const char *path)
{
    return mem_printf("https://127.0.0.1:%u/%s", p->port, path);
}

struct peer_log {
    struct buf text;
    bool done;
};

static UNUSED void
peer_log_done(void *arg, const struct kube_http_response *r,
              const struct error *err)
{
    struct peer_log *log = arg;

    assert_null(err);
    buf_str(&log->text, r->body);
    log->done = true;
}

/* The requests since the last call, "PATH RANGE IF-RANGE" lines. */
static UNUSED char *
peer_log(struct peer *p)
{
    struct peer_log log = {.text = BUF_INIT(1 << 20)};
    AUTO(mem_free_ptr) char *url = peer_url(p, "log");
    struct kube_http *h =
        kube_http_new(p->l, &(struct kube_tls){.ca = p->id.ca}, NULL);
    struct kube_http_request r = {
        .url = url, .on_done = peer_log_done, .arg = &log};

    assert_non_null(kube_http_start(h, &r, NULL));
    while (!log.done)
        loop_turn(p->l, -1);
    kube_http_free(h);
    return buf_take(&log.text);
}

#endif
