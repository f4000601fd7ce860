#include "lib/base/ascii.h"
#include "lib/base/utf8.h"

#include "lib/schema/cel_node.h"

/*
 * The lexer rules of cel-go's parser/gen/CEL.g4: the longest token wins. What
 * is no token is CEL_TOKEN_BAD, one character or the rest of a text literal
 * that does not end.
 */

static char
at(struct str s, size_t i)
{
    return i < s.n ? s.s[i] : 0;
}

static size_t
skip_blank(struct str s, size_t i)
{
    while (i < s.n) {
        if (memchr(" \t\r\n\f", s.s[i], 5))
            i++;
        else if (s.s[i] == '/' && at(s, i + 1) == '/')
            while (i < s.n && s.s[i] != '\n')
                i++;
        else
            break;
    }
    return i;
}

static size_t
digits(struct str s, size_t i)
{
    while (ascii_digit(at(s, i)))
        i++;
    return i;
}

/* Behind an exponent at i, or i. */
static size_t
exponent(struct str s, size_t i)
{
    if ((at(s, i) | 0x20) != 'e')
        return i;
    size_t from = i + 1 + (at(s, i + 1) == '+' || at(s, i + 1) == '-');
    size_t end = digits(s, from);

    return end > from ? end : i;
}

static size_t
number(struct str s, size_t i, enum cel_token_kind *kind)
{
    size_t end = digits(s, i), from = i;

    *kind = CEL_TOKEN_INT;
    if (at(s, i) == '0' && at(s, i + 1) == 'x' &&
        ascii_hex(at(s, i + 2)) >= 0) {
        for (end = i + 2; ascii_hex(at(s, end)) >= 0;)
            end++;
    } else {
        if (at(s, end) == '.' && ascii_digit(at(s, end + 1)))
            end = digits(s, end + 1);
        size_t point = end;

        end = exponent(s, end);
        if (end != point || memchr(s.s + from, '.', end - from)) {
            *kind = CEL_TOKEN_DOUBLE;
            return end;
        }
    }
    if ((at(s, end) | 0x20) == 'u') {
        *kind = CEL_TOKEN_UINT;
        end++;
    }
    return end;
}

/* Does an escape of the grammar start behind the backslash at i? Its length
 * with the backslash, or 0. */
static size_t
escape_length(struct str s, size_t i)
{
    static const struct {
        char name;
        unsigned char digits;
    } hex[] = {{'x', 2}, {'X', 2}, {'u', 4}, {'U', 8}};
    char c = at(s, i + 1);

    if (c && strchr("abfnrtv\"'\\?`", c))
        return 2;
    if (c >= '0' && c <= '3')
        return at(s, i + 2) >= '0' && at(s, i + 2) <= '7' &&
                       at(s, i + 3) >= '0' && at(s, i + 3) <= '7'
                   ? 4
                   : 0;
    for (size_t k = 0; k < ARRAY_LEN(hex); k++) {
        if (hex[k].name != c)
            continue;
        for (size_t d = 0; d < hex[k].digits; d++) {
            if (ascii_hex(at(s, i + 2 + d)) < 0)
                return 0;
        }
        return 2 + hex[k].digits;
    }
    return 0;
}

/* Behind the character at which the escape at i turns out to be none. */
static size_t
escape_fault(struct str s, size_t i)
{
    char c = at(s, i + 1);
    const char *digits = c >= '0' && c <= '3'     ? "01234567"
                         : c && strchr("xXuU", c) ? "0123456789abcdefABCDEF"
                                                  : "";
    size_t end = i + 2;

    while (end < s.n && *digits && strchr(digits, s.s[end]))
        end++;
    return MIN(*digits ? end + 1 : end, s.n);
}

/* Behind the text literal whose quotes start at i; 0: it does not end, and is
 * wrong in front of *fault. */
static size_t
quoted(struct str s, size_t i, bool raw, size_t *fault)
{
    char q = s.s[i];
    bool triple = at(s, i + 1) == q && at(s, i + 2) == q;

    i += triple ? 3 : 1;
    while (i < s.n) {
        char c = s.s[i];

        if (c == q && !triple)
            return i + 1;
        if (c == q && at(s, i + 1) == q && at(s, i + 2) == q)
            return i + 3;
        *fault = i + 1;
        if (!triple && (c == '\n' || c == '\r'))
            return 0;
        size_t n = c == '\\' && !raw ? escape_length(s, i) : 1;

        if (!n) {
            *fault = escape_fault(s, i);
            return 0;
        }
        i += n;
    }
    *fault = s.n;
    return 0;
}

/* Behind a text literal with its prefix at i, or i. */
static size_t
text(struct str s, size_t i, enum cel_token_kind *kind)
{
    size_t from = i;
    bool raw = false;

    *kind = CEL_TOKEN_STRING;
    if ((at(s, i) | 0x20) == 'b') {
        *kind = CEL_TOKEN_BYTES;
        i++;
    }
    if ((at(s, i) | 0x20) == 'r') {
        raw = true;
        i++;
    }
    if (at(s, i) != '"' && at(s, i) != '\'')
        return from;
    size_t fault = s.n, end = quoted(s, i, raw, &fault);

    if (!end && at(s, i) == at(s, i + 1)) /* "" and then something */
        end = i + 2;
    if (end)
        return end;
    /* The prefix alone is a name. */
    *kind = CEL_TOKEN_BAD;
    return i > from ? from : fault;
}

static size_t
identifier(struct str s, size_t i)
{
    while (ascii_letter(at(s, i)) || ascii_digit(at(s, i)) || at(s, i) == '_')
        i++;
    return i;
}

static size_t
escaped_identifier(struct str s, size_t i, enum cel_token_kind *kind)
{
    size_t end = i + 1;

    while (end < s.n && (ascii_letter(s.s[end]) || ascii_digit(s.s[end]) ||
                         memchr("_.-/ ", s.s[end], 5)))
        end++;
    if (at(s, end) == '`' && end > i + 1) {
        *kind = CEL_TOKEN_QUOTED;
        return end + 1;
    }
    return i;
}

static size_t
sign(struct str s, size_t i)
{
    static const char *const two[] = {"==", "!=", "<=", ">=", "&&", "||"};

    for (size_t k = 0; k < ARRAY_LEN(two); k++) {
        if (s.s[i] == two[k][0] && at(s, i + 1) == two[k][1])
            return i + 2;
    }
    return memchr("<>[]{}().,-!?:+*/%", s.s[i], 18) ? i + 1 : i;
}

struct cel_token
cel_next_token(struct str s, size_t *pos)
{
    size_t i = skip_blank(s, *pos), end;
    struct cel_token t = {CEL_TOKEN_END, str_n(s.s + i, 0), (uint32_t)i};
    uint32_t cp;

    *pos = i;
    if (i >= s.n)
        return t;
    end = text(s, i, &t.kind);
    if (end == i &&
        (ascii_digit(s.s[i]) || (s.s[i] == '.' && ascii_digit(at(s, i + 1)))))
        end = number(s, i, &t.kind);
    if (end == i && (ascii_letter(s.s[i]) || s.s[i] == '_')) {
        end = identifier(s, i);
        t.kind = str_eqz(str_sub(s, i, end - i), "in") ? CEL_TOKEN_SIGN
                                                       : CEL_TOKEN_IDENT;
    }
    if (end == i && s.s[i] == '`')
        end = escaped_identifier(s, i, &t.kind);
    if (end == i) {
        t.kind = CEL_TOKEN_SIGN;
        end = sign(s, i);
    }
    if (end == i) {
        t.kind = CEL_TOKEN_BAD;
        end = i + utf8_decode(str_from(s, i), &cp);
    }
    *pos = end;
    /* ANTLR shows what it has looked at: it hoped for == or &&. */
    if (t.kind == CEL_TOKEN_BAD && memchr("=&|", s.s[i], 3))
        end++;
    t.text = str_sub(s, i, end - i);
    return t;
}

/* ---- the value of a text literal ---- */

static bool
put_escape(struct buf *out, struct str *s, bool bytes, const char **why)
{
    static const char from[] = "abfnrtv\\'\"`?", to[] = "\a\b\f\n\r\t\v\\'\"`?";
    char c = s->s[1], utf8[4];
    const char *plain = strchr(from, c);
    size_t n = escape_length(*s, 0);
    bool octal = ascii_digit(c);
    uint32_t v = 0;

    if (plain) {
        *s = str_from(*s, 2);
        return buf_putc(out, to[plain - from]);
    }
    if ((c == 'u' || c == 'U') && bytes) {
        *why = "unable to unescape string";
        return false;
    }
    for (size_t i = octal ? 1 : 2; i < n; i++)
        v = v * (octal ? 8 : 16) + (uint32_t)ascii_hex(s->s[i]);
    *s = str_from(*s, n);
    if (bytes)
        return buf_putc(out, (char)v);
    if (v > 0x10FFFF || (v >= 0xD800 && v < 0xE000)) {
        *why = "invalid unicode code point";
        return false;
    }
    return buf_add(out, utf8, utf8_encode(v, utf8));
}

/* Line ends are \n, whatever the source has. */
static char
take_plain(struct str *s)
{
    char c = s->s[0];

    *s = str_from(*s, c == '\r' && at(*s, 1) == '\n' ? 2 : 1);
    return c == '\r' ? '\n' : c;
}

bool
cel_unescape_literal(struct arena *a, const struct cel_token *t,
                     struct str *out, const char **why)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 20);
    bool bytes = t->kind == CEL_TOKEN_BYTES, raw;
    struct str s = bytes ? str_from(t->text, 1) : t->text;

    raw = (s.s[0] | 0x20) == 'r';
    if (raw)
        s = str_from(s, 1);
    size_t quotes = s.n >= 6 && s.s[1] == s.s[0] && s.s[2] == s.s[0] ? 3 : 1;

    s = str_sub(s, quotes, s.n - 2 * quotes);
    while (s.n) {
        if (s.s[0] == '\\' && !raw) {
            if (!put_escape(&b, &s, bytes, why))
                return false;
        } else {
            buf_putc(&b, take_plain(&s));
        }
    }
    *out = arena_str(a, buf_view(&b));
    return true;
}
