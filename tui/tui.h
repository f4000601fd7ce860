/*
 * tui.h - the curses application's one way in.
 *
 * What: `meshtop` without a command on a terminal. It owns the terminal and
 * the process' loop until the user quits. Why plain strings: the caller
 * (cli/main.c) chooses the cluster, this floor opens it.
 * Lifetimes: everything in the options is the caller's and outlives the call.
 */
#ifndef TUI_TUI_H
#define TUI_TUI_H

#include "lib/base/error.h"

struct tui_options {
    const char *kubeconfig; /* file; NULL: $KUBECONFIG, then ~/.kube/config */
    const char *context;    /* NULL: the file's current context */
    const char *ns;         /* NULL or "": all namespaces */
    const char *title;      /* shown first: "demo (sandbox)" or the context */
    const char *state_dir;  /* for saved manifests (trash/); NULL: none kept */
    bool read_only;         /* refuse every write */
    bool no_color;          /* besides the variable NO_COLOR */
    bool ascii;             /* no character beyond ASCII */
};

/* Runs until the user quits (returns 0), a signal ends it (128 + signal) or
 * the terminal cannot be used (-1 and err: ERR_UNSUPPORTED names TERM). The
 * terminal is as it was before on every return. A cluster that cannot be
 * reached is no error: the screen says so and keeps trying. */
int tui_run(const struct tui_options *o, struct error *err);

#endif
