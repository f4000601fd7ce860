/*
 * reviews.h - the kinds that only answer a question: may I, what may I, who am
 * I. The sandbox has one user, who may do everything.
 */
#ifndef DEVENV_SANDBOX_REVIEWS_H
#define DEVENV_SANDBOX_REVIEWS_H

#include "lib/base/base.h"
#include "lib/base/json.h"

struct rest;

struct reviews_kind {
    const char *group, *version, *plural, *singular, *kind;
    /* Sets the status of the review. */
    void (*answer)(struct rest *rq, struct json *review);
};

size_t reviews_count(void);
const struct reviews_kind *reviews_row(size_t i);
/* Answers when the path is one of theirs. */
bool reviews_serve(struct rest *rq);

#endif
