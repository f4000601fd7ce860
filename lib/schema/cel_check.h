/*
 * cel_check.h - the types of an expression while it is checked.
 *
 * What: cel-go's checker in two files: cel_type.c knows what a type is and
 * when one fits another, cel_check.c walks the tree. Types live in the arena
 * of the compiler; no type is ever changed.
 */
#ifndef LIB_SCHEMA_CEL_CHECK_H
#define LIB_SCHEMA_CEL_CHECK_H

#include "lib/schema/cel_node.h"
#include "lib/schema/node.h"

/* A loop variable in sight. */
struct cel_scope {
    struct str name;
    size_t slot;
    const struct cel_type *type;
    const struct cel_scope *outer;
};

struct cel_checker {
    struct cel_compiler *c;
    const struct cel_scope *scope;
    size_t depth; /* loop variables in sight */
    /* What type parameters stand for; NULL: not known yet. */
    const struct cel_type **bound;
    size_t bound_count, bound_cap;
};

const struct cel_type *cel_type_dyn(void);
const struct cel_type *cel_type_bad(void);
const struct cel_type *cel_type_new(struct cel_checker *c, char kind,
                                    const struct cel_type *a,
                                    const struct cel_type *b);
/* A fresh type parameter. */
const struct cel_type *cel_type_variable(struct cel_checker *c);
/* One type of a signature; parameters: 4, NULL at first, shared by the types of
 * one signature. */
const struct cel_type *cel_type_read(struct cel_checker *c,
                                     const char **signature,
                                     const struct cel_type **parameters);
/* NULL: CEL cannot see values of this schema (or of NULL). name is shown for
 * objects. */
const struct cel_type *cel_type_of_schema(struct cel_checker *c,
                                          const struct schema *s,
                                          const char *name);
/* The type of a field, by its escaped name; NULL: there is none. */
const struct cel_type *cel_type_field(struct cel_checker *c,
                                      const struct cel_type *object,
                                      struct str name);
/* Can every t[i] be given where u[i] is wanted? Parameters are bound only when
 * all can. */
bool cel_type_assignable(struct cel_checker *c, const struct cel_type *const *t,
                         const struct cel_type *const *u, size_t n);
/* The more general of two; NULL: they do not go together. */
const struct cel_type *cel_type_join(struct cel_checker *c,
                                     const struct cel_type *was,
                                     const struct cel_type *now);
/* With parameters replaced by what they stand for; unknown ones by dyn. */
const struct cel_type *cel_type_known(struct cel_checker *c,
                                      const struct cel_type *t, bool to_dyn);
bool cel_type_same(const struct cel_type *a, const struct cel_type *b);

/* ---- estimates ---- */

/* The smallest JSON that a value of the schema takes, in bytes. */
uint64_t cel_min_size(const struct schema *s);

#endif
