/*
 * asset.h - the files of assets/, examples/ and kind-config/, compiled into
 * the program.
 *
 * The table is made by scripts/embed.sh at build time; paths are as in the
 * repository ("assets/mesh-core/crossplane.yaml"), in byte order.
 */
#ifndef LIB_BASE_ASSET_H
#define LIB_BASE_ASSET_H

#include "lib/base/str.h"

struct asset_source {
    const char *path, *start, *end;
};
extern const struct asset_source asset_table[]; /* asset_count entries */
extern const unsigned asset_count;

struct asset {
    const char *path;
    struct str data; /* NUL-terminated, lives as long as the program */
};

/* The file at path; false when there is none. */
bool asset_find(const char *path, struct asset *out);
/* The i-th file whose path starts with prefix ("examples/corner-shop/");
 * false past the last. */
bool asset_under(const char *prefix, unsigned i, struct asset *out);

#endif
