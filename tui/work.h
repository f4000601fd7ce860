/*
 * work.h - long work as the steps view shows it: up, verify, down.
 *
 * What: its steps (devenv/step.h), where it stands, what it asks, how it
 * ended. Two makers exist: tui/work_live.c runs devenv's in a task beside the
 * screen, the screen tests play a script. The app owns at most one.
 * Invariants: nothing here waits; whenever something a view can see changes,
 * `changed` is called. Texts come from outside and are hostile: only the
 * canvas may show them.
 * Lifetimes: runs and texts are valid until the next change; free only when
 * it does not run (tui_work_runs), or at the program's end.
 */
#ifndef TUI_WORK_H
#define TUI_WORK_H

#include "devenv/step.h"

enum tui_work_kind { WORK_UP, WORK_VERIFY, WORK_DOWN };

enum tui_work_state {
    WORK_NEW,
    WORK_ASKING, /* it looked, and waits for the answer to `question` */
    WORK_RUNNING,
    WORK_DONE,
    WORK_FAILED,
    WORK_STOPPED /* by the user */
};

struct tui_work;

struct tui_work_ops {
    void (*free)(struct tui_work *w);
    /* Begins, or tries again after an end; what is done stays done. */
    bool (*start)(struct tui_work *w, struct error *err);
    /* The name it asks for was typed. */
    void (*confirm)(struct tui_work *w);
    /* The first stops starting steps and waiting, the second ends children. */
    void (*stop)(struct tui_work *w);
};

struct tui_work {
    const struct tui_work_ops *ops;
    enum tui_work_kind kind;
    enum tui_work_state state;
    const char *name; /* "up", "verify", "down" */
    char about[128];  /* "profile demo on kind" */
    struct step_run **runs;
    size_t runs_n;
    int64_t began_ms, ended_ms; /* monotonic; 0: not yet */
    unsigned stops;             /* asked for, since it began */
    char answer[64];            /* what must be typed, when ASKING */
    struct strlist report; /* what it found, when ASKING; what came of it */
    struct error error;    /* of a failure */
    void (*changed)(void *arg);
    void *changed_arg;
};

/* It has begun and not ended. */
bool tui_work_runs(const struct tui_work *w);

#endif
