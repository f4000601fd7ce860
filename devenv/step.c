#include "devenv/step.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/base/clock.h"

/* How often a wait looks whether the user has had enough. */
#define LOOK_MS 200

static void
tell(struct step_run *run, enum step_state state)
{
    run->now.state = state;
    run->now.detail = run->detail;
    run->now.ms = clock_mono_ms(clock_system()) - run->started_ms;
    if (run->on_event)
        run->on_event(run->arg, &run->now);
}

static bool
cancelled(const struct step_run *run, struct error *err)
{
    if (!run->cancelled || !*run->cancelled)
        return false;
    error_set(err, ERR_CANCELLED, "stopped at your request in \"%s\"",
              run->now.title);
    error_remedy(err, "MT-CANCELLED",
                 "What is done stays done; run the same command again to go "
                 "on, or \"meshtop down\" to remove it.");
    return true;
}

bool
steps_run(const struct step *table, void *context, struct step_run *run,
          struct error *err)
{
    size_t count = 0;

    while (table[count].id)
        count++;
    for (size_t i = 0; i < count; i++) {
        const struct step *s = &table[i];

        run->now = (struct step_event){
            .id = s->id, .title = s->title, .index = i, .count = count};
        run->detail[0] = '\0';
        run->started_ms = clock_mono_ms(clock_system());
        if (cancelled(run, err))
            return false;
        tell(run, STEP_STARTED);
        if (!s->act(context, run, err)) {
            tell(run, STEP_FAILED);
            return false;
        }
        tell(run, STEP_DONE);
    }
    return true;
}

void
step_detail(struct step_run *run, const char *fmt, ...)
{
    char text[sizeof(run->detail)];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (strcmp(text, run->detail) == 0)
        return;
    memcpy(run->detail, text, sizeof(text));
    tell(run, STEP_WAITS);
}

bool
step_wait(struct step_run *run, int64_t limit_ms, bool (*condition)(void *arg),
          void *arg, struct error *err)
{
    int64_t end = clock_mono_ms(clock_system()) + limit_ms;

    while (!condition(arg)) {
        int64_t left = end - clock_mono_ms(clock_system());

        if (cancelled(run, err))
            return false;
        if (left <= 0)
            return error_set(err, ERR_TIMEOUT, "%s: not done after %lld s%s%s",
                             run->now.title, (long long)(limit_ms / 1000),
                             *run->detail ? "; " : "", run->detail);
        loop_turn(run->loop, (int)MIN(left, LOOK_MS));
    }
    return true;
}
