/*
 * tui_keys.c - a key to its painted cell, with 10,000 objects and 500 events
 * a second; and what 1,000 and 10,000 objects cost. The store is in memory,
 * all above it is the program.
 */
#include <sys/resource.h>

#include "tui/app.h"
#include "tui/key.h"

#include "tests/tools/memstore.h"

enum { PRODUCTS = 1000, CHILDREN = 9, KEYS = 3000, PER_KEY = 10 };

static void
nothing(void *arg)
{
    (void)arg;
}

static void
nothing_copied(void *arg, struct str text)
{
    (void)arg;
    (void)text;
}

static bool
no_editor(void *arg, struct str text, struct buf *out, struct error *err)
{
    (void)arg;
    (void)text;
    (void)out;
    return error_set(err, ERR_UNSUPPORTED, "no editor");
}

static void
put(struct memstore *m, struct buf *text)
{
    struct error err = {0};
    struct json *j = json_parse(buf_view(text), NULL, &err);

    if (!j || !mem_put(m, j, &err))
        die("%s", err.msg);
    json_free(j);
}

static void
put_child(struct memstore *m, struct buf *b, int p, int c, bool ready)
{
    buf_reset(b);
    buf_printf(b,
               "{\"apiVersion\":\"infra.meshifi.io/v1alpha1\",\"kind\":"
               "\"StorageBucket\",\"metadata\":{\"name\":\"product-%04d-%d\","
               "\"namespace\":\"dm-%02d\",\"creationTimestamp\":"
               "\"2026-11-21T10:00:00Z\"},\"spec\":{\"productRef\":\"p\","
               "\"versioning\":true},\"status\":{\"conditions\":[{\"type\":"
               "\"Synced\",\"status\":\"True\"},{\"type\":\"Ready\","
               "\"status\":\"%s\",\"reason\":\"Creating\"}]}}",
               p, c, p % 50, ready ? "True" : "False");
    put(m, b);
}

static void
put_product(struct memstore *m, struct buf *b, int p)
{
    buf_reset(b);
    buf_printf(b,
               "{\"apiVersion\":\"meshifi.io/v1alpha1\",\"kind\":"
               "\"DataProduct\",\"metadata\":{\"name\":\"product-%04d\","
               "\"namespace\":\"dm-%02d\",\"creationTimestamp\":"
               "\"2026-11-21T10:00:00Z\"},\"spec\":{\"id\":\"p\",\"name\":"
               "\"p\",\"dataDomainRef\":\"d-%02d\",\"version\":\"1.0.0\","
               "\"crossplane\":{\"resourceRefs\":[",
               p, p % 50, p % 50);
    for (int c = 0; c < CHILDREN; c++)
        buf_printf(b,
                   "%s{\"apiVersion\":\"infra.meshifi.io/v1alpha1\",\"kind\":"
                   "\"StorageBucket\",\"name\":\"product-%04d-%d\"}",
                   c ? "," : "", p, c);
    buf_puts(b, "]}},\"status\":{\"conditions\":[{\"type\":\"Ready\","
                "\"status\":\"True\"}]}}");
    put(m, b);
}

static int
by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void
say(const char *what, double value, double budget, const char *unit)
{
    printf("%s  %-52s %10.2f %-4s (budget %g)\n",
           value <= budget ? "OK  " : "MISS", what, value, unit, budget);
}

static double
peak_mib(void)
{
    struct rusage r;

    getrusage(RUSAGE_SELF, &r);
    return (double)r.ru_maxrss / 1024;
}

/* Keys of someone who looks around in view word, events all the while. */
static void
keys_in(struct app *a, struct memstore *m, struct clock *clock,
        const char *word, const char *what)
{
    static const char pattern[] = "jjjkkGgjjj/prod7\rjj\033jjj>>II";
    static int64_t took[KEYS];
    AUTO(buf_release) struct buf b = BUF_INIT(64 << 10);
    char name[100];

    while (a->depth > 1)
        app_back(a);
    if (*word)
        app_list(a, word);
    app_frame(a);
    for (int i = 0; i < KEYS; i++) {
        char c = pattern[(size_t)i % (sizeof(pattern) - 1)];
        unsigned key = c == '\r'     ? K_ENTER
                       : c == '\033' ? K_ESC
                                     : (unsigned char)c;
        int64_t start;

        for (int e = 0; e < PER_KEY; e++)
            put_child(m, &b, (i * 7 + e * 131) % PRODUCTS, e % CHILDREN,
                      (i + e) % 3 != 0);
        mem_changed(m);
        clock_advance(clock, 1000 * PER_KEY / 500);
        start = clock_mono_us();
        app_key(a, key);
        app_frame(a);
        took[i] = clock_mono_us() - start;
    }
    qsort(took, KEYS, sizeof(*took), by_size);
    snprintf(name, sizeof(name), "key to painted cell, %s, median", what);
    say(name, (double)took[KEYS / 2] / 1000, 16, "ms");
    snprintf(name, sizeof(name), "key to painted cell, %s, p99", what);
    say(name, (double)took[KEYS * 99 / 100] / 1000, 16, "ms");
}

int
main(void)
{
    AUTO(buf_release) struct buf b = BUF_INIT(64 << 10);
    struct clock clock;
    struct memstore *m;
    struct tui_source *source;
    struct app_options o = {.clock = &clock, .w = 120, .h = 36};

    clock_fake(&clock, (int64_t)1795262400 * 1000);
    m = memstore_new(&clock);
    for (int p = 0; p < PRODUCTS; p++) {
        put_product(m, &b, p);
        for (int c = 0; c < CHILDREN; c++)
            put_child(m, &b, p, c, true);
    }
    source = source_mesh_new(&m->base, &clock);
    mem_changed(m);
    o.source = source;
    o.host = (struct app_host){.copy = nothing_copied,
                               .redraw = nothing,
                               .suspend = nothing,
                               .edit = no_editor};
    struct app *a = app_new(&o);

    keys_in(a, m, &clock, "", "overview of 1,000 products");
    keys_in(a, m, &clock, "storagebuckets", "list of 9,000 objects");
    say("peak memory with 10,000 objects in memory", peak_mib(), 80, "MiB");
    app_free(a);
    source->ops->free(source);
    return 0;
}
