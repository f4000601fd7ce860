/*
 * kind_create.h - a Kind cluster made by the `kind` program.
 *
 * What: runs `kind create cluster` with everything said explicitly: our
 * engine (DOCKER_HOST), our provider, our configuration, our kubeconfig, no
 * waiting (kind's --wait ends with 0 when it was for nothing) and --retain,
 * so that there is evidence when it fails. Its lines become parts of the run.
 * Beside it a watch looks at the nodes: a container that ended, a line in its
 * log after which nothing comes, a kubelet that dies again and again end kind
 * at once instead of after kubeadm's four minutes.
 * On failure: the cause in err; the node's last words and the kubelet's in
 * the run's log and in the profile's folder (node.log); the nodes are left as
 * they are (kind_remove).
 */
#ifndef DEVENV_KIND_CREATE_H
#define DEVENV_KIND_CREATE_H

#include "devenv/kind.h"
#include "devenv/kind_output.h"

struct kind_create {
    struct docker *docker;
    struct profile *profile;
    const char *kind;          /* path of the program */
    const char *image;         /* of the nodes */
    const char *template_name; /* kind_config.h; NULL: the default */
    int64_t limit_ms;          /* 0: 6 minutes */
};

/* There must be no cluster of that name. The facts (intent before; containers
 * and network after) are written and saved here. The kubeconfig is there
 * afterwards; the API need not answer yet. Errors: those of kind_output.h;
 * MT-DOCKER-CLI (kind needs the engine's command-line program and there is
 * none on PATH), MT-NODE-BOOT, MT-KUBEADM. */
bool kind_create(const struct kind_create *c, struct step_run *run,
                 struct error *err);

#endif
