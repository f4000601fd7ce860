/*
 * steptext.h - steps of work in words and figures, the same wherever they are
 * shown: on the full screen, in the tree in place, as lines, as JSON, in a
 * plan.
 *
 * Times are milliseconds; bytes are decimal (1 MB = 1,000,000), as downloads
 * are announced. Nothing here filters: texts of a step_run are hostile, the
 * canvas or cli/columns shows them.
 */
#ifndef TUI_STEPTEXT_H
#define TUI_STEPTEXT_H

#include "devenv/step.h"

#include "tui/theme.h"

/* "pending", "checking", "running", "done", "already", "warned", "failed",
 * "cancelled", "skipped": in JSON and docs/STEPS.md. */
const char *steptext_word(enum step_state s);
/* One column; a running one turns with now_ms. */
const char *steptext_glyph(enum step_state s, int64_t now_ms, bool ascii);
enum style steptext_style(enum step_state s);
/* Its work goes on (checking, running). */
bool steptext_runs(enum step_state s);
/* It is over, well or not; a skipped one never began. */
bool steptext_ended(enum step_state s);

#define STEPTEXT_LEN 32
/* "12 ms", "4.2 s", "2m05s", "1h02m". */
const char *steptext_ms(int64_t ms, char out[STEPTEXT_LEN]);
/* "812 B", "1.9 GB". */
const char *steptext_bytes(uint64_t n, char out[STEPTEXT_LEN]);
/* How long it took, or has taken until now; 0 before it began. */
int64_t steptext_took(const struct step_run *run, int64_t now_ms);
/* The step's title, else its id, else "". */
const char *steptext_title(const struct step_run *run);

/* How fast bytes come: fed with step_run's figures from time to time. */
struct step_meter {
    uint64_t done;
    int64_t at_ms;
    double per_s; /* smoothed; 0: not known */
};
/* Takes the figure in; once a second counts. */
void step_meter_feed(struct step_meter *m, uint64_t done, int64_t now_ms);
/* "412 MB of 1.9 GB  21 MB/s  1m10s left", as far as known. */
void steptext_progress(const struct step_run *run, const struct step_meter *m,
                       struct buf *out);

/* The run that took, or has taken, longest; NULL when none began. */
const struct step_run *steptext_slowest(const struct step_run *const *runs,
                                        size_t n, int64_t now_ms);

#endif
