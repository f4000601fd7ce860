/*
 * builtin.h - what a built-in kind does beyond its schema: defaults that depend
 * on the object, checks, counted columns, another view of the same objects.
 */
#ifndef DEVENV_SANDBOX_BUILTIN_H
#define DEVENV_SANDBOX_BUILTIN_H

#include "lib/base/json.h"

#include "lib/schema/schema.h"

struct registry;
struct registry_write;

enum builtin_name { NAME_SUBDOMAIN, NAME_LABEL, NAME_LABEL_1035, NAME_PATH };

struct builtin {
    const char *group, *plural;
    const char *store_kind; /* when the objects are those of another kind */
    bool generation;        /* metadata.generation counts spec changes */
    bool needs_version;     /* an update without resourceVersion is refused */
    bool no_collection;     /* no deletecollection */
    enum builtin_name name;
    /* Completes and checks obj before it is stored; old is NULL at create; w:
     * what is known of the write. */
    void (*prepare)(const struct registry_write *w, struct json *obj,
                    const struct json *old, struct schema_findings *bad);
    /* After obj was stored (old NULL: created) or deleted (obj NULL). */
    void (*written)(struct registry *r, const struct json *obj,
                    const struct json *old);
    /* Deleting: completes obj, which has its deletionTimestamp, and answers
     * whether it has to stay for now. dry: nothing else may happen. */
    bool (*stays)(struct registry *r, struct json *obj, bool dry);
    /* The text of column i when it is not what its path says; false: it is. */
    bool (*cell)(size_t i, const struct json *obj, int64_t now_s,
                 struct buf *out);
    /* Another view of the stored object, in place. */
    void (*from_stored)(struct json *obj);
    void (*to_stored)(struct json *obj);
};

/* The row of a built-in kind, or NULL. */
const struct builtin *builtin_find(const char *group, const char *plural);
const char *builtin_store_kind(const struct builtin *b);

#endif
