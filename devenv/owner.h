/*
 * owner.h - whose cluster it is, and which objects in it are ours.
 *
 * What: the mark of a profile in its cluster, ConfigMap kube-system/
 * meshtop-state {profile, engine, run-id, digests of the steps, versions}, and
 * the label meshtop.dev/run=PROFILE on every object we put there.
 * Why: "done" is seen by looking at the world; whose work it was is seen here
 * only. Without our mark a cluster is foreign: it is used when the user named
 * it (--context) or said --adopt, and never deleted.
 * Proof: run-id is drawn before the mark is written and kept in the profile
 * (fact "owner/run"); the mark's uid is kept after (fact "owner/uid"). A mark
 * with our run-id and another uid is a copy of ours: somebody else's. So a kill
 * between the two leaves a mark that is still ours.
 * Invariants: a mark that is not ours is never changed, with or without
 * --adopt; an adopted one is remembered by its uid (fact "owner/adopted").
 * After devenv.md section 5.
 */
#ifndef DEVENV_OWNER_H
#define DEVENV_OWNER_H

#include "devenv/crossplane.h" /* MARK_RUN */

#define OWNER_NAMESPACE "kube-system"
#define OWNER_NAME      "meshtop-state"
#define OWNER_FACT_RUN  "owner/run"

enum owner {
    OWNER_NONE,    /* no mark */
    OWNER_OURS,    /* this profile's */
    OWNER_ADOPTED, /* another's, and the user said to use it all the same */
    OWNER_OTHER    /* another's */
};

struct owner_mark {
    enum owner whose;
    char profile[64]; /* what the mark says, or "" */
    char run_id[64], uid[64];
    struct json *data; /* the ConfigMap's data, or NULL */
};

/* Reads the mark. The API must answer (env_connect). */
bool owner_look(struct env *e, struct owner_mark *out, struct error *err);
void owner_mark_release(struct owner_mark *m);
/* Writes the mark or brings it up to date; facts holds what it is to say (keys
 * of letters, digits, '.' and '-'; may be NULL). One of another profile:
 * MT-CLUSTER-FOREIGN, or with adopt remembered and left alone. Saves the
 * profile. */
bool owner_claim(struct env *e, const struct json *facts, bool adopt,
                 struct error *err);
/* Sets MT-CLUSTER-FOREIGN with whose it is. False. */
bool owner_refuse(const struct env *e, const struct owner_mark *m,
                  struct error *err);
/* Does the mark say all of facts already? */
bool owner_says(const struct owner_mark *m, const struct json *facts);
/* Removes the mark when it is ours, and forgets the facts. What is not there
 * is fine. */
bool owner_release(struct env *e, struct error *err);

/* Is the profile a guest: its cluster is somebody else's (engine context, or a
 * Kind cluster that was adopted)? */
bool owner_is_guest(const struct profile *p);

/* ---- objects ---- */

/* Puts the profile's label on every object of the set. */
void owner_label(struct manifest_set *set, const char *profile);
/* The value of our label on an object, or "". */
const char *owner_of(const struct json *object);
/* Gives `to` the label `from` has, if it has one: for comparing what is there
 * with what would be applied. */
void owner_copy(const struct json *from, struct json *to);
/* Who else an object belongs to, in words ("Helm release crossplane in
 * crossplane-system", "argocd"), into out; an object with our label has
 * nobody: false. */
bool owner_foreign(const struct json *object, const char *profile,
                   struct buf *out);
/* Is m in the cluster, and somebody else's? Then who goes to owner. */
bool owner_find(const struct manifest *m, const struct manifest_apply *o,
                const char *profile, bool *foreign, struct buf *owner,
                struct error *err);
/* On a cluster we are guests in: takes out of the set what is
 * in the cluster already without our label, so that it is neither changed nor
 * deleted; names go to passed (may be NULL). Elsewhere nothing is taken out. */
bool owner_keep_ours(struct env *e, struct manifest_set *set,
                     struct strlist *passed, struct error *err);

#endif
