#include <stdarg.h>
#include <stdio.h>

#include "lib/base/utf8.h"

#include "lib/compose/template_tree.h"

/*
 * A scanner in the manner of Go's: next() takes a character, emit() makes a
 * token of what lies between start and pos. After an error the input is
 * empty, so that only EOF follows.
 */

#define END UINT32_MAX

static const struct {
    const char *word;
    enum token_type type;
} keywords[] = {
    {"block", TOKEN_BLOCK},
    {"break", TOKEN_BREAK},
    {"continue", TOKEN_CONTINUE},
    {"define", TOKEN_DEFINE},
    {"else", TOKEN_ELSE},
    {"end", TOKEN_END},
    {"if", TOKEN_IF},
    {"nil", TOKEN_NIL},
    {"range", TOKEN_RANGE},
    {"template", TOKEN_TEMPLATE},
    {"with", TOKEN_WITH},
    {"true", TOKEN_BOOL},
    {"false", TOKEN_BOOL},
};

void
template_lex_init(struct lexer *l, struct arena *a, struct str input,
                  struct str left, struct str right)
{
    *l = (struct lexer){.a = a,
                        .input = input,
                        .left = left.n ? left : STR("{{"),
                        .right = right.n ? right : STR("}}"),
                        .line = 1,
                        .start_line = 1};
}

static uint32_t
look(const struct lexer *l)
{
    uint32_t cp;

    if (l->pos >= l->input.n)
        return END;
    utf8_decode(str_from(l->input, l->pos), &cp);
    return cp;
}

static uint32_t
next(struct lexer *l)
{
    uint32_t cp;

    if (l->pos >= l->input.n) {
        return END;
    }
    l->pos += utf8_decode(str_from(l->input, l->pos), &cp);
    l->line += cp == '\n';
    return cp;
}

static unsigned
count_lines(struct str s)
{
    unsigned n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += s.s[i] == '\n';
    return n;
}

static struct str
current(const struct lexer *l)
{
    return str_sub(l->input, l->start, l->pos - l->start);
}

static bool
emit(struct lexer *l, enum token_type type)
{
    l->token = (struct token){type, l->start, current(l), l->start_line};
    l->start = l->pos;
    l->start_line = l->line;
    return true;
}

static void
ignore(struct lexer *l)
{
    l->line += count_lines(current(l));
    l->start = l->pos;
    l->start_line = l->line;
}

static bool PRINTF_LIKE(2, 3) fail(struct lexer *l, const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    l->token = (struct token){TOKEN_ERROR, l->start,
                              str_of(arena_strdup(l->a, text)), l->start_line};
    l->start = l->pos = 0;
    l->input.n = 0;
    return true;
}

/* %#U */
static bool
fail_char(struct lexer *l, const char *what, uint32_t cp)
{
    char text[5] = "";

    if (cp == END)
        return fail(l, "%s: U+FFFFFFFFFFFFFFFF", what);
    text[utf8_encode(cp, text)] = '\0';
    if (utf8_unsafe(cp))
        return fail(l, "%s: U+%04X", what, cp);
    return fail(l, "%s U+%04X '%s'", what, cp, text);
}

static bool
is_space(uint32_t c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Letters outside ASCII are taken by block, which errs on the side of Go's
 * unicode.IsLetter for all living scripts. */
static bool
is_alnum(uint32_t c)
{
    if (c < 0x80)
        return c == '_' || (c >= '0' && c <= '9') ||
               ((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
    if (c == END || c < 0xc0)
        return c == 0xaa || c == 0xb5 || c == 0xba;
    return c != 0xd7 && c != 0xf7 && !(c >= 0x2000 && c < 0x2070) &&
           !(c >= 0x2190 && c < 0x2c00) && !(c >= 0x3000 && c < 0x3005) &&
           c != UTF8_REPLACEMENT && c != 0xfeff &&
           !(c >= 0x1f000 && c < 0x20000);
}

static bool
space_at(const struct lexer *l, size_t i)
{
    return i < l->input.n && is_space((unsigned char)l->input.s[i]);
}

/* "- " after a left delimiter. */
static bool
left_marker(const struct lexer *l, size_t i)
{
    return i + 1 < l->input.n && l->input.s[i] == '-' && space_at(l, i + 1);
}

/* " -" before a right delimiter. */
static bool
right_marker(const struct lexer *l, size_t i)
{
    return i + 1 < l->input.n && space_at(l, i) && l->input.s[i + 1] == '-';
}

static bool
right_delim(const struct lexer *l, size_t i, bool *trim)
{
    *trim =
        right_marker(l, i) && str_starts(str_from(l->input, i + 2), l->right);
    return *trim || str_starts(str_from(l->input, i), l->right);
}

static void
skip_spaces(struct lexer *l)
{
    while (space_at(l, l->pos))
        l->pos++;
}

/* ---- outside an action; false: go on scanning ---- */

static bool
lex_comment(struct lexer *l)
{
    bool trim;
    size_t end = str_find(l->input, STR("*/"), l->pos + 2);

    if (end == SIZE_MAX)
        return fail(l, "unclosed comment");
    l->pos = end + 2;
    if (!right_delim(l, l->pos, &trim))
        return fail(l, "comment ends before closing delimiter");
    if (trim)
        l->pos += 2;
    l->pos += l->right.n;
    if (trim)
        skip_spaces(l);
    ignore(l);
    return false;
}

static bool
lex_left_delim(struct lexer *l)
{
    size_t after = l->pos + l->left.n;

    if (left_marker(l, after))
        after += 2;
    if (str_starts(str_from(l->input, after), STR("/*"))) {
        l->pos = after;
        ignore(l);
        return lex_comment(l);
    }
    l->pos += l->left.n;
    emit(l, TOKEN_LEFT_DELIM);
    l->inside = true;
    l->pos = after;
    ignore(l);
    l->parens = 0;
    return true;
}

static bool
lex_text(struct lexer *l)
{
    size_t delim = str_find(l->input, l->left, l->pos);
    size_t end = delim;

    if (delim == SIZE_MAX) {
        l->pos = l->input.n;
        l->line += count_lines(current(l));
        return emit(l, l->pos > l->start ? TOKEN_TEXT : TOKEN_EOF);
    }
    if (delim > l->pos) {
        if (left_marker(l, delim + l->left.n)) {
            while (end > l->start && space_at(l, end - 1))
                end--;
        }
        l->pos = end;
        l->line += count_lines(current(l));
        emit(l, TOKEN_TEXT);
        l->pos = delim;
        ignore(l);
        if (l->token.text.n)
            return true;
    }
    return lex_left_delim(l);
}

/* ---- inside an action ---- */

static bool
lex_right_delim(struct lexer *l)
{
    bool trim;

    right_delim(l, l->pos, &trim);
    if (trim) {
        l->pos += 2;
        ignore(l);
    }
    l->pos += l->right.n;
    emit(l, TOKEN_RIGHT_DELIM);
    if (trim) {
        struct token t = l->token;

        skip_spaces(l);
        ignore(l);
        l->token = t;
    }
    l->inside = false;
    return true;
}

static bool
lex_space(struct lexer *l)
{
    unsigned n = 0;

    while (is_space(look(l))) {
        next(l);
        n++;
    }
    /* The last space may belong to a trim marker. */
    if (right_marker(l, l->pos - 1) &&
        str_starts(str_from(l->input, l->pos + 1), l->right)) {
        l->pos--;
        l->line -= l->input.s[l->pos] == '\n';
        if (n == 1)
            return lex_right_delim(l);
    }
    return emit(l, TOKEN_SPACE);
}

static bool
at_terminator(const struct lexer *l)
{
    uint32_t c = look(l);

    if (c == END || is_space(c) || (c < 0x80 && strchr(".,|:)(", (int)c)))
        return true;
    return str_starts(str_from(l->input, l->pos), l->right);
}

static enum token_type
word_type(struct str word)
{
    for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
        if (str_eqz(word, keywords[i].word))
            return keywords[i].type;
    }
    return TOKEN_IDENTIFIER;
}

static bool
lex_word(struct lexer *l)
{
    while (is_alnum(look(l)))
        next(l);
    if (!at_terminator(l))
        return fail_char(l, "bad character", look(l));
    return emit(l, word_type(current(l)));
}

/* After a dot or a dollar sign. */
static bool
lex_name(struct lexer *l, enum token_type type)
{
    if (at_terminator(l))
        return emit(l, type == TOKEN_VARIABLE ? type : TOKEN_DOT);
    while (is_alnum(look(l)))
        next(l);
    if (!at_terminator(l))
        return fail_char(l, "bad character", look(l));
    return emit(l, type);
}

static bool
accept(struct lexer *l, const char *set)
{
    uint32_t c = look(l);

    if (!c || c >= 0x80 || !strchr(set, (int)c))
        return false;
    next(l);
    return true;
}

static bool
scan_number(struct lexer *l)
{
    const char *digits = "0123456789_";
    bool hex = false, decimal = true;

    accept(l, "+-");
    if (accept(l, "0")) {
        hex = accept(l, "xX");
        if (hex)
            digits = "0123456789abcdefABCDEF_";
        else if (accept(l, "oO"))
            digits = "01234567_";
        else if (accept(l, "bB"))
            digits = "01_";
        decimal = strlen(digits) == strlen("0123456789_");
    }
    while (accept(l, digits))
        ;
    if (accept(l, ".")) {
        while (accept(l, digits))
            ;
    }
    if ((hex && accept(l, "pP")) || (decimal && accept(l, "eE"))) {
        accept(l, "+-");
        while (accept(l, "0123456789_"))
            ;
    }
    accept(l, "i");
    if (!is_alnum(look(l)))
        return true;
    next(l);
    return false;
}

static bool
bad_number(struct lexer *l)
{
    struct str s = current(l);

    return fail(l, "bad number syntax: \"%.*s\"", STR_ARG(s));
}

static bool
lex_number(struct lexer *l)
{
    if (!scan_number(l))
        return bad_number(l);
    if (look(l) != '+' && look(l) != '-')
        return emit(l, TOKEN_NUMBER);
    if (!scan_number(l) || l->input.s[l->pos - 1] != 'i')
        return bad_number(l);
    return emit(l, TOKEN_COMPLEX);
}

/* Up to the closing quote; a backslash protects what follows. */
static bool
lex_quoted(struct lexer *l, char quote, enum token_type type, const char *what)
{
    for (;;) {
        uint32_t c = next(l);

        if (c == '\\' && quote != '`') {
            c = next(l);
            if (c != END && c != '\n')
                continue;
        }
        if (c == END || (c == '\n' && quote != '`'))
            return fail(l, "unterminated %s", what);
        if (c == (unsigned char)quote)
            return emit(l, type);
    }
}

static bool
lex_paren(struct lexer *l, uint32_t c)
{
    if (c == '(') {
        l->parens++;
        return emit(l, TOKEN_LEFT_PAREN);
    }
    if (--l->parens < 0)
        return fail(l, "unexpected right paren");
    return emit(l, TOKEN_RIGHT_PAREN);
}

static bool
lex_number_start(struct lexer *l, uint32_t c)
{
    if (c != '+' && c != '-' && c != '.' && !(c >= '0' && c <= '9'))
        return false;
    l->pos--;
    return true;
}

static bool
lex_inside(struct lexer *l)
{
    bool trim;

    if (right_delim(l, l->pos, &trim)) {
        if (l->parens == 0)
            return lex_right_delim(l);
        return fail(l, "unclosed left paren");
    }
    if (is_space(look(l)))
        return lex_space(l);
    uint32_t c = next(l);

    switch (c) {
    case END:
        return fail(l, "unclosed action");
    case '=':
        return emit(l, TOKEN_ASSIGN);
    case ':':
        if (next(l) != '=')
            return fail(l, "expected :=");
        return emit(l, TOKEN_DECLARE);
    case '|':
        return emit(l, TOKEN_PIPE);
    case '"':
        return lex_quoted(l, '"', TOKEN_STRING, "quoted string");
    case '`':
        return lex_quoted(l, '`', TOKEN_RAW_STRING, "raw quoted string");
    case '\'':
        return lex_quoted(l, '\'', TOKEN_CHAR_CONSTANT, "character constant");
    case '$':
        return lex_name(l, TOKEN_VARIABLE);
    case '(':
    case ')':
        return lex_paren(l, c);
    case '.':
        if (l->pos < l->input.n && !(look(l) >= '0' && look(l) <= '9'))
            return lex_name(l, TOKEN_FIELD);
        break;
    default:
        break;
    }
    if (lex_number_start(l, c))
        return lex_number(l);
    if (is_alnum(c)) {
        l->pos = l->start;
        return lex_word(l);
    }
    if (c > 0x20 && c < 0x7f)
        return emit(l, TOKEN_CHAR);
    return fail_char(l, "unrecognized character in action", c);
}

struct token
template_lex(struct lexer *l)
{
    l->token = (struct token){TOKEN_EOF, l->pos, STR("EOF"), l->start_line};
    while (!(l->inside ? lex_inside(l) : lex_text(l)))
        ;
    return l->token;
}
