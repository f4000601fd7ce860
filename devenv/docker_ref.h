/*
 * docker_ref.h - an image reference in its parts.
 *
 * [host[:port]/]path[:tag][@sha256:...]: the first part is a host when it has
 * a dot or a colon or is "localhost" (distribution's reference grammar).
 * Lifetimes: the parts live in the arena.
 */
#ifndef DEVENV_DOCKER_REF_H
#define DEVENV_DOCKER_REF_H

#include "lib/base/arena.h"
#include "lib/base/error.h"

struct docker_ref {
    const char *host;   /* "docker.io" when none is named */
    const char *name;   /* without tag and digest, as it was written */
    const char *tag;    /* "latest" when there is neither tag nor digest */
    const char *digest; /* "sha256:...", or "" */
    const char *exact;  /* name@digest, else name:tag */
};

/* ERR_USAGE for what no engine would take. */
bool docker_ref_parse(const char *text, struct arena *a, struct docker_ref *out,
                      struct error *err);
/* The same repository: "kindest/node" and "docker.io/kindest/node". */
bool docker_ref_same_name(struct str a, struct str b);

#endif
