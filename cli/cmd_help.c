/* meshtop help [COMMAND|MT-ID] */
#include <string.h>

#include "devenv/failure.h"

#include "cli/commands.h"

/* Columns of names and flags; a longer one has its text on the next line. */
#define LEFT_WIDTH 28

static void
print_flags(FILE *out, const struct flag *f)
{
    for (; f && f->name; f++) {
        char left[64];

        snprintf(left, sizeof(left), "%s%c%s--%s%s%s", f->letter ? "-" : " ",
                 f->letter ? f->letter : ' ', f->letter ? ", " : "  ", f->name,
                 f->value ? " " : "", f->value ? f->value : "");
        fprintf(out, "  %-28s %s\n", left, f->help);
    }
}

static void
print_overview(FILE *out)
{
    const char *group = "";

    fprintf(out, "meshtop - a data mesh on Crossplane: brought up, shown live, "
                 "changed through a plan\n\n"
                 "  meshtop               the live view (or its text, when "
                 "there is no terminal)\n"
                 "  meshtop COMMAND ...   one of these:\n");
    for (const struct command *const *c = commands; *c; c++) {
        char left[64];

        if (strcmp(group, (*c)->group) != 0)
            fprintf(out, "\n%s\n", group = (*c)->group);
        snprintf(left, sizeof(left), "%s %s", (*c)->name, (*c)->args);
        if (strlen(left) > LEFT_WIDTH)
            fprintf(out, "  %s\n  %-*s %s\n", left, LEFT_WIDTH, "",
                    (*c)->summary);
        else
            fprintf(out, "  %-*s %s\n", LEFT_WIDTH, left, (*c)->summary);
    }
    fprintf(out, "\nFlags of every command\n");
    print_flags(out, common_flags);
    fprintf(out,
            "\nExit codes: 0 done, 1 error, 2 usage, 10-19 host, 20-29 "
            "engine, 30-39 network,\n40-49 integrity, 50-59 cluster, 60-69 "
            "Crossplane, 70-79 packages, 80-89 mesh,\n90-99 clean-up, 130 "
            "cancelled. More: meshtop help COMMAND\n");
}

void
command_help(FILE *out, const struct command *c)
{
    if (!c) {
        print_overview(out);
        return;
    }
    fprintf(out, "meshtop %s%s%s\n\n%s\n", c->name, *c->args ? " " : "",
            c->args, c->summary);
    if (c->help)
        fprintf(out, "\n%s\n", c->help);
    if (c->flags) {
        fprintf(out, "\nFlags\n");
        print_flags(out, c->flags);
    }
    fprintf(out, "\nFlags of every command\n");
    print_flags(out, common_flags);
}

static int
run(const struct args *a)
{
    const char *name = args_word(a, 0);
    const struct command *c = name ? command_find(name) : NULL;
    const struct failure *f = name ? failure_find(name) : NULL;
    struct error err = {0};

    if (f) {
        AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);

        failure_explain(f, &text);
        fputs(buf_cstr(&text), stdout);
        return EXIT_DONE;
    }
    if (name && !c) {
        error_set(&err, ERR_USAGE, "no command \"%s\"", name);
        return command_fail(&err);
    }
    command_help(stdout, c);
    return EXIT_DONE;
}

const struct command cmd_help = {
    .name = "help",
    .args = "[COMMAND|MT-ID]",
    .summary = "this overview, one command, or one failure",
    .group = "Other",
    .max_words = 1,
    .run = run,
};
