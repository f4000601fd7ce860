/*
 * docker_exec.h - programs and files inside a container.
 *
 * Invariants and errors as docker.h says. A program in a container cannot be
 * ended from outside: when its time is over we only stop listening.
 */
#ifndef DEVENV_DOCKER_EXEC_H
#define DEVENV_DOCKER_EXEC_H

#include "devenv/docker_container.h"

struct docker_exec {
    const char *const *argv; /* NULL-terminated */
    const char *const *env;  /* extra "NAME=value", NULL-terminated, or NULL */
    const char *user;        /* or NULL */
    bool privileged;
    struct str input;        /* given on standard input, then its end */
    int64_t limit_ms;        /* 0: 60 s */
    docker_line_fn *on_line; /* or NULL */
    void *arg;
};

/* Runs a program to its end. *status is its exit code; what it printed goes
 * into out and errout (may be NULL: dropped; what passes their max is dropped
 * too and leaves `over` set).
 * A program that is not there is ERR_NOT_FOUND with the engine's words
 * (the engine itself answers 200 and exit code 126 or 127). */
bool docker_exec(struct docker *d, struct step_run *run, const char *id,
                 const struct docker_exec *x, int *status, struct buf *out,
                 struct buf *errout, struct error *err);

/* Writes a file into the container (running or not) with mode; its folder
 * must be there. Not for a path under a tmpfs (/tmp, /run of a node). */
bool docker_put_file(struct docker *d, struct step_run *run, const char *id,
                     const char *path, unsigned mode, struct str content,
                     struct error *err);
/* The same from a file of ours, streamed; bytes go to the run. */
bool docker_put_file_from(struct docker *d, struct step_run *run,
                          const char *id, const char *path, unsigned mode,
                          const char *local, struct error *err);
/* Appends the file's content to out; more than its max is ERR_LIMIT, a folder
 * or a link ERR_INVALID, none ERR_NOT_FOUND. */
bool docker_get_file(struct docker *d, struct step_run *run, const char *id,
                     const char *path, struct buf *out, struct error *err);

#endif
