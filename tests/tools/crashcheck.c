/*
 * crashcheck - kills a sandbox under write load, again and again, and looks
 * for writes that were acknowledged and are gone.
 *
 * usage: crashcheck LIVES LOG PROGRAM [ARG...]
 *
 * PROGRAM is a server in the foreground that prints where it serves. This
 * process is its only client: every write is noted in LOG before it is sent
 * ("try") and every 2xx with its resourceVersion before the next write
 * ("ack"). After each kill -9 the server is started again and what it lists is
 * compared with LOG, read from the disk: an object must be as it was last
 * acknowledged, or as the one write that was under way would have made it. No
 * resourceVersion may appear twice, and none below one of an earlier life.
 * One watch goes through all lives, each time from the last revision it saw:
 * it must see every write that was acknowledged, once and as it was.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/random.h"

#include "tests/peer.h"

#define PATH "/api/v1/namespaces/default/configmaps"

enum { CONNECTIONS = 16, NAMES = 6, LIFE_MIN_MS = 20, LIFE_SPREAD_MS = 150 };

struct server {
    pid_t pid;
    int out;
    unsigned port;
    char token[128];
};

/* What the log says of one name. */
struct row {
    char value[32]; /* "": not there */
    int64_t rev;    /* 0: unknown (a delete) */
    bool pending;
    char tried[32]; /* of the write under way; "": a delete */
};

struct check {
    char *const *argv;
    const char *log_path;
    int log;
    struct server server;
    struct peer peers[CONNECTIONS];
    struct row rows[CONNECTIONS][NAMES];
    int at[CONNECTIONS];    /* the name each connection writes now */
    struct map revs;        /* every resourceVersion that was acknowledged */
    int64_t highest, floor; /* of all lives; of the lives before */
    struct peer watch;
    struct buf heard; /* of it, until a line is whole */
    struct map told;  /* resourceVersion -> value, what it said */
    int64_t seen;     /* the newest of these */
    unsigned sequence, acks, lost, reused, odd, twice;
};

/* ---- the server ---- */

static void
read_ready_line(struct server *s)
{
    AUTO(buf_release) struct buf line = BUF_INIT(4096);
    AUTO(buf_release) struct buf config = BUF_INIT(65536);
    struct str text, file, rest, word;
    char c;

    while (read(s->out, &c, 1) == 1 && c != '\n')
        buf_putc(&line, c);
    text = buf_view(&line);
    s->port = (unsigned)strtoul(
        str_from(text, str_find(text, STR("127.0.0.1:"), 0) + 10).s, NULL, 10);
    file = str_from(text, str_find(text, STR("(kubeconfig "), 0) + 12);
    if (!s->port || !file.n)
        die("the server did not start: %s", buf_cstr(&line));

    AUTO(mem_free_ptr) char *path = mem_strndup(file.s, file.n - 1);
    struct error err = {0};

    if (!file_read(path, &config, &err))
        die("%s", err.msg);
    rest = str_from(buf_view(&config),
                    str_find(buf_view(&config), STR("token: "), 0) + 7);
    str_cut(rest, '\n', &word, &rest);
    snprintf(s->token, sizeof(s->token), "%.*s", STR_ARG(word));
}

static void
server_start(struct check *c)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0 || (c->server.pid = fork()) < 0)
        die("cannot start the server");
    if (c->server.pid == 0) {
        dup2(ends[1], 1);
        execv(c->argv[0], c->argv);
        _exit(127);
    }
    close(ends[1]);
    c->server.out = ends[0];
    read_ready_line(&c->server);
    for (int i = 0; i < CONNECTIONS; i++) {
        if (!peer_open(&c->peers[i], c->server.port, c->server.token, 20))
            die("cannot connect");
    }
}

static void
server_end(struct check *c)
{
    waitpid(c->server.pid, NULL, 0);
    close(c->server.out);
    for (int i = 0; i < CONNECTIONS; i++)
        peer_close(&c->peers[i]);
}

/* ---- the log ---- */

static void
note(struct check *c, struct buf *lines)
{
    if (!file_write_fd(c->log, lines->s, lines->n, NULL))
        die("cannot write the log");
    buf_reset(lines);
}

/* The row of "cI-K"; NULL for any other name. */
static struct row *
row_of(struct check *c, struct str name)
{
    struct str left, right;
    uint64_t i, k;

    str_cut(str_from(name, 1), '-', &left, &right);
    if (!str_to_u64(left, &i) || i >= CONNECTIONS || !str_to_u64(right, &k) ||
        k >= NAMES)
        return NULL;
    return &c->rows[i][k];
}

/* "try NAME VALUE", "ack NAME VALUE REVISION", "not NAME"; VALUE "-" is a
 * delete */
static void
replay_line(struct check *c, struct str line)
{
    struct str word, name, value, rev;
    struct row *r;

    str_next(&line, ' ', &word);
    if (!str_next(&line, ' ', &name) || !(r = row_of(c, name)))
        return;
    if (str_eqz(word, "not")) {
        r->pending = false;
        return;
    }
    str_next(&line, ' ', &value);
    if (str_eqz(value, "-"))
        value = STR("");
    if (str_eqz(word, "try")) {
        r->pending = true;
        snprintf(r->tried, sizeof(r->tried), "%.*s", STR_ARG(value));
        return;
    }
    str_next(&line, ' ', &rev);
    r->pending = false;
    snprintf(r->value, sizeof(r->value), "%.*s", STR_ARG(value));
    str_to_i64(rev, &r->rev);
}

static void
replay(struct check *c)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    struct str line, rest;

    memset(c->rows, 0, sizeof(c->rows));
    if (!file_read(c->log_path, &b, NULL))
        die("cannot read the log");
    rest = buf_view(&b);
    while (str_next(&rest, '\n', &line))
        replay_line(c, line);
}

/* ---- the watch ---- */

static void
note_event(struct check *c, struct str line)
{
    AUTO(json_free_ptr) struct json *j = json_parse(line, NULL, NULL);
    const struct json *o = json_get(j, "object");
    const char *rev =
        json_string_or(json_at(o, "metadata", "resourceVersion", NULL), "");
    int64_t n = 0;

    if (!str_to_i64(str_of(rev), &n)) {
        printf("# the watch says %.*s\n", STR_ARG(line));
        c->odd++;
        return;
    }
    if (n <= c->seen) {
        printf("# the watch says %s again or too late\n", rev);
        c->twice++;
    }
    c->seen = MAX(c->seen, n);
    c->highest = MAX(c->highest, n);
    free(
        map_put(&c->told, str_of(rev),
                mem_strdup(json_string_or(json_at(o, "data", "v", NULL), ""))));
}

/* Takes what has arrived. */
static void
hear(struct check *c)
{
    struct str line, rest;
    size_t done = 0;

    while (peer_more(&c->watch))
        ;
    while (peer_chunk(&c->watch, &c->heard))
        ;
    rest = buf_view(&c->heard);
    while (str_cut(rest, '\n', &line, &rest)) {
        note_event(c, line);
        done += line.n + 1;
    }
    buf_consume(&c->heard, done);
}

static void
watch(struct check *c)
{
    AUTO(mem_free_ptr)
    char *target =
        mem_printf(PATH "?watch=true&resourceVersion=%lld", (long long)c->seen);

    buf_reset(&c->heard);
    if (!peer_open(&c->watch, c->server.port, c->server.token, 20) ||
        !peer_send(&c->watch, "GET", target, NULL, NULL) ||
        peer_head(&c->watch) != 200)
        die("cannot watch");
    fcntl(c->watch.fd, F_SETFL, O_NONBLOCK);
}

/* Waits until the watch has said all that was acknowledged. */
static void
hear_all(struct check *c)
{
    int64_t end = clock_mono_ms(clock_system()) + 20000;

    while (c->seen < c->highest && clock_mono_ms(clock_system()) < end) {
        usleep(1000);
        hear(c);
    }
}

/* Acknowledged writes that the watch did not tell. */
static unsigned
untold(const struct check *c)
{
    unsigned n = 0;

    for (const struct map_entry *e = map_first(&c->revs); e;
         e = map_next(&c->revs, e)) {
        const char *value = map_get(&c->told, e->key);

        if (!value || strcmp(value, e->value) != 0) {
            printf("# %s was \"%s\", the watch says \"%s\"\n", e->key.s,
                   (const char *)e->value, value ? value : "nothing");
            n++;
        }
    }
    return n;
}

/* ---- writing ---- */

static void
send_write(struct check *c, int i, struct buf *lines)
{
    int k = c->at[i] = (int)random_below(NAMES);
    struct row *r = &c->rows[i][k];
    bool there = *r->value, del = there && random_below(8) == 0;
    AUTO(mem_free_ptr)
    char *target = mem_printf(there ? PATH "/c%d-%d" : PATH, i, k);
    AUTO(mem_free_ptr) char *body = NULL;

    r->pending = true;
    *r->tried = '\0';
    if (!del)
        snprintf(r->tried, sizeof(r->tried), "v%u", ++c->sequence);
    body = mem_printf("{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\","
                      "\"metadata\":{\"name\":\"c%d-%d\"},"
                      "\"data\":{\"v\":\"%s\"}}",
                      i, k, r->tried);
    buf_printf(lines, "try c%d-%d %s\n", i, k, del ? "-" : r->tried);
    note(c, lines);
    peer_send(&c->peers[i],
              del     ? "DELETE"
              : there ? "PUT"
                      : "POST",
              target, NULL, del ? NULL : body);
}

static void
check_revision(struct check *c, int64_t rev, const char *value)
{
    char text[24];

    snprintf(text, sizeof(text), "%lld", (long long)rev);
    if (map_has(&c->revs, str_of(text)) || rev <= c->floor) {
        printf("# resourceVersion %s was used before\n", text);
        c->reused++;
    }
    free(map_put(&c->revs, str_of(text), mem_strdup(value)));
    c->highest = MAX(c->highest, rev);
}

static int64_t
revision_of(struct str body)
{
    AUTO(json_free_ptr) struct json *j = json_parse(body, NULL, NULL);
    int64_t rev = 0;

    str_to_i64(str_of(json_string_or(
                   json_at(j, "metadata", "resourceVersion", NULL), "")),
               &rev);
    return rev;
}

/* Reads the answer; false when there is none. */
static bool
read_answer(struct check *c, int i, struct buf *lines)
{
    AUTO(buf_release) struct buf body = BUF_INIT(BUF_TEXT_MAX);
    struct row *r = &c->rows[i][c->at[i]];
    int status = peer_reply(&c->peers[i], &body);
    int64_t rev = 0;

    if (!status)
        return false;
    if (status / 100 != 2) {
        printf("# unexpected answer %d: %s", status, buf_cstr(&body));
        c->odd++;
        buf_printf(lines, "not c%d-%d\n", i, c->at[i]);
        note(c, lines);
        r->pending = false;
        return true;
    }
    if (*r->tried) {
        rev = revision_of(buf_view(&body));
        check_revision(c, rev, r->tried);
    }
    buf_printf(lines, "ack c%d-%d %s %lld\n", i, c->at[i],
               *r->tried ? r->tried : "-", (long long)rev);
    note(c, lines);
    memcpy(r->value, r->tried, sizeof(r->value));
    r->rev = rev;
    r->pending = false;
    c->acks++;
    return true;
}

static void
live(struct check *c)
{
    AUTO(buf_release) struct buf lines = BUF_INIT(65536);
    int64_t end = clock_mono_ms(clock_system()) + LIFE_MIN_MS +
                  random_below(LIFE_SPREAD_MS);
    bool last = false;

    while (!last) {
        last = clock_mono_ms(clock_system()) >= end;
        for (int i = 0; i < CONNECTIONS; i++)
            send_write(c, i, &lines);
        if (last) {
            usleep(random_below(3000));
            kill(c->server.pid, SIGKILL);
        }
        /* What was sent before the kill was acknowledged, too. */
        for (int i = 0; i < CONNECTIONS; i++) {
            if (!read_answer(c, i, &lines) && !last)
                die("the server ended by itself");
        }
        hear(c);
    }
}

/* ---- comparing ---- */

static void
compare_one(struct check *c, const char *name, struct row *r, const char *value,
            int64_t rev, struct buf *lines)
{
    bool as_acked = strcmp(value, r->value) == 0 && (!*value || rev == r->rev);
    bool as_tried =
        r->pending && strcmp(value, r->tried) == 0 && (!*value || rev > r->rev);

    if (!as_acked && !as_tried) {
        printf("# %s: acknowledged \"%s\" at %lld, is \"%s\" at %lld\n", name,
               r->value, (long long)r->rev, value, (long long)rev);
        c->lost++;
    }
    buf_printf(lines, "ack %s %s %lld\n", name, *value ? value : "-",
               (long long)rev);
}

static void
compare(struct check *c)
{
    AUTO(buf_release) struct buf body = BUF_INIT(BUF_TEXT_MAX);
    AUTO(buf_release) struct buf lines = BUF_INIT(BUF_TEXT_MAX);
    int status = peer_call(&c->peers[0], "GET", PATH, NULL, &body);
    AUTO(json_free_ptr)
    struct json *list = json_parse(buf_view(&body), NULL, NULL);
    struct map there = {0};

    if (status != 200 || !list)
        die("the list answers %d", status);
    c->floor = c->highest;
    for (struct json *o = json_first(json_get(list, "items")); o;
         o = json_next(o))
        map_put(&there,
                str_of(json_string(json_at(o, "metadata", "name", NULL))), o);
    for (int i = 0; i < CONNECTIONS * NAMES; i++) {
        AUTO(mem_free_ptr)
        char *name = mem_printf("c%d-%d", i / NAMES, i % NAMES);
        const struct json *o = map_get(&there, str_of(name));
        const char *rev = json_string_or(
            json_at(o, "metadata", "resourceVersion", NULL), "0");
        int64_t n = 0;

        str_to_i64(str_of(rev), &n);
        c->floor = c->highest = MAX(c->highest, n);
        compare_one(c, name, &c->rows[i / NAMES][i % NAMES],
                    json_string_or(json_at(o, "data", "v", NULL), ""), n,
                    &lines);
    }
    note(c, &lines);
    map_release(&there, NULL);
    if (!c->seen)
        c->seen = revision_of(buf_view(&body));
}

int
main(int argc, char **argv)
{
    static struct check c;
    int lives = argc > 3 ? (int)strtol(argv[1], NULL, 10) : 0;

    if (lives < 1)
        die("usage: crashcheck LIVES LOG PROGRAM [ARG...]");
    signal(SIGPIPE, SIG_IGN);
    c.heard = BUF_INIT(BUF_TEXT_MAX);
    c.log_path = argv[2];
    c.argv = argv + 3;
    c.log = open(c.log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    for (int life = 0; life <= lives; life++) {
        server_start(&c);
        replay(&c);
        compare(&c);
        replay(&c);
        watch(&c);
        if (life < lives) {
            live(&c);
        } else {
            hear_all(&c);
            kill(c.server.pid, SIGTERM);
        }
        peer_close(&c.watch);
        server_end(&c);
    }

    unsigned missing = untold(&c);

    printf("lives %d acknowledged %u lost %u reused %u unexpected %u "
           "untold %u twice %u\n",
           lives, c.acks, c.lost, c.reused, c.odd, missing, c.twice);
    map_release(&c.revs, free);
    map_release(&c.told, free);
    buf_release(&c.heard);
    close(c.log);
    return c.lost || c.reused || c.odd || missing || c.twice || !c.acks;
}
