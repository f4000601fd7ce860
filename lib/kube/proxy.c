#include "lib/kube/proxy.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdlib.h>
#include <strings.h>

#include "lib/base/mem.h"

/* An address as 16 bytes (IPv4 mapped, as Go holds it). */
struct address {
    unsigned char b[16];
    bool v4;
};

static const char *
either(const char *upper, const char *lower)
{
    const char *z = getenv(upper);

    return z && *z ? z : getenv(lower);
}

struct kube_proxy_env
kube_proxy_environment(void)
{
    const char *method = getenv("REQUEST_METHOD");

    return (struct kube_proxy_env){.http = either("HTTP_PROXY", "http_proxy"),
                                   .https =
                                       either("HTTPS_PROXY", "https_proxy"),
                                   .no = either("NO_PROXY", "no_proxy"),
                                   .cgi = method && *method};
}

static bool
read_address(struct str s, struct address *out)
{
    static const unsigned char mapped[12] = {0, 0, 0, 0, 0,    0,
                                             0, 0, 0, 0, 0xff, 0xff};
    char z[64];

    if (!s.n || s.n >= sizeof(z))
        return false;
    memcpy(z, s.s, s.n);
    z[s.n] = 0;
    *out = (struct address){0};
    if (inet_pton(AF_INET, z, out->b + 12) == 1) {
        memcpy(out->b, mapped, sizeof(mapped));
        out->v4 = true;
        return true;
    }
    if (inet_pton(AF_INET6, z, out->b) != 1)
        return false;
    out->v4 = memcmp(out->b, mapped, sizeof(mapped)) == 0;
    return true;
}

static bool
is_loopback(const struct address *a)
{
    static const unsigned char one[16] = {[15] = 1};

    return a->v4 ? a->b[12] == 127 : memcmp(a->b, one, sizeof(one)) == 0;
}

/* "10.0.0.0/8" */
static bool
read_network(struct str s, struct address *net, unsigned *bits)
{
    struct str head, tail;
    uint64_t n;

    if (!str_cut(s, '/', &head, &tail) || !read_address(head, net) ||
        !str_to_u64(tail, &n) || n > (net->v4 ? 32 : 128))
        return false;
    *bits = (unsigned)n + (net->v4 ? 96 : 0);
    return true;
}

static bool
in_network(const struct address *a, const struct address *net, unsigned bits)
{
    unsigned whole = bits / 8, rest = bits % 8;
    unsigned char mask = (unsigned char)(0xff00 >> rest);

    if (a->v4 != net->v4 || memcmp(a->b, net->b, whole) != 0)
        return false;
    return !rest || ((a->b[whole] ^ net->b[whole]) & mask) == 0;
}

/* "host:port", "[v6]:port"; without a port, or with too many colons, all of
 * it is the host (net.SplitHostPort). */
static bool
split(struct str s, struct str *host, struct str *port)
{
    size_t at;

    *host = s;
    *port = (struct str){0};
    if (str_starts(s, STR("["))) {
        at = str_find(s, STR("]"), 0);
        if (at == SIZE_MAX || at + 1 >= s.n || s.s[at + 1] != ':')
            return false;
        *host = str_sub(s, 1, at - 1);
        *port = str_from(s, at + 2);
        return true;
    }
    at = str_find(s, STR(":"), 0);
    if (at == SIZE_MAX || str_find(s, STR(":"), at + 1) != SIZE_MAX)
        return false;
    *host = str_sub(s, 0, at);
    *port = str_from(s, at + 1);
    return true;
}

struct target {
    char *host; /* lower case */
    struct str port;
    struct address address;
    bool is_address;
};

/* Is the target left out by one entry of NO_PROXY (lower case)? */
static bool
leaves_out(struct str p, const struct target *t)
{
    struct str host, port, name = str_of(t->host);
    struct address a;
    unsigned bits;
    bool match, exact;

    if (read_network(p, &a, &bits))
        return t->is_address && in_network(&t->address, &a, bits);
    split(p, &host, &port);
    if (!host.n)
        return false;
    if (read_address(host, &a)) {
        match = t->is_address && memcmp(a.b, t->address.b, sizeof(a.b)) == 0;
    } else {
        if (str_starts(host, STR("*.")))
            host = str_from(host, 1);
        exact = host.s[0] != '.';
        if (exact)
            match = str_eq(name, host) ||
                    (name.n > host.n && str_ends(name, host) &&
                     name.s[name.n - host.n - 1] == '.');
        else
            match = str_ends(name, host);
    }
    return match && (!port.n || str_eq(port, t->port));
}

static char *
lower(struct str s)
{
    char *z = mem_strndup(s.s ? s.s : "", s.n);

    for (char *p = z; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    return z;
}

static bool
is_left_out(const char *no, const struct target *t)
{
    AUTO(mem_free_ptr) char *all = lower(str_of(no));
    struct str rest = str_of(all), p;

    while (str_next(&rest, ',', &p)) {
        p = str_trim(p);
        if (str_eq(p, STR("*")) || (p.n && leaves_out(p, t)))
            return true;
    }
    return false;
}

/* An address without a scheme is an HTTP proxy (parseProxy). */
static bool
take_proxy(const char *text, char **out, struct error *err)
{
    static const char *const schemes[] = {"http://", "https://", "socks5://",
                                          "socks5h://"};

    for (size_t i = 0; i < ARRAY_LEN(schemes); i++) {
        if (strncasecmp(text, schemes[i], strlen(schemes[i])) == 0) {
            *out = mem_strdup(text);
            return true;
        }
    }
    if (!strstr(text, "://")) {
        *out = mem_printf("http://%s", text);
        return true;
    }
    error_set(err, ERR_USAGE,
              "the environment names the proxy %s, which is none of http, "
              "https and socks5",
              text);
    error_remedy(err, "MT-PROXY",
                 "Check proxy-url and the variables HTTPS_PROXY and NO_PROXY.");
    return false;
}

bool
kube_proxy_of(const char *url, struct kube_proxy_env env, char **out,
              struct error *err)
{
    struct str rest = str_of(url), host, port;
    bool secure = strncasecmp(url, "https://", 8) == 0;
    const char *proxy = secure ? env.https : env.http;
    struct target t = {.port = secure ? STR("443") : STR("80")};
    bool direct;

    *out = NULL;
    if (!proxy || !*proxy)
        return true;
    if (!secure && env.cgi)
        return error_set(err, ERR_USAGE,
                         "refusing to use HTTP_PROXY value in CGI environment");
    rest = str_from(rest, secure ? 8 : 7);
    rest = str_sub(rest, 0, strcspn(rest.s, "/?#"));
    if (split(rest, &host, &port) && port.n)
        t.port = port;
    else if (str_starts(host, STR("[")) && str_ends(host, STR("]")))
        host = str_sub(host, 1, host.n - 2);
    t.host = lower(host);
    t.is_address = read_address(str_of(t.host), &t.address);
    direct = strcmp(t.host, "localhost") == 0 ||
             (t.is_address && is_loopback(&t.address)) ||
             is_left_out(env.no ? env.no : "", &t);
    free(t.host);
    return direct || take_proxy(proxy, out, err);
}
