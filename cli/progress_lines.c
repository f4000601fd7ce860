#include "cli/progress_lines.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

#include "devenv/failure.h"

#include "cli/columns.h"

/* ---- what changed ---- */

static bool
parts_changed(const struct progress_said *s, const struct step_run *run)
{
    if (s->parts_n != run->parts_n)
        return true;
    for (size_t i = 0; i < s->parts_n; i++) {
        if (s->parts[i] != run->parts[i].state)
            return true;
    }
    return false;
}

static void
remember(struct progress *p, size_t i)
{
    struct progress_said *s = &p->said[i];
    const struct step_run *run = p->runs[i];

    s->state = run->state;
    snprintf(s->detail, sizeof(s->detail), "%s", run->detail);
    s->done = run->done;
    s->total = run->total;
    s->parts = mem_resize(s->parts, MAX(run->parts_n, (size_t)1), 1);
    s->parts_n = run->parts_n;
    for (size_t k = 0; k < run->parts_n; k++)
        s->parts[k] = (uint8_t)run->parts[k].state;
    s->at_ms = p->spoke_ms = clock_mono_ms(clock_system());
    s->waits = false;
}

/* ---- plain lines ---- */

static void
line(struct progress *p, const struct buf *text)
{
    columns_text(buf_view(text), false, p->out);
    fputc('\n', p->out);
    fflush(p->out);
}

static size_t
count_ended(const struct progress *p)
{
    size_t n = 0;

    for (size_t i = 0; i < p->runs_n; i++)
        n += steptext_ended(p->runs[i]->state) &&
             p->runs[i]->state != STEP_SKIPPED;
    return n;
}

static const char *
mark_of(enum step_state s)
{
    return s == STEP_FAILED                          ? "FAIL"
           : s == STEP_WARNED                        ? "warn"
           : s == STEP_CANCELLED                     ? "stop"
           : s == STEP_DONE || s == STEP_ALREADY     ? "ok  "
           : s == STEP_RUNNING || s == STEP_CHECKING ? "... "
                                                     : "    ";
}

static void
say_parts(struct progress *p, size_t i)
{
    const struct progress_said *s = &p->said[i];
    const struct step_run *run = p->runs[i];

    for (size_t k = 0; k < run->parts_n; k++) {
        AUTO(buf_release) struct buf b = BUF_INIT(4096);
        const struct step_part *part = &run->parts[k];

        if (!steptext_ended(part->state) ||
            (k < s->parts_n && s->parts[k] == part->state))
            continue;
        bool says = part->detail && *part->detail;

        buf_puts(&b, "     ");
        if (p->graph)
            buf_printf(&b, "%s: ", run->id);
        buf_puts(&b, part->name);
        if (part->state != STEP_DONE || !says)
            buf_printf(&b, " %s", steptext_word(part->state));
        if (says)
            buf_printf(&b, "%s%s", part->state == STEP_DONE ? ": " : ", ",
                       part->detail);
        line(p, &b);
    }
}

static void
say_end(struct progress *p, const struct step_run *run)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);
    char took[STEPTEXT_LEN];
    bool wrong = run->state == STEP_FAILED || run->state == STEP_WARNED;

    buf_printf(&b, "%s %zu/%zu %s: %s (%s%s)", mark_of(run->state),
               count_ended(p), p->runs_n, run->id, steptext_title(run),
               run->state == STEP_ALREADY ? "already, " : "",
               steptext_ms(steptext_took(run, 0), took));
    if (wrong && *run->error.msg)
        buf_printf(&b, ": %s", run->error.msg);
    else if (*run->detail)
        buf_printf(&b, ": %s", run->detail);
    line(p, &b);
}

static void
say_reason(struct progress *p, const struct step_run *run)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);

    buf_puts(&b, "     ");
    if (p->graph)
        buf_printf(&b, "%s: ", run->id);
    buf_puts(&b, run->detail);
    line(p, &b);
}

static void
say_plain(struct progress *p, size_t i)
{
    const struct progress_said *s = &p->said[i];
    const struct step_run *run = p->runs[i];

    say_parts(p, i);
    if (p->graph && run->state == STEP_RUNNING && s->state != run->state) {
        AUTO(buf_release) struct buf b = BUF_INIT(4096);

        buf_printf(&b, "...  %s: %s", run->id, steptext_title(run));
        line(p, &b);
    }
    if (p->graph && steptext_ended(run->state)) {
        if (s->state != run->state && run->state != STEP_SKIPPED)
            say_end(p, run);
    } else if (*run->detail && strcmp(run->detail, s->detail) != 0) {
        say_reason(p, run);
    }
}

/* ---- JSON lines ---- */

static void
json_line(struct progress *p, const struct json *j)
{
    AUTO(mem_free_ptr) char *text = json_text(j, JSON_COMPACT);

    fprintf(p->out, "%s\n", text);
    fflush(p->out);
}

static void
say_json(struct progress *p, const struct step_run *run)
{
    AUTO(json_free_ptr) struct json *j = json_new_object();
    int64_t now = clock_mono_ms(clock_system());

    json_set_string(j, "step", run->id ? run->id : "");
    json_set_string(j, "title", steptext_title(run));
    json_set_string(j, "lane",
                    run->step && run->step->lane ? run->step->lane : "");
    json_set_string(j, "state", steptext_word(run->state));
    json_set_string(j, "detail", run->detail);
    json_set_int(j, "ms", steptext_took(run, now));
    if (run->done || run->total) {
        json_set_int(j, "done", (int64_t)run->done);
        json_set_int(j, "total", (int64_t)run->total);
    }
    for (size_t k = 0; k < run->parts_n; k++) {
        struct json *part =
            json_append(json_need_array(j, "parts"), json_new_object());

        json_set_string(part, "name", run->parts[k].name);
        json_set_string(part, "state", steptext_word(run->parts[k].state));
        json_set_string(part, "detail",
                        run->parts[k].detail ? run->parts[k].detail : "");
    }
    if (run->error.code)
        json_set(j, "error", failure_of_step(run));
    json_line(p, j);
}

/* ---- saying it ---- */

void
progress_say(struct progress *p, size_t i)
{
    struct progress_said *s = &p->said[i];
    const struct step_run *run = p->runs[i];
    bool moved = s->state != run->state || parts_changed(s, run);
    bool told = strcmp(s->detail, run->detail) != 0 ||
                (p->json && (s->done != run->done || s->total != run->total));

    if (!moved && !told)
        return;
    if (!moved && s->at_ms &&
        clock_mono_ms(clock_system()) < s->at_ms + p->reason_ms) {
        s->waits = true;
        return;
    }
    if (p->json)
        say_json(p, run);
    else
        say_plain(p, i);
    remember(p, i);
}

void
progress_heartbeat(struct progress *p)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);
    AUTO(json_free_ptr) struct json *j = json_new_object();
    struct json *running = json_set(j, "running", json_new_array());
    int64_t now = clock_mono_ms(clock_system());
    char text[STEPTEXT_LEN];

    buf_printf(&b, "...  %s:", steptext_ms(now - p->begun_ms, text));
    json_set_int(j, "heartbeatMs", now - p->begun_ms);
    for (size_t i = 0; i < p->runs_n; i++) {
        const struct step_run *r = p->runs[i];

        if (p->graph && !steptext_runs(r->state))
            continue;
        json_append(running, json_new_string(r->id ? r->id : ""));
        buf_printf(&b, "%s %s", json_len(running) > 1 ? "," : "",
                   r->id ? r->id : "");
        if (r->began_ms)
            buf_printf(&b, " %s", steptext_ms(steptext_took(r, now), text));
        if (r->done || r->total)
            buf_printf(&b, " %s", steptext_bytes(r->done, text));
        if (r->total)
            buf_printf(&b, " of %s", steptext_bytes(r->total, text));
        if (!r->done && !r->total && *r->detail)
            buf_printf(&b, " %s", r->detail);
    }
    p->spoke_ms = now;
    if (p->json)
        json_line(p, j);
    else
        line(p, &b);
}

void
progress_notice(struct progress *p, const char *text)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);

    inplace_clear(&p->place);
    buf_printf(&b, "meshtop: %s", text);
    columns_text(buf_view(&b), false, stderr);
    fputc('\n', stderr);
}

/* ---- the last words ---- */

enum { TABLE_W = 100, SLOWEST = 3, WARNINGS_H = 12 };

/* Where in the whole a step ran. */
static void
draw_span(struct canvas *c, const struct step_run *run, struct rect r,
          int64_t began, int64_t whole)
{
    int64_t cells = r.w, from = (run->began_ms - began) * cells / whole;
    int64_t to = (run->began_ms - began + steptext_took(run, began + whole)) *
                 cells / whole;

    from = MAX(0, MIN(from, cells - 1));
    to = MAX(from + 1, MIN(to, cells));
    canvas_fill(c, (struct rect){r.x + (int)from, r.y, (int)(to - from), 1},
                0x2588, steptext_style(run->state));
}

/* Columns of the spans: none where titles need the room. */
static int
spans_width(int w)
{
    return w >= 110 ? 24 : w >= 76 ? 14 : 0;
}

static void
draw_line(const struct progress *p, struct canvas *c, struct rect r, size_t i,
          int title)
{
    const struct step_run *run = p->runs[i];
    int spans = spans_width(r.w);
    bool wrong = run->error.code != 0;
    char text[STEPTEXT_LEN];

    canvas_puts(c, r.x, r.y, 1, steptext_style(run->state),
                steptext_glyph(run->state, 0, c->ascii));
    rect_left(&r, 2);
    canvas_cut(c, r.x, r.y, title, ST_TEXT, str_of(steptext_title(run)));
    rect_left(&r, title + 1);
    if (run->began_ms && run->state != STEP_SKIPPED) {
        steptext_ms(steptext_took(run, p->tree.now_ms), text);
        canvas_right(c, r.x, r.y, 8, ST_NAME, str_of(text));
        if (spans)
            draw_span(c, run, (struct rect){r.x + 10, r.y, spans, 1},
                      p->begun_ms, MAX(p->tree.now_ms - p->begun_ms, 1));
    }
    rect_left(&r, 10 + (spans ? spans + 1 : 0));
    if (r.w < 12)
        return;
    if (run->state == STEP_ALREADY && *run->detail)
        rect_left(&r, canvas_puts(c, r.x, r.y, r.w, ST_DIM, "already: "));
    canvas_cut(c, r.x, r.y, r.w, wrong ? steptext_style(run->state) : ST_DIM,
               str_of(wrong          ? run->error.msg
                      : *run->detail ? run->detail
                                     : steptext_word(run->state)));
}

/* The n longest, longest first, into out; how many there are. */
static size_t
longest(const struct progress *p, const struct step_run **out, size_t max)
{
    int64_t now = p->tree.now_ms;
    size_t n = 0;

    for (size_t i = 0; i < p->runs_n; i++) {
        const struct step_run *r = p->runs[i];
        size_t at = n;

        if (!r->began_ms || r->state == STEP_SKIPPED)
            continue;
        while (at > 0 &&
               steptext_took(out[at - 1], now) < steptext_took(r, now))
            at--;
        if (at == max)
            continue;
        n = MIN(n + 1, max);
        memmove(out + at + 1, out + at, (n - at - 1) * sizeof(*out));
        out[at] = r;
    }
    return n;
}

static void
slowest_text(const struct progress *p, struct buf *out)
{
    const struct step_run *top[SLOWEST];
    size_t n = longest(p, top, SLOWEST);
    char text[STEPTEXT_LEN];

    buf_printf(out, "%s in all",
               steptext_ms(p->tree.now_ms - p->begun_ms, text));
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%s%s %s", i ? ", " : "; slowest: ", top[i]->id,
                   steptext_ms(steptext_took(top[i], p->tree.now_ms), text));
}

/* The step that failed, or NULL. */
static const struct step_run *
failed_run(const struct progress *p)
{
    for (size_t i = 0; i < p->runs_n; i++) {
        if (p->runs[i]->state == STEP_FAILED)
            return p->runs[i];
    }
    return NULL;
}

/* What the step that failed had seen; the sentence and the remedy follow. */
static void
say_evidence(const struct progress *p)
{
    AUTO(strlist_release) struct strlist seen = {0};
    const struct step_run *run = failed_run(p);

    if (run)
        failure_evidence(run, &seen);
    for (size_t i = 0; i < seen.n; i++) {
        fputs("  - ", p->out);
        columns_wrap(str_of(seen.v[i]), 4, columns_of_terminal(), p->out);
    }
}

/* What the table has no room for; plain lines have said it before. */
static int
draw_warnings(const struct progress *p, struct canvas *c, int y)
{
    for (size_t i = 0; p->terminal && i < p->runs_n; i++) {
        AUTO(buf_release) struct buf text = BUF_INIT(4096);
        const struct step_run *run = p->runs[i];

        if (run->state != STEP_WARNED)
            continue;
        buf_printf(&text, "%s: %s", run->id, run->error.msg);
        y += canvas_wrap(c, (struct rect){0, y, c->w, c->h - y}, ST_WAIT,
                         buf_view(&text));
    }
    return y;
}

static int
title_width(const struct progress *p, const struct canvas *c)
{
    int w = 12;

    for (size_t i = 0; i < p->runs_n; i++)
        w = MAX(w, canvas_columns(c, str_of(steptext_title(p->runs[i]))));
    return MIN(w, c->w - spans_width(c->w) - (c->w >= 100 ? 30 : 14));
}

void
progress_table(struct progress *p)
{
    AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);
    int n = (int)p->runs_n, title;
    struct canvas c;

    steptree_set(&p->tree, (const struct step_run *const *)p->runs, p->runs_n,
                 clock_mono_ms(clock_system()));
    if (p->terminal)
        inplace_measure(&p->place);
    canvas_init(&c, p->terminal ? p->place.w - 1 : TABLE_W,
                n + 1 + (p->terminal ? WARNINGS_H : 0), p->ascii);
    title = title_width(p, &c);
    for (int i = 0; i < n; i++)
        draw_line(p, &c, (struct rect){0, i, c.w, 1}, (size_t)i, title);
    slowest_text(p, &text);
    canvas_cut(&c, 0, n, c.w, ST_TITLE, buf_view(&text));
    n = draw_warnings(p, &c, n + 1);
    if (p->terminal) {
        inplace_print(&p->place, &c, n);
    } else {
        buf_reset(&text);
        canvas_text(&c, &text);
        fwrite(text.s, 1, text.n, p->out);
    }
    canvas_release(&c);
    say_evidence(p);
}

void
progress_summary(struct progress *p, const struct error *err,
                 const char *const *next)
{
    AUTO(json_free_ptr) struct json *j = json_new_object();
    const struct step_run *top[SLOWEST];
    struct json *states = json_new_object();
    struct json *slow;

    p->tree.now_ms = clock_mono_ms(clock_system());
    json_set_bool(j, "summary", true);
    json_set_bool(j, "ok", !err);
    json_set_int(j, "exit", err ? failure_exit(err) : 0);
    json_set_int(j, "ms", p->tree.now_ms - p->begun_ms);
    json_set_int(j, "steps", p->graph ? (int64_t)p->runs_n : 0);
    json_set(j, "states", states);
    for (size_t i = 0; p->graph && i < p->runs_n; i++) {
        const char *word = steptext_word(p->runs[i]->state);

        json_set_int(states, word,
                     json_int64_or(json_get(states, word), 0) + 1);
    }
    slow = json_set(j, "slowest", json_new_array());
    for (size_t i = 0, n = longest(p, top, SLOWEST); p->graph && i < n; i++)
        json_append(slow, json_new_string(top[i]->id));
    if (err) {
        AUTO(strlist_release) struct strlist seen = {0};
        const struct step_run *run = failed_run(p);

        if (run)
            failure_evidence(run, &seen);
        json_set(j, "error", failure_json(err, run ? run->id : NULL, &seen));
    }
    for (size_t i = 0; !err && next && next[i]; i++)
        json_append(json_need_array(j, "next"), json_new_string(next[i]));
    json_line(p, j);
}
