/*
 * app.h - the application: a stack of views, a prompt, a frame.
 *
 * What: routes keys (prompt, then the top view's own, then the action table),
 * keeps the history of places, and draws a frame on a canvas. It knows neither
 * the terminal nor the loop: tui.c gives it those through struct app_host, the
 * screen tests give it stubs.
 * Lifetimes: the source, the clock and the host outlive the app.
 */
#ifndef TUI_APP_H
#define TUI_APP_H

#include "tui/lineedit.h"
#include "tui/view.h"
#include "tui/work.h"

/* What the app asks of the world. */
struct app_host {
    void (*copy)(void *arg, struct str text); /* to the clipboard */
    void (*redraw)(void *arg);
    void (*suspend)(void *arg);
    /* Lets the user edit text in $EDITOR; true: out has what was saved. */
    bool (*edit)(void *arg, struct str text, struct buf *out,
                 struct error *err);
    /* Makes work of that kind, of what was typed behind its name; NULL and
     * err. */
    struct tui_work *(*work)(void *arg, enum tui_work_kind kind,
                             struct str words, struct error *err);
    /* The work ended: the cluster may be there now, or be gone. */
    void (*ended)(void *arg, const struct tui_work *w);
    void *arg;
};

typedef void app_answer_fn(void *arg, bool yes);

enum { APP_DEPTH = 32, APP_HISTORY = 64, APP_CHOSEN_MAX = 500 };

enum app_prompt { PROMPT_NONE, PROMPT_SEARCH, PROMPT_ASK };

struct app {
    struct tui_source *source;
    const struct clock *clock;
    struct app_host host;
    const char *state_dir; /* or NULL */
    struct canvas canvas;
    struct view *stack[APP_DEPTH];
    size_t depth;
    struct place history[APP_HISTORY];
    size_t history_n, history_at; /* at: one past the present place */
    struct place last;            /* the one before; ops NULL: none */
    bool moving;                  /* in the history: places are not added */
    enum app_prompt prompt;
    struct lineedit line;
    char *before; /* what a search was, for Esc */
    char question[160];
    app_answer_fn *answer;
    void *answer_arg;
    char message[512];
    enum tui_state message_state;
    struct tui_ref *chosen; /* what the delete plan opens with; owned */
    size_t chosen_n;
    struct tui_work *work; /* that runs, or ran last; owned; or NULL */
    bool work_ran;         /* when it was looked at last */
    bool dirty, quit, frozen, interrupted;
    bool leaving;           /* quits once the work has ended */
    bool settled;           /* no key came since the last frame */
    int64_t write_until_ms; /* `:write` ends then; 0: not lifted */
    struct arena *frame;    /* forgotten with every frame */
};

struct app_options {
    struct tui_source *source;
    const struct clock *clock;
    struct app_host host;
    const char *state_dir;
    int w, h;
    bool ascii;
};

/* Opens the overview. */
struct app *app_new(const struct app_options *o);
void app_free(struct app *a);

void app_key(struct app *a, unsigned key);
void app_paste(struct app *a, struct str text);
void app_resize(struct app *a, int w, int h);
/* Takes in new data and draws a->canvas. Answers in how many milliseconds
 * something will have changed by itself (a count-down, waiting data), or -1. */
int64_t app_frame(struct app *a);

/* ---- for views ---- */
void app_go(struct app *a, const struct place *p);
/* Opens ops about ref (may be NULL) and word (may be NULL). */
void app_open(struct app *a, const struct view_ops *ops,
              const struct tui_ref *ref, const char *word);
/* Closes the top view; at the bottom of the stack it does nothing. */
void app_back(struct app *a);
/* A line at the bottom until the next key. */
void app_say(struct app *a, enum tui_state s, const char *fmt, ...)
    PRINTF_LIKE(3, 4);
/* Asks with y/N; everything but y is no. */
void app_ask(struct app *a, app_answer_fn *fn, void *arg, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* Forgets a question of arg. */
void app_unask(struct app *a, void *arg);
/* Leaves to the overview and opens the list of kind word; a message when the
 * word is no kind. */
bool app_list(struct app *a, const char *word);
/* Asks first when work runs. */
void app_quit(struct app *a);
/* Stops the work that runs and quits when it has ended. */
void app_leave(struct app *a);
/* Makes work, shows it on top of the overview and begins. */
void app_work(struct app *a, enum tui_work_kind kind, struct str words);
/* Takes work that was made elsewhere. */
void app_take_work(struct app *a, struct tui_work *w);
/* Begins the app's work, or begins it again. */
void app_work_start(struct app *a);
/* False, and said: read-only. Writes are refused here for a good message; the
 * source refuses too. */
bool app_may_write(struct app *a);
/* Lets the user edit text in $EDITOR; false, and said why, when it failed. */
bool app_edit(struct app *a, struct str text, struct buf *out);
/* "throw it away?"; y closes the top view. Answers false, for may_leave. */
bool app_ask_leave(struct view *v, const char *question);
struct view *app_top(const struct app *a);
/* What the keys mean now. */
unsigned app_contexts(const struct app *a);
/* Does what the action says for the view on top, as its key would. */
bool app_act(struct app *a, enum action act);

/* tui/acts.c: actions that mean the same in every view with an object. */
bool acts_common(struct app *a, enum action act);
/* tui/commands.c: what `:` understands besides kinds and actions. True: line
 * was such a command. */
bool commands_run(struct app *a, struct str line);

struct command_word {
    const char *name, *args, *help;
};
/* For the palette; NULL past the last. */
const struct command_word *commands_at(size_t i);

/* tui/frame.c: header and bottom line around the view. Answers as
 * app_frame. */
int64_t frame_draw(struct app *a);

#endif
