#include "devenv/sandbox/managed_kinds.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/arena.h"
#include "lib/base/asset.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#define MODERN ".m.upbound.io"

struct managed_kinds {
    struct arena *arena; /* texts and fields */
    struct json *tree;   /* the asset */
    struct managed_family *families;
    size_t families_n;
    struct managed_kind *kinds;
    size_t n;
    struct map by_name; /* "group/Kind" -> struct managed_kind */
};

/* ---- one field ---- */

/* What follows @: [GROUP/]KIND[.EXTRACT]; group is the field's own. */
static void
read_target(struct managed_kinds *m, struct managed_field *f, struct str text,
            const char *group)
{
    size_t slash = str_find(text, STR("/"), 0);
    struct str kind = text, extract;

    f->refers = true;
    if (!text.n)
        return;
    f->group = group;
    if (slash < text.n) {
        f->group = arena_printf(m->arena, "%.*s" MODERN, (int)slash, text.s);
        kind = str_from(text, slash + 1);
    }
    if (str_cut(kind, '.', &kind, &extract))
        f->extract = arena_dup(m->arena, extract);
    f->kind = arena_dup(m->arena, kind);
}

static void
read_flags(struct managed_field *f, struct str flags)
{
    f->required = str_contains(flags, STR("!"));
    f->needed = str_contains(flags, STR("*"));
    f->fixed = str_contains(flags, STR("^"));
    f->only_for = f->required || str_contains(flags, STR("-"));
}

static void
read_field(struct managed_kinds *m, struct managed_field *f, struct str word,
           const char *group)
{
    struct str target, fallback;
    size_t name;

    if (str_cut(word, '=', &word, &fallback))
        f->fallback = arena_dup(m->arena, fallback);
    if (str_cut(word, '@', &word, &target))
        read_target(m, f, target, group);
    name = strcspn(arena_dup(m->arena, word), ":!*-^");
    f->name = arena_dup(m->arena, str_sub(word, 0, name));
    f->type = 's';
    word = str_from(word, name);
    if (str_starts(word, STR(":"))) {
        f->type = word.s[1];
        word = str_from(word, 2);
    }
    read_flags(f, word);
}

static struct managed_field *
read_fields(struct managed_kinds *m, const char *text, const char *group,
            size_t *n)
{
    struct str rest = str_of(text), word;
    struct managed_field *v;

    *n = 0;
    while (str_next(&rest, ' ', &word))
        *n += word.n > 0;
    v = arena_array(m->arena, *n, sizeof(*v));
    memset(v, 0, *n * sizeof(*v));
    rest = str_of(text);
    for (size_t i = 0; str_next(&rest, ' ', &word);) {
        if (word.n)
            read_field(m, &v[i++], word, group);
    }
    return v;
}

/* ---- one kind, one family ---- */

/* Kubernetes' way for every kind of the table. */
static char *
plural_of(struct arena *a, const char *kind)
{
    char *s = arena_printf(a, "%ss", kind);
    size_t n = strlen(kind);

    for (size_t i = 0; i < n; i++)
        s[i] = (char)(s[i] | 0x20);
    if (s[n - 1] == 'y')
        return arena_printf(a, "%.*sies", (int)n - 1, s);
    if (s[n - 1] == 's')
        s[n] = '\0';
    return s;
}

/* The family that serves group, or NULL. */
static const struct managed_family *
family_of(const struct managed_kinds *m, const char *group)
{
    struct str g = str_of(group);

    for (size_t i = 0; i < m->families_n; i++) {
        struct str own = str_of(m->families[i].group);

        if (str_ends(g, own) && (g.n == own.n || g.s[g.n - own.n - 1] == '.'))
            return &m->families[i];
    }
    return NULL;
}

static void
read_kind(struct managed_kinds *m, const struct json *entry, const char *group)
{
    struct managed_kind *k = &m->kinds[m->n++];
    AUTO(mem_free_ptr) char *key = NULL;

    k->group = group;
    k->kind = json_key(entry);
    k->family = family_of(m, group);
    k->plural = plural_of(m->arena, k->kind);
    k->named = json_get_string(entry, "name");
    k->at = json_get(entry, "at");
    k->secret = json_get(entry, "secret");
    k->fields = read_fields(m, json_string_or(json_get(entry, "spec"), ""),
                            group, &k->fields_n);
    key = mem_printf("%s/%s", group, k->kind);
    map_put(&m->by_name, str_of(key), k);
}

static void
read_family(struct managed_kinds *m, const struct json *entry)
{
    struct managed_family *f = &m->families[m->families_n++];

    f->name = json_key(entry);
    f->group = arena_printf(m->arena, "%s" MODERN, f->name);
    f->column = json_get(entry, "column");
    f->vars = json_get(entry, "vars");
    f->fields = read_fields(m, json_string_or(json_get(entry, "config"), ""),
                            f->group, &f->fields_n);
}

static size_t
kinds_in(const struct json *tree)
{
    size_t n = 0;

    for (const struct json *g = json_first(tree); g; g = json_next(g))
        n += json_len(g);
    return n;
}

struct managed_kinds *
managed_kinds_new(struct error *err)
{
    struct managed_kinds *m = mem_zalloc(1, sizeof(*m));
    const struct json *families;
    struct asset a;

    m->arena = arena_new();
    if (asset_find(MANAGED_ASSET, &a))
        m->tree = yaml_parse_one(a.data, NULL, err);
    else
        error_set(err, ERR_INTERNAL, "%s is not there", MANAGED_ASSET);
    if (!m->tree) {
        managed_kinds_free(m);
        return NULL;
    }
    families = json_get(m->tree, "families");
    m->families = mem_zalloc(json_len(families) + 1, sizeof(*m->families));
    m->kinds = mem_zalloc(kinds_in(m->tree) + 1, sizeof(*m->kinds));
    for (const struct json *f = json_first(families); f; f = json_next(f))
        read_family(m, f);
    for (const struct json *g = json_next(families); g; g = json_next(g)) {
        const char *group = arena_printf(m->arena, "%s" MODERN, json_key(g));

        for (const struct json *k = json_first(g); k; k = json_next(k))
            read_kind(m, k, group);
    }
    return m;
}

void
managed_kinds_free(struct managed_kinds *m)
{
    if (!m)
        return;
    map_release(&m->by_name, NULL);
    free(m->families);
    free(m->kinds);
    json_free(m->tree);
    arena_free(m->arena);
    free(m);
}

/* ---- asking ---- */

const struct managed_kind *
managed_kinds_find(const struct managed_kinds *m, const char *group,
                   const char *kind)
{
    AUTO(mem_free_ptr) char *key = mem_printf("%s/%s", group, kind);

    return map_get(&m->by_name, str_of(key));
}

const struct managed_field *
managed_kind_field(const struct managed_kind *k, const char *name)
{
    for (size_t i = 0; i < k->fields_n; i++) {
        if (strcmp(k->fields[i].name, name) == 0)
            return &k->fields[i];
    }
    return NULL;
}

size_t
managed_kinds_count(const struct managed_kinds *m)
{
    return m->n;
}

const struct managed_kind *
managed_kinds_at(const struct managed_kinds *m, size_t i)
{
    return &m->kinds[i];
}

size_t
managed_kinds_families(const struct managed_kinds *m,
                       const struct managed_family **first)
{
    *first = m->families;
    return m->families_n;
}
