/* The client against an engine that keeps state (tests/tools/fake_engine.py):
 * what it makes is there, what it removes is gone, and what goes wrong is
 * told. */
#include <fcntl.h>
#include <sys/stat.h>

#include "devenv/docker_exec.h"
#include "devenv/docker_image.h"
#include "devenv/docker_network.h"
#include "devenv/up_steps.h"

#include "tests/unit/devenv/engine.h"

#define LABEL "io.x-k8s.kind.cluster"

static struct fake_engine engine;
static struct loop *l;
static struct docker *d;
static struct arena *a;

/* Fails with the error's words. */
#define OK(call)                                                               \
    do {                                                                       \
        struct error ok_error = {0}, *err = &ok_error;                         \
        if (!(call))                                                           \
            fail_msg("%s: %s", #call, ok_error.msg);                           \
    } while (0)

static void
make_node(const char *name, const char *more)
{
    AUTO(mem_free_ptr)
    char *json = mem_printf(
        "{\"name\":\"%s\",\"state\":\"running\",\"network\":\"kind\","
        "\"volume\":true,\"labels\":{\"" LABEL "\":\"mesh\"},"
        "\"ports\":{\"6443/tcp\":33951}%s}",
        name, more);

    fake_engine_make(d, "containers", json);
}

static size_t
count(const char *label)
{
    struct docker_containers c = {0};

    OK(docker_containers(d, NULL, label, a, &c, err));
    return c.n;
}

static void
containers(void **state)
{
    struct docker_container c;
    struct docker_volumes v;
    struct error e = {0};

    (void)state;
    make_node("n1", "");
    make_node("n2", ",\"start_error\":\"driver failed: Bind for 0.0.0.0:80 "
                    "failed: port is already allocated\"");
    assert_int_equal(count(LABEL "=mesh"), 2);
    assert_int_equal(count(LABEL "=mes"), 0);
    assert_int_equal(count(LABEL), 2);
    OK(docker_container(d, NULL, "n1", a, &c, err));
    assert_true(docker_is_running(&c));
    assert_int_equal(docker_port(&c, 6443)->host, 33951);
    assert_null(docker_port(&c, 80));
    assert_string_equal(docker_label(&c, LABEL), "mesh");
    OK(docker_start(d, NULL, "n1", err));
    OK(docker_stop(d, NULL, "n1", 1, err));
    OK(docker_stop(d, NULL, "n1", 1, err));
    OK(docker_container(d, NULL, c.id, a, &c, err));
    assert_string_equal(c.state, "exited");
    assert_int_equal(c.exit_code, 137);
    assert_int_equal(count(LABEL "=mesh"), 2);
    OK(docker_start(d, NULL, "n1", err));
    /* words of a start that fails */
    OK(docker_stop(d, NULL, "n2", 1, err));
    assert_false(docker_start(d, NULL, "n2", &e));
    assert_string_equal(e.id, "MT-PORT-TAKEN");
    /* removed with its volume, running or not, and twice */
    OK(docker_delete(d, NULL, "n1", err));
    OK(docker_delete(d, NULL, "n1", err));
    OK(docker_delete(d, NULL, "n2", err));
    assert_int_equal(count(NULL), 0);
    OK(docker_volumes(d, NULL, NULL, a, &v, err));
    assert_int_equal(v.n, 0);
}

static void
a_delete_is_tried_again(void **state)
{
    struct error e = {0};

    (void)state;
    make_node("stuck", ",\"delete_error\":\"could not kill: tried to kill "
                       "container, but did not receive an exit event\","
                       "\"delete_errors\":1");
    OK(docker_delete(d, NULL, "stuck", err));
    make_node("stuck", ",\"delete_error\":\"did not receive an exit event\","
                       "\"delete_errors\":9");
    assert_false(docker_delete(d, NULL, "stuck", &e));
    assert_non_null(strstr(e.msg, "did not receive an exit event"));
    assert_int_equal(e.http, 500);
    make_node("stuck", "");
    OK(docker_delete(d, NULL, "stuck", err));
}

/* ---- programs and files ---- */

static void
programs(void **state)
{
    static const char *const ls[] = {"crictl", "images", NULL};
    static const char *const gone[] = {"/no/such", NULL};
    struct docker_exec x = {.argv = ls};
    struct buf out = BUF_INIT(64), errout = BUF_INIT(64);
    struct error e = {0};
    int status = -1;

    (void)state;
    make_node("n", ",\"exec\":[{\"match\":\"crictl images\",\"out\":"
                   "\"one\\ntwo\\n\",\"err\":\"careful\\n\",\"exit\":3},"
                   "{\"match\":\"/no/such\",\"missing\":true}]");
    OK(docker_exec(d, NULL, "n", &x, &status, &out, &errout, err));
    assert_int_equal(status, 3);
    assert_string_equal(buf_cstr(&out), "one\ntwo\n");
    assert_string_equal(buf_cstr(&errout), "careful\n");
    x.argv = gone;
    assert_false(docker_exec(d, NULL, "n", &x, &status, NULL, NULL, &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_non_null(strstr(e.msg, "OCI runtime exec failed"));
    /* Podman's way to say it */
    make_node("n", ",\"exec\":[{\"match\":\".\",\"err\":\"Error: crun: "
                   "executable file `/no/such` not found in $PATH: OCI runtime "
                   "attempted to invoke a command that was not found\\n\","
                   "\"exit\":127}]");
    assert_false(docker_exec(d, NULL, "n", &x, &status, NULL, NULL, &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    OK(docker_stop(d, NULL, "n", 1, err));
    assert_false(docker_exec(d, NULL, "n", &x, &status, NULL, NULL, &e));
    assert_int_equal(e.code, ERR_CONFLICT);
    buf_release(&out);
    buf_release(&errout);
}

/* What a program gets on standard input, and its end. */
static void
input(void **state)
{
    static const char *const cat[] = {"cat", NULL};
    static const char *const early[] = {"early", NULL};
    struct buf text = BUF_INIT(4 << 20), out = BUF_INIT(4 << 20);
    struct buf few = BUF_INIT(10);
    struct docker_exec x = {.argv = cat};
    int status = -1;

    (void)state;
    make_node("n", ",\"exec\":[{\"match\":\"early\",\"unread\":true,"
                   "\"out\":\"enough\\n\",\"exit\":5}]");
    for (unsigned i = 0; text.n < 3 << 20; i++)
        buf_printf(&text, "line %u\n", i);
    x.input = buf_view(&text);
    OK(docker_exec(d, NULL, "n", &x, &status, &out, NULL, err));
    assert_int_equal(status, 0);
    assert_true(str_eq(buf_view(&out), buf_view(&text)));
    /* a program that ends before it read all */
    x.argv = early;
    for (size_t n = 1000; n <= text.n; n += text.n - 1000) {
        x.input = str_sub(buf_view(&text), 0, n);
        buf_reset(&out);
        OK(docker_exec(d, NULL, "n", &x, &status, &out, NULL, err));
        assert_int_equal(status, 5);
        assert_string_equal(buf_cstr(&out), "enough\n");
    }
    x.argv = cat;
    /* more than out takes is said, and no failure */
    OK(docker_exec(d, NULL, "n", &x, &status, &few, NULL, err));
    assert_true(few.over);
    /* refused before anything is sent */
    struct error e = {0};

    assert_false(docker_exec(d, NULL, "nope", &x, &status, NULL, NULL, &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    fake_engine_misbehave(&engine, "POST /exec/ status 500 it broke\n");
    assert_false(docker_exec(d, NULL, "n", &x, &status, NULL, NULL, &e));
    assert_non_null(strstr(e.msg, "it broke"));
    fake_engine_misbehave(&engine, "POST /exec/ refuse\n");
    assert_false(docker_exec(d, NULL, "n", &x, &status, NULL, NULL, &e));
    assert_string_equal(e.id, "MT-ENGINE-DOWN");
    fake_engine_misbehave(&engine, "POST /exec/ garbage\n");
    assert_false(docker_exec(d, NULL, "n", &x, &status, NULL, NULL, &e));
    fake_engine_misbehave(&engine, "POST /exec/ hang\n");
    x.limit_ms = 50;
    assert_false(docker_exec(d, NULL, "n", &x, &status, NULL, NULL, &e));
    assert_int_equal(e.code, ERR_TIMEOUT);
    fake_engine_misbehave(&engine, "");
    buf_release(&text);
    buf_release(&out);
    buf_release(&few);
}

static void
files(void **state)
{
    AUTO(mem_free_ptr) char *local = file_join(engine.folder, "local");
    struct step_run run = {.loop = l};
    struct buf big = BUF_INIT(4 << 20), back = BUF_INIT(4 << 20);
    struct buf small = BUF_INIT(10);
    struct error e = {0};

    (void)state;
    make_node("n", ",\"files\":{\"/kind/version\":\"v1.34.8\"}");
    OK(docker_get_file(d, NULL, "n", "/kind/version", &back, err));
    assert_string_equal(buf_cstr(&back), "v1.34.8");
    OK(docker_put_file(d, NULL, "n", "/kind/a.toml", 0640, STR("hello"), err));
    buf_reset(&back);
    OK(docker_get_file(d, NULL, "n", "/kind/a.toml", &back, err));
    assert_string_equal(buf_cstr(&back), "hello");
    buf_fill(&big, 'b', 3 << 20);
    assert_true(file_write(local, buf_view(&big), 0600, NULL));
    OK(docker_put_file_from(d, &run, "n", "/kind/big", 0644, local, err));
    assert_true(run.done == run.total && run.done > big.n);
    buf_reset(&back);
    OK(docker_get_file(d, NULL, "n", "/kind/big", &back, err));
    assert_true(str_eq(buf_view(&back), buf_view(&big)));
    assert_false(docker_get_file(d, NULL, "n", "/kind/big", &small, &e));
    assert_int_equal(e.code, ERR_LIMIT);
    assert_false(docker_get_file(d, NULL, "n", "/kind/none", &back, &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_false(
        docker_put_file(d, NULL, "n", "/no/such/folder/f", 0644, STR("x"), &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_false(docker_put_file(d, NULL, "n", "relative", 0644, STR("x"), &e));
    assert_int_equal(e.code, ERR_USAGE);
    assert_false(docker_put_file_from(d, NULL, "n", "/kind/x", 0644,
                                      "/nowhere/file", &e));
    assert_int_equal(e.code, ERR_IO);
    step_run_release(&run);
    buf_release(&big);
    buf_release(&back);
    buf_release(&small);
}

/* ---- streams ---- */

static bool
until_ready(void *arg, int stream, struct str line)
{
    unsigned *seen = arg;

    *seen += stream == 1 ? 1 : 100;
    return !str_eqz(line, "ready");
}

static void
logs(void **state)
{
    unsigned seen = 0;
    struct docker_logs o = {
        .follow = true, .on_line = until_ready, .arg = &seen};
    struct buf text = BUF_INIT(4096);
    struct error e = {0};

    (void)state;
    make_node("n", ",\"logs\":[\"a\",[\"stderr\",\"b\"],\"ready\",\"more\"]");
    OK(docker_logs(d, NULL, "n", &o, err));
    assert_int_equal(seen, 102);
    OK(docker_log_tail(d, NULL, "n", 2, &text, err));
    assert_string_equal(buf_cstr(&text), "ready\nmore\n");
    /* nobody says what is waited for */
    make_node("n", ",\"logs\":[\"a\"]");
    o.limit_ms = 30;
    assert_false(docker_logs(d, NULL, "n", &o, &e));
    assert_int_equal(e.code, ERR_TIMEOUT);
    /* the container stops: the log is over */
    make_node("n", ",\"logs\":[\"a\"],\"state\":\"exited\"");
    o.limit_ms = 0;
    OK(docker_logs(d, NULL, "n", &o, err));
    make_node("n", ",\"tty\":true,\"logs\":[\"\\u001b[0;32m  OK  "
                   "\\u001b[0m done\\u0007\"]");
    buf_reset(&text);
    OK(docker_log_tail(d, NULL, "n", 5, &text, err));
    assert_string_equal(buf_cstr(&text), "  OK   done\n");
    buf_release(&text);
}

static void
note_event(void *arg, const struct docker_event *e)
{
    buf_printf(arg, "%s:%s:%lld ", e->name, e->action, (long long)e->exit_code);
}

static void
turn_until(const struct buf *text, const char *what)
{
    for (int i = 0; i < 20000 && !strstr(buf_cstr(text), what); i++)
        loop_turn(l, 1);
    if (!strstr(buf_cstr(text), what))
        fail_msg("%s is not in: %s", what, buf_cstr(text));
}

static void
watches(void **state)
{
    struct buf text = BUF_INIT(4096);
    struct docker_watch *w;
    struct error e = {0};

    (void)state;
    make_node("n", "");
    w = docker_watch(d, LABEL "=mesh", 1, note_event, &text, &e);
    assert_non_null(w);
    /* past events come as well, so that nothing is missed in between */
    turn_until(&text, "n:start:-1");
    OK(docker_stop(d, NULL, "n", 1, err));
    turn_until(&text, "n:die:137");
    assert_false(docker_watch_ended(w, NULL));
    fake_engine_kill(&engine);
    for (int i = 0; i < 20000 && !docker_watch_ended(w, &e); i++)
        loop_turn(l, 1);
    assert_true(docker_watch_ended(w, &e));
    assert_true(e.code != ERR_NONE);
    docker_watch_free(w);
    /* and other calls say that the engine went */
    assert_false(docker_start(d, NULL, "n", &e));
    assert_string_equal(e.id, "MT-ENGINE-DOWN");
    assert_true(fake_engine_run(&engine));
    assert_int_equal(count(NULL), 0);
    buf_release(&text);
}

/* ---- images ---- */

#define DIGEST                                                                 \
    "sha256:1111111111111111111111111111111111111111111111111111111111111111"

static void
pulls(void **state)
{
    struct step_run run = {.loop = l};
    struct docker_image i;
    struct docker_images all;
    const char *digest = NULL;
    struct error e = {0};

    (void)state;
    fake_engine_make(d, "registry",
                     "{\"ref\":\"kindest/node:v1\",\"layers\":[4000,8000],"
                     "\"digest\":\"" DIGEST "\"}");
    fake_engine_make(d, "registry",
                     "{\"ref\":\"kindest/node@" DIGEST "\",\"layers\":[500]}");
    assert_false(docker_image(d, NULL, "kindest/node:v1", a, &i, &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    OK(docker_pull(d, &run, "kindest/node:v1", NULL, a, &digest, err));
    assert_true(run.done == 12000 && run.total == 12000);
    assert_string_equal(digest, DIGEST);
    OK(docker_pull(d, &run, "kindest/node:v1", NULL, a, &digest, err));
    OK(docker_image(d, NULL, "kindest/node:v1", a, &i, err));
    assert_string_equal(docker_image_digest(&i, "docker.io/kindest/node"),
                        DIGEST);
    OK(docker_image(d, NULL, i.id, a, &i, err));
    OK(docker_pull(d, NULL, "kindest/node:v1@" DIGEST, NULL, a, &digest, err));
    assert_string_equal(digest, DIGEST);
    OK(docker_images(d, NULL, "kindest/node", a, &all, err));
    assert_int_equal(all.n, 1);
    OK(docker_image_delete(d, NULL, "kindest/node:v1", err));
    OK(docker_image_delete(d, NULL, "kindest/node:v1", err));
    step_run_release(&run);
}

static void
pulls_that_fail(void **state)
{
    static const struct {
        const char *rule, *id;
        enum err_code code;
    } rows[] = {
        {"\"error\":\"pull access denied for a/b, repository does not "
         "exist or may require 'docker login': denied\"",
         "MT-IMAGE-PULL", ERR_NOT_FOUND},
        {"\"error\":\"toomanyrequests: You have reached your pull rate "
         "limit\",\"status\":500",
         "MT-NET-RATELIMIT", ERR_DENIED},
        {"\"stream_error\":\"write /var/lib/docker/tmp/x: no space left on "
         "device\"",
         "MT-HOST-DISK", ERR_IO},
        {"\"stream_error\":\"unexpected EOF\"", "MT-IMAGE-PULL", ERR_INVALID},
        {"\"silent\":true", "MT-IMAGE-PULL", ERR_TIMEOUT},
    };

    (void)state;
    docker_set_patience(d, 50);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        AUTO(mem_free_ptr)
        char *json = mem_printf("{\"ref\":\"a/b:1\",%s}", rows[i].rule);
        struct error e = {0};

        fake_engine_make(d, "registry", json);
        assert_false(docker_pull(d, NULL, "a/b:1", NULL, a, NULL, &e));
        if (strcmp(e.id, rows[i].id) != 0 || e.code != rows[i].code)
            fail_msg("%s: %s %d: %s", rows[i].rule, e.id, e.code, e.msg);
        assert_non_null(strstr(e.msg, "a/b:1"));
        assert_true(e.remedy[0] != 0);
    }
    struct error e = {0};

    assert_false(docker_pull(d, NULL, "x y", NULL, a, NULL, &e));
    assert_int_equal(e.code, ERR_USAGE);
    docker_set_patience(d, 60000);
}

static void
archives(void **state)
{
    AUTO(mem_free_ptr) char *tar = file_join(engine.folder, "i.tar");
    AUTO(mem_free_ptr) char *part = mem_printf("%s.part", tar);
    const char *const refs[] = {"a/b:1", "a/c:2", NULL};
    const char *const none[] = {"a/none:1", NULL};
    struct step_run run = {.loop = l};
    struct strlist loaded = {0};
    struct docker_image i;
    struct error e = {0};
    struct stat st;

    (void)state;
    fake_engine_make(d, "images", "{\"ref\":\"a/b:1\"}");
    fake_engine_make(d, "images", "{\"ref\":\"a/c:2\"}");
    OK(docker_image_save(d, &run, refs, tar, err));
    assert_int_equal(stat(tar, &st), 0);
    assert_int_equal(run.done, (uint64_t)st.st_size);
    OK(docker_image_delete(d, NULL, "a/b:1", err));
    OK(docker_image_load(d, &run, tar, &loaded, err));
    assert_int_equal(loaded.n, 2);
    assert_string_equal(loaded.v[0], "a/b:1");
    OK(docker_image(d, NULL, "a/b:1", a, &i, err));
    assert_int_equal(run.done, (uint64_t)st.st_size);
    /* cut, absent, unwritable */
    assert_int_equal(truncate(tar, 5000), 0);
    assert_false(docker_image_load(d, NULL, tar, NULL, &e));
    assert_non_null(strstr(e.msg, "docker-import"));
    assert_false(docker_image_load(d, NULL, "/nowhere.tar", NULL, &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    unlink(tar);
    assert_false(docker_image_save(d, NULL, none, tar, &e));
    assert_int_equal(e.code, ERR_NOT_FOUND);
    fake_engine_misbehave(&engine, "GET /images/get cut 30000\n");
    assert_false(docker_image_save(d, NULL, refs, tar, &e));
    fake_engine_misbehave(&engine, "");
    assert_false(file_exists(tar) || file_exists(part));
    assert_false(docker_image_save(d, NULL, refs, "/nowhere/i.tar", &e));
    assert_int_equal(e.code, ERR_IO);
    strlist_release(&loaded);
    step_run_release(&run);
}

/* A disk that is full while an archive is written. */
static void
full_disk(void **state)
{
    AUTO(mem_free_ptr) char *tar = file_join(engine.folder, "full.tar");
    AUTO(mem_free_ptr) char *part = mem_printf("%s.part", tar);
    const char *const refs[] = {"a/b:1", NULL};
    struct error e = {0};

    (void)state;
    fake_engine_make(d, "images", "{\"ref\":\"a/b:1\"}");
    assert_int_equal(symlink("/dev/full", part), 0);
    assert_false(docker_image_save(d, NULL, refs, tar, &e));
    assert_int_equal(e.code, ERR_IO);
    assert_non_null(strstr(e.msg, "No space left"));
    assert_false(file_exists(tar));
}

/* ---- networks and volumes ---- */

static void
networks(void **state)
{
    struct docker_networks ns;
    struct docker_network n;
    struct docker_volumes v;
    struct error e = {0};

    (void)state;
    make_node("n", "");
    fake_engine_make(d, "containers",
                     "{\"name\":\"reg\",\"state\":\"running\"}");
    fake_engine_make(d, "networks", "{\"name\":\"kind2\"}");
    OK(docker_networks(d, NULL, "kind", a, &ns, err));
    assert_int_equal(ns.n, 1);
    OK(docker_network_connect(d, NULL, "kind", "reg", err));
    OK(docker_network_connect(d, NULL, "kind", "reg", err));
    OK(docker_network(d, NULL, "kind", a, &n, err));
    assert_int_equal(n.containers_n, 2);
    assert_string_equal(n.subnets[0], "172.18.0.0/16");
    assert_false(docker_network_delete(d, NULL, "kind", &e));
    assert_int_equal(e.code, ERR_CONFLICT);
    assert_non_null(strstr(e.msg, "has active endpoints"));
    OK(docker_network_disconnect(d, NULL, "kind", "reg", err));
    OK(docker_network_disconnect(d, NULL, "kind", "reg", err));
    OK(docker_delete(d, NULL, "n", err));
    OK(docker_network_delete(d, NULL, "kind", err));
    OK(docker_network_delete(d, NULL, "kind", err));
    fake_engine_make(d, "volumes",
                     "{\"name\":\"vol\",\"labels\":{\"x\":\"y\"}}");
    OK(docker_volumes(d, NULL, "x=y", a, &v, err));
    assert_int_equal(v.n, 1);
    assert_string_equal(v.v[0].labels[0].value, "y");
    OK(docker_volume_delete(d, NULL, "vol", err));
    OK(docker_volume_delete(d, NULL, "vol", err));
    OK(docker_delete(d, NULL, "reg", err));
}

/* ---- what `up` sees ---- */

static void
step_engine(void **state)
{
    struct step_run run = {.loop = l};
    struct env env;
    struct up up = {.env = &env};
    struct error e = {0};

    (void)state;
    setenv("XDG_STATE_HOME", engine.folder, 1);
    OK(env_open(&env, l, "engine-test", err));
    setenv("DOCKER_HOST", engine.url, 1);
    assert_int_equal(up_engine_check(&up, &run), STEP_IS_DONE);
    assert_non_null(up.docker);
    assert_non_null(strstr(run.detail, "Docker 20.10.24+dfsg1 at unix://"));
    assert_non_null(strstr(run.detail, "4 CPU, 16.0 GiB, cgroup v2"));
    docker_free(up.docker);
    up.docker = NULL;
    /* another profile, which has no engine of its own yet */
    env_release(&env);
    OK(env_open(&env, l, "engine-test", err));
    setenv("DOCKER_HOST", "unix:///nowhere.sock", 1);
    assert_int_equal(up_engine_check(&up, &run), STEP_IS_TODO);
    assert_false(up_engine_open(&up, &run, &e));
    assert_string_equal(e.id, "MT-ENGINE-DOWN");
    unsetenv("DOCKER_HOST");
    env_release(&env);
    step_run_release(&run);
}

static void
misbehaviour_is_an_error(void **state)
{
    static const char *const rules[] = {
        "* /containers html",
        "* /containers garbage",
        "* /containers refuse",
        "* /containers type",
        "* /containers cut 100",
        "* /containers status 403 no",
        "* /containers text 400 client version 1.41 is too old. Minimum "
        "supported API version is 1.44",
    };
    struct docker_containers c;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        struct error e = {0};

        fake_engine_misbehave(&engine, rules[i]);
        assert_false(docker_containers(d, NULL, NULL, a, &c, &e));
        assert_true(e.code && e.msg[0]);
        if (strstr(rules[i], "too old"))
            assert_string_equal(e.id, "MT-ENGINE-API");
    }
    fake_engine_misbehave(&engine, "* /containers slow 5");
    OK(docker_containers(d, NULL, NULL, a, &c, err));
    fake_engine_misbehave(&engine, "");
    OK(docker_containers(d, NULL, NULL, a, &c, err));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(containers),
        cmocka_unit_test(a_delete_is_tried_again),
        cmocka_unit_test(programs),
        cmocka_unit_test(input),
        cmocka_unit_test(files),
        cmocka_unit_test(logs),
        cmocka_unit_test(watches),
        cmocka_unit_test(pulls),
        cmocka_unit_test(pulls_that_fail),
        cmocka_unit_test(archives),
        cmocka_unit_test(full_disk),
        cmocka_unit_test(networks),
        cmocka_unit_test(step_engine),
        cmocka_unit_test(misbehaviour_is_an_error),
    };
    struct error e = {0};
    int failed = 1;

    l = loop_new(NULL);
    a = arena_new();
    if (!fake_engine_start(&engine)) {
        printf("1..1\nok 1 - an engine of our own # SKIP there is no "
               "python3\n");
        failed = 0;
    } else {
        setenv("DOCKER_CONFIG", engine.folder, 1);
        d = docker_open(l, engine.url, NULL, &e);
        if (d)
            failed = cmocka_run_group_tests(tests, NULL, NULL);
        else
            printf("not ok 1 - %s\n", e.msg);
    }
    docker_free(d);
    fake_engine_stop(&engine);
    arena_free(a);
    loop_free(l);
    return failed;
}
