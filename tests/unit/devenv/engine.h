/*
 * engine.h - a fake engine beside a test: tests/tools/fake_engine.py, started
 * on a socket in a folder of its own.
 */
#ifndef TESTS_UNIT_DEVENV_ENGINE_H
#define TESTS_UNIT_DEVENV_ENGINE_H

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/docker_call.h"

#include "tests/unit/test.h"

struct fake_engine {
    char folder[64], socket[96], url[112], control[96];
    pid_t pid;
    int out; /* its standard output */
};

/* Starts it again after fake_engine_kill, too. */
static UNUSED bool
fake_engine_run(struct fake_engine *f)
{
    char said[16] = "";
    int p[2];

    if (pipe(p) < 0)
        return false;
    f->pid = fork();
    if (f->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(p[1], 1);
        close(p[0]);
        close(p[1]);
        execlp("python3", "python3", "tests/tools/fake_engine.py", f->socket,
               "--control", f->control, (char *)NULL);
        _exit(127);
    }
    close(p[1]);
    f->out = p[0];
    return read(f->out, said, sizeof(said) - 1) > 0 &&
           strncmp(said, "ready", 5) == 0;
}

/* False where there is no python3. */
static UNUSED bool
fake_engine_start(struct fake_engine *f)
{
    snprintf(f->folder, sizeof(f->folder), "/tmp/meshtop-engine.XXXXXX");
    if (!mkdtemp(f->folder))
        return false;
    snprintf(f->socket, sizeof(f->socket), "%s/engine.sock", f->folder);
    snprintf(f->url, sizeof(f->url), "unix://%s", f->socket);
    snprintf(f->control, sizeof(f->control), "%s/control", f->folder);
    return fake_engine_run(f);
}

static UNUSED void
fake_engine_kill(struct fake_engine *f)
{
    if (f->pid <= 0)
        return;
    kill(f->pid, SIGKILL);
    waitpid(f->pid, NULL, 0);
    close(f->out);
    f->pid = 0;
}

static UNUSED void
fake_engine_stop(struct fake_engine *f)
{
    fake_engine_kill(f);
    file_remove_tree(f->folder, NULL);
}

/* What it does wrong from now on; "": nothing. */
static UNUSED void
fake_engine_misbehave(const struct fake_engine *f, const char *rules)
{
    assert_true(file_write(f->control, str_of(rules), 0600, NULL));
}

/* A request only tests send: "containers" and its JSON. */
static UNUSED void
fake_engine_make(struct docker *d, const char *what, const char *json)
{
    AUTO(mem_free_ptr) char *path = mem_printf("/_fake/%s", what);
    struct docker_request q = {.method = "POST",
                               .path = path,
                               .body = str_of(json),
                               .doing = "prepare a test"};
    struct error e = {0};

    if (!docker_call(d, NULL, &q, NULL, &e))
        fail_msg("%s", e.msg);
}

#endif
