#include "tui/stepspane.h"

/* Draws text wrapped at the top of *r and takes the rows it needs. */
static void
wrapped(struct canvas *c, struct rect *r, enum style st, struct str text)
{
    if (r->h > 0 && text.n)
        rect_top(r, canvas_wrap(c, *r, st, text));
}

static void
lines(struct canvas *c, struct rect *r, enum style st, const char *text)
{
    struct str rest = str_of(text), line;

    while (rest.n && str_next(&rest, '\n', &line))
        wrapped(c, r, st, line);
}

/* What the step had seen, beside its log: its parts that are not well, in at
 * most so many lines. One without a detail says no more than the tree. */
static void
evidence(const struct step_run *run, int most, struct canvas *c, struct rect *r)
{
    for (size_t i = 0; run && i < run->parts_n && most > 0; i++) {
        const struct step_part *p = &run->parts[i];
        struct rect line;
        int x;

        if ((p->state != STEP_FAILED && p->state != STEP_WARNED) ||
            !p->detail || !*p->detail)
            continue;
        line = rect_top(r, 1);
        x = line.x + canvas_puts(c, line.x, line.y, line.w, ST_DIM, "- ");
        x += canvas_cut(c, x, line.y, line.x + line.w - x, ST_TEXT,
                        str_of(p->name));
        x += canvas_puts(c, x, line.y, line.x + line.w - x, ST_DIM, ": ");
        canvas_cut(c, x, line.y, MAX(line.x + line.w - x, 0), ST_DIM,
                   str_of(p->detail));
        most--;
    }
}

static const struct step_run *
failed_run(const struct tui_work *w)
{
    for (size_t i = 0; i < w->runs_n; i++) {
        if (w->runs[i]->state == STEP_FAILED)
            return w->runs[i];
    }
    return NULL;
}

/* "MT-PORT-TAKEN  Port 80 is used by ...", the evidence and the remedy. */
static void
failure(const struct error *err, const struct step_run *run, struct canvas *c,
        struct rect *r)
{
    AUTO(buf_release) struct buf text = BUF_INIT(4096);

    buf_printf(&text, "%s  ", steptext_glyph(STEP_FAILED, 0, c->ascii));
    if (*err->id)
        buf_printf(&text, "%s  ", err->id);
    buf_puts(&text, err->msg);
    wrapped(c, r, ST_FAIL, buf_view(&text));
    evidence(run, MIN(r->h / 3, 4), c, r);
    lines(c, r, ST_TEXT, err->remedy);
}

static void
report(const struct tui_work *w, struct canvas *c, struct rect *r, int keep)
{
    for (size_t i = 0; i < w->report.n && r->h > keep; i++) {
        if (r->h == keep + 1 && i + 1 < w->report.n) {
            struct rect line = rect_top(r, 1);

            canvas_printf(c, line.x, line.y, line.w, ST_DIM, "and %zu more",
                          w->report.n - i);
            return;
        }
        wrapped(c, r, ST_TEXT, str_of(w->report.v[i]));
    }
}

static void
question(const struct tui_work *w, const struct lineedit *name,
         struct canvas *c, struct rect *r)
{
    struct rect line;
    int x;

    wrapped(c, r, ST_FAIL,
            w->report.n ? STR("This will be removed:")
                        : STR("Nothing of it was found but its name."));
    report(w, c, r, 1);
    line = rect_top(r, 1);
    x = line.x + canvas_printf(c, line.x, line.y, line.w, ST_WAIT,
                               "Type %s, then F8: ", w->answer);
    lineedit_draw(name, c, x, line.y, MIN(40, line.x + line.w - x), true);
}

static const char *const stopping[] = {
    "stopping: nothing else starts, what runs comes to a good place; ^C again "
    "ends it at once",
    "ending what runs; ^C again leaves at once"};

static void
ended(const struct tui_work *w, int64_t opens_ms, struct canvas *c,
      struct rect *r)
{
    AUTO(buf_release) struct buf text = BUF_INIT(1024);
    char took[STEPTEXT_LEN];

    buf_printf(&text, "%s  %s: done in %s.",
               steptext_glyph(STEP_DONE, 0, c->ascii), w->name,
               steptext_ms(w->ended_ms - w->began_ms, took));
    if (w->kind == WORK_UP)
        buf_puts(&text, " Enter opens the overview");
    if (opens_ms >= 0)
        buf_printf(&text, ", or wait %d s", (int)((opens_ms + 999) / 1000));
    wrapped(c, r, ST_OK, buf_view(&text));
    report(w, c, r, 0);
}

static void
say(const struct tui_work *w, const struct lineedit *name, int64_t opens_ms,
    struct canvas *c, struct rect *r)
{
    switch (w->state) {
    case WORK_NEW:
        return;
    case WORK_ASKING:
        question(w, name, c, r);
        return;
    case WORK_RUNNING:
        if (w->stops)
            wrapped(c, r, ST_WAIT, str_of(stopping[MIN(w->stops, 2u) - 1]));
        return;
    case WORK_DONE:
        ended(w, opens_ms, c, r);
        return;
    case WORK_FAILED:
        failure(&w->error, w->kind == WORK_VERIFY ? NULL : failed_run(w), c, r);
        report(w, c, r, 1);
        wrapped(c, r, ST_DIM,
                w->kind == WORK_VERIFY
                    ? STR("r checks again")
                    : STR("r tries again; what is done stays done"));
        return;
    case WORK_STOPPED:
        wrapped(c, r, ST_WAIT,
                STR("stopped at your request; what is done stays done, r goes "
                    "on"));
        return;
    }
}

void
stepspane_notice(const struct tui_work *w, const struct lineedit *name,
                 int64_t opens_ms, struct canvas *c, struct rect *r)
{
    /* Drawn where it may not stay, to learn how high it is. */
    struct rect room = {r->x + 1, r->y, MAX(r->w - 2, 0), r->h * 2 / 3}, at;
    int most = room.h;

    at = room;
    say(w, name, opens_ms, c, &at);
    canvas_fill(c, room, ' ', ST_TEXT);
    c->cursor_x = -1;
    at = rect_bottom(r, most - at.h);
    at.x++;
    at.w = room.w;
    say(w, name, opens_ms, c, &at);
}

void
stepspane_step(const struct tui_work *w, const struct step_run *run,
               int64_t now_ms, struct canvas *c, struct rect *r)
{
    AUTO(buf_release) struct buf text = BUF_INIT(4096);
    bool said =
        w->state == WORK_FAILED && strcmp(w->error.msg, run->error.msg) == 0;
    bool wrong = run->state == STEP_FAILED || run->state == STEP_WARNED;
    char took[STEPTEXT_LEN];

    buf_printf(&text, "%s %s", steptext_glyph(run->state, now_ms, c->ascii),
               steptext_word(run->state));
    if (run->began_ms)
        buf_printf(&text, "  %s",
                   steptext_ms(steptext_took(run, now_ms), took));
    if (run->needs)
        buf_printf(&text, "  after: %s", run->needs);
    wrapped(c, r, steptext_style(run->state), buf_view(&text));
    if (*run->detail)
        wrapped(c, r, ST_TEXT, str_of(run->detail));
    if (wrong && run->error.code && !said)
        failure(&run->error, run, c, r);
}

void
stepspane_part(const struct step_part *part, struct canvas *c, struct rect *r)
{
    enum style st = part->state == STEP_FAILED ? ST_FAIL : ST_TEXT;

    rect_top(r, 1);
    wrapped(c, r, ST_NAME, str_of(part->name));
    if (part->detail && *part->detail)
        wrapped(c, r, st, str_of(part->detail));
}
