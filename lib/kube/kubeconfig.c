#include "lib/kube/kubeconfig.h"

#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "lib/kube/kubeconfig_shape.h"
#include "lib/kube/kubeconfig_tree.h"

#define FILE_MAX    ((size_t)4 << 20)
#define ENTRIES_MAX 10000

static const struct {
    const char *list, *one;
} sections[KUBE_SECTIONS] = {
    [KUBE_CLUSTERS] = {"clusters", "cluster"},
    [KUBE_USERS] = {"users", "user"},
    [KUBE_CONTEXTS] = {"contexts", "context"},
};

const struct kube_entry *
kube_config_entry(const struct kube_config *c, enum kube_section section,
                  const char *name)
{
    for (size_t i = 0; name && i < c->entries_n[section]; i++) {
        if (strcmp(c->entries[section][i].name, name) == 0)
            return &c->entries[section][i];
    }
    return NULL;
}

static bool
merge_section(struct kube_config *c, enum kube_section section,
              const struct kube_source *source, struct error *err)
{
    const char *key = sections[section].list;
    const struct json *list = json_get(source->root, key);

    for (struct json *item = json_first(list); item; item = json_next(item)) {
        const char *name = json_string_or(json_get(item, "name"), "");
        size_t n = c->entries_n[section];

        if (kube_config_entry(c, section, name))
            continue; /* the first file wins, whole */
        if (n >= ENTRIES_MAX)
            return error_set(err, ERR_LIMIT, "more than %d %s", ENTRIES_MAX,
                             key);
        c->entries[section] =
            mem_grow(c->entries[section], &c->entries_cap[section], n + 1,
                     sizeof(struct kube_entry));
        c->entries[section][n] = (struct kube_entry){
            name, json_get(item, sections[section].one), source};
        c->entries_n[section]++;
    }
    return true;
}

static void
source_free(struct kube_source *s)
{
    json_free(s->root);
    free(s->path);
    free(s->folder);
    free(s);
}

/* The tree of a file's first document; an empty one is an empty object. */
static struct json *
read_tree(struct str text, struct error *err)
{
    struct json_places places = {0};
    /* Two keys of one name: the last wins, as in client-go's reader. */
    struct yaml_options o = {
        .max_bytes = FILE_MAX, .last_key_wins = true, .places = &places};
    struct yaml_docs docs = {0};
    struct json *root = NULL;

    if (yaml_parse(text, &o, &docs, err)) {
        if (docs.n) {
            root = docs.v[0].value;
            docs.v[0].value = NULL;
        } else {
            root = json_new_object();
        }
        if (!kube_config_shape(root, &places, err)) {
            json_free(root);
            root = NULL;
        }
    }
    yaml_docs_release(&docs);
    json_places_release(&places);
    return root;
}

static bool
is_config(const struct json *root, struct error *err)
{
    const char *kind = json_string_or(json_get(root, "kind"), "");
    const char *version = json_string_or(json_get(root, "apiVersion"), "");

    if (*kind && strcmp(kind, "Config") != 0)
        return error_set(err, ERR_PARSE, "kind is %s, not Config", kind);
    if (*version && strcmp(version, "v1") != 0)
        return error_set(err, ERR_PARSE, "apiVersion is %s, not v1", version);
    return true;
}

/* Parses one file's text and merges it behind what is there. */
static bool
add_text(struct kube_config *c, struct str text, const char *path,
         const char *folder, struct error *err)
{
    struct kube_source *s;
    struct json *root;
    const char *current;

    if (c->sources_n == ARRAY_LEN(c->sources))
        return error_set(err, ERR_LIMIT, "more than %zu kubeconfig files",
                         ARRAY_LEN(c->sources));
    root = read_tree(text, err);
    if (!root)
        return false;
    s = mem_zalloc(1, sizeof(*s));
    s->path = mem_strdup(path);
    s->folder = mem_strdup(folder);
    s->root = root;
    c->sources[c->sources_n++] = s;
    if (!is_config(root, err))
        return false;
    for (int i = 0; i < KUBE_SECTIONS; i++) {
        if (!merge_section(c, (enum kube_section)i, s, err))
            return false;
    }
    current = json_get_string(s->root, "current-context");
    if (!c->current && current && *current)
        c->current = current;
    return true;
}

static char *
folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return mem_strdup(".");
    return mem_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* Who may not read a file of his own has often made it with sudo. */
static void
denied_remedy(const char *path, struct error *err)
{
    error_remedy(err, "MT-KUBECONFIG-DENIED",
                 "Make the file yours: sudo chown \"$USER\" %s", path);
}

static bool
add_file(struct kube_config *c, const char *path, bool must_exist,
         struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(FILE_MAX);
    AUTO(mem_free_ptr) char *folder = folder_of(path);
    struct error e = {0};

    if (!file_read(path, &text, &e)) {
        if (e.code == ERR_NOT_FOUND && !must_exist)
            return true;
        if (e.code == ERR_DENIED)
            denied_remedy(path, &e);
        if (err)
            *err = e;
        return false;
    }
    if (!add_text(c, buf_view(&text), path, folder, err))
        return error_wrap(err, "%s", path);
    return true;
}

/* The files kubectl would read, in order (loader.go, Precedence). */
static void
default_files(struct strlist *out)
{
    const char *env = getenv("KUBECONFIG"), *home = getenv("HOME");
    struct str rest = str_of(env), piece;

    if (env && *env) {
        while (str_next(&rest, ':', &piece)) {
            if (piece.n && !strlist_has(out, piece))
                strlist_add(out, piece);
        }
    } else if (home && *home) {
        strlist_addf(out, "%s/.kube/config", home);
    }
}

struct kube_config *
kube_config_load(const char *file, struct error *err)
{
    struct kube_config *c = mem_zalloc(1, sizeof(*c));
    struct strlist files = {0};
    bool ok = true;

    if (file)
        strlist_add(&files, str_of(file));
    else
        default_files(&files);
    for (size_t i = 0; ok && i < files.n; i++)
        ok = add_file(c, files.v[i], file != NULL, err);
    strlist_release(&files);
    if (ok)
        return c;
    kube_config_free(c);
    return NULL;
}

struct kube_config *
kube_config_parse(struct str text, const char *folder, struct error *err)
{
    struct kube_config *c = mem_zalloc(1, sizeof(*c));

    if (add_text(c, text, "", folder ? folder : ".", err))
        return c;
    kube_config_free(c);
    return NULL;
}

void
kube_config_free(struct kube_config *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->sources_n; i++)
        source_free(c->sources[i]);
    for (int i = 0; i < KUBE_SECTIONS; i++)
        free(c->entries[i]);
    free(c);
}

void
kube_config_free_ptr(struct kube_config **c)
{
    kube_config_free(*c);
}

size_t
kube_config_count(const struct kube_config *c)
{
    return c->entries_n[KUBE_CONTEXTS];
}

const char *
kube_config_context(const struct kube_config *c, size_t i)
{
    return i < kube_config_count(c) ? c->entries[KUBE_CONTEXTS][i].name : NULL;
}

const char *
kube_config_current(const struct kube_config *c)
{
    return c->current;
}

bool
kube_config_describe(const struct kube_config *c, const char *context,
                     struct kube_context *out)
{
    const struct kube_entry *e = kube_config_entry(c, KUBE_CONTEXTS, context);
    const struct kube_entry *cluster;

    if (!e)
        return false;
    out->name = e->name;
    out->cluster = json_string_or(json_get(e->value, "cluster"), "");
    out->user = json_string_or(json_get(e->value, "user"), "");
    out->ns = json_string_or(json_get(e->value, "namespace"), "");
    cluster = kube_config_entry(c, KUBE_CLUSTERS, out->cluster);
    out->server =
        json_string_or(json_get(cluster ? cluster->value : NULL, "server"), "");
    return true;
}
