/*
 * tabwriter.h - columns as Go's text/tabwriter makes them, for output that has
 * to be another program's byte for byte.
 *
 * What: a text whose cells end in tabs becomes one whose columns are aligned
 * with spaces. A column is a run of lines that all have that cell; what stands
 * behind the last tab of a line belongs to no column.
 * Source: Go text/tabwriter, flags 0, padding character ' '.
 */
#ifndef CLI_TABWRITER_H
#define CLI_TABWRITER_H

#include "lib/base/buf.h"

struct tabwriter {
    size_t min_width; /* of a cell with its padding */
    size_t padding;   /* spaces behind the widest cell */
};

/* Appends text, aligned, to out. Widths are counted in code points, as Go
 * does. False: out is full. */
bool tabwriter_align(const struct tabwriter *w, struct str text,
                     struct buf *out);

#endif
