#include "devenv/sandbox/patch.h"

/* The value a patch puts where nothing is: nulls in objects vanish. */
static struct json *
fresh(const struct json *patch)
{
    struct json *j;

    if (!json_is(patch, JSON_OBJECT))
        return json_copy(patch);
    j = json_new_object();
    patch_merge(j, patch);
    return j;
}

void
patch_merge(struct json *object, const struct json *patch)
{
    for (const struct json *p = json_first(patch); p; p = json_next(p)) {
        const char *key = json_key(p);
        struct json *old = json_get(object, key);

        if (json_is(p, JSON_NULL))
            json_del(object, key);
        else if (json_is(p, JSON_OBJECT) && json_is(old, JSON_OBJECT))
            patch_merge(old, p);
        else
            json_set(object, key, fresh(p));
    }
}
