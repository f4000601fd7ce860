/*
 * tui.h - the curses application's one way in.
 *
 * What: `meshtop` without a command on a terminal, and `meshtop up` there. It
 * owns the terminal and the process' loop until the user quits. Why plain
 * strings: the caller (cli/live.c) chooses the cluster, this floor opens it.
 * Lifetimes: everything in the options is the caller's and outlives the call.
 */
#ifndef TUI_TUI_H
#define TUI_TUI_H

#include "devenv/up.h"

struct tui_options {
    const char *kubeconfig; /* file; NULL: $KUBECONFIG, then ~/.kube/config */
    const char *context;    /* NULL: the file's current context */
    const char *ns;         /* NULL or "": all namespaces */
    const char *title;      /* shown first: "demo (sandbox)" or the context */
    const char *state_dir;  /* for saved manifests (trash/); NULL: none kept */
    bool read_only;         /* refuse every write */
    bool no_color;          /* besides the variable NO_COLOR */
    bool ascii;             /* no character beyond ASCII */

    bool none;           /* no cluster is there to look at; `:up` is offered */
    const char *profile; /* of `:up`, `:verify`, `:down`; NULL: the default */
    /* Begin with bringing the profile up; NULL: with the overview. */
    const struct up_options *up;
};

/* How the work of a run that began with `up` ended, for what is said after the
 * screen is gone. */
struct tui_end {
    bool up;    /* everything is Ready */
    bool begun; /* there was such work */
    struct error error;
    int64_t ms;
};

/* Runs until the user quits (returns 0), a signal ends it (128 + signal) or
 * the terminal cannot be used (-1 and err: ERR_UNSUPPORTED names TERM). The
 * terminal is as it was before on every return. A cluster that cannot be
 * reached is no error: the screen says so and keeps trying. end may be NULL. */
int tui_run(const struct tui_options *o, struct tui_end *end,
            struct error *err);

#endif
