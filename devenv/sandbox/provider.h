/*
 * provider.h - the simulated provider: what reconciles managed resources.
 *
 * What: every kind in category "managed" is looked at as crossplane-runtime's
 * managed reconciler does it, over a cloud (cloud.h) that is a kind of object.
 * For the kinds of managed_kinds.h it also resolves references, knows which
 * fields cannot be changed, and reports as that cloud would.
 * Source: crossplane-runtime 2.0.8 pkg/reconciler/managed (order, words),
 * pkg/reference, pkg/resource/providerconfig.go, pkg/reconciler/providerconfig;
 * upjet 2 pkg/controller/external_tfpluginsdk.go (words of a refused update).
 * What is written in fewer steps than upstream: external name, finalizer,
 * references, creation annotations and late initialisation are one update of
 * the object, because nothing can fail between them; all is one commit.
 * Nothing is polled: a change of the resource, of its cloud object, of a
 * config or of what it refers to makes it be looked at.
 * Lifetimes: struct provider is owned by struct control; struct look is one
 * look at one object.
 */
#ifndef DEVENV_SANDBOX_PROVIDER_H
#define DEVENV_SANDBOX_PROVIDER_H

#include "devenv/sandbox/cloud.h"
#include "devenv/sandbox/control.h"
#include "devenv/sandbox/faults.h"

#define EXTERNAL_NAME "crossplane.io/external-name"

struct provider {
    struct control *control;
    struct managed_kinds *kinds; /* NULL until the first managed resource */
    struct cloud cloud;
    struct faults faults;
    struct map seen;    /* object -> int64 revision of our last write of it */
    struct map waiting; /* "group/Kind" -> struct map of objects that refer to
                           one of that kind which is not there yet */
};

struct provider *provider_new(struct control *c);
void provider_free(struct provider *p);
/* Every event. True: it was our own write of a managed resource, and there is
 * nothing to look at. */
bool provider_heard(struct provider *p, const struct registry_event *e);
/* Writes were taken back: what is remembered is not so. */
void provider_rolled_back(struct provider *p);

/* ---- shared by provider_*.c ---- */

/* The newest write of obj is the provider's own (provider_events.c). */
void provider_wrote(struct provider *p, const char *group, const char *plural,
                    const struct json *obj);
bool provider_is_config(const struct kind *k);

enum {
    MAY_OBSERVE = 1,
    MAY_CREATE = 2,
    MAY_UPDATE = 4,
    MAY_DELETE = 8,
    MAY_LATE_INITIALISE = 16,
    MAY_ALL = 31
};

struct look {
    struct provider *p;
    struct control *c;
    const struct kind *k;
    const struct managed_kind *mk; /* NULL: not in our table */
    const struct job *job;
    struct json *mr;
    struct json *before;   /* status as it was read */
    struct json *external; /* what the cloud has, or NULL */
    unsigned may;
    bool legacy; /* cluster-scoped, with a deletionPolicy */
    bool dirty;  /* mr has changes outside status to be written */
    char component[160];
};

/* Fills in what refers to other objects (provider_refs.c). False: why has the
 * words. */
bool provider_resolve(struct look *l, struct buf *why);
/* Records the use of the config; false: it is not there (provider_config.c). */
bool provider_connect(struct look *l, struct buf *why);
/* One look at a ProviderConfig: users, and whether it may go. */
bool provider_config(struct provider *p, const struct kind *k,
                     const struct job *j);

/* ---- what is there and what is wanted (provider_fields.c) ---- */

/* forProvider and initProvider as the cloud gets them; the caller's. */
struct json *provider_wanted(const struct look *l);
/* Takes over into forProvider what the cloud says and nobody said; true: it
 * changed something. imported: all of it. */
bool provider_late_initialise(struct look *l, bool imported);
/* Whether the cloud differs from what is wanted; if it must not change, refusal
 * has the words. *next: the parameters after the update; the caller's. */
bool provider_differs(const struct look *l, struct json **next,
                      struct buf *refusal);

/* ---- what the cloud says (provider_report.c) ---- */

/* Expands {x} in text (assets/providers/kinds.yaml says which there are). step
 * is for messages, or NULL. */
void provider_text(const struct look *l, const char *text, const char *step,
                   struct buf *out);
/* The name the provider gives; false: it is the user's to give. */
bool provider_names(const struct look *l, struct buf *out);
/* Sets status.atProvider. */
void provider_report(struct look *l);
/* Brings the connection secret to what is. False: why has the words. */
bool provider_publish(struct look *l, struct buf *why);

#endif
