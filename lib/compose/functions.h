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

#include "lib/base/map.h"

#include "lib/compose/function.h"

/* By a package reference or a repository path: the last path segment without
 * tag and digest ("xpkg.crossplane.io/crossplane-contrib/
 * function-auto-ready:v0.6.0"). NULL: not built in. */
const struct function *function_builtin(struct str package);

/* Function objects by name; an all-zero struct is an empty table. */
struct functions {
    struct map by_name;
};
/* Reads metadata.name and spec.package of a pkg.crossplane.io Function
 * (or, for an active revision, spec.image); replaces an entry of that name. */
void functions_add(struct functions *f, const struct json *function);
void functions_del(struct functions *f, const char *name);
/* A host's .function: arg is a struct functions. Errors: not installed, in
 * upstream's words; installed but not built in (ERR_UNSUPPORTED). */
const struct function *functions_find(void *arg, const char *name,
                                      struct error *err);
void functions_release(struct functions *f);

#endif
