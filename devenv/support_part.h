/*
 * support_part.h - inside of support.h: what its parts share.
 *
 * A part is a function that adds files and says what it left out; support.c has
 * their table and the limits; support_machine.c the profile, the programs of
 * ours and the engine; support_cluster.c what the API serves.
 */
#ifndef DEVENV_SUPPORT_PART_H
#define DEVENV_SUPPORT_PART_H

#include "lib/base/archive.h"

#include "devenv/redact.h"
#include "devenv/support.h"

struct support {
    struct env *env;
    const struct support_options *o;
    struct step_run *run;
    struct support_report *report;
    struct archive_out *archive;
    struct redact redact;
    uint64_t max_file, max_bytes;
    int64_t end_ms;       /* monotonic */
    struct error failure; /* the file cannot be written: all else is void */
};

/* May more be added? False: time or room is up (said once by whoever asks). */
bool support_goes_on(struct support *s);
/* Adds text, redacted; of a long one the newest part, of none nothing. */
void support_text(struct support *s, const char *name, struct str text);
/* Adds a tree as YAML, redacted. Takes j (NULL: nothing). */
void support_tree(struct support *s, const char *name, struct json *j);
void support_leave_out(struct support *s, const char *fmt, ...)
    PRINTF_LIKE(2, 3);

/* ---- the parts ---- */
void support_secrets(struct support *s); /* first: what to redact */
void support_profile(struct support *s);
void support_programs(struct support *s);
void support_engine(struct support *s);
void support_cluster(struct support *s);

#endif
