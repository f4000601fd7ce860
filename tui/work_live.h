/*
 * work_live.h - devenv's up, verify and down as work of the TUI.
 *
 * What: each is straight-line code in a task (lib/base/task.h) on the TUI's
 * loop: keys stay quick, frames go on. Lifetimes: the loop and the options
 * outlive it; freeing work that runs stops it and turns the loop until it has
 * ended.
 */
#ifndef TUI_WORK_LIVE_H
#define TUI_WORK_LIVE_H

#include "devenv/up.h"

#include "tui/work.h"

struct work_live_options {
    struct loop *loop;
    enum tui_work_kind kind;
    const char *profile;         /* NULL: the default one */
    const struct up_options *up; /* of the command line; or NULL: words */
    /* What was typed behind it: engine and examples of up, "scratch" of
     * verify, "force" or "purge" of down. */
    struct str words;
};

/* ERR_USAGE when a word means nothing. */
struct tui_work *work_live_new(const struct work_live_options *o,
                               struct error *err);
/* Where its profile's cluster is, or would be. */
struct work_target {
    bool up;
    char *kubeconfig, *context, *title; /* context may be NULL */
};
bool work_live_target(const struct tui_work *w, struct work_target *out);
void work_target_release(struct work_target *t);

#endif
