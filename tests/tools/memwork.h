/*
 * memwork.h - work of the steps view that does what a script says; times are
 * those of the script's clock.
 */
#ifndef TESTS_TOOLS_MEMWORK_H
#define TESTS_TOOLS_MEMWORK_H

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "tui/work.h"

enum { MEMWORK_STEPS = 24 };

struct memwork {
    struct tui_work base;
    const struct clock *clock;
    struct step_run runs[MEMWORK_STEPS];
    struct step_run *pointers[MEMWORK_STEPS];
    struct step steps[MEMWORK_STEPS];
    char texts[MEMWORK_STEPS][3][96]; /* id, title, needs */
};

static void
memwork_changed(struct memwork *w)
{
    if (w->base.changed)
        w->base.changed(w->base.changed_arg);
}

static bool
memwork_start(struct tui_work *b, struct error *err UNUSED)
{
    struct memwork *w = (struct memwork *)b;

    b->state = b->kind == WORK_DOWN ? WORK_ASKING : WORK_RUNNING;
    b->began_ms = clock_mono_ms(w->clock);
    b->ended_ms = 0;
    b->stops = 0;
    for (size_t i = 0; i < b->runs_n; i++) {
        if (w->runs[i].state > STEP_ALREADY) {
            w->runs[i].state = STEP_PENDING;
            w->runs[i].began_ms = w->runs[i].ended_ms = 0;
        }
    }
    memwork_changed(w);
    return true;
}

static void
memwork_confirm(struct tui_work *b)
{
    b->state = WORK_RUNNING;
    strlist_release(&b->report);
    memwork_changed((struct memwork *)b);
}

static void
memwork_stop(struct tui_work *b)
{
    b->stops++;
    if (b->state == WORK_ASKING)
        b->state = WORK_STOPPED;
    memwork_changed((struct memwork *)b);
}

static void
memwork_free(struct tui_work *b)
{
    struct memwork *w = (struct memwork *)b;

    for (size_t i = 0; i < b->runs_n; i++)
        step_run_release(&w->runs[i]);
    strlist_release(&b->report);
    free(w);
}

static struct tui_work *
memwork_new(const struct clock *clock, enum tui_work_kind kind)
{
    static const struct tui_work_ops ops = {memwork_free, memwork_start,
                                            memwork_confirm, memwork_stop};
    static const char *const names[] = {"up", "verify", "down"};
    struct memwork *w = mem_zalloc(1, sizeof(*w));

    w->base = (struct tui_work){.ops = &ops,
                                .kind = kind,
                                .name = names[kind],
                                .about = "profile demo on kind",
                                .answer = "demo",
                                .runs = w->pointers};
    w->clock = clock;
    return &w->base;
}

/* A step of the script: ID NEEDS|- TITLE... */
static void
memwork_step(struct memwork *w, const char *text)
{
    size_t i = w->base.runs_n++;
    char(*t)[96] = w->texts[i];
    int used = 0;

    sscanf(text, "%95s %95s %n", t[0], t[2], &used);
    snprintf(t[1], sizeof(t[1]), "%s", text + used);
    w->steps[i] = (struct step){
        .id = t[0], .title = t[1], .needs = *t[2] == '-' ? NULL : t[2]};
    w->runs[i] = (struct step_run){.id = t[0],
                                   .title = t[1],
                                   .step = &w->steps[i],
                                   .needs = w->steps[i].needs};
    w->pointers[i] = &w->runs[i];
}

static struct step_run *
memwork_find(struct memwork *w, const char *id)
{
    for (size_t i = 0; i < w->base.runs_n; i++) {
        if (strcmp(w->runs[i].id, id) == 0)
            return &w->runs[i];
    }
    die("no step %s", id);
}

static enum step_state
memwork_state(const char *word)
{
    static const char *const words[] = {"pending", "checking",  "running",
                                        "done",    "already",   "warned",
                                        "failed",  "cancelled", "skipped"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(words[i], word) == 0)
            return (enum step_state)i;
    }
    die("no state %s", word);
}

/* state ID STATE | detail ID TEXT | part ID STATE NAME | log ID TEXT | bytes
 * ID DONE TOTAL | fail ID MT-ID SENTENCE */
static void
memwork_say(struct memwork *w, const char *verb, const char *text)
{
    unsigned long long done = 0, total = 0;
    char id[32] = "", word[32] = "";
    int first = 0, second = 0;

    sscanf(text, "%31s %n%31s %n", id, &first, word, &second);
    struct step_run *run = memwork_find(w, id);
    int64_t now = clock_mono_ms(w->clock);

    if (strcmp(verb, "detail") == 0) {
        snprintf(run->detail, sizeof(run->detail), "%s", text + first);
    } else if (strcmp(verb, "log") == 0) {
        strlist_add(&run->log, str_of(text + first));
    } else if (strcmp(verb, "part") == 0) {
        step_part(run, text + second, memwork_state(word), "");
    } else if (strcmp(verb, "bytes") == 0) {
        sscanf(text + first, "%llu %llu", &done, &total);
        run->done = done;
        run->total = total;
    } else if (strcmp(verb, "fail") == 0) {
        error_set(&run->error, ERR_NETWORK, "%s", text + second);
        error_remedy(&run->error, word,
                     "Stop it, or choose another port.\n"
                     "meshtop up --profile demo");
        run->state = STEP_FAILED;
        run->ended_ms = now;
    } else {
        run->state = memwork_state(word);
        if (!run->began_ms)
            run->began_ms = now;
        if (run->state > STEP_RUNNING)
            run->ended_ms = now;
    }
    memwork_changed(w);
}

/* done | failed (with the first failed step's error) | stopped */
static void
memwork_end(struct memwork *w, const char *how)
{
    struct tui_work *b = &w->base;

    b->ended_ms = clock_mono_ms(w->clock);
    b->state = strcmp(how, "done") == 0     ? WORK_DONE
               : strcmp(how, "failed") == 0 ? WORK_FAILED
                                            : WORK_STOPPED;
    for (size_t i = b->runs_n; i-- > 0;) {
        if (w->runs[i].state == STEP_FAILED)
            b->error = w->runs[i].error;
        if (w->runs[i].state <= STEP_RUNNING)
            w->runs[i].state = STEP_SKIPPED;
    }
    memwork_changed(w);
}

#endif
