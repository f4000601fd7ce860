/*
 * docker.h - a container engine (Docker, or Podman's Docker API), over its
 * socket.
 *
 * What: finds the engine, agrees on an API version, and asks it. The calls of
 * this family look blocking: they turn the loop until the answer is there, so
 * they belong into a task (lib/base/task.h) or a command. Each has a limit of
 * its own and ends early with ERR_CANCELLED when the run's stop was asked for.
 * Family: docker_container.h, docker_exec.h (programs and files),
 * docker_image.h, docker_network.h (and volumes), dockerconfig.h (registry
 * credentials); docker_call.h is the inside.
 * Invariants: `run` may be NULL everywhere (no progress, no stop). An engine's
 * refusal carries the engine's own words, err->http and, where the cause is
 * known, the id of the failure (devenv.md 5.4); err->code is ERR_NOT_FOUND for
 * 404, ERR_CONFLICT for 409, ERR_DENIED for 401 and 403, ERR_INVALID for 400.
 * Every answer is capped; wrong types read as absent.
 * Lifetimes: docker_free after all calls have ended; what "lives in a" dies
 * with the arena.
 * After devenv.md 2.5 and the recordings in tests/wire/docker.
 */
#ifndef DEVENV_DOCKER_H
#define DEVENV_DOCKER_H

#include "lib/base/arena.h"
#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/loop.h"

#include "devenv/step.h"

struct docker;

/* Oldest and newest API version this client speaks. */
#define DOCKER_API_MIN "1.41"
#define DOCKER_API_MAX "1.47"

/* Connects to host ("unix:///path", "tcp://host:port"), or, when NULL, to the
 * first engine that answers (docker_socket.h has the order). Pings and agrees
 * on the version; at most 5 s a socket.
 * Errors: MT-ENGINE-DOWN (lists what was tried), MT-ENGINE-PERM,
 * MT-ENGINE-API; an address of a kind we cannot speak (ssh://) is ERR_USAGE
 * with MT-ENGINE-DOWN. */
struct docker *docker_open(struct loop *l, const char *host,
                           struct step_run *run, struct error *err);
/* NULL is fine. */
void docker_free(struct docker *d);

struct loop *docker_loop(const struct docker *d);
/* For DOCKER_HOST of child processes: "unix:///var/run/docker.sock". */
const char *docker_host(const struct docker *d);
/* The path of the socket, "" for tcp. */
const char *docker_socket(const struct docker *d);
/* Where the address came from: "DOCKER_HOST", "context colima", "default". */
const char *docker_source(const struct docker *d);
bool docker_is_podman(const struct docker *d);
/* For KIND_EXPERIMENTAL_PROVIDER: "docker" or "podman". */
const char *docker_provider(const struct docker *d);
/* For people: "Docker" or "Podman". */
const char *docker_product(const struct docker *d);
/* "20.10.24+dfsg1"; the agreed API version, "1.41". */
const char *docker_version(const struct docker *d);
const char *docker_api(const struct docker *d);

/* What /info says; texts are never NULL, numbers 0 where it does not say. */
struct docker_info {
    const char *server_version, *os, *os_type, *arch, *kernel, *name;
    const char *driver, *backing_fs, *root_dir;
    const char *cgroup_version, *cgroup_driver; /* "1", "2"; "systemd" */
    const char *http_proxy, *https_proxy, *no_proxy;
    int64_t cpus, mem_bytes; /* as the engine (its VM) has them */
    int64_t containers, running, images;
    bool rootless, userns, selinux;
    bool containerd_store; /* images live in containerd: ids are digests */
    bool cpu_limits, mem_limits, pids_limits; /* controllers it can use */
    const char **warnings;
    size_t warnings_n;
};
/* Lives in a. */
bool docker_info(struct docker *d, struct step_run *run, struct arena *a,
                 struct docker_info *out, struct error *err);

/* What /system/df says, in bytes; may take the engine a minute. */
struct docker_disk {
    uint64_t layers; /* all images, shared layers once */
    uint64_t images_unused, containers, volumes, volumes_unused, build_cache;
    size_t images_n, containers_n, volumes_n;
};
bool docker_disk(struct docker *d, struct step_run *run,
                 struct docker_disk *out, struct error *err);

/* The answer of GET path ("/containers/x/json"; segments and query encoded by
 * the caller) as a tree the caller frees. For what has no call of its own. */
struct json *docker_get(struct docker *d, struct step_run *run,
                        const char *path, struct error *err);

/* ---- events while they happen ---- */

struct docker_event {
    const char *type, *action; /* "container", "die" */
    const char *id, *name;     /* or "" */
    int64_t exit_code;         /* of "die"; else -1 */
    const struct json *tree;   /* the whole event */
};
typedef void docker_event_fn(void *arg, const struct docker_event *e);

struct docker_watch;

/* Calls fn for each event of containers that have the label ("KEY" or
 * "KEY=VALUE"; NULL: all) from since_s (wall seconds; 0: now) on, without end.
 * fn runs from the loop, never inside this call. */
struct docker_watch *docker_watch(struct docker *d, const char *label,
                                  int64_t since_s, docker_event_fn *fn,
                                  void *arg, struct error *err);
/* The stream ended by itself: err (may be NULL) says why. */
bool docker_watch_ended(const struct docker_watch *w, struct error *err);
/* Ends it; may be called from fn. NULL is fine. */
void docker_watch_free(struct docker_watch *w);

#endif
