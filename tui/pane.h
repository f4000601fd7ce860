/*
 * pane.h - a titled part of a view, the same everywhere.
 *
 * A border and a title where there is room; from 100 columns down the side
 * borders go, below 16 rows or 60 columns the title line too.
 */
#ifndef TUI_PANE_H
#define TUI_PANE_H

#include "tui/action.h"
#include "tui/canvas.h"

/* Draws the frame of a pane into r and answers what is left inside. */
struct rect pane_draw(struct canvas *c, struct rect r, struct str title,
                      bool focus);
/* The keys that choose among n panes: next, previous, by number; one alone and
 * all again (back ends that too). True: a was one of them. */
bool pane_act(enum action a, int *focus, int n, bool *zoom);

#endif
