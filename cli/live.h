/*
 * live.h - `meshtop` without a command: the live view, or its text.
 *
 * The text comes when standard input or output is no terminal, or TERM is
 * unset, dumb or unknown: it waits until the mesh has settled (at most 60 s),
 * prints the overview, and ends with 0 when all is Ready, else 80.
 */
#ifndef CLI_LIVE_H
#define CLI_LIVE_H

#include "devenv/up.h"

#include "cli/command.h"

int live_run(const struct args *a);
/* `up` on the full screen, which goes on to the overview when all is Ready:
 * the way on a terminal of at least 80x24, unless --no-tui, -o or --until is
 * given or CI is set (nobody would leave it); --tui overrules size and CI.
 * *shown false: it cannot be, nothing was done. */
int live_up(const struct args *a, const struct up_options *o, bool *shown);

#endif
