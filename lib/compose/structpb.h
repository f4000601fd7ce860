/*
 * structpb.h - JSON as google.protobuf.Struct keeps it.
 *
 * Why: what functions are given and what they answer travels as a Struct, whose
 * only number is the double. 9007199254740993 comes out as ...992 and 1e+21 as
 * Go prints it, on a cluster as in a render.
 */
#ifndef LIB_COMPOSE_STRUCTPB_H
#define LIB_COMPOSE_STRUCTPB_H

#include "lib/base/json.h"

/* Every number below j that a double changes gets the text of its double.
 * NULL is fine; a j that is itself a number stays. */
void structpb_numbers(struct json *j);
/* The Go type of a value that came out of a Struct: "float64", "nil". */
const char *structpb_type(const struct json *j);

#endif
