#include "cli/ask.h"

#include <stdio.h>
#include <unistd.h>

/* The answer to a question on standard error. */
static bool
read_answer(char *line, int size, struct error *err)
{
    if (!isatty(STDIN_FILENO)) {
        error_set(err, ERR_USAGE, "there is no terminal to ask at");
        error_remedy(err, "MT-CONFIRM", "Say --yes.");
        return false;
    }
    if (!fgets(line, size, stdin))
        line[0] = '\0';
    return true;
}

bool
ask_yes(const struct args *a, const char *question, struct error *err)
{
    char line[64] = "";

    if (args_has(a, "yes"))
        return true;
    if (isatty(STDIN_FILENO))
        fprintf(stderr, "%s [y/N] ", question);
    if (!read_answer(line, sizeof(line), err))
        return false;
    struct str said = str_trim(str_of(line));

    if (str_eq(said, STR("y")) || str_eq(said, STR("yes")) ||
        str_eq(said, STR("Y")))
        return true;
    return error_set(err, ERR_CANCELLED, "nothing was changed");
}

bool
ask_name(const struct args *a, const char *name, struct error *err)
{
    char line[512] = "";

    if (args_has(a, "yes"))
        return true;
    if (isatty(STDIN_FILENO))
        fprintf(stderr, "Type %s to go on: ", name);
    if (!read_answer(line, sizeof(line), err))
        return false;
    if (str_eqz(str_trim(str_of(line)), name))
        return true;
    return error_set(err, ERR_CANCELLED, "nothing was deleted");
}
