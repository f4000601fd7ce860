/*
 * ask.h - a question before something is changed.
 *
 * Rules: --yes answers for the user; without a terminal it must be given;
 * what destroys asks for a name to be typed, the rest for a y.
 */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "cli/args.h"

/* "QUESTION [y/N] ". False: ERR_CANCELLED, or ERR_USAGE (MT-CONFIRM) without
 * a terminal. */
bool ask_yes(const struct args *a, const char *question, struct error *err);
/* "Type NAME to go on: ". The same. */
bool ask_name(const struct args *a, const char *name, struct error *err);

#endif
