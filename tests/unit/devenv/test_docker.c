/*
 * Finding an engine, agreeing on a version, and answers no engine should give.
 */
#include <sys/stat.h>

#include "lib/base/digest.h"
#include "lib/base/file.h"

#include "devenv/docker_call.h"
#include "devenv/docker_exec.h"
#include "devenv/docker_image.h"
#include "devenv/docker_network.h"
#include "devenv/docker_socket.h"

#include "tests/unit/kube/fake.h"

static struct loop *l;
static struct fake peer;
static struct arena *a;
static char folder[64], sock[96], url[112];

/* What the peer says it is, and its one answer to everything else. */
static struct {
    const char *api, *version;
    int status;
    const char *head;
    struct str body;
    bool leave; /* ends the connection instead */
    bool silent;
    char asked[4096]; /* the head of the last request */
} says;

static void
serve(void *arg, struct fake_conn *c, const struct fake_request *q)
{
    char head[256];

    (void)arg;
    snprintf(says.asked, sizeof(says.asked), "%.*s", STR_ARG(q->head));
    if (str_ends(q->path, STR("/_ping"))) {
        snprintf(head, sizeof(head), "Api-Version: %s\r\n", says.api);
        fake_answer(c, 200, head, STR("OK"));
    } else if (str_ends(q->path, STR("/version"))) {
        fake_answer(c, 200, NULL, str_of(says.version));
    } else if (says.leave) {
        fake_close(c);
    } else if (!says.silent) {
        fake_answer(c, says.status, says.head, says.body);
    }
}

static void
usual(void)
{
    memset(&says, 0, sizeof(says));
    says.api = "1.41";
    says.version = "{\"Version\":\"20.10.24\",\"MinAPIVersion\":\"1.12\"}";
    says.status = 200;
}

static struct docker *
opened(void)
{
    struct error e = {0};
    struct docker *d;

    usual();
    d = docker_open(l, url, NULL, &e);
    if (!d)
        fail_msg("%s", e.msg);
    return d;
}

/* ---- versions ---- */

static void
versions(void **state)
{
    static const struct {
        const char *api, *version, *agreed; /* NULL: refused */
        const char *product;
    } rows[] = {
        {"1.41", "{\"Version\":\"20.10\"}", "1.41", "Docker"},
        {"1.44", "{\"MinAPIVersion\":\"1.24\"}", "1.44", "Docker"},
        {"1.52", "{\"MinAPIVersion\":\"1.44\"}", DOCKER_API_MAX, "Docker"},
        {"1.60", "{\"MinAPIVersion\":\"1.50\"}", NULL, NULL},
        {"1.40", "{}", NULL, NULL},
        {"1.9", "{}", NULL, NULL},
        {"", "{}", NULL, NULL},
        {"abc", "{}", NULL, NULL},
        {"1.41",
         "{\"Version\":\"4.3.1\",\"Components\":[{\"Name\":\"Podman "
         "Engine\"}]}",
         "1.41", "Podman"},
        {"1.41", "{\"Components\":7,\"Version\":[]}", "1.41", "Docker"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct error e = {0};
        struct docker *d;

        usual();
        says.api = rows[i].api;
        says.version = rows[i].version;
        d = docker_open(l, url, NULL, &e);
        if (!rows[i].agreed) {
            assert_null(d);
            assert_string_equal(e.id, "MT-ENGINE-API");
            assert_int_equal(e.code, ERR_UNSUPPORTED);
            continue;
        }
        if (!d)
            fail_msg("%s: %s", rows[i].api, e.msg);
        assert_string_equal(docker_api(d), rows[i].agreed);
        assert_string_equal(docker_product(d), rows[i].product);
        assert_int_equal(docker_is_podman(d), rows[i].product[0] == 'P');
        assert_string_equal(docker_host(d), url);
        assert_string_equal(docker_socket(d), sock);
        docker_free(d);
    }
}

/* ---- where it is looked for ---- */

/* The candidates, one a line, without what this machine may have. */
static void
candidates(struct buf *out)
{
    struct docker_addresses list;
    struct error e = {0};

    if (!docker_addresses(NULL, &list, &e)) {
        buf_printf(out, "%s: %s", e.id, e.msg);
        return;
    }
    for (size_t i = 0; i < list.n; i++)
        buf_printf(out, "%s (%s%s%s%s)\n", list.v[i].url, list.v[i].from,
                   list.v[i].tls ? ", tls " : "",
                   list.v[i].tls ? list.v[i].tls : "",
                   list.v[i].no_check ? ", unchecked" : "");
    docker_addresses_release(&list);
}

static void
clear_environment(void)
{
    static const char *const names[] = {
        "DOCKER_HOST",      "DOCKER_CONTEXT",    "DOCKER_CONFIG",
        "DOCKER_CERT_PATH", "DOCKER_TLS_VERIFY", "COLIMA_PROFILE",
        "XDG_RUNTIME_DIR",
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        unsetenv(names[i]);
    setenv("HOME", folder, 1);
}

static void
put(const char *name, const char *text)
{
    AUTO(mem_free_ptr) char *path = file_join(folder, name);
    AUTO(mem_free_ptr)
    char *dir = mem_strndup(path, (size_t)(strrchr(path, '/') - path));

    assert_true(file_mkdirs(dir, 0700, NULL));
    assert_true(file_write(path, str_of(text), 0600, NULL));
}

static void
put_context(const char *name, const char *meta)
{
    char hex[DIGEST_HEX_MAX], path[256];

    digest_hex(DIGEST_SHA256, str_of(name), hex);
    snprintf(path, sizeof(path), ".docker/contexts/meta/%s/meta.json", hex);
    put(path, meta);
}

/* Sets what pairs say ("NAME=value ..."), and checks what is looked for. */
static void
looks_for(const char *pairs, const char *want)
{
    AUTO(buf_release) struct buf out = BUF_INIT(16384);
    struct str rest = str_of(pairs), pair, name, value;

    clear_environment();
    while (rest.n && str_next(&rest, ' ', &pair)) {
        AUTO(mem_free_ptr) char *n = NULL;
        AUTO(mem_free_ptr) char *v = NULL;

        str_cut(pair, '=', &name, &value);
        n = mem_strndup(name.s, name.n);
        v = mem_strndup(value.s, value.n);
        setenv(n, v, 1);
    }
    candidates(&out);
    if (!strstr(buf_cstr(&out), want))
        fail_msg("%s: <%s> is not in:\n%s", pairs, want, buf_cstr(&out));
}

static void
named_engines(void **state)
{
    char want[512];

    (void)state;
    looks_for("DOCKER_HOST=unix:///x/y.sock",
              "unix:///x/y.sock (DOCKER_HOST)\n");
    looks_for("DOCKER_HOST=tcp://10.0.0.1:2375", "tcp://10.0.0.1:2375 (");
    looks_for("DOCKER_HOST=10.0.0.1:2375", "tcp://10.0.0.1:2375 (");
    looks_for("DOCKER_HOST=tcp://h:2376 DOCKER_TLS_VERIFY=1 "
              "DOCKER_CERT_PATH=/certs",
              "tcp://h:2376 (DOCKER_HOST, tls /certs)");
    looks_for("DOCKER_HOST=ssh://me@host",
              "MT-ENGINE-DOWN: DOCKER_HOST names an engine behind SSH");
    looks_for("DOCKER_HOST=npipe:////./pipe/docker", "MT-ENGINE-DOWN");
    looks_for("DOCKER_HOST=unix://", "MT-ENGINE-DOWN");
    looks_for("DOCKER_HOST=tcp://", "MT-ENGINE-DOWN");
    /* what is named counts alone, before any context */
    looks_for("DOCKER_HOST=unix:///x DOCKER_CONTEXT=other", "unix:///x");
    looks_for("DOCKER_CONTEXT=nothere",
              "MT-ENGINE-DOWN: the docker context nothere cannot be used");
    put_context("colima", "{\"Endpoints\":{\"docker\":{\"Host\":"
                          "\"unix:///c/docker.sock\"}}}");
    looks_for("DOCKER_CONTEXT=colima",
              "unix:///c/docker.sock (context colima)\n");
    put_context("far", "{\"Endpoints\":{\"docker\":{\"Host\":"
                       "\"tcp://far:2376\",\"SkipTLSVerify\":true}}}");
    looks_for("DOCKER_CONTEXT=far",
              "tcp://far:2376 (context far, unchecked)\n");
    put_context("broken", "{\"Endpoints\":");
    looks_for("DOCKER_CONTEXT=broken", "MT-ENGINE-DOWN");
    put_context("empty", "{}");
    looks_for("DOCKER_CONTEXT=empty", "it names no engine");
    put(".docker/config.json", "{\"currentContext\":\"colima\"}");
    looks_for("", "unix:///c/docker.sock (context colima)\n");
    looks_for("DOCKER_CONTEXT=default",
              "unix:///var/run/docker.sock (default)");
    put(".docker/config.json", "{\"currentContext\":\"default\"}");
    looks_for("", "unix:///var/run/docker.sock (default)\n");
    put(".docker/config.json", "{\"currentContext");
    snprintf(want, sizeof(want), "%s/.docker/config.json", folder);
    looks_for("", want);
    put(".docker/config.json", "{}");
}

static void
default_sockets(void **state)
{
    AUTO(buf_release) struct buf out = BUF_INIT(16384);
    char want[1024];

    (void)state;
    for (const char *name = "zdxbyc"; *name; name++) {
        char path[64];

        snprintf(path, sizeof(path), ".colima/%c/docker.sock", *name);
        put(path, "");
    }
    put(".colima/work/docker.sock", "");
    put(".colima/_lima/docker.sock", "");
    put(".colima/default/colima.yaml", "");
    clear_environment();
    setenv("XDG_RUNTIME_DIR", "/rt", 1);
    candidates(&out);
    snprintf(want, sizeof(want),
             "unix:///var/run/docker.sock (default)\n"
             "unix://%s/.docker/run/docker.sock (default)\n"
             "unix://%s/.colima/default/docker.sock (default)\n"
             "unix://%s/.colima/b/docker.sock (default)\n"
             "unix://%s/.colima/c/docker.sock (default)\n"
             "unix://%s/.colima/d/docker.sock (default)\n"
             "unix://%s/.colima/work/docker.sock (default)\n"
             "unix://%s/.colima/x/docker.sock (default)\n"
             "unix://%s/.colima/y/docker.sock (default)\n"
             "unix://%s/.colima/z/docker.sock (default)\n"
             "unix://%s/.config/colima/default/docker.sock (default)\n"
             "unix:///rt/docker.sock (default)\n"
             "unix:///rt/podman/podman.sock (default)\n",
             folder, folder, folder, folder, folder, folder, folder, folder,
             folder, folder);
    if (strncmp(buf_cstr(&out), want, strlen(want)) != 0)
        fail_msg("%s", buf_cstr(&out));
    snprintf(want, sizeof(want), "unix://%s/.colima/work/docker.sock", folder);
    looks_for("COLIMA_PROFILE=work", want);
}

/* The first that answers counts; what was tried is told when none does. */
static void
first_that_answers(void **state)
{
    struct error e = {0};
    struct docker *d;
    char path[256];

    (void)state;
    clear_environment();
    /* whatever this machine has in /var/run is not asked */
    setenv("DOCKER_HOST", "unix:///nowhere/a.sock", 1);
    assert_null(docker_open(l, NULL, NULL, &e));
    assert_string_equal(e.id, "MT-ENGINE-DOWN");
    assert_non_null(strstr(e.msg, "/nowhere/a.sock: it is not there"));
    assert_true(e.remedy[0] != 0);
    snprintf(path, sizeof(path), "unix://%s", sock);
    setenv("DOCKER_HOST", path, 1);
    usual();
    d = docker_open(l, NULL, NULL, &e);
    assert_non_null(d);
    assert_string_equal(docker_source(d), "DOCKER_HOST");
    docker_free(d);
    clear_environment();
}

static void
not_an_engine(void **state)
{
    struct error e = {0};

    (void)state;
    usual();
    says.version = "<html>";
    assert_null(docker_open(l, url, NULL, &e));
    assert_string_equal(e.id, "MT-ENGINE-DOWN");
    assert_non_null(strstr(e.msg, sock));
    says.version = "[]";
    e = (struct error){0};
    struct docker *d = docker_open(l, url, NULL, &e);

    /* a text of the wrong type reads as absent */
    assert_non_null(d);
    assert_string_equal(docker_version(d), "");
    docker_free(d);
}

/* ---- answers no engine should give ---- */

static bool
keep_nothing(void *arg, int stream, struct str line)
{
    (void)arg;
    (void)stream;
    (void)line;
    return true;
}

/* Every call that reads an answer; true where one of them went well. */
static unsigned
all_calls(struct docker *d, struct error *last)
{
    static const char *const argv[] = {"true", NULL};
    struct docker_logs logs = {.on_line = keep_nothing};
    struct docker_exec x = {.argv = argv, .limit_ms = 5000};
    struct docker_containers cs;
    struct docker_container c;
    struct docker_info info;
    struct docker_disk disk;
    struct docker_images is;
    struct docker_image i;
    struct docker_networks ns;
    struct docker_network n;
    struct docker_volumes vs;
    struct buf file = BUF_INIT(4096);
    struct error e[12] = {0};
    int status, k = 0;
    bool ok[] = {
        docker_info(d, NULL, a, &info, &e[0]),
        docker_disk(d, NULL, &disk, &e[1]),
        docker_containers(d, NULL, "x=y", a, &cs, &e[2]),
        docker_container(d, NULL, "x", a, &c, &e[3]),
        docker_logs(d, NULL, "x", &logs, &e[4]),
        docker_exec(d, NULL, "x", &x, &status, NULL, NULL, &e[5]),
        docker_image(d, NULL, "x", a, &i, &e[6]),
        docker_images(d, NULL, "x", a, &is, &e[7]),
        docker_networks(d, NULL, "x", a, &ns, &e[8]),
        docker_network(d, NULL, "x", a, &n, &e[9]),
        docker_volumes(d, NULL, NULL, a, &vs, &e[10]),
        docker_get_file(d, NULL, "x", "/x", &file, &e[11]),
    };
    unsigned well = 0;

    for (size_t m = 0; m < ARRAY_LEN(ok); m++) {
        well |= ok[m] ? 1u << m : 0;
        if (ok[m])
            continue;
        assert_true(e[m].code && e[m].msg[0]);
        k = (int)m;
    }
    *last = e[k];
    buf_release(&file);
    arena_reset(a);
    return well;
}

static void
web_pages(void **state)
{
    struct docker *d = opened();
    struct error e;

    (void)state;
    says.head = "Content-Type: text/html\r\n";
    says.body = STR("<html><body>Please log in</body></html>");
    assert_int_equal(all_calls(d, &e), 0);
    says.status = 502;
    assert_int_equal(all_calls(d, &e), 0);
    assert_non_null(strstr(e.msg, "no engine"));
    assert_null(strchr(e.msg, '<'));
    docker_free(d);
}

/* JSON that is well-formed and of the wrong types, at every level. */
static void
wrong_types(void **state)
{
    static const char *const bodies[] = {
        "null",
        "7",
        "\"text\"",
        "[]",
        "{}",
        "[7,\"x\",[],null,{}]",
        "{\"Volumes\":7,\"State\":[],\"Config\":\"x\",\"Mounts\":{\"a\":1},"
        "\"NetworkSettings\":[],\"Id\":9,\"Containers\":[1],\"IPAM\":7,"
        "\"Images\":\"x\",\"RepoTags\":{},\"RepoDigests\":[7,[]],"
        "\"DriverStatus\":[[],7,[1,2],[\"a\"]],\"SecurityOptions\":[7],"
        "\"Warnings\":{\"x\":\"y\"},\"NCPU\":\"two\",\"MemTotal\":1e400}",
        "[{\"Names\":7,\"Ports\":[7,[],{\"PrivatePort\":\"x\"}],\"Labels\":"
        "[\"a\"],\"Mounts\":\"x\",\"NetworkSettings\":{\"Networks\":"
        "{\"n\":null,\"m\":7}},\"Created\":\"x\",\"State\":{}}]",
        "{\"NetworkSettings\":{\"Ports\":{\"x/tcp\":[{}],\"/\":null,"
        "\"99999999/tcp\":[{\"HostPort\":\"-1\"},7]},\"Networks\":[1]},"
        "\"Config\":{\"Labels\":{\"k\":7}},\"State\":{\"ExitCode\":\"x\"}}",
    };
    struct docker *d = opened();
    struct error e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        says.body = str_of(bodies[i]);
        all_calls(d, &e);
    }
    docker_free(d);
}

static void
hostile_words(void **state)
{
    struct docker *d = opened();
    struct error e = {0};
    struct docker_info info;
    AUTO(buf_release) struct buf big = BUF_INIT(8 << 20);

    (void)state;
    says.status = 500;
    says.body = STR("{\"message\":\"a\\u001b[31mred\\nnew\\u0007 line\"}");
    assert_false(docker_info(d, NULL, a, &info, &e));
    assert_null(strchr(e.msg, 0x1b));
    assert_null(strchr(e.msg, '\n'));
    assert_non_null(strstr(e.msg, "red new line"));
    buf_puts(&big, "{\"message\":\"");
    buf_fill(&big, 'w', 2 << 20);
    buf_puts(&big, "\"}");
    says.body = buf_view(&big);
    assert_false(docker_info(d, NULL, a, &info, &e));
    assert_true(strlen(e.msg) < 700);
    assert_int_equal(e.http, 500);
    says.body = STR("");
    assert_false(docker_info(d, NULL, a, &info, &e));
    assert_non_null(strstr(e.msg, "the engine answered 500 and no reason"));
    says.body = STR("{\"message\":7}");
    assert_false(docker_info(d, NULL, a, &info, &e));
    assert_non_null(strstr(e.msg, "no reason"));
    docker_free(d);
}

static void
huge_and_deep(void **state)
{
    struct docker *d = opened();
    AUTO(buf_release) struct buf big = BUF_INIT(32 << 20);
    struct error e;

    (void)state;
    buf_fill(&big, '[', 100000);
    says.body = buf_view(&big);
    assert_int_equal(all_calls(d, &e) & ~(1u << 4), 0);
    buf_reset(&big);
    buf_puts(&big, "{\"Name\":\"");
    buf_fill(&big, 'x', 17 << 20);
    buf_puts(&big, "\"}");
    says.body = buf_view(&big);
    struct docker_info info;

    assert_false(docker_info(d, NULL, a, &info, &e));
    assert_int_equal(e.code, ERR_LIMIT);
    docker_free(d);
}

static void
causes_are_known(void **state)
{
    static const struct {
        int status;
        const char *words, *id;
        enum err_code code;
    } rows[] = {
        {500,
         "driver failed programming external connectivity on endpoint x: Bind "
         "for 0.0.0.0:80 failed: port is already allocated",
         "MT-PORT-TAKEN", ERR_CONFLICT},
        {500,
         "could not find an available, non-overlapping IPv4 address pool "
         "among the defaults to assign to the network",
         "MT-POOL", ERR_LIMIT},
        {500, "write /var/lib/docker/x: no space left on device",
         "MT-HOST-DISK", ERR_IO},
        {429, "toomanyrequests: You have reached your pull rate limit",
         "MT-NET-RATELIMIT", ERR_DENIED},
        {500,
         "Get \\\"https://x/v2/\\\": x509: certificate signed by unknown "
         "authority",
         "MT-NET-PROXY", ERR_NETWORK},
        {403, "forbidden by policy", "", ERR_DENIED},
        {501, "not here", "", ERR_UNSUPPORTED},
        {418, "teapot", "", ERR_INVALID},
    };
    struct docker *d = opened();
    char body[512];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct error e = {0};

        snprintf(body, sizeof(body), "{\"message\":\"%s\"}", rows[i].words);
        says.status = rows[i].status;
        says.body = str_of(body);
        assert_false(docker_start(d, NULL, "x", &e));
        assert_string_equal(e.id, rows[i].id);
        assert_int_equal(e.code, rows[i].code);
        assert_int_equal(e.http, rows[i].status);
        assert_non_null(strstr(e.msg, "cannot start container x: "));
    }
    docker_free(d);
}

static void
an_engine_that_leaves(void **state)
{
    struct docker *d = opened();
    struct error e = {0};
    struct docker_info info;

    (void)state;
    says.leave = true;
    assert_false(docker_info(d, NULL, a, &info, &e));
    assert_string_equal(e.id, "MT-ENGINE-DOWN");
    assert_int_equal(e.http, 0);
    assert_non_null(strstr(e.msg, sock));
    docker_free(d);
}

static void
stop_soon(void *arg)
{
    *(int *)arg = 1;
}

static void
a_stop_ends_every_wait(void **state)
{
    struct docker *d = opened();
    static const char *const argv[] = {"cat", NULL};
    int flag = 0;
    struct step_run run = {.loop = l, .cancelled = &flag};
    struct docker_info info;
    struct docker_exec x = {.argv = argv, .input = STR("in")};
    struct error e = {0};
    int status;

    (void)state;
    says.silent = true;
    for (int i = 0; i < 3; i++) {
        struct loop_timer *t = loop_timer_add(l, 5, stop_soon, &flag);

        flag = 0;
        e = (struct error){0};
        if (i == 0)
            assert_false(docker_info(d, &run, a, &info, &e));
        else if (i == 1)
            assert_false(docker_pull(d, &run, "a/b:1", NULL, a, NULL, &e));
        else
            assert_false(
                docker_exec(d, &run, "x", &x, &status, NULL, NULL, &e));
        assert_int_equal(e.code, ERR_CANCELLED);
        loop_timer_del(t);
    }
    step_run_release(&run);
    docker_free(d);
}

static void
too_slow(void **state)
{
    struct docker *d = opened();
    struct docker_request q = {
        .path = "/x", .limit_ms = 20, .doing = "wait long"};
    struct error e = {0};

    (void)state;
    says.silent = true;
    assert_false(docker_call(d, NULL, &q, NULL, &e));
    assert_int_equal(e.code, ERR_TIMEOUT);
    assert_string_equal(e.id, "MT-ENGINE-DOWN");
    docker_free(d);
}

/* A credential goes to the engine for its own registry alone, and nowhere
 * else: not into an error, not into a step's log. */
static void
credentials(void **state)
{
    static const struct {
        const char *ref;
        bool sent;
        const char *logged;
    } rows[] = {
        {"reg.example:5000/a/b:1", true, NULL},
        {"reg.example/a/b:1", false, NULL},
        {"kindest/node:1", true, NULL},
        {"gcr.io/a/b:1", false, "helper docker-credential-gcloud"},
        {"ghcr.io/a/b:1", false, NULL},
    };
    struct docker *d = opened();

    (void)state;
    put(".docker/config.json",
        "{\"auths\":{\"reg.example:5000\":{\"username\":\"u\","
        "\"password\":\"s3cret\"},\"https://index.docker.io/v1/\":{"
        "\"auth\":\"bWU6czNjcmV0\"}},\"credHelpers\":{\"gcr.io\":"
        "\"gcloud\"}}");
    says.status = 404;
    says.body = STR("{\"message\":\"not for you\"}");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct step_run run = {.loop = l};
        struct error e = {0};

        assert_false(docker_pull(d, &run, rows[i].ref, NULL, a, NULL, &e));
        assert_int_equal(strstr(says.asked, "X-Registry-Auth: ") != NULL,
                         rows[i].sent);
        assert_int_equal(run.log.n, rows[i].logged ? 1 : 0);
        assert_true(!rows[i].logged || strstr(run.log.v[0], rows[i].logged));
        assert_null(strstr(e.msg, "s3cret"));
        assert_null(strstr(e.remedy, "s3cret"));
        step_run_release(&run);
    }
    put(".docker/config.json", "{\"auths\":{\"x\":{\"auth\":\"czNjcmV0");
    struct step_run run = {.loop = l};
    struct error e = {0};

    assert_false(docker_pull(d, &run, "x/y:1", NULL, a, NULL, &e));
    assert_non_null(strstr(run.log.v[0], "pulling without credentials"));
    assert_null(strstr(run.log.v[0], "czNj"));
    step_run_release(&run);
    put(".docker/config.json", "{}");
    docker_free(d);
}

/* A path or id from a user is one segment, whatever stands in it. */
static void
ids_stay_segments(void **state)
{
    AUTO(buf_release) struct buf path = BUF_INIT(256);

    (void)state;
    docker_segment(&path, "../a/b?c#d e%\n");
    assert_string_equal(buf_cstr(&path), "..%2Fa%2Fb%3Fc%23d%20e%25%0A");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions),
        cmocka_unit_test(named_engines),
        cmocka_unit_test(default_sockets),
        cmocka_unit_test(first_that_answers),
        cmocka_unit_test(not_an_engine),
        cmocka_unit_test(web_pages),
        cmocka_unit_test(wrong_types),
        cmocka_unit_test(hostile_words),
        cmocka_unit_test(huge_and_deep),
        cmocka_unit_test(causes_are_known),
        cmocka_unit_test(an_engine_that_leaves),
        cmocka_unit_test(a_stop_ends_every_wait),
        cmocka_unit_test(too_slow),
        cmocka_unit_test(credentials),
        cmocka_unit_test(ids_stay_segments),
    };
    int failed;

    snprintf(folder, sizeof(folder), "/tmp/meshtop-docker.XXXXXX");
    if (!mkdtemp(folder))
        return 1;
    snprintf(sock, sizeof(sock), "%s/engine.sock", folder);
    snprintf(url, sizeof(url), "unix://%s", sock);
    clear_environment();
    l = loop_new(NULL);
    a = arena_new();
    fake_init_unix(&peer, l, sock, serve, NULL);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    fake_release(&peer);
    arena_free(a);
    loop_free(l);
    file_remove_tree(folder, NULL);
    return failed;
}
