#include "tui/objtext.h"

#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/yaml.h"

static void
mask(struct json *object, const char *member)
{
    struct json *data = json_get(object, member);

    for (struct json *c = json_first(data); c; c = json_next(c)) {
        AUTO(mem_free_ptr) char *key = mem_strdup(json_key(c));

        c = json_set(data, key, json_new_string("(hidden, R shows it)"));
    }
}

static bool
is_secret(const struct json *object)
{
    const char *kind = json_get_string(object, "kind");
    const char *api = json_get_string(object, "apiVersion");

    return kind && api && strcmp(kind, "Secret") == 0 && strcmp(api, "v1") == 0;
}

bool
objtext_yaml(const struct json *object, bool reveal, struct buf *out)
{
    AUTO(json_free_ptr) struct json *copy = json_copy(object);
    struct json *meta = json_get(copy, "metadata");

    json_del(meta, "managedFields");
    if (is_secret(copy) && !reveal) {
        mask(copy, "data");
        mask(copy, "stringData");
        json_del(json_get(meta, "annotations"),
                 "kubectl.kubernetes.io/last-applied-configuration");
    }
    return yaml_print(copy, 0, out);
}

bool
objtext_editable(const struct json *object, struct buf *out)
{
    static const char *const owned[] = {
        "managedFields", "uid", "creationTimestamp", "generation", "selfLink"};
    AUTO(json_free_ptr) struct json *copy = json_copy(object);

    for (size_t i = 0; i < ARRAY_LEN(owned); i++)
        json_del(json_get(copy, "metadata"), owned[i]);
    json_del(copy, "status");
    return yaml_print(copy, 0, out);
}

/* ---- differences ---- */

struct lines {
    struct str *v;
    size_t n, cap;
};

static void
split(struct str text, struct lines *l)
{
    struct str line;

    *l = (struct lines){0};
    while (text.n) {
        str_cut(text, '\n', &line, &text);
        l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(*l->v));
        l->v[l->n++] = line;
    }
}

/* Marks, by the longest common subsequence of the middle parts, which lines
 * stay. n x m is bounded by the caller. */
static void
common(const struct str *a, size_t n, const struct str *b, size_t m,
       bool *keep_a, bool *keep_b)
{
    uint16_t *t = mem_zalloc((n + 1) * (m + 1), sizeof(*t));
    size_t w = m + 1, i = 0, k = 0;

    for (size_t y = n; y-- > 0;) {
        for (size_t x = m; x-- > 0;)
            t[y * w + x] = str_eq(a[y], b[x])
                               ? (uint16_t)(t[(y + 1) * w + x + 1] + 1)
                               : MAX(t[(y + 1) * w + x], t[y * w + x + 1]);
    }
    while (i < n && k < m) {
        if (str_eq(a[i], b[k])) {
            keep_a[i++] = true;
            keep_b[k++] = true;
        } else if (t[(i + 1) * w + k] >= t[i * w + k + 1]) {
            i++;
        } else {
            k++;
        }
    }
    free(t);
}

static void
put_line(struct buf *out, char sign, struct str line)
{
    buf_putc(out, sign);
    buf_str(out, line);
    buf_putc(out, '\n');
}

/* True when a line within three of i is not kept. */
static bool
near_change(const bool *keep, size_t n, size_t i)
{
    for (size_t k = i > 3 ? i - 3 : 0; k < n && k <= i + 3; k++) {
        if (!keep[k])
            return true;
    }
    return false;
}

static void
print(const struct lines *a, const bool *ka, const struct lines *b,
      const bool *kb, struct buf *out)
{
    size_t i = 0, k = 0;
    bool gap = true;

    while (i < a->n || k < b->n) {
        if (i < a->n && !ka[i]) {
            put_line(out, '-', a->v[i++]);
            gap = false;
        } else if (k < b->n && !kb[k]) {
            put_line(out, '+', b->v[k++]);
            gap = false;
        } else {
            if (near_change(ka, a->n, i) || near_change(kb, b->n, k)) {
                if (gap)
                    buf_printf(out, "@@ line %zu\n", k + 1);
                put_line(out, ' ', b->v[k]);
                gap = false;
            } else {
                gap = true;
            }
            i++;
            k++;
        }
    }
}

void
objtext_diff(struct str at, struct str bt, struct buf *out)
{
    struct lines a, b;
    size_t head = 0, tail = 0, n, m;
    bool *ka, *kb;

    split(at, &a);
    split(bt, &b);
    ka = mem_zalloc(a.n + 1, sizeof(bool));
    kb = mem_zalloc(b.n + 1, sizeof(bool));
    while (head < a.n && head < b.n && str_eq(a.v[head], b.v[head])) {
        ka[head] = kb[head] = true;
        head++;
    }
    while (tail < a.n - head && tail < b.n - head &&
           str_eq(a.v[a.n - 1 - tail], b.v[b.n - 1 - tail])) {
        tail++;
        ka[a.n - tail] = kb[b.n - tail] = true;
    }
    n = a.n - head - tail;
    m = b.n - head - tail;
    if (n && m && n <= 4000 && m <= 4000)
        common(a.v + head, n, b.v + head, m, ka + head, kb + head);
    if (n || m)
        print(&a, ka, &b, kb, out);
    free(ka);
    free(kb);
    free(a.v);
    free(b.v);
}
