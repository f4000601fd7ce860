#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/schema/cel_value.h"
#include "lib/schema/node.h"

/*
 * apiextensions-apiserver's limits for what the rules of a schema may cost, by
 * estimate: StaticEstimatedCostLimit for each, StaticEstimatedCRDCostLimit for
 * all (pkg/apis/apiextensions/validation).
 */

enum { RULE_LIMIT = 10 * 1000 * 1000, SCHEMA_LIMIT = 100 * 1000 * 1000 };

/* "more than 100x", "2.5x", "1.200000x". */
static void
put_factor(uint64_t cost, double limit, struct buf *out)
{
    double factor = (double)cost / limit;
    char text[64];

    if (factor > 100)
        snprintf(text, sizeof(text), "more than 100x");
    else
        snprintf(text, sizeof(text), factor < 1.5 ? "%fx" : "%.1fx", factor);
    buf_puts(out, text);
}

static void
exceeds(struct schema_findings *problems, const char *field, const char *what,
        uint64_t cost, double limit)
{
    AUTO(buf_release) struct buf factor = BUF_INIT(128);

    put_factor(cost, limit, &factor);
    schema_findings_add(problems, field, "FieldValueForbidden",
                        "Forbidden: %s exceeds budget by factor of %s (try "
                        "simplifying the rule, or adding maxItems, "
                        "maxProperties, and maxLength where arrays, maps, and "
                        "strings are declared)",
                        what, buf_cstr(&factor));
}

void
schema_cost_add(struct schema_cost_total *total, const char *field,
                const char *what, uint64_t cost,
                struct schema_findings *problems)
{
    size_t at = total->count, max = ARRAY_LEN(total->worst);

    if (cost > RULE_LIMIT)
        exceeds(problems, field, what, cost, RULE_LIMIT);
    total->total =
        cost > UINT64_MAX - total->total ? UINT64_MAX : total->total + cost;
    if (cost < SCHEMA_LIMIT / 100)
        return;
    while (at > 0 && total->worst[at - 1].cost < cost)
        at--;
    if (at == max)
        return;
    if (total->count == max)
        free(total->worst[--total->count].path);
    for (size_t i = total->count; i > at; i--)
        total->worst[i] = total->worst[i - 1];
    total->worst[at].path = mem_strdup(field);
    total->worst[at].cost = cost;
    total->count++;
}

void
schema_cost_report(const struct schema_cost_total *total, const char *path,
                   struct schema_findings *problems)
{
    if (total->total <= SCHEMA_LIMIT)
        return;
    for (size_t i = 0; i < total->count; i++)
        schema_findings_add(problems, total->worst[i].path,
                            "FieldValueForbidden",
                            "Forbidden: contributed to estimated rule cost "
                            "total exceeding cost limit for entire OpenAPIv3 "
                            "schema");
    exceeds(problems, path,
            "x-kubernetes-validations estimated rule cost total for entire "
            "OpenAPIv3 schema",
            total->total, SCHEMA_LIMIT);
}

void
schema_cost_release(struct schema_cost_total *total)
{
    for (size_t i = 0; i < total->count; i++)
        free(total->worst[i].path);
}
