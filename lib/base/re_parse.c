#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/re_parser.h"

/*
 * A recursive descent that makes the decisions (and the error texts) of Go's
 * regexp/syntax/parse.go with its Perl flags. Every function stands at what it
 * reads and leaves p->at behind it.
 *
 * A repeat takes the node before it, so a concatenation is a list from which
 * the last node is cut off. Flags set by (?i) hold to the end of the group.
 */

enum {
    MAX_PATTERN = 64 << 10,
    MAX_REPEAT = 1000,
    MAX_HEIGHT = 1000,
    MAX_RANGES = 1000000 /* in all classes together */
};

/* ---- nodes ---- */

static struct re_node *
new_node(struct re_parser *p, enum re_op op)
{
    struct re_node *n = arena_alloc(p->arena, sizeof(*n));

    n->op = op;
    return n;
}

static void
add_child(struct re_node *parent, struct re_node *child)
{
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
}

/* Moves a clean class into the arena. */
static struct re_node *
class_node(struct re_parser *p, struct re_class *c)
{
    p->ranges += c->n;
    if (p->ranges > MAX_RANGES) {
        re_too_much(p, "expression too large", p->whole);
        re_class_release(c);
        return NULL;
    }
    struct re_class *kept = arena_alloc(p->arena, sizeof(*kept));
    struct re_node *n = new_node(p, RE_CLASS);

    *kept = *c;
    kept->v = arena_array(p->arena, c->n, sizeof(*c->v));
    if (c->n)
        memcpy(kept->v, c->v, c->n * sizeof(*c->v));
    re_class_release(c);
    n->class = kept;
    return n;
}

static struct re_node *
literal(struct re_parser *p, uint32_t cp)
{
    if (p->flags & RE_FOLD && re_next_fold(cp) != cp) {
        struct re_class c = {0};

        re_class_add(&c, cp, cp);
        re_class_clean(&c);
        re_class_fold(&c);
        return class_node(p, &c);
    }
    struct re_node *n = new_node(p, RE_CHAR);

    n->cp = cp;
    return n;
}

/* At "[". */
static struct re_node *
bracket(struct re_parser *p)
{
    AUTO(re_class_release) struct re_class c = {0};
    const char *begin = p->at++;
    bool negate = re_looking_at(p, "^"), first = true;

    p->at += negate;
    while (p->at == p->end || *p->at != ']' || first) {
        first = false;
        if (!re_class_item(p, begin, &c))
            return NULL;
    }
    p->at++;
    re_class_clean(&c);
    if (negate)
        re_class_negate(&c);
    return class_node(p, &c);
}

/* ---- groups ---- */

static struct re_node *alternation(struct re_parser *p);

static bool
valid_name(struct str name)
{
    for (size_t i = 0; i < name.n; i++) {
        char c = name.s[i], low = (char)(c | 0x20);

        if (c != '_' && !(c >= '0' && c <= '9') && !(low >= 'a' && low <= 'z'))
            return false;
    }
    return name.n > 0;
}

/* At "(?P<" or "(?<". */
static bool
group_name(struct re_parser *p, struct str *name)
{
    const char *begin = p->at, *open = begin + (begin[2] == 'P' ? 4 : 3);
    const char *close = memchr(open, '>', (size_t)(p->end - open));

    if (!close)
        return re_fail(p, "invalid named capture", re_rest(p));
    *name = str_n(open, (size_t)(close - open));
    p->at = close + 1;
    return valid_name(*name) ||
           re_fail(p, "invalid named capture", re_from(p, begin));
}

/* At "(?" and no name: flags up to ":" (*group: true) or ")". */
static bool
group_flags(struct re_parser *p, bool *group)
{
    static const char letters[] = "imsU";
    const char *begin = p->at;
    unsigned on = 0, off = 0;
    bool minus = false, saw = false;
    uint32_t c;

    p->at += 2;
    while (p->at < p->end) {
        if (!re_next_rune(p, &c))
            return false;
        const char *hit = c && c < 0x80 ? strchr(letters, (int)c) : NULL;

        if (hit) {
            unsigned bit = 1u << (hit - letters);

            *(minus ? &off : &on) |= bit;
            saw = true;
        } else if (c == '-' && !minus) {
            minus = true;
            saw = false;
        } else if ((c == ':' || c == ')') && (!minus || saw)) {
            *group = c == ':';
            p->flags = (p->flags | on) & ~off;
            return true;
        } else {
            break;
        }
    }
    return re_fail(p, "invalid or unsupported Perl syntax", re_from(p, begin));
}

/* Behind the opening of a group: its body and ")". The flags of before are
 * back after it. */
static struct re_node *
group_body(struct re_parser *p, unsigned flags)
{
    if (++p->depth > MAX_HEIGHT) {
        re_too_much(p, "expression nests too deeply", p->whole);
        return NULL;
    }
    struct re_node *body = alternation(p);

    p->depth--;
    if (!body)
        return NULL;
    if (p->at == p->end) {
        re_fail(p, "missing closing )", p->whole);
        return NULL;
    }
    p->at++;
    p->flags = flags;
    return body;
}

/* At "(". Flags that are no group give an empty node and set *none: there is
 * nothing to repeat. */
static struct re_node *
group(struct re_parser *p, bool *none)
{
    unsigned flags = p->flags;
    struct str name = STR("");

    if (re_looking_at(p, "(?P<") || re_looking_at(p, "(?<")) {
        if (!group_name(p, &name))
            return NULL;
    } else if (re_looking_at(p, "(?")) {
        bool opens = false;

        if (!group_flags(p, &opens))
            return NULL;
        if (opens)
            return group_body(p, flags);
        *none = true;
        return new_node(p, RE_EMPTY);
    } else {
        p->at++;
    }
    struct re_node *n = new_node(p, RE_CAPTURE);

    n->index = ++p->tree->groups;
    strlist_add(&p->tree->names, name);
    struct re_node *body = group_body(p, flags);

    if (!body)
        return NULL;
    add_child(n, body);
    return n;
}

/* ---- repeats ---- */

/* Digits to a number: -1 when it is too big. False when there are none or a
 * leading zero. */
static bool
count(const struct re_parser *p, const char **at, int *out)
{
    const char *begin = *at;
    long v = 0;

    while (*at < p->end && **at >= '0' && **at <= '9') {
        v = MIN(v * 10 + (**at - '0'), 100000000);
        ++*at;
    }
    *out = v >= 100000000 ? -1 : (int)v;
    return *at > begin && !(*at - begin > 1 && *begin == '0');
}

/* "{n}", "{n,}" or "{n,m}" at p->at; anything else is literal text. */
static bool
braces(struct re_parser *p, int *min, int *max)
{
    const char *at = p->at + 1;

    if (!count(p, &at, min) || at == p->end)
        return false;
    *max = *min;
    if (*at == ',') {
        if (++at == p->end)
            return false;
        *max = -1;
        if (*at != '}') {
            if (!count(p, &at, max) || at == p->end)
                return false;
            if (*max < 0)
                *min = -1; /* Go's mark of a number too big */
        }
    }
    if (*at != '}')
        return false;
    p->at = at + 1;
    return true;
}

/* Nested counts must not multiply to more than n. */
static bool
repeat_fits(const struct re_node *node, int n)
{
    if (node->op == RE_REPEAT) {
        int m = node->max < 0 ? node->min : node->max;

        if (node->max == 0)
            return true;
        if (m > n)
            return false;
        if (m > 0)
            n /= m;
    }
    for (const struct re_node *c = node->first; c; c = c->next) {
        if (!repeat_fits(c, n))
            return false;
    }
    return true;
}

/* At a repeat operator? Then reads it (with its lazy mark) into min and max.
 * False without one; *bad is set with an error. */
static bool
repeat_op(struct re_parser *p, int *min, int *max, bool *bad)
{
    const char *begin = p->at;

    if (p->at == p->end || !strchr("*+?{", *p->at) || !*p->at)
        return false;
    *min = *p->at == '+';
    *max = *p->at == '?' ? 1 : -1;
    if (*p->at != '{') {
        p->at++;
        return true;
    }
    if (!braces(p, min, max))
        return false;
    if (*min < 0 || *min > MAX_REPEAT || *max > MAX_REPEAT ||
        (*max >= 0 && *min > *max)) {
        re_too_much(p, "invalid repeat count", re_from(p, begin));
        *bad = true;
    }
    return true;
}

/* Wraps *node in the repeats behind it; node == NULL when there is nothing to
 * repeat. */
static bool
repeats(struct re_parser *p, struct re_node **node)
{
    const char *last = NULL, *begin = p->at;
    int min, max;
    bool bad = false;

    while (repeat_op(p, &min, &max, &bad)) {
        bool lazy = p->flags & RE_UNGREEDY;

        if (bad)
            return false;
        if (re_looking_at(p, "?")) {
            p->at++;
            lazy = !lazy;
        }
        if (last)
            return re_fail(p, "invalid nested repetition operator",
                           re_from(p, last));
        if (!*node)
            return re_fail(p, "missing argument to repetition operator",
                           re_from(p, begin));
        struct re_node *r = new_node(p, RE_REPEAT);

        r->min = min;
        r->max = max;
        r->lazy = lazy;
        add_child(r, *node);
        *node = r;
        if ((min >= 2 || max >= 2) && !repeat_fits(r, MAX_REPEAT))
            return re_too_much(p, "invalid repeat count", re_from(p, begin));
        last = begin;
        begin = p->at;
    }
    return true;
}

/* ---- atoms, concatenation, alternation ---- */

static struct re_node *
escaped_atom(struct re_parser *p)
{
    static const struct {
        char letter;
        enum re_op op;
    } asserts[] = {
        {'A', RE_BEGIN_TEXT},
        {'b', RE_WORD},
        {'B', RE_NOT_WORD},
        {'z', RE_END_TEXT},
    };
    AUTO(re_class_release) struct re_class c = {0};
    bool unicode = re_at_unicode_class(p);
    uint32_t cp;

    for (size_t i = 0; p->end - p->at > 1 && i < ARRAY_LEN(asserts); i++) {
        if (p->at[1] == asserts[i].letter) {
            p->at += 2;
            return new_node(p, asserts[i].op);
        }
    }
    if (unicode ? re_unicode_class(p, &c) : re_perl_class(p, &c)) {
        re_class_clean(&c);
        return class_node(p, &c);
    }
    if (unicode)
        return NULL;
    return re_escape(p, &cp) ? literal(p, cp) : NULL;
}

/* "\Q...\E": literals into list; the last one comes back, to be repeated. */
static bool
quoted(struct re_parser *p, struct re_node *list, struct re_node **last)
{
    p->at += 2;
    while (p->at < p->end && !re_looking_at(p, "\\E")) {
        uint32_t cp;

        if (*last)
            add_child(list, *last);
        if (!re_next_rune(p, &cp))
            return false;
        *last = literal(p, cp);
        if (!*last)
            return false;
    }
    p->at += p->at < p->end ? 2 : 0;
    return true;
}

static struct re_node *
atom(struct re_parser *p, bool *none)
{
    uint32_t cp;

    switch (*p->at) {
    case '(':
        return group(p, none);
    case '[':
        return bracket(p);
    case '\\':
        return escaped_atom(p);
    case '.':
        p->at++;
        return new_node(p, p->flags & RE_DOT_NL ? RE_ANY : RE_ANY_NOT_NL);
    case '^':
        p->at++;
        return new_node(p, p->flags & RE_MULTI_LINE ? RE_BEGIN_LINE
                                                    : RE_BEGIN_TEXT);
    case '$':
        p->at++;
        return new_node(p,
                        p->flags & RE_MULTI_LINE ? RE_END_LINE : RE_END_TEXT);
    default:
        return re_next_rune(p, &cp) ? literal(p, cp) : NULL;
    }
}

/* Up to "|", ")" or the end. */
static struct re_node *
concatenation(struct re_parser *p)
{
    struct re_node *list = new_node(p, RE_CONCAT), *last = NULL;

    while (p->at < p->end && *p->at != '|' && *p->at != ')') {
        const char *before = p->at;
        bool none = false;

        if (!repeats(p, &last))
            return NULL;
        if (p->at > before)
            continue;
        if (re_looking_at(p, "\\Q")) {
            if (!quoted(p, list, &last))
                return NULL;
            continue;
        }
        struct re_node *n = atom(p, &none);

        if (!n)
            return NULL;
        if (none)
            continue;
        if (last)
            add_child(list, last);
        last = n;
    }
    if (last)
        add_child(list, last);
    return list;
}

static struct re_node *
alternation(struct re_parser *p)
{
    struct re_node *n = new_node(p, RE_ALTERNATE);

    for (;;) {
        struct re_node *c = concatenation(p);

        if (!c)
            return NULL;
        add_child(n, c);
        if (p->at == p->end || *p->at != '|')
            break;
        p->at++;
    }
    return n->first == n->last ? n->first : n;
}

bool
re_parse(struct str pattern, struct arena *a, struct re_tree *t,
         struct error *err)
{
    struct re_parser p = {
        .whole = pattern.s ? pattern : STR(""),
        .arena = a,
        .tree = t,
        .err = err,
    };

    p.at = p.whole.s;
    p.end = p.at + pattern.n;
    if (pattern.n > MAX_PATTERN)
        return re_too_much(&p, "expression too large",
                           str_sub(pattern, 0, 100));
    struct re_tree fresh = {0};

    p.tree = &fresh;
    fresh.root = alternation(&p);
    bool ok = fresh.root != NULL;

    if (ok && p.at < p.end)
        ok = re_fail(&p, "unexpected )", p.whole);
    if (!ok) {
        strlist_release(&fresh.names);
        return false;
    }
    *t = fresh;
    return true;
}
