/*
 * sandbox_kubeconfig.h - `meshtop sandbox kubeconfig`: how another user than
 * the admin comes to the sandbox.
 *
 * What: signs a client certificate (user, groups) with the sandbox's CA, whose
 * key lies beside its data, and writes a kubeconfig that has it. It needs no
 * running server, only one that was started before.
 */
#ifndef CLI_SANDBOX_KUBECONFIG_H
#define CLI_SANDBOX_KUBECONFIG_H

#include "cli/command.h"

/* admin: the kubeconfig that the sandbox itself wrote; folder: where its
 * identity lies; name: of cluster and context. Answers the exit code. */
int sandbox_kubeconfig(const struct args *a, const char *folder,
                       const char *admin, const char *name);

#endif
