/* The cache as a whole: where it is, how big, and freeing it. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/fetch.h"
#include "devenv/profile.h"

/* ---- where ---- */

char *
fetch_home(const char *variable, const char *under, const char *leaf)
{
    const char *xdg = getenv(variable), *home = getenv("HOME");

    if (xdg && xdg[0] == '/')
        return mem_printf("%s/meshtop/%s", xdg, leaf);
    if (home && home[0] == '/' && access(home, W_OK) == 0)
        return mem_printf("%s/%s/meshtop/%s", home, under, leaf);
    AUTO(mem_free_ptr) char *root = profile_temporary_root();

    return mem_printf("%s/%s/%s", root, under, leaf);
}

bool
fetch_home_make(const char *path, struct error *err)
{
    AUTO(mem_free_ptr) char *root = profile_temporary_root();

    size_t n = strlen(root);

    if (strncmp(path, root, n) == 0 && path[n] == '/' &&
        !profile_private_folder(root, err))
        return false;
    return file_mkdirs(path, 0700, err);
}

char *
fetch_cache_dir(void)
{
    return fetch_home("XDG_CACHE_HOME", ".cache", "sha256");
}

bool
fetch_is_cached(const char *sha256)
{
    AUTO(mem_free_ptr) char *root = fetch_cache_dir();
    AUTO(mem_free_ptr)
    char *path = mem_printf("%s/%.2s/%s", root, sha256, sha256);

    return file_exists(path);
}

/* ---- how big, and freeing ---- */

struct sweep {
    bool remove;
    uint64_t bytes; /* seen, or removed */
};

static void
close_folder(DIR **d)
{
    if (*d)
        closedir(*d);
}

/* One file of a folder. A part another process writes is left alone. */
static void
sweep_file(int folder, const char *name, struct sweep *s)
{
    int fd =
        openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;

    if (fd < 0)
        return;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        if (!s->remove || (flock(fd, LOCK_EX | LOCK_NB) == 0 &&
                           unlinkat(folder, name, 0) == 0))
            s->bytes += (uint64_t)st.st_size;
    }
    close(fd);
}

uint64_t
fetch_sweep(const char *folder, bool remove)
{
    struct sweep s = {.remove = remove};
    AUTO(close_folder) DIR *d = opendir(folder);
    const struct dirent *e;

    while (d && (e = readdir(d)))
        sweep_file(dirfd(d), e->d_name, &s);
    return s.bytes;
}

/* The folders 00 to ff of the cache. */
static uint64_t
sweep_cache(bool remove)
{
    AUTO(mem_free_ptr) char *hashes = fetch_cache_dir();
    uint64_t bytes = 0;

    for (unsigned i = 0; i < 256; i++) {
        AUTO(mem_free_ptr) char *folder = mem_printf("%s/%02x", hashes, i);

        bytes += fetch_sweep(folder, remove);
        if (remove)
            rmdir(folder);
    }
    if (remove)
        rmdir(hashes);
    return bytes;
}

uint64_t
fetch_cache_size(void)
{
    return sweep_cache(false);
}

uint64_t
fetch_cache_purge(void)
{
    return sweep_cache(true);
}
