/*
 * reflect.h - inside of cache.h: what a live copy asks next, and when.
 *
 * What: the rules of client-go's reflector (tools/cache/reflector.go) as a
 * machine without connection and without clock: it is told what became of a
 * question (an end, an event's version) and the time, and says which question
 * comes next and after how long a pause. That is how hours of outages are
 * tested in no time.
 * Rules, where they are not told at the functions:
 * - A list is WatchList first. 400, 404, 405, 406, 415, 422 and 501 to it and
 *   streams that are cut twice before they were complete lead to LIST and
 *   WATCH, with the first of them for good but for 404.
 * - LIST begins with resourceVersion "0" in pages of 500 (a server's cache
 *   ignores the limit), later asks for what is not older than what was seen,
 *   unpaged; after 410 or ResourceVersionTooLarge for the newest (""). When a
 *   page expires, all is asked for in one piece. A list for one command is
 *   never "0": it must be of now.
 * - 429, broken connections and 5xx keep the version; three 5xx in a row and
 *   everything else lead to a new list. A list that is forbidden (403) is
 *   asked again after five minutes: rights are given by people, who can say so
 *   (kube_cache_retry); client-go asks every 30 to 60 s.
 * - After a broken connection a question for one item (KUBE_ASK_PROBE) finds
 *   out whether the server's versions went back (a database was put back);
 *   then only a list helps. A watch that ends within a second without a word
 *   is the other sign of it.
 * - The versions of synthetic events (a watch without a version) are not
 *   trusted until another event came; versions of a watch rise, and one that
 *   falls says that the stream cannot be trusted.
 * Lifetimes: plain data.
 */
#ifndef LIB_KUBE_REFLECT_H
#define LIB_KUBE_REFLECT_H

#include "lib/base/error.h"
#include "lib/base/str.h"

enum kube_ask {
    KUBE_ASK_STREAM, /* WatchList */
    KUBE_ASK_LIST,
    KUBE_ASK_WATCH,
    KUBE_ASK_PROBE /* one item: the server's version */
};

struct kube_reflect {
    char version[128];  /* the newest seen; "": none */
    bool listed;        /* version is where a watch goes on */
    bool unavailable;   /* 410 or too large: ask for the newest */
    bool plain;         /* no WatchList here */
    bool once;          /* lists for one command */
    bool fallback;      /* LIST this time */
    bool paged;         /* LIST "0" came in pages: no cache there */
    bool whole;         /* a page expired */
    bool probe;         /* before the next watch */
    bool synthetic;     /* this watch's versions are not in order yet */
    bool bookmarks;     /* the server sends them */
    unsigned failures;  /* in a row, for the pause */
    unsigned cut_lists; /* streams cut before they were complete */
    unsigned internal;  /* 5xx in a row */
    int64_t failed_ms;  /* the last failure */
    int64_t backoff_ms; /* the first pause */
    /* this stream: */
    int64_t began_ms, heard_ms;
    unsigned seconds; /* timeoutSeconds */
    bool spoke;       /* it had an event */
};

/* backoff_ms 0: 800. */
void kube_reflect_init(struct kube_reflect *r, int64_t backoff_ms);
enum kube_ask kube_reflect_ask(const struct kube_reflect *r);
/* Of a LIST: resourceVersion ("": leave it out), and whether in pages. */
const char *kube_reflect_list_version(const struct kube_reflect *r);
bool kube_reflect_pages(const struct kube_reflect *r);

/* A stream begins; random_below gives its timeoutSeconds, 300 to 599. */
void kube_reflect_began(struct kube_reflect *r, int64_t now_ms,
                        uint32_t (*below)(uint32_t));
/* Bytes came. */
void kube_reflect_heard(struct kube_reflect *r, int64_t now_ms);
/* Milliseconds until the stream's silence means a dead link, 0: it does.
 * stall_ms 0: a server that sends bookmarks is never silent for 150 s, and no
 * stream outlives its timeoutSeconds by 30 s. */
int64_t kube_reflect_stall(const struct kube_reflect *r, int64_t now_ms,
                           int64_t stall_ms);

/* The list is complete; version is the list's. in_pages: it came in several. */
void kube_reflect_listed(struct kube_reflect *r, struct str version,
                         bool in_pages);
/* An event of a watch. trusted: no ADDED. False when it is older than what was
 * seen. */
bool kube_reflect_saw(struct kube_reflect *r, struct str version, bool trusted);
/* The probe's answer. */
void kube_reflect_probed(struct kube_reflect *r, struct str version);

struct kube_reflect_end {
    enum kube_ask ask;
    const struct error *err; /* NULL: a clean end */
    bool answered;           /* a head had come */
    bool too_large;          /* ResourceVersionTooLarge */
    bool continued;          /* it was not the first page */
    int64_t retry_after_s;   /* -1: not said */
};
/* The question came to an end without what was asked for (a list that is
 * complete comes to kube_reflect_listed instead). Returns the pause in ms;
 * *lost: the view must be called stale. below: random_below. */
int64_t kube_reflect_ended(struct kube_reflect *r, int64_t now_ms,
                           const struct kube_reflect_end *e,
                           uint32_t (*below)(uint32_t), bool *lost);
/* A watch that ends now would be a failure: it was short and said nothing. */
bool kube_reflect_short(const struct kube_reflect *r, int64_t now_ms);

#endif
