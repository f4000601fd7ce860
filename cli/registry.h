/*
 * registry.h - what commands need to speak to a container registry: flags, a
 * loop, the user's credentials, progress on a terminal.
 * Lifetimes: registry_open ... registry_close.
 */
#ifndef CLI_REGISTRY_H
#define CLI_REGISTRY_H

#include "devenv/oci.h"

#include "cli/args.h"

/* clang-format off */
#define REGISTRY_FLAGS                                                         \
    {"registry-ca", 0, "FILE", "the registry's CA certificates (PEM)"},        \
    {"plain-http", 0, NULL, "speak to the registry without TLS"}
/* clang-format on */

struct registry_access {
    struct loop *loop;
    struct oci_options options;
    struct dockerconfig *credentials;
    struct buf ca;
};

bool registry_open(struct registry_access *r, const struct args *a,
                   struct error *err);
void registry_close(struct registry_access *r);

#endif
