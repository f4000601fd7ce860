/* meshtop version */
#include <string.h>

#include "cli/commands.h"

static int
run(const struct args *a)
{
    if (strcmp(args_get(a, "output", "text"), "json") == 0)
        printf("{\"version\":\"%s\"}\n", MESHTOP_VERSION);
    else
        printf("meshtop %s\n", MESHTOP_VERSION);
    return EXIT_DONE;
}

const struct command cmd_version = {
    .name = "version",
    .args = "",
    .summary = "print the version",
    .group = "Other",
    .run = run,
};
