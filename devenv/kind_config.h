/*
 * kind_config.h - the configuration a Kind cluster is made from.
 *
 * What: a template of kind-config/ (compiled into the program) filled in for
 * one cluster: name, node image, ports, and a containerd that reads
 * /etc/containerd/certs.d, so that registries can be given trust later
 * (steps_kind.c, step "registry-trust").
 * Why a tree and not text: the template is parsed, changed and printed again,
 * so no name, image or path can end its scalar and become a key.
 * Invariants: every port the cluster publishes listens on 127.0.0.1 (kind's own
 * default is 0.0.0.0); the API's port is chosen by kind; a host port is fixed
 * only in a template that says so. A registry's CA is put into the node
 * afterwards rather than mounted: a path of ours means nothing to an engine
 * that runs in a virtual machine. After devenv.md 2.2.
 */
#ifndef DEVENV_KIND_CONFIG_H
#define DEVENV_KIND_CONFIG_H

#include "lib/base/buf.h"
#include "lib/base/error.h"

#define KIND_TEMPLATE_DEFAULT "single"

struct kind_config_options {
    const char *name;          /* of the cluster: a-z 0-9 . - */
    const char *template_name; /* NULL: KIND_TEMPLATE_DEFAULT */
    const char *image;         /* of all nodes; NULL: kind's own */
};

/* Appends the configuration as YAML. A template that is not there is ERR_USAGE
 * with the list of those that are, and so is a name kind would refuse. */
bool kind_config_render(const struct kind_config_options *o, struct buf *out,
                        struct error *err);
/* Is there such a template? Else ERR_USAGE with the list of those there are. */
bool kind_config_known(const char *template_name, struct error *err);
/* The names of all templates, sorted. */
void kind_config_templates(struct strlist *out);
/* The ports of this machine that a template publishes ("80 443"), into out.
 * Unknown templates have none. */
void kind_config_ports(const char *template_name, struct buf *out);

#endif
