/*
 * doctor_fix.h - the inside of doctor.h: shell lines that mend a failure, by
 * distribution.
 *
 * Which distribution: ID and ID_LIKE of /etc/os-release (below the host's
 * root). Lines are fixed texts of the table in doctor_fix.c.
 */
#ifndef DEVENV_DOCTOR_FIX_H
#define DEVENV_DOCTOR_FIX_H

#include "devenv/doctor.h"

/* PRETTY_NAME in fresh memory, "" when the file does not say. */
char *fix_distribution(const struct host *h);
/* The lines for one failure into out; 0: only a person can mend it. */
size_t fix_find(const struct host *h, const char *id, bool root,
                struct doctor_fix *out, size_t max);

#endif
