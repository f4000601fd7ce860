#include "devenv/dockerconfig.h"

#include <stdlib.h>

#include "lib/base/digest.h"
#include "lib/base/file.h"
#include "lib/base/json.h"
#include "lib/base/mem.h"

#define FILE_MAX_BYTES ((size_t)4 << 20)
#define SECRET_MAX     ((size_t)1 << 20)

struct entry {
    char *key;           /* as the file has it */
    char *user, *secret; /* or NULL */
    char *token;         /* an identity token, or NULL */
};

struct dockerconfig {
    struct entry *v;
    size_t n, cap;
    char *context;
    struct json *helpers; /* {"host":"name"}; no secrets */
    char *store;          /* credsStore or "" */
};

void
dockerconfig_wipe(struct buf *secret)
{
    if (secret->s)
        explicit_bzero(secret->s, secret->cap);
    buf_release(secret);
}

/* ---- reading ---- */

/* Overwrites every text below auths before the tree goes. */
static void
wipe_tree(const struct json *j)
{
    const char *text = json_string(j);

    if (text)
        explicit_bzero((char *)(uintptr_t)text, strlen(text));
    for (struct json *c = json_first(j); c; c = json_next(c))
        wipe_tree(c);
}

/* "user:secret" in base64. */
static void
read_auth(struct entry *e, const char *auth)
{
    struct buf plain = BUF_INIT(SECRET_MAX);
    struct str user, secret;

    if (digest_unbase64(str_of(auth), false, &plain) &&
        str_cut(buf_view(&plain), ':', &user, &secret) && user.n) {
        /* Some writers end it with NULs. */
        while (secret.n && secret.s[secret.n - 1] == 0)
            secret.n--;
        e->user = mem_strndup(user.s, user.n);
        e->secret = mem_strndup(secret.s ? secret.s : "", secret.n);
    }
    dockerconfig_wipe(&plain);
}

static void
entry_release(struct entry *e)
{
    free(e->key);
    mem_wipe(e->user);
    mem_wipe(e->secret);
    mem_wipe(e->token);
}

static void
add_entry(struct dockerconfig *c, const char *key, const struct json *j)
{
    const char *auth = json_get_string(j, "auth");
    const char *user = json_get_string(j, "username");
    const char *secret = json_get_string(j, "password");
    const char *token = json_get_string(j, "identitytoken");
    struct entry e = {.key = mem_strdup(key)};

    if (auth && auth[0]) {
        read_auth(&e, auth);
    } else if (user && secret && user[0]) {
        e.user = mem_strdup(user);
        e.secret = mem_strdup(secret);
    }
    if (token && token[0])
        e.token = mem_strdup(token);
    if (!e.secret && !e.token) {
        entry_release(&e);
        return;
    }
    c->v = mem_grow(c->v, &c->cap, c->n + 1, sizeof(*c->v));
    c->v[c->n++] = e;
}

static void
take_tree(struct dockerconfig *c, const struct json *j)
{
    const struct json *auths = json_get(j, "auths");
    const struct json *helpers = json_get(j, "credHelpers");

    if (json_is(auths, JSON_OBJECT))
        for (struct json *a = json_first(auths); a; a = json_next(a))
            add_entry(c, json_key(a), a);
    if (json_is(helpers, JSON_OBJECT))
        c->helpers = json_copy(helpers);
    c->store = mem_strdup(json_string_or(json_get(j, "credsStore"), ""));
    c->context = mem_strdup(json_string_or(json_get(j, "currentContext"), ""));
    wipe_tree(auths);
}

static char *
default_path(void)
{
    const char *dir = getenv("DOCKER_CONFIG");
    const char *home = getenv("HOME");

    if (dir && dir[0])
        return file_join(dir, "config.json");
    return file_join(home && home[0] ? home : "/", ".docker/config.json");
}

static bool
read_file(struct dockerconfig *c, const char *path, struct error *err)
{
    struct buf text = BUF_INIT(FILE_MAX_BYTES);
    struct json *j = NULL;
    struct error e = {0};
    bool ok;

    if (file_read(path, &text, &e) && buf_view(&text).n)
        j = json_parse(buf_view(&text), NULL, &e);
    ok = j ? json_is(j, JSON_OBJECT) : e.code == ERR_NOT_FOUND || !e.code;
    if (!ok && err) {
        if (j)
            error_set(&e, ERR_PARSE, "it is no JSON object");
        *err = e;
        error_wrap(err, "the docker configuration %s", path);
    }
    if (ok)
        take_tree(c, j);
    json_free(j);
    dockerconfig_wipe(&text);
    return ok;
}

struct dockerconfig *
dockerconfig_open(const char *path, struct error *err)
{
    struct dockerconfig *c = mem_zalloc(1, sizeof(*c));
    AUTO(mem_free_ptr) char *usual = path ? NULL : default_path();

    if (read_file(c, path ? path : usual, err))
        return c;
    dockerconfig_free(c);
    return NULL;
}

void
dockerconfig_free(struct dockerconfig *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n; i++)
        entry_release(&c->v[i]);
    free(c->v);
    free(c->context);
    free(c->store);
    json_free(c->helpers);
    free(c);
}

/* ---- hosts ---- */

/* "https://index.docker.io/v1/" and "docker.io" are the same registry; other
 * keys may carry a scheme and a path too. */
static struct str
plain_host(const char *key)
{
    static const char *const hub[] = {"index.docker.io", "registry-1.docker.io",
                                      "registry.hub.docker.com"};
    struct str s = str_of(key), host, rest;
    size_t at = str_find(s, STR("://"), 0);

    if (at != SIZE_MAX)
        s = str_from(s, at + 3);
    str_cut(s, '/', &host, &rest);
    for (size_t i = 0; i < ARRAY_LEN(hub); i++)
        if (str_eqz(host, hub[i]))
            return STR("docker.io");
    return host;
}

static bool
same_host(const char *a, const char *b)
{
    return strcmp(a, b) == 0 || str_eq(plain_host(a), plain_host(b));
}

static const struct entry *
find(const struct dockerconfig *c, const char *host)
{
    for (size_t i = 0; i < c->n; i++)
        if (same_host(c->v[i].key, host))
            return &c->v[i];
    return NULL;
}

void
dockerconfig_hosts(const struct dockerconfig *c, struct strlist *out)
{
    for (size_t i = 0; i < c->n; i++)
        if (c->v[i].secret)
            strlist_add(out, str_of(c->v[i].key));
}

bool
dockerconfig_has(const struct dockerconfig *c, const char *host)
{
    const struct entry *e = find(c, host);

    return e && e->secret;
}

const char *
dockerconfig_helper(const struct dockerconfig *c, const char *host)
{
    for (struct json *h = json_first(c->helpers); h; h = json_next(h))
        if (same_host(json_key(h), host) && json_string(h))
            return json_string(h);
    return c->store[0] && !find(c, host) ? c->store : NULL;
}

const char *
dockerconfig_context(const struct dockerconfig *c)
{
    return c->context;
}

/* ---- documents ---- */

/* A JSON string; secrets never enter a tree. */
static void
put_string(struct buf *out, const char *z)
{
    buf_putc(out, '"');
    for (const unsigned char *p = (const unsigned char *)z; *p; p++) {
        if (*p == '"' || *p == '\\')
            buf_putc(out, '\\');
        if (*p < 0x20)
            buf_printf(out, "\\u%04x", *p);
        else
            buf_putc(out, (char)*p);
    }
    buf_putc(out, '"');
}

/* base64 of user:secret */
static void
put_basic(const struct entry *e, struct buf *out)
{
    struct buf plain = BUF_INIT(SECRET_MAX);

    buf_puts(&plain, e->user);
    buf_putc(&plain, ':');
    buf_puts(&plain, e->secret);
    digest_base64(buf_view(&plain), false, out);
    dockerconfig_wipe(&plain);
}

static void
put_auth(const struct entry *e, struct buf *out)
{
    put_string(out, e->key);
    buf_puts(out, ":{\"auth\":\"");
    put_basic(e, out);
    buf_puts(out, "\"}");
}

static bool
put_auths(const struct dockerconfig *c, const char *host, struct buf *out)
{
    size_t n = 0;

    for (size_t i = 0; i < c->n; i++) {
        const struct entry *e = &c->v[i];

        if (!e->secret || (host && !same_host(e->key, host)))
            continue;
        buf_puts(out, n++ ? "," : "{\"auths\":{");
        put_auth(e, out);
    }
    if (n)
        buf_puts(out, "}}");
    return n && !out->over;
}

bool
dockerconfig_json_for(const struct dockerconfig *c, const char *host,
                      struct buf *out)
{
    return put_auths(c, host, out);
}

bool
dockerconfig_json_all(const struct dockerconfig *c, struct buf *out)
{
    return put_auths(c, NULL, out);
}

static void
put_member(struct buf *out, const char *key, const char *value)
{
    if (!value)
        return;
    buf_putc(out, out->n ? ',' : '{');
    put_string(out, key);
    buf_putc(out, ':');
    put_string(out, value);
}

bool
dockerconfig_header_for(const struct dockerconfig *c, const char *host,
                        struct buf *out)
{
    const struct entry *e = find(c, host);
    struct buf plain = BUF_INIT(SECRET_MAX);
    size_t before = out->n;

    if (!e)
        return false;
    put_member(&plain, "username", e->token ? NULL : e->user);
    put_member(&plain, "password", e->token ? NULL : e->secret);
    put_member(&plain, "identitytoken", e->token);
    put_member(&plain, "serveraddress", e->key);
    buf_putc(&plain, '}');
    digest_base64(buf_view(&plain), true, out);
    /* Engines decode with padding. */
    while ((out->n - before) % 4 && buf_putc(out, '='))
        ;
    dockerconfig_wipe(&plain);
    return !out->over;
}

bool
dockerconfig_basic_for(const struct dockerconfig *c, const char *host,
                       struct buf *out)
{
    const struct entry *e = find(c, host);

    if (!e || !e->secret)
        return false;
    put_basic(e, out);
    return !out->over;
}
