#include "devenv/sandbox/url.h"

#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/utf8.h"

/* Where decoded text goes: u->text is as long as the target twice over, one
 * half for the pieces, one for the path as a whole. */
struct decoder {
    char *out;
    bool plus; /* "+" means a space */
};

static int
hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Decodes s, NUL-terminated, and moves on; NULL on what is refused. */
static char *
decode(struct decoder *d, struct str s, struct error *err)
{
    char *start = d->out;

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.s[i];

        if (c == '%') {
            int hi = i + 2 < s.n ? hex(s.s[i + 1]) : -1;
            int lo = i + 2 < s.n ? hex(s.s[i + 2]) : -1;

            if (hi < 0 || lo < 0) {
                error_set(err, ERR_PARSE, "invalid escape in the URL");
                return NULL;
            }
            c = (unsigned char)(hi * 16 + lo);
            i += 2;
        } else if (c == '+' && d->plus) {
            c = ' ';
        }
        /* Selectors may hold a tab or a line break, nothing holds others. */
        if (c == 0x7f || (c < ' ' && !(d->plus && (c == '\t' || c == '\n')))) {
            error_set(err, ERR_PARSE, "control character in the URL");
            return NULL;
        }
        *d->out++ = (char)c;
    }
    if (!utf8_valid(str_n(start, (size_t)(d->out - start)))) {
        error_set(err, ERR_PARSE, "invalid UTF-8 in the URL");
        return NULL;
    }
    *d->out++ = '\0';
    return start;
}

static bool
add_segment(struct url *u, struct decoder *d, struct str piece,
            struct error *err)
{
    if (!piece.n)
        return true;
    if (u->segments_n == URL_SEGMENTS_MAX)
        return error_set(err, ERR_LIMIT, "more than %d segments in the path",
                         URL_SEGMENTS_MAX);
    char *text = decode(d, piece, err);

    if (!text)
        return false;
    if (strcmp(text, ".") == 0 || strcmp(text, "..") == 0)
        return error_set(err, ERR_PARSE, "\"%s\" in the path", text);
    u->segments[u->segments_n++] = text;
    return true;
}

/* Go leaves out what it cannot read. */
static bool
well_formed(struct str piece)
{
    for (size_t i = 0; i < piece.n; i++) {
        if (piece.s[i] == ';')
            return false;
        if (piece.s[i] == '%' && (i + 2 >= piece.n || hex(piece.s[i + 1]) < 0 ||
                                  hex(piece.s[i + 2]) < 0))
            return false;
    }
    return true;
}

static bool
add_param(struct url *u, struct decoder *d, struct str piece, struct error *err)
{
    struct str name, value;

    if (!piece.n || !well_formed(piece))
        return true;
    if (u->params_n == URL_PARAMS_MAX)
        return error_set(err, ERR_LIMIT, "more than %d query parameters",
                         URL_PARAMS_MAX);
    str_cut(piece, '=', &name, &value);

    struct url_param *p = &u->params[u->params_n];

    p->name = decode(d, name, err);
    p->value = p->name ? decode(d, value, err) : NULL;
    if (!p->value)
        return false;
    u->params_n++;
    return true;
}

static bool
parse(struct url *u, struct str target, struct error *err)
{
    struct decoder d = {.out = u->text};
    struct str path, query, piece;

    if (str_find(target, STR("#"), 0) != SIZE_MAX)
        return error_set(err, ERR_PARSE, "\"#\" in the URL");
    str_cut(target, '?', &path, &query);
    u->doubled = str_contains(path, STR("//"));
    for (struct str rest = path; str_next(&rest, '/', &piece);) {
        if (!add_segment(u, &d, piece, err))
            return false;
    }
    d.plus = true;
    for (struct str rest = query; str_next(&rest, '&', &piece);) {
        if (!add_param(u, &d, piece, err))
            return false;
    }
    d.plus = false;
    u->path = decode(&d, path, err);
    return u->path != NULL;
}

bool
url_parse(struct str target, struct url *u, struct error *err)
{
    struct url fresh = {0};

    if (target.n > URL_MAX)
        return error_set(err, ERR_LIMIT, "a URL of %zu bytes; the limit is %d",
                         target.n, URL_MAX);
    if (!target.n || target.s[0] != '/')
        return error_set(err, ERR_PARSE, "the URL has no absolute path");
    /* Each piece grows by its NUL alone, which stands for its separator. */
    fresh.text = mem_zalloc(2, target.n + 2);
    if (!parse(&fresh, target, err)) {
        url_release(&fresh);
        return false;
    }
    *u = fresh;
    return true;
}

void
url_release(struct url *u)
{
    free(u->text);
    *u = (struct url){0};
}

const char *
url_param(const struct url *u, const char *name)
{
    for (size_t i = 0; i < u->params_n; i++) {
        if (strcmp(u->params[i].name, name) == 0)
            return u->params[i].value;
    }
    return NULL;
}
