/*
 * trace_watch.h - a trace that stays true until its root is gone.
 *
 * What: one watch for each kind and label (or name) in the tree; whenever one
 * of them tells of a change the tree is read again by its names and shown, if
 * it became another one. On a terminal it is drawn where it stood, otherwise
 * each version is printed behind the last one. Nothing is asked for on a
 * timer.
 * Lifetimes: t stays the caller's; a newer reading takes its place in it.
 */
#ifndef CLI_TRACE_WATCH_H
#define CLI_TRACE_WATCH_H

#include "cli/trace_print.h"

struct trace_watch_options {
    struct trace_style style;
    trace_print_fn *print;
    bool plain; /* no colours */
};

/* Shows t (of one root) until the root is deleted or the user ends it. False:
 * the root could not be read any more, for another reason. */
bool trace_watch(struct trace *t, const struct trace_watch_options *o,
                 struct error *err);

#endif
