#include "devenv/sandbox/authn.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/crypto.h"
#include "lib/base/digest.h"
#include "lib/base/file.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"

/*
 * Design: a ServiceAccount's token is a JWT (RFC 7519) with HMAC-SHA256. Its
 * key comes from the CA's key, so that tokens live as long as the CA and no
 * further secret has to be kept. Nobody but this server verifies them, hence
 * no public key.
 */

#define TOKEN_FILE_MAX ((size_t)1 << 20)
#define TOKEN_MAX      8192
#define KEY_WORDS      "meshtop sandbox: tokens of ServiceAccounts"
#define JWT_HEADER     "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define CREDENTIAL     "authentication.kubernetes.io/credential-id"

struct authn {
    const struct tls_identity *id;
    const struct clock *clock;
    struct arena *arena;
    struct identity *admin, *anonymous;
    struct map users; /* token -> struct identity of the token file */
    uint8_t key[32];
    authn_alive_fn *alive;
    void *alive_arg;
};

/* ---- the token file ---- */

/* One field of a CSV line (RFC 4180, in one line); false: there is none. */
static bool
next_field(struct str *rest, struct buf *out, bool *bad)
{
    size_t i = 0;

    buf_reset(out);
    if (!rest->s)
        return false;
    if (rest->n && rest->s[0] == '"') {
        for (i = 1; i < rest->n; i++) {
            if (rest->s[i] == '"' && (i + 1 >= rest->n || rest->s[++i] != '"'))
                break;
            buf_putc(out, rest->s[i]);
        }
        if (i + 1 == rest->n && rest->s[i] == '"')
            i++;
        *bad = i < rest->n && rest->s[i] != ',';
    } else {
        while (i < rest->n && rest->s[i] != ',')
            buf_putc(out, rest->s[i++]);
    }
    *rest = i < rest->n ? str_from(*rest, i + 1) : (struct str){0};
    return !*bad;
}

/* token,user,uid[,"group,group"] */
static bool
read_line(struct authn *a, struct str line)
{
    AUTO(strlist_release) struct strlist v = {0};
    AUTO(buf_release) struct buf b = BUF_INIT(TOKEN_MAX);
    struct identity *id;
    struct str rest = line, group;
    bool bad = false;

    while (next_field(&rest, &b, &bad))
        strlist_add(&v, str_trim(buf_view(&b)));
    if (bad || v.n < 3 || !*v.v[0] || !*v.v[1])
        return false;
    id = identity_new(a->arena, PROOF_TOKEN, v.v[1], v.v[2]);
    for (struct str groups = v.n > 3 ? str_of(v.v[3]) : (struct str){0};
         str_next(&groups, ',', &group);) {
        if (str_trim(group).n)
            identity_add_group(a->arena, id, str_trim(group));
    }
    identity_add_group(a->arena, id, STR(GROUP_AUTHENTICATED));
    map_put(&a->users, str_of(v.v[0]), id);
    return true;
}

static bool
read_token_file(struct authn *a, const char *path, struct error *err)
{
    AUTO(buf_release) struct buf b = BUF_INIT(TOKEN_FILE_MAX);
    struct str rest, line;
    int n = 0;

    if (!file_read(path, &b, err))
        return false;
    rest = buf_view(&b);
    while (str_next(&rest, '\n', &line)) {
        n++;
        line = str_trim(line);
        if (!line.n || line.s[0] == '#' || read_line(a, line))
            continue;
        return error_set(err, ERR_PARSE,
                         "%s:%d: a line is token,user,uid and maybe "
                         "\"group,group\"",
                         path, n);
    }
    return true;
}

/* ---- ServiceAccounts' tokens ---- */

static void
put_signature(const struct authn *a, struct str text, struct buf *out)
{
    uint8_t mac[32];

    crypto_hmac_sha256(str_n((const char *)a->key, sizeof(a->key)), text, mac);
    digest_base64(str_n((const char *)mac, sizeof(mac)), true, out);
}

static struct json *
reference(const char *name, const char *uid)
{
    struct json *j = json_new_object();

    json_set_string(j, "name", name);
    json_set_string(j, "uid", uid);
    return j;
}

/* The claims of kubernetes' serviceaccount/claims.go. */
static struct json *
claims(const struct authn_account *t, const struct strlist *audiences)
{
    struct json *j = json_new_object(), *list, *kube;
    AUTO(mem_free_ptr)
    char *subject = mem_printf("system:serviceaccount:%.*s:%.*s",
                               STR_ARG(t->ns), STR_ARG(t->name));
    AUTO(mem_free_ptr) char *name = mem_strndup(t->name.s, t->name.n);

    list = json_set(j, "aud", json_new_array());
    for (size_t i = 0; i < audiences->n; i++)
        json_append(list, json_new_string(audiences->v[i]));
    json_set_int(j, "exp", t->to_s);
    json_set_int(j, "iat", t->from_s);
    json_set_string(j, "iss", AUTHN_ISSUER);
    json_set_string(j, "jti", t->jti);
    kube = json_set(j, "kubernetes.io", json_new_object());
    json_set(kube, "namespace", json_new_str(t->ns));
    if (*t->bound_kind)
        json_set(kube, t->bound_kind, reference(t->bound_name, t->bound_uid));
    json_set(kube, "serviceaccount", reference(name, t->uid));
    json_set_int(j, "nbf", t->from_s);
    json_set_string(j, "sub", subject);
    return j;
}

void
authn_account_token(const struct authn *a, const struct authn_account *account,
                    const struct strlist *audiences, struct buf *out)
{
    AUTO(json_free_ptr) struct json *j = claims(account, audiences);
    AUTO(mem_free_ptr) char *text = json_text(j, JSON_COMPACT);
    size_t start = out->n;

    digest_base64(STR(JWT_HEADER), true, out);
    buf_putc(out, '.');
    digest_base64(str_of(text), true, out);

    AUTO(buf_release) struct buf signature = BUF_INIT(64);

    put_signature(a, str_from(buf_view(out), start), &signature);
    buf_putc(out, '.');
    buf_str(out, buf_view(&signature));
}

/* The claims of a token that we signed; NULL: we did not. */
static struct json *
verified(const struct authn *a, struct str token)
{
    AUTO(buf_release) struct buf want = BUF_INIT(64);
    AUTO(buf_release) struct buf text = BUF_INIT(TOKEN_MAX);
    size_t dot = token.n;
    struct str head, payload;

    while (dot > 0 && token.s[dot - 1] != '.')
        dot--;
    if (dot < 2)
        return NULL;
    put_signature(a, str_sub(token, 0, dot - 1), &want);
    if (!tls_same(buf_view(&want), str_from(token, dot)) ||
        !str_cut(str_sub(token, 0, dot - 1), '.', &head, &payload) ||
        !digest_unbase64(payload, true, &text))
        return NULL;
    return json_parse(buf_view(&text), NULL, NULL);
}

/* Somebody asks for one of these audiences (none: for ours). */
static bool
is_asked(const struct strlist *asked, const char *audience)
{
    return asked && asked->n ? strlist_has(asked, str_of(audience))
                             : !strcmp(audience, AUTHN_ISSUER);
}

static bool
note_asked(const struct strlist *asked, const char *audience,
           struct strlist *matched)
{
    bool yes = is_asked(asked, audience);

    if (yes && matched)
        strlist_add(matched, str_of(audience));
    return yes;
}

static bool
is_meant_for(const struct json *claims, const struct strlist *asked,
             struct strlist *matched)
{
    bool any = false;

    for (const struct json *c = json_first(json_get(claims, "aud")); c;
         c = json_next(c))
        any = note_asked(asked, json_string_or(c, ""), matched) || any;
    return any;
}

static const struct identity *
account_user(const struct authn *a, struct str token,
             const struct strlist *audiences, struct arena *arena,
             struct strlist *matched)
{
    AUTO(json_free_ptr) struct json *j = verified(a, token);
    static const char *const bound[] = {"pod", "secret"};
    const struct json *kube = json_get(j, "kubernetes.io");
    int64_t now = clock_wall_ms(a->clock) / 1000;
    struct authn_account t = {
        .bound_kind = "", .bound_name = "", .bound_uid = ""};
    struct identity *id;

    if (!j || !is_meant_for(j, audiences, matched) ||
        now < json_int64_or(json_get(j, "nbf"), 0) ||
        now >= json_int64_or(json_get(j, "exp"), 0))
        return NULL;
    t.ns = str_of(json_get_text(kube, "namespace"));
    t.name = str_of(json_at_text(kube, "serviceaccount", "name"));
    t.uid = json_at_text(kube, "serviceaccount", "uid");
    for (size_t i = 0; i < ARRAY_LEN(bound); i++) {
        if (!json_get(kube, bound[i]))
            continue;
        t.bound_kind = bound[i];
        t.bound_name = json_at_text(kube, bound[i], "name");
        t.bound_uid = json_at_text(kube, bound[i], "uid");
    }
    if (!a->alive || !a->alive(a->alive_arg, &t))
        return NULL;
    id = identity_account(arena, PROOF_ACCOUNT, t.ns, t.name, t.uid);
    identity_add_extra(arena, id, CREDENTIAL,
                       arena_printf(arena, "JTI=%s", json_get_text(j, "jti")));
    return id;
}

/* ---- requests ---- */

const struct identity *
authn_token(struct authn *a, struct str token, const struct strlist *audiences,
            struct arena *arena, struct strlist *matched)
{
    const struct identity *id =
        tls_token_ok(a->id, token) ? a->admin : map_get(&a->users, token);

    if (id)
        return note_asked(audiences, AUTHN_ISSUER, matched) ? id : NULL;
    return token.n <= TOKEN_MAX
               ? account_user(a, token, audiences, arena, matched)
               : NULL;
}

static const struct identity *
certified(const struct tls_peer *p, struct arena *arena)
{
    struct identity *id = identity_new(arena, PROOF_CERTIFICATE, p->name, NULL);

    for (size_t i = 0; i < p->groups.n; i++)
        identity_add_group(arena, id, str_of(p->groups.v[i]));
    identity_add_group(arena, id, STR(GROUP_AUTHENTICATED));
    identity_add_extra(arena, id, CREDENTIAL,
                       arena_printf(arena, "X509SHA256=%s", p->fingerprint));
    return id;
}

const struct identity *
authn_request(struct authn *a, const struct http_request *r)
{
    const char *given = http_header(r, "Authorization");
    enum tls_peer_state peer = r->peer ? r->peer->state : TLS_PEER_NONE;
    struct str word, token = STR("");

    if (peer == TLS_PEER_GOOD)
        return certified(r->peer, r->arena);
    /* Another scheme, or a bearer of nothing, is no proof at all. */
    if (given && str_cut(str_trim(str_of(given)), ' ', &word, &token) &&
        word.n == 6 && strncasecmp(word.s, "bearer", 6) == 0)
        token = str_trim(token);
    else
        token = STR("");
    if (token.n)
        return authn_token(a, token, NULL, r->arena, NULL);
    return peer == TLS_PEER_REFUSED ? NULL : a->anonymous;
}

struct authn *
authn_new(const struct authn_options *o, struct error *err)
{
    struct authn *a = mem_zalloc(1, sizeof(*a));

    a->id = o->id;
    a->clock = o->clock;
    a->arena = arena_new();
    a->admin = identity_admin(a->arena);
    a->anonymous = identity_anonymous(a->arena);
    crypto_hmac_sha256(str_of(o->id->ca_key), STR(KEY_WORDS), a->key);
    if (!o->token_file || read_token_file(a, o->token_file, err))
        return a;
    authn_free(a);
    return NULL;
}

void
authn_free(struct authn *a)
{
    if (!a)
        return;
    map_release(&a->users, NULL);
    arena_free(a->arena);
    free(a);
}

void
authn_set_accounts(struct authn *a, authn_alive_fn *fn, void *arg)
{
    a->alive = fn;
    a->alive_arg = arg;
}
