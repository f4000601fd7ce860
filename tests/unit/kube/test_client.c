#include <sys/stat.h>

#include "lib/base/file.h"

#include "tests/unit/kube/fake_client.h"
#include "tests/unit/test.h"

static struct buf seen; /* "METHOD path\n" of every request, then bodies */

static const struct kube_gvr things = {"x.io", "v1", "things"};

static struct kube_client *
client_of(const char *token, bool read_only)
{
    struct kube_access a = {
        .server = peer.url, .ns = (char *)"d", .token = (char *)token};
    struct kube_client_options o = {.read_only = read_only};

    return kube_client_new(l, &a, &o, NULL);
}

static void
note(const struct fake_request *r)
{
    buf_printf(&seen, "%.*s %.*s\n", STR_ARG(r->method), STR_ARG(r->path));
    if (r->body.n)
        buf_printf(&seen, "%.*s\n", STR_ARG(r->body));
}

static void
echo(void *arg, struct fake_conn *c, const struct fake_request *r)
{
    (void)arg;
    note(r);
    fake_answer(c, 200, NULL, STR("{\"kind\":\"T\"}\n"));
}

static void
serve(fake_fn *fn, void *arg)
{
    peer.fn = fn;
    peer.arg = arg;
    peer.requests = 0;
    buf_reset(&seen);
}

/* Each verb's method, path, query and body. */
static void
verbs(void **state)
{
    static const struct {
        struct kube_request r;
        const char *want;
    } rows[] = {
        {{.gvr = {"x.io", "v1", "things"}, .ns = "d", .name = "n"},
         "GET /apis/x.io/v1/namespaces/d/things/n\n"},
        {{.gvr = {"", "v1", "pods"}, .label_selector = "a=b"},
         "GET /api/v1/pods?labelSelector=a%3Db\n"},
        {{.verb = KUBE_CREATE,
          .gvr = {"x.io", "v1", "things"},
          .ns = "d",
          .body = {"{}", 2},
          .dry_run = true},
         "POST /apis/x.io/v1/namespaces/d/things?fieldManager=meshtop&"
         "fieldValidation=Warn&dryRun=All\n{}\n"},
        {{.verb = KUBE_UPDATE,
          .gvr = {"x.io", "v1", "things"},
          .name = "n",
          .sub = "status",
          .strict = true,
          .field_manager = "me",
          .body = {"{}", 2}},
         "PUT /apis/x.io/v1/things/n/status?fieldManager=me&"
         "fieldValidation=Strict\n{}\n"},
        {{.verb = KUBE_PATCH,
          .patch = KUBE_PATCH_APPLY,
          .gvr = {"x.io", "v1", "things"},
          .name = "n",
          .force = true,
          .body = {"a: b", 4}},
         "PATCH /apis/x.io/v1/things/n?fieldManager=meshtop&"
         "fieldValidation=Warn&force=true\na: b\n"},
        {{.verb = KUBE_DELETE,
          .gvr = {"x.io", "v1", "things"},
          .name = "n",
          .if_uid = "u",
          .propagation = KUBE_PROPAGATE_FOREGROUND},
         "DELETE /apis/x.io/v1/things/n\n{\"kind\":\"DeleteOptions\","
         "\"apiVersion\":\"v1\",\"propagationPolicy\":\"Foreground\","
         "\"preconditions\":{\"uid\":\"u\"}}\n"},
        {{.verb = KUBE_DELETE,
          .gvr = {"", "v1", "pods"},
          .ns = "d",
          .name = "n",
          .if_uid = "u",
          .if_version = "7",
          .grace = true,
          .propagation = KUBE_PROPAGATE_ORPHAN},
         "DELETE /api/v1/namespaces/d/pods/n\n{\"kind\":\"DeleteOptions\","
         "\"apiVersion\":\"v1\",\"propagationPolicy\":\"Orphan\","
         "\"gracePeriodSeconds\":0,\"preconditions\":{\"uid\":\"u\","
         "\"resourceVersion\":\"7\"}}\n"},
        {{.verb = KUBE_DELETE_ALL,
          .gvr = {"x.io", "v1", "things"},
          .ns = "d",
          .propagation = KUBE_PROPAGATE_BACKGROUND,
          .field_selector = "metadata.name!=x",
          .label_selector = "a in (b,c)"},
         "DELETE /apis/x.io/v1/namespaces/d/things?labelSelector="
         "a%20in%20%28b%2Cc%29&fieldSelector=metadata.name%21%3Dx\n"
         "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\","
         "\"propagationPolicy\":\"Background\"}\n"},
        {{.verb = KUBE_PATCH,
          .patch = KUBE_PATCH_STRATEGIC,
          .gvr = {"apps", "v1", "deployments"},
          .ns = "d",
          .name = "n",
          .sub = "scale",
          .validation = KUBE_VALIDATION_IGNORE,
          .body = {"{}", 2}},
         "PATCH /apis/apps/v1/namespaces/d/deployments/n/scale?"
         "fieldManager=meshtop&fieldValidation=Ignore\n{}\n"},
        {{.gvr = {"", "v1", "pods"},
          .at_version = "5",
          .version_match = "Exact"},
         "GET /api/v1/pods?resourceVersion=5&resourceVersionMatch=Exact\n"},
        {{.verb = KUBE_RAW_GET, .path = "/version?x=y"}, "GET /version?x=y\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct kube_answer a;
        struct error err = {0};

        serve(echo, NULL);
        assert_true(kube_client_wait(client, &rows[i].r, &a, &err));
        assert_string_equal(buf_cstr(&seen), rows[i].want);
        assert_string_equal(a.body, "{\"kind\":\"T\"}");
        kube_answer_release(&a);
    }
}

static void
doors(void **state)
{
    static const struct {
        struct kube_request r;
        bool read_only;
        enum err_code code;
    } rows[] = {
        {{.verb = KUBE_DELETE, .name = "n", .dry_run = true},
         false,
         ERR_UNSUPPORTED},
        {{.verb = KUBE_DELETE, .name = "n"}, true, ERR_DENIED},
        {{.verb = KUBE_CREATE}, true, ERR_DENIED},
        {{.verb = KUBE_UPDATE, .name = "n"}, true, ERR_DENIED},
        {{.verb = KUBE_PATCH, .name = "n"}, true, ERR_DENIED},
        {{.verb = KUBE_DELETE}, false, ERR_USAGE}, /* no whole collections */
        {{.verb = KUBE_DELETE_ALL, .name = "n"}, false, ERR_USAGE},
        {{.verb = KUBE_DELETE_ALL, .dry_run = true}, false, ERR_UNSUPPORTED},
        {{.verb = KUBE_DELETE_ALL}, true, ERR_DENIED},
        {{.verb = KUBE_PATCH, .name = ""}, false, ERR_USAGE},
        {{.verb = KUBE_RAW_GET, .path = "x"}, false, ERR_USAGE},
        {{.verb = KUBE_GET, .name = "a/b"}, false, ERR_USAGE},
    };
    struct kube_client *reader = client_of(NULL, true);

    (void)state;
    serve(echo, NULL);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct kube_request r = rows[i].r;
        struct error err = {0};

        r.gvr = things;
        assert_false(kube_client_wait(rows[i].read_only ? reader : client, &r,
                                      NULL, &err));
        assert_int_equal(err.code, rows[i].code);
    }
    assert_int_equal(peer.requests, 0);
    /* a dry run changes nothing and is allowed */
    assert_true(kube_client_wait(reader,
                                 &(struct kube_request){.verb = KUBE_CREATE,
                                                        .gvr = things,
                                                        .dry_run = true},
                                 NULL, NULL));
    kube_client_free(reader);
}

/* ---- lists ---- */

static void
pages(void *arg, struct fake_conn *c, const struct fake_request *r)
{
    (void)arg;
    note(r);
    switch (peer.requests) {
    case 1:
        fake_answer(c, 200, NULL,
                    STR("{\"metadata\":{\"resourceVersion\":\"5\","
                        "\"continue\":\"t/1\"},\"items\":[{\"a\":1},2]}"));
        break;
    case 2:
        fake_answer(c, 410, NULL,
                    STR("{\"kind\":\"Status\",\"reason\":\"Expired\","
                        "\"metadata\":{\"continue\":\"t2\"},\"message\":"
                        "\"old\"}"));
        break;
    default:
        fake_answer(c, 200, NULL,
                    STR("{\"items\":[\"x\"],\"metadata\":{"
                        "\"resourceVersion\":\"6\"}}"));
    }
}

static bool
collect(void *arg, struct str item)
{
    buf_printf(arg, "<%.*s>", STR_ARG(item));
    return item.n != 1 || *item.s != 's';
}

static void
lists(void **state)
{
    struct kube_request r = {.gvr = things, .page = 2};
    struct buf items = BUF_INIT(1000);
    struct error err = {0};

    (void)state;
    serve(pages, NULL);
    assert_true(kube_client_wait_list(client, &r, collect, &items, &err));
    assert_string_equal(buf_cstr(&items), "<{\"a\":1}><2><\"x\">");
    assert_string_equal(buf_cstr(&seen),
                        "GET /apis/x.io/v1/things?limit=2\n"
                        "GET /apis/x.io/v1/things?limit=2&continue=t%2F1\n"
                        "GET /apis/x.io/v1/things?limit=2&continue=t2\n");
    buf_release(&items);
}

static void
reply_raw(void *arg, struct fake_conn *c, const struct fake_request *r)
{
    (void)r;
    fake_answer(c, 200, NULL, str_of(arg));
}

static void
bad_lists(void **state)
{
    static const char *const bodies[] = {
        "", "[]", "{\"items\":[1,", "{\"items\":7}", "{}", "<html>"};
    struct buf items = BUF_INIT(1000);

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
        struct error err = {0};

        serve(reply_raw, (void *)(uintptr_t)bodies[i]);
        assert_false(
            kube_client_wait_list(client, &(struct kube_request){.gvr = things},
                                  collect, &items, &err));
        assert_int_equal(err.code, ERR_PARSE);
    }
    assert_null(kube_client_wait_json(
        client, &(struct kube_request){.gvr = things, .name = "n"}, NULL));
    buf_release(&items);
}

/* ---- patience ---- */

static void
busy(void *arg, struct fake_conn *c, const struct fake_request *r)
{
    const unsigned *until = arg;

    note(r);
    if (peer.requests <= *until)
        fake_answer(c, *until == 2 ? 429 : 503,
                    "Content-Type: text/plain\r\nRetry-After: 0\r\n",
                    STR("Too many requests, please try again later."));
    else
        fake_answer(c, 200, "Warning: 299 - \"w\"\r\n", STR("{}"));
}

static void
retries(void **state)
{
    struct kube_request get = {.gvr = things, .name = "n"};
    struct kube_request make = {.verb = KUBE_CREATE, .gvr = things};
    unsigned twice = 2, once = 1, always = 1000;
    struct kube_answer a;
    struct error err = {0};

    (void)state;
    serve(busy, &twice);
    assert_true(kube_client_wait(client, &get, &a, &err));
    assert_int_equal(peer.requests, 3);
    assert_int_equal(a.warnings.n, 1);
    kube_answer_release(&a);
    serve(busy, &twice); /* 429: nothing happened, a write may be repeated */
    assert_true(kube_client_wait(client, &make, NULL, &err));
    serve(busy, &once); /* 503: it may have happened */
    assert_false(kube_client_wait(client, &make, NULL, &err));
    assert_int_equal(err.http, 503);
    serve(busy, &always);
    assert_false(kube_client_wait(client, &get, &a, &err));
    assert_int_equal(peer.requests, 11); /* as client-go: one try, ten more */
    assert_int_equal(a.status.retry_after_s, 0);
    kube_answer_release(&a);
}

/* An applied patch says the same the second time: 503 is no reason to stop. */
static void
repeatable(void **state)
{
    struct kube_request apply = {.verb = KUBE_PATCH,
                                 .patch = KUBE_PATCH_APPLY,
                                 .gvr = things,
                                 .name = "n",
                                 .body = {"{}", 2}};
    struct kube_request merge = apply;
    unsigned once = 1;

    (void)state;
    merge.patch = KUBE_PATCH_MERGE;
    serve(busy, &once);
    assert_true(kube_client_wait(client, &apply, NULL, NULL));
    assert_int_equal(peer.requests, 2);
    serve(busy, &once);
    assert_false(kube_client_wait(client, &merge, NULL, NULL));
    merge.dry_run = true;
    serve(busy, &once);
    assert_true(kube_client_wait(client, &merge, NULL, NULL));
}

static void
cut_first(void *arg, struct fake_conn *c, const struct fake_request *r)
{
    const unsigned *until = arg;

    if (peer.requests <= *until)
        fake_close(c);
    else
        echo(NULL, c, r);
}

/* A connection that ends instead of an answer: GETs are asked again, after a
 * second; a write may have happened. */
static void
broken(void **state)
{
    struct kube_request get = {.gvr = things, .name = "n"};
    struct kube_request make = {
        .verb = KUBE_CREATE, .gvr = things, .body = {"{}", 2}};
    unsigned once = 1;
    struct error err = {0};

    (void)state;
    serve(cut_first, &once);
    assert_true(kube_client_wait(client, &get, NULL, &err));
    assert_int_equal(peer.requests, 2);
    serve(cut_first, &once);
    assert_false(kube_client_wait(client, &make, NULL, &err));
    assert_int_equal(err.code, ERR_NETWORK);
    assert_int_equal(peer.requests, 1);
}

/* ---- warnings, tags ---- */

static void
warn(void *arg, struct fake_conn *c, const struct fake_request *r)
{
    (void)arg;
    (void)r;
    fake_answer(c, 200,
                "Warning: 299 - \"one\"\r\nWarning: 299 - \"say \\\"2\\\"\"\r\n"
                "Warning: 199 - \"not meant for us\"\r\n",
                STR("{}"));
}

static void
on_warning(void *arg, const char *text)
{
    buf_printf(arg, "<%s>", text);
}

/* Each text once a client, however often it comes; each reply has its own. */
static void
warnings_once(void **state)
{
    struct kube_request get = {.gvr = things, .name = "n"};
    struct kube_client *c = client_of(NULL, false);
    struct buf told = BUF_INIT(1000);

    (void)state;
    kube_client_on_warning(c, on_warning, &told);
    serve(warn, NULL);
    for (int i = 0; i < 3; i++) {
        struct kube_answer a;

        assert_true(kube_client_wait(c, &get, &a, NULL));
        assert_int_equal(a.warnings.n, 2);
        assert_string_equal(a.warnings.v[1], "say \"2\"");
        kube_answer_release(&a);
    }
    assert_string_equal(buf_cstr(&told), "<one><say \"2\">");
    buf_release(&told);
    kube_client_free(c);
}

static void
same_tag(void *arg, struct fake_conn *c, const struct fake_request *r)
{
    (void)arg;
    if (str_contains(r->head, STR("If-None-Match: \"e1\"\r\n")))
        fake_answer(c, 304, "ETag: \"e1\"\r\n", STR(""));
    else
        fake_answer(c, 200, "ETag: \"e1\"\r\n", STR("{}"));
}

static void
tags(void **state)
{
    struct kube_request get = {.gvr = things, .name = "n"};
    struct kube_answer a;

    (void)state;
    serve(same_tag, NULL);
    assert_true(kube_client_wait(client, &get, &a, NULL));
    assert_int_equal(a.http, 200);
    kube_answer_release(&a);
    get.if_none_match = "\"e1\"";
    assert_true(kube_client_wait(client, &get, &a, NULL));
    assert_int_equal(a.http, 304);
    assert_int_equal(a.body_n, 0);
    kube_answer_release(&a);
}

/* ---- credentials ---- */

static void
door_keeper(void *arg, struct fake_conn *c, const struct fake_request *r)
{
    const char *want = arg;

    if (str_contains(r->head, str_of(want)))
        fake_answer(c, 200, NULL, STR("{}"));
    else
        fake_answer(c, 401, NULL, STR(""));
}

static void
tokens(void **state)
{
    struct kube_request get = {.gvr = things, .name = "n"};
    struct kube_client *c = client_of("secret", false);
    struct kube_client *evil = client_of("a\r\nX-Evil: 1", false);
    struct error err = {0};

    (void)state;
    serve(door_keeper, (void *)(uintptr_t) "Authorization: Bearer secret\r\n");
    assert_true(kube_client_wait(c, &get, NULL, NULL));
    assert_false(kube_client_wait(client, &get, NULL, &err));
    assert_int_equal(err.http, 401);
    assert_string_equal(err.id, "MT-UNAUTHORIZED");
    serve(door_keeper, (void *)(uintptr_t) "X-Evil");
    assert_false(kube_client_wait(evil, &get, NULL, NULL));
    serve(door_keeper, (void *)(uintptr_t) "User-Agent: meshtop/");
    assert_true(kube_client_wait(c, &get, NULL, NULL));
    kube_client_free(evil);
    kube_client_free(c);
}

/* A token file that rotates: after a 401 it is read again. */
static void
token_file(void **state)
{
    char path[] = "/tmp/meshtop-token-XXXXXX";
    struct kube_access a = {
        .server = peer.url, .ns = (char *)"d", .token_file = path};
    struct kube_request get = {.gvr = things, .name = "n"};
    struct kube_client *c;

    (void)state;
    close(mkstemp(path));
    assert_true(file_write(path, STR("one\n"), 0600, NULL));
    c = kube_client_new(l, &a, NULL, NULL);
    serve(door_keeper, (void *)(uintptr_t) "Bearer one\r\n");
    assert_true(kube_client_wait(c, &get, NULL, NULL));
    assert_true(file_write(path, STR("two\n"), 0600, NULL));
    serve(door_keeper, (void *)(uintptr_t) "Bearer two\r\n");
    assert_true(kube_client_wait(c, &get, NULL, NULL));
    assert_int_equal(peer.requests, 2);
    kube_client_free(c);
    unlink(path);
}

/* A plugin that counts how often it was run. */
static const char plugin[] =
    "#!/bin/sh\n"
    "n=$(cat $COUNT 2>/dev/null || echo 0); n=$((n+1)); echo $n >$COUNT\n"
    "case $KUBERNETES_EXEC_INFO in *'\"interactive\":false'*) ;; *) exit 9;; "
    "esac\n"
    "[ \"$1\" = fail ] && { echo no luck >&2; exit 3; }\n"
    "echo '{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":"
    "\"ExecCredential\",\"status\":{\"token\":\"t'$n'\"}}'\n";

static void
exec_plugin(void **state)
{
    char folder[] = "/tmp/meshtop-exec-XXXXXX";
    char *path, *count;
    struct kube_exec x = {.api_version =
                              (char *)"client.authentication.k8s.io/v1"};
    struct kube_access a = {.server = peer.url, .ns = (char *)"d", .exec = &x};
    struct kube_request get = {.gvr = things, .name = "n"};
    struct kube_client *c;
    struct error err = {0};

    (void)state;
    assert_non_null(mkdtemp(folder));
    x.command = path = file_join(folder, "login");
    count = mem_printf("COUNT=%s/count", folder);
    strlist_add(&x.env, str_of(count));
    test_write_script(path, plugin);
    c = kube_client_new(l, &a, NULL, NULL);
    serve(door_keeper, (void *)(uintptr_t) "Bearer t1\r\n");
    assert_true(kube_client_wait(c, &get, NULL, &err));
    assert_true(kube_client_wait(c, &get, NULL, &err)); /* kept */
    serve(door_keeper, (void *)(uintptr_t) "Bearer t2\r\n");
    assert_true(kube_client_wait(c, &get, NULL, &err)); /* 401: run again */
    assert_int_equal(peer.requests, 2);
    kube_client_free(c);
    strlist_add(&x.args, STR("fail"));
    c = kube_client_new(l, &a, NULL, NULL);
    assert_false(kube_client_wait(c, &get, NULL, &err));
    assert_non_null(strstr(err.msg, "failed with exit code 3: no luck"));
    kube_client_free(c);
    x.command = (char *)"meshtop-no-such-plugin";
    x.install_hint = (char *)"get it there";
    c = kube_client_new(l, &a, NULL, NULL);
    assert_false(kube_client_wait(c, &get, NULL, &err));
    assert_non_null(strstr(err.msg, "meshtop-no-such-plugin not found"));
    assert_string_equal(err.remedy, "get it there");
    kube_client_free(c);
    file_remove_tree(folder, NULL);
    strlist_release(&x.env);
    strlist_release(&x.args);
    free(path);
    free(count);
}

/* ---- ends ---- */

static void
cancelling(void **state)
{
    struct kube_request get = {.gvr = things, .name = "n"};
    struct kube_client *c = client_of(NULL, false);
    struct kube_call *call;

    (void)state;
    serve(echo, NULL);
    kube_call_cancel(kube_client_send(c, &get, fake_never, NULL, NULL));
    call = kube_client_send(c, &get, fake_never, NULL, NULL);
    loop_turn(l, 0);
    kube_call_cancel(call);
    kube_client_send(c, &get, fake_never, NULL, NULL);
    loop_turn(l, 0);
    kube_client_free(c);
    for (int i = 0; i < 20; i++)
        loop_turn(l, 1);
}

/* Another server under the same client: calls go there from now on. */
static void
other_access(void **state)
{
    struct kube_request get = {.gvr = things, .name = "n"};
    struct kube_client *c = client_of("old", false);
    struct kube_access a = {
        .server = peer.url, .ns = (char *)"d", .token = (char *)"new"};

    (void)state;
    serve(door_keeper, (void *)(uintptr_t) "Bearer new\r\n");
    assert_false(kube_client_wait(c, &get, NULL, NULL));
    assert_true(kube_client_set_access(c, &a, NULL));
    assert_true(kube_client_wait(c, &get, NULL, NULL));
    kube_client_free(c);
}

static int
setup(void **state)
{
    (void)state;
    buf_init(&seen, 1 << 20);
    fake_client_up(echo, "d");
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    fake_client_down();
    buf_release(&seen);
    return 0;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verbs),      cmocka_unit_test(doors),
        cmocka_unit_test(lists),      cmocka_unit_test(bad_lists),
        cmocka_unit_test(retries),    cmocka_unit_test(repeatable),
        cmocka_unit_test(broken),     cmocka_unit_test(warnings_once),
        cmocka_unit_test(tags),       cmocka_unit_test(tokens),
        cmocka_unit_test(token_file), cmocka_unit_test(exec_plugin),
        cmocka_unit_test(cancelling), cmocka_unit_test(other_access),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
