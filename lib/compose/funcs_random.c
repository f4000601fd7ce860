/* Random texts, from the execution's seed. */
#include "lib/base/utf8.h"

#include "lib/compose/funcs.h"

static bool
characters(struct call *c, int64_t n, const char *set, struct value *out)
{
    size_t count = strlen(set);

    if (n < 0 || (uint64_t)n > c->max_text) {
        if (n >= 0)
            return call_limit(c, "a text is larger than %zu bytes",
                              c->max_text);
        n = 0;
    }
    for (int64_t i = 0; i < n; i++)
        buf_putc(&c->text, set[call_random(c) % count]);
    return call_text(c, out);
}

#define DIGITS  "0123456789"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"

FUNC(fn_alpha_num)
{
    return characters(c, v[0].i, LETTERS DIGITS, out);
}

FUNC(fn_alpha)
{
    return characters(c, v[0].i, LETTERS, out);
}

FUNC(fn_numeric)
{
    return characters(c, v[0].i, DIGITS, out);
}

FUNC(fn_ascii)
{
    char set[96];

    for (int i = 0; i < 95; i++)
        set[i] = (char)(' ' + i);
    set[95] = '\0';
    return characters(c, v[0].i, set, out);
}

FUNC(fn_int)
{
    int64_t range = v[1].i - v[0].i;

    if (range <= 0)
        return call_fail(c, "invalid argument to Intn");
    *out = value_int(v[0].i + (int64_t)(call_random(c) % (uint64_t)range));
    return true;
}

FUNC(fn_shuffle)
{
    struct value list;
    size_t count;

    if (!call_split(c, v[0].s, STR(""), -1, &list))
        return false;
    struct value *items = value_items(c->a, list, &count);

    for (size_t i = count; i > 1; i--) {
        size_t k = call_random(c) % i;
        struct value t = items[i - 1];

        items[i - 1] = items[k];
        items[k] = t;
    }
    for (size_t i = 0; i < count; i++)
        buf_str(&c->text, items[i].s);
    return call_text(c, out);
}

FUNC(fn_uuid)
{
    uint64_t hi = call_random(c), lo = call_random(c);

    hi = (hi & ~(uint64_t)0xF000) | 0x4000;
    lo = (lo & ~((uint64_t)3 << 62)) | (uint64_t)2 << 62;
    buf_printf(&c->text, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(hi >> 32),
               (unsigned)(hi >> 16 & 0xFFFF), (unsigned)(hi & 0xFFFF),
               (unsigned)(lo >> 48), (unsigned long long)(lo & 0xFFFFFFFFFFFF));
    return call_text(c, out);
}

static const struct func rows[] = {
    {"randAlphaNum", "i", fn_alpha_num},
    {"randAlpha", "i", fn_alpha},
    {"randNumeric", "i", fn_numeric},
    {"randAscii", "i", fn_ascii},
    {"randInt", "ii", fn_int},
    {"shuffle", "s", fn_shuffle},
    {"uuidv4", "", fn_uuid},
};

const struct func_table funcs_random = {rows, ARRAY_LEN(rows)};
