#include "devenv/manifest.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/asset.h"
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "lib/kube/conflict.h"

#include "devenv/crossplane.h"

#define FILE_MAX    ((size_t)64 << 20)
#define FILES_MAX   10000
#define OBJECTS_MAX 100000
#define RETRY_MS    50

/* Kinds that others need, in the order they are applied; the rest follows. */
static const char *const first_kinds[] = {
    "Namespace",
    "CustomResourceDefinition",
    "CompositeResourceDefinition",
    "Function",
    "Composition",
    "ServiceAccount",
    "ConfigMap",
    "Secret",
    "Mesh",
    "DataDomain",
};

static bool
add_object(struct manifest_set *s, struct json *object, const char *source,
           unsigned line, struct error *err)
{
    struct manifest m = {
        .object = object,
        .api_version = json_get_string(object, "apiVersion"),
        .kind = json_get_string(object, "kind"),
        .name = json_string(json_at(object, "metadata", "name", NULL)),
        .ns = json_string(json_at(object, "metadata", "namespace", NULL)),
    };
    const char *missing = !m.api_version ? "apiVersion"
                          : !m.kind      ? "kind"
                          : !m.name      ? "metadata.name"
                                         : NULL;

    if (missing || s->n >= OBJECTS_MAX) {
        json_free(object);
        if (missing)
            return error_set(err, ERR_PARSE, "%s:%u: no %s", source, line,
                             missing);
        return error_set(err, ERR_LIMIT, "more than %d objects", OBJECTS_MAX);
    }
    m.source = mem_printf("%s:%u", source, line);
    s->v = mem_grow(s->v, &s->cap, s->n + 1, sizeof(*s->v));
    s->v[s->n++] = m;
    return true;
}

/* A document is an object, or a list of objects. Takes value. */
static bool
add_document(struct manifest_set *s, struct json *value, const char *source,
             unsigned line, struct error *err)
{
    struct json *items = json_get(value, "items");
    const char *kind = json_get_string(value, "kind");
    bool ok = true;

    if (!kind || !str_ends(str_of(kind), STR("List")) ||
        !json_is(items, JSON_ARRAY))
        return add_object(s, value, source, line, err);
    while (ok && json_first(items))
        ok = add_object(s, json_detach(items, json_first(items)), source, line,
                        err);
    json_free(value);
    return ok;
}

bool
manifest_parse(struct manifest_set *s, struct str text, const char *source,
               struct error *err)
{
    struct yaml_docs docs = {0};
    bool ok = true;

    if (!yaml_parse(text, NULL, &docs, err))
        return error_wrap(err, "%s", source);
    for (size_t i = 0; i < docs.n && ok; i++) {
        struct json *value = docs.v[i].value;

        docs.v[i].value = NULL;
        ok = add_document(s, value, source, docs.v[i].line, err);
    }
    yaml_docs_release(&docs);
    return ok;
}

static bool
is_manifest_name(const char *name)
{
    struct str s = str_of(name);

    return name[0] != '.' && strcmp(name, "expectations.yaml") != 0 &&
           (str_ends(s, STR(".yaml")) || str_ends(s, STR(".yml")) ||
            str_ends(s, STR(".json")));
}

static bool
load_file(struct manifest_set *s, const char *path, struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(FILE_MAX);

    return file_read(path, &text, err) &&
           manifest_parse(s, buf_view(&text),
                          strcmp(path, "-") == 0 ? "standard input" : path,
                          err);
}

/* The manifests below a folder, sorted; depth keeps a loop of links finite. */
static bool
collect(const char *dir, unsigned depth, struct strlist *out, struct error *err)
{
    DIR *d = opendir(dir);
    bool ok = true;

    if (!d)
        return error_errno(err, errno == EACCES ? ERR_DENIED : ERR_IO,
                           "cannot read %s", dir);
    for (struct dirent *e; ok && (e = readdir(d));) {
        AUTO(mem_free_ptr) char *path = file_join(dir, e->d_name);
        struct stat st;

        if (e->d_name[0] == '.' || stat(path, &st) != 0)
            continue;
        if (S_ISDIR(st.st_mode) && depth < 16)
            ok = collect(path, depth + 1, out, err);
        else if (S_ISREG(st.st_mode) && is_manifest_name(e->d_name))
            strlist_add(out, str_of(path));
        if (ok && out->n > FILES_MAX)
            ok = error_set(err, ERR_LIMIT, "more than %d files in %s",
                           FILES_MAX, dir);
    }
    closedir(d);
    return ok;
}

bool
manifest_load(struct manifest_set *s, const char *path, struct error *err)
{
    AUTO(strlist_release) struct strlist files = {0};
    struct stat st;

    if (strcmp(path, "-") == 0 || stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return load_file(s, path, err);
    if (!collect(path, 0, &files, err))
        return false;
    strlist_sort(&files);
    for (size_t i = 0; i < files.n; i++) {
        if (!load_file(s, files.v[i], err))
            return false;
    }
    return files.n > 0 ||
           error_set(err, ERR_NOT_FOUND,
                     "no *.yaml, *.yml or *.json file in %s", path);
}

bool
manifest_load_assets(struct manifest_set *s, const char *prefix,
                     struct error *err)
{
    struct asset a;
    unsigned i = 0;

    for (; asset_under(prefix, i, &a); i++) {
        const char *slash = strrchr(a.path, '/');

        if (is_manifest_name(slash ? slash + 1 : a.path) &&
            !manifest_parse(s, a.data, a.path, err))
            return false;
    }
    return i > 0 ||
           error_set(err, ERR_NOT_FOUND, "nothing built in under %s", prefix);
}

static size_t
rank(const struct manifest *m)
{
    for (size_t i = 0; i < ARRAY_LEN(first_kinds); i++) {
        if (strcmp(m->kind, first_kinds[i]) == 0)
            return i;
    }
    return ARRAY_LEN(first_kinds);
}

void
manifest_sort(struct manifest_set *s)
{
    struct manifest *sorted = mem_zalloc(s->n, sizeof(*sorted));
    size_t n = 0;

    for (size_t r = 0; r <= ARRAY_LEN(first_kinds); r++) {
        for (size_t i = 0; i < s->n; i++) {
            if (rank(&s->v[i]) == r)
                sorted[n++] = s->v[i];
        }
    }
    free(s->v);
    s->v = sorted;
    s->cap = s->n;
}

void
manifest_release(struct manifest_set *s)
{
    for (size_t i = 0; i < s->n; i++) {
        json_free(s->v[i].object);
        free(s->v[i].source);
    }
    free(s->v);
    *s = (struct manifest_set){0};
}

const struct kube_kind *
manifest_kind(const struct manifest *m, const struct manifest_apply *o,
              struct error *err)
{
    struct loop *loop = kube_client_loop(o->client);
    int64_t end = clock_mono_ms(clock_system()) + o->kind_wait_ms;
    bool again = false;

    for (;;) {
        if (!kube_discovery_wait(o->discovery, again, err))
            return NULL;
        const struct kube_kind *k = kube_discovery_of(
            o->discovery, str_of(m->api_version), str_of(m->kind));

        if (k)
            return k;
        if (again && clock_mono_ms(clock_system()) >= end) {
            error_set(err, ERR_NOT_FOUND,
                      "%s: the cluster serves no kind %s in %s", m->source,
                      m->kind, m->api_version);
            return NULL;
        }
        if (again)
            loop_pause(loop, RETRY_MS);
        again = true;
    }
}

/* The request for m, with its path parts filled. */
static bool
prepare(const struct manifest *m, const struct manifest_apply *o,
        struct kube_request *r, struct error *err)
{
    const struct kube_kind *k = manifest_kind(m, o, err);

    if (!k)
        return false;
    *r = (struct kube_request){.gvr = k->gvr, .name = m->name};
    if (k->namespaced)
        r->ns = m->ns ? m->ns : o->ns ? o->ns : "default";
    return true;
}

static enum manifest_result
result_of(const struct kube_answer *a, const struct json *before)
{
    const char *was =
        json_string(json_at(before, "metadata", "resourceVersion", NULL));
    AUTO(json_free_ptr)
    struct json *j = json_parse(str_n(a->body, a->body_n), NULL, NULL);
    const char *version =
        json_string(json_at(j, "metadata", "resourceVersion", NULL));

    if (a->http == 201)
        return MANIFEST_CREATED;
    return was && version && strcmp(version, was) == 0 ? MANIFEST_SAME
                                                       : MANIFEST_CONFIGURED;
}

/* What `up` marked stays marked: our manager set the mark, and leaving it out
 * would take it off. */
static void
keep_mark(struct json *object, const struct json *before)
{
    const char *mark =
        json_string(json_at(before, "metadata", "labels", MARK_RUN, NULL));
    struct json *meta = json_need_object(object, "metadata");

    if (mark && !json_at(meta, "labels", MARK_RUN, NULL))
        json_set_string(json_need_object(meta, "labels"), MARK_RUN, mark);
}

/* The object as it is now, or NULL. */
static struct json *
object_before(const struct kube_request *r, struct kube_client *c)
{
    struct kube_request get = {
        .verb = KUBE_GET, .gvr = r->gvr, .ns = r->ns, .name = r->name};

    return kube_client_wait_json(c, &get, NULL);
}

static void
tell_conflicts(const struct manifest *m, const struct manifest_apply *o,
               const struct kube_status *status)
{
    struct kube_conflicts c;

    if (!o->on_conflicts || !kube_conflicts_read(status, &c))
        return;
    o->on_conflicts(o->arg, m, &c);
    kube_conflicts_release(&c);
}

static bool
apply_one(const struct manifest *m, const struct manifest_apply *o,
          struct error *err)
{
    AUTO(buf_release) struct buf body = BUF_INIT(FILE_MAX);
    AUTO(kube_answer_release) struct kube_answer answer = {0};
    struct kube_request r;

    if (!prepare(m, o, &r, err))
        return false;
    AUTO(json_free_ptr)
    struct json *before = o->on_object ? object_before(&r, o->client) : NULL;

    keep_mark(m->object, before);
    json_print(m->object, JSON_COMPACT, &body);
    r.verb = KUBE_PATCH;
    r.patch = KUBE_PATCH_APPLY;
    r.body = buf_view(&body);
    r.force = o->force;
    r.dry_run = o->dry_run;
    if (!kube_client_wait(o->client, &r, &answer, err)) {
        tell_conflicts(m, o, &answer.status);
        return error_wrap(err, "%s: %s/%s", m->source, m->kind, m->name);
    }
    if (o->on_object)
        o->on_object(o->arg, m, result_of(&answer, before), &answer.warnings);
    return true;
}

bool
manifest_apply(const struct manifest_set *s, const struct manifest_apply *o,
               struct error *err)
{
    for (size_t i = 0; i < s->n; i++) {
        if (!apply_one(&s->v[i], o, err))
            return false;
    }
    return true;
}

bool
manifest_delete(const struct manifest_set *s, const struct manifest_apply *o,
                struct error *err)
{
    for (size_t i = s->n; i-- > 0;) {
        struct kube_request r;
        struct error why = {0};

        if (!prepare(&s->v[i], o, &r, &why)) {
            if (why.code == ERR_NOT_FOUND)
                continue;
            if (err)
                *err = why;
            return false;
        }
        r.verb = KUBE_DELETE;
        if (!kube_client_wait(o->client, &r, NULL, &why) &&
            why.code != ERR_NOT_FOUND) {
            if (err)
                *err = why;
            return error_wrap(err, "%s/%s", s->v[i].kind, s->v[i].name);
        }
    }
    return true;
}
