#include "devenv/sandbox/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/str.h"

#define BACKLOG     128
#define CONNECTIONS 1024

static const struct {
    const char *name, *host;
} hosts[] = {
    {"127.0.0.1", "127.0.0.1"},
    {"localhost", "127.0.0.1"},
    {"", "127.0.0.1"},
    {"::1", "::1"},
};

bool
listen_parse(const char *text, const char **host, unsigned *port,
             struct error *err)
{
    struct str name = str_of(text), number;
    const char *colon = strrchr(text, ':');
    uint64_t n = 0;

    if (!colon)
        return error_set(err, ERR_USAGE,
                         "\"%s\" is no address and port (127.0.0.1:0)", text);
    name = str_n(text, (size_t)(colon - text));
    number = str_of(colon + 1);
    if (!str_to_u64(number, &n) || n > 65535)
        return error_set(err, ERR_USAGE, "\"%.*s\" is no port (0 to 65535)",
                         STR_ARG(number));
    if (name.n >= 2 && name.s[0] == '[' && name.s[name.n - 1] == ']')
        name = str_sub(name, 1, name.n - 2);
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        if (str_eqz(name, hosts[i].name)) {
            *host = hosts[i].host;
            *port = (unsigned)n;
            return true;
        }
    }
    error_set(err, ERR_USAGE, "the sandbox listens on loopback only, not on %s",
              text);
    error_remedy(err, "MT-SANDBOX-LOOPBACK",
                 "Use 127.0.0.1, ::1 or localhost.");
    return false;
}

static int
refuse(int fd, const char *host, unsigned port, struct error *err)
{
    enum err_code code = errno == EADDRINUSE ? ERR_EXISTS
                         : errno == EACCES   ? ERR_DENIED
                                             : ERR_IO;

    error_errno(err, code, "cannot listen on %s port %u", host, port);
    if (code == ERR_EXISTS)
        error_remedy(err, "MT-PORT-TAKEN",
                     "Stop what listens there, or give --listen another "
                     "port.");
    if (fd >= 0)
        close(fd);
    return -1;
}

int
listen_open(const char *host, unsigned port, unsigned *got, struct error *err)
{
    bool v6 = strchr(host, ':') != NULL;
    struct sockaddr_in6 six = {.sin6_family = AF_INET6,
                               .sin6_port = htons((uint16_t)port),
                               .sin6_addr = in6addr_loopback};
    struct sockaddr_in four = {.sin_family = AF_INET,
                               .sin_port = htons((uint16_t)port),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr *sa = v6 ? (void *)&six : (void *)&four;
    socklen_t n = v6 ? sizeof(six) : sizeof(four);
    int on = 1;
    int fd = socket(v6 ? AF_INET6 : AF_INET,
                    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, sa, n) < 0 || listen(fd, BACKLOG) < 0 ||
        getsockname(fd, sa, &n) < 0)
        return refuse(fd, host, port, err);
    *got = ntohs(v6 ? six.sin6_port : four.sin_port);
    return fd;
}

unsigned
listen_connections(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) < 0 || r.rlim_cur == RLIM_INFINITY)
        return CONNECTIONS;
    return (unsigned)MIN(r.rlim_cur / 2, CONNECTIONS);
}
