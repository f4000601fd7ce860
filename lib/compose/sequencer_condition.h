/*
 * sequencer_condition.h - the condition of a function-sequencer rule (private
 * to lib/compose).
 *
 * What: a CEL expression over observed, desired and context of the request, as
 * the function sees them as protobuf messages: unset members are empty,
 * readiness is the number of the enum, connection_details has its proto name.
 * Numbers that are integers are int here and double there; CEL compares both.
 * Source: function-sequencer 0.6.0 fn.go evaluateCondition.
 */
#ifndef LIB_COMPOSE_SEQUENCER_CONDITION_H
#define LIB_COMPOSE_SEQUENCER_CONDITION_H

#include "lib/compose/function.h"

/* False: err->msg is what stands behind "cannot evaluate condition ...: ". */
bool sequencer_condition(const struct fn_request *req, const char *source,
                         bool *holds, struct error *err);

#endif
