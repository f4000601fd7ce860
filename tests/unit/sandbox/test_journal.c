#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "tests/store_sample.h"
#include "tests/unit/test.h"

/* ---- damage ---- */

struct tally {
    unsigned refused, opened;
};

static void
try(const struct sample *m, struct str db, struct str wal, struct tally *t,
    const char *how, size_t at)
{
    struct error refused;
    const char *wrong = sample_try(m, db, wal, m->before_last, &refused);

    if (wrong)
        print_error("%s at %zu: %s (%s)\n", how, at, wrong, refused.msg);
    assert_null(wrong);
    t->refused += refused.code != 0;
    t->opened += refused.code == 0;
}

/* One bit somewhere: the file says what it said, or is refused. */
static void
test_flips(void **state)
{
    struct tally in_db = {0}, in_wal = {0};
    struct sample m;

    (void)state;
    sample_make(&m);
    for (size_t i = 0; i < m.db.n; i += i < 200 ? 1 : 41) {
        char was = m.db.s[i];

        m.db.s[i] = (char)(was ^ 1 << i % 8);
        try(&m, buf_view(&m.db), buf_view(&m.log), &in_db, "flip", i);
        m.db.s[i] = was;
    }
    for (size_t i = 0; i < m.log.n; i += i < 200 ? 1 : 61) {
        char was = m.log.s[i];

        m.log.s[i] = (char)(was ^ 1 << i % 8);
        try(&m, buf_view(&m.db), buf_view(&m.log), &in_wal, "WAL flip", i);
        m.log.s[i] = was;
    }
    /* Rows fill the pages: most flips hit one; and what the WAL replaces may
     * be anything. */
    assert_true(in_db.refused > 20 && in_db.opened > 20);
    assert_true(in_wal.refused > 50);
    sample_release(&m);
}

static void
test_cuts_and_holes(void **state)
{
    static const char zeros[8192];
    struct tally cut = {0}, cut_wal = {0}, hole = {0};
    struct sample m;

    (void)state;
    sample_make(&m);
    for (size_t n = 1; n < m.db.n; n += n < 200 ? 7 : 1021)
        try(&m, str_n(m.db.s, n), buf_view(&m.log), &cut, "cut", n);
    assert_true(cut.refused > 20);
    for (size_t at = 0; at + 4096 <= m.db.n; at += 4096) {
        AUTO(mem_free_ptr) char *was = mem_strndup(m.db.s + at, 0);

        was = mem_resize(was, 4096, 1);
        memcpy(was, m.db.s + at, 4096);
        memcpy(m.db.s + at, zeros, 4096);
        try(&m, buf_view(&m.db), buf_view(&m.log), &hole, "hole", at);
        memcpy(m.db.s + at, was, 4096);
    }
    assert_true(hole.refused >= 1);
    /* A WAL without its end is one that ended earlier: only what says how far
     * it got can tell, so the state is an older one, whole. */
    for (size_t n = m.log.n - 8000; n < m.log.n; n += 997)
        try(&m, buf_view(&m.db), str_n(m.log.s, n), &cut_wal, "WAL cut", n);
    assert_true(cut_wal.opened > 0);
    sample_release(&m);
}

/* ---- files of others ---- */

static void
run_sql(const char *path, const char *text)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void
refused(const char *path, enum err_code code, const char *words, const char *id)
{
    struct buf was = BUF_INIT(SAMPLE_MAX);
    AUTO(mem_free_ptr) char *wal = mem_printf("%s-wal", path);
    AUTO(mem_free_ptr) char *journal = mem_printf("%s-journal", path);
    struct error err = {0};
    struct stat st;

    sample_read(path, &was);
    assert_null(store_open(path, NULL, &err));
    assert_int_equal(err.code, code);
    if (!strstr(err.msg, words))
        print_error("%s\n", err.msg);
    assert_non_null(strstr(err.msg, words));
    assert_string_equal(err.id, id);
    assert_true(*err.remedy);
    assert_true(sample_untouched(path, buf_view(&was)));
    assert_true(stat(wal, &st) < 0);
    assert_true(stat(journal, &st) < 0);
    buf_release(&was);
}

static void
test_files_of_others(void **state)
{
    static const char *const sql[] = {
        "CREATE TABLE log (a); INSERT INTO log VALUES (1);",
        "PRAGMA application_id = 77; CREATE TABLE t (a);",
        "PRAGMA journal_mode = WAL; CREATE TABLE object (a);",
        "PRAGMA page_size = 512; PRAGMA user_version = 1;"
        "CREATE TABLE object (id); CREATE TABLE note (name);",
    };
    char folder[] = "/tmp/meshtop-journal.XXXXXX";

    (void)state;
    assert_non_null(mkdtemp(folder));
    AUTO(mem_free_ptr) char *path = file_join(folder, "s.db");

    for (size_t i = 0; i < ARRAY_LEN(sql); i++) {
        run_sql(path, sql[i]);
        refused(path, ERR_UNSUPPORTED, "is no database of meshtop's sandbox",
                "MT-SANDBOX-FOREIGN");
        unlink(path);
    }
    /* one that only looks like ours */
    run_sql(path, "PRAGMA application_id = 1836347248; PRAGMA user_version=2;"
                  "CREATE TABLE log (a); CREATE TABLE note (a);");
    refused(path, ERR_PARSE, "is damaged", "MT-SANDBOX-DAMAGED");
    unlink(path);
    run_sql(path, "PRAGMA application_id = 1836347248; PRAGMA user_version=3;"
                  "CREATE TABLE later (a);");
    refused(path, ERR_UNSUPPORTED, "written by a newer meshtop",
            "MT-SANDBOX-NEWER");
    file_remove_tree(folder, NULL);
}

/* Root may write everything: a user without rights is asked. */
static void
test_read_only(void **state)
{
    char folder[] = "/tmp/meshtop-journal.XXXXXX";
    int status;

    (void)state;
    assert_non_null(mkdtemp(folder));
    AUTO(mem_free_ptr) char *path = file_join(folder, "s.db");

    store_close(store_open(path, NULL, NULL));
    assert_int_equal(chmod(path, 0444), 0);
    assert_int_equal(chmod(folder, 0755), 0);
    if (fork() == 0) {
        struct error err = {0};

        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(3);
        _exit(store_open(path, NULL, &err)                      ? 1
              : err.code == ERR_DENIED && strstr(err.msg, path) ? 0
                                                                : 2);
    }
    wait(&status);
    assert_int_equal(status, 0);
    file_remove_tree(folder, NULL);
}

/* ---- files of version 1 ---- */

static const char version_1[] =
    "CREATE TABLE object (id INTEGER PRIMARY KEY, kind TEXT NOT NULL,"
    " key TEXT NOT NULL, revision INTEGER NOT NULL, json BLOB NOT NULL);"
    "CREATE TABLE note (name TEXT PRIMARY KEY, value TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "PRAGMA application_id = 1836347248; PRAGMA user_version = 1;"
    "INSERT INTO note VALUES ('revision', '40'), ('port', '4711');"
    "INSERT INTO object VALUES"
    " (9, 'example.org/widgets', 'ns/a', 7, CAST('a1' AS BLOB)),"
    " (3, 'example.org/widgets', 'ns/b', 12, CAST('b1' AS BLOB)),"
    " (4, 'other/kinds', 'c', 39, CAST('c1' AS BLOB));";

static void
test_version_1(void **state)
{
    char folder[] = "/tmp/meshtop-journal.XXXXXX";
    struct error err = {0};
    struct store *s;

    (void)state;
    assert_non_null(mkdtemp(folder));
    AUTO(mem_free_ptr) char *path = file_join(folder, "s.db");

    run_sql(path, version_1);
    for (int time = 0; time < 2; time++) {
        s = store_open(path, NULL, &err);
        assert_non_null(s);
        AUTO(mem_free_ptr) char *text = sample_state(s, 0);
        assert_string_equal(text, "ns/a=a1@7 ns/b=b1@12 ");
        assert_int_equal(store_rev(s), 40);
        assert_int_equal(store_oldest(s), 40);
        assert_int_equal(store_count(s, (struct str){0}), 3);
        assert_string_equal(store_note(s, "port"), "4711");
        store_close(s);
    }
    unlink(path);
    /* one whose rows make no sense is left alone */
    run_sql(path, version_1);
    run_sql(path, "UPDATE object SET revision = 41 WHERE id = 4");
    refused(path, ERR_PARSE, "is damaged", "MT-SANDBOX-DAMAGED");
    run_sql(path, "UPDATE object SET revision = 39 WHERE id = 4;"
                  "UPDATE note SET value = 'x' WHERE name = 'revision'");
    refused(path, ERR_PARSE, "is damaged", "MT-SANDBOX-DAMAGED");
    file_remove_tree(folder, NULL);
}

/* ---- no room ---- */

static void
test_no_room_to_migrate(void **state)
{
    char folder[] = "/tmp/meshtop-journal.XXXXXX";
    struct buf was = BUF_INIT(SAMPLE_MAX);
    struct error err = {0};
    struct store *s;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_non_null(mkdtemp(folder));
    AUTO(mem_free_ptr) char *path = file_join(folder, "s.db");

    run_sql(path, version_1);
    run_sql(path,
            "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n"
            " WHERE i < 400) INSERT INTO object SELECT i, 'example.org/"
            "widgets', 'n/' || i, i, randomblob(2000) FROM n;"
            "UPDATE note SET value = '400' WHERE name = 'revision'");
    sample_read(path, &was);
    /* at several points of the way */
    for (rlim_t room = 4096; room < 600000; room += 100000) {
        sample_room(room);
        s = store_open(path, NULL, &err);
        sample_room(RLIM_INFINITY);
        assert_null(s);
        assert_true(err.code == ERR_IO || err.code == ERR_LIMIT);
        assert_non_null(strstr(err.msg, "version 1"));
        assert_true(sample_untouched(path, buf_view(&was)));
    }
    s = store_open(path, NULL, &err);
    assert_non_null(s);
    assert_int_equal(store_count(s, SAMPLE_KIND), 303);
    store_close(s);
    buf_release(&was);
    file_remove_tree(folder, NULL);
}

/* With no room even to delete history, writes fail and are taken back; the
 * history stays whole, and goes once there is room. */
static void
test_no_room_to_forget(void **state)
{
    char folder[] = "/tmp/meshtop-journal.XXXXXX";
    struct store_options o = {.log_events = 20};
    struct error err = {0};
    unsigned failed = 0;
    struct store *s;

    (void)state;
    signal(SIGXFSZ, SIG_IGN);
    assert_non_null(mkdtemp(folder));
    AUTO(mem_free_ptr) char *path = file_join(folder, "s.db");

    s = store_open(path, &o, NULL);
    for (int i = 0; i < 300; i++) {
        int64_t rev = store_rev(s), oldest = store_oldest(s);
        AUTO(mem_free_ptr) char *before = sample_state(s, 0);

        sample_room(i % 3 ? 300000 : RLIM_INFINITY);
        sample_put(s, i % 11, i);
        if (!store_dirty(s))
            continue;
        if (store_commit(s, &err))
            continue;
        failed++;
        AUTO(mem_free_ptr) char *after = sample_state(s, 0);
        assert_string_equal(before, after);
        assert_int_equal(store_rev(s), rev);
        assert_int_equal(store_oldest(s), oldest);
    }
    sample_room(RLIM_INFINITY);
    assert_true(failed > 10);
    AUTO(mem_free_ptr) char *want = sample_state(s, 0);
    int64_t oldest = store_oldest(s);
    AUTO(mem_free_ptr) char *want_old = sample_state(s, oldest);
    store_close(s);
    s = store_open(path, &o, &err);
    assert_non_null(s);
    AUTO(mem_free_ptr) char *got = sample_state(s, 0);
    AUTO(mem_free_ptr) char *got_old = sample_state(s, oldest);
    assert_string_equal(got, want);
    assert_string_equal(got_old, want_old);
    assert_int_equal(store_oldest(s), oldest);
    store_close(s);
    file_remove_tree(folder, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flips),
        cmocka_unit_test(test_cuts_and_holes),
        cmocka_unit_test(test_files_of_others),
        cmocka_unit_test(test_read_only),
        cmocka_unit_test(test_version_1),
        cmocka_unit_test(test_no_room_to_migrate),
        cmocka_unit_test(test_no_room_to_forget),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
