/* meshtop debug: a support bundle without secrets. */
#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "devenv/support.h"

#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/work.h"

static char *
default_name(const char *profile)
{
    char stamp[CLOCK_RFC3339_LEN];

    clock_format(clock_wall_ms(clock_system()) / 1000, stamp);
    for (char *c = stamp; *c; c++) {
        if (*c == ':')
            *c = '-';
    }
    return mem_printf("meshtop-debug-%s-%s.tar.gz", profile, stamp);
}

static struct json *
lines_json(const struct strlist *l)
{
    struct json *j = json_new_array();

    for (size_t i = 0; i < l->n; i++)
        json_append(j, json_new_string(l->v[i]));
    return j;
}

static void
print_json(const char *path, const struct support_report *r)
{
    AUTO(json_free_ptr) struct json *j = json_new_object();

    json_set_string(j, "file", path);
    json_set_int(j, "bytes", (int64_t)r->bytes);
    json_set_int(j, "redacted", (int64_t)r->redacted);
    json_set(j, "held", lines_json(&r->held));
    json_set(j, "leftOut", lines_json(&r->left_out));
    AUTO(mem_free_ptr) char *text = json_text(j, JSON_COMPACT);

    puts(text);
}

static void
print_text(const char *path, const struct support_report *r)
{
    printf("%s\n%zu files, %.1f kB before compression; %zu values were taken "
           "out\n",
           path, r->held.n, (double)r->bytes / 1e3, r->redacted);
    if (r->left_out.n)
        puts("left out:");
    for (size_t i = 0; i < r->left_out.n; i++) {
        fputs("  ", stdout);
        columns_text(str_of(r->left_out.v[i]), false, stdout);
        putchar('\n');
    }
    puts("Look into it before you send it: INDEX.txt says what it holds.");
}

static int
run(const struct args *a)
{
    struct support_report r = {0};
    struct error err = {0};
    struct work w;

    if (!work_begin(&w, a, false, &err))
        return command_fail(&err);
    AUTO(mem_free_ptr) char *name = default_name(w.env.profile.name);
    const struct support_options o = {.out = args_get(a, "out", name)};
    struct step_run quiet = {
        .loop = w.loop, .title = "debug", .cancelled = &w.progress.cancelled};
    bool ok = support_write(&w.env, &o, &quiet, &r, &err);

    if (ok && w.progress.json)
        print_json(o.out, &r);
    else if (ok)
        print_text(o.out, &r);
    step_run_release(&quiet);
    support_report_release(&r);
    work_end(&w);
    return ok ? EXIT_DONE : command_fail(&err);
}

static const struct flag flags[] = {
    {"out", 0, "FILE", "where to (default meshtop-debug-PROFILE-TIME.tar.gz)"},
    {0},
};

const struct command cmd_debug = {
    .name = "debug",
    .args = "",
    .summary = "a support bundle without secrets",
    .help = "Collects the profile's state and logs, the doctor's words, the "
            "engine's and the\nnode's, Crossplane's pods and logs, events, "
            "packages and the mesh's objects into\none .tar.gz. Passwords, "
            "tokens and keys are taken out; Secrets and ConfigMaps\nare not "
            "read. What does not answer is left out and said.",
    .group = "Bring up, prove, remove",
    .flags = flags,
    .run = run,
};
