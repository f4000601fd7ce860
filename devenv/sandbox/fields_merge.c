/*
 * Design: a walk over live object and configuration that makes a third tree.
 * What only one side has is copied. A list with keys keeps the order of the
 * live items; those that the configuration names come in its order, between
 * the others as near to where they were as that allows.
 */
#include <stdlib.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"

#include "devenv/sandbox/fields_place.h"

/* NULL: nothing is left. Either side may be NULL, not both. */
static struct json *merge(const struct place *p, const struct json *live,
                          const struct json *config);

static struct json *
keep_config(const struct json *live, const struct json *config)
{
    return json_copy(config ? config : live);
}

/* ---- maps ---- */

static void
merge_member(const struct place *p, const char *key, const struct json *live,
             const struct json *config, struct json *out)
{
    struct place child;
    struct json *v;
    bool named;

    place_member(p, key, &child, &named);
    v = config ? merge(&child, live, config) : json_copy(live);
    if (v)
        json_set(out, key, v);
}

static struct json *
merge_maps(const struct place *p, const struct json *live,
           const struct json *config)
{
    struct json *out = json_new_object();

    for (const struct json *c = json_first(live); c; c = json_next(c))
        merge_member(p, json_key(c), c, json_get(config, json_key(c)), out);
    for (const struct json *c = json_first(config); c; c = json_next(c)) {
        if (!json_get(live, json_key(c)))
            merge_member(p, json_key(c), NULL, c, out);
    }
    if (json_first(out))
        return out;
    json_free(out);
    return NULL;
}

/* ---- lists with keys ---- */

/* One side of the merge: its items, their elements, and where each stands. */
struct side {
    const struct json **items;
    char **elements;
    size_t n;
    struct map by; /* element -> item; a null when it stands there twice */
};

struct braid {
    const struct place *list;
    struct place item;
    struct side live, config;
    struct map taken;  /* elements of config that are in out */
    const char *next;  /* the shared element that is due, or NULL */
    size_t next_at;    /* its place in config */
    struct json *none; /* stands for live items that are there twice */
    struct json *out;
};

static void
side_read(struct braid *b, const struct json *list, struct side *s)
{
    AUTO(buf_release) struct buf e = BUF_INIT(BUF_TEXT_MAX);
    size_t n = json_len(list);

    s->items = mem_zalloc(n + 1, sizeof(*s->items));
    s->elements = mem_zalloc(n + 1, sizeof(*s->elements));
    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        if (!place_element(b->list, c, &e, NULL))
            continue;
        map_put(&s->by, buf_view(&e),
                (void *)(map_has(&s->by, buf_view(&e)) ? b->none : c));
        s->items[s->n] = c;
        s->elements[s->n++] = mem_strdup(buf_cstr(&e));
    }
}

static void
side_release(struct side *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->elements[i]);
    free(s->elements);
    free(s->items);
    map_release(&s->by, NULL);
}

/* The next element of config, from `from` on, that live has too. */
static void
find_shared(struct braid *b, size_t from)
{
    b->next = NULL;
    for (size_t i = from; i < b->config.n; i++) {
        if (map_has(&b->live.by, str_of(b->config.elements[i]))) {
            b->next = b->config.elements[i];
            b->next_at = i;
            return;
        }
    }
}

static void
take_config(struct braid *b, size_t i)
{
    const char *e = b->config.elements[i];
    struct json *v =
        merge(&b->item, map_get(&b->live.by, str_of(e)), b->config.items[i]);

    map_put(&b->taken, str_of(e), b);
    if (v)
        json_append(b->out, v);
    if (b->next && !strcmp(b->next, e))
        find_shared(b, b->next_at + 1);
}

static void
braid(struct braid *b)
{
    size_t l = 0, c = 0;

    while (l < b->live.n || c < b->config.n) {
        const char *e = l < b->live.n ? b->live.elements[l] : NULL;
        bool shared = e && map_has(&b->config.by, str_of(e));

        if (e && c < b->config.n) {
            if (!strcmp(e, b->config.elements[c])) {
                take_config(b, c++);
                l++;
                continue;
            }
            if (shared && b->next && strcmp(b->next, e) != 0) {
                l++;
                continue;
            }
        }
        if (e && !shared) {
            json_append(b->out, json_copy(b->live.items[l++]));
            continue;
        }
        if (e && map_has(&b->taken, str_of(e)))
            l++;
        if (c < b->config.n)
            take_config(b, c++);
    }
}

static struct json *
merge_lists(const struct place *p, const struct json *live,
            const struct json *config)
{
    struct braid b = {.list = p,
                      .item = place_item(p),
                      .none = json_new_null(),
                      .out = json_new_array()};

    side_read(&b, live, &b.live);
    side_read(&b, config, &b.config);
    find_shared(&b, 0);
    braid(&b);
    side_release(&b.live);
    side_release(&b.config);
    map_release(&b.taken, NULL);
    json_free(b.none);
    if (json_first(b.out))
        return b.out;
    json_free(b.out);
    return NULL;
}

/* ---- any place ---- */

static struct json *
merge(const struct place *p, const struct json *live, const struct json *config)
{
    enum form form = place_first(place_forms(p, config ? config : live));
    enum json_type type = form == FORM_MAP ? JSON_OBJECT : JSON_ARRAY;
    const struct json *a = json_is(live, type) ? live : NULL;
    const struct json *b = json_is(config, type) ? config : NULL;

    if (form == FORM_SCALAR || (!json_first(a) && !json_first(b)) ||
        (form == FORM_MAP ? place_map_atomic(p)
                          : place_list(p) == SCHEMA_LIST_ATOMIC))
        return keep_config(live, config);
    return form == FORM_MAP ? merge_maps(p, a, b) : merge_lists(p, a, b);
}

void
fields_merge(const struct fields_types *t, struct json **object,
             const struct json *config)
{
    struct place root = place_root(t);
    struct json *merged = merge(&root, *object, config);

    if (!merged)
        return;
    json_free(*object);
    *object = merged;
}
