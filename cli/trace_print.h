/*
 * trace_print.h - traces as the crossplane CLI prints them, byte for byte.
 *
 * Invariant: a printer reads only; the same trace gives the same bytes.
 * Source: crossplane CLI 2.5 cmd/crossplane/trace/internal/printer.
 */
#ifndef CLI_TRACE_PRINT_H
#define CLI_TRACE_PRINT_H

#include "cli/trace.h"

struct trace_style {
    bool wide;  /* whole messages, and which resource of the composition */
    bool ascii; /* |- instead of lines (upstream has none) */
    bool list;  /* several roots were asked for */
};

/* Each appends to out. */
typedef void trace_print_fn(const struct trace *t, const struct trace_style *s,
                            struct buf *out);
trace_print_fn trace_print_table;
trace_print_fn trace_print_json;
trace_print_fn trace_print_yaml;
trace_print_fn trace_print_dot; /* an undirected graph for graphviz */

#endif
