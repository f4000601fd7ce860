/*
 * meta.h - ObjectMeta: what may stand in it and what may change.
 *
 * Source: apimachinery pkg/api/validation/objectmeta.go.
 */
#ifndef DEVENV_SANDBOX_META_H
#define DEVENV_SANDBOX_META_H

#include "lib/schema/schema.h"

#include "devenv/sandbox/kinds.h"

/* Types of the members, as Go's decoder would complain; 400 in st. A null
 * label is "". */
bool meta_decode(const struct kind *k, struct json *obj, struct status *st);
/* Drops owner references that stand there before; warnings may be NULL. */
void meta_dedupe_owners(struct json *obj, struct strlist *warnings);
/* Name, labels, annotations, owners, finalizers. */
void meta_validate(const struct kind *k, const struct json *obj,
                   struct schema_findings *bad);
/* What an update may not change; each is told twice, as the server asks for all
 * kinds and again for each. */
void meta_validate_update(const struct json *obj, const struct json *old,
                          struct schema_findings *bad);
/* Texts for Warning headers, about what is new since old (NULL: a create). */
void meta_warnings(const struct json *obj, const struct json *old,
                   struct strlist *warnings);

#endif
