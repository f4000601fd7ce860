/*
 * daemon.h - the sandbox of a profile as a background process.
 *
 * What: where its files are, starting it (our own executable again, in a
 * session of its own), stopping it, asking after it, removing its data.
 * The pid file is locked by the server as long as it lives, so that a process
 * that was killed never looks alive; it holds pid, port and start once the
 * server is ready.
 * Files in the profile's folder (0700): sandbox.db, sandbox.pem,
 * sandbox.token, sandbox.pid, kubeconfig, logs/sandbox.log; all 0600.
 */
#ifndef DEVENV_SANDBOX_DAEMON_H
#define DEVENV_SANDBOX_DAEMON_H

#include <sys/types.h>

#include "lib/base/error.h"
#include "lib/base/str.h"

struct daemon_paths {
    char *folder, *data, *pid_file, *kubeconfig, *log;
};
/* Names the files in the profile's folder; makes nothing. */
void daemon_paths(const char *folder, struct daemon_paths *p);
void daemon_paths_release(struct daemon_paths *p);
/* Makes the folder and the one for logs (0700). */
bool daemon_folders(const struct daemon_paths *p, struct error *err);

struct daemon_state {
    bool running;
    pid_t pid;
    unsigned port; /* 0: not ready yet */
    char host[16];
    int64_t started_s;     /* seconds since 1970 */
    int64_t file_bytes;    /* database and WAL */
    char kubeconfig[1024]; /* that it wrote, or "" */
};
void daemon_state(const struct daemon_paths *p, struct daemon_state *out);
/* Starts argv (our executable, "sandbox", "serve", ...) and waits until it
 * serves, at most 10 s. *already: it was running. ERR_TIMEOUT, or what the
 * log's last line says. */
bool daemon_start(const struct daemon_paths *p, const char *const *argv,
                  struct daemon_state *out, bool *already, struct error *err);
/* SIGTERM, then SIGKILL after 10 s; *was: it was running. */
bool daemon_stop(const struct daemon_paths *p, bool *was, struct error *err);
/* Removes database, identity and kubeconfig. ERR_CONFLICT while it runs. */
bool daemon_reset(const struct daemon_paths *p, struct error *err);

/* For the server: locks path (made 0600); -1 and ERR_CONFLICT when another
 * has it. */
int daemon_lock(const char *path, struct error *err);
/* Writes pid, address, start and kubeconfig (may be NULL) into the locked
 * file: ready. */
bool daemon_publish(int fd, const char *host, unsigned port,
                    const char *kubeconfig, struct error *err);
/* Empties the file and lets it go; fd < 0 is fine. */
void daemon_unlock(int fd);

#endif
