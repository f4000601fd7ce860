/*
 * live.h - `meshtop` without a command: the live view, or its text.
 *
 * The text comes when standard input or output is no terminal, or TERM is
 * unset, dumb or unknown: it waits until the mesh has settled (at most 60 s),
 * prints the overview, and ends with 0 when all is Ready, else 80.
 */
#ifndef CLI_LIVE_H
#define CLI_LIVE_H

#include "cli/command.h"

int live_run(const struct args *a);

#endif
