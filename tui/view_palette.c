#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "tui/app.h"
#include "tui/filter.h"
#include "tui/key.h"

/*
 * `:` - one line, and below it what it could mean: commands, kinds, actions by
 * name. Enter takes the line when it is a command or a kind, else the entry
 * that is chosen.
 */

enum { SHOWN = 10, FOUND_MAX = 512 };

enum entry_type { ENTRY_COMMAND, ENTRY_KIND, ENTRY_ACTION };

struct entry {
    enum entry_type type;
    char name[96], help[96];
    enum action act;
};

struct palette {
    struct lineedit line;
    struct tui_table *kinds;
    uint64_t seen;
    struct entry *found;
    size_t n, cap, at, top;
};

/* Best first: begins with the word, has it, has its letters in order. */
static int
rank(const char *name, const char *help, struct str word)
{
    if (word.n == 0)
        return 1;
    if (filter_contains(name, word))
        return strncmp(name, word.s, word.n) == 0 ? 0 : 1;
    if (filter_fuzzy(name, word))
        return 2;
    return filter_contains(help, word) ? 3 : -1;
}

static void
add(struct palette *p, int want, struct str word, enum entry_type type,
    const char *name, const char *help, enum action act)
{
    struct entry *e;

    if (rank(name, help, word) != want || p->n == FOUND_MAX)
        return;
    p->found = mem_grow(p->found, &p->cap, p->n + 1, sizeof(*e));
    e = &p->found[p->n++];
    *e = (struct entry){.type = type, .act = act};
    snprintf(e->name, sizeof(e->name), "%s", name);
    snprintf(e->help, sizeof(e->help), "%s", help);
}

static void
find(struct view *v)
{
    struct palette *p = v->state;
    const struct view *below = v->app->stack[v->app->depth - 2];
    unsigned contexts = below->ops->contexts(below);
    char lower[128];
    struct str word;

    snprintf(lower, sizeof(lower), "%s", buf_cstr(&p->line.text));
    for (char *c = lower; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    str_cut(str_of(lower), ' ', &word, &(struct str){0});
    p->n = p->at = p->top = 0;
    for (int want = 0; want <= 3; want++) {
        for (size_t i = 0; commands_at(i); i++)
            add(p, want, word, ENTRY_COMMAND, commands_at(i)->name,
                commands_at(i)->help, ACT_NONE);
        for (size_t i = 0; i < p->kinds->rows_n; i++)
            add(p, want, word, ENTRY_KIND, p->kinds->rows[i]->key,
                p->kinds->rows[i]->cells[0].text, ACT_NONE);
        for (size_t i = 0; i < action_count(); i++) {
            if (action_table[i].contexts & contexts)
                add(p, want, word, ENTRY_ACTION, action_table[i].name,
                    action_table[i].help, action_table[i].id);
        }
    }
}

static void
open_palette(struct view *v)
{
    struct palette *p = v->state;
    struct tui_source *s = v->app->source;

    lineedit_init(&p->line, 256);
    p->kinds = s->ops->open(s, &(struct tui_query){.what = TUI_KINDS});
    s->ops->refresh(s, p->kinds);
    p->seen = p->kinds->generation;
    find(v);
}

static void
close_palette(struct view *v)
{
    struct palette *p = v->state;

    lineedit_release(&p->line);
    free(p->found);
    v->app->source->ops->close(v->app->source, p->kinds);
}

static int64_t
update(struct view *v)
{
    struct palette *p = v->state;

    if (p->seen != p->kinds->generation) {
        v->app->source->ops->refresh(v->app->source, p->kinds);
        p->seen = p->kinds->generation;
        find(v);
    }
    return 0;
}

static void
draw_entry(struct canvas *c, struct rect r, const struct entry *e, bool at)
{
    static const char *const types[] = {"command", "kind", "key"};
    int x = r.x + 1;

    canvas_cut(c, x, r.y, 26, ST_NAME, str_of(e->name));
    canvas_puts(c, x + 28, r.y, 8, ST_DIM, types[e->type]);
    canvas_cut(c, x + 37, r.y, r.w - 39, ST_TEXT, str_of(e->help));
    if (at)
        canvas_attr(c, r, CV_SELECTED);
}

static void
draw(struct view *v, struct canvas *c, struct rect r)
{
    struct palette *p = v->state;
    int w = MIN(r.w, MAX(40, MIN(90, r.w - 8)));
    int rows = MIN(SHOWN, MAX(1, r.h - 4));
    struct rect box = {r.x + (r.w - w) / 2, r.y + MIN(2, r.h / 8), w, rows + 3};
    struct rect in;

    canvas_fill(c, box, ' ', ST_TEXT);
    canvas_box(c, box, ST_FOCUS, STR("Go to a kind, or do"));
    in = rect_inset(box, 1);
    canvas_puts(c, in.x, in.y, 2, ST_KEY, ":");
    lineedit_draw(&p->line, c, in.x + 1, in.y, in.w - 2, true);
    if (p->at < p->top)
        p->top = p->at;
    if (p->at >= p->top + (size_t)rows)
        p->top = p->at - (size_t)rows + 1;
    for (int i = 0; i < rows && p->top + (size_t)i < p->n; i++)
        draw_entry(c, (struct rect){in.x, in.y + 1 + i, in.w, 1},
                   &p->found[p->top + (size_t)i], p->top + (size_t)i == p->at);
    if (p->n == 0)
        canvas_puts(c, in.x + 1, in.y + 1, in.w - 1, ST_DIM,
                    "nothing is called that");
}

/* The palette is gone when this returns. */
static void
run(struct view *v)
{
    struct palette *p = v->state;
    struct app *a = v->app;
    char line[256];
    struct entry e = {.type = ENTRY_COMMAND};
    struct tui_ref kind;

    snprintf(line, sizeof(line), "%s", buf_cstr(&p->line.text));
    if (p->n)
        e = p->found[p->at];
    else
        snprintf(e.name, sizeof(e.name), "%.90s", line);

    bool chosen = p->at > 0;

    app_back(a);
    if (!chosen && commands_run(a, str_of(line)))
        return;
    if (!chosen && a->source->ops->kind(a->source, line, &kind)) {
        app_list(a, line);
        return;
    }
    if (e.type == ENTRY_ACTION)
        app_act(a, e.act);
    else if (e.type == ENTRY_KIND || !commands_run(a, str_of(e.name)))
        app_list(a, e.name);
}

static bool
key(struct view *v, unsigned k)
{
    struct palette *p = v->state;

    if (k == K_ESC || k == (K_CTRL | 'c')) {
        app_back(v->app);
    } else if (k == K_ENTER) {
        run(v);
    } else if (k == K_DOWN || k == K_TAB) {
        p->at = p->n ? MIN(p->at + 1, p->n - 1) : 0;
    } else if (k == K_UP || k == K_BACKTAB) {
        p->at = p->at ? p->at - 1 : 0;
    } else if (k == K_BACKSPACE && p->line.text.n == 0) {
        app_back(v->app);
    } else if (lineedit_key(&p->line, k)) {
        find(v);
    }
    return true;
}

static void
paste(struct view *v, struct str text)
{
    struct palette *p = v->state;

    lineedit_paste(&p->line, text);
    find(v);
}

static unsigned
contexts(const struct view *v)
{
    (void)v;
    return 0;
}

static bool
act(struct view *v, enum action a)
{
    (void)v;
    (void)a;
    return false;
}

const struct view_ops view_palette = {
    .name = "palette",
    .size = sizeof(struct palette),
    .overlay = true,
    .open = open_palette,
    .close = close_palette,
    .update = update,
    .draw = draw,
    .contexts = contexts,
    .act = act,
    .key = key,
    .paste = paste,
};
