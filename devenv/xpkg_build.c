/* A package from the files of a folder: what may be in it, and its layers. */
#include <fnmatch.h>
#include <stdio.h>

#include "lib/base/archive.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "devenv/manifest.h"
#include "devenv/package.h"
#include "devenv/xpkg.h"

/* Our packages keep their Function objects there. */
#define FUNCTIONS_FILE "functions.yaml"

/* What a package of a kind may hold. */
static const struct holds {
    const char *meta;
    const char *kinds[8];
} table[] = {
    {"Configuration",
     {"CompositeResourceDefinition", "Composition",
      "ManagedResourceActivationPolicy", "Operation", "CronOperation",
      "WatchOperation"}},
    {"Provider",
     {"CustomResourceDefinition", "ManagedResourceDefinition",
      "ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"}},
    {"Function", {NULL}},
};

struct build {
    const struct xpkg_source *source;
    const char *root; /* what sources of manifests begin with */
    const struct manifest *meta;
    struct buf stream;
};

/* ---- which files ---- */

/* The path of a manifest's file below the root, without its line. */
static struct str
path_of(const struct build *b, const struct manifest *m)
{
    struct str s = str_of(m->source);
    size_t n = strlen(b->root);

    while (s.n && s.s[s.n - 1] != ':')
        s.n--;
    if (s.n)
        s.n--;
    if (str_starts(s, str_of(b->root)))
        s = str_from(s, n);
    while (s.n && s.s[0] == '/')
        s = str_from(s, 1);
    return s;
}

static bool
is_left_out(const struct build *b, const struct manifest *m)
{
    struct str path = path_of(b, m);
    AUTO(mem_free_ptr) char *z = mem_strndup(path.s ? path.s : "", path.n);
    const struct strlist *ignore = b->source->ignore;
    const char *examples = b->source->examples;

    if (strcmp(z, FUNCTIONS_FILE) == 0)
        return true;
    if (examples && str_starts(str_of(m->source), str_of(examples)))
        return true;
    for (size_t i = 0; ignore && i < ignore->n; i++) {
        if (fnmatch(ignore->v[i], z, FNM_PATHNAME) == 0)
            return true;
    }
    return false;
}

/* ---- what may be inside ---- */

static bool
is_meta(const struct manifest *m)
{
    return str_starts(str_of(m->api_version), STR("meta.pkg.crossplane.io/"));
}

static const struct holds *
holds_of(const struct manifest *meta, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (strcmp(table[i].meta, meta->kind) == 0)
            return &table[i];
    }
    error_set(err, ERR_INVALID,
              "%s: there are packages of kind Configuration, Provider and "
              "Function, not %s",
              meta->source, meta->kind);
    return NULL;
}

static bool
may_hold(const struct holds *h, const struct manifest *m, struct error *err)
{
    for (size_t i = 0; i < ARRAY_LEN(h->kinds) && h->kinds[i]; i++) {
        if (strcmp(h->kinds[i], m->kind) == 0)
            return true;
    }
    error_set(err, ERR_INVALID, "%s: a %s package may not hold a %s (%s)",
              m->source, h->meta, m->kind, m->name);
    error_remedy(err, "MT-PACKAGE-LINT",
                 "Leave the file out with --ignore, or move it out of the "
                 "package's folder.");
    return false;
}

static bool
find_meta(struct build *b, const struct manifest_set *set, struct error *err)
{
    size_t n = 0;

    for (size_t i = 0; i < set->n; i++) {
        if (is_left_out(b, &set->v[i]) || !is_meta(&set->v[i]))
            continue;
        b->meta = &set->v[i];
        n++;
    }
    return n == 1 ||
           error_set(err, ERR_INVALID,
                     "not exactly one package meta type: %zu documents of "
                     "meta.pkg.crossplane.io in %s",
                     n, b->source->root);
}

static void
put(struct buf *out, const struct json *object)
{
    yaml_print(object, YAML_SORTED, out);
    buf_puts(out, "---\n");
}

/* The metadata, then the objects in the order of their files. */
static bool
write_stream(struct build *b, const struct manifest_set *set, struct error *err)
{
    const struct holds *h = holds_of(b->meta, err);

    if (!h)
        return false;
    buf_puts(&b->stream, "---\n");
    put(&b->stream, b->meta->object);
    for (size_t i = 0; i < set->n; i++) {
        const struct manifest *m = &set->v[i];

        if (m == b->meta || is_left_out(b, m))
            continue;
        if (!may_hold(h, m, err))
            return false;
        put(&b->stream, m->object);
    }
    return !b->stream.over ||
           error_set(err, ERR_LIMIT, "the package is larger than %zu bytes",
                     b->stream.max);
}

/* ---- layers ---- */

static bool
add_layer(struct xpkg *x, const char *role, const char *name, struct str text,
          char diff_id[XPKG_DIGEST_MAX], struct error *err)
{
    const struct archive_text file = {name, text};
    AUTO(buf_release) struct buf tar = BUF_INIT(XPKG_MAX);
    struct xpkg_layer *l = xpkg_layer_add(x);

    l->role = role;
    if (!archive_tar_of(&file, 1, &tar, err) ||
        !archive_gzip(buf_view(&tar), &l->data, err))
        return false;
    xpkg_digest(buf_view(&tar), diff_id);
    xpkg_digest(buf_view(&l->data), l->digest);
    return true;
}

static bool
add_examples(struct xpkg *x, const char *folder, char diff_id[XPKG_DIGEST_MAX],
             struct error *err)
{
    AUTO(manifest_release) struct manifest_set set = {0};
    AUTO(buf_release) struct buf text = BUF_INIT(XPKG_MAX);

    if (!manifest_load(&set, folder, err))
        return false;
    buf_puts(&text, "---\n");
    for (size_t i = 0; i < set.n; i++)
        put(&text, set.v[i].object);
    return add_layer(x, "upbound", ".up/examples.yaml", buf_view(&text),
                     diff_id, err);
}

/* The image's config as go-containerregistry writes it. */
static void
write_config(struct xpkg *x, char (*diff_ids)[XPKG_DIGEST_MAX])
{
    static const char made[] = "\"created\":\"0001-01-01T00:00:00Z\"";
    struct buf *b = &x->config;

    buf_init(b, (size_t)1 << 20);
    buf_printf(b, "{\"architecture\":\"\",%s,\"history\":[", made);
    for (size_t i = 0; i < x->n; i++)
        buf_printf(b, "%s{%s}", i ? "," : "", made);
    buf_puts(b, "],\"os\":\"\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[");
    for (size_t i = 0; i < x->n; i++)
        buf_printf(b, "%s\"%s\"", i ? "," : "", diff_ids[i]);
    buf_puts(b, "]},\"config\":{\"Labels\":{");
    for (size_t i = 0; i < x->n; i++)
        buf_printf(b, "%s\"io.crossplane.xpkg:%s\":\"%s\"", i ? "," : "",
                   x->layers[i].digest, x->layers[i].role);
    buf_puts(b, "}}}");
}

/* ---- the whole ---- */

static bool
load(struct build *b, struct manifest_set *set, char **root, struct error *err)
{
    if (package_is_builtin(b->source->root)) {
        *root = mem_printf("assets/%s", b->source->root);
        b->root = *root;
        return manifest_load_assets(set, *root, err);
    }
    *root = mem_strdup(b->source->root);
    b->root = *root;
    return manifest_load(set, *root, err);
}

bool
xpkg_build(const struct xpkg_source *s, struct xpkg *out, struct error *err)
{
    AUTO(manifest_release) struct manifest_set set = {0};
    AUTO(mem_free_ptr) char *root = NULL;
    struct build b = {.source = s, .stream = BUF_INIT(XPKG_MAX)};
    char diff_ids[2][XPKG_DIGEST_MAX];
    bool ok;

    ok = load(&b, &set, &root, err) && find_meta(&b, &set, err) &&
         write_stream(&b, &set, err) &&
         add_layer(out, "base", "package.yaml", buf_view(&b.stream),
                   diff_ids[0], err) &&
         (!s->examples || add_examples(out, s->examples, diff_ids[1], err));
    buf_release(&b.stream);
    if (!ok)
        return false;
    write_config(out, diff_ids);
    return xpkg_assemble(out, err);
}
