/*
 * host.h - what this machine and its container engine can do, looked at.
 *
 * What: a table of checks (host_rows). Each looks at one thing and says what it
 * found, how much is needed, the evidence, and, when it is not as it must be,
 * the failure with its remedy (devenv/failure.h). `doctor` runs all of them
 * side by side, the steps of `up` run those they need. After facts/devenv.md
 * 2.8, 5.1 (H1 to H4) and 5.4.
 * Invariants: a check changes nothing; only "network" asks the internet; what
 * cannot be seen is said, never guessed. Every file is read below
 * host_options.root, so that a test can plant each state of /proc and /sys.
 * Lifetimes: host_open ... host_release; a host_check is released by whoever
 * has it; options are the caller's and outlive the host.
 */
#ifndef DEVENV_HOST_H
#define DEVENV_HOST_H

#include "lib/base/arena.h"

#include "devenv/step.h"

struct docker;
struct docker_info;
struct profile;

/* What an engine asks of the machine. Sizes in bytes; below `needs` fails,
 * below `wants` warns. */
struct host_needs {
    const char *engine; /* "kind" */
    int cpus;
    uint64_t mem_needs, mem_wants;
    uint64_t disk_needs, disk_wants;   /* where the engine keeps images */
    uint64_t cache_needs, cache_wants; /* where we keep downloads and state */
    uint64_t instances, watches;       /* of inotify that must be free */
    uint64_t files;                    /* a process may open */
};

/* The row of an engine's name; unknown names get "sandbox"'s. */
const struct host_needs *host_needs_of(const char *engine);

/* Something that would be fetched. */
struct host_site {
    const char *url; /* of the host; any answer of an HTTP server will do */
    const char *what;
};

/* All zero: the real machine, kind, whatever engine answers. */
struct host_options {
    const char *root;               /* in front of /proc, /sys, /etc, ... */
    const char *engine;             /* NULL: "kind" */
    const struct host_needs *needs; /* NULL: the engine's */
    const char *machine;            /* NULL: uname's */
    const char *node_image;         /* asked for; NULL: the default */
    const char *ports;              /* "80 443" of this machine; or NULL */
    const char *cluster;            /* kind cluster that may own them */
    const char *mirror;             /* registry that replaces all; or NULL */
    const struct host_site *sites;  /* NULL: what is missing; zero row ends */
    const char *ca;                 /* PEM text for mirror or sites; or NULL */
    const char *docker_host;        /* NULL: found as docker.h says */
    int64_t now_s;                  /* wall clock; 0: the real one */
};

struct host {
    const struct host_options *o;
    const struct host_needs *needs;
    struct docker *docker;          /* opened by the check "engine" */
    bool borrowed;                  /* docker is the caller's */
    const struct docker_info *info; /* NULL: no engine, or not asked yet */
    struct arena *arena;
    bool kind_missing; /* would be fetched; by the check "tools" */
    int64_t skew_s;    /* of our clock, by the check "network" */
    bool skew_known;
};

enum host_verdict { HOST_OK, HOST_WARN, HOST_FAIL, HOST_SKIPPED };

struct host_check {
    enum host_verdict verdict;
    char found[256];  /* "2 CPUs"; why, when skipped */
    char needed[128]; /* "2", or "" */
    struct strlist evidence;
    struct error error; /* of a warning or failure */
};

typedef void host_check_fn(struct host *h, struct step_run *run,
                           struct host_check *c);

struct host_row {
    const char *id, *title;
    const char *engines; /* "kind context"; NULL: all */
    const char *needs;   /* rows that must have run before, or NULL */
    host_check_fn *fn;
};

/* Ends with a zero row. */
extern const struct host_row host_rows[];
const struct host_row *host_row_find(const char *id);
/* Is the row for this engine? */
bool host_row_is_for(const struct host_row *r, const char *engine);

void host_open(struct host *h, const struct host_options *o);
/* With an engine that is connected already. info's owner is h. */
void host_use(struct host *h, struct docker *d, struct step_run *run);
void host_release(struct host *h);
/* Runs one row; c is zeroed before. Turns the loop for rows that wait. */
void host_run(struct host *h, const struct host_row *r, struct step_run *run,
              struct host_check *c);
void host_check_release(struct host_check *c);
/* "ok", "warn", "fail", "skipped" */
const char *host_verdict_name(enum host_verdict v);

#endif
