/*
 * kubeconfig_tree.h - inside of kubeconfig.h: the merged entries, shared by
 * the reader (kubeconfig.c) and what resolves a context (access.c).
 */
#ifndef LIB_KUBE_KUBECONFIG_TREE_H
#define LIB_KUBE_KUBECONFIG_TREE_H

#include "lib/base/json.h"

#include "lib/kube/kubeconfig.h"

enum kube_section { KUBE_CLUSTERS, KUBE_USERS, KUBE_CONTEXTS, KUBE_SECTIONS };

struct kube_source {
    char *path;   /* "" for text */
    char *folder; /* what relative paths in it are relative to */
    struct json *root;
};

struct kube_entry {
    const char *name;
    const struct json *value; /* the cluster, user or context itself */
    const struct kube_source *source;
};

struct kube_config {
    struct kube_source *sources[64];
    size_t sources_n;
    struct kube_entry *entries[KUBE_SECTIONS];
    size_t entries_n[KUBE_SECTIONS], entries_cap[KUBE_SECTIONS];
    const char *current; /* or NULL */
};

/* The entry of a section, or NULL. */
const struct kube_entry *kube_config_entry(const struct kube_config *c,
                                           enum kube_section section,
                                           const char *name);

#endif
