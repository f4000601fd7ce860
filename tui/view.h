/*
 * view.h - what a view is: a table of functions in a file of its own.
 *
 * What: a view shows one thing (an overview, a list, a page, a form) on the
 * canvas it is given and answers keys; the app keeps views in a stack, of
 * which the top one has the keys. Why a table: a new view is one file and one
 * row where it is opened; nothing else changes (docs/STYLE.md rule 15).
 * Invariants: a view reads its source while it updates, draws or answers a
 * key, and keeps no pointer into it in between but those source.h allows; it
 * writes to nothing but the canvas and the app (messages, places, questions).
 * Lifetimes: state is zeroed memory of `size` bytes from open to close.
 */
#ifndef TUI_VIEW_H
#define TUI_VIEW_H

#include "tui/action.h"
#include "tui/canvas.h"
#include "tui/source.h"

struct app;
struct view_ops;

/* Where one can go: a plain value, kept in the history. */
struct place {
    const struct view_ops *ops;
    struct tui_ref ref; /* the object a view is about */
    char word[128];     /* a list's kind, a page's first pane, ... */
};

struct view {
    const struct view_ops *ops;
    struct app *app;
    struct place place;
    void *state;
};

struct view_ops {
    const char *name;
    size_t size;
    bool overlay; /* drawn over the view below it */
    bool own;     /* what it shows is not the cluster's: neither stale nor
                   * frozen */
    /* Opening never fails; what is missing is said on the screen. */
    void (*open)(struct view *v);
    void (*close)(struct view *v);
    /* Takes new data in; the milliseconds until it wants to again, or 0. */
    int64_t (*update)(struct view *v);
    void (*draw)(struct view *v, struct canvas *c, struct rect r);
    /* CTX_ bits of what has the focus now. */
    unsigned (*contexts)(const struct view *v);
    bool (*act)(struct view *v, enum action a);
    /* All below may be NULL. */
    /* Before actions; true: the key is used up (forms, the palette). */
    bool (*key)(struct view *v, unsigned key);
    void (*paste)(struct view *v, struct str text);
    /* Its part of the header line. */
    void (*title)(const struct view *v, struct buf *out);
    /* The object under the cursor. */
    bool (*selected)(const struct view *v, struct tui_ref *out);
    /* The marked objects into out, at most max; how many there are. */
    size_t (*marked)(const struct view *v, struct tui_ref *out, size_t max);
    /* What `/` has in it so far, at every key. */
    void (*search)(struct view *v, struct str text);
    /* What `/` starts with. */
    const char *(*searched)(const struct view *v);
    /* False (with a question asked) when leaving would lose something. */
    bool (*may_leave)(struct view *v);
};

extern const struct view_ops view_overview;
extern const struct view_ops view_page;
extern const struct view_ops view_list;
extern const struct view_ops view_yaml;
extern const struct view_ops view_edit;
extern const struct view_ops view_help;
extern const struct view_ops view_palette;
extern const struct view_ops view_delete;
extern const struct view_ops view_create;
extern const struct view_ops view_steps;

#endif
