/*
 * stepscript.h - a graph of steps that do what a script says, line by line.
 *
 * Lines: detail STEP TEXT | bytes STEP DONE TOTAL | part STEP STATE NAME... |
 * log STEP TEXT | done STEP | fail STEP ID TEXT | check STEP (its check will
 * say done) | block STEP (its check waits until `check`) STATE is a number of
 * enum step_state. The steps: host; engine, ports (need host); image (engine);
 * extra (soft, engine); cluster (image ports); functions, kinds (cluster);
 * ready (functions kinds).
 */
#ifndef TESTS_TOOLS_STEPSCRIPT_H
#define TESTS_TOOLS_STEPSCRIPT_H

#include <stdio.h>
#include <stdlib.h>

#include "devenv/step.h"

enum { SCRIPT_STEPS = 9 };

struct script_step {
    bool already, ended;
    struct error failure;
};

struct script {
    struct step_graph *graph;
    struct script_step v[SCRIPT_STEPS];
};

static const char *const script_ids[SCRIPT_STEPS] = {
    "host",    "engine",    "ports", "image", "extra",
    "cluster", "functions", "kinds", "ready"};

static UNUSED struct script_step *
script_step(struct script *s, const char *id)
{
    for (size_t i = 0; i < SCRIPT_STEPS; i++) {
        if (strcmp(script_ids[i], id) == 0)
            return &s->v[i];
    }
    abort();
}

static enum step_verdict
script_check(void *context, struct step_run *run)
{
    return script_step(context, run->id)->already ? STEP_IS_DONE : STEP_IS_TODO;
}

static bool
script_ended(void *arg)
{
    return ((struct script_step *)arg)->ended;
}

static bool
script_act(void *context, struct step_run *run, struct error *err)
{
    struct script_step *s = script_step(context, run->id);

    if (!step_wait(run, 600000, script_ended, s, err))
        return false;
    s->ended = false;
    if (!s->failure.code)
        return true;
    *err = s->failure;
    s->failure = (struct error){0};
    return false;
}

static uint64_t
script_bytes(void *context UNUSED)
{
    return 412000000;
}

#define ROW(name, words, lane_of, need)                                        \
    {                                                                          \
        .id = name, .title = words, .lane = lane_of, .needs = need,            \
        .usual_ms = 1500, .check = script_check, .act = script_act             \
    }
static const struct step script_table[] = {
    ROW("host", "this machine", "host", NULL),
    ROW("engine", "the container engine", "host", "host"),
    ROW("ports", "the ports are free", "host", "host"),
    {.id = "image",
     .title = "fetch the node image",
     .lane = "tools",
     .needs = "engine",
     .usual_ms = 40000,
     .check = script_check,
     .act = script_act,
     .bytes = script_bytes},
    {.id = "extra",
     .title = "further functions",
     .lane = "tools",
     .needs = "engine",
     .usual_ms = 100,
     .flags = STEP_SOFT,
     .check = script_check,
     .act = script_act},
    ROW("cluster", "create the cluster", "cluster", "image ports"),
    ROW("functions", "functions are Healthy", "mesh", "cluster"),
    ROW("kinds", "the mesh's kinds are Established", "mesh", "cluster"),
    ROW("ready", "all is Ready", "mesh", "functions kinds"),
    {0},
};
#undef ROW

static UNUSED void
script_say(struct script *s, struct step_run *run, const char *verb,
           const char *rest)
{
    unsigned long long done = 0, total = 0;
    int state = 0, used = 0;
    char id[32] = "";

    if (strcmp(verb, "detail") == 0) {
        step_detail(run, "%s", rest);
    } else if (strcmp(verb, "log") == 0) {
        step_log(run, str_of(rest));
    } else if (strcmp(verb, "bytes") == 0) {
        sscanf(rest, "%llu %llu", &done, &total);
        step_bytes(run, done, total);
    } else if (strcmp(verb, "part") == 0) {
        sscanf(rest, "%d %n", &state, &used);
        step_part(run, rest + used, (enum step_state)state, "");
    } else if (strcmp(verb, "check") == 0) {
        script_step(s, run->id)->already = true;
    } else if (strcmp(verb, "done") == 0) {
        script_step(s, run->id)->ended = true;
    } else if (strcmp(verb, "fail") == 0) {
        struct script_step *step = script_step(s, run->id);

        sscanf(rest, "%31s %n", id, &used);
        error_set(&step->failure, ERR_NETWORK, "%s", rest + used);
        error_remedy(&step->failure, id, "Look at it, then run it again.");
        step->ended = true;
    } else {
        abort();
    }
}

/* One line of a script, without its newline. */
static UNUSED void
script_line(struct script *s, const char *text)
{
    char verb[16] = "", id[32] = "";
    int used = 0;

    sscanf(text, "%15s %31s %n", verb, id, &used);
    if (!*verb)
        return;
    struct step_run *run = steps_find(s->graph, id);

    if (!run)
        abort();
    script_say(s, run, verb, text + used);
}

static UNUSED bool
script_new(struct script *s, struct loop *l, const struct step_graph_options *o,
           struct error *err)
{
    *s = (struct script){0};
    s->graph = steps_new(l, script_table, s, o, err);
    return s->graph != NULL;
}

#endif
