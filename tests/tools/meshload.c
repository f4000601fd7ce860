/*
 * meshload - puts many objects on a cluster at once and waits until every data
 * product is Ready.
 *
 * usage: meshload KUBECONFIG <MANIFESTS     (as genmesh prints them)
 *        meshload KUBECONFIG --plain <MANIFESTS  of built-in kinds alone, to
 *                                           any API server
 *        meshload KUBECONFIG --one N        N products one after the other
 *        meshload KUBECONFIG --revise NAME  changes that Composition
 * Prints "applied SECONDS" and "ready SECONDS" for a load, and for --one the
 * median and the worst time from create to a Ready seen in a watch, in
 * milliseconds; for --revise "recomposed SECONDS" until every product follows
 * the new revision, and what a GET of one took meanwhile (median, 99 %, worst,
 * in milliseconds).
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "lib/kube/cache.h"

#define IN_FLIGHT 32
#define LIMIT_US  (300LL * 1000000)

struct load {
    struct kube_client *client;
    struct yaml_docs docs;
    size_t next, flying, failed;
    size_t products;
    const char *kind; /* what is being sent; "" at first */
};

static const struct {
    const char *kind;
    struct kube_gvr gvr;
} kinds[] = {
    {"Namespace", {"", "v1", "namespaces"}},
    {"DataDomain", {"meshifi.io", "v1alpha1", "datadomains"}},
    {"DataContract", {"meshifi.io", "v1alpha1", "datacontracts"}},
    {"DataProduct", {"meshifi.io", "v1alpha1", "dataproducts"}},
    {"ConfigMap", {"", "v1", "configmaps"}},
};

static void send_more(struct load *l);

static void
on_reply(void *arg, const struct kube_reply *r, const struct error *err)
{
    struct load *l = arg;

    (void)r;
    l->flying--;
    if (err) {
        l->failed++;
        fprintf(stderr, "%s\n", err->msg);
    }
    send_more(l);
}

/* One kind after the other: namespaces are there before what is in them. */
static bool
may_send(struct load *l)
{
    const struct json *next = l->docs.v[l->next].value;
    const char *kind = json_string_or(json_get(next, "kind"), "");

    if (strcmp(kind, l->kind) == 0)
        return l->flying < IN_FLIGHT;
    if (l->flying)
        return false;
    l->kind = kind;
    return true;
}

static void
send_more(struct load *l)
{
    while (l->next < l->docs.n && may_send(l)) {
        const struct json *j = l->docs.v[l->next++].value;
        const char *kind = json_string_or(json_get(j, "kind"), "");
        AUTO(mem_free_ptr) char *body = json_text(j, JSON_COMPACT);

        for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
            struct kube_request r = {
                .verb = KUBE_CREATE,
                .gvr = kinds[i].gvr,
                .ns = json_string(json_at(j, "metadata", "namespace", NULL)),
                .body = str_of(body)};

            if (strcmp(kinds[i].kind, kind) == 0 &&
                kube_client_send(l->client, &r, on_reply, l, NULL))
                l->flying++;
        }
        l->products += strcmp(kind, "DataProduct") == 0;
    }
}

static size_t
ready_count(const struct kube_cache *k)
{
    size_t n = 0;

    for (size_t i = 0; k && i < kube_cache_count(k); i++)
        n += kube_cache_at(k, i)->ready.status == 'T';
    return n;
}

static int
load_all(struct loop *loop, struct load *l, struct kube_cache *cache)
{
    struct buf text = BUF_INIT(BUF_TEXT_MAX);
    int64_t begun = clock_mono_us();
    struct error err = {0};

    if (!file_read("-", &text, &err) ||
        !yaml_parse(buf_view(&text), NULL, &l->docs, &err)) {
        fprintf(stderr, "%s\n", err.msg);
        return 1;
    }
    begun = clock_mono_us();
    send_more(l);
    while (l->flying)
        loop_turn(loop, 100);
    printf("applied %.2f\n", (double)(clock_mono_us() - begun) / 1e6);
    while (ready_count(cache) < l->products &&
           clock_mono_us() - begun < LIMIT_US)
        loop_turn(loop, 200);
    printf("ready %.2f of %zu %zu\n", (double)(clock_mono_us() - begun) / 1e6,
           l->products, ready_count(cache));
    buf_release(&text);
    yaml_docs_release(&l->docs);
    return l->failed || ready_count(cache) < l->products;
}

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double
create_one(struct loop *loop, struct load *l, struct kube_cache *cache, int i)
{
    char name[32];
    AUTO(buf_release) struct buf body = BUF_INIT(4096);
    struct kube_request r = {
        .verb = KUBE_CREATE, .gvr = kinds[3].gvr, .ns = "default"};

    snprintf(name, sizeof(name), "bench-%d", i);
    buf_printf(&body,
               "{\"apiVersion\":\"meshifi.io/v1alpha1\",\"kind\":"
               "\"DataProduct\",\"metadata\":{\"name\":\"%s\"},\"spec\":{"
               "\"id\":\"%s\",\"name\":\"x\",\"description\":\"x\","
               "\"dataDomainRef\":\"x\"}}",
               name, name);
    r.body = buf_view(&body);
    int64_t begun = clock_mono_us();

    if (!kube_client_send(l->client, &r, on_reply, l, NULL))
        return -1;
    l->flying++;
    for (;;) {
        const struct kube_object *o = kube_cache_find(cache, "default", name);

        if ((o && o->ready.status == 'T') || l->failed ||
            clock_mono_us() - begun > LIMIT_US)
            return (double)(clock_mono_us() - begun) / 1e3;
        loop_turn(loop, 100);
    }
}

static int
one_by_one(struct loop *loop, struct load *l, struct kube_cache *cache,
           int64_t n)
{
    double *ms = mem_zalloc((size_t)n, sizeof(*ms));

    for (int i = 0; i < n; i++)
        ms[i] = create_one(loop, l, cache, i);
    qsort(ms, (size_t)n, sizeof(*ms), compare);
    printf("create-to-ready median %.1f worst %.1f\n", ms[n / 2], ms[n - 1]);
    free(ms);
    return l->failed != 0;
}

/* ---- one Composition changes under all products ---- */

enum { GETS_MAX = 100000, GET_EVERY_MS = 10 };

struct revise {
    struct load *load;
    int64_t version; /* of the Composition after the change; 0: not yet */
    int64_t sent_us; /* of the GET that is on its way; 0: none is */
    double *ms;
    size_t n;
};

static void
on_revised(void *arg, const struct kube_reply *r, const struct error *err)
{
    struct revise *x = arg;
    AUTO(json_free_ptr)
    struct json *j = err ? NULL : json_parse(r->body, NULL, NULL);
    const char *version =
        json_string_or(json_at(j, "metadata", "resourceVersion", NULL), "0");

    x->load->failed += !str_to_i64(str_of(version), &x->version) || err;
}

static void
on_got(void *arg, const struct kube_reply *r, const struct error *err)
{
    struct revise *x = arg;

    (void)r;
    x->load->failed += err != NULL;
    if (x->n < GETS_MAX)
        x->ms[x->n++] = (double)(clock_mono_us() - x->sent_us) / 1e3;
    x->sent_us = 0;
}

static size_t
follow_count(const struct kube_cache *k, int64_t after)
{
    size_t n = 0;
    int64_t version;

    for (size_t i = 0; i < kube_cache_count(k); i++)
        n += str_to_i64(kube_cache_at(k, i)->version, &version) &&
             version > after;
    return n;
}

static void
get_one(struct revise *x, const struct kube_cache *cache)
{
    const struct kube_object *o =
        kube_cache_at(cache, x->n * 7919 % kube_cache_count(cache));
    struct kube_request r = {.verb = KUBE_GET,
                             .gvr = kinds[3].gvr,
                             .ns = o->ns.s,
                             .name = o->name.s};

    x->sent_us = clock_mono_us();
    if (!kube_client_send(x->load->client, &r, on_got, x, NULL))
        x->load->failed++;
}

static int
revise(struct loop *loop, struct load *l, struct kube_cache *cache,
       const char *composition)
{
    struct revise x = {.load = l, .ms = mem_zalloc(GETS_MAX, sizeof(double))};
    AUTO(mem_free_ptr)
    char *body = mem_printf("{\"metadata\":{\"annotations\":{\"bench\":\"%lld\""
                            "}}}",
                            (long long)clock_mono_us());
    const struct kube_request r = {
        .verb = KUBE_PATCH,
        .gvr = {"apiextensions.crossplane.io", "v1", "compositions"},
        .name = composition,
        .body = str_of(body)};
    int64_t begun = clock_mono_us(), next = 0;
    bool all = false;

    l->failed += !kube_client_send(l->client, &r, on_revised, &x, NULL);
    while (!all && !l->failed && clock_mono_us() - begun < LIMIT_US) {
        if (!x.sent_us && clock_mono_us() >= next && kube_cache_count(cache)) {
            next = clock_mono_us() + GET_EVERY_MS * 1000;
            get_one(&x, cache);
        }
        loop_turn(loop, GET_EVERY_MS);
        all = x.version &&
              follow_count(cache, x.version) == kube_cache_count(cache);
    }
    qsort(x.ms, x.n, sizeof(*x.ms), compare);
    printf("recomposed %.2f of %zu get median %.1f p99 %.1f worst %.1f\n",
           (double)(clock_mono_us() - begun) / 1e6, kube_cache_count(cache),
           x.n ? x.ms[x.n / 2] : 0, x.n ? x.ms[x.n * 99 / 100] : 0,
           x.n ? x.ms[x.n - 1] : 0);
    while (x.sent_us && !l->failed)
        loop_turn(loop, GET_EVERY_MS);
    free(x.ms);
    return !all;
}

int
main(int argc, char **argv)
{
    struct error err = {0};
    struct loop *loop = loop_new(&err);
    struct kube_access *access =
        argc > 1 ? kube_access_open(argv[1], NULL, &err) : NULL;
    struct load l = {
        .kind = "",
        .client = access ? kube_client_new(loop, access, NULL, &err) : NULL};
    struct kube_cache_options o = {.gvr = kinds[3].gvr};
    bool plain = argc > 2 && strcmp(argv[2], "--plain") == 0;
    struct kube_cache *cache =
        l.client && !plain ? kube_cache_new(l.client, &o, NULL, &err) : NULL;
    int64_t n = 0;
    int code;

    if (!l.client ||
        (!plain && (!cache || !kube_cache_wait(cache, 10000, &err)))) {
        fprintf(stderr, "meshload: %s\n", err.msg);
        return 1;
    }
    if (argc > 3 && strcmp(argv[2], "--revise") == 0)
        code = revise(loop, &l, cache, argv[3]);
    else if (argc > 3 && str_to_i64(str_of(argv[3]), &n) && n > 0)
        code = one_by_one(loop, &l, cache, n);
    else
        code = load_all(loop, &l, cache);
    kube_cache_free(cache);
    kube_client_free(l.client);
    kube_access_free(access);
    loop_free(loop);
    return code;
}
