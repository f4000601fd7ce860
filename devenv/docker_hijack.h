/*
 * docker_hijack.h - a request whose connection then belongs to a program:
 * input goes one way, frames come back (POST /exec/ID/start with Upgrade: tcp).
 *
 * What: curl cannot end only the sending side, which is how a program learns
 * that its input is over; so this one request is made by hand, over the
 * engine's unix socket or a plain tcp address.
 * Invariants: input is sent after the engine's head came; bytes of a program
 * go to frames; never blocks. Lifetimes: what the request points to lives
 * until docker_hijack returns.
 */
#ifndef DEVENV_DOCKER_HIJACK_H
#define DEVENV_DOCKER_HIJACK_H

#include "devenv/docker_call.h"
#include "devenv/docker_frames.h"

struct docker_hijack {
    const char *path; /* "/exec/ID/start" */
    struct str body;  /* JSON */
    struct str input;
    int64_t limit_ms;
    const char *doing;
    struct docker_frames *frames;
};

/* Runs it to the connection's end. Errors as docker_call's. */
bool docker_hijack(struct docker *d, struct step_run *run,
                   const struct docker_hijack *q, struct error *err);

#endif
