/* Real programs: arguments, pipes, ends. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/process.h"

#include "tests/unit/test.h"

static struct loop *l;
static struct buf out = {.max = 4 << 20}, err_out = {.max = 4 << 20};
static struct buf lines = {.max = 4 << 20};
static int status, ends;
static bool truncated;
static struct process *running;

static int
setup(void **state)
{
    (void)state;
    l = loop_new(NULL);
    buf_reset(&lines);
    ends = 0;
    return l ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    loop_free(l);
    buf_release(&out);
    buf_release(&err_out);
    buf_release(&lines);
    return 0;
}

static void
on_exit_(void *arg UNUSED, const struct process_result *r)
{
    buf_reset(&out);
    buf_reset(&err_out);
    buf_str(&out, r->out);
    buf_str(&err_out, r->err);
    status = r->status;
    truncated = r->truncated;
    ends++;
    process_free(running);
    loop_stop(l, 0);
}

static void
on_line(void *arg UNUSED, int fd, struct str line)
{
    if (line.n > 1000)
        buf_printf(&lines, "%d:<%zu>\n", fd, line.n);
    else
        buf_printf(&lines, "%d:%.*s\n", fd, STR_ARG(line));
}

static void
run(struct process_options o)
{
    o.on_exit = on_exit_;
    running = process_start(l, &o, NULL);
    assert_non_null(running);
    loop_run(l);
    assert_int_equal(ends, 1);
}

#define ARGV(...)                                                              \
    (const char *const[])                                                      \
    {                                                                          \
        __VA_ARGS__, NULL                                                      \
    }

static void
arguments_reach_the_program_as_they_are(void **state)
{
    (void)state;
    run((struct process_options){
        .argv = ARGV("printf", "%s|", "$(id)", "; ls *", "a b", "'\"")});
    assert_string_equal(buf_cstr(&out), "$(id)|; ls *|a b|'\"|");
    assert_int_equal(status, 0);
}

static void
input_output_environment_and_folder(void **state)
{
    (void)state;
    run((struct process_options){
        .argv = ARGV("sh", "-c", "cat; pwd; echo $GREETING$HOME >&2; exit 3"),
        .env = ARGV("GREETING=hi", "HOME=/nowhere"),
        .cwd = "/usr",
        .input = STR("given\n")});
    assert_string_equal(buf_cstr(&out), "given\n/usr\n");
    assert_string_equal(buf_cstr(&err_out), "hi/nowhere\n");
    assert_int_equal(status, 3);
    assert_false(truncated);
}

static void
a_missing_program_or_folder_is_named(void **state)
{
    struct error err = {0};
    struct process_options o = {.argv = ARGV("no-such-program")};

    (void)state;
    assert_null(process_start(l, &o, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_string_equal(err.msg, "no-such-program: program not found");
    o.argv = ARGV("/etc/passwd");
    assert_null(process_start(l, &o, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    o = (struct process_options){.argv = ARGV("true"), .cwd = "/none"};
    assert_null(process_start(l, &o, &err));
    assert_string_equal(err.msg, "/none: no such folder");
    assert_false(process_foreground(ARGV("no-such-program"), &status, &err));
    assert_null(process_find(""));
}

static void
a_script_without_interpreter_is_not_given_to_a_shell(void **state)
{
    char path[] = "/tmp/meshtop-test-XXXXXX";
    struct error err = {0};
    int fd = mkstemp(path);

    (void)state;
    assert_int_equal(write(fd, "echo shell\n", 11), 11);
    fchmod(fd, 0700);
    close(fd);
    struct process_options o = {.argv = ARGV(path)};

    assert_null(process_start(l, &o, &err));
    assert_non_null(strstr(err.msg, "Exec format error"));
    unlink(path);
}

static void
too_much_output_is_dropped_and_said(void **state)
{
    (void)state;
    run((struct process_options){.argv =
                                     ARGV("head", "-c", "3000000", "/dev/zero"),
                                 .max_output = 5000});
    assert_int_equal(out.n, 5000);
    assert_true(truncated);
    assert_int_equal(status, 0);
    ends = 0;
    run((struct process_options){.argv =
                                     ARGV("head", "-c", "3000000", "/dev/zero"),
                                 .max_output = 3000000});
    assert_int_equal(out.n, 3000000);
    assert_false(truncated);
}

static void
lines_come_whole_and_endless_ones_in_pieces(void **state)
{
    (void)state;
    run((struct process_options){
        .argv = ARGV("sh", "-c",
                     "echo one; echo; printf two; "
                     "head -c 100000 /dev/zero >&2; echo >&2"),
        .on_line = on_line});
    assert_true(str_starts(buf_view(&lines), STR("1:one\n1:\n")));
    assert_non_null(strstr(buf_cstr(&lines), "1:two\n"));
    assert_non_null(strstr(buf_cstr(&lines), "2:<65536>\n2:<34464>\n"));
}

static void
signals_end_it_and_have_a_status(void **state)
{
    struct process_options o = {.argv = ARGV("sleep", "1000"),
                                .on_exit = on_exit_};

    (void)state;
    running = process_start(l, &o, NULL);
    process_signal(running, SIGTERM);
    loop_run(l);
    assert_int_equal(status, 128 + SIGTERM);
}

static void
on_pid_line(void *arg UNUSED, int fd UNUSED, struct str line)
{
    buf_str(&lines, line);
    process_free(running); /* from its own callback */
    loop_stop(l, 0);
}

static bool
is_alive(pid_t pid)
{
    AUTO(mem_free_ptr) char *path = mem_printf("/proc/%d/stat", (int)pid);
    AUTO(buf_release) struct buf b = BUF_INIT(4096);

    /* An orphan may be a zombie until init comes round. */
    return file_read(path, &b, NULL) && !strstr(buf_cstr(&b), ") Z ");
}

static void
freeing_kills_the_whole_family_and_no_callback_comes(void **state)
{
    struct process_options o = {
        .argv = ARGV("sh", "-c", "sleep 1000 & echo $!; wait"),
        .on_line = on_pid_line,
        .on_exit = on_exit_};
    int64_t pid = 0;

    (void)state;
    running = process_start(l, &o, NULL);
    loop_run(l);
    assert_true(str_to_i64(buf_view(&lines), &pid));
    for (int i = 0; i < 1000 && is_alive((pid_t)pid); i++)
        loop_turn(l, 10);
    assert_false(is_alive((pid_t)pid));
    assert_int_equal(ends, 0);
    process_free(NULL);
}

static void
a_daemon_that_keeps_the_pipe_does_not_delay_the_end(void **state)
{
    (void)state;
    run((struct process_options){
        .argv = ARGV("sh", "-c", "echo done; setsid sleep 30 & echo $! >&2")});
    int64_t pid;

    assert_string_equal(buf_cstr(&out), "done\n");
    assert_true(str_to_i64(str_trim(buf_view(&err_out)), &pid));
    kill((pid_t)pid, SIGKILL);
}

static void
the_child_gets_no_descriptor_of_ours_and_clean_signals(void **state)
{
    struct loop_signal *s = loop_signal_add(l, SIGUSR1, NULL, NULL, NULL);
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    AUTO(mem_free_ptr) char *n = mem_printf("FD=%d", fd);

    (void)state;
    signal(SIGPIPE, SIG_IGN);
    run((struct process_options){
        .argv = ARGV("sh", "-c",
                     "test -e /proc/$$/fd/$FD || echo closed; "
                     "grep SigBlk /proc/self/status >&2; kill -PIPE $$"),
        .env = ARGV(n)});
    signal(SIGPIPE, SIG_DFL);
    assert_string_equal(buf_cstr(&out), "closed\n");
    assert_string_equal(buf_cstr(&err_out), "SigBlk:\t0000000000000000\n");
    assert_int_equal(status, 128 + SIGPIPE);
    close(fd);
    loop_signal_del(s);
}

static void
a_foreground_program_is_waited_for(void **state)
{
    struct error err = {0};

    (void)state;
    assert_true(process_foreground(ARGV("sh", "-c", "exit 4"), &status, &err));
    assert_int_equal(status, 4);
    assert_true(
        process_foreground(ARGV("sh", "-c", "kill -9 $$"), &status, &err));
    assert_int_equal(status, 137);
}

static void
a_detached_program_has_a_session_and_a_log(void **state)
{
    char folder[] = "/tmp/meshtop-test-XXXXXX";
    AUTO(buf_release) struct buf got = BUF_INIT(10000);
    struct error err = {0};
    struct stat st;
    pid_t pid = 0;

    (void)state;
    assert_non_null(mkdtemp(folder));
    AUTO(mem_free_ptr) char *log = file_join(folder, "log");
    int leak = open("/dev/null", O_RDONLY); /* not close-on-exec on purpose */

    assert_true(process_detach(
        ARGV("sh", "-c",
             "echo pid $$; cut -d' ' -f6 /proc/$$/stat; ls -l /proc/$$/fd; "
             "echo end >&2"),
        log, &pid, &err));
    for (int i = 0; i < 500 && !strstr(buf_cstr(&got), "end\n"); i++) {
        loop_turn(l, 10);
        buf_reset(&got);
        file_read(log, &got, NULL);
    }
    AUTO(mem_free_ptr) char *want = mem_printf("pid %d\n", (int)pid);

    assert_true(strncmp(buf_cstr(&got), want, strlen(want)) == 0);
    assert_non_null(strstr(buf_cstr(&got), "0 -> /dev/null"));
    assert_null(strstr(buf_cstr(&got), " 3 -> /dev/null"));
    int64_t session;
    struct str rest = buf_view(&got), line;

    str_next(&rest, '\n', &line);
    str_next(&rest, '\n', &line);
    assert_true(str_to_i64(line, &session));
    assert_int_not_equal(session, getsid(0));
    assert_int_equal(stat(log, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    close(leak);
    assert_false(process_detach(ARGV("no-such-program"), log, &pid, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
    assert_false(process_detach(ARGV("true"), "/none/log", &pid, &err));
    assert_true(file_remove_tree(folder, NULL));
}

static void
we_know_where_we_are(void **state)
{
    AUTO(mem_free_ptr) char *self = process_self();
    AUTO(mem_free_ptr) char *sh = process_find("sh");

    (void)state;
    assert_int_equal(access(self, X_OK), 0);
    assert_non_null(strstr(self, "test_process"));
    assert_int_equal(sh[0], '/');
}

int
main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(arguments_reach_the_program_as_they_are),
        T(input_output_environment_and_folder),
        T(a_missing_program_or_folder_is_named),
        T(a_script_without_interpreter_is_not_given_to_a_shell),
        T(too_much_output_is_dropped_and_said),
        T(lines_come_whole_and_endless_ones_in_pieces),
        T(signals_end_it_and_have_a_status),
        T(freeing_kills_the_whole_family_and_no_callback_comes),
        T(a_daemon_that_keeps_the_pipe_does_not_delay_the_end),
        T(the_child_gets_no_descriptor_of_ours_and_clean_signals),
        T(a_foreground_program_is_waited_for),
        T(a_detached_program_has_a_session_and_a_log),
        T(we_know_where_we_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
