/* kube_denied_read and kube_denied_question of status.h. */
#include "lib/kube/status.h"

/* Takes what stands between quotes behind `words` off *rest; false and *rest
 * untouched when *rest has no such words. */
static bool
quoted(struct str *rest, const char *words, struct str *out)
{
    size_t at = str_find(*rest, str_of(words), 0);
    size_t start = at + strlen(words), end;

    if (at == SIZE_MAX)
        return false;
    end = str_find(*rest, STR("\""), start);
    if (end == SIZE_MAX)
        return false;
    *out = str_sub(*rest, start, end - start);
    *rest = str_from(*rest, end + 1);
    return true;
}

/* `widgets.example.org "x" is forbidden`: the name before. */
static struct str
name_of(struct str before)
{
    struct str s = str_trim(before);
    size_t start;

    if (s.n < 2 || s.s[s.n - 1] != '"')
        return (struct str){0};
    s.n--;
    for (start = s.n; start && s.s[start - 1] != '"'; start--)
        ;
    return start ? str_from(s, start) : (struct str){0};
}

bool
kube_denied_read(struct str message, struct kube_denied *out)
{
    struct kube_denied d = {0};
    struct str rest = message, whole;
    size_t at = str_find(message, STR("forbidden: User \""), 0);

    if (at == SIZE_MAX)
        return false;
    if (at >= 3 && str_ends(str_sub(message, 0, at), STR("is ")))
        d.name = name_of(str_sub(message, 0, at - 3));
    rest = str_from(message, at);
    if (!quoted(&rest, "User \"", &d.user) ||
        !str_starts(rest, STR(" cannot ")))
        return false;
    rest = str_from(rest, 8);
    str_cut(rest, ' ', &d.verb, &rest);
    if (str_starts(rest, STR("path \""))) {
        if (!quoted(&rest, "path \"", &d.path))
            return false;
    } else if (!str_starts(rest, STR("resource \"")) ||
               !quoted(&rest, "resource \"", &whole)) {
        return false;
    } else {
        str_cut(whole, '/', &d.resource, &d.sub);
        quoted(&rest, "in API group \"", &d.group);
        d.cluster = str_starts(rest, STR(" at the cluster scope"));
        if (!d.cluster)
            quoted(&rest, "in the namespace \"", &d.ns);
    }
    *out = d;
    return true;
}

bool
kube_denied_question(const struct kube_denied *d, struct buf *out)
{
    buf_printf(out, "kubectl auth can-i %.*s ", STR_ARG(d->verb));
    if (d->path.n)
        return buf_str(out, d->path);
    buf_str(out, d->resource);
    if (d->group.n)
        buf_printf(out, ".%.*s", STR_ARG(d->group));
    if (d->name.n)
        buf_printf(out, "/%.*s", STR_ARG(d->name));
    if (d->sub.n)
        buf_printf(out, " --subresource=%.*s", STR_ARG(d->sub));
    if (d->ns.n)
        buf_printf(out, " -n %.*s", STR_ARG(d->ns));
    else if (d->cluster)
        buf_puts(out, " -A");
    return !out->over;
}
