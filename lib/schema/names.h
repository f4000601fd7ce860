/*
 * names.h - what Kubernetes allows as a name, a label key, a label value.
 *
 * What: the checks of apimachinery util/validation with their texts. Each
 * appends what is wrong to out (several messages are possible) and answers
 * whether the value is fine.
 */
#ifndef LIB_SCHEMA_NAMES_H
#define LIB_SCHEMA_NAMES_H

#include "lib/base/str.h"

/* RFC 1123 subdomain of at most 253 bytes. */
bool names_subdomain(struct str value, struct strlist *out);
/* RFC 1123 label of at most 63 bytes. */
bool names_label(struct str value, struct strlist *out);
/* DNS-1035 label of at most 63 bytes: begins with a letter. */
bool names_label_1035(struct str value, struct strlist *out);
/* What can stand between two slashes of a path: roles are named so. */
bool names_path(struct str value, struct strlist *out);
/* [prefix/]name: the key of a label or of an annotation, a finalizer. */
bool names_qualified(struct str value, struct strlist *out);
bool names_label_value(struct str value, struct strlist *out);
/* A key of a ConfigMap or Secret. */
bool names_config_key(struct str value, struct strlist *out);
/* "a; b" in fresh memory. */
char *names_join(const struct strlist *messages);

#endif
