/* meshtop down: removes what up made, and shows that nothing is left. */
#include <string.h>

#include "lib/base/file.h"

#include "devenv/down.h"

#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/work.h"

#define WAIT_MAX_S 86400

/* ---- saying ---- */

static struct json *
items_json(const struct audit *a)
{
    struct json *list = json_new_array();

    for (size_t i = 0; i < a->n; i++) {
        struct json *item = json_append(list, json_new_object());

        json_set_string(item, "what", a->v[i].what);
        json_set_string(item, "command", a->v[i].command);
        json_set_bool(item, "unknown", a->v[i].unknown);
    }
    return list;
}

static void
print_json(const struct down *d)
{
    AUTO(json_free_ptr) struct json *j = json_new_object();
    AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);

    json_set_int(j, "leftovers", (int64_t)down_left(d)->n);
    json_set_int(j, "freedBytes", (int64_t)down_freed(d));
    json_set(j, "found", items_json(down_found(d)));
    json_set(j, "left", items_json(down_left(d)));
    json_print(j, JSON_COMPACT, &text);
    puts(buf_cstr(&text));
}

static void
print_lines(const char *title, const struct strlist *l)
{
    if (l->n)
        puts(title);
    for (size_t i = 0; i < l->n; i++)
        printf("  %s\n", l->v[i]);
}

static void
print_text(const struct down *d, bool purged)
{
    const struct audit *left = down_left(d);

    print_lines("may still exist elsewhere:", down_leaks(d));
    print_lines("stays, because it is not ours alone:", down_stays(d));
    if (purged)
        printf("freed: %.1f MB\n", (double)down_freed(d) / 1e6);
    printf("leftovers: %zu\n", left->n);
    for (size_t i = 0; i < left->n; i++)
        printf("  %s\n    %s\n", left->v[i].what, left->v[i].command);
}

static void
print_found(const struct down *d, const struct work *w, bool there)
{
    const struct audit *a = down_found(d);

    if (!there) {
        fprintf(stderr, "there is no profile \"%s\"\n", w->env.profile.name);
        return;
    }
    for (size_t i = 0; i < a->n; i++)
        fprintf(stderr, "%s %s\n",
                i ? "             " : "will remove:", a->v[i].what);
}

/* ---- doing ---- */

/* What `up` can bring back goes without a question; what it cannot needs the
 * typed name, or --yes. */
static bool
may_go(const struct args *a, const struct work *w, const struct down *d,
       struct error *err)
{
    const char *risk = down_risk(d);
    bool drop = args_has(a, "drop-finalizers");

    if (!*risk && !drop)
        return true;
    if (*risk)
        fprintf(stderr, "%s\n", risk);
    if (drop)
        fprintf(stderr, "finalizers of what does not go would be dropped: "
                        "what they guard may stay behind\n");
    return ask_name(a, w->env.profile.name, err);
}

static bool
read_options(const struct args *a, struct down_options *o, struct error *err)
{
    int64_t wait_s = 0;

    *o = (struct down_options){.force = args_has(a, "force"),
                               .purge = args_has(a, "purge"),
                               .drop_finalizers =
                                   args_has(a, "drop-finalizers")};
    if (args_has(a, "wait") &&
        (!str_to_i64(str_of(args_get(a, "wait", "")), &wait_s) || wait_s < 1 ||
         wait_s > WAIT_MAX_S))
        return error_set(err, ERR_USAGE, "--wait takes 1 to %d seconds",
                         WAIT_MAX_S);
    o->gone_ms = wait_s * 1000;
    return true;
}

static int
remove_all(const struct args *a, struct work *w)
{
    struct down_options o;
    const struct step_graph_options g = {.on_change = progress_changed,
                                         .arg = &w->progress};
    struct error err = {0};
    struct down *d =
        read_options(a, &o, &err) ? down_new(&w->env, &o, &g, &err) : NULL;
    bool json = w->progress.json;
    bool there = file_exists(w->env.profile.dir);

    if (!d || !down_begin(d, &err)) {
        down_free(d);
        return command_fail(&err);
    }
    if (!json)
        print_found(d, w, there);
    bool ok = may_go(a, w, d, &err);

    if (ok) {
        progress_graph(&w->progress, down_graph(d));
        ok = down_run(d, &err);
        if (json)
            progress_graph(&w->progress, NULL);
        else
            progress_report(&w->progress, ok ? NULL : &err, NULL);
        if (json && (ok || down_left(d)->n))
            print_json(d);
        else if (ok || down_left(d)->n)
            print_text(d, o.purge);
    }
    down_free(d);
    return ok ? EXIT_DONE : command_fail(&err);
}

/* Opens the profile, though its state may be damaged when force is given. */
static bool
begin(struct work *w, const struct args *a, struct error *err)
{
    struct error why = {0};

    if (work_begin(w, a, false, &why))
        return true;
    if (why.code == ERR_PARSE && args_has(a, "force") &&
        profile_discard_state(args_get(a, "profile", NULL), err))
        return work_begin(w, a, false, err);
    *err = why;
    return false;
}

static int
run(const struct args *a)
{
    const char *only = args_get(a, "only", NULL);
    struct error err = {0};
    struct work w;
    int code = EXIT_DONE;

    if (args_has(a, "read-only")) {
        error_set(&err, ERR_DENIED, "down writes, and this is read-only mode");
        error_remedy(&err, "MT-READ-ONLY", "Leave --read-only away.");
        return command_fail(&err);
    }
    if (!begin(&w, a, &err))
        return command_fail(&err);
    if (!only)
        code = remove_all(a, &w);
    else if (!down_only(&w.env, only, &w.run, &err))
        code = command_fail(&err);
    work_end(&w);
    return code;
}

static const struct flag flags[] = {
    {"force", 0, NULL, "go on where the API or the engine does not answer"},
    {"purge", 0, NULL, "downloads, tools and the node image as well"},
    {"only", 0, "WHAT", "examples or packages; the engine stays"},
    {"drop-finalizers", 0, NULL, "of what does not go; lists what may leak"},
    {"wait", 0, "SECONDS", "how long deletion may take (default 180)"},
    {"yes", 'y', NULL, "without asking"},
    {0},
};

const struct command cmd_down = {
    .name = "down",
    .args = "",
    .summary = "remove what up made, audit what is left",
    .help = "Lists what there is, removes it in an order that works, then "
            "looks again:\nexit code 90 with a list if anything is left. What "
            "is not ours is never\ntouched, with or without --force. Where "
            "something would be lost that up cannot\nbring back (objects of "
            "yours, resources in a cloud, a cluster you named with\n"
            "--context) the profile's name is asked for; without a terminal "
            "say --yes.",
    .group = "Bring up, prove, remove",
    .flags = flags,
    .run = run,
};
