/*
 * trace.h - an object and all it is made of, as the crossplane CLI sees it.
 *
 * What: follows the references that Crossplane itself writes: a claim to its
 * composite, a composite (modern or legacy) to its composed resources, a
 * package to its revisions and, through the Lock, to what it depends on. Each
 * is asked for by name, many at a time; nothing is listed but the revisions of
 * a package and, without a name, the kind itself.
 * Invariants: children are sorted as upstream sorts them; what cannot be read
 * is a node with an error, not a failure. An object that is its own ancestor
 * is shown and not followed.
 * Lifetimes: trace_release frees all nodes; the client and the discovery
 * outlive the trace.
 * Source: crossplane CLI 2.5 cmd/crossplane/trace, common/resource.
 */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include "cli/target.h"

#define TRACE_NODES_MAX 100000
#define TRACE_DEPTH_MAX 100

struct trace_node {
    struct json *object;  /* never NULL; when it could not be read: apiVersion,
                             kind, metadata.name and namespace */
    char *error;          /* why not, in the server's words, or NULL */
    struct json *details; /* the same as Go's encoding/json writes such an
                             error, {"ErrStatus": Status}, or NULL */
    struct trace_node *parent;
    struct trace_node **children;
    size_t n, cap;
};

/* What of a package's dependencies or revisions is shown. */
enum trace_show {
    TRACE_FEW, /* dependencies once each; active revisions */
    TRACE_ALL,
    TRACE_NONE
};

struct trace_options {
    bool secrets; /* connection secrets of claims and legacy composites */
    bool runtime_configs; /* of packages */
    enum trace_show dependencies, revisions;
};

struct trace {
    struct kube_client *client;
    struct kube_discovery *discovery;
    struct trace_options options;
    struct trace_node **roots;
    size_t n, cap;
    size_t nodes; /* in all trees */
};

/* Adds a root (object is taken over) and all below it; turns the loop.
 * ERR_LIMIT past TRACE_NODES_MAX; failures of single objects are nodes. */
bool trace_add(struct trace *t, struct json *object, struct error *err);
void trace_release(struct trace *t);

/* A Configuration, Provider or Function; a revision of one. */
bool trace_is_package(const struct json *object);
bool trace_is_revision(const struct json *object);

/* ---- for the files of the trace ---- */
/* A node below parent (NULL: a root) that still has to be read. */
struct trace_node *trace_node_new(struct trace *t, struct trace_node *parent,
                                  struct json *object);
struct json *trace_unread(const char *api_version, const char *kind,
                          const char *ns, const char *name);
/* Reads the objects of nodes (all at once) by their names. */
void trace_read(struct trace *t, struct trace_node *const *nodes, size_t n);
/* Everything below a package, in upstream's order. */
bool trace_package(struct trace *t, struct trace_node *root, struct error *err);

#endif
