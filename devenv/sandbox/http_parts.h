/*
 * http_parts.h - reading a body of pieces from front to back.
 *
 * Lifetime: the reader owns the pieces; parts_reader_free.
 */
#ifndef DEVENV_SANDBOX_HTTP_PARTS_H
#define DEVENV_SANDBOX_HTTP_PARTS_H

#include "lib/base/random.h"

#include "devenv/sandbox/http.h"

struct parts_reader {
    struct http_parts parts;
    size_t piece, start; /* the piece that the last read ended in */
    bool *read;          /* set by each read, or NULL */
    size_t *unsent;      /* loses what was copied at the end, or NULL */
};

/* Takes the pieces of p, which is empty after. */
struct parts_reader *parts_reader_new(struct http_parts *p);
/* Copies at most max bytes from offset at, which never goes back; 0 at the
 * end. */
size_t parts_read(struct parts_reader *r, size_t at, char *out, size_t max);
/* void *, for the library that calls it. */
void parts_reader_free(void *reader);

/* A random UUID (version 4) without a system call for each: splitmix64 from a
 * random start, *state. Ids must be different, nobody needs to be unable to
 * guess. */
void http_new_id(uint64_t *state, char out[RANDOM_UUID_LEN]);

#endif
