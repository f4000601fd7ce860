/*
 * dockerconfig.h - registry credentials of the user's docker configuration.
 *
 * What: the plain `auths` of $DOCKER_CONFIG/config.json (else
 * ~/.docker/config.json). Credential helpers (credsStore, credHelpers) are
 * other people's programs: they are named, never run.
 * Invariants: nothing of a credential is printed, logged or put into an error;
 * memory that held one is wiped. A missing file is an empty configuration.
 * Lifetimes: dockerconfig_open ... dockerconfig_free.
 */
#ifndef DEVENV_DOCKERCONFIG_H
#define DEVENV_DOCKERCONFIG_H

#include "lib/base/buf.h"
#include "lib/base/error.h"

struct dockerconfig;

/* path NULL: the user's. A damaged file is ERR_PARSE, one that may not be
 * read ERR_DENIED. */
struct dockerconfig *dockerconfig_open(const char *path, struct error *err);
/* NULL is fine. */
void dockerconfig_free(struct dockerconfig *c);

/* Hosts that have a plain credential, as the file names them, in fresh
 * entries of out. */
void dockerconfig_hosts(const struct dockerconfig *c, struct strlist *out);
bool dockerconfig_has(const struct dockerconfig *c, const char *host);
/* A program keeps the host's credential (name of the helper), else NULL. */
const char *dockerconfig_helper(const struct dockerconfig *c, const char *host);
/* "currentContext", or "". */
const char *dockerconfig_context(const struct dockerconfig *c);

/* Appends a document {"auths":{HOST:{"auth":...}}} with this host's
 * credential, for a Secret of type kubernetes.io/dockerconfigjson; host is
 * "docker.io", "ghcr.io", "reg.example:5000". False: there is none. The
 * caller wipes out (dockerconfig_wipe). */
bool dockerconfig_json_for(const struct dockerconfig *c, const char *host,
                           struct buf *out);
/* The same with all plain credentials. */
bool dockerconfig_json_all(const struct dockerconfig *c, struct buf *out);
/* Appends the value of X-Registry-Auth for a host (url-safe base64); false:
 * there is no credential. */
bool dockerconfig_header_for(const struct dockerconfig *c, const char *host,
                             struct buf *out);
/* Appends the credential as HTTP's Basic scheme wants it (base64 of
 * user:secret); false: there is none. The caller wipes out. */
bool dockerconfig_basic_for(const struct dockerconfig *c, const char *host,
                            struct buf *out);
/* Overwrites and releases. */
void dockerconfig_wipe(struct buf *secret);

#endif
