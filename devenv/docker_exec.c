#include "devenv/docker_exec.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/mem.h"

#include "lib/kube/gvr.h"

#include "devenv/docker_call.h"
#include "devenv/docker_frames.h"
#include "devenv/docker_hijack.h"
#include "devenv/docker_tar.h"

#define EXEC_MS      60000
#define PUT_MS       60000
#define PUT_STALL_MS 60000
#define SEEN_MAX     512
#define ENDED_TRIES  50
#define ENDED_MS     100

/* ---- programs ---- */

struct running {
    const struct docker_exec *x;
    struct docker_frames frames;
    struct docker_lines lines;
    struct buf *out[2];
    struct buf seen; /* the beginning of what both streams said */
    bool enough;
};

static bool
on_line(void *arg, int stream, struct str line)
{
    struct running *r = arg;

    r->enough = !r->x->on_line(r->x->arg, stream, line);
    return !r->enough;
}

static bool
on_text(void *arg, int stream, struct str piece)
{
    struct running *r = arg;
    struct buf *out = r->out[stream == 2];

    buf_str(&r->seen, str_sub(piece, 0, SEEN_MAX - r->seen.n));
    if (out)
        buf_str(out, piece);
    return !r->x->on_line || docker_lines_feed(&r->lines, stream, piece);
}

static bool
on_bytes(void *arg, struct str bytes)
{
    struct running *r = arg;

    return docker_frames_feed(&r->frames, bytes);
}

static void
add_texts(struct json *to, const char *key, const char *const *v)
{
    struct json *list = json_set(to, key, json_new_array());

    for (; *v; v++)
        json_append(list, json_new_string(*v));
}

/* "/exec/ID" of a new exec, in fresh memory. */
static char *
create(struct docker *d, struct step_run *run, const char *id,
       const struct docker_exec *x, const char *doing, struct error *err)
{
    AUTO(buf_release) struct buf path = BUF_INIT(4096);
    AUTO(json_free_ptr) struct json *body = json_new_object();
    AUTO(mem_free_ptr) char *text = NULL;
    AUTO(json_free_ptr) struct json *answer = NULL;
    struct docker_request q = {.method = "POST", .doing = doing};
    const char *exec;

    json_set_bool(body, "AttachStdin", x->input.n > 0);
    json_set_bool(body, "AttachStdout", true);
    json_set_bool(body, "AttachStderr", true);
    json_set_bool(body, "Privileged", x->privileged);
    if (x->user)
        json_set_string(body, "User", x->user);
    if (x->env)
        add_texts(body, "Env", x->env);
    add_texts(body, "Cmd", x->argv);
    text = json_text(body, JSON_COMPACT);
    buf_puts(&path, "/containers/");
    docker_segment(&path, id);
    buf_puts(&path, "/exec");
    q.path = buf_cstr(&path);
    q.body = str_of(text);
    answer = docker_call_json(d, run, &q, err);
    exec = json_get_string(answer, "Id");
    if (answer && !exec)
        docker_expect(NULL, JSON_OBJECT, doing, err);
    if (!exec)
        return NULL;
    buf_reset(&path);
    buf_puts(&path, "/exec/");
    docker_segment(&path, exec);
    return buf_take(&path);
}

static bool
start(struct docker *d, struct step_run *run, const char *exec,
      struct running *r, const char *doing, struct error *err)
{
    AUTO(mem_free_ptr) char *path = mem_printf("%s/start", exec);
    struct str body = STR("{\"Detach\":false,\"Tty\":false}");
    int64_t limit = r->x->limit_ms ? r->x->limit_ms : EXEC_MS;
    struct docker_request q = {.method = "POST",
                               .path = path,
                               .body = body,
                               .on_data = on_bytes,
                               .arg = r,
                               .limit_ms = limit,
                               .doing = doing};
    struct docker_hijack h = {.path = path,
                              .body = body,
                              .input = r->x->input,
                              .limit_ms = limit,
                              .doing = doing,
                              .frames = &r->frames};

    if (r->x->input.n)
        return docker_hijack(d, run, &h, err);
    return docker_call(d, run, &q, NULL, err) || r->enough;
}

/* The stream may end a moment before the engine knows the exit code. */
static bool
exit_code(struct docker *d, struct step_run *run, const char *exec,
          const char *doing, int *status, struct error *err)
{
    AUTO(mem_free_ptr) char *path = mem_printf("%s/json", exec);
    struct docker_request q = {.path = path, .doing = doing};

    for (int i = 0; i < ENDED_TRIES; i++) {
        AUTO(json_free_ptr) struct json *j = docker_call_json(d, run, &q, err);
        int64_t code;

        if (!j)
            return false;
        if (!json_bool(json_get(j, "Running"), false) &&
            json_int64(json_get(j, "ExitCode"), &code)) {
            *status = (int)code;
            return true;
        }
        if (!docker_rest(d, run, ENDED_MS, err))
            return false;
    }
    return error_set(err, ERR_TIMEOUT,
                     "cannot %s: the engine does not say how it ended", doing);
}

/* Words of the engine in the place of the program's: Docker's stand on stream
 * 1, Podman's on stream 2. */
static bool
is_engines(struct str seen)
{
    return str_starts(seen, STR("OCI runtime exec failed")) ||
           (str_starts(seen, STR("Error: ")) &&
            (str_contains(seen, STR("OCI runtime")) ||
             str_contains(seen, STR("OCI permission"))));
}

static bool
judge(const struct running *r, const char *doing, int status, struct error *err)
{
    struct str seen = str_trim(buf_view(&r->seen)), line, rest;

    str_cut(seen, '\n', &line, &rest);
    line = str_trim(line);
    if (r->frames.damaged || (!r->enough && docker_frames_cut(&r->frames)))
        return error_set(err, ERR_PARSE,
                         "cannot %s: its output is cut or damaged", doing);
    if ((status == 126 || status == 127) && is_engines(seen))
        return error_set(err, ERR_NOT_FOUND, "cannot %s: %.*s", doing,
                         STR_ARG(line));
    return true;
}

bool
docker_exec(struct docker *d, struct step_run *run, const char *id,
            const struct docker_exec *x, int *status, struct buf *out,
            struct buf *errout, struct error *err)
{
    AUTO(mem_free_ptr) char *doing = mem_printf("run %s in %s", x->argv[0], id);
    AUTO(mem_free_ptr) char *exec = create(d, run, id, x, doing, err);
    struct running r = {.x = x, .out = {out, errout}};
    int code = 0;
    bool ok;

    if (!exec)
        return false;
    docker_frames_init(&r.frames, false, on_text, &r);
    docker_lines_init(&r.lines, on_line, &r);
    buf_init(&r.seen, SEEN_MAX);
    ok = start(d, run, exec, &r, doing, err);
    if (ok && x->on_line && !r.enough)
        docker_lines_end(&r.lines);
    ok = ok && (r.enough || exit_code(d, run, exec, doing, &code, err)) &&
         judge(&r, doing, code, err);
    docker_lines_release(&r.lines);
    buf_release(&r.seen);
    if (ok)
        *status = code;
    return ok;
}

/* ---- files ---- */

struct putting {
    struct docker_tar tar;
    struct step_run *run; /* told the bytes, or NULL */
};

static ssize_t
on_read(void *arg, char *p, size_t n)
{
    struct putting *w = arg;
    ssize_t got = docker_tar_read(&w->tar, p, n);

    if (w->run && got > 0)
        step_bytes(w->run, w->tar.at, w->tar.total);
    return got;
}

static void
archive_path(struct buf *path, const char *id, struct str inside)
{
    buf_puts(path, "/containers/");
    docker_segment(path, id);
    buf_puts(path, "/archive");
    kube_query_add(path, "path", inside);
}

/* "/a/b" into folder and name. */
static bool
split(const char *path, struct str *folder, const char **name,
      struct error *err)
{
    const char *slash = strrchr(path, '/');

    if (path[0] != '/' || !slash[1])
        return error_set(err, ERR_USAGE, "%s is no path of a file", path);
    *folder = slash == path ? STR("/") : str_n(path, (size_t)(slash - path));
    *name = slash + 1;
    return true;
}

static bool
put(struct docker *d, struct step_run *run, const char *id, const char *path,
    struct putting *w, struct error *err)
{
    AUTO(buf_release) struct buf url = BUF_INIT(16384);
    AUTO(mem_free_ptr) char *doing = mem_printf("write %s in %s", path, id);
    struct docker_request q = {.method = "PUT",
                               .type = "application/x-tar",
                               .read = on_read,
                               .read_n = w->tar.total,
                               .arg = w,
                               .limit_ms = w->tar.fd < 0 ? PUT_MS : -1,
                               .stall_ms = PUT_STALL_MS,
                               .doing = doing};
    struct str folder;
    const char *name;

    if (!split(path, &folder, &name, err))
        return false;
    archive_path(&url, id, folder);
    q.path = buf_cstr(&url);
    return docker_call(d, run, &q, NULL, err);
}

bool
docker_put_file(struct docker *d, struct step_run *run, const char *id,
                const char *path, unsigned mode, struct str content,
                struct error *err)
{
    struct putting w = {0};
    struct str folder;
    const char *name;

    if (!split(path, &folder, &name, err) ||
        !docker_tar_init(&w.tar, name, mode, content.n, err))
        return false;
    w.tar.content = content;
    return put(d, run, id, path, &w, err);
}

bool
docker_put_file_from(struct docker *d, struct step_run *run, const char *id,
                     const char *path, unsigned mode, const char *local,
                     struct error *err)
{
    struct putting w = {.run = run};
    struct str folder;
    const char *name;
    struct stat st;
    int fd;
    bool ok;

    if (!split(path, &folder, &name, err))
        return false;
    fd = open(local, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
        error_errno(err, ERR_IO, "cannot read %s", local);
        if (fd >= 0)
            close(fd);
        return false;
    }
    ok = docker_tar_init(&w.tar, name, mode, (uint64_t)st.st_size, err);
    w.tar.fd = fd;
    ok = ok && put(d, run, id, path, &w, err);
    close(fd);
    return ok;
}

bool
docker_get_file(struct docker *d, struct step_run *run, const char *id,
                const char *path, struct buf *out, struct error *err)
{
    AUTO(buf_release) struct buf url = BUF_INIT(16384);
    AUTO(buf_release) struct buf tar = {0};
    AUTO(mem_free_ptr) char *doing = mem_printf("read %s in %s", path, id);
    struct docker_request q = {.doing = doing};
    struct str content;

    /* Header, padding, end, and room for pax records. */
    q.max_body = out->max - out->n + 16 * (size_t)TAR_BLOCK;
    archive_path(&url, id, str_of(path));
    q.path = buf_cstr(&url);
    if (!docker_call(d, run, &q, &tar, err))
        return false;
    if (!docker_tar_file(buf_view(&tar), &content, err))
        return error_wrap(err, "cannot %s", doing);
    if (content.n > out->max - out->n)
        return error_set(err, ERR_LIMIT, "cannot %s: it has %zu bytes", doing,
                         content.n);
    buf_str(out, content);
    return true;
}
