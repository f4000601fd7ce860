/*
 * manifest.h - Kubernetes objects from files, applied in an order that works.
 *
 * What: reads YAML or JSON documents from a file, a folder, standard input or
 * the program's own assets; sorts them so that what others need comes first
 * (namespaces, CRDs, XRDs, functions, compositions, then the rest in the order
 * given); applies them server-side. List objects are taken apart.
 * Caps: 64 MiB a file, 10,000 files, 100,000 objects -> ERR_LIMIT.
 * Lifetimes: the set owns its objects.
 */
#ifndef DEVENV_MANIFEST_H
#define DEVENV_MANIFEST_H

#include "lib/base/json.h"

#include "lib/kube/client.h"
#include "lib/kube/discovery.h"

struct manifest {
    struct json *object;
    const char *kind, *name, *ns; /* ns NULL: none given; views of object */
    const char *api_version;
    char *source; /* "examples/x.yaml:12" */
};

struct manifest_set {
    struct manifest *v;
    size_t n, cap;
};

/* Adds what path holds: a file, a folder (its *.yaml, *.yml, *.json, sorted,
 * folders below too), or "-". A document without apiVersion, kind or name is
 * an error that names file and line; expectations.yaml is passed over. */
bool manifest_load(struct manifest_set *s, const char *path, struct error *err);
/* Adds the built-in files under prefix ("assets/mesh-core/xrds/"). */
bool manifest_load_assets(struct manifest_set *s, const char *prefix,
                          struct error *err);
/* Adds the documents of text. */
bool manifest_parse(struct manifest_set *s, struct str text, const char *source,
                    struct error *err);
/* Stable. */
void manifest_sort(struct manifest_set *s);
void manifest_release(struct manifest_set *s);

enum manifest_result { MANIFEST_CREATED, MANIFEST_CONFIGURED, MANIFEST_SAME };

/* Told after each object; warnings may be empty. */
typedef void manifest_fn(void *arg, const struct manifest *m,
                         enum manifest_result result,
                         const struct strlist *warnings);

struct kube_conflicts;

struct manifest_apply {
    struct kube_client *client;
    struct kube_discovery *discovery;
    const char *ns; /* for objects that name none; NULL: "default" */
    bool force;     /* take fields other managers own */
    bool dry_run;
    int64_t kind_wait_ms;   /* how long a kind may take to be served */
    manifest_fn *on_object; /* or NULL */
    /* Fields of m that others manage, before the failure is told; or NULL. */
    void (*on_conflicts)(void *arg, const struct manifest *m,
                         const struct kube_conflicts *c);
    void *arg;
};

/* Applies all in order; the first failure ends it, its message names the
 * object and its source. Turns the loop. */
bool manifest_apply(const struct manifest_set *s,
                    const struct manifest_apply *o, struct error *err);
/* Deletes all in reverse order; what is not there is fine. Turns the loop
 * until the server has answered each (not until finalizers are done). */
bool manifest_delete(const struct manifest_set *s,
                     const struct manifest_apply *o, struct error *err);
/* Does the cluster hold every object as s says: each field of a manifest there
 * with the same value (more may be there; numbers by value), and with this
 * condition True (NULL: none asked for)? False: why names the first that is
 * missing or differs, and the field. Only reads. */
bool manifest_in_place(const struct manifest_set *s,
                       const struct manifest_apply *o, const char *condition,
                       struct buf *why);
/* The served kind of m, waiting up to kind_wait_ms for it. */
const struct kube_kind *manifest_kind(const struct manifest *m,
                                      const struct manifest_apply *o,
                                      struct error *err);

#endif
