#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/sandbox/store.h"

#include "tests/unit/test.h"

#define KIND STR("example.org/widgets")

static int64_t
put(struct store *s, const char *key, int64_t expect, const char *text,
    struct error *err)
{
    struct blob *b = blob_new(str_of(text));
    int64_t rev = store_put(s, KIND, str_of(key), expect, b, err);

    blob_drop(b);
    return rev;
}

static int64_t
del(struct store *s, const char *key, int64_t expect, struct error *err)
{
    struct blob *b = blob_new(STR("last"));
    int64_t rev = store_delete(s, KIND, str_of(key), expect, b, err);

    blob_drop(b);
    return rev;
}

/* "key=json@rev key=json@rev ..." of a walk */
static const char *
walk(struct store *s, const char *ns, const char *from, int64_t rev)
{
    static char text[4096];
    struct store_cursor c;
    struct store_item it;
    size_t n = 0;

    text[0] = '\0';
    store_scan(s, KIND, str_of(ns), str_of(from), rev, &c);
    while (store_next(&c, &it))
        n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%s=%s@%lld",
                              n ? " " : "", it.key.s, it.json->data,
                              (long long)it.rev);
    store_cursor_release(&c);
    return text;
}

static char *
scratch(void)
{
    char *folder = mem_strdup("/tmp/meshtop-store.XXXXXX");

    assert_non_null(mkdtemp(folder));
    return folder;
}

static void
test_expectations(void **state)
{
    struct store *s = store_open(":memory:", NULL, NULL);
    struct error err = {0};

    (void)state;
    assert_int_equal(store_next_rev(s), 1);
    assert_int_equal(put(s, "a/x", 0, "1", &err), 1);
    assert_int_equal(put(s, "a/x", 0, "2", &err), 0);
    assert_int_equal(err.code, ERR_EXISTS);
    assert_int_equal(put(s, "a/x", 7, "2", &err), 0);
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_int_equal(put(s, "a/y", 1, "2", &err), 0);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(put(s, "a/x", 1, "2", &err), 2);
    assert_int_equal(put(s, "a/x", STORE_ANY, "3", &err), 3);
    assert_int_equal(del(s, "a/x", 2, &err), 0);
    assert_int_equal(err.code, ERR_CONFLICT);
    assert_int_equal(del(s, "a/x", 3, &err), 4);
    assert_int_equal(del(s, "a/x", STORE_ANY, &err), 0);
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_int_equal(put(s, "a/x", 0, "again", &err), 5);
    assert_int_equal(store_rev(s), 5);
    assert_int_equal(store_committed(s), 0);
    store_close(s);
}

static void
test_order_and_pages(void **state)
{
    struct store *s = store_open(":memory:", NULL, NULL);

    (void)state;
    put(s, "b/1", 0, "", NULL);
    put(s, "a/2", 0, "", NULL);
    put(s, "a-b/3", 0, "", NULL);
    put(s, "a/10", 0, "", NULL);
    put(s, "cluster", 0, "", NULL);
    /* '-' sorts before '/': the whole key counts, as in etcd */
    assert_string_equal(walk(s, "", "", 0),
                        "a-b/3=@3 a/10=@4 a/2=@2 b/1=@1 cluster=@5");
    assert_string_equal(walk(s, "a", "", 0), "a/10=@4 a/2=@2");
    assert_string_equal(walk(s, "a", "a/10", 0), "a/10=@4 a/2=@2");
    assert_string_equal(walk(s, "a", "a/101", 0), "a/2=@2");
    assert_string_equal(walk(s, "a", "b/1", 0), "");
    assert_string_equal(walk(s, "zz", "", 0), "");
    assert_int_equal(store_count(s, KIND), 5);
    store_close(s);
}

static void
test_history(void **state)
{
    struct store *s = store_open(":memory:", NULL, NULL);
    struct store_event e;

    (void)state;
    put(s, "a", 0, "a1", NULL); /* 1 */
    put(s, "b", 0, "b1", NULL); /* 2 */
    put(s, "a", 1, "a2", NULL); /* 3 */
    del(s, "b", 2, NULL);       /* 4 */
    put(s, "b", 0, "b2", NULL); /* 5 */
    del(s, "a", 3, NULL);       /* 6 */
    assert_true(store_commit(s, NULL));
    assert_string_equal(walk(s, "", "", 1), "a=a1@1");
    assert_string_equal(walk(s, "", "", 2), "a=a1@1 b=b1@2");
    assert_string_equal(walk(s, "", "", 3), "a=a2@3 b=b1@2");
    assert_string_equal(walk(s, "", "", 4), "a=a2@3");
    assert_string_equal(walk(s, "", "", 5), "a=a2@3 b=b2@5");
    assert_string_equal(walk(s, "", "", 6), "b=b2@5");
    assert_string_equal(walk(s, "", "", 0), "b=b2@5");
    assert_true(store_event(s, 6, &e));
    assert_int_equal(e.op, STORE_DELETED);
    assert_string_equal(e.json->data, "last");
    assert_string_equal(e.prev->data, "a2");
    assert_ptr_equal(e.kind, store_intern(s, KIND));
    assert_true(store_event(s, 5, &e));
    assert_int_equal(e.op, STORE_ADDED);
    assert_null(e.prev);
    assert_false(store_event(s, 7, &e));
    assert_false(store_event(s, 0, &e));
    store_close(s);
}

static void
test_log_is_bounded(void **state)
{
    struct clock clock;
    struct store_options o = {.log_events = 3, .log_ms = 1000, .clock = &clock};
    struct store_event e;
    struct store *s;

    (void)state;
    clock_fake(&clock, 0);
    s = store_open(":memory:", &o, NULL);
    put(s, "a", 0, "1", NULL);
    put(s, "b", 0, "1", NULL);
    del(s, "a", STORE_ANY, NULL);
    put(s, "b", 2, "2", NULL);
    put(s, "b", 4, "3", NULL);
    /* nothing goes before it lasts */
    assert_int_equal(store_oldest(s), 0);
    assert_true(store_commit(s, NULL));
    assert_int_equal(store_oldest(s), 2);
    assert_false(store_event(s, 2, &e));
    assert_string_equal(walk(s, "", "", 2), "a=1@1 b=1@2");
    put(s, "c", 0, "1", NULL);
    assert_true(store_commit(s, NULL));
    /* the tombstone of a went with its event */
    assert_int_equal(store_oldest(s), 3);
    assert_string_equal(walk(s, "", "", 3), "b=1@2");
    clock_advance(&clock, 2000);
    put(s, "d", 0, "1", NULL);
    assert_true(store_commit(s, NULL));
    assert_int_equal(store_oldest(s), 6);
    assert_string_equal(walk(s, "", "", 0), "b=3@5 c=1@6 d=1@7");
    store_close(s);
}

static void
test_rollback(void **state)
{
    struct store *s = store_open(":memory:", NULL, NULL);

    (void)state;
    put(s, "a", 0, "a1", NULL);
    put(s, "b", 0, "b1", NULL);
    assert_true(store_commit(s, NULL));
    put(s, "a", 1, "a2", NULL);
    put(s, "a", 3, "a3", NULL);
    del(s, "b", 2, NULL);
    put(s, "b", 0, "b2", NULL);
    put(s, "c", 0, "c1", NULL);
    del(s, "c", STORE_ANY, NULL);
    store_rollback(s);
    assert_false(store_dirty(s));
    assert_int_equal(store_rev(s), 2);
    assert_string_equal(walk(s, "", "", 0), "a=a1@1 b=b1@2");
    assert_int_equal(store_count(s, KIND), 2);
    store_close(s);
}

static void
test_walk_under_writes(void **state)
{
    struct store *s = store_open(":memory:", NULL, NULL);
    struct store_cursor c;
    struct store_item it;

    (void)state;
    put(s, "a", 0, "", NULL);
    put(s, "b", 0, "", NULL);
    put(s, "d", 0, "", NULL);
    assert_true(store_commit(s, NULL));
    store_scan(s, KIND, STR(""), STR(""), 0, &c);
    assert_true(store_next(&c, &it));
    assert_string_equal(it.key.s, "a");
    assert_true(store_next(&c, &it));
    del(s, "b", STORE_ANY, NULL);
    put(s, "c", 0, "", NULL);
    store_rollback(s);
    put(s, "c", 0, "", NULL);
    assert_true(store_next(&c, &it));
    assert_string_equal(it.key.s, "c");
    assert_true(store_next(&c, &it));
    assert_string_equal(it.key.s, "d");
    assert_false(store_next(&c, &it));
    store_cursor_release(&c);
    store_close(s);
}

static void
test_survives_a_restart(void **state)
{
    char *folder = scratch(), *path = file_join(folder, "s.db");
    struct error err = {0};
    struct store *s = store_open(path, NULL, &err);
    struct stat st;

    (void)state;
    assert_non_null(s);
    put(s, "a", 0, "a1", NULL);
    put(s, "b", 0, "b1", NULL);
    put(s, "a", 1, "a2", NULL);
    assert_true(store_commit(s, &err));
    del(s, "b", 2, NULL);
    assert_true(store_commit(s, &err));
    put(s, "lost", 0, "", NULL); /* no commit */
    assert_true(store_set_note(s, "port", "4711", &err));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    /* a second server, in a process of its own as locks have it */
    if (fork() == 0) {
        struct error e = {0};

        _exit(!store_open(path, NULL, &e) && e.code == ERR_CONFLICT ? 0 : 1);
    }
    int status;

    wait(&status);
    assert_int_equal(status, 0);
    store_close(s);

    s = store_open(path, NULL, &err);
    assert_non_null(s);
    assert_string_equal(walk(s, "", "", 0), "a=a2@3");
    assert_int_equal(store_rev(s), 4); /* the delete's, not the newest row's */
    /* with all of its history */
    assert_int_equal(store_oldest(s), 0);
    assert_string_equal(walk(s, "", "", 2), "a=a1@1 b=b1@2");
    assert_string_equal(walk(s, "", "", 3), "a=a2@3 b=b1@2");
    assert_string_equal(store_note(s, "port"), "4711");
    assert_int_equal(put(s, "b", 0, "b2", NULL), 5);
    store_close(s);
    file_remove_tree(folder, NULL);
    free(path);
    free(folder);
}

static void
refused(const char *path, enum err_code code, const char *words)
{
    struct error err = {0};

    assert_null(store_open(path, NULL, &err));
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.msg, words));
}

static void
test_foreign_files(void **state)
{
    char *folder = scratch(), *path = file_join(folder, "s.db");
    struct error err = {0};

    (void)state;
    assert_true(file_write(path,
                           STR("This is a letter to my aunt, and long "
                               "enough to be taken for a page."),
                           0600, &err));
    refused(path, ERR_UNSUPPORTED, "no database of meshtop's");
    unlink(path);
    /* A database of somebody else, and one of the future: made by hand from
     * ours, at the offsets of SQLite's file format (user version 60,
     * application id 68). */
    store_close(store_open(path, NULL, &err));
    for (int i = 0; i < 2; i++) {
        int fd = open(path, O_RDWR);

        assert_int_equal(pwrite(fd, "\0\0\0\x7f", 4, i ? 68 : 60), 4);
        close(fd);
        refused(path, ERR_UNSUPPORTED,
                i ? "no database of meshtop's" : "a newer meshtop");
    }
    refused("/proc/nowhere/s.db", ERR_IO, "cannot open");
    file_remove_tree(folder, NULL);
    free(path);
    free(folder);
}

static void
test_full_disk(void **state)
{
    char *folder = scratch(), *path = file_join(folder, "s.db");
    struct store *s = store_open(path, NULL, NULL);
    char *big = mem_alloc(1 << 20);
    struct rlimit before, small = {.rlim_cur = 1 << 19};
    struct error err = {0};

    (void)state;
    memset(big, 'x', (1 << 20) - 1);
    big[(1 << 20) - 1] = '\0';
    put(s, "a", 0, "a1", NULL);
    assert_true(store_commit(s, &err));

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before);
    small.rlim_max = before.rlim_max;
    setrlimit(RLIMIT_FSIZE, &small);
    put(s, "a", 1, "a2", NULL);
    put(s, "b", 0, big, NULL);
    assert_false(store_commit(s, &err));
    assert_true(err.code == ERR_IO || err.code == ERR_LIMIT);
    setrlimit(RLIMIT_FSIZE, &before);

    assert_string_equal(walk(s, "", "", 0), "a=a1@1");
    assert_int_equal(store_rev(s), 1);
    /* it goes on once there is room */
    put(s, "b", 0, "b1", NULL);
    assert_true(store_commit(s, &err));
    store_close(s);
    s = store_open(path, NULL, NULL);
    assert_string_equal(walk(s, "", "", 0), "a=a1@1 b=b1@2");
    store_close(s);
    file_remove_tree(folder, NULL);
    free(big);
    free(path);
    free(folder);
}

/* Random writes against the simplest model there is: a full copy of the state
 * at every revision. */
enum { KEYS = 12, STEPS = 3000 };

static void
model_check(struct store *s, char model[][KEYS], int64_t rev)
{
    char want[512] = "";
    size_t n = 0;

    for (int k = 0; k < KEYS; k++) {
        if (model[rev][k])
            n += (size_t)snprintf(want + n, sizeof(want) - n, "%s%c=%c",
                                  n ? " " : "", 'a' + k, model[rev][k]);
    }
    char got[512] = "";
    struct store_cursor c;
    struct store_item it;

    n = 0;
    store_scan(s, KIND, STR(""), STR(""), rev, &c);
    while (store_next(&c, &it))
        n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s=%s", n ? " " : "",
                              it.key.s, it.json->data);
    store_cursor_release(&c);
    assert_string_equal(got, want);
}

static void
test_against_a_model(void **state)
{
    static char model[STEPS + 2][KEYS];
    char *folder = scratch(), *path = file_join(folder, "s.db");
    struct store_options o = {.log_events = 200};
    struct store *s = store_open(path, &o, NULL);
    unsigned dice = 7;

    (void)state;
    for (int step = 0; step < STEPS && store_rev(s) < STEPS; step++) {
        dice = dice * 1103515245 + 12345;

        int k = (int)(dice >> 16) % KEYS;
        char key[2] = {(char)('a' + k)};
        char value[2] = {(char)('A' + (dice >> 8) % 26)};
        int64_t now = store_rev(s);
        unsigned what = (dice >> 24) % 100;

        if (what < 60 || (what < 85 && !model[now][k])) {
            memcpy(model[now + 1], model[now], KEYS);
            model[now + 1][k] = value[0];
            assert_int_equal(put(s, key, STORE_ANY, value, NULL), now + 1);
        } else if (what < 85) {
            memcpy(model[now + 1], model[now], KEYS);
            model[now + 1][k] = '\0';
            assert_int_equal(del(s, key, STORE_ANY, NULL), now + 1);
        } else if (what < 93) {
            assert_true(store_commit(s, NULL));
        } else if (what < 96) {
            store_rollback(s);
        } else if (what < 97) {
            store_close(s);
            s = store_open(path, &o, NULL);
        }
        int64_t from = store_oldest(s), to = store_rev(s);

        model_check(s, model, to);
        if (from > 0) /* 0 would mean now */
            model_check(s, model, from + (int64_t)(dice % (to - from + 1)));
    }
    assert_true(store_rev(s) > 500);
    store_close(s);
    file_remove_tree(folder, NULL);
    free(path);
    free(folder);
}

static void
test_caps(void **state)
{
    struct store *s = store_open(":memory:", NULL, NULL);
    struct error err = {0};
    char *big = mem_zalloc(1, STORE_OBJECT_MAX + 2);

    (void)state;
    memset(big, ' ', STORE_OBJECT_MAX + 1);
    assert_int_equal(put(s, "a", 0, big, &err), 0);
    assert_int_equal(err.code, ERR_LIMIT);
    big[600] = '\0';
    assert_int_equal(put(s, big, 0, "", &err), 0);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_int_equal(put(s, "", 0, "", &err), 0);
    assert_int_equal(err.code, ERR_LIMIT);
    free(big);
    store_close(s);
}

static bool
is_marked(struct str json)
{
    return str_contains(json, STR("owner"));
}

/* "key " of the marked ones, without a state being read */
static const char *
marked(struct store *s)
{
    static char text[256];
    struct store_cursor c;
    struct store_item it;
    size_t n = 0;

    text[0] = '\0';
    store_scan(s, KIND, STR(""), STR(""), 0, &c);
    while (store_next_key(&c, &it)) {
        if (it.marked)
            n += (size_t)snprintf(text + n, sizeof(text) - n, "%s ", it.key.s);
    }
    store_cursor_release(&c);
    return text;
}

static void
test_marks(void **state)
{
    char *folder = scratch();
    AUTO(mem_free_ptr) char *path = file_join(folder, "s.db");
    struct store_options o = {.mark = is_marked};
    struct store *s = store_open(path, &o, NULL);

    (void)state;
    put(s, "plain", 0, "1", NULL);
    put(s, "owned", 0, "owner", NULL);
    put(s, "becomes", 0, "1", NULL);
    put(s, "becomes", 3, "owner", NULL);
    assert_true(store_commit(s, NULL));
    assert_string_equal(marked(s), "becomes owned plain ");
    store_close(s);
    s = store_open(path, &o, NULL);
    assert_string_equal(marked(s), "becomes owned ");
    put(s, "plain", STORE_ANY, "2", NULL);
    assert_string_equal(marked(s), "becomes owned plain ");
    store_close(s);
    s = store_open(path, NULL, NULL);
    assert_string_equal(marked(s), "becomes owned plain ");
    store_close(s);
    file_remove_tree(folder, NULL);
    free(folder);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_expectations),
        cmocka_unit_test(test_order_and_pages),
        cmocka_unit_test(test_history),
        cmocka_unit_test(test_log_is_bounded),
        cmocka_unit_test(test_rollback),
        cmocka_unit_test(test_walk_under_writes),
        cmocka_unit_test(test_survives_a_restart),
        cmocka_unit_test(test_foreign_files),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_against_a_model),
        cmocka_unit_test(test_caps),
        cmocka_unit_test(test_marks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
