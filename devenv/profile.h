/*
 * profile.h - one environment of ours: its folder, its files, what is in it.
 *
 * What: $XDG_STATE_HOME/meshtop/NAME/ (else ~/.local/state/...) with the
 * kubeconfig, the sandbox's database, logs, trash/ and state.json, which says
 * which engine the profile has and what was put on it. state.json is replaced
 * whole and atomically; whoever changes the profile holds its lock.
 * When HOME is unset or not writable a private temporary folder takes its
 * place: profile.temporary says so, the caller tells the user.
 * Lifetimes: profile_open ... profile_release; strings belong to it.
 */
#ifndef DEVENV_PROFILE_H
#define DEVENV_PROFILE_H

#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/str.h"

#define PROFILE_DEFAULT "mesh"

struct profile {
    char *name;
    char *dir;        /* 0700 once it exists */
    char *kubeconfig; /* dir/kubeconfig, 0600 */
    char *trash;      /* dir/trash: manifests of what was deleted */
    char *log;        /* dir/meshtop.log */
    bool temporary;
    int lock_fd; /* -1: not held */

    /* state.json; engine "" means nothing was brought up */
    char engine[16]; /* "sandbox", "kind", "context" */
    char context[256];
    struct strlist packages, examples;
    struct json *facts; /* what steps keep: profile_fact */
};

/* Names the files and reads state.json when there is one; makes nothing. A
 * name is 1 to 63 characters of a-z 0-9 - (ERR_USAGE). A state.json that is
 * damaged is ERR_PARSE with the remedy. */
bool profile_open(const char *name, struct profile *p, struct error *err);
void profile_release(struct profile *p);
/* Removes a state.json that cannot be read; for `down --force`. */
bool profile_discard_state(const char *name, struct error *err);
/* Something was brought up and its kubeconfig is there. */
bool profile_is_up(const struct profile *p);
/* Makes the folder and takes the lock; held by another process:
 * ERR_CONFLICT. Reads state.json again. */
bool profile_lock(struct profile *p, struct error *err);
void profile_unlock(struct profile *p);
/* Writes state.json. */
bool profile_save(const struct profile *p, struct error *err);
/* What steps keep from one run to the next, by key: "digest/STEP",
 * "image/REF", "package/REF", "container/NAME", "version/THING", "owner/uid",
 * "made/network", ... They prove what is ours and pin what was used; that
 * something is done is never taken from them. NULL: not there. The text lives
 * until the fact changes. */
const char *profile_fact(const struct profile *p, const char *key);
/* NULL removes it. In memory; profile_save writes. */
void profile_set_fact(struct profile *p, const char *key, const char *value);
/* Adds name once; removes it. */
void profile_note(struct strlist *list, const char *name);
void profile_forget(struct strlist *list, const char *name);
/* The folder that stands in where there is no home that can be written, in
 * fresh memory: /tmp/meshtop-UID. */
char *profile_temporary_root(void);
/* Makes such a folder; MT-STATE-FOLDER when one is there that is not ours, or
 * that others may write. */
bool profile_private_folder(const char *folder, struct error *err);
/* The names of all profiles that have a state.json, into out. */
bool profile_list(struct strlist *out, struct error *err);

#endif
