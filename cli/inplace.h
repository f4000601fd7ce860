/*
 * inplace.h - a few lines of a terminal that are drawn again where they are.
 *
 * What: shows the first rows of a canvas below what was printed before, and
 * replaces them with the next; no full screen, no curses, so that everything
 * above stays in the scrollback. Only rows that changed are written, in one
 * write.
 * Invariants: never more rows than the window has, less one; no row reaches
 * the last column; the cursor is hidden only while something is shown, and
 * comes back on inplace_end, on a fatal signal and on suspend. After a new
 * width the rows above are counted as terminals that re-flow lines have them.
 * Lifetimes: inplace_begin ... inplace_end; one at a time.
 */
#ifndef CLI_INPLACE_H
#define CLI_INPLACE_H

#include "tui/canvas.h"

struct inplace {
    int fd;     /* a terminal, not owned; -1: not begun */
    int colors; /* 0, 8, 256 */
    int w, h;   /* the window's */
    struct canvas shown;
    int rows; /* of it on the screen */
};

/* How many colours a terminal named by TERM has; 0 with plain or NO_COLOR. */
int inplace_colors(bool plain);
/* The locale shows no more than ASCII, nor does C.UTF-8 in its place (which is
 * taken when it is there). */
bool inplace_ascii(void);
void inplace_begin(struct inplace *p, int fd, int colors);
/* Reads the window's size again; 0x0 counts as 80x24. True: it is another one.
 * To be asked before each drawing: what is drawn for an old size lands wrong.
 */
bool inplace_measure(struct inplace *p);
/* Shows the first rows rows of c (at most h - 1). */
void inplace_draw(struct inplace *p, const struct canvas *c, int rows);
/* Takes them away; the cursor stands where they began, and shows. */
void inplace_clear(struct inplace *p);
/* The first rows of c as text with colours, for good. */
void inplace_print(struct inplace *p, const struct canvas *c, int rows);
void inplace_end(struct inplace *p);

#endif
