/*
 * up_plan.h - what `up --plan` prints: each step, done or to do.
 */
#ifndef CLI_UP_PLAN_H
#define CLI_UP_PLAN_H

#include "devenv/up.h"

/* Of a graph that was planned (steps_plan), to standard output. */
void up_plan_print(struct up *up, bool json);

#endif
