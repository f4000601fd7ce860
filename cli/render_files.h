/*
 * render_files.h - the files that `meshtop render` takes.
 *
 * What: reads XR, Composition, Functions, observed and required resources,
 * credentials and the XRD as the crossplane CLI reads them: one document, or a
 * stream in a file or in the *.yaml and *.yml of a folder (by name, not those
 * below). "-" is standard input. Errors are upstream's words with whole paths.
 * Caps: 64 MiB a file, yaml.h's per stream -> ERR_LIMIT.
 * Lifetimes: fresh trees of the caller.
 * Source: crossplane 2.0.8 cmd/crank/render/load.go, xrd.go.
 */
#ifndef CLI_RENDER_FILES_H
#define CLI_RENDER_FILES_H

#include "lib/compose/functions.h"

/* A file that must be there and no folder, as the CLI's parser checks it; what:
 * how it names it ("<composition>", "--xrd"). */
bool render_file_exists(const char *what, const char *path, struct error *err);

/* The first document of path; {} when it has none. */
struct json *render_load_xr(const char *path, struct error *err);
struct json *render_load_composition(const char *path, struct error *err);
struct json *render_load_xrd(const char *path, struct error *err);
/* Adds what the stream holds. */
bool render_load_functions(const char *path, struct functions *out,
                           struct error *err);
/* Appends every object of the stream to the array out. what: "observed composed
 * resources", "extra resources", "required resources", "secrets". */
bool render_load_objects(const char *what, const char *path, struct json *out,
                         struct error *err);
/* The whole text; false as upstream says it. */
bool render_load_text(const char *path, struct buf *out, struct error *err);

#endif
