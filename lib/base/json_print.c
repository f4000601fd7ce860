#include <stdlib.h>

#include "lib/base/json_node.h"
#include "lib/base/mem.h"

/* Bytes that cannot stand as they are: 1 always, 2 only with JSON_HTML, 3 may
 * start U+2028 or U+2029. */
static const unsigned char special[256] = {
    [0 ... 0x1F] = 1, ['"'] = 1, ['\\'] = 1, ['<'] = 2,
    ['>'] = 2,        ['&'] = 2, [0xE2] = 3,
};

/* Go's encoding/json escapes the two line separators of JavaScript too. */
static bool
is_separator(const char *p)
{
    return p[1] == '\x80' && (p[2] == '\xA8' || p[2] == '\xA9');
}

static void
escape(struct buf *out, char c)
{
    static const char from[] = "\"\\\n\r\t\b\f";
    static const char to[] = "\"\\nrtbf";
    const char *hit = strchr(from, c);

    if (hit && c) {
        char pair[2] = {'\\', to[hit - from]};

        buf_add(out, pair, 2);
    } else {
        buf_printf(out, "\\u%04x", (unsigned)(unsigned char)c);
    }
}

static bool
print_string(const char *z, unsigned flags, struct buf *out)
{
    const char *plain = z;

    buf_putc(out, '"');
    for (; *z; z++) {
        unsigned how = special[(unsigned char)*z];

        if (how == 0 || (how == 2 && !(flags & JSON_HTML)) ||
            (how == 3 && !is_separator(z)))
            continue;
        buf_add(out, plain, (size_t)(z - plain));
        if (how == 3) {
            buf_puts(out, z[2] == '\xA8' ? "\\u2028" : "\\u2029");
            z += 2;
        } else {
            escape(out, *z);
        }
        plain = z + 1;
    }
    buf_add(out, plain, (size_t)(z - plain));
    return buf_putc(out, '"');
}

static void
new_line(unsigned flags, size_t depth, struct buf *out)
{
    if (flags & JSON_PRETTY) {
        buf_putc(out, '\n');
        buf_fill(out, ' ', 2 * depth);
    }
}

static bool print_node(const struct json *j, unsigned flags, size_t depth,
                       struct buf *out);

static bool
print_child(const struct json *c, unsigned flags, size_t depth, struct buf *out)
{
    new_line(flags, depth, out);
    if (json_key(c)) {
        print_string(json_key(c), flags, out);
        buf_puts(out, flags & JSON_PRETTY ? ": " : ":");
    }
    return print_node(c, flags, depth, out);
}

static bool
print_children(const struct json *j, unsigned flags, size_t depth,
               struct buf *out)
{
    bool object = json_type_of(j) == JSON_OBJECT, ok = true;

    buf_putc(out, object ? '{' : '[');
    if (object && (flags & JSON_SORTED)) {
        size_t n;
        AUTO(mem_free_ptr) struct json **v = json_children(j, true, &n);

        for (size_t i = 0; ok && i < n; i++)
            ok = (i == 0 || buf_putc(out, ',')) &&
                 print_child(v[i], flags, depth + 1, out);
    } else {
        struct json *first = json_first(j);

        for (struct json *c = first; ok && c; c = json_next(c))
            ok = (c == first || buf_putc(out, ',')) &&
                 print_child(c, flags, depth + 1, out);
    }
    if (json_first(j))
        new_line(flags, depth, out);
    return buf_putc(out, object ? '}' : ']');
}

static bool
print_node(const struct json *j, unsigned flags, size_t depth, struct buf *out)
{
    switch (json_type_of(j)) {
    case JSON_BOOL:
        return buf_puts(out, json_bool(j, false) ? "true" : "false");
    case JSON_NUMBER:
        return buf_puts(out, json_number_text(j));
    case JSON_STRING:
        return print_string(json_string(j), flags, out);
    case JSON_ARRAY:
    case JSON_OBJECT:
        return print_children(j, flags, depth, out);
    default:
        return buf_puts(out, "null");
    }
}

bool
json_print(const struct json *j, unsigned flags, struct buf *out)
{
    return print_node(j, flags, 0, out);
}
