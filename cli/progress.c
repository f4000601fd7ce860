#include "cli/progress.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "cli/progress_lines.h"

static int64_t
mono(void)
{
    return clock_mono_ms(clock_system());
}

/* ---- the tree in place ---- */

static struct rect
take_title(struct progress *p, struct rect r)
{
    AUTO(buf_release) struct buf text = BUF_INIT(1024);
    struct rect line = rect_top(&r, 1);
    int x = canvas_cut(&p->canvas, line.x, line.y, line.w, ST_BAR,
                       str_of(p->title));

    buf_puts(&text, "  ");
    steptree_summary(&p->tree, p->begun_ms, &text);
    canvas_cut(&p->canvas, line.x + x, line.y, line.w - x, ST_DIM,
               buf_view(&text));
    return r;
}

static void
stop_text(const struct progress *p, struct buf *out)
{
    if (p->cancelled == 1)
        buf_puts(out, "stopping: nothing else starts, what runs comes to a "
                      "good place. Ctrl-C again ends it at once.");
    else
        buf_puts(out, "ending what runs. Ctrl-C again leaves at once.");
    buf_puts(out, " The same command again goes on where it stopped.");
}

/* One piece of work outside of a graph: a line. */
static int
draw_single(struct progress *p)
{
    AUTO(buf_release) struct buf text = BUF_INIT(2048);
    const struct step_run *run = p->runs[p->runs_n - 1];
    struct canvas *c = &p->canvas;

    canvas_puts(c, 0, 0, 1, ST_WAIT,
                steptext_glyph(STEP_RUNNING, p->tree.now_ms, c->ascii));
    if (run->done || run->total)
        steptext_progress(run, &p->tree.meters[p->runs_n - 1], &text);
    if (text.n && *run->detail)
        buf_puts(&text, "  ");
    buf_puts(&text, run->detail);
    canvas_cut(c, 2, 0, c->w - 2, ST_TEXT, buf_view(&text));
    return 1;
}

static int
draw_graph(struct progress *p)
{
    AUTO(buf_release) struct buf text = BUF_INIT(1024);
    struct canvas *c = &p->canvas;
    struct rect all = {0, 0, c->w, MAX(p->place.h - 1, 1)}, r, low;
    int rows;

    r = take_title(p, all);
    if (p->cancelled)
        stop_text(p, &text);
    low = (struct rect){0, 0, c->w, text.n ? (int)text.n / c->w + 2 : 0};
    steptree_fit(&p->tree, r.h - low.h);
    rows = MIN((int)p->tree.n, r.h);
    for (int i = 0; i < rows; i++)
        steptree_draw(&p->tree, (size_t)i, c, rect_top(&r, 1));
    low.y = r.y;
    low.h = MIN(low.h, r.h);
    return r.y + (text.n ? canvas_wrap(c, low, ST_WAIT, buf_view(&text)) : 0);
}

static void
draw(struct progress *p)
{
    int rows;

    steptree_set(&p->tree, (const struct step_run *const *)p->runs, p->runs_n,
                 mono());
    inplace_measure(&p->place);
    canvas_resize(&p->canvas, p->place.w - 1, p->place.h);
    rows = p->graph ? draw_graph(p) : draw_single(p);
    inplace_draw(&p->place, &p->canvas, rows);
}

/* ---- time ---- */

/* Milliseconds until something is to be said by itself. */
static int64_t
next_due(const struct progress *p)
{
    int64_t now = mono(), due = p->spoke_ms + p->heartbeat_ms;

    if (p->how == PROGRESS_TREE)
        return p->frame_ms;
    for (size_t i = 0; i < p->runs_n; i++) {
        if (p->said[i].waits)
            due = MIN(due, p->said[i].at_ms + p->reason_ms);
    }
    return MAX(due - now, 1);
}

static void
on_time(void *arg)
{
    struct progress *p = arg;
    int64_t now = mono();

    if (p->how == PROGRESS_TREE && p->runs_n)
        draw(p);
    for (size_t i = 0; p->how != PROGRESS_TREE && i < p->runs_n; i++) {
        if (p->said[i].waits && now >= p->said[i].at_ms + p->reason_ms)
            progress_say(p, i);
    }
    if (p->how != PROGRESS_TREE && now >= p->spoke_ms + p->heartbeat_ms)
        progress_heartbeat(p);
    if (p->runs_n)
        loop_timer_set(p->timer, next_due(p));
}

/* ---- runs ---- */

static size_t
index_of(struct progress *p, struct step_run *run)
{
    size_t i = 0, cap = p->runs_cap;

    while (i < p->runs_n && p->runs[i] != run)
        i++;
    if (i < p->runs_n)
        return i;
    p->runs = mem_grow(p->runs, &p->runs_cap, i + 1, sizeof(*p->runs));
    p->said = mem_grow(p->said, &cap, i + 1, sizeof(*p->said));
    p->said[i] = (struct progress_said){.state = STEP_PENDING};
    p->runs[i] = run;
    p->runs_n++;
    return i;
}

static void
forget_runs(struct progress *p)
{
    for (size_t i = 0; i < p->runs_n; i++)
        free(p->said[i].parts);
    free(p->said);
    free(p->runs);
    p->said = NULL;
    p->runs = NULL;
    p->runs_n = p->runs_cap = 0;
    p->graph = NULL;
}

/* Of a graph that is not shown: it may be gone before the next line, so the
 * work of our own speaks for it. */
static void
heard_of(struct progress *p, const struct step_run *run)
{
    struct step_run *own = p->own;

    snprintf(own->detail, sizeof(own->detail), "%s%s%s", steptext_title(run),
             *run->detail ? ": " : "", run->detail);
    own->done = run->done;
    own->total = run->total;
    progress_changed(p, own);
}

void
progress_changed(void *progress, struct step_run *run)
{
    struct progress *p = progress;
    size_t known = p->runs_n, i;

    if (!p->graph && p->own && run != p->own) {
        heard_of(p, run);
        return;
    }
    i = index_of(p, run);
    if (p->how != PROGRESS_TREE)
        progress_say(p, i);
    if (!known || (p->how != PROGRESS_TREE && p->said[i].waits))
        loop_timer_set(p->timer, p->how == PROGRESS_TREE ? 0 : next_due(p));
}

/* ---- signals ---- */

static void
on_interrupt(struct progress *p)
{
    AUTO(buf_release) struct buf text = BUF_INIT(1024);

    if (p->cancelled >= 2) {
        inplace_end(&p->place);
        _exit(EXIT_CANCELLED);
    }
    p->cancelled = p->cancelled + 1;
    if (p->graph)
        steps_stop(p->graph);
    stop_text(p, &text);
    if (p->how != PROGRESS_TREE || !p->graph)
        progress_notice(p, buf_cstr(&text));
    else
        draw(p);
}

static void
on_signal(void *arg, int signo)
{
    struct progress *p = arg;

    if (signo == SIGINT) {
        on_interrupt(p);
    } else if (signo == SIGWINCH) {
        if (p->runs_n)
            draw(p);
    } else if (signo == SIGTSTP) {
        inplace_clear(&p->place);
        kill(0, SIGSTOP);
    } else {
        inplace_end(&p->place);
        _exit(128 + signo);
    }
}

/* ---- the life of it ---- */

void
progress_open(struct progress *p, enum progress_how how, FILE *out,
              struct loop *loop)
{
    static const int signals[] = {SIGINT, SIGWINCH, SIGTSTP, SIGTERM, SIGHUP};
    size_t n = how == PROGRESS_TREE ? ARRAY_LEN(signals) : 1;

    *p = (struct progress){.how = how,
                           .terminal = how == PROGRESS_TREE,
                           .json = how == PROGRESS_JSON,
                           .loop = loop,
                           .out = out,
                           .begun_ms = mono(),
                           .spoke_ms = mono(),
                           .frame_ms = 100,
                           .reason_ms = 1000,
                           .heartbeat_ms = 5000,
                           .place.fd = -1};
    steptree_init(&p->tree);
    canvas_init(&p->canvas, 1, 1, false);
    p->timer = loop_timer_add(loop, -1, on_time, p);
    for (size_t i = 0; i < n; i++)
        p->signals[i] = loop_signal_add(loop, signals[i], on_signal, p, NULL);
    if (how == PROGRESS_TREE)
        inplace_begin(&p->place, fileno(out), inplace_colors(false));
}

void
progress_start(struct progress *p, const struct args *a, struct loop *loop,
               struct step_run *run)
{
    const char *term = getenv("TERM");
    bool json = strcmp(args_get(a, "output", "text"), "json") == 0;
    bool tree = isatty(STDERR_FILENO) && term && *term &&
                strcmp(term, "dumb") != 0 && strcmp(term, "unknown") != 0;

    progress_open(p,
                  json   ? PROGRESS_JSON
                  : tree ? PROGRESS_TREE
                         : PROGRESS_PLAIN,
                  json ? stdout : stderr, loop);
    p->place.colors = inplace_colors(args_has(a, "no-color"));
    p->ascii = p->canvas.ascii = args_has(a, "ascii") || inplace_ascii();
    p->own = run;
    *run = (struct step_run){.loop = loop,
                             .on_change = progress_changed,
                             .arg = p,
                             .cancelled = &p->cancelled};
}

void
progress_title(struct progress *p, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(p->title, sizeof(p->title), fmt, ap);
    va_end(ap);
}

void
progress_graph(struct progress *p, struct step_graph *g)
{
    inplace_clear(&p->place);
    forget_runs(p);
    p->graph = g;
    for (size_t i = 0; g && i < steps_count(g); i++)
        index_of(p, steps_at(g, i));
    for (int i = 0; g && i < p->cancelled; i++)
        steps_stop(g);
    p->begun_ms = p->spoke_ms = mono();
    loop_timer_set(p->timer, g ? next_due(p) : -1);
}

void
progress_aside(struct progress *p)
{
    inplace_clear(&p->place);
}

void
progress_report(struct progress *p, const struct error *err,
                const char *const *next)
{
    inplace_clear(&p->place);
    loop_timer_set(p->timer, -1);
    for (size_t i = 0; p->how != PROGRESS_TREE && i < p->runs_n; i++)
        progress_say(p, i);
    if (p->json)
        progress_summary(p, err, next);
    else if (p->graph)
        progress_table(p);
    for (size_t i = 0; !p->json && !err && next && next[i]; i++)
        fprintf(p->out, "%s%s\n", i ? "  " : "Next:\n  ", next[i]);
    fflush(p->out);
    forget_runs(p);
}

void
progress_end(struct progress *p)
{
    loop_timer_del(p->timer);
    for (size_t i = 0; i < ARRAY_LEN(p->signals); i++) {
        loop_signal_del(p->signals[i]);
        p->signals[i] = NULL;
    }
    p->timer = NULL;
    inplace_end(&p->place);
    steptree_release(&p->tree);
    canvas_release(&p->canvas);
    forget_runs(p);
}
