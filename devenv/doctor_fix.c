#include "devenv/doctor_fix.h"

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/host_check.h"

#define FILE_MAX ((size_t)1 << 20)

enum manager {
    MANAGER_APT,
    MANAGER_DNF,
    MANAGER_PACMAN,
    MANAGER_ZYPPER,
    MANAGER_APK,
    MANAGERS
};

static const struct {
    const char *id; /* of ID or ID_LIKE */
    enum manager manager;
} distributions[] = {
    {"debian", MANAGER_APT},           {"ubuntu", MANAGER_APT},
    {"fedora", MANAGER_DNF},           {"rhel", MANAGER_DNF},
    {"centos", MANAGER_DNF},           {"arch", MANAGER_PACMAN},
    {"suse", MANAGER_ZYPPER},          {"opensuse", MANAGER_ZYPPER},
    {"opensuse-leap", MANAGER_ZYPPER}, {"opensuse-tumbleweed", MANAGER_ZYPPER},
    {"alpine", MANAGER_APK},
};

/* Lines as a user writes them; root leaves "sudo " away. */
static const char *const installs[MANAGERS] = {
    [MANAGER_APT] = "sudo apt-get update && sudo apt-get install -y docker.io",
    [MANAGER_DNF] = "sudo dnf install -y moby-engine || "
                    "sudo dnf install -y podman podman-docker",
    [MANAGER_PACMAN] = "sudo pacman -S --noconfirm docker",
    [MANAGER_ZYPPER] = "sudo zypper --non-interactive install docker",
    [MANAGER_APK] = "sudo apk add docker",
};

/* Starts it, now and after each boot; the first whose file is there. */
static const struct {
    const char *file, *line;
} starts[] = {
    {"/run/systemd/system", "sudo systemctl enable --now docker"},
    {"/sbin/openrc", "sudo rc-update add docker default && "
                     "sudo rc-service docker start"},
    {"/", "sudo service docker start"},
};

static const struct {
    const char *id, *why, *line;
} others[] = {
    {"MT-ENGINE-PERM", "lets you use the engine (log in again afterwards)",
     "sudo usermod -aG docker \"$(id -un)\""},
    {"MT-HOST-INOTIFY", "keeps higher limits over the next boot",
     "printf 'fs.inotify.max_user_instances = 512\\n"
     "fs.inotify.max_user_watches = 524288\\n' | "
     "sudo tee /etc/sysctl.d/99-meshtop.conf"},
    {"MT-HOST-INOTIFY", "sets them now",
     "sudo sysctl -p /etc/sysctl.d/99-meshtop.conf"},
    {"MT-ROOTLESS-DELEGATE",
     "gives rootless engines the controllers (log in again afterwards)",
     "sudo mkdir -p /etc/systemd/system/user@.service.d && "
     "printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | "
     "sudo tee /etc/systemd/system/user@.service.d/delegate.conf && "
     "sudo systemctl daemon-reload"},
    {"MT-HOST-CLOCK", "lets the clock follow the network's",
     "sudo timedatectl set-ntp true"},
};

/* NAME=value or NAME="value" of os-release. */
static struct str
release_value(struct str text, const char *name)
{
    struct str line, key, value;

    while (str_next(&text, '\n', &line)) {
        if (!str_cut(line, '=', &key, &value) || !str_eqz(key, name))
            continue;
        value = str_trim(value);
        if (value.n >= 2 && (*value.s == '"' || *value.s == '\''))
            value = str_sub(value, 1, value.n - 2);
        return value;
    }
    return (struct str){0};
}

static bool
read_release(const struct host *h, struct buf *out)
{
    return host_read(h, "/etc/os-release", out) ||
           host_read(h, "/usr/lib/os-release", out);
}

char *
fix_distribution(const struct host *h)
{
    AUTO(buf_release) struct buf b = BUF_INIT(FILE_MAX);
    struct str name = {0};

    if (read_release(h, &b))
        name = release_value(buf_view(&b), "PRETTY_NAME");
    return mem_strndup(name.s, name.n);
}

static bool
manager_of(struct str ids, enum manager *out)
{
    struct str id;

    while (ids.n && str_next(&ids, ' ', &id)) {
        for (size_t i = 0; i < ARRAY_LEN(distributions); i++) {
            if (str_eqz(id, distributions[i].id)) {
                *out = distributions[i].manager;
                return true;
            }
        }
    }
    return false;
}

/* Is a file of the machine there? */
static bool
has_file(const struct host *h, const char *path)
{
    AUTO(mem_free_ptr) char *full = host_path(h, path);

    return file_exists(full);
}

static bool
has_engine(const struct host *h)
{
    static const char *const paths[] = {
        "/usr/bin/dockerd",       "/usr/sbin/dockerd", "/sbin/dockerd",
        "/usr/local/bin/dockerd", "/usr/bin/podman",   "/snap/bin/docker"};

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        if (has_file(h, paths[i]))
            return true;
    }
    return false;
}

/* line for us, in the host's arena. */
static const char *
as_user(const struct host *h, bool root, const char *line)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);
    struct str s = str_of(line);
    size_t at;

    while (root && (at = str_find(s, STR("sudo "), 0)) != SIZE_MAX) {
        buf_str(&b, str_sub(s, 0, at));
        s = str_from(s, at + strlen("sudo "));
    }
    buf_str(&b, s);
    return arena_strdup(h->arena, buf_cstr(&b));
}

/* An engine that does not answer is started; none at all is installed. */
static size_t
fix_engine(const struct host *h, bool root, struct doctor_fix *out, size_t max)
{
    AUTO(buf_release) struct buf b = BUF_INIT(FILE_MAX);
    enum manager m;
    size_t n = 0, i = 0;

    if (!read_release(h, &b) ||
        (!manager_of(release_value(buf_view(&b), "ID"), &m) &&
         !manager_of(release_value(buf_view(&b), "ID_LIKE"), &m)))
        return 0;
    if (n < max && !has_engine(h))
        out[n++] = (struct doctor_fix){"installs a container engine",
                                       as_user(h, root, installs[m])};
    while (!has_file(h, starts[i].file))
        i++;
    if (n < max)
        out[n++] =
            (struct doctor_fix){"starts it", as_user(h, root, starts[i].line)};
    return n;
}

size_t
fix_find(const struct host *h, const char *id, bool root,
         struct doctor_fix *out, size_t max)
{
    size_t n = 0;

    if (strcmp(id, "MT-ENGINE-DOWN") == 0)
        return fix_engine(h, root, out, max);
    for (size_t i = 0; i < ARRAY_LEN(others) && n < max; i++) {
        if (strcmp(others[i].id, id) == 0)
            out[n++] = (struct doctor_fix){others[i].why,
                                           as_user(h, root, others[i].line)};
    }
    return n;
}
