/*
 * docker_tar.h - archives of one file, as engines take and give them
 * (PUT and GET /containers/ID/archive; POSIX ustar).
 *
 * What: a source streams header, content and end of an archive that holds one
 * regular file; the reader finds the one file of an archive in memory.
 * Lifetimes: a source's content must outlive it; its descriptor is not owned.
 */
#ifndef DEVENV_DOCKER_TAR_H
#define DEVENV_DOCKER_TAR_H

#include <sys/types.h>

#include "lib/base/error.h"
#include "lib/base/str.h"

#define TAR_BLOCK    512
#define TAR_NAME_MAX 100

struct docker_tar {
    char head[TAR_BLOCK];
    int fd; /* content from here, or -1: */
    struct str content;
    uint64_t size;      /* of the content */
    uint64_t at, total; /* bytes given, bytes of the archive */
};

/* name without folders, at most 99 bytes (ERR_LIMIT). */
bool docker_tar_init(struct docker_tar *t, const char *name, unsigned mode,
                     uint64_t size, struct error *err);
/* The next bytes, at most n; 0 at the end, -1 when the descriptor gives less
 * than size. */
ssize_t docker_tar_read(struct docker_tar *t, char *p, size_t n);

/* The content of the archive's first regular file, a view into tar. A folder
 * or a link is ERR_INVALID, a cut or damaged archive ERR_PARSE. */
bool docker_tar_file(struct str tar, struct str *content, struct error *err);

#endif
