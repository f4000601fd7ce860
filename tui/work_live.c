#include "tui/work_live.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/task.h"

#include "devenv/down.h"
#include "devenv/package.h"
#include "devenv/verify.h"

/*
 * Each kind of work is a function that runs in a task from the start to the
 * end; graphs stay until the next start, so that their steps can be looked at.
 */

enum { GROUPS_MAX = 16, ENDS_WITHIN_MS = 5000 };

struct work_live {
    struct tui_work base;
    struct loop *loop;
    struct task *task;
    struct error problem; /* of the task's body */
    char profile[64];
    struct env env;
    bool open, confirmed;
    volatile int cancelled;

    struct up_options up_options;
    struct strlist examples;
    char engine[16];
    struct up *up;

    struct down_options down_options;
    struct down *down;

    bool scratch;
    struct step_run verify, groups[GROUPS_MAX];
    size_t missed[GROUPS_MAX], passed[GROUPS_MAX], groups_n;
};

static struct work_live *
self(struct tui_work *w)
{
    return (struct work_live *)w;
}

static void
changed(struct work_live *w)
{
    if (w->base.changed)
        w->base.changed(w->base.changed_arg);
}

static void
on_change(void *arg, struct step_run *run UNUSED)
{
    changed(arg);
}

static int64_t
mono(void)
{
    return clock_mono_ms(clock_system());
}

/* ---- what all share ---- */

static bool
open_env(struct work_live *w, struct error *err)
{
    if (w->open)
        return true;
    w->open = env_open(&w->env, w->loop, *w->profile ? w->profile : NULL, err);
    return w->open;
}

static void
close_env(struct work_live *w)
{
    if (w->open)
        env_release(&w->env);
    w->open = false;
}

static void
show_graph(struct work_live *w, struct step_graph *g)
{
    struct tui_work *b = &w->base;

    b->runs_n = g ? steps_count(g) : 0;
    b->runs = mem_resize(b->runs, MAX(b->runs_n, (size_t)1), sizeof(*b->runs));
    for (size_t i = 0; i < b->runs_n; i++)
        b->runs[i] = steps_at(g, i);
    changed(w);
}

static bool
was_cancelled(struct work_live *w, struct error *err)
{
    struct step_run run = {.title = w->base.name, .cancelled = &w->cancelled};

    return step_cancelled(&run, err);
}

/* ---- up ---- */

static bool
run_up(struct work_live *w, struct error *err)
{
    const struct step_graph_options g = {.on_change = on_change, .arg = w};

    if (!open_env(w, err))
        return false;
    if (!w->up)
        w->up = up_new(&w->env, &w->up_options, &g, err);
    if (!w->up)
        return false;
    snprintf(w->base.about, sizeof(w->base.about), "profile %s on %s",
             w->env.profile.name, up_chosen(w->up)->name);
    show_graph(w, up_graph(w->up));
    if (was_cancelled(w, err))
        return false;
    bool ok = up_run(w->up, err);

    profile_unlock(&w->env.profile);
    env_disconnect(&w->env);
    return ok;
}

/* ---- verify ---- */

static void
begin_group(struct work_live *w, size_t i, const struct verify_group *g)
{
    step_run_release(&w->groups[i]);
    w->groups[i] = (struct step_run){.loop = w->loop,
                                     .id = g->id,
                                     .title = g->title,
                                     .on_change = on_change,
                                     .arg = w};
    w->missed[i] = w->passed[i] = 0;
}

static void
begin_groups(struct work_live *w)
{
    const struct verify_group *g = verify_groups();
    struct tui_work *b = &w->base;

    b->runs = mem_resize(b->runs, GROUPS_MAX, sizeof(*b->runs));
    for (b->runs_n = 0; g->id && b->runs_n < GROUPS_MAX; g++, b->runs_n++) {
        begin_group(w, b->runs_n, g);
        b->runs[b->runs_n] = &w->groups[b->runs_n];
    }
    w->groups_n = b->runs_n;
    changed(w);
}

static void
on_check(void *arg, const struct verify_check *c)
{
    static const enum step_state states[] = {[VERIFY_OK] = STEP_DONE,
                                             [VERIFY_MISS] = STEP_FAILED,
                                             [VERIFY_NOTE] = STEP_SKIPPED};
    struct work_live *w = arg;
    size_t i = 0;

    while (i < w->groups_n && strcmp(w->groups[i].id, c->group) != 0)
        i++;
    if (i == w->groups_n)
        return;
    AUTO(mem_free_ptr) char *name = mem_printf("%s: %s", c->subject, c->name);
    struct step_run *run = &w->groups[i];

    w->passed[i] += c->outcome == VERIFY_OK;
    w->missed[i] += c->outcome == VERIFY_MISS;
    step_part(run, name, states[c->outcome], c->detail);
    step_detail(run, "%zu ok, %zu missed", w->passed[i], w->missed[i]);
    if (c->outcome == VERIFY_MISS)
        error_set(&run->error, ERR_INVALID, "%s missed", name);
}

/* verify says of each group, as a part of its run, when it begins and ends. */
static void
on_verify(void *arg, struct step_run *run)
{
    struct work_live *w = arg;

    for (size_t i = 0; i < MIN(run->parts_n, w->groups_n); i++) {
        struct step_run *g = &w->groups[i];

        if (g->state == run->parts[i].state)
            continue;
        g->state = run->parts[i].state;
        if (!g->began_ms)
            g->began_ms = mono();
        if (g->state != STEP_RUNNING)
            g->ended_ms = mono();
    }
    changed(w);
}

static bool
run_verify(struct work_live *w, struct error *err)
{
    struct verify_options o = {
        .run = &w->verify, .scratch = w->scratch, .fn = on_check, .arg = w};
    struct verify_result r = {0};

    close_env(w);
    begin_groups(w);
    step_run_release(&w->verify);
    w->verify = (struct step_run){.loop = w->loop,
                                  .title = "verify",
                                  .on_change = on_verify,
                                  .arg = w,
                                  .cancelled = &w->cancelled};
    if (!open_env(w, err))
        return false;
    snprintf(w->base.about, sizeof(w->base.about), "profile %s",
             w->env.profile.name);
    bool ok = env_connect(&w->env, err) && verify_run(&w->env, &o, &r, err);

    close_env(w);
    for (size_t i = 0; i < w->groups_n; i++) {
        if (w->groups[i].state == STEP_PENDING)
            w->groups[i].state = STEP_SKIPPED;
    }
    if (!ok)
        return false;
    strlist_addf(&w->base.report, "%zu checks, %zu ok, %zu missed",
                 r.passed + r.missed, r.passed, r.missed);
    return r.missed == 0 ||
           error_set(err, ERR_INVALID, "%zu of %zu checks missed", r.missed,
                     r.passed + r.missed);
}

/* ---- down ---- */

static void
list_audit(struct work_live *w, const struct audit *a)
{
    for (size_t i = 0; a && i < a->n; i++)
        strlist_add(&w->base.report, str_of(a->v[i].what));
}

static void
list_lines(struct work_live *w, const char *text)
{
    struct str rest = str_of(text), line;

    while (rest.n && str_next(&rest, '\n', &line))
        strlist_add(&w->base.report, line);
}

/* Shows what will go and waits for the name. */
static bool
ask_first(struct work_live *w, struct error *err)
{
    struct tui_work *b = &w->base;

    list_audit(w, down_found(w->down));
    list_lines(w, down_risk(w->down));
    snprintf(b->answer, sizeof(b->answer), "%s", w->env.profile.name);
    b->state = WORK_ASKING;
    changed(w);
    while (!w->confirmed && !w->cancelled)
        loop_turn(w->loop, 60000);
    strlist_release(&b->report);
    b->state = WORK_RUNNING;
    b->began_ms = mono();
    return !was_cancelled(w, err);
}

static bool
run_down(struct work_live *w, struct error *err)
{
    const struct step_graph_options g = {.on_change = on_change, .arg = w};

    show_graph(w, NULL);
    down_free(w->down);
    w->down = NULL;
    close_env(w);
    if (!open_env(w, err))
        return false;
    snprintf(w->base.about, sizeof(w->base.about), "profile %s",
             w->env.profile.name);
    w->down = down_new(&w->env, &w->down_options, &g, err);
    if (!w->down)
        return false;
    show_graph(w, down_graph(w->down));
    bool ok =
        down_begin(w->down, err) && ask_first(w, err) && down_run(w->down, err);

    profile_unlock(&w->env.profile);
    if (ok)
        strlist_addf(&w->base.report, "leftovers: 0");
    else if (err->code != ERR_CANCELLED)
        list_audit(w, down_left(w->down));
    for (size_t i = 0; ok && i < down_stays(w->down)->n; i++)
        strlist_add(&w->base.report, str_of(down_stays(w->down)->v[i]));
    return ok;
}

/* ---- the table, and words ---- */

typedef bool body_fn(struct work_live *w, struct error *err);
typedef bool word_fn(struct work_live *w, struct str word);

static bool
up_word(struct work_live *w, struct str word)
{
    static const char *const engines[] = {"auto", "sandbox", "kind", "context"};

    for (size_t i = 0; i < ARRAY_LEN(engines); i++) {
        if (str_eqz(word, engines[i])) {
            snprintf(w->engine, sizeof(w->engine), "%s", engines[i]);
            w->up_options.engine = w->engine;
            return true;
        }
    }
    strlist_add(&w->examples, word);
    return true;
}

static bool
verify_word_of(struct work_live *w, struct str word)
{
    w->scratch |= str_eqz(word, "scratch");
    return str_eqz(word, "scratch");
}

static bool
down_word(struct work_live *w, struct str word)
{
    w->down_options.force |= str_eqz(word, "force");
    w->down_options.purge |= str_eqz(word, "purge");
    return str_eqz(word, "force") || str_eqz(word, "purge");
}

static const struct {
    const char *name;
    body_fn *body;
    word_fn *word;
} kinds[] = {
    [WORK_UP] = {"up", run_up, up_word},
    [WORK_VERIFY] = {"verify", run_verify, verify_word_of},
    [WORK_DOWN] = {"down", run_down, down_word},
};

static bool
take_words(struct work_live *w, struct str rest, struct error *err)
{
    struct str word;

    while (rest.n && str_next(&rest, ' ', &word)) {
        if (word.n && !kinds[w->base.kind].word(w, word))
            return error_set(err, ERR_USAGE, ":%s knows no \"%.*s\"",
                             w->base.name, STR_ARG(word));
    }
    return true;
}

/* ---- running it ---- */

static void
body(void *arg)
{
    struct work_live *w = arg;
    struct tui_work *b = &w->base;
    struct error err = {0};
    bool ok = kinds[b->kind].body(w, &err);

    b->ended_ms = mono();
    b->error = err;
    b->state = ok                          ? WORK_DONE
               : err.code == ERR_CANCELLED ? WORK_STOPPED
                                           : WORK_FAILED;
    changed(w);
}

static bool
start(struct tui_work *b, struct error *err)
{
    struct work_live *w = self(b);
    struct task *task = task_start(w->loop, body, w, err);

    if (!task)
        return false;
    task_free(w->task);
    w->task = task;
    w->cancelled = 0;
    w->confirmed = false;
    b->stops = 0;
    b->state = WORK_RUNNING;
    b->began_ms = mono();
    b->ended_ms = 0;
    b->error = (struct error){0};
    strlist_release(&b->report);
    changed(w);
    return true;
}

static void
confirm(struct tui_work *b)
{
    self(b)->confirmed = true;
}

static void
stop(struct tui_work *b)
{
    struct work_live *w = self(b);

    b->stops++;
    w->cancelled = (int)MIN(b->stops, 2u);
    if (w->up)
        steps_stop(up_graph(w->up));
    if (w->down)
        steps_stop(down_graph(w->down));
    changed(w);
}

/* False: it does not end; then its memory has to stay. */
static bool
end_now(struct work_live *w)
{
    int64_t limit = mono() + ENDS_WITHIN_MS;

    w->base.changed = NULL;
    while (w->task && !task_done(w->task) && mono() < limit) {
        stop(&w->base);
        loop_turn(w->loop, 100);
    }
    return !w->task || task_done(w->task);
}

static void
free_live(struct tui_work *b)
{
    struct work_live *w = self(b);

    if (!end_now(w))
        return;
    task_free(w->task);
    up_free(w->up);
    down_free(w->down);
    close_env(w);
    step_run_release(&w->verify);
    for (size_t i = 0; i < GROUPS_MAX; i++)
        step_run_release(&w->groups[i]);
    strlist_release(&w->examples);
    strlist_release(&b->report);
    free(b->runs);
    free(w);
}

static const struct tui_work_ops ops = {
    .free = free_live, .start = start, .confirm = confirm, .stop = stop};

struct tui_work *
work_live_new(const struct work_live_options *o, struct error *err)
{
    struct work_live *w = mem_zalloc(1, sizeof(*w));

    w->base = (struct tui_work){
        .ops = &ops, .kind = o->kind, .name = kinds[o->kind].name};
    w->loop = o->loop;
    snprintf(w->profile, sizeof(w->profile), "%s",
             o->profile ? o->profile : "");
    snprintf(w->base.about, sizeof(w->base.about), "profile %s",
             o->profile ? o->profile : PROFILE_DEFAULT);
    if (o->up)
        w->up_options = *o->up;
    else
        w->up_options.examples = &w->examples;
    if (take_words(w, o->words, err))
        return &w->base;
    free_live(&w->base);
    return NULL;
}

bool
work_live_target(const struct tui_work *b, struct work_target *out)
{
    const struct work_live *w = (const struct work_live *)b;
    struct profile p;

    *out = (struct work_target){0};
    if (!profile_open(*w->profile ? w->profile : NULL, &p, NULL))
        return false;
    out->up = profile_is_up(&p);
    out->kubeconfig = mem_strdup(p.kubeconfig);
    out->context = *p.context ? mem_strdup(p.context) : NULL;
    out->title = out->up ? mem_printf("profile %s (%s)", p.name, p.engine)
                         : mem_printf("profile %s", p.name);
    profile_release(&p);
    return true;
}

void
work_target_release(struct work_target *t)
{
    free(t->kubeconfig);
    free(t->context);
    free(t->title);
    *t = (struct work_target){0};
}
