#include <stdio.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "tui/app.h"
#include "tui/key.h"
#include "tui/objtext.h"
#include "tui/pane.h"
#include "tui/planview.h"

/*
 * The delete plan. Nothing is deleted by looking at it: the name must be typed
 * (of several objects: how many there are), then F8; Enter does nothing. What
 * is stale, blocked, or has a blocker that was never on the screen, is not
 * deleted. Before a delete the manifests are saved.
 */

struct del {
    struct tui_ref *refs;
    size_t n;
    struct tui_plan plan;
    struct arena *arena;
    struct error problem;
    struct lineedit name;
    size_t items_top, notes_top, notes_seen;
    bool planned;
    size_t running, failed, done;
    char failure[512];
    char saved[512];
};

static void
make_plan(struct view *v)
{
    struct del *d = v->state;
    struct tui_source *s = v->app->source;

    arena_reset(d->arena);
    d->problem = (struct error){0};
    d->planned =
        s->ops->plan_delete(s, d->refs, d->n, d->arena, &d->plan, &d->problem);
    if (!d->planned)
        d->plan = (struct tui_plan){.summary = ""};
}

static void
open_delete(struct view *v)
{
    struct del *d = v->state;
    struct app *a = v->app;

    d->arena = arena_new();
    lineedit_init(&d->name, 300);
    d->n = a->chosen_n ? a->chosen_n : 1;
    d->refs = mem_zalloc(d->n, sizeof(*d->refs));
    if (a->chosen_n)
        memcpy(d->refs, a->chosen, d->n * sizeof(*d->refs));
    else
        d->refs[0] = v->place.ref;
    a->chosen_n = 0;
    make_plan(v);
}

static void on_deleted(void *arg, const struct json *result,
                       const char *warnings, const struct error *err);

static void
close_delete(struct view *v)
{
    struct del *d = v->state;

    v->app->source->ops->forget(v->app->source, on_deleted, v);
    arena_free(d->arena);
    lineedit_release(&d->name);
    free(d->refs);
}

static int64_t
update(struct view *v)
{
    struct del *d = v->state;

    if (!d->running && !d->done)
        make_plan(v);
    return 0;
}

/* What must be typed. */
static const char *
wanted(const struct del *d, char out[32])
{
    if (d->n == 1)
        return d->refs[0].name;
    snprintf(out, 32, "%zu", d->n);
    return out;
}

static bool
armed(const struct del *d)
{
    char count[32];

    return str_eqz(buf_view(&d->name.text), wanted(d, count));
}

/* ---- drawing ---- */

static void
draw_items(struct del *d, struct canvas *c, struct rect r)
{
    size_t h = (size_t)MAX(r.h, 0);

    d->items_top =
        MIN(d->items_top, d->plan.items_n > h ? d->plan.items_n - h : 0);
    planview_items(c, r, &d->plan, d->items_top);
}

static void
draw_notes(struct del *d, struct canvas *c, struct rect r)
{
    size_t h = (size_t)MAX(r.h, 0), shown;

    d->notes_top =
        MIN(d->notes_top, d->plan.notes_n > h ? d->plan.notes_n - h : 0);
    if (d->plan.notes_n == 0)
        canvas_cut(c, r.x + 1, r.y, r.w - 1, ST_DIM,
                   STR("nobody reads it, nothing else goes with it"));
    shown = planview_notes(c, r, &d->plan, d->notes_top);
    d->notes_seen = MAX(d->notes_seen, d->notes_top + shown);
}

static void
draw_arm(const struct del *d, struct canvas *c, struct rect r)
{
    char count[32];
    int x = r.x + 1;

    if (d->running || d->done) {
        canvas_printf(c, x, r.y, r.w - 1, d->failed ? ST_FAIL : ST_WAIT,
                      "%zu of %zu deleted%s%s", d->done, d->n,
                      d->failed ? ": " : "\xe2\x80\xa6", d->failure);
        return;
    }
    if (r.w >= 60)
        x += canvas_puts(c, x, r.y, r.w - 1, ST_TEXT, "type ");
    x += canvas_puts(c, x, r.y, r.w - 1, ST_TEXT,
                     d->n == 1 ? "the name: " : "how many: ");
    lineedit_draw(&d->name, c, x, r.y, MIN(40, r.w / 3), true);
    x += MIN(40, r.w / 3) + 2;
    if (armed(d))
        canvas_printf(c, x, r.y, r.x + r.w - x, ST_ALERT, " F8 deletes %zu ",
                      d->n);
    else
        canvas_printf(c, x, r.y, r.x + r.w - x, ST_DIM, "%s", wanted(d, count));
}

static void
draw(struct view *v, struct canvas *c, struct rect r)
{
    AUTO(buf_release) struct buf t = BUF_INIT(1024);
    struct del *d = v->state;
    struct rect arm, left;

    canvas_puts(c, r.x + 1, r.y, r.w - 1, d->done ? ST_WAIT : ST_OK,
                d->done || d->running ? "deleting" : "NOTHING IS DELETED YET");
    canvas_cut(c, r.x + 25, r.y, r.w - 26, ST_TEXT, str_of(d->plan.summary));
    rect_top(&r, 1);
    arm = rect_bottom(&r, r.h > 8 ? 2 : 1);
    draw_arm(d, c, arm);
    if (!d->planned) {
        canvas_cut(c, r.x + 1, r.y, r.w - 2, ST_WAIT, str_of(d->problem.msg));
        return;
    }
    buf_printf(&t, "Consequences  %zu", d->plan.notes_n);
    if (d->plan.blockers)
        buf_printf(&t, "  BLOCKED by %zu", d->plan.blockers);
    if (c->w >= 100)
        left = rect_left(&r, r.w / 2);
    else
        left = rect_bottom(
            &r, r.h - MIN(r.h / 2, MAX(3, (int)d->plan.notes_n + 1)));
    draw_notes(d, c, pane_draw(c, r, buf_view(&t), false));
    draw_items(
        d, c, pane_draw(c, left, STR("Would be deleted, in this order"), true));
}

/* ---- doing it ---- */

static bool
save_one(struct view *v, const struct tui_ref *ref, struct error *err)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    AUTO(mem_free_ptr) char *dir = file_join(v->app->state_dir, "trash");
    struct del *d = v->state;
    struct tui_source *s = v->app->source;
    struct tui_page *p = s->ops->page_open(s, ref);
    char stamp[CLOCK_RFC3339_LEN];
    bool ok = true;

    s->ops->page_refresh(s, p);
    if (p->object) {
        clock_format(clock_wall_ms(v->app->clock) / 1000, stamp);
        snprintf(d->saved, sizeof(d->saved), "%s/%s-%s-%.200s.yaml", dir, stamp,
                 ref->kind, ref->name);
        objtext_yaml(p->object, true, &b);
        ok = file_mkdirs(dir, 0700, err) &&
             file_write(d->saved, buf_view(&b), 0600, err);
    }
    s->ops->page_close(s, p);
    return ok;
}

static void
on_deleted(void *arg, const struct json *result, const char *warnings,
           const struct error *err)
{
    struct view *v = arg;
    struct del *d = v->state;
    struct app *a = v->app;

    (void)result;
    (void)warnings;
    a->dirty = true;
    d->running--;
    d->done += err == NULL;
    if (err) {
        d->failed++;
        snprintf(d->failure, sizeof(d->failure), "%.500s", err->msg);
    }
    if (d->running || d->failed)
        return;
    if (*d->saved)
        app_say(a, TUI_OK, "deleted; kept as %s", d->saved);
    else
        app_say(a, TUI_OK, "deleted");
    app_back(a);
}

static const char *
refusal(const struct view *v)
{
    const struct del *d = v->state;
    struct tui_link link = {0};

    v->app->source->ops->link(v->app->source, &link);
    if (link.read_only)
        return "read-only: \":write 10m\" lifts it for ten minutes";
    if (!link.live)
        return "what is shown is stale: nothing is deleted on stale data";
    if (!d->planned)
        return "there is no plan";
    if (d->plan.blockers && d->notes_seen < d->plan.notes_n)
        return "read every consequence first (pgdn)";
    if (d->plan.blockers)
        return "blocked: see the consequences marked !";
    if (!armed(d))
        return d->n == 1 ? "type the name first" : "type how many first";
    return NULL;
}

static void
do_delete(struct view *v)
{
    struct del *d = v->state;
    struct app *a = v->app;
    struct error err = {0};
    const char *no = d->running || d->done ? "" : refusal(v);

    if (no) {
        if (*no)
            app_say(a, TUI_WAIT, "%s", no);
        return;
    }
    for (size_t i = 0; a->state_dir && i < d->n; i++) {
        if (!save_one(v, &d->refs[i], &err)) {
            app_say(a, TUI_FAIL, "cannot save the manifest: %s", err.msg);
            return;
        }
    }
    d->running = d->n;
    for (size_t i = 0; i < d->n; i++) {
        struct tui_write w = {.verb = TUI_DELETE, .ref = d->refs[i]};

        if (!a->source->ops->write(a->source, &w, on_deleted, v, &err)) {
            d->running--;
            d->failed++;
            snprintf(d->failure, sizeof(d->failure), "%.500s", err.msg);
        }
    }
}

/* ---- keys ---- */

static void
scroll(struct del *d, int by)
{
    d->items_top =
        by < 0 && d->items_top < (size_t)-by ? 0 : d->items_top + (size_t)by;
    d->notes_top =
        by < 0 && d->notes_top < (size_t)-by ? 0 : d->notes_top + (size_t)by;
}

static bool
key(struct view *v, unsigned k)
{
    struct del *d = v->state;

    switch (k) {
    case K_UP:
        scroll(d, -1);
        return true;
    case K_DOWN:
        scroll(d, 1);
        return true;
    case K_PGUP:
        scroll(d, -5);
        return true;
    case K_PGDN:
        scroll(d, 5);
        return true;
    case K_ENTER:
        return true;
    case K_ESC:
        app_back(v->app);
        return true;
    }
    return lineedit_key(&d->name, k);
}

static void
paste(struct view *v, struct str text)
{
    struct del *d = v->state;

    lineedit_paste(&d->name, text);
}

static unsigned
contexts(const struct view *v)
{
    (void)v;
    return CTX_DELETE;
}

static bool
act(struct view *v, enum action a)
{
    if (a != ACT_DO_DELETE)
        return false;
    do_delete(v);
    return true;
}

static void
title(const struct view *v, struct buf *out)
{
    const struct del *d = v->state;

    if (d->n == 1)
        buf_printf(out, "delete plan of %s/%s", v->place.ref.kind,
                   v->place.ref.name);
    else
        buf_printf(out, "delete plan of %zu objects", d->n);
}

const struct view_ops view_delete = {
    .name = "delete plan",
    .size = sizeof(struct del),
    .open = open_delete,
    .close = close_delete,
    .update = update,
    .draw = draw,
    .contexts = contexts,
    .act = act,
    .key = key,
    .paste = paste,
    .title = title,
};
