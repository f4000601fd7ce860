/*
 * action.h - everything a key can do, in one table.
 *
 * What: one row an action: its name, default keys, one line of help, and in
 * which kinds of view it means something. Keys, the `?` help, the `:` palette,
 * the hints at the bottom and docs/KEYS.md are all made from it.
 * Invariant: within one context no key has two actions (a unit test).
 */
#ifndef TUI_ACTION_H
#define TUI_ACTION_H

#include "lib/base/buf.h"

/* Contexts, as bits: what the focused part of a view is. */
enum {
    CTX_ANY = 1 << 0,     /* every view */
    CTX_LIST = 1 << 1,    /* a table of things */
    CTX_TREE = 1 << 2,    /* a tree that folds */
    CTX_TEXT = 1 << 3,    /* text that scrolls and is searched */
    CTX_OBJECT = 1 << 4,  /* something is selected that is an object */
    CTX_HOME = 1 << 5,    /* the overview */
    CTX_PRODUCT = 1 << 6, /* one object's page */
    CTX_DELETE = 1 << 7,  /* the delete plan */
    CTX_FORM = 1 << 8,    /* the create form; letters are input there */
    CTX_KIND = 1 << 9,    /* a list of one kind, of which one can be made */
    CTX_STEPS = 1 << 10   /* steps of up, verify or down */
};

enum action {
    ACT_NONE,
    ACT_UP,
    ACT_DOWN,
    ACT_PAGE_UP,
    ACT_PAGE_DOWN,
    ACT_TOP,
    ACT_BOTTOM,
    ACT_LEFT,
    ACT_RIGHT,
    ACT_FOLD,
    ACT_UNFOLD,
    ACT_FOLD_ALL,
    ACT_NEXT_PANE,
    ACT_PREV_PANE,
    ACT_PANE_1,
    ACT_PANE_2,
    ACT_PANE_3,
    ACT_PANE_4,
    ACT_OPEN,
    ACT_BACK,
    ACT_QUIT,
    ACT_INTERRUPT,
    ACT_OWNER,
    ACT_HISTORY_BACK,
    ACT_HISTORY_FORWARD,
    ACT_LAST,
    ACT_FILTER,
    ACT_SEARCH,
    ACT_NEXT,
    ACT_PREVIOUS,
    ACT_YAML,
    ACT_DESCRIBE,
    ACT_EVENTS,
    ACT_CONDITIONS,
    ACT_PORTS,
    ACT_TREE,
    ACT_WHY,
    ACT_ONLY_BAD,
    ACT_WIDE,
    ACT_ZOOM,
    ACT_WRAP,
    ACT_REVEAL,
    ACT_MARK,
    ACT_CLEAR_MARKS,
    ACT_SORT_LEFT,
    ACT_SORT_RIGHT,
    ACT_INVERT,
    ACT_NEW,
    ACT_EDIT,
    ACT_DELETE,
    ACT_DO_DELETE,
    ACT_COPY,
    ACT_FREEZE,
    ACT_PALETTE,
    ACT_HELP,
    ACT_REDRAW,
    ACT_RESYNC,
    ACT_SUSPEND,
    ACT_FIELD_NEXT,
    ACT_FIELD_PREV,
    ACT_PREVIEW,
    ACT_EDITOR,
    ACT_CREATE,
    ACT_RETRY,
    ACT_FOLLOW,
    ACT_COUNT
};

struct action_row {
    enum action id;
    const char *name;  /* "delete-plan": for the palette */
    const char *keys;  /* space-separated words of tui/key.h */
    const char *group; /* heading in the help */
    const char *help;  /* one line, no full stop */
    const char *hint;  /* a word for the bottom line, or NULL */
    unsigned contexts; /* CTX_ bits; any one of them is enough */
};

/* ACT_COUNT - 1 rows, in the order help shows them. */
extern const struct action_row action_table[];
size_t action_count(void);
/* What key does where contexts are given; ACT_NONE when nothing. */
enum action action_of(unsigned key, unsigned contexts);
const struct action_row *action_row(enum action a);
/* The first key of a row, as people write it ("^D", "Enter", "?"). */
void action_key(const struct action_row *row, struct buf *out);
/* The table as docs/KEYS.md. */
void action_markdown(struct buf *out);

#endif
