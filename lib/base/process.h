/*
 * process.h - other programs: started without a shell, read through pipes.
 *
 * Invariants: argv goes to the program as it is; every descriptor of ours is
 * close-on-exec; the callback comes exactly once unless the process is freed
 * first. Lifetimes: struct process belongs to the caller (process_free kills
 * and reaps a child that still runs).
 */
#ifndef LIB_BASE_PROCESS_H
#define LIB_BASE_PROCESS_H

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/loop.h"

struct process;

struct process_result {
    int status;     /* exit code; 128 + n when signal n ended it */
    struct str out; /* captured, valid during the callback */
    struct str err;
    bool truncated; /* more than max_output came; the rest was dropped */
};

typedef void process_fn(void *arg, const struct process_result *r);
/* One complete line of output, without its newline; fd is 1 or 2. */
typedef void process_line_fn(void *arg, int fd, struct str line);

struct process_options {
    const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
    const char *const *env;  /* extra "NAME=value", NULL-terminated, or NULL */
    const char *cwd;         /* or NULL */
    struct str input;        /* given on standard input, copied */
    size_t max_output;       /* bytes kept per stream; 0: 1 MiB */
    bool no_terminal;        /* a session of its own: /dev/tty is none */
    process_line_fn *on_line; /* or NULL */
    process_fn *on_exit;
    void *arg;
};

/* A missing program is ERR_NOT_FOUND with its name. */
struct process *process_start(struct loop *l, const struct process_options *o,
                              struct error *err);
void process_signal(struct process *p, int signo);
void process_free(struct process *p);

/* Runs argv on our own terminal and waits (for $EDITOR); the exit code into
 * *status. Signals from the keyboard go to the child only. */
bool process_foreground(const char *const *argv, int *status,
                        struct error *err);
/* Starts argv in a session of its own with standard input on /dev/null,
 * standard output and error appended to log_path (0600), every other
 * descriptor closed; its pid into *pid. Nobody waits for it. */
bool process_detach(const char *const *argv, const char *log_path, pid_t *pid,
                    struct error *err);
/* The path of our own executable, in fresh memory. */
char *process_self(void);
/* The first executable NAME in PATH, in fresh memory, or NULL. */
char *process_find(const char *name);

#endif
