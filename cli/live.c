#include "cli/live.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tui/tui.h"

#include "cli/inplace.h"
#include "cli/overview.h"
#include "cli/target.h"

#define SETTLE_MS 60000

static bool
has_terminal(void)
{
    const char *term = getenv("TERM");

    return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && *term &&
           strcmp(term, "dumb") != 0 && strcmp(term, "unknown") != 0;
}

static void
print_heading(const struct target *t)
{
    printf("meshtop %s  %s\n\n", MESHTOP_VERSION, t->title);
}

static int
show_screen(const struct args *a, bool *unusable, struct error *err)
{
    struct target t;

    if (!target_choose(&t, a, err))
        return command_fail(err);
    struct tui_options o = {
        .kubeconfig = t.kubeconfig,
        .context = t.context,
        .ns = target_ns(a, NULL),
        .title = t.title,
        .state_dir = t.profile.dir,
        .read_only = args_has(a, "read-only"),
        .no_color = args_has(a, "no-color"),
        .ascii = args_has(a, "ascii") || inplace_ascii(),
    };
    int code = tui_run(&o, err);

    *unusable = code < 0;
    if (code >= 0 && strcmp(t.profile.engine, "sandbox") == 0)
        fprintf(stderr,
                "The sandbox still runs; \"meshtop down --profile %s\" "
                "removes it.\n",
                t.profile.name);
    target_release(&t);
    return code;
}

int
live_run(const struct args *a)
{
    struct error err = {0};
    bool unusable = false;

    if (has_terminal() && !args_has(a, "output")) {
        int code = show_screen(a, &unusable, &err);

        if (!unusable)
            return code;
        fprintf(stderr, "meshtop: %s; here is the text\n", err.msg);
    }
    return overview_run(a, true, SETTLE_MS, print_heading);
}
