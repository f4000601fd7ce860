/* Discovery: from disk, against the server, and what words mean. */
#include <fcntl.h>
#include <sys/stat.h>

#include "lib/base/file.h"

#include "lib/kube/discovery.h"
#include "lib/kube/discovery_disk.h"

#include "tests/unit/kube/fake.h"
#include "tests/unit/test.h"

static struct loop *l;
static struct fake peer;
static char folder[] = "/tmp/meshtop-discovery-XXXXXX";
static struct buf seen; /* "PATH[ etag]\n" of every request */
static const char *extra;
static bool legacy, down;

#define KIND(name, kind, singular, shorts)                                     \
    "{\"resource\":\"" name "\",\"responseKind\":{\"kind\":\"" kind            \
    "\"},\"scope\":\"Namespaced\",\"singularResource\":\"" singular            \
    "\",\"verbs\":[\"get\",\"list\"],\"shortNames\":[" shorts "]}"
#define GROUP(name, version, kinds)                                            \
    "{\"metadata\":{\"name\":\"" name                                          \
    "\"},\"versions\":[{\"version\":\"" version "\",\"resources\":[" kinds     \
    "]}]}"
#define LIST(items)                                                            \
    "{\"kind\":\"APIGroupDiscoveryList\",\"apiVersion\":\"apidiscovery.k8s."   \
    "io/v2\",\"items\":[" items "]}"

/* clang-format off */
static const char core[] =
    LIST(GROUP("", "v1",
               KIND("pods", "Pod", "pod", "\"po\"") ","
               KIND("events", "Event", "event", "\"ev\"")));
static const char groups[] =
    LIST("{\"metadata\":{\"name\":\"apps\"},\"versions\":[{\"version\":\"v1\","
         "\"resources\":["
         KIND("deployments", "Deployment", "deployment", "\"deploy\"")
         "]},{\"version\":\"v1beta1\",\"resources\":["
         KIND("deployments", "Deployment", "deployment", "") ","
         KIND("olds", "Old", "old", "") "]}]},"
         GROUP("events.k8s.io", "v1",
               KIND("events", "Event", "event", "\"ev\"")) ","
         GROUP("storage.k8s.io", "v1",
               KIND("storageclasses", "StorageClass", "storageclass",
                    "\"sc\"")) ","
         GROUP("twins.io", "v1",
               KIND("lefts", "Twin", "twin", "") ","
               KIND("rights", "Twin", "twin", "")));
static const char groups_more[] =
    LIST(GROUP("apps", "v1",
               KIND("deployments", "Deployment", "deployment",
                    "\"deploy\"")) ","
         GROUP("x.io", "v1", KIND("widgets", "Widget", "widget", "")));
/* clang-format on */

static void
answer(struct fake_conn *c, const struct fake_request *r, const char *body)
{
    char tag[32], head[200];

    snprintf(tag, sizeof(tag), "\"%zx\"", strlen(body));
    snprintf(head, sizeof(head),
             "Content-Type: application/json\r\nETag: %s\r\n", tag);
    buf_printf(&seen, "%.*s", STR_ARG(r->path));
    if (str_contains(r->head, STR("If-None-Match: ")))
        buf_puts(&seen, " etag");
    buf_putc(&seen, '\n');
    if (str_contains(r->head, str_of(tag)))
        fake_answer(c, 304, head, STR(""));
    else
        fake_answer(c, 200, head, str_of(body));
}

static void
serve(void *arg, struct fake_conn *c, const struct fake_request *r)
{
    (void)arg;
    if (down)
        fake_answer(c, 500, NULL, STR("down"));
    else if (str_eq(r->path, STR("/api")))
        answer(c, r,
               legacy ? "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"]}"
                      : core);
    else if (str_eq(r->path, STR("/apis")))
        answer(c, r,
               legacy ? "{\"kind\":\"APIGroupList\",\"groups\":[]}" : extra);
    else if (str_eq(r->path, STR("/api/v1")))
        answer(c, r,
               "{\"kind\":\"APIResourceList\",\"resources\":[{\"name\":\"pods\""
               ",\"kind\":\"Pod\",\"singularName\":\"pod\",\"verbs\":[]}]}");
    else
        fake_answer(c, 404, NULL, STR("404 page not found"));
}

struct session {
    struct kube_client *c;
    struct kube_discovery *d;
};

static void
open_session(struct session *s, const char *cache)
{
    struct kube_access a = {.server = peer.url, .ns = (char *)"d"};
    struct kube_client_options o = {.cache_dir = cache};

    s->c = kube_client_new(l, &a, &o, NULL);
    s->d = kube_discovery_new(s->c);
    buf_reset(&seen);
}

static void
close_session(struct session *s)
{
    kube_discovery_free(s->d);
    kube_client_free(s->c);
}

/* Fills the cache; the folder of its documents, which the caller frees. */
static char *
fill(void)
{
    struct session s;
    struct error err = {0};

    legacy = down = false;
    extra = groups;
    assert_true(file_remove_tree(folder, NULL));
    open_session(&s, folder);
    assert_true(kube_discovery_wait(s.d, false, &err));
    close_session(&s);
    return kube_disk_folder(folder, peer.url, NULL);
}

static void
on_loaded(void *arg, const struct error *err)
{
    bool *done = arg;

    assert_null(err);
    *done = true;
}

static void
on_news(void *arg)
{
    ++*(int *)arg;
}

/* The second start answers before the server is heard, then hears 304. */
static void
warm(void **state)
{
    char *docs = fill();
    struct session s;
    struct stat st;
    bool done = false;
    int news = 0;

    (void)state;
    assert_int_equal(stat(docs, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    open_session(&s, folder);
    assert_true(kube_discovery_load(s.d, on_loaded, &done, NULL));
    assert_false(done); /* never inside the call */
    kube_discovery_on_news(s.d, on_news, &news);
    fake_until(l, &done);
    assert_int_equal(seen.n, 0);
    assert_true(kube_discovery_stale(s.d));
    assert_non_null(kube_discovery_find(s.d, "deploy", NULL));
    assert_true(kube_discovery_wait(s.d, false, NULL));
    assert_int_equal(seen.n, strlen("/api etag\n/apis etag\n"));
    assert_non_null(strstr(buf_cstr(&seen), "/api etag\n"));
    assert_non_null(strstr(buf_cstr(&seen), "/apis etag\n"));
    assert_false(kube_discovery_stale(s.d));
    assert_int_equal(news, 0);
    close_session(&s);
    free(docs);
}

/* What the server serves by now comes in from behind, and is told. */
static void
changed(void **state)
{
    char *docs = fill();
    struct session s;
    bool done = false;
    int news = 0;

    (void)state;
    extra = groups_more;
    open_session(&s, folder);
    assert_true(kube_discovery_load(s.d, on_loaded, &done, NULL));
    kube_discovery_on_news(s.d, on_news, &news);
    fake_until(l, &done);
    assert_null(kube_discovery_find(s.d, "widget", NULL));
    assert_non_null(kube_discovery_seek(s.d, "widget", NULL));
    assert_int_equal(news, 1);
    assert_null(kube_discovery_find(s.d, "sc", NULL));
    close_session(&s);
    /* and stands on disk for the next */
    open_session(&s, folder);
    assert_non_null(kube_discovery_seek(s.d, "widgets.x.io", NULL));
    assert_true(kube_discovery_stale(s.d));
    close_session(&s);
    free(docs);
}

/* Whatever stands where a document should: it is as if nothing did. */
static void
damaged(void **state)
{
    static const char *const texts[] = {"", "x", "meshtop discovery 1\n",
                                        "meshtop discovery 1\ne\nh\n\n{}",
                                        "meshtop discovery 2\n\n\n\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts) + 5; i++) {
        char *docs = fill(), *apis = file_join(docs, "_apis");
        char *apis_ok = file_join(docs, "apis");
        struct session s;
        int fd;

        if (file_exists(apis_ok)) {
            free(apis);
            apis = apis_ok;
        } else {
            free(apis_ok);
        }
        assert_true(file_exists(apis));
        if (i < ARRAY_LEN(texts)) {
            assert_true(file_write(apis, str_of(texts[i]), 0600, NULL));
        } else if (i == ARRAY_LEN(texts)) { /* one byte of the body */
            fd = open(apis, O_WRONLY);
            assert_int_equal(pwrite(fd, "X", 1, 200), 1);
            close(fd);
        } else if (i == ARRAY_LEN(texts) + 1) { /* others may write */
            chmod(apis, 0666);
        } else if (i == ARRAY_LEN(texts) + 2) { /* from the future */
            utimensat(AT_FDCWD, apis,
                      (struct timespec[]){{.tv_sec = 9999999999},
                                          {.tv_sec = 9999999999}},
                      0);
        } else if (i == ARRAY_LEN(texts) + 3) { /* past its time */
            utimensat(AT_FDCWD, apis,
                      (struct timespec[]){{.tv_sec = 1}, {.tv_sec = 1}}, 0);
        } else { /* a link */
            unlink(apis);
            assert_int_equal(symlink("/etc/passwd", apis), 0);
        }
        open_session(&s, folder);
        assert_non_null(kube_discovery_seek(s.d, "deploy", NULL));
        assert_false(kube_discovery_stale(s.d));
        close_session(&s);
        /* mended for the next */
        open_session(&s, folder);
        assert_non_null(kube_discovery_seek(s.d, "deploy", NULL));
        if (i != ARRAY_LEN(texts) + 4 && !kube_discovery_stale(s.d))
            fail_msg("%zu: not mended", i);
        close_session(&s);
        free(apis);
        free(docs);
    }
}

/* A cache that cannot be written is no trouble; a cache is per server. */
static void
nowhere(void **state)
{
    struct session s;
    char *a = kube_disk_folder("/c", "https://h:1/p", NULL);
    char *b = kube_disk_folder("/c", "https://h:1/p", "other CA");

    (void)state;
    legacy = down = false;
    extra = groups;
    open_session(&s, "/proc/nowhere");
    assert_non_null(kube_discovery_seek(s.d, "deploy", NULL));
    assert_false(kube_discovery_stale(s.d));
    close_session(&s);
    assert_int_equal(strncmp(a, "/c/discovery/h_1-", 17), 0);
    assert_string_not_equal(a, b);
    free(a);
    free(b);
}

/* The server is gone: what is on disk still names kinds; a word that is not
 * there cannot be asked for. */
static void
server_down(void **state)
{
    char *docs = fill();
    struct session s;
    struct error err = {0};

    (void)state;
    down = true;
    open_session(&s, folder);
    assert_non_null(kube_discovery_seek(s.d, "po", NULL));
    assert_null(kube_discovery_seek(s.d, "nothing", &err));
    assert_int_equal(err.http, 500);
    close_session(&s);
    down = false;
    free(docs);
}

/* A server without aggregated documents: one request a group version, and from
 * disk none. */
static void
old_server(void **state)
{
    struct session s;
    bool done = false;

    (void)state;
    assert_true(file_remove_tree(folder, NULL));
    legacy = true;
    for (int i = 0; i < 2; i++) {
        open_session(&s, folder);
        done = false;
        assert_true(kube_discovery_load(s.d, on_loaded, &done, NULL));
        fake_until(l, &done);
        assert_int_equal(seen.n != 0, i == 0);
        assert_non_null(kube_discovery_find(s.d, "pod", NULL));
        close_session(&s);
    }
    legacy = false;
}

static void
words(void **state)
{
    static const struct {
        const char *word, *want; /* "resource.version.group" */
        enum err_code code;
    } rows[] = {
        {"pods", "pods.v1.", 0},
        {"POD", "pods.v1.", 0},
        {"po", "pods.v1.", 0},
        {"events", "events.v1.", 0}, /* the core group first */
        {"ev", "events.v1.", 0},
        {"events.events.k8s.io", "events.v1.events.k8s.io", 0},
        {"events.events", "events.v1.events.k8s.io", 0},
        {"Deployment", "deployments.v1.apps", 0},
        {"deployments.v1beta1.apps", "deployments.v1beta1.apps", 0},
        {"deploy.apps", "deployments.v1.apps", 0},
        {"deployments.v7.apps", NULL, ERR_NOT_FOUND},
        {"olds", "olds.v1beta1.apps", 0}, /* only an older version has it */
        {"storageclass.storage", "storageclasses.v1.storage.k8s.io", 0},
        {"sc.storage.k8s", "storageclasses.v1.storage.k8s.io", 0},
        {"twin", NULL, ERR_CONFLICT},
        {"lefts", "lefts.v1.twins.io", 0},
        {"podz", NULL, ERR_NOT_FOUND},
        {"", NULL, ERR_NOT_FOUND},
        {".", NULL, ERR_NOT_FOUND},
        {"pods.", "pods.v1.", 0},
    };
    struct session s;

    (void)state;
    legacy = down = false;
    extra = groups;
    open_session(&s, NULL);
    assert_true(kube_discovery_wait(s.d, false, NULL));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct error err = {0};
        const struct kube_kind *k =
            kube_discovery_find(s.d, rows[i].word, &err);
        char got[200] = "";

        if (k)
            snprintf(got, sizeof(got), "%s.%s.%s", k->gvr.resource,
                     k->gvr.version, k->gvr.group);
        if (strcmp(got, rows[i].want ? rows[i].want : "") != 0 ||
            (!k && err.code != rows[i].code))
            fail_msg("%s: %s (%s)", rows[i].word, got, err.msg);
        if (err.code == ERR_CONFLICT)
            assert_non_null(
                strstr(err.msg, "lefts.v1.twins.io, rights.v1.twins.io"));
        if (strcmp(rows[i].word, "podz") == 0)
            assert_non_null(strstr(err.remedy, "\"pods\""));
    }
    close_session(&s);
}

static int
setup(void **state)
{
    (void)state;
    l = loop_new(NULL);
    buf_init(&seen, 1 << 20);
    fake_init(&peer, l, serve, NULL);
    return mkdtemp(folder) ? 0 : -1;
}

static int
teardown(void **state)
{
    (void)state;
    fake_release(&peer);
    buf_release(&seen);
    loop_free(l);
    return file_remove_tree(folder, NULL) ? 0 : -1;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(warm),        cmocka_unit_test(changed),
        cmocka_unit_test(damaged),     cmocka_unit_test(nowhere),
        cmocka_unit_test(server_down), cmocka_unit_test(old_server),
        cmocka_unit_test(words),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
