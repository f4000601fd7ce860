/*
 * objects.h - what the commands that write have in common: objects named by
 * words or files, their names in answers, the trash.
 */
#ifndef CLI_OBJECTS_H
#define CLI_OBJECTS_H

#include "devenv/manifest.h"

#include "cli/target.h"

/* Loads every -f (files, folders, "-"), sorted. None given, or an address:
 * ERR_USAGE. */
bool objects_load(const struct args *a, struct manifest_set *out,
                  struct error *err);
/* "dataproduct.meshifi.io/orders", "configmap/x" into out. */
bool objects_title(const char *api_version, const char *kind, const char *name,
                   struct buf *out);

/* One object that a command works on. */
struct object {
    const struct kube_kind *kind;
    char *ns; /* NULL: cluster-scoped */
    char *name;
    struct json *json; /* as the server has it */
};
void object_release(struct object *o);

/* The object that KIND and NAME (or KIND/NAME) mean: in -n, else in the
 * context's namespace; for kinds of meshifi.io, without -n, wherever the name
 * is (ERR_CONFLICT when it is in several namespaces). Turns the loop. */
bool object_find(struct target *t, const struct args *a, const char *word,
                 const char *name, struct object *out, struct error *err);
/* The object of a manifest, as the server has it. */
bool object_of(struct target *t, const struct args *a, const struct manifest *m,
               struct object *out, struct error *err);
/* Writes the objects, without what only a server writes, as one YAML file into
 * the profile's trash; its path into *path (fresh memory). */
bool objects_trash(struct target *t, const struct object *v, size_t n,
                   char **path, struct error *err);

#endif
