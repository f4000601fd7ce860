/* meshtop verify: the proof that the mesh works. */
#include <string.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/json.h"

#include "devenv/package.h"
#include "devenv/up.h"
#include "devenv/verify.h"

#include "cli/commands.h"
#include "cli/work.h"

#define SAMPLE    "corner-shop"
#define JUNIT_MAX ((size_t)16 << 20)

struct shown {
    bool json, all;
    struct buf junit;
};

static void
xml_text(struct buf *out, const char *s)
{
    for (; *s; s++) {
        if (*s == '<' || *s == '&' || *s == '"')
            buf_printf(out, "&#%d;", *s);
        else
            buf_putc(out, *s < ' ' && *s >= 0 ? ' ' : *s);
    }
}

static void
on_check(void *arg, const char *group, const char *name, bool ok,
         const char *detail)
{
    struct shown *s = arg;

    buf_puts(&s->junit, "  <testcase classname=\"");
    xml_text(&s->junit, group);
    buf_puts(&s->junit, "\" name=\"");
    xml_text(&s->junit, name);
    buf_puts(&s->junit, ok ? "\"/>\n" : "\"><failure message=\"");
    if (!ok) {
        xml_text(&s->junit, detail);
        buf_puts(&s->junit, "\"/></testcase>\n");
    }
    if (s->json) {
        AUTO(json_free_ptr) struct json *j = json_new_object();
        AUTO(buf_release) struct buf line = BUF_INIT(BUF_TEXT_MAX);

        json_set_string(j, "group", group);
        json_set_string(j, "check", name);
        json_set_bool(j, "ok", ok);
        json_set_string(j, "detail", detail);
        json_print(j, JSON_COMPACT, &line);
        puts(buf_cstr(&line));
    } else if (!ok || s->all) {
        printf("%s %-12s %s%s%s\n", ok ? "ok  " : "MISS", group, name,
               *detail ? ": " : "", detail);
    }
}

static bool
write_junit(const struct shown *s, const struct verify_result *r,
            const char *path, struct error *err)
{
    AUTO(buf_release) struct buf out = BUF_INIT(JUNIT_MAX);

    buf_printf(&out,
               "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
               "<testsuite name=\"meshtop verify\" tests=\"%zu\" "
               "failures=\"%zu\">\n",
               r->passed + r->missed, r->missed);
    buf_str(&out, buf_view(&s->junit));
    buf_puts(&out, "</testsuite>\n");
    return file_write(path, buf_view(&out), 0644, err);
}

/* Meshifi's whole verify: up, samples, check, and the samples go again. */
static bool
bring_up(struct work *w, bool *added, struct error *err)
{
    AUTO(strlist_release) struct strlist examples = {0};
    struct up_options o = {.examples = &examples};

    *added = !strlist_has(&w->env.profile.examples, STR(SAMPLE));
    strlist_add(&examples, STR(SAMPLE));
    return work_up(w, &o, err);
}

static int
check(struct work *w, const struct args *a, struct error *err)
{
    struct shown s = {.json = w->progress.json,
                      .all = args_has(a, "all"),
                      .junit = BUF_INIT(JUNIT_MAX)};
    const char *junit = args_get(a, "junit", NULL);
    struct verify_result r;
    bool ok = verify_run(&w->env, on_check, &s, &r, err) &&
              (!junit || write_junit(&s, &r, junit, err));

    buf_release(&s.junit);
    if (!ok)
        return command_fail(err);
    if (!s.json)
        printf("verify: %zu checks, %zu ok, %zu missed\n", r.passed + r.missed,
               r.passed, r.missed);
    return r.missed ? EXIT_MESH : EXIT_DONE;
}

static int
run(const struct args *a)
{
    struct error err = {0};
    bool up = args_has(a, "up"), added = false;
    struct work w;
    int code;

    if (!work_begin(&w, a, !up, &err))
        return command_fail(&err);
    if (up && !bring_up(&w, &added, &err))
        code = command_fail(&err);
    else
        code = check(&w, a, &err);
    if (up && added && code == EXIT_DONE &&
        !example_remove(&w.env, SAMPLE, &w.run, &err))
        code = command_fail(&err);
    work_end(&w);
    return code;
}

static const struct flag flags[] = {
    {"up", 0, NULL, "bring it up, add the samples, check, remove the samples"},
    {"all", 'a', NULL, "print every check, not only what was missed"},
    {"junit", 0, "FILE", "write the checks as JUnit XML"},
    {0},
};

const struct command cmd_verify = {
    .name = "verify",
    .args = "",
    .summary = "prove that the mesh works; exit 80 on any miss",
    .help = "Compares the cluster with the hand-written expectations of every "
            "example on the\nprofile. Read-only unless --up is given. -v "
            "prints every check.",
    .group = "Bring up, prove, remove",
    .flags = flags,
    .run = run,
};
