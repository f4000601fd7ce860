/*
 * up_plan.h - what a graph of steps would do, before anything is done.
 *
 * What: `up --plan`: a row a step (lane, what it is, done or to do, bytes to
 * fetch, usual time, what it needs), and below the sum: how many are to do,
 * bytes, and the estimate along the longest chain. -o json: one object, as
 * docs/STEPS.md says. The world was looked at by steps_plan; nothing is
 * changed.
 */
#ifndef CLI_UP_PLAN_H
#define CLI_UP_PLAN_H

#include "devenv/up.h"

/* Of a graph that was planned (steps_plan), to standard output. */
void up_plan_print(struct up *up, const char *profile, bool json);

#endif
