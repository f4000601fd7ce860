/*
 * rbac.h - who may do what, by the roles and bindings of the store.
 *
 * What: an index of Roles, ClusterRoles and their bindings: for each subject
 * and namespace the bindings that name it, so that a decision looks at the
 * bindings of its user and groups and at no others. rbac_module keeps it and
 * judges requests by it.
 * Invariants: rights only add up; nothing is ever taken away by a rule. A
 * member of system:masters may do everything, without a look at any role.
 * Roles count as they are committed: what a request was promised (a 2xx) holds
 * for the next one.
 * Sources: kubernetes plugin/pkg/auth/authorizer/rbac/rbac.go, registry/rbac.
 */
#ifndef DEVENV_SANDBOX_RBAC_H
#define DEVENV_SANDBOX_RBAC_H

#include "devenv/sandbox/rbac_rule.h"

#define RBAC_GROUP "rbac.authorization.k8s.io"

struct kind;
struct rbac;
struct registry_write;
struct server;
struct server_module;

/* The part of the server that keeps and asks it. */
extern const struct server_module rbac_module;
/* That of a running server; NULL: it has none. */
struct rbac *rbac_of(struct server *server);

struct rbac *rbac_new(void);
void rbac_free(struct rbac *b);

/* A role of ns ("": a ClusterRole) is this now; obj NULL: there is none. */
void rbac_set_role(struct rbac *b, const char *ns, const char *name,
                   const struct json *obj);
/* The same for a binding. */
void rbac_set_binding(struct rbac *b, const char *ns, const char *name,
                      const struct json *obj);

/* Whether who may do a. why (may be NULL) receives the reason as reviews give
 * it: by which binding; or what went wrong on the way to a no, often "". */
bool rbac_allows(const struct rbac *b, const struct identity *who,
                 const struct access *a, struct buf *why);
/* Every rule that holds for who in ns ("": in the whole cluster), those of
 * ClusterRoleBindings first, by name. Lives until the next change. errors: as
 * in why, or NULL. */
void rbac_rules_of(const struct rbac *b, const struct identity *who,
                   const char *ns, struct arena *arena, struct rbac_rules *out,
                   struct buf *errors);
/* The rules of the role of that kind and name as a binding in ns means it;
 * false: there is none. */
bool rbac_role_rules(const struct rbac *b, const char *ns, const char *kind,
                     const char *name, struct rbac_rules *out);

/* A registry_gate_fn: refuses an apply that creates where its user may not
 * create, and a write of a role or binding by which the user would give away
 * more than it has (403, 404). rbac: a struct rbac. */
bool rbac_gate(void *rbac, const struct registry_write *w, const struct kind *k,
               const struct json *obj, const struct json *old,
               struct status *st);

#endif
