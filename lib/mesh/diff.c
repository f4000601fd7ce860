/* Field by field: what an apply, or a replace, changes. */
#include "lib/mesh/diff.h"

#define ROWS_MAX   200
#define VALUE_MAX  256
#define PATH_LIMIT 1024
#define CONTEXT    40

struct walk {
    struct arena *a;
    struct mesh_diff *v;
    size_t n;
    bool whole; /* members that `after` lacks are removed */
    char path[PATH_LIMIT];
};

/* What the server keeps, and nobody means to change. */
static const char *const ignored[] = {
    "metadata.uid",
    "metadata.resourceVersion",
    "metadata.generation",
    "metadata.creationTimestamp",
    "metadata.managedFields",
    "metadata.deletionTimestamp",
    "metadata.deletionGracePeriodSeconds",
    "metadata.selfLink",
    "status",
};

/* Where two long texts begin to differ, with a bit of what is before it. */
static size_t
first_difference(struct str a, struct str b)
{
    size_t n = 0;

    while (n < a.n && n < b.n && a.s[n] == b.s[n])
        n++;
    while (n && n < a.n && ((unsigned char)a.s[n] & 0xc0) == 0x80)
        n--;
    return n > CONTEXT ? n - CONTEXT : 0;
}

static const char *
cut(struct arena *a, struct str whole, size_t from)
{
    while (from && from < whole.n &&
           ((unsigned char)whole.s[from] & 0xc0) == 0x80)
        from--;
    struct str piece = str_sub(whole, from, VALUE_MAX);
    bool more = from + piece.n < whole.n;

    while (more && piece.n && ((unsigned char)piece.s[piece.n] & 0xc0) == 0x80)
        piece.n--;
    return arena_printf(a, "%s%.*s%s", from ? "..." : "", STR_ARG(piece),
                        more ? "..." : "");
}

/* Both sides of a row; of long ones what differs. */
static void
value_texts(struct arena *a, const struct json *before,
            const struct json *after, struct mesh_diff *out)
{
    AUTO(mem_free_ptr)
    char *was = before ? json_text(before, JSON_COMPACT) : NULL;
    AUTO(mem_free_ptr) char *is = after ? json_text(after, JSON_COMPACT) : NULL;
    struct str b = str_of(was), n = str_of(is);
    bool both = was && is && MAX(b.n, n.n) > VALUE_MAX;
    size_t from = both ? first_difference(b, n) : 0;

    out->before = was ? cut(a, b, MIN(from, b.n)) : NULL;
    out->after = is ? cut(a, n, MIN(from, n.n)) : NULL;
}

static void
add_row(struct walk *w, const struct json *before, const struct json *after)
{
    if (w->n == ROWS_MAX)
        return;
    w->v[w->n].path = arena_strdup(w->a, w->path);
    value_texts(w->a, before, after, &w->v[w->n++]);
}

static bool
is_ignored(const struct walk *w)
{
    for (size_t i = 0; i < ARRAY_LEN(ignored); i++) {
        if (strcmp(w->path, ignored[i]) == 0)
            return true;
    }
    return false;
}

/* A key that a path can say without brackets. */
static bool
is_plain(const char *key)
{
    return *key && !strpbrk(key, "./[] ");
}

static void compare(struct walk *w, const struct json *before,
                    const struct json *after);

/* Runs compare one level deeper. */
static void
descend(struct walk *w, const char *key, size_t index,
        const struct json *before, const struct json *after)
{
    size_t n = strlen(w->path);
    char *at = w->path + n;
    size_t room = sizeof(w->path) - n;

    if (!key)
        snprintf(at, room, "[%zu]", index);
    else if (is_plain(key))
        snprintf(at, room, "%s%s", n ? "." : "", key);
    else
        snprintf(at, room, "[%s]", key);
    compare(w, before, after);
    w->path[n] = '\0';
}

static void
compare_objects(struct walk *w, const struct json *before,
                const struct json *after)
{
    for (struct json *m = json_first(after); m; m = json_next(m))
        descend(w, json_key(m), 0, json_get(before, json_key(m)), m);
    for (struct json *m = json_first(before); w->whole && m; m = json_next(m)) {
        if (!json_get(after, json_key(m)))
            descend(w, json_key(m), 0, m, NULL);
    }
}

static void
compare_arrays(struct walk *w, const struct json *before,
               const struct json *after)
{
    struct json *b = json_first(before);
    size_t i = 0;

    for (struct json *m = json_first(after); m; m = json_next(m)) {
        descend(w, NULL, i++, b, m);
        b = b ? json_next(b) : NULL;
    }
    for (; b; b = json_next(b))
        descend(w, NULL, i++, b, NULL);
}

static void
compare(struct walk *w, const struct json *before, const struct json *after)
{
    if (is_ignored(w) || (before && after && json_equal(before, after)))
        return;
    if (json_is(after, JSON_OBJECT) && json_len(after) &&
        (!before || json_is(before, JSON_OBJECT)))
        compare_objects(w, before, after);
    else if (json_is(after, JSON_ARRAY) && json_is(before, JSON_ARRAY))
        compare_arrays(w, before, after);
    else if (before || after)
        add_row(w, before, after);
}

const struct mesh_diff *
diff_objects(const struct json *before, const struct json *after, bool whole,
             struct arena *a, size_t *n)
{
    struct walk w = {.a = a, .whole = whole};

    w.v = arena_array(a, ROWS_MAX, sizeof(*w.v));
    compare(&w, before, after);
    *n = w.n;
    return w.v;
}

const struct mesh_diff *
mesh_diff_of(const struct json *before, const struct json *after,
             struct arena *a, size_t *n)
{
    return diff_objects(before, after, false, a, n);
}
