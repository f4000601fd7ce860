/*
 * lineedit.h - one line of input: what prompts and form fields are made of.
 *
 * Keys: characters insert; left, right, home, end (ctrl-a stays free for tmux
 * hands), backspace, delete, ctrl-w (word), ctrl-u (to the start), ctrl-k is
 * not bound. Invariants: text is valid UTF-8 without control characters, at
 * most max bytes; at is on a character boundary.
 */
#ifndef TUI_LINEEDIT_H
#define TUI_LINEEDIT_H

#include "tui/canvas.h"

struct lineedit {
    struct buf text;
    size_t at; /* byte offset of the cursor */
};

void lineedit_init(struct lineedit *e, size_t max);
void lineedit_release(struct lineedit *e);
void lineedit_set(struct lineedit *e, struct str text);
/* False when the key is not one of an editor's. */
bool lineedit_key(struct lineedit *e, unsigned key);
/* Line ends in text become spaces. */
void lineedit_paste(struct lineedit *e, struct str text);
/* Draws it in w columns, scrolled so that the cursor shows; puts the canvas'
 * cursor when focused. */
void lineedit_draw(const struct lineedit *e, struct canvas *c, int x, int y,
                   int w, bool focused);

#endif
