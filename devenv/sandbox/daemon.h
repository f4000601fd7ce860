/*
 * daemon.h - the sandbox of a profile as a background process.
 *
 * What: where its files are, starting it (our own executable again, in a
 * session of its own), stopping it, asking after it, removing its data.
 * Files under $XDG_STATE_HOME/meshtop/PROFILE/ (0700): sandbox.db, sandbox.pem,
 * sandbox.token, sandbox.pid (locked while it serves), kubeconfig,
 * logs/sandbox.log; all 0600.
 */
#ifndef DEVENV_SANDBOX_DAEMON_H
#define DEVENV_SANDBOX_DAEMON_H

#include <sys/types.h>

#include "lib/base/error.h"
#include "lib/base/str.h"

struct daemon_paths {
    char *folder, *data, *pid_file, *kubeconfig, *log;
};
/* Makes the folders. ERR_DENIED, ERR_IO; ERR_USAGE for a profile that is no
 * plain name. */
bool daemon_paths(const char *profile, struct daemon_paths *p,
                  struct error *err);
void daemon_paths_release(struct daemon_paths *p);

struct daemon_state {
    bool running;
    pid_t pid;
    unsigned port;
    int64_t started_s; /* seconds since 1970 */
};
bool daemon_state(const struct daemon_paths *p, struct daemon_state *out,
                  struct error *err);
/* Starts `argv` (our executable, "sandbox", "serve", ...) and waits until it
 * serves, at most 10 s. *already: it was running. ERR_TIMEOUT, or what the
 * log's last line says. */
bool daemon_start(const struct daemon_paths *p, const char *const *argv,
                  struct daemon_state *out, bool *already, struct error *err);
/* SIGTERM, then SIGKILL after 10 s; *was: it was running. */
bool daemon_stop(const struct daemon_paths *p, bool *was, struct error *err);
/* Removes database, identity and kubeconfig. ERR_CONFLICT while it runs. */
bool daemon_reset(const struct daemon_paths *p, struct error *err);

/* For the server: locks path and remembers the descriptor; -1 and ERR_CONFLICT
 * when another has it. */
int daemon_lock(const char *path, struct error *err);
/* Writes pid, port and start into the locked file. */
bool daemon_publish(int fd, unsigned port, struct error *err);

#endif
