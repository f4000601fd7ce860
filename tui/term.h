/*
 * term.h - the terminal: the only door to curses.
 *
 * What: enters and leaves the full screen, turns bytes into keys, shows a
 * canvas by writing only the cells that changed, and hears of new sizes.
 * Invariants: whatever ends the program (return, signal, abort), the terminal
 * is put back: cursor, alternate screen, bracketed paste, line discipline.
 * Text pasted by the terminal arrives as one paste, never as keys, so that it
 * cannot run commands. Nothing is written to the terminal but by this file.
 * Lifetimes: one struct term a process; it hangs on the loop until term_free.
 */
#ifndef TUI_TERM_H
#define TUI_TERM_H

#include "lib/base/loop.h"

#include "tui/canvas.h"

struct term;

struct term_events {
    void (*key)(void *arg, unsigned key); /* tui/key.h */
    /* At most 64 KiB of it; control characters but newline are gone. */
    void (*paste)(void *arg, struct str text);
    void (*resize)(void *arg, int w, int h);
    void (*end)(void *arg, int signo); /* SIGTERM, SIGHUP, SIGINT */
    void *arg;
};

struct term_options {
    bool no_color; /* besides NO_COLOR, TERM without colours */
    bool ascii;    /* besides a locale that is not UTF-8 */
    struct term_events events;
};

/* ERR_UNSUPPORTED when TERM is unknown or standard input or output is none. */
struct term *term_new(struct loop *l, const struct term_options *o,
                      struct error *err);
/* Puts the terminal back. NULL is fine. */
void term_free(struct term *t);
/* A 0x0 window counts as 80x24. */
void term_size(const struct term *t, int *w, int *h);
bool term_ascii(const struct term *t);
/* Shows c; its size must be the terminal's. */
void term_draw(struct term *t, const struct canvas *c);
/* The next draw writes every cell (ctrl-l). */
void term_redraw(struct term *t);
/* Gives the terminal to another program, and takes it back. */
void term_leave(struct term *t);
void term_enter(struct term *t);
/* Stops the process group as ctrl-z does elsewhere. */
void term_suspend(struct term *t);
/* Puts text on the user's clipboard by OSC 52 (works over SSH). */
void term_copy(struct term *t, struct str text);

#endif
