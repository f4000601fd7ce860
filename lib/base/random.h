/*
 * random.h - unpredictable bytes (getrandom) and what is made of them.
 */
#ifndef LIB_BASE_RANDOM_H
#define LIB_BASE_RANDOM_H

#include "lib/base/base.h"

void random_bytes(void *out, size_t n);
/* Uniform in [0, limit). */
uint32_t random_below(uint32_t limit);
/* RFC 4122 version 4, lower case, NUL-terminated. */
#define RANDOM_UUID_LEN 37
void random_uuid(char out[RANDOM_UUID_LEN]);
/* n characters of Kubernetes' name alphabet bcdfghjklmnpqrstvwxz2456789
 * (apimachinery util/rand) and a NUL into out[n + 1]. */
void random_name(char *out, size_t n);

#endif
