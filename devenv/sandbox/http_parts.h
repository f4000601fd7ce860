/*
 * http_parts.h - reading a body of pieces from front to back.
 *
 * Lifetime: the reader owns the pieces; parts_reader_free.
 */
#ifndef DEVENV_SANDBOX_HTTP_PARTS_H
#define DEVENV_SANDBOX_HTTP_PARTS_H

#include "devenv/sandbox/http.h"

struct parts_reader {
    struct http_parts parts;
    size_t piece, start; /* the piece that the last read ended in */
    bool *read;          /* set by each read, or NULL */
};

/* Takes the pieces of p, which is empty after. */
struct parts_reader *parts_reader_new(struct http_parts *p);
/* Copies at most max bytes from offset at, which never goes back; 0 at the
 * end. */
size_t parts_read(struct parts_reader *r, size_t at, char *out, size_t max);
/* void *, for the library that calls it. */
void parts_reader_free(void *reader);

#endif
