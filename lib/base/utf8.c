#include "lib/base/utf8.h"

/* Lead byte -> bytes that follow, bits it carries, smallest value allowed. */
static const struct lead {
    uint8_t mask, tag;
    unsigned more;
    uint32_t least;
} leads[] = {
    {0x80, 0x00, 0, 0},
    {0xe0, 0xc0, 1, 0x80},
    {0xf0, 0xe0, 2, 0x800},
    {0xf8, 0xf0, 3, 0x10000},
};

static size_t
bad(uint32_t *cp)
{
    *cp = UTF8_REPLACEMENT;
    return 1;
}

/* The length of the character at s, or 0 when it is malformed. */
static size_t
scan(struct str s, uint32_t *cp)
{
    unsigned char first = (unsigned char)s.s[0];
    const struct lead *lead = leads;

    while (lead < leads + ARRAY_LEN(leads) && (first & lead->mask) != lead->tag)
        lead++;
    if (lead == leads + ARRAY_LEN(leads) || lead->more >= s.n)
        return 0;
    uint32_t v = first & (uint8_t)~lead->mask;

    for (unsigned i = 1; i <= lead->more; i++) {
        unsigned char c = (unsigned char)s.s[i];

        if ((c & 0xc0) != 0x80)
            return 0;
        v = v << 6 | (c & 0x3f);
    }
    if (v < lead->least || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
        return 0;
    *cp = v;
    return lead->more + 1;
}

size_t
utf8_decode(struct str s, uint32_t *cp)
{
    size_t n = scan(s, cp);

    return n ? n : bad(cp);
}

size_t
utf8_encode(uint32_t cp, char out[4])
{
    if (cp > 0x10ffff || (cp >= 0xd800 && cp < 0xe000))
        cp = UTF8_REPLACEMENT;
    unsigned more = (cp >= 0x80) + (cp >= 0x800) + (cp >= 0x10000);

    for (unsigned i = more; i > 0; i--) {
        out[i] = (char)(0x80 | (cp & 0x3f));
        cp >>= 6;
    }
    out[0] = (char)(leads[more].tag | cp);
    return more + 1;
}

bool
utf8_valid(struct str s)
{
    uint32_t cp;

    while (s.n) {
        size_t n = scan(s, &cp);

        if (!n)
            return false;
        s = str_from(s, n);
    }
    return true;
}

size_t
utf8_count(struct str s)
{
    size_t count = 0;
    uint32_t cp;

    for (; s.n; count++)
        s = str_from(s, utf8_decode(s, &cp));
    return count;
}

size_t
utf8_columns(struct str s)
{
    size_t columns = 0;
    uint32_t cp;

    while (s.n) {
        s = str_from(s, utf8_decode(s, &cp));
        columns += (size_t)utf8_width(cp);
    }
    return columns;
}

bool
utf8_unsafe(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0x61c ||
           cp == 0x200e || cp == 0x200f || (cp >= 0x2028 && cp <= 0x202e) ||
           (cp >= 0x2066 && cp <= 0x2069) || cp == 0xfeff;
}
