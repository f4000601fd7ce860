/*
 * lint.h - what is wrong with manifests and packages, found without a cluster.
 *
 * What: reads files with places, looks at each document and at what they say
 * together (XRDs, Compositions, Functions, composite resources, the mesh), and
 * composes what can be composed. Each finding has a rule: severity, reason and
 * remedy stand in one table (lint_rules.c).
 * What is not in the files is taken from the built-in mesh packages; those are
 * only asked, never reported on.
 * Lifetimes: a struct lint is zeroed, filled by lint_read, worked by lint_run,
 * released by lint_release.
 */
#ifndef CLI_LINT_H
#define CLI_LINT_H

#include "lib/compose/functions.h"

#include "cli/sources.h"
#include "cli/validate_schemas.h"

enum lint_severity { LINT_ERROR, LINT_WARNING, LINT_INFO };

struct lint_rule {
    const char *id;
    enum lint_severity severity;
    const char *what;   /* one sentence */
    const char *why;    /* what happens on a cluster */
    const char *remedy; /* what to do */
};

/* NULL: no such rule. */
const struct lint_rule *lint_rule_find(const char *id);
/* The i-th rule, NULL past the last. */
const struct lint_rule *lint_rule_at(size_t i);
/* "error", "warning", "info" */
const char *lint_severity_name(enum lint_severity s);

struct lint_finding {
    const struct lint_rule *rule;
    char *file;
    unsigned line, column; /* 0: the whole file */
    char *message;
};

struct lint {
    struct sources sources;
    struct sources builtin; /* of the mesh packages */
    struct schema_set schemas;
    struct functions functions; /* Function objects of the sources */
    struct strlist depends;     /* packages that crossplane.yaml names */
    struct lint_finding *v;
    size_t n, cap;
};

void lint_read(struct lint *l, const char *path);
/* Everything there is to say about what was read, sorted by place. */
void lint_run(struct lint *l);
size_t lint_count(const struct lint *l, enum lint_severity s);
void lint_release(struct lint *l);

/* ---- for the rules ---- */

/* A finding of rule at the value of field ("": the document); key: where its
 * key stands. Past 10,000 nothing is added. */
void lint_add(struct lint *l, const char *rule, const struct source_doc *d,
              const char *field, bool key, const char *fmt, ...)
    PRINTF_LIKE(6, 7);
/* The same at a place that is known. An object's annotation
 * meshtop.dev/lint-ignore ("fixed-name, xrd-v1") keeps its rules silent. */
void lint_add_at(struct lint *l, const char *rule, const struct source_doc *d,
                 struct json_place at, const char *message);
/* "Kind", "group" (NULL: any) of a document. */
bool lint_is(const struct source_doc *d, const char *kind, const char *group);
/* What `meshtop verify` reads beside manifests. */
bool lint_is_expectations(const struct source_doc *d);
/* The XRD that defines a kind, also a claim's: of the sources, else built in.
 * NULL: none. */
const struct json *lint_xrd(const struct lint *l, const char *group,
                            const char *kind);
/* The function behind a step's name: ERR_NOT_FOUND, ERR_UNSUPPORTED. */
const struct function *lint_function(void *lint, const char *name,
                                     struct error *err);
/* Where line k (from 1) of the text at field stands. */
struct json_place lint_text_line(const struct source_doc *d, const char *field,
                                 unsigned k);

/* One file each. */
void lint_objects(struct lint *l);
void lint_compositions(struct lint *l);
void lint_reads(struct lint *l, const struct source_doc *composition);
void lint_mesh(struct lint *l);
/* An object with every field that the schema names; texts that are free are
 * word. */
struct json *lint_sample(const struct schema *s, const char *word);

#endif
