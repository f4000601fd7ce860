/*
 * workload_looks.h - one look at one object that would run, be bound or be
 * counted on a cluster; by the files they are in.
 *
 * Each look brings the objects below its object to what they should be, then
 * the status to what is there. It is called again when anything it made
 * changes (control.c), and must write nothing when all is as it should
 * be.
 */
#ifndef DEVENV_SANDBOX_WORKLOAD_LOOKS_H
#define DEVENV_SANDBOX_WORKLOAD_LOOKS_H

#include "devenv/sandbox/control.h"

typedef void workload_look(struct control *c, const struct kind *k,
                           struct json **obj);

/* workload_deployment.c */
workload_look workload_deployment;
/* workload_replicas.c: ReplicaSets, ReplicationControllers, StatefulSets */
workload_look workload_replicas, workload_stateful_set;
/* workload_job.c */
workload_look workload_job;
/* workload_storage.c; a claim that is going is looked at, too */
workload_look workload_claim, workload_volume, workload_quota;
/* workload_service.c */
workload_look workload_service;
/* Services that select the pod are looked at. */
void workload_pod_changed(struct control *c, const struct json *pod);

/* An object went: what made it, or was made for it, is looked at. */
void workload_gone(struct control *c, const struct registry_event *e);

/* ---- what they share (workload.c) ---- */

#define WORKLOAD_MANAGER "kube-controller-manager"
#define WORKLOAD_MAX     1000 /* pods of one owner, at most */

/* The objects of a kind in owner's namespace that it controls; an array. */
struct json *workload_children(struct control *c, const char *group,
                               const char *plural, const struct json *owner);
/* Creates obj (taken); false: refused. */
bool workload_create(struct control *c, const char *group, const char *plural,
                     struct json *obj);
void workload_delete(struct control *c, const char *group, const char *plural,
                     const struct json *obj);
/* A pod of spec.template, owned by owner; labels are added to it (may be
 * NULL). */
bool workload_make_pod(struct control *c, const struct json *owner,
                       const char *name, const struct json *labels);
/* Writes obj's status when it is not before (which is status as it was). */
void workload_put_status(struct control *c, const struct kind *k,
                         struct json **obj, const struct json *before);
/* Sets a condition with message; update: with lastUpdateTime, too. */
void workload_condition(struct control *c, struct json *obj, const char *type,
                        const char *status, const char *reason,
                        const char *message, bool update);
/* The template's hash as the real names have it ("7d4b8c9f5d"). */
void workload_hash(const struct json *template, char out[12]);
#define WORKLOAD_HASH_LEN 12
/* "web-" and five characters, in fresh memory. */
char *workload_random_name(const char *stem);

#endif
