/*
 * screens.c - keys in, screen text out (docs/STYLE.md rule 20).
 *
 * usage: screens FOLDER      runs every *.keys of FOLDER against its *.screen
 * GENERATE=1 writes the *.screen anew. A .keys file is one command a line:
 *   size WxH | ascii | keys WORD... | burst WORD... | type TEXT | paste TEXT |
 * screen [NOTE] apply FILE | remove API KIND NS NAME | clock SECONDS | stale
 * SECONDS heal | readonly | refuse TEXT | editor FROM => TO | connecting |
 * empty | none | step ID NEEDS TITLE | say VERB ... (tests/tools/memwork.h) |
 * report TEXT | end done|failed|stopped The fixture is FOLDER/mesh.yaml, the
 * clock stands at 2026-11-21 12:00 UTC.
 */
#include <dirent.h>

#include "tui/app.h"
#include "tui/key.h"

#include "tests/tools/memstore.h"
#include "tests/tools/memwork.h"

enum { WALL_S = 1795262400 };

struct run {
    const char *folder;
    struct clock clock;
    struct memstore *store;
    struct tui_source *source;
    struct app *app;
    bool ascii;
    struct buf out;
    char from[256], to[256]; /* what the editor replaces */
    char state[64];
};

static void
on_copy(void *arg, struct str text)
{
    struct run *r = arg;

    buf_printf(&r->out, "[copied %.*s]\n", STR_ARG(text));
}

static void
on_nothing(void *arg)
{
    (void)arg;
}

static bool
on_edit(void *arg, struct str text, struct buf *out, struct error *err)
{
    struct run *r = arg;
    size_t at = str_find(text, str_of(r->from), 0);

    (void)err;
    if (!*r->from || at == SIZE_MAX)
        return buf_str(out, text);
    buf_str(out, str_sub(text, 0, at));
    buf_puts(out, r->to);
    return buf_str(out, str_from(text, at + strlen(r->from)));
}

static struct tui_work *
on_work(void *arg, enum tui_work_kind kind, struct str words, struct error *err)
{
    struct run *r = arg;

    if (str_eqz(words, "nonsense")) {
        error_set(err, ERR_USAGE, "it knows no \"nonsense\"");
        return NULL;
    }
    return memwork_new(&r->clock, kind);
}

static void
on_ended(void *arg, const struct tui_work *w)
{
    struct run *r = arg;

    buf_printf(&r->out, "[%s ended]\n", w->name);
}

static void
on_change(void *arg)
{
    struct run *r = arg;

    if (r->app)
        r->app->dirty = true;
}

static void
load(struct run *r, const char *name)
{
    AUTO(buf_release) struct buf text = BUF_INIT(16 << 20);
    AUTO(mem_free_ptr) char *path = file_join(r->folder, name);
    struct error err = {0};

    if (!file_read(path, &text, &err) ||
        !mem_load(r->store, buf_view(&text), &err))
        die("%s: %s", path, err.msg);
    mem_changed(r->store);
}

static void
start(struct run *r, bool fixture)
{
    struct app_options o = {.clock = &r->clock, .w = 80, .h = 24};

    clock_fake(&r->clock, (int64_t)WALL_S * 1000);
    r->store = memstore_new(&r->clock);
    r->source = source_mesh_new(&r->store->base, &r->clock);
    r->source->changed = on_change;
    r->source->changed_arg = r;
    if (fixture)
        load(r, "mesh.yaml");
    o.source = r->source;
    o.host = (struct app_host){on_copy, on_nothing, on_nothing, on_edit,
                               on_work, on_ended,   r};
    o.ascii = r->ascii;
    r->app = app_new(&o);
    app_frame(r->app);
}

static void
stop(struct run *r)
{
    app_free(r->app);
    r->app = NULL;
    if (r->source)
        r->source->ops->free(r->source);
    r->source = NULL;
}

static void
press(struct run *r, unsigned key)
{
    if (r->app->quit)
        return;
    app_key(r->app, key);
    app_frame(r->app);
    mem_flush(r->store);
    app_frame(r->app);
}

static void
do_keys(struct run *r, struct str words)
{
    struct str word;

    while (words.n && str_next(&words, ' ', &word)) {
        unsigned key = key_parse(word);

        if (key == K_NONE)
            die("no key %.*s", STR_ARG(word));
        press(r, key);
    }
}

/* Keys that come faster than frames. */
static void
do_burst(struct run *r, struct str words)
{
    struct str word;

    while (words.n && str_next(&words, ' ', &word))
        app_key(r->app, key_parse(word));
    app_frame(r->app);
    mem_flush(r->store);
}

static void
do_type(struct run *r, struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        press(r, (unsigned char)text.s[i]);
}

static void
do_screen(struct run *r, struct str note)
{
    if (r->app->quit) {
        buf_printf(&r->out, "---- %.*s (quit)\n", STR_ARG(note));
        return;
    }
    app_frame(r->app);
    buf_printf(&r->out, "---- %.*s\n", STR_ARG(note));
    canvas_text(&r->app->canvas, &r->out);
}

static void
do_size(struct run *r, struct str text)
{
    struct str w, h;
    int64_t x = 80, y = 24;

    str_cut(text, 'x', &w, &h);
    str_to_i64(w, &x);
    str_to_i64(h, &y);
    app_resize(r->app, (int)x, (int)y);
}

static void
do_remove(struct run *r, struct str text)
{
    char v[4][256] = {"", "", "", ""};

    sscanf(text.s, "%255s %255s %255s %255s", v[0], v[1], v[2], v[3]);
    if (!mem_remove(r->store, v[0], v[1], v[2], v[3]))
        die("nothing to remove: %s", text.s);
    mem_changed(r->store);
}

static void
do_clock(struct run *r, struct str text)
{
    int64_t s = 0;

    str_to_i64(text, &s);
    clock_advance(&r->clock, s * 1000);
}

static void
do_stale(struct run *r, struct str text)
{
    int64_t s = 0;

    str_to_i64(text, &s);
    r->store->live = false;
    r->store->as_of_ms = clock_wall_ms(&r->clock);
    r->store->retry_ms = clock_wall_ms(&r->clock) + s * 1000;
    mem_changed(r->store);
}

static void
do_editor(struct run *r, struct str text)
{
    size_t at = str_find(text, STR(" => "), 0);

    if (at == SIZE_MAX)
        die("editor FROM => TO");
    snprintf(r->from, sizeof(r->from), "%.*s", (int)at, text.s);
    snprintf(r->to, sizeof(r->to), "%s", text.s + at + 4);
}

/* What the work of the steps view does; false: no such command. */
static bool
work_command(struct run *r, struct str word, struct str rest)
{
    struct memwork *w = r->app ? (struct memwork *)r->app->work : NULL;
    struct str verb, text;

    if (!w)
        return false;
    if (str_eqz(word, "step")) {
        memwork_step(w, rest.s);
    } else if (str_eqz(word, "say")) {
        char name[16] = "";

        str_cut(rest, ' ', &verb, &text);
        snprintf(name, sizeof(name), "%.*s", STR_ARG(verb));
        memwork_say(w, name, text.s);
    } else if (str_eqz(word, "report")) {
        strlist_add(&w->base.report, rest);
    } else if (str_eqz(word, "end")) {
        memwork_end(w, rest.s);
    } else {
        return false;
    }
    return true;
}

static void
command(struct run *r, struct str line)
{
    struct str word, rest;

    str_cut(line, ' ', &word, &rest);
    if (work_command(r, word, rest))
        return;
    if (str_eqz(word, "size")) {
        do_size(r, rest);
    } else if (str_eqz(word, "ascii") || str_eqz(word, "empty")) {
        r->ascii |= str_eqz(word, "ascii");
        stop(r);
        start(r, !str_eqz(word, "empty"));
    } else if (str_eqz(word, "keys")) {
        do_keys(r, rest);
    } else if (str_eqz(word, "burst")) {
        do_burst(r, rest);
    } else if (str_eqz(word, "type")) {
        do_type(r, rest);
    } else if (str_eqz(word, "paste")) {
        app_paste(r->app, rest);
    } else if (str_eqz(word, "screen")) {
        do_screen(r, rest);
    } else if (str_eqz(word, "apply")) {
        load(r, rest.s);
    } else if (str_eqz(word, "remove")) {
        do_remove(r, rest);
    } else if (str_eqz(word, "clock")) {
        do_clock(r, rest);
    } else if (str_eqz(word, "stale")) {
        do_stale(r, rest);
    } else if (str_eqz(word, "heal")) {
        r->store->live = true;
        mem_changed(r->store);
    } else if (str_eqz(word, "connecting")) {
        r->store->live = r->store->ever = false;
        mem_changed(r->store);
    } else if (str_eqz(word, "none")) {
        r->store->none = true;
        mem_changed(r->store);
    } else if (str_eqz(word, "readonly")) {
        r->store->read_only = true;
    } else if (str_eqz(word, "refuse")) {
        snprintf(r->store->refuse, sizeof(r->store->refuse), "%s", rest.s);
    } else if (str_eqz(word, "editor")) {
        do_editor(r, rest);
    } else {
        die("what is \"%s\"?", line.s);
    }
}

static void
run_script(struct run *r, struct str script)
{
    struct str line;

    start(r, true);
    while (script.n) {
        AUTO(mem_free_ptr) char *one = NULL;

        str_cut(script, '\n', &line, &script);
        line = str_trim(line);
        if (line.n == 0 || line.s[0] == '#')
            continue;
        one = mem_strndup(line.s, line.n);
        command(r, str_of(one));
    }
    stop(r);
}

/* The first line that differs, for the log. */
static void
explain(struct str got, struct str want)
{
    struct str a, b;
    int n = 0;

    while (got.n || want.n) {
        str_cut(got, '\n', &a, &got);
        str_cut(want, '\n', &b, &want);
        n++;
        if (!str_eq(a, b)) {
            printf("# line %d\n# got:  %.*s\n# want: %.*s\n", n, STR_ARG(a),
                   STR_ARG(b));
            return;
        }
    }
}

static bool
one(const char *folder, const char *name, int number)
{
    AUTO(buf_release) struct buf script = BUF_INIT(1 << 20);
    AUTO(buf_release) struct buf want = BUF_INIT(16 << 20);
    AUTO(mem_free_ptr) char *keys = mem_printf("%s/%s.keys", folder, name);
    AUTO(mem_free_ptr) char *gold = mem_printf("%s/%s.screen", folder, name);
    struct run r = {.folder = folder, .out = BUF_INIT(16 << 20)};
    struct error err = {0};
    bool ok = true;

    if (!file_read(keys, &script, &err))
        die("%s", err.msg);
    run_script(&r, buf_view(&script));
    if (getenv("GENERATE")) {
        ok = file_write(gold, buf_view(&r.out), 0644, &err);
    } else {
        file_read(gold, &want, NULL);
        ok = str_eq(buf_view(&r.out), buf_view(&want));
    }
    printf("%sok %d - screen %s\n", ok ? "" : "not ", number, name);
    if (!ok)
        explain(buf_view(&r.out), buf_view(&want));
    buf_release(&r.out);
    return ok;
}

int
main(int argc, char **argv)
{
    struct strlist names = {0};
    DIR *d = argc == 2 ? opendir(argv[1]) : NULL;
    struct dirent *e;
    bool ok = true;

    if (!d)
        die("usage: screens FOLDER");
    while ((e = readdir(d))) {
        struct str name = str_of(e->d_name);

        if (str_ends(name, STR(".keys")))
            strlist_add(&names, str_sub(name, 0, name.n - 5));
    }
    closedir(d);
    strlist_sort(&names);
    for (size_t i = 0; i < names.n; i++)
        ok &= one(argv[1], names.v[i], (int)i + 1);
    strlist_release(&names);
    return ok ? 0 : 1;
}
