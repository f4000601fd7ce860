/*
 * sandbox_semantics - what the API's rules cost by themselves, without TLS and
 * without a disk: create, merge patch, apply, status update, and reading the
 * list of 5,000 objects. Budget: well under 50 us a write.
 */
#include <stdio.h>
#include <sys/resource.h>

#include "lib/base/asset.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "devenv/sandbox/registry.h"
#include "devenv/sandbox/store.h"

#define OBJECTS 5000
#define BUDGET  50.0

static const char object[] =
    "{\"apiVersion\":\"rec.example.org/v1\",\"kind\":\"Widget\",\"metadata\":{"
    "\"name\":\"%s\",\"labels\":{\"app\":\"mesh\",\"team\":\"a\"},"
    "\"annotations\":{\"example.org/note\":\"a note of some length for the "
    "sake of size\"}},\"spec\":{\"color\":\"red\",\"size\":%d,\"tags\":[\"a\","
    "\"b\",\"c\"],\"ports\":[{\"name\":\"http\",\"port\":80},{\"name\":"
    "\"https\",\"port\":443}]}}";

struct bench {
    struct registry *r;
    const struct kind *k;
    int64_t start;
};

/* Microseconds of processor time. */
static int64_t
cpu_us(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000 +
           u.ru_utime.tv_usec + u.ru_stime.tv_usec;
}

static void
say(struct bench *b, const char *what)
{
    double us = (double)(cpu_us() - b->start) / OBJECTS;

    printf("%s  %-44s %8.1f us  (budget %.0f us)\n",
           us < BUDGET ? "OK  " : "MISS", what, us, BUDGET);
    b->start = cpu_us();
}

static void
must(struct json *j, const struct status *st)
{
    if (!j)
        die("%s", st->message);
    json_free(j);
}

static char *
name_of(int i)
{
    return mem_printf("widget-%05d", i);
}

static void
create_all(struct bench *b)
{
    struct registry_write w = {.manager = "bench"};

    for (int i = 0; i < OBJECTS; i++) {
        struct status st = {0};
        AUTO(mem_free_ptr) char *name = name_of(i);
        struct buf text = BUF_INIT(8192);

        buf_printf(&text, object, name, i % 10);
        must(registry_create(b->r, b->k, &w, "default",
                             json_parse(buf_view(&text), NULL, NULL), &st),
             &st);
        buf_release(&text);
    }
    say(b, "create");
}

static void
patch_all(struct bench *b)
{
    struct registry_write w = {.manager = "bench"};

    for (int i = 0; i < OBJECTS; i++) {
        struct status st = {0};
        AUTO(mem_free_ptr) char *name = name_of(i);
        AUTO(mem_free_ptr)
        char *body = mem_printf("{\"spec\":{\"size\":%d}}", (i + 1) % 10);

        must(registry_patch(b->r, b->k, &w, "default", name, PATCH_MERGE,
                            str_of(body), &st),
             &st);
    }
    say(b, "merge patch");
}

static void
apply_all(struct bench *b)
{
    struct registry_write w = {.manager = "applier", .force = true};

    for (int i = 0; i < OBJECTS; i++) {
        struct status st = {0};
        AUTO(mem_free_ptr) char *name = name_of(i);
        struct buf text = BUF_INIT(8192);

        buf_printf(&text, object, name, (i + 2) % 10);
        must(registry_patch(b->r, b->k, &w, "default", name, PATCH_APPLY,
                            buf_view(&text), &st),
             &st);
        buf_release(&text);
    }
    say(b, "server-side apply");
}

static void
status_all(struct bench *b)
{
    for (int i = 0; i < OBJECTS; i++) {
        struct status st = {0};
        AUTO(mem_free_ptr) char *name = name_of(i);
        struct json *obj = registry_get(b->r, b->k, "default", name);
        struct json *cond = json_parse(
            STR("[{\"type\":\"Ready\",\"status\":\"True\",\"reason\":"
                "\"Available\",\"lastTransitionTime\":\"2026-11-21T05:00:00Z\""
                "}]"),
            NULL, NULL);

        json_set(json_need_object(obj, "status"), "conditions", cond);
        must(registry_update_status(b->r, b->k, "controller", "default", obj,
                                    &st),
             &st);
    }
    say(b, "status update, with its read");
}

static bool
count(void *arg, struct str text)
{
    *(size_t *)arg += text.n;
    return true;
}

int
main(void)
{
    struct error err = {0};
    struct status st = {0};
    struct registry_options o = {0};
    struct bench b = {0};
    struct buf text = BUF_INIT(1 << 20);
    struct yaml_docs docs = {0};
    size_t bytes = 0;

    o.store = store_open(":memory:", NULL, &err);
    b.r = o.store ? registry_new(&o, &err) : NULL;
    if (!b.r || !file_read("tests/wire/widgets.yaml", &text, &err) ||
        !yaml_parse(buf_view(&text), NULL, &docs, &err))
        die("%s", err.msg);
    if (!registry_install_crd(b.r, &(struct registry_write){.manager = "bench"},
                              docs.v[1].value, &st))
        die("%s", st.message);
    b.k = registry_kind(b.r, "rec.example.org/v1", "Widget");
    b.start = cpu_us();
    create_all(&b);
    patch_all(&b);
    apply_all(&b);
    status_all(&b);
    registry_list(b.r, b.k, NULL, "app=mesh", count, &bytes, &st);
    say(&b, "list by label, each object");
    printf("      %zu bytes an object\n", bytes / OBJECTS);
    registry_free(b.r);
    store_close(o.store);
    yaml_docs_release(&docs);
    buf_release(&text);
    return 0;
}
