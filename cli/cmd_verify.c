/* meshtop verify: the proof that the mesh works. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/json.h"
#include "lib/base/mem.h"

#include "devenv/junit.h"

#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/target.h"
#include "cli/up_words.h"

#define SAMPLE "corner-shop"

/* What is shown of the group that runs, and of all. */
struct shown {
    bool json, all, live;
    bool quiet; /* standard output is the JUnit file's */
    const char *group;
    struct strlist lines; /* three a check: word, "subject: name", detail */
    size_t ok, missed;
    struct junit *junit;
};

/* ---- for people ---- */

static void
clear_line(const struct shown *s)
{
    if (s->live)
        fputs("\r\033[K", stderr);
}

static const char *
title_of(const char *id)
{
    const struct verify_group *g = verify_groups();

    while (g->id && strcmp(g->id, id) != 0)
        g++;
    return g->id ? g->title : "";
}

/* The group's line, then what it missed. */
static void
end_group(struct shown *s)
{
    size_t width = columns_of_terminal();

    if (!s->group || s->json || s->quiet)
        return;
    clear_line(s);
    printf("%-5s %s  %-36s %4zu ok",
           s->missed ? "MISS"
           : s->ok   ? "ok"
                     : "-",
           s->group, title_of(s->group), s->ok);
    if (s->missed)
        printf(", %zu missed", s->missed);
    putchar('\n');
    for (size_t i = 0; i + 2 < s->lines.n; i += 3) {
        printf("      %-4s ", s->lines.v[i]);
        columns_wrap(str_of(s->lines.v[i + 1]), 11, width, stdout);
        if (*s->lines.v[i + 2]) {
            printf("%13s", "");
            columns_wrap(str_of(s->lines.v[i + 2]), 13, width, stdout);
        }
    }
    fflush(stdout);
}

static void
begin_group(struct shown *s, const char *id)
{
    end_group(s);
    strlist_release(&s->lines);
    s->group = id;
    s->ok = s->missed = 0;
}

/* ---- for programs ---- */

static void
print_line(struct json *j)
{
    AUTO(mem_free_ptr) char *text = json_text(j, JSON_COMPACT);

    puts(text);
    fflush(stdout);
}

static void
print_check(const struct verify_check *c)
{
    AUTO(json_free_ptr) struct json *j = json_new_object();

    json_set_string(j, "group", c->group);
    json_set_string(j, "subject", c->subject);
    json_set_string(j, "check", c->name);
    json_set_string(j, "outcome", verify_word(c->outcome));
    json_set_bool(j, "ok", c->outcome != VERIFY_MISS);
    json_set_string(j, "detail", c->detail);
    json_set_int(j, "ms", c->ms);
    print_line(j);
}

/* ---- both ---- */

static void
on_check(void *arg, const struct verify_check *c)
{
    struct shown *s = arg;

    if (!s->group || strcmp(s->group, c->group) != 0)
        begin_group(s, c->group);
    s->ok += c->outcome == VERIFY_OK;
    s->missed += c->outcome == VERIFY_MISS;
    junit_add(s->junit, c);
    if (s->json)
        print_check(c);
    else if (s->all || c->outcome != VERIFY_OK) {
        strlist_add(&s->lines, str_of(verify_word(c->outcome)));
        strlist_addf(&s->lines, "%s: %s", c->subject, c->name);
        strlist_add(&s->lines, str_of(c->detail));
    }
}

/* On a terminal one line says what is being looked at. */
static void
on_change(void *arg, struct step_run *run)
{
    const struct shown *s = arg;
    size_t width = columns_of_terminal();

    if (!s->live)
        return;
    fprintf(stderr, "\r\033[K... ");
    columns_text(str_sub(str_of(run->detail), 0, width > 8 ? width - 8 : 0),
                 false, stderr);
    fflush(stderr);
}

static void
print_summary(const struct shown *s, const struct verify_result *r,
              const char *title)
{
    AUTO(json_free_ptr) struct json *j = NULL;

    if (!s->json) {
        printf("\nverify: %zu checks, %zu ok, %zu missed\n",
               r->passed + r->missed, r->passed, r->missed);
        return;
    }
    j = json_new_object();
    json_set_string(j, "summary", title);
    json_set_int(j, "checks", (int64_t)(r->passed + r->missed));
    json_set_int(j, "passed", (int64_t)r->passed);
    json_set_int(j, "missed", (int64_t)r->missed);
    json_set_bool(j, "ok", r->missed == 0);
    print_line(j);
}

/* ---- the proof ---- */

struct stop {
    int asked;
};

static void
on_interrupt(void *arg, int signo UNUSED)
{
    struct stop *stop = arg;

    if (stop->asked++ == 0)
        fprintf(stderr, "\nstopping; press Ctrl-C again to end at once\n");
}

static bool
prove(const struct args *a, struct target *t, struct shown *s,
      struct verify_result *r, struct error *err)
{
    AUTO(strlist_release) struct strlist examples = {0};
    struct env env = target_env(t);
    struct stop stop = {0};
    struct loop_signal *interrupt =
        loop_signal_add(t->loop, SIGINT, on_interrupt, &stop, NULL);
    struct step_run run = {.loop = t->loop,
                           .title = "verify",
                           .on_change = on_change,
                           .arg = s,
                           .cancelled = &stop.asked};
    struct verify_options o = {.run = &run,
                               .scratch = args_has(a, "scratch"),
                               .fn = on_check,
                               .arg = s};

    args_list(a, "examples", &examples);
    if (examples.n)
        o.examples = &examples;
    bool ok = verify_run(&env, &o, r, err);

    end_group(s);
    step_run_release(&run);
    loop_signal_del(interrupt);
    return ok;
}

static int
check(const struct args *a)
{
    struct shown s = {
        .json = strcmp(args_get(a, "output", "text"), "json") == 0,
        .all = args_has(a, "all"),
        .live = isatty(STDERR_FILENO) && isatty(STDOUT_FILENO),
    };
    const char *path = args_get(a, "junit", NULL);
    struct error err = {0};
    struct verify_result r;
    struct target t;

    s.quiet = path && strcmp(path, "-") == 0;
    s.json = s.json && !s.quiet;
    s.live = s.live && !s.json && !s.quiet;
    if (args_has(a, "scratch") && args_has(a, "read-only")) {
        error_set(&err, ERR_USAGE, "--scratch writes, --read-only forbids it");
        return command_fail(&err);
    }
    if (!target_open(&t, a, &err))
        return command_fail(&err);
    s.junit = junit_new("meshtop verify");
    if (!s.json && !s.quiet)
        printf("%s\n\n", t.title);
    bool ok = prove(a, &t, &s, &r, &err);

    /* What was found before a stop is worth a file, too. */
    ok = (!path || junit_write(s.junit, path, ok ? &err : NULL)) && ok;
    if (ok && !s.quiet)
        print_summary(&s, &r, t.title);
    ok = ok && output_flush(&err);
    target_release(&t);
    junit_free(s.junit);
    strlist_release(&s.lines);
    if (!ok)
        return command_fail(&err);
    return r.missed ? EXIT_MESH : EXIT_DONE;
}

/* ---- --up: Meshifi's whole verify ---- */

static bool
has_flag(const struct flag *table, const char *name)
{
    for (; table && table->name; table++) {
        if (strcmp(table->name, name) == 0)
            return true;
    }
    return false;
}

/* Runs another command of ours with the flags we were given: those everybody
 * has, with own also those that are its own; then words (NULL-terminated). */
static int
call(const struct command *c, const struct args *a, bool own,
     const char *const *words)
{
    AUTO(strlist_release) struct strlist list = {0};
    struct error err = {0};
    struct args args;

    for (size_t g = 0; g < a->given_n; g++) {
        const struct flag *f = a->given[g].flag;

        if (has_flag(common_flags, f->name) ||
            (own && has_flag(c->flags, f->name)))
            strlist_addf(&list, f->value ? "--%s=%s" : "--%s", f->name,
                         a->given[g].value);
    }
    for (; *words; words++)
        strlist_add(&list, str_of(*words));
    if (!args_parse(&args, common_flags, c->flags, (int)list.n, list.v, &err))
        return command_fail(&err);
    int code = c->run(&args);

    args_release(&args);
    return code;
}

static bool
has_sample(const struct args *a)
{
    struct profile p;

    if (!profile_open(args_get(a, "profile", NULL), &p, NULL))
        return false;
    bool has = strlist_has(&p.examples, STR(SAMPLE));

    profile_release(&p);
    return has;
}

static int
whole(const struct args *a)
{
    const char *const bring[] = {"--examples=" SAMPLE, "--no-tui", NULL};
    const char *const take_off[] = {"rm", SAMPLE, NULL};
    const char *const none[] = {NULL};
    bool had = has_sample(a);
    int code = call(&cmd_up, a, true, bring);

    if (code != EXIT_DONE)
        return code;
    code = check(a);
    if (code == EXIT_CANCELLED)
        return code;
    call(&cmd_status, a, false, none);
    if (had)
        return code;
    if (code == EXIT_DONE)
        return call(&cmd_examples, a, false, take_off);
    fprintf(stderr, "meshtop: the samples stay for a look; remove them with "
                    "\"meshtop examples rm " SAMPLE "\"\n");
    return code;
}

static int
run(const struct args *a)
{
    return args_has(a, "up") ? whole(a) : check(a);
}

static const struct flag flags[] = {
    {"up", 0, NULL, "bring it up, add the samples, check, remove the samples"},
    {"scratch", 0, NULL, "make a domain and a product, and remove them again"},
    {"all", 'a', NULL, "print every check, not only what was missed"},
    {"junit", 0, "FILE", "write the checks as JUnit XML (-: standard output)"},
    UP_FLAGS,
    {0},
};

const struct command cmd_verify = {
    .name = "verify",
    .args = "",
    .summary = "prove that the mesh works; exit 80 on any miss",
    .help = "Looks at the cluster only: that it lives, its versions, what the "
            "packages\n"
            "brought, the examples against their hand-written expectations, "
            "that what is\n"
            "invalid is refused, and that nothing has drifted. Writes nothing "
            "but dry\n"
            "runs, unless --up or --scratch is given. The flags of \"meshtop "
            "up\" are for\n"
            "--up; --examples names what to compare with. Ctrl-C ends it; what "
            "--scratch\n"
            "made goes first.",
    .group = "Bring up, prove, remove",
    .flags = flags,
    .run = run,
};
