#include "tui/tui.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/process.h"

#include "devenv/failure.h"

#include "tui/app.h"
#include "tui/source_mesh.h"
#include "tui/store_live.h"
#include "tui/term.h"
#include "tui/work_live.h"

/*
 * The glue: loop, terminal, source, app. A frame is drawn before the loop
 * sleeps: at once when a key asked for it, else at most once in 16 ms. With
 * nothing to do the loop sleeps until the next minute, when ages change.
 */

enum { FRAME_MS = 16 };

struct tui {
    struct tui_options o;      /* where the cluster is may change */
    struct work_target target; /* where, when it did */
    struct loop *loop;
    const struct clock *clock;
    struct tui_store *store;
    struct tui_source *source;
    struct term *term;
    struct app *app;
    struct loop_hook *hook;
    int64_t drawn, wake; /* loop time */
    bool key;            /* a key waits for its frame */
    int ending;          /* a signal asked for the end: the exit code */
};

static void
draw(struct tui *t)
{
    int64_t again = app_frame(t->app), wall = clock_wall_ms(t->clock);

    term_draw(t->term, &t->app->canvas);
    t->drawn = loop_now(t->loop);
    t->key = false;
    if (again < 0 || again > 60000)
        again = 60000 - wall % 60000;
    t->wake = t->drawn + MAX(again, 1);
}

static int
before_sleep(void *arg)
{
    struct tui *t = arg;
    int64_t now = loop_now(t->loop), since = now - t->drawn;

    if (t->app->quit || (t->ending && !tui_work_runs(t->app->work))) {
        loop_stop(t->loop, t->ending);
        return 0;
    }
    if (t->key || now >= t->wake || (t->app->dirty && since >= FRAME_MS))
        draw(t);
    else if (t->app->dirty)
        return (int)(FRAME_MS - since);
    return (int)MAX(0, t->wake - now);
}

/* ---- from the terminal ---- */

static void
on_key(void *arg, unsigned key)
{
    struct tui *t = arg;

    t->key = true;
    if (!t->app->quit)
        app_key(t->app, key);
}

static void
on_paste(void *arg, struct str text)
{
    struct tui *t = arg;

    t->key = true;
    app_paste(t->app, text);
}

static void
on_resize(void *arg, int w, int h)
{
    struct tui *t = arg;

    t->key = true;
    app_resize(t->app, w, h);
}

static void
on_end(void *arg, int signo)
{
    struct tui *t = arg;
    struct tui_work *w = t->app->work;

    /* What runs is ended in good order; a second signal does not wait. */
    if (!tui_work_runs(w) || t->ending) {
        loop_stop(t->loop, 128 + signo);
        return;
    }
    t->ending = 128 + signo;
    w->ops->stop(w);
    w->ops->stop(w);
}

static void
on_change(void *arg)
{
    struct tui *t = arg;

    t->app->dirty = true;
}

static void
on_connect(void *arg)
{
    struct tui *t = arg;

    store_live_connect(t->store);
}

/* ---- what the app asks for ---- */

static void
host_copy(void *arg, struct str text)
{
    struct tui *t = arg;

    term_copy(t->term, text);
}

static void
host_redraw(void *arg)
{
    struct tui *t = arg;

    term_redraw(t->term);
}

static void
host_suspend(void *arg)
{
    struct tui *t = arg;

    term_suspend(t->term);
}

/* $VISUAL, $EDITOR or vi, with its own arguments, on path. */
static bool
run_editor(struct tui *t, const char *path, struct error *err)
{
    const char *words = getenv("VISUAL"), *argv[16];
    AUTO(mem_free_ptr) char *copy = NULL;
    struct strlist list = {0};
    struct str rest, word;
    int status = 0;
    size_t n = 0;
    bool ok;

    if (!words || !*words)
        words = getenv("EDITOR");
    copy = mem_strdup(words && *words ? words : "vi");
    rest = str_of(copy);
    while (list.n < ARRAY_LEN(argv) - 2 && str_next(&rest, ' ', &word)) {
        if (word.n)
            strlist_add(&list, word);
    }
    for (; n < list.n; n++)
        argv[n] = list.v[n];
    argv[n++] = path;
    argv[n] = NULL;
    term_leave(t->term);
    ok = process_foreground(argv, &status, err);
    term_enter(t->term);
    if (ok && status != 0)
        ok = error_set(err, ERR_CANCELLED, "%s ended with %d", argv[0], status);
    strlist_release(&list);
    return ok;
}

static bool
host_edit(void *arg, struct str text, struct buf *out, struct error *err)
{
    const char *dir = getenv("TMPDIR");
    AUTO(mem_free_ptr)
    char *path =
        mem_printf("%s/meshtop-XXXXXX.yaml", dir && *dir ? dir : "/tmp");
    int fd = mkstemps(path, 5);
    bool ok;

    if (fd < 0)
        return error_errno(err, ERR_IO, "cannot make %s", path);
    ok = file_write_fd(fd, text.s, text.n, err);
    close(fd);
    ok = ok && run_editor(arg, path, err) && file_read(path, out, err);
    unlink(path);
    return ok;
}

static struct tui_work *
host_work(void *arg, enum tui_work_kind kind, struct str words,
          struct error *err)
{
    struct tui *t = arg;

    return work_live_new(&(struct work_live_options){.loop = t->loop,
                                                     .kind = kind,
                                                     .profile = t->o.profile,
                                                     .words = words},
                         err);
}

/* Up made a cluster to look at; down may have taken the one away. */
static bool
has_moved(const struct tui *t, const struct tui_work *w,
          const struct work_target *to)
{
    const char *now = t->o.kubeconfig;

    if (w->kind == WORK_UP)
        return to->up && w->state == WORK_DONE;
    return w->kind == WORK_DOWN && !to->up && now &&
           strcmp(now, to->kubeconfig) == 0;
}

static void
host_ended(void *arg, const struct tui_work *w)
{
    struct tui *t = arg;
    struct work_target to;

    if (!work_live_target(w, &to))
        return;
    if (!has_moved(t, w, &to)) {
        work_target_release(&to);
        return;
    }
    work_target_release(&t->target);
    t->target = to;
    t->o.kubeconfig = to.kubeconfig;
    t->o.context = to.context;
    t->o.title = to.title;
    store_live_none(t->store, !to.up);
    loop_defer(t->loop, on_connect, t);
}

/* ---- the run ---- */

static void
close_all(struct tui *t)
{
    loop_hook_del(t->hook);
    term_free(t->term);
    app_free(t->app);
    if (t->source)
        t->source->ops->free(t->source);
    loop_free(t->loop);
    work_target_release(&t->target);
}

static bool
open_all(struct tui *t, const struct tui_options *o, struct error *err)
{
    struct term_options to = {
        .no_color = o->no_color,
        .ascii = o->ascii,
        .events = {on_key, on_paste, on_resize, on_end, t}};
    struct app_options ao = {.clock = t->clock, .state_dir = o->state_dir};

    t->loop = loop_new(err);
    t->term = t->loop ? term_new(t->loop, &to, err) : NULL;
    if (!t->term)
        return false;
    t->store = store_live_new(t->loop, t->clock, &t->o);
    t->source = source_mesh_new(t->store, t->clock);
    ao.source = t->source;
    ao.host = (struct app_host){host_copy, host_redraw, host_suspend,
                                host_edit, host_work,   host_ended,
                                t};
    ao.ascii = term_ascii(t->term);
    term_size(t->term, &ao.w, &ao.h);
    t->app = app_new(&ao);
    t->source->changed = on_change;
    t->source->changed_arg = t;
    t->hook = loop_hook_add(t->loop, before_sleep, t);
    return true;
}

/* The work of the command line, made before the first frame. */
static bool
begin_up(struct tui *t, struct error *err)
{
    struct tui_work *w =
        work_live_new(&(struct work_live_options){.loop = t->loop,
                                                  .kind = WORK_UP,
                                                  .profile = t->o.profile,
                                                  .up = t->o.up},
                      err);

    if (w)
        app_take_work(t->app, w);
    return w != NULL;
}

static void
tell_end(const struct tui *t, struct tui_end *end)
{
    const struct tui_work *w = t->app ? t->app->work : NULL;

    if (!end || !w)
        return;
    *end = (struct tui_end){.up = w->kind == WORK_UP && w->state == WORK_DONE,
                            .begun = true,
                            .error = w->error,
                            .ms = w->ended_ms - w->began_ms};
    if (!tui_work_runs(w))
        return;
    error_set(&end->error, ERR_CANCELLED, "left while %s was running", w->name);
    failure_remedy(&end->error, "MT-CANCELLED");
}

int
tui_run(const struct tui_options *o, struct tui_end *end, struct error *err)
{
    struct tui t = {.clock = clock_system(), .o = *o};
    int code = -1;

    if (open_all(&t, o, err) && (!o->up || begin_up(&t, err))) {
        draw(&t);
        loop_defer(t.loop, on_connect, &t);
        code = loop_run(t.loop);
        tell_end(&t, end);
    }
    close_all(&t);
    return code;
}
