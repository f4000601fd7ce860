#include "devenv/fetch_part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/failure.h"
#include "devenv/fetch.h"

#define CHUNK ((size_t)256 << 10)
/* Hashing a big file lets the loop turn every so many bytes. */
#define BREATH  ((uint64_t)8 << 20)
#define LOOK_MS 200

static void
close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

/* ---- hashing what is there ---- */

/* Hashes fd from its start to its end, at most cap bytes. */
static bool
hash_fd(struct step_run *run, int fd, struct digest *d, uint64_t cap,
        uint64_t *bytes, struct error *err)
{
    AUTO(mem_free_ptr) char *chunk = mem_alloc(CHUNK);
    uint64_t breath = 0;

    *bytes = 0;
    if (lseek(fd, 0, SEEK_SET) < 0)
        return error_errno(err, ERR_IO, "cannot read the cache");
    for (;;) {
        ssize_t n = read(fd, chunk, CHUNK);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, ERR_IO, "cannot read the cache");
        if (n == 0)
            return true;
        *bytes += (uint64_t)n;
        if (*bytes > cap)
            return true;
        digest_add(d, chunk, (size_t)n);
        breath += (uint64_t)n;
        if (breath >= BREATH) {
            breath = 0;
            if (!step_pause(run, 1, err))
                return false;
        }
    }
}

bool
fetch_hash(struct step_run *run, const char *path, char hex[65],
           struct error *err)
{
    AUTO(close_fd) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    char whole[DIGEST_HEX_MAX];
    struct digest *d;
    uint64_t bytes;
    bool ok;

    if (fd < 0)
        return error_errno(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO,
                           "cannot read %s", path);
    d = digest_new(DIGEST_SHA256);
    ok = hash_fd(run, fd, d, UINT64_MAX, &bytes, err);
    digest_end(d, whole);
    if (ok)
        memcpy(hex, whole, 65);
    return ok;
}

bool
cache_holds(struct step_run *run, const char *path, const char *sha256,
            bool *holds, struct error *err)
{
    char hex[65] = "";
    struct error why = {0};

    *holds = false;
    if (!fetch_hash(run, path, hex, &why)) {
        if (why.code == ERR_NOT_FOUND)
            return true;
        if (why.code == ERR_CANCELLED) {
            if (err)
                *err = why;
            return false;
        }
    }
    *holds = strcmp(hex, sha256) == 0;
    if (*holds)
        return true;
    step_log(run, STR("a file in the cache was damaged and is fetched again"));
    if (unlink(path) < 0)
        return error_errno(err, ERR_IO, "cannot remove %s", path);
    return true;
}

char *
cache_path(const char *sha256, struct error *err)
{
    AUTO(mem_free_ptr) char *root = fetch_cache_dir();
    AUTO(mem_free_ptr) char *folder = mem_printf("%s/%.2s", root, sha256);

    return fetch_home_make(folder, err) ? file_join(folder, sha256) : NULL;
}

/* ---- the part ---- */

/* Is what fd is still what the path names? Whoever had it may have finished or
 * removed it. */
static bool
is_current(int fd, const char *path)
{
    struct stat ours, theirs;

    return fstat(fd, &ours) == 0 && lstat(path, &theirs) == 0 &&
           ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/* Opens and locks the part; *there as in part_open. */
static bool
take(struct part *p, struct step_run *run, int64_t until_ms, bool *there,
     struct error *err)
{
    for (;;) {
        *there = file_exists(p->final);
        if (*there)
            return true;
        p->fd = open(p->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (p->fd < 0)
            return error_errno(err, ERR_IO, "cannot write %s", p->path);
        if (flock(p->fd, LOCK_EX | LOCK_NB) == 0) {
            if (is_current(p->fd, p->path))
                return true;
            close_fd(&p->fd);
            continue;
        }
        close_fd(&p->fd);
        if (errno != EWOULDBLOCK && errno != EINTR)
            return error_errno(err, ERR_IO, "cannot lock %s", p->path);
        if (clock_mono_ms(clock_system()) >= until_ms)
            return error_set(err, ERR_TIMEOUT,
                             "another meshtop has been downloading %s for too "
                             "long",
                             p->final);
        step_detail(run, "another meshtop is downloading it");
        if (!step_pause(run, LOOK_MS, err))
            return false;
    }
}

bool
part_open(struct part *p, struct step_run *run, const char *path, uint64_t cap,
          int64_t until_ms, bool *there, struct error *err)
{
    *p = (struct part){.fd = -1,
                       .path = mem_printf("%s.part", path),
                       .final = mem_strdup(path),
                       .cap = cap,
                       .digest = digest_new(DIGEST_SHA256)};
    if (!take(p, run, until_ms, there, err))
        return false;
    if (*there)
        return true;
    if (!hash_fd(run, p->fd, p->digest, cap, &p->have, err))
        return false;
    p->resumed = p->have > 0;
    return p->have <= cap || part_restart(p, err);
}

static bool
no_room(const struct part *p, struct error *err)
{
    int why = errno;
    bool full = why == ENOSPC || why == EDQUOT || why == EFBIG;

    error_errno(err, ERR_IO, "cannot write %s", p->path);
    if (full)
        failure_remedy(err, "MT-HOST-DISK");
    return false;
}

bool
part_add(struct part *p, struct str piece, struct error *err)
{
    const char *from = piece.s;
    size_t left = piece.n;

    if (piece.n > p->cap - p->have)
        return error_set(err, ERR_LIMIT, "more than %llu bytes came",
                         (unsigned long long)p->cap);
    digest_add(p->digest, piece.s, piece.n);
    while (left) {
        ssize_t n = write(p->fd, from, left);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return no_room(p, err);
        from += n;
        left -= (size_t)n;
    }
    p->have += piece.n;
    return true;
}

bool
part_restart(struct part *p, struct error *err)
{
    digest_end(p->digest, NULL);
    p->digest = digest_new(DIGEST_SHA256);
    p->have = 0;
    p->resumed = false;
    if (ftruncate(p->fd, 0) < 0 || lseek(p->fd, 0, SEEK_SET) < 0)
        return error_errno(err, ERR_IO, "cannot write %s", p->path);
    return true;
}

void
part_hash(struct part *p, char sha256[DIGEST_HEX_MAX])
{
    digest_end(p->digest, sha256);
    p->digest = NULL;
}

bool
part_finish(struct part *p, struct error *err)
{
    if (fsync(p->fd) < 0)
        return no_room(p, err);
    if (rename(p->path, p->final) < 0)
        return error_errno(err, ERR_IO, "cannot replace %s", p->final);
    return true;
}

void
part_discard(struct part *p)
{
    if (p->fd >= 0)
        unlink(p->path);
}

void
part_release(struct part *p)
{
    close_fd(&p->fd);
    digest_end(p->digest, NULL);
    free(p->path);
    free(p->final);
    *p = (struct part){.fd = -1};
}
