/*
 * table.h - a server's Table (meta.k8s.io/v1) as aligned columns.
 */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "lib/base/json.h"

#define TABLE_ACCEPT                                                           \
    "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"

/* Prints answer: a Table, or the plain list or object of a server that knows
 * no Tables (NAME and AGE then). wide: columns of low priority too; with_ns:
 * NAMESPACE first. Returns the number of rows. */
size_t table_print(const struct json *answer, bool wide, bool with_ns);

#endif
