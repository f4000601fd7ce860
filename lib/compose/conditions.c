#include "lib/compose/conditions.h"

#include "lib/base/clock.h"

struct json *
condition_get(const struct json *obj, const char *type)
{
    struct json *list = json_at(obj, "status", "conditions", NULL);

    for (struct json *c = json_first(list); c; c = json_next(c)) {
        if (strcmp(json_string_or(json_get(c, "type"), ""), type) == 0)
            return c;
    }
    return NULL;
}

bool
condition_true(const struct json *obj, const char *type)
{
    const struct json *c = condition_get(obj, type);

    return strcmp(json_string_or(json_get(c, "status"), ""), "True") == 0;
}

static bool
is_same(const struct json *old, const struct condition *c)
{
    return strcmp(json_string_or(json_get(old, "status"), ""), c->status) ==
               0 &&
           strcmp(json_string_or(json_get(old, "reason"), ""), c->reason) ==
               0 &&
           strcmp(json_string_or(json_get(old, "message"), ""),
                  c->message ? c->message : "") == 0 &&
           json_int64_or(json_get(old, "observedGeneration"), 0) ==
               c->generation;
}

bool
condition_set(struct json *obj, const struct condition *c, int64_t now_s)
{
    struct json *old = condition_get(obj, c->type);
    char now[CLOCK_RFC3339_LEN];

    if (old && is_same(old, c))
        return false;
    struct json *list =
        json_need_array(json_need_object(obj, "status"), "conditions");
    struct json *fresh = json_new_object();

    clock_format(now_s, now);
    json_set_string(fresh, "lastTransitionTime", now);
    if (c->message && *c->message)
        json_set_string(fresh, "message", c->message);
    if (c->generation)
        json_set_int(fresh, "observedGeneration", c->generation);
    json_set_string(fresh, "reason", c->reason);
    json_set_string(fresh, "status", c->status);
    json_set_string(fresh, "type", c->type);
    if (old)
        json_replace(list, old, fresh);
    else
        json_append(list, fresh);
    return true;
}

void
condition_names(struct strlist *names, struct buf *out)
{
    enum { SHOWN = 3 };
    size_t n = names->n;

    strlist_sort(names);
    for (size_t i = 0; i < MIN(n, SHOWN); i++) {
        if (i)
            buf_puts(out, n == SHOWN && i == SHOWN - 1 ? ", and " : ", ");
        buf_puts(out, names->v[i]);
    }
    if (n > SHOWN)
        buf_printf(out, ", and %zu more", n - SHOWN);
}
