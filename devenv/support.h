/*
 * support.h - everything a helper needs to see, in one file, without secrets.
 *
 * What: a .tar.gz (0600) with the profile's state and logs, the doctor's
 * words, the engine's and its containers' state and logs, the node's journal,
 * Crossplane's pods and their logs, events, packages, kinds and the mesh's
 * objects as YAML; and INDEX.txt, which says what it holds, what was left out
 * and why. Whatever does not answer (a dead cluster, no engine) is left out
 * and said; nothing here fails but writing the file.
 * Invariants: every byte passes devenv/redact.h, which knows the profile's
 * credentials and the user's registry credentials beforehand; Secrets and
 * ConfigMaps are not read at all, but for our own mark. At most max_file bytes
 * of a file (its newest part), max_bytes of all, limit_ms of time.
 * After devenv.md 2.8 (the tree of kind's export logs) and 5.3.
 */
#ifndef DEVENV_SUPPORT_H
#define DEVENV_SUPPORT_H

#include "devenv/env.h"

struct support_options {
    const char *out;    /* the file */
    uint64_t max_file;  /* 0: 2 MiB */
    uint64_t max_bytes; /* 0: 64 MiB, before compression */
    int64_t limit_ms;   /* 0: 90 s */
};

struct support_report {
    struct strlist held;     /* "profile/state.json (1,204 bytes)" */
    struct strlist left_out; /* "cluster: it does not answer (...)" */
    uint64_t bytes;          /* before compression */
    size_t redacted;         /* values taken out */
};

/* Turns the loop. False only when the file cannot be written, or cancelled. */
bool support_write(struct env *e, const struct support_options *o,
                   struct step_run *run, struct support_report *r,
                   struct error *err);
void support_report_release(struct support_report *r);

#endif
