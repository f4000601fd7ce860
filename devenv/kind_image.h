/*
 * kind_image.h - the image nodes are made of, and images brought into nodes.
 *
 * What: which node image (the lock's: kind's own default where the engine runs
 * cgroup v2, Kubernetes 1.34 on cgroup v1, the last whose kubelet starts
 * there), and copies of images from the engine into the nodes, for what need
 * not be fetched a second time.
 * Invariants: the lock's images go by digest; a reference the user names is
 * taken as it is, and one that is in the engine is never pulled. What a
 * reference was resolved to is remembered in the profile (lock_pin); another
 * digest later is MT-DIGEST-CHANGED. After devenv.md 2.6, 2.7, 5.1 (I1).
 */
#ifndef DEVENV_KIND_IMAGE_H
#define DEVENV_KIND_IMAGE_H

#include "devenv/kind.h"

/* The reference nodes are made of, in fresh memory: asked (may be NULL), else
 * the lock's for the engine's cgroup version, from mirror when not NULL. */
char *kind_image_choose(const struct docker_info *info, const char *asked,
                        const char *mirror, struct error *err);

/* Copies an image of the engine into every node: one platform, saved to a
 * file, put there, imported by ctr, and looked at afterwards. Nodes that have
 * it are left out. Not in the engine: ERR_NOT_FOUND. */
bool kind_image_preload(struct docker *d, const struct kind_cluster *c,
                        const char *ref, struct step_run *run,
                        struct error *err);
/* Does containerd of a node have ref under exactly this name? */
bool kind_image_in_node(struct docker *d, const char *node, const char *ref,
                        struct step_run *run, bool *has, struct error *err);

#endif
