/*
 * crd.h - CustomResourceDefinitions: checked, their names accepted, served,
 * and going only after their objects.
 *
 * Source: apiextensions-apiserver pkg/apis/apiextensions/validation and
 * pkg/controller/{status,establish,finalizer}. Establishing happens
 * in the call that creates the definition: its kind is served when that
 * returns.
 */
#ifndef DEVENV_SANDBOX_CRD_H
#define DEVENV_SANDBOX_CRD_H

#include "lib/schema/schema.h"

#include "devenv/sandbox/registry.h"

struct store_event;

void crd_prepare(const struct registry_write *w, struct json *obj,
                 const struct json *old, struct schema_findings *bad);
/* Accepts names and serves, or stops serving. */
void crd_written(struct registry *r, const struct json *obj,
                 const struct json *old);
bool crd_stays(struct registry *r, struct json *obj, bool dry);
/* True when the definition is served. */
bool crd_established(const struct json *obj);
/* Notes that objects of a going definition went. */
void crd_on_event(struct registry *r, const struct store_event *e);
/* Ends definitions whose objects are all gone; true when there was one. */
bool crd_turn(struct registry *r);

#endif
