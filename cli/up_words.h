/*
 * up_words.h - the words of `up`, which `verify --up` takes as well.
 *
 * Lifetimes: options point into the args and into the struct up_words.
 */
#ifndef CLI_UP_WORDS_H
#define CLI_UP_WORDS_H

#include "devenv/up.h"

#include "cli/args.h"

/* Rows for a command's table of flags. */
#define UP_FLAGS                                                               \
    {"engine", 0, "NAME", "auto, sandbox, kind or context (default auto)"},    \
        {"examples", 0, "NAME,...", "example meshes to put on it"},            \
        {"with", 0, "NAME,...", "further packages"},                           \
        {"adopt", 0, NULL, "take over a cluster or Crossplane not ours"},      \
        {"cluster", 0, "NAME", "kind: single, three-nodes or ingress"},        \
        {"node-image", 0, "REF", "kind: this image for the nodes"},            \
        {"crossplane", 0, "VERSION", "this version of Crossplane"},            \
        {"registry-mirror", 0, "HOST", "packages and images come from here"},  \
        {"registry-ca", 0, "FILE", "the mirror's CA certificates (PEM)"},      \
    {                                                                          \
        "on-failure", 0, "WHAT", "keep (default) or rollback"                  \
    }

struct up_words {
    struct up_options options;
    struct strlist examples, packages;
};

/* Reads and checks them; ERR_USAGE names the word that is wrong. Release in
 * any case. */
bool up_words_read(struct up_words *w, const struct args *a, struct error *err);
void up_words_release(struct up_words *w);

#endif
