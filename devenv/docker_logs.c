/* Logs and events: streams that may never end. */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/kube/gvr.h"

#include "devenv/docker_call.h"
#include "devenv/docker_frames.h"

#define LOGS_MS 30000

struct reading {
    struct docker_frames frames;
    struct docker_lines lines;
    const struct docker_logs *o;
    bool enough;
};

static bool
on_line(void *arg, int stream, struct str line)
{
    struct reading *r = arg;

    r->enough = !r->o->on_line(r->o->arg, stream, line);
    return !r->enough;
}

static bool
on_text(void *arg, int stream, struct str piece)
{
    struct reading *r = arg;

    return docker_lines_feed(&r->lines, stream, piece);
}

static bool
on_bytes(void *arg, struct str bytes)
{
    struct reading *r = arg;

    return docker_frames_feed(&r->frames, bytes);
}

static void
logs_path(struct buf *path, const char *id, const struct docker_logs *o)
{
    buf_puts(path, "/containers/");
    docker_segment(path, id);
    buf_puts(path, "/logs?stdout=1&stderr=1");
    if (o->tail > 0)
        buf_printf(path, "&tail=%lld", (long long)o->tail);
    if (o->follow)
        buf_puts(path, "&follow=1");
    if (o->timestamps)
        buf_puts(path, "&timestamps=1");
}

bool
docker_logs(struct docker *d, struct step_run *run, const char *id,
            const struct docker_logs *o, struct error *err)
{
    AUTO(buf_release) struct buf path = BUF_INIT(4096);
    AUTO(mem_free_ptr) char *doing = mem_printf("read the log of %s", id);
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct docker_container c;
    struct reading r = {.o = o};
    struct docker_request q = {
        .on_data = on_bytes,
        .arg = &r,
        .limit_ms = o->limit_ms ? o->limit_ms
                    : o->follow ? -1
                                : LOGS_MS,
        .doing = doing,
    };
    bool ok;

    if (!docker_container(d, run, id, a, &c, err))
        return false;
    logs_path(&path, id, o);
    q.path = buf_cstr(&path);
    docker_frames_init(&r.frames, c.tty, on_text, &r);
    docker_lines_init(&r.lines, on_line, &r);
    ok = docker_call(d, run, &q, NULL, err);
    if (ok)
        docker_lines_end(&r.lines);
    docker_lines_release(&r.lines);
    return ok || r.enough;
}

/* ---- the tail as text ---- */

/* Takes out escape sequences and control characters. */
static void
add_clean(struct buf *out, struct str line)
{
    for (size_t i = 0; i < line.n; i++) {
        unsigned char c = (unsigned char)line.s[i];

        if (c == 0x1b && i + 1 < line.n && line.s[i + 1] == '[') {
            for (i += 2; i < line.n && (line.s[i] < '@' || line.s[i] > '~');)
                i++;
            continue;
        }
        if (c >= 0x20 && c != 0x7f)
            buf_putc(out, (char)c);
    }
}

static bool
add_line(void *arg, int stream, struct str line)
{
    struct buf *out = arg;

    (void)stream;
    add_clean(out, line);
    return buf_putc(out, '\n');
}

bool
docker_log_tail(struct docker *d, struct step_run *run, const char *id,
                int64_t lines, struct buf *out, struct error *err)
{
    struct docker_logs o = {.tail = lines, .on_line = add_line, .arg = out};

    return docker_logs(d, run, id, &o, err);
}

/* ---- events ---- */

struct docker_watch {
    struct docker_async *call;
    struct docker_lines lines;
    docker_event_fn *fn;
    void *arg;
    bool ended, inside, freed;
    struct error why;
};

static void
watch_release(struct docker_watch *w)
{
    docker_lines_release(&w->lines);
    free(w);
}

/* Docker's word where Podman has another. */
static const char *
event_action(const struct json *j)
{
    const char *action = json_string_or(json_get(j, "Action"), "");

    return strcmp(action, "remove") == 0 ? "destroy" : action;
}

/* One JSON object a line; what is none is passed over. */
static bool
on_event(void *arg, int stream, struct str line)
{
    struct docker_watch *w = arg;
    AUTO(json_free_ptr) struct json *j = json_parse(line, NULL, NULL);
    const struct json *actor = json_get(j, "Actor");
    const struct json *facts = json_get(actor, "Attributes");
    struct docker_event e = {
        .type = json_string_or(json_get(j, "Type"), ""),
        .action = event_action(j),
        .id = json_string_or(json_get(actor, "ID"), ""),
        .name = json_string_or(json_get(facts, "name"), ""),
        .exit_code = -1,
        .tree = j,
    };

    (void)stream;
    str_to_i64(str_of(json_get_string(facts, "exitCode")), &e.exit_code);
    if (json_is(j, JSON_OBJECT))
        w->fn(w->arg, &e);
    return !w->freed;
}

static bool
on_event_bytes(void *arg, struct str bytes)
{
    struct docker_watch *w = arg;
    bool go_on;

    w->inside = true;
    go_on = docker_lines_feed(&w->lines, 1, bytes);
    w->inside = false;
    return go_on;
}

static void
on_watch_end(void *arg, const struct kube_http_response *r,
             const struct error *err)
{
    struct docker_watch *w = arg;

    (void)r;
    w->call = NULL;
    w->ended = true;
    if (w->freed) {
        watch_release(w);
        return;
    }
    if (err)
        w->why = *err;
    else
        error_set(&w->why, ERR_NETWORK, "the engine ended its events");
}

struct docker_watch *
docker_watch(struct docker *d, const char *label, int64_t since_s,
             docker_event_fn *fn, void *arg, struct error *err)
{
    AUTO(buf_release) struct buf path = BUF_INIT(4096);
    AUTO(json_free_ptr) struct json *filters = json_new_object();
    AUTO(mem_free_ptr) char *text = NULL;
    struct docker_watch *w = mem_zalloc(1, sizeof(*w));
    struct docker_request q = {.on_data = on_event_bytes,
                               .arg = w,
                               .limit_ms = -1,
                               .doing = "follow the engine's events"};

    json_append(json_need_array(filters, "type"), json_new_string("container"));
    if (label)
        json_append(json_need_array(filters, "label"), json_new_string(label));
    text = json_text(filters, JSON_COMPACT);
    buf_puts(&path, "/events");
    if (since_s > 0)
        buf_printf(&path, "?since=%lld", (long long)since_s);
    kube_query_add(&path, "filters", str_of(text));
    q.path = buf_cstr(&path);
    w->fn = fn;
    w->arg = arg;
    docker_lines_init(&w->lines, on_event, w);
    w->call = docker_call_start(d, &q, on_watch_end, w, err);
    if (w->call)
        return w;
    watch_release(w);
    return NULL;
}

bool
docker_watch_ended(const struct docker_watch *w, struct error *err)
{
    if (w->ended && err)
        *err = w->why;
    return w->ended;
}

void
docker_watch_free(struct docker_watch *w)
{
    if (!w)
        return;
    if (w->inside) {
        w->freed = true; /* the end comes when the reader returns */
        return;
    }
    docker_call_cancel(w->call);
    watch_release(w);
}
