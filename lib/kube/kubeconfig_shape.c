#include "lib/kube/kubeconfig_shape.h"

#include "lib/base/buf.h"
#include "lib/base/digest.h"

#define BYTES_MAX ((size_t)4 << 20)

enum what {
    TEXT,
    FLAG,
    BYTES,  /* base64 */
    OBJECT, /* members are named; others are passed over */
    LIST,   /* of item */
    NAMED,  /* a list of objects whose "name" may stand once */
    MAP     /* any member is an item */
};

struct shape;

struct member {
    const char *name;
    const struct shape *shape;
};

struct shape {
    enum what what;
    const struct member *members; /* ends with a NULL name */
    const struct shape *item;
};

static const struct shape text = {TEXT, NULL, NULL};
static const struct shape flag = {FLAG, NULL, NULL};
static const struct shape bytes = {BYTES, NULL, NULL};
static const struct shape texts = {LIST, NULL, &text};
static const struct shape text_map = {MAP, NULL, &text};
static const struct shape texts_map = {MAP, NULL, &texts};

static const struct member named_members[] = {{"name", &text}, {0}};
static const struct shape extension = {OBJECT, named_members, NULL};
static const struct shape extensions = {NAMED, NULL, &extension};

static const struct member cluster_members[] = {
    {"server", &text},
    {"tls-server-name", &text},
    {"insecure-skip-tls-verify", &flag},
    {"certificate-authority", &text},
    {"certificate-authority-data", &bytes},
    {"proxy-url", &text},
    {"disable-compression", &flag},
    {"extensions", &extensions},
    {0},
};
static const struct shape cluster = {OBJECT, cluster_members, NULL};
static const struct member cluster_item[] = {
    {"name", &text}, {"cluster", &cluster}, {0}};
static const struct shape cluster_entry = {OBJECT, cluster_item, NULL};

static const struct member env_members[] = {
    {"name", &text}, {"value", &text}, {0}};
static const struct shape env = {OBJECT, env_members, NULL};
static const struct shape envs = {LIST, NULL, &env};
static const struct member exec_members[] = {
    {"command", &text},
    {"args", &texts},
    {"env", &envs},
    {"apiVersion", &text},
    {"installHint", &text},
    {"provideClusterInfo", &flag},
    {"interactiveMode", &text},
    {0},
};
static const struct shape exec = {OBJECT, exec_members, NULL};
static const struct member provider_members[] = {
    {"name", &text}, {"config", &text_map}, {0}};
static const struct shape provider = {OBJECT, provider_members, NULL};

static const struct member user_members[] = {
    {"client-certificate", &text},
    {"client-certificate-data", &bytes},
    {"client-key", &text},
    {"client-key-data", &bytes},
    {"token", &text},
    {"tokenFile", &text},
    {"as", &text},
    {"as-uid", &text},
    {"as-groups", &texts},
    {"as-user-extra", &texts_map},
    {"username", &text},
    {"password", &text},
    {"auth-provider", &provider},
    {"exec", &exec},
    {"extensions", &extensions},
    {0},
};
static const struct shape user = {OBJECT, user_members, NULL};
static const struct member user_item[] = {
    {"name", &text}, {"user", &user}, {0}};
static const struct shape user_entry = {OBJECT, user_item, NULL};

static const struct member context_members[] = {
    {"cluster", &text},
    {"user", &text},
    {"namespace", &text},
    {"extensions", &extensions},
    {0},
};
static const struct shape context = {OBJECT, context_members, NULL};
static const struct member context_item[] = {
    {"name", &text}, {"context", &context}, {0}};
static const struct shape context_entry = {OBJECT, context_item, NULL};

static const struct member preferences_members[] = {
    {"colors", &flag}, {"extensions", &extensions}, {0}};
static const struct shape preferences = {OBJECT, preferences_members, NULL};
static const struct shape clusters = {NAMED, NULL, &cluster_entry};
static const struct shape users = {NAMED, NULL, &user_entry};
static const struct shape contexts = {NAMED, NULL, &context_entry};
static const struct member root_members[] = {
    {"apiVersion", &text},
    {"kind", &text},
    {"current-context", &text},
    {"preferences", &preferences},
    {"clusters", &clusters},
    {"users", &users},
    {"contexts", &contexts},
    {"extensions", &extensions},
    {0},
};
static const struct shape root_shape = {OBJECT, root_members, NULL};

struct check {
    struct json_places *places;
    struct buf path; /* "users[0].user.token" */
    struct error *err;
};

static bool
wrong(struct check *c, const struct json *j, const char *what)
{
    const struct json_place *at = json_places_find(c->places, j);
    const char *path = c->path.n ? buf_cstr(&c->path) : "the file";

    if (at)
        return error_set(c->err, ERR_PARSE, "line %u: %s %s", at->line, path,
                         what);
    return error_set(c->err, ERR_PARSE, "%s %s", path, what);
}

static bool visit(struct check *c, const struct json *j, const struct shape *s);

static bool
visit_members(struct check *c, const struct json *j, const struct shape *s)
{
    size_t n = c->path.n;

    for (const struct json *v = json_first(j); v; v = json_next(v)) {
        const struct member *m = s->members;

        while (m && m->name && strcmp(m->name, json_key(v)) != 0)
            m++;
        if (m && !m->name)
            continue;
        buf_printf(&c->path, "%s%s", n ? "." : "", json_key(v));
        if (!visit(c, v, m ? m->shape : s->item))
            return false;
        buf_truncate(&c->path, n);
    }
    return true;
}

/* Has an earlier item of the list this one's name? client-go refuses that
 * within a file (conversion.go). */
static bool
is_double(const struct json *list, const struct json *item, const char *name)
{
    for (const struct json *i = json_first(list); i != item; i = json_next(i)) {
        if (strcmp(json_string_or(json_get(i, "name"), ""), name) == 0)
            return true;
    }
    return false;
}

static bool
visit_items(struct check *c, const struct json *j, const struct shape *s)
{
    size_t n = c->path.n, i = 0;

    for (const struct json *v = json_first(j); v; v = json_next(v)) {
        const char *name = json_string_or(json_get(v, "name"), "");

        buf_printf(&c->path, "[%zu]", i++);
        if (!visit(c, v, s->item))
            return false;
        if (s->what == NAMED && is_double(j, v, name))
            return wrong(c, v, "has the name of an entry before");
        buf_truncate(&c->path, n);
    }
    return true;
}

static bool
is_base64(const char *z)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BYTES_MAX);

    return digest_unbase64(str_of(z), false, &b);
}

static bool
visit(struct check *c, const struct json *j, const struct shape *s)
{
    static const struct {
        enum json_type type;
        const char *wrong;
    } rows[] = {
        [TEXT] = {JSON_STRING, "is no text"},
        [FLAG] = {JSON_BOOL, "is neither true nor false"},
        [BYTES] = {JSON_STRING, "is no text"},
        [OBJECT] = {JSON_OBJECT, "is no object"},
        [LIST] = {JSON_ARRAY, "is no list"},
        [NAMED] = {JSON_ARRAY, "is no list"},
        [MAP] = {JSON_OBJECT, "is no object"},
    };

    if (json_is(j, JSON_NULL))
        return true;
    if (!json_is(j, rows[s->what].type))
        return wrong(c, j, rows[s->what].wrong);
    if (s->what == BYTES && !is_base64(json_string(j)))
        return wrong(c, j, "is no base64");
    if (s->what == OBJECT || s->what == MAP)
        return visit_members(c, j, s);
    if (s->what == LIST || s->what == NAMED)
        return visit_items(c, j, s);
    return true;
}

bool
kube_config_shape(const struct json *root, struct json_places *places,
                  struct error *err)
{
    struct check c = {places, BUF_INIT(2048), err};
    bool ok = visit(&c, root, &root_shape);

    buf_release(&c.path);
    return ok;
}
