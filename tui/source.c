#include "tui/source.h"

#include <stdio.h>

static bool
fits(char *to, size_t size, const char *from)
{
    return snprintf(to, size, "%s", from ? from : "") < (int)size;
}

bool
tui_ref_set(struct tui_ref *out, const char *api, const char *kind,
            const char *ns, const char *name)
{
    *out = (struct tui_ref){0};
    if (fits(out->api, sizeof(out->api), api) &&
        fits(out->kind, sizeof(out->kind), kind) &&
        fits(out->ns, sizeof(out->ns), ns) &&
        fits(out->name, sizeof(out->name), name))
        return true;
    *out = (struct tui_ref){0};
    return false;
}

bool
tui_ref_eq(const struct tui_ref *a, const struct tui_ref *b)
{
    return strcmp(a->name, b->name) == 0 && strcmp(a->kind, b->kind) == 0 &&
           strcmp(a->ns, b->ns) == 0 && strcmp(a->api, b->api) == 0;
}

bool
tui_ref_of(struct tui_ref *out, const struct json *object)
{
    const struct json *meta = json_get(object, "metadata");

    return tui_ref_set(out, json_get_string(object, "apiVersion"),
                       json_get_string(object, "kind"),
                       json_get_string(meta, "namespace"),
                       json_get_string(meta, "name"));
}
