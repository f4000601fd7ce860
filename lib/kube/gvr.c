#include "lib/kube/gvr.h"

#include <ctype.h>

bool
kube_gvr_eq(const struct kube_gvr *a, const struct kube_gvr *b)
{
    return str_eq(str_of(a->group), str_of(b->group)) &&
           str_eq(str_of(a->version), str_of(b->version)) &&
           str_eq(str_of(a->resource), str_of(b->resource));
}

bool
kube_gvr_name(const struct kube_gvr *g, struct buf *out)
{
    buf_str(out, str_of(g->resource));
    if (str_of(g->group).n)
        buf_printf(out, ".%s", g->group);
    return !out->over;
}

bool
kube_gvr_api_version(const struct kube_gvr *g, struct buf *out)
{
    if (str_of(g->group).n)
        buf_printf(out, "%s/", g->group);
    return buf_str(out, str_of(g->version));
}

static void
percent(struct buf *out, struct str s)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.s[i];

        if (c < 0x80 && (isalnum(c) || strchr("-._~", c))) {
            buf_putc(out, (char)c);
        } else {
            buf_putc(out, '%');
            buf_putc(out, hex[c >> 4]);
            buf_putc(out, hex[c & 15]);
        }
    }
}

/* apimachinery api/validate/content: what no name may be. */
static bool
segment(struct buf *out, const char *what, const char *z, struct error *err)
{
    struct str s = str_of(z);

    if (s.n == 0 || str_eq(s, STR(".")) || str_eq(s, STR("..")) ||
        memchr(s.s, '/', s.n) || memchr(s.s, '%', s.n))
        return error_set(err, ERR_USAGE, "\"%.*s\" can be no %s", STR_ARG(s),
                         what);
    buf_putc(out, '/');
    percent(out, s);
    return true;
}

bool
kube_gvr_path(const struct kube_gvr *g, const char *ns, const char *name,
              const char *sub, struct buf *out, struct error *err)
{
    size_t start = out->n;
    bool core = str_of(g->group).n == 0;
    bool ok = buf_puts(out, core ? "/api" : "/apis");

    if (!core)
        ok = segment(out, "group", g->group, err);
    ok = ok && segment(out, "version", g->version, err);
    if (ok && str_of(ns).n) {
        buf_puts(out, "/namespaces");
        ok = segment(out, "namespace", ns, err);
    }
    ok = ok && segment(out, "resource", g->resource, err);
    if (ok && str_of(name).n)
        ok = segment(out, "name", name, err);
    if (ok && str_of(sub).n)
        ok = segment(out, "subresource", sub, err);
    if (ok && out->over)
        ok = error_set(err, ERR_LIMIT, "the path of %s is too long",
                       g->resource);
    if (!ok)
        buf_truncate(out, start);
    return ok;
}

bool
kube_api_version_split(struct str api_version, struct str *group,
                       struct str *version)
{
    struct str head, tail;

    if (!str_cut(api_version, '/', &head, &tail)) {
        tail = head;
        head = STR("");
    } else if (head.n == 0) {
        return false;
    }
    if (tail.n == 0 || memchr(tail.s, '/', tail.n))
        return false;
    *group = head;
    *version = tail;
    return true;
}

bool
kube_query_add(struct buf *out, const char *key, struct str value)
{
    bool first = out->n == 0 || !memchr(out->s, '?', out->n);

    buf_putc(out, first ? '?' : '&');
    buf_puts(out, key);
    buf_putc(out, '=');
    percent(out, value);
    return !out->over;
}
