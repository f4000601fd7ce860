/* meshtop up: brings the mesh up; running it again repairs. */
#include "devenv/up.h"

#include "cli/commands.h"
#include "cli/live.h"
#include "cli/output.h"
#include "cli/up_plan.h"
#include "cli/up_words.h"
#include "cli/work.h"

static bool
show_plan(struct work *w, const struct up_options *o, struct error *err)
{
    const struct step_graph_options g = {0};
    struct up *up = up_new(&w->env, o, &g, err);

    if (!up)
        return false;
    steps_plan(up_graph(up));
    up_plan_print(up, w->env.profile.name, w->progress.json);
    up_free(up);
    return true;
}

static int
run(const struct args *a)
{
    AUTO(up_words_release) struct up_words words;
    bool plan = args_has(a, "plan"), shown = false;
    struct error err = {0};
    struct work w;

    if (!up_words_read(&words, a, &err))
        return command_fail(&err);
    if (!plan) {
        int code = live_up(a, &words.options, &shown);

        if (shown)
            return code;
    }
    if (!work_begin(&w, a, false, &err))
        return command_fail(&err);
    bool ok = plan ? show_plan(&w, &words.options, &err)
                   : work_up(&w, &words.options, &err);

    work_end(&w);
    ok = ok && output_flush(&err);
    return ok ? EXIT_DONE : command_fail(&err);
}

static const struct flag flags[] = {
    UP_FLAGS,
    {"until", 0, "STEP", "this step, and what it needs"},
    {"only", 0, "packages", "the packages alone, on an engine that runs"},
    {"plan", 0, NULL, "print the steps, do nothing"},
    {"tui", 0, NULL, "on the full screen, however small, and in CI"},
    {"no-tui", 0, NULL, "never on the full screen"},
    {0},
};

const struct command cmd_up = {
    .name = "up",
    .args = "",
    .summary = "bring the mesh up; run again, it repairs",
    .help = "Starts the engine of the profile, puts the mesh packages on it "
            "and waits\nuntil everything is Ready. Ctrl-C starts no further "
            "step and keeps what is done\n(running it again goes on); a "
            "second one ends the programs that run. On a terminal of at least "
            "80x24 it is\nshown on the full screen, which goes on to the live "
            "view when all is Ready.",
    .group = "Bring up, prove, remove",
    .flags = flags,
    .run = run,
};
