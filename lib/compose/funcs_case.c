/* Letters and words: case, initials, wrapping. Sources: Go's strings, goutils
 * 1.1 and xstrings 1.5, which sprig calls. */
#include "lib/base/ascii.h"
#include "lib/base/utf8.h"

#include "lib/compose/funcs.h"

static bool
is_space(uint32_t cp)
{
    return cp == ' ' || (cp >= '\t' && cp <= '\r') || cp == 0x85 ||
           cp == 0xA0 || cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200A) ||
           cp == 0x2028 || cp == 0x2029 || cp == 0x202F || cp == 0x205F ||
           cp == 0x3000;
}

static bool
is_upper(uint32_t cp)
{
    return func_lower(cp) != cp && func_upper(cp) == cp;
}

static bool
is_lower(uint32_t cp)
{
    return func_upper(cp) != cp && func_lower(cp) == cp;
}

static bool
is_letter(uint32_t cp)
{
    return is_upper(cp) || is_lower(cp) ||
           (cp >= 0xC0 && cp != 0xD7 && cp != 0xF7 &&
            !(cp >= 0x2000 && cp < 0x2C00) && !(cp >= 0x3000 && cp < 0x3041) &&
            cp != UTF8_REPLACEMENT);
}

static void
put(struct call *c, uint32_t cp)
{
    char text[4];

    buf_add(&c->text, text, utf8_encode(cp, text));
}

static uint32_t
take(struct str *s)
{
    uint32_t cp;

    *s = str_from(*s, utf8_decode(*s, &cp));
    return cp;
}

void
func_map_case(struct str s, uint32_t (*map)(uint32_t cp), struct buf *out)
{
    while (s.n) {
        char text[4];

        buf_add(out, text, utf8_encode(map(take(&s)), text));
    }
}

FUNC(fn_upper)
{
    func_map_case(v[0].s, func_upper, &c->text);
    return call_text(c, out);
}

FUNC(fn_lower)
{
    func_map_case(v[0].s, func_lower, &c->text);
    return call_text(c, out);
}

/* strings.Title: upper case after anything that is no part of a word. */
FUNC(fn_title)
{
    uint32_t before = ' ';

    for (struct str s = v[0].s; s.n;) {
        uint32_t cp = take(&s);
        bool inside = before < 0x80 ? is_letter(before) ||
                                          ascii_digit(before) || before == '_'
                                    : !is_space(before);

        put(c, inside ? cp : func_title(cp));
        before = cp;
    }
    return call_text(c, out);
}

FUNC(fn_untitle)
{
    bool start = true;

    for (struct str s = v[0].s; s.n;) {
        uint32_t cp = take(&s);

        put(c, start && !is_space(cp) ? func_lower(cp) : cp);
        start = is_space(cp);
    }
    return call_text(c, out);
}

FUNC(fn_swapcase)
{
    bool start = true;

    for (struct str s = v[0].s; s.n;) {
        uint32_t cp = take(&s);

        if (is_upper(cp))
            put(c, func_lower(cp));
        else
            put(c, start ? func_title(cp) : func_upper(cp));
        start = is_upper(cp) || is_lower(cp) ? false : is_space(cp);
    }
    return call_text(c, out);
}

/* goutils works on bytes here. */
FUNC(fn_nospace)
{
    size_t left = 0;

    for (size_t i = 0; i < v[0].s.n; i++) {
        unsigned char x = (unsigned char)v[0].s.s[i];

        if (is_space(x))
            continue;
        put(c, x);
        left++;
    }
    if (left < v[0].s.n)
        return call_text(c, out);
    *out = v[0];
    return true;
}

FUNC(fn_initials)
{
    bool gap = true;

    for (size_t i = 0; i < v[0].s.n; i++) {
        unsigned char x = (unsigned char)v[0].s.s[i];

        if (gap && !is_space(x))
            put(c, x);
        gap = is_space(x);
    }
    return call_text(c, out);
}

/* ---- snake_case, kebab-case, PascalCase ---- */

static bool
is_connector(uint32_t cp)
{
    return cp == '-' || cp == '_' || is_space(cp);
}

static bool
is_punctuation(uint32_t cp)
{
    return cp && cp < 0x80 && strchr("!\"#%&'()*,-./:;?@[\\]_{}", (int)cp);
}

enum word {
    WORD_INVALID,
    WORD_NUMBER,
    WORD_UPPER,
    WORD_LETTERS,
    WORD_CONNECTOR,
    WORD_PUNCTUATION,
    WORD_OTHER
};

static enum word
kind_of(uint32_t cp)
{
    if (is_connector(cp))
        return WORD_CONNECTOR;
    if (is_punctuation(cp))
        return WORD_PUNCTUATION;
    if (is_upper(cp))
        return WORD_UPPER;
    if (is_letter(cp))
        return WORD_LETTERS;
    return ascii_digit(cp) ? WORD_NUMBER : WORD_OTHER;
}

/* Takes the run of characters of one kind off *s. */
static struct str
run_of(struct str *s, enum word kind)
{
    struct str rest = *s, run = *s;

    while (rest.n) {
        struct str next = rest;

        if (kind_of(take(&next)) != kind)
            break;
        rest = next;
    }
    run.n -= rest.n;
    *s = rest;
    return run;
}

/* The next word: "HTTPStatus" gives "HTTP" (upper), then "Status". */
static enum word
next_word(struct str *s, struct str *word)
{
    struct str all = *s, first = *s;

    *word = *s;
    if (!s->n)
        return WORD_INVALID;
    enum word kind = kind_of(take(&first));

    if (kind != WORD_UPPER) {
        *word = run_of(s, kind);
        return kind;
    }
    *word = run_of(s, WORD_UPPER);
    if (!s->n || kind_of(take(&(struct str){s->s, s->n})) != WORD_LETTERS)
        return WORD_UPPER;
    if (str_from(all, 0).n - first.n == word->n) { /* one capital: "Status" */
        run_of(s, WORD_LETTERS);
        word->n = all.n - s->n;
        return WORD_UPPER;
    }
    size_t last = word->n - 1; /* its last capital starts the next word */

    while (last && ((unsigned char)word->s[last] & 0xC0) == 0x80)
        last--;
    *s = str_from(all, last);
    word->n = last;
    return WORD_UPPER;
}

static void
put_word(struct call *c, enum word kind, struct str word, char connector)
{
    if (kind != WORD_UPPER && kind != WORD_CONNECTOR) {
        buf_str(&c->text, word);
        return;
    }
    while (word.n) {
        uint32_t cp = take(&word);

        put(c, is_connector(cp) ? (uint32_t)connector : func_lower(cp));
    }
}

struct words {
    struct call *c;
    char connector;
    enum word kind;
    struct str word, rest;
};

static void
advance(struct words *w)
{
    w->kind = next_word(&w->rest, &w->word);
}

/* Letters and digits that go on without a connector. */
static void
put_rest_of_number(struct words *w, bool with_invalid)
{
    while (w->kind == WORD_LETTERS || w->kind == WORD_NUMBER) {
        put_word(w->c, w->kind, w->word, w->connector);
        advance(w);
    }
    if ((with_invalid || w->kind != WORD_INVALID) &&
        w->kind != WORD_PUNCTUATION && w->kind != WORD_CONNECTOR)
        buf_putc(&w->c->text, w->connector);
}

/* After a word of letters: a number may belong to it ("Bld4Floor" is
 * bld4_floor) or not ("HTTP2xx" is http_2xx). */
static void
after_letters(struct words *w)
{
    if (w->kind != WORD_NUMBER) {
        if (w->kind != WORD_CONNECTOR && w->kind != WORD_PUNCTUATION)
            buf_putc(&w->c->text, w->connector);
        return;
    }
    if (!w->rest.n)
        return;
    struct str number = w->word;

    advance(w);
    if (w->kind != WORD_LETTERS) {
        put_word(w->c, WORD_NUMBER, number, w->connector);
        if (w->kind != WORD_CONNECTOR && w->kind != WORD_PUNCTUATION)
            buf_putc(&w->c->text, w->connector);
        return;
    }
    buf_putc(&w->c->text, w->connector);
    put_word(w->c, WORD_NUMBER, number, w->connector);
    put_rest_of_number(w, false);
}

static bool
lower_words(struct call *c, struct str s, char connector, struct value *out)
{
    struct words w = {.c = c, .connector = connector, .rest = s};

    advance(&w);
    while (w.rest.n) {
        enum word before = w.kind;
        struct str last = w.word;

        if (before != WORD_CONNECTOR)
            put_word(c, before, last, connector);
        advance(&w);
        if (before == WORD_NUMBER)
            put_rest_of_number(&w, false);
        else if (before == WORD_CONNECTOR)
            put_word(c, before, last, connector);
        else if (before != WORD_PUNCTUATION)
            after_letters(&w);
    }
    put_word(c, w.kind, w.word, connector);
    return call_text(c, out);
}

FUNC(fn_snakecase)
{
    return lower_words(c, v[0].s, '_', out);
}

FUNC(fn_kebabcase)
{
    return lower_words(c, v[0].s, '-', out);
}

/* xstrings.ToPascalCase */
FUNC(fn_camelcase)
{
    struct str s = v[0].s;
    uint32_t now = 0, before;
    bool was_upper = false, any = s.n > 0;

    while (s.n) {
        now = take(&s);
        if (!is_connector(now)) {
            was_upper = is_upper(now);
            now = func_upper(now);
            break;
        }
        if (s.n)
            put(c, now);
    }
    while (s.n) {
        before = now;
        now = take(&s);
        if (is_connector(now) && is_connector(before)) {
            put(c, before);
            continue;
        }
        if (is_connector(before)) {
            was_upper = is_upper(now);
            now = func_upper(now);
            continue;
        }
        if (was_upper && is_upper(now))
            now = func_lower(now);
        else
            was_upper = false;
        put(c, before);
    }
    if (any)
        put(c, now);
    return call_text(c, out);
}

/* ---- wrapping ---- */

/* goutils.WrapCustom */
static bool
wrap(struct call *c, struct str s, int64_t width, struct str newline,
     bool cut_words, struct value *out)
{
    size_t w = width < 1 ? 1 : (size_t)width;

    if (!newline.n)
        newline = STR("\n");
    while (s.n > w) {
        size_t at = w + 1;

        if (s.s[0] == ' ') {
            s = str_from(s, 1);
            continue;
        }
        while (at && s.s[at - 1] != ' ')
            at--;
        if (!at && !cut_words) {
            size_t next = str_find(s, STR(" "), w);

            if (next == SIZE_MAX)
                break;
            at = next + 1;
        }
        size_t piece = at ? at - 1 : w;

        buf_add(&c->text, s.s, piece);
        buf_str(&c->text, newline);
        s = str_from(s, at ? at : w);
    }
    buf_str(&c->text, s);
    return call_text(c, out);
}

FUNC(fn_wrap)
{
    return wrap(c, v[1].s, v[0].i, STR(""), false, out);
}

FUNC(fn_wrap_with)
{
    return wrap(c, v[2].s, v[0].i, v[1].s, true, out);
}

static const struct func rows[] = {
    {"upper", "s", fn_upper},         {"lower", "s", fn_lower},
    {"title", "s", fn_title},         {"untitle", "s", fn_untitle},
    {"swapcase", "s", fn_swapcase},   {"nospace", "s", fn_nospace},
    {"initials", "s", fn_initials},   {"snakecase", "s", fn_snakecase},
    {"kebabcase", "s", fn_kebabcase}, {"camelcase", "s", fn_camelcase},
    {"wrap", "is", fn_wrap},          {"wrapWith", "iss", fn_wrap_with},
};

const struct func_table funcs_case = {rows, ARRAY_LEN(rows)};
