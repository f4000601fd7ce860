/*
 * plan_fetch.h - what a plan asks of a live cluster, by single requests.
 *
 * What: a host for plans (lib/mesh/planner.h) that answers from what was
 * fetched so far and notes what was not: names become GETs, labels become a
 * LIST with labelSelector. A command plans, fetches what was asked for (all at
 * once), and plans again until nothing new is asked; so a plan of one product
 * costs requests for that product, however many others there are.
 * Kinds come from discovery; an XRD is asked for where a kind has the category
 * "composite" (crossplane internal/xcrd), a CustomResourceDefinition else.
 * Caps: 64 MiB of answers a plan, 20,000 questions.
 * Lifetimes: texts live until plan_fetch_free; the target outlives it.
 */
#ifndef CLI_PLAN_FETCH_H
#define CLI_PLAN_FETCH_H

#include "lib/mesh/planner.h"

#include "cli/target.h"

struct plan_fetch;

/* Turns the loop until discovery is there. */
struct plan_fetch *plan_fetch_new(struct target *t, struct error *err);
void plan_fetch_free(struct plan_fetch *f);
struct mesh_host plan_fetch_host(struct plan_fetch *f);
/* Questions that were put and not answered yet. */
size_t plan_fetch_open(const struct plan_fetch *f);
/* Asks them, turning the loop. What is refused (403) stays unknown and is
 * told by plan_fetch_refused; false: the cluster cannot be reached. */
bool plan_fetch_run(struct plan_fetch *f, struct error *err);
/* "secrets in dm-shop: forbidden ...", one each. */
const struct strlist *plan_fetch_refused(const struct plan_fetch *f);
/* How many requests were made so far, discovery excepted. */
size_t plan_fetch_requests(const struct plan_fetch *f);
/* From now on a kind of which many names are asked for is listed instead, as a
 * whole and once: for work on all products. */
void plan_fetch_bulk(struct plan_fetch *f);
/* One page of a kind, from all namespaces: each item goes to fn. token: "" at
 * first, then what the last call left there ("" when there are no more).
 * *remaining: items behind this page, as far as the server says. */
bool plan_fetch_page(struct plan_fetch *f, const struct kube_kind *kind,
                     struct buf *token, mesh_body_fn *fn, void *arg,
                     int64_t *remaining, struct error *err);
/* The served kind of objects, or NULL. */
const struct kube_kind *plan_fetch_kind(const struct plan_fetch *f,
                                        const char *api_version,
                                        const char *kind);

#endif
