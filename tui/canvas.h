/*
 * canvas.h - a rectangle of cells: all that a view may draw on.
 *
 * What: text goes in as UTF-8, comes out as cells with a style; nothing is
 * drawn outside the given columns. Why: what a view shows can be tested as
 * text without a terminal, and this is the one place where bytes from a
 * cluster meet the screen: control characters, C1 and bidi controls
 * (utf8_unsafe) never become cells, they show as a replacement mark.
 * Invariants: a wide character occupies two cells (width 2, then width 0) and
 * is never split: where half of it would fall outside, a space stands instead.
 * Lifetime: canvas_init ... canvas_release; canvas_resize forgets content.
 */
#ifndef TUI_CANVAS_H
#define TUI_CANVAS_H

#include "lib/base/buf.h"

/* What a cell means; tui/theme.c says how that looks. */
enum style {
    ST_TEXT,
    ST_DIM,
    ST_TITLE,
    ST_BORDER,
    ST_FOCUS, /* the border and title of the pane that has the keys */
    ST_HEAD,  /* column headings */
    ST_OK,
    ST_WAIT,
    ST_FAIL,
    ST_DEL,
    ST_PAUSED,
    ST_KEY,   /* a key in a hint */
    ST_NAME,  /* the name one looks for */
    ST_VALUE, /* a literal in YAML */
    ST_INPUT,
    ST_MATCH,
    ST_BAR,   /* header line */
    ST_ALERT, /* STALE, read-only, a failed write */
    ST_COUNT
};

enum {
    CV_SELECTED = 1, /* the cursor's row in the pane that has the keys */
    CV_BOLD = 2,
    CV_STALE = 4, /* data we cannot vouch for: drawn dim */
    CV_CURSOR = 8 /* the cursor's row in a pane without the keys */
};

struct canvas_cell {
    uint32_t cp;   /* 0: right half of a wide character */
    uint32_t mark; /* one combining character, or 0 */
    uint8_t width; /* 1, 2, or 0 for a right half */
    uint8_t style;
    uint8_t attrs;
    uint8_t spare; /* always 0: cells are compared as bytes */
};

struct rect {
    int x, y, w, h;
};

struct canvas {
    int w, h;
    struct canvas_cell *cells; /* w * h, row by row */
    bool ascii;                /* characters beyond ASCII show as '?' */
    uint8_t attrs;             /* added to everything drawn */
    int cursor_x, cursor_y;    /* where the terminal's cursor shows; -1: none */
};

#define CANVAS_MAX 2000 /* columns and rows; a larger terminal is clamped */

void canvas_init(struct canvas *c, int w, int h, bool ascii);
void canvas_release(struct canvas *c);
void canvas_resize(struct canvas *c, int w, int h);
/* Spaces in ST_TEXT everywhere; no cursor. */
void canvas_clear(struct canvas *c);
void canvas_fill(struct canvas *c, struct rect r, uint32_t cp, enum style st);
/* Adds attrs to the cells of r. */
void canvas_attr(struct canvas *c, struct rect r, unsigned attrs);

/* Draws text from (x, y) in at most w columns; what does not fit is cut at a
 * character. Returns the columns used. */
int canvas_put(struct canvas *c, int x, int y, int w, enum style st,
               struct str text);
int canvas_puts(struct canvas *c, int x, int y, int w, enum style st,
                const char *z);
int canvas_printf(struct canvas *c, int x, int y, int w, enum style st,
                  const char *fmt, ...) PRINTF_LIKE(6, 7);
/* As canvas_put, but a text that is too long ends with an ellipsis. */
int canvas_cut(struct canvas *c, int x, int y, int w, enum style st,
               struct str text);
/* ... or loses its middle: of names, prefix and hash both matter. */
int canvas_cut_middle(struct canvas *c, int x, int y, int w, enum style st,
                      struct str text);
/* A text that wraps at spaces to r; the rows it took. */
int canvas_wrap(struct canvas *c, struct rect r, enum style st,
                struct str text);
/* Right-aligned in w columns. */
void canvas_right(struct canvas *c, int x, int y, int w, enum style st,
                  struct str text);
/* A box along the edge of r with a title in its top line (may be empty). */
void canvas_box(struct canvas *c, struct rect r, enum style st,
                struct str title);
/* Horizontal line. */
void canvas_hline(struct canvas *c, int x, int y, int w, enum style st);
/* Columns that text takes here (unsafe characters count one). */
int canvas_columns(const struct canvas *c, struct str text);

/* The canvas as text, one line a row, spaces at line ends left out. */
void canvas_text(const struct canvas *c, struct buf *out);

/* The part of r that is left after n rows or columns are taken from an edge;
 * never negative. */
struct rect rect_top(struct rect *r, int n);
struct rect rect_bottom(struct rect *r, int n);
struct rect rect_left(struct rect *r, int n);
struct rect rect_right(struct rect *r, int n);
struct rect rect_inset(struct rect r, int n);

#endif
