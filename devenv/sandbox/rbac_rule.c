#include "devenv/sandbox/rbac_rule.h"

#include "lib/base/map.h"

#include "lib/compose/format.h"

#define ALL "*"

/* ---- reading ---- */

static void
read_list(const struct json *list, struct arena *a, struct rbac_list *out)
{
    out->v = arena_array(a, json_len(list) + 1, sizeof(*out->v));
    out->n = 0;
    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        if (json_string(c))
            out->v[out->n++] = arena_strdup(a, json_string(c));
    }
}

void
rbac_rules_read(const struct json *role, struct arena *a,
                struct rbac_rules *out)
{
    const struct json *rules = json_get(role, "rules");

    out->v = arena_array(a, json_len(rules) + 1, sizeof(*out->v));
    out->n = 0;
    for (const struct json *c = json_first(rules); c; c = json_next(c)) {
        struct rbac_rule *r = &out->v[out->n++];

        read_list(json_get(c, "verbs"), a, &r->verbs);
        read_list(json_get(c, "apiGroups"), a, &r->groups);
        read_list(json_get(c, "resources"), a, &r->resources);
        read_list(json_get(c, "resourceNames"), a, &r->names);
        read_list(json_get(c, "nonResourceURLs"), a, &r->urls);
    }
}

/* ---- matching ---- */

static bool
has(const struct rbac_list *l, const char *text)
{
    for (size_t i = 0; i < l->n; i++) {
        if (!strcmp(l->v[i], text))
            return true;
    }
    return false;
}

static bool
has_or_all(const struct rbac_list *l, const char *text)
{
    for (size_t i = 0; i < l->n; i++) {
        if (!strcmp(l->v[i], ALL) || !strcmp(l->v[i], text))
            return true;
    }
    return false;
}

/* "pods" and "pods/log" by themselves, by "*", and by "*" "/log". */
static bool
resource_matches(const char *rule, const struct access *a)
{
    size_t n = strlen(a->plural);

    if (!strcmp(rule, ALL))
        return true;
    if (!*a->sub)
        return !strcmp(rule, a->plural);
    if (!strncmp(rule, "*/", 2))
        return !strcmp(rule + 2, a->sub);
    return !strncmp(rule, a->plural, n) && rule[n] == '/' &&
           !strcmp(rule + n + 1, a->sub);
}

/* A trailing "*" stands for whatever follows. */
static bool
url_matches(const char *rule, const char *path)
{
    size_t n = strlen(rule);

    if (!strcmp(rule, path))
        return true;
    if (!n || rule[n - 1] != '*')
        return false;
    while (n && rule[n - 1] == '*')
        n--;
    return !strncmp(rule, path, n);
}

static bool
url_in(const struct rbac_list *l, const char *path)
{
    for (size_t i = 0; i < l->n; i++) {
        if (url_matches(l->v[i], path))
            return true;
    }
    return false;
}

bool
rbac_rule_allows(const struct rbac_rule *r, const struct access *a)
{
    if (!has_or_all(&r->verbs, a->verb))
        return false;
    if (!a->resource)
        return url_in(&r->urls, a->path);
    if (!has_or_all(&r->groups, a->group) ||
        (r->names.n && !has(&r->names, a->name)))
        return false;
    for (size_t i = 0; i < r->resources.n; i++) {
        if (resource_matches(r->resources.v[i], a))
            return true;
    }
    return false;
}

/* ---- covering ---- */

/* "pods/log" is covered by itself, by "*" and by "*" "/log". */
static bool
resource_covered(const struct rbac_list *held, const char *path)
{
    const char *slash = strchr(path, '/');

    if (has_or_all(held, path))
        return true;
    for (size_t i = 0; slash && i < held->n; i++) {
        if (!strncmp(held->v[i], "*/", 2) && !strcmp(held->v[i] + 1, slash))
            return true;
    }
    return false;
}

/* one: of at most one verb, group, resource, name. */
static bool
covers(const struct rbac_rule *held, const struct rbac_rule *one)
{
    if (!has_or_all(&held->verbs, one->verbs.v[0]))
        return false;
    if (one->urls.n)
        return url_in(&held->urls, one->urls.v[0]);
    return has_or_all(&held->groups, one->groups.v[0]) &&
           resource_covered(&held->resources, one->resources.v[0]) &&
           (!held->names.n ||
            (one->names.n && has(&held->names, one->names.v[0])));
}

struct walk {
    const struct rbac_rules *held;
    struct arena *arena;
    struct rbac_rules *out;
    size_t cap;
};

static struct rbac_list
just(struct arena *a, const char *text)
{
    struct rbac_list l = {arena_array(a, 1, sizeof(*l.v)), 1};

    l.v[0] = text;
    return l;
}

static void
add_rule(struct walk *w, const struct rbac_rule *r)
{
    if (w->out->n == w->cap) {
        struct rbac_rule *more =
            arena_array(w->arena, MAX(w->cap * 2, (size_t)16), sizeof(*more));

        for (size_t i = 0; i < w->out->n; i++)
            more[i] = w->out->v[i];
        w->cap = MAX(w->cap * 2, (size_t)16);
        w->out->v = more;
    }
    w->out->v[w->out->n++] = *r;
}

/* Keeps the single right unless somebody's rule covers it. */
static void
look(struct walk *w, const struct rbac_rule *one)
{
    for (size_t i = 0; i < w->held->n; i++) {
        if (covers(&w->held->v[i], one))
            return;
    }
    add_rule(w, one);
}

static void
look_names(struct walk *w, const struct rbac_rule *r, struct rbac_rule one)
{
    if (!r->names.n)
        look(w, &one);
    for (size_t i = 0; i < r->names.n; i++) {
        one.names = just(w->arena, r->names.v[i]);
        look(w, &one);
    }
}

static void
look_resources(struct walk *w, const struct rbac_rule *r)
{
    for (size_t g = 0; g < r->groups.n; g++) {
        for (size_t i = 0; i < r->resources.n; i++) {
            for (size_t v = 0; v < r->verbs.n; v++) {
                struct rbac_rule one = {
                    .verbs = just(w->arena, r->verbs.v[v]),
                    .groups = just(w->arena, r->groups.v[g]),
                    .resources = just(w->arena, r->resources.v[i])};

                look_names(w, r, one);
            }
        }
    }
}

void
rbac_missing(const struct rbac_rules *held, const struct rbac_rules *wanted,
             struct arena *a, struct rbac_rules *out)
{
    struct walk w = {.held = held, .arena = a, .out = out};

    *out = (struct rbac_rules){0};
    for (size_t i = 0; i < wanted->n; i++) {
        const struct rbac_rule *r = &wanted->v[i];

        look_resources(&w, r);
        for (size_t u = 0; u < r->urls.n; u++) {
            for (size_t v = 0; v < r->verbs.n; v++) {
                struct rbac_rule one = {.verbs = just(a, r->verbs.v[v]),
                                        .urls = just(a, r->urls.v[u])};

                look(&w, &one);
            }
        }
    }
}

/* ---- messages ---- */

static void
put_part(struct buf *out, const char *name, const struct rbac_list *l,
         const char **sep)
{
    if (!l->n)
        return;
    buf_printf(out, "%s%s:[", *sep, name);
    for (size_t i = 0; i < l->n; i++) {
        if (i)
            buf_putc(out, ' ');
        format_quote(str_of(l->v[i]), false, out);
    }
    buf_putc(out, ']');
    *sep = ", ";
}

static void
put_rule(const struct rbac_rule *r, struct buf *out)
{
    const char *sep = "";

    buf_putc(out, '{');
    put_part(out, "APIGroups", &r->groups, &sep);
    put_part(out, "Resources", &r->resources, &sep);
    put_part(out, "NonResourceURLs", &r->urls, &sep);
    put_part(out, "ResourceNames", &r->names, &sep);
    put_part(out, "Verbs", &r->verbs, &sep);
    buf_putc(out, '}');
}

/* What two rights have in common that differ in their verb. */
static void
put_key(const struct rbac_rule *r, struct buf *out)
{
    struct rbac_rule but = *r;

    but.verbs.n = 0;
    put_rule(&but, out);
}

static void
add_verb(struct arena *a, struct rbac_rule *r, const char *verb)
{
    const char **v = arena_array(a, r->verbs.n + 1, sizeof(*v));

    for (size_t i = 0; i < r->verbs.n; i++)
        v[i] = r->verbs.v[i];
    v[r->verbs.n++] = verb;
    r->verbs.v = v;
}

void
rbac_print_missing(const struct rbac_rules *missing, struct arena *a,
                   struct buf *out)
{
    AUTO(strlist_release) struct strlist lines = {0};
    struct map seen = {0};
    struct rbac_rules compact = {
        arena_array(a, missing->n + 1, sizeof(*compact.v)), 0};

    for (size_t i = 0; i < missing->n; i++) {
        const struct rbac_rule *r = &missing->v[i];
        AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);
        struct rbac_rule *same;

        put_key(r, &key);
        same = r->urls.n ? NULL : map_get(&seen, buf_view(&key));
        if (same) {
            add_verb(a, same, r->verbs.v[0]);
            continue;
        }
        compact.v[compact.n] = *r;
        map_put(&seen, buf_view(&key), &compact.v[compact.n++]);
    }
    for (size_t i = 0; i < compact.n; i++) {
        AUTO(buf_release) struct buf line = BUF_INIT(BUF_TEXT_MAX);

        put_rule(&compact.v[i], &line);
        if (!strlist_has(&lines, buf_view(&line)))
            strlist_add(&lines, buf_view(&line));
    }
    map_release(&seen, NULL);
    strlist_sort(&lines);
    for (size_t i = 0; i < lines.n; i++)
        buf_printf(out, "%s%s", i ? "\n" : "", lines.v[i]);
}
