/*
 * circuit.h - keeps events that never end from a composite resource.
 *
 * What: from Crossplane 2.1 on, an event asks for a reconcile only while its
 * composite has a token left: 100 at first, one more each second. An update
 * takes two (upstream looks at the old and the new object), anything else one.
 * Without a token the circuit opens for 5 minutes, and one event each 30
 * seconds passes. Condition Responsive says so, and who sent the most of the
 * last 16 events.
 * Source: crossplane 2.3.4 internal/circuit/{token_bucket,mapfunc}.go.
 */
#ifndef DEVENV_SANDBOX_CIRCUIT_H
#define DEVENV_SANDBOX_CIRCUIT_H

#include "lib/base/str.h"

struct circuit;

/* NULL is a circuit that nothing came through yet. circuit_free takes NULL. */
void circuit_free(struct circuit *c);
/* An event of source, which took that many tokens, at now_ms. True: it may
 * pass. *c is made when needed. */
bool circuit_pass(struct circuit **c, int64_t now_ms, const char *source,
                  unsigned tokens);
/* While it is open, who opened it; else NULL. c may be NULL. */
const char *circuit_open_by(const struct circuit *c);

#endif
