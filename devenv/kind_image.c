#include "devenv/kind_image.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

#include "devenv/lock.h"

#define IMAGE        "node"
#define ON_CGROUP_V1 "cgroup-v1"

char *
kind_image_choose(const struct docker_info *info, const char *asked,
                  const char *mirror, struct error *err)
{
    AUTO(lock_release) struct lock lock = {0};
    AUTO(buf_release) struct buf ref = BUF_INIT(4096);
    const struct lock_entry *e = NULL;

    if (asked)
        return mem_strdup(asked);
    if (!lock_load(&lock, err))
        return NULL;
    if (strcmp(info->cgroup_version, "1") == 0)
        e = lock_for(&lock, IMAGE, ON_CGROUP_V1);
    if (!e)
        e = lock_default(&lock, IMAGE);
    if (!e || !lock_reference(e, mirror, &ref)) {
        error_set(err, ERR_INTERNAL, "the lock has no node image");
        return NULL;
    }
    return buf_take(&ref);
}
