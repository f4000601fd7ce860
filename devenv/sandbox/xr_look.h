/*
 * xr_look.h - one look at a composite resource, as its steps share it.
 *
 * What: the object at hand, what may still have to be written of it, and the
 * few ways a step has to say what it found. xr_controller.c makes one, takes
 * it through the steps and ends it.
 * Lifetimes: one job; the look owns xr and before and views the rest.
 * Source: crossplane 2.0.8 (and 2.3.4 where said) composite/reconciler.go.
 */
#ifndef DEVENV_SANDBOX_XR_LOOK_H
#define DEVENV_SANDBOX_XR_LOOK_H

#include "devenv/sandbox/control.h"

struct xr_look {
    struct control *c;
    const struct job *j;
    struct xr_state *s;
    const struct kind *k;
    struct json *xr;
    struct json *before; /* status as it is stored */
    bool unsaved;        /* metadata or spec differ from what is stored */
};

/* ---- saying and writing (xr_look.c) ---- */
/* An event of the composite. */
void xr_say(struct xr_look *l, bool warning, const char *reason,
            const char *text);
/* Sets a condition with the generation at hand; message NULL: none. */
void xr_mark(struct xr_look *l, const char *type, const char *status,
             const char *reason, const char *message);
/* Appends "k=v,k2=v2" as a selector reads it. */
void xr_labels(const struct json *labels, struct buf *b);
/* Where Crossplane's own fields of the spec are, made when absent. */
struct json *xr_machinery(struct xr_look *l);
/* Writes metadata and spec; what was marked before is lost, as upstream. */
bool xr_update(struct xr_look *l, struct status *st);
/* Writes the status when anything in it changed. */
void xr_finish(struct xr_look *l);
/* A step failed: event and Synced False "WHAT: WHY". Always false. */
bool xr_failed(struct xr_look *l, const char *reason, const char *what,
               const char *why);

/* ---- which Composition, which revision (xr_select.c) ---- */
/* Selects both, writes what that changes. The revision belongs to the control,
 * for this job. NULL: failed, and said so. */
const struct json *xr_select(struct xr_look *l);

#endif
