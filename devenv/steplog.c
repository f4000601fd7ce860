#include "devenv/steplog.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

#define SIZE_LIMIT ((size_t)8 << 20)
#define LINE_LIMIT 2048
#define DETAIL_MS  1000

static const char *const words[] = {
    [STEP_PENDING] = "pending", [STEP_CHECKING] = "checks",
    [STEP_RUNNING] = "begins",  [STEP_DONE] = "done",
    [STEP_ALREADY] = "already", [STEP_WARNED] = "WARNING",
    [STEP_FAILED] = "FAILED",   [STEP_CANCELLED] = "cancelled",
    [STEP_SKIPPED] = "skipped",
};

/* What was told last of a step. */
struct told {
    const struct step_run *run;
    enum step_state state;
    const char *line; /* its newest log line: told by address, never read */
    int64_t detail_ms;
    char detail[sizeof(((struct step_run *)0)->detail)];
};

struct steplog {
    int fd;
    size_t bytes;
    struct told *v;
    size_t n, cap;
};

struct steplog *
steplog_open(const struct profile *p, const char *title)
{
    AUTO(mem_free_ptr) char *folder = file_join(p->dir, "logs");
    AUTO(mem_free_ptr) char *path = file_join(folder, STEPLOG_NAME);
    AUTO(mem_free_ptr) char *before = mem_printf("%s.1", path);

    if (!file_mkdirs(folder, 0700, NULL))
        return NULL;
    rename(path, before);
    int fd = open(
        path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
        0600);

    if (fd < 0)
        return NULL;
    struct steplog *l = mem_zalloc(1, sizeof(*l));

    l->fd = fd;
    steplog_say(l, "%s", title);
    return l;
}

void
steplog_say(struct steplog *l, const char *fmt, ...)
{
    char text[LINE_LIMIT], stamp[CLOCK_RFC3339_LEN];
    va_list ap;

    if (!l || l->bytes > SIZE_LIMIT)
        return;
    clock_format(clock_wall_ms(clock_system()) / 1000, stamp);
    int head = snprintf(text, sizeof(text), "%s ", stamp);

    va_start(ap, fmt);
    vsnprintf(text + head, sizeof(text) - (size_t)head - 1, fmt, ap);
    va_end(ap);
    size_t n = strlen(text);

    for (size_t i = 0; i < n; i++) {
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            text[i] = ' ';
    }
    text[n++] = '\n';
    l->bytes += n;
    file_write_fd(l->fd, text, n, NULL);
}

static struct told *
told_of(struct steplog *l, const struct step_run *run)
{
    for (size_t i = 0; i < l->n; i++) {
        if (l->v[i].run == run)
            return &l->v[i];
    }
    l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
    l->v[l->n] = (struct told){.run = run, .state = STEP_PENDING};
    return &l->v[l->n++];
}

static void
tell_state(struct steplog *l, const struct step_run *run)
{
    int64_t ms = run->ended_ms ? run->ended_ms - run->began_ms : 0;
    bool failed = run->state == STEP_FAILED || run->state == STEP_WARNED;

    steplog_say(l, "%-16s %-9s %lld ms  %s%s%s", run->id, words[run->state],
                (long long)ms, failed ? run->error.msg : run->detail,
                failed && *run->error.id ? " " : "",
                failed ? run->error.id : "");
}

void
steplog_changed(struct steplog *l, const struct step_run *run)
{
    int64_t now = clock_mono_ms(clock_system());

    if (!l || !run->id)
        return;
    struct told *t = told_of(l, run);
    const char *line = run->log.n ? run->log.v[run->log.n - 1] : NULL;

    if (line && line != t->line)
        steplog_say(l, "%-16s | %s", run->id, line);
    t->line = line;
    if (run->state != t->state) {
        tell_state(l, run);
    } else if (strcmp(run->detail, t->detail) != 0 && *run->detail) {
        if (now - t->detail_ms < DETAIL_MS)
            return;
        t->detail_ms = now;
        steplog_say(l, "%-16s ... %s", run->id, run->detail);
    }
    t->state = run->state;
    memcpy(t->detail, run->detail, sizeof(t->detail));
}

void
steplog_close(struct steplog *l)
{
    if (!l)
        return;
    close(l->fd);
    free(l->v);
    free(l);
}
