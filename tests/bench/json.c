/*
 * json - reading and printing a list of 5,000 objects (34 MB, as an API server
 * sends it), beside cJSON's own parser.
 */
#include "lib/base/json.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { OBJECTS = 5000, ROUNDS = 3 };

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void
say(const char *what, double value, double least, const char *unit)
{
    printf("%s  %-52s %10.1f %-4s (budget >= %g)\n",
           value >= least ? "OK  " : "MISS", what, value, unit, least);
}

static void
add_object(struct buf *b, int i)
{
    buf_printf(b,
               "%s{\"apiVersion\":\"meshifi.io/v1alpha1\",\"kind\":"
               "\"DataProduct\",\"metadata\":{\"name\":\"product-%05d\","
               "\"namespace\":\"dm-%03d\",\"uid\":\"6f1d0e3c-0000-4000-8000-"
               "%012d\",\"resourceVersion\":\"%d\",\"generation\":4,"
               "\"creationTimestamp\":\"2026-11-21T02:51:37Z\","
               "\"managedFields\":[",
               i ? "," : "", i, i / 25, i, i);
    for (int m = 0; m < 13; m++)
        buf_printf(b,
                   "%s{\"manager\":\"m%d\",\"operation\":\"Apply\","
                   "\"fieldsType\":\"FieldsV1\",\"fieldsV1\":{\"f:metadata\":{"
                   "\"f:labels\":{\"f:a\":{},\"f:b\":{}}},\"f:spec\":{"
                   "\"f:name\":{},\"f:outputPorts\":{},\"f:inputPorts\":{}}}}",
                   m ? "," : "", m);
    buf_puts(b, "]},\"spec\":{\"name\":\"A \\\"product\\\"\",\"tags\":[");
    for (int t = 0; t < 60; t++)
        buf_printf(b, "%s{\"key\":\"tag-%d\",\"n\":%d,\"on\":true}",
                   t ? "," : "", t, t * 7);
    buf_puts(b, "],\"description\":\"");
    for (int w = 0; w < 130; w++)
        buf_puts(b, "some words ");
    buf_puts(b, "\"}}");
}

static bool
parse_item(void *arg, struct str item)
{
    struct json *j = json_parse(item, NULL, NULL);

    *(size_t *)arg += j != NULL;
    json_free(j);
    return true;
}

static bool
parse_item_cjson(void *arg, struct str item)
{
    cJSON *c = cJSON_ParseWithLength(item.s, item.n);

    *(size_t *)arg += c != NULL;
    cJSON_Delete(c);
    return true;
}

static bool
count_item(void *arg, struct str item)
{
    *(size_t *)arg += item.n > 0;
    return true;
}

/* The best of a few rounds, in MB/s. */
static double
rate_walk(struct str text, json_item_fn *fn)
{
    double best = 1e9;

    for (int r = 0; r < ROUNDS; r++) {
        size_t n = 0;
        double t = now();

        if (!json_each_item(text, "items", fn, &n, NULL, NULL) || n != OBJECTS)
            abort();
        best = MIN(best, now() - t);
    }
    return (double)text.n / 1e6 / best;
}

static double
rate_parse(struct str text)
{
    double best = 1e9;

    for (int r = 0; r < ROUNDS; r++) {
        double t = now();
        struct json *j = json_parse(text, NULL, NULL);

        if (!j)
            abort();
        json_free(j);
        best = MIN(best, now() - t);
    }
    return (double)text.n / 1e6 / best;
}

static double
rate_print(struct str text)
{
    struct json *j = json_parse(text, NULL, NULL);
    double best = 1e9;

    for (int r = 0; r < ROUNDS; r++) {
        double t = now();
        char *out = json_text(j, JSON_COMPACT);

        best = MIN(best, now() - t);
        if (strlen(out) != text.n)
            abort();
        free(out);
    }
    json_free(j);
    return (double)text.n / 1e6 / best;
}

int
main(void)
{
    struct buf b = BUF_INIT((size_t)128 << 20);

    buf_puts(&b, "{\"kind\":\"List\",\"items\":[");
    for (int i = 0; i < OBJECTS; i++)
        add_object(&b, i);
    buf_puts(&b, "]}");
    struct str text = buf_view(&b);
    double theirs = rate_walk(text, parse_item_cjson);
    double ours = rate_walk(text, parse_item);

    say("JSON list walked item by item, not built", rate_walk(text, count_item),
        150, "MB/s");
    say("JSON list walked, each item parsed and freed", ours, 100, "MB/s");
    say("  beside the same with cJSON_Parse, times as fast", ours / theirs, 1,
        "x");
    say("JSON list parsed into one tree and freed", rate_parse(text), 50,
        "MB/s");
    say("JSON tree printed", rate_print(text), 150, "MB/s");
    buf_release(&b);
    return 0;
}
