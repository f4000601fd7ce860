/*
 * log.h - the debug log of a program that owns the screen.
 *
 * What: lines with time, level and text into one file, off by default. lib/
 * never logs above debug (docs/STYLE.md rule 6). The one piece of state of the
 * process that is not passed around: a file descriptor and a level.
 * Control bytes in the text are written as \xNN.
 */
#ifndef LIB_BASE_LOG_H
#define LIB_BASE_LOG_H

#include "lib/base/error.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };

/* Opens path (created 0600, appended) or, with NULL, writes to standard
 * error. False: cannot open. */
bool log_open(const char *path, enum log_level level, struct error *err);
void log_close(void);
bool log_enabled(enum log_level level);
void log_line(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_debug(...)                                                         \
    (log_enabled(LOG_DEBUG) ? log_line(LOG_DEBUG, __VA_ARGS__) : (void)0)

#endif
