#include "devenv/sandbox/probes.h"

#include <sys/utsname.h>
#include <unistd.h>

/* The Kubernetes whose API we speak; clients compare the minor version. */
#define KUBE_MAJOR "1"
#define KUBE_MINOR "34"

static const char *const checks[] = {"ping", "store", "modules"};

static bool
check_passes(const struct server *s, size_t i)
{
    return i < 2 || s->ready;
}

/* "/readyz?verbose" (kube-apiserver's healthz.go) */
static void
reply_verbose(struct server *s, struct http_request *r, const char *what)
{
    struct buf b = BUF_INIT(4096);

    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        if (check_passes(s, i))
            buf_printf(&b, "[+]%s ok\n", checks[i]);
        else
            buf_printf(&b, "[-]%s failed: reason withheld\n", checks[i]);
    }
    buf_printf(&b, "%s check %s\n", what, s->ready ? "passed" : "failed");
    http_reply_buf(r, s->ready ? 200 : 500, "text/plain; charset=utf-8", &b);
}

static bool
reply_check(struct server *s, struct http_request *r)
{
    const char *what = r->url.segments[0];
    bool good = s->ready;

    if (r->url.segments_n == 2) {
        size_t i = 0;

        while (i < ARRAY_LEN(checks) &&
               strcmp(checks[i], r->url.segments[1]) != 0)
            i++;
        if (i == ARRAY_LEN(checks))
            return false;
        good = check_passes(s, i);
    } else if (!good || http_param(r, "verbose")) {
        reply_verbose(s, r, what);
        return true;
    }
    http_set_header(r, "X-Content-Type-Options", "nosniff");
    http_reply(r, good ? 200 : 500, "text/plain; charset=utf-8",
               good ? STR("ok") : STR("not ready"));
    return true;
}

static bool
reply_version(struct server *s, struct http_request *r)
{
    struct json *j;
    struct utsname u = {0};

    (void)s;
    if (r->url.segments_n != 1)
        return false;
    uname(&u);
    j = json_new_object();
    json_set_string(j, "major", KUBE_MAJOR);
    json_set_string(j, "minor", KUBE_MINOR);
    json_set_string(j, "gitVersion",
                    "v" KUBE_MAJOR "." KUBE_MINOR
                    ".0+meshtop-sandbox-" MESHTOP_VERSION);
    json_set_string(j, "gitCommit", "");
    json_set_string(j, "gitTreeState", "clean");
    json_set_string(j, "buildDate", "1970-01-01T00:00:00Z");
    json_set_string(j, "goVersion", "");
    json_set_string(j, "compiler", "gcc");
    json_set_string(j, "platform",
                    strcmp(u.machine, "aarch64") == 0 ? "linux/arm64"
                                                      : "linux/amd64");
    http_reply_json(r, 200, j);
    json_free(j);
    return true;
}

static const struct {
    const char *first; /* path segment */
    bool (*reply)(struct server *s, struct http_request *r);
} open_paths[] = {
    {"livez", reply_check},
    {"readyz", reply_check},
    {"healthz", reply_check},
    {"version", reply_version},
};

static size_t
open_path(const struct http_request *r)
{
    size_t i = 0;

    if (r->url.segments_n < 1 || r->url.segments_n > 2 ||
        (strcmp(r->method, "GET") != 0 && strcmp(r->method, "HEAD") != 0))
        return ARRAY_LEN(open_paths);
    while (i < ARRAY_LEN(open_paths) &&
           strcmp(r->url.segments[0], open_paths[i].first) != 0)
        i++;
    return i;
}

bool
probes_is_open(const struct http_request *r)
{
    return open_path(r) < ARRAY_LEN(open_paths);
}

bool
probes_open(struct server *s, struct http_request *r)
{
    size_t i = open_path(r);

    return i < ARRAY_LEN(open_paths) && open_paths[i].reply(s, r);
}

bool
probes_status(struct server *s, struct http_request *r)
{
    size_t connections, waiting, streams;
    struct store_stats t;
    struct json *j;

    if (strcmp(r->url.path, "/sandbox/status") != 0)
        return false;
    http_counts(s->http, &connections, &waiting, &streams);
    store_stats(s->store, &t);
    j = json_new_object();
    json_set_int(j, "pid", getpid());
    json_set_string(j, "version", MESHTOP_VERSION);
    json_set_string(j, "data", s->options->data);
    json_set_int(j, "uptimeSeconds",
                 (clock_wall_ms(s->clock) - s->started_ms) / 1000);
    json_set_int(j, "objects", (int64_t)t.objects);
    json_set_int(j, "objectBytes", (int64_t)t.object_bytes);
    json_set_int(j, "databaseBytes", t.file_bytes);
    json_set_int(j, "resourceVersion", store_rev(s->store));
    json_set_int(j, "logEvents", (int64_t)t.log_events);
    json_set_int(j, "logBytes", (int64_t)t.log_bytes);
    json_set_int(j, "commits", (int64_t)t.commits);
    json_set_int(j, "connections", (int64_t)connections);
    json_set_int(j, "watches", (int64_t)hub_watches(s->hub));
    http_reply_json(r, 200, j);
    json_free(j);
    return true;
}
