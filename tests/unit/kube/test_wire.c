/* Answers of a real kube-apiserver (tests/wire/kubeapi), played back. */
#include "lib/base/file.h"
#include "lib/base/json.h"

#include "lib/kube/discovery.h"
#include "lib/kube/skim.h"

#include "tests/unit/kube/fake_client.h"
#include "tests/unit/test.h"

#define FOLDER "tests/wire/kubeapi/"

struct exchange {
    struct str method, path;
    int status;
    struct buf head; /* lines that matter, each with \r\n */
    struct buf body;
    unsigned warnings;
    bool cut; /* the recording left a part out */
};

struct reader {
    struct buf text;
    struct str rest;
};

static void
reader_open(struct reader *r, const char *name)
{
    char *path = file_join(FOLDER, name);

    buf_init(&r->text, 1 << 20);
    if (!file_read(path, &r->text, NULL))
        fail_msg("cannot read %s", path);
    r->rest = buf_view(&r->text);
    free(path);
}

static void
exchange_release(struct exchange *x)
{
    buf_release(&x->head);
    buf_release(&x->body);
}

static void
take_head(struct exchange *x, struct str line)
{
    static const char *const keep[] = {"Content-Type", "Retry-After", "Warning",
                                       "Etag"};
    struct str key, value;

    str_cut(line, ':', &key, &value);
    for (size_t i = 0; i < ARRAY_LEN(keep); i++) {
        if (str_eqz(key, keep[i]))
            buf_printf(&x->head, "%.*s\r\n", STR_ARG(line));
    }
    x->warnings += str_eqz(key, "Warning");
}

/* "  0.321 {...}" of a stream, or the line itself. */
static struct str
body_line(struct str line)
{
    size_t brace = str_find(line, STR("{"), 0);

    return str_starts(line, STR(" ")) && brace < 12 ? str_from(line, brace)
                                                    : line;
}

static bool
next_exchange(struct reader *r, struct exchange *x)
{
    struct str line, code, rest;
    bool in_body = false;
    int64_t status = 0;

    *x =
        (struct exchange){.head = BUF_INIT(1 << 20), .body = BUF_INIT(1 << 20)};
    while (str_cut(r->rest, '\n', &line, &r->rest)) {
        if (str_starts(line, STR("> ")) && !x->method.n) {
            str_cut(str_from(line, 2), ' ', &x->method, &rest);
            str_cut(rest, ' ', &x->path, &rest);
        } else if (str_starts(line, STR("< HTTP/"))) {
            str_cut(str_from(line, 2), ' ', &code, &rest);
            str_to_i64(str_sub(rest, 0, 3), &status);
            x->status = (int)status;
        } else if (str_eq(line, STR("<"))) {
            in_body = true;
        } else if (str_starts(line, STR("< ")) && !in_body) {
            take_head(x, str_from(line, 2));
        } else if (str_starts(line, STR("< ("))) {
            x->cut = x->cut || !str_contains(line, STR("end of stream"));
        } else if (str_starts(line, STR("< "))) {
            buf_str(&x->body, body_line(str_from(line, 2)));
            buf_putc(&x->body, '\n');
        } else if (line.n == 0 && x->status) {
            x->cut = x->cut ||
                     str_contains(buf_view(&x->body), STR("bytes in all)\n"));
            return true;
        }
    }
    if (x->status)
        return true;
    exchange_release(x);
    return false;
}

static void
play(void *arg, struct fake_conn *c, const struct fake_request *r)
{
    const struct exchange *x = arg;

    assert_true(str_eq(r->path, x->path));
    fake_answer(c, x->status, buf_cstr(&x->head), buf_view(&x->body));
}

/* Every refusal becomes an error with the server's words and a code; every
 * answer comes through whole. */
static void
answers(void **state)
{
    static const char *const files[] = {
        "03-list-chunks.txt", "07-gone.txt", "08-server-side-apply.txt",
        "09-writes.txt",      "13-auth.txt", "14-too-many-requests.txt",
        "06-watchlist.txt"};
    unsigned played = 0, refused = 0, warned = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct reader r;
        struct exchange x;

        for (reader_open(&r, files[i]); next_exchange(&r, &x);
             exchange_release(&x)) {
            char *path = mem_strndup(x.path.s, x.path.n);
            struct kube_request q = {.verb = KUBE_RAW_GET, .path = path};
            struct json *said = json_parse(buf_view(&x.body), NULL, NULL);
            const char *message = json_get_string(said, "message");
            struct kube_answer a = {0};
            struct error err = {0};

            /* What says Retry-After is asked again; test_client has that. */
            if (x.status != 429) {
                peer.arg = &x;
                played++;
                assert_int_equal(kube_client_wait(client, &q, &a, &err),
                                 x.status / 100 == 2);
                assert_int_equal(a.http, x.status);
                assert_int_equal(a.warnings.n, x.warnings);
                warned += x.warnings;
            }
            if (x.status / 100 != 2 && x.status != 429) {
                refused++;
                assert_int_equal(err.http, x.status);
                assert_int_not_equal(err.code, ERR_NONE);
                assert_int_not_equal(err.code, ERR_INTERNAL);
                if (message && !x.cut)
                    assert_string_equal(a.status.message, message);
            }
            kube_answer_release(&a);
            json_free(said);
            free(path);
        }
        buf_release(&r.text);
    }
    assert_true(played > 60 && refused > 30 && warned >= 3);
}

/* Every event of the recorded watches is understood. */
static void
events(void **state)
{
    static const char *const files[] = {"05-watch-bookmarks.txt",
                                        "06-watchlist.txt", "07-gone.txt"};
    struct arena *arena = arena_new();
    unsigned n = 0, bookmarks = 0, ends = 0, gone = 0;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct reader r;
        struct exchange x;

        for (reader_open(&r, files[i]); next_exchange(&r, &x);
             exchange_release(&x)) {
            struct str rest = buf_view(&x.body), line, type, object;

            while (str_next(&rest, '\n', &line)) {
                struct kube_skim s;

                if (!str_starts(line, STR("{\"type\"")))
                    continue;
                n++;
                assert_true(kube_skim_event(line, &type, &object, NULL));
                assert_true(kube_skim_object(object, arena, &s, NULL));
                assert_true(s.o.version.n > 0 || s.code == 410);
                bookmarks += str_eqz(type, "BOOKMARK");
                ends += s.initial_end;
                gone += s.code == 410 && str_eqz(s.reason, "Expired");
                if (!str_eqz(type, "BOOKMARK") && !s.code)
                    assert_true(s.o.name.n > 0 && s.o.uid.n == 36 &&
                                s.o.created_s > 0);
            }
        }
        buf_release(&r.text);
    }
    arena_free(arena);
    assert_true(n >= 15 && bookmarks >= 3 && ends >= 2 && gone == 1);
}

/* ---- discovery ---- */

struct documents {
    struct exchange *v[8];
    size_t n;
    unsigned asked;
};

static void
serve_documents(void *arg, struct fake_conn *c, const struct fake_request *r)
{
    struct documents *d = arg;

    d->asked++;
    for (size_t i = 0; i < d->n; i++) {
        if (str_eq(d->v[i]->path, r->path)) {
            fake_answer(c, d->v[i]->status, buf_cstr(&d->v[i]->head),
                        buf_view(&d->v[i]->body));
            return;
        }
    }
    fake_answer(c, 404, "Content-Type: text/plain\r\n",
                STR("404 page not found\n"));
}

static const char *
found(const struct kube_discovery *d, const char *word)
{
    static char text[200];
    const struct kube_kind *k = kube_discovery_find(d, word, NULL);

    snprintf(text, sizeof(text), "%s %s/%s", k ? k->kind : "-",
             k ? k->gvr.group : "", k ? k->gvr.version : "");
    return text;
}

/* Two requests, and words mean what they mean to kubectl. */
static void
aggregated(void **state)
{
    struct kube_discovery *d = kube_discovery_new(client);
    struct documents docs = {0};
    struct exchange api, apis;
    struct reader r;
    const struct kube_kind *k;

    (void)state;
    reader_open(&r, "01-aggregated-discovery.txt");
    assert_true(next_exchange(&r, &api) && next_exchange(&r, &apis));
    docs.v[docs.n++] = &api;
    docs.v[docs.n++] = &apis;
    peer.fn = serve_documents;
    peer.arg = &docs;
    assert_true(kube_discovery_wait(d, false, NULL));
    assert_int_equal(docs.asked, 2);
    assert_string_equal(found(d, "configmaps"), "ConfigMap /v1");
    assert_string_equal(found(d, "ConfigMap"), "ConfigMap /v1");
    assert_string_equal(found(d, "CM"), "ConfigMap /v1");
    assert_string_equal(found(d, "crd"),
                        "CustomResourceDefinition apiextensions.k8s.io/v1");
    assert_string_equal(found(d, "crd.apiextensions.k8s.io"),
                        "CustomResourceDefinition apiextensions.k8s.io/v1");
    assert_string_equal(
        found(d, "customresourcedefinitions.v1.apiextensions.k8s.io"),
        "CustomResourceDefinition apiextensions.k8s.io/v1");
    assert_string_equal(found(d, "crd.v2.apiextensions.k8s.io"), "- /");
    assert_string_equal(found(d, "nosuch"), "- /");
    assert_string_equal(found(d, ""), "- /");
    k = kube_discovery_of(d, STR("v1"), STR("Namespace"));
    assert_non_null(k);
    assert_false(k->namespaced);
    assert_true(k->verbs & KUBE_CAN_WATCH);
    assert_ptr_equal(kube_discovery_gvr(d, &k->gvr), k);
    assert_string_equal(kube_discovery_category(d, "api-extensions", 0)->kind,
                        "CustomResourceDefinition");
    assert_null(kube_discovery_category(d, "api-extensions", 1));
    /* a second load keeps the kinds where they are */
    assert_true(kube_discovery_wait(d, true, NULL));
    assert_ptr_equal(kube_discovery_of(d, STR("v1"), STR("Namespace")), k);
    kube_discovery_free(d);
    exchange_release(&api);
    exchange_release(&apis);
    buf_release(&r.text);
}

struct page {
    const char *path;
    int status;
    const char *body;
};

static void
serve_pages(void *arg, struct fake_conn *c, const struct fake_request *r)
{
    for (const struct page *p = arg; p->path; p++) {
        if (str_eqz(r->path, p->path)) {
            fake_answer(c, p->status, NULL, str_of(p->body));
            return;
        }
    }
    fake_answer(c, 404, NULL, STR(""));
}

/* An older server: a document for each group version; one that is down is
 * named and left out. */
static void
legacy(void **state)
{
    static const struct page pages[] = {
        {"/api", 200, "{\"kind\":\"APIVersions\",\"versions\":[\"v1\"]}"},
        {"/apis", 200,
         "{\"kind\":\"APIGroupList\",\"groups\":[{\"name\":\"down.io\","
         "\"versions\":[{\"version\":\"v1\"}]},{\"name\":\"x.io\","
         "\"versions\":[{\"version\":\"v2\"},{\"version\":\"v1\"}],"
         "\"preferredVersion\":{\"version\":\"v2\"}}]}"},
        {"/api/v1", 200,
         "{\"resources\":[{\"name\":\"things\",\"kind\":\"Thing\","
         "\"namespaced\":true,\"verbs\":[\"list\"],\"shortNames\":[\"t\"]},"
         "{\"name\":\"things/status\",\"kind\":\"Thing\"}]}"},
        {"/apis/x.io/v2", 200,
         "{\"resources\":[{\"name\":\"things\",\"kind\":\"Thing\"}]}"},
        {"/apis/x.io/v1", 200,
         "{\"resources\":[{\"name\":\"olds\",\"kind\":\"Old\"},"
         "{\"name\":\"things\",\"kind\":\"Thing\"}]}"},
        {0}};
    struct kube_discovery *d = kube_discovery_new(client);

    (void)state;
    peer.fn = serve_pages;
    peer.arg = (void *)(uintptr_t)pages;
    assert_true(kube_discovery_wait(d, false, NULL));
    assert_string_equal(found(d, "thing"), "Thing /v1");
    assert_true(kube_discovery_find(d, "t", NULL)->has_status);
    assert_string_equal(found(d, "things.x.io"), "Thing x.io/v2");
    assert_string_equal(found(d, "things.v1.x.io"), "Thing x.io/v1");
    assert_string_equal(found(d, "old"), "Old x.io/v1");
    assert_non_null(strstr(kube_discovery_problem(d), "down.io"));
    kube_discovery_free(d);
}

static void
bad_documents(void **state)
{
    static const struct page pages[] = {
        {"/api", 200, "<html>"}, {"/apis", 200, "{}"}, {0}};
    struct kube_discovery *d = kube_discovery_new(client);
    struct error err = {0};

    (void)state;
    peer.fn = serve_pages;
    peer.arg = (void *)(uintptr_t)pages;
    assert_false(kube_discovery_wait(d, false, &err));
    assert_int_equal(err.code, ERR_PARSE);
    assert_false(kube_discovery_loaded(d));
    kube_discovery_free(d);
}

static int
setup(void **state)
{
    (void)state;
    fake_client_up(play, "d");
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers),       cmocka_unit_test(events),
        cmocka_unit_test(aggregated),    cmocka_unit_test(legacy),
        cmocka_unit_test(bad_documents),
    };

    return cmocka_run_group_tests(tests, setup, fake_client_teardown);
}
