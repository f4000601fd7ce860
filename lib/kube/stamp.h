/*
 * stamp.h - inside of client.h: has a file changed since we looked?
 *
 * What: device, inode, size and time of change of the file a path leads to; a
 * file that is not there is a state, too. Nothing is read.
 */
#ifndef LIB_KUBE_STAMP_H
#define LIB_KUBE_STAMP_H

#include "lib/base/base.h"

struct kube_stamp {
    uint64_t v[4];
};

/* True when path (NULL: never) is no longer as *was says, which is brought up
 * to date. */
bool kube_stamp_changed(const char *path, struct kube_stamp *was);

#endif
