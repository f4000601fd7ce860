/*
 * xpkg.h - a Crossplane package as an image in memory.
 *
 * What: builds a package from a folder (or a built-in one), opens one from a
 * .xpkg file or an OCI layout, saves it as either. A package is an image whose
 * layer `base` holds one file, package.yaml: the metadata and then the objects
 * as a stream of documents; a layer `upbound` may hold examples.
 * Invariants: the same files make the same bytes, so the same digest. What was
 * opened is what its digests say. Roles of layers stand in the config's labels
 * (a docker tarball has no place for annotations) and in the manifest.
 * Caps: XPKG_MAX bytes a package, XPKG_LAYERS_MAX layers.
 * Lifetimes: a zeroed struct xpkg is filled by xpkg_build, xpkg_open or
 * xpkg_assemble, and released in any case.
 * Source: crossplane 2.0.8 internal/xpkg/{build,layers,name,lint}.go,
 * go-containerregistry pkg/v1/tarball, OCI image layout 1.0.
 */
#ifndef DEVENV_XPKG_H
#define DEVENV_XPKG_H

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/json.h"

#define XPKG_MAX        ((size_t)512 << 20)
#define XPKG_LAYERS_MAX 256
#define XPKG_DIGEST_MAX 72 /* "sha256:" and 64 hexadecimal digits */

#define XPKG_TYPE_MANIFEST                                                     \
    "application/vnd.docker.distribution.manifest.v2+json"
#define XPKG_TYPE_CONFIG "application/vnd.docker.container.image.v1+json"
#define XPKG_TYPE_LAYER  "application/vnd.docker.image.rootfs.diff.tar.gzip"

struct xpkg_layer {
    char digest[XPKG_DIGEST_MAX];
    const char *role; /* "base", "upbound" or "" */
    struct buf data;  /* a gzipped tar */
};

struct xpkg {
    struct json *meta; /* crossplane.yaml */
    struct buf stream; /* package.yaml */
    struct buf config, manifest;
    char config_digest[XPKG_DIGEST_MAX];
    char digest[XPKG_DIGEST_MAX]; /* of the manifest: the package's own */
    struct xpkg_layer *layers;
    size_t n, cap;
};
void xpkg_release(struct xpkg *x);

/* ---- building ---- */
struct xpkg_source {
    const char *root; /* a folder with crossplane.yaml, or a built-in name */
    const char *examples;         /* a folder, or NULL: none */
    const struct strlist *ignore; /* patterns of paths below root, or NULL */
};
/* ERR_INVALID: not exactly one crossplane.yaml kind, or an object that such a
 * package may not hold; names file and line. functions.yaml, where this
 * program keeps the Function objects of a package, is left out: dependsOn says
 * them. */
bool xpkg_build(const struct xpkg_source *s, struct xpkg *out,
                struct error *err);

/* ---- files ---- */
/* A .xpkg file or the folder of an OCI layout. ERR_PARSE: neither; ERR_INVALID:
 * a digest is not that of its bytes, or no package.yaml is inside. */
bool xpkg_open(const char *path, struct xpkg *out, struct error *err);
bool xpkg_save(const struct xpkg *x, const char *path, struct error *err);
/* Makes the folder; a layout that is there becomes one of this package. */
bool xpkg_save_layout(const struct xpkg *x, const char *folder,
                      struct error *err);
/* "NAME-HEX.xpkg", as the crossplane CLI calls a file that got no name; the
 * caller frees it. */
char *xpkg_file_name(const struct xpkg *x);

/* ---- for those who bring the parts ---- */
/* Fills manifest, digests, stream and meta from config and layers (their data
 * complete, in the config's order). */
bool xpkg_assemble(struct xpkg *x, struct error *err);
/* Adds an empty layer. */
struct xpkg_layer *xpkg_layer_add(struct xpkg *x);
/* "sha256:HEX" of data. */
void xpkg_digest(struct str data, char out[XPKG_DIGEST_MAX]);

#endif
