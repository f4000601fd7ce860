/*
 * tool.h - the programs `up` calls: found, or fetched, and known to be right.
 *
 * What: for kind, kubectl, helm and crossplane-cli: (1) one on PATH whose
 * version is in the lock's range is used as it is; (2) else our own one in
 * $XDG_DATA_HOME/meshtop/bin/NAME-VERSION, whose content must still be what it
 * was (NAME-VERSION.sha256 beside it, readable by sha256sum -c); (3) else it
 * is downloaded (fetch.h), one member taken out of its archive (lib/base/
 * archive.h), and put there. Never sudo, always an absolute path.
 * Versions are read leniently: "kind v0.33.0 go1.26 linux/amd64",
 * "Client Version: v1.32.4-dispatcher". After devenv.md 4.3.
 * Errors: those of fetch.h; MT-TOOL-RANGE (the one on PATH is too old or too
 * new and ours cannot be had: both reasons are said), MT-TOOL-PLATFORM (not
 * made for this machine), MT-DIGEST-CHANGED (the vendor's checksum is not the
 * one this profile saw before).
 */
#ifndef DEVENV_TOOL_H
#define DEVENV_TOOL_H

#include "devenv/fetch.h"
#include "devenv/lock.h"

enum tool_source { TOOL_NONE, TOOL_PATH, TOOL_OURS };

struct tool {
    enum tool_source source;
    char *path;       /* absolute; NULL with TOOL_NONE */
    char version[64]; /* as the program says, or the lock's for TOOL_NONE */
    char why[256];    /* why the one on PATH was passed over, or "" */
};

/* Looks without the network. False only when cancelled or the lock has no
 * such tool; nothing found is TOOL_NONE. */
bool tool_check(struct step_run *run, const char *name, struct tool *out,
                struct error *err);
/* Looks, and brings it if it is not there; what was checked against a
 * vendor's file is remembered in the profile (may be NULL; the caller saves)
 * as fact "tool/NAME-VERSION-PLATFORM"; how it was checked becomes a part of
 * the step.
 * o may be NULL. */
bool tool_ensure(struct step_run *run, struct profile *p, const char *name,
                 const struct fetch_options *o, struct tool *out,
                 struct error *err);
/* The same by another lock than the one that is compiled in. */
bool tool_ensure_of(const struct lock *l, struct step_run *run,
                    struct profile *p, const char *name,
                    const struct fetch_options *o, struct tool *out,
                    struct error *err);
void tool_release(struct tool *t);
/* What tool_ensure would download: the lock's size, or about as much as the
 * tool usually has. */
uint64_t tool_bytes(const char *name);

/* The first version in text: "v1.32.4-dispatcher"; false when none. */
bool tool_version_in(struct str text, char out[64]);
/* Is version (a leading v and what follows the third number do not count) in
 * range: terms ">=1.2.3" "<2" with spaces between, all must hold? A range that
 * cannot be read is false. */
bool tool_in_range(const char *version, const char *range);

/* The folder of our own tools, in fresh memory. */
char *tool_dir(void);
/* Bytes of our own tools; removing them (how many bytes that freed). */
uint64_t tool_size(void);
uint64_t tool_purge(void);

#endif
