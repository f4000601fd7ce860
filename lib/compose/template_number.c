#include "lib/compose/template_number.h"

#include "lib/base/utf8.h"

#include "lib/compose/gonumber.h"

static int
digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'z' ? c - 'a' + 10 : 99;
}

/* The prefix of a literal: 0x, 0o, 0b, 0, or none. */
static unsigned
take_base(struct str *s)
{
    char c = s->n > 1 && s->s[0] == '0' ? (char)(s->s[1] | 0x20) : '\0';
    unsigned base = c == 'x' ? 16 : c == 'o' ? 8 : c == 'b' ? 2 : 0;

    if (base) {
        *s = str_from(*s, 2);
        return base;
    }
    return s->n > 1 && s->s[0] == '0' ? 8 : 10;
}

static bool
parse_unsigned(struct str s, unsigned base, uint64_t *out)
{
    bool literal = base == 0;
    uint64_t v = 0;
    bool any = false;

    if (literal && !gonumber_underscores_fit(s))
        return false;
    if (literal)
        base = take_base(&s);
    for (size_t i = 0; i < s.n; i++) {
        if (literal && s.s[i] == '_')
            continue;
        unsigned d = (unsigned)digit(s.s[i]);

        if (d >= base || __builtin_mul_overflow(v, base, &v) ||
            __builtin_add_overflow(v, d, &v))
            return false;
        any = true;
    }
    *out = v;
    return any;
}

bool
template_parse_int(struct str s, unsigned base, int64_t *out)
{
    bool negative = s.n && s.s[0] == '-';
    uint64_t u;

    if (s.n && (s.s[0] == '-' || s.s[0] == '+'))
        s = str_from(s, 1);
    if (!parse_unsigned(s, base, &u) || u > (uint64_t)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)(0 - u) : (int64_t)u;
    return true;
}

static bool
has_any(struct str s, const char *set)
{
    for (size_t i = 0; i < s.n; i++) {
        if (strchr(set, s.s[i]))
            return true;
    }
    return false;
}

static bool
float_constant(struct node *n, struct error *err)
{
    const double limit = 9223372036854775808.0;

    if (!gonumber_float(n->text, &n->f, NULL))
        return error_set(err, ERR_PARSE, "illegal number syntax: \"%.*s\"",
                         STR_ARG(n->text));
    if (!has_any(n->text, ".eEpP"))
        return error_set(err, ERR_PARSE, "integer overflow: \"%.*s\"",
                         STR_ARG(n->text));
    n->is_float = true;
    if (n->f >= -limit && n->f < limit && (double)(int64_t)n->f == n->f) {
        n->is_int = true;
        n->i = (int64_t)n->f;
    }
    if (n->f >= 0 && n->f < 2 * limit && (double)(uint64_t)n->f == n->f) {
        n->is_uint = true;
        n->u = (uint64_t)n->f;
    }
    return true;
}

/* One character of a quoted text, escapes undone. bytes: \x and octal give
 * single bytes. */
static bool
unquote_char(struct str *s, char quote, uint32_t *cp, bool *byte)
{
    static const char names[] = "abtnvfr";
    char c = s->s[0];
    unsigned digits = 0, base = 16;

    *byte = false;
    if (c != '\\') {
        if (c == quote || c == '\n')
            return false;
        *s = str_from(*s, utf8_decode(*s, cp));
        return true;
    }
    if (s->n < 2)
        return false;
    c = s->s[1];
    *s = str_from(*s, 2);
    const char *name = c ? strchr(names, c) : NULL;

    if (name) {
        *cp = (uint32_t)(name - names) + '\a';
        return true;
    }
    if (c == '\\' || (c == quote && c)) {
        *cp = (uint32_t)c;
        return true;
    }
    uint64_t v;

    if (c == 'x' || c == 'u' || c == 'U') {
        digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
    } else if (c >= '0' && c <= '7') {
        digits = 3;
        base = 8;
        *s = str_n(s->s - 1, s->n + 1);
    }
    if (!digits || s->n < digits ||
        !parse_unsigned(str_sub(*s, 0, digits), base, &v))
        return false;
    *byte = digits < 4;
    if ((*byte && v > 255) || v > 0x10ffff || (!*byte && v >> 11 == 27))
        return false;
    *cp = (uint32_t)v;
    *s = str_from(*s, digits);
    return true;
}

static bool
char_constant(struct node *n, struct error *err)
{
    struct str rest = str_from(n->text, 1);
    uint32_t cp;
    bool byte;

    if (!rest.n || !unquote_char(&rest, '\'', &cp, &byte))
        return error_set(err, ERR_PARSE, "invalid syntax");
    if (!str_eqz(rest, "'"))
        return error_set(err, ERR_PARSE, "malformed character constant: %.*s",
                         STR_ARG(n->text));
    n->is_int = n->is_uint = n->is_float = true;
    n->i = cp;
    n->u = cp;
    n->f = cp;
    return true;
}

bool
template_number(struct node *n, enum token_type type, struct error *err)
{
    if (type == TOKEN_CHAR_CONSTANT)
        return char_constant(n, err);
    if (type == TOKEN_COMPLEX || str_ends(n->text, STR("i")))
        return error_set(err, ERR_UNSUPPORTED,
                         "complex numbers are not supported: %.*s",
                         STR_ARG(n->text));
    n->is_uint = parse_unsigned(n->text, 0, &n->u);
    n->is_int = template_parse_int(n->text, 0, &n->i);
    if (n->is_int) {
        n->is_float = true;
        n->f = (double)n->i;
    } else if (n->is_uint) {
        n->is_float = true;
        n->f = (double)n->u;
    } else {
        return float_constant(n, err);
    }
    return true;
}

bool
template_unquote(struct arena *a, struct str quoted, struct str *out)
{
    AUTO(buf_release) struct buf text = BUF_INIT(TEMPLATE_MAX_TEXT * 2);
    struct str s = str_sub(quoted, 1, quoted.n - 2);
    uint32_t cp;
    bool byte;
    char c[4];

    if (quoted.s[0] == '`') {
        for (size_t i = 0; i < s.n; i++) {
            if (s.s[i] != '\r')
                buf_putc(&text, s.s[i]);
        }
        s.n = 0;
    }
    while (s.n) {
        size_t before = s.n;
        char raw = s.s[0];

        if (!unquote_char(&s, quoted.s[0], &cp, &byte))
            return false;
        if (byte)
            buf_putc(&text, (char)cp);
        else if (before - s.n == 1 && cp == UTF8_REPLACEMENT)
            buf_putc(&text, raw);
        else
            buf_add(&text, c, utf8_encode(cp, c));
    }
    *out = arena_str(a, buf_view(&text));
    return true;
}
