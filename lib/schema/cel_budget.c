#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/schema/node.h"

void
schema_cost_report(const struct schema_cost_total *total, const char *path,
                   struct schema_findings *problems)
{
    (void)total;
    (void)path;
    (void)problems;
}

void
schema_cost_release(struct schema_cost_total *total)
{
    for (size_t i = 0; i < total->count; i++)
        free(total->worst[i].path);
}
