#include <stdlib.h>

#include "lib/base/mem.h"

#include "tui/app.h"

/* Actions that mean the same wherever an object is selected. */

/* Up to the controlling owner of ref, as far as the cluster told. */
static void
open_owner(struct app *a, const struct tui_ref *ref)
{
    struct tui_source *s = a->source;
    struct tui_page *p = s->ops->page_open(s, ref);
    struct tui_ref owner = {0};
    bool found = false;

    s->ops->page_refresh(s, p);
    for (const struct json *o = json_first(
             json_at(p->object, "metadata", "ownerReferences", NULL));
         o && !found; o = json_next(o)) {
        if (json_bool(json_get(o, "controller"), false))
            found = tui_ref_set(&owner, json_get_string(o, "apiVersion"),
                                json_get_string(o, "kind"), ref->ns,
                                json_get_string(o, "name"));
    }
    s->ops->page_close(s, p);
    if (found)
        app_open(a, &view_page, &owner, NULL);
    else
        app_say(a, TUI_NONE, "%s has no owner", ref->name);
}

/* The marked objects, else the selected one, for the delete plan. */
static void
open_delete(struct app *a, const struct tui_ref *ref)
{
    struct view *v = app_top(a);
    struct tui_ref *refs = mem_zalloc(APP_CHOSEN_MAX, sizeof(*refs));
    size_t n = v->ops->marked ? v->ops->marked(v, refs, APP_CHOSEN_MAX) : 0;

    if (n == 0)
        refs[n++] = *ref;
    free(a->chosen);
    a->chosen = refs;
    a->chosen_n = n;
    app_open(a, &view_delete, &refs[0], NULL);
}

static void
copy_name(struct app *a, const struct tui_ref *ref)
{
    a->host.copy(a->host.arg, str_of(ref->name));
    app_say(a, TUI_OK, "copied: %s", ref->name);
}

bool
acts_common(struct app *a, enum action act)
{
    struct view *v = app_top(a);
    struct tui_ref ref;

    if (!v->ops->selected || !v->ops->selected(v, &ref))
        return false;
    switch (act) {
    case ACT_YAML:
        app_open(a, &view_yaml, &ref, NULL);
        return true;
    case ACT_DESCRIBE:
    case ACT_TREE:
        app_open(a, &view_page, &ref, NULL);
        return true;
    case ACT_WHY:
        app_open(a, &view_page, &ref, "why");
        return true;
    case ACT_PORTS:
        app_open(a, &view_page, &ref, "ports");
        return true;
    case ACT_EVENTS:
        app_open(a, &view_list, &ref, "@events");
        return true;
    case ACT_OWNER:
        open_owner(a, &ref);
        return true;
    case ACT_COPY:
        copy_name(a, &ref);
        return true;
    case ACT_EDIT:
        if (app_may_write(a))
            app_open(a, &view_edit, &ref, NULL);
        return true;
    case ACT_DELETE:
        open_delete(a, &ref);
        return true;
    default:
        return false;
    }
}
