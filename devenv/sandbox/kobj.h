/*
 * kobj.h - reading and changing the metadata of a Kubernetes object.
 *
 * What: the accessors the controllers share. Every reader accepts NULL and
 * answers ""; texts live as long as the object.
 */
#ifndef DEVENV_SANDBOX_KOBJ_H
#define DEVENV_SANDBOX_KOBJ_H

#include "lib/base/json.h"

const char *kobj_name(const struct json *obj);
const char *kobj_namespace(const struct json *obj);
const char *kobj_uid(const struct json *obj);
const char *kobj_kind(const struct json *obj);
const char *kobj_api_version(const struct json *obj);
const char *kobj_label(const struct json *obj, const char *key);
const char *kobj_annotation(const struct json *obj, const char *key);
int64_t kobj_generation(const struct json *obj);
/* metadata.resourceVersion as a number, 0 when there is none. */
int64_t kobj_revision(const struct json *obj);
bool kobj_is_deleted(const struct json *obj);

/* The owner reference with controller: true, or NULL. */
struct json *kobj_controller(const struct json *obj);
/* True when that one has this uid. */
bool kobj_is_controlled_by(const struct json *obj, const char *uid);
/* A reference to owner as a controller that blocks its deletion. */
struct json *kobj_owner_reference(const struct json *owner);

bool kobj_has_finalizer(const struct json *obj, const char *finalizer);
/* True: it was not there before. */
bool kobj_add_finalizer(struct json *obj, const char *finalizer);
/* True: it was there. */
bool kobj_remove_finalizer(struct json *obj, const char *finalizer);

void kobj_set_label(struct json *obj, const char *key, const char *value);
void kobj_set_annotation(struct json *obj, const char *key, const char *value);
/* A new object {apiVersion, kind, metadata: {name, namespace}}; ns "" or
 * NULL: none. */
struct json *kobj_new(const char *api_version, const char *kind, const char *ns,
                      const char *name);

/* The group of an apiVersion ("" for "v1"). */
struct str kobj_group(struct str api_version);

#endif
