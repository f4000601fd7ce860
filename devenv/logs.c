#include "devenv/logs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#define FILE_TAIL_MAX ((size_t)32 << 20)
#define LIMIT_MS      30000
#define LOOK_MS       200
#define PIECE         16384

/* ---- lines out of pieces ---- */

struct lines {
    const struct logs *o;
    struct buf part;
};

static void
feed(struct lines *l, struct str piece)
{
    while (piece.n) {
        struct str head, rest;
        bool whole = str_cut(piece, '\n', &head, &rest);
        size_t room = LOGS_LINE_MAX - MIN(l->part.n, LOGS_LINE_MAX);

        buf_str(&l->part, str_sub(head, 0, room));
        piece = rest;
        if (!whole)
            return;
        l->o->on_line(l->o->arg, buf_view(&l->part));
        buf_reset(&l->part);
    }
}

/* What the source ended in the middle of. */
static void
finish(struct lines *l)
{
    if (l->part.n)
        l->o->on_line(l->o->arg, buf_view(&l->part));
    buf_release(&l->part);
}

static bool
stopped(const struct logs *o)
{
    return o->stop && *o->stop;
}

/* ---- files ---- */

/* Where the newest n lines of text begin. */
static size_t
newest(struct str text, int64_t n)
{
    size_t at = text.n;

    if (n < 0)
        return 0;
    if (at && text.s[at - 1] == '\n')
        at--;
    for (; at > 0; at--) {
        if (text.s[at - 1] == '\n' && --n <= 0)
            return at;
    }
    return 0;
}

static bool
read_from(int fd, off_t at, struct buf *out, struct error *err)
{
    char piece[PIECE];
    ssize_t n;

    while ((n = pread(fd, piece, sizeof(piece), at)) > 0) {
        if (!buf_add(out, piece, (size_t)n))
            break;
        at += n;
    }
    return n >= 0 || error_errno(err, ERR_IO, "cannot read the log");
}

/* The newest lines; *end is where the file ended. */
static bool
file_tail(int fd, struct lines *l, off_t *end, struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(FILE_TAIL_MAX + PIECE);
    struct stat st;
    off_t from;

    if (fstat(fd, &st) != 0)
        return error_errno(err, ERR_IO, "cannot look at the log");
    from = MAX(st.st_size - (off_t)FILE_TAIL_MAX, 0);
    if (!read_from(fd, from, &text, err))
        return false;
    *end = from + (off_t)text.n;
    if (l->o->tail)
        feed(l, str_from(buf_view(&text), newest(buf_view(&text), l->o->tail)));
    return true;
}

static int
open_log(const char *path, struct error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 && errno == ENOENT)
        error_set(err, ERR_NOT_FOUND, "there is no log %s", path);
    else if (fd < 0)
        error_errno(err, errno == EACCES ? ERR_DENIED : ERR_IO,
                    "cannot open %s", path);
    return fd;
}

static void
on_notice(void *arg, unsigned events UNUSED)
{
    char bytes[4096];

    while (read(*(int *)arg, bytes, sizeof(bytes)) > 0)
        continue;
}

/* The path names another file by now, or the file was cut: from its start. */
static void
follow_replacement(const char *path, int *fd, off_t *at)
{
    struct stat old, now;

    if (fstat(*fd, &old) == 0 && old.st_size < *at)
        *at = 0;
    if (stat(path, &now) != 0 ||
        (old.st_ino == now.st_ino && old.st_dev == now.st_dev))
        return;
    int fresh = open_log(path, NULL);

    if (fresh < 0)
        return;
    close(*fd);
    *fd = fresh;
    *at = 0;
}

/* The folder is gone as well: no file will take its place. */
static bool
is_over(const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTO(mem_free_ptr)
    char *folder = mem_strndup(path, slash ? (size_t)(slash - path) : 0);

    return *folder && access(folder, F_OK) != 0;
}

/* Notices wake it early; without them it looks now and then. */
static bool
follow_file(struct loop *loop, const char *path, int *fd, off_t at,
            struct lines *l, struct error *err)
{
    int notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    struct loop_fd *watch = NULL;
    bool ok = true;

    if (notify >= 0 && inotify_add_watch(notify, path, IN_MODIFY) >= 0)
        watch = loop_fd_add(loop, notify, LOOP_READ, on_notice, &notify, NULL);
    while (ok && !stopped(l->o)) {
        AUTO(buf_release) struct buf more = BUF_INIT(FILE_TAIL_MAX);

        ok = read_from(*fd, at, &more, err);
        at += (off_t)more.n;
        feed(l, buf_view(&more));
        if (ok && !more.n) {
            loop_turn(loop, LOOK_MS);
            follow_replacement(path, fd, &at);
            if (is_over(path))
                break;
        }
    }
    loop_fd_del(watch);
    if (notify >= 0)
        close(notify);
    return ok;
}

bool
logs_file(struct loop *loop, const char *path, const struct logs *o,
          struct error *err)
{
    struct lines l = {.o = o, .part = BUF_INIT(LOGS_LINE_MAX)};
    int fd = open_log(path, err);
    off_t end = 0;

    if (fd < 0)
        return false;
    bool ok = file_tail(fd, &l, &end, err);

    if (ok && o->follow)
        ok = follow_file(loop, path, &fd, end, &l, err);
    finish(&l);
    close(fd);
    return ok;
}

/* ---- pods ---- */

struct stream {
    struct lines lines;
    struct kube_call *call;
    bool ended;
    struct error err;
};

static bool
on_data(void *arg, struct str piece)
{
    struct stream *s = arg;

    feed(&s->lines, piece);
    return !stopped(s->lines.o);
}

static void
on_end(void *arg, const struct kube_reply *r UNUSED, const struct error *err)
{
    struct stream *s = arg;

    s->ended = true;
    s->call = NULL;
    if (err && err->code != ERR_CANCELLED)
        s->err = *err;
}

static bool
pod_path(const struct logs_pod *pod, const struct logs *o, struct buf *out,
         struct error *err)
{
    static const struct kube_gvr pods = {"", "v1", "pods"};
    char number[32];

    if (!kube_gvr_path(&pods, pod->ns, pod->name, "log", out, err))
        return false;
    if (pod->container)
        kube_query_add(out, "container", str_of(pod->container));
    if (o->tail >= 0) {
        snprintf(number, sizeof(number), "%" PRId64, o->tail);
        kube_query_add(out, "tailLines", str_of(number));
    }
    if (pod->previous)
        kube_query_add(out, "previous", STR("true"));
    if (o->follow)
        kube_query_add(out, "follow", STR("true"));
    snprintf(number, sizeof(number), "%zu", FILE_TAIL_MAX);
    if (!o->follow)
        kube_query_add(out, "limitBytes", str_of(number));
    return true;
}

bool
logs_pod(struct kube_client *c, const struct logs_pod *pod,
         const struct logs *o, struct error *err)
{
    static const struct kube_stream_fns fns = {.on_data = on_data,
                                               .on_end = on_end};
    AUTO(buf_release) struct buf path = BUF_INIT(4096);
    struct stream s = {.lines = {.o = o, .part = BUF_INIT(LOGS_LINE_MAX)}};
    int64_t end =
        clock_mono_ms(clock_system()) + (o->limit_ms ? o->limit_ms : LIMIT_MS);

    if (!pod_path(pod, o, &path, err))
        return false;
    s.call = kube_client_stream(c, buf_cstr(&path), 0, &fns, &s, err);
    if (!s.call)
        return false;
    while (!s.ended && !stopped(o) &&
           (o->follow || clock_mono_ms(clock_system()) < end))
        loop_turn(kube_client_loop(c), LOOK_MS);
    bool late = !s.ended && !stopped(o);

    if (!s.ended)
        kube_call_cancel(s.call);
    finish(&s.lines);
    if (late)
        return error_set(err, ERR_TIMEOUT, "the log of %s does not end",
                         pod->name);
    if (s.err.code && err)
        *err = s.err;
    return !s.err.code;
}
