/*
 * main.c - the way in: find the command, read its words, run it.
 */
#include <signal.h>
#include <string.h>

#include "cli/commands.h"
#include "cli/live.h"

/* The exit code of each error code that has a family of its own. */
static const int exit_of[] = {
    [ERR_USAGE] = EXIT_USAGE,
    [ERR_NETWORK] = EXIT_NETWORK,
    [ERR_CANCELLED] = EXIT_CANCELLED,
    [ERR_INTERNAL] = EXIT_ERROR,
};

int
command_fail(const struct error *err)
{
    int code = exit_of[err->code];

    fprintf(stderr, "meshtop: %s%s%s%s\n", err->msg, *err->id ? " (" : "",
            err->id, *err->id ? ")" : "");
    if (*err->remedy)
        fprintf(stderr, "  %s\n", err->remedy);
    return code ? code : EXIT_ERROR;
}

static int
unknown_command(const char *word)
{
    const char *names[64];
    size_t n = 0;
    struct error err = {0};

    for (const struct command *const *c = commands; *c; c++) {
        if (n < ARRAY_LEN(names))
            names[n++] = (*c)->name;
    }
    const char *near = args_nearest(word, names, n);

    error_set(&err, ERR_USAGE, "no command \"%s\"", word);
    if (near)
        error_remedy(&err, "", "Did you mean \"meshtop %s\"?", near);
    else
        error_remedy(&err, "", "\"meshtop help\" lists the commands.");
    return command_fail(&err);
}

int
main(int argc, char **argv)
{
    struct error err = {0};
    struct args all, a;
    int code;

    signal(SIGPIPE, SIG_IGN);
    if (argc > 1 && argv[1][0] != '-') {
        const struct command *c = command_find(argv[1]);

        if (!c)
            return unknown_command(argv[1]);
        if (!args_parse(&a, common_flags, c->flags, argc - 2, argv + 2, &err))
            return command_fail(&err);
        if (args_has(&a, "help")) {
            command_help(stdout, c);
            code = EXIT_DONE;
        } else if (!args_count(&a, c->min_words, c->max_words, &err)) {
            error_remedy(&err, "", "Usage: meshtop %s %s", c->name, c->args);
            code = command_fail(&err);
        } else {
            code = c->run(&a);
        }
        args_release(&a);
        return code;
    }
    if (!args_parse(&all, common_flags, NULL, argc - 1, argv + 1, &err))
        return command_fail(&err);
    if (args_has(&all, "help")) {
        command_help(stdout, NULL);
        code = EXIT_DONE;
    } else {
        code = live_run(&all);
    }
    args_release(&all);
    return code;
}
