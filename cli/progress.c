#include "cli/progress.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

static const char *const state_words[] = {
    [STEP_PENDING] = "pending", [STEP_CHECKING] = "checking",
    [STEP_RUNNING] = "running", [STEP_DONE] = "done",
    [STEP_ALREADY] = "already", [STEP_WARNED] = "warning",
    [STEP_FAILED] = "failed",   [STEP_CANCELLED] = "cancelled",
    [STEP_SKIPPED] = "skipped",
};

static int64_t
lasted(const struct step_run *r)
{
    return r->ended_ms ? r->ended_ms - r->began_ms : 0;
}

static void
show_json(const struct step_run *r)
{
    AUTO(json_free_ptr) struct json *j = json_new_object();

    json_set_string(j, "step", r->id ? r->id : "");
    json_set_string(j, "state", state_words[r->state]);
    json_set_string(j, "detail", r->detail);
    json_set_int(j, "ms", lasted(r));
    AUTO(mem_free_ptr) char *text = json_text(j, JSON_COMPACT);

    puts(text);
    fflush(stdout);
}

static void
show_text(const struct step_run *r)
{
    switch (r->state) {
    case STEP_DONE:
    case STEP_ALREADY:
        fprintf(stderr, "ok   %s (%lld ms)\n", r->title, (long long)lasted(r));
        return;
    case STEP_FAILED:
        fprintf(stderr, "FAIL %s (%lld ms)\n", r->title, (long long)lasted(r));
        return;
    default:
        if (*r->detail)
            fprintf(stderr, "     %s\n", r->detail);
        return;
    }
}

void
progress_changed(void *arg, struct step_run *r)
{
    const struct progress *p = arg;

    if (p->json)
        show_json(r);
    else
        show_text(r);
}

void
progress_graph(struct progress *p, struct step_graph *g)
{
    p->graph = g;
}

static void
on_interrupt(void *arg, int signo)
{
    struct progress *p = arg;

    if (p->cancelled == 2)
        _exit(128 + signo);
    p->cancelled++;
    if (p->graph)
        steps_stop(p->graph);
    fprintf(stderr, "\nstopping after this; press Ctrl-C again to end at "
                    "once\n");
}

void
progress_start(struct progress *p, const struct args *a, struct loop *loop,
               struct step_run *run)
{
    const char *term = getenv("TERM");

    *p = (struct progress){
        .terminal = isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0,
        .json = strcmp(args_get(a, "output", "text"), "json") == 0,
        .begun_ms = clock_mono_ms(clock_system()),
    };
    p->interrupt = loop_signal_add(loop, SIGINT, on_interrupt, p, NULL);
    *run = (struct step_run){.loop = loop,
                             .on_change = progress_changed,
                             .arg = p,
                             .cancelled = &p->cancelled};
}

void
progress_end(struct progress *p)
{
    loop_signal_del(p->interrupt);
    p->interrupt = NULL;
}

int64_t
progress_ms(const struct progress *p)
{
    return clock_mono_ms(clock_system()) - p->begun_ms;
}
