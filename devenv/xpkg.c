#include "devenv/xpkg.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/archive.h"
#include "lib/base/digest.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#define LABEL       "io.crossplane.xpkg"
#define STREAM_MAX  ((size_t)64 << 20)
#define NAME_MAX_ID 50 /* bytes of the name in a file's name */
#define HEX_ID      12
#define LABEL_MAX   63

static const char *const roles[] = {"base", "upbound"};

void
xpkg_release(struct xpkg *x)
{
    for (size_t i = 0; i < x->n; i++)
        buf_release(&x->layers[i].data);
    free(x->layers);
    json_free(x->meta);
    buf_release(&x->stream);
    buf_release(&x->config);
    buf_release(&x->manifest);
    *x = (struct xpkg){0};
}

struct xpkg_layer *
xpkg_layer_add(struct xpkg *x)
{
    x->layers = mem_grow(x->layers, &x->cap, x->n + 1, sizeof(*x->layers));
    x->layers[x->n] =
        (struct xpkg_layer){.role = "", .data = BUF_INIT(XPKG_MAX)};
    return &x->layers[x->n++];
}

void
xpkg_digest(struct str data, char out[XPKG_DIGEST_MAX])
{
    char hex[DIGEST_HEX_MAX];

    digest_hex(DIGEST_SHA256, data, hex);
    snprintf(out, XPKG_DIGEST_MAX, "sha256:%.64s", hex);
}

/* ---- from config and layers to the whole ---- */

/* What the config's labels say of each layer. */
static void
read_roles(struct xpkg *x, const struct json *config)
{
    const struct json *labels = json_at(config, "config", "Labels", NULL);

    for (size_t i = 0; i < x->n; i++) {
        struct xpkg_layer *l = &x->layers[i];
        AUTO(mem_free_ptr) char *key = mem_printf(LABEL ":%s", l->digest);
        const char *role = json_string_or(json_get(labels, key), "");

        for (size_t k = 0; k < ARRAY_LEN(roles); k++) {
            if (strcmp(role, roles[k]) == 0)
                l->role = roles[k];
        }
    }
}

static void
write_manifest(struct xpkg *x)
{
    struct buf *b = &x->manifest;

    buf_init(b, (size_t)4 << 20);
    buf_printf(b,
               "{\"schemaVersion\":2,\"mediaType\":\"" XPKG_TYPE_MANIFEST
               "\",\"config\":{\"mediaType\":\"" XPKG_TYPE_CONFIG
               "\",\"size\":%zu,\"digest\":\"%s\"},\"layers\":[",
               x->config.n, x->config_digest);
    for (size_t i = 0; i < x->n; i++) {
        const struct xpkg_layer *l = &x->layers[i];

        buf_printf(b,
                   "%s{\"mediaType\":\"" XPKG_TYPE_LAYER
                   "\",\"size\":%zu,\"digest\":\"%s\"",
                   i ? "," : "", l->data.n, l->digest);
        if (*l->role)
            buf_printf(b, ",\"annotations\":{\"" LABEL "\":\"%s\"}", l->role);
        buf_putc(b, '}');
    }
    buf_puts(b, "]}");
    xpkg_digest(buf_view(b), x->digest);
}

/* package.yaml: of the layer that says it is the base, else the newest layer
 * that has one (crossplane internal/controller/pkg/revision/imageback.go). */
static bool
read_stream(struct xpkg *x, struct error *err)
{
    size_t base = SIZE_MAX;

    for (size_t i = 0; i < x->n; i++) {
        if (strcmp(x->layers[i].role, roles[0]) != 0)
            continue;
        if (base != SIZE_MAX)
            return error_set(err, ERR_INVALID,
                             "two layers say that they are the package");
        base = i;
    }
    for (size_t i = x->n; i-- > 0;) {
        struct error why = {0};

        if (base != SIZE_MAX && i != base)
            continue;
        buf_init(&x->stream, XPKG_MAX);
        if (archive_member_of(buf_view(&x->layers[i].data), "package.yaml",
                              &x->stream, &why))
            return true;
        if (why.code != ERR_NOT_FOUND)
            return error_set(err, why.code, "layer %s: %s", x->layers[i].digest,
                             why.msg);
    }
    return error_set(err, ERR_INVALID, "no package.yaml is inside");
}

static bool
is_meta(const struct json *j)
{
    return str_starts(str_of(json_string_or(json_get(j, "apiVersion"), "")),
                      STR("meta.pkg.crossplane.io/"));
}

static bool
read_meta(struct xpkg *x, struct error *err)
{
    const struct yaml_options o = {.max_bytes = STREAM_MAX};
    struct yaml_docs docs = {0};

    if (!yaml_parse(buf_view(&x->stream), &o, &docs, err))
        return error_wrap(err, "package.yaml");
    for (size_t i = 0; i < docs.n && !x->meta; i++) {
        if (is_meta(docs.v[i].value))
            x->meta = json_copy(docs.v[i].value);
    }
    yaml_docs_release(&docs);
    return x->meta || error_set(err, ERR_INVALID,
                                "package.yaml has no metadata (a document of "
                                "meta.pkg.crossplane.io)");
}

bool
xpkg_assemble(struct xpkg *x, struct error *err)
{
    AUTO(json_free_ptr)
    struct json *config = json_parse(buf_view(&x->config), NULL, err);

    if (!config)
        return error_wrap(err, "the image's config");
    xpkg_digest(buf_view(&x->config), x->config_digest);
    for (size_t i = 0; i < x->n; i++)
        xpkg_digest(buf_view(&x->layers[i].data), x->layers[i].digest);
    read_roles(x, config);
    write_manifest(x);
    return read_stream(x, err) && read_meta(x, err);
}

/* A name as a DNS label, as crossplane makes them (internal/xpkg/name.go). */
static void
put_label(struct str s, struct buf *out)
{
    for (size_t i = 0; i < s.n && i < LABEL_MAX; i++) {
        char c = s.s[i];

        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            buf_putc(out, c);
        else if (strchr("./:-", c) && i && i + 1 < s.n && i + 1 < LABEL_MAX)
            buf_putc(out, '-');
    }
}

char *
xpkg_file_name(const struct xpkg *x)
{
    const char *name =
        json_string_or(json_at(x->meta, "metadata", "name", NULL), "package");
    AUTO(mem_free_ptr)
    char *id = mem_printf("%.*s-%.*s", NAME_MAX_ID, name, HEX_ID,
                          x->digest + strlen("sha256:"));
    AUTO(buf_release) struct buf b = BUF_INIT(256);
    struct str label;

    put_label(str_of(id), &b);
    label = buf_view(&b);
    while (label.n && label.s[0] == '-')
        label = str_from(label, 1);
    return mem_printf("%.*s.xpkg", STR_ARG(label));
}
