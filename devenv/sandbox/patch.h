/*
 * patch.h - the three patches that are pure functions of object and patch.
 *
 * What: JSON merge patch (RFC 7396), JSON patch (RFC 6902), and Kubernetes'
 * strategic merge patch for built-in kinds. Server-side apply is apply.h.
 * Lifetimes: the object is changed in place; the patch is only read.
 */
#ifndef DEVENV_SANDBOX_PATCH_H
#define DEVENV_SANDBOX_PATCH_H

#include "lib/base/json.h"

#include "devenv/sandbox/status.h"
#include "devenv/sandbox/types.h"

#define PATCH_OPERATIONS_MAX 10000

/* Both are objects. */
void patch_merge(struct json *object, const struct json *patch);
/* ops is the parsed body. 400 when it is no list of known operations, 413 when
 * there are too many, 422 when one cannot be carried out; *object may then be
 * half patched. */
bool patch_json(struct json **object, const struct json *ops,
                struct status *st);
/* type (NULL: unknown) decides which lists are merged by key. Directives:
 * $patch, $setElementOrder/x, $deleteFromPrimitiveList/x, $retainKeys. 500 on
 * what cannot be followed. */
bool patch_strategic(const struct types_struct *type, struct json *object,
                     const struct json *patch, struct status *st);
/* A patch as the server cites it: Go's map[a:b]. */
void patch_strategic_text(const struct json *patch, struct buf *out);

#endif
