/*
 * probes.h - what the engine answers by itself: /livez, /readyz, /healthz,
 * /version (open to everybody, as Kubernetes has them) and /sandbox/status.
 */
#ifndef DEVENV_SANDBOX_PROBES_H
#define DEVENV_SANDBOX_PROBES_H

#include "devenv/sandbox/server.h"

/* r reads what is open to everybody. */
bool probes_is_open(const struct http_request *r);
/* Answers r if it is one of the open paths. */
bool probes_open(struct server *s, struct http_request *r);
/* Answers r if it is /sandbox/status: pid, uptimeSeconds, objects, watches,
 * resourceVersion, databaseBytes, ... as one JSON object. */
bool probes_status(struct server *s, struct http_request *r);

#endif
