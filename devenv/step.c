/* The inside of a step: what it says, how it waits. The graph: step_graph.c */
#include "devenv/step.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/process.h"

/* How often a wait looks whether the user has had enough. */
#define LOOK_MS        200
#define PARTS_MAX      256
#define LINE_MAX_BYTES 1000

static int64_t
now_ms(void)
{
    return clock_mono_ms(clock_system());
}

static void
changed(struct step_run *run)
{
    if (run->on_change)
        run->on_change(run->arg, run);
}

void
step_detail(struct step_run *run, const char *fmt, ...)
{
    char text[sizeof(run->detail)];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (strcmp(text, run->detail) == 0)
        return;
    memcpy(run->detail, text, sizeof(text));
    changed(run);
}

void
step_bytes(struct step_run *run, uint64_t done, uint64_t total)
{
    if (run->done == done && run->total == total)
        return;
    run->done = done;
    run->total = total;
    changed(run);
}

static struct step_part *
part_called(struct step_run *run, const char *name)
{
    for (size_t i = 0; i < run->parts_n; i++) {
        if (strcmp(run->parts[i].name, name) == 0)
            return &run->parts[i];
    }
    if (run->parts_n == PARTS_MAX)
        return NULL;
    run->parts = mem_grow(run->parts, &run->parts_cap, run->parts_n + 1,
                          sizeof(*run->parts));
    run->parts[run->parts_n] =
        (struct step_part){mem_strdup(name), mem_strdup(""), STEP_PENDING};
    return &run->parts[run->parts_n++];
}

void
step_part(struct step_run *run, const char *name, enum step_state state,
          const char *detail)
{
    struct step_part *p = part_called(run, name);

    if (!p || (p->state == state && strcmp(p->detail, detail) == 0))
        return;
    p->state = state;
    free(p->detail);
    p->detail = mem_strdup(detail);
    changed(run);
}

void
step_log(struct step_run *run, struct str line)
{
    struct str rest;

    if (run->log.n == STEP_LOG_LINES) {
        free(run->log.v[0]);
        memmove(run->log.v, run->log.v + 1,
                (run->log.n - 1) * sizeof(*run->log.v));
        run->log.n--;
    }
    str_cut(line, '\n', &line, &rest);
    strlist_add(&run->log, str_n(line.s, MIN(line.n, LINE_MAX_BYTES)));
    for (char *c = run->log.v[run->log.n - 1]; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
    }
    changed(run);
}

bool
step_cancelled(const struct step_run *run, struct error *err)
{
    if (!run->cancelled || !*run->cancelled)
        return false;
    error_set(err, ERR_CANCELLED, "stopped at your request in \"%s\"",
              run->title ? run->title : "");
    error_remedy(err, "MT-CANCELLED",
                 "What is done stays done; run the same command again to go "
                 "on, or \"meshtop down\" to remove it.");
    return true;
}

bool
step_wait(struct step_run *run, int64_t limit_ms, bool (*condition)(void *arg),
          void *arg, struct error *err)
{
    int64_t end = now_ms() + limit_ms;

    while (!condition(arg)) {
        int64_t left = end - now_ms();

        if (step_cancelled(run, err))
            return false;
        if (left <= 0)
            return error_set(err, ERR_TIMEOUT, "%s: not done after %lld s%s%s",
                             run->title ? run->title : "",
                             (long long)(limit_ms / 1000),
                             *run->detail ? "; " : "", run->detail);
        loop_turn(run->loop, (int)MIN(left, LOOK_MS));
    }
    return true;
}

static bool
time_is_over(void *arg)
{
    return now_ms() >= *(int64_t *)arg;
}

bool
step_pause(struct step_run *run, int64_t ms, struct error *err)
{
    int64_t end = now_ms() + ms;

    while (!time_is_over(&end)) {
        if (step_cancelled(run, err))
            return false;
        loop_turn(run->loop, (int)MIN(MAX(end - now_ms(), 0), LOOK_MS));
    }
    return true;
}

/* ---- programs ---- */

struct child {
    struct step_run *run;
    const struct step_program *program;
    struct buf *out;
    int status;
    bool done;
};

static void
on_line(void *arg, int fd, struct str line)
{
    struct child *c = arg;

    step_log(c->run, line);
    if (c->program->on_line)
        c->program->on_line(c->program->arg, fd, line);
}

static void
on_exit_of_child(void *arg, const struct process_result *r)
{
    struct child *c = arg;

    c->done = true;
    c->status = r->status;
    if (c->out)
        buf_str(c->out, r->out);
}

bool
step_program(struct step_run *run, const struct step_program *p, int *status,
             struct buf *out, struct error *err)
{
    struct child c = {.run = run, .program = p, .out = out};
    const struct process_options o = {.argv = p->argv,
                                      .env = p->env,
                                      .input = p->input,
                                      .on_line = on_line,
                                      .on_exit = on_exit_of_child,
                                      .arg = &c};
    int64_t end = now_ms() + p->limit_ms;
    struct process *child = process_start(run->loop, &o, err);

    if (!child)
        return false;
    bool ok = true;

    while (ok && !c.done) {
        int64_t left = end - now_ms();

        /* The first stop waits for the child, the second ends it. */
        if (run->cancelled && *run->cancelled > 1)
            ok = !step_cancelled(run, err);
        else if (left <= 0)
            ok = error_set(err, ERR_TIMEOUT, "%s did not end within %lld s",
                           p->argv[0], (long long)(p->limit_ms / 1000));
        else
            loop_turn(run->loop, (int)MIN(left, LOOK_MS));
    }
    process_free(child);
    if (ok)
        *status = c.status;
    return ok;
}

void
step_run_release(struct step_run *run)
{
    for (size_t i = 0; i < run->parts_n; i++) {
        free(run->parts[i].name);
        free(run->parts[i].detail);
    }
    free(run->parts);
    strlist_release(&run->log);
    run->parts = NULL;
    run->parts_n = run->parts_cap = 0;
}
