/*
 * node.h - a compiled schema node, for the files of this floor alone.
 *
 * All of it lives in the arena of the root, but compiled patterns, which the
 * root releases.
 */
#ifndef LIB_SCHEMA_NODE_H
#define LIB_SCHEMA_NODE_H

#include "lib/base/arena.h"
#include "lib/base/map.h"
#include "lib/base/re.h"

#include "lib/schema/schema.h"

struct schema_property {
    const char *name;
    struct schema *schema;
    bool required;
};

struct schema_list_of {
    struct schema **v;
    size_t n;
};

/* A compiled rule of a node. */
struct schema_rule {
    struct cel *rule, *message; /* message: may be NULL */
    const struct json *source;
    const char *path;   /* fieldPath, as findings write it */
    const char *broken; /* why there is no rule */
    bool uses_old, optional_old;
};

struct schema {
    struct schema_info info;
    const struct json *source; /* in root->source */
    struct schema_root *root;
    struct schema *next; /* all nodes, from root->nodes */
    struct schema_property *properties;
    size_t property_count;
    const struct schema_property **by_name; /* sorted */
    struct strlist required;
    struct schema *items, *values, *negated;
    bool any_values; /* additionalProperties: true or false */
    bool closed;     /* additionalProperties: false */
    struct schema_list_of all_of, any_of, one_of;
    struct re *pattern;
    struct schema_rule *rule_list;
    size_t rule_list_count;
    bool has_rules;      /* here or below */
    bool has_invariants; /* here or below: see schema_check_invariants */
    bool is_root;
};

struct schema_root {
    struct arena *arena;
    struct json *source; /* a copy: info points into it */
    struct schema *nodes;
    size_t node_count;
};

/* The fields of ObjectMeta. */
bool schema_meta_field(const char *name);
/* The property with this name or NULL. */
const struct schema_property *schema_find(const struct schema *node,
                                          const char *name);
/* Validates a value whose place is prefix + path; only fields name prefix. */
bool schema_check(const struct schema *node, const struct json *value,
                  const char *prefix, const char *path,
                  struct schema_findings *findings);
/* Are old and v the same as far as this schema can tell? Items of lists of type
 * map may stand in another order; what no schema describes is never the same.
 */
bool schema_same(const struct schema *s, const struct json *old,
                 const struct json *v);
/* The items of a list of type map by their keys; of other lists none. */
void schema_index_items(const struct schema *s, const struct json *list,
                        struct map *items);
/* The one of them that has the keys of this item, or NULL. */
const struct json *schema_same_item(const struct schema *s,
                                    const struct map *items,
                                    const struct json *item);
/* What lists of type set and map and embedded resources must be; lists are not
 * looked at when those of old (may be NULL) are wrong. */
void schema_check_invariants(const struct schema *s, const struct json *value,
                             const struct json *old, const char *path,
                             struct schema_findings *findings);
/* Are there such places in s, whose children are complete? */
bool schema_needs_invariants(const struct schema *s);
/* Drops all but the first n. */
void schema_findings_truncate(struct schema_findings *f, size_t n);
/* Are there rules in s or below? Its children are complete. */
bool schema_needs_rules(const struct schema *s);
/* Static costs of the rules of a schema. */
struct schema_cost_total {
    uint64_t total;
    struct {
        char *path;
        uint64_t cost;
    } worst[4];
    size_t count;
};
/* Where a node with rules stands: see struct openapi_rules. */
struct schema_rule_place {
    const char *path, *uncorrelated;
    const uint64_t *count;
};
void schema_rules_compile(struct schema *s, const struct schema_rule_place *at,
                          struct schema_cost_total *total,
                          struct schema_findings *problems);
/* Adds what an expression may cost at most; what: "estimated rule cost". */
void schema_cost_add(struct schema_cost_total *total, const char *field,
                     const char *what, uint64_t cost,
                     struct schema_findings *problems);
/* Adds what there is to say about all costs together. */
void schema_cost_report(const struct schema_cost_total *total, const char *path,
                        struct schema_findings *problems);
void schema_cost_release(struct schema_cost_total *total);
void schema_rules_release(struct schema *s);
/* Runs the rules of s and below; old may be NULL. path is put in front of
 * fields. */
void schema_rules_check(const struct schema *s, const struct json *value,
                        const struct json *old, const char *path,
                        struct schema_findings *findings);
/* Embedded resources in value (and value itself) alone. */
void schema_check_embedded(const struct schema *s, const struct json *value,
                           const char *path, struct schema_findings *findings);
/* Does s have this format? Unknown formats accept everything. */
bool schema_format_ok(const char *format, struct str s);
bool schema_format_known(const char *format);

/* Paths as text that grows and shrinks: schema_path_key appends ".key" (or
 * "key" at the start), both return the length before for buf_truncate. */
size_t schema_path_key(struct buf *path, const char *key);
size_t schema_path_index(struct buf *path, size_t i);

#endif
