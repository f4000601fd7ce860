/* Strings: cutting, joining, quoting. Source: sprig 3.3 strings.go. */
#include "lib/compose/funcs.h"

static bool
is_space(char x)
{
    return x == ' ' || (x >= '\t' && x <= '\r');
}

FUNC(fn_trim)
{
    struct str s = v[0].s;

    while (s.n && is_space(s.s[0]))
        s = str_from(s, 1);
    while (s.n && is_space(s.s[s.n - 1]))
        s.n--;
    *out = value_str(s);
    return true;
}

/* Without the characters of set at both ends. */
FUNC(fn_trim_all)
{
    struct str set = v[0].s, s = v[1].s;

    while (s.n && set.n && memchr(set.s, s.s[0], set.n))
        s = str_from(s, 1);
    while (s.n && set.n && memchr(set.s, s.s[s.n - 1], set.n))
        s.n--;
    *out = value_str(s);
    return true;
}

FUNC(fn_trim_prefix)
{
    struct str s = v[1].s;

    *out = value_str(str_starts(s, v[0].s) ? str_from(s, v[0].s.n) : s);
    return true;
}

FUNC(fn_trim_suffix)
{
    struct str s = v[1].s;

    if (str_ends(s, v[0].s))
        s.n -= v[0].s.n;
    *out = value_str(s);
    return true;
}

FUNC(fn_contains)
{
    *out = value_bool(str_contains(v[1].s, v[0].s));
    return true;
}

FUNC(fn_has_prefix)
{
    *out = value_bool(str_starts(v[1].s, v[0].s));
    return true;
}

FUNC(fn_has_suffix)
{
    *out = value_bool(str_ends(v[1].s, v[0].s));
    return true;
}

FUNC(fn_repeat)
{
    int64_t times = v[0].i;

    if (times < 0)
        return call_fail(c, "strings: negative Repeat count");
    if (v[1].s.n && (uint64_t)times > c->max_text / v[1].s.n)
        return call_limit(c, "a text is larger than %zu bytes", c->max_text);
    for (int64_t i = 0; v[1].s.n && i < times; i++)
        buf_str(&c->text, v[1].s);
    return call_text(c, out);
}

void
func_replace_all(struct str s, struct str old, struct str with, struct buf *out)
{
    while (s.n && !out->over) {
        size_t hit = old.n ? str_find(s, old, 0) : 0;

        if (hit == SIZE_MAX)
            break;
        buf_add(out, s.s, hit);
        buf_str(out, with);
        s = str_from(s, hit + old.n);
        if (!old.n) {
            size_t one = 1;

            while (one < s.n && ((unsigned char)s.s[one] & 0xC0) == 0x80)
                one++;
            buf_add(out, s.s, one);
            s = str_from(s, one);
        }
    }
    buf_str(out, s);
    if (!old.n)
        buf_str(out, with);
}

FUNC(fn_replace)
{
    func_replace_all(v[2].s, v[0].s, v[1].s, &c->text);
    return call_text(c, out);
}

FUNC(fn_trunc)
{
    int64_t at = v[0].i;
    struct str s = v[1].s;

    if (at < 0 && (int64_t)s.n + at > 0)
        s = str_from(s, s.n - (size_t)-at);
    else if (at >= 0)
        s = str_sub(s, 0, (size_t)at);
    *out = value_str(s);
    return true;
}

static bool
bad_slice(struct call *c, int64_t start, int64_t end, size_t n)
{
    if (end < 0)
        return call_fail(c, "runtime error: slice bounds out of range [:%lld]",
                         (long long)end);
    if ((uint64_t)end > n)
        return call_fail(
            c,
            "runtime error: slice bounds out of range [:%lld] with length %zu",
            (long long)end, n);
    return call_fail(c, "runtime error: slice bounds out of range [%lld:%lld]",
                     (long long)start, (long long)end);
}

FUNC(fn_substr)
{
    int64_t start = v[0].i, end = v[1].i;
    struct str s = v[2].s;
    bool open = start >= 0 && (end < 0 || (uint64_t)end > s.n);

    if (start < 0)
        start = 0;
    if (open)
        end = (int64_t)s.n;
    if (end < start || end < 0 || (uint64_t)end > s.n)
        return bad_slice(c, start, end, s.n);
    *out = value_str(str_sub(s, (size_t)start, (size_t)(end - start)));
    return true;
}

static void
indented(struct call *c, int64_t spaces, struct str s)
{
    struct str line, rest = s.s ? s : STR("");
    bool first = true;

    while (str_next(&rest, '\n', &line) && !c->text.over) {
        if (!first)
            buf_putc(&c->text, '\n');
        buf_fill(&c->text, ' ', (size_t)spaces);
        buf_str(&c->text, line);
        first = false;
    }
}

FUNC(fn_indent)
{
    if (v[0].i < 0)
        return call_fail(c, "strings: negative Repeat count");
    indented(c, v[0].i, v[1].s);
    return call_text(c, out);
}

FUNC(fn_nindent)
{
    if (v[0].i < 0)
        return call_fail(c, "strings: negative Repeat count");
    buf_putc(&c->text, '\n');
    indented(c, v[0].i, v[1].s);
    return call_text(c, out);
}

FUNC(fn_quote)
{
    size_t start = c->text.n;

    for (size_t i = 0; i < n; i++) {
        if (v[i].type == VALUE_NIL)
            continue;
        if (c->text.n > start)
            buf_putc(&c->text, ' ');
        format_quote(call_strval(c, v[i]), false, &c->text);
    }
    return call_text(c, out);
}

FUNC(fn_squote)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i].type == VALUE_NIL)
            continue;
        if (c->text.n)
            buf_putc(&c->text, ' ');
        buf_putc(&c->text, '\'');
        format_value(c->a, v[i], &c->text);
        buf_putc(&c->text, '\'');
    }
    return call_text(c, out);
}

FUNC(fn_cat)
{
    bool first = true;

    for (size_t i = 0; i < n; i++) {
        if (v[i].type == VALUE_NIL)
            continue;
        if (!first)
            buf_putc(&c->text, ' ');
        first = false;
        format_value(c->a, v[i], &c->text);
    }
    return call_text(c, out);
}

FUNC(fn_plural)
{
    *out = v[2].i == 1 ? v[0] : v[1];
    return true;
}

FUNC(fn_to_string)
{
    *out = value_str(call_strval(c, v[0]));
    return true;
}

FUNC(fn_to_strings)
{
    return call_strings(c, v[0], out);
}

FUNC(fn_join)
{
    struct value list;

    if (!call_strings(c, v[1], &list))
        return false;
    size_t count;
    const struct value *items = value_items(c->a, list, &count);

    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_str(&c->text, v[0].s);
        buf_str(&c->text, items[i].s);
    }
    return call_text(c, out);
}

FUNC(fn_split_list)
{
    return call_split(c, v[1].s, v[0].s, -1, out);
}

/* A list as a map {_0: ..., _1: ...}. */
static bool
numbered(struct call *c, struct value list, struct value *out)
{
    size_t count;
    const struct value *items = value_items(c->a, list, &count);

    *out = value_map(c->a, ELEM_STRING);
    for (size_t i = 0; i < count; i++)
        value_set(c->a, *out, str_of(arena_printf(c->a, "_%zu", i)), items[i]);
    return true;
}

FUNC(fn_split)
{
    struct value list;

    return call_split(c, v[1].s, v[0].s, -1, &list) && numbered(c, list, out);
}

FUNC(fn_splitn)
{
    struct value list;

    return call_split(c, v[2].s, v[0].s, v[1].i, &list) &&
           numbered(c, list, out);
}

/* goutils.AbbreviateFull */
static bool
abbreviate(struct call *c, struct str s, int64_t offset, int64_t width,
           struct value *out)
{
    int64_t len = (int64_t)s.n;

    if (!s.n || width < 4 || (offset > 4 && width < 7)) {
        *out = value_str(STR(""));
        return true;
    }
    if (len <= width) {
        *out = value_str(s);
        return true;
    }
    offset = MIN(offset, len);
    if (len - offset < width - 3)
        offset = len - (width - 3);
    if (offset <= 4) {
        buf_add(&c->text, s.s, (size_t)width - 3);
        buf_puts(&c->text, "...");
        return call_text(c, out);
    }
    buf_puts(&c->text, "...");
    if (offset + width - 3 < len) {
        buf_add(&c->text, s.s + offset, (size_t)width - 6);
        buf_puts(&c->text, "...");
    } else {
        buf_str(&c->text, str_from(s, s.n - (size_t)(width - 3)));
    }
    return call_text(c, out);
}

FUNC(fn_abbrev)
{
    if (v[0].i < 4) {
        *out = v[1];
        return true;
    }
    return abbreviate(c, v[1].s, 0, v[0].i, out);
}

FUNC(fn_abbrevboth)
{
    if (v[1].i < 4 || (v[0].i > 0 && v[1].i < 7)) {
        *out = v[2];
        return true;
    }
    return abbreviate(c, v[2].s, v[0].i, v[1].i, out);
}

FUNC(fn_fail)
{
    return call_fail(c, "%.*s", STR_ARG(v[0].s));
}

FUNC(fn_hello)
{
    *out = value_str(STR("Hello!"));
    return true;
}

static const struct func rows[] = {
    {"hello", "", fn_hello},
    {"trim", "s", fn_trim},
    {"trimAll", "ss", fn_trim_all},
    {"trimall", "ss", fn_trim_all},
    {"trimPrefix", "ss", fn_trim_prefix},
    {"trimSuffix", "ss", fn_trim_suffix},
    {"contains", "ss", fn_contains},
    {"hasPrefix", "ss", fn_has_prefix},
    {"hasSuffix", "ss", fn_has_suffix},
    {"repeat", "is", fn_repeat},
    {"replace", "sss", fn_replace},
    {"trunc", "is", fn_trunc},
    {"substr", "iis", fn_substr},
    {"indent", "is", fn_indent},
    {"nindent", "is", fn_nindent},
    {"quote", "a+", fn_quote},
    {"squote", "a+", fn_squote},
    {"cat", "a+", fn_cat},
    {"plural", "ssi", fn_plural},
    {"toString", "a", fn_to_string},
    {"toStrings", "a", fn_to_strings},
    {"join", "sa", fn_join},
    {"splitList", "ss", fn_split_list},
    {"split", "ss", fn_split},
    {"splitn", "sis", fn_splitn},
    {"abbrev", "is", fn_abbrev},
    {"abbrevboth", "iis", fn_abbrevboth},
    {"fail", "s", fn_fail},
};

const struct func_table funcs_string = {rows, ARRAY_LEN(rows)};
