/*
 * Design: assets/api/kinds.txt, line by line, into one kind_info each; what
 * the lines are is said at the head of that file. Types and schemas are not
 * looked at here: most kinds never have an object (kind_types).
 */
#include <stdlib.h>

#include "lib/base/archive.h"
#include "lib/base/asset.h"
#include "lib/base/mem.h"

#include "devenv/sandbox/builtin.h"
#include "devenv/sandbox/kinds.h"

#define TABLE       "assets/api/kinds.txt"
#define TABLE_MAX   (1 << 18)
#define COLUMNS_MAX 16
#define SUBS_MAX    12
#define VERBS       "create,delete,deletecollection,get,list,patch,update,watch"
#define AGE                                                                    \
    "Age|string|0|~|CreationTimestamp is a timestamp representing the server " \
    "time when this object was created. It is not guaranteed to be set in "    \
    "happens-before order across separate operations. Clients may not set "    \
    "this value. It is represented in RFC3339 form and is in UTC.\\n\\n"       \
    "Populated by the system. Read-only. Null for lists. More info: "          \
    "https://git.k8s.io/community/contributors/devel/sig-architecture/"        \
    "api-conventions.md#metadata"

/* "a,b", or "-" for none. */
static char **
texts(struct arena *a, struct str list)
{
    char **v = arena_array(a, list.n + 2, sizeof(*v));
    struct str one;
    size_t n = 0;

    while (!str_eqz(list, "-") && list.n && str_next(&list, ',', &one))
        v[n++] = arena_dup(a, one);
    return v;
}

/* "scale:autoscaling/v1/Scale:get,update"; without a group it is the
 * resource's own. */
static void
add_sub(struct kind_info *k, struct str text)
{
    struct kind_sub *s = &k->subs[k->subs_n++];
    struct str name, what, group, version, kind;

    str_cut(text, ':', &name, &text);
    str_cut(text, ':', &what, &text);
    s->name = arena_dup(k->arena, name);
    s->verbs = texts(k->arena, text);
    s->group = k->pub.group;
    s->version = k->pub.version;
    if (str_cut(what, '/', &group, &kind)) {
        str_cut(kind, '/', &version, &what);
        s->group = arena_dup(k->arena, group);
        s->version = arena_dup(k->arena, version);
    }
    s->kind = arena_dup(k->arena, what);
    k->pub.has_status |= !strcmp(s->name, "status");
    if (!strcmp(s->name, "scale")) {
        k->scale_spec = jsonpath_compile(STR(".spec.replicas"), NULL);
        k->scale_status = jsonpath_compile(STR(".status.replicas"), NULL);
    }
}

static void
add_names(struct kind_info *k, struct str gv)
{
    struct kind *p = &k->pub;
    struct arena *a = k->arena;
    struct str group = {0}, version = gv;

    if (!str_cut(gv, '/', &group, &version)) {
        group = (struct str){0};
        version = gv;
    }
    p->api_version = arena_dup(a, gv);
    p->group = arena_dup(a, group);
    p->version = arena_dup(a, version);
    k->storage_api_version = p->api_version;
    k->store_kind = arena_printf(a, "%s/%s", p->group, p->plural);
    k->view = arena_printf(a, "%s/%s/%s", p->group, p->version, p->plural);
    p->list_kind = arena_printf(a, "%sList", p->kind);
    p->builtin = true;
}

static struct kind_info *
read_kind(struct str line)
{
    struct kind_info *k = mem_zalloc(1, sizeof(*k));
    struct str word[8];

    k->users = 1;
    k->arena = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(word); i++)
        str_next(&line, ' ', &word[i]);
    k->pub.plural = arena_dup(k->arena, word[0]);
    k->pub.kind = arena_dup(k->arena, word[2]);
    k->pub.singular = arena_dup(k->arena, word[3]);
    k->pub.namespaced = str_eqz(word[4], "Namespaced");
    add_names(k, word[1]);
    k->short_names = texts(k->arena, word[5]);
    k->categories = texts(k->arena, word[6]);
    k->verbs = texts(k->arena, str_eqz(word[7], "*") ? STR(VERBS) : word[7]);
    k->subs = arena_array(k->arena, SUBS_MAX, sizeof(*k->subs));
    while (line.n && str_next(&line, ' ', &word[0]))
        add_sub(k, word[0]);
    k->columns = arena_array(k->arena, COLUMNS_MAX, sizeof(*k->columns));
    return k;
}

/* Text with \n in it. */
static const char *
unescape(struct arena *a, struct str text)
{
    char *z = arena_dup(a, text), *to = z;

    for (const char *p = z; *p; p++) {
        bool newline = p[0] == '\\' && p[1] == 'n';

        *to++ = newline ? '\n' : *p;
        p += newline;
    }
    *to = 0;
    return z;
}

static void
read_column(struct kind_info *k, struct str line)
{
    struct kind_column *c = &k->columns[k->columns_n++];
    struct str word[4], type, format;
    int64_t priority = 0;

    if (str_eqz(line, "~"))
        line = STR(AGE);
    for (size_t i = 0; i < ARRAY_LEN(word); i++)
        str_cut(line, '|', &word[i], &line);
    if (!str_cut(word[1], '/', &type, &format)) {
        type = word[1];
        format = (struct str){0};
    }
    str_to_i64(word[2], &priority);
    c->name = arena_dup(k->arena, word[0]);
    c->type = arena_dup(k->arena, type);
    c->format = arena_dup(k->arena, format);
    c->priority = priority;
    c->cell = arena_dup(k->arena, word[3]);
    c->description = unescape(k->arena, line);
}

/* The versions of a resource follow one another. */
static void
finish(struct kinds *t, struct resource *r, struct kind_info *k)
{
    k->all = t->types;
    k->pub.storage = r->n == 0;
    k->builtin = builtin_find(k->pub.group, k->pub.version, k->pub.plural);
    if (k->builtin && builtin_store_kind(k->builtin))
        k->store_kind = builtin_store_kind(k->builtin);
    if (r->n)
        k->storage_api_version = r->v[0]->pub.api_version;
    if (!strcmp(k->pub.kind, "Endpoints"))
        k->deprecation = "v1 Endpoints is deprecated in v1.33+; use "
                         "discovery.k8s.io/v1 EndpointSlice";
    r->v[r->n++] = k;
}

static bool
same_resource(const struct resource *r, const struct kind_info *k)
{
    return r && !strcmp(r->v[0]->pub.group, k->pub.group) &&
           !strcmp(r->v[0]->pub.plural, k->pub.plural);
}

static void
read_table(struct kinds *t, struct str rest)
{
    struct resource *r = NULL;
    struct kind_info *k = NULL;
    struct str line;

    while (str_next(&rest, '\n', &line)) {
        if (!line.n || *line.s == '#')
            continue;
        if (*line.s == ' ') {
            read_column(k, str_from(line, 1));
            continue;
        }
        k = read_kind(line);
        if (!same_resource(r, k)) {
            if (r)
                kinds_serve(t, r);
            r = mem_zalloc(1, sizeof(*r));
            r->v = mem_zalloc(4, sizeof(struct kind_info *));
        }
        finish(t, r, k);
    }
    if (r)
        kinds_serve(t, r);
}

bool
kinds_add_builtin(struct kinds *t, struct error *err)
{
    AUTO(buf_release) struct buf b = BUF_INIT(TABLE_MAX);
    struct asset a;

    if (!asset_find(TABLE, &a))
        return error_set(err, ERR_INTERNAL, "%s is missing", TABLE);
    if (!archive_gunzip(a.data, &b, err))
        return error_wrap(err, "%s", TABLE);
    t->types = types_new();
    read_table(t, buf_view(&b));
    return true;
}
