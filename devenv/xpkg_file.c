/* Packages on disk: docker's tarball (.xpkg) and the OCI image layout. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/archive.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/xpkg.h"

#define MANIFEST_MAX ((size_t)4 << 20)
#define INDEX        "index.json"
#define LAYOUT       "oci-layout"
#define LAYOUT_TEXT  "{\"imageLayoutVersion\":\"1.0.0\"}"

/* ---- reading: parts of either form by their names ---- */

struct parts {
    struct buf tar;     /* the whole file, or empty: */
    const char *folder; /* a layout */
};

/* A member of the tarball, or a file of the layout. */
static bool
part(const struct parts *p, const char *name, struct buf *out,
     struct error *err)
{
    AUTO(mem_free_ptr) char *path = NULL;

    if (!p->folder)
        return archive_member_of(buf_view(&p->tar), name, out, err);
    path = file_join(p->folder, name);
    return file_read(path, out, err);
}

static struct json *
json_part(const struct parts *p, const char *name, struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(MANIFEST_MAX);
    struct json *j;

    if (!part(p, name, &text, err)) {
        error_wrap(err, "%s", name);
        return NULL;
    }
    j = json_parse(buf_view(&text), NULL, err);
    if (!j)
        error_wrap(err, "%s", name);
    return j;
}

/* Where a blob of that digest lies in a layout. */
static char *
blob_path(const char *digest)
{
    struct str algorithm, hex;

    str_cut(str_of(digest), ':', &algorithm, &hex);
    return mem_printf("blobs/%.*s/%.*s", STR_ARG(algorithm), STR_ARG(hex));
}

static bool
is_digest(const char *z)
{
    static const char digits[] = "0123456789abcdef";
    struct str hex = str_from(str_of(z), strlen("sha256:"));

    return str_starts(str_of(z), STR("sha256:")) && hex.n == 64 &&
           strspn(hex.s, digits) == hex.n;
}

static bool
check(struct str data, const char *digest, struct error *err)
{
    char is[XPKG_DIGEST_MAX];

    xpkg_digest(data, is);
    return strcmp(is, digest) == 0 ||
           error_set(err, ERR_INVALID,
                     "%s is damaged: its bytes have the digest %s", digest, is);
}

/* Reads the blob of a descriptor, or a named member whose digest is told. */
static bool
blob(const struct parts *p, const char *name, const char *digest,
     struct buf *out, struct error *err)
{
    AUTO(mem_free_ptr) char *path = p->folder ? blob_path(digest) : NULL;

    if (!is_digest(digest))
        return error_set(err, ERR_INVALID, "\"%s\" is no digest", digest);
    if (!part(p, path ? path : name, out, err))
        return error_wrap(err, "%s", path ? path : name);
    return check(buf_view(out), digest, err);
}

static bool
many(struct xpkg *x, struct error *err)
{
    return x->n < XPKG_LAYERS_MAX ||
           error_set(err, ERR_LIMIT, "more than %d layers", XPKG_LAYERS_MAX);
}

/* ---- .xpkg ---- */

/* "HEX.tar.gz" -> its digest. */
static void
digest_of_name(const char *name, char out[XPKG_DIGEST_MAX])
{
    struct str hex, rest;

    str_cut(str_of(name), '.', &hex, &rest);
    snprintf(out, XPKG_DIGEST_MAX, "sha256:%.*s", (int)MIN(hex.n, 64), hex.s);
}

static bool
read_tarball(const struct parts *p, struct xpkg *x, struct error *err)
{
    AUTO(json_free_ptr) struct json *list = json_part(p, "manifest.json", err);
    const struct json *image = json_first(list);
    const char *config = json_string_or(json_get(image, "Config"), "");
    const struct json *layers = json_get(image, "Layers");

    if (!list)
        return false;
    if (!json_is(layers, JSON_ARRAY) || json_len(list) != 1)
        return error_set(err, ERR_INVALID, "manifest.json is not of one image");
    buf_init(&x->config, MANIFEST_MAX);
    if (!blob(p, config, config, &x->config, err))
        return false;
    for (const struct json *l = json_first(layers); l; l = json_next(l)) {
        const char *name = json_string_or(l, "");
        char digest[XPKG_DIGEST_MAX];

        digest_of_name(name, digest);
        if (!many(x, err) ||
            !blob(p, name, digest, &xpkg_layer_add(x)->data, err))
            return false;
    }
    return true;
}

/* ---- OCI layout ---- */

static bool
read_layout(const struct parts *p, struct xpkg *x, struct error *err)
{
    AUTO(json_free_ptr) struct json *index = json_part(p, INDEX, err);
    const struct json *list = json_get(index, "manifests");
    AUTO(buf_release) struct buf text = BUF_INIT(MANIFEST_MAX);
    AUTO(json_free_ptr) struct json *manifest = NULL;
    const struct json *layers;

    if (!index)
        return false;
    if (json_len(list) != 1)
        return error_set(err, ERR_INVALID,
                         INDEX " names %zu images: one is a package",
                         json_len(list));
    if (!blob(p, NULL, json_string_or(json_get(json_first(list), "digest"), ""),
              &text, err))
        return false;
    manifest = json_parse(buf_view(&text), NULL, err);
    if (!manifest)
        return error_wrap(err, "the image's manifest");
    buf_init(&x->config, MANIFEST_MAX);
    if (!blob(p, NULL,
              json_string_or(json_at(manifest, "config", "digest", NULL), ""),
              &x->config, err))
        return false;
    layers = json_get(manifest, "layers");
    for (const struct json *l = json_first(layers); l; l = json_next(l)) {
        if (!many(x, err) ||
            !blob(p, NULL, json_string_or(json_get(l, "digest"), ""),
                  &xpkg_layer_add(x)->data, err))
            return false;
    }
    return true;
}

static bool
is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

bool
xpkg_open(const char *path, struct xpkg *out, struct error *err)
{
    struct parts p = {.tar = BUF_INIT(XPKG_MAX),
                      .folder = is_folder(path) ? path : NULL};
    bool ok =
        (p.folder || file_read(path, &p.tar, err)) &&
        (p.folder ? read_layout(&p, out, err) : read_tarball(&p, out, err)) &&
        xpkg_assemble(out, err);

    buf_release(&p.tar);
    return ok || error_wrap(err, "%s", path);
}

/* ---- writing ---- */

bool
xpkg_save(const struct xpkg *x, const char *path, struct error *err)
{
    struct archive_text *files = mem_zalloc(x->n + 2, sizeof(*files));
    AUTO(strlist_release) struct strlist names = {0};
    AUTO(buf_release) struct buf manifest = BUF_INIT(MANIFEST_MAX);
    AUTO(buf_release) struct buf tar = BUF_INIT(2 * XPKG_MAX);
    bool ok;

    buf_printf(&manifest, "[{\"Config\":\"%s\",\"RepoTags\":null,\"Layers\":[",
               x->config_digest);
    strlist_add(&names, str_of(x->config_digest));
    for (size_t i = 0; i < x->n; i++) {
        strlist_addf(&names, "%s.tar.gz",
                     x->layers[i].digest + strlen("sha256:"));
        buf_printf(&manifest, "%s\"%s\"", i ? "," : "", names.v[i + 1]);
    }
    buf_puts(&manifest, "]}]");
    files[0] = (struct archive_text){names.v[0], buf_view(&x->config)};
    for (size_t i = 0; i < x->n; i++)
        files[i + 1] =
            (struct archive_text){names.v[i + 1], buf_view(&x->layers[i].data)};
    files[x->n + 1] =
        (struct archive_text){"manifest.json", buf_view(&manifest)};
    ok = archive_tar_of(files, x->n + 2, &tar, err) &&
         file_write(path, buf_view(&tar), 0644, err);
    free(files);
    return ok;
}

static bool
save_blob(const char *folder, const char *digest, struct str data,
          struct error *err)
{
    AUTO(mem_free_ptr) char *name = blob_path(digest);
    AUTO(mem_free_ptr) char *path = file_join(folder, name);

    return file_write(path, data, 0644, err);
}

bool
xpkg_save_layout(const struct xpkg *x, const char *folder, struct error *err)
{
    AUTO(mem_free_ptr) char *blobs = file_join(folder, "blobs/sha256");
    AUTO(mem_free_ptr) char *layout = file_join(folder, LAYOUT);
    AUTO(mem_free_ptr) char *index = file_join(folder, INDEX);
    AUTO(mem_free_ptr)
    char *text = mem_printf(
        "{\"schemaVersion\":2,\"mediaType\":\"application/"
        "vnd.oci.image.index.v1+json\",\"manifests\":[{\"mediaType\":"
        "\"" XPKG_TYPE_MANIFEST "\",\"size\":%zu,\"digest\":\"%s\"}]}",
        x->manifest.n, x->digest);

    if (!file_mkdirs(blobs, 0755, err) ||
        !save_blob(folder, x->config_digest, buf_view(&x->config), err) ||
        !save_blob(folder, x->digest, buf_view(&x->manifest), err))
        return false;
    for (size_t i = 0; i < x->n; i++) {
        if (!save_blob(folder, x->layers[i].digest,
                       buf_view(&x->layers[i].data), err))
            return false;
    }
    return file_write(layout, STR(LAYOUT_TEXT), 0644, err) &&
           file_write(index, str_of(text), 0644, err);
}
