#include "devenv/sandbox/types.h"

#include <stdlib.h>

#include "lib/base/archive.h"
#include "lib/base/arena.h"
#include "lib/base/asset.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"

#define TABLE     "assets/api/types.txt"
#define TABLE_MAX (1 << 20)

struct types {
    struct arena *arena;
    struct map by_name; /* "core.v1.Pod", and "v1 Pod" -> types_struct */
    bool read;
    void *kept; /* types_keep */
    void (*release)(void *kept);
};

struct types *
types_new(void)
{
    struct types *t = mem_zalloc(1, sizeof(*t));

    t->arena = arena_new();
    return t;
}

void
types_free(struct types *t)
{
    if (!t)
        return;
    if (t->kept)
        t->release(t->kept);
    map_release(&t->by_name, NULL);
    arena_free(t->arena);
    free(t);
}

/* ---- reading the table ---- */

/* Types are named before their own lines come. */
static struct types_struct *
need(struct types *t, struct str name)
{
    struct types_struct *s = map_get(&t->by_name, name);

    if (!s) {
        s = arena_alloc(t->arena, sizeof(*s));
        s->name = arena_dup(t->arena, name);
        map_put(&t->by_name, name, s);
    }
    return s;
}

static enum types_base
base_of(char letter)
{
    static const char letters[] = {
        [TYPES_STRUCT] = '?',
        [TYPES_STRING] = 's',
        [TYPES_BOOL] = 'b',
        [TYPES_INT32] = 'i',
        [TYPES_INT64] = 'l',
        [TYPES_NUMBER] = 'n',
        [TYPES_BYTES] = 'B',
        [TYPES_TIME] = 't',
        [TYPES_MICRO_TIME] = 'u',
        [TYPES_DURATION] = 'd',
        [TYPES_QUANTITY] = 'q',
        [TYPES_INT_OR_STRING] = 'x',
        [TYPES_RAW] = 'r',
        [TYPES_JSON] = 'j',
        [TYPES_FIELDS] = 'f',
        [TYPES_SCHEMA_OR_ARRAY] = 'A',
        [TYPES_SCHEMA_OR_BOOL] = 'O',
        [TYPES_SCHEMA_OR_STRINGS] = 'S',
    };

    for (size_t i = 0; i < ARRAY_LEN(letters); i++) {
        if (letters[i] == letter)
            return (enum types_base)i;
    }
    return TYPES_STRUCT;
}

static void
read_type(struct types *t, struct str text, struct types_field *f)
{
    for (; text.n; text = str_from(text, 1)) {
        if (*text.s == '*')
            f->pointer |= f->shape == TYPES_ONE;
        else if (*text.s == '{')
            f->shape = TYPES_MAP;
        else if (*text.s == '[')
            f->shape = f->shape == TYPES_MAP ? TYPES_MAP_OF_LISTS : TYPES_LIST;
        else
            break;
    }
    f->base = text.n == 1 ? base_of(*text.s) : TYPES_STRUCT;
    if (f->base == TYPES_STRUCT)
        f->type = need(t, text);
}

/* A copy; ~ stands for a space. */
static const char *
plain_text(struct types *t, struct str text)
{
    char *z = arena_dup(t->arena, text);

    for (char *p = z; *p; p++) {
        if (*p == '~')
            *p = ' ';
    }
    return z;
}

static void
read_flag(struct types *t, struct str text, struct types_field *f)
{
    const struct {
        char letter;
        bool *flag;
        const char **text;
    } flags[] = {
        {'+', &f->always, NULL},          {'z', &f->omit_zero, NULL},
        {'!', &f->required, NULL},        {'a', &f->atomic, NULL},
        {'R', &f->retain_keys, NULL},     {'g', NULL, &f->go_name},
        {'m', &f->merged, &f->merge_key}, {'k', &f->keyed, &f->list_keys},
        {'e', NULL, &f->choices},         {'=', NULL, &f->fallback},
    };

    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if (*text.s != flags[i].letter)
            continue;
        if (flags[i].flag)
            *flags[i].flag = true;
        if (flags[i].text)
            *flags[i].text = plain_text(t, str_from(text, 1));
    }
}

static void
read_field(struct types *t, struct str line, struct types_field *f)
{
    struct str name, number, type, flag;
    uint64_t n = 0;

    str_next(&line, ' ', &name);
    str_next(&line, ' ', &number);
    str_next(&line, ' ', &type);
    f->name = arena_dup(t->arena, name);
    str_to_u64(number, &n);
    f->number = (unsigned)n;
    read_type(t, type, f);
    while (str_next(&line, ' ', &flag))
        read_flag(t, flag, f);
}

/* "core.v1.Pod v1 Pod", with " a" in between when it is atomic. */
static struct types_struct *
read_head(struct types *t, struct str line)
{
    struct str name, word;
    struct types_struct *s;

    str_next(&line, ' ', &name);
    s = need(t, name);
    while (line.n) {
        AUTO(mem_free_ptr) char *key = mem_strndup(line.s, line.n);

        str_next(&line, ' ', &word);
        if (str_eqz(word, "a")) {
            s->atomic = true;
            continue;
        }
        s->api_version = arena_dup(t->arena, word);
        s->kind = arena_dup(t->arena, line);
        map_put(&t->by_name, str_of(key), s);
        break;
    }
    return s;
}

static size_t
count_fields(struct str rest)
{
    struct str line;
    size_t n = 0;

    while (str_next(&rest, '\n', &line) && line.n && *line.s != '@')
        n++;
    return n;
}

static void
read_table(struct types *t, struct str rest)
{
    struct str line;

    while (str_next(&rest, '\n', &line)) {
        struct types_struct *s;
        struct types_field *v;

        if (!line.n)
            continue;
        s = read_head(t, str_from(line, 1));
        s->fields_n = count_fields(rest);
        v = arena_array(t->arena, s->fields_n + 1, sizeof(*v));
        s->fields = v;
        for (size_t i = 0; i < s->fields_n; i++) {
            str_next(&rest, '\n', &line);
            read_field(t, line, &v[i]);
        }
    }
}

static void
need_table(struct types *t)
{
    AUTO(buf_release) struct buf b = BUF_INIT(TABLE_MAX);
    struct asset a;

    if (t->read)
        return;
    t->read = true;
    if (!asset_find(TABLE, &a) || !archive_gunzip(a.data, &b, NULL))
        die("%s cannot be read", TABLE);
    read_table(t, buf_view(&b));
}

/* ---- asking ---- */

const struct types_struct *
types_find(struct types *t, const char *name)
{
    need_table(t);
    return map_get(&t->by_name, str_of(name));
}

const struct types_struct *
types_kind(struct types *t, const char *api_version, const char *kind)
{
    AUTO(mem_free_ptr) char *key = mem_printf("%s %s", api_version, kind);

    return types_find(t, key);
}

const struct types_field *
types_field(const struct types_struct *s, const char *name)
{
    for (size_t i = 0; s && i < s->fields_n; i++) {
        const struct types_field *f = &s->fields[i];

        if (!strcmp(f->name, name))
            return f;
        if (f->name[0] == '-' && (f = types_field(f->type, name)))
            return f;
    }
    return NULL;
}

void **
types_keep(struct types *t, void (*release)(void *kept))
{
    t->release = release;
    return &t->kept;
}

const char *
types_short_name(const struct types_struct *s)
{
    const char *dot = strrchr(s->name, '.');

    return dot ? dot + 1 : s->name;
}
