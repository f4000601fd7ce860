/* Field by field: what an apply, or a replace, changes. */
#include "lib/mesh/diff.h"

#define ROWS_MAX   200
#define VALUE_MAX  256
#define PATH_LIMIT 1024

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

static const char *
value_text(struct arena *a, const struct json *j)
{
    AUTO(buf_release) struct buf b = BUF_INIT(VALUE_MAX);

    if (!j)
        return NULL;
    if (json_print(j, JSON_COMPACT, &b))
        return arena_strdup(a, buf_cstr(&b));
    AUTO(mem_free_ptr) char *whole = json_text(j, JSON_COMPACT);
    struct str cut = str_sub(str_of(whole), 0, VALUE_MAX);

    while (cut.n && ((unsigned char)cut.s[cut.n] & 0xc0) == 0x80)
        cut.n--;
    return arena_printf(a, "%.*s...", STR_ARG(cut));
}

static void
add_row(struct walk *w, const struct json *before, const struct json *after)
{
    if (w->n == ROWS_MAX)
        return;
    w->v[w->n++] = (struct mesh_diff){.path = arena_strdup(w->a, w->path),
                                      .before = value_text(w->a, before),
                                      .after = value_text(w->a, after)};
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
