#include "devenv/support.h"

#include <stdarg.h>
#include <stdio.h>
#include <sys/utsname.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "devenv/support_part.h"

#define MAX_FILE  ((uint64_t)2 << 20)
#define MAX_BYTES ((uint64_t)64 << 20)
#define LIMIT_MS  90000
/* A secret that is cut in two is none any more for the rules: what is cut off
 * is cut at a line. */
#define SLACK 65536

bool
support_goes_on(struct support *s)
{
    return !s->failure.code && s->report->bytes < s->max_bytes &&
           clock_mono_ms(clock_system()) < s->end_ms &&
           !step_cancelled(s->run, &s->failure);
}

void
support_leave_out(struct support *s, const char *fmt, ...)
{
    AUTO(buf_release) struct buf raw = BUF_INIT(4096), text = BUF_INIT(8192);
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&raw, fmt, ap);
    va_end(ap);
    redact_text(&s->redact, buf_view(&raw), &text);
    strlist_add(&s->report->left_out, buf_view(&text));
}

static void
add(struct support *s, const char *name, struct str text)
{
    int64_t now = clock_wall_ms(clock_system()) / 1000;

    if (s->failure.code)
        return;
    if (s->report->bytes + text.n > s->max_bytes) {
        support_leave_out(s, "%s: the bundle is full", name);
        return;
    }
    s->report->bytes += text.n;
    archive_out_add(s->archive, name, text, now, &s->failure);
    strlist_addf(&s->report->held, "%s (%zu bytes)", name, text.n);
    step_detail(s->run, "%s", name);
}

/* The newest max bytes, from a line's beginning. */
static struct str
newest(struct str text, size_t max)
{
    struct str line, rest;

    if (text.n <= max)
        return text;
    str_cut(str_from(text, text.n - max), '\n', &line, &rest);
    return rest;
}

void
support_text(struct support *s, const char *name, struct str text)
{
    AUTO(buf_release)
    struct buf out = BUF_INIT(2 * (size_t)s->max_file + SLACK);
    struct str part = newest(text, (size_t)s->max_file);

    if (!text.n)
        return;
    if (!redact_text(&s->redact, part, &out)) {
        support_leave_out(s, "%s: too large", name);
        return;
    }
    if (part.n < text.n)
        support_leave_out(s, "%s: its first %zu bytes", name, text.n - part.n);
    add(s, name, buf_view(&out));
}

void
support_tree(struct support *s, const char *name, struct json *j)
{
    AUTO(buf_release)
    struct buf out = BUF_INIT(4 * (size_t)s->max_file + SLACK);

    if (!j)
        return;
    redact_json(&s->redact, j);
    if (yaml_print(j, YAML_SORTED, &out))
        add(s, name, buf_view(&out));
    else
        support_leave_out(s, "%s: more than %zu bytes", name, out.max);
    json_free(j);
}

/* ---- the whole ---- */

static void
machine(struct support *s)
{
    AUTO(buf_release) struct buf text = BUF_INIT(4096);
    struct utsname u;
    char now[CLOCK_RFC3339_LEN];

    clock_format(clock_wall_ms(clock_system()) / 1000, now);
    buf_printf(&text, "meshtop %s\nat %s\n", MESHTOP_VERSION, now);
    if (uname(&u) == 0)
        buf_printf(&text, "%s %s %s\n", u.sysname, u.release, u.machine);
    buf_printf(&text, "profile %s, engine %s\n", s->env->profile.name,
               *s->env->profile.engine ? s->env->profile.engine : "none");
    support_text(s, "meshtop.txt", buf_view(&text));
}

static const struct {
    const char *what;
    void (*run)(struct support *s);
} parts[] = {
    {"this machine", machine},
    {"the profile", support_profile},
    {"the engine", support_engine},
    {"the cluster", support_cluster},
    {"our own commands", support_programs},
};

static void
add_index(struct support *s)
{
    AUTO(buf_release) struct buf text = BUF_INIT((size_t)1 << 20);

    buf_printf(&text,
               "A support bundle of meshtop. %zu values were taken out: "
               "credentials, and what looked\nlike some; in their place "
               "stands %s. Secrets and ConfigMaps were not read.\n\nHeld:\n",
               s->redact.count, REDACT_MARK);
    for (size_t i = 0; i < s->report->held.n; i++)
        buf_printf(&text, "  %s\n", s->report->held.v[i]);
    buf_puts(&text, "\nLeft out:\n");
    for (size_t i = 0; i < s->report->left_out.n; i++)
        buf_printf(&text, "  %s\n", s->report->left_out.v[i]);
    add(s, "INDEX.txt", buf_view(&text));
}

bool
support_write(struct env *e, const struct support_options *o,
              struct step_run *run, struct support_report *r, struct error *err)
{
    struct support s = {.env = e,
                        .o = o,
                        .run = run,
                        .report = r,
                        .max_file = o->max_file ? o->max_file : MAX_FILE,
                        .max_bytes = o->max_bytes ? o->max_bytes : MAX_BYTES,
                        .end_ms = clock_mono_ms(clock_system()) +
                                  (o->limit_ms ? o->limit_ms : LIMIT_MS)};

    s.archive = archive_out_new(o->out, err);
    if (!s.archive)
        return false;
    support_secrets(&s);
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        step_detail(run, "%s", parts[i].what);
        if (support_goes_on(&s))
            parts[i].run(&s);
        else if (!s.failure.code)
            support_leave_out(&s, "%s: time or room was up", parts[i].what);
    }
    add_index(&s);
    r->redacted = s.redact.count;
    redact_release(&s.redact);
    if (!s.failure.code)
        return archive_out_end(s.archive, err);
    archive_out_free(s.archive);
    if (err)
        *err = s.failure;
    return false;
}

void
support_report_release(struct support_report *r)
{
    strlist_release(&r->held);
    strlist_release(&r->left_out);
}
