/*
 * usage_index.h - which usages speak of an object, and the guard that keeps
 * what is in use from being deleted.
 *
 * What: an index of the Usages and ClusterUsages (and of the older Usages of
 * group apiextensions) by the objects they name, and what Crossplane does with
 * a webhook: a deletion of an object that is in use is refused.
 * Invariant: the index holds every usage that is committed: it is filled at
 * the start and fed by events.
 * Lifetimes: one for a control, freed before it; readers of a usage view it.
 * Source: crossplane 2.0.8 internal/webhook/protection/usage,
 * internal/protection/usage.
 */
#ifndef DEVENV_SANDBOX_USAGE_INDEX_H
#define DEVENV_SANDBOX_USAGE_INDEX_H

#include "devenv/sandbox/control.h"

#define USAGE_IN_USE "crossplane.io/in-use" /* label of a used object */
/* Annotation of one whose deletion was refused: the policy asked for. */
#define USAGE_ATTEMPT "usage.crossplane.io/deletion-attempt-with-policy"

struct usage_kind {
    const char *group, *plural;
    const char *component; /* of its events */
    const char *go_type;   /* as the webhook prints it */
};
/* The row of a kind of usages, NULL for any other kind. */
const struct usage_kind *usage_kind_of(const struct kind *k);

struct usage_index;
/* Reads all usages; stands before deletions until usage_index_free. */
struct usage_index *usage_index_new(struct control *c);
void usage_index_free(struct usage_index *x);
/* Hears of every change: keeps the index, and makes jobs of the usages that
 * speak of an object that came or went. */
void usage_index_event(struct usage_index *x, const struct registry_event *e);

/* The usages of obj. */
struct users {
    size_t n;
    struct json *first;           /* or NULL; the caller's */
    const struct usage_kind *row; /* of the first */
};
void usage_find(struct usage_index *x, const struct kind *k,
                const struct json *obj, struct users *out);

/* ---- one side of a usage: spec.of or spec.by ---- */
const struct json *usage_side(const struct json *usage, const char *side);
/* resourceRef.name, "" while a selector has not been resolved. */
const char *usage_ref_name(const struct json *side);
/* The namespace it names; else that of the usage. */
const char *usage_ref_namespace(const struct json *usage,
                                const struct json *side);
/* NULL: not served, err says so. */
const struct kind *usage_kind_named(struct control *c, const struct json *side,
                                    struct error *err);
/* The object in namespace ns and its kind; NULL: there is none, err says so. */
struct json *usage_get_side(struct control *c, const struct json *side,
                            const char *ns, const struct kind **k,
                            struct error *err);
const char *usage_policy_name(enum registry_propagation p);

#endif
