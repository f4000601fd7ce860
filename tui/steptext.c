#include "tui/steptext.h"

#include <stdio.h>

static const struct {
    const char *word, *glyph, *ascii; /* no glyph: it turns */
    enum style style;
    bool runs, ended;
} states[] = {
    [STEP_PENDING] = {"pending", "\xc2\xb7", ".", ST_DIM, false, false},
    [STEP_CHECKING] = {"checking", NULL, NULL, ST_PAUSED, true, false},
    [STEP_RUNNING] = {"running", NULL, NULL, ST_WAIT, true, false},
    [STEP_DONE] = {"done", "\xe2\x9c\x93", "+", ST_OK, false, true},
    [STEP_ALREADY] = {"already", "\xe2\x9c\x93", "=", ST_DIM, false, true},
    [STEP_WARNED] = {"warned", "!", "!", ST_WAIT, false, true},
    [STEP_FAILED] = {"failed", "\xe2\x9c\x96", "X", ST_FAIL, false, true},
    [STEP_CANCELLED] = {"cancelled", "\xe2\x80\x93", "-", ST_DEL, false, true},
    [STEP_SKIPPED] = {"skipped", "\xe2\x80\x93", "-", ST_DIM, false, true},
};

static const char *const turns[] = {
    "\xe2\xa0\x8b", "\xe2\xa0\x99", "\xe2\xa0\xb9", "\xe2\xa0\xb8",
    "\xe2\xa0\xbc", "\xe2\xa0\xb4", "\xe2\xa0\xa6", "\xe2\xa0\xa7",
};
static const char *const ascii_turns[] = {"|", "/", "-", "\\"};

const char *
steptext_word(enum step_state s)
{
    return states[s].word;
}

const char *
steptext_glyph(enum step_state s, int64_t now_ms, bool ascii)
{
    size_t turn = (size_t)(now_ms / 100);

    if (states[s].glyph)
        return ascii ? states[s].ascii : states[s].glyph;
    return ascii ? ascii_turns[turn % ARRAY_LEN(ascii_turns)]
                 : turns[turn % ARRAY_LEN(turns)];
}

enum style
steptext_style(enum step_state s)
{
    return states[s].style;
}

bool
steptext_runs(enum step_state s)
{
    return states[s].runs;
}

bool
steptext_ended(enum step_state s)
{
    return states[s].ended;
}

const char *
steptext_ms(int64_t ms, char out[STEPTEXT_LEN])
{
    int64_t s = ms / 1000;

    if (ms < 1000)
        snprintf(out, STEPTEXT_LEN, "%d ms", (int)MAX(ms, 0));
    else if (s < 60)
        snprintf(out, STEPTEXT_LEN, "%d.%d s", (int)s, (int)(ms % 1000 / 100));
    else if (s < 3600)
        snprintf(out, STEPTEXT_LEN, "%dm%02ds", (int)(s / 60), (int)(s % 60));
    else
        snprintf(out, STEPTEXT_LEN, "%lldh%02dm", (long long)(s / 3600),
                 (int)(s / 60 % 60));
    return out;
}

const char *
steptext_bytes(uint64_t n, char out[STEPTEXT_LEN])
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB"};
    uint64_t whole = n, tenths = 0;
    size_t u = 0;

    while (whole >= 1000 && u + 1 < ARRAY_LEN(units)) {
        tenths = whole % 1000 / 100;
        whole /= 1000;
        u++;
    }
    if (u == 0 || whole >= 10)
        snprintf(out, STEPTEXT_LEN, "%llu %s", (unsigned long long)whole,
                 units[u]);
    else
        snprintf(out, STEPTEXT_LEN, "%llu.%llu %s", (unsigned long long)whole,
                 (unsigned long long)tenths, units[u]);
    return out;
}

int64_t
steptext_took(const struct step_run *run, int64_t now_ms)
{
    if (!run->began_ms)
        return 0;
    return MAX((run->ended_ms ? run->ended_ms : now_ms) - run->began_ms, 0);
}

const char *
steptext_title(const struct step_run *run)
{
    return run->title ? run->title : run->id ? run->id : "";
}

/* ---- bytes ---- */

void
step_meter_feed(struct step_meter *m, uint64_t done, int64_t now_ms)
{
    int64_t ms = now_ms - m->at_ms;
    double fresh;

    if (!m->at_ms || done < m->done) {
        *m = (struct step_meter){done, now_ms, 0};
        return;
    }
    if (ms < 1000)
        return;
    fresh = (double)(done - m->done) * 1000 / (double)ms;
    m->per_s = m->per_s > 0 ? m->per_s * 0.7 + fresh * 0.3 : fresh;
    m->done = done;
    m->at_ms = now_ms;
}

void
steptext_progress(const struct step_run *run, const struct step_meter *m,
                  struct buf *out)
{
    char a[STEPTEXT_LEN], b[STEPTEXT_LEN];

    buf_puts(out, steptext_bytes(run->done, a));
    if (run->total)
        buf_printf(out, " of %s", steptext_bytes(run->total, b));
    if (m->per_s < 1)
        return;
    buf_printf(out, "  %s/s", steptext_bytes((uint64_t)m->per_s, a));
    if (run->total > run->done)
        buf_printf(
            out, "  %s left",
            steptext_ms((int64_t)((double)(run->total - run->done) / m->per_s) *
                                1000 +
                            1000,
                        b));
}

const struct step_run *
steptext_slowest(const struct step_run *const *runs, size_t n, int64_t now_ms)
{
    const struct step_run *found = NULL;

    for (size_t i = 0; i < n; i++) {
        if (runs[i]->began_ms && (!found || steptext_took(runs[i], now_ms) >
                                                steptext_took(found, now_ms)))
            found = runs[i];
    }
    return found;
}
