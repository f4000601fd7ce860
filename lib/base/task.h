/*
 * task.h - work written straight down that waits without holding anyone up.
 *
 * What: a task is a function with a stack of its own. Wherever it turns the
 * loop to wait (loop_turn, and so every *_wait of the house), it is put aside
 * and the loop goes on with everything else; it continues when something has
 * happened or its time has passed. So several tasks wait side by side on one
 * thread, and a task may run beside the TUI, whose callbacks must not wait.
 * A task that changes what another one waits for says so by loop_defer: a task
 * is looked at again only after a callback of the loop.
 * Invariants: a task runs only inside the loop's prepare phase, never inside
 * task_start; tasks do not preempt each other: between two turns a task has
 * the process to itself. It cannot be ended from outside: what it waits for
 * looks at a flag (devenv/step.h's cancel).
 * Lifetimes: task_free only when task_done, or before the first turn; the
 * stack (1 MiB of address space, used as touched) goes with it.
 */
#ifndef LIB_BASE_TASK_H
#define LIB_BASE_TASK_H

#include "lib/base/error.h"
#include "lib/base/loop.h"

struct task;
typedef void task_fn(void *arg);

/* Begins fn in the next turn of the loop. NULL and err: no memory for a
 * stack (ERR_LIMIT). */
struct task *task_start(struct loop *l, task_fn *fn, void *arg,
                        struct error *err);
bool task_done(const struct task *t);
/* NULL is fine. */
void task_free(struct task *t);

#endif
