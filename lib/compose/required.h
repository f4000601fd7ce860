/*
 * required.h - resources that a function asked for: selectors, what came,
 * sorting (private to lib/compose).
 *
 * What function-extra-resources and function-environment-configs have in
 * common; each says in its own words how many it expected.
 * Lifetimes: items view the request; required_release frees only the list.
 * Source: function-extra-resources 0.3.0 and function-environment-configs
 * 0.7.1, fn.go.
 */
#ifndef LIB_COMPOSE_REQUIRED_H
#define LIB_COMPOSE_REQUIRED_H

#include "lib/compose/function.h"
#include "lib/compose/strict.h"

/* The Go types of both inputs: policy and selector.matchLabels. */
extern const struct strict_type required_policy_type, required_labels_type;

/* A selector for source's ref or selector, or NULL: no requirement (no label
 * is left, or a type that is none). xr: where labels are read from. False: err
 * says which label. */
bool required_selector(const struct json *source, const char *api_version,
                       const char *kind, const struct json *xr,
                       struct json **out, struct error *err);
/* spec.policy.resolution is Optional. */
bool required_is_optional(const struct json *spec);
/* source.type is Selector. */
bool required_is_selector(const struct json *source);

struct required_item {
    const struct json *object;
    const struct json *key; /* what it is sorted by; NULL: absent or null */
    size_t place;
};
struct required_items {
    struct required_item *v;
    size_t n;
};
/* found: an entry of requiredResources. */
void required_open(struct required_items *r, const struct json *found);
void required_release(struct required_items *r);
/* Sorts by selector.sortByFieldPath (default metadata.name), numbers or
 * strings, an absent one counts as empty; equal ones keep their order. kinds:
 * an unsupported type is named by its kind instead of its type. */
bool required_sort(struct required_items *r, const struct json *selector,
                   bool kinds, struct error *err);
/* Fewer than selector.minMatch: false and *least. */
bool required_enough(const struct required_items *r,
                     const struct json *selector, uint64_t *least);
/* Drops what is behind selector.maxMatch. */
void required_cut(struct required_items *r, const struct json *selector);

#endif
