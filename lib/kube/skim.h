/*
 * skim.h - inside of cache.h: one pass over an object's text.
 *
 * What: finds the few fields a list shows and the two members nobody looks at
 * (metadata.managedFields, the annotation last-applied-configuration), without
 * building a tree: ten thousand objects pass here at every start. Text that is
 * cut, of the wrong type or no JSON is refused or answered with absent fields;
 * what is kept is not fully checked (whoever opens the body parses it).
 * Lifetimes: the views of a result point into the text or, where a string
 * holds escapes, into the arena.
 */
#ifndef LIB_KUBE_SKIM_H
#define LIB_KUBE_SKIM_H

#include "lib/base/arena.h"
#include "lib/base/error.h"

#include "lib/kube/cache.h"

#define KUBE_SKIM_CUTS 2

struct kube_skim {
    struct kube_object o; /* all but body; views are not NUL-terminated */
    struct str kind;      /* of the object, "" when it does not say */
    struct str object;    /* of a row: its object's text, "" else */
    bool initial_end;     /* annotation k8s.io/initial-events-end is "true" */
    int64_t code;         /* of a Status, or 0 */
    struct str reason;    /* of a Status */
    struct str message;   /* of a Status */
    struct {
        size_t start, end;
    } cut[KUBE_SKIM_CUTS]; /* to leave out, in order */
    size_t cuts;
};

/* Reads the object in text. */
bool kube_skim_object(struct str text, struct arena *a, struct kube_skim *out,
                      struct error *err);
/* Reads a row of a Table: what its object says. */
bool kube_skim_row(struct str text, struct arena *a, struct kube_skim *out,
                   struct error *err);
/* Takes a line of a watch apart: {"type":"ADDED","object":{...}}. The views
 * point into line. */
bool kube_skim_event(struct str line, struct str *type, struct str *object,
                     struct error *err);

#endif
