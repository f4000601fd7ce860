/* Ports that are really taken, and hosts that answer badly: servers on
 * loopback in processes of their own. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/failure.h"
#include "devenv/host_port.h"

#include "tests/unit/test.h"

static struct loop *loop;

static int
listen_on(int *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    *port = ntohs(a.sin_port);
    return fd;
}

/* Answers each connection with the same bytes (NULL: never answers). */
struct server {
    pid_t pid;
    int port;
    char url[64];
};

static struct server
serve(const char *scheme, const char *answer)
{
    struct server s;
    char request[4096];
    int fd = listen_on(&s.port);

    snprintf(s.url, sizeof(s.url), "%s://127.0.0.1:%d/", scheme, s.port);
    s.pid = fork();
    assert_true(s.pid >= 0);
    if (s.pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        signal(SIGPIPE, SIG_IGN);
        for (;;) {
            int c = accept(fd, NULL, NULL);
            ssize_t n = read(c, request, sizeof(request));

            if (answer && n > 0)
                n = write(c, answer, strlen(answer));
            if (answer)
                close(c);
        }
    }
    close(fd);
    return s;
}

static void
stop(struct server *s)
{
    kill(s->pid, SIGKILL);
    waitpid(s->pid, NULL, 0);
}

static struct host_check
look_in(struct host *h, const char *row, const struct host_options *o)
{
    struct step_run run = {.loop = loop, .id = row};
    struct host_check c;

    h->o = o;
    host_run(h, host_row_find(row), &run, &c);
    step_run_release(&run);
    return c;
}

static struct host_check
look(const char *row, const struct host_options *o)
{
    struct host h;

    host_open(&h, o);
    struct host_check c = look_in(&h, row, o);

    host_release(&h);
    return c;
}

static bool
has_evidence(const struct host_check *c, const char *words)
{
    for (size_t i = 0; i < c->evidence.n; i++) {
        if (strstr(c->evidence.v[i], words))
            return true;
    }
    return false;
}

/* ---- ports ---- */

static void
a_taken_port_names_its_owner(void **state)
{
    char port_text[16], sentence[128], kill_line[64];
    int port, fd = listen_on(&port);
    struct host_options o = {.ports = port_text};
    struct host_check c;

    (void)state;
    snprintf(port_text, sizeof(port_text), "%d", port);
    snprintf(sentence, sizeof(sentence),
             "Port %d is used by test_host_net (pid %d).", port, getpid());
    snprintf(kill_line, sizeof(kill_line), "kill %d", getpid());
    c = look("ports", &o);
    assert_int_equal(c.verdict, HOST_FAIL);
    assert_string_equal(c.error.id, "MT-PORT-TAKEN");
    assert_int_equal(failure_exit(&c.error), 16);
    assert_string_equal(c.error.msg, sentence);
    assert_true(has_evidence(&c, "test_host_net (pid "));
    assert_non_null(strstr(c.error.remedy, kill_line));
    host_check_release(&c);

    close(fd);
    c = look("ports", &o);
    assert_int_equal(c.verdict, HOST_OK);
    assert_true(has_evidence(&c, "is free"));
    host_check_release(&c);
}

static void
plant(const char *root, const char *path, const char *text)
{
    AUTO(mem_free_ptr) char *full = mem_printf("%s%s", root, path);
    AUTO(mem_free_ptr) char *dir = mem_strdup(full);

    *strrchr(dir, '/') = '\0';
    assert_true(file_mkdirs(dir, 0755, NULL));
    assert_true(file_write(full, str_of(text), 0644, NULL));
}

/* The socket that listens counts, not one that is connected; and what a bind
 * says counts where /proc says nothing. */
static void
the_listening_socket_has_the_owner(void **state)
{
    char root[] = "/tmp/meshtop-ports-XXXXXX", path[64];
    struct host_options o = {.root = mkdtemp(root)};
    struct host_port_owner owner;
    struct host h;
    int port, fd = listen_on(&port);

    (void)state;
    host_open(&h, &o);
    assert_true(host_port_is_taken(&h, port));
    close(fd);
    assert_false(host_port_is_taken(&h, port));
    plant(root, "/proc/net/tcp",
          "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
          "retrnsmt   uid  timeout inode\n"
          "   0: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 "
          "00000000     0        0 41 1 0\n"
          "   1: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 "
          "00000000     0        0 42 1 0\n"
          "   2: garbage\n");
    plant(root, "/proc/66/comm", "client\n");
    plant(root, "/proc/66/fd/x", "");
    plant(root, "/proc/77/comm", "server\n");
    plant(root, "/proc/77/fd/x", "");
    snprintf(path, sizeof(path), "%s/proc/66/fd/3", root);
    assert_int_equal(symlink("socket:[41]", path), 0);
    snprintf(path, sizeof(path), "%s/proc/77/fd/3", root);
    assert_int_equal(symlink("socket:[42]", path), 0);
    host_port_owner(&h, NULL, 8080, &owner);
    assert_int_equal(owner.pid, 77);
    assert_string_equal(owner.program, "server");
    host_port_owner(&h, NULL, 8081, &owner);
    assert_int_equal(owner.pid, 0);
    host_release(&h);
    assert_true(file_remove_tree(root, NULL));
}

/* Without rights the program of another user has no name; a low port that may
 * not be bound is looked up. */
static void
without_rights_the_port_is_taken_all_the_same(void **state)
{
    int port, fd = listen_on(&port), status;
    struct host_options o = {0};
    pid_t pid;

    (void)state;
    if (geteuid() != 0) {
        close(fd);
        return;
    }
    pid = fork();
    if (pid == 0) {
        struct host_port_owner owner;
        struct host h;

        /* descriptors of root's processes cannot be looked into */
        if (setgid(65534) != 0 || setuid(65534) != 0)
            _exit(99);
        close(fd);
        host_open(&h, &o);
        if (!host_port_is_taken(&h, port))
            _exit(1);
        host_port_owner(&h, NULL, port, &owner);
        if (owner.pid || host_port_is_taken(&h, 7))
            _exit(2);
        host_release(&h);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(fd);
}

static void
nonsense_is_no_port(void **state)
{
    struct host_options o = {.ports = "0 70000 x "};
    struct host_check c = look("ports", &o);

    (void)state;
    assert_int_equal(c.verdict, HOST_OK);
    assert_int_equal(c.evidence.n, 0);
    host_check_release(&c);
}

static void
owners_have_words(void **state)
{
    AUTO(buf_release) struct buf b = BUF_INIT(256);
    struct host_port_owner o = {.pid = 812, .program = "nginx"};

    (void)state;
    host_port_owner_text(&o, &b);
    buf_putc(&b, '|');
    snprintf(o.container, sizeof(o.container), "traefik");
    host_port_owner_text(&o, &b);
    buf_putc(&b, '|');
    o = (struct host_port_owner){0};
    host_port_owner_text(&o, &b);
    assert_string_equal(buf_cstr(&b), "nginx (pid 812)|container \"traefik\"|"
                                      "a program of another user");
}

/* ---- network ---- */

#define ANSWER(status) "HTTP/1.1 " status "\r\nContent-Length: 0\r\n\r\n"

/* What one answer means. */
static void
means(const char *scheme, const char *answer, const char *id, int code,
      const char *words)
{
    struct server s = serve(scheme, answer);
    struct host_site sites[] = {{s.url, "x"}, {0}};
    struct host_options o = {.sites = sites};
    struct host_check c = look("network", &o);

    if (!id) {
        if (c.verdict != HOST_OK)
            fail_msg("%s", c.error.msg);
        assert_true(has_evidence(&c, words));
    } else {
        if (c.verdict != HOST_WARN || strcmp(c.error.id, id) != 0 ||
            !strstr(c.error.msg, words))
            fail_msg("\"%s\" (%s), wanted %s", c.error.msg, c.error.id, id);
        assert_int_equal(failure_exit(&c.error), code);
        assert_true(*c.error.remedy);
        assert_true(c.evidence.n > 0);
    }
    host_check_release(&c);
    stop(&s);
}

static void
answers_of_hosts_are_understood(void **state)
{
    (void)state;
    means("http", ANSWER("200 OK"), NULL, 0, "127.0.0.1");
    means("http", ANSWER("401 Unauthorized"), NULL, 0, "401");
    means("http", ANSWER("301 Moved Permanently"), NULL, 0, "301");
    means("http", ANSWER("407 Proxy Authentication Required"), "MT-NET-PROXY",
          31, "wants a login");
    means("http", ANSWER("429 Too Many Requests"), "MT-NET-RATELIMIT", 32,
          "rate limit");
    means("https", ANSWER("400 Bad Request"), "MT-NET-PROXY", 31,
          "it speaks no TLS");
}

static void
no_network_is_a_warning_with_the_way_on(void **state)
{
    int port, fd = listen_on(&port);
    char url[64];
    struct host_site sites[] = {
        {"https://nowhere.invalid/", "kind"}, {url, "node image"}, {0}};
    struct host_options o = {.sites = sites};
    struct host_check c;

    (void)state;
    close(fd); /* nobody accepts there now */
    snprintf(url, sizeof(url), "https://127.0.0.1:%d/", port);
    c = look("network", &o);
    assert_int_equal(c.verdict, HOST_WARN);
    assert_string_equal(c.error.id, "MT-NET-DNS");
    assert_int_equal(failure_exit(&c.error), 30);
    assert_string_equal(c.error.msg, "Cannot reach nowhere.invalid (the name "
                                     "is not resolved).");
    assert_true(has_evidence(&c, "nobody accepts"));
    assert_non_null(strstr(c.error.remedy, "--engine sandbox"));
    assert_non_null(strstr(c.error.remedy, "--registry-mirror"));
    assert_string_equal(c.found, "0 of 2 hosts answer");
    host_check_release(&c);
}

static void
a_stop_ends_the_wait(void **state)
{
    struct server silent = serve("http", NULL);
    struct server quick = serve("http", ANSWER("200 OK"));
    struct host_site sites[] = {
        {silent.url, "a"}, {quick.url, "b"}, {quick.url, "c"}, {0}};
    struct host_options o = {.sites = sites};
    volatile int stopped = 1;
    struct step_run run = {.loop = loop, .cancelled = &stopped};
    struct host_check c;
    struct host h;

    (void)state;
    host_open(&h, &o);
    host_run(&h, host_row_find("network"), &run, &c);
    assert_int_equal(c.verdict, HOST_SKIPPED);
    assert_string_equal(c.found, "stopped");
    host_check_release(&c);
    host_release(&h);
    step_run_release(&run);
    stop(&silent);
    stop(&quick);
}

static void
nothing_to_fetch_asks_nobody(void **state)
{
    struct host_site none[] = {{0}};
    struct host_options o = {.sites = none};
    struct host_check c = look("network", &o);

    (void)state;
    assert_int_equal(c.verdict, HOST_OK);
    assert_non_null(strstr(c.found, "nothing has to be fetched"));
    host_check_release(&c);
}

/* ---- clock ---- */

/* The verdict when our clock is off by so many seconds. */
static struct host_check
clock_off(int64_t seconds)
{
    struct server s =
        serve("http", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n"
                      "Date: Sat, 21 Nov 2026 08:00:00 GMT\r\n\r\n");
    struct host_site sites[] = {{s.url, "x"}, {0}};
    struct host_options o = {.sites = sites};
    struct host h;
    struct host_check c;

    assert_true(clock_parse(STR("2026-11-21T08:00:00Z"), &o.now_s));
    o.now_s += seconds;
    host_open(&h, &o);
    c = look_in(&h, "network", &o);
    host_check_release(&c);
    c = look_in(&h, "clock", &o);
    host_release(&h);
    stop(&s);
    return c;
}

static void
the_clock_is_compared(void **state)
{
    struct host_options o = {.now_s = 1000};
    struct host_check c = clock_off(-3);

    (void)state;
    assert_int_equal(c.verdict, HOST_OK);
    assert_string_equal(c.found, "3 s behind");
    host_check_release(&c);
    c = clock_off(90);
    assert_int_equal(c.verdict, HOST_WARN);
    host_check_release(&c);
    c = clock_off(3600);
    assert_int_equal(c.verdict, HOST_FAIL);
    assert_string_equal(c.error.id, "MT-HOST-CLOCK");
    assert_int_equal(failure_exit(&c.error), 19);
    assert_non_null(strstr(c.error.msg, "3600 s ahead"));
    assert_true(has_evidence(&c, "Date of an HTTPS answer"));
    assert_non_null(strstr(c.error.remedy, "timedatectl set-ntp"));
    host_check_release(&c);
    c = look("clock", &o);
    assert_int_equal(c.verdict, HOST_FAIL); /* 1970 */
    host_check_release(&c);
    o.now_s = 0;
    c = look("clock", &o);
    assert_int_equal(c.verdict, HOST_SKIPPED);
    host_check_release(&c);
}

static int
begin(void **state)
{
    (void)state;
    signal(SIGPIPE, SIG_IGN);
    unsetenv("http_proxy");
    unsetenv("https_proxy");
    unsetenv("HTTPS_PROXY");
    loop = loop_new(NULL);
    return loop ? 0 : -1;
}

static int
end(void **state)
{
    (void)state;
    loop_free(loop);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_taken_port_names_its_owner),
        cmocka_unit_test(the_listening_socket_has_the_owner),
        cmocka_unit_test(without_rights_the_port_is_taken_all_the_same),
        cmocka_unit_test(nonsense_is_no_port),
        cmocka_unit_test(owners_have_words),
        cmocka_unit_test(answers_of_hosts_are_understood),
        cmocka_unit_test(no_network_is_a_warning_with_the_way_on),
        cmocka_unit_test(a_stop_ends_the_wait),
        cmocka_unit_test(nothing_to_fetch_asks_nobody),
        cmocka_unit_test(the_clock_is_compared),
    };

    return cmocka_run_group_tests(tests, begin, end);
}
