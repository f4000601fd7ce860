/*
 * docker_pull.h - what an engine tells while it pulls or loads, line by line.
 *
 * What: JSON objects, one a line (\r\n), each about one layer or about the
 * whole: {"status":"Downloading","progressDetail":{"current":1,"total":2},
 * "id":"c6c319a196c4"}, {"stream":"Loaded image: x\n"}, and, as the last line
 * of a stream that began with 200, {"errorDetail":{"message":...}}.
 * Invariants: bytes never go back; `moves` grows whenever a layer got bytes or
 * another state (the engine's own "Retrying in N seconds" is neither); what is
 * no JSON is passed over, and counted.
 * Lifetimes: docker_pull_init ... docker_pull_release.
 */
#ifndef DEVENV_DOCKER_PULL_H
#define DEVENV_DOCKER_PULL_H

#include "lib/base/buf.h"
#include "lib/base/map.h"

enum docker_phase {
    LAYER_WAITS,
    LAYER_DOWNLOADS,
    LAYER_FETCHED,
    LAYER_UNPACKS,
    LAYER_DONE
};

struct docker_layer {
    enum docker_phase phase;
    bool retries;
    uint64_t done, total; /* bytes to fetch; total 0: not known */
    uint64_t unpacked;
};

struct docker_pull {
    struct map layers; /* by id: struct docker_layer */
    uint64_t moves;
    size_t lines, strange;
    char retry[96];        /* "Retrying in 5 seconds", while it does */
    struct strlist loaded; /* of a load */
    struct buf error;      /* the engine's words; n > 0: it failed */
    char digest[80];       /* "sha256:..." it told, or "" */
};

void docker_pull_init(struct docker_pull *p);
void docker_pull_line(struct docker_pull *p, struct str line);
void docker_pull_release(struct docker_pull *p);

struct docker_progress {
    size_t layers, fetched, finished;
    uint64_t done, total; /* bytes; total counts the layers that say theirs */
    bool fetching;        /* some layer is not fetched */
};
void docker_pull_progress(const struct docker_pull *p,
                          struct docker_progress *out);
/* "3 of 5 layers, unpacking", "Retrying in 5 seconds". */
void docker_pull_words(const struct docker_pull *p, struct buf *out);

#endif
