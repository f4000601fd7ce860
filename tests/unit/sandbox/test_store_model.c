/*
 * The store and the hub against the simplest model there is: a full copy of
 * the state at every revision. Random puts, deletes, commits, commits that
 * fail, rollbacks, compactions and reopened files; lists at retained revisions
 * and watches from retained revisions must say what the model says.
 */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/sandbox/hub.h"

#include "tests/store_sample.h"
#include "tests/unit/test.h"

enum { KEYS = 17, KINDS = 2, REVISIONS = 6000, WATCHES = 12, PAD = 300 };

static const char *const kinds[KINDS] = {"example.org/widgets", "/secrets"};

/* What revision r left: which key it wrote, and every key's value (0: none). */
struct model {
    struct {
        unsigned char kind, key;
        int value[KINDS][KEYS];
    } at[REVISIONS + 2];
    int64_t rev, committed;
};

struct watch {
    struct hub_watch *w; /* NULL: none */
    int64_t since;
    int kind, ns; /* ns -1: all */
    struct buf text;
};

struct world {
    char folder[32];
    char *path;
    struct store_options o;
    struct loop *loop;
    struct store *store;
    struct hub *hub;
    struct model *m;
    struct watch watches[WATCHES];
    unsigned seed, failed, gone, checked;
};

static unsigned
roll(struct world *w, unsigned n)
{
    w->seed = w->seed * 1103515245 + 12345;
    return (w->seed >> 8) % n;
}

/* "a/k3": two namespaces */
static void
key_name(int key, char out[16])
{
    snprintf(out, 16, "%c/k%d", 'a' + key % 2, key);
}

static struct blob *
body(int value)
{
    char text[PAD + 32];

    snprintf(text, sizeof(text), "%d:%*s", value, value % PAD, "");
    return blob_new(str_of(text));
}

/* ---- writing ---- */

static void
write_one(struct world *w)
{
    struct model *m = w->m;
    int kind = (int)roll(w, KINDS), key = (int)roll(w, KEYS);
    int *now = &m->at[m->rev].value[kind][key];
    bool del = *now && roll(w, 4) == 0;
    int value = del ? -*now : (int)m->rev + 1;
    struct blob *b = body(abs(value));
    char name[16];
    int64_t rev;

    if (m->rev == REVISIONS) {
        blob_drop(b);
        return;
    }
    key_name(key, name);
    rev = del ? store_delete(w->store, str_of(kinds[kind]), str_of(name),
                             STORE_ANY, b, NULL)
              : store_put(w->store, str_of(kinds[kind]), str_of(name),
                          *now ? STORE_ANY : STORE_ABSENT, b, NULL);
    blob_drop(b);
    m->rev++;
    assert_int_equal(rev, m->rev);
    m->at[rev] = m->at[rev - 1];
    m->at[rev].kind = (unsigned char)kind;
    m->at[rev].key = (unsigned char)key;
    m->at[rev].value[kind][key] = del ? 0 : value;
}

static void
commit(struct world *w, bool fail)
{
    bool good;

    if (fail)
        sample_room(1000);
    good = store_commit(w->store, NULL);
    sample_room(RLIM_INFINITY);
    if (good) {
        w->m->committed = w->m->rev;
        hub_turn(w->hub);
    } else {
        w->m->rev = w->m->committed;
        w->failed++;
    }
    assert_true(good || fail);
    assert_int_equal(store_rev(w->store), w->m->rev);
}

/* ---- lists ---- */

static void
check_list(struct world *w, int kind, int64_t rev)
{
    const struct model *m = w->m;
    struct store_cursor c;
    struct store_item it;
    size_t n = 0, want = 0;

    for (int k = 0; k < KEYS; k++)
        want += m->at[rev].value[kind][k] != 0;
    store_scan(w->store, str_of(kinds[kind]), STR(""), STR(""), rev, &c);
    while (store_next(&c, &it)) {
        int key = atoi(it.key.s + 3), value = atoi(it.json->data);

        assert_int_equal(value, m->at[rev].value[kind][key]);
        assert_int_equal(it.rev, value);
        assert_int_equal(it.json->n, strlen(it.json->data));
        n++;
    }
    store_cursor_release(&c);
    assert_int_equal(n, want);
    w->checked++;
}

/* ---- watches ---- */

static void
show_event(void *arg, enum hub_type type, struct blob *json, int64_t rev,
           bool first, struct buf *out)
{
    (void)arg;
    (void)first;
    buf_printf(out, "%c%d@%lld ", "+~-"[type], atoi(json->data),
               (long long)rev);
}

static void
show_bookmark(void *arg, int64_t rev, bool initial_end, bool first,
              struct buf *out)
{
    (void)arg;
    (void)rev;
    (void)initial_end;
    (void)first;
    (void)out;
}

static const struct hub_view_ops ops = {show_event, show_bookmark, NULL};

static void
no_wake(void *arg)
{
    (void)arg;
}

/* What a watch must say of (since, to]. */
static void
expect(const struct world *w, const struct watch *v, int64_t to,
       struct buf *out)
{
    for (int64_t r = v->since + 1; r <= to; r++) {
        int kind = w->m->at[r].kind, key = w->m->at[r].key;
        int now = w->m->at[r].value[kind][key];
        int before = w->m->at[r - 1].value[kind][key];

        if (kind != v->kind || (v->ns >= 0 && key % 2 != v->ns))
            continue;
        buf_printf(out, "%c%d@%lld ",
                   !now     ? '-'
                   : before ? '~'
                            : '+',
                   now ? now : before, (long long)r);
    }
}

static void
end_watch(struct watch *v)
{
    hub_watch_free(v->w);
    v->w = NULL;
    buf_release(&v->text);
}

/* Reads all there is; a watch that the log has left behind may end, but what
 * it said until then must be right. */
static void
check_watch(struct world *w, struct watch *v)
{
    struct buf want = BUF_INIT(BUF_TEXT_MAX);
    char piece[97];
    size_t got;

    while ((got = hub_watch_read(v->w, piece, sizeof(piece))) != 0 &&
           got != HTTP_STREAM_END)
        buf_add(&v->text, piece, got);
    expect(w, v, w->m->committed, &want);
    if (got == HTTP_STREAM_END) {
        assert_true(str_starts(buf_view(&want), buf_view(&v->text)));
        w->gone++;
    } else {
        assert_string_equal(buf_cstr(&v->text), buf_cstr(&want));
        w->checked++;
    }
    if (got == HTTP_STREAM_END || roll(w, 4) == 0)
        end_watch(v);
    buf_release(&want);
}

static void
start_watch(struct world *w, struct watch *v)
{
    int64_t oldest = store_oldest(w->store);
    struct hub_watch_options o = {
        .view = hub_view(w->hub, "v", &ops, NULL),
        .since = oldest + roll(w, (unsigned)(w->m->committed - oldest + 1)),
    };

    v->kind = (int)roll(w, KINDS);
    v->ns = (int)roll(w, 3) - 1;
    v->since = o.since;
    v->text = BUF_INIT(BUF_TEXT_MAX);
    o.kind = str_of(kinds[v->kind]);
    o.ns = v->ns < 0 ? STR("") : v->ns ? STR("b") : STR("a");
    v->w = hub_watch_new(w->hub, &o, no_wake, NULL, NULL);
    assert_non_null(v->w);
}

/* ---- the world ---- */

static void
open_world(struct world *w)
{
    struct error err = {0};

    w->store = store_open(w->path, &w->o, &err);
    if (!w->store)
        print_error("%s\n", err.msg);
    assert_non_null(w->store);
    w->hub = hub_new(w->loop, w->store);
}

static void
close_world(struct world *w)
{
    for (int i = 0; i < WATCHES; i++) {
        if (w->watches[i].w)
            end_watch(&w->watches[i]);
    }
    hub_free(w->hub);
    store_close(w->store);
}

/* Pending writes are lost; all else is as it was, history included. */
static void
reopen(struct world *w)
{
    int64_t oldest = store_oldest(w->store);

    close_world(w);
    w->m->rev = w->m->committed;
    open_world(w);
    assert_int_equal(store_rev(w->store), w->m->rev);
    assert_int_equal(store_oldest(w->store), oldest);
}

static void
step(struct world *w)
{
    struct watch *v = &w->watches[roll(w, WATCHES)];
    unsigned what = roll(w, 100);
    int64_t from = store_oldest(w->store);

    if (what < 55) {
        write_one(w);
    } else if (what < 70) {
        commit(w, false);
    } else if (what < 73 && store_dirty(w->store)) {
        commit(w, true);
    } else if (what < 75) {
        store_rollback(w->store);
        w->m->rev = w->m->committed;
    } else if (what < 76) {
        reopen(w);
    } else if (what < 84) {
        check_list(w, (int)roll(w, KINDS), w->m->rev);
        from = MAX(from, 1); /* 0 would mean now */
        if (w->m->rev > from)
            check_list(w, (int)roll(w, KINDS),
                       from + roll(w, (unsigned)(w->m->rev - from + 1)));
    } else if (!v->w) {
        start_watch(w, v);
    } else {
        check_watch(w, v);
    }
}

static void
run(unsigned seed, size_t log_events, int64_t until)
{
    struct world w = {.folder = "/tmp/meshtop-model.XXXXXX",
                      .o = {.log_events = log_events},
                      .seed = seed};

    assert_non_null(mkdtemp(w.folder));
    signal(SIGXFSZ, SIG_IGN);
    w.path = file_join(w.folder, "s.db");
    w.m = mem_zalloc(1, sizeof(*w.m));
    w.loop = loop_new(NULL);
    open_world(&w);
    while (w.m->committed < until)
        step(&w);
    assert_true(w.failed > 3 && w.checked > 100);
    /* a small log leaves watches behind, a big one none */
    assert_true((w.gone > 0) == (log_events < (size_t)until));
    close_world(&w);
    loop_free(w.loop);
    file_remove_tree(w.folder, NULL);
    free(w.path);
    free(w.m);
}

static void
test_small_log(void **state)
{
    (void)state;
    run(1, 20, 1500);
    run(2, 100, 1500);
}

static void
test_whole_log(void **state)
{
    (void)state;
    run(3, 100000, 1500);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_log),
        cmocka_unit_test(test_whole_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
