/*
 * loop.h - the one event loop of a process: epoll, timers, signals, children.
 *
 * Phases of a turn, in this order: time is read once -> file descriptors ->
 * timers that are due -> deferred calls -> prepare hooks (drawing, a nested
 * library's bookkeeping) -> sleep (docs/ARCHITECTURE.md; after libuv's design
 * document). Nothing wakes an idle loop.
 * Lifetimes: every handle belongs to the loop and dies with it; *_del may be
 * called from any callback, its own included, and accepts NULL. A callback is
 * never called after its handle's _del returned. Delete a descriptor's handle
 * before closing the descriptor. A turn may run inside a callback; inside a
 * task (lib/base/task.h) it puts the task aside instead.
 */
#ifndef LIB_BASE_LOOP_H
#define LIB_BASE_LOOP_H

#include <sys/types.h>

#include "lib/base/error.h"

struct loop;
struct loop_fd;
struct loop_timer;
struct loop_signal;
struct loop_child;
struct loop_hook;

enum { LOOP_READ = 1, LOOP_WRITE = 2, LOOP_HANGUP = 4 };

struct loop *loop_new(struct error *err);
/* Releases every handle; restores the signal mask. NULL is fine. */
void loop_free(struct loop *l);
/* Turns until loop_stop; returns the code given there. */
int loop_run(struct loop *l);
void loop_stop(struct loop *l, int code);
/* One turn that sleeps at most timeout_ms (-1: as long as needed). For tests
 * and for programs that wait for a condition. */
void loop_turn(struct loop *l, int timeout_ms);
/* Turns for ms milliseconds, whatever happens meanwhile. */
void loop_pause(struct loop *l, int64_t ms);
/* Monotonic milliseconds of this turn. */
int64_t loop_now(const struct loop *l);

/* Watches fd (not owned) for LOOP_READ | LOOP_WRITE; LOOP_HANGUP is reported
 * always, together with what was asked for, so that a reader comes to read the
 * end. LOOP_HANGUP alone asks for the edge-triggered notice that the peer left
 * (EPOLLRDHUP); 0 asks for nothing. A plain file cannot be watched: ERR_IO. */
typedef void loop_fd_fn(void *arg, unsigned events);
struct loop_fd *loop_fd_add(struct loop *l, int fd, unsigned events,
                            loop_fd_fn *fn, void *arg, struct error *err);
void loop_fd_set(struct loop_fd *h, unsigned events);
void loop_fd_del(struct loop_fd *h);

/* Calls fn once, delay_ms from now (0: next turn). The handle stays until
 * _del; loop_timer_set arms it again, with a negative delay it is disarmed. */
typedef void loop_fn(void *arg);
struct loop_timer *loop_timer_add(struct loop *l, int64_t delay_ms, loop_fn *fn,
                                  void *arg);
void loop_timer_set(struct loop_timer *t, int64_t delay_ms);
void loop_timer_del(struct loop_timer *t);

/* Blocks signo for the process and delivers it as a call (signalfd). */
typedef void loop_signal_fn(void *arg, int signo);
struct loop_signal *loop_signal_add(struct loop *l, int signo,
                                    loop_signal_fn *fn, void *arg,
                                    struct error *err);
void loop_signal_del(struct loop_signal *s);

/* Calls fn once with wait status when pid ends (pidfd); reaps it. The handle
 * stays until _del, which leaves the child alone. */
typedef void loop_child_fn(void *arg, pid_t pid, int status);
struct loop_child *loop_child_add(struct loop *l, pid_t pid, loop_child_fn *fn,
                                  void *arg, struct error *err);
void loop_child_del(struct loop_child *c);

/* Calls fn once in this turn's deferred phase (a call from a deferred call
 * runs in the next turn). */
void loop_defer(struct loop *l, loop_fn *fn, void *arg);
/* Forgets deferred calls of (fn, arg). */
void loop_undefer(struct loop *l, loop_fn *fn, void *arg);

/* A hook runs before each sleep and answers how long the loop may sleep in
 * milliseconds: -1 for ever, 0 not at all. */
typedef int loop_hook_fn(void *arg);
struct loop_hook *loop_hook_add(struct loop *l, loop_hook_fn *fn, void *arg);
void loop_hook_del(struct loop_hook *h);

/* ---- for lib/base/task.c ---- */

/* Callbacks of descriptors, timers and deferred calls made so far: has
 * anything happened since? */
uint64_t loop_calls(const struct loop *l);
/* From here on loop_turn calls fn instead of turning (fn NULL: turns again).
 * Returns what was there before. */
typedef void loop_turn_fn(void *arg, int timeout_ms);
struct loop_diverted {
    loop_turn_fn *fn;
    void *arg;
};
struct loop_diverted loop_divert(struct loop *l, loop_turn_fn *fn, void *arg);

#endif
