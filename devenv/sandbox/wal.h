/*
 * wal.h - whether a database's write-ahead log was damaged in its middle.
 *
 * What: SQLite takes the first frame of a log (FILE-wal) that does not add up
 * for its end: after a crash that is right, but when a disk has lost bytes in
 * the middle, transactions that were acknowledged would be dropped without a
 * word. A crash leaves at most one transaction behind such a frame, because
 * each is flushed before the next begins; two or more mean damage, as does a
 * header that does not add up in front of frames.
 * Format: https://www.sqlite.org/fileformat2.html#walformat
 */
#ifndef DEVENV_SANDBOX_WAL_H
#define DEVENV_SANDBOX_WAL_H

#include "lib/base/base.h"

/* False: the log at path is damaged. A log that is not there, or cannot be
 * read, is sound: SQLite says the rest. Nobody may be writing to it. */
bool wal_sound(const char *path);

#endif
