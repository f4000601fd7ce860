/*
 * selectors.h - label and field selectors.
 *
 * What: the grammars of apimachinery pkg/labels/selector.go and
 * pkg/fields/selector.go with their error texts.
 * Caps: 64 KiB of text, 1,000 requirements, 10,000 values -> 400.
 * Lifetime: selector_*_parse ... selector_release; an all-zero selector
 * matches everything.
 */
#ifndef DEVENV_SANDBOX_SELECTORS_H
#define DEVENV_SANDBOX_SELECTORS_H

#include "lib/base/json.h"

#include "devenv/sandbox/status.h"

enum selector_op {
    SELECT_IN, /* also = and == */
    SELECT_NOT_IN,
    SELECT_EXISTS,
    SELECT_ABSENT,
    SELECT_GREATER,
    SELECT_LESS
};

struct selector_term {
    char *key;
    enum selector_op op;
    struct strlist values;
    int64_t number; /* of SELECT_GREATER and SELECT_LESS */
};

struct selector {
    struct selector_term *v;
    size_t n, cap;
};

/* Bad text is a 400 in st, out untouched. */
bool selector_labels_parse(struct str text, struct selector *out,
                           struct status *st);
/* Field terms are SELECT_IN or SELECT_NOT_IN with one value. */
bool selector_fields_parse(struct str text, struct selector *out,
                           struct status *st);
/* For AUTO(selector_release). */
void selector_release(struct selector *s);

/* labels: metadata.labels of an object, may be NULL. */
bool selector_labels_match(const struct selector *s, const struct json *labels);
/* value answers the text of a field, "" when the object has none. */
typedef const char *selector_value_fn(void *arg, const char *key);
bool selector_fields_match(const struct selector *s, selector_value_fn *value,
                           void *arg);
/* The value the field `key` must have, when the selector asks for exactly
 * one, else NULL. */
const char *selector_fields_exact(const struct selector *s, const char *key);

/* ---- LabelSelector as an object: {matchLabels, matchExpressions} ---- */

/* Whether labels (may be NULL) satisfy it; an empty one, and NULL, is satisfied
 * by all. */
bool selector_object_matches(const struct json *selector,
                             const struct json *labels);
bool selector_object_empty(const struct json *selector);

#endif
