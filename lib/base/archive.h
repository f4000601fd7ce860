/*
 * archive.h - tar archives: one member out of a hostile one, our own written;
 * the only door to libarchive.
 *
 * What: takes exactly one named member out of a .tar.gz (or plain .tar) that
 * came over a network, reads one member of a tar in memory, and writes a
 * .tar.gz of texts. Why so narrow: nothing in an archive chooses a path, a
 * mode, a link or a device on this machine (archive_write_disk is not used);
 * the caller names the member and the file. After devenv.md 4.4.
 * Invariants: only gzip and tar are understood; at most ARCHIVE_MEMBERS_MAX
 * members are looked at, and at most the caller's bytes are unpacked, whatever
 * sizes the headers claim; the member is an ordinary file, no link, no sparse
 * file; its size is what its header says. A target appears whole or not at all.
 * Errors: ERR_PARSE (no archive, cut short, not what it says), ERR_NOT_FOUND
 * (no such member), ERR_LIMIT (a cap), ERR_INVALID (the member is no ordinary
 * file), ERR_IO (disk).
 */
#ifndef LIB_BASE_ARCHIVE_H
#define LIB_BASE_ARCHIVE_H

#include <sys/types.h>

#include "lib/base/buf.h"
#include "lib/base/error.h"

#define ARCHIVE_MEMBERS_MAX 1000

/* Writes the member of the archive in fd (from its start; not closed) to path
 * with mode, through a temporary file beside it, fsync and rename. A file that
 * is there is replaced. max: the most bytes the member and what is passed over
 * before it may have. */
bool archive_extract_member(int fd, const char *member, uint64_t max,
                            const char *path, mode_t mode, struct error *err);
/* Appends the content of a member of tar (plain or gzipped) to out, whose
 * maximum is the cap. */
bool archive_member_of(struct str tar, const char *member, struct buf *out,
                       struct error *err);

/* A file of an archive in memory. */
struct archive_text {
    const char *name; /* at most 100 bytes */
    struct str content;
};
/* Appends a plain tar of ordinary files (mode 0644, no owner, the time 1970):
 * the same files make the same bytes. ERR_LIMIT: out is full. */
bool archive_tar_of(const struct archive_text *files, size_t n, struct buf *out,
                    struct error *err);
/* Appends data gzipped; the same data make the same bytes. */
bool archive_gzip(struct str data, struct buf *out, struct error *err);
/* Appends what gzipped data hold (our own assets: nothing says how long they
 * are but out's maximum); ERR_PARSE, ERR_LIMIT. */
bool archive_gunzip(struct str data, struct buf *out, struct error *err);

/* A .tar.gz that is written (0600), for support bundles. */
struct archive_out;

/* Begins path (a temporary file beside it until archive_out_end). */
struct archive_out *archive_out_new(const char *path, struct error *err);
/* Adds an ordinary file, mode 0644; mtime_s since 1970. */
bool archive_out_add(struct archive_out *a, const char *name,
                     struct str content, int64_t mtime_s, struct error *err);
/* Completes the file (fsync, rename) and frees a, also when it fails. */
bool archive_out_end(struct archive_out *a, struct error *err);
/* Gives up: nothing is left. NULL is fine. */
void archive_out_free(struct archive_out *a);

#endif
