/*
 * store_live.h - the store of a real cluster: lib/kube and lib/mesh/live.h.
 *
 * What: connects, watches what is asked for, sends writes. Nothing is
 * contacted before store_live_connect, so that the first frame waits for
 * nothing. A cluster or kubeconfig that cannot be used is a problem shown by
 * `link`, never an end.
 * Lifetimes: the loop, the clock and the options outlive it.
 */
#ifndef TUI_STORE_LIVE_H
#define TUI_STORE_LIVE_H

#include "tui/store.h"
#include "tui/tui.h"

struct tui_store *store_live_new(struct loop *l, const struct clock *clock,
                                 const struct tui_options *o);
/* Reads the kubeconfig and starts the watches. */
void store_live_connect(struct tui_store *s);
/* The options say something else now: there is no cluster (none), or another
 * one; to be followed by store_live_connect. */
void store_live_none(struct tui_store *s, bool none);

#endif
