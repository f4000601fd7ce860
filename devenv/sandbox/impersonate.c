#include "devenv/sandbox/impersonate.h"

#include <stdlib.h>

#define AUTHENTICATION "authentication.k8s.io"
#define HEADER         "Impersonate-"
#define EXTRA          "Extra-"

/* What one header asks for, in the order in which it is looked at. */
enum wish_kind { WISH_USER, WISH_GROUP, WISH_EXTRA, WISH_UID };

struct wish {
    struct wish *next;
    enum wish_kind kind;
    const char *key; /* of WISH_EXTRA */
    const char *value;
};

struct wishes {
    struct arena *arena;
    struct wish *first;
    bool kinds[4];
};

/* %41 as A; a text that is not so encoded stays as it is. */
static char *
unescape(struct arena *a, const char *text)
{
    char *out = arena_strdup(a, text), *w = out;

    for (const char *p = text; *p; p++) {
        char hex[3] = {0};
        char *end = NULL;

        if (*p != '%') {
            *w++ = *p;
            continue;
        }
        hex[0] = p[1];
        hex[1] = p[1] ? p[2] : '\0';
        *w = (char)strtol(hex, &end, 16);
        if (end != hex + 2 || !*w)
            return arena_strdup(a, text);
        w++;
        p += 2;
    }
    *w = '\0';
    return out;
}

static char *
lower(struct arena *a, const char *text)
{
    char *out = arena_strdup(a, text);

    for (char *p = out; *p; p++)
        *p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
    return out;
}

/* Behind those of its kind. */
static void
add_wish(struct wishes *w, enum wish_kind kind, const char *key,
         const char *value)
{
    struct wish *x = arena_alloc(w->arena, sizeof(*x));
    struct wish **at = &w->first;

    *x = (struct wish){
        .kind = kind, .key = key, .value = arena_strdup(w->arena, value)};
    while (*at && (*at)->kind <= kind)
        at = &(*at)->next;
    x->next = *at;
    *at = x;
    w->kinds[kind] = true;
}

static bool
on_header(void *arg, const char *name, const char *value)
{
    struct wishes *w = arg;
    const char *what = name + strlen(HEADER);

    if (strncasecmp(name, HEADER, strlen(HEADER)) != 0)
        return true;
    if (!strcasecmp(what, "User") && *value && !w->kinds[WISH_USER])
        add_wish(w, WISH_USER, NULL, value);
    else if (!strcasecmp(what, "Group"))
        add_wish(w, WISH_GROUP, NULL, value);
    else if (!strcasecmp(what, "Uid") && *value && !w->kinds[WISH_UID])
        add_wish(w, WISH_UID, NULL, value);
    else if (!strncasecmp(what, EXTRA, strlen(EXTRA)))
        add_wish(w, WISH_EXTRA,
                 unescape(w->arena, lower(w->arena, what + strlen(EXTRA))),
                 value);
    return true;
}

/* The right that a wish needs. */
static void
needed(const struct wish *x, struct access *a)
{
    AUTO(buf_release) struct buf b = BUF_INIT(64);

    access_init(a);
    a->resource = true;
    a->verb = "impersonate";
    a->name = x->value;
    if (x->kind == WISH_USER)
        a->plural = "users";
    else if (x->kind == WISH_GROUP)
        a->plural = "groups";
    if (x->kind == WISH_USER || x->kind == WISH_GROUP)
        return;
    a->group = AUTHENTICATION;
    a->version = "v1";
    a->plural = x->kind == WISH_UID ? "uids" : "userextras";
    a->sub = x->kind == WISH_EXTRA ? x->key : "";
}

static bool
may(const struct rbac *b, const struct http_request *r, const struct wish *x,
    struct status *st)
{
    AUTO(buf_release) struct buf why = BUF_INIT(BUF_TEXT_MAX);
    struct access a;
    struct str ns, name;

    needed(x, &a);
    if (x->kind == WISH_USER && identity_split_account(x->value, &ns, &name)) {
        a.plural = "serviceaccounts";
        a.ns = arena_dup(r->arena, ns);
        a.name = arena_dup(r->arena, name);
    }
    return r->who->master || rbac_allows(b, r->who, &a, &why) ||
           access_refuse(&a, r->who, buf_cstr(&why), st);
}

/* An account's groups are known when none is named; everybody but anonymous
 * is authenticated. */
static struct identity *
become(const struct wishes *w)
{
    struct arena *a = w->arena;
    struct identity *id =
        identity_new(a, PROOF_IMPERSONATED, w->first->value, NULL);
    struct str ns, name;

    if (!w->kinds[WISH_GROUP] &&
        identity_split_account(w->first->value, &ns, &name))
        id = identity_account(a, PROOF_IMPERSONATED, ns, name, NULL);
    for (const struct wish *x = w->first->next; x; x = x->next) {
        if (x->kind == WISH_GROUP)
            identity_add_group(a, id, str_of(x->value));
        else if (x->kind == WISH_EXTRA)
            identity_add_extra(a, id, x->key, x->value);
        else
            id->uid = x->value;
    }
    if (!strcmp(id->name, USER_ANONYMOUS))
        identity_add_group(a, id, STR(GROUP_UNAUTHENTICATED));
    else if (!identity_in_group(id, GROUP_UNAUTHENTICATED))
        identity_add_group(a, id, STR(GROUP_AUTHENTICATED));
    return id;
}

/* The server's own words for it are a dump of what it read. */
static bool
no_user(struct http_request *r, const struct wishes *w)
{
    static const char *const kinds[] = {"User", "Group", "UserExtra", "UID"};
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    buf_printf(&b, "Internal Server Error: \"%s\": requested [", r->target);
    for (const struct wish *x = w->first; x; x = x->next)
        buf_printf(&b, "%s{%s  %s  %s  %s}", x == w->first ? "" : " ",
                   kinds[x->kind], x->value,
                   x->kind >= WISH_EXTRA ? AUTHENTICATION "/v1" : "",
                   x->key ? x->key : "");
    buf_puts(&b, "] without impersonating a user\n");
    http_refuse_text(r, 500, buf_view(&b));
    return false;
}

bool
impersonate(const struct rbac *b, struct http_request *r, struct status *st)
{
    struct wishes w = {.arena = r->arena};

    http_each_header(r, on_header, &w);
    if (!w.first)
        return true;
    if (!w.kinds[WISH_USER])
        return no_user(r, &w);
    for (const struct wish *x = w.first; x; x = x->next) {
        if (!may(b, r, x, st))
            return false;
    }
    r->who = become(&w);
    return true;
}
