#include "devenv/sandbox/probes.h"

#include <sys/utsname.h>
#include <unistd.h>

/* The Kubernetes whose API we speak; clients compare the minor version. */
#define KUBE_MAJOR      "1"
#define KUBE_MINOR      "34"
#define KUBE_COMPATIBLE "33"

enum { LIVEZ = 1, READYZ = 2, HEALTHZ = 4, EVERY = 7 };

static bool
is_up(const struct server *s)
{
    (void)s;
    return true;
}

static bool
is_ready(const struct server *s)
{
    return s->ready;
}

/* The real server's names, so far as they say something true of this one: its
 * store stands for etcd, its modules for informers and hooks. */
static const struct check {
    const char *name;
    bool (*passes)(const struct server *s);
    unsigned of;
} checks[] = {
    {"ping", is_up, EVERY},
    {"log", is_up, EVERY},
    {"etcd", is_up, EVERY},
    {"etcd-readiness", is_up, READYZ},
    {"informer-sync", is_ready, READYZ},
    {"poststarthook/start-apiextensions-controllers", is_ready, EVERY},
    {"poststarthook/crd-informer-synced", is_ready, EVERY},
    {"shutdown", is_up, READYZ},
};

static const struct {
    const char *name;
    unsigned bit;
} groups[] = {{"livez", LIVEZ}, {"readyz", READYZ}, {"healthz", HEALTHZ}};

static bool
excludes(const struct http_request *r, const char *name)
{
    for (size_t i = 0; i < r->url.params_n; i++) {
        if (!strcmp(r->url.params[i].name, "exclude") &&
            !strcmp(r->url.params[i].value, name))
            return true;
    }
    return false;
}

static bool
is_check(const char *name, unsigned of)
{
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        if (!strcmp(checks[i].name, name) && (checks[i].of & of))
            return true;
    }
    return false;
}

/* Names in ?exclude that no check has: sorted, each once. */
static void
put_unknown(const struct http_request *r, unsigned of, struct buf *b)
{
    AUTO(strlist_release) struct strlist names = {0};

    for (size_t i = 0; i < r->url.params_n; i++) {
        struct str v = str_of(r->url.params[i].value);

        if (!strcmp(r->url.params[i].name, "exclude") &&
            !is_check(r->url.params[i].value, of) && !strlist_has(&names, v))
            strlist_add(&names, v);
    }
    strlist_sort(&names);
    for (size_t i = 0; i < names.n; i++)
        buf_printf(b, "%s\"%s\"",
                   i ? ", "
                     : "warn: some health checks cannot be excluded: no "
                       "matches for ",
                   names.v[i]);
    if (names.n)
        buf_putc(b, '\n');
}

/* "[+]ping ok", a line for each (kube-apiserver's healthz.go); false: one of
 * them fails. */
static bool
put_checks(struct server *s, const struct http_request *r, unsigned of,
           struct buf *b)
{
    bool good = true;

    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        if (!(checks[i].of & of))
            continue;
        if (excludes(r, checks[i].name)) {
            buf_printf(b, "[+]%s excluded: ok\n", checks[i].name);
        } else if (checks[i].passes(s)) {
            buf_printf(b, "[+]%s ok\n", checks[i].name);
        } else {
            buf_printf(b, "[-]%s failed: reason withheld\n", checks[i].name);
            good = false;
        }
    }
    put_unknown(r, of, b);
    return good;
}

static void
reply_group(struct server *s, struct http_request *r, size_t g)
{
    struct buf b = BUF_INIT(URL_MAX * 2);
    bool good = put_checks(s, r, groups[g].bit, &b);

    if (good && !http_param(r, "verbose")) {
        buf_reset(&b);
        buf_puts(&b, "ok");
    } else {
        buf_printf(&b, "%s check %s\n", groups[g].name,
                   good ? "passed" : "failed");
    }
    http_set_header(r, "X-Content-Type-Options", "nosniff");
    http_reply_buf(r, good ? 200 : 500, "text/plain; charset=utf-8", &b);
}

/* /livez, /livez/ping; any method. */
static bool
reply_check(struct server *s, struct http_request *r)
{
    const char *what = r->url.path + 1;
    size_t g = 0, n, i = 0;

    while (g < ARRAY_LEN(groups) &&
           strcmp(groups[g].name, r->url.segments[0]) != 0)
        g++;
    if (g == ARRAY_LEN(groups))
        return false;
    n = strlen(groups[g].name);
    if (!what[n]) {
        reply_group(s, r, g);
        return true;
    }
    while (i < ARRAY_LEN(checks) &&
           (strcmp(checks[i].name, what + n + 1) != 0 ||
            !(checks[i].of & groups[g].bit)))
        i++;
    if (i == ARRAY_LEN(checks))
        return false;
    if (checks[i].passes(s))
        http_reply(r, 200, "text/plain; charset=utf-8", STR("ok"));
    else
        http_reply(r, 500, "text/plain; charset=utf-8",
                   STR("internal server error: not ready\n"));
    return true;
}

static bool
reply_version(struct server *s, struct http_request *r)
{
    AUTO(json_free_ptr) struct json *j = NULL;
    struct buf b = BUF_INIT(4096);
    struct utsname u = {0};

    (void)s;
    if (r->url.segments_n != 1 || strcmp(r->method, "GET") != 0)
        return false;
    uname(&u);
    j = json_new_object();
    json_set_string(j, "major", KUBE_MAJOR);
    json_set_string(j, "minor", KUBE_MINOR);
    json_set_string(j, "emulationMajor", KUBE_MAJOR);
    json_set_string(j, "emulationMinor", KUBE_MINOR);
    json_set_string(j, "minCompatibilityMajor", KUBE_MAJOR);
    json_set_string(j, "minCompatibilityMinor", KUBE_COMPATIBLE);
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
    json_print(j, JSON_PRETTY, &b);
    http_reply_buf(r, 200, NULL, &b);
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

    while (r->url.segments_n && i < ARRAY_LEN(open_paths) &&
           strcmp(r->url.segments[0], open_paths[i].first) != 0)
        i++;
    return r->url.segments_n ? i : ARRAY_LEN(open_paths);
}

/* Looking is GET or HEAD, and nothing below /livez. */
bool
probes_is_open(const struct http_request *r)
{
    return open_path(r) < ARRAY_LEN(open_paths) && r->url.segments_n < 3 &&
           (!strcmp(r->method, "GET") || !strcmp(r->method, "HEAD"));
}

bool
probes_open(struct server *s, struct http_request *r)
{
    size_t i = open_path(r);

    if (i == ARRAY_LEN(open_paths))
        return false;
    return open_paths[i].reply(s, r);
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
    json_set_int(j, "requests", (int64_t)s->requests);
    json_set_int(j, "connections", (int64_t)connections);
    json_set_int(j, "watches", (int64_t)hub_watches(s->hub));
    http_reply_json(r, 200, j);
    json_free(j);
    return true;
}
