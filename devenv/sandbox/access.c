#include "devenv/sandbox/access.h"

#include "lib/compose/format.h"

static const struct {
    const char *method, *verb;
} verbs[] = {
    {"POST", "create"}, {"GET", "get"},     {"HEAD", "get"},
    {"PUT", "update"},  {"PATCH", "patch"}, {"DELETE", "delete"},
};

/* What a request that is no resource's does: its method in lower case. */
static const struct {
    const char *method, *verb;
} plain[] = {
    {"POST", "post"},       {"GET", "get"},         {"HEAD", "head"},
    {"PUT", "put"},         {"PATCH", "patch"},     {"DELETE", "delete"},
    {"OPTIONS", "options"}, {"CONNECT", "connect"}, {"TRACE", "trace"},
};

void
access_init(struct access *a)
{
    *a = (struct access){.verb = "",
                         .path = "",
                         .group = "",
                         .version = "",
                         .plural = "",
                         .sub = "",
                         .name = "",
                         .ns = ""};
}

static bool
is_true(const char *v)
{
    return v && strcmp(v, "0") != 0 && strcasecmp(v, "false") != 0;
}

/* Options with a number that is none: none of them is looked at. */
static bool
is_readable(const struct http_request *r)
{
    static const char *const numbers[] = {"limit", "timeoutSeconds"};
    int64_t n;

    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        const char *v = http_param(r, numbers[i]);

        if (v && !str_to_i64(str_of(v), &n))
            return false;
    }
    return true;
}

/* A list or watch of one name may be allowed by that name. */
static const char *
selected_name(const struct http_request *r)
{
    static const char *const forms[] = {"metadata.name==", "metadata.name="};
    struct str rest = str_of(http_param(r, "fieldSelector")), term;

    while (str_next(&rest, ',', &term)) {
        for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
            struct str name = str_from(term, strlen(forms[i]));

            if (!str_starts(term, str_of(forms[i])))
                continue;
            if (!name.n || memchr(name.s, '/', name.n) ||
                memchr(name.s, '%', name.n) || memchr(name.s, '\\', name.n))
                return "";
            return arena_dup(r->arena, name);
        }
    }
    return "";
}

/* Those that the path alone does not tell apart. */
static void
settle_verb(const struct http_request *r, struct access *a)
{
    if (*a->name)
        return;
    if (!strcmp(a->verb, "get")) {
        a->verb = is_true(http_param(r, "watch")) ? "watch" : "list";
        a->name = is_readable(r) ? selected_name(r) : "";
    } else if (!strcmp(a->verb, "delete")) {
        a->verb = "deletecollection";
    }
}

static bool
is_sub_of_namespace(const char *segment)
{
    return !strcmp(segment, "status") || !strcmp(segment, "finalize");
}

/* The n segments behind the group's version. */
static void
read_resource(const struct http_request *r, const char *const *s, size_t n,
              struct access *a)
{
    a->resource = true;
    a->verb = "";
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (!strcmp(verbs[i].method, r->method))
            a->verb = verbs[i].verb;
    }
    if (n > 1 && (!strcmp(s[0], "watch") || !strcmp(s[0], "proxy"))) {
        a->verb = s[0];
        s++;
        n--;
    }
    if (n > 1 && !strcmp(s[0], "namespaces")) {
        a->ns = s[1];
        if (n > 2 && !is_sub_of_namespace(s[2])) {
            s += 2;
            n -= 2;
        }
    }
    a->plural = s[0];
    a->name = n > 1 ? s[1] : "";
    a->sub = n > 2 && strcmp(a->verb, "proxy") != 0 ? s[2] : "";
    settle_verb(r, a);
}

void
access_of(const struct http_request *r, struct access *a)
{
    const char *const *s = r->url.segments;
    size_t n = r->url.segments_n, head = 0;

    access_init(a);
    a->path = r->url.path;
    if (n >= 3 && !strcmp(s[0], "api"))
        head = 2;
    else if (n >= 4 && !strcmp(s[0], "apis"))
        head = 3;
    if (head) {
        a->group = head == 3 ? s[1] : "";
        a->version = s[head - 1];
        read_resource(r, s + head, n - head, a);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(plain); i++) {
        if (!strcmp(plain[i].method, r->method))
            a->verb = plain[i].verb;
    }
}

bool
access_runs_long(const struct access *a)
{
    static const char *const subs[] = {"attach", "exec", "proxy", "log",
                                       "portforward"};

    if (!a->resource)
        return !strncmp(a->path, "/debug/pprof/", strlen("/debug/pprof/"));
    for (size_t i = 0; i < ARRAY_LEN(subs); i++) {
        if (!strcmp(a->sub, subs[i]))
            return true;
    }
    return !strcmp(a->verb, "proxy");
}

/* ---- refusing ---- */

static void
quote(struct buf *out, const char *text)
{
    format_quote(str_of(text), false, out);
}

/* Without what could look like HTML (responsewriters/errors.go). */
static void
put_clean(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        char c = text.s[i];

        if (c == '&' || c == '<' || c == '>')
            buf_puts(out, c == '&' ? "&amp;" : c == '<' ? "&lt;" : "&gt;");
        else
            buf_putc(out, c);
    }
}

static void
put_wish(const struct access *a, const struct identity *who, struct buf *out)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    const char *resource[] = {a->plural, *a->sub ? "/" : "", a->sub};
    AUTO(buf_release) struct buf whole = BUF_INIT(BUF_TEXT_MAX);

    buf_puts(&b, "User ");
    quote(&b, who->name);
    buf_printf(&b, " cannot %s ", a->verb);
    if (!a->resource) {
        buf_puts(&b, "path ");
        quote(&b, a->path);
    } else {
        for (size_t i = 0; i < ARRAY_LEN(resource); i++)
            buf_puts(&whole, resource[i]);
        buf_puts(&b, "resource ");
        quote(&b, buf_cstr(&whole));
        buf_puts(&b, " in API group ");
        quote(&b, a->group);
        buf_puts(&b, *a->ns ? " in the namespace " : " at the cluster scope");
        if (*a->ns)
            quote(&b, a->ns);
    }
    put_clean(out, buf_view(&b));
}

bool
access_refuse(const struct access *a, const struct identity *who,
              const char *why, struct status *st)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    if (*a->plural)
        buf_printf(&b, "%s%s%s ", a->plural, *a->group ? "." : "", a->group);
    if (*a->plural && *a->name) {
        quote(&b, a->name);
        buf_putc(&b, ' ');
    }
    buf_puts(&b, *a->plural ? "is forbidden: " : "forbidden: ");
    put_wish(a, who, &b);
    if (*why)
        buf_printf(&b, ": %s", why);
    status_set(st, 403, "Forbidden", "%s", buf_cstr(&b));
    status_about(st, a->group, a->plural, a->name);
    return false;
}
