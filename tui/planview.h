/*
 * planview.h - a plan drawn: items with their signs, and notes.
 */
#ifndef TUI_PLANVIEW_H
#define TUI_PLANVIEW_H

#include "tui/canvas.h"
#include "tui/source.h"

/* Items from the top-th on into r. */
void planview_items(struct canvas *c, struct rect r,
                    const struct tui_plan *plan, size_t top);
/* Notes from the top-th on; returns how many were shown. */
size_t planview_notes(struct canvas *c, struct rect r,
                      const struct tui_plan *plan, size_t top);

#endif
