/*
 * schema.h - structural OpenAPI schemas, as the API server applies them.
 *
 * What: a CRD version's openAPIV3Schema, compiled once, then used to prune,
 * default and validate objects in Kubernetes' own words, to answer how lists
 * and maps merge (server-side apply), and to draw a form (create screen).
 * Rules: k8s.io/apiextensions-apiserver pkg/apiserver/{schema,validation}.
 * CEL rules (x-kubernetes-validations) are part of it: docs/CEL.md.
 * Order of a write: schema_prune, schema_default, schema_validate; of a read
 * from storage: schema_prune, schema_default.
 * Invariants: a compiled schema never changes. Every node of it is a
 * `const struct schema *` that may be used alone.
 * Lifetimes: nodes and all they hand out live as long as the root from
 * schema_compile; the JSON given to it may go.
 * Caps: schema depth 100, 100,000 nodes, 1,000 findings a list.
 */
#ifndef LIB_SCHEMA_SCHEMA_H
#define LIB_SCHEMA_SCHEMA_H

#include "lib/base/json.h"

struct schema;

/* ---- findings ---- */

/* One entry of Status.details.causes. */
struct schema_finding {
    char *field;        /* "spec.ports[1].name"; "<nil>" where it has none */
    const char *reason; /* "FieldValueRequired" and its sisters */
    char *message;      /* "Required value", "Invalid value: 0: spec.size..." */
};

/* All zero is an empty list. */
struct schema_findings {
    struct schema_finding *v;
    size_t n, cap;
};

void schema_findings_release(struct schema_findings *f);
/* Adds one; reason must be a literal; past 1,000 nothing happens. For rules of
 * the caller's own (names, immutable fields). */
void schema_findings_add(struct schema_findings *f, const char *field,
                         const char *reason, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* "field: message", or "[a, b]" of several: what stands behind `is invalid: `.
 */
void schema_findings_text(const struct schema_findings *f, struct buf *out);
/* [{"reason":..,"message":..,"field":..}] */
struct json *schema_findings_causes(const struct schema_findings *f);
/* A value as errors print it, in fresh memory: strings as Go's %q. */
char *schema_value_text(const struct json *v);

/* ---- a schema ---- */

/* Compiles the object under openAPIV3Schema. path is put in front of each
 * problem's field ("spec.validation.openAPIV3Schema"). Returns NULL when there
 * are problems (not structural, a bad pattern, an invalid default); unknown
 * keys and formats are no problem: their texts go to warnings (may be NULL),
 * as `unknown field "foo"` with path, `unrecognized format "zzz"`. */
struct schema *schema_compile(const struct json *openapi, const char *path,
                              struct schema_findings *problems,
                              struct strlist *warnings);
void schema_free(struct schema *root);
void schema_free_ptr(struct schema **root);

/* Drops what the schema does not name. At the root (and in embedded resources)
 * apiVersion, kind and metadata are known, metadata by the fields of
 * ObjectMeta. Adds the paths of what was dropped ("spec.a[0].b", sorted) to
 * unknown (may be NULL). With dry nothing is dropped, only reported. */
void schema_prune(const struct schema *root, struct json *object, bool dry,
                  struct strlist *unknown);
/* Sets defaults where members are absent (or null and not nullable), and drops
 * nulls that are neither nullable nor have a default. */
void schema_default(const struct schema *root, struct json *object);
/* Adds a finding for each fault; true when there is none. metadata is not
 * looked at (names and labels are the caller's). */
bool schema_validate(const struct schema *root, const struct json *object,
                     struct schema_findings *findings);
/* The same of an object that replaces old (NULL: that is created): transition
 * rules see old as oldSelf, and what was wrong before and has not changed
 * passes (ratcheting). */
bool schema_validate_update(const struct schema *root,
                            const struct json *object, const struct json *old,
                            struct schema_findings *findings);
/* The same of a write to the status subresource: only the status is held
 * against the schema, all rules are run. */
bool schema_validate_status(const struct schema *root,
                            const struct json *object, const struct json *old,
                            struct schema_findings *findings);
/* The CEL rules alone, also of an object that does not fit the schema (which
 * schema_validate does not try). */
bool schema_validate_rules(const struct schema *root, const struct json *object,
                           struct schema_findings *findings);
/* A value alone, at path ("spec.size"), without CEL rules: for forms and
 * patches. */
bool schema_validate_value(const struct schema *node, const struct json *value,
                           const char *path, struct schema_findings *findings);

/* ---- nodes ---- */

enum schema_type {
    SCHEMA_ANY, /* no type: int-or-string or preserve-unknown-fields */
    SCHEMA_OBJECT,
    SCHEMA_ARRAY,
    SCHEMA_STRING,
    SCHEMA_INTEGER,
    SCHEMA_NUMBER,
    SCHEMA_BOOLEAN
};

enum schema_list {
    SCHEMA_LIST_ATOMIC, /* the default */
    SCHEMA_LIST_SET,
    SCHEMA_LIST_MAP
};

/* What one node says about itself. Strings are "" and values NULL when absent.
 */
struct schema_info {
    enum schema_type type;
    const char *format, *title, *description, *pattern;
    const struct json *fallback; /* `default` */
    const struct json *choices;  /* `enum`, an array */
    const struct json *example;
    /* Numbers as they stand in the schema. */
    const struct json *minimum, *maximum, *multiple_of;
    bool exclusive_minimum, exclusive_maximum;
    /* Lengths in characters, items or members; -1: no bound. */
    int64_t min_length, max_length, min_items, max_items, min_properties,
        max_properties;
    bool nullable, unique_items;
    bool preserve_unknown, embedded_resource, int_or_string;
    enum schema_list list;
    const struct strlist *list_keys; /* of SCHEMA_LIST_MAP */
    bool map_atomic;                 /* x-kubernetes-map-type: atomic */
    /* x-kubernetes-validations of this node, an array, or NULL. */
    const struct json *rules;
};

const struct schema_info *schema_info(const struct schema *node);
/* "integer", "" for SCHEMA_ANY. */
const char *schema_type_name(enum schema_type type);
/* The schema of a member: of the property, else of additionalProperties; NULL
 * when the schema does not know it. NULL in, NULL out. */
const struct schema *schema_member(const struct schema *node, const char *key);
/* The schema of array elements, or NULL. */
const struct schema *schema_items(const struct schema *node);
/* The schema of map values (additionalProperties), or NULL. */
const struct schema *schema_values(const struct schema *node);
/* Members one below the other, "[]" for items:
 * schema_at(root, "spec", "ports", "[]", NULL). */
const struct schema *schema_at(const struct schema *node, ...)
    __attribute__((sentinel));
/* The named properties in the order of the source. */
size_t schema_property_count(const struct schema *node);
const struct schema *schema_property(const struct schema *node, size_t i,
                                     const char **name, bool *required);

#endif
