#include "lib/base/json.h"

#include <cjson/cJSON.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>

#include "lib/base/json_node.h"
#include "lib/base/mem.h"

/*
 * A node is a cJSON node; a number is a cJSON_Raw node with its source text.
 * A fresh node is one piece of memory: the cJSON struct, then its text, then
 * its key; valueint has the size of the piece. (That is half the allocations
 * of cJSON's own nodes.) A key set later is a piece of its own: the flag
 * cJSON_StringIsConst tells that it is not. Pieces come from json_room, so no
 * function of cJSON may free a node.
 *
 * As in cJSON, the first child's prev is the last child: appending is O(1).
 */

#define KIND(c) ((c)->type & 0xFF)

static cJSON *
node(const struct json *j)
{
    return (cJSON *)j;
}

static struct json *
tree(cJSON *c)
{
    return (struct json *)c;
}

struct json *
json_node(enum json_type type, const struct str *key, struct str text)
{
    static const int kinds[] = {
        [JSON_NULL] = cJSON_NULL,   [JSON_BOOL] = cJSON_False,
        [JSON_NUMBER] = cJSON_Raw,  [JSON_STRING] = cJSON_String,
        [JSON_ARRAY] = cJSON_Array, [JSON_OBJECT] = cJSON_Object,
    };
    bool has_text = type == JSON_NUMBER || type == JSON_STRING;
    size_t text_size = has_text ? text.n + 1 : 0;
    size_t size = sizeof(cJSON) + text_size + (key ? key->n + 1 : 0);

    if (size > INT_MAX)
        die("a value of %zu bytes", size);
    cJSON *c = json_room(size);
    char *at = (char *)(c + 1);

    memset(c, 0, sizeof(*c));
    c->valueint = (int)size;
    c->type = kinds[type];
    if (type == JSON_BOOL && text.n)
        c->type = cJSON_True;
    if (has_text) {
        if (text.n)
            memcpy(at, text.s, text.n);
        at[text.n] = '\0';
        c->valuestring = at;
        at += text_size;
    }
    if (key) {
        if (key->n)
            memcpy(at, key->s, key->n);
        at[key->n] = '\0';
        c->string = at;
        c->type |= cJSON_StringIsConst;
    }
    return tree(c);
}

void
json_link(struct json *container, struct json *child)
{
    cJSON *parent = node(container), *c = node(child);

    c->next = NULL;
    if (!parent->child) {
        parent->child = c;
        c->prev = c;
        return;
    }
    c->prev = parent->child->prev;
    c->prev->next = c;
    parent->child->prev = c;
}

/* A piece of its own for a key; NULL gives NULL. */
static char *
own_key(const char *key)
{
    size_t size = key ? strlen(key) + 1 : 0;

    return key ? memcpy(json_room(size), key, size) : NULL;
}

/* Frees a key that is a piece of its own. */
static void
drop_key(cJSON *c)
{
    if (c->string && !(c->type & cJSON_StringIsConst))
        json_room_give(c->string, strlen(c->string) + 1);
}

/* c and what follows it. */
static void
free_chain(cJSON *c)
{
    for (cJSON *next; c; c = next) {
        next = c->next;
        free_chain(c->child);
        drop_key(c);
        json_room_give(c, (size_t)c->valueint);
    }
}

void
json_free(struct json *j)
{
    free_chain(node(j));
}

void
json_free_ptr(struct json **j)
{
    json_free(*j);
}

/* Moves a pointer into the piece of `from` to the same place in that of c. */
static char *
moved(const cJSON *from, cJSON *c, const char *at)
{
    return at ? (char *)c + (at - (const char *)from) : NULL;
}

struct json *
json_copy(const struct json *j)
{
    if (!j)
        return NULL;
    cJSON *from = node(j), *c = json_room((size_t)from->valueint);

    memcpy(c, from, (size_t)from->valueint);
    c->next = c->prev = c->child = NULL;
    c->valuestring = moved(from, c, from->valuestring);
    if (from->type & cJSON_StringIsConst)
        c->string = moved(from, c, from->string);
    else
        c->string = own_key(from->string);
    for (cJSON *child = from->child; child; child = child->next)
        json_link(tree(c), json_copy(tree(child)));
    return tree(c);
}

/* ---- reading ---- */

enum json_type
json_type_of(const struct json *j)
{
    if (!j)
        return JSON_NULL;
    switch (KIND(node(j))) {
    case cJSON_False:
    case cJSON_True:
        return JSON_BOOL;
    case cJSON_Raw:
        return JSON_NUMBER;
    case cJSON_String:
        return JSON_STRING;
    case cJSON_Array:
        return JSON_ARRAY;
    case cJSON_Object:
        return JSON_OBJECT;
    default:
        return JSON_NULL;
    }
}

bool
json_is(const struct json *j, enum json_type type)
{
    return j && json_type_of(j) == type;
}

struct json *
json_get(const struct json *j, const char *key)
{
    if (!json_is(j, JSON_OBJECT))
        return NULL;
    cJSON *c = node(j)->child;

    /* Most keys differ in their first byte: no call for those. */
    while (c && (c->string[0] != key[0] || strcmp(c->string, key) != 0))
        c = c->next;
    return tree(c);
}

struct json *
json_get_str(const struct json *j, struct str key)
{
    if (!json_is(j, JSON_OBJECT))
        return NULL;
    cJSON *c = node(j)->child;

    while (c && !(strncmp(c->string, key.n ? key.s : "", key.n) == 0 &&
                  c->string[key.n] == '\0'))
        c = c->next;
    return tree(c);
}

struct json *
json_at(const struct json *j, ...)
{
    va_list ap;
    const char *key;

    va_start(ap, j);
    while (j && (key = va_arg(ap, const char *)))
        j = json_get(j, key);
    va_end(ap);
    return (struct json *)j;
}

struct json *
json_item(const struct json *j, size_t i)
{
    if (!json_is(j, JSON_ARRAY))
        return NULL;
    cJSON *c = node(j)->child;

    while (c && i--)
        c = c->next;
    return tree(c);
}

size_t
json_len(const struct json *j)
{
    size_t n = 0;

    for (struct json *c = json_first(j); c; c = json_next(c))
        n++;
    return n;
}

struct json *
json_first(const struct json *j)
{
    return j ? tree(node(j)->child) : NULL;
}

struct json *
json_next(const struct json *child)
{
    return tree(node(child)->next);
}

const char *
json_key(const struct json *member)
{
    return member ? node(member)->string : NULL;
}

const char *
json_string(const struct json *j)
{
    return json_is(j, JSON_STRING) ? node(j)->valuestring : NULL;
}

const char *
json_string_or(const struct json *j, const char *fallback)
{
    return json_is(j, JSON_STRING) ? node(j)->valuestring : fallback;
}

const char *
json_get_string(const struct json *j, const char *key)
{
    return json_string(json_get(j, key));
}

const char *
json_get_text(const struct json *j, const char *key)
{
    return json_string_or(json_get(j, key), "");
}

const char *
json_at_text(const struct json *j, const char *outer, const char *key)
{
    return json_get_text(json_get(j, outer), key);
}

bool
json_bool(const struct json *j, bool fallback)
{
    return json_is(j, JSON_BOOL) ? KIND(node(j)) == cJSON_True : fallback;
}

const char *
json_number_text(const struct json *j)
{
    return json_is(j, JSON_NUMBER) ? node(j)->valuestring : NULL;
}

static int
by_key(const void *a, const void *b)
{
    return strcmp((*(cJSON *const *)a)->string, (*(cJSON *const *)b)->string);
}

struct json **
json_children(const struct json *j, bool sorted, size_t *n)
{
    bool in_order = true;
    size_t i = 0;

    *n = json_len(j);
    if (!*n)
        return NULL;
    struct json **v = mem_zalloc(*n, sizeof(struct json *));

    for (struct json *c = json_first(j); c; c = json_next(c)) {
        v[i++] = c;
        if (sorted && i > 1)
            in_order = in_order && by_key(&v[i - 2], &v[i - 1]) <= 0;
    }
    if (sorted && !in_order)
        qsort(v, *n, sizeof(struct json *), by_key);
    return v;
}

static bool
equal_sorted(const struct json *a, const struct json *b)
{
    size_t n, m;
    AUTO(mem_free_ptr) struct json **x = json_children(a, true, &n);
    AUTO(mem_free_ptr) struct json **y = json_children(b, true, &m);
    bool same = n == m;

    for (size_t i = 0; same && i < n; i++)
        same = strcmp(json_key(x[i]), json_key(y[i])) == 0 &&
               json_equal(x[i], y[i]);
    return same;
}

/* Elements one by one, or members whose keys stand in the same order. */
static bool
in_step(const cJSON *a, const cJSON *b)
{
    while (a && b && (!a->string || strcmp(a->string, b->string) == 0)) {
        a = a->next;
        b = b->next;
    }
    return !a && !b;
}

static bool
equal_children(const struct json *a, const struct json *b)
{
    bool same = true;

    if (!in_step(node(a)->child, node(b)->child))
        return json_is(a, JSON_OBJECT) && equal_sorted(a, b);
    for (const cJSON *x = node(a)->child, *y = node(b)->child; x && same;
         x = x->next, y = y->next)
        same = json_equal(tree((cJSON *)x), tree((cJSON *)y));
    return same;
}

static bool
equal_numbers(const struct json *a, const struct json *b)
{
    int64_t i, k;
    double x, y;
    bool whole_a = json_int64(a, &i), whole_b = json_int64(b, &k);

    if (strcmp(node(a)->valuestring, node(b)->valuestring) == 0)
        return true;
    if (whole_a || whole_b)
        return whole_a && whole_b && i == k;
    return !json_is_integer(a) && !json_is_integer(b) && json_double(a, &x) &&
           json_double(b, &y) && x == y;
}

bool
json_equal(const struct json *a, const struct json *b)
{
    enum json_type type = json_type_of(a);

    if (!a || !b)
        return !a && !b;
    if (type != json_type_of(b))
        return false;
    switch (type) {
    case JSON_NULL:
        return true;
    case JSON_BOOL:
        return KIND(node(a)) == KIND(node(b));
    case JSON_NUMBER:
        return equal_numbers(a, b);
    case JSON_STRING:
        return strcmp(node(a)->valuestring, node(b)->valuestring) == 0;
    default:
        return equal_children(a, b);
    }
}

/* ---- building ---- */

struct json *
json_new_null(void)
{
    return json_node(JSON_NULL, NULL, STR(""));
}

struct json *
json_new_bool(bool v)
{
    return json_node(JSON_BOOL, NULL, v ? STR("t") : STR(""));
}

struct json *
json_new_number(struct str text)
{
    if (!json_number_valid(text))
        die("not a JSON number: %.*s", STR_ARG(text));
    return json_node(JSON_NUMBER, NULL, text);
}

struct json *
json_new_string(const char *z)
{
    return json_node(JSON_STRING, NULL, str_of(z));
}

struct json *
json_new_str(struct str s)
{
    return json_node(JSON_STRING, NULL, s);
}

struct json *
json_new_array(void)
{
    return json_node(JSON_ARRAY, NULL, STR(""));
}

struct json *
json_new_object(void)
{
    return json_node(JSON_OBJECT, NULL, STR(""));
}

/* Gives c this key, or none. */
static void
rekey(cJSON *c, const char *key)
{
    char *fresh;

    if (key && c->string && strcmp(c->string, key) == 0)
        return;
    fresh = own_key(key);
    drop_key(c);
    c->type &= ~cJSON_StringIsConst;
    c->string = fresh;
}

struct json *
json_link_as(struct json *object, const char *key, struct json *child)
{
    rekey(node(child), key);
    json_link(object, child);
    return child;
}

struct json *
json_set(struct json *obj, const char *key, struct json *child)
{
    struct json *old = json_get(obj, key);

    if (!json_is(obj, JSON_OBJECT))
        die("json_set of \"%s\" into something that is no object", key);
    if (old == child)
        return child;
    if (!old)
        return json_link_as(obj, key, child);
    json_replace(obj, old, child);
    return child;
}

void
json_set_string(struct json *obj, const char *key, const char *z)
{
    struct str k = str_of(key);

    json_set(obj, key, json_node(JSON_STRING, &k, str_of(z)));
}

void
json_set_int(struct json *obj, const char *key, int64_t v)
{
    json_set(obj, key, json_new_int(v));
}

void
json_set_bool(struct json *obj, const char *key, bool v)
{
    struct str k = str_of(key);

    json_set(obj, key, json_node(JSON_BOOL, &k, v ? STR("t") : STR("")));
}

static struct json *
need(struct json *obj, const char *key, enum json_type type)
{
    struct json *have = json_get(obj, key);
    struct str k = str_of(key);

    if (json_is(have, type))
        return have;
    return json_set(obj, key, json_node(type, &k, STR("")));
}

struct json *
json_need_object(struct json *obj, const char *key)
{
    return need(obj, key, JSON_OBJECT);
}

struct json *
json_need_array(struct json *obj, const char *key)
{
    return need(obj, key, JSON_ARRAY);
}

struct json *
json_append(struct json *array, struct json *child)
{
    if (!json_is(array, JSON_ARRAY))
        die("json_append to something that is no array");
    rekey(node(child), NULL);
    json_link(array, child);
    return child;
}

struct json *
json_insert(struct json *array, size_t i, struct json *child)
{
    cJSON *next = node(json_item(array, i)), *c = node(child);

    if (!next)
        return json_append(array, child);
    rekey(c, NULL);
    c->next = next;
    c->prev = next->prev;
    next->prev = c;
    if (node(array)->child == next)
        node(array)->child = c;
    else
        c->prev->next = c;
    return child;
}

void
json_del(struct json *obj, const char *key)
{
    struct json *member = json_get(obj, key);

    if (member)
        json_free(json_detach(obj, member));
}

void
json_del_item(struct json *array, size_t i)
{
    struct json *item = json_item(array, i);

    if (item)
        json_free(json_detach(array, item));
}

struct json *
json_detach(struct json *container, struct json *child)
{
    return tree(cJSON_DetachItemViaPointer(node(container), node(child)));
}

void
json_move(struct json *from, struct json *member, struct json *to)
{
    json_link(to, json_detach(from, member));
}

void
json_replace(struct json *container, struct json *old, struct json *fresh)
{
    cJSON *parent = node(container), *was = node(old), *c = node(fresh);

    if (was == c)
        return;
    rekey(c, was->string);
    c->next = was->next;
    c->prev = was->prev == was ? c : was->prev;
    if (parent->child == was)
        parent->child = c;
    else
        c->prev->next = c;
    if (c->next)
        c->next->prev = c;
    else
        parent->child->prev = c;
    was->next = NULL;
    json_free(old);
}

void
json_sort(struct json *j)
{
    size_t n;
    bool object = json_is(j, JSON_OBJECT);
    AUTO(mem_free_ptr) struct json **v = json_children(j, object, &n);

    for (size_t i = 0; i < n; i++)
        json_sort(v[i]);
    if (!object || !n)
        return;
    node(j)->child = NULL;
    for (size_t i = 0; i < n; i++)
        json_link(j, v[i]);
}

char *
json_text(const struct json *j, unsigned flags)
{
    AUTO(buf_release) struct buf b = BUF_INIT(SIZE_MAX / 2);

    json_print(j, flags, &b);
    return buf_take(&b);
}
