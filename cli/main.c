/*
 * main.c - the way in: find the command, read its words, run it.
 */
#include <signal.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/log.h"

#include "devenv/failure.h"
#include "devenv/profile.h"

#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/live.h"

int
command_fail(const struct error *err)
{
    struct str line, remedy = str_of(err->remedy);

    fputs("meshtop: ", stderr);
    columns_text(str_of(err->msg), false, stderr); /* may quote a peer */
    fprintf(stderr, "%s%s%s\n", *err->id ? " (" : "", err->id,
            *err->id ? ")" : "");
    while (remedy.n && str_next(&remedy, '\n', &line)) {
        fputs("  ", stderr);
        columns_text(line, false, stderr);
        fputc('\n', stderr);
    }
    return failure_exit(err);
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

/* -v: a debug log in the profile's folder. Without one the work goes on. */
static void
open_log(const struct args *a)
{
    struct error err = {0};
    struct profile p;

    if (!args_has(a, "verbose"))
        return;
    if (!profile_open(args_get(a, "profile", NULL), &p, &err)) {
        fprintf(stderr, "meshtop: no debug log: %s\n", err.msg);
        return;
    }
    if (file_mkdirs(p.dir, 0700, &err) && log_open(p.log, LOG_DEBUG, &err))
        fprintf(stderr, "meshtop: debug log in %s\n", p.log);
    else
        fprintf(stderr, "meshtop: no debug log: %s\n", err.msg);
    profile_release(&p);
}

/* Runs c with its words: all of argv but the program and the command. */
static int
run_command(const struct command *c, int argc, char **argv)
{
    struct error err = {0};
    struct args a;
    int code;

    if (!args_parse(&a, common_flags, c->flags, argc, argv, &err))
        return command_fail(&err);
    if (args_has(&a, "help")) {
        command_help(stdout, c);
        code = EXIT_DONE;
    } else if (!args_count(&a, c->min_words, c->max_words, &err)) {
        error_remedy(&err, "", "Usage: meshtop %s %s", c->name, c->args);
        code = command_fail(&err);
    } else {
        open_log(&a);
        code = c->run(&a);
        log_close();
    }
    args_release(&a);
    return code;
}

static int
run_alone(int argc, char **argv)
{
    struct error err = {0};
    struct args a;
    int code = EXIT_DONE;

    if (!args_parse(&a, common_flags, NULL, argc, argv, &err))
        return command_fail(&err);
    if (args_has(&a, "help")) {
        command_help(stdout, NULL);
    } else {
        open_log(&a);
        code = live_run(&a);
        log_close();
    }
    args_release(&a);
    return code;
}

int
main(int argc, char **argv)
{
    int at = args_first_word(common_flags, argc, argv, 1);

    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a full file is an error, not an end */
    if (at >= argc)
        return run_alone(argc - 1, argv + 1);
    const struct command *c = command_find(argv[at]);

    if (!c)
        return unknown_command(argv[at]);
    memmove(argv + 2, argv + 1, (size_t)(at - 1) * sizeof(*argv));
    return run_command(c, argc - 2, argv + 2);
}
