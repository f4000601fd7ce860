/*
 * docker_container.h - containers of an engine: list, look, start, stop,
 * remove, read logs.
 *
 * Invariants and errors as docker.h says. `id` is an id or a name. Lifetimes:
 * what a list or a look gives lives in the arena.
 */
#ifndef DEVENV_DOCKER_CONTAINER_H
#define DEVENV_DOCKER_CONTAINER_H

#include "devenv/docker.h"

struct docker_pair {
    const char *key, *value;
};

struct docker_port {
    const char *ip;         /* of the host; "" when not published */
    int private_port, host; /* host 0: not published */
    const char *proto;      /* "tcp" */
};

struct docker_mount {
    const char *type, *name, *source, *target; /* name: of a volume, or "" */
};

/* Texts are never NULL. */
struct docker_container {
    const char *id, *name; /* name without its slash */
    const char *image, *image_id;
    const char *state;  /* "running", "exited", "created", "paused", ... */
    const char *status; /* "Up 7 minutes"; "" by docker_container */
    int64_t created_s;
    struct docker_port *ports;
    size_t ports_n;
    struct docker_pair *labels;
    size_t labels_n;
    struct docker_mount *mounts;
    size_t mounts_n;
    struct docker_pair *networks; /* name and IPv4 address, or "" */
    size_t networks_n;
    /* by docker_container only: */
    int64_t started_s, ended_s; /* 0: never */
    int64_t exit_code, restarts, pid;
    bool oom_killed, tty;
    const char *error; /* the engine's words when it could not start */
};

struct docker_containers {
    struct docker_container *v;
    size_t n;
};

/* All containers, stopped ones too, that have the label ("KEY", "KEY=VALUE",
 * NULL: any), in the engine's order. A filter matches the whole value. */
bool docker_containers(struct docker *d, struct step_run *run,
                       const char *label, struct arena *a,
                       struct docker_containers *out, struct error *err);
bool docker_container(struct docker *d, struct step_run *run, const char *id,
                      struct arena *a, struct docker_container *out,
                      struct error *err);
/* The whole of what the engine knows; the caller frees it. */
struct json *docker_inspect(struct docker *d, struct step_run *run,
                            const char *id, struct error *err);
/* "" when there is none. */
const char *docker_label(const struct docker_container *c, const char *key);
/* The published port of a port of the container, or NULL. */
const struct docker_port *docker_port(const struct docker_container *c,
                                      int private_port);
bool docker_is_running(const struct docker_container *c);

/* Running already is fine. "port is already allocated" is MT-PORT-TAKEN. */
bool docker_start(struct docker *d, struct step_run *run, const char *id,
                  struct error *err);
/* Gives it grace_s seconds, then kills it (a kind node waits out all of it:
 * give few). Stopped already is fine. */
bool docker_stop(struct docker *d, struct step_run *run, const char *id,
                 int grace_s, struct error *err);
/* Removes it, running or not, with its anonymous volumes; not there, or being
 * removed already, is fine. Tries three times when the engine says that a
 * process did not go ("did not receive an exit event"). */
bool docker_delete(struct docker *d, struct step_run *run, const char *id,
                   struct error *err);

/* A whole line, without its end; stream is 1 or 2 (1 for a terminal's). False
 * ends the reading, as a success. Lines are cut at 64 KiB. */
typedef bool docker_line_fn(void *arg, int stream, struct str line);

struct docker_logs {
    int64_t tail; /* newest lines; 0: all */
    bool follow;  /* until the container stops, fn says so or limit_ms */
    bool timestamps;
    int64_t limit_ms; /* 0: 30 s; with follow: none */
    docker_line_fn *on_line;
    void *arg;
};
/* The end of follow's time is ERR_TIMEOUT. */
bool docker_logs(struct docker *d, struct step_run *run, const char *id,
                 const struct docker_logs *o, struct error *err);
/* The newest lines of both streams as text, for evidence; terminals' colours
 * are taken out. */
bool docker_log_tail(struct docker *d, struct step_run *run, const char *id,
                     int64_t lines, struct buf *out, struct error *err);

#endif
