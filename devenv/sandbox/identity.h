/*
 * identity.h - who a request is, and how that was proved.
 *
 * What: a user's name, uid, groups and extra, as Kubernetes' user.Info has
 * them. A ServiceAccount is the user "system:serviceaccount:NS:NAME".
 * Why a file of its own: the server finds out (authn.h), roles judge (rbac.h),
 * writes and reviews ask; none of them needs the others for it.
 * Invariants: name is never NULL; groups and extra keep their order; nothing
 * changes once it is made. The one without a name is anonymous.
 * Lifetimes: an identity lives in the arena it was made in (that of its
 * request), or as long as the connection it was proved on.
 */
#ifndef DEVENV_SANDBOX_IDENTITY_H
#define DEVENV_SANDBOX_IDENTITY_H

#include "lib/base/arena.h"
#include "lib/base/json.h"

#define GROUP_MASTERS         "system:masters"
#define GROUP_AUTHENTICATED   "system:authenticated"
#define GROUP_UNAUTHENTICATED "system:unauthenticated"
#define GROUP_ACCOUNTS        "system:serviceaccounts"
#define USER_ANONYMOUS        "system:anonymous"

enum identity_proof {
    PROOF_NONE,        /* anonymous */
    PROOF_TOKEN,       /* the admin's token or one of a token file */
    PROOF_ACCOUNT,     /* a ServiceAccount's token */
    PROOF_CERTIFICATE, /* a client certificate of our CA */
    PROOF_IMPERSONATED /* somebody who may acts as this one */
};

struct identity_extra {
    struct identity_extra *next;
    const char *key, *value; /* a key may come more than once */
};

struct identity {
    const char *name;
    const char *uid; /* "" when there is none */
    const char **groups;
    size_t groups_n;
    struct identity_extra *extra; /* in order; NULL: none */
    enum identity_proof proof;
    bool master; /* in system:masters: may do everything */
};

/* A user without groups; the texts are copied. uid may be NULL. */
struct identity *identity_new(struct arena *a, enum identity_proof proof,
                              const char *name, const char *uid);
/* Adds a group unless it is there already. */
void identity_add_group(struct arena *a, struct identity *id, struct str group);
void identity_add_extra(struct arena *a, struct identity *id, const char *key,
                        const char *value);
bool identity_in_group(const struct identity *id, const char *group);
/* The admin: user "admin" in system:masters. */
struct identity *identity_admin(struct arena *a);
/* system:anonymous in system:unauthenticated. */
struct identity *identity_anonymous(struct arena *a);
/* The ServiceAccount NS/NAME with its three groups. */
struct identity *identity_account(struct arena *a, enum identity_proof proof,
                                  struct str ns, struct str name,
                                  const char *uid);
/* Takes "system:serviceaccount:NS:NAME" apart; false: it is no such name. */
bool identity_split_account(const char *user, struct str *ns, struct str *name);
/* {username, uid, groups, extra} as in the status of reviews; absent ones are
 * left out. */
struct json *identity_json(const struct identity *id);

#endif
