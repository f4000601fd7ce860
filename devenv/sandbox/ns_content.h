/*
 * ns_content.h - what every namespace holds without anybody asking: the
 * ServiceAccount "default" and the ConfigMap kube-root-ca.crt.
 *
 * What: as kube-controller-manager does it, after a namespace is there and
 * again when one of the two is gone; a namespace that is going gets nothing.
 * Why: clients wait for them (a pod needs its account), and a list on a
 * cluster never comes without them.
 */
#ifndef DEVENV_SANDBOX_NS_CONTENT_H
#define DEVENV_SANDBOX_NS_CONTENT_H

#include "devenv/sandbox/server.h"

extern const struct server_module ns_content_module;

#endif
