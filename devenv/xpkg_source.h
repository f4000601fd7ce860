/*
 * xpkg_source.h - packages by what a user calls them, as folders that can be
 * installed.
 *
 * What: a .xpkg file, an OCI layout or a reference in a registry becomes a
 * folder of the shape devenv/package.h reads (crossplane.yaml, functions.yaml,
 * xrds/, compositions/), named by the package's digest, so that install, its
 * plan and uninstall treat it as any other.
 * Functions: a Configuration only says what it depends on and in which
 * versions. The version of kind-config/versions.lock is taken for a function
 * that is there, else the one its constraint begins with.
 */
#ifndef DEVENV_XPKG_SOURCE_H
#define DEVENV_XPKG_SOURCE_H

#include "devenv/oci.h"

/* Is it a file or layout of a package, or a reference to one? (No folder of
 * manifests, no built-in name.) */
bool xpkg_is_source(const char *name);
/* Opens a file or layout, or pulls a reference. */
bool xpkg_load(struct loop *l, const char *name, const struct oci_options *o,
               struct xpkg *out, struct error *err);
/* Writes the package below root (a cache) and answers the folder,
 * ROOT/HEX/NAME; the caller frees it. A package that is there stays. A
 * Provider or a Function is refused: they run programs. */
char *xpkg_unpack(const struct xpkg *x, const char *root, struct error *err);

#endif
