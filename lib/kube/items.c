/*
 * Three places to be: in the object around the array (BEFORE and AFTER it,
 * which are copied to `rest`), in the array between items (BETWEEN), in an item
 * (INSIDE). Bytes of strings are copied in runs; only quotes, brackets and
 * backslashes are looked at.
 */
#include "lib/kube/items.h"

#define WORD_MAX 64

enum { BEFORE, ARMED, BETWEEN, INSIDE, AFTER };

void
kube_items_init(struct kube_items *s, const char *key, size_t max_item,
                size_t max_rest, kube_items_fn *fn, void *arg)
{
    *s = (struct kube_items){.key = key, .fn = fn, .arg = arg};
    buf_init(&s->item, max_item);
    buf_init(&s->rest, max_rest);
    buf_init(&s->word, WORD_MAX);
}

void
kube_items_release(struct kube_items *s)
{
    buf_release(&s->item);
    buf_release(&s->rest);
    buf_release(&s->word);
}

void
kube_items_reset(struct kube_items *s)
{
    buf_reset(&s->item);
    buf_reset(&s->rest);
    buf_reset(&s->word);
    s->state = BEFORE;
    s->depth = 0;
    s->quoted = s->escaped = s->found = false;
}

static bool
no_list(struct error *err)
{
    return error_set(err, ERR_PARSE, "the answer is no list");
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

/* The length of a run of a string's bytes that say nothing. */
static size_t
run_of(struct str in)
{
    size_t n = 0;

    while (n < in.n && in.s[n] != '"' && in.s[n] != '\\')
        n++;
    return n;
}

/* A byte of a string, in any place. */
static void
in_string(struct kube_items *s, char c)
{
    if (s->escaped)
        s->escaped = false;
    else if (c == '\\')
        s->escaped = true;
    else if (c == '"')
        s->quoted = false;
}

/* A byte around the array. */
static bool
around(struct kube_items *s, char c, struct error *err)
{
    if (!s->depth && s->rest.n && !is_blank(c))
        return no_list(err); /* after the end */
    if (!s->depth && !s->rest.n && c != '{' && !is_blank(c))
        return no_list(err);
    if (s->state == ARMED && c == '[') {
        s->state = BETWEEN;
        s->found = true;
        buf_puts(&s->rest, "[]");
        return true;
    }
    if (s->state == ARMED && !is_blank(c))
        s->state = BEFORE;
    if (c == '"') {
        s->quoted = true;
        buf_reset(&s->word);
    } else if (c == '{' || c == '[') {
        s->depth++;
    } else if (c == '}' || c == ']') {
        s->depth--;
    } else if (c == ':' && s->depth == 1 && s->state == BEFORE &&
               !s->word.over && str_eqz(buf_view(&s->word), s->key)) {
        s->state = ARMED;
    }
    if (s->depth || !is_blank(c))
        buf_putc(&s->rest, c);
    return true;
}

static bool
between(struct kube_items *s, char c, struct error *err)
{
    if (c == ']') {
        s->state = AFTER;
    } else if (c == '{') {
        s->state = INSIDE;
        s->depth++;
        buf_reset(&s->item);
        buf_putc(&s->item, c);
    } else if (c != ',' && !is_blank(c)) {
        return error_set(err, ERR_PARSE, "an item of the list is no object");
    }
    return true;
}

/* Bytes of an item that are in no string; false also when fn says no. */
static bool
inside(struct kube_items *s, struct str in, size_t *used)
{
    size_t n = 0;
    char c;

    while (n < in.n && !strchr("\"{}[]", in.s[n]))
        n++;
    buf_add(&s->item, in.s, MIN(n + 1, in.n));
    *used = MIN(n + 1, in.n);
    if (n == in.n)
        return true;
    c = in.s[n];
    if (c == '"')
        s->quoted = true;
    else if (c == '{' || c == '[')
        s->depth++;
    else if (c == '}' || c == ']')
        s->depth--;
    if (s->depth > 1)
        return true;
    s->state = BETWEEN;
    return s->item.over || s->fn(s->arg, buf_view(&s->item));
}

static bool
in_bounds(const struct kube_items *s, struct error *err)
{
    if (s->item.over)
        return error_set(err, ERR_LIMIT, "an object of more than %zu bytes",
                         s->item.max);
    if (s->rest.over)
        return error_set(err, ERR_LIMIT,
                         "a list with more than %zu bytes beside its items",
                         s->rest.max);
    return true;
}

/* Takes a run of a string's bytes; returns how many. */
static size_t
take_string(struct kube_items *s, struct str in)
{
    struct buf *to = s->state == INSIDE ? &s->item : &s->rest;
    size_t n = s->escaped ? 0 : run_of(in);
    bool top = s->state != INSIDE && s->depth == 1;

    buf_add(to, in.s, n);
    if (top)
        buf_add(&s->word, in.s, n);
    if (n == in.n)
        return n;
    in_string(s, in.s[n]);
    buf_putc(to, in.s[n]);
    if (top && s->quoted)
        buf_putc(&s->word, in.s[n]);
    return n + 1;
}

bool
kube_items_feed(struct kube_items *s, struct str in, struct error *err)
{
    bool ok = true;

    while (in.n && ok) {
        size_t used = 1;

        if (s->quoted)
            used = take_string(s, in);
        else if (s->state == INSIDE)
            ok = inside(s, in, &used);
        else if (s->state == BETWEEN)
            ok = between(s, in.s[0], err);
        else
            ok = around(s, in.s[0], err);
        in = str_from(in, used);
        if (ok)
            ok = in_bounds(s, err);
    }
    return ok;
}

bool
kube_items_end(struct kube_items *s, struct str *rest, struct error *err)
{
    if (s->depth || !s->rest.n || s->quoted)
        return error_set(err, ERR_NETWORK,
                         "the list ended before it was complete");
    *rest = buf_view(&s->rest);
    return true;
}
