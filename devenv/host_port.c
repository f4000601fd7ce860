#include "devenv/host_port.h"

#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/docker_container.h"
#include "devenv/host_check.h"
#include "devenv/kind.h"

#define SOCKETS_MAX  ((size_t)16 << 20)
#define FIELD_LOCAL  1 /* of a line of /proc/net/tcp */
#define FIELD_STATE  3
#define FIELD_INODE  9
#define STATE_LISTEN "0A"
#define LOW_PORTS    "/proc/sys/net/ipv4/ip_unprivileged_port_start"

/* Field i of a line with any number of spaces between. */
static struct str
field(struct str line, size_t i)
{
    struct str word;

    while (str_next(&line, ' ', &word)) {
        if (word.n && i-- == 0)
            return word;
    }
    return (struct str){0};
}

/* The port of "0100007F:1F90", or -1. */
static int
port_of(struct str address)
{
    struct str host, port;
    char text[8], *end;

    if (!str_cut(address, ':', &host, &port) || port.n >= sizeof(text))
        return -1;
    memcpy(text, port.s, port.n);
    text[port.n] = '\0';
    long n = strtol(text, &end, 16);

    return *text && !*end ? (int)n : -1;
}

/* The inode of the socket that listens on port; 0 when none does. */
static uint64_t
listening_in(const struct host *h, const char *path, int port)
{
    AUTO(buf_release) struct buf b = BUF_INIT(SOCKETS_MAX);
    uint64_t inode;

    if (!host_read(h, path, &b))
        return 0;
    struct str line, rest = buf_view(&b);

    while (str_next(&rest, '\n', &line)) {
        if (port_of(field(line, FIELD_LOCAL)) == port &&
            str_eqz(field(line, FIELD_STATE), STATE_LISTEN) &&
            str_to_u64(field(line, FIELD_INODE), &inode))
            return inode;
    }
    return 0;
}

static uint64_t
listening(const struct host *h, int port)
{
    uint64_t inode = listening_in(h, "/proc/net/tcp", port);

    return inode ? inode : listening_in(h, "/proc/net/tcp6", port);
}

bool
host_port_is_taken(const struct host *h, int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return listening(h, port) != 0;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    bool bound = bind(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
    bool taken = !bound && errno == EADDRINUSE;
    bool unknown = !bound && !taken;

    close(fd);
    return taken || (unknown && listening(h, port) != 0);
}

/* ---- who ---- */

struct search {
    char link[48]; /* "socket:[4711]" */
    struct host_port_owner *out;
};

static void
look_into(void *arg, const char *dir, pid_t pid, uid_t uid)
{
    struct search *s = arg;
    AUTO(mem_free_ptr) char *fds = file_join(dir, "fd");
    AUTO(mem_free_ptr) char *comm = file_join(dir, "comm");
    AUTO(buf_release) struct buf name = BUF_INIT(256);
    DIR *d = s->out->pid ? NULL : opendir(fds);
    struct dirent *e;

    (void)uid;
    while (d && (e = readdir(d))) {
        char target[64];
        ssize_t n = readlinkat(dirfd(d), e->d_name, target, sizeof(target));

        if (n <= 0 || !str_eqz(str_n(target, (size_t)n), s->link))
            continue;
        s->out->pid = pid;
        if (file_read(comm, &name, NULL))
            snprintf(s->out->program, sizeof(s->out->program), "%.*s",
                     STR_ARG(str_trim(buf_view(&name))));
        break;
    }
    if (d)
        closedir(d);
}

static bool
publishes(const struct docker_container *c, int port)
{
    for (size_t i = 0; i < c->ports_n; i++) {
        if (c->ports[i].host == port)
            return true;
    }
    return false;
}

static void
find_container(struct host *h, struct step_run *run, int port,
               struct host_port_owner *out)
{
    struct docker_containers list = {0};

    if (!h->docker ||
        !docker_containers(h->docker, run, NULL, h->arena, &list, NULL))
        return;
    for (size_t i = 0; i < list.n; i++) {
        if (!publishes(&list.v[i], port))
            continue;
        snprintf(out->container, sizeof(out->container), "%s", list.v[i].name);
        snprintf(out->cluster, sizeof(out->cluster), "%s",
                 docker_label(&list.v[i], KIND_LABEL_CLUSTER));
        return;
    }
}

void
host_port_owner(struct host *h, struct step_run *run, int port,
                struct host_port_owner *out)
{
    struct search s = {.out = out};
    uint64_t inode = listening(h, port);

    *out = (struct host_port_owner){0};
    if (inode) {
        snprintf(s.link, sizeof(s.link), "socket:[%llu]",
                 (unsigned long long)inode);
        host_each_process(h, look_into, &s);
    }
    find_container(h, run, port, out);
}

void
host_port_owner_text(const struct host_port_owner *o, struct buf *out)
{
    if (*o->container)
        buf_printf(out, "container \"%s\"", o->container);
    else if (o->pid)
        buf_printf(out, "%s (pid %lld)", *o->program ? o->program : "a program",
                   (long long)o->pid);
    else
        buf_puts(out, "a program of another user");
}

/* ---- the check ---- */

/* A rootless engine is a user like others: low ports are not for it. */
static void
check_right(struct host *h, int port, struct host_check *c)
{
    uint64_t first;

    if (!h->info || !h->info->rootless || !host_read_u64(h, LOW_PORTS, &first))
        return;
    host_note(c, "ports from %llu on are everybody's",
              (unsigned long long)first);
    if ((uint64_t)port < first)
        host_blame(c, HOST_FAIL, "MT-ROOTLESS-PORT",
                   "A rootless engine may not publish port %d: the low ports "
                   "end at %llu.",
                   port, (unsigned long long)first - 1);
}

static void
check_port(struct host *h, struct step_run *run, int port, struct host_check *c)
{
    AUTO(buf_release) struct buf who = BUF_INIT(512);
    struct host_port_owner o;

    check_right(h, port, c);
    if (!host_port_is_taken(h, port)) {
        host_note(c, "%d is free", port);
        return;
    }
    host_port_owner(h, run, port, &o);
    host_port_owner_text(&o, &who);
    host_note(c, "%d: %s", port, buf_cstr(&who));
    if (h->o->cluster && *o.cluster && strcmp(o.cluster, h->o->cluster) == 0)
        return; /* the cluster is there already */
    bool first = c->verdict != HOST_FAIL;

    host_blame(c, HOST_FAIL, "MT-PORT-TAKEN", "Port %d is used by %s.", port,
               buf_cstr(&who));
    if (first && *o.container)
        error_remedy(
            &c->error, "MT-PORT-TAKEN",
            "docker stop %s\nor publish no port: meshtop up --cluster single",
            o.container);
    else if (first && o.pid)
        error_remedy(&c->error, "MT-PORT-TAKEN",
                     "Stop %s (kill %lld), or publish no port:\n"
                     "meshtop up --cluster single",
                     *o.program ? o.program : "it", (long long)o.pid);
}

void
host_check_ports(struct host *h, struct step_run *run, struct host_check *c)
{
    struct str word, rest = str_of(h->o->ports);
    uint64_t port;
    bool any = false;

    while (rest.n && str_next(&rest, ' ', &word)) {
        if (!str_to_u64(word, &port) || !port || port > UINT16_MAX)
            continue;
        any = true;
        check_port(h, run, (int)port, c);
    }
    if (!any)
        host_found(c, "none wanted; kind takes a free one for the API");
    else
        host_found(c, "%s: %s", h->o->ports,
                   c->verdict == HOST_OK ? "free" : "not all are free");
}
