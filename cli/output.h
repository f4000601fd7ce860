/*
 * output.h - -o text|wide|json|yaml|name, and trees printed as asked.
 *
 * On a terminal every character that could steer it is replaced; into a pipe
 * the bytes go as they are.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "lib/base/json.h"

#include "cli/args.h"

enum output { OUTPUT_TEXT, OUTPUT_WIDE, OUTPUT_JSON, OUTPUT_YAML, OUTPUT_NAME };

/* ERR_USAGE names what there is. */
bool output_of(const struct args *a, enum output *out, struct error *err);
/* JSON (indented) or YAML (sorted), as kubectl prints. */
void output_tree(const struct json *j, enum output how);
/* Text of our own making that holds names from the cluster, with newlines. */
void output_text(struct str s);
/* Was everything printed on standard output so far written? A full disk is
 * ERR_IO; a reader that left (head) is fine. */
bool output_flush(struct error *err);

#endif
