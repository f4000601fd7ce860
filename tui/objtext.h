/*
 * objtext.h - an object as text for people.
 *
 * What: YAML without what nobody reads (managedFields), with the values of a
 * Secret masked unless they are asked for; and line differences of two texts.
 */
#ifndef TUI_OBJTEXT_H
#define TUI_OBJTEXT_H

#include "lib/base/json.h"

/* Appends the object; reveal: a Secret's values as they are (base64). */
bool objtext_yaml(const struct json *object, bool reveal, struct buf *out);
/* What $EDITOR gets: without status and what the server owns. */
bool objtext_editable(const struct json *object, struct buf *out);
/* Lines of b against a, unified form with 3 lines of context ("+", "-", " ",
 * "@@"); nothing when they are equal. Longer than 20,000 lines or where the
 * middle parts differ in more than 4,000 lines: as one block. */
void objtext_diff(struct str a, struct str b, struct buf *out);

#endif
