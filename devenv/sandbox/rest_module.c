/*
 * The REST semantics as a part of the server: makes the registry, handles
 * requests, goes on with what is terminating, and applies what --load names.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "devenv/sandbox/rest.h"

#define MANIFEST_MAX ((size_t)16 << 20)
#define FILES_MAX    10000

/* ---- manifests at the start ---- */

struct manifests {
    struct json **v;
    size_t n, cap;
};

static void
manifests_release(struct manifests *m)
{
    for (size_t i = 0; i < m->n; i++)
        json_free(m->v[i]);
    free(m->v);
}

static bool
read_file(struct manifests *m, const char *path, struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(MANIFEST_MAX);
    struct yaml_docs docs = {0};

    if (!file_read(path, &text, err))
        return false;
    if (!yaml_parse(buf_view(&text), NULL, &docs, err))
        return error_wrap(err, "%s", path);
    for (size_t i = 0; i < docs.n; i++) {
        m->v = mem_grow(m->v, &m->cap, m->n + 1, sizeof(struct json *));
        m->v[m->n++] = json_copy(docs.v[i].value);
    }
    yaml_docs_release(&docs);
    return true;
}

static bool
is_manifest(const char *name)
{
    struct str s = str_of(name);

    return str_ends(s, STR(".yaml")) || str_ends(s, STR(".yml")) ||
           str_ends(s, STR(".json"));
}

static bool
read_folder(struct manifests *m, const char *path, struct error *err)
{
    AUTO(strlist_release) struct strlist names = {0};
    DIR *d = opendir(path);
    struct dirent *e;
    bool good = true;

    if (!d)
        return error_errno(err, ERR_IO, "cannot read %s", path);
    while ((e = readdir(d)) && names.n < FILES_MAX) {
        if (is_manifest(e->d_name))
            strlist_add(&names, str_of(e->d_name));
    }
    closedir(d);
    strlist_sort(&names);
    for (size_t i = 0; good && i < names.n; i++) {
        AUTO(mem_free_ptr) char *full = file_join(path, names.v[i]);

        good = read_file(m, full, err);
    }
    return good;
}

/* Definitions first, then namespaces, then the rest. */
static int
rank(const struct json *obj)
{
    const char *kind = json_string_or(json_get(obj, "kind"), "");

    return !strcmp(kind, "CustomResourceDefinition") ? 0
           : !strcmp(kind, "Namespace")              ? 1
                                                     : 2;
}

static bool
apply_one(struct registry *r, const struct json *obj, struct error *err)
{
    const char *version = json_string_or(json_get(obj, "apiVersion"), "");
    const char *kind = json_string_or(json_get(obj, "kind"), "");
    const struct kind *k = registry_kind(r, version, kind);
    struct registry_write w = {.manager = "load", .force = true};
    AUTO(status_release) struct status st = {0};
    const char *ns = stored_ns(obj);
    struct json *out;

    if (!k)
        return error_set(err, ERR_NOT_FOUND,
                         "no kind \"%s\" is served in \"%s\"", kind, version);
    out = registry_apply(
        r, k, &w, k->namespaced ? (*ns ? ns : "default") : NULL, obj, &st);
    json_free(out);
    return out || status_error(&st, err);
}

static bool
load(struct registry *r, const struct strlist *paths, struct error *err)
{
    AUTO(manifests_release) struct manifests m = {0};
    struct stat sb;

    for (size_t i = 0; i < paths->n; i++) {
        bool folder = !stat(paths->v[i], &sb) && S_ISDIR(sb.st_mode);

        if (!(folder ? read_folder : read_file)(&m, paths->v[i], err))
            return false;
    }
    for (int step = 0; step <= 2; step++) {
        for (size_t i = 0; i < m.n; i++) {
            if (rank(m.v[i]) == step && !apply_one(r, m.v[i], err))
                return error_wrap(err, "cannot load %s", stored_name(m.v[i]));
        }
    }
    return true;
}

/* ---- the module ---- */

struct rest_state {
    struct server *server;
    struct registry *registry;
    bool loaded;
};

static bool
init(struct server *s, void **state, struct error *err)
{
    struct registry_options o = {
        .loop = s->loop, .clock = s->clock, .store = s->store, .hub = s->hub};
    struct rest_state *rs = mem_zalloc(1, sizeof(*rs));

    *state = rs;
    rs->server = s;
    rs->registry = registry_new(&o, err);
    if (!rs->registry)
        return false;
    server_set_handler(s, rest_handle, rs->registry);
    return true;
}

static bool
turn(void *state)
{
    struct rest_state *rs = state;

    /* When the controllers are there: their kinds have to be served. */
    if (!rs->loaded && rs->server->ready) {
        struct error err = {0};

        rs->loaded = true;
        if (!load(rs->registry, &rs->server->options->load, &err))
            fprintf(stderr, "meshtop sandbox: %s\n", err.msg);
    }
    return registry_turn(rs->registry);
}

static void
rolled_back(void *state)
{
    struct rest_state *rs = state;

    registry_reload(rs->registry);
}

static void
module_free(void *state)
{
    struct rest_state *rs = state;

    if (!rs)
        return;
    registry_free(rs->registry);
    free(rs);
}

const struct server_module rest_module = {
    .name = "rest",
    .init = init,
    .turn = turn,
    .rolled_back = rolled_back,
    .free = module_free,
};

struct registry *
rest_registry(struct server *s)
{
    struct rest_state *rs = server_module_state(s, "rest");

    return rs ? rs->registry : NULL;
}
