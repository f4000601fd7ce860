/*
 * re.h - regular expressions in RE2's syntax, in linear time.
 *
 * What: Go's regexp package as Kubernetes and sprig use it: leftmost-first
 * match, captures, classes, flags (?ims-U), lazy repeats, \pL and friends; no
 * back references, no look-around. Why our own: patterns come from a cluster,
 * and regcomp is neither bounded nor RE2.
 * Caps: 64 KiB of pattern, 1,000 for a repeat count (as RE2), 100,000 program
 * steps, nesting 1,000 -> ERR_LIMIT. Time: O(pattern x text).
 */
#ifndef LIB_BASE_RE_H
#define LIB_BASE_RE_H

#include "lib/base/buf.h"
#include "lib/base/error.h"

struct re;

/* Compile error texts follow Go: "error parsing regexp: missing closing ):
 * `a(`". */
struct re *re_compile(struct str pattern, struct error *err);
void re_free(struct re *re);
void re_free_ptr(struct re **re);
/* Number of capture groups, the whole match not counted. */
size_t re_groups(const struct re *re);
/* The name of group i (1..), "" when it has none. */
const char *re_group_name(const struct re *re, size_t i);

struct re_span {
    size_t start, end; /* byte offsets; start == SIZE_MAX: did not take part */
};

/* Leftmost match at or after from. spans (may be NULL) gets n entries: 0 is
 * the whole match. */
bool re_search(const struct re *re, struct str text, size_t from,
               struct re_span *spans, size_t n);
/* Unanchored, as Go's MatchString. */
bool re_match(const struct re *re, struct str text);
/* Go's ReplaceAllString: $1, ${name} in with are expanded when expand. */
bool re_replace_all(const struct re *re, struct str text, struct str with,
                    bool expand, struct buf *out);

#endif
