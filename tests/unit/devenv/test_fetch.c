/* Downloads against a real HTTPS server that misbehaves in every way known. */
#include <dirent.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "lib/base/digest.h"

#include "devenv/profile.h"

#include "tests/unit/devenv/fetch_peer.h"

#define SIZE 300000

static struct peer peer;

/* ---- asking ---- */

struct asked {
    const char *path;     /* of the server */
    const char *checksum; /* a path; NULL: the true hash is pinned */
    const char *mirror;   /* or NULL */
    uint64_t size, max;
    struct fetch_options o;
    struct step_run run;
};

static bool
get(struct asked *a, struct fetch_result *out, struct error *err)
{
    AUTO(mem_free_ptr) char *url = peer_url(&peer, a->path);
    AUTO(mem_free_ptr)
    char *checksum = a->checksum ? peer_url(&peer, a->checksum) : NULL;
    AUTO(strlist_release) struct strlist mirrors = {0};
    struct fetch_request r = {.what = "tool v1",
                              .url = url,
                              .mirrors = &mirrors,
                              .sha256 = checksum ? NULL : peer.sum,
                              .checksum_url = checksum,
                              .size = a->size,
                              .max = a->max};
    bool ok;

    if (a->mirror) {
        AUTO(mem_free_ptr) char *mirror = peer_url(&peer, a->mirror);

        strlist_add(&mirrors, str_of(mirror));
    }
    a->o.ca = a->o.ca ? a->o.ca : peer.id.ca;
    a->o.pause_ms = 1;
    a->run.loop = peer.l;
    ok = fetch_file(&a->run, &r, &a->o, out, err);
    step_run_release(&a->run);
    return ok;
}

static void
check_file(const char *path)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 20);
    char hex[DIGEST_HEX_MAX];

    assert_true(file_read(path, &b, NULL));
    digest_hex(DIGEST_SHA256, buf_view(&b), hex);
    assert_string_equal(hex, peer.sum);
}

static char *
cached(const char *suffix)
{
    AUTO(mem_free_ptr) char *dir = fetch_cache_dir();

    return mem_printf("%s/%.2s/%s%s", dir, peer.sum, peer.sum, suffix);
}

static unsigned
lines(const char *text)
{
    unsigned n = *text != '\0';

    for (; *text; text++)
        n += *text == '\n';
    return n;
}

/* ---- manners ---- */

static const struct manner {
    struct asked a;
    const char *id, *words; /* id NULL: it comes */
    unsigned requests;      /* 0: not counted */
} manners[] = {
    {{.path = "good/x"}, NULL, NULL, 1},
    {{.path = "good/x", .size = SIZE}, NULL, NULL, 1},
    {{.path = "cut/x"}, NULL, NULL, 3},
    {{.path = "cut-weak/x"}, NULL, NULL, 2},
    {{.path = "norange/x"}, NULL, NULL, 2},
    {{.path = "changes/x"}, NULL, NULL, 2},
    {{.path = "lies/x"}, NULL, NULL, 3},
    {{.path = "forbidden-once/x"}, NULL, NULL, 2},
    {{.path = "down-twice/x"}, NULL, NULL, 3},
    {{.path = "limited/x"}, NULL, NULL, 2},
    {{.path = "hops/5/x"}, NULL, NULL, 6},
    {{.path = "none/x", .mirror = "good/m"}, NULL, NULL, 2},
    {{.path = "down/x", .mirror = "cut/m"}, NULL, NULL, 0},
    {{.path = "none/x"}, "MT-NET-DOWNLOAD", "answers 404", 1},
    {{.path = "none/x", .mirror = "none/m"},
     "MT-NET-DOWNLOAD",
     "answers 404",
     2},
    {{.path = "down/x"}, "MT-NET-DOWNLOAD", "answers 502", 5},
    {{.path = "short/x"}, "MT-NET-DOWNLOAD", "cannot be downloaded", 5},
    {{.path = "slow/x", .o = {.slow_ms = 300, .slow_bytes = 5000, .tries = 1}},
     "MT-NET-DOWNLOAD",
     "too slow",
     0},
    {{.path = "slow/x", .o = {.limit_ms = 300}},
     "MT-NET-DOWNLOAD",
     "takes too long",
     0},
    {{.path = "limited-long/x"}, "MT-NET-RATELIMIT", "asks to wait 3600 s", 1},
    {{.path = "proxy/x"}, "MT-NET-PROXY", "answers 407", 1},
    {{.path = "login/x"}, "MT-NET-PROXY", "a web page", 1},
    {{.path = "page/x"}, "MT-NET-PROXY", "a web page", 1},
    {{.path = "plain/x"}, "MT-NET-DOWNLOAD", "rotocol", 1},
    {{.path = "loop/x"}, "MT-NET-DOWNLOAD", "redirect", 6},
    {{.path = "hops/6/x"}, "MT-NET-DOWNLOAD", "redirect", 6},
    {{.path = "other/x"}, "MT-SUM-MISMATCH", "File deleted", 1},
    {{.path = "crooked/x"}, "MT-SUM-MISMATCH", "File deleted", 6},
    {{.path = "longer/x"}, "MT-SUM-MISMATCH", "File deleted", 1},
    {{.path = "longer/x", .size = SIZE}, "MT-SUM-MISMATCH", "300004 bytes", 1},
    {{.path = "endless/x", .size = SIZE},
     "MT-SUM-MISMATCH",
     "more than 300000",
     1},
    {{.path = "endless/x", .max = 1 << 20},
     "MT-SUM-MISMATCH",
     "more than 1048576",
     1},
    {{.path = "bomb/x", .size = SIZE}, "MT-SUM-MISMATCH", "File deleted", 1},
    /* Vendors' checksum files. */
    {{.path = "good/x", .checksum = "sum/bare/x"}, NULL, NULL, 2},
    {{.path = "good/x", .checksum = "sum/upper/x"}, NULL, NULL, 2},
    {{.path = "good/x", .checksum = "sum/line/x"}, NULL, NULL, 2},
    {{.path = "good/x", .checksum = "sum/star/x"}, NULL, NULL, 2},
    {{.path = "good/x", .checksum = "sum/wrong/x"},
     "MT-SUM-MISMATCH",
     "File deleted",
     2},
    {{.path = "good/x", .checksum = "sum/others/x"},
     "MT-SUM-MISSING",
     "no SHA-256 for x",
     1},
    {{.path = "good/x", .checksum = "sum/twice/x"},
     "MT-SUM-MISSING",
     "no SHA-256 for x",
     1},
    {{.path = "good/x", .checksum = "sum/empty/x"},
     "MT-SUM-MISSING",
     "no SHA-256 for x",
     1},
    {{.path = "good/x", .checksum = "sum/text/x"},
     "MT-SUM-MISSING",
     "no SHA-256 for x",
     1},
    {{.path = "good/x", .checksum = "sum/huge/x"},
     "MT-SUM-MISSING",
     "larger than",
     1},
    {{.path = "good/x", .checksum = "none/x"},
     "MT-SUM-MISSING",
     "answers 404",
     1},
    {{.path = "good/x", .checksum = "limited-long/s"},
     "MT-NET-RATELIMIT",
     "3600",
     1},
    {{.path = "good/x", .checksum = "down/s"},
     "MT-NET-DOWNLOAD",
     "answers 502",
     5},
    {{.path = "good/x", .checksum = "login/x"},
     "MT-NET-PROXY",
     "a web page",
     1},
};

static void
one_manner(const struct manner *m)
{
    struct asked a = m->a;
    struct fetch_result got = {0};
    struct error err = {0};
    AUTO(mem_free_ptr) char *log = NULL;
    AUTO(mem_free_ptr) char *part = NULL;
    bool ok;

    peer_new_cache(&peer);
    ok = get(&a, &got, &err);
    log = peer_log(&peer);
    part = cached(".part");
    if (ok != !m->id ||
        (m->id && (strcmp(err.id, m->id) != 0 || !strstr(err.msg, m->words))))
        fail_msg("%s %s: %s %s\n%s", a.path, a.checksum, err.id, err.msg, log);
    if (m->requests && lines(log) != m->requests)
        fail_msg("%s %s asked %u times:\n%s", a.path, a.checksum, lines(log),
                 log);
    if (ok) {
        check_file(got.path);
        assert_string_equal(got.sha256, peer.sum);
        assert_int_equal(got.vendor, a.checksum != NULL);
        assert_false(got.cached || file_exists(part));
        assert_true(got.bytes >= SIZE);
    } else if (strcmp(m->id, "MT-SUM-MISMATCH") == 0) {
        assert_int_equal(fetch_cache_size(), 0);
    }
    fetch_result_release(&got);
}

static void
bad_manners(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(manners); i++) {
        /* The server counts by path: each row gets a name of its own. */
        struct manner m = manners[i];
        AUTO(mem_free_ptr) char *path = mem_printf("%s?%zu", m.a.path, i);

        if (!m.a.checksum)
            m.a.path = path;
        one_manner(&m);
    }
}

static void
what_is_asked_for(void **state)
{
    struct asked a = {.path = "cut/ranges"};
    struct fetch_result got;
    AUTO(mem_free_ptr) char *log = NULL;

    (void)state;
    peer_new_cache(&peer);
    assert_true(get(&a, &got, NULL));
    log = peer_log(&peer);
    assert_string_equal(log, "/cut/ranges - -\n"
                             "/cut/ranges bytes=100000- \"1\"\n"
                             "/cut/ranges bytes=200000- \"1\"");
    assert_int_equal(got.bytes, SIZE);
    fetch_result_release(&got);
    /* A weak validator is none. */
    a = (struct asked){.path = "cut-weak/ranges"};
    peer_new_cache(&peer);
    assert_true(get(&a, &got, NULL));
    free(log);
    log = peer_log(&peer);
    assert_non_null(strstr(log, "bytes=100000- -"));
    fetch_result_release(&got);
}

/* A CA that has signed nothing here. */
static const char stranger[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBgjCCASmgAwIBAgIUfE8bHDGCqPpHpd1ugFi1jOeD3m4wCgYIKoZIzj0EAwIw\n"
    "FjEUMBIGA1UEAwwLTm9ib2R5J3MgQ0EwIBcNMjYxMTIxMDgzMjA1WhgPMjEyNjEw\n"
    "MjgwODMyMDVaMBYxFDASBgNVBAMMC05vYm9keSdzIENBMFkwEwYHKoZIzj0CAQYI\n"
    "KoZIzj0DAQcDQgAEaJX14PnTy9jepZ/iu3bi/TPX+GJ+O+ZFa2OtT5iebrD3HpeE\n"
    "1GfJKEELa/KyucpK3/sE1smTcjI9DuloIojkBqNTMFEwHQYDVR0OBBYEFFK2LDI9\n"
    "lJSgh+tmsVUk/LNO249CMB8GA1UdIwQYMBaAFFK2LDI9lJSgh+tmsVUk/LNO249C\n"
    "MA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgfvnSFjerP4R9wCIY\n"
    "kOz4nxRaYW3NPBEIEpv9cKk7IAECIFSM5wOHMc7f3rpOfZ0Ri11KgQvXKw2PbiW5\n"
    "BAwXAn3l\n"
    "-----END CERTIFICATE-----\n";

static void
no_way_to_the_server(void **state)
{
    struct asked a = {.path = "good/x"};
    struct fetch_result got;
    struct error err = {0};
    unsigned port = peer.port;

    (void)state;
    peer_new_cache(&peer);
    a.o.ca = stranger;
    assert_false(get(&a, &got, &err));
    if (strcmp(err.id, "MT-NET-PROXY") != 0 ||
        !strstr(err.msg, "certificate by \"meshtop"))
        fail_msg("%s %s", err.id, err.msg);
    a = (struct asked){.path = "good/x"};
    peer.port = 1; /* nobody listens there */
    assert_false(get(&a, &got, &err));
    peer.port = port;
    assert_string_equal(err.id, "MT-NET-DNS");
    assert_int_equal(fetch_cache_size(), 0);
}

static void
only_https_and_a_hash(void **state)
{
    static const struct fetch_request requests[] = {
        {.what = "x", .url = "http://h/x", .sha256 = "00"},
        {.what = "x", .url = "file:///etc/passwd", .sha256 = "00"},
        {.what = "x", .url = "https://h/x"},
        {.what = "x", .url = "https://h/x", .checksum_url = "http://h/s"},
    };
    struct step_run run = {.loop = peer.l};
    struct fetch_result got;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
        struct error err = {0};

        assert_false(fetch_file(&run, &requests[i], NULL, &got, &err));
        assert_int_equal(err.code, ERR_USAGE);
    }
}

/* ---- the cache ---- */

static void
from_the_cache(void **state)
{
    struct asked a = {.path = "good/cache"};
    struct fetch_result got;
    AUTO(mem_free_ptr) char *log = NULL;
    AUTO(mem_free_ptr) char *path = NULL;

    (void)state;
    peer_new_cache(&peer);
    path = cached("");
    assert_false(fetch_is_cached(peer.sum));
    for (unsigned i = 0; i < 2; i++) {
        assert_true(get(&a, &got, NULL));
        assert_int_equal(got.cached, i == 1);
        assert_int_equal(got.bytes, i == 0 ? SIZE : 0);
        assert_string_equal(got.path, path);
        fetch_result_release(&got);
    }
    assert_true(fetch_is_cached(peer.sum));
    log = peer_log(&peer);
    assert_int_equal(lines(log), 1);

    /* Damaged, or not a file of ours: fetched again. */
    assert_true(file_write(path, STR("damaged"), 0600, NULL));
    assert_true(get(&a, &got, NULL));
    assert_false(got.cached);
    fetch_result_release(&got);
    unlink(path);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_true(get(&a, &got, NULL));
    check_file(path);
    fetch_result_release(&got);

    assert_int_equal(fetch_cache_size(), SIZE);
    assert_int_equal(fetch_cache_purge(), SIZE);
    assert_int_equal(fetch_cache_size(), 0);
    assert_false(fetch_is_cached(peer.sum));
}

/* A part that an earlier download left: good, wrong, whole, too long. */
static void
a_part_that_is_there(void **state)
{
    AUTO(buf_release) struct buf whole = BUF_INIT(1 << 20);
    AUTO(buf_release) struct buf longer = BUF_INIT(1 << 20);
    struct asked a = {.path = "good/part", .size = SIZE};
    struct fetch_result got;

    (void)state;
    peer_new_cache(&peer);
    assert_true(get(&a, &got, NULL));
    assert_true(file_read(got.path, &whole, NULL));
    buf_str(&longer, buf_view(&whole));
    buf_putc(&longer, '!');
    fetch_result_release(&got);

    const struct {
        struct str part;
        uint64_t size, came;
    } cases[] = {
        {str_sub(buf_view(&whole), 0, 70001), SIZE, SIZE - 70001},
        {buf_view(&whole), SIZE, 0},
        {buf_view(&whole), 0, 0}, /* the server says 416 */
        {STR("wrong"), SIZE, 2 * SIZE - 5},
        {STR(""), SIZE, SIZE},
        {buf_view(&longer), SIZE, SIZE},
        {buf_view(&longer), 0, SIZE},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(mem_free_ptr) char *part = cached(".part");
        AUTO(mem_free_ptr) char *file = cached("");

        unlink(file);
        assert_true(file_write(part, cases[i].part, 0600, NULL));
        a = (struct asked){.path = "good/part", .size = cases[i].size};
        assert_true(get(&a, &got, NULL));
        assert_int_equal(got.bytes, cases[i].came);
        check_file(got.path);
        fetch_result_release(&got);
    }
    free(peer_log(&peer));
}

static void
a_full_disk(void **state)
{
    struct asked a = {.path = "good/full"};
    struct fetch_result got;
    struct error err = {0};
    struct rlimit old, small;

    (void)state;
    peer_new_cache(&peer);
    getrlimit(RLIMIT_FSIZE, &old);
    small = (struct rlimit){.rlim_cur = 100000, .rlim_max = old.rlim_max};
    setrlimit(RLIMIT_FSIZE, &small);
    assert_false(get(&a, &got, &err));
    setrlimit(RLIMIT_FSIZE, &old);
    assert_string_equal(err.id, "MT-HOST-DISK");
    assert_int_equal(fetch_cache_size(), 0); /* it is not kept full */
    /* No folder can be made. */
    setenv("XDG_CACHE_HOME", "/dev/null", 1);
    err = (struct error){0};
    a = (struct asked){.path = "good/full"};
    assert_false(get(&a, &got, &err));
    assert_non_null(strstr(err.msg, "/dev/null"));
}

static void
where_it_is(void **state)
{
    AUTO(mem_free_ptr) char *home = mem_strdup(getenv("HOME"));
    AUTO(mem_free_ptr) char *root = profile_temporary_root();
    static const struct {
        const char *xdg, *home, *want; /* want NULL: under root */
    } cases[] = {
        {"/x", "/tmp", "/x/meshtop/sha256"},
        {"relative", "/tmp", "/tmp/.cache/meshtop/sha256"},
        {NULL, "/tmp", "/tmp/.cache/meshtop/sha256"},
        {NULL, "/nonexistent", NULL},
        {NULL, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsetenv("XDG_CACHE_HOME");
        unsetenv("HOME");
        if (cases[i].xdg)
            setenv("XDG_CACHE_HOME", cases[i].xdg, 1);
        if (cases[i].home)
            setenv("HOME", cases[i].home, 1);
        AUTO(mem_free_ptr) char *dir = fetch_cache_dir();

        if (cases[i].want)
            assert_string_equal(dir, cases[i].want);
        else
            assert_int_equal(strncmp(dir, root, strlen(root)), 0);
    }
    if (home)
        setenv("HOME", home, 1);
}

/* ---- other processes ---- */

/* In a child: fetches, tells each change as "BYTES DETAIL" on a pipe. */
static void
tell(void *arg, struct step_run *run)
{
    dprintf(*(int *)arg, "%llu %s\n", (unsigned long long)run->done,
            run->detail);
}

static pid_t
child(const char *path, int held, FILE **told)
{
    int p[2];
    pid_t pid;

    assert_int_equal(pipe2(p, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        struct asked a = {.path = path, .size = SIZE};
        struct fetch_result got;

        close(peer.in);
        close(held);
        peer.l = loop_new(NULL);
        a.run = (struct step_run){.on_change = tell, .arg = &p[1]};
        _exit(get(&a, &got, NULL) ? got.cached ? 10 : 11 : 12);
    }
    close(p[1]);
    *told = fdopen(p[0], "r");
    return pid;
}

static void
until(FILE *told, const char *words)
{
    char line[600];

    do {
        assert_non_null(fgets(line, sizeof(line), told));
    } while (!strstr(line, words));
}

static int
end_of(pid_t pid, FILE *told)
{
    int status;

    fclose(told);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

/* Another process has the part: it is waited for. When it finishes, what it
 * made is used; when it gives up, the download goes on from there. */
static void
two_at_once(void **state)
{
    (void)state;
    for (unsigned finishes = 0; finishes < 2; finishes++) {
        struct asked a = {.path = "good/two"};
        struct fetch_result got;
        FILE *told;
        AUTO(mem_free_ptr) char *log = NULL;

        peer_new_cache(&peer);
        assert_true(get(&a, &got, NULL));
        free(peer_log(&peer));
        AUTO(mem_free_ptr) char *part = cached(".part");

        assert_int_equal(rename(got.path, part), 0);
        int fd = open(part, O_RDWR | O_CLOEXEC);

        assert_int_equal(flock(fd, LOCK_EX), 0);
        pid_t pid = child("good/two", fd, &told);

        until(told, "another meshtop is downloading it");
        if (finishes)
            assert_int_equal(rename(part, got.path), 0);
        close(fd);
        assert_int_equal(end_of(pid, told), finishes ? 10 : 11);
        log = peer_log(&peer);
        assert_string_equal(log, "");
        check_file(got.path);
        fetch_result_release(&got);
    }
}

static void
killed_half_way(void **state)
{
    struct asked a = {.path = "good/killed"};
    struct fetch_result got;
    FILE *told;
    AUTO(mem_free_ptr) char *log = NULL;
    AUTO(mem_free_ptr) char *part = NULL;
    struct stat st;
    char want[64];

    (void)state;
    peer_new_cache(&peer);
    pid_t pid = child("slow/killed", -1, &told);

    until(told, "3 ");
    kill(pid, SIGKILL);
    assert_int_equal(end_of(pid, told), -SIGKILL);
    free(peer_log(&peer));
    part = cached(".part");
    assert_int_equal(stat(part, &st), 0);
    assert_true(st.st_size >= 3 && st.st_size < SIZE);
    assert_true(get(&a, &got, NULL));
    log = peer_log(&peer);
    snprintf(want, sizeof(want), "bytes=%lld-", (long long)st.st_size);
    assert_non_null(strstr(log, want));
    check_file(got.path);
    fetch_result_release(&got);
}

static void
stop(void *arg, struct step_run *run)
{
    if (run->done >= 2)
        *(volatile int *)arg = 1;
}

static void
stopped_by_the_user(void **state)
{
    struct asked a = {.path = "slow/stopped", .size = SIZE};
    struct fetch_result got;
    struct error err = {0};
    volatile int stops = 0;

    (void)state;
    peer_new_cache(&peer);
    a.run = (struct step_run){
        .on_change = stop, .arg = (void *)&stops, .cancelled = &stops};
    assert_false(get(&a, &got, &err));
    assert_int_equal(err.code, ERR_CANCELLED);
    assert_true(fetch_cache_size() >= 2); /* kept for the next time */
    a = (struct asked){.path = "good/stopped", .size = SIZE};
    assert_true(get(&a, &got, NULL));
    assert_true(got.bytes < SIZE);
    fetch_result_release(&got);
    free(peer_log(&peer));
}

/* ---- checksum files ---- */

#define A "AaaaAaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static void
forms(void **state)
{
    static const struct {
        const char *text;
        char first; /* of the hash, 0: none */
    } cases[] = {
        {A, 'a'},
        {"  " A "\r\n", 'a'},
        {B "  x\n", 'b'},
        {B " *x\r\n", 'b'},
        {B "  ./dist/x", 'b'},
        {A "  y\n" B "  x\n", 'b'},
        {B "  x\n" B " *x\n", 'b'},
        {A "  x\n" B "  x\n", 0},
        {A "  xx\n", 0},
        {A "\n" B "\n", 0},
        {A "a", 0},
        {"x  " A, 0},
        {A "  ", 'a'},
        {A "  \n" B "  y\n", 0},
        {"", 0},
        {"\n\n", 0},
        {"gggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggggg", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char out[65] = "untouched";
        bool ok = fetch_checksum(str_of(cases[i].text), "x", out);

        if (ok != (cases[i].first != 0))
            fail_msg("case %zu", i);
        if (ok)
            assert_int_equal(out[0], cases[i].first);
        else
            assert_string_equal(out, "untouched");
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bad_manners),
        cmocka_unit_test(what_is_asked_for),
        cmocka_unit_test(no_way_to_the_server),
        cmocka_unit_test(from_the_cache),
        cmocka_unit_test(a_part_that_is_there),
        cmocka_unit_test(a_full_disk),
        cmocka_unit_test(two_at_once),
        cmocka_unit_test(killed_half_way),
        cmocka_unit_test(stopped_by_the_user),
    };
    const struct CMUnitTest alone[] = {
        cmocka_unit_test(only_https_and_a_hash),
        cmocka_unit_test(where_it_is),
        cmocka_unit_test(forms),
    };
    int failed;

    if (peer_start(&peer))
        failed = cmocka_run_group_tests(tests, NULL, NULL);
    else
        failed = peer_skipped();
    failed += cmocka_run_group_tests(alone, NULL, NULL);
    peer_stop(&peer);
    return failed;
}
