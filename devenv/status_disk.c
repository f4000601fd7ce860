/* What a profile keeps on the disk. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/mem.h"

#include "devenv/status_probe.h"
#include "devenv/tool.h"

#define DEPTH_MAX   16
#define ENTRIES_MAX 100000
#define TURN_EVERY  1000

struct walk {
    struct probing *s;
    int64_t bytes;
    size_t entries;
};

/* Adds what is below the folder; links are not followed. Takes fd. */
static void
add_folder(struct walk *w, int fd, unsigned depth)
{
    DIR *d = fdopendir(fd);

    if (!d) {
        close(fd);
        return;
    }
    for (struct dirent *e; (e = readdir(d)) && !w->s->stop;) {
        struct stat st;

        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0 ||
            fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0)
            continue;
        if (w->entries++ >= ENTRIES_MAX)
            break;
        if (w->entries % TURN_EVERY == 0)
            loop_turn(w->s->ask->loop, 0);
        w->bytes += (int64_t)st.st_blocks * 512;
        if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX) {
            int sub = openat(dirfd(d), e->d_name,
                             O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

            if (sub >= 0)
                add_folder(w, sub, depth + 1);
        }
    }
    closedir(d);
}

static int64_t
size_of(struct probing *s, const char *path)
{
    struct walk w = {.s = s};
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0)
        add_folder(&w, fd, 0);
    return w.bytes;
}

/* What was fetched for all profiles: files by their hash, and programs. */
void
probe_disk(struct probing *s, struct step_run *run UNUSED)
{
    AUTO(mem_free_ptr) char *cache = fetch_cache_dir();
    AUTO(mem_free_ptr) char *tools = tool_dir();
    struct json *disk = NULL;

    if (!s->ask->profile)
        return;
    disk = json_need_object(s->doc, "disk");
    json_set_int(disk, "stateBytes", size_of(s, s->ask->profile->dir));
    json_set_int(disk, "cacheBytes", size_of(s, cache) + size_of(s, tools));
}
