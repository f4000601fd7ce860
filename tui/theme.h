/*
 * theme.h - how styles look: one row a style, one column a colour depth.
 *
 * Colour only adds: every state has its own glyph and word, so mono loses
 * nothing. Colours are of the terminal's own palette (0-15) or of the 256
 * colour cube; -1 is the terminal's default.
 */
#ifndef TUI_THEME_H
#define TUI_THEME_H

#include "tui/canvas.h"
#include "tui/source.h"

enum { LOOK_BOLD = 1, LOOK_DIM = 2, LOOK_REVERSE = 4, LOOK_UNDERLINE = 8 };

struct look {
    short fg, bg;
    unsigned attrs;
};

/* The look of style with the cell's CV_ attributes on a terminal of colors
 * colours (0, 8, 16, 256). */
struct look theme_look(enum style style, unsigned attrs, int colors);

/* A state as the screens say it. */
const char *theme_glyph(enum tui_state s); /* one column; "●", "✖", ... */
const char *theme_word(enum tui_state s);  /* "OK", "FAIL", ... */
enum style theme_style(enum tui_state s);

#endif
