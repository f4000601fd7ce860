/* Regular expressions. Source: sprig 3.3 regex.go, Go's regexp. */
#include "lib/base/re.h"
#include "lib/base/utf8.h"

#include "lib/compose/funcs.h"

#define MAX_PATTERNS 1000

/* The compiled pattern, kept for the execution; its run over text is paid for
 * here. must: an error in the words of
 * regexp.Compile, else of MustCompile's panic. */
static struct re *
compiled(struct call *c, struct str pattern, struct str text, bool must)
{
    AUTO(buf_release) struct buf quoted = BUF_INIT(900);
    struct re *re = map_get(&c->patterns, pattern);
    struct error why = {0};

    if (!call_work(c, (pattern.n + 1) * (text.n + 1) / 16))
        return NULL;
    if (re)
        return re;
    if (map_count(&c->patterns) >= MAX_PATTERNS) {
        call_limit(c, "more than %d regular expressions", MAX_PATTERNS);
        return NULL;
    }
    re = re_compile(pattern, &why);
    if (re) {
        map_put(&c->patterns, pattern, re);
        return re;
    }
    if (must) {
        call_fail(c, "%s", why.msg);
        return NULL;
    }
    struct value arg = value_str(pattern);

    format_printf(c->a, STR("%#q"), &arg, 1, &quoted);
    call_fail(c, "regexp: Compile(%s): %s", buf_cstr(&quoted), why.msg);
    return NULL;
}

FUNC(fn_match)
{
    struct re *re = compiled(c, v[0].s, v[1].s, true);

    if (c->err.code == ERR_LIMIT)
        return false;
    c->err = (struct error){0};
    *out = value_bool(re && re_match(re, v[1].s));
    return true;
}

FUNC(fn_must_match)
{
    struct re *re = compiled(c, v[0].s, v[1].s, true);

    if (!re)
        return false;
    *out = value_bool(re_match(re, v[1].s));
    return true;
}

static bool
find(struct call *c, const struct value *v, bool must, struct value *out)
{
    struct re *re = compiled(c, v[0].s, v[1].s, must);
    struct re_span span;

    if (!re)
        return false;
    *out = value_str(STR(""));
    if (re_search(re, v[1].s, 0, &span, 1))
        out->s = str_sub(v[1].s, span.start, span.end - span.start);
    return true;
}

FUNC(fn_find)
{
    return find(c, v, false, out);
}

FUNC(fn_must_find)
{
    return find(c, v, true, out);
}

/* Steps through a text match by match as Go's allMatches does. */
struct matches {
    const struct re *re;
    struct str text;
    size_t at, last_end;
    struct re_span span;
};

static bool
next_match(struct matches *m)
{
    while (m->at <= m->text.n &&
           re_search(m->re, m->text, m->at, &m->span, 1)) {
        bool accept = true;

        if (m->span.end == m->at) {
            uint32_t cp;
            struct str rest = str_from(m->text, m->at);

            accept = m->span.start != m->last_end;
            m->at += rest.n ? utf8_decode(rest, &cp) : 1;
        } else {
            m->at = m->span.end;
        }
        m->last_end = m->span.end;
        if (accept)
            return true;
    }
    return false;
}

static struct matches
all_matches(const struct re *re, struct str text)
{
    return (struct matches){.re = re, .text = text, .last_end = SIZE_MAX};
}

static bool
add_text(struct call *c, struct value *list, size_t *cap, struct str s)
{
    struct value_list *l = list->list;

    if (l->n == *cap) {
        struct value bigger;

        *cap = *cap ? *cap * 2 : 8;
        if (!call_list(c, *cap, ELEM_STRING, &bigger))
            return false;
        if (l->n)
            memcpy(bigger.list->v, l->v, l->n * sizeof(*l->v));
        l->v = bigger.list->v;
    }
    l->v[l->n++] = value_str(s);
    return true;
}

static bool
find_all(struct call *c, const struct value *v, bool must, struct value *out)
{
    struct re *re = compiled(c, v[0].s, v[1].s, must);
    int64_t limit = v[2].i;
    size_t cap = 0;

    if (!re)
        return false;
    struct matches m = all_matches(re, v[1].s);

    *out = value_nil_list(c->a, ELEM_STRING);
    while ((limit < 0 || (int64_t)out->list->n < limit) && next_match(&m)) {
        if (!add_text(c, out, &cap,
                      str_sub(m.text, m.span.start, m.span.end - m.span.start)))
            return false;
    }
    out->list->nil = out->list->n == 0;
    return true;
}

FUNC(fn_find_all)
{
    return find_all(c, v, false, out);
}

FUNC(fn_must_find_all)
{
    return find_all(c, v, true, out);
}

/* Go's Regexp.Split. */
static bool
split(struct call *c, const struct value *v, bool must, struct value *out)
{
    struct re *re = compiled(c, v[0].s, v[1].s, must);
    int64_t limit = v[2].i;
    size_t cap = 0, begin = 0, end = 0;
    struct str s = v[1].s;

    if (!re)
        return false;
    struct matches m = all_matches(re, s);

    *out = value_nil_list(c->a, ELEM_STRING);
    if (limit == 0)
        return true;
    out->list->nil = false;
    if (v[0].s.n && !s.n)
        return add_text(c, out, &cap, s);
    while ((limit < 0 || (int64_t)out->list->n < limit - 1) && next_match(&m)) {
        end = m.span.start;
        if (m.span.end != 0 &&
            !add_text(c, out, &cap, str_sub(s, begin, end - begin)))
            return false;
        begin = m.span.end;
    }
    return end == s.n || add_text(c, out, &cap, str_from(s, begin));
}

FUNC(fn_split)
{
    return split(c, v, false, out);
}

FUNC(fn_must_split)
{
    return split(c, v, true, out);
}

static bool
replace(struct call *c, const struct value *v, bool must, bool expand,
        struct value *out)
{
    struct re *re = compiled(c, v[0].s, v[1].s, must);

    if (!re)
        return false;
    re_replace_all(re, v[1].s, v[2].s, expand, &c->text);
    return call_text(c, out);
}

FUNC(fn_replace_all)
{
    return replace(c, v, false, true, out);
}

FUNC(fn_must_replace_all)
{
    return replace(c, v, true, true, out);
}

FUNC(fn_replace_literal)
{
    return replace(c, v, false, false, out);
}

FUNC(fn_must_replace_literal)
{
    return replace(c, v, true, false, out);
}

FUNC(fn_quote_meta)
{
    for (size_t i = 0; i < v[0].s.n; i++) {
        char x = v[0].s.s[i];

        if (x && strchr("\\.+*?()|[]{}^$", x))
            buf_putc(&c->text, '\\');
        buf_putc(&c->text, x);
    }
    return call_text(c, out);
}

static const struct func rows[] = {
    {"regexMatch", "ss", fn_match},
    {"mustRegexMatch", "ss", fn_must_match},
    {"regexFind", "ss", fn_find},
    {"mustRegexFind", "ss", fn_must_find},
    {"regexFindAll", "ssi", fn_find_all},
    {"mustRegexFindAll", "ssi", fn_must_find_all},
    {"regexSplit", "ssi", fn_split},
    {"mustRegexSplit", "ssi", fn_must_split},
    {"regexReplaceAll", "sss", fn_replace_all},
    {"mustRegexReplaceAll", "sss", fn_must_replace_all},
    {"regexReplaceAllLiteral", "sss", fn_replace_literal},
    {"mustRegexReplaceAllLiteral", "sss", fn_must_replace_literal},
    {"regexQuoteMeta", "s", fn_quote_meta},
};

const struct func_table funcs_regex = {rows, ARRAY_LEN(rows)};
