/*
 * admission.h - ValidatingAdmissionPolicies: what their expressions say about
 * every write.
 *
 * What: policies and bindings of the store, compiled once, judge each create,
 * update and delete (dry runs too) after the object was checked and before it
 * is stored: a failed validation refuses the write (Deny), is told in a Warning
 * header (Warn), or nothing (Audit: there is no audit log here).
 * Invariants: policies count as they are committed. The kinds of the group
 * admissionregistration.k8s.io are never judged, so that a policy can always be
 * taken away. Nobody's writes are free of it; our own controllers come as the
 * ServiceAccount crossplane-system/crossplane.
 * Sources: apiserver pkg/admission/plugin/policy/{generic,matching,validating},
 * cel/condition.go; kubernetes pkg/apis/admissionregistration/validation.
 * Lifetimes: the module's state owns everything compiled.
 */
#ifndef DEVENV_SANDBOX_ADMISSION_H
#define DEVENV_SANDBOX_ADMISSION_H

#include "lib/schema/cel.h"

#include "devenv/sandbox/registry.h"

struct server_module;

/* The part of the server that judges. */
extern const struct server_module admission_module;

/* ---- what a policy is told of itself (admission_status.c) ---- */

/* Called after each change of a policy: writes status.observedGeneration and
 * typeChecking of a spec that was not looked at yet, as the API server's
 * controller does (manager validatingadmissionpolicy-status). Types are not
 * checked against the kinds that are matched: there are never warnings. */
void admission_observe(struct registry *r, const struct registry_event *e);

/* ---- policies, compiled (admission_policy.c) ---- */

/* The types of what expressions see. */
struct admission_types {
    struct schema *root;
    const struct schema *request, *namespace_object;
};
void admission_types_init(struct admission_types *t);
void admission_types_release(struct admission_types *t);

/* What expressions see, in this order; params only where the policy names a
 * kind of them. */
enum {
    ADMIT_OBJECT,
    ADMIT_OLD,
    ADMIT_REQUEST,
    ADMIT_NAMESPACE,
    ADMIT_VARIABLES,
    ADMIT_AUTHORIZER, /* not for messages and variables */
    ADMIT_CHECK,
    ADMIT_PARAMS,
    ADMIT_N
};

struct admission_expression {
    const char *source; /* in the policy's JSON; NULL: there is none */
    struct cel *cel;    /* NULL: none, or it does not compile */
    char *trouble;      /* why not */
};

struct admission_validation {
    struct admission_expression rule, message;
    const char *text, *reason; /* message and reason, or NULL */
};

struct admission_policy {
    struct json *json; /* all texts are in it */
    const char *name;
    bool has_params;
    bool ignore; /* failurePolicy */
    struct admission_expression *variables;
    struct cel_field *list;
    struct cel_fields fields; /* those of `variables`, of list */
    struct admission_expression *conditions;
    size_t conditions_n;
    struct admission_validation *validations;
    size_t validations_n;
    /* Compiled and checked; there is no audit log that would show them. */
    struct admission_expression *annotations;
    size_t annotations_n;
};

/* Takes j; types must live as long. What does not compile is kept with its
 * trouble. */
struct admission_policy *admission_compile(const struct admission_types *types,
                                           struct json *j);
void admission_policy_free(struct admission_policy *p);

/* ---- what a policy is about (admission_match.c) ---- */

/* A write as policies see it. */
struct admission_write {
    struct registry *r;
    const struct registry_attempt *a;
    struct json *space; /* the namespace it is in, or NULL */
};

/* Whether MatchResources (a policy's matchConstraints or a binding's) speak of
 * the write; *as (may be NULL): the version in which they do, by matchPolicy
 * Equivalent. NULL resources: of everything. */
bool admission_matches(const struct admission_write *w,
                       const struct json *resources, const struct kind **as);
/* ---- what it says (admission_run.c) ---- */

struct admission_decision {
    char *text;         /* why not; owned */
    const char *reason; /* "Forbidden" ..., in the policy; NULL: Invalid */
};

/* Judges by one policy, with one object of its kind of params (NULL: none).
 * Each validation that fails is put on out, until it is full of
 * ADMIT_DECISIONS. */
#define ADMIT_DECISIONS 64
struct admission_decisions {
    struct admission_decision v[ADMIT_DECISIONS];
    size_t n;
};
void admission_run(const struct admission_policy *p,
                   const struct admission_types *types,
                   const struct admission_write *w, const struct kind *as,
                   const struct json *params,
                   const struct cel_authorizer *authorizer,
                   struct admission_decisions *out);
void admission_decisions_release(struct admission_decisions *d);

/* ---- checks of what is written (admission_check.c) ---- */

void admission_check_policy(const struct json *obj, const struct json *old,
                            struct schema_findings *bad);
void admission_check_binding(const struct json *obj, const struct json *old,
                             struct schema_findings *bad);

#endif
