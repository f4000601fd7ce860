/*
 * command.h - one row per command: what main.c dispatches on, what help and
 * completion print. A new command is one file cli/cmd_NAME.c with a
 * `const struct command` and its row in cli/commands.c.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <stdio.h>

#include "cli/args.h"

/* Exit codes of the program (DESIGN: 0 done, 1 error, 2 usage, families of
 * ten by cause). */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_ERROR = 1,
    EXIT_USAGE = 2,
    EXIT_HOST = 10,
    EXIT_ENGINE = 20,
    EXIT_NETWORK = 30,
    EXIT_INTEGRITY = 40,
    EXIT_CLUSTER = 50,
    EXIT_CROSSPLANE = 60,
    EXIT_PACKAGES = 70,
    EXIT_MESH = 80,
    EXIT_CLEANUP = 90,
    EXIT_CANCELLED = 130
};

struct command {
    const char *name;
    const char *args;         /* "KIND [NAME]" or "" */
    const char *summary;      /* one line, no full stop */
    const char *help;         /* paragraphs, or NULL */
    const struct flag *flags; /* zero-terminated, or NULL */
    size_t min_words, max_words;
    /* Runs the command; a is parsed and counted. Returns an exit code; prints
     * its own answer on standard output and errors through command_fail. */
    int (*run)(const struct args *a);
    const char *group; /* heading in help */
};

/* Flags every command takes (profile, kubeconfig, ...). */
extern const struct flag common_flags[];
/* Every command, in the order help shows them; ends with a zero row. */
extern const struct command *const commands[];

const struct command *command_find(const char *name);
/* Prints "meshtop: sentence" and, where known, the id and the remedy to
 * standard error; returns the exit code that belongs to the error. */
int command_fail(const struct error *err);
/* Prints the help of one command, or of the program when c is NULL. */
void command_help(FILE *out, const struct command *c);

#endif
