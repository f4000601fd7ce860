/* Warning events: what the cluster complains about, by object and time. */
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "devenv/verify_group.h"

void
verify_events_read(struct verify *v, struct verify_events *out)
{
    struct kube_request r = {.gvr = {"", "v1", "events"},
                             .field_selector = "type=Warning"};

    *out = (struct verify_events){0};
    out->list = verify_list(v, &r, &out->err);
}

void
verify_events_release(struct verify_events *w)
{
    json_free(w->list);
    w->list = NULL;
}

static int64_t
time_of(const struct json *text)
{
    int64_t s = 0;

    clock_parse(str_of(json_string_or(text, "")), &s);
    return s;
}

/* When it was last seen: the fields of both generations of the API. */
static int64_t
last_seen(const struct json *event)
{
    const struct json *fields[] = {
        json_at(event, "series", "lastObservedTime", NULL),
        json_get(event, "lastTimestamp"),
        json_get(event, "eventTime"),
        json_get(event, "firstTimestamp"),
        json_at(event, "metadata", "creationTimestamp", NULL),
    };

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        int64_t s = time_of(fields[i]);

        if (s)
            return s;
    }
    return 0;
}

static bool
same_text(const struct json *a, const struct json *b)
{
    return strcmp(json_string_or(a, ""), json_string_or(b, "")) == 0;
}

/* By uid where the event has one: an earlier object of the same name is
 * another one. */
static bool
is_about(const struct json *event, const struct json *object)
{
    const struct json *who = json_get(event, "involvedObject");
    const struct json *meta = json_get(object, "metadata");

    if (*json_string_or(json_get(who, "uid"), ""))
        return same_text(json_get(who, "uid"), json_get(meta, "uid"));
    return same_text(json_get(who, "kind"), json_get(object, "kind")) &&
           same_text(json_get(who, "name"), json_get(meta, "name")) &&
           same_text(json_get(who, "namespace"), json_get(meta, "namespace"));
}

char *
verify_events_about(const struct verify_events *w, const struct json *object,
                    int64_t since_s)
{
    const struct json *newest = NULL;
    int64_t at = since_s;

    for (const struct json *e = json_first(w->list); e; e = json_next(e)) {
        if (strcmp(json_string_or(json_get(e, "type"), ""), "Warning") != 0 ||
            !is_about(e, object))
            continue;
        int64_t seen = last_seen(e);

        if (seen <= at)
            continue;
        newest = e;
        at = seen;
    }
    if (!newest)
        return NULL;
    return mem_printf("%s: %s",
                      json_string_or(json_get(newest, "reason"), "Warning"),
                      json_string_or(json_get(newest, "message"), "-"));
}

int64_t
verify_since(const struct json *object, const char *type)
{
    const struct json *c = env_condition(object, type);

    return time_of(json_get(c, "lastTransitionTime"));
}
