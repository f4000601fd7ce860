/*
 * names.h - names that Crossplane's core makes for composed resources.
 *
 * Source: crossplane 2.0.8 internal/names/names.go; apimachinery
 * util/validation IsDNS1123Subdomain.
 */
#ifndef LIB_COMPOSE_NAMES_H
#define LIB_COMPOSE_NAMES_H

#include "lib/base/str.h"

#define NAME_CHILD_MAX 64

/* "<prefix>-<12 hex of sha256(uid + name)>" in at most 63 bytes: a longer
 * prefix is cut. */
void name_child(struct str prefix, struct str uid, struct str name,
                char out[NAME_CHILD_MAX]);
/* An RFC 1123 subdomain of at most 253 bytes. */
bool name_is_subdomain(struct str name);

#endif
