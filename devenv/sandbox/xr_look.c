#include "devenv/sandbox/xr_look.h"

#include "lib/base/mem.h"

#include "lib/compose/conditions.h"

#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/xr_compose.h"

void
xr_say(struct xr_look *l, bool warning, const char *reason, const char *text)
{
    control_event(l->c, l->xr, XR_COMPONENT, warning, reason, "%s", text);
}

void
xr_mark(struct xr_look *l, const char *type, const char *status,
        const char *reason, const char *message)
{
    control_mark(l->c, l->xr, type, status, reason, message);
}

void
xr_labels(const struct json *labels, struct buf *b)
{
    for (const struct json *l = json_first(labels); l; l = json_next(l))
        buf_printf(b, "%s%s=%s", b->n ? "," : "", json_key(l),
                   json_string_or(l, ""));
}

struct json *
xr_machinery(struct xr_look *l)
{
    struct json *spec = json_need_object(l->xr, "spec");

    return l->s->type->legacy ? spec : json_need_object(spec, "crossplane");
}

bool
xr_update(struct xr_look *l, struct status *st)
{
    bool ok = control_update(l->c, l->k, CORE_MANAGER, &l->xr, st);

    l->unsaved = l->unsaved && !ok;
    return ok;
}

void
xr_finish(struct xr_look *l)
{
    if (!json_equal(l->before, json_get(l->xr, "status")))
        control_update_status(l->c, l->k, CORE_MANAGER, &l->xr);
    l->s->seen = MAX(l->s->seen, kobj_revision(l->xr));
}

bool
xr_failed(struct xr_look *l, const char *reason, const char *what,
          const char *why)
{
    AUTO(mem_free_ptr) char *text = mem_printf("%s: %s", what, why);
    AUTO(status_release) struct status st = {0};

    if (l->unsaved)
        xr_update(l, &st);
    xr_say(l, true, reason, text);
    xr_mark(l, "Synced", "False", "ReconcileError", text);
    xr_finish(l);
    return false;
}
