/*
 * memstore.h - a store (tui/store.h) in memory, for screen tests and benches.
 *
 * What: objects from YAML, the mesh fed with them, writes that are applied at
 * once, a link that a test sets. A platform, not a mock: everything above the
 * store is what the program runs. Included by each tool (one file a program).
 */
#ifndef TESTS_TOOLS_MEMSTORE_H
#define TESTS_TOOLS_MEMSTORE_H

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "tui/source_mesh.h"

struct tui_collection {
    struct kube_kind kind;
    char names[5][128]; /* group, version, resource, kind, singular */
    const char *short_names[3];
    const char *categories[1];
    struct kube_object **v; /* by namespace and name */
    size_t n, cap;
};

struct memstore {
    struct tui_store base;
    const struct clock *clock;
    struct mesh *mesh;
    struct mesh_planner *planner;
    struct tui_collection *kinds[200];
    size_t kinds_n;
    bool live, ever, read_only, settled, none;
    int64_t as_of_ms, retry_ms;
    char ns[64];
    uint64_t version;
    char refuse[256];  /* what the next write is refused with, or "" */
    struct mem_write { /* written, not yet answered */
        struct mem_write *next;
        tui_done_fn *done; /* NULL: nobody wants the answer */
        void *arg;
        struct json *body;
        struct error err;
    } * writes;
};

static struct memstore *
mem_self(struct tui_store *s)
{
    return (struct memstore *)s;
}

static void
mem_changed(struct memstore *m)
{
    mesh_settle(m->mesh);
    if (m->base.changed)
        m->base.changed(m->base.changed_arg);
}

/* ---- kinds ---- */

static void
mem_lower(char *to, const char *from, const char *suffix)
{
    snprintf(to, 128, "%s%s", from, suffix);
    for (char *p = to; *p; p++)
        *p = (char)tolower((unsigned char)*p);
}

static struct tui_collection *
mem_kind(struct memstore *m, const char *api, const char *kind, bool make)
{
    const char *slash = strchr(api, '/'), *version = slash ? slash + 1 : api;
    static const char *const shorts[][2] = {
        {"DataProduct", "dp"}, {"DataDomain", "dd"}, {"ConfigMap", "cm"}};
    static const char *const cluster[] = {
        "CompositeResourceDefinition", "Composition", "Namespace",
        "CustomResourceDefinition",    "Function",    "Mesh"};
    struct tui_collection *c;
    char group[128] = "";

    if (slash)
        snprintf(group, sizeof(group), "%.*s", (int)(slash - api), api);
    for (size_t i = 0; i < m->kinds_n; i++) {
        c = m->kinds[i];
        if (strcmp(c->names[3], kind) == 0 && strcmp(c->names[0], group) == 0)
            return c;
    }
    if (!make || m->kinds_n == ARRAY_LEN(m->kinds))
        return NULL;
    c = m->kinds[m->kinds_n++] = mem_zalloc(1, sizeof(*c));
    snprintf(c->names[0], 128, "%s", group);
    snprintf(c->names[1], 128, "%s", version);
    mem_lower(c->names[2], kind, "s");
    snprintf(c->names[3], 128, "%s", kind);
    mem_lower(c->names[4], kind, "");
    for (size_t i = 0; i < ARRAY_LEN(shorts); i++) {
        if (strcmp(shorts[i][0], kind) == 0)
            c->short_names[0] = shorts[i][1];
    }
    c->kind = (struct kube_kind){
        .gvr = {c->names[0], c->names[1], c->names[2]},
        .kind = c->names[3],
        .singular = c->names[4],
        .short_names = c->short_names,
        .categories = c->categories,
        .namespaced = true,
        .preferred = true,
        .verbs = 255,
    };
    for (size_t i = 0; i < ARRAY_LEN(cluster); i++) {
        if (strcmp(cluster[i], kind) == 0)
            c->kind.namespaced = false;
    }
    mesh_watched(m->mesh, api, kind, MESH_SYNCED);
    return c;
}

static const struct kube_kind *
mem_kind_at(struct tui_store *s, size_t i)
{
    struct memstore *m = mem_self(s);

    return i < m->kinds_n ? &m->kinds[i]->kind : NULL;
}

static const struct kube_kind *
mem_kind_find(struct tui_store *s, const char *word)
{
    struct memstore *m = mem_self(s);

    for (size_t i = 0; i < m->kinds_n; i++) {
        struct tui_collection *c = m->kinds[i];

        if (strcasecmp(word, c->names[2]) == 0 ||
            strcasecmp(word, c->names[4]) == 0 ||
            (c->short_names[0] && strcmp(word, c->short_names[0]) == 0))
            return &c->kind;
    }
    return NULL;
}

static const struct kube_kind *
mem_kind_of(struct tui_store *s, const char *api, const char *kind)
{
    struct tui_collection *c = mem_kind(mem_self(s), api, kind, false);

    return c ? &c->kind : NULL;
}

/* ---- objects ---- */

static int
mem_compare(const char *ns, const char *name, const struct kube_object *o)
{
    int order = strcmp(ns, o->ns.s);

    return order ? order : strcmp(name, o->name.s);
}

/* Position of (ns, name), or of where it would go. */
static size_t
mem_place(const struct tui_collection *c, const char *ns, const char *name)
{
    size_t lo = 0, hi = c->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (mem_compare(ns, name, c->v[mid]) > 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static struct str
mem_text(const char *z)
{
    return str_of(mem_strdup(z ? z : ""));
}

static void
mem_free_object(struct kube_object *o)
{
    free((char *)o->ns.s);
    free((char *)o->name.s);
    free((char *)o->uid.s);
    free((char *)o->version.s);
    free((char *)o->owner.s);
    free((char *)o->body.s);
    free((char *)o->ready.reason.s);
    free((char *)o->synced.reason.s);
    free(o);
}

static int64_t
mem_time(const char *z)
{
    int64_t s = 0;

    if (z)
        clock_parse(str_of(z), &s);
    return s;
}

static void
mem_conditions(const struct json *object, struct kube_object *o)
{
    o->ready.reason = mem_text("");
    o->synced.reason = mem_text("");
    for (const struct json *c =
             json_first(json_at(object, "status", "conditions", NULL));
         c; c = json_next(c)) {
        const char *type = json_string_or(json_get(c, "type"), "");
        struct kube_condition *k = strcmp(type, "Ready") == 0    ? &o->ready
                                   : strcmp(type, "Synced") == 0 ? &o->synced
                                                                 : NULL;

        if (!k)
            continue;
        k->status = json_string_or(json_get(c, "status"), "U")[0];
        free((char *)k->reason.s);
        k->reason = mem_text(json_get_string(c, "reason"));
    }
}

/* Adds or replaces one object; the mesh hears of it. */
static bool
mem_put(struct memstore *m, const struct json *object, struct error *err)
{
    const struct json *meta = json_get(object, "metadata");
    const char *api = json_get_string(object, "apiVersion");
    const char *kind = json_get_string(object, "kind");
    const char *ns = json_string_or(json_get(meta, "namespace"), "");
    const char *name = json_get_string(meta, "name");
    struct kube_object *o;
    struct tui_collection *c;
    char version[32];
    size_t at;

    if (!api || !kind || !name)
        return error_set(err, ERR_INVALID, "no object");
    if (!mesh_put_json(m->mesh, object, err))
        return false;
    c = mem_kind(m, api, kind, true);
    o = mem_zalloc(1, sizeof(*o));
    snprintf(version, sizeof(version), "%d", (int)++m->version);
    o->ns = mem_text(ns);
    o->name = mem_text(name);
    o->uid = mem_text(json_get_string(meta, "uid"));
    o->version = mem_text(version);
    o->owner = mem_text("");
    o->created_s = mem_time(json_get_string(meta, "creationTimestamp"));
    o->deleted_s = mem_time(json_get_string(meta, "deletionTimestamp"));
    mem_conditions(object, o);
    o->body = str_of(json_text(object, JSON_COMPACT));
    at = mem_place(c, ns, name);
    if (at < c->n && mem_compare(ns, name, c->v[at]) == 0) {
        o->created_s = o->created_s ? o->created_s : c->v[at]->created_s;
        mem_free_object(c->v[at]);
    } else {
        c->v = mem_grow(c->v, &c->cap, c->n + 1, sizeof(o));
        memmove(c->v + at + 1, c->v + at, (c->n - at) * sizeof(o));
        c->n++;
    }
    c->v[at] = o;
    return true;
}

static bool
mem_remove(struct memstore *m, const char *api, const char *kind,
           const char *ns, const char *name)
{
    struct tui_collection *c = mem_kind(m, api, kind, false);
    size_t at = c ? mem_place(c, ns, name) : 0;

    if (!c || at == c->n || mem_compare(ns, name, c->v[at]) != 0)
        return false;
    mem_free_object(c->v[at]);
    memmove(c->v + at, c->v + at + 1, (c->n - at - 1) * sizeof(*c->v));
    c->n--;
    mesh_del(m->mesh, api, kind, ns, name);
    return true;
}

static UNUSED bool
mem_load(struct memstore *m, struct str text, struct error *err)
{
    struct yaml_docs docs = {0};
    bool ok = yaml_parse(text, NULL, &docs, err);

    for (size_t i = 0; ok && i < docs.n; i++)
        ok = mem_put(m, docs.v[i].value, err);
    yaml_docs_release(&docs);
    return ok;
}

/* ---- the store ---- */

static struct mesh *
mem_model(struct tui_store *s)
{
    return mem_self(s)->mesh;
}

static struct mesh_planner *
mem_planner(struct tui_store *s)
{
    return mem_self(s)->planner;
}

static void
mem_link(struct tui_store *s, struct tui_link *out)
{
    struct memstore *m = mem_self(s);

    out->live = m->live;
    out->ever = m->ever;
    out->as_of_ms = m->as_of_ms;
    out->retry_ms = m->retry_ms;
    out->where = "test";
    out->server = "memory";
    out->ns = m->ns;
    out->read_only = m->read_only;
    out->none = m->none;
}

static bool
mem_synced(struct tui_store *s)
{
    return mem_self(s)->ever;
}

static struct tui_collection *
mem_collection(struct tui_store *s, const struct tui_want *w, struct error *err)
{
    struct memstore *m = mem_self(s);

    for (size_t i = 0; i < m->kinds_n; i++) {
        if (&m->kinds[i]->kind == w->kind)
            return m->kinds[i];
    }
    error_set(err, ERR_NOT_FOUND, "no such kind");
    return NULL;
}

static void
mem_release(struct tui_store *s UNUSED, struct tui_collection *c UNUSED)
{
}

static const struct json *
mem_columns(struct tui_store *s UNUSED, struct tui_collection *c UNUSED)
{
    return NULL;
}

static size_t
mem_count(struct tui_store *s UNUSED, struct tui_collection *c)
{
    return c->n;
}

static const struct kube_object *
mem_at(struct tui_store *s UNUSED, struct tui_collection *c, size_t i)
{
    return i < c->n ? c->v[i] : NULL;
}

static const struct kube_object *
mem_find(struct tui_store *s UNUSED, struct tui_collection *c, const char *ns,
         const char *name)
{
    size_t at = mem_place(c, ns, name);

    return at < c->n && mem_compare(ns, name, c->v[at]) == 0 ? c->v[at] : NULL;
}

static bool
mem_collected(struct tui_store *s UNUSED, struct tui_collection *c UNUSED,
              const char **problem)
{
    *problem = NULL;
    return true;
}

static bool
mem_write(struct tui_store *s, const struct tui_write *w, tui_done_fn *done,
          void *arg, struct error *err)
{
    struct memstore *m = mem_self(s);
    struct mem_write *p;

    if (w->verb != TUI_DELETE && !w->dry_run && !*m->refuse &&
        !mem_put(m, w->body, err))
        return false;
    p = mem_zalloc(1, sizeof(*p));
    *p = (struct mem_write){m->writes, done, arg, json_copy(w->body), {0}};
    m->writes = p;
    if (*m->refuse)
        error_set(&p->err, ERR_INVALID, "%s", m->refuse);
    else if (w->verb == TUI_DELETE)
        mem_remove(m, w->ref.api, w->ref.kind, w->ref.ns, w->ref.name);
    m->refuse[0] = '\0';
    mem_changed(m);
    return true;
}

/* Answers every write, as a turn of the loop would. */
static UNUSED void
mem_flush(struct memstore *m)
{
    while (m->writes) {
        struct mem_write *p = m->writes;

        m->writes = p->next;
        if (p->done)
            p->done(p->arg, p->err.code ? NULL : p->body, "",
                    p->err.code ? &p->err : NULL);
        json_free(p->body);
        free(p);
    }
}

static void
mem_forget(struct tui_store *s, tui_done_fn *done, void *arg)
{
    for (struct mem_write *p = mem_self(s)->writes; p; p = p->next) {
        if (p->done == done && p->arg == arg)
            p->done = NULL;
    }
}

static void
mem_resync(struct tui_store *s)
{
    mem_changed(mem_self(s));
}

static bool
mem_context_at(struct tui_store *s UNUSED, size_t i, const char **name,
               const char **about)
{
    static const char *const names[] = {"kind-mesh", "production"};

    if (i >= ARRAY_LEN(names))
        return false;
    *name = names[i];
    *about = "https://127.0.0.1:6443";
    return true;
}

static bool
mem_set_context(struct tui_store *s UNUSED, const char *name, struct error *err)
{
    return error_set(err, ERR_NOT_FOUND, "no context \"%s\" here", name);
}

static void
mem_set_namespace(struct tui_store *s, const char *ns)
{
    snprintf(mem_self(s)->ns, sizeof(mem_self(s)->ns), "%s", ns);
}

static void
mem_set_read_only(struct tui_store *s, bool on)
{
    mem_self(s)->read_only = on;
    mem_changed(mem_self(s));
}

static void
mem_free(struct tui_store *s)
{
    struct memstore *m = mem_self(s);

    mesh_planner_free(m->planner);
    mesh_free(m->mesh);
    for (size_t i = 0; i < m->kinds_n; i++) {
        for (size_t k = 0; k < m->kinds[i]->n; k++)
            mem_free_object(m->kinds[i]->v[k]);
        free(m->kinds[i]->v);
        free(m->kinds[i]);
    }
    free(m);
}

static const struct tui_store_ops memstore_ops = {
    .free = mem_free,
    .model = mem_model,
    .planner = mem_planner,
    .link = mem_link,
    .synced = mem_synced,
    .kind_at = mem_kind_at,
    .kind_find = mem_kind_find,
    .kind_of = mem_kind_of,
    .collection = mem_collection,
    .release = mem_release,
    .columns = mem_columns,
    .count = mem_count,
    .at = mem_at,
    .find = mem_find,
    .collected = mem_collected,
    .write = mem_write,
    .forget = mem_forget,
    .resync = mem_resync,
    .context_at = mem_context_at,
    .set_context = mem_set_context,
    .set_namespace = mem_set_namespace,
    .set_read_only = mem_set_read_only,
};

/* ---- what a plan asks for ---- */

static struct str
mem_host_get(void *arg, const char *api, const char *kind, const char *ns,
             const char *name, bool *known)
{
    struct tui_collection *c = mem_kind(arg, api, kind, false);
    const struct kube_object *o =
        c ? mem_find(arg, c, ns ? ns : "", name) : NULL;

    *known = true;
    return o ? o->body : (struct str){0};
}

static bool
mem_host_each(void *arg, const char *api, const char *kind, const char *ns,
              const struct json *labels, mesh_body_fn *fn, void *fn_arg)
{
    struct tui_collection *c = mem_kind(arg, api, kind, false);

    (void)labels;
    for (size_t i = 0; c && i < c->n; i++) {
        if ((!ns || strcmp(ns, c->v[i]->ns.s) == 0) &&
            !fn(fn_arg, c->v[i]->body))
            break;
    }
    return true;
}

static bool
mem_host_served(void *arg, const char *api, const char *kind, bool *namespaced)
{
    struct tui_collection *c = mem_kind(arg, api, kind, false);

    *namespaced = !c || c->kind.namespaced;
    return c != NULL;
}

static struct memstore *
memstore_new(const struct clock *clock)
{
    struct memstore *m = mem_zalloc(1, sizeof(*m));
    struct mesh_host host = {.arg = m,
                             .get = mem_host_get,
                             .each = mem_host_each,
                             .served = mem_host_served};

    m->base.ops = &memstore_ops;
    m->clock = clock;
    m->mesh = mesh_new(clock);
    m->planner = mesh_planner_new(&host);
    m->live = m->ever = true;
    mem_kind(m, "v1", "Event", true);
    mem_kind(m, "v1", "Namespace", true);
    mem_kind(m, "v1", "ConfigMap", true);
    return m;
}

#endif
