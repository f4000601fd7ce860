/*
 * render.h - what `crossplane render` prints for loaded files, as trees.
 *
 * What: checks the Composition against the XR, runs its pipeline with the
 * built-in functions and gives the documents in the order in which they are
 * printed: XR, composed resources by name, results, context. As the CLI of 2.0
 * (render.c), or as that of 2.3 and later, which runs core's reconciler over
 * objects in memory (render_live.c).
 * Invariants: nothing is read or written here; the same input gives the same
 * documents.
 * Lifetimes: render_release frees what struct render holds, documents are the
 * caller's.
 * Source: crossplane 2.0.2 and 2.0.8 cmd/crank/render/{cmd,render}.go; cli
 * 2.5.0 cmd/crossplane/render/xr/cmd.go, crossplane 2.3.4
 * internal/render/composite/render.go.
 */
#ifndef CLI_RENDER_H
#define CLI_RENDER_H

#include "lib/compose/compose.h"
#include "lib/compose/functions.h"

struct render {
    enum compose_mode mode;
    struct json *xr, *composition;
    struct functions functions;
    bool no_functions; /* no file was given: names tell the built-ins */
    bool legacy;       /* the XRD says that the XR is of the old kind */
    /* Arrays of objects, never NULL. */
    struct json *observed, *extra, *required, *secrets;
    struct json *context; /* KEY -> value */
    bool with_results, with_full_xr, with_context;
};

void render_init(struct render *r);
void render_release(struct render *r);

/* Does the Composition fit the XR? In upstream's words. */
bool render_check(const struct render *r, struct error *err);
/* Sets the defaults of the XRD's schema in the XR. */
bool render_default(struct render *r, const struct json *xrd,
                    struct error *err);
/* The documents, an array. NULL: err says why and *fatal, fresh memory, has
 * the whole of a fatal result's message, which err may have cut. */
struct json *render_run(const struct render *r, char **fatal,
                        struct error *err);

/* ---- for render_*.c ---- */
/* NAME -> {resource} of the observed resources. */
struct json *render_observed(const struct render *r);
/* A document of render's own kinds: apiVersion and kind. */
struct json *render_document(const char *kind);
/* A host's .function; arg is a struct render. */
const struct function *render_function(void *arg, const char *name,
                                       struct error *err);
/* The time that every condition carries, in seconds since 1970. */
int64_t render_time(void);
/* status.conditions as their Go type keeps them. */
void render_type_conditions(struct json *obj);
/* The condition Ready that the composed resources and the functions make. */
void render_set_ready(struct json *xr, const struct compose_result *out);
/* The conditions that functions set, except those of Crossplane itself. */
void render_set_conditions(struct json *xr, const struct compose_result *out);
/* render_run of the newer CLI. */
struct json *render_live(const struct render *r, struct pipeline *p,
                         char **fatal, struct error *err);

#endif
