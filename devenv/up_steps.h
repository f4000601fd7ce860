/*
 * up_steps.h - what the steps of `up` share, and the functions behind them.
 *
 * What: the table in up.c names these functions; each family lives in a file
 * of its own (steps_engine.c, steps_host.c, steps_kind.c, steps_context.c,
 * steps_crossplane.c, steps_mesh.c). The context of every step is a struct up.
 * Lifetimes: what a step opens here belongs to the struct up and is released
 * by up_free. Steps run side by side: a step touches only what is its own, and
 * reads what the steps it needs have left.
 */
#ifndef DEVENV_UP_STEPS_H
#define DEVENV_UP_STEPS_H

#include "devenv/up.h"

struct docker;
struct steplog;

struct up {
    struct env *env;
    const struct up_options *options;
    const struct engine *engine;
    struct step_graph *graph;
    struct step_graph_options told; /* whom to tell of changes */
    struct steplog *log;            /* from up_begin on, or NULL */
    bool fresh;                     /* the profile was not up before */
    struct docker *docker; /* opened by the step "engine"; NULL before */
    char *kind;            /* path of the kind program, by the step "kind" */
    char *node_image;      /* reference the cluster is made of, "node-image" */
};

/* ---- steps_host.c: the machine, before anything is made ---- */
enum step_verdict up_host_check(void *up, struct step_run *run);
bool up_host(void *up, struct step_run *run, struct error *err);
enum step_verdict up_ports_check(void *up, struct step_run *run);
bool up_ports(void *up, struct step_run *run, struct error *err);
enum step_verdict up_network_check(void *up, struct step_run *run);
bool up_network(void *up, struct step_run *run, struct error *err);

/* ---- steps_mesh.c: the same on every engine ---- */
enum step_verdict up_api_check(void *up, struct step_run *run);
bool up_api(void *up, struct step_run *run, struct error *err);
enum step_verdict up_functions_check(void *up, struct step_run *run);
bool up_functions(void *up, struct step_run *run, struct error *err);
void up_functions_inputs(void *up, struct buf *out);
enum step_verdict up_xrds_check(void *up, struct step_run *run);
bool up_xrds(void *up, struct step_run *run, struct error *err);
void up_xrds_inputs(void *up, struct buf *out);
enum step_verdict up_compositions_check(void *up, struct step_run *run);
bool up_compositions(void *up, struct step_run *run, struct error *err);
void up_compositions_inputs(void *up, struct buf *out);
enum step_verdict up_examples_check(void *up, struct step_run *run);
bool up_examples(void *up, struct step_run *run, struct error *err);
bool up_ready(void *up, struct step_run *run, struct error *err);

/* ---- steps_engine.c: finds up->docker; looking finds it as well ---- */
enum step_verdict up_engine_check(void *up, struct step_run *run);
bool up_engine_open(void *up, struct step_run *run, struct error *err);

/* ---- steps_context.c: a cluster the user has; every engine's mark ---- */
enum step_verdict up_context_check(void *up, struct step_run *run);
bool up_context(void *up, struct step_run *run, struct error *err);
enum step_verdict up_mark_check(void *up, struct step_run *run);
bool up_mark(void *up, struct step_run *run, struct error *err);
bool up_mark_undo(void *up, struct step_run *run, struct error *err);

/* ---- steps_crossplane.c, steps_functions.c: not on the sandbox ---- */
enum step_verdict up_pull_secrets_check(void *up, struct step_run *run);
bool up_pull_secrets(void *up, struct step_run *run, struct error *err);
enum step_verdict up_crossplane_check(void *up, struct step_run *run);
bool up_crossplane(void *up, struct step_run *run, struct error *err);
void up_crossplane_inputs(void *up, struct buf *out);
enum step_verdict up_crds_check(void *up, struct step_run *run);
bool up_crds(void *up, struct step_run *run, struct error *err);
enum step_verdict up_crossplane_ready_check(void *up, struct step_run *run);
bool up_crossplane_ready(void *up, struct step_run *run, struct error *err);
enum step_verdict up_extra_functions_check(void *up, struct step_run *run);
bool up_extra_functions(void *up, struct step_run *run, struct error *err);
enum step_verdict up_rbac_check(void *up, struct step_run *run);
bool up_rbac(void *up, struct step_run *run, struct error *err);

/* ---- the sandbox's control plane ---- */
enum step_verdict up_sandbox_check(void *up, struct step_run *run);
bool up_sandbox(void *up, struct step_run *run, struct error *err);
bool up_sandbox_undo(void *up, struct step_run *run, struct error *err);

/* ---- steps_kind.c: a Kind cluster ---- */
enum step_verdict up_node_image_check(void *up, struct step_run *run);
bool up_node_image(void *up, struct step_run *run, struct error *err);
uint64_t up_node_image_bytes(void *up);
void up_node_image_inputs(void *up, struct buf *out);
enum step_verdict up_kind_tool_check(void *up, struct step_run *run);
bool up_kind_tool(void *up, struct step_run *run, struct error *err);
uint64_t up_kind_tool_bytes(void *up);
enum step_verdict up_kind_cluster_check(void *up, struct step_run *run);
bool up_kind_cluster(void *up, struct step_run *run, struct error *err);
bool up_kind_cluster_undo(void *up, struct step_run *run, struct error *err);

/* ---- steps_prefetch.c: images pulled while Kubernetes still starts ---- */
/* What the nodes will be asked to run for Crossplane and our functions, by the
 * names they will be asked by (steps_crossplane.c). */
bool up_images_needed(const struct up *up, struct strlist *out,
                      struct error *err);
enum step_verdict up_prefetch_check(void *up, struct step_run *run);
bool up_prefetch(void *up, struct step_run *run, struct error *err);

/* ---- steps_nodes.c: inside its nodes ---- */
enum step_verdict up_nodes_check(void *up, struct step_run *run);
bool up_nodes(void *up, struct step_run *run, struct error *err);
enum step_verdict up_images_check(void *up, struct step_run *run);
bool up_images(void *up, struct step_run *run, struct error *err);
enum step_verdict up_proxy_check(void *up, struct step_run *run);
bool up_proxy(void *up, struct step_run *run, struct error *err);
enum step_verdict up_registry_trust_check(void *up, struct step_run *run);
bool up_registry_trust(void *up, struct step_run *run, struct error *err);

#endif
