#include "cli/live.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/base/mem.h"

#include "tui/steptext.h"
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

/* A profile that is not up, with nothing to look at yet. */
static bool
open_profile(struct target *t, const struct args *a, struct error *err)
{
    if (!profile_open(args_get(a, "profile", NULL), &t->profile, err))
        return false;
    t->title = mem_printf("profile %s", t->profile.name);
    return true;
}

/* No cluster to look at is no reason to stay away: the screen brings one up. */
static bool
choose(struct target *t, const struct args *a, bool *none, struct error *err)
{
    struct error why = {0};

    *none = false;
    if (target_choose(t, a, &why))
        return true;
    *none = strcmp(why.id, "MT-NO-CLUSTER") == 0 ||
            strcmp(why.id, "MT-NOT-UP") == 0;
    if (*none && open_profile(t, a, err))
        return true;
    if (!*none)
        *err = why;
    return false;
}

static struct tui_options
options_of(const struct target *t, const struct args *a)
{
    return (struct tui_options){
        .kubeconfig = t->kubeconfig,
        .context = t->context,
        .ns = target_ns(a, NULL),
        .title = t->title,
        .state_dir = t->profile.dir,
        .read_only = args_has(a, "read-only"),
        .no_color = args_has(a, "no-color"),
        .ascii = args_has(a, "ascii") || inplace_ascii(),
        .profile = t->profile.name,
    };
}

static void
say_still_runs(const char *profile)
{
    AUTO(mem_free_ptr) char *name = mem_strdup(profile);
    struct profile p;

    if (!profile_open(name, &p, NULL))
        return;
    if (profile_is_up(&p) && strcmp(p.engine, "sandbox") == 0)
        fprintf(stderr,
                "The sandbox still runs; \"meshtop down --profile %s\" "
                "removes it.\n",
                p.name);
    profile_release(&p);
}

static int
show_screen(const struct args *a, bool *unusable, struct error *err)
{
    struct target t;
    bool none;

    if (!choose(&t, a, &none, err))
        return command_fail(err);
    struct tui_options o = options_of(&t, a);

    o.none = none;
    int code = tui_run(&o, NULL, err);

    *unusable = code < 0;
    if (code >= 0)
        say_still_runs(t.profile.name);
    target_release(&t);
    return code;
}

static bool
large_enough(void)
{
    struct winsize ws = {0};

    ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws);
    return ws.ws_col >= 80 && ws.ws_row >= 24;
}

static bool
wants_screen(const struct args *a, const struct up_options *o)
{
    const char *ci = getenv("CI");

    if (!has_terminal() || args_has(a, "output") || args_has(a, "no-tui"))
        return false;
    return args_has(a, "tui") || (large_enough() && !o->until && !(ci && *ci));
}

/* What is worth keeping once the screen is gone. */
static int
say_end(const struct tui_end *end, const char *profile)
{
    char took[STEPTEXT_LEN];

    if (!end->begun)
        return EXIT_DONE;
    if (end->error.code)
        return command_fail(&end->error);
    if (end->up)
        fprintf(stderr, "up in %s\n", steptext_ms(end->ms, took));
    say_still_runs(profile);
    return EXIT_DONE;
}

int
live_up(const struct args *a, const struct up_options *up, bool *shown)
{
    struct error err = {0};
    struct target t = {.profile.lock_fd = -1};
    struct tui_end end = {0};
    bool any = !up->engine || strcmp(up->engine, "auto") == 0;

    *shown = wants_screen(a, up);
    if (!*shown)
        return EXIT_DONE;
    if ((!any && !engine_find(up->engine, &err)) || !open_profile(&t, a, &err))
        return command_fail(&err);
    struct tui_options o = options_of(&t, a);

    o.none = true;
    o.up = up;
    int code = tui_run(&o, &end, &err);

    *shown = code >= 0;
    if (code == 0)
        code = say_end(&end, t.profile.name);
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
    return overview_run(a, SETTLE_MS, print_heading);
}
