/*
 * yaml_plain.h - the YAML that most manifests are written in, read quickly.
 *
 * What: block mappings and sequences of scalars and flow collections on one
 * line and of literal blocks ("|", "|-"), in ASCII, with comments on lines of
 * their own. Why: that
 * is nearly all that templates write, and libyaml takes several hundred
 * instructions a byte.
 * Invariant: what is read is what yaml.c reads with libyaml, tree by tree and
 * line by line (tests/fuzz/fuzz_yaml.c compares the two). Whatever is not
 * surely so - anything unusual, anything wrong - is not read at all: no error
 * ever comes from here.
 */
#ifndef LIB_BASE_YAML_PLAIN_H
#define LIB_BASE_YAML_PLAIN_H

#include "lib/base/yaml.h"
#include "lib/base/yaml_scalar.h"

/* o has no zeros. False: *out is untouched and yaml.c has to read the text. */
bool yaml_plain(struct str text, const struct yaml_options *o,
                struct yaml_docs *out);

/* A scalar that was resolved, as a node with this key (NULL: none); NULL when
 * JSON has no such number. s: its text. */
struct json *yaml_scalar_node(const struct yaml_scalar *v, struct str s,
                              const struct str *key);

#endif
