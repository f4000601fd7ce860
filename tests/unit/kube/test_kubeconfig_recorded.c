/* What client-go makes of sets of kubeconfig files (tests/diff/kubeconfig makes
 * the table; MESHTOP_KUBECONFIG_CASES names another one), and what we do. */
#include <unistd.h>

#include "lib/base/digest.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

#include "lib/kube/kubeconfig.h"

#include "tests/unit/test.h"

#define DATA "tests/unit/kube/data/"

struct words {
    const char *mark;
    char *text, *json; /* as it is, and inside a JSON string */
};

static struct words words[5];

static char *
read_all(const char *path)
{
    struct buf b = BUF_INIT(64 << 20);

    if (!file_read(path, &b, NULL))
        fail_msg("cannot read %s", path);
    return buf_take(&b);
}

static char *
base64(const char *z)
{
    struct buf b = BUF_INIT(1 << 20);

    digest_base64(str_of(z), false, &b);
    return buf_take(&b);
}

static char *
in_json(const char *z)
{
    struct json *j = json_new_string(z);
    char *text = json_text(j, JSON_COMPACT), *inner;

    inner = mem_strndup(text + 1, strlen(text) - 2);
    free(text);
    json_free(j);
    return inner;
}

static char *
filled(struct str line)
{
    struct buf b = BUF_INIT(4 << 20);

    for (size_t i = 0; i < line.n;) {
        size_t w = 0;

        while (w < ARRAY_LEN(words) &&
               !str_starts(str_from(line, i), str_of(words[w].mark)))
            w++;
        if (w < ARRAY_LEN(words)) {
            buf_puts(&b, words[w].json);
            i += strlen(words[w].mark);
        } else {
            buf_putc(&b, line.s[i++]);
        }
    }
    return buf_take(&b);
}

static void
put(struct json *o, const char *key, const char *z)
{
    if (z && *z)
        json_set_string(o, key, z);
}

static void
put_list(struct json *o, const char *key, const struct strlist *l)
{
    for (size_t i = 0; i < l->n; i++)
        json_append(json_need_array(o, key), json_new_string(l->v[i]));
}

static void
put_exec(struct json *o, const struct kube_exec *x)
{
    put(o, "apiVersion", x->api_version);
    put(o, "command", x->command);
    put_list(o, "args", &x->args);
    put_list(o, "env", &x->env);
    put(o, "hint", x->install_hint);
    put(o, "interactive", x->interactive);
    if (x->provide_cluster_info)
        json_set_bool(o, "info", true);
    put(o, "config", x->cluster_config);
}

static struct json *
seen(struct kube_access *a)
{
    struct json *o = json_new_object();
    AUTO(mem_free_ptr) char *token = NULL;

    if (a->token_file && !a->token)
        token = read_all(a->token_file);
    strlist_sort(&a->as_extra);
    put(o, "ns", a->ns);
    put(o, "server", a->server);
    put(o, "ca", a->ca);
    put(o, "cert", a->cert);
    put(o, "key", a->key);
    put(o, "token", a->token ? a->token : token);
    put(o, "tokenFile", a->token_file);
    put(o, "username", a->username);
    put(o, "password", a->password);
    put(o, "serverName", a->tls_server_name);
    if (a->insecure)
        json_set_bool(o, "insecure", true);
    if (a->disable_compression)
        json_set_bool(o, "noCompression", true);
    put(o, "as", a->as);
    put(o, "asUID", a->as_uid);
    put_list(o, "asGroups", &a->as_groups);
    put_list(o, "asExtra", &a->as_extra);
    put(o, "proxy", a->proxy);
    if (a->exec)
        put_exec(json_need_object(o, "exec"), a->exec);
    return o;
}

/* A file name of the table, below the test's folder. */
static void
write_files(const struct json *files, const char *folder)
{
    for (const struct json *f = json_first(files); f; f = json_next(f)) {
        AUTO(mem_free_ptr) char *path = file_join(folder, json_key(f));

        test_write_file(path, json_string(f));
    }
}

/* Prints what differs. */
static bool
compare(const struct json *row, struct json *got, const struct error *err)
{
    const struct json *want = json_get(row, "want");
    AUTO(mem_free_ptr) char *have = got ? json_text(got, JSON_COMPACT) : NULL;
    AUTO(mem_free_ptr) char *due = want ? json_text(want, JSON_COMPACT) : NULL;

    if (!want == !got && (!want || json_equal(want, got)))
        return true;
    print_error("seed %lld:\nclient-go: %s%s\nours: %s%s\n",
                (long long)json_int64_or(json_get(row, "seed"), 0),
                due ? due : "error: ",
                due ? "" : json_string_or(json_get(row, "error"), ""),
                have ? have : "error: ", have ? "" : err->msg);
    return false;
}

static bool
play(struct str line, const char *folder)
{
    static const char *const given[][2] = {
        {"ca.pem", "$CERT"}, {"sub/ca.pem", "$CERT"}, {"cert.pem", "$CERT"},
        {"key.pem", "$KEY"}, {"token", "from-file"},  {"sub/token", "from-sub"},
    };
    AUTO(mem_free_ptr) char *text = filled(line);
    AUTO(json_free_ptr) struct json *row = json_parse(str_of(text), NULL, NULL);
    AUTO(mem_free_ptr) char *sub = file_join(folder, "sub");
    const char *context = json_string_or(json_get(row, "context"), "");
    AUTO(json_free_ptr) struct json *got = NULL;
    struct error err = {0};

    assert_non_null(row);
    assert_true(file_remove_tree(folder, NULL));
    assert_true(file_mkdirs(sub, 0700, NULL));
    for (size_t i = 0; i < ARRAY_LEN(given); i++) {
        AUTO(mem_free_ptr) char *path = file_join(folder, given[i][0]);
        const char *what = given[i][1];

        for (size_t w = 0; w < ARRAY_LEN(words); w++) {
            if (strcmp(words[w].mark, what) == 0)
                what = words[w].text;
        }
        test_write_file(path, what);
    }
    write_files(json_get(row, "files"), folder);
    setenv("KUBECONFIG", json_string_or(json_get(row, "env"), ""), 1);
    AUTO(kube_access_free_ptr)
    struct kube_access *a =
        kube_access_open(NULL, *context ? context : NULL, &err);

    if (a)
        got = seen(a);
    else
        assert_true(*err.msg);
    return compare(row, got, &err);
}

static void
recorded(void **state)
{
    char folder[] = "/tmp/meshtop-recorded-XXXXXX";
    const char *other = getenv("MESHTOP_KUBECONFIG_CASES");
    AUTO(mem_free_ptr)
    char *table = read_all(other ? other : DATA "kubeconfig.jsonl");
    struct str rest = str_of(table), line;
    size_t n = 0, wrong = 0;

    (void)state;
    assert_non_null(mkdtemp(folder));
    words[0] = (struct words){"$DIR", mem_strdup(folder), in_json(folder)};
    words[1] = (struct words){"$CERT", read_all(DATA "cert.pem"), NULL};
    words[2] = (struct words){"$KEY", read_all(DATA "key.pem"), NULL};
    words[3] = (struct words){"$B64CERT", base64(words[1].text), NULL};
    words[4] = (struct words){"$B64KEY", base64(words[2].text), NULL};
    for (size_t i = 1; i < ARRAY_LEN(words); i++)
        words[i].json = in_json(words[i].text);
    unsetenv("KUBERNETES_SERVICE_HOST");
    for (; str_next(&rest, '\n', &line); n += line.n > 0) {
        if (line.n)
            wrong += !play(line, folder);
    }
    assert_true(n >= 200);
    assert_int_equal(wrong, 0);
    assert_true(file_remove_tree(folder, NULL));
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        free(words[i].text);
        free(words[i].json);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recorded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
