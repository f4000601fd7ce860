/* How an engine's JSON becomes structs, and how requests' paths are made. */
#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "lib/kube/gvr.h"

#include "devenv/docker_call.h"

const char *
docker_text(struct arena *a, const struct json *j, const char *key)
{
    return arena_strdup(a, json_string_or(json_get(j, key), ""));
}

int64_t
docker_number(const struct json *j, const char *key)
{
    return json_int64_or(json_get(j, key), 0);
}

int64_t
docker_time(const struct json *j, const char *key)
{
    const char *text = json_get_string(j, key);
    int64_t s;

    return text && clock_parse(str_of(text), &s) && s > 0 ? s : 0;
}

const char **
docker_texts(struct arena *a, const struct json *list, size_t *n)
{
    size_t len = json_is(list, JSON_ARRAY) ? json_len(list) : 0;
    const char **v = len ? arena_array(a, len, sizeof(*v)) : NULL;

    *n = 0;
    if (!v)
        return NULL;
    for (struct json *c = json_first(list); c; c = json_next(c))
        if (json_string(c))
            v[(*n)++] = arena_strdup(a, json_string(c));
    return v;
}

struct docker_pair *
docker_pairs(struct arena *a, const struct json *object, size_t *n)
{
    size_t len = json_is(object, JSON_OBJECT) ? json_len(object) : 0;
    struct docker_pair *v = len ? arena_array(a, len, sizeof(*v)) : NULL;

    *n = 0;
    if (!v)
        return NULL;
    for (struct json *c = json_first(object); c; c = json_next(c))
        if (json_string(c))
            v[(*n)++] = (struct docker_pair){arena_strdup(a, json_key(c)),
                                             arena_strdup(a, json_string(c))};
    return v;
}

bool
docker_expect(const struct json *j, enum json_type type, const char *doing,
              struct error *err)
{
    if (json_is(j, type))
        return true;
    return error_set(err, ERR_PARSE,
                     "cannot %s: the engine's answer is not what its API "
                     "says",
                     doing);
}

void
docker_segment(struct buf *path, const char *value)
{
    for (const char *p = value; *p; p++) {
        bool plain = (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') ||
                     (*p >= '0' && *p <= '9') || strchr("-_.~:@", *p);

        if (plain)
            buf_putc(path, *p);
        else
            buf_printf(path, "%%%02X", (unsigned char)*p);
    }
}

void
docker_filter(struct buf *path, const char *key, const char *value)
{
    AUTO(json_free_ptr) struct json *filters = NULL;
    AUTO(mem_free_ptr) char *text = NULL;

    if (!value)
        return;
    filters = json_new_object();
    json_append(json_need_array(filters, key), json_new_string(value));
    text = json_text(filters, JSON_COMPACT);
    kube_query_add(path, "filters", str_of(text));
}

struct json *
docker_call_list(struct docker *d, struct step_run *run, const char *path,
                 const char *key, const char *value, enum json_type type,
                 const char *doing, struct error *err)
{
    AUTO(buf_release) struct buf full = BUF_INIT(4096);
    struct docker_request q = {.doing = doing};

    buf_puts(&full, path);
    docker_filter(&full, key, value);
    q.path = buf_cstr(&full);
    struct json *j = docker_call_json(d, run, &q, err);

    if (!j || docker_expect(j, type, doing, err))
        return j;
    json_free(j);
    return NULL;
}
