/*
 * plan_json.h - plans for programs: docs/PLAN.md says what each member means,
 * docs/plan.schema.json is its schema.
 *
 * Values of Secrets are masked by the planner already.
 */
#ifndef CLI_PLAN_JSON_H
#define CLI_PLAN_JSON_H

#include "cli/plan_run.h"

/* Members are only added within a format version's first number. */
#define PLAN_FORMAT_VERSION "1.0"

/* The whole answer; the caller frees it and may add to it. */
struct json *plan_json(const struct plan_run *r);
/* The word of a sign: "add", "change", ... */
const char *plan_word(enum mesh_sign sign);

#endif
