/*
 * discovery_disk.h - inside of discovery.h: discovery documents on disk.
 *
 * What: each document as the server sent it, with its ETag, in
 * CACHE_DIR/discovery/HOST_PORT-HASH/ (0700, files 0600, written whole or not
 * at all). The hash is of the server's address and its certificate authority:
 * a cluster made anew at the same address starts from nothing. As kubectl's,
 * it is per server, not per user.
 * Invariants: what cannot be written is not kept and nobody is told; a file
 * that is not ours, open to others' writes, damaged, foreign or too large is as
 * good as absent. Documents older than 6 hours are only good for asking "is it
 * still the same" (their ETag).
 * Lifetimes: kube_disk_release what kube_disk_read filled.
 */
#ifndef LIB_KUBE_DISCOVERY_DISK_H
#define LIB_KUBE_DISCOVERY_DISK_H

#include "lib/base/buf.h"

/* The folder for kube_client_options.cache_dir: $XDG_CACHE_HOME/meshtop, else
 * ~/.cache/meshtop; NULL without a home. The caller frees it. */
char *kube_disk_home(void);
/* The folder of a server's documents; NULL without cache_dir. ca may be NULL.
 * The caller frees it. */
char *kube_disk_folder(const char *cache_dir, const char *server,
                       const char *ca);

struct kube_disk_doc {
    char etag[256]; /* "" when the server gave none */
    struct buf body;
};

/* The document of a path ("/apis"); old: also when it is past its time. False,
 * and nothing to release, when there is none. */
bool kube_disk_read(const char *folder, const char *path, bool old,
                    struct kube_disk_doc *out);
void kube_disk_release(struct kube_disk_doc *d);
void kube_disk_write(const char *folder, const char *path, const char *etag,
                     struct str body);
/* It was confirmed now: its time begins again. */
void kube_disk_touch(const char *folder, const char *path);

#endif
