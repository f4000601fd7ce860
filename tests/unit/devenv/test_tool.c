/* Tools: the one on PATH, ours, a downloaded one; against the server of
 * fetch_peer.h. */
#include <sys/stat.h>

#include "lib/base/digest.h"

#include "devenv/tool.h"

#include "tests/unit/devenv/fetch_peer.h"

static struct peer peer;
static char *bin; /* a PATH of our own */

/* ---- versions ---- */

static void
versions(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"kind v0.33.0 go1.26 linux/amd64\n", "v0.33.0"},
        {"Client Version: v1.32.4-dispatcher\nKustomize Version: v5.5.0\n",
         "v1.32.4-dispatcher"},
        {"v4.1.3+g5a3e2c1\n", "v4.1.3+g5a3e2c1"},
        {"0.32.0", "0.32.0"},
        {"version v2.3", "v2.3"},
        {"a1.2.3 x1.2 go1.26 v7 12", NULL},
        {"v1..2", NULL},
        {"", NULL},
        {"v.1.2", NULL},
    };
    char out[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool ok = tool_version_in(str_of(cases[i].text), out);

        if (ok != (cases[i].want != NULL) ||
            (ok && strcmp(out, cases[i].want) != 0))
            fail_msg("\"%s\": %s", cases[i].text, ok ? out : "none");
    }
    memset(out, 0, sizeof(out));
    AUTO(mem_free_ptr) char *longest = mem_printf("v1.%0200d", 7);

    assert_false(tool_version_in(str_of(longest), out));
}

static void
ranges(void **state)
{
    static const struct {
        const char *version, *range;
        bool in;
    } cases[] = {
        {"v0.33.0", ">=0.30.0 <1.0.0", true},
        {"v0.30.0", ">=0.30.0 <1.0.0", true},
        {"v0.29.9", ">=0.30.0 <1.0.0", false},
        {"v1.0.0", ">=0.30.0 <1.0.0", false},
        {"v0.100.0", ">=0.30.0 <1.0.0", true},
        {"1.32.4-dispatcher", ">=1.28 <2", true},
        {"v2", "<2", false},
        {"v2.0.1", ">2.0.0 <=2.0.1", true},
        {"v1.2.3", "=1.2.3", true},
        {"v1.2.3", "", false},
        {"v1.2.3", "1.2.3", false},
        {"v1.2.3", ">=x", false},
        {"x", ">=0", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (tool_in_range(cases[i].version, cases[i].range) != cases[i].in)
            fail_msg("%s in %s", cases[i].version, cases[i].range);
    }
}

/* ---- what is there ---- */

static void
put_on_path(const char *script)
{
    AUTO(mem_free_ptr) char *path = file_join(bin, "kind");

    unlink(path);
    if (script)
        test_write_script(path, script);
}

/* A lock with one tool, kind, from the server. */
static void
lock_of(struct lock *l, const char *platform, const char *program,
        const char *more)
{
    AUTO(mem_free_ptr)
    char *text =
        mem_printf("kind: tool\nname: kind\nversion: v0.33.0\ndefault: true\n"
                   "accept: '>=0.30.0 <1.0.0'\nabout: 77\n"
                   "url: https://127.0.0.1:%u/program/%s/kind\n"
                   "checksum: https://127.0.0.1:%u/program/%s/kind.sha256\n"
                   "platforms: [{platform: %s}]\n%s",
                   peer.port, program, peer.port, program, platform, more);
    struct error err = {0};

    if (!lock_parse(str_of(text), "test", l, &err))
        fail_msg("%s", err.msg);
}

struct given {
    const char *platform, *program, *more;
    struct profile *profile;
    char said[512];
};

static bool
ensure(struct given *g, struct tool *out, struct error *err)
{
    AUTO(lock_release) struct lock l = {0};
    struct step_run run = {.loop = peer.l};
    struct fetch_options o = {.ca = peer.id.ca, .pause_ms = 1, .tries = 1};
    bool ok;

    lock_of(&l, g->platform ? g->platform : lock_platform(),
            g->program ? g->program : "plain", g->more ? g->more : "");
    ok = tool_ensure_of(&l, &run, g->profile, "kind", &o, out, err);
    if (run.parts_n)
        snprintf(g->said, sizeof(g->said), "%s: %s", run.parts[0].name,
                 run.parts[0].detail);
    step_run_release(&run);
    return ok;
}

static void
on_path(void **state)
{
    static const struct {
        const char *script;
        const char *why; /* it is passed over because */
    } cases[] = {
        {"#!/bin/sh\necho kind v0.33.1-vendor go1.24 linux/amd64\n", NULL},
        {"#!/bin/sh\necho kind v0.20.0 go1.20\n", "is v0.20.0, needed is >="},
        {"#!/bin/sh\necho kind v1.0.0\n", "is v1.0.0, needed is >="},
        {"#!/bin/sh\necho hello\n", "says no version"},
        {"#!/bin/sh\nexit 3\n", "ends with 3"},
        {"#!/bin/sh\nkill -9 $$\n", "ends with 137"},
        {"#!/no/such/interpreter\n", "kind"},
        {NULL, ""},
    };
    struct step_run run = {.loop = peer.l};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct tool t;
        struct error err = {0};

        put_on_path(cases[i].script);
        assert_true(tool_check(&run, "kind", &t, &err));
        if (cases[i].why) {
            assert_int_equal(t.source, TOOL_NONE);
            assert_null(t.path);
            assert_string_equal(t.version, "v0.33.0");
            if (!strstr(t.why, cases[i].why))
                fail_msg("case %zu: %s", i, t.why);
        } else {
            assert_int_equal(t.source, TOOL_PATH);
            assert_int_equal(t.path[0], '/');
            assert_string_equal(t.version, "v0.33.1-vendor");
        }
        tool_release(&t);
    }
    struct tool t;

    assert_false(tool_check(&run, "gimp", &t, NULL));
    step_run_release(&run);
    assert_true(tool_bytes("kind") > 1000000);
    assert_int_equal(tool_bytes("gimp"), 0);
}

/* ---- bringing it ---- */

static void
brought(void **state)
{
    static const char *const programs[][2] = {{"plain", ""},
                                              {"tar", "member: d/kind\n"}};

    (void)state;
    put_on_path("#!/bin/sh\necho kind v0.20.0\n"); /* too old */
    for (size_t i = 0; i < ARRAY_LEN(programs); i++) {
        struct profile p;
        struct given g = {
            .program = programs[i][0], .more = programs[i][1], .profile = &p};
        struct tool t;
        struct error err = {0};
        struct stat st;
        AUTO(mem_free_ptr) char *log = NULL;

        peer_new_cache(&peer);
        assert_true(profile_open("tools", &p, NULL));
        if (!ensure(&g, &t, &err))
            fail_msg("%s", err.msg);
        assert_int_equal(t.source, TOOL_OURS);
        assert_non_null(strstr(t.path, "/meshtop/bin/kind-v0.33.0"));
        assert_int_equal(stat(t.path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0755); /* no set-uid */
        assert_non_null(strstr(
            g.said,
            "kind v0.33.0: checked against the vendor's file, not pinned"));
        AUTO(mem_free_ptr)
        char *key = mem_printf("tool/kind-v0.33.0-%s", lock_platform());

        assert_int_equal(strncmp(profile_fact(&p, key), "sha256:", 7), 0);
        free(peer_log(&peer));

        /* Again: it is there, nothing is asked. */
        tool_release(&t);
        assert_true(ensure(&g, &t, &err));
        log = peer_log(&peer);
        assert_string_equal(log, "");

        /* Damaged: made again; the file is in the cache. */
        assert_true(file_write(t.path, STR("#!/bin/sh\n"), 0755, NULL));
        tool_release(&t);
        assert_true(ensure(&g, &t, &err));
        free(log);
        log = peer_log(&peer);
        assert_non_null(strstr(log, "kind.sha256"));
        assert_null(strchr(log, '\n')); /* that was all */

        /* The vendor's file says something else than before. */
        unlink(t.path);
        profile_set_fact(&p, key, "sha256:00");
        tool_release(&t);
        assert_false(ensure(&g, &t, &err));
        assert_string_equal(err.id, "MT-DIGEST-CHANGED");
        free(peer_log(&peer));
        assert_true(tool_size() > 0); /* the record */
        assert_true(tool_purge() > 0);
        assert_int_equal(tool_size(), 0);
        profile_release(&p);
    }
}

static void
pinned(void **state)
{
    static const char script[] =
        "#!/bin/sh\n[ $# = 0 ] || echo kind v0.33.0 go1.26 linux/amd64\n";
    char hex[DIGEST_HEX_MAX];
    struct tool t;
    struct error err = {0};

    (void)state;
    put_on_path(NULL);
    peer_new_cache(&peer);
    digest_hex(DIGEST_SHA256, STR(script), hex);
    for (unsigned wrong = 0; wrong < 2; wrong++) {
        AUTO(lock_release) struct lock l = {0};
        struct step_run run = {.loop = peer.l};
        struct fetch_options o = {.ca = peer.id.ca};
        bool ok;

        hex[0] ^= (char)wrong;
        AUTO(mem_free_ptr)
        char *text = mem_printf(
            "kind: tool\nname: kind\nversion: v0.33.%u\ndefault: true\n"
            "accept: '>=0'\nvetted: here\n"
            "url: https://127.0.0.1:%u/program/plain/kind\n"
            "platforms: [{platform: %s, size: %zu, sha256: %s}]\n",
            wrong, peer.port, lock_platform(), strlen(script), hex);

        assert_true(lock_parse(str_of(text), "test", &l, &err));
        ok = tool_ensure_of(&l, &run, NULL, "kind", &o, &t, &err);
        assert_int_equal(ok, !wrong);
        if (ok) {
            assert_non_null(strstr(run.parts[0].detail, "pinned; sha256 "));
            tool_release(&t);
        }
        step_run_release(&run);
    }
    assert_string_equal(err.id, "MT-SUM-MISMATCH");
    AUTO(mem_free_ptr) char *log = peer_log(&peer);

    assert_null(strstr(log, ".sha256")); /* a pin needs no vendor's file */
}

static void
refused(void **state)
{
    const char *other = strcmp(lock_platform(), "linux/amd64") == 0
                            ? "linux/arm64"
                            : "linux/amd64";
    const struct {
        struct given g;
        const char *script, *id, *words;
    } cases[] = {
        {{.program = "empty", .more = "member: d/kind\n"},
         NULL,
         "MT-TOOL-BAD",
         "no member d/kind"},
        {{.program = "plain", .more = "member: d/kind\n"},
         NULL,
         "MT-TOOL-BAD",
         "damaged"},
        {{.program = "junk"}, NULL, "MT-TOOL-BAD", "kind-v0.33.0"},
        {{.program = "mute"}, NULL, "MT-TOOL-BAD", "ends with 3"},
        {{.platform = other}, NULL, "MT-TOOL-PLATFORM", "not published"},
        {{.program = "down"}, NULL, "MT-NET-DOWNLOAD", "answers 502"},
        {{.program = "none"}, NULL, "MT-SUM-MISSING", "answers 404"},
        {{.program = "down"},
         "#!/bin/sh\necho kind v2.0.0\n",
         "MT-TOOL-RANGE",
         "is v2.0.0, needed"},
        {{.program = "none"},
         "#!/bin/sh\necho kind v0.20.0\n",
         "MT-TOOL-RANGE",
         "is v0.20.0, needed is >=0.30.0 <1.0.0; ours cannot be had: "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct given g = cases[i].g;
        struct tool t;
        struct error err = {0};
        AUTO(mem_free_ptr) char *ours = NULL;

        put_on_path(cases[i].script);
        peer_new_cache(&peer);
        AUTO(mem_free_ptr) char *dir = tool_dir();

        ours = file_join(dir, "kind-v0.33.0");
        if (ensure(&g, &t, &err) || strcmp(err.id, cases[i].id) != 0 ||
            !strstr(err.msg, cases[i].words))
            fail_msg("case %zu: %s %s", i, err.id, err.msg);
        assert_false(file_exists(ours));
    }
}

int
main(void)
{
    const struct CMUnitTest alone[] = {
        cmocka_unit_test(versions),
        cmocka_unit_test(ranges),
    };
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_path),
        cmocka_unit_test(brought),
        cmocka_unit_test(pinned),
        cmocka_unit_test(refused),
    };
    int failed = cmocka_run_group_tests(alone, NULL, NULL);

    if (!peer_start(&peer)) {
        peer_stop(&peer);
        return failed + peer_skipped();
    }
    bin = file_join(peer.dir, "bin");
    assert_true(file_mkdirs(bin, 0755, NULL));
    AUTO(mem_free_ptr) char *path = mem_printf("%s:/usr/bin:/bin", bin);

    setenv("PATH", path, 1);
    setenv("XDG_STATE_HOME", peer.dir, 1);
    peer_new_cache(&peer);
    failed += cmocka_run_group_tests(tests, NULL, NULL);
    free(bin);
    peer_stop(&peer);
    return failed;
}
