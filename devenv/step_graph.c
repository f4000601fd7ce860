/*
 * Steps side by side: each is a task; `advance` starts those whose needs are
 * done and notices the end. It runs as a deferred call of the loop, after each
 * task, so that nothing starts inside somebody else's stack.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/clock.h"
#include "lib/base/digest.h"
#include "lib/base/mem.h"
#include "lib/base/task.h"

#include "devenv/step.h"

#define INPUTS_MAX ((size_t)16 << 20)
#define NEEDS_MAX  1024

struct node {
    struct step_graph *graph;
    struct step_run run;
    struct task *task;
    char *needs;
    size_t began; /* order of acts, from 1; 0: did not act */
};

struct step_graph {
    struct loop *loop;
    void *context;
    struct step_graph_options o;
    struct node *v;
    size_t n, acts;
    volatile int cancelled;
    bool planning, running, failed;
    struct error error;
};

/* ---- the rows that take part ---- */

/* Is word one of the words of list? NULL is no list. */
static bool
has_word(const char *list, const char *word)
{
    struct str rest = str_of(list ? list : ""), head;

    while (rest.n) {
        str_cut(rest, ' ', &head, &rest);
        if (str_eqz(head, word))
            return true;
    }
    return false;
}

static bool
takes_part(const struct step *s, const struct step_graph_options *o)
{
    return (!s->on || !o->engine || has_word(s->on, o->engine)) &&
           !has_word(o->without, s->id);
}

/* The row that takes part, else any of that name: a step of another engine
 * still says what has to be done before it. */
static const struct step *
row_called(const struct step *table, const struct step_graph_options *o,
           const char *id)
{
    const struct step *other = NULL;

    for (const struct step *s = table; s->id; s++) {
        if (strcmp(s->id, id) != 0)
            continue;
        if (takes_part(s, o))
            return s;
        other = s;
    }
    return other;
}

/* s is until, or until needs it, itself or through others. */
static bool
leads_to(const struct step *table, const struct step_graph_options *o,
         const struct step *s, const struct step *until)
{
    struct str rest = str_of(until->needs ? until->needs : ""), id;

    if (s == until)
        return true;
    while (rest.n) {
        str_cut(rest, ' ', &id, &rest);
        AUTO(mem_free_ptr) char *name = mem_strndup(id.s, id.n);
        const struct step *need = row_called(table, o, name);

        if (need && leads_to(table, o, s, need))
            return true;
    }
    return false;
}

static void
add(struct step_graph *g, const struct step *s)
{
    g->v[g->n++] = (struct node){
        .graph = g,
        .run = {.loop = g->loop,
                .id = s->id,
                .title = s->title,
                .step = s,
                .usual_ms =
                    g->o.quick && s->quick_ms ? s->quick_ms : s->usual_ms,
                .on_change = g->o.on_change,
                .arg = g->o.arg,
                .cancelled = &g->cancelled},
    };
}

/* Keeps of a node's needs those that take part. */
static void
resolve_needs(struct step_graph *g, struct node *n)
{
    AUTO(buf_release) struct buf needs = BUF_INIT(NEEDS_MAX);

    for (size_t i = 0; i < g->n; i++) {
        if (has_word(n->run.step->needs, g->v[i].run.id))
            buf_printf(&needs, "%s%s", needs.n ? " " : "", g->v[i].run.id);
    }
    n->needs = needs.n ? mem_strdup(buf_cstr(&needs)) : NULL;
    n->run.needs = n->needs;
}

struct step_graph *
steps_new(struct loop *l, const struct step *table, void *context,
          const struct step_graph_options *o, struct error *err)
{
    const struct step *until = NULL;
    size_t count = 0;

    if (o->until && !(until = row_called(table, o, o->until))) {
        error_set(err, ERR_USAGE, "no step \"%s\"", o->until);
        error_remedy(err, "MT-NO-SUCH-STEP",
                     "\"meshtop up --plan\" lists the steps.");
        return NULL;
    }
    while (table[count].id)
        count++;
    struct step_graph *g = mem_zalloc(1, sizeof(*g));

    g->loop = l;
    g->context = context;
    g->o = *o;
    g->v = mem_zalloc(count + 1, sizeof(*g->v));
    for (size_t i = 0; i < count; i++) {
        if (takes_part(&table[i], o) &&
            (!until || leads_to(table, o, &table[i], until)))
            add(g, &table[i]);
    }
    for (size_t i = 0; i < g->n; i++)
        resolve_needs(g, &g->v[i]);
    return g;
}

/* ---- running ---- */

static bool
is_done(enum step_state s)
{
    return s == STEP_DONE || s == STEP_ALREADY || s == STEP_WARNED;
}

static void
set_state(struct node *n, enum step_state state)
{
    struct step_run *run = &n->run;
    int64_t now = clock_mono_ms(clock_system());

    run->state = state;
    if (state == STEP_CHECKING || state == STEP_RUNNING) {
        run->began_ms = run->began_ms ? run->began_ms : now;
    } else if (run->began_ms) {
        run->ended_ms = now;
    }
    if (run->on_change)
        run->on_change(run->arg, run);
}

static void
on_failure(struct node *n, const struct error *err)
{
    struct step_graph *g = n->graph;

    n->run.error = *err;
    if (err->code == ERR_CANCELLED) {
        set_state(n, STEP_CANCELLED);
    } else if (n->run.step->flags & STEP_SOFT) {
        set_state(n, STEP_WARNED);
        return;
    } else {
        set_state(n, STEP_FAILED);
    }
    /* The first is the reason; the others only stopped because of it. */
    if (!g->failed)
        g->error = *err;
    g->failed = true;
    if (!g->cancelled && !(n->run.step->flags & STEP_GOES_ON))
        g->cancelled = 1;
}

static void
look(struct node *n)
{
    const struct step *s = n->run.step;

    set_state(n, STEP_CHECKING);
    n->run.verdict =
        s->check ? s->check(n->graph->context, &n->run) : STEP_IS_TODO;
    n->run.looked = true;
}

static void advance(void *arg);

static void
run_node(void *arg)
{
    struct node *n = arg;
    struct step_graph *g = n->graph;
    struct error err = {0};

    look(n);
    if (n->run.verdict == STEP_IS_DONE) {
        set_state(n, STEP_ALREADY);
    } else if (g->planning) {
        set_state(n, STEP_PENDING);
    } else if (step_cancelled(&n->run, &err)) {
        on_failure(n, &err);
    } else {
        n->began = ++g->acts;
        /* What the check saw is past. */
        if (*n->run.detail)
            step_log(&n->run, str_of(n->run.detail));
        n->run.detail[0] = '\0';
        set_state(n, STEP_RUNNING);
        if (n->run.step->act(g->context, &n->run, &err))
            set_state(n, STEP_DONE);
        else
            on_failure(n, &err);
    }
    loop_defer(g->loop, advance, g);
}

/* Everything it needs is done. */
static bool
may_start(const struct step_graph *g, const struct node *n)
{
    if (n->task || n->run.state != STEP_PENDING || n->run.looked)
        return false;
    for (size_t i = 0; i < g->n; i++) {
        const struct step_run *r = &g->v[i].run;

        if (has_word(n->needs, r->id) && !is_done(r->state))
            return false;
    }
    return true;
}

static bool
start(struct step_graph *g, struct node *n)
{
    struct error err = {0};

    n->task = task_start(g->loop, run_node, n, &err);
    if (!n->task)
        on_failure(n, &err);
    return n->task != NULL;
}

static void
finish(struct step_graph *g)
{
    for (size_t i = 0; i < g->n && !g->planning; i++) {
        if (g->v[i].run.state == STEP_PENDING)
            set_state(&g->v[i], STEP_SKIPPED);
    }
    g->running = false;
    if (!g->failed && g->cancelled)
        step_cancelled(&g->v[0].run, &g->error);
    if (g->o.on_end)
        g->o.on_end(g->o.arg, g->error.code ? &g->error : NULL);
}

static void
advance(void *arg)
{
    struct step_graph *g = arg;
    size_t busy = 0;

    for (size_t i = 0; i < g->n; i++) {
        if (g->v[i].task && task_done(g->v[i].task)) {
            task_free(g->v[i].task);
            g->v[i].task = NULL;
        }
    }
    /* The task that was started last runs first: so from the end. */
    for (size_t i = g->n; i-- > 0;) {
        struct node *n = &g->v[i];

        if (n->task || (!g->cancelled && may_start(g, n) && start(g, n)))
            busy++;
    }
    if (!busy && g->running)
        finish(g);
}

static void
begin(struct step_graph *g, bool planning)
{
    g->planning = planning;
    g->running = true;
    g->failed = false;
    g->cancelled = 0;
    g->error = (struct error){0};
    for (size_t i = 0; i < g->n; i++) {
        struct step_run *r = &g->v[i].run;

        if (r->state == STEP_DONE || r->state == STEP_ALREADY)
            continue;
        r->state = STEP_PENDING;
        r->looked = false;
        r->began_ms = r->ended_ms = 0;
        r->error = (struct error){0};
        r->detail[0] = '\0';
    }
    loop_defer(g->loop, advance, g);
}

void
steps_start(struct step_graph *g)
{
    begin(g, false);
}

static void
turn_until_end(struct step_graph *g)
{
    while (g->running)
        loop_turn(g->loop, -1);
}

bool
steps_wait(struct step_graph *g, struct error *err)
{
    begin(g, false);
    turn_until_end(g);
    if (!g->error.code)
        return true;
    if (err)
        *err = g->error;
    return false;
}

void
steps_plan(struct step_graph *g)
{
    begin(g, true);
    turn_until_end(g);
}

bool
steps_running(const struct step_graph *g)
{
    return g->running;
}

void
steps_stop(struct step_graph *g)
{
    if (g->running && g->cancelled < 2)
        g->cancelled++;
}

/* The node that began to act last, before the given one. */
static struct node *
newest_before(struct step_graph *g, size_t before)
{
    struct node *newest = NULL;

    for (size_t i = 0; i < g->n; i++) {
        struct node *n = &g->v[i];

        if (n->began && n->began < before &&
            (!newest || n->began > newest->began))
            newest = n;
    }
    return newest;
}

bool
steps_undo(struct step_graph *g, struct error *err)
{
    bool ok = true;

    g->cancelled = 0;
    for (struct node *n = newest_before(g, SIZE_MAX); n;) {
        struct node *next = newest_before(g, n->began);

        if (n->run.step->undo &&
            !n->run.step->undo(g->context, &n->run, ok ? err : NULL))
            ok = false;
        n->began = 0;
        n = next;
    }
    return ok;
}

void
steps_free(struct step_graph *g)
{
    if (!g)
        return;
    loop_undefer(g->loop, advance, g);
    for (size_t i = 0; i < g->n; i++) {
        task_free(g->v[i].task);
        step_run_release(&g->v[i].run);
        free(g->v[i].needs);
    }
    free(g->v);
    free(g);
}

/* ---- looking at it ---- */

size_t
steps_count(const struct step_graph *g)
{
    return g->n;
}

struct step_run *
steps_at(const struct step_graph *g, size_t i)
{
    return &g->v[i].run;
}

struct step_run *
steps_find(const struct step_graph *g, const char *id)
{
    for (size_t i = 0; i < g->n; i++) {
        if (strcmp(g->v[i].run.id, id) == 0)
            return &g->v[i].run;
    }
    return NULL;
}

/* The longest chain that ends with n, of steps that are not done. */
static int64_t
chain_ms(const struct step_graph *g, const struct node *n)
{
    int64_t longest = 0;

    for (size_t i = 0; i < g->n; i++) {
        if (has_word(n->needs, g->v[i].run.id))
            longest = MAX(longest, chain_ms(g, &g->v[i]));
    }
    return longest + (is_done(n->run.state) ? 0 : n->run.usual_ms);
}

int64_t
steps_estimate_ms(const struct step_graph *g)
{
    int64_t longest = 0;

    for (size_t i = 0; i < g->n; i++)
        longest = MAX(longest, chain_ms(g, &g->v[i]));
    return longest;
}

void
steps_digest(const struct step_graph *g, const char *id, char out[65])
{
    const struct step_run *r = steps_find(g, id);
    AUTO(buf_release) struct buf inputs = BUF_INIT(INPUTS_MAX);
    char hex[DIGEST_HEX_MAX];

    out[0] = '\0';
    if (!r || !r->step->inputs)
        return;
    r->step->inputs(g->context, &inputs);
    digest_hex(DIGEST_SHA256, buf_view(&inputs), hex);
    memcpy(out, hex, 65);
}
