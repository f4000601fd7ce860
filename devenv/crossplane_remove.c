#include "devenv/crossplane.h"

bool
crossplane_remove(struct env *e UNUSED,
                  const struct crossplane_removal *o UNUSED,
                  struct step_run *run UNUSED, struct error *err)
{
    return error_set(err, ERR_UNSUPPORTED, "not there yet");
}
