/*
 * builtin.h - what a built-in kind does beyond its types: defaults and checks
 * that depend on the object, life cycles, another view of the same objects.
 *
 * Names, columns and verbs are data (assets/api/kinds.txt), fields and plain
 * defaults too (types.h). Defaults between fields are in builtin_defaults.c,
 * checks in builtin_check.c and builtin_pod.c.
 */
#ifndef DEVENV_SANDBOX_BUILTIN_H
#define DEVENV_SANDBOX_BUILTIN_H

#include "lib/base/json.h"

#include "lib/schema/schema.h"

struct kind_info;
struct registry;
struct registry_write;
struct status;
struct strlist;

enum builtin_name { NAME_SUBDOMAIN, NAME_LABEL, NAME_LABEL_1035, NAME_PATH };

struct builtin {
    const char *group, *plural;
    const char *version;    /* NULL: each of them */
    const char *store_kind; /* when the objects are those of another kind */
    bool generation;        /* metadata.generation counts spec changes */
    bool needs_version;     /* an update without resourceVersion is refused */
    enum builtin_name name;
    /* Where the PodSpec is, ".spec.template.spec", or NULL. */
    const char *pod;
    /* Defaults that depend on other fields; those of a client who creates are
     * its own (managedFields). */
    void (*complete)(struct json *obj);
    /* Checks obj, which was defaulted; old is NULL at create. */
    void (*check)(const struct json *obj, const struct json *old,
                  struct schema_findings *bad);
    /* What the server itself sets before it stores; w: what is known of the
     * write. */
    void (*prepare)(const struct registry_write *w, struct json *obj,
                    const struct json *old, struct schema_findings *bad);
    /* After obj was stored (old NULL: created) or deleted (obj NULL). */
    void (*written)(struct registry *r, const struct json *obj,
                    const struct json *old);
    /* Deleting: completes obj, which has its deletionTimestamp, and answers
     * whether it has to stay for now. dry: nothing else may happen. */
    bool (*stays)(struct registry *r, struct json *obj, bool dry);
    /* Another view of the stored object, in place. */
    void (*from_stored)(struct json *obj);
    void (*to_stored)(struct json *obj);
};

/* The row of a built-in kind, or NULL. */
const struct builtin *builtin_find(const char *group, const char *version,
                                   const char *plural);
const char *builtin_store_kind(const struct builtin *b);
/* Whether clients may use the verb ("deletecollection"); of custom kinds they
 * may use all. */
bool builtin_serves(const struct kind_info *k, const char *verb);

/* ---- the steps of a write; nothing happens to custom kinds ---- */

/* As Go's decoder reads the body: unknown fields are dropped and go to unknown
 * (may be NULL); 400 when something does not fit. */
bool builtin_decode(struct kind_info *k, struct json *obj,
                    struct strlist *unknown, struct status *st);
/* All defaults. */
void builtin_complete(struct kind_info *k, struct json *obj);
/* Checks, then what the server sets. */
void builtin_prepare(struct kind_info *k, const struct registry_write *w,
                     struct json *obj, const struct json *old,
                     struct schema_findings *bad);

/* ---- for the files that make it up ---- */

/* The value at ".spec.template.spec" of obj, or NULL. */
struct json *builtin_reach(const struct json *obj, const char *path);

/* builtin_defaults.c */
void builtin_complete_pod_spec(struct json *spec);
void builtin_complete_pod(struct json *obj);
void builtin_prepare_pod(const struct registry_write *w, struct json *obj,
                         const struct json *old, struct schema_findings *bad);
void builtin_prepare_job(const struct registry_write *w, struct json *obj,
                         const struct json *old, struct schema_findings *bad);
void builtin_prepare_daemon_set(const struct registry_write *w,
                                struct json *obj, const struct json *old,
                                struct schema_findings *bad);
void builtin_prepare_claim(const struct registry_write *w, struct json *obj,
                           const struct json *old, struct schema_findings *bad);
void builtin_prepare_volume(const struct registry_write *w, struct json *obj,
                            const struct json *old,
                            struct schema_findings *bad);
void builtin_complete_namespace(struct json *obj);
void builtin_complete_deployment(struct json *obj);
void builtin_complete_daemon_set(struct json *obj);
void builtin_complete_stateful_set(struct json *obj);
void builtin_complete_controller(struct json *obj);
void builtin_complete_job(struct json *obj);
void builtin_complete_secret(struct json *obj);
void builtin_complete_service(struct json *obj);
void builtin_complete_claim(struct json *obj);
void builtin_complete_network_policy(struct json *obj);
void builtin_complete_binding(struct json *obj);
void builtin_complete_limits(struct json *obj);
void builtin_complete_autoscaler(struct json *obj);

/* autoscaling/v1 is another face of v2. */
void builtin_autoscaler_from_v2(struct json *obj);
void builtin_autoscaler_to_v2(struct json *obj);

/* builtin_check.c */
void builtin_check_config_map(const struct json *obj, const struct json *old,
                              struct schema_findings *bad);
void builtin_check_secret(const struct json *obj, const struct json *old,
                          struct schema_findings *bad);
void builtin_check_service(const struct json *obj, const struct json *old,
                           struct schema_findings *bad);
void builtin_check_workload(const struct json *obj, const struct json *old,
                            struct schema_findings *bad);
void builtin_check_stateful_set(const struct json *obj, const struct json *old,
                                struct schema_findings *bad);
void builtin_check_job(const struct json *obj, const struct json *old,
                       struct schema_findings *bad);
void builtin_check_cron_job(const struct json *obj, const struct json *old,
                            struct schema_findings *bad);
void builtin_check_claim(const struct json *obj, const struct json *old,
                         struct schema_findings *bad);
void builtin_check_binding(const struct json *obj, const struct json *old,
                           struct schema_findings *bad);
void builtin_check_ingress(const struct json *obj, const struct json *old,
                           struct schema_findings *bad);
void builtin_check_event(const struct json *obj, const struct json *old,
                         struct schema_findings *bad);
void builtin_check_lease(const struct json *obj, const struct json *old,
                         struct schema_findings *bad);
void builtin_check_priority(const struct json *obj, const struct json *old,
                            struct schema_findings *bad);
/* Choices of every field by its type (`Unsupported value`). */
struct types_struct;
void builtin_check_choices(const struct types_struct *s, const struct json *obj,
                           const char *path, struct schema_findings *bad);

/* builtin_pod.c: a PodSpec at path ("spec.template.spec"). */
void builtin_check_pod_spec(const struct json *spec, const char *path,
                            struct schema_findings *bad);
void builtin_check_pod(const struct json *obj, const struct json *old,
                       struct schema_findings *bad);

#endif
