/*
 * functions.h - which built-in serves a Function.
 *
 * What: a pipeline step names a Function object; the object's package says
 * what runs. This table maps the names to the functions that are built in.
 * Lifetimes: the table owns its texts; functions are static.
 * Source: crossplane internal/xfn/function_runner.go.
 */
#ifndef LIB_COMPOSE_FUNCTIONS_H
#define LIB_COMPOSE_FUNCTIONS_H

#include "lib/base/buf.h"
#include "lib/base/map.h"

#include "lib/compose/function.h"

/* By a package reference or a repository path: the last path segment without
 * tag and digest ("xpkg.crossplane.io/crossplane-contrib/
 * function-auto-ready:v0.6.0"). NULL: not built in. */
const struct function *function_builtin(struct str package);
/* By a Function's own name when nothing says its package: the built-in whose
 * name it contains ("crossplane-contrib-function-auto-ready"). */
const struct function *function_builtin_in(struct str name);
/* Appends the names of all that are built in: "function-a, function-b". */
void function_builtin_names(struct buf *out);

/* Function objects by name; an all-zero struct is an empty table. */
struct functions {
    struct map by_name;
};
/* Reads metadata.name and spec.package of a pkg.crossplane.io Function
 * (or, for an active revision, spec.image); replaces an entry of that name. */
void functions_add(struct functions *f, const struct json *function);
void functions_del(struct functions *f, const char *name);
bool functions_has(const struct functions *f, const char *name);
/* Appends the names of the Function objects: "a, b". */
void functions_names(const struct functions *f, struct buf *out);
/* A host's .function: arg is a struct functions. Errors: not installed, in
 * upstream's words, the remedy names those that are (ERR_NOT_FOUND); installed
 * but not built in: which, and what is (ERR_UNSUPPORTED). */
const struct function *functions_find(void *arg, const char *name,
                                      struct error *err);
void functions_release(struct functions *f);

#endif
