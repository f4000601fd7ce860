#include "lib/kube/discovery_disk.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/digest.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"

#define FILE_MAX ((size_t)16 << 20)
#define TTL_S    (6 * 3600)
#define MAGIC    "meshtop discovery 1\n"

static bool
is_plain(char c)
{
    return (unsigned char)c < 0x80 && (isalnum((unsigned char)c) || c == '.');
}

char *
kube_disk_home(void)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

    if (xdg && *xdg == '/')
        return file_join(xdg, "meshtop");
    return home && *home ? file_join(home, ".cache/meshtop") : NULL;
}

char *
kube_disk_folder(const char *cache_dir, const char *server, const char *ca)
{
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);
    AUTO(buf_release) struct buf name = BUF_INIT(200);
    char hex[DIGEST_HEX_MAX];
    struct str host = str_of(server);
    size_t at = str_find(host, STR("://"), 0);

    if (!cache_dir)
        return NULL;
    buf_printf(&key, "%s\n%s", server, ca ? ca : "");
    digest_hex(DIGEST_SHA256, buf_view(&key), hex);
    host = at == SIZE_MAX ? host : str_from(host, at + 3);
    for (size_t i = 0; i < host.n && i < 100 && host.s[i] != '/'; i++)
        buf_putc(&name, is_plain(host.s[i]) ? host.s[i] : '_');
    return mem_printf("%s/discovery/%s-%.12s", cache_dir, buf_cstr(&name), hex);
}

/* "/apis/apps/v1" is the file "_apis_apps_v1". */
static char *
file_of(const char *folder, const char *path)
{
    char *whole = file_join(folder, path + 1);

    for (char *p = whole + strlen(folder) + 1; *p; p++) {
        if (!is_plain(*p) && *p != '-')
            *p = '_';
    }
    return whole;
}

/* A plain file of ours that nobody else can write, young enough. */
static bool
is_good(int fd, bool old)
{
    int64_t now = clock_wall_ms(clock_system()) / 1000;
    struct stat s;

    return fstat(fd, &s) == 0 && S_ISREG(s.st_mode) && s.st_uid == geteuid() &&
           !(s.st_mode & 022) && s.st_size <= (off_t)FILE_MAX &&
           (old || (s.st_mtime <= now && now - s.st_mtime < TTL_S));
}

static bool
read_fd(int fd, struct buf *out)
{
    char piece[16384];
    ssize_t n;

    while ((n = read(fd, piece, sizeof(piece))) > 0) {
        if (!buf_add(out, piece, (size_t)n))
            return false;
    }
    return n == 0;
}

/* MAGIC, ETag, hash of the body, an empty line, the body. */
static bool
parse(struct str text, struct kube_disk_doc *out)
{
    char hex[DIGEST_HEX_MAX];
    struct str etag, hash, empty;

    if (!str_starts(text, STR(MAGIC)))
        return false;
    text = str_from(text, strlen(MAGIC));
    if (!str_cut(text, '\n', &etag, &text) ||
        !str_cut(text, '\n', &hash, &text) ||
        !str_cut(text, '\n', &empty, &text) || empty.n ||
        etag.n >= sizeof(out->etag))
        return false;
    digest_hex(DIGEST_SHA256, text, hex);
    if (!str_eqz(hash, hex))
        return false;
    *out = (struct kube_disk_doc){.body = BUF_INIT(FILE_MAX)};
    memcpy(out->etag, etag.s, etag.n);
    buf_str(&out->body, text);
    return true;
}

bool
kube_disk_read(const char *folder, const char *path, bool old,
               struct kube_disk_doc *out)
{
    AUTO(mem_free_ptr) char *file = file_of(folder, path);
    AUTO(buf_release) struct buf text = BUF_INIT(FILE_MAX);
    int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    bool ok = fd >= 0 && is_good(fd, old) && read_fd(fd, &text);

    if (fd >= 0)
        close(fd);
    return ok && parse(buf_view(&text), out);
}

void
kube_disk_release(struct kube_disk_doc *d)
{
    buf_release(&d->body);
}

void
kube_disk_write(const char *folder, const char *path, const char *etag,
                struct str body)
{
    AUTO(mem_free_ptr) char *file = file_of(folder, path);
    AUTO(buf_release) struct buf text = BUF_INIT(FILE_MAX);
    char hex[DIGEST_HEX_MAX];

    digest_hex(DIGEST_SHA256, body, hex);
    buf_printf(&text, MAGIC "%s\n%s\n\n", strchr(etag, '\n') ? "" : etag, hex);
    buf_str(&text, body);
    if (!text.over && file_mkdirs(folder, 0700, NULL))
        file_write(file, buf_view(&text), 0600, NULL);
}

void
kube_disk_touch(const char *folder, const char *path)
{
    AUTO(mem_free_ptr) char *file = file_of(folder, path);

    utimensat(AT_FDCWD, file, NULL, AT_SYMLINK_NOFOLLOW);
}
