#include "tui/work.h"

bool
tui_work_runs(const struct tui_work *w)
{
    return w && (w->state == WORK_ASKING || w->state == WORK_RUNNING);
}
