#include "devenv/sandbox/events.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/random.h"

#include "devenv/sandbox/registry_state.h"

/* As client-go's correlator: so many are told apart. */
#define EVENTS_REMEMBERED 4096

/* ---- two names for one thing ---- */

static const char *const pairs[][2] = {
    /* core, events.k8s.io */
    {"involvedObject", "regarding"},
    {"message", "note"},
    {"source", "deprecatedSource"},
    {"firstTimestamp", "deprecatedFirstTimestamp"},
    {"lastTimestamp", "deprecatedLastTimestamp"},
    {"count", "deprecatedCount"},
    {"reportingComponent", "reportingController"},
};

static void
rename_members(struct json *obj, int from, int to)
{
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct json *v = json_get(obj, pairs[i][from]);

        if (v)
            json_set(obj, pairs[i][to], json_detach(obj, v));
    }
}

void
events_from_core(struct json *obj)
{
    static const char *const quiet[] = {"reportingController",
                                        "reportingInstance"};

    rename_members(obj, 0, 1);
    json_set_string(obj, "apiVersion", "events.k8s.io/v1");
    for (size_t i = 0; i < ARRAY_LEN(quiet); i++) {
        if (!*json_string_or(json_get(obj, quiet[i]), "x"))
            json_del(obj, quiet[i]);
    }
}

void
events_to_core(struct json *obj)
{
    rename_members(obj, 1, 0);
    json_set_string(obj, "apiVersion", "v1");
}

/* ---- recording ---- */

/* What makes two events the same, as client-go's correlator sees it. */
static char *
identity(const struct json *e)
{
    const struct json *about = json_get(e, "involvedObject");

    return mem_printf("%s\n%s\n%s\n%s\n%s\n%s",
                      json_string_or(json_get(about, "uid"), ""),
                      json_string_or(json_get(about, "name"), ""),
                      json_string_or(json_get(e, "type"), ""),
                      json_string_or(json_get(e, "reason"), ""),
                      json_string_or(json_get(e, "reportingComponent"), ""),
                      json_string_or(json_get(e, "message"), ""));
}

/* The earlier event of the same words, to be counted up. */
static struct json *
find_same(struct registry *r, const struct kind *k, const char *id)
{
    const char *key = map_get(&r->emitted, str_of(id));
    struct str ns, name;

    if (!key)
        return NULL;
    str_cut(str_of(key), '/', &ns, &name);
    AUTO(mem_free_ptr) char *in = mem_strndup(ns.s, ns.n);
    return registry_get(r, k, in, name.s);
}

static struct json *
reference_to(const struct json *obj)
{
    static const char *const keys[] = {"name", "namespace", "uid",
                                       "resourceVersion"};
    struct json *ref = json_new_object();

    json_set_string(ref, "apiVersion",
                    json_string_or(json_get(obj, "apiVersion"), ""));
    json_set_string(ref, "kind", json_string_or(json_get(obj, "kind"), ""));
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const char *v = json_string(json_at(obj, "metadata", keys[i], NULL));

        if (v)
            json_set_string(ref, keys[i], v);
    }
    return ref;
}

static struct json *
new_event(struct registry *r, const struct json *obj, const char *component,
          const char *const words[3])
{
    struct json *e = json_new_object(), *meta;
    const char *name =
        json_string_or(json_at(obj, "metadata", "name", NULL), "object");
    const char *ns =
        json_string_or(json_at(obj, "metadata", "namespace", NULL), "default");
    char now[CLOCK_RFC3339_LEN], tail[17];
    uint64_t salt;

    json_set_string(e, "apiVersion", "v1");
    json_set_string(e, "kind", "Event");
    meta = json_set(e, "metadata", json_new_object());
    random_bytes(&salt, sizeof(salt));
    snprintf(tail, sizeof(tail), "%016llx", (unsigned long long)salt);
    AUTO(mem_free_ptr) char *full = mem_printf("%.230s.%s", name, tail);
    json_set_string(meta, "name", full);
    json_set_string(meta, "namespace", *ns ? ns : "default");
    json_set(e, "involvedObject", reference_to(obj));
    json_set_string(e, "type", words[0]);
    json_set_string(e, "reason", words[1]);
    json_set_string(e, "message", words[2]);
    json_set_string(json_set(e, "source", json_new_object()), "component",
                    component);
    clock_format(clock_wall_ms(r->clock) / 1000, now);
    json_set_string(e, "firstTimestamp", now);
    json_set_string(e, "lastTimestamp", now);
    json_set_int(e, "count", 1);
    json_set_string(e, "reportingComponent", component);
    return e;
}

static void
remember(struct registry *r, const char *id, const struct json *e)
{
    if (map_count(&r->emitted) >= EVENTS_REMEMBERED)
        map_release(&r->emitted, free);
    free(map_put(
        &r->emitted, str_of(id),
        mem_printf(
            "%s/%s",
            json_string_or(json_at(e, "metadata", "namespace", NULL), ""),
            json_string_or(json_at(e, "metadata", "name", NULL), ""))));
}

void
registry_emit(struct registry *r, const struct json *obj, const char *component,
              const char *type, const char *reason, const char *message)
{
    const struct kind *k = registry_kind(r, "v1", "Event");
    AUTO(mem_free_ptr) char *cut = mem_strndup(message, strnlen(message, 1024));
    struct json *e =
        new_event(r, obj, component, (const char *[]){type, reason, cut});
    AUTO(mem_free_ptr) char *id = identity(e);
    struct json *old = find_same(r, k, id), *made;
    AUTO(status_release) struct status st = {0};
    struct registry_write w = {.manager = component,
                               .validation = VALIDATE_IGNORE};
    AUTO(mem_free_ptr)
    char *in =
        mem_strdup(json_string(json_at(e, "metadata", "namespace", NULL)));

    if (!old) {
        made = registry_create(r, k, &w, in, e, &st);
        if (made)
            remember(r, id, made);
        json_free(made);
        return;
    }
    json_set_int(old, "count", json_int64_or(json_get(old, "count"), 1) + 1);
    json_set_string(old, "lastTimestamp",
                    json_string_or(json_get(e, "lastTimestamp"), ""));
    json_free(e);
    json_free(registry_update(r, k, &w, in, old, &st));
}

/* When it was last written: its hour begins anew then, whatever times it
 * speaks of. */
static int64_t
written_at(const struct json *e, int64_t now)
{
    const struct json *meta = json_get(e, "metadata");
    int64_t at = now, later;

    clock_parse(str_of(json_get_text(meta, "creationTimestamp")), &at);
    for (const struct json *m = json_first(json_get(meta, "managedFields")); m;
         m = json_next(m)) {
        if (clock_parse(str_of(json_get_text(m, "time")), &later))
            at = MAX(at, later);
    }
    return at;
}

size_t
events_expire(struct registry *r)
{
    const struct kind *k = registry_kind(r, "v1", "Event");
    int64_t now = clock_wall_ms(r->clock) / 1000;
    struct store_cursor c;
    struct store_item it;
    size_t n = 0;

    store_scan(r->store, STR("/events"), STR(""), STR(""), 0, &c);
    while (store_next(&c, &it)) {
        AUTO(json_free_ptr)
        struct json *e = json_parse(blob_view(it.json), NULL, NULL);
        int64_t at = written_at(e, now);
        AUTO(status_release) struct status st = {0};

        if (now - at < EVENTS_TTL_S)
            continue;
        n += registry_delete(
            r, k, json_string(json_at(e, "metadata", "namespace", NULL)),
            json_string(json_at(e, "metadata", "name", NULL)), NULL, NULL, &st);
    }
    store_cursor_release(&c);
    return n;
}
