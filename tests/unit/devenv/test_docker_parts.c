/* The parts of the engine's client that need no engine: frames, lines, pull
 * lines, archives, references. */
#include <unistd.h>

#include "lib/base/arena.h"
#include "lib/base/mem.h"

#include "devenv/docker_frames.h"
#include "devenv/docker_image.h"
#include "devenv/docker_pull.h"
#include "devenv/docker_ref.h"
#include "devenv/docker_tar.h"

#include "tests/unit/test.h"

/* ---- frames ---- */

static bool
collect(void *arg, int stream, struct str piece)
{
    struct buf *both = arg;

    return buf_str(&both[stream == 2], piece);
}

/* Feeds data in pieces of `step` bytes. */
static void
feed(struct docker_frames *f, struct str data, size_t step)
{
    for (size_t at = 0; at < data.n; at += step)
        docker_frames_feed(f, str_sub(data, at, step));
}

#define TWO_FRAMES "\1\0\0\0\0\0\0\3one\2\0\0\0\0\0\0\4four\1\0\0\0\0\0\0\0"

static void
frames_cut_anywhere(void **state)
{
    (void)state;
    for (size_t step = 1; step < sizeof(TWO_FRAMES); step++) {
        struct buf out[2] = {BUF_INIT(64), BUF_INIT(64)};
        struct docker_frames f;

        docker_frames_init(&f, false, collect, out);
        feed(&f, STR(TWO_FRAMES), step);
        assert_string_equal(buf_cstr(&out[0]), "one");
        assert_string_equal(buf_cstr(&out[1]), "four");
        assert_false(f.damaged || docker_frames_cut(&f));
        buf_release(&out[0]);
        buf_release(&out[1]);
    }
}

static void
frames_that_end_early_are_known(void **state)
{
    struct str all = STR(TWO_FRAMES);

    (void)state;
    for (size_t n = 0; n <= all.n; n++) {
        struct buf out[2] = {BUF_INIT(64), BUF_INIT(64)};
        struct docker_frames f;
        bool between = n == 0 || n == 11 || n == 23 || n == all.n;

        docker_frames_init(&f, false, collect, out);
        feed(&f, str_sub(all, 0, n), 5);
        assert_int_equal(docker_frames_cut(&f), !between);
        buf_release(&out[0]);
        buf_release(&out[1]);
    }
}

static void
frames_that_are_none(void **state)
{
    struct buf out[2] = {BUF_INIT(64), BUF_INIT(64)};
    struct docker_frames f;

    (void)state;
    /* a terminal's bytes, though nobody said so */
    docker_frames_init(&f, false, collect, out);
    feed(&f, STR("plain text of a terminal"), 3);
    assert_string_equal(buf_cstr(&out[0]), "plain text of a terminal");
    assert_true(f.plain && !f.damaged);
    buf_reset(&out[0]);
    /* a header that is none after one that was */
    docker_frames_init(&f, false, collect, out);
    feed(&f, STR("\1\0\0\0\0\0\0\3oneGARBAGE!GARBAGE"), 4);
    assert_string_equal(buf_cstr(&out[0]), "one");
    assert_true(f.damaged);
    /* a frame of 4 GiB takes no memory and is open at the end */
    docker_frames_init(&f, false, collect, out);
    feed(&f, STR("\1\0\0\0\377\377\377\377x"), 4);
    assert_true(docker_frames_cut(&f));
    buf_release(&out[0]);
    buf_release(&out[1]);
}

struct seen {
    size_t n, longest;
    char last[64];
    size_t stop_after;
};

static bool
see(void *arg, int stream, struct str line)
{
    struct seen *s = arg;

    (void)stream;
    s->n++;
    s->longest = MAX(s->longest, line.n);
    snprintf(s->last, sizeof(s->last), "%.*s", (int)MIN(line.n, (size_t)60),
             line.s ? line.s : "");
    return s->n != s->stop_after;
}

static void
lines(void **state)
{
    struct docker_lines l;
    struct seen s = {0};
    AUTO(buf_release) struct buf big = BUF_INIT(1 << 20);

    (void)state;
    docker_lines_init(&l, see, &s);
    assert_true(docker_lines_feed(&l, 1, STR("a\r\nb")));
    assert_int_equal(s.n, 1);
    assert_string_equal(s.last, "a");
    /* the other stream's line is another line */
    assert_true(docker_lines_feed(&l, 2, STR("x\n")));
    assert_string_equal(s.last, "x");
    assert_true(docker_lines_feed(&l, 1, STR("c\n\n")));
    assert_int_equal(s.n, 4);
    assert_string_equal(s.last, "");
    /* a line without an end is cut, and does not eat memory */
    buf_fill(&big, 'z', 300000);
    docker_lines_feed(&l, 1, buf_view(&big));
    docker_lines_feed(&l, 1, buf_view(&big));
    docker_lines_feed(&l, 1, STR("\nnext\n"));
    assert_int_equal(s.longest, DOCKER_LINE_MAX);
    assert_string_equal(s.last, "next");
    docker_lines_feed(&l, 1, STR("open"));
    docker_lines_end(&l);
    assert_string_equal(s.last, "open");
    /* enough is enough */
    s = (struct seen){.stop_after = 2};
    assert_false(docker_lines_feed(&l, 1, STR("1\n2\n3\n")));
    assert_int_equal(s.n, 2);
    docker_lines_release(&l);
}

/* ---- pull lines ---- */

static void
tell(struct docker_pull *p, const char *text)
{
    docker_pull_line(p, str_of(text));
}

#define LAYER(id, status, detail)                                              \
    "{\"status\":\"" status "\",\"progressDetail\":{" detail "},\"id\":\"" id  \
    "\"}\r"

static void
pull_counts_layers(void **state)
{
    struct docker_pull p;
    struct docker_progress g;
    AUTO(buf_release) struct buf words = BUF_INIT(256);
    uint64_t before;

    (void)state;
    docker_pull_init(&p);
    tell(&p, LAYER("v1", "Pulling from a/b", ""));
    docker_pull_progress(&p, &g);
    assert_true(g.layers == 0 && g.fetching);
    tell(&p, LAYER("aa", "Pulling fs layer", ""));
    tell(&p, LAYER("bb", "Already exists", ""));
    tell(&p, LAYER("aa", "Downloading", "\"current\":10,\"total\":100"));
    docker_pull_progress(&p, &g);
    assert_true(g.layers == 2 && g.fetched == 1 && g.finished == 1);
    assert_true(g.done == 10 && g.total == 100 && g.fetching);
    /* a retry moves nothing, and figures do not go back */
    before = p.moves;
    tell(&p, LAYER("aa", "Retrying in 5 seconds", ""));
    tell(&p, LAYER("aa", "Retrying in 4 seconds", ""));
    docker_pull_words(&p, &words);
    assert_non_null(strstr(buf_cstr(&words), "Retrying in 4 seconds"));
    tell(&p, LAYER("aa", "Downloading", "\"current\":5,\"total\":100"));
    assert_true(p.moves == before);
    docker_pull_progress(&p, &g);
    assert_true(g.done == 10);
    tell(&p, LAYER("aa", "Downloading", "\"current\":400,\"total\":100"));
    docker_pull_progress(&p, &g);
    assert_true(g.done == 100 && g.total == 100);
    tell(&p, LAYER("aa", "Download complete", ""));
    tell(&p, LAYER("aa", "Extracting", "\"current\":7,\"total\":100"));
    docker_pull_progress(&p, &g);
    assert_true(!g.fetching && g.finished == 1);
    tell(&p, LAYER("aa", "Pull complete", ""));
    docker_pull_progress(&p, &g);
    assert_true(g.finished == 2);
    docker_pull_release(&p);
}

static void
pull_bad_lines(void **state)
{
    static const char *const bad[] = {
        "",
        "no json",
        "[]",
        "\"x\"",
        "7",
        "{}",
        "{\"status\":7,\"id\":[]}",
        "{\"id\":\"x\"}",
        "{\"status\":\"Downloading\",\"id\":\"x\",\"progressDetail\":7}",
        "{\"status\":\"Downloading\",\"id\":\"x\",\"progressDetail\":"
        "{\"current\":-5,\"total\":1e400}}",
        "{\"status\":\"Downloading\",\"id\":\"x\",\"progressDetail\":"
        "{\"current\":99999999999999999999999}}",
        "{\"errorDetail\":\"text\"}",
        "{\"status\":\"cut",
    };
    struct docker_pull p;
    struct docker_progress g;

    (void)state;
    docker_pull_init(&p);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        tell(&p, bad[i]);
    docker_pull_progress(&p, &g);
    assert_true(g.done == 0 && g.total == 0 && p.error.n == 0);
    assert_true(p.strange > 0 && p.strange < p.lines);
    tell(&p, "{\"error\":\"only this\"}");
    assert_string_equal(buf_cstr(&p.error), "only this");
    docker_pull_release(&p);
}

static void
pull_many_layers(void **state)
{
    struct docker_pull p;
    struct docker_progress g;
    char line[128];

    (void)state;
    docker_pull_init(&p);
    for (int i = 0; i < 10000; i++) {
        snprintf(line, sizeof(line),
                 "{\"status\":\"Waiting\",\"id\":\"layer%d\"}", i);
        tell(&p, line);
    }
    docker_pull_progress(&p, &g);
    assert_true(g.layers == 4096);
    docker_pull_release(&p);
}

/* ---- archives ---- */

/* The whole archive, read in pieces of `step`. */
static void
read_all(struct docker_tar *t, size_t step, struct buf *out)
{
    char piece[1024];
    ssize_t n;

    while ((n = docker_tar_read(t, piece, MIN(step, sizeof(piece)))) > 0)
        buf_add(out, piece, (size_t)n);
    assert_int_equal(n, 0);
}

static void
tar_there_and_back(void **state)
{
    static const size_t sizes[] = {0, 1, 511, 512, 513, 3000};
    AUTO(buf_release) struct buf text = BUF_INIT(4096);

    (void)state;
    buf_fill(&text, 'x', 3000);
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct docker_tar t;
        AUTO(buf_release) struct buf tar = BUF_INIT(8192);
        struct str back = {0};
        struct error e = {0};

        assert_true(docker_tar_init(&t, "file", 0644, sizes[i], &e));
        t.content = str_sub(buf_view(&text), 0, sizes[i]);
        read_all(&t, 100 + i, &tar);
        assert_int_equal(tar.n % 512, 0);
        assert_int_equal(tar.n, t.total);
        assert_true(docker_tar_file(buf_view(&tar), &back, &e));
        assert_int_equal(back.n, sizes[i]);
        /* cut anywhere before the content's end it is damaged */
        for (size_t n = 0; n < 512 + sizes[i]; n += 97)
            assert_false(
                docker_tar_file(str_sub(buf_view(&tar), 0, n), &back, &e));
    }
}

/* The system's tar reads what we write. */
static void
tar_is_ustar(void **state)
{
    struct docker_tar t;
    AUTO(buf_release) struct buf tar = BUF_INIT(8192);
    char path[] = "/tmp/meshtop-tar.XXXXXX", line[128] = "", command[128];
    int fd = mkstemp(path);
    FILE *f;

    (void)state;
    assert_true(docker_tar_init(&t, "hosts.toml", 0640, 5, NULL));
    t.content = STR("hello");
    read_all(&t, 512, &tar);
    assert_int_equal(write(fd, tar.s, tar.n), (ssize_t)tar.n);
    snprintf(command, sizeof(command), "tar -tvf %s", path);
    f = popen(command, "r");
    assert_non_null(fgets(line, sizeof(line), f));
    assert_int_equal(pclose(f), 0);
    assert_non_null(strstr(line, "-rw-r----- 0/0"));
    assert_non_null(strstr(line, " 5 "));
    assert_non_null(strstr(line, "hosts.toml"));
    unlink(path);
    close(fd);
}

static void
tar_refuses(void **state)
{
    struct docker_tar t;
    char head[1024] = {0};
    struct str back;
    struct error e = {0};
    char name[128];

    (void)state;
    memset(name, 'n', 100);
    name[100] = 0;
    assert_false(docker_tar_init(&t, name, 0644, 1, &e));
    assert_int_equal(e.code, ERR_LIMIT);
    assert_false(docker_tar_init(&t, "", 0644, 1, &e));
    /* a folder, a link */
    for (const char *type = "52"; *type; type++) {
        unsigned sum = 0;

        assert_true(docker_tar_init(&t, "x", 0755, 0, &e));
        memcpy(head, t.head, 512);
        head[156] = *type;
        memset(head + 148, ' ', 8);
        for (size_t i = 0; i < 512; i++)
            sum += (unsigned char)head[i];
        snprintf(head + 148, 8, "%06o", sum);
        assert_false(docker_tar_file(str_n(head, 1024), &back, &e));
        assert_int_equal(e.code, ERR_INVALID);
        assert_non_null(strstr(e.msg, *type == '5' ? "a folder" : "a link"));
    }
    /* a checksum that is none, and no archive at all */
    head[0] ^= 1;
    assert_false(docker_tar_file(str_n(head, 1024), &back, &e));
    assert_int_equal(e.code, ERR_PARSE);
    assert_false(docker_tar_file(STR("<html>"), &back, &e));
    /* a file that became shorter while it was read */
    assert_true(docker_tar_init(&t, "x", 0644, 10, &e));
    t.content = STR("four");
    assert_int_equal(docker_tar_read(&t, head, 512), 512);
    assert_int_equal(docker_tar_read(&t, head, 512), 4);
    assert_int_equal(docker_tar_read(&t, head, 512), -1);
    /* larger than eleven octal digits can say */
    assert_true(docker_tar_init(&t, "x", 0644, (uint64_t)9 << 30, &e));
    assert_int_equal((unsigned char)t.head[124], 0x80);
}

/* ---- references ---- */

#define SHA                                                                    \
    "sha256:"                                                                  \
    "08497ee19eace7b4b5348db5c6a1591d7752b164530a36f855cb0f2bdcbadd48"

static void
references(void **state)
{
    static const struct {
        const char *text, *host, *name, *tag, *digest, *exact;
    } rows[] = {
        {"kindest/node:v1.34.0", "docker.io", "kindest/node", "v1.34.0", "",
         "kindest/node:v1.34.0"},
        {"kindest/node", "docker.io", "kindest/node", "latest", "",
         "kindest/node:latest"},
        {"registry:3", "docker.io", "registry", "3", "", "registry:3"},
        {"localhost:5001/a/b", "localhost:5001", "localhost:5001/a/b", "latest",
         "", "localhost:5001/a/b:latest"},
        {"localhost/a:1", "localhost", "localhost/a", "1", "", "localhost/a:1"},
        {"kindest/node:v1@" SHA, "docker.io", "kindest/node", "v1", SHA,
         "kindest/node@" SHA},
        {"ghcr.io/x/y@" SHA, "ghcr.io", "ghcr.io/x/y", "", SHA,
         "ghcr.io/x/y@" SHA},
    };
    static const char *const bad[] = {
        "",    "a b",  "a?b", "../etc/passwd", "a//b",       "/a",   ":1",
        "a#b", "a\nb", "-a",  "a@md5:123",     "a%2f..%2fb", "a/b/",
    };
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    struct docker_ref r;
    struct error e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_true(docker_ref_parse(rows[i].text, a, &r, &e));
        assert_string_equal(r.host, rows[i].host);
        assert_string_equal(r.name, rows[i].name);
        assert_string_equal(r.tag, rows[i].tag);
        assert_string_equal(r.digest, rows[i].digest);
        assert_string_equal(r.exact, rows[i].exact);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (docker_ref_parse(bad[i], a, &r, &e))
            fail_msg("\"%s\" passed", bad[i]);
        assert_int_equal(e.code, ERR_USAGE);
    }
    assert_true(docker_ref_same_name(STR("kindest/node"),
                                     STR("docker.io/kindest/node")));
    assert_true(docker_ref_same_name(STR("registry"),
                                     STR("docker.io/library/registry")));
    assert_false(
        docker_ref_same_name(STR("kindest/node"), STR("ghcr.io/kindest/node")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_cut_anywhere),
        cmocka_unit_test(frames_that_end_early_are_known),
        cmocka_unit_test(frames_that_are_none),
        cmocka_unit_test(lines),
        cmocka_unit_test(pull_counts_layers),
        cmocka_unit_test(pull_bad_lines),
        cmocka_unit_test(pull_many_layers),
        cmocka_unit_test(tar_there_and_back),
        cmocka_unit_test(tar_is_ustar),
        cmocka_unit_test(tar_refuses),
        cmocka_unit_test(references),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
