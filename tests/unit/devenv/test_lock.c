#include "lib/base/file.h"

#include "devenv/lock.h"

#include "tests/unit/test.h"

static void
the_lock_that_is_compiled_in(void **state)
{
    static const char *const names[] = {
        "kind",
        "kubectl",
        "helm",
        "crossplane-cli",
        "node",
        "crossplane",
        "crossplane-chart",
        "function-go-templating",
        "function-auto-ready",
        "function-patch-and-transform",
        "function-extra-resources",
        "function-environment-configs",
    };
    AUTO(lock_release) struct lock l = {0};
    struct error err = {0};

    (void)state;
    if (!lock_load(&l, &err))
        fail_msg("%s", err.msg);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_non_null(lock_default(&l, names[i]));
    for (size_t i = 0; i < l.n; i++) {
        const struct lock_entry *e = &l.v[i];

        /* kind's own images, by digest, each vouched for by its module. */
        if (strcmp(e->name, "node") == 0) {
            assert_true(e->digest && strlen(e->digest) == 71);
            assert_non_null(strstr(e->vetted, "sum.golang.org"));
            assert_non_null(strstr(e->vetted, "sigs.k8s.io/kind@v0.3"));
            assert_non_null(strstr(e->vetted, "h1:"));
        }
        if (e->kind == LOCK_TOOL) {
            assert_non_null(lock_file(e, "linux/amd64"));
            assert_non_null(lock_file(e, "linux/arm64"));
            assert_null(lock_file(e, "plan9/mips"));
        }
    }
    assert_string_equal(lock_for(&l, "node", "cgroup-v1")->version, "v1.34.0");
    assert_string_equal(lock_for(&l, "node", "kind-v0.31")->version, "v1.35.0");
    assert_null(lock_for(&l, "node", "kind-v0.3"));
    assert_null(lock_find(&l, "node", "v1.2.3"));
    assert_null(lock_default(&l, "nod"));
}

static void
what_is_filled_in(void **state)
{
    AUTO(lock_release) struct lock l = {0};
    AUTO(buf_release) struct buf b = BUF_INIT(4096);
    const struct lock_file *f;

    (void)state;
    assert_true(lock_load(&l, NULL));
    f = lock_file(lock_find(&l, "helm", NULL), "linux/arm64");
    assert_string_equal(f->url,
                        "https://get.helm.sh/helm-v4.1.3-linux-arm64.tar.gz");
    assert_string_equal(f->checksum_url,
                        "https://get.helm.sh/helm-v4.1.3-linux-arm64.tar.gz"
                        ".sha256sum");
    assert_string_equal(f->member, "linux-arm64/helm");
    f = lock_file(lock_default(&l, "kind"), "linux/amd64");
    assert_int_equal(f->mirrors.n, 1);
    assert_string_equal(f->mirrors.v[0],
                        "https://kind.sigs.k8s.io/dl/v0.33.0/kind-linux-amd64");
    lock_reference(lock_find(&l, "node", "v1.34.0"), NULL, &b);
    assert_string_equal(
        buf_cstr(&b),
        "docker.io/kindest/node:v1.34.0@sha256:"
        "7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a");
    buf_reset(&b);
    /* A mirror takes the registry's place and keeps the digest. */
    lock_reference(lock_find(&l, "node", "v1.34.0"), "r.corp:5000/m", &b);
    assert_string_equal(
        buf_cstr(&b),
        "r.corp:5000/m/kindest/node:v1.34.0@sha256:"
        "7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a");
    buf_reset(&b);
    lock_reference(lock_default(&l, "function-auto-ready"), "m", &b);
    assert_string_equal(buf_cstr(&b),
                        "m/crossplane-contrib/function-auto-ready:v0.6.0");
}

#define HASH "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HASH_B                                                                 \
    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define TOOL                                                                   \
    "kind: tool\nname: t\nversion: v1.0.0\ndefault: true\naccept: '>=1'\n"     \
    "url: https://h/t\n"
#define SUM "checksum: https://h/t.sha256\n"
#define AMD "platforms: [{platform: linux/amd64}]\n"
#define IMAGE                                                                  \
    "kind: image\nname: i\nversion: v1.0.0\ndefault: true\nref: h.io/i:v1\n"

static void
strict(void **state)
{
    static const struct {
        const char *text, *why; /* why NULL: it is fine */
    } cases[] = {
        {TOOL SUM AMD, NULL},
        {IMAGE, NULL},
        {IMAGE "digest: sha256:" HASH "\nvetted: by me\n", NULL},
        {TOOL "vetted: x\nplatforms: [{platform: linux/amd64, size: 7, "
              "sha256: " HASH "}]\n",
         NULL},
        {"", "no entries"},
        {"- a\n", "t:1: entry: an entry must be a mapping"},
        {"# c\n\nkind: pod\n", "t:3: entry: kind must be"},
        {"kind: [tool]\n", "kind must be"},
        {TOOL SUM AMD "colour: red\n", "t v1.0.0: unknown key \"colour\""},
        {IMAGE "url: https://h/x\n", "unknown key \"url\""},
        {TOOL SUM AMD "name: u\n", "t: "}, /* a duplicate key */
        {TOOL SUM, "platforms is missing"},
        {TOOL AMD, "neither a sha256 nor a checksum"},
        {TOOL SUM "platforms: []\n", "platforms must be a list"},
        {TOOL SUM "platforms: {}\n", "platforms must be a list"},
        {TOOL SUM "platforms: [7]\n", "platform must be"},
        {TOOL SUM "platforms: [{platform: windows/amd64}]\n",
         "platform must be"},
        {TOOL SUM "platforms: [{platform: linux/amd64}, "
                  "{platform: linux/amd64}]\n",
         "stands there twice"},
        {TOOL SUM "platforms: [{platform: linux/amd64, sha: x}]\n",
         "unknown key \"sha\" of a platform"},
        {TOOL SUM "platforms: [{platform: linux/amd64, sha256: " HASH "}]\n",
         "a sha256 needs \"vetted\""},
        {TOOL SUM "vetted: x\nplatforms: [{platform: linux/amd64, sha256: "
                  "AB}]\n",
         "sha256 must be 64"},
        {TOOL SUM "platforms: [{platform: linux/amd64, size: -1}]\n",
         "size must be a number"},
        {TOOL SUM "platforms: [{platform: linux/amd64, size: 1.5}]\n",
         "size must be a number"},
        {TOOL SUM AMD "mirrors: [http://h/t]\n", "a mirror must be an https"},
        {TOOL SUM AMD "mirrors: https://h/t\n", "mirrors must be a list"},
        {TOOL SUM AMD "member: 7\n", "member must be text"},
        {TOOL AMD "checksum: http://h/s\n", "checksum must be an https"},
        {"kind: tool\nname: t\nversion: 1.0\naccept: x\nurl: https://h/t\n" AMD,
         "version must be v and a number"},
        {"kind: tool\nname: T t\nversion: v1\naccept: x\nurl: "
         "https://h/t\n" AMD,
         "name must be letters"},
        {"kind: image\nname: i\nversion: v1\nref: i:v1\n", "ref must be"},
        {"kind: image\nname: i\nversion: v1\nref: h.io/i:v1@sha256:a\n",
         "ref must be"},
        {IMAGE "digest: sha256:" HASH "\n", "a digest needs \"vetted\""},
        {IMAGE "digest: md5:" HASH "\nvetted: x\n", "digest must be sha256:"},
        {IMAGE "default: 1\n", ""},
        {"kind: image\nname: i\nversion: v1\nref: h.io/i:v1\n",
         "t:1: i has no default"},
        {IMAGE "---\n" IMAGE, "t:7: i v1.0.0: stands on line 1 already"},
        {IMAGE "---\nkind: image\nname: i\nversion: v2\ndefault: true\n"
               "ref: h.io/i:v2\n",
         "line 1 is the default already"},
        {IMAGE "---\nkind: package\nname: i\nversion: v2\nref: h.io/i:v2\n",
         "the same name and another kind"},
        {"kind: tool\nname: [", "t: "},
        {"a: &a [*a]\n", "t: "},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        AUTO(lock_release) struct lock l = {0};
        struct error err = {0};
        bool ok = lock_parse(str_of(cases[i].text), "t", &l, &err);

        if (ok != !cases[i].why ||
            (cases[i].why && !strstr(err.msg, cases[i].why)))
            fail_msg("case %zu: %s, got \"%s\"", i,
                     cases[i].why ? cases[i].why : "fine", err.msg);
        assert_int_equal(l.n > 0, ok);
    }
}

static void
huge(void **state)
{
    AUTO(lock_release) struct lock l = {0};
    AUTO(buf_release) struct buf b = BUF_INIT(4 << 20);
    struct error err = {0};

    (void)state;
    for (unsigned i = 0; i < 1001; i++)
        buf_printf(&b,
                   "---\nkind: image\nname: i%u\nversion: v1\ndefault: true\n"
                   "ref: h.io/i:v1\n",
                   i);
    assert_false(lock_parse(buf_view(&b), "t", &l, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    buf_reset(&b);
    buf_fill(&b, '#', (1 << 20) + 1);
    assert_false(lock_parse(buf_view(&b), "t", &l, &err));
    assert_int_equal(err.code, ERR_LIMIT);
}

static void
printed(void **state)
{
    AUTO(lock_release) struct lock l = {0};
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 20);
    const struct json *kind;

    (void)state;
    assert_true(lock_load(&l, NULL));
    assert_true(lock_print(&l, false, &b));
    assert_non_null(strstr(buf_cstr(&b), "tool     kind v0.33.0  (default)\n"));
    assert_non_null(strstr(buf_cstr(&b), "checked against the vendor's file, "
                                         "not pinned: https://"));
    assert_non_null(strstr(buf_cstr(&b), "digest resolved on first use"));
    buf_reset(&b);
    assert_true(lock_print(&l, true, &b));
    AUTO(json_free_ptr)
    struct json *all = json_parse(buf_view(&b), NULL, NULL);

    assert_int_equal(json_len(all), l.n);
    kind = json_item(all, 0);
    assert_string_equal(json_get_string(kind, "name"), "kind");
    assert_int_equal(json_len(json_get(kind, "files")), 2);
    assert_string_equal(
        json_get_string(json_item(json_get(kind, "files"), 0), "platform"),
        "linux/amd64");
}

/* ---- what references were resolved to ---- */

#define NODE "docker.io/kindest/node:v1.34.0"
#define NODE_DIGEST                                                            \
    "sha256:7416a61b42b1662ca6ca89f02028ac133a309a2a30ba309614e8ec94d976dc5a"
#define SEEN  "sha256:" HASH
#define OTHER "sha256:" HASH_B

static bool
refused(struct profile *p, const char *ref, const char *digest,
        const char *words)
{
    struct error err = {0};

    return !lock_pin(p, "image", ref, digest, &err) && strstr(err.msg, words) &&
           (!lock_is_digest(digest) ||
            strcmp(err.id, "MT-DIGEST-CHANGED") == 0);
}

static void
pinned(void **state)
{
    char dir[] = "/tmp/meshtop-lock.XXXXXX";
    struct profile p;
    struct error err = {0};

    (void)state;
    setenv("XDG_STATE_HOME", mkdtemp(dir), 1);
    assert_true(profile_open("pins", &p, &err) && profile_lock(&p, &err));
    /* First use is remembered; the same again is fine. */
    assert_true(lock_pin(&p, "image", "h.io/x:v1", SEEN, &err));
    assert_true(lock_pin(&p, "image", "h.io/x:v1", SEEN, &err));
    assert_string_equal(profile_fact(&p, "image/h.io/x:v1"), SEEN);
    assert_true(profile_save(&p, &err));
    profile_release(&p);
    assert_true(profile_open("pins", &p, &err));
    assert_true(refused(&p, "h.io/x:v1", OTHER, "on first use this profile"));
    assert_string_equal(profile_fact(&p, "image/h.io/x:v1"), SEEN);
    /* Another thing of that name is another thing. */
    assert_true(lock_pin(&p, "package", "h.io/x:v1", OTHER, &err));
    /* What the lock knows needs no first use. */
    assert_true(refused(&p, NODE, SEEN, "the lock wants it to be"));
    assert_null(profile_fact(&p, "image/" NODE));
    assert_true(lock_pin(&p, "image", NODE, NODE_DIGEST, &err));
    assert_true(refused(&p, "h.io/y:v1", "latest", "is no digest"));
    assert_true(refused(&p, "h.io/y:v1", "sha256:" HASH "a", "is no digest"));
    assert_null(profile_fact(&p, "image/h.io/y:v1"));
    profile_release(&p);
    file_remove_tree(dir, NULL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_lock_that_is_compiled_in),
        cmocka_unit_test(what_is_filled_in),
        cmocka_unit_test(strict),
        cmocka_unit_test(huge),
        cmocka_unit_test(printed),
        cmocka_unit_test(pinned),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
