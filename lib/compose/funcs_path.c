/* Slash-separated paths and URLs. Source: Go's path, net/url. */
#include "lib/compose/funcs.h"

/* path.Clean */
static void
clean(struct str s, struct buf *out)
{
    bool rooted = s.n && s.s[0] == '/';
    struct str piece;
    size_t floor;

    if (rooted)
        buf_putc(out, '/');
    floor = out->n;
    while (s.n && str_next(&s, '/', &piece)) {
        if (!piece.n || str_eqz(piece, "."))
            continue;
        if (!str_eqz(piece, "..")) {
            if (out->n > rooted)
                buf_putc(out, '/');
            buf_str(out, piece);
        } else if (out->n > floor) {
            size_t n = out->n;

            while (n > floor && out->s[n - 1] != '/')
                n--;
            buf_truncate(out, n > (size_t)rooted && n > floor ? n - 1 : n);
        } else if (!rooted) {
            buf_puts(out, out->n ? "/.." : "..");
            floor = out->n;
        }
        if (!s.s)
            break;
    }
    if (!out->n)
        buf_putc(out, '.');
}

FUNC(fn_clean)
{
    clean(v[0].s, &c->text);
    return call_text(c, out);
}

/* The offset behind the last slash. */
static size_t
last_slash(struct str s)
{
    size_t n = s.n;

    while (n && s.s[n - 1] != '/')
        n--;
    return n;
}

FUNC(fn_base)
{
    struct str s = v[0].s;

    if (!s.n) {
        *out = value_str(STR("."));
        return true;
    }
    while (s.n && s.s[s.n - 1] == '/')
        s.n--;
    s = str_from(s, last_slash(s));
    *out = value_str(s.n ? s : STR("/"));
    return true;
}

FUNC(fn_dir)
{
    clean(str_sub(v[0].s, 0, last_slash(v[0].s)), &c->text);
    return call_text(c, out);
}

FUNC(fn_ext)
{
    struct str s = str_from(v[0].s, last_slash(v[0].s));
    size_t i = s.n;

    while (i && s.s[i - 1] != '.')
        i--;
    *out = value_str(i ? str_from(s, i - 1) : STR(""));
    return true;
}

FUNC(fn_is_abs)
{
    *out = value_bool(v[0].s.n && v[0].s.s[0] == '/');
    return true;
}

/* ---- URLs ---- */

static void
put_part(struct call *c, struct value map, const char *key, struct str s)
{
    value_set(c->a, map, str_of(key), value_str(arena_str(c->a, s)));
}

/* "scheme:" of a URL: a letter, then letters, digits, + - . */
static struct str
take_scheme(struct str *s)
{
    for (size_t i = 0; i < s->n; i++) {
        char x = s->s[i], low = (char)(x | 0x20);
        bool letter = low >= 'a' && low <= 'z';

        if (x == ':' && i) {
            struct str scheme = str_sub(*s, 0, i);

            *s = str_from(*s, i + 1);
            return scheme;
        }
        if (!letter &&
            (!i || !((x >= '0' && x <= '9') || (x && strchr("+-.", x)))))
            break;
    }
    return STR("");
}

static bool
hex(char x, unsigned *out)
{
    char low = (char)(x | 0x20);

    if (x >= '0' && x <= '9')
        *out = (unsigned)(x - '0');
    else if (low >= 'a' && low <= 'f')
        *out = (unsigned)(low - 'a') + 10;
    else
        return false;
    return true;
}

static void
bad_url(struct call *c, struct str url)
{
    buf_puts(&c->text, "unable to parse url: parse ");
    format_quote(url, false, &c->text);
    buf_puts(&c->text, ": ");
}

static bool
unescape(struct call *c, struct str whole, struct str s, struct str *out)
{
    char *text = arena_alloc(c->a, s.n + 1);
    size_t n = 0;
    unsigned hi, lo;

    for (size_t i = 0; i < s.n; i++) {
        text[n] = s.s[i];
        if (s.s[i] == '%') {
            if (s.n - i < 3 || !hex(s.s[i + 1], &hi) || !hex(s.s[i + 2], &lo)) {
                bad_url(c, whole);
                buf_puts(&c->text, "invalid URL escape ");
                format_quote(str_sub(s, i, 3), false, &c->text);
                return call_fail(c, "%s", buf_cstr(&c->text));
            }
            text[n] = (char)(hi << 4 | lo);
            i += 2;
        }
        n++;
    }
    *out = str_n(text, n);
    return true;
}

static struct str
hostname(struct str host)
{
    struct str name, port;

    if (host.n && host.s[0] == '[') {
        str_cut(str_from(host, 1), ']', &name, &port);
        return name;
    }
    str_cut(host, ':', &name, &port);
    return name;
}

static bool
url_fail(struct call *c, struct str url, const char *why)
{
    bad_url(c, url);
    buf_puts(&c->text, why);
    return call_fail(c, "%s", buf_cstr(&c->text));
}

FUNC(fn_url_parse)
{
    struct str rest, fragment, query, opaque = STR(""), host = STR("");
    struct str user = STR(""), path;

    for (size_t i = 0; i < v[0].s.n; i++) {
        unsigned char x = (unsigned char)v[0].s.s[i];

        if (x < ' ' || x == 0x7f)
            return url_fail(c, v[0].s,
                            "net/url: invalid control character in URL");
    }
    str_cut(v[0].s, '#', &rest, &fragment);
    if (str_starts(rest, STR(":")))
        return url_fail(c, v[0].s, "missing protocol scheme");
    struct str scheme = take_scheme(&rest);

    str_cut(rest, '?', &rest, &query);
    if (str_starts(rest, STR("//"))) {
        size_t slash = str_find(rest, STR("/"), 2);
        size_t end = slash == SIZE_MAX ? rest.n : slash;

        host = str_sub(rest, 2, end - 2);
        rest = str_from(rest, end);
        size_t at = host.n;

        while (at && host.s[at - 1] != '@')
            at--;
        if (at) {
            user = str_sub(host, 0, at - 1);
            host = str_from(host, at);
        }
    } else if (!scheme.n && rest.n && rest.s[0] != '/' &&
               str_find(rest, STR(":"), 0) < str_find(rest, STR("/"), 0)) {
        return url_fail(c, v[0].s,
                        "first path segment in URL cannot contain colon");
    } else if (scheme.n && (!rest.n || rest.s[0] != '/')) {
        opaque = rest;
        rest = STR("");
    }
    if (!unescape(c, v[0].s, rest, &path) ||
        !unescape(c, v[0].s, fragment, &fragment))
        return false;
    *out = value_map(c->a, ELEM_ANY);
    for (size_t i = 0; i < scheme.n; i++)
        buf_putc(&c->text, (char)func_lower((unsigned char)scheme.s[i]));
    put_part(c, *out, "scheme", buf_view(&c->text));
    put_part(c, *out, "host", host);
    put_part(c, *out, "hostname", hostname(host));
    put_part(c, *out, "path", path);
    put_part(c, *out, "query", query);
    put_part(c, *out, "opaque", opaque);
    put_part(c, *out, "fragment", fragment);
    put_part(c, *out, "userinfo", user);
    return true;
}

static bool
part_of(struct call *c, struct value map, const char *key, struct str *out)
{
    struct value found;

    *out = STR("");
    if (!value_get(c->a, map, str_of(key), &found))
        return true;
    if (found.type != VALUE_STRING)
        return call_fail(c,
                         "unable to parse %s key, must be of type string, but "
                         "%s found",
                         key, value_kind_name(found));
    *out = found.s;
    return true;
}

static void
escape(struct str s, struct buf *out)
{
    for (size_t i = 0; i < s.n; i++) {
        char x = s.s[i], low = (char)(x | 0x20);

        if ((low >= 'a' && low <= 'z') || (x >= '0' && x <= '9') ||
            (x && strchr("-_.~$&+,/:;=@!'()*", x)))
            buf_putc(out, x);
        else
            buf_printf(out, "%%%02X", (unsigned char)x);
    }
}

FUNC(fn_url_join)
{
    struct str scheme, host, path, query, opaque, fragment, user;

    if (!part_of(c, v[0], "scheme", &scheme) ||
        !part_of(c, v[0], "host", &host) || !part_of(c, v[0], "path", &path) ||
        !part_of(c, v[0], "query", &query) ||
        !part_of(c, v[0], "opaque", &opaque) ||
        !part_of(c, v[0], "fragment", &fragment) ||
        !part_of(c, v[0], "userinfo", &user))
        return false;
    if (scheme.n)
        buf_printf(&c->text, "%.*s:", STR_ARG(scheme));
    if (opaque.n) {
        buf_str(&c->text, opaque);
    } else {
        if (scheme.n || host.n || user.n) {
            if (host.n || path.n || user.n)
                buf_puts(&c->text, "//");
            if (user.n)
                buf_printf(&c->text, "%.*s@", STR_ARG(user));
            buf_str(&c->text, host);
        }
        if (path.n && path.s[0] != '/' && host.n)
            buf_putc(&c->text, '/');
        escape(path, &c->text);
    }
    if (query.n)
        buf_printf(&c->text, "?%.*s", STR_ARG(query));
    if (fragment.n) {
        buf_putc(&c->text, '#');
        escape(fragment, &c->text);
    }
    return call_text(c, out);
}

static const struct func rows[] = {
    {"base", "s", fn_base},
    {"osBase", "s", fn_base},
    {"dir", "s", fn_dir},
    {"osDir", "s", fn_dir},
    {"clean", "s", fn_clean},
    {"osClean", "s", fn_clean},
    {"ext", "s", fn_ext},
    {"osExt", "s", fn_ext},
    {"isAbs", "s", fn_is_abs},
    {"osIsAbs", "s", fn_is_abs},
    {"urlParse", "s", fn_url_parse},
    {"urlJoin", "m", fn_url_join},
};

const struct func_table funcs_path = {rows, ARRAY_LEN(rows)};
