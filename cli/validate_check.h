/*
 * validate_check.h - one object against the schema of its kind.
 *
 * What: defaults, then the schema, unknown fields and CEL rules, in the order
 * and in the words of `crossplane beta validate` (2.0.8).
 * Lifetimes: a check is released by its owner; the object is not changed.
 */
#ifndef CLI_VALIDATE_CHECK_H
#define CLI_VALIDATE_CHECK_H

#include "cli/sources.h"
#include "cli/validate_schemas.h"

enum check_status { CHECK_VALID, CHECK_INVALID, CHECK_MISSING };
enum check_type { CHECK_SCHEMA, CHECK_UNKNOWN_FIELD, CHECK_CEL };

struct check_fault {
    enum check_type type;
    char *field, *message; /* "field: message" is upstream's line */
    struct json_place at;
};

struct check {
    const struct source_doc *doc;
    const char *api_version, *kind;
    const char *name; /* its own, else the one a composition gives, else "" */
    enum check_status status;
    struct check_fault *faults;
    size_t n, cap;
};

/* False: the schema does not compile. crank: leave out what the API server
 * refuses but crank lets pass (equal elements of sets and keyed lists). */
bool check_run(struct check *c, const struct source_doc *doc,
               struct schema_set *schemas, bool crank, struct error *err);
void check_release(struct check *c);
/* "apps/v1, Kind=Deployment", "/v1, Kind=ConfigMap" appended. */
void check_gvk(const struct check *c, struct buf *out);

#endif
