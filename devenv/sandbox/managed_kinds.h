/*
 * managed_kinds.h - the managed kinds of the cloud providers that the sandbox
 * knows.
 *
 * What: assets/providers/kinds.yaml, one entry a kind, as a table in memory,
 * and the CustomResourceDefinitions made of it (managed_crd.c): what upjet
 * generates, without the texts. The fields of forProvider are all there; below
 * them objects are open, so that nothing is pruned that a real provider keeps.
 * A family is one cloud ("gcp"); its groups end in FAMILY.m.upbound.io, and it
 * has ProviderConfig, ClusterProviderConfig and ProviderConfigUsage.
 * Source: the CRDs of provider-upjet-aws 2.6.0, -gcp 3.0.0, -azure 2.7.0; which
 * field refers to what, and what is read there: their generated resolvers;
 * which cannot be changed: the Terraform providers' ForceNew.
 * Invariant: a managed kind that is not in the table (a CRD of the user in
 * category "managed") is simulated too, without references and drift words.
 * Lifetimes: everything lives as long as the table.
 */
#ifndef DEVENV_SANDBOX_MANAGED_KINDS_H
#define DEVENV_SANDBOX_MANAGED_KINDS_H

#include "devenv/sandbox/registry.h"

#define MANAGED_VERSION "v1beta1"
#define MANAGED_ASSET   "assets/providers/kinds.yaml"

struct managed_field;

struct managed_family {
    const char *name;             /* "gcp" */
    char *group;                  /* "gcp.m.upbound.io" */
    const struct json *column;    /* of the configs, or NULL: SECRET-NAME */
    const struct json *vars;      /* what the configuration would say */
    struct managed_field *fields; /* of a config's spec */
    size_t fields_n;
};

struct managed_field {
    const char *name;
    char type;     /* s n b m o l L, as in the asset */
    bool required; /* by the schema: identifies the resource */
    bool needed;   /* by the CEL rule: in forProvider or initProvider */
    bool only_for; /* not in initProvider */
    bool fixed;    /* cannot be changed after creation */
    bool refers;   /* there are NAMERef and NAMESelector */
    const char *group, *kind; /* to this; NULL: a kind we do not serve */
    const char *extract;      /* "id", "arn", or NULL: its external name */
    const char *fallback;     /* what the cloud fills in, or NULL */
};

struct managed_kind {
    const struct managed_family *family;
    const char *group, *kind; /* "bigquery.gcp.m.upbound.io", "Dataset" */
    char *plural;
    struct managed_field *fields;
    size_t fields_n;
    const char *named;         /* template of the name the provider gives, or
                                  NULL: the external name is given to it */
    const struct json *at;     /* templates of status.atProvider, or NULL */
    const struct json *secret; /* of the connection secret, or NULL */
};

struct managed_kinds;

struct managed_kinds *managed_kinds_new(struct error *err);
void managed_kinds_free(struct managed_kinds *m);
/* NULL: not in the table. */
const struct managed_kind *managed_kinds_find(const struct managed_kinds *m,
                                              const char *group,
                                              const char *kind);
const struct managed_field *managed_kind_field(const struct managed_kind *k,
                                               const char *name);
size_t managed_kinds_count(const struct managed_kinds *m);
const struct managed_kind *managed_kinds_at(const struct managed_kinds *m,
                                            size_t i);

/* How many families; *first is the first of them. */
size_t managed_kinds_families(const struct managed_kinds *m,
                              const struct managed_family **first);

/* ---- definitions (managed_crd.c) ---- */

/* The definition of a kind of the table or of a family's configs, a fresh tree;
 * NULL: not in the table. */
struct json *managed_kinds_definition(const struct managed_kinds *m,
                                      const char *group, const char *kind);
/* Serves every kind of the table, the configs of its families and the kinds of
 * cloud.h. Definitions that a sandbox with the same assets has installed are
 * left as they are, changed or deleted by somebody since or not. */
bool managed_kinds_install(struct registry *r, struct error *err);

#endif
