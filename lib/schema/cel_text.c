#include "lib/base/utf8.h"

#include "lib/schema/cel_node.h"

/*
 * Functions of text: those of the language, cel-go's ext/strings.go (version
 * 2) and Kubernetes' regular expressions. Offsets count characters.
 */

/* The byte where character i starts; SIZE_MAX: the text is shorter. */
static size_t
offset_of(struct str s, int64_t i)
{
    size_t at = 0;
    uint32_t cp;

    if (i < 0 || (uint64_t)i > s.n)
        return SIZE_MAX;
    for (; i > 0 && at < s.n; i--)
        at += utf8_decode(str_from(s, at), &cp);
    return i ? SIZE_MAX : at;
}

static struct cel_value
out_of_range(struct cel_eval *e, int64_t i)
{
    return cel_error(e, "index out of range: %lld", (long long)i);
}

static struct cel_value
contains(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_bool(str_contains(a[0].s, a[1].s));
}

static struct cel_value
starts(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_bool(str_starts(a[0].s, a[1].s));
}

static struct cel_value
ends(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_bool(str_ends(a[0].s, a[1].s));
}

static struct cel_value
char_at(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    size_t at = offset_of(a[0].s, a[1].i);
    uint32_t cp;

    if (at == SIZE_MAX)
        return out_of_range(e, a[1].i);
    struct str rest = str_from(a[0].s, at);

    return cel_of_string(str_sub(rest, 0, rest.n ? utf8_decode(rest, &cp) : 0));
}

static struct cel_value
index_of(struct cel_eval *e, const struct cel_value *a, size_t n)
{
    int64_t from = n > 2 ? a[2].i : 0;

    if (!a[1].s.n)
        return cel_of_int(from);
    if (from < 0)
        return out_of_range(e, from);
    size_t at = offset_of(a[0].s, from);
    size_t found = at == SIZE_MAX ? SIZE_MAX : str_find(a[0].s, a[1].s, at);

    return cel_of_int(found == SIZE_MAX
                          ? -1
                          : (int64_t)utf8_count(str_sub(a[0].s, 0, found)));
}

static struct cel_value
last_index_of(struct cel_eval *e, const struct cel_value *a, size_t n)
{
    int64_t size = (int64_t)utf8_count(a[0].s), last = -1;
    int64_t from = n > 2 ? a[2].i : size - 1;

    if (!a[1].s.n)
        return cel_of_int(n > 2 ? from : size);
    if (n == 2 && a[0].s.n < a[1].s.n)
        return cel_of_int(-1);
    if (from < 0)
        return out_of_range(e, from);
    if (from >= size)
        return cel_of_int(-1);
    size_t end = offset_of(a[0].s, from);

    for (size_t at = 0; (at = str_find(a[0].s, a[1].s, at)) <= end; at++)
        last = (int64_t)utf8_count(str_sub(a[0].s, 0, at));
    return cel_of_int(last);
}

static struct cel_value
with_case(struct cel_eval *e, const struct cel_value *a, char low, char flip)
{
    struct cel_value v = cel_text(e, CEL_STRING, a->s);
    char *s = (char *)v.s.s;

    for (size_t i = 0; v.kind == CEL_STRING && i < v.s.n; i++) {
        if (s[i] >= low && s[i] <= low + 25)
            s[i] ^= flip;
    }
    return v;
}

static struct cel_value
lower(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return with_case(e, a, 'A', 0x20);
}

static struct cel_value
upper(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return with_case(e, a, 'a', 0x20);
}

static struct cel_value
substring(struct cel_eval *e, const struct cel_value *a, size_t n)
{
    size_t from = offset_of(a[0].s, a[1].i);
    size_t to = n > 2 ? offset_of(a[0].s, a[2].i) : a[0].s.n;

    if (n > 2 && a[1].i > a[2].i)
        return cel_error(e, "invalid substring range. start: %lld, end: %lld",
                         (long long)a[1].i, (long long)a[2].i);
    if (from == SIZE_MAX || to == SIZE_MAX)
        return out_of_range(e, from == SIZE_MAX ? a[1].i : a[2].i);
    return cel_of_string(str_sub(a[0].s, from, to - from));
}

/* unicode.IsSpace. */
static bool
is_space(uint32_t cp)
{
    return (cp >= 9 && cp <= 13) || cp == ' ' || cp == 0x85 || cp == 0xA0 ||
           cp == 0x1680 || (cp >= 0x2000 && cp <= 0x200A) || cp == 0x2028 ||
           cp == 0x2029 || cp == 0x202F || cp == 0x205F || cp == 0x3000;
}

struct str
cel_trim(struct str s)
{
    size_t end = 0, at = 0;
    uint32_t cp;
    bool text = false;
    struct str from = s;

    while (at < s.n) {
        size_t n = utf8_decode(str_from(s, at), &cp);

        if (!is_space(cp)) {
            if (!text)
                from = str_from(s, at);
            text = true;
            end = at + n;
        }
        at += n;
    }
    return text ? str_sub(from, 0, end - (size_t)(from.s - s.s))
                : str_sub(s, 0, 0);
}

static struct cel_value
trim(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_string(cel_trim(a->s));
}

/* Where the next piece ends; an empty separator parts characters. */
static size_t
next_match(struct str s, struct str old, size_t at, bool first)
{
    uint32_t cp;

    if (old.n)
        return str_find(s, old, at);
    if (first)
        return 0;
    return at < s.n ? at + utf8_decode(str_from(s, at), &cp) : SIZE_MAX;
}

static struct cel_value
replace(struct cel_eval *e, const struct cel_value *a, size_t n)
{
    AUTO(buf_release) struct buf b = BUF_INIT(8 << 20);
    struct str s = a[0].s, old = a[1].s;
    int64_t left = n > 3 ? a[3].i : -1;
    size_t from = 0, at;
    bool first = true;

    for (; left && (at = next_match(s, old, from, first)) != SIZE_MAX; left--) {
        buf_str(&b, str_sub(s, from, at - from));
        buf_str(&b, a[2].s);
        from = at + old.n;
        first = false;
    }
    buf_str(&b, str_from(s, from));
    e->run->stopped |= b.over;
    return cel_text(e, CEL_STRING, buf_view(&b));
}

/* strings.SplitN. */
static struct cel_value
split(struct cel_eval *e, const struct cel_value *a, size_t n)
{
    struct str s = a[0].s, by = a[1].s;
    int64_t limit = n > 2 ? a[2].i : -1;
    struct cel_list *l = cel_list_new(e, limit ? s.n + 1 : 0);
    size_t from = 0, at;

    if (!l || !limit || (!by.n && !s.n))
        return cel_of_list(l);
    while (limit < 0 || (int64_t)l->n + 1 < limit) {
        at = next_match(s, by, from, false);
        if (at == SIZE_MAX || (!by.n && at == s.n))
            break;
        l->v[l->n++] = cel_of_string(str_sub(s, from, at - from));
        from = at + by.n;
    }
    l->v[l->n++] = cel_of_string(str_from(s, from));
    return cel_of_list(l);
}

static struct cel_value
join(struct cel_eval *e, const struct cel_value *a, size_t n)
{
    AUTO(buf_release) struct buf b = BUF_INIT(8 << 20);
    const struct cel_value *items = cel_list_items(e, a[0].list);

    for (size_t i = 0; items && i < a[0].list->n; i++) {
        /* The first tells what the list is of. */
        if (items[i].kind != CEL_STRING && i == 0)
            return cel_error(e, "no such overload: join(list%s)",
                             n > 1 ? ", string" : "");
        if (items[i].kind != CEL_STRING) {
            buf_reset(&b);
            cel_print(&items[i], &b);
            return cel_error(e, "join: invalid input: %s", buf_cstr(&b));
        }
        if (i && n > 1)
            buf_str(&b, a[1].s);
        buf_str(&b, items[i].s);
    }
    e->run->stopped |= b.over;
    return cel_text(e, CEL_STRING, buf_view(&b));
}

static struct cel_value
quote(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    static const char from[] = "\a\b\f\n\r\t\v\\\"", to[] = "abfnrtv\\\"";
    AUTO(buf_release) struct buf b = BUF_INIT(8 << 20);

    buf_putc(&b, '"');
    for (size_t i = 0; i < a->s.n; i++) {
        const char *hit = a->s.s[i] ? strchr(from, a->s.s[i]) : NULL;

        if (hit)
            buf_printf(&b, "\\%c", to[hit - from]);
        else
            buf_putc(&b, a->s.s[i]);
    }
    buf_putc(&b, '"');
    return cel_text(e, CEL_STRING, buf_view(&b));
}

/* ---- regular expressions ---- */

/* The pattern of a call, compiled before or now; own: to be freed. */
static const struct re *
pattern(struct cel_eval *e, struct str text, struct re **own, struct error *err)
{
    if (e->re)
        return e->re;
    return *own = re_compile(text, err);
}

static struct cel_value
matches(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    AUTO(re_free_ptr) struct re *own = NULL;
    struct error err = {0};
    const struct re *re = pattern(e, a[1].s, &own, &err);

    return re ? cel_of_bool(re_match(re, a[0].s)) : cel_error(e, "%s", err.msg);
}

static struct cel_value
find(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    AUTO(re_free_ptr) struct re *own = NULL;
    struct error err = {0};
    const struct re *re = pattern(e, a[1].s, &own, &err);
    struct re_span span;

    if (!re)
        return cel_error(e, "Illegal regex: %s", err.msg);
    if (!re_search(re, a[0].s, 0, &span, 1))
        return cel_of_string(STR(""));
    return cel_of_string(str_sub(a[0].s, span.start, span.end - span.start));
}

static struct cel_value
find_all(struct cel_eval *e, const struct cel_value *a, size_t n)
{
    AUTO(re_free_ptr) struct re *own = NULL;
    struct error err = {0};
    const struct re *re = pattern(e, a[1].s, &own, &err);
    int64_t limit = n > 2 ? a[2].i : -1;
    struct cel_list *l = cel_list_new(e, limit ? a[0].s.n + 1 : 0);
    size_t at = 0, behind = SIZE_MAX;
    struct re_span span;
    uint32_t cp;

    if (!re || !l)
        return re ? cel_mismatch() : cel_error(e, "Illegal regex: %s", err.msg);
    while (at <= a[0].s.n && (limit < 0 || (int64_t)l->n < limit) &&
           re_search(re, a[0].s, at, &span, 1)) {
        /* No empty match right behind another one. */
        if (span.start != span.end || span.start != behind)
            l->v[l->n++] = cel_of_string(
                str_sub(a[0].s, span.start, span.end - span.start));
        behind = span.end;
        at = span.end;
        if (span.start == span.end)
            at += at < a[0].s.n ? utf8_decode(str_from(a[0].s, at), &cp) : 1;
    }
    return cel_of_list(l);
}

static const struct cel_overload rows[] = {
    {"contains", "s.s>b", contains, CEL_COST_CONTAINS},
    {"startsWith", "s.s>b", starts, CEL_COST_TEXT},
    {"endsWith", "s.s>b", ends, CEL_COST_TEXT},
    {"matches", "ss>b", matches, CEL_COST_REGEX},
    {"matches", "s.s>b", matches, CEL_COST_REGEX},
    {"find", "s.s>s", find, CEL_COST_REGEX},
    {"findAll", "s.s>ls", find_all, CEL_COST_REGEX},
    {"findAll", "s.si>ls", find_all, CEL_COST_REGEX},
    {"charAt", "s.i>s", char_at, CEL_COST_ONE},
    {"indexOf", "s.s>i", index_of, CEL_COST_TRAVERSE},
    {"indexOf", "s.si>i", index_of, CEL_COST_TRAVERSE},
    {"lastIndexOf", "s.s>i", last_index_of, CEL_COST_TRAVERSE},
    {"lastIndexOf", "s.si>i", last_index_of, CEL_COST_TRAVERSE},
    {"lowerAscii", "s.>s", lower, CEL_COST_TEXT},
    {"upperAscii", "s.>s", upper, CEL_COST_TEXT},
    {"replace", "s.ss>s", replace, CEL_COST_TEXT2},
    {"replace", "s.ssi>s", replace, CEL_COST_TEXT2},
    {"split", "s.s>ls", split, CEL_COST_TEXT2},
    {"split", "s.si>ls", split, CEL_COST_TEXT2},
    {"substring", "s.i>s", substring, CEL_COST_TEXT},
    {"substring", "s.ii>s", substring, CEL_COST_TEXT},
    {"trim", "s.>s", trim, CEL_COST_TEXT},
    {"join", "ls.>s", join, CEL_COST_RESULT2},
    {"join", "ls.s>s", join, CEL_COST_RESULT2},
    {"strings.quote", "s>s", quote, CEL_COST_TEXT},
    {"format", "s.l*>s", cel_format, CEL_COST_TEXT},
};

const struct cel_library cel_strings = {rows, ARRAY_LEN(rows)};
