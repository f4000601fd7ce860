/* Images through files: `docker load` and `docker save`. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "lib/kube/gvr.h"

#include "devenv/docker_call.h"
#include "devenv/docker_frames.h"
#include "devenv/docker_image.h"
#include "devenv/docker_pull.h"
#include "devenv/docker_ref.h"
#include "devenv/failure.h"

#define STALL_MS 300000

/* ---- load ---- */

struct loading {
    struct step_run *run;
    int fd;
    uint64_t done, total;
    struct docker_pull state;
    struct docker_lines lines;
};

static ssize_t
on_read(void *arg, char *p, size_t n)
{
    struct loading *w = arg;
    ssize_t got;

    do
        got = read(w->fd, p, n);
    while (got < 0 && errno == EINTR);
    if (got <= 0)
        return w->done == w->total ? 0 : -1;
    w->done += (uint64_t)got;
    if (w->run)
        step_bytes(w->run, w->done, w->total);
    return got;
}

static bool
on_line(void *arg, int stream, struct str line)
{
    struct loading *w = arg;

    (void)stream;
    docker_pull_line(&w->state, line);
    if (w->state.loaded.n && w->run)
        step_detail(w->run, "loaded %s",
                    w->state.loaded.v[w->state.loaded.n - 1]);
    return true;
}

static bool
on_bytes(void *arg, struct str bytes)
{
    struct loading *w = arg;

    return docker_lines_feed(&w->lines, 1, bytes);
}

static bool
run_load(struct docker *d, struct loading *w, const char *doing,
         struct error *err)
{
    struct docker_request q = {.method = "POST",
                               .path = "/images/load?quiet=1",
                               .type = "application/x-tar",
                               .read = on_read,
                               .read_n = w->total,
                               .on_data = on_bytes,
                               .arg = w,
                               .limit_ms = -1,
                               .stall_ms = STALL_MS,
                               .doing = doing};

    if (!docker_call(d, w->run, &q, NULL, err))
        return false;
    docker_lines_end(&w->lines);
    if (w->state.error.n) {
        docker_refused_words(0, buf_view(&w->state.error), doing, err);
        return false;
    }
    if (w->state.strange && w->state.strange == w->state.lines)
        return error_set(err, ERR_PARSE,
                         "cannot %s: the engine's answer is no JSON", doing);
    return true;
}

bool
docker_image_load(struct docker *d, struct step_run *run, const char *path,
                  struct strlist *loaded, struct error *err)
{
    AUTO(mem_free_ptr) char *doing = mem_printf("load %s", path);
    struct loading w = {.run = run};
    struct stat st;
    bool ok;

    w.fd = open(path, O_RDONLY | O_CLOEXEC);
    if (w.fd < 0 || fstat(w.fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        error_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO,
                    "cannot read the image archive %s", path);
        if (w.fd >= 0)
            close(w.fd);
        return false;
    }
    w.total = (uint64_t)st.st_size;
    docker_pull_init(&w.state);
    docker_lines_init(&w.lines, on_line, &w);
    ok = run_load(d, &w, doing, err);
    for (size_t i = 0; ok && loaded && i < w.state.loaded.n; i++)
        strlist_add(loaded, str_of(w.state.loaded.v[i]));
    docker_lines_release(&w.lines);
    docker_pull_release(&w.state);
    close(w.fd);
    return ok;
}

/* ---- save ---- */

struct saving {
    struct step_run *run;
    int fd;
    uint64_t done;
    struct error why;
};

static bool
on_piece(void *arg, struct str piece)
{
    struct saving *w = arg;

    if (!file_write_fd(w->fd, piece.s, piece.n, &w->why))
        return false;
    w->done += piece.n;
    if (w->run)
        step_bytes(w->run, w->done, 0);
    return true;
}

static bool
save_path(const char *const *refs, struct buf *path, struct error *err)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct docker_ref r;

    buf_puts(path, "/images/get");
    for (; *refs; refs++) {
        if (!docker_ref_parse(*refs, a, &r, err))
            return false;
        kube_query_add(path, "names", str_of(r.exact));
    }
    return true;
}

static bool
run_save(struct docker *d, struct saving *w, const char *const *refs,
         struct error *err)
{
    AUTO(buf_release) struct buf path = BUF_INIT(65536);
    AUTO(mem_free_ptr) char *doing = mem_printf("save %s", refs[0]);
    struct docker_request q = {.on_data = on_piece,
                               .arg = w,
                               .limit_ms = -1,
                               .stall_ms = STALL_MS,
                               .doing = doing};

    if (!save_path(refs, &path, err))
        return false;
    q.path = buf_cstr(&path);
    if (docker_call(d, w->run, &q, NULL, err))
        return true;
    if (w->why.code && err)
        *err = w->why;
    return false;
}

bool
docker_image_save(struct docker *d, struct step_run *run,
                  const char *const *refs, const char *path, struct error *err)
{
    AUTO(mem_free_ptr) char *part = mem_printf("%s.part", path);
    struct saving w = {.run = run};
    bool ok;

    w.fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (w.fd < 0)
        return error_errno(err, ERR_IO, "cannot write %s", part);
    ok = run_save(d, &w, refs, err);
    if (ok && (fsync(w.fd) < 0 || rename(part, path) < 0))
        ok = error_errno(err, ERR_IO, "cannot write %s", path);
    close(w.fd);
    if (!ok)
        unlink(part);
    return ok;
}
