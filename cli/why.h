/*
 * why.h - causes as text and as JSON.
 */
#ifndef CLI_WHY_H
#define CLI_WHY_H

#include "lib/mesh/why.h"

/* Numbered, with what each holds up and what to do; "well" when none. */
void why_print(const struct mesh_causes *c, const char *indent);
/* {object, health, causes: [...]}; the caller frees it. */
struct json *why_json(const struct mesh_item *of, const struct mesh_causes *c);

#endif
