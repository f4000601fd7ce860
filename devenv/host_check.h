/*
 * host_check.h - the inside of host.h: how a check reads and what it says.
 *
 * Each host_*.c holds checks of one family; their prototypes stand here for
 * the table in host.c.
 */
#ifndef DEVENV_HOST_CHECK_H
#define DEVENV_HOST_CHECK_H

#include <sys/types.h>

#include "devenv/host.h"

/* ---- saying ---- */
void host_found(struct host_check *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
void host_needed(struct host_check *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
void host_note(struct host_check *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* What is wrong, as a sentence, with the catalogue's remedy for the id. The
 * worst is kept, of equals the first; the others become evidence. */
void host_blame(struct host_check *c, enum host_verdict v, const char *id,
                const char *fmt, ...) PRINTF_LIKE(4, 5);
/* The same with an error of somebody else's, whole. */
void host_blame_error(struct host_check *c, enum host_verdict v,
                      const struct error *err);
/* Nothing to look at, and why. */
void host_skip(struct host_check *c, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* "3.1 GB" (steps of 1000) and "3.8 GiB" (1024). */
#define HOST_SIZE_LEN 24
void host_gb(uint64_t bytes, char out[HOST_SIZE_LEN]);
void host_gib(uint64_t bytes, char out[HOST_SIZE_LEN]);

/* ---- reading below the root ---- */
/* root + path in fresh memory; path begins with a slash. */
char *host_path(const struct host *h, const char *path);
/* The whole file (at most 1 MiB) into out; false when it cannot be read. */
bool host_read(const struct host *h, const char *path, struct buf *out);
/* A file that holds one number. */
bool host_read_u64(const struct host *h, const char *path, uint64_t *out);
/* "NAME:  123 kB" of a file like /proc/meminfo, in bytes. */
bool host_read_field(struct str text, const char *name, uint64_t *bytes);
/* The nearest folder at or above path that exists, in fresh memory. */
char *host_existing(const char *path);
/* Bytes free for us, of all, in the file system of path; inodes_ok is false
 * when it has nearly none left. */
bool host_space(const char *path, uint64_t *free_bytes, uint64_t *total,
                bool *inodes_ok);

/* Calls fn for every process that can be named, with the path of its folder
 * (below the root). */
typedef void host_process_fn(void *arg, const char *dir, pid_t pid, uid_t uid);
void host_each_process(const struct host *h, host_process_fn *fn, void *arg);

/* ---- the checks ---- */
host_check_fn host_check_engine, host_check_cpus, host_check_memory,
    host_check_swap, host_check_arch, host_check_disk, host_check_cgroup,
    host_check_rootless, host_check_inotify, host_check_files, host_check_ports,
    host_check_proxy, host_check_network, host_check_clock, host_check_tools,
    host_check_folders, host_check_kubeconfig, host_check_terminal;

#endif
