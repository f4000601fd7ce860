/*
 * scope.h - the namespaces a user may read, for one who may not read all.
 *
 * What: asked only after a server refused a list over all namespaces: which
 * namespaces there are (or, where that is refused too, the context's one), and
 * what the user may do in each (SelfSubjectRulesReview, one request a
 * namespace for all kinds). A server that does not answer these is taken to
 * allow: the list itself will say.
 * Caps: 64 namespaces, the context's first; 4,096 rules each.
 * Lifetimes: free it before its client.
 */
#ifndef LIB_MESH_SCOPE_H
#define LIB_MESH_SCOPE_H

#include "lib/kube/client.h"

struct mesh_scope;

/* fn runs once, from the loop, after mesh_scope_ask. */
struct mesh_scope *mesh_scope_new(struct kube_client *c, loop_fn *fn,
                                  void *arg);
void mesh_scope_free(struct mesh_scope *s);
/* Starts the questions; does nothing the second time. */
void mesh_scope_ask(struct mesh_scope *s);
/* The answers are there. */
bool mesh_scope_known(const struct mesh_scope *s);
/* The i-th namespace, in order, in which the user may list and watch the
 * resource; NULL past the last. */
const char *mesh_scope_at(const struct mesh_scope *s,
                          const struct kube_gvr *gvr, size_t i);

#endif
