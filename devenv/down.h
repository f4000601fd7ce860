/*
 * down.h - taking down what up made, and looking what is left.
 */
#ifndef DEVENV_DOWN_H
#define DEVENV_DOWN_H

#include "devenv/env.h"

/* Removes what up made. force: go on when the engine cannot be asked. What is
 * left is listed in leftovers (empty: clean). */
bool down_run(struct env *e, bool force, struct step_run *run,
              struct strlist *leftovers, struct error *err);

#endif
