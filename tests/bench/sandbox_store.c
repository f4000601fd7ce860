/*
 * sandbox_store - the store alone: acknowledged writes (fsync), the file's
 * size, opening a big file, and what memory an object takes beside its JSON.
 * Each part runs in a process of its own, so that memory counts what it made.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/sandbox/store.h"

enum {
    BODY = 1700, /* bytes, as the objects of a mesh have on average */
    OBJECTS = 120000,
    EVENTS = 200000,
    GROUP = 64, /* writes that share a commit, as of 64 clients */
    WRITE_MS = 1500,
    READS = 20000
};

#define KIND STR("example.org/widgets")

static void
say(bool good, const char *what, double value, const char *unit,
    const char *budget)
{
    printf("%s  store: %-50s %10.1f %-5s (budget %s)\n", good ? "OK  " : "MISS",
           what, value, unit, budget);
    fflush(stdout);
}

/* VmRSS, in KiB */
static double
resident(void)
{
    AUTO(buf_release) struct buf b = BUF_INIT(65536);
    const char *at;

    file_read("/proc/self/status", &b, NULL);
    at = strstr(buf_cstr(&b), "VmRSS:");
    return at ? strtod(at + 6, NULL) : 0;
}

static void
put(struct store *s, unsigned name)
{
    char text[BODY + 1], key[64];
    struct error err = {0};
    struct blob *b;

    snprintf(key, sizeof(key), "dm-shop-%03u/product-%08u", name % 200, name);
    memset(text, 'x', BODY);
    text[BODY] = '\0';
    snprintf(text, 80, "{\"metadata\":{\"resourceVersion\":\"%lld\"},\"t\":\"",
             (long long)store_next_rev(s));
    text[strlen(text)] = 'y';
    b = blob_new(str_n(text, BODY));
    if (!store_put(s, KIND, str_of(key), STORE_ANY, b, &err))
        die("%s", err.msg);
    blob_drop(b);
}

static void
commit(struct store *s)
{
    struct error err = {0};

    if (!store_commit(s, &err))
        die("%s", err.msg);
}

/* Writes a second, in groups; names: 0 all new, else that many again. */
static double
rate(struct store *s, unsigned group, unsigned names, unsigned *next)
{
    int64_t begin = clock_mono_us(), end = begin + WRITE_MS * 1000;
    unsigned n = 0;

    while (clock_mono_us() < end) {
        for (unsigned i = 0; i < group; i++, n++) {
            put(s, names ? *next * 7919u % names : *next);
            ++*next;
        }
        commit(s);
    }
    return n * 1e6 / (double)(clock_mono_us() - begin);
}

static struct store *
open_store(const char *path, const struct store_options *o)
{
    struct error err = {0};
    struct store *s = store_open(path, o, &err);

    if (!s)
        die("%s", err.msg);
    return s;
}

static void
bench_writes(const char *path)
{
    struct store *s = open_store(path, NULL);
    unsigned next = 0, again = 0;
    double one = rate(s, 1, 0, &next), many = rate(s, GROUP, 0, &next);

    say(one >= 2000, "creates, a commit each", one, "/s", ">= 2000");
    say(many >= 40000, "creates, 64 a commit", many, "/s", ">= 40000");
    one = rate(s, 1, next, &again);
    many = rate(s, GROUP, next, &again);
    say(one >= 2000, "updates, a commit each", one, "/s", ">= 2000");
    say(many >= 40000, "updates, 64 a commit", many, "/s", ">= 40000");
    store_close(s);
}

/* Updates while each commit deletes as much history as it makes. */
static void
bench_compaction(const char *path)
{
    struct store_options o = {.log_events = 5000};
    struct store *s = open_store(path, &o);
    int64_t worst = 0, begin, end = clock_mono_us() + WRITE_MS * 1000;
    unsigned n = 0, again = 0;

    for (unsigned i = 0; i < 20000; i++) {
        put(s, i);
        if (i % 1000 == 999)
            commit(s);
    }
    while (clock_mono_us() < end) {
        for (int i = 0; i < GROUP; i++, n++)
            put(s, again++ * 7919u % 20000);
        begin = clock_mono_us();
        commit(s);
        worst = MAX(worst, clock_mono_us() - begin);
    }
    say(n > 20000, "updates while history is deleted, 64 a commit",
        n * 1e3 / WRITE_MS, "/s", ">= 15000");
    say(worst < 100000, "  its longest commit", (double)worst / 1000, "ms",
        "<= 100");
    store_close(s);
}

static void
bench_size(const char *path)
{
    struct store *s = open_store(path, NULL);
    struct store_stats t;

    for (unsigned i = 0; i < OBJECTS + EVENTS; i++) {
        put(s, i < OBJECTS ? i : i * 7919u % OBJECTS);
        if (i % 1000 == 999)
            commit(s);
    }
    store_stats(s, &t);
    printf("      %zu objects, %zu events\n", t.objects, t.log_events);
    store_close(s);
    s = open_store(path, NULL);
    store_stats(s, &t);
    say(true, "file, of the JSON in it",
        (double)t.file_bytes * 100 /
            (double)(t.object_bytes + (size_t)t.log_bytes),
        "%", "<= 150");
    store_close(s);
}

static void
bench_open(const char *path)
{
    double before = resident();
    int64_t begin = clock_mono_us();
    struct store *s = open_store(path, NULL);
    double ms = (double)(clock_mono_us() - begin) / 1000;
    double used = resident() - before;
    struct store_item it;
    char key[64];

    say(ms <= 1500, "opening 120,000 objects and 200,000 events", ms, "ms",
        "<= 1500");
    say(used <= 100 * 1024, "  memory of them", used / 1024, "MiB", "<= 100");
    say(used <= OBJECTS, "  memory of 1,000 objects", used * 1000 / OBJECTS,
        "KiB", "<= 1000");
    begin = clock_mono_us();
    for (unsigned i = 0; i < READS; i++) {
        unsigned name = i * 104729u % OBJECTS;

        snprintf(key, sizeof(key), "dm-shop-%03u/product-%08u", name % 200,
                 name);
        if (!store_get(s, KIND, str_of(key), 0, &it))
            die("%s is gone", key);
    }
    ms = (double)(clock_mono_us() - begin) / READS;
    say(ms <= 20, "  get of one, anywhere", ms, "us", "<= 20");
    store_close(s);
}

static void
apart(void (*fn)(const char *path), const char *path)
{
    pid_t pid = fork();

    if (pid == 0) {
        fn(path);
        exit(0);
    }
    waitpid(pid, NULL, 0);
}

int
main(void)
{
    char folder[] = "/tmp/meshtop-bench.XXXXXX";

    if (!mkdtemp(folder))
        return 1;
    AUTO(mem_free_ptr) char *writes = file_join(folder, "writes.db");
    AUTO(mem_free_ptr) char *compact = file_join(folder, "compact.db");
    AUTO(mem_free_ptr) char *size = file_join(folder, "size.db");

    apart(bench_writes, writes);
    apart(bench_compaction, compact);
    apart(bench_size, size);
    apart(bench_open, size);
    file_remove_tree(folder, NULL);
    return 0;
}
