#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/builtin.h"
#include "devenv/sandbox/registry_state.h"

const char *
stored_name(const struct json *obj)
{
    return json_string_or(json_at(obj, "metadata", "name", NULL), "");
}

const char *
stored_ns(const struct json *obj)
{
    return json_string_or(json_at(obj, "metadata", "namespace", NULL), "");
}

bool
stored_deleting(const struct json *obj)
{
    return json_string(json_at(obj, "metadata", "deletionTimestamp", NULL)) !=
           NULL;
}

void
registry_now(const struct registry *r, char out[CLOCK_RFC3339_LEN])
{
    clock_format(clock_wall_ms(r->clock) / 1000, out);
}

/* ---- keys and reading ---- */

struct str
stored_key(const struct kind *k, const char *ns, const char *name,
           struct buf *b)
{
    buf_reset(b);
    if (k->namespaced) {
        buf_puts(b, ns ? ns : "");
        buf_putc(b, '/');
    }
    buf_puts(b, name);
    return buf_view(b);
}

bool
stored_find(struct registry *r, const struct kind *k, const char *ns,
            const char *name, struct store_item *out)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);

    return store_get(r->store, str_of(kind_info(k)->store_kind),
                     stored_key(k, ns, name, &b), 0, out);
}

struct json *
stored_read(const struct kind *k, struct blob *b)
{
    struct kind_info *info = kind_info(k);
    const struct builtin *special = info->builtin;
    struct json *obj = json_parse(blob_view(b), NULL, NULL);

    if (special && special->from_stored)
        special->from_stored(obj);
    else if (!k->storage)
        json_set_string(obj, "apiVersion", k->api_version);
    if (info->fit_read)
        kind_fit_read(info, obj);
    return obj;
}

size_t
stored_raw_head(const struct kind_info *k, struct str text, struct str *head)
{
    static const char prefix[] = "{\"apiVersion\":\"";
    struct str rest = str_from(text, sizeof(prefix) - 1);
    const char *end;

    *head = (struct str){0};
    if ((k->builtin && k->builtin->from_stored) || k->fit_read)
        return SIZE_MAX;
    if (k->pub.storage)
        return 0;
    end = str_starts(text, STR(prefix)) ? memchr(rest.s, '"', rest.n) : NULL;
    if (!end)
        return SIZE_MAX;
    *head = str_of(k->pub.api_version);
    return (size_t)(end - text.s);
}

/* ---- storing ---- */

/* apiVersion and kind first, so that another version can be shown by
 * replacing the head of the bytes. */
static void
put_type_first(struct json *obj, const char *api_version, const char *kind)
{
    struct json *c = json_first(obj);

    if (!c || strcmp(json_key(c), "apiVersion") != 0 || !json_next(c) ||
        strcmp(json_key(json_next(c)), "kind") != 0) {
        struct json *rest = json_new_object();

        json_del(obj, "apiVersion");
        json_del(obj, "kind");
        while ((c = json_first(obj))) {
            const char *key = json_key(c);
            AUTO(mem_free_ptr) char *copy = mem_strdup(key);

            json_set(rest, copy, json_detach(obj, c));
        }
        json_set_string(obj, "apiVersion", api_version);
        json_set_string(obj, "kind", kind);
        while ((c = json_first(rest))) {
            AUTO(mem_free_ptr) char *copy = mem_strdup(json_key(c));

            json_set(obj, copy, json_detach(rest, c));
        }
        json_free(rest);
    } else if (strcmp(json_string_or(c, ""), api_version) != 0) {
        json_set_string(obj, "apiVersion", api_version);
    }
}

static struct blob *
bytes_of(struct registry *r, const struct kind *k, struct json *obj,
         int64_t rev)
{
    const struct kind_info *info = kind_info(k);
    bool other = info->builtin && info->builtin->to_stored;
    AUTO(json_free_ptr) struct json *copy = NULL;
    struct json *stored = obj, *meta = json_need_object(obj, "metadata");
    char text[24];

    snprintf(text, sizeof(text), "%lld", (long long)rev);
    json_set_string(meta, "resourceVersion", text);
    put_type_first(obj, k->api_version, k->kind);
    if (other || !k->storage) {
        stored = copy = json_copy(obj);
        if (other)
            info->builtin->to_stored(copy);
        else
            json_set_string(copy, "apiVersion", info->storage_api_version);
        put_type_first(copy, json_get_text(copy, "apiVersion"), k->kind);
    }
    buf_reset(&r->print);
    if (!json_print(stored, JSON_COMPACT, &r->print))
        return NULL;
    return blob_new(buf_view(&r->print));
}

static bool
store_failed(const struct kind *k, const struct json *obj,
             const struct error *err, struct status *st)
{
    switch (err->code) {
    case ERR_EXISTS:
        return status_exists(st, k->group, k->plural, stored_name(obj));
    case ERR_NOT_FOUND:
        return status_not_found(st, k->group, k->plural, stored_name(obj));
    case ERR_CONFLICT:
        return status_conflict(
            st, k->group, k->plural, stored_name(obj),
            "the object has been modified; please apply your changes to the "
            "latest version and try again");
    case ERR_LIMIT:
        return status_set(st, 413, "RequestEntityTooLarge",
                          "Request entity too large: %s", err->msg);
    default:
        return status_internal(st, "%s", err->msg);
    }
}

/* What put and remove have in common: bytes, key, one call of the store. */
static bool
change(struct registry *r, const struct kind *k, struct json *obj,
       int64_t expect, bool remove, struct status *st)
{
    AUTO(buf_release) struct buf key = BUF_INIT(4096);
    struct str where = str_of(kind_info(k)->store_kind);
    struct blob *b = bytes_of(r, k, obj, store_next_rev(r->store));
    struct error err = {0};
    int64_t rev;

    if (!b)
        return status_set(st, 413, "RequestEntityTooLarge",
                          "Request entity too large: limit is %zu",
                          STORE_OBJECT_MAX);
    stored_key(k, stored_ns(obj), stored_name(obj), &key);
    rev = remove
              ? store_delete(r->store, where, buf_view(&key), expect, b, &err)
              : store_put(r->store, where, buf_view(&key), expect, b, &err);
    blob_drop(b);
    return rev > 0 || store_failed(k, obj, &err, st);
}

bool
stored_put(struct registry *r, const struct kind *k, struct json *obj,
           int64_t expect, struct status *st)
{
    return change(r, k, obj, expect, false, st);
}

bool
stored_remove(struct registry *r, const struct kind *k, struct json *obj,
              int64_t expect, struct status *st)
{
    return change(r, k, obj, expect, true, st);
}
