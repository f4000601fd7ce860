/*
 * fetch_transfer.h - one request for a file, and what its end means.
 *
 * What: asks one URL once, appends what comes to a part (fetch_part.h) or a
 * text, and judges how it ended: whole, worth another try, worth another
 * address, or hopeless. Pages of proxies, refusals of rate limiters and
 * transfers slower than allowed are recognised here and get their ids.
 * Lifetimes: a transfer lives on the caller's stack during transfer_run.
 */
#ifndef DEVENV_FETCH_TRANSFER_H
#define DEVENV_FETCH_TRANSFER_H

#include "lib/kube/http.h"

#include "devenv/fetch.h"
#include "devenv/fetch_part.h"

enum transfer_end {
    TRANSFER_WHOLE,
    TRANSFER_AGAIN,     /* may go better next time */
    TRANSFER_ELSEWHERE, /* this address will not give it */
    TRANSFER_NEVER      /* stop: cancelled, the disk, a proxy, too long */
};

struct transfer {
    struct step_run *run;
    struct kube_http *http;
    const struct fetch_options *o; /* complete */
    const char *what, *url;
    struct part *part; /* where it goes, from part->have on; or NULL: */
    struct buf *text;  /* emptied first */
    uint64_t total;    /* for progress; 0: not known */
    char *etag; /* 128 bytes: of an earlier answer of this URL, or ""; kept up
                   to date */
    int64_t until_ms; /* monotonic */

    /* the answer */
    int64_t retry_after_ms; /* what the peer asked for, else 0 */
    uint64_t came;          /* bytes */
    struct error err;
};

#define TRANSFER_ETAG 128

enum transfer_end transfer_run(struct transfer *t);
/* "github.com" of a URL. */
struct str transfer_host(const char *url);

#endif
