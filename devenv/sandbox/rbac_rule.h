/*
 * rbac_rule.h - one rule of a role: what it allows, what it covers, how it is
 * written in messages.
 *
 * What: PolicyRule of rbac.authorization.k8s.io/v1 as lists of texts, read
 * once from the role's JSON.
 * Sources: kubernetes apis/rbac/v1/evaluation_helpers.go (matching),
 * component-helpers auth/rbac/validation/policy_comparator.go (covering),
 * registry/rbac/validation/policy_compact.go (messages).
 * Lifetime: everything lives in the arena it was read into.
 */
#ifndef DEVENV_SANDBOX_RBAC_RULE_H
#define DEVENV_SANDBOX_RBAC_RULE_H

#include "devenv/sandbox/access.h"

struct rbac_list {
    const char **v;
    size_t n;
};

struct rbac_rule {
    struct rbac_list verbs, groups, resources, names, urls;
};

struct rbac_rules {
    struct rbac_rule *v;
    size_t n;
};

/* The member "rules" of a role; absent: none. */
void rbac_rules_read(const struct json *role, struct arena *a,
                     struct rbac_rules *out);
/* The rule lets somebody do it. */
bool rbac_rule_allows(const struct rbac_rule *r, const struct access *a);

/* Which single rights of wanted no rule of held covers: one verb, group,
 * resource and name each. */
void rbac_missing(const struct rbac_rules *held,
                  const struct rbac_rules *wanted, struct arena *a,
                  struct rbac_rules *out);
/* The rules as `{APIGroups:["x"], Resources:["y"], Verbs:["get"]}`, those that
 * differ in their verbs alone as one, sorted, a line each. */
void rbac_print_missing(const struct rbac_rules *missing, struct arena *a,
                        struct buf *out);

#endif
