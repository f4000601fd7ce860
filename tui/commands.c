#include <stdio.h>

#include "tui/app.h"
#include "tui/filter.h"

/* What `:` understands besides kinds and the names of actions. */

static void
do_quit(struct app *a, struct str args)
{
    (void)args;
    app_quit(a);
}

static void
do_list(struct app *a, const char *word)
{
    app_open(a, &view_list, NULL, word);
}

static void
do_context(struct app *a, struct str args)
{
    struct error err = {0};
    char name[256];

    if (args.n == 0) {
        do_list(a, "@contexts");
        return;
    }
    snprintf(name, sizeof(name), "%.*s", STR_ARG(args));
    if (!a->source->ops->set_context(a->source, name, &err))
        app_say(a, TUI_FAIL, "%s", err.msg);
}

static void
do_namespace(struct app *a, struct str args)
{
    char name[64];

    if (args.n == 0) {
        do_list(a, "@namespaces");
        return;
    }
    snprintf(name, sizeof(name), "%.*s", STR_ARG(args));
    a->source->ops->set_namespace(
        a->source,
        strcmp(name, "*") == 0 || strcmp(name, "all") == 0 ? "" : name);
}

static void
do_events(struct app *a, struct str args)
{
    (void)args;
    do_list(a, "@events");
}

static void
do_kinds(struct app *a, struct str args)
{
    (void)args;
    do_list(a, "@kinds");
}

static void
do_write(struct app *a, struct str args)
{
    int64_t ms = 10 * 60000;
    struct tui_link link = {0};

    a->source->ops->link(a->source, &link);
    if (args.n && !filter_duration(args, &ms)) {
        app_say(a, TUI_FAIL, "how long? \":write 10m\", \":write 0\" ends it");
        return;
    }
    if (ms && !link.read_only && !a->write_until_ms) {
        app_say(a, TUI_NONE,
                "writing is allowed already; \":write 0\" ends it");
        return;
    }
    a->write_until_ms = ms ? clock_wall_ms(a->clock) + ms : 0;
    a->source->ops->set_read_only(a->source, ms == 0);
    if (ms)
        app_say(a, TUI_WAIT, "writing is allowed for %d min",
                (int)((ms + 59999) / 60000));
    else
        app_say(a, TUI_OK, "read-only");
}

/* Up and down write; a read-only screen refuses them as it does an edit. */
static void
do_work(struct app *a, enum tui_work_kind kind, struct str args)
{
    if (kind == WORK_VERIFY || app_may_write(a))
        app_work(a, kind, args);
}

static void
do_up(struct app *a, struct str args)
{
    do_work(a, WORK_UP, args);
}

static void
do_verify(struct app *a, struct str args)
{
    do_work(a, WORK_VERIFY, args);
}

static void
do_down(struct app *a, struct str args)
{
    do_work(a, WORK_DOWN, args);
}

static void
do_steps(struct app *a, struct str args)
{
    (void)args;
    if (app_top(a)->ops != &view_steps)
        app_open(a, &view_steps, NULL, NULL);
}

static const struct {
    struct command_word word;
    void (*run)(struct app *a, struct str args);
} table[] = {
    {{"ctx", "[NAME]", "switch to another context"}, do_context},
    {{"ns", "[NAME]", "one namespace only; * for all"}, do_namespace},
    {{"events", "", "events of the whole cluster"}, do_events},
    {{"kinds", "", "every kind the cluster serves"}, do_kinds},
    {{"write", "[TIME]", "lift read-only for a while (10m)"}, do_write},
    {{"up", "[ENGINE] [EXAMPLE ...]", "bring the mesh up; again: repair"},
     do_up},
    {{"verify", "[scratch]", "prove that the mesh works"}, do_verify},
    {{"down", "[force] [purge]", "remove what up made (asks for its name)"},
     do_down},
    {{"steps", "", "the steps that run, or ran last"}, do_steps},
    {{"q", "", "quit"}, do_quit},
};

const struct command_word *
commands_at(size_t i)
{
    return i < ARRAY_LEN(table) ? &table[i].word : NULL;
}

bool
commands_run(struct app *a, struct str line)
{
    struct str word, args;

    str_cut(str_trim(line), ' ', &word, &args);
    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        if (str_eqz(word, table[i].word.name)) {
            table[i].run(a, str_trim(args));
            return true;
        }
    }
    return false;
}
