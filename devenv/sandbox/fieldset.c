#include "devenv/sandbox/fieldset.h"

#include "lib/base/mem.h"

static bool
is_dot(const struct json *child)
{
    return !strcmp(json_key(child), ".");
}

static bool
has_children(const struct json *node)
{
    const struct json *c = json_first(node);

    return c && (!is_dot(c) || json_next(c));
}

bool
fieldset_empty(const struct json *s)
{
    return !has_children(s);
}

bool
fieldset_is_member(const struct json *node)
{
    return node && (!json_first(node) || json_get(node, "."));
}

void
fieldset_mark(struct json *node)
{
    if (has_children(node) && !json_get(node, "."))
        json_set(node, ".", json_new_object());
}

void
fieldset_union(struct json *into, const struct json *other)
{
    for (const struct json *c = json_first(other); c; c = json_next(c)) {
        struct json *mine;
        bool member;

        if (is_dot(c))
            continue;
        mine = json_get(into, json_key(c));
        if (!mine) {
            json_set(into, json_key(c), json_copy(c));
            continue;
        }
        member = fieldset_is_member(mine) || fieldset_is_member(c);
        fieldset_union(mine, c);
        if (member)
            fieldset_mark(mine);
    }
}

void
fieldset_subtract(struct json *from, const struct json *other)
{
    if (!json_first(from))
        return;
    for (const struct json *c = json_first(other); c; c = json_next(c)) {
        struct json *mine = is_dot(c) ? NULL : json_get(from, json_key(c));
        bool member;

        if (!mine)
            continue;
        member = fieldset_is_member(mine) && !fieldset_is_member(c);
        fieldset_subtract(mine, c);
        if (!has_children(mine)) {
            json_del(mine, ".");
            if (!member)
                json_del(from, json_key(c));
        } else if (!member) {
            json_del(mine, ".");
        } else {
            fieldset_mark(mine);
        }
    }
}

struct json *
fieldset_intersect(const struct json *a, const struct json *b)
{
    struct json *out = json_new_object();

    for (const struct json *c = json_first(a); c; c = json_next(c)) {
        const struct json *other = is_dot(c) ? NULL : json_get(b, json_key(c));
        bool member = fieldset_is_member(c) && fieldset_is_member(other);
        struct json *both;

        if (!other)
            continue;
        both = fieldset_intersect(c, other);
        if (member)
            fieldset_mark(both);
        if (member || has_children(both))
            json_set(out, json_key(c), both);
        else
            json_free(both);
    }
    return out;
}

/* [name="a",port=1] */
static void
print_key(struct str text, struct buf *out)
{
    AUTO(json_free_ptr) struct json *keys = json_parse(text, NULL, NULL);
    const char *sep = "";

    buf_putc(out, '[');
    for (const struct json *k = json_first(keys); k; k = json_next(k)) {
        buf_puts(out, sep);
        buf_puts(out, json_key(k));
        buf_putc(out, '=');
        json_print(k, JSON_COMPACT, out);
        sep = ",";
    }
    buf_putc(out, ']');
}

void
fieldset_print_element(const char *element, struct buf *out)
{
    struct str rest = str_from(str_of(element), 2);

    switch (element[0]) {
    case 'k':
        print_key(rest, out);
        break;
    case 'v':
        buf_printf(out, "[=%.*s]", STR_ARG(rest));
        break;
    case 'i':
        buf_printf(out, "[%.*s]", STR_ARG(rest));
        break;
    default:
        buf_putc(out, '.');
        buf_str(out, rest);
    }
}

static void
each(const struct json *s, struct buf *path, fieldset_path_fn *fn, void *arg)
{
    size_t n = path->n;

    for (const struct json *c = json_first(s); c; c = json_next(c)) {
        if (is_dot(c) || !fieldset_is_member(c))
            continue;
        fieldset_print_element(json_key(c), path);
        fn(arg, buf_cstr(path));
        buf_truncate(path, n);
    }
    for (const struct json *c = json_first(s); c; c = json_next(c)) {
        if (is_dot(c) || !has_children(c))
            continue;
        fieldset_print_element(json_key(c), path);
        each(c, path, fn, arg);
        buf_truncate(path, n);
    }
}

void
fieldset_each(const struct json *s, fieldset_path_fn *fn, void *arg)
{
    AUTO(buf_release) struct buf path = BUF_INIT(BUF_TEXT_MAX);

    each(s, &path, fn, arg);
}
