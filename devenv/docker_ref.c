#include "devenv/docker_ref.h"

#include "devenv/docker_image.h"

#define REF_MAX 1024

static bool
plain_text(const char *text)
{
    size_t n = strlen(text);

    if (n == 0 || n > REF_MAX || strstr(text, "//") || strstr(text, ".."))
        return false;
    for (const char *p = text; *p; p++)
        if (!(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z') &&
            !(*p >= '0' && *p <= '9') && !strchr("-_./:@", *p))
            return false;
    return strchr("-_./:@", text[0]) == NULL && text[n - 1] != '/';
}

static bool
is_host(struct str part)
{
    return memchr(part.s, '.', part.n) || memchr(part.s, ':', part.n) ||
           str_eqz(part, "localhost");
}

/* "sha256:" and 64 hexadecimal digits. */
static bool
is_digest(struct str digest)
{
    if (!str_starts(digest, STR("sha256:")) || digest.n != 7 + 64)
        return false;
    for (size_t i = 7; i < digest.n; i++)
        if (!strchr("0123456789abcdef", digest.s[i]))
            return false;
    return true;
}

/* A colon only behind the host, an at-sign nowhere. */
static bool
is_name(struct str name)
{
    struct str host, path;
    bool parts = str_cut(name, '/', &host, &path);

    return name.n && name.s[name.n - 1] != '/' &&
           !memchr(name.s, '@', name.n) &&
           !memchr(parts ? path.s : name.s, ':', parts ? path.n : name.n);
}

bool
docker_ref_parse(const char *text, struct arena *a, struct docker_ref *out,
                 struct error *err)
{
    struct str rest, digest, name, tag = {0}, first, path;
    const char *colon;
    struct docker_ref r;

    if (!plain_text(text))
        return error_set(err, ERR_USAGE, "\"%s\" is no image reference", text);
    str_cut(str_of(text), '@', &rest, &digest);
    name = rest;
    colon = memrchr(rest.s, ':', rest.n);
    if (colon && !memchr(colon, '/', (size_t)(rest.s + rest.n - colon))) {
        name = str_n(rest.s, (size_t)(colon - rest.s));
        tag = str_from(rest, name.n + 1);
    }
    if (!is_name(name) || (colon && name.n != rest.n && !tag.n) ||
        (rest.n != strlen(text) && !is_digest(digest)))
        return error_set(err, ERR_USAGE, "\"%s\" is no image reference", text);
    r.host = str_cut(name, '/', &first, &path) && is_host(first)
                 ? arena_dup(a, first)
                 : "docker.io";
    r.name = arena_dup(a, name);
    r.digest = arena_dup(a, digest);
    r.tag = tag.n ? arena_dup(a, tag) : digest.n ? "" : "latest";
    r.exact = digest.n ? arena_printf(a, "%s@%s", r.name, r.digest)
                       : arena_printf(a, "%s:%s", r.name, r.tag);
    *out = r;
    return true;
}

const char *
docker_ref_host(const char *ref, struct arena *a)
{
    struct docker_ref r;

    return docker_ref_parse(ref, a, &r, NULL) ? r.host : "docker.io";
}

static struct str
without(struct str s, struct str prefix)
{
    return str_starts(s, prefix) ? str_from(s, prefix.n) : s;
}

static struct str
familiar(struct str name)
{
    name = without(name, STR("index."));
    name = without(name, STR("docker.io/"));
    return without(name, STR("library/"));
}

bool
docker_ref_same_name(struct str a, struct str b)
{
    return str_eq(familiar(a), familiar(b));
}
