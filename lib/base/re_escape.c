#include <stdio.h>

#include "lib/base/ascii.h"
#include "lib/base/re_parser.h"
#include "lib/base/utf8.h"

struct str
re_rest(const struct re_parser *p)
{
    return str_n(p->at, (size_t)(p->end - p->at));
}

bool
re_looking_at(const struct re_parser *p, const char *z)
{
    return str_starts(re_rest(p), str_of(z));
}

bool
re_fail(struct re_parser *p, const char *what, struct str expr)
{
    return error_set(p->err, ERR_PARSE, "error parsing regexp: %s: `%.*s`",
                     what, STR_ARG(expr));
}

bool
re_too_much(struct re_parser *p, const char *what, struct str expr)
{
    re_fail(p, what, expr);
    if (p->err)
        p->err->code = ERR_LIMIT;
    return false;
}

struct str
re_from(const struct re_parser *p, const char *begin)
{
    return str_n(begin, (size_t)(p->at - begin));
}

bool
re_next_rune(struct re_parser *p, uint32_t *cp)
{
    size_t n = utf8_decode(re_rest(p), cp);

    if (*cp == UTF8_REPLACEMENT && n == 1)
        return re_fail(p, "invalid UTF-8", re_rest(p));
    p->at += n;
    return true;
}

/* ---- escapes ---- */

/* Behind "\x". False without an error when it is none. */
static bool
hex_escape(struct re_parser *p, uint32_t *out)
{
    uint32_t c, v = 0;
    size_t digits = 0;

    if (re_looking_at(p, "{")) {
        for (p->at++; p->at < p->end; digits++) {
            c = (unsigned char)*p->at++;
            if (c == '}') {
                *out = v;
                return digits > 0;
            }
            if (ascii_hex(c) < 0)
                return false;
            v = v * 16 + (uint32_t)ascii_hex(c);
            if (v > RE_MAX_RUNE)
                return false;
        }
        return false;
    }
    for (; digits < 2 && p->at < p->end; digits++) {
        c = (unsigned char)*p->at++;
        if (ascii_hex(c) < 0)
            return false;
        v = v * 16 + (uint32_t)ascii_hex(c);
    }
    *out = v;
    return digits == 2;
}

static bool
is_octal(const struct re_parser *p)
{
    return p->at < p->end && *p->at >= '0' && *p->at <= '7';
}

/* At a backslash: one character. */
bool
re_escape(struct re_parser *p, uint32_t *out)
{
    static const char letters[] = "afnrtv", values[] = "\a\f\n\r\t\v";
    const char *begin = p->at++;
    uint32_t c;

    if (p->at == p->end)
        return re_fail(p, "trailing backslash at end of expression", STR(""));
    if (!re_next_rune(p, &c))
        return false;
    *out = c;
    if (c < 0x80 && !(c >= '0' && c <= '9') &&
        !((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
        return true;
    const char *hit = c < 0x80 && c ? strchr(letters, (int)c) : NULL;

    if (hit) {
        *out = (unsigned char)values[hit - letters];
        return true;
    }
    if (c == '0' || (c >= '1' && c <= '7' && is_octal(p))) {
        uint32_t v = c - '0';

        for (int i = 1; i < 3 && is_octal(p); i++)
            v = v * 8 + (uint32_t)(*p->at++ - '0');
        *out = v;
        return true;
    }
    if (c == 'x' && hex_escape(p, out))
        return true;
    return re_fail(p, "invalid escape sequence", re_from(p, begin));
}

/* ---- classes ---- */

struct named_class {
    const char *name, *ranges; /* pairs of characters */
};

static const struct named_class perl_classes[] = {
    {"\\d", "09"},
    {"\\s", "\t\n\f\r  "},
    {"\\w", "09AZ__az"},
};

static const struct named_class posix_classes[] = {
    {"alnum", "09AZaz"},   {"alpha", "AZaz"},     {"ascii", ""},
    {"blank", "\t\t  "},   {"cntrl", "\x7F\x7F"}, {"digit", "09"},
    {"graph", "!~"},       {"lower", "az"},       {"print", " ~"},
    {"punct", "!/:@[`{~"}, {"space", "\t\r  "},   {"upper", "AZ"},
    {"word", "09AZaz__"},  {"xdigit", "09AFaf"},
};

/* Adds group (folded when (?i) holds, then negated when asked) to c. */
static void
add_group(struct re_parser *p, struct re_class *c, struct re_class *group,
          bool negate)
{
    re_class_clean(group);
    if (p->flags & RE_FOLD)
        re_class_fold(group);
    if (negate)
        re_class_negate(group);
    for (size_t i = 0; i < group->n; i++)
        re_class_add(c, group->v[i].lo, group->v[i].hi);
    re_class_release(group);
}

static void
add_named(struct re_parser *p, struct re_class *c,
          const struct named_class *named, bool negate)
{
    struct re_class group = {0};

    for (const char *r = named->ranges; *r; r += 2)
        re_class_add(&group, (unsigned char)r[0], (unsigned char)r[1]);
    /* NUL cannot stand in the tables. */
    if (strcmp(named->name, "ascii") == 0)
        re_class_add(&group, 0, 0x7F);
    if (strcmp(named->name, "cntrl") == 0)
        re_class_add(&group, 0, 0x1F);
    add_group(p, c, &group, negate);
}

/* "\d" and its sisters; false when it is none. */
bool
re_perl_class(struct re_parser *p, struct re_class *c)
{
    if (p->end - p->at < 2 || p->at[0] != '\\')
        return false;
    for (size_t i = 0; i < ARRAY_LEN(perl_classes); i++) {
        char small = perl_classes[i].name[1];

        if ((p->at[1] | 0x20) != small)
            continue;
        add_named(p, c, &perl_classes[i], p->at[1] != small);
        p->at += 2;
        return true;
    }
    return false;
}

bool
re_at_unicode_class(const struct re_parser *p)
{
    return re_looking_at(p, "\\p") || re_looking_at(p, "\\P");
}

/* "\pN", "\p{Greek}", "\P{^L}". */
bool
re_unicode_class(struct re_parser *p, struct re_class *c)
{
    const char *begin = p->at;
    bool negate = begin[1] == 'P';
    struct re_class group = {0};
    struct str name;
    uint32_t cp;

    p->at += 2;
    if (p->at == p->end)
        return re_fail(p, "invalid character class range", re_from(p, begin));
    if (!re_next_rune(p, &cp))
        return false;
    if (cp != '{') {
        name = re_from(p, begin + 2);
    } else {
        const char *close = memchr(p->at, '}', (size_t)(p->end - p->at));

        if (!close) {
            p->at = p->end;
            return re_fail(p, "invalid character class range",
                           re_from(p, begin));
        }
        name = str_n(p->at, (size_t)(close - p->at));
        p->at = close + 1;
    }
    if (name.n && name.s[0] == '^') {
        negate = !negate;
        name = str_from(name, 1);
    }
    if (!re_class_unicode(&group, name))
        return re_fail(p, "invalid character class range", re_from(p, begin));
    add_group(p, c, &group, negate);
    return true;
}

/* At "[:": *found tells whether it was a class name; false is an error. */
static bool
posix_class(struct re_parser *p, struct re_class *c, bool *found)
{
    struct str r = re_rest(p);
    size_t end = str_find(r, STR(":]"), 2);

    *found = false;
    if (end == SIZE_MAX)
        return true;
    struct str name = str_sub(r, 2, end - 2);
    bool negate = name.n && name.s[0] == '^';

    if (negate)
        name = str_from(name, 1);
    for (size_t i = 0; i < ARRAY_LEN(posix_classes) && !*found; i++) {
        if (!str_eqz(name, posix_classes[i].name))
            continue;
        add_named(p, c, &posix_classes[i], negate);
        *found = true;
    }
    if (!*found)
        return re_fail(p, "invalid character class range",
                       str_sub(r, 0, end + 2));
    p->at += end + 2;
    return true;
}

static bool
class_char(struct re_parser *p, const char *begin, uint32_t *cp)
{
    if (p->at == p->end)
        return re_fail(p, "missing closing ]", re_from(p, begin));
    return *p->at == '\\' ? re_escape(p, cp) : re_next_rune(p, cp);
}

/* A character or a range inside of brackets. */
static bool
class_range(struct re_parser *p, const char *begin, struct re_class *c)
{
    const char *range = p->at;
    uint32_t lo, hi;

    if (!class_char(p, begin, &lo))
        return false;
    hi = lo;
    if (p->end - p->at >= 2 && p->at[0] == '-' && p->at[1] != ']') {
        p->at++;
        if (!class_char(p, begin, &hi))
            return false;
        if (hi < lo)
            return re_fail(p, "invalid character class range",
                           re_from(p, range));
    }
    struct re_class group = {0};

    re_class_add(&group, lo, hi);
    add_group(p, c, &group, false);
    return true;
}

/* One item inside of brackets. */
bool
re_class_item(struct re_parser *p, const char *begin, struct re_class *c)
{
    bool found;

    if (re_looking_at(p, "[:") && p->end - p->at > 2) {
        if (!posix_class(p, c, &found))
            return false;
        if (found)
            return true;
    }
    if (re_at_unicode_class(p))
        return re_unicode_class(p, c);
    return re_perl_class(p, c) || class_range(p, begin, c);
}
