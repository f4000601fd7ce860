#include <stdlib.h>
#include <unistd.h>

#include "lib/base/digest.h"
#include "lib/base/file.h"

#include "devenv/sandbox/authn.h"

#include "tests/unit/test.h"

/* Tokens: whose they are, and that no changed one is anybody's. */

struct world {
    struct tls_identity id;
    struct clock clock;
    struct authn *authn;
    struct arena *arena;
    char path[64];
    const char *alive_uid, *alive_secret; /* that is still there */
};

static bool
alive(void *arg, const struct authn_account *t)
{
    const struct world *w = arg;

    return str_eqz(t->ns, "shop") && str_eqz(t->name, "bot") &&
           !strcmp(t->uid, w->alive_uid) &&
           (!*t->bound_kind || (!strcmp(t->bound_kind, "secret") &&
                                !strcmp(t->bound_uid, w->alive_secret)));
}

static bool
world_open(struct world *w, const char *tokens, struct error *err)
{
    struct authn_options o = {.id = &w->id, .clock = &w->clock};

    *w = (struct world){.alive_uid = "u-1", .alive_secret = "s-1"};
    clock_fake(&w->clock, 1700000000000);
    w->arena = arena_new();
    assert_true(tls_load(NULL, &w->id, err));
    if (tokens) {
        snprintf(w->path, sizeof(w->path), "/tmp/meshtop-tokens.%d", getpid());
        assert_true(file_write(w->path, str_of(tokens), 0600, err));
        o.token_file = w->path;
    }
    w->authn = authn_new(&o, err);
    if (w->authn)
        authn_set_accounts(w->authn, alive, w);
    return w->authn != NULL;
}

static void
world_close(struct world *w)
{
    if (*w->path)
        unlink(w->path);
    authn_free(w->authn);
    arena_free(w->arena);
    tls_release(&w->id);
}

static const struct identity *
who(struct world *w, const char *token)
{
    return authn_token(w->authn, str_of(token), NULL, w->arena, NULL);
}

static void
test_file(void **state)
{
    struct world w;
    struct error err = {0};
    const struct identity *id;

    (void)state;
    assert_true(world_open(&w,
                           "# token,user,uid,groups\n"
                           "aaa,jane,7\n"
                           "\n"
                           "bbb,\"o\"\"neil, j\",8,\"dev, ops,dev\"\r\n"
                           "ccc,root,,system:masters\n",
                           &err));
    id = who(&w, w.id.token);
    assert_string_equal(id->name, "admin");
    assert_true(id->master);
    id = who(&w, "aaa");
    assert_string_equal(id->name, "jane");
    assert_string_equal(id->uid, "7");
    assert_int_equal(id->groups_n, 1);
    assert_string_equal(id->groups[0], GROUP_AUTHENTICATED);
    assert_false(id->master);
    id = who(&w, "bbb");
    assert_string_equal(id->name, "o\"neil, j");
    assert_int_equal(id->groups_n, 3);
    assert_string_equal(id->groups[0], "dev");
    assert_string_equal(id->groups[1], "ops");
    assert_true(who(&w, "ccc")->master);
    assert_null(who(&w, "aa"));
    assert_null(who(&w, "aaaa"));
    assert_null(who(&w, "jane"));
    world_close(&w);
}

static void
test_bad_files(void **state)
{
    static const char *const bad[] = {
        "tok\n",      "tok,user\n",       ",user,uid\n",
        "tok,,uid\n", "tok,\"user,uid\n", "a,b,c\ntok,\"u\"x,uid\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct world w;
        struct error err = {0};

        assert_false(world_open(&w, bad[i], &err));
        assert_int_equal(err.code, ERR_PARSE);
        assert_non_null(strstr(err.msg, i == 5 ? ":2: " : ":1: "));
        world_close(&w);
    }
}

static char *
issue(struct world *w, const char *bound, const char *audience)
{
    struct authn_account t = {.ns = STR("shop"),
                              .name = STR("bot"),
                              .uid = "u-1",
                              .bound_kind = bound,
                              .bound_name = "s",
                              .bound_uid = "s-1",
                              .from_s = 1700000000,
                              .to_s = 1700000600,
                              .jti = "j"};
    AUTO(strlist_release) struct strlist audiences = {0};
    struct buf b = BUF_INIT(8192);

    strlist_add(&audiences, str_of(audience));
    authn_account_token(w->authn, &t, &audiences, &b);
    return buf_take(&b);
}

static void
test_account(void **state)
{
    struct world w, other;
    struct error err = {0};
    const struct identity *id;
    char *token, *bound, *foreign;

    (void)state;
    assert_true(world_open(&w, NULL, &err));
    assert_true(world_open(&other, NULL, &err));
    token = issue(&w, "", AUTHN_ISSUER);
    bound = issue(&w, "secret", AUTHN_ISSUER);
    foreign = issue(&w, "", "https://elsewhere");
    id = who(&w, token);
    assert_string_equal(id->name, "system:serviceaccount:shop:bot");
    assert_string_equal(id->uid, "u-1");
    assert_int_equal(id->groups_n, 3);
    assert_string_equal(id->groups[1], "system:serviceaccounts:shop");
    assert_string_equal(id->extra->value, "JTI=j");
    assert_non_null(who(&w, bound));
    assert_null(who(&w, foreign));
    assert_null(who(&other, token)); /* another sandbox's key */

    w.alive_secret = "s-2";
    assert_null(who(&w, bound));
    w.alive_uid = "u-2"; /* deleted and made again */
    assert_null(who(&w, token));
    w.alive_uid = "u-1";
    clock_advance(&w.clock, 599000);
    assert_non_null(who(&w, token));
    clock_advance(&w.clock, 1000);
    assert_null(who(&w, token));
    free(token);
    free(bound);
    free(foreign);
    world_close(&w);
    world_close(&other);
}

/* No byte of a token can be another one, and none can be missing. */
static void
test_changed(void **state)
{
    struct world w;
    struct error err = {0};
    char *token;

    (void)state;
    assert_true(world_open(&w, NULL, &err));
    token = issue(&w, "", AUTHN_ISSUER);
    for (size_t i = 0, n = strlen(token); i < n; i++) {
        char was = token[i];

        token[i] = was == 'A' ? 'B' : 'A';
        assert_null(who(&w, token));
        token[i] = was;
        assert_null(authn_token(w.authn, str_n(token, i), NULL, w.arena, NULL));
    }
    assert_non_null(who(&w, token));
    assert_null(who(&w, "..."));
    assert_null(who(&w, "."));
    free(token);
    world_close(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_account),
        cmocka_unit_test(test_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
