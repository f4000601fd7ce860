/*
 * discovery.h - /api, /apis and below: which resources are served, in the old
 * form and aggregated (v2 and v2beta1), with an ETag.
 *
 * Source: recorded answers (tests/wire/kubeapi). storageVersionHash is the
 * first 8 bytes of the SHA-256 of "group/version/Kind" in base64.
 */
#ifndef DEVENV_SANDBOX_DISCOVERY_H
#define DEVENV_SANDBOX_DISCOVERY_H

#include "lib/base/base.h"

struct rest;

/* Answers when the path is one of discovery's. */
bool discovery_serve(struct rest *rq);

#endif
