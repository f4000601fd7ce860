#include "devenv/sandbox/rbac.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"

#include "lib/compose/format.h"

/*
 * Design: bindings hang below "KIND NAME\nNS" for each of their subjects, where
 * KIND is u or g (a ServiceAccount is the user of its name) and NS that of the
 * binding. A decision asks for its user and each of its groups, in no
 * namespace and in its own: a handful of look-ups.
 */

#define KEY_MAX 1024

struct role {
    struct arena *arena;
    struct rbac_rules rules;
};

struct subject {
    const char *kind, *name, *ns;
    const char *key; /* in rbac.subjects; NULL: names nobody */
};

struct binding {
    struct arena *arena;
    const char *ns, *name;
    const char *role_kind, *role_name, *role_key;
    struct subject *subjects;
    size_t n;
};

/* The bindings of one subject in one namespace. */
struct bound {
    struct binding **v;
    size_t n, cap;
};

struct rbac {
    struct map roles;    /* "NS/NAME" -> struct role */
    struct map bindings; /* "NS/NAME" -> struct binding */
    struct map subjects; /* see above -> struct bound */
};

/* ---- keys ---- */

static struct str
object_key(const char *ns, const char *name, struct buf *b)
{
    buf_reset(b);
    buf_printf(b, "%s/%s", ns, name);
    return buf_view(b);
}

/* Too long a name has no key: nobody is called so. */
static struct str
subject_key(char kind, const char *name, const char *ns, char out[KEY_MAX])
{
    size_t n = strlen(name), m = strlen(ns);

    if (n + m + 2 > KEY_MAX)
        return (struct str){0};
    out[0] = kind;
    memcpy(out + 1, name, n);
    out[n + 1] = '\n';
    memcpy(out + n + 2, ns, m);
    return str_n(out, n + m + 2);
}

/* ---- roles ---- */

static void
role_free(void *arg)
{
    struct role *r = arg;

    if (!r)
        return;
    arena_free(r->arena);
    free(r);
}

void
rbac_set_role(struct rbac *b, const char *ns, const char *name,
              const struct json *obj)
{
    AUTO(buf_release) struct buf key = BUF_INIT(KEY_MAX);
    struct role *r = NULL;

    object_key(ns, name, &key);
    if (obj) {
        r = mem_zalloc(1, sizeof(*r));
        r->arena = arena_new();
        rbac_rules_read(obj, r->arena, &r->rules);
        role_free(map_put(&b->roles, buf_view(&key), r));
    } else {
        role_free(map_del(&b->roles, buf_view(&key)));
    }
}

/* ---- bindings ---- */

static void
bound_free(void *arg)
{
    struct bound *l = arg;

    free(l->v);
    free(l);
}

static void
binding_free(void *arg)
{
    struct binding *x = arg;

    arena_free(x->arena);
    free(x);
}

static void
unlink_binding(struct rbac *b, struct binding *x)
{
    for (size_t i = 0; i < x->n; i++) {
        struct bound *l =
            x->subjects[i].key
                ? map_get(&b->subjects, str_of(x->subjects[i].key))
                : NULL;
        size_t k = 0;

        while (l && k < l->n && l->v[k] != x)
            k++;
        if (!l || k == l->n)
            continue;
        l->v[k] = l->v[--l->n];
        if (!l->n)
            bound_free(map_del(&b->subjects, str_of(x->subjects[i].key)));
    }
}

static void
link_binding(struct rbac *b, struct binding *x, const char *key)
{
    struct bound *l = map_get(&b->subjects, str_of(key));

    if (!l) {
        l = mem_zalloc(1, sizeof(*l));
        map_put(&b->subjects, str_of(key), l);
    }
    /* A binding may name a subject twice. */
    if (l->n && l->v[l->n - 1] == x)
        return;
    if (l->n == l->cap)
        l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
    l->v[l->n++] = x;
}

static const char *
key_of(const struct binding *x, const struct subject *s)
{
    char text[KEY_MAX];
    struct str key = {0};

    if (!strcmp(s->kind, "User"))
        key = subject_key('u', s->name, x->ns, text);
    else if (!strcmp(s->kind, "Group"))
        key = subject_key('g', s->name, x->ns, text);
    else if (!strcmp(s->kind, "ServiceAccount") && (*s->ns || *x->ns))
        key = subject_key('u',
                          arena_printf(x->arena, "system:serviceaccount:%s:%s",
                                       *s->ns ? s->ns : x->ns, s->name),
                          x->ns, text);
    return key.n ? arena_dup(x->arena, key) : NULL;
}

static struct binding *
read_binding(const char *ns, const char *name, const struct json *obj)
{
    struct binding *x = mem_zalloc(1, sizeof(*x));
    const struct json *ref = json_get(obj, "roleRef");
    const struct json *subjects = json_get(obj, "subjects");
    struct arena *a = arena_new();
    bool local;

    x->arena = a;
    x->ns = arena_strdup(a, ns);
    x->name = arena_strdup(a, name);
    x->role_kind = arena_strdup(a, json_get_text(ref, "kind"));
    x->role_name = arena_strdup(a, json_get_text(ref, "name"));
    local = !strcmp(x->role_kind, "Role");
    x->role_key = arena_printf(a, "%s/%s", local ? ns : "", x->role_name);
    x->subjects = arena_array(a, json_len(subjects) + 1, sizeof(*x->subjects));
    for (const struct json *c = json_first(subjects); c; c = json_next(c)) {
        struct subject *s = &x->subjects[x->n++];

        s->kind = arena_strdup(a, json_get_text(c, "kind"));
        s->name = arena_strdup(a, json_get_text(c, "name"));
        s->ns = arena_strdup(a, json_get_text(c, "namespace"));
        s->key = key_of(x, s);
    }
    return x;
}

void
rbac_set_binding(struct rbac *b, const char *ns, const char *name,
                 const struct json *obj)
{
    AUTO(buf_release) struct buf key = BUF_INIT(KEY_MAX);
    struct binding *old;

    object_key(ns, name, &key);
    old = map_del(&b->bindings, buf_view(&key));
    if (old) {
        unlink_binding(b, old);
        binding_free(old);
    }
    if (!obj)
        return;

    struct binding *x = read_binding(ns, name, obj);

    map_put(&b->bindings, buf_view(&key), x);
    for (size_t i = 0; i < x->n; i++) {
        if (x->subjects[i].key)
            link_binding(b, x, x->subjects[i].key);
    }
}

/* ---- what holds for somebody ---- */

/* Called for each binding; role NULL: it names one that is not there. False
 * stops. */
typedef bool visit_fn(void *arg, const struct binding *x,
                      const struct role *role);

static bool
visit_key(const struct rbac *b, struct str key, visit_fn *fn, void *arg)
{
    const struct bound *l = map_get(&b->subjects, key);

    for (size_t i = 0; l && i < l->n; i++) {
        const struct binding *x = l->v[i];

        if (!fn(arg, x, map_get(&b->roles, str_of(x->role_key))))
            return false;
    }
    return true;
}

static bool
visit_scope(const struct rbac *b, const struct identity *who, const char *ns,
            visit_fn *fn, void *arg)
{
    char text[KEY_MAX];

    if (!visit_key(b, subject_key('u', who->name, ns, text), fn, arg))
        return false;
    for (size_t i = 0; i < who->groups_n; i++) {
        if (!visit_key(b, subject_key('g', who->groups[i], ns, text), fn, arg))
            return false;
    }
    return true;
}

/* A binding that names several of who's groups comes several times. */
static void
visit(const struct rbac *b, const struct identity *who, const char *ns,
      visit_fn *fn, void *arg)
{
    if (visit_scope(b, who, "", fn, arg) && *ns)
        visit_scope(b, who, ns, fn, arg);
}

struct found {
    const struct binding **v;
    size_t n, cap;
};

static bool
collect(void *arg, const struct binding *x, const struct role *role)
{
    struct found *f = arg;

    (void)role;
    for (size_t i = 0; i < f->n; i++) {
        if (f->v[i] == x)
            return true;
    }
    if (f->n == f->cap)
        f->v = mem_grow(f->v, &f->cap, f->n + 1, sizeof(*f->v));
    f->v[f->n++] = x;
    return true;
}

/* Those of the cluster first, then by name. */
static int
by_place(const void *a, const void *b)
{
    const struct binding *const *x = a, *const *y = b;

    if (!*(*x)->ns != !*(*y)->ns)
        return *(*x)->ns ? 1 : -1;
    return strcmp((*x)->name, (*y)->name);
}

static struct found
find_sorted(const struct rbac *b, const struct identity *who, const char *ns)
{
    struct found f = {0};

    visit(b, who, ns, collect, &f);
    if (f.n)
        qsort(f.v, f.n, sizeof(*f.v), by_place);
    return f;
}

/* ---- reasons ---- */

/* `clusterrole.rbac.authorization.k8s.io "x" not found` */
static void
put_no_role(const char *kind, const char *name, struct buf *out)
{
    buf_printf(out, "%s." RBAC_GROUP " \"%s\" not found",
               !strcmp(kind, "Role") ? "role" : "clusterrole", name);
}

static bool
is_subject(const struct subject *s, const struct binding *x,
           const struct identity *who)
{
    char text[KEY_MAX];
    struct str key;

    if (!s->key)
        return false;
    if (!strcmp(s->kind, "Group"))
        return identity_in_group(who, s->name);
    key = subject_key('u', who->name, x->ns, text);
    return str_eqz(key, s->key);
}

static void
put_subject(const struct subject *s, const struct binding *x, struct buf *out)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    buf_puts(&b, s->name);
    if (!strcmp(s->kind, "ServiceAccount"))
        buf_printf(&b, "/%s", *s->ns ? s->ns : x->ns);
    buf_printf(out, "%s ", s->kind);
    format_quote(buf_view(&b), false, out);
}

/* As client-go's String of a binding: `RoleBinding "b/ns" of Role "r" to User
 * "u"`. */
static void
put_reason(const struct binding *x, const struct identity *who, struct buf *out)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    size_t i = 0;

    buf_puts(&b, x->name);
    if (*x->ns)
        buf_printf(&b, "/%s", x->ns);
    buf_printf(out, "RBAC: allowed by %sBinding ",
               *x->ns ? "Role" : "ClusterRole");
    format_quote(buf_view(&b), false, out);
    buf_printf(out, " of %s ", x->role_kind);
    format_quote(str_of(x->role_name), false, out);
    buf_puts(out, " to ");
    while (i + 1 < x->n && !is_subject(&x->subjects[i], x, who))
        i++;
    put_subject(&x->subjects[i], x, out);
}

/* "a", or "[a, b]": each once. */
static void
put_errors(const struct strlist *errors, struct buf *out)
{
    if (errors->n > 1)
        buf_putc(out, '[');
    for (size_t i = 0; i < errors->n; i++)
        buf_printf(out, "%s%s", i ? ", " : "", errors->v[i]);
    if (errors->n > 1)
        buf_putc(out, ']');
}

static void
note_no_role(const struct binding *x, struct strlist *errors)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    put_no_role(x->role_kind, x->role_name, &b);
    if (!strlist_has(errors, buf_view(&b)))
        strlist_add(errors, buf_view(&b));
}

/* ---- decisions ---- */

struct question {
    const struct access *access;
    bool yes;
};

static bool
role_allows(const struct role *r, const struct access *a)
{
    for (size_t i = 0; r && i < r->rules.n; i++) {
        if (rbac_rule_allows(&r->rules.v[i], a))
            return true;
    }
    return false;
}

static bool
ask(void *arg, const struct binding *x, const struct role *role)
{
    struct question *q = arg;

    (void)x;
    q->yes = role_allows(role, q->access);
    return !q->yes;
}

/* The same again in a certain order, to say why. */
static bool
explain(const struct rbac *b, const struct identity *who,
        const struct access *a, struct buf *why)
{
    AUTO(strlist_release) struct strlist errors = {0};
    struct found f = find_sorted(b, who, a->ns);
    size_t i = 0;

    for (; i < f.n; i++) {
        const struct role *r = map_get(&b->roles, str_of(f.v[i]->role_key));

        if (!r)
            note_no_role(f.v[i], &errors);
        else if (role_allows(r, a))
            break;
    }
    if (i < f.n) {
        put_reason(f.v[i], who, why);
    } else if (errors.n) {
        buf_puts(why, "RBAC: ");
        put_errors(&errors, why);
    }

    bool yes = i < f.n;

    free(f.v);
    return yes;
}

bool
rbac_allows(const struct rbac *b, const struct identity *who,
            const struct access *a, struct buf *why)
{
    struct question q = {.access = a};

    if (who->master)
        return true;
    if (why)
        return explain(b, who, a, why);
    visit(b, who, a->ns, ask, &q);
    return q.yes;
}

void
rbac_rules_of(const struct rbac *b, const struct identity *who, const char *ns,
              struct arena *arena, struct rbac_rules *out, struct buf *errors)
{
    AUTO(strlist_release) struct strlist wrong = {0};
    struct found f = find_sorted(b, who, ns);
    size_t n = 0;

    *out = (struct rbac_rules){0};
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < f.n; i++) {
            const struct role *r = map_get(&b->roles, str_of(f.v[i]->role_key));

            for (size_t k = 0; pass && r && k < r->rules.n; k++)
                out->v[out->n++] = r->rules.v[k];
            n += r ? r->rules.n : 0;
            if (!r && !pass)
                note_no_role(f.v[i], &wrong);
        }
        if (!pass)
            out->v = arena_array(arena, n + 1, sizeof(*out->v));
    }
    free(f.v);
    if (errors)
        put_errors(&wrong, errors);
}

bool
rbac_role_rules(const struct rbac *b, const char *ns, const char *kind,
                const char *name, struct rbac_rules *out)
{
    AUTO(buf_release) struct buf key = BUF_INIT(KEY_MAX);
    bool local = !strcmp(kind, "Role");
    const struct role *r =
        map_get(&b->roles, object_key(local ? ns : "", name, &key));

    if (r)
        *out = r->rules;
    return r != NULL;
}

/* ---- birth and death ---- */

struct rbac *
rbac_new(void)
{
    return mem_zalloc(1, sizeof(struct rbac));
}

void
rbac_free(struct rbac *b)
{
    if (!b)
        return;
    map_release(&b->roles, role_free);
    map_release(&b->bindings, binding_free);
    map_release(&b->subjects, bound_free);
    free(b);
}
