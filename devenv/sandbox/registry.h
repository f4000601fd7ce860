/*
 * registry.h - every kind the sandbox serves, and the verbs on its objects.
 *
 * What: the Kubernetes API as calls in the same process. HTTP (rest.h) and the
 * controllers use the same functions, so both get the same checks, defaults,
 * managedFields, admission and answers.
 * A write is visible to every read at once, also to the writer; it rides the
 * store's group commit of this turn of the loop, and clients hear of it (2xx,
 * watch events) only after that commit. A controller need not wait.
 * Invariants: one rising resourceVersion for the whole server; an update that
 * changes nothing keeps it and makes no event.
 * Lifetimes: struct kind is valid until its CRD goes or changes; look it up
 * again in each turn (registry_kind is a hash look-up). Trees handed out
 * belong to the caller (json_free); trees handed in are taken when the comment
 * says so. struct status as in status.h: zero before, set on failure.
 */
#ifndef DEVENV_SANDBOX_REGISTRY_H
#define DEVENV_SANDBOX_REGISTRY_H

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/loop.h"

#include "devenv/sandbox/status.h"

struct hub;
struct identity;
struct registry;
struct schema;
struct store;

struct registry_options {
    struct loop *loop;         /* owns timers and deferred calls */
    const struct clock *clock; /* stamps; clock_system() or a fake */
    struct store *store;       /* not owned */
    struct hub *hub;           /* not owned; NULL: nobody watches */
};

/* Registers the built-in kinds and every CRD in the store, creates the
 * namespaces default, kube-system and kube-public when they are missing. */
struct registry *registry_new(const struct registry_options *o,
                              struct error *err);
void registry_free(struct registry *r);

/* ---- kinds ---- */

/* One served resource in one version. Read-only outside this floor's files. */
struct kind {
    const char *group; /* "" for core */
    const char *version;
    const char *api_version; /* "v1", "example.org/v1" */
    const char *kind, *list_kind;
    const char *plural, *singular;
    bool namespaced;
    bool has_status; /* a status subresource */
    bool builtin;    /* not from a CRD */
    bool storage;    /* the version objects are stored in */
};

/* By "v1"/"example.org/v1" and Kind; NULL: not served. */
const struct kind *registry_kind(struct registry *r, const char *api_version,
                                 const char *kind);
/* By group ("" core), version (NULL: the preferred one) and plural. */
const struct kind *registry_resource(struct registry *r, const char *group,
                                     const char *version, const char *plural);
/* Every served kind once (its preferred version). */
typedef void registry_kind_fn(void *arg, const struct kind *k);
void registry_each_kind(struct registry *r, registry_kind_fn *fn, void *arg);
/* The structural schema of k (may be NULL); lives as long as k. */
const struct schema *registry_schema(const struct kind *k);
/* The categories of k ("managed", "composite", ...) hold name. */
bool registry_in_category(const struct kind *k, const char *name);

struct registry_write;

/* Creates the CRD, or brings an existing one of that name to this spec when it
 * differs, and serves it from now on. crd is not taken. */
bool registry_install_crd(struct registry *r, const struct registry_write *w,
                          const struct json *crd, struct status *st);

/* ---- reading ---- */

/* The object, or NULL when there is none. ns is NULL or "" for kinds of the
 * cluster, here and below. */
struct json *registry_get(struct registry *r, const struct kind *k,
                          const char *ns, const char *name);
bool registry_has(struct registry *r, const struct kind *k, const char *ns,
                  const char *name);
/* The stored JSON text; valid until the next write. */
bool registry_get_raw(struct registry *r, const struct kind *k, const char *ns,
                      const char *name, struct str *text);
/* Each object in key order, optionally of one namespace (NULL: all) and with a
 * label selector (NULL: all); false from fn stops. fn must not write (collect
 * first). A bad selector is a 400 in st. */
typedef bool registry_object_fn(void *arg, struct str text);
bool registry_list(struct registry *r, const struct kind *k, const char *ns,
                   const char *label_selector, registry_object_fn *fn,
                   void *arg, struct status *st);
/* The same as an array of trees. */
struct json *registry_list_json(struct registry *r, const struct kind *k,
                                const char *ns, const char *label_selector,
                                struct status *st);
/* The newest resourceVersion. */
uint64_t registry_revision(struct registry *r);
/* Where its objects are kept. */
struct store *registry_store(const struct registry *r);

/* ---- writing; NULL or false: see st ---- */

enum registry_validation { VALIDATE_WARN, VALIDATE_IGNORE, VALIDATE_STRICT };
enum registry_patch {
    PATCH_MERGE,
    PATCH_JSON,
    PATCH_STRATEGIC, /* built-in kinds and CustomResourceDefinitions only */
    PATCH_APPLY
};

/* How a write is meant; all zero is fine except manager, which PATCH_APPLY
 * needs. */
struct registry_write {
    const char *manager;        /* fieldManager; NULL: "unknown" */
    const struct identity *who; /* NULL: we ourselves, who may everything */
    const char *subresource;    /* NULL, "status", "scale", "finalize" */
    bool dry_run;
    bool force;   /* PATCH_APPLY: take fields from others */
    bool vouched; /* a CRD of our own assets, which a test checks, or one that
                     was just stored: it is neither decoded nor checked */
    enum registry_validation validation;
    struct strlist *warnings;      /* texts of Warning headers; NULL: dropped */
    const struct strlist *doubles; /* what the body has twice, or NULL */
    bool *created; /* PATCH_APPLY: set when it made the object */
};

/* Takes obj. The stored object comes back. */
struct json *registry_create(struct registry *r, const struct kind *k,
                             const struct registry_write *w, const char *ns,
                             struct json *obj, struct status *st);
/* PUT. Takes obj; the name is obj's. With metadata.resourceVersion in obj a
 * stale one is a Conflict; without, custom kinds answer Invalid. */
struct json *registry_update(struct registry *r, const struct kind *k,
                             const struct registry_write *w, const char *ns,
                             struct json *obj, struct status *st);
/* registry_update through the status subresource: only status is taken. */
struct json *registry_update_status(struct registry *r, const struct kind *k,
                                    const char *manager, const char *ns,
                                    struct json *obj, struct status *st);
/* PATCH with body as it would come over HTTP (JSON; YAML for PATCH_APPLY). */
struct json *registry_patch(struct registry *r, const struct kind *k,
                            const struct registry_write *w, const char *ns,
                            const char *name, enum registry_patch type,
                            struct str body, struct status *st);
/* Server-side apply of a tree (not taken); creates the object when absent. */
struct json *registry_apply(struct registry *r, const struct kind *k,
                            const struct registry_write *w, const char *ns,
                            const struct json *config, struct status *st);

enum registry_propagation {
    PROPAGATE_DEFAULT, /* as Background */
    PROPAGATE_BACKGROUND,
    PROPAGATE_FOREGROUND,
    PROPAGATE_ORPHAN
};
struct registry_delete {
    enum registry_propagation propagation;
    const char *uid;              /* precondition or NULL */
    const char *resource_version; /* precondition or NULL */
    bool dry_run;
    const struct identity *who; /* NULL: we ourselves */
    struct strlist *warnings;   /* texts of Warning headers; NULL: dropped */
};
/* o may be NULL. *left (may be NULL) receives the object when finalizers keep
 * it, else NULL; an absent object is NotFound. */
bool registry_delete(struct registry *r, const struct kind *k, const char *ns,
                     const char *name, const struct registry_delete *o,
                     struct json **left, struct status *st);

/* Asked before an object may go, by whomever; false: st says why it may not.
 * It may write other objects, and this one's metadata. */
typedef bool registry_guard_fn(void *arg, const struct kind *k,
                               const struct json *obj,
                               const struct registry_delete *o,
                               struct status *st);
/* One at a time; fn NULL: none. */
void registry_set_guard(struct registry *r, registry_guard_fn *fn, void *arg);

/* Asked about every write of somebody else's (registry_write.who) before the
 * new object is checked; old NULL: it is created. False: st says why not. */
typedef bool registry_gate_fn(void *arg, const struct registry_write *w,
                              const struct kind *k, const struct json *obj,
                              const struct json *old, struct status *st);
/* One at a time; fn NULL: none. */
void registry_set_gate(struct registry *r, registry_gate_fn *fn, void *arg);

/* A write that is about to happen. */
struct registry_attempt {
    const struct kind *k;
    const char *operation;      /* "CREATE", "UPDATE", "DELETE" */
    const char *ns, *name;      /* "" where there is none */
    const char *sub;            /* subresource or NULL */
    const struct identity *who; /* NULL: we ourselves */
    bool dry_run;
    const struct json *obj, *old; /* NULL of a delete; of a create */
    struct strlist *warnings;     /* or NULL */
};
/* Asked about every write, by whomever, when everything else is in order with
 * it; false: st says why not. It must not write. */
typedef bool registry_admit_fn(void *arg, const struct registry_attempt *a,
                               struct status *st);
/* One at a time; fn NULL: none. */
void registry_set_admission(struct registry *r, registry_admit_fn *fn,
                            void *arg);

/* ---- hearing of changes ---- */

enum registry_change { CHANGE_ADDED, CHANGE_MODIFIED, CHANGE_DELETED };
struct registry_event {
    enum registry_change type;
    const struct kind *kind;
    const char *ns, *name; /* ns "" for kinds of the cluster */
    uint64_t revision;
    struct str text; /* the object's JSON (DELETED: its last state) */
};
/* Called after the commit of the write, in order of resourceVersion; may
 * write. text is valid during the call. */
typedef void registry_event_fn(void *arg, const struct registry_event *e);
struct registry_subscription;
/* Changes of group/plural in any version, also of a kind that is not served
 * yet; plural NULL: of every kind. No initial state: list first. */
struct registry_subscription *
registry_subscribe(struct registry *r, const char *group, const char *plural,
                   registry_event_fn *fn, void *arg);
/* May be called from its own callback; NULL is fine. */
void registry_unsubscribe(struct registry_subscription *s);

/* ---- events (core/v1 Event) ---- */

/* Records an event about obj as client-go's recorder does: a repeated one
 * (same object, type, reason, message, component) raises count and
 * lastTimestamp. type "Normal" or "Warning"; message is cut to 1,024 bytes. */
void registry_emit(struct registry *r, const struct json *obj,
                   const char *component, const char *type, const char *reason,
                   const char *message);

#endif
