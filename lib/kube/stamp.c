#include "lib/kube/stamp.h"

#include <string.h>
#include <sys/stat.h>

bool
kube_stamp_changed(const char *path, struct kube_stamp *was)
{
    struct kube_stamp now = {0};
    struct stat s;
    bool same;

    if (!path)
        return false;
    if (stat(path, &s) == 0)
        now = (struct kube_stamp){{(uint64_t)s.st_dev, (uint64_t)s.st_ino,
                                   (uint64_t)s.st_size,
                                   (uint64_t)s.st_mtim.tv_sec * 1000000000 +
                                       (uint64_t)s.st_mtim.tv_nsec}};
    same = memcmp(&now, was, sizeof(now)) == 0;
    *was = now;
    return !same;
}
