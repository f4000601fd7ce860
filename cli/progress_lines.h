/*
 * progress_lines.h - what progress.h says line by line, and its last words.
 *
 * What: plain lines and JSON lines about a run that changed, the heartbeat, and
 * the table of times. Only progress.c calls it.
 */
#ifndef CLI_PROGRESS_LINES_H
#define CLI_PROGRESS_LINES_H

#include "cli/progress.h"

struct progress_said {
    enum step_state state;
    char detail[512];
    uint64_t done, total;
    uint8_t *parts; /* their states */
    size_t parts_n;
    int64_t at_ms; /* when the last line about it was said; 0: never */
    bool waits;    /* something changed that was not said yet */
};

/* Says what changed about run i; a mere reason waits until p->reason_ms have
 * passed since its last line. */
void progress_say(struct progress *p, size_t i);
/* One line about all that run. */
void progress_heartbeat(struct progress *p);
/* A sentence of ours. */
void progress_notice(struct progress *p, const char *text);
/* The table of times, the slowest steps (colours on a terminal), and what a
 * step that failed had seen. */
void progress_table(struct progress *p);
/* {"summary":true,...}, the last line of JSON. */
void progress_summary(struct progress *p, const struct error *err,
                      const char *const *next);

#endif
