/*
 * docker_call.h - inside of the docker family: one request, its answer, what a
 * refusal means, and how answers become structs.
 *
 * Lifetimes: what a request points to must live until docker_call returns; a
 * docker_stream until docker_stream_free.
 */
#ifndef DEVENV_DOCKER_CALL_H
#define DEVENV_DOCKER_CALL_H

#include "lib/kube/http.h"

#include "devenv/docker.h"
#include "devenv/docker_container.h"

struct docker_request {
    const char *method; /* NULL: GET */
    const char *path;   /* "/info": without the version */
    struct str body;
    const char *type;        /* of the body; NULL: application/json */
    const char *header;      /* one more "Name: value", or NULL */
    kube_http_read_fn *read; /* streams a body of read_n bytes instead */
    uint64_t read_n;
    kube_http_data_fn *on_data; /* a 2xx body goes there; NULL: collected */
    void *arg;                  /* of read and on_data */
    int64_t limit_ms;           /* 0: 30 s; -1: none */
    int64_t stall_ms;           /* longest silence; 0: none */
    size_t max_body;            /* 0: 16 MiB */
    const char *doing;          /* "start x": for "cannot start x: ..." */
};

/* Sends it and waits. 2xx and 304 are success; *body (may be NULL) gets what
 * was collected (buf_release). Else err has the engine's words and err->http
 * its status (0: it did not answer). When on_data stopped the reading err is
 * ERR_CANCELLED with http 200. */
bool docker_call(struct docker *d, struct step_run *run,
                 const struct docker_request *q, struct buf *body,
                 struct error *err);
/* docker_call whose answer is JSON; the caller frees the tree. */
struct json *docker_call_json(struct docker *d, struct step_run *run,
                              const struct docker_request *q,
                              struct error *err);
/* GETs path with the filter key=value (value NULL: none) and sees that the
 * answer is of the type a list has there; NULL and err if not. The caller frees
 * the tree. */
struct json *docker_call_list(struct docker *d, struct step_run *run,
                              const char *path, const char *key,
                              const char *value, enum json_type type,
                              const char *doing, struct error *err);
/* Starts it without waiting. fn is called once at the end unless it is
 * cancelled; err as docker_call's, NULL: success. */
typedef void docker_done_fn(void *arg, const struct kube_http_response *r,
                            const struct error *err);
struct docker_async;
struct docker_async *docker_call_start(struct docker *d,
                                       const struct docker_request *q,
                                       docker_done_fn *fn, void *arg,
                                       struct error *err);
/* NULL is fine; not after fn was called. */
void docker_call_cancel(struct docker_async *c);

/* Lets ms pass; false when a stop was asked for. */
bool docker_rest(struct docker *d, struct step_run *run, int64_t ms,
                 struct error *err);

/* Fills err from a refusal's status and body: the engine's words, the id and
 * the remedy of a known cause. Returns false. */
bool docker_refused(int status, const char *content_type, struct str body,
                    const char *doing, struct error *err);
/* The same from the words alone, as a stream brings them. */
bool docker_refused_words(int status, struct str words, const char *doing,
                          struct error *err);

/* How long a pull may bring nothing: 60 s unless it was set. */
int64_t docker_patience(const struct docker *d);
void docker_set_patience(struct docker *d, int64_t ms);

/* "/v1.41" + path for requests made by hand. */
const char *docker_prefix(const struct docker *d);

/* ---- answers ---- */

/* A copy of the member's text in a; "" when it is no string. */
const char *docker_text(struct arena *a, const struct json *j, const char *key);
int64_t docker_number(const struct json *j, const char *key);
/* Seconds since 1970 of an RFC 3339 member; 0 for none and for year 1. */
int64_t docker_time(const struct json *j, const char *key);
/* An array of strings; NULL with *n 0. */
const char **docker_texts(struct arena *a, const struct json *list, size_t *n);
/* The members of an object whose values are strings. */
struct docker_pair *docker_pairs(struct arena *a, const struct json *object,
                                 size_t *n);
/* ERR_PARSE when the answer is not of the type it must be. */
bool docker_expect(const struct json *j, enum json_type type, const char *doing,
                   struct error *err);
/* Appends value, percent-encoded, as a path segment. */
void docker_segment(struct buf *path, const char *value);
/* Adds filters={"key":["value"]}; value NULL: nothing. */
void docker_filter(struct buf *path, const char *key, const char *value);

#endif
