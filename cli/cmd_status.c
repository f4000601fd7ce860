/* meshtop status: what runs, and how it is. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/task.h"

#include "devenv/status.h"

#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/target.h"

#define LABEL_COLUMNS 14

/* ---- lines ---- */

/* "  label       text", wrapped; an empty label goes on with the one before. */
static void
line(const char *label, struct buf *text)
{
    printf("  %-*s", LABEL_COLUMNS - 2, label);
    columns_wrap(buf_view(text), LABEL_COLUMNS, columns_of_terminal(), stdout);
    buf_reset(text);
}

static void
add_bytes(struct buf *out, int64_t n)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double v = (double)n;
    size_t u = 0;

    for (; v >= 1024 && u + 1 < ARRAY_LEN(units); u++)
        v /= 1024;
    buf_printf(out, u && v < 100 ? "%.1f %s" : "%.0f %s", v, units[u]);
}

/* ", word SIZE" when the document has the number. */
static void
add_size(struct buf *out, const struct json *j, const char *key,
         const char *word)
{
    int64_t n;

    if (!json_int64(json_get(j, key), &n))
        return;
    buf_printf(out, "%s%s ", out->n ? ", " : "", word);
    add_bytes(out, n);
}

static void
add_age(struct buf *out, const struct json *j, const char *key,
        const char *word)
{
    char age[CLOCK_HUMAN_LEN];
    int64_t s;

    if (!json_int64(json_get(j, key), &s))
        return;
    clock_human(s, age);
    buf_printf(out, "%s%s %s", out->n ? ", " : "", word, age);
}

/* ---- sections of the document ---- */

static void
print_engine(const struct json *doc, struct buf *b)
{
    const struct json *sandbox = json_get(doc, "sandbox");
    const struct json *list = json_get(doc, "containers");
    int64_t pid;

    buf_puts(b, json_get_text(doc, "engine"));
    if (json_int64(json_get(sandbox, "pid"), &pid))
        buf_printf(b, ", pid %" PRId64, pid);
    add_age(b, sandbox, "ageSeconds", "up");
    add_size(b, sandbox, "memoryBytes", "memory");
    add_size(b, sandbox, "databaseBytes", "database");
    if (b->n)
        line("engine", b);
    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        int64_t code;

        buf_printf(b, "%s %s", json_get_text(c, "name"),
                   json_get_text(c, "state"));
        if (json_int64(json_get(c, "exitCode"), &code))
            buf_printf(b, " (%" PRId64 ")", code);
        add_age(b, c, "ageSeconds", "for");
        add_size(b, c, "memoryBytes", "memory");
        line(c == json_first(list) ? "containers" : "", b);
    }
}

static void
print_cluster(const struct json *doc, struct buf *b)
{
    const struct json *cluster = json_get(doc, "cluster");
    int64_t us;

    if (!cluster)
        return;
    buf_puts(b, json_get_text(cluster, "server"));
    if (json_int64(json_get(cluster, "latencyMicros"), &us))
        buf_printf(b, ", answers in %.1f ms", (double)us / 1000);
    else if (*json_get_text(cluster, "error"))
        buf_puts(b, ", does not answer");
    line("cluster", b);
    buf_puts(b, json_get_text(cluster, "context"));
    line("context", b);
    buf_puts(b, json_get_text(cluster, "kubeconfig"));
    if (b->n)
        line("kubeconfig", b);
}

static void
print_versions(const struct json *doc, struct buf *b)
{
    const struct json *list = json_get(doc, "versions");

    for (const struct json *v = json_first(list); v; v = json_next(v)) {
        const char *relation = json_get_text(v, "relation");

        buf_printf(b, "%s %s", json_get_text(v, "thing"),
                   json_get_text(v, "have"));
        if (strcmp(relation, "same") == 0)
            buf_puts(b, " (as it should be)");
        else if (*relation)
            buf_printf(b, " (%s%s %s)", relation,
                       strcmp(relation, "other") == 0 ? " than" : " than",
                       json_get_text(v, "want"));
        line(v == json_first(list) ? "versions" : "", b);
    }
}

static void
print_names(const struct json *doc, const char *key, struct buf *b)
{
    const struct json *list = json_get(doc, key);

    for (const struct json *n = json_first(list); n; n = json_next(n))
        buf_printf(b, "%s%s", b->n ? ", " : "", json_string_or(n, "?"));
    if (b->n)
        line(key, b);
}

static void
print_functions(const struct json *doc, struct buf *b)
{
    const struct json *list = json_get(doc, "functions");
    size_t ok = 0;

    for (const struct json *f = json_first(list); f; f = json_next(f))
        ok += json_bool(json_get(f, "ok"), false);
    if (!json_len(list))
        return;
    buf_printf(b, "%zu of %zu Healthy", ok, json_len(list));
    line("functions", b);
    for (const struct json *f = json_first(list); f; f = json_next(f)) {
        if (json_bool(json_get(f, "ok"), false))
            continue;
        buf_printf(b, "FAIL %s: %s", json_get_text(f, "name"),
                   json_get_text(f, "message"));
        line("", b);
    }
}

static const char *const mesh_kinds[] = {"domains", "products", "contracts"};

static void
add_tally(struct buf *b, const struct json *mesh, const char *key)
{
    const struct json *t = json_get(mesh, key);
    int64_t total = json_int64_or(json_get(t, "total"), 0);
    int64_t failing = json_int64_or(json_get(t, "failing"), 0);
    int64_t waiting = json_int64_or(json_get(t, "waiting"), 0);

    buf_printf(b, "%s%" PRId64 " %s", b->n ? ", " : "", total, key);
    if (failing)
        buf_printf(b, " (%" PRId64 " FAIL)", failing);
    if (waiting)
        buf_printf(b, " (%" PRId64 " WAIT)", waiting);
}

static void
print_mesh(const struct json *doc, struct buf *b)
{
    const struct json *mesh = json_get(doc, "mesh");

    if (!mesh)
        return;
    if (*json_get_text(mesh, "error")) {
        buf_puts(b, json_get_text(mesh, "error"));
        line("mesh", b);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(mesh_kinds); i++)
        add_tally(b, mesh, mesh_kinds[i]);
    if (json_bool(json_get(mesh, "ready"), false))
        buf_puts(b, ", all Ready");
    line("mesh", b);
}

static void
print_rest(const struct json *doc, struct buf *b)
{
    const struct json *disk = json_get(doc, "disk");
    const struct json *logs = json_get(doc, "logs");
    const struct json *last = json_get(doc, "lastError");

    add_size(b, disk, "stateBytes", "state");
    add_size(b, disk, "cacheBytes", "cache");
    add_size(b, disk, "imageBytes", "images");
    if (b->n)
        line("disk", b);
    for (const struct json *l = json_first(logs); l; l = json_next(l)) {
        buf_puts(b, json_string_or(l, "?"));
        line(l == json_first(logs) ? "logs" : "", b);
    }
    if (last) {
        buf_printf(b, "%s%s%s%s", json_get_text(last, "message"),
                   *json_get_text(last, "id") ? " (" : "",
                   json_get_text(last, "id"),
                   *json_get_text(last, "id") ? ")" : "");
        line("last error", b);
    }
}

static void
print_attention(const struct json *doc, struct buf *b)
{
    const struct json *mesh = json_get(doc, "mesh");
    const struct json *list = json_get(mesh, "attention");
    int64_t more = json_int64_or(json_get(mesh, "attentionMore"), 0);
    size_t width = columns_of_terminal();

    if (!list)
        return;
    if (!json_len(list)) {
        printf("\nNothing needs attention.\n");
        return;
    }
    printf("\nNeeds attention (%" PRId64 ")\n", (int64_t)json_len(list) + more);
    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        int64_t hits = json_int64_or(json_get(c, "hits"), 0);

        printf("  %-7s ", json_get_text(c, "health"));
        buf_puts(b, json_get_text(c, "text"));
        if (hits > 1)
            buf_printf(b, "  (hits %" PRId64 ")", hits);
        columns_wrap(buf_view(b), 10, width, stdout);
        buf_reset(b);
        if (*json_get_text(c, "hint")) {
            printf("%12s", "");
            columns_wrap(str_of(json_get_text(c, "hint")), 12, width, stdout);
        }
    }
}

/* "profile demo (sandbox): dead since ... (5m ago)", why, and what to do. */
static void
print_state(const struct json *doc)
{
    const char *since = json_get_text(doc, "since");
    size_t width = columns_of_terminal();
    char age[CLOCK_HUMAN_LEN];
    int64_t at;

    columns_text(str_of(json_get_text(doc, "title")), false, stdout);
    printf(": %s", json_get_text(doc, "state"));
    if (*since && clock_parse(str_of(since), &at)) {
        clock_human(clock_wall_ms(clock_system()) / 1000 - at, age);
        printf(" since %s (%s ago)", since, age);
    }
    putchar('\n');
    if (*json_get_text(doc, "trouble")) {
        fputs("  ", stdout);
        columns_wrap(str_of(json_get_text(doc, "trouble")), 2, width, stdout);
    }
    if (*json_get_text(doc, "remedy")) {
        fputs("  -> ", stdout);
        columns_wrap(str_of(json_get_text(doc, "remedy")), 5, width, stdout);
    }
    putchar('\n');
}

static void
print_text(const struct json *doc)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    print_state(doc);
    print_engine(doc, &b);
    print_cluster(doc, &b);
    print_versions(doc, &b);
    print_names(doc, "packages", &b);
    print_functions(doc, &b);
    print_names(doc, "examples", &b);
    print_mesh(doc, &b);
    print_rest(doc, &b);
    print_attention(doc, &b);
}

static void
print_json(const struct json *j)
{
    AUTO(mem_free_ptr) char *text = json_text(j, JSON_PRETTY);

    puts(text);
}

/* ---- the command ---- */

/* 0: all Ready; 80: not; 20: the engine does not run it; 50: no answer. */
static int
code_of(const struct json *doc)
{
    const char *state = json_get_text(doc, "state");

    if (strcmp(state, "absent") == 0)
        return EXIT_ERROR;
    if (strcmp(state, "running") != 0)
        return strcmp(json_get_text(doc, "where"), "engine") == 0
                   ? EXIT_ENGINE
                   : EXIT_CLUSTER;
    return json_bool(json_at(doc, "mesh", "ready", NULL), false) ? EXIT_DONE
                                                                 : EXIT_MESH;
}

/* The profile that is meant, when it has a state, up or not. */
static bool
choose_profile(const struct args *a, struct profile *p, struct error *err)
{
    if (args_has(a, "kubeconfig") || args_has(a, "context"))
        return false;
    if (!profile_open(args_get(a, "profile", NULL), p, err))
        return false;
    if (*p->engine)
        return true;
    profile_release(p);
    return false;
}

static int
show(const struct args *a, const struct env_status_ask *ask)
{
    AUTO(json_free_ptr) struct json *doc = env_status_read(ask);

    if (strcmp(args_get(a, "output", "text"), "json") == 0)
        print_json(doc);
    else
        print_text(doc);
    return code_of(doc);
}

static int
show_one(const struct args *a, struct loop *loop)
{
    struct env_status_ask ask = {.loop = loop};
    struct error err = {0};
    struct target t = {.profile.lock_fd = -1};
    AUTO(mem_free_ptr) char *title = NULL;
    struct profile p;
    int code;

    if (choose_profile(a, &p, &err)) {
        title = mem_printf("profile %s (%s)", p.name, p.engine);
        ask.profile = &p;
        ask.title = title;
        code = show(a, &ask);
        profile_release(&p);
        return code;
    }
    if (err.code || !target_choose(&t, a, &err))
        return command_fail(&err);
    ask.profile = t.of_profile ? &t.profile : NULL;
    ask.kubeconfig = t.kubeconfig;
    ask.context = t.context;
    ask.title = t.title;
    code = show(a, &ask);
    target_release(&t);
    return code;
}

/* ---- --all ---- */

static void
add_row(struct columns *table, const struct json *doc)
{
    AUTO(buf_release) struct buf mesh = BUF_INIT(4096), disk = BUF_INIT(64);
    const struct json *m = json_get(doc, "mesh");
    const char *state = json_get_text(doc, "state");
    int64_t bytes = 0;

    json_int64(json_at(doc, "disk", "stateBytes", NULL), &bytes);
    add_bytes(&disk, bytes);
    if (*json_get_text(m, "error"))
        buf_puts(&mesh, json_get_text(m, "error"));
    else if (*json_get_text(doc, "trouble"))
        buf_puts(&mesh, json_get_text(doc, "trouble"));
    else if (m) {
        add_tally(&mesh, m, "products");
        buf_puts(&mesh,
                 json_bool(json_get(m, "ready"), false) ? ", all Ready" : "");
    }
    columns_row(table,
                (const char *const[]){json_get_text(doc, "profile"),
                                      json_get_text(doc, "engine"), state,
                                      buf_cstr(&disk), buf_cstr(&mesh)});
}

/* A profile that is looked at beside the others. */
struct row {
    const char *name;
    struct loop *loop;
    struct json *doc;
    struct task *task;
};

static void
read_row(void *arg)
{
    struct row *r = arg;
    struct env_status_ask ask = {.loop = r->loop, .brief = true};
    struct error err = {0};
    struct profile p;

    if (profile_open(r->name, &p, &err)) {
        ask.profile = &p;
        ask.title = p.name;
        r->doc = env_status_read(&ask);
        profile_release(&p);
        return;
    }
    r->doc = json_new_object();
    json_set_string(r->doc, "profile", r->name);
    json_set_string(r->doc, "state", "damaged");
    json_set_string(r->doc, "trouble", err.msg);
    json_set_string(r->doc, "remedy", err.remedy);
}

/* All at once: a dead one costs its limit only once. */
static void
read_rows(struct row *rows, size_t n, struct loop *loop)
{
    bool busy = true;

    for (size_t i = 0; i < n; i++) {
        rows[i].loop = loop;
        rows[i].task = task_start(loop, read_row, &rows[i], NULL);
        if (!rows[i].task)
            read_row(&rows[i]);
    }
    while (busy) {
        loop_turn(loop, 50);
        busy = false;
        for (size_t i = 0; i < n; i++)
            busy |= rows[i].task && !task_done(rows[i].task);
    }
}

static int
show_all(const struct args *a, struct loop *loop)
{
    AUTO(strlist_release) struct strlist names = {0};
    AUTO(json_free_ptr) struct json *all = json_new_array();
    struct error err = {0};
    struct columns table;

    if (!profile_list(&names, &err))
        return command_fail(&err);
    struct row *rows = mem_zalloc(names.n, sizeof(*rows));

    for (size_t i = 0; i < names.n; i++)
        rows[i].name = names.v[i];
    read_rows(rows, names.n, loop);
    columns_init(&table, 5);
    columns_row(&table, (const char *const[]){"PROFILE", "ENGINE", "STATE",
                                              "DISK", "MESH"});
    for (size_t i = 0; i < names.n; i++) {
        add_row(&table, json_append(all, rows[i].doc));
        task_free(rows[i].task);
    }
    free(rows);
    if (strcmp(args_get(a, "output", "text"), "json") == 0)
        print_json(all);
    else if (names.n)
        columns_print(&table, "", stdout);
    else
        printf("no profile; \"meshtop up\" makes one\n");
    columns_release(&table);
    return EXIT_DONE;
}

static int
run(const struct args *a)
{
    struct error err = {0};
    struct loop *loop = loop_new(&err);

    if (!loop)
        return command_fail(&err);
    int code = args_has(a, "all") ? show_all(a, loop) : show_one(a, loop);

    loop_free(loop);
    return output_flush(&err) ? code : command_fail(&err);
}

static const struct flag flags[] = {
    {"all", 'a', NULL, "every profile, a line each"},
    {0},
};

const struct command cmd_status = {
    .name = "status",
    .args = "",
    .summary = "what runs, and how it is; exit 80 unless all is Ready",
    .help = "Engine, cluster, versions beside those it should have, packages, "
            "health,\n"
            "disk, the last failure, where the logs are. Answers within "
            "seconds, also of\n"
            "a mesh that is dead: 20 the engine does not run it, 50 the "
            "cluster does not\n"
            "answer.",
    .group = "Bring up, prove, remove",
    .flags = flags,
    .run = run,
};
