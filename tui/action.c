#include "tui/action.h"

#include <ctype.h>

#include "tui/key.h"

#define MOVES   (CTX_LIST | CTX_TREE | CTX_TEXT | CTX_STEPS)
#define FOLDS   (CTX_TREE | CTX_STEPS)
#define OBJECTS (CTX_OBJECT)
#define PANES   (CTX_HOME | CTX_PRODUCT | CTX_STEPS)
#define INPUT   (CTX_FORM | CTX_DELETE)
#define NOFORM  (CTX_ANY)

const struct action_row action_table[] = {
    {ACT_UP, "up", "up k", "Move", "one line up", NULL, MOVES},
    {ACT_DOWN, "down", "down j", "Move", "one line down", NULL, MOVES},
    {ACT_PAGE_UP, "page-up", "pgup ctrl-b", "Move", "one page up", NULL, MOVES},
    {ACT_PAGE_DOWN, "page-down", "pgdn ctrl-f", "Move", "one page down", NULL,
     MOVES},
    {ACT_TOP, "top", "g home", "Move", "to the first line", NULL, MOVES},
    {ACT_BOTTOM, "bottom", "G end", "Move", "to the last line", NULL, MOVES},
    {ACT_LEFT, "left", "left h", "Move", "scroll left, fold a branch", NULL,
     MOVES},
    {ACT_RIGHT, "right", "right l", "Move", "scroll right, unfold a branch",
     NULL, MOVES},
    {ACT_UNFOLD, "unfold", "+", "Move", "unfold the branch", NULL, FOLDS},
    {ACT_FOLD, "fold", "_", "Move", "fold the branch", NULL, FOLDS},
    {ACT_FOLD_ALL, "fold-all", "*", "Move", "fold or unfold everything", NULL,
     FOLDS},
    {ACT_NEXT_PANE, "next-pane", "tab", "Move", "next pane", "pane", PANES},
    {ACT_PREV_PANE, "previous-pane", "shift-tab", "Move", "previous pane", NULL,
     PANES},
    {ACT_PANE_1, "pane-1", "1", "Move", "first pane", NULL, PANES},
    {ACT_PANE_2, "pane-2", "2", "Move", "second pane", NULL, PANES},
    {ACT_PANE_3, "pane-3", "3", "Move", "third pane", NULL, PANES},
    {ACT_PANE_4, "pane-4", "4", "Move", "fourth pane", NULL, PANES},

    {ACT_OPEN, "open", "enter", "Go", "open what is selected", "open",
     CTX_LIST | CTX_TREE | CTX_STEPS},
    {ACT_BACK, "back", "esc", "Go",
     "clear the filter, then the marks, then go back", "back", NOFORM | INPUT},
    {ACT_OWNER, "owner", "u", "Go", "up to the owner", NULL, OBJECTS},
    {ACT_HISTORY_BACK, "history-back", "[", "Go", "to the place before", NULL,
     NOFORM},
    {ACT_HISTORY_FORWARD, "history-forward", "]", "Go", "to the place after",
     NULL, NOFORM},
    {ACT_LAST, "last", "-", "Go", "to the last place and back", NULL, NOFORM},
    {ACT_QUIT, "quit", "q f10", "Go", "back; at the overview, quit", "quit",
     NOFORM},
    {ACT_INTERRUPT, "interrupt", "ctrl-c", "Go", "twice: quit", NULL,
     NOFORM | INPUT},

    {ACT_FILTER, "filter", "/ f4", "Find",
     "filter: word !not ~regex -l a=b ready=false age<2h", "filter", CTX_LIST},
    {ACT_SEARCH, "search", "/ f3", "Find", "search in the text", "search",
     CTX_TEXT},
    {ACT_NEXT, "next-match", "n", "Find", "next match", NULL, CTX_TEXT},
    {ACT_PREVIOUS, "previous-match", "N", "Find", "previous match", NULL,
     CTX_TEXT},

    {ACT_YAML, "yaml", "y", "Look", "the object as YAML", "yaml", OBJECTS},
    {ACT_DESCRIBE, "describe", "d", "Look",
     "the object's page: tree, why, conditions, events", "describe", OBJECTS},
    {ACT_WHY, "why", "x", "Look", "why it is not ready", "why", OBJECTS},
    {ACT_TREE, "tree", "t f5", "Look", "what it is composed of", NULL, OBJECTS},
    {ACT_EVENTS, "events", "E", "Look", "its events", "events", OBJECTS},
    {ACT_CONDITIONS, "conditions", "i", "Look", "its conditions", NULL,
     CTX_PRODUCT},
    {ACT_PORTS, "ports", "p", "Look", "its ports and contracts", NULL, OBJECTS},
    {ACT_ONLY_BAD, "only-bad", "o", "Look", "only what is not ready", "bad",
     CTX_TREE | CTX_LIST},
    {ACT_WIDE, "wide", "w ctrl-w", "Look", "more columns", NULL, CTX_LIST},
    {ACT_WRAP, "wrap", "w", "Look", "wrap long lines", NULL, CTX_TEXT},
    {ACT_ZOOM, "zoom", "z", "Look", "this pane alone", NULL, PANES},
    {ACT_REVEAL, "reveal", "R", "Look", "show the values of a Secret", NULL,
     CTX_TEXT},
    {ACT_FREEZE, "freeze", "Z", "Look", "freeze and thaw the screen", NULL,
     NOFORM},

    {ACT_MARK, "mark", "space", "Choose", "mark the row", NULL, CTX_LIST},
    {ACT_CLEAR_MARKS, "clear-marks", "U", "Choose", "forget every mark", NULL,
     CTX_LIST},
    {ACT_SORT_LEFT, "sort-left", "<", "Choose", "sort by the column left", NULL,
     CTX_LIST},
    {ACT_SORT_RIGHT, "sort-right", "> f6", "Choose", "sort by the column right",
     NULL, CTX_LIST},
    {ACT_INVERT, "invert", "I", "Choose", "turn the order round", NULL,
     CTX_LIST},

    {ACT_NEW, "new", "n", "Act", "create one, with its plan beside the form",
     "new", CTX_KIND},
    {ACT_EDIT, "edit", "e", "Act",
     "edit in $EDITOR; shows the difference and asks", "edit", OBJECTS},
    {ACT_DELETE, "delete-plan", "ctrl-d", "Act",
     "the delete plan; changes nothing yet", "delete", OBJECTS},
    {ACT_DO_DELETE, "delete", "f8", "Act", "delete, once the name is typed",
     "delete it", CTX_DELETE},
    {ACT_COPY, "copy", "c", "Act", "copy the name to the clipboard", NULL,
     OBJECTS},

    {ACT_FIELD_NEXT, "next-field", "tab down enter", "Form", "next field",
     "next", CTX_FORM},
    {ACT_FIELD_PREV, "previous-field", "shift-tab up", "Form", "previous field",
     NULL, CTX_FORM},
    {ACT_PREVIEW, "preview", "ctrl-p", "Form",
     "form or plan, where one fits the screen", "plan", CTX_FORM},
    {ACT_EDITOR, "editor", "ctrl-e f2", "Form", "the whole manifest in $EDITOR",
     "editor", CTX_FORM},
    {ACT_CREATE, "create", "ctrl-s", "Form", "create it (asks)", "create",
     CTX_FORM},

    {ACT_RETRY, "retry", "r", "Steps", "try again from what went wrong",
     "retry", CTX_STEPS},
    {ACT_FOLLOW, "follow", "F", "Steps", "the cursor follows what runs",
     "follow", CTX_STEPS},

    {ACT_PALETTE, "palette", ":", "Program",
     "go to a kind, or do anything by name", "command", NOFORM},
    {ACT_HELP, "help", "? f1", "Program", "the keys of this view", "help",
     NOFORM},
    {ACT_HELP, "help-here", "f1", "Program", "the keys of this view", "help",
     INPUT},
    {ACT_REDRAW, "redraw", "ctrl-l", "Program", "draw the screen again", NULL,
     NOFORM | INPUT},
    {ACT_RESYNC, "resync", "ctrl-r", "Program", "ask the cluster again", NULL,
     NOFORM},
    {ACT_SUSPEND, "suspend", "ctrl-z", "Program", "stop, as in a shell", NULL,
     NOFORM | INPUT},
};

size_t
action_count(void)
{
    return ARRAY_LEN(action_table);
}

static bool
row_has_key(const struct action_row *row, unsigned key)
{
    struct str rest = str_of(row->keys), word;

    while (str_next(&rest, ' ', &word)) {
        if (key_parse(word) == key)
            return true;
    }
    return false;
}

enum action
action_of(unsigned key, unsigned contexts)
{
    for (size_t i = 0; i < ARRAY_LEN(action_table); i++) {
        if (action_table[i].contexts & contexts &&
            row_has_key(&action_table[i], key))
            return action_table[i].id;
    }
    return ACT_NONE;
}

const struct action_row *
action_row(enum action a)
{
    for (size_t i = 0; i < ARRAY_LEN(action_table); i++) {
        if (action_table[i].id == a)
            return &action_table[i];
    }
    return NULL;
}

static void
pretty_key(struct str word, struct buf *out)
{
    if (str_starts(word, STR("ctrl-")) && word.n == 6) {
        buf_printf(out, "^%c", toupper((unsigned char)word.s[5]));
    } else if (word.n > 1) {
        buf_putc(out, (char)toupper((unsigned char)word.s[0]));
        buf_str(out, str_from(word, 1));
    } else {
        buf_str(out, word);
    }
}

void
action_key(const struct action_row *row, struct buf *out)
{
    struct str rest = str_of(row->keys), word;

    if (str_next(&rest, ' ', &word))
        pretty_key(word, out);
}

static const char *const context_words[] = {
    "everywhere", "lists",  "trees",       "text",  "a selected object",
    "overview",   "a page", "delete plan", "forms", "a kind's list",
    "steps"};

void
action_markdown(struct buf *out)
{
    const char *group = "";

    buf_puts(out, "# Keys\n\nMade from the action table (tui/action.c) by "
                  "`tests/tools/keys`; do not edit.\n");
    for (size_t i = 0; i < ARRAY_LEN(action_table); i++) {
        const struct action_row *r = &action_table[i];
        struct str rest = str_of(r->keys), word;
        const char *sep = "";

        if (strcmp(group, r->group) != 0)
            buf_printf(out,
                       "\n## %s\n\n| keys | does | where | name |\n"
                       "|---|---|---|---|\n",
                       group = r->group);
        buf_puts(out, "| ");
        while (str_next(&rest, ' ', &word)) {
            buf_printf(out, "%s`", sep);
            pretty_key(word, out);
            buf_puts(out, "`");
            sep = " ";
        }
        buf_printf(out, " | %s | ", r->help);
        sep = "";
        for (size_t b = 0; b < ARRAY_LEN(context_words); b++) {
            if (r->contexts & 1u << b) {
                buf_printf(out, "%s%s", sep, context_words[b]);
                sep = ", ";
            }
        }
        buf_printf(out, " | `%s` |\n", r->name);
    }
}
