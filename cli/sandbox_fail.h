/*
 * sandbox_fail.h - `meshtop sandbox fail`: what is to fail in the sandbox's
 * cloud, set, shown and cleared as Fault objects (devenv/sandbox/faults.h).
 */
#ifndef CLI_SANDBOX_FAIL_H
#define CLI_SANDBOX_FAIL_H

#include "cli/args.h"

/* The exit code. */
int sandbox_fail(const struct args *a);

#endif
