/*
 * write.h - the steps that creates, updates and patches have in common.
 *
 * Invariant of a job: st is set by the step that answers false. Lifetime: old
 * is the job's and freed by whoever made the job.
 */
#ifndef DEVENV_SANDBOX_WRITE_H
#define DEVENV_SANDBOX_WRITE_H

#include "devenv/sandbox/managed.h"
#include "devenv/sandbox/registry_state.h"

/* A write under way. */
struct write_job {
    struct registry *r;
    const struct kind *k;
    const struct registry_write *w;
    struct json *old;             /* NULL: create */
    int64_t rev;                  /* of old */
    bool applied;                 /* managedFields are done */
    bool generated;               /* the name was made here */
    bool patched;                 /* a patch, not apply */
    const struct json *strategic; /* the patch, when it was one of those */
    struct status *st;
};

/* apiVersion and kind, when given, are those of the kind. */
bool write_check_type(const struct write_job *j, const struct json *obj);
/* obj has a name, and it is that of the URL; 400. */
bool write_check_name(const struct json *obj, const char *name,
                      struct status *st);
/* 422: what the patch made of obj cannot be. */
bool write_bad_patch(const struct write_job *j, const struct json *obj,
                     const char *why);
/* Sets metadata.namespace, or refuses another one. */
bool write_check_namespace(const struct write_job *j, const char *ns,
                           struct json *obj);
bool write_check_manager(const struct registry_write *w, struct status *st);
/* Drops and reports what the schema does not know. */
bool write_prune(const struct write_job *j, struct json *obj);
/* Loads old; 404. */
bool write_load(struct write_job *j, const char *ns, const char *name);
/* The resourceVersion in obj, if any, is old's. */
bool write_check_version(const struct write_job *j, const struct json *obj);
/* The uid in obj, if any, is old's; 409. */
bool write_check_uid(const struct write_job *j, const struct json *obj);
/* The CRD is not going, the namespace is there and stays. */
bool write_may_create(const struct write_job *j, const char *ns,
                      const char *name);
/* What the server sets in a new object. */
void write_stamp_new(struct write_job *j, struct json *obj);
/* The writer as managedFields sees it; now is filled and must live as long. */
struct managed_by write_managed_by(struct write_job *j,
                                   char now[CLOCK_RFC3339_LEN]);
/* Takes obj through defaults, managedFields and checks into the store; returns
 * what is stored now. */
struct json *write_finish(struct write_job *j, struct json *obj);

#endif
