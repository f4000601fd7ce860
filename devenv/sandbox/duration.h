/*
 * duration.h - spans of time as Go writes them: "1h15m30.5s", "-1.5h", "0".
 *
 * Source: Go's time.ParseDuration, whose refusals clients see in ?timeout.
 */
#ifndef DEVENV_SANDBOX_DURATION_H
#define DEVENV_SANDBOX_DURATION_H

#include "lib/base/error.h"
#include "lib/base/str.h"

/* Nanoseconds into *ns; ERR_PARSE in Go's words. */
bool duration_parse(struct str text, int64_t *ns, struct error *err);

#endif
