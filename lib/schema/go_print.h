/*
 * go_print.h - schemas, rules and versions as the API server's errors show
 * them.
 *
 * What: the JSON that encoding/json makes of apiextensions' internal types.
 * Trees and texts are in fresh memory.
 */
#ifndef LIB_SCHEMA_GO_PRINT_H
#define LIB_SCHEMA_GO_PRINT_H

#include "lib/base/json.h"

/* What is the same in all versions and so stands above them in the internal
 * type. */
struct go_hoisted {
    bool schema, subresources, columns, selectable;
};

struct json *go_print_schema(const struct json *schema);
struct json *go_print_rule(const struct json *rule);
char *go_print_versions(const struct json *versions,
                        const struct go_hoisted *up);

#endif
