/*
 * redact.h - what must not leave the machine, taken out of texts and objects.
 *
 * What: a support bundle is read by strangers. Everything that goes into it
 * passes here: logs and other text line by line, Kubernetes objects, engine
 * answers and configuration files as trees. In doubt the value goes and its
 * name stays: a reader must see that something was there.
 * Rules (each has a row in tests/unit/devenv/test_redact.c):
 *   secrets that are known (redact_know) wherever they stand, base64 too;
 *   Authorization, Cookie and the like to the end of the line;
 *   user and password of a URL; Bearer and Basic;
 *   the value behind a name that sounds secret (password, token, api-key ...)
 *   as NAME=V, NAME: V, "NAME":"V", --NAME V and {name: NAME, value: V};
 *   private keys in PEM, also in base64; JSON web tokens; tokens of known make
 *   (ghp_, AKIA, glpat- ...); long mixed runs that look drawn by lot;
 *   values of Secrets and ConfigMaps, `auths` of a docker config,
 *   managedFields and last-applied-configuration (both repeat the object).
 * Not removed: names, addresses, hashes in plain hexadecimal, certificates in
 * PEM. Lifetimes: a struct redact owns what it knows; all zero knows nothing.
 */
#ifndef DEVENV_REDACT_H
#define DEVENV_REDACT_H

#include "lib/base/json.h"

#define REDACT_MARK "[redacted]"

struct redact {
    struct strlist known;
    size_t count; /* values taken out so far */
};

/* Remembers a secret of at least 6 bytes, and its base64 form. */
void redact_know(struct redact *r, struct str secret);
void redact_release(struct redact *r);
/* Appends text without its secrets; false when out is full. */
bool redact_text(struct redact *r, struct str text, struct buf *out);
/* Changes a tree: an object, a list of objects, an engine's answer, a
 * kubeconfig, a docker config. */
void redact_json(struct redact *r, struct json *j);
/* Does a key of this name hold something secret? ("dbPassword" does,
 * "secretName" does not) */
bool redact_name(struct str name);

#endif
