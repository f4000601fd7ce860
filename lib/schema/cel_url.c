#include "lib/base/ascii.h"

#include "lib/schema/cel_value.h"

/*
 * Kubernetes' url(): Go's net/url. A text must pass ParseRequestURI (absolute,
 * or a path from the root) and is then read by Parse, which knows fragments.
 */

struct parts {
    struct str scheme, host, path, query;
};

static bool
is_alnum(char c)
{
    return ascii_letter(c) || ascii_digit(c);
}

/* The offset of a % that starts no escape, or s.n. */
static size_t
bad_escape(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.s[i] != '%')
            continue;
        if (i + 2 >= s.n || ascii_hex(s.s[i + 1]) < 0 ||
            ascii_hex(s.s[i + 2]) < 0)
            return i;
        i += 2;
    }
    return s.n;
}

static void
unescape(struct str s, bool plus, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.s[i] == '%' && i + 2 < s.n) {
            buf_putc(out, (char)(ascii_hex(s.s[i + 1]) * 16 +
                                 ascii_hex(s.s[i + 2])));
            i += 2;
        } else {
            buf_putc(out, plus && s.s[i] == '+' ? ' ' : s.s[i]);
        }
    }
}

static bool
escape_error(struct str s, struct buf *why)
{
    size_t i = bad_escape(s);

    if (i < s.n)
        buf_printf(why, "invalid URL escape \"%.*s\"",
                   STR_ARG(str_sub(s, i, 3)));
    return i < s.n;
}

/* The scheme in front of a colon; false: there is a colon, but no scheme. */
static bool
take_scheme(struct str *rest, struct str *scheme)
{
    *scheme = STR("");
    for (size_t i = 0; i < rest->n; i++) {
        char c = rest->s[i];

        if (c == ':') {
            if (i == 0)
                return false;
            *scheme = str_sub(*rest, 0, i);
            *rest = str_from(*rest, i + 1);
            return true;
        }
        if (!is_alnum(c) && !memchr("+-.", c, 3))
            return true;
        if (i == 0 && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z'))
            return true;
    }
    return true;
}

static bool
port_ok(struct str s)
{
    for (size_t i = 1; i < s.n; i++) {
        if (s.s[i] < '0' || s.s[i] > '9')
            return false;
    }
    return !s.n || s.s[0] == ':';
}

static bool
check_host(struct str host, struct buf *why)
{
    size_t close = str_find(host, STR("]"), 0), colon = host.n;
    bool bracket = host.n && host.s[0] == '[';

    while (colon && host.s[colon - 1] != ':')
        colon--;
    struct str port = bracket && close != SIZE_MAX ? str_from(host, close + 1)
                      : colon                      ? str_from(host, colon - 1)
                                                   : STR("");

    if (bracket && close == SIZE_MAX)
        return !buf_puts(why, "missing ']' in host");
    if (!port_ok(port)) {
        buf_printf(why, "invalid port \"%.*s\" after host", STR_ARG(port));
        return false;
    }
    if (escape_error(host, why))
        return false;
    for (size_t i = 0; i < host.n; i++) {
        char c = host.s[i];

        if (is_alnum(c) || (c & 0x80) ||
            memchr("-_.~!$&'()*+,;=:[]<>\"%", c, 22))
            continue;
        buf_printf(why, "invalid character \"%s%c\" in host name",
                   c == '\\' ? "\\" : "", c);
        return false;
    }
    return true;
}

/* What stands behind // up to the path. */
static bool
take_authority(struct str *rest, struct parts *p, struct buf *why)
{
    size_t slash = str_find(*rest, STR("/"), 2);
    struct str authority = str_sub(str_from(*rest, 2), 0,
                                   slash == SIZE_MAX ? SIZE_MAX : slash - 2);
    size_t at = authority.n;

    *rest = slash == SIZE_MAX ? STR("") : str_from(*rest, slash);
    while (at && authority.s[at - 1] != '@')
        at--;
    for (size_t i = 0; i + 1 < at; i++) {
        char c = authority.s[i];

        if (!is_alnum(c) && !memchr("-._:~!$&'()*+,;=%@", c, 18))
            return !buf_puts(why, "net/url: invalid userinfo");
    }
    p->host = str_from(authority, at);
    return check_host(p->host, why);
}

/* request: as ParseRequestURI. */
static bool
parse(struct str s, bool request, struct parts *p, struct buf *why)
{
    size_t hash = request ? SIZE_MAX : str_find(s, STR("#"), 0);
    struct str rest = str_sub(s, 0, hash);

    *p = (struct parts){STR(""), STR(""), STR(""), STR("")};
    for (size_t i = 0; i < s.n; i++) {
        if ((unsigned char)s.s[i] < ' ' || s.s[i] == 0x7F)
            return !buf_puts(why, "net/url: invalid control character in URL");
    }
    if (!s.n && request)
        return !buf_puts(why, "empty url");
    if (!take_scheme(&rest, &p->scheme))
        return !buf_puts(why, "missing protocol scheme");
    struct str whole = rest;

    str_cut(whole, '?', &rest, &p->query);
    if (!str_starts(rest, STR("/"))) {
        if (p->scheme.n)
            return true; /* opaque: mailto:someone */
        if (request)
            return !buf_puts(why, "invalid URI for request");
    }
    if ((p->scheme.n || (!request && !str_starts(rest, STR("///")))) &&
        str_starts(rest, STR("//")) && !take_authority(&rest, p, why))
        return false;
    p->path = rest;
    return !escape_error(rest, why);
}

/* why gets Go's words without their head. */
static bool
check(struct str s, struct parts *p, struct buf *why)
{
    return parse(s, true, p, why) && parse(s, false, p, why);
}

bool
cel_url_ok(struct str s, struct buf *why)
{
    AUTO(buf_release) struct buf reason = BUF_INIT(1 << 16);
    struct parts p;

    if (parse(s, true, &p, &reason))
        return true;
    buf_printf(why, "parse \"%.*s\": %s", STR_ARG(s), buf_cstr(&reason));
    return false;
}

static struct cel_value
url(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    AUTO(buf_release) struct buf why = BUF_INIT(1 << 16);
    struct parts p;

    if (!check(a->s, &p, &why))
        return cel_error(e,
                         "URL parse error during conversion from string: parse "
                         "\"%.*s\": %s",
                         STR_ARG(a->s), buf_cstr(&why));
    struct cel_object *o = cel_alloc(e, sizeof(*o));

    if (!o)
        return cel_mismatch();
    o->text = a->s;
    return (struct cel_value){.kind = CEL_URL, .object = o};
}

static struct cel_value
is_url(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    AUTO(buf_release) struct buf why = BUF_INIT(1 << 16);

    return cel_of_bool(cel_url_ok(a->s, &why));
}

static struct parts
parts_of(const struct cel_value *v)
{
    AUTO(buf_release) struct buf why = BUF_INIT(1 << 16);
    struct parts p;

    parse(v->object->text, false, &p, &why);
    return p;
}

static struct cel_value
scheme(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    struct cel_value v = cel_text(e, CEL_STRING, parts_of(a).scheme);

    for (size_t i = 0; v.kind == CEL_STRING && i < v.s.n; i++) {
        if (v.s.s[i] >= 'A' && v.s.s[i] <= 'Z')
            ((char *)v.s.s)[i] |= 0x20;
    }
    return v;
}

static struct cel_value
host(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 20);

    unescape(parts_of(a).host, false, &b);
    return cel_text(e, CEL_STRING, buf_view(&b));
}

/* Where the port's colon is, or the length. */
static size_t
port_at(struct str h)
{
    size_t i = h.n;

    while (i && h.s[i - 1] != ':' && h.s[i - 1] != ']')
        i--;
    return i && h.s[i - 1] == ':' ? i - 1 : h.n;
}

static struct cel_value
hostname(struct cel_eval *e, const struct cel_value *a, size_t n)
{
    struct cel_value v = host(e, a, n);

    if (v.kind == CEL_STRING)
        v.s = str_sub(v.s, 0, port_at(v.s));
    if (v.kind == CEL_STRING && str_starts(v.s, STR("[")) &&
        str_ends(v.s, STR("]")))
        v.s = str_sub(v.s, 1, v.s.n - 2);
    return v;
}

static struct cel_value
port(struct cel_eval *e, const struct cel_value *a, size_t n)
{
    struct cel_value v = host(e, a, n);

    if (v.kind == CEL_STRING)
        v.s = str_from(v.s, port_at(v.s) + 1);
    return v;
}

/* Characters that may stand in a path as they are; written: those that Go
 * leaves but would not write itself too. */
static bool
plain_in_path(char c, bool written)
{
    return is_alnum(c) || memchr("-_.~$&+,/:;=@", c, 13) ||
           (written && memchr("!'()*[]%", c, 8));
}

static struct cel_value
escaped_path(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    AUTO(buf_release) struct buf plain = BUF_INIT(1 << 20);
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 22);
    struct str path = parts_of(a).path;
    bool fine = true;

    for (size_t i = 0; i < path.n; i++)
        fine &= plain_in_path(path.s[i], true);
    if (fine)
        return cel_text(e, CEL_STRING, path);
    unescape(path, false, &plain);
    for (size_t i = 0; i < plain.n; i++) {
        if (plain_in_path(plain.s[i], false))
            buf_putc(&b, plain.s[i]);
        else
            buf_printf(&b, "%%%02X", (unsigned)(unsigned char)plain.s[i]);
    }
    return cel_text(e, CEL_STRING, buf_view(&b));
}

static struct cel_value
unescaped(struct cel_eval *e, struct str s)
{
    AUTO(buf_release) struct buf b = BUF_INIT(1 << 20);

    unescape(s, true, &b);
    return cel_text(e, CEL_STRING, buf_view(&b));
}

/* One more value of a key, in a list that grows by copies. */
static bool
add_value(struct cel_eval *e, struct cel_map *m, const struct cel_value *key,
          const struct cel_value *value)
{
    size_t i = 0;

    while (i < m->n && !cel_is_equal(e, &m->v[i].key, key))
        i++;
    const struct cel_list *was = i < m->n ? m->v[i].value.list : NULL;
    struct cel_list *l = cel_list_new(e, was ? was->n + 1 : 1);

    if (!l)
        return false;
    if (was)
        memcpy(l->v, was->v, was->n * sizeof(*l->v));
    l->n = was ? was->n : 0;
    l->v[l->n++] = *value;
    m->v[i].key = *key;
    m->v[i].value = cel_of_list(l);
    m->n += i == m->n;
    return true;
}

static struct cel_value
query(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    struct str rest = parts_of(a).query, pair, key, value;
    struct cel_map *m = cel_map_new(e, rest.n + 1);

    while (m && rest.n && str_next(&rest, '&', &pair)) {
        if (!pair.n || str_contains(pair, STR(";")) ||
            bad_escape(pair) < pair.n)
            continue;
        str_cut(pair, '=', &key, &value);
        struct cel_value k = unescaped(e, key), v = unescaped(e, value);

        if (e->run->stopped || !cel_work(e, m->n) || !add_value(e, m, &k, &v))
            break;
    }
    return cel_of_map(m);
}

static const struct cel_overload rows[] = {
    {"url", "s>U", url, CEL_COST_TEXT},
    {"isURL", "s>b", is_url, CEL_COST_ONE},
    {"getScheme", "U.>s", scheme, CEL_COST_ONE},
    {"getHost", "U.>s", host, CEL_COST_ONE},
    {"getHostname", "U.>s", hostname, CEL_COST_ONE},
    {"getPort", "U.>s", port, CEL_COST_ONE},
    {"getEscapedPath", "U.>s", escaped_path, CEL_COST_ONE},
    {"getQuery", "U.>msls", query, CEL_COST_ONE},
};

const struct cel_library cel_urls = {rows, ARRAY_LEN(rows)};
