#include "devenv/oci.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "lib/kube/gvr.h"
#include "lib/kube/http.h"

#include "devenv/oci_call.h"

#define ACCEPT                                                                 \
    XPKG_TYPE_MANIFEST ", application/vnd.oci.image.manifest.v1+json, "        \
                       "application/vnd.oci.image.index.v1+json, "             \
                       "application/vnd.docker.distribution.manifest.list."    \
                       "v2+json"
#define HUB "docker.io"

/* ---- names ---- */

/* The first part before a slash names a host. */
static bool
names_registry(const char *text)
{
    struct str host, path;

    return str_cut(str_of(text), '/', &host, &path) && path.n &&
           (str_contains(host, STR(".")) || str_contains(host, STR(":")) ||
            str_eqz(host, "localhost"));
}

bool
oci_is_reference(const char *text)
{
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct docker_ref r;

    return *text != '.' && *text != '/' && names_registry(text) &&
           !file_exists(text) && docker_ref_parse(text, a, &r, NULL);
}

static const char *
repository_of(struct oci *o)
{
    struct str host, path;

    str_cut(str_of(o->ref.name), '/', &host, &path);
    return strcmp(o->ref.host, HUB) == 0 && !str_contains(path, STR("/"))
               ? arena_printf(o->arena, "library/%.*s", STR_ARG(path))
               : arena_dup(o->arena, path);
}

struct oci *
oci_open(struct loop *l, const char *ref, const struct oci_options *o,
         struct error *err)
{
    const struct kube_tls tls = {.ca = o->ca};
    struct oci *c = mem_zalloc(1, sizeof(*c));

    c->loop = l;
    c->options = *o;
    c->arena = arena_new();
    c->scheme = o->plain_http ? "http" : "https";
    if (!docker_ref_parse(ref, c->arena, &c->ref, err))
        goto fail;
    if (!names_registry(ref)) {
        error_set(err, ERR_USAGE,
                  "\"%s\" names no registry: Crossplane wants all of it, "
                  "REGISTRY/REPOSITORY:TAG",
                  ref);
        goto fail;
    }
    c->host =
        strcmp(c->ref.host, HUB) == 0 ? "registry-1.docker.io" : c->ref.host;
    c->repository = repository_of(c);
    c->http = kube_http_new(l, &tls, err);
    if (c->http)
        return c;
fail:
    oci_close(c);
    return NULL;
}

void
oci_close(struct oci *o)
{
    if (!o)
        return;
    kube_http_free(o->http);
    mem_wipe(o->authorization);
    arena_free(o->arena);
    free(o);
}

void
oci_close_ptr(struct oci **o)
{
    oci_close(*o);
}

static void say(struct oci *o, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void
say(struct oci *o, const char *fmt, ...)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1024);
    va_list ap;

    if (!o->options.on_progress)
        return;
    va_start(ap, fmt);
    buf_vprintf(&b, fmt, ap);
    va_end(ap);
    o->options.on_progress(o->options.arg, buf_cstr(&b));
}

/* ---- pushing ---- */

static bool
has_blob(struct oci *o, const char *digest, bool *has, struct error *err)
{
    AUTO(mem_free_ptr)
    char *path = mem_printf("/v2/%s/blobs/%s", o->repository, digest);
    const struct oci_request r = {.method = "HEAD", .path = path, .push = true};
    AUTO(oci_answer_release) struct oci_answer a = {0};

    if (!oci_call(o, &r, &a, err))
        return false;
    *has = a.status == 200; /* a refusal has no words here: the upload's has */
    return true;
}

/* Where the bytes are to be sent: the registry's answer, completed. */
static char *
upload_url(struct oci *o, const char *location, const char *digest)
{
    AUTO(buf_release) struct buf b = BUF_INIT(16384);

    if (*location == '/')
        buf_printf(&b, "%s://%s", o->scheme, o->host);
    buf_puts(&b, location);
    kube_query_add(&b, "digest", str_of(digest));
    return mem_strdup(buf_cstr(&b));
}

static bool
push_blob(struct oci *o, const char *digest, struct str data, struct error *err)
{
    AUTO(mem_free_ptr)
    char *path = mem_printf("/v2/%s/blobs/uploads/", o->repository);
    const struct oci_request begin = {
        .method = "POST", .path = path, .push = true};
    AUTO(oci_answer_release) struct oci_answer a = {0};
    AUTO(oci_answer_release) struct oci_answer b = {0};
    AUTO(mem_free_ptr) char *url = NULL;
    bool has = false;

    if (!has_blob(o, digest, &has, err))
        return false;
    if (has)
        return true;
    if (!oci_call(o, &begin, &a, err))
        return false;
    if (a.status != 202 || !*a.location)
        return oci_refused(o, &a, "cannot begin an upload", err);
    url = upload_url(o, a.location, digest);
    const struct oci_request send = {.method = "PUT",
                                     .path = url,
                                     .type = "application/octet-stream",
                                     .body = data,
                                     .push = true};

    if (!oci_call(o, &send, &b, err))
        return false;
    return b.status == 201 || oci_refused(o, &b, "cannot upload", err);
}

bool
oci_push(struct oci *o, const struct xpkg *x, struct error *err)
{
    AUTO(mem_free_ptr)
    char *path = mem_printf("/v2/%s/manifests/%s", o->repository,
                            *o->ref.tag ? o->ref.tag : x->digest);
    const struct oci_request r = {.method = "PUT",
                                  .path = path,
                                  .type = XPKG_TYPE_MANIFEST,
                                  .body = buf_view(&x->manifest),
                                  .push = true};
    AUTO(oci_answer_release) struct oci_answer a = {0};

    for (size_t i = 0; i < x->n; i++) {
        const struct xpkg_layer *l = &x->layers[i];

        say(o, "layer %zu of %zu, %zu bytes", i + 1, x->n, l->data.n);
        if (!push_blob(o, l->digest, buf_view(&l->data), err))
            return false;
    }
    say(o, "config and manifest");
    if (!push_blob(o, x->config_digest, buf_view(&x->config), err) ||
        !oci_call(o, &r, &a, err))
        return false;
    return a.status == 201 ||
           oci_refused(o, &a, "cannot push the manifest", err);
}

/* ---- pulling ---- */

static bool
get(struct oci *o, const char *kind, const char *which, size_t max,
    struct oci_answer *out, struct error *err)
{
    AUTO(mem_free_ptr)
    char *path = mem_printf("/v2/%s/%s/%s", o->repository, kind, which);
    const struct oci_request r = {
        .method = "GET", .path = path, .accept = ACCEPT, .max = max};

    return oci_call(o, &r, out, err) &&
           (out->status == 200 || oci_refused(o, out, "cannot pull", err));
}

static bool
is_what_it_says(struct str data, const char *digest, struct error *err)
{
    char is[XPKG_DIGEST_MAX];

    xpkg_digest(data, is);
    return strcmp(is, digest) == 0 ||
           error_set(err, ERR_INVALID,
                     "the registry gave other bytes for %s: %s", digest, is);
}

static bool
get_blob(struct oci *o, const char *digest, struct buf *into, struct error *err)
{
    AUTO(oci_answer_release) struct oci_answer a = {0};

    if (!get(o, "blobs", digest, XPKG_MAX, &a, err) ||
        !is_what_it_says(buf_view(&a.body), digest, err))
        return false;
    buf_release(into);
    *into = a.body;
    a.body = (struct buf){0};
    return true;
}

/* The manifest; of an index the first image's (a package is the same for every
 * platform). */
static struct json *
get_manifest(struct oci *o, const char *which, bool index_ok, struct error *err)
{
    AUTO(oci_answer_release) struct oci_answer a = {0};
    struct json *j;

    if (!get(o, "manifests", which, 0, &a, err))
        return NULL;
    if (strchr(which, ':') && !is_what_it_says(buf_view(&a.body), which, err))
        return NULL;
    j = json_parse(buf_view(&a.body), NULL, err);
    if (!j || !json_get(j, "manifests"))
        return j;
    AUTO(mem_free_ptr)
    char *first = mem_strdup(json_string_or(
        json_get(json_first(json_get(j, "manifests")), "digest"), ""));

    json_free(j);
    if (index_ok && *first)
        return get_manifest(o, first, false, err);
    error_set(err, ERR_INVALID, "%s is an index that names no image",
              o->ref.exact);
    return NULL;
}

bool
oci_pull(struct oci *o, struct xpkg *out, struct error *err)
{
    AUTO(json_free_ptr)
    struct json *m =
        get_manifest(o, *o->ref.digest ? o->ref.digest : o->ref.tag, true, err);
    const struct json *layers = json_get(m, "layers");
    size_t n = json_len(layers), i = 0;

    if (!m)
        return false;
    if (!n || n > XPKG_LAYERS_MAX)
        return error_set(err, ERR_INVALID, "%s has %zu layers", o->ref.exact,
                         n);
    if (!get_blob(o, json_string_or(json_at(m, "config", "digest", NULL), ""),
                  &out->config, err))
        return false;
    for (const struct json *l = json_first(layers); l; l = json_next(l)) {
        say(o, "layer %zu of %zu", ++i, n);
        if (!get_blob(o, json_string_or(json_get(l, "digest"), ""),
                      &xpkg_layer_add(out)->data, err))
            return false;
    }
    return xpkg_assemble(out, err);
}
