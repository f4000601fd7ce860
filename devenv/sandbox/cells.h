/*
 * cells.h - what stands in the columns of built-in kinds, as the real server
 * prints them (kubernetes pkg/printers/internalversion/printers.go, observed).
 *
 * A cell of assets/api/kinds.txt is one of
 *     .a.b?text  the member as it is; text when it is absent (without: "")
 *     +.a.b      a number, 0 when absent        #.a.b  how many are in it
 *     ^.a.b      true or false                  ~      the age
 *     =name arg  what the function of that name in cells.c says of arg
 */
#ifndef DEVENV_SANDBOX_CELLS_H
#define DEVENV_SANDBOX_CELLS_H

#include "lib/base/buf.h"
#include "lib/base/json.h"

/* Appends the cell as JSON. now_s: seconds since 1970, for ages. */
void cells_print(const char *cell, const struct json *obj, int64_t now_s,
                 struct buf *out);
/* What the Name column says: default StorageClasses say that they are. */
void cells_print_name(const char *kind, const struct json *obj,
                      struct buf *out);

#endif
