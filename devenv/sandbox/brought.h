/*
 * brought.h - what every sandbox has from its first start on (definitions,
 * roles): written once, and found again by later starts without reading the
 * assets it came from.
 *
 * What: a note of the store says of which bytes the objects were made and which
 * they are. It is written by the commit that writes the objects, so that it
 * never speaks of more than there is. Objects named with a revision must still
 * be at it, the others only be there: what somebody changed or deleted makes
 * the next start read the assets.
 */
#ifndef DEVENV_SANDBOX_BROUGHT_H
#define DEVENV_SANDBOX_BROUGHT_H

#include "lib/base/str.h"

#include "devenv/sandbox/store.h"

/* The name of the note, and what the objects are made of. */
struct brought {
    const char *note;
    struct str made_of;
};

/* All of it stands as it was noted. */
bool brought_stands(const struct store *s, const struct brought *b);
/* ids: "kind key" as the store has them. exact: with their revisions. */
void brought_note(struct store *s, const struct brought *b,
                  const struct strlist *ids, bool exact);

#endif
