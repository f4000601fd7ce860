/* Files on the real file system: caps, rights, full disks, crashes. */
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "tests/unit/test.h"

static char home[64];

static int
setup(void **state)
{
    (void)state;
    snprintf(home, sizeof(home), "/tmp/meshtop-test-XXXXXX");
    if (!mkdtemp(home) || chdir(home) < 0)
        return -1;
    return chmod(home, 0755);
}

static int
teardown(void **state)
{
    (void)state;
    return chdir("/") == 0 && file_remove_tree(home, NULL) ? 0 : -1;
}

static char *
content(const char *path)
{
    AUTO(buf_release) struct buf b = BUF_INIT(100);

    assert_true(file_read(path, &b, NULL));
    return buf_take(&b);
}

static void
assert_content(const char *path, const char *want)
{
    AUTO(mem_free_ptr) char *got = content(path);

    assert_string_equal(got, want);
}

static size_t
entries(void)
{
    AUTO(mem_free_ptr) char *c = mem_printf("ls -A %s | wc -l", home);
    FILE *p = popen(c, "r");
    unsigned long n = 99;

    assert_int_equal(fscanf(p, "%lu", &n), 1);
    pclose(p);
    return n;
}

static void
reading_is_capped_and_says_why_it_failed(void **state)
{
    AUTO(buf_release) struct buf b = BUF_INIT(10);
    struct error err = {0};

    (void)state;
    buf_puts(&b, "x");
    assert_true(file_write("ten", STR("123456789"), 0600, NULL));
    assert_true(file_read("ten", &b, NULL));
    assert_string_equal(buf_cstr(&b), "x123456789");
    buf_truncate(&b, 2);
    assert_false(file_read("ten", &b, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(buf_cstr(&b), "x1");
    assert_true(buf_puts(&b, "y"));
    assert_false(file_read("none", &b, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_string_equal(err.msg, "cannot read none: No such file or directory");
    assert_false(file_read("ten/x", &b, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_false(file_read(".", &b, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_string_equal(buf_cstr(&b), "x1y");
}

static void
writing_replaces_as_a_whole_and_sets_the_mode(void **state)
{
    struct stat st;

    (void)state;
    umask(0);
    assert_true(file_write("f", STR("old"), 0640, NULL));
    assert_int_equal(stat("f", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    int before = open("f", O_RDONLY);

    assert_int_equal(symlink("f", "link"), 0);
    assert_true(file_write("link", STR("new"), 0600, NULL));
    assert_int_equal(lstat("link", &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    assert_content("f", "new");
    assert_int_equal(stat("f", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    /* Who had it open still reads the old bytes: it was never truncated. */
    char old[4] = "";

    assert_int_equal(read(before, old, 3), 3);
    assert_string_equal(old, "old");
    close(before);
    umask(022);
}

/* A process of its own, because limits and identities do not come back. */
static int
in_child(int (*fn)(void))
{
    int status;
    pid_t pid = fork();

    if (pid == 0)
        _exit(fn());
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 200;
}

static int
write_past_the_limit(void)
{
    struct rlimit limit = {100, 100};
    struct error err = {0};
    char big[1000] = {0};

    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
        return 10;
    if (file_write("f", str_n(big, sizeof(big)), 0600, &err))
        return 11;
    return err.code == ERR_IO && strstr(err.msg, "File too large") ? 0 : 12;
}

static void
a_full_disk_leaves_the_old_file_and_no_litter(void **state)
{
    struct error err = {0};
    int full = open("/dev/full", O_WRONLY);

    (void)state;
    assert_true(file_write("f", STR("old"), 0600, NULL));
    assert_int_equal(in_child(write_past_the_limit), 0);
    assert_content("f", "old");
    assert_int_equal(entries(), 1);
    assert_false(file_write_fd(full, "x", 1, &err));
    assert_int_equal(err.code, ERR_IO);
    assert_non_null(strstr(err.msg, "No space left on device"));
    close(full);
}

static int
as_nobody(void)
{
    AUTO(buf_release) struct buf b = BUF_INIT(10);
    struct error err = {0};

    if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
        return 10;
    if (file_read("secret", &b, &err) || err.code != ERR_DENIED)
        return 11;
    if (file_write("new", STR("x"), 0600, &err) || err.code != ERR_DENIED)
        return 12;
    if (strcmp(err.msg, "new: cannot write: Permission denied") != 0)
        return 13;
    if (file_mkdirs("a/b", 0700, &err) || err.code != ERR_DENIED)
        return 14;
    if (file_remove_tree("secret", &err) || err.code != ERR_DENIED)
        return 15;
    return 0;
}

static void
missing_rights_are_named(void **state)
{
    (void)state;
    assert_true(file_write("secret", STR("s"), 0000, NULL));
    assert_int_equal(chmod(home, 0555), 0);
    assert_int_equal(in_child(as_nobody), 0);
    assert_int_equal(chmod(home, 0755), 0);
    assert_true(file_exists("secret"));
}

static void
folders_come_and_go_and_links_are_not_followed(void **state)
{
    struct error err = {0};
    struct stat st;

    (void)state;
    assert_true(file_mkdirs("a/b/c", 0700, NULL));
    assert_true(file_mkdirs("a/b/c/", 0755, NULL));
    assert_int_equal(stat("a/b", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_true(file_write("a/b/f", STR("x"), 0600, NULL));
    assert_false(file_mkdirs("a/b/f/d", 0700, &err));
    assert_true(file_mkdirs("other", 0700, NULL));
    assert_true(file_write("other/keep", STR("x"), 0600, NULL));
    assert_int_equal(symlink("../other", "a/link"), 0);
    assert_true(file_remove_tree("a", NULL));
    assert_false(file_exists("a"));
    assert_true(file_exists("other/keep"));
    assert_true(file_remove_tree("a", NULL));
    assert_true(file_remove_tree("other/keep", NULL));
    assert_false(file_exists("other/keep"));
}

static void
too_deep_a_tree_is_refused(void **state)
{
    struct error err = {0};
    int depth = 0;

    (void)state;
    for (; depth < 300; depth++) {
        assert_int_equal(mkdir("d", 0700), 0);
        assert_int_equal(chdir("d"), 0);
    }
    assert_int_equal(chdir(home), 0);
    assert_false(file_remove_tree("d", &err));
    assert_int_equal(err.code, ERR_LIMIT);
    /* In two goes, so that teardown can. */
    for (depth = 0; depth < 150; depth++)
        assert_int_equal(chdir("d"), 0);
    assert_true(file_remove_tree("d", NULL));
    assert_int_equal(chdir(home), 0);
}

static void
paths_join_with_one_slash(void **state)
{
    AUTO(mem_free_ptr) char *a = file_join("/a", "b");
    AUTO(mem_free_ptr) char *b = file_join("/a/", "b");

    (void)state;
    assert_string_equal(a, "/a/b");
    assert_string_equal(b, "/a/b");
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(reading_is_capped_and_says_why_it_failed),
        T(writing_replaces_as_a_whole_and_sets_the_mode),
        T(a_full_disk_leaves_the_old_file_and_no_litter),
        T(missing_rights_are_named),
        T(folders_come_and_go_and_links_are_not_followed),
        T(too_deep_a_tree_is_refused),
        T(paths_join_with_one_slash),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
