#include "cli/progress.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

static const char *const state_words[] = {
    [STEP_STARTED] = "started",
    [STEP_WAITS] = "waits",
    [STEP_DONE] = "done",
    [STEP_FAILED] = "failed",
};

static void
show_json(const struct step_event *e)
{
    AUTO(json_free_ptr) struct json *j = json_new_object();

    json_set_string(j, "step", e->id);
    json_set_string(j, "state", state_words[e->state]);
    json_set_string(j, "detail", e->detail);
    json_set_int(j, "ms", e->ms);
    json_set_int(j, "index", (int64_t)e->index + 1);
    json_set_int(j, "count", (int64_t)e->count);
    AUTO(mem_free_ptr) char *text = json_text(j, JSON_COMPACT);

    puts(text);
    fflush(stdout);
}

static void
show_terminal(const struct step_event *e)
{
    const char *mark = e->state == STEP_DONE     ? "\033[32mok\033[0m  "
                       : e->state == STEP_FAILED ? "\033[31mFAIL\033[0m"
                                                 : "... ";
    bool ended = e->state == STEP_DONE || e->state == STEP_FAILED;

    fprintf(stderr, "\r\033[K%s %zu/%zu %s", mark, e->index + 1, e->count,
            e->title);
    if (ended)
        fprintf(stderr, " (%lld ms)", (long long)e->ms);
    if (*e->detail)
        fprintf(stderr, "\033[2m  %.60s\033[0m", e->detail);
    if (ended)
        fputc('\n', stderr);
}

static void
show_plain(const struct step_event *e)
{
    switch (e->state) {
    case STEP_STARTED:
        return;
    case STEP_WAITS:
        fprintf(stderr, "     %s\n", e->detail);
        return;
    case STEP_DONE:
    case STEP_FAILED:
        fprintf(stderr, "%s %zu/%zu %s (%lld ms)\n",
                e->state == STEP_DONE ? "ok  " : "FAIL", e->index + 1, e->count,
                e->title, (long long)e->ms);
        return;
    }
}

static void
on_event(void *arg, const struct step_event *e)
{
    const struct progress *p = arg;

    if (p->json)
        show_json(e);
    else if (p->terminal)
        show_terminal(e);
    else
        show_plain(e);
}

static void
on_interrupt(void *arg, int signo)
{
    struct progress *p = arg;

    if (p->cancelled)
        _exit(128 + signo);
    p->cancelled = true;
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
                             .on_event = on_event,
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
