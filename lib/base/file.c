#include "lib/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/mem.h"
#include "lib/base/random.h"

#define DEPTH_MAX 200

static enum err_code
code_of_errno(void)
{
    if (errno == ENOENT || errno == ENOTDIR)
        return ERR_NOT_FOUND;
    if (errno == EACCES || errno == EPERM || errno == EROFS)
        return ERR_DENIED;
    return ERR_IO;
}

static void
close_fd(int *fd)
{
    if (*fd > STDERR_FILENO)
        close(*fd);
}

static bool
read_all(int fd, const char *path, struct buf *out, struct error *err)
{
    char chunk[16384];

    for (;;) {
        ssize_t n = read(fd, chunk, sizeof(chunk));

        if (n == 0)
            return true;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, code_of_errno(), "cannot read %s", path);
        if (!buf_add(out, chunk, (size_t)n))
            return error_set(err, ERR_LIMIT, "%s is larger than %zu bytes",
                             path, out->max);
    }
}

bool
file_read(const char *path, struct buf *out, struct error *err)
{
    bool standard = strcmp(path, "-") == 0;
    AUTO(close_fd)
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    size_t before = out->n;
    bool over = out->over;

    if (fd < 0)
        return error_errno(err, code_of_errno(), "cannot read %s", path);
    if (read_all(fd, standard ? "standard input" : path, out, err))
        return true;
    out->over = over;
    buf_truncate(out, before);
    return false;
}

bool
file_write_fd(int fd, const void *p, size_t n, struct error *err)
{
    const char *from = p;

    while (n) {
        ssize_t put = write(fd, from, n);

        if (put < 0 && errno == EINTR)
            continue;
        if (put < 0)
            return error_errno(err, code_of_errno(), "cannot write");
        from += put;
        n -= (size_t)put;
    }
    return true;
}

/* The folder's entry must be on the disk too, or a crash brings the old file
 * back; a file system that cannot do that is no failure. */
static void
sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTO(mem_free_ptr)
    char *folder =
        slash ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup(".");
    AUTO(close_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0)
        fsync(fd);
}

static bool
fill(int fd, struct str data, mode_t mode, struct error *err)
{
    if (fchmod(fd, mode) < 0)
        return error_errno(err, code_of_errno(), "cannot set the mode");
    if (!file_write_fd(fd, data.s, data.n, err))
        return false;
    if (fsync(fd) < 0)
        return error_errno(err, ERR_IO, "cannot write");
    return true;
}

bool
file_write(const char *path, struct str data, mode_t mode, struct error *err)
{
    /* A link stays a link: what it points to is replaced. */
    AUTO(mem_free_ptr) char *real = realpath(path, NULL);
    const char *target = real ? real : path;
    AUTO(mem_free_ptr) char *temporary = mem_printf("%s.XXXXXX", target);
    AUTO(close_fd) int fd = mkostemp(temporary, O_CLOEXEC);

    if (fd < 0) {
        error_errno(err, code_of_errno(), "cannot write");
        return error_wrap(err, "%s", path);
    }
    if (!fill(fd, data, mode, err)) {
        unlink(temporary);
        return error_wrap(err, "%s", path);
    }
    if (rename(temporary, target) < 0) {
        error_errno(err, code_of_errno(), "cannot replace %s", path);
        unlink(temporary);
        return false;
    }
    sync_folder(target);
    return true;
}

void
file_new_release(struct file_new *f)
{
    if (f->fd >= 0) {
        close(f->fd);
        unlinkat(f->folder, f->name, 0);
    }
    if (f->folder >= 0)
        close(f->folder);
    free(f->base);
    *f = FILE_NEW_NONE;
}

bool
file_new_open(struct file_new *f, const char *path, struct error *err)
{
    const char *slash = strrchr(path, '/');
    AUTO(mem_free_ptr)
    char *folder =
        slash ? mem_strndup(path, (size_t)(slash - path) + 1) : mem_strdup(".");
    char word[9];

    *f = FILE_NEW_NONE;
    f->base = mem_strdup(slash ? slash + 1 : path);
    f->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    random_name(word, sizeof(word) - 1);
    snprintf(f->name, sizeof(f->name), ".new-%s", word);
    if (f->folder >= 0)
        f->fd =
            openat(f->folder, f->name,
                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (f->fd >= 0)
        return true;
    error_errno(err, code_of_errno(), "cannot write %s", path);
    file_new_release(f);
    return false;
}

bool
file_new_keep(struct file_new *f, mode_t mode, struct error *err)
{
    if (fchmod(f->fd, mode) < 0 || fsync(f->fd) < 0)
        return error_errno(err, ERR_IO, "cannot write %s", f->base);
    if (renameat(f->folder, f->name, f->folder, f->base) < 0)
        return error_errno(err, ERR_IO, "cannot replace %s", f->base);
    fsync(f->folder);
    close(f->fd);
    f->fd = -1;
    return true;
}

bool
file_copy(int fd, const char *path, mode_t mode, struct error *err)
{
    AUTO(file_new_release) struct file_new to = FILE_NEW_NONE;
    char chunk[65536];
    ssize_t n;

    if (lseek(fd, 0, SEEK_SET) < 0)
        return error_errno(err, ERR_IO, "cannot read");
    if (!file_new_open(&to, path, err))
        return false;
    while ((n = read(fd, chunk, sizeof(chunk))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(err, ERR_IO, "cannot read");
        if (!file_write_fd(to.fd, chunk, (size_t)n, err))
            return error_wrap(err, "%s", path);
    }
    return file_new_keep(&to, mode, err);
}

static bool
make_folder(const char *path, mode_t mode, struct error *err)
{
    struct stat st;

    if (mkdir(path, mode) == 0) {
        /* The umask took bits away. */
        if (chmod(path, mode) == 0)
            return true;
    } else if (errno == EEXIST && stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return true;
        errno = ENOTDIR;
    }
    return error_errno(err, code_of_errno(), "cannot create the folder %s",
                       path);
}

bool
file_mkdirs(const char *path, mode_t mode, struct error *err)
{
    AUTO(mem_free_ptr) char *part = mem_strdup(path);

    for (char *at = part; *at; at++) {
        if (*at != '/' || at == part)
            continue;
        *at = '\0';
        if (!make_folder(part, mode, err))
            return false;
        *at = '/';
    }
    return make_folder(path, mode, err);
}

static bool remove_entries(int folder, unsigned depth, struct error *err);

static bool
remove_entry(int folder, const char *name, unsigned depth, struct error *err)
{
    if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
        return true;
    if (errno != EISDIR && errno != EPERM)
        return error_errno(err, code_of_errno(), "cannot remove %s", name);
    if (depth == 0)
        return error_set(err, ERR_LIMIT, "%s: more than %d folders deep", name,
                         DEPTH_MAX);
    int fd =
        openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return error_errno(err, code_of_errno(), "cannot remove %s", name);
    if (!remove_entries(fd, depth - 1, err))
        return error_wrap(err, "%s", name);
    if (unlinkat(folder, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return error_errno(err, code_of_errno(), "cannot remove %s", name);
    return true;
}

static void
close_folder(DIR **d)
{
    closedir(*d);
}

/* Takes over the descriptor. */
static bool
remove_entries(int folder, unsigned depth, struct error *err)
{
    AUTO(close_folder) DIR *d = fdopendir(folder);
    const struct dirent *e;

    while ((e = readdir(d))) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (!remove_entry(folder, e->d_name, depth, err))
            return false;
    }
    return true;
}

bool
file_remove_tree(const char *path, struct error *err)
{
    struct stat st;

    if (lstat(path, &st) < 0 && errno == ENOENT)
        return true;
    return remove_entry(AT_FDCWD, path, DEPTH_MAX, err);
}

bool
file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

char *
file_join(const char *a, const char *b)
{
    size_t n = strlen(a);

    return mem_printf("%s%s%s", a, n && a[n - 1] == '/' ? "" : "/", b);
}
