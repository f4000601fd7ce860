/*
 * fetch_part.h - a file of the cache while it is being written.
 *
 * What: HASH.part, open and locked (flock) by one process at a time; what is in
 * it has been hashed, so that more can be appended and the end be judged.
 * Invariants: at most `cap` bytes; only part_finish gives it its final name.
 * Lifetimes: part_open ... part_release; released unfinished, the file stays
 * for the next try unless part_discard was called.
 */
#ifndef DEVENV_FETCH_PART_H
#define DEVENV_FETCH_PART_H

#include "lib/base/digest.h"

#include "devenv/step.h"

struct part {
    int fd;             /* -1: not open */
    char *path, *final; /* HASH.part, HASH */
    uint64_t have;      /* bytes in it, all of them hashed */
    uint64_t cap;       /* bytes it may have */
    struct digest *digest;
    bool resumed; /* made of what more than one connection brought */
};

/* Is the file there and right? It is hashed; a damaged one is removed. */
bool cache_holds(struct step_run *run, const char *path, const char *sha256,
                 bool *holds, struct error *err);
/* The file's place in the cache; folders are made. */
char *cache_path(const char *sha256, struct error *err);

/* Takes the part of path, waiting (until_ms, monotonic) while another process
 * has it, and hashes what an earlier try left. *there: meanwhile the file
 * itself has come. */
bool part_open(struct part *p, struct step_run *run, const char *path,
               uint64_t cap, int64_t until_ms, bool *there, struct error *err);
/* Appends. More than cap is ERR_LIMIT; a full disk MT-HOST-DISK. */
bool part_add(struct part *p, struct str piece, struct error *err);
/* Back to no bytes. */
bool part_restart(struct part *p, struct error *err);
/* The hash of all; p can only be restarted, finished or discarded after. */
void part_hash(struct part *p, char sha256[DIGEST_HEX_MAX]);
/* On the disk and under its final name. */
bool part_finish(struct part *p, struct error *err);
/* Removes the file. */
void part_discard(struct part *p);
/* Zeroed but for fd -1, or released already: fine. */
void part_release(struct part *p);

#endif
