#include "cli/trace_watch.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"

#include "lib/compose/compose.h"

#include "lib/kube/cache.h"

#include "cli/columns.h"
#include "cli/inplace.h"

#define SETTLE_MS 50 /* changes come in bursts */

struct watch {
    struct trace *t;
    const struct trace_watch_options *o;
    struct loop *loop;
    struct map caches; /* "plural.group/ns/selector" -> struct kube_cache */
    struct buf shown;  /* what was printed last */
    struct inplace place;
    struct canvas canvas;
    bool terminal, dirty, stop;
};

/* ---- what is watched ---- */

static void
on_changes(void *arg, const struct kube_change *v UNUSED, size_t n UNUSED)
{
    ((struct watch *)arg)->dirty = true;
}

static void
cache_free(void *cache)
{
    kube_cache_free(cache);
}

/* All that one composite is made of has its label; anything else is watched
 * by its name. */
static void
follow(struct watch *w, const struct trace_node *n)
{
    const struct json *o = n->object;
    const struct kube_kind *k = kube_discovery_of(
        w->t->discovery, str_of(json_string_or(json_get(o, "apiVersion"), "")),
        str_of(json_string_or(json_get(o, "kind"), "")));
    const char *root = json_string_or(
        json_at(o, "metadata", "labels", COMPOSE_LABEL_COMPOSITE, NULL), "");
    AUTO(mem_free_ptr)
    char *selector = *root && n->parent
                         ? mem_printf(COMPOSE_LABEL_COMPOSITE "=%s", root)
                         : mem_printf("metadata.name=%s",
                                      json_at_text(o, "metadata", "name"));
    const struct kube_cache_fns fns = {.on_changes = on_changes, .arg = w};

    if (!k || !(k->verbs & KUBE_CAN_WATCH))
        return;
    AUTO(mem_free_ptr)
    char *key = mem_printf("%s.%s/%s/%s", k->gvr.resource, k->gvr.group,
                           json_at_text(o, "metadata", "namespace"), selector);
    struct kube_cache_options how = {
        .gvr = k->gvr,
        .ns = k->namespaced ? json_at_text(o, "metadata", "namespace") : NULL};

    if (map_get(&w->caches, str_of(key)))
        return;
    if (*root && n->parent)
        how.label_selector = selector;
    else
        how.field_selector = selector;
    struct kube_cache *c = kube_cache_new(w->t->client, &how, &fns, NULL);

    if (c)
        map_put(&w->caches, str_of(key), c);
}

static void
follow_all(struct watch *w, const struct trace_node *n)
{
    follow(w, n);
    for (size_t i = 0; i < n->n; i++)
        follow_all(w, n->children[i]);
}

/* ---- showing ---- */

static void
draw(struct watch *w)
{
    struct str rest = buf_view(&w->shown), row;
    int y = 0, room;

    inplace_measure(&w->place);
    canvas_resize(&w->canvas, w->place.w, w->place.h);
    canvas_clear(&w->canvas);
    room = w->place.h - 1;
    for (bool more = rest.n > 0; more && y < room; y++) {
        more = str_cut(rest, '\n', &row, &rest);
        more = more && rest.n > 0;
        if (more && y == room - 1)
            canvas_puts(&w->canvas, 0, y, w->place.w, ST_DIM,
                        "... more: make the window higher");
        else
            canvas_cut(&w->canvas, 0, y, w->place.w - 1, ST_TEXT, row);
    }
    inplace_draw(&w->place, &w->canvas, y);
}

static void
show(struct watch *w)
{
    struct buf now = BUF_INIT((size_t)1 << 30);

    w->o->print(w->t, &w->o->style, &now);
    if (str_eq(buf_view(&now), buf_view(&w->shown))) {
        buf_release(&now);
        return;
    }
    buf_release(&w->shown);
    w->shown = now;
    if (w->terminal) {
        draw(w);
    } else {
        fwrite(now.s, 1, now.n, stdout);
        fflush(stdout);
    }
}

/* ---- the life of it ---- */

static void
on_signal(void *arg, int signo)
{
    struct watch *w = arg;

    if (signo != SIGWINCH)
        w->stop = true;
    else if (w->terminal)
        draw(w);
}

/* Reads the tree again. False: the root is gone (err untouched) or could not
 * be read. */
static bool
again(struct watch *w, struct error *err)
{
    const struct json *old = w->t->roots[0]->object;
    struct json *unread =
        trace_unread(json_string_or(json_get(old, "apiVersion"), ""),
                     json_string_or(json_get(old, "kind"), ""),
                     json_at_text(old, "metadata", "namespace"),
                     json_at_text(old, "metadata", "name"));
    struct trace_node root = {.object = unread}, *only = &root;

    trace_read(w->t, &only, 1);
    if (root.error) {
        int64_t code =
            json_int64_or(json_at(root.details, "ErrStatus", "code", NULL), 0);

        if (code != 404)
            error_set(err, ERR_NETWORK, "%s", root.error);
        json_free(root.object);
        json_free(root.details);
        free(root.error);
        return false;
    }
    trace_release(w->t);
    return trace_add(w->t, root.object, err);
}

static bool
run(struct watch *w, struct error *err)
{
    show(w);
    while (!w->stop) {
        follow_all(w, w->t->roots[0]);
        while (!w->dirty && !w->stop)
            loop_turn(w->loop, -1);
        if (w->stop)
            return true;
        loop_pause(w->loop, SETTLE_MS);
        w->dirty = false;
        if (!again(w, err))
            return false;
        show(w);
    }
    return true;
}

bool
trace_watch(struct trace *t, const struct trace_watch_options *o,
            struct error *err)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH};
    struct loop_signal *handles[ARRAY_LEN(signals)];
    struct watch w = {.t = t,
                      .o = o,
                      .loop = kube_client_loop(t->client),
                      .terminal = isatty(STDOUT_FILENO),
                      .place.fd = -1};
    struct error why = {0};
    bool ok;

    canvas_init(&w.canvas, 1, 1, o->style.ascii);
    if (w.terminal)
        inplace_begin(&w.place, STDOUT_FILENO, inplace_colors(o->plain));
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        handles[i] = loop_signal_add(w.loop, signals[i], on_signal, &w, NULL);
    ok = run(&w, &why) || why.code == ERR_NONE;
    for (size_t i = 0; i < ARRAY_LEN(signals); i++)
        loop_signal_del(handles[i]);
    if (w.terminal) {
        inplace_clear(&w.place);
        inplace_end(&w.place);
        columns_text(buf_view(&w.shown), true, stdout);
    }
    if (!ok)
        *err = why;
    map_release(&w.caches, cache_free);
    canvas_release(&w.canvas);
    buf_release(&w.shown);
    return ok;
}
