/*
 * fetch.h - files from the internet, kept by what they are.
 *
 * What: downloads over HTTPS into a cache named by content,
 * $XDG_CACHE_HOME/meshtop/sha256/HH/HASH. What a file must be is known before
 * its first byte comes: the hash of the lock, or the one in the vendor's own
 * checksum file, fetched in the same run. Straight-line code for a step; waits
 * turn the loop.
 * Invariants: https only, for redirects too (at most FETCH_REDIRECTS_MAX); no
 * byte beyond the size is kept; nothing has its final name before its hash was
 * found right, and it is hashed again each time it is used; a transfer that
 * was cut, even by kill -9, is resumed from HASH.part; two processes never
 * write the same file (flock on HASH.part). After devenv.md 4.1 and 4.3.
 * Errors (ids of devenv.md 5.4): MT-SUM-MISMATCH (the file is deleted),
 * MT-SUM-MISSING (no usable checksum file), MT-NET-PROXY (a page instead of a
 * file, 407, a certificate nobody knows), MT-NET-DNS (not reachable),
 * MT-NET-RATELIMIT (429), MT-NET-DOWNLOAD (any other refusal, a transfer that
 * breaks again and again), MT-HOST-DISK.
 * Lifetimes: strings of a result belong to it.
 */
#ifndef DEVENV_FETCH_H
#define DEVENV_FETCH_H

#include "lib/base/error.h"
#include "lib/base/str.h"

#include "devenv/step.h"

#define FETCH_REDIRECTS_MAX 5

/* For the whole of a download. Zero means what is in brackets. */
struct fetch_options {
    const char *ca;      /* PEM text; NULL: the system's CAs */
    int64_t limit_ms;    /* for everything [15 min] */
    int64_t slow_ms;     /* window in which slow_bytes must come [30 s] */
    uint64_t slow_bytes; /* [30 kB] */
    int64_t pause_ms;    /* first pause before trying again [500]; doubles
                            up to 16 times as long, with jitter */
    unsigned tries;      /* rounds over url and mirrors without slow_bytes more
                            [5]; 3 end it where nobody can be reached */
};

struct fetch_request {
    const char *what; /* "kind v0.33.0 linux/amd64", for messages */
    const char *url;
    const struct strlist *mirrors; /* asked in turn; or NULL */
    const char *sha256;            /* hex; NULL: checksum_url must be there */
    const char *checksum_url;      /* vendor's file, used without sha256 */
    uint64_t size;                 /* exact; 0: not known */
    uint64_t max;                  /* cap where size is 0 [512 MiB] */
};

struct fetch_result {
    char *path; /* in the cache */
    char sha256[65];
    bool vendor;    /* checked against the vendor's file, not pinned */
    bool cached;    /* it was there; nothing was downloaded */
    uint64_t bytes; /* that came over the network */
};

/* Brings the file. */
bool fetch_file(struct step_run *run, const struct fetch_request *r,
                const struct fetch_options *o, struct fetch_result *out,
                struct error *err);
void fetch_result_release(struct fetch_result *r);
/* Is the file with this hash in the cache (by name only)? */
bool fetch_is_cached(const char *sha256);

/* SHA-256 of a file (no link is followed), letting the loop turn now and then;
 * ERR_NOT_FOUND when it is not there. */
bool fetch_hash(struct step_run *run, const char *path, char hex[65],
                struct error *err);
/* The hash for the file NAME in a vendor's checksum file: 64 hex digits alone,
 * or lines "hash  name" or "hash *name" (the name's folder does not matter).
 * False: neither, or ambiguous. out gets lower case. */
bool fetch_checksum(struct str text, const char *name, char out[65]);

/* Who signed the certificate of the server at url, as it says itself, without
 * control characters, into out ("" when it cannot be asked within 5 s): names
 * the proxy whose CA is not known here. Nothing else is believed of it. */
void fetch_issuer(struct step_run *run, const char *url, char out[128]);

/* $VARIABLE/meshtop/LEAF, else ~/UNDER/meshtop/LEAF, else (no home that can be
 * written) a private folder under /tmp; in fresh memory. Makes nothing. */
char *fetch_home(const char *variable, const char *under, const char *leaf);
/* Makes such a folder, 0700 (MT-STATE-FOLDER: one under /tmp that is not ours
 * alone). */
bool fetch_home_make(const char *path, struct error *err);
/* The cache's folder, in fresh memory. */
char *fetch_cache_dir(void);
/* Bytes in the cache, unfinished downloads included. */
uint64_t fetch_cache_size(void);
/* Removes what nobody writes at the moment; the bytes that freed. */
uint64_t fetch_cache_purge(void);
/* Bytes of the files right in a folder; with remove, of those it removed. */
uint64_t fetch_sweep(const char *folder, bool remove);

#endif
