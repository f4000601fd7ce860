#include "devenv/sandbox/load.h"

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "devenv/sandbox/registry_state.h"

#define MANIFEST_MAX ((size_t)16 << 20)
#define FILES_MAX    10000
#define DEPTH_MAX    16

struct load {
    struct manifest {
        struct json *obj; /* NULL: applied */
        char *path;
    } * v;
    size_t n, cap, files;
};

/* ---- reading ---- */

static bool
is_manifest(const char *name)
{
    struct str s = str_of(name);

    return str_ends(s, STR(".yaml")) || str_ends(s, STR(".yml")) ||
           str_ends(s, STR(".json"));
}

static bool
is_metadata(const struct json *obj)
{
    return str_starts(str_of(json_string_or(json_get(obj, "apiVersion"), "")),
                      STR("meta.pkg.crossplane.io/"));
}

static bool
add(struct load *l, const struct json *obj, const char *path, bool named,
    struct error *err)
{
    bool object =
        json_get_string(obj, "apiVersion") && json_get_string(obj, "kind");

    if (!object && named)
        return error_set(err, ERR_INVALID, "%s: no apiVersion and kind", path);
    if (!object || is_metadata(obj))
        return true;
    l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
    l->v[l->n++] = (struct manifest){json_copy(obj), mem_strdup(path)};
    return true;
}

/* named: the path was given itself, not found in a folder. */
static bool
read_file(struct load *l, const char *path, bool named, struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(MANIFEST_MAX);
    struct yaml_docs docs = {0};
    bool good = true;

    if (++l->files > FILES_MAX)
        return error_set(err, ERR_LIMIT, "more than %d manifests", FILES_MAX);
    if (!file_read(path, &text, err))
        return false;
    if (!yaml_parse(buf_view(&text), NULL, &docs, err))
        return error_wrap(err, "%s", path);
    for (size_t i = 0; good && i < docs.n; i++)
        good = add(l, docs.v[i].value, path, named, err);
    yaml_docs_release(&docs);
    return good;
}

static bool read_path(struct load *l, const char *path, unsigned depth,
                      struct error *err);

static bool
read_folder(struct load *l, const char *path, unsigned depth, struct error *err)
{
    AUTO(strlist_release) struct strlist names = {0};
    DIR *d = opendir(path);
    bool good = true;

    if (!d)
        return error_errno(err, ERR_IO, "cannot read %s", path);
    for (struct dirent *e; (e = readdir(d)) && names.n <= FILES_MAX;) {
        if (e->d_name[0] != '.')
            strlist_add(&names, str_of(e->d_name));
    }
    closedir(d);
    strlist_sort(&names);
    for (size_t i = 0; good && i < names.n; i++) {
        AUTO(mem_free_ptr) char *full = file_join(path, names.v[i]);

        good = read_path(l, full, depth + 1, err);
    }
    return good;
}

/* Links inside folders are not followed. */
static bool
read_path(struct load *l, const char *path, unsigned depth, struct error *err)
{
    struct stat sb;

    if ((depth ? lstat : stat)(path, &sb) < 0)
        return error_errno(err, ERR_NOT_FOUND, "cannot read %s", path);
    if (S_ISDIR(sb.st_mode))
        return depth > DEPTH_MAX || read_folder(l, path, depth, err);
    if (depth && (!S_ISREG(sb.st_mode) || !is_manifest(path)))
        return true;
    return read_file(l, path, depth == 0, err);
}

struct load *
load_new(const struct strlist *paths, struct error *err)
{
    struct load *l = mem_zalloc(1, sizeof(*l));

    for (size_t i = 0; i < paths->n; i++) {
        if (!read_path(l, paths->v[i], 0, err)) {
            load_free(l);
            return NULL;
        }
    }
    return l;
}

void
load_free(struct load *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->n; i++) {
        json_free(l->v[i].obj);
        free(l->v[i].path);
    }
    free(l->v);
    free(l);
}

/* ---- applying ---- */

enum { RANKS = 3 };

/* Definitions first, then namespaces, then the rest. */
static int
rank(const struct json *obj)
{
    const char *kind = json_string(json_get(obj, "kind"));

    return strcmp(kind, "CustomResourceDefinition") == 0 ? 0
           : strcmp(kind, "Namespace") == 0              ? 1
                                                         : 2;
}

static const struct kind *
kind_of(struct registry *r, const struct json *obj)
{
    return registry_kind(r, json_string(json_get(obj, "apiVersion")),
                         json_string(json_get(obj, "kind")));
}

static bool
apply(struct registry *r, const struct kind *k, const struct manifest *m,
      struct error *err)
{
    struct registry_write w = {.manager = "load", .force = true};
    AUTO(status_release) struct status st = {0};
    const char *ns = stored_ns(m->obj);
    struct json *out;

    if (!k->namespaced)
        ns = NULL;
    else if (!*ns)
        ns = "default";
    out = registry_apply(r, k, &w, ns, m->obj, &st);
    if (!out) {
        status_error(&st, err);
        return error_wrap(err, "%s: %s %s", m->path, k->kind,
                          stored_name(m->obj));
    }
    json_free(out);
    return true;
}

enum load_progress
load_step(struct load *l, struct registry *r, struct error *err)
{
    size_t left = 0;

    for (int step = 0; step < RANKS; step++) {
        for (size_t i = 0; i < l->n; i++) {
            struct manifest *m = &l->v[i];
            const struct kind *k;

            if (!m->obj || rank(m->obj) != step)
                continue;
            if (!(k = kind_of(r, m->obj))) {
                left++;
                continue;
            }
            if (!apply(r, k, m, err))
                return LOAD_FAILED;
            json_free(m->obj);
            m->obj = NULL;
        }
    }
    return left ? LOAD_WAITS : LOAD_DONE;
}

void
load_missing(const struct load *l, struct error *err)
{
    for (size_t i = 0; i < l->n; i++) {
        const struct manifest *m = &l->v[i];

        if (m->obj) {
            error_set(err, ERR_NOT_FOUND,
                      "%s: no kind \"%s\" is served in \"%s\"", m->path,
                      json_string(json_get(m->obj, "kind")),
                      json_string(json_get(m->obj, "apiVersion")));
            return;
        }
    }
}
