/*
 * file.h - whole files: read with a cap, written so that a crash leaves the
 * old or the new content and nothing between.
 */
#ifndef LIB_BASE_FILE_H
#define LIB_BASE_FILE_H

#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/base/error.h"

/* Reads path ("-": standard input) to its end into out; more than out's max
 * is ERR_LIMIT, a missing file ERR_NOT_FOUND, no right ERR_DENIED. */
bool file_read(const char *path, struct buf *out, struct error *err);
/* Writes data to path through a temporary file beside it, fsync and rename;
 * the mode is set before any byte is there. */
bool file_write(const char *path, struct str data, mode_t mode,
                struct error *err);
/* A file that appears whole or not at all, for content that comes in pieces:
 * written beside path (0600, no link is followed), then kept: mode, fsync,
 * rename; a link in path's place is replaced. Released before, nothing is left.
 * FILE_NEW_NONE and a released one may be released. */
struct file_new {
    int folder, fd; /* write to fd */
    char *base;     /* its name at the end */
    char name[16];  /* its name until then */
};
#define FILE_NEW_NONE ((struct file_new){.folder = -1, .fd = -1})
bool file_new_open(struct file_new *f, const char *path, struct error *err);
bool file_new_keep(struct file_new *f, mode_t mode, struct error *err);
void file_new_release(struct file_new *f);
/* Copies what fd gives, from its start, to path in that way. */
bool file_copy(int fd, const char *path, mode_t mode, struct error *err);
/* mkdir -p; folders that are made get mode. */
bool file_mkdirs(const char *path, mode_t mode, struct error *err);
/* rm -rf without following links; a missing path is success. */
bool file_remove_tree(const char *path, struct error *err);
bool file_exists(const char *path);
/* a/b in fresh memory. */
char *file_join(const char *a, const char *b);
/* Writes all n bytes to fd, through EINTR and short writes. */
bool file_write_fd(int fd, const void *p, size_t n, struct error *err);

#endif
