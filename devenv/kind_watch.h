/*
 * kind_watch.h - looks at the nodes of a cluster that is being made, and says
 * when nothing can come of it any more.
 *
 * What: a task that asks the engine twice a second: has a node's container
 * ended, did its log say a word after which nothing comes (kind_output.h), does
 * the kubelet die again and again. kind itself notices the last only after
 * kubeadm's four minutes.
 * Why `stop`: whoever runs kind gives its run this flag for the time, so that
 * one word ends kind (2), be it the user's or the watch's.
 * Lifetimes: kind_watch_begin ... kind_watch_end; docker and run outlive it.
 */
#ifndef DEVENV_KIND_WATCH_H
#define DEVENV_KIND_WATCH_H

#include "lib/base/task.h"

#include "devenv/kind_output.h"

struct docker;

struct kind_watch {
    volatile int stop;  /* what the user's flag says, or 2: end it */
    struct error fatal; /* what was seen, once; code ERR_NONE: nothing */
    /* inside: */
    struct docker *docker;
    const char *cluster;
    const struct kind_output *output;
    const volatile int *user; /* the flag of the run */
    struct step_run run;      /* of its own: it shows nothing */
    struct task *task;
    unsigned turn; /* looks while kubeadm runs */
    bool over;
};

/* run->cancelled becomes w->stop until kind_watch_end. output tells which
 * step kind is in. */
bool kind_watch_begin(struct kind_watch *w, struct docker *d,
                      const char *cluster, const struct kind_output *output,
                      struct step_run *run, struct error *err);
/* Waits for the task and puts the run's flag back. */
void kind_watch_end(struct kind_watch *w, struct step_run *run);

/* Adds to out what a node left as evidence: the end of its log and of its
 * kubelet's journal. As far as they can be had. */
void kind_evidence(struct docker *d, const char *node, struct step_run *run,
                   struct buf *out);

#endif
