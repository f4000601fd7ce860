/*
 * junit.h - checks as JUnit XML, for the machines that run other people's
 * tests.
 *
 * What: one testsuite a group, one testcase a check, in the order they came.
 * Invariants: the file is valid XML 1.0 whatever the texts hold: characters
 * XML does not know (control characters, bytes that are no UTF-8) become
 * U+FFFD; a file is there whole or as it was before.
 * Lifetimes: junit_new ... junit_free; texts are copied.
 */
#ifndef DEVENV_JUNIT_H
#define DEVENV_JUNIT_H

#include "lib/base/error.h"

#include "devenv/verify.h"

struct junit;

struct junit *junit_new(const char *name);
void junit_free(struct junit *j);
void junit_free_ptr(struct junit **j);
void junit_add(struct junit *j, const struct verify_check *check);
/* The document, in fresh memory; NULL and ERR_LIMIT beyond 64 MiB. */
char *junit_text(const struct junit *j, struct error *err);
/* Replaces path atomically; what is there and no file (a pipe, a terminal) is
 * written to. "-": standard output. A full disk, no right, a folder: err. */
bool junit_write(const struct junit *j, const char *path, struct error *err);

#endif
