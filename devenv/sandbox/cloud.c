#include "devenv/sandbox/cloud.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/digest.h"
#include "lib/base/mem.h"

#include "devenv/sandbox/control.h"
#include "devenv/sandbox/kobj.h"

enum { HASH_DIGITS = 16 };

void
cloud_init(struct cloud *c, struct registry *r)
{
    *c = (struct cloud){.registry = r};
}

void
cloud_release(struct cloud *c)
{
    cloud_forget(c);
}

void
cloud_forget(struct cloud *c)
{
    map_release(&c->foreign, free);
    c->looked = false;
}

static const struct kind *
external_kind(const struct cloud *c)
{
    return registry_resource(c->registry, CLOUD_GROUP, NULL, CLOUD_PLURAL);
}

/* ---- names ---- */

static char *
identity(const struct cloud_id *id)
{
    return mem_printf("%s/%s/%s", id->group, id->kind, id->external_name);
}

/* The name we give: the kind, and a hash of the identity. */
static char *
own_name(const struct cloud_id *id)
{
    AUTO(mem_free_ptr) char *whole = identity(id);
    char hex[DIGEST_HEX_MAX];
    char *name;

    digest_hex(DIGEST_SHA256, str_of(whole), hex);
    name = mem_printf("%s-%.*s", id->kind, HASH_DIGITS, hex);
    for (char *s = name; *s; s++)
        *s = (char)tolower((unsigned char)*s);
    return name;
}

static struct cloud_id
id_of(const struct json *external)
{
    const struct json *spec = json_get(external, "spec");

    return (struct cloud_id){
        json_string_or(json_get(spec, "group"), ""),
        json_string_or(json_get(spec, "kind"), ""),
        json_string_or(json_get(spec, "externalName"), ""),
    };
}

/* Remembers the object when its name is none of ours. */
static void
remember(struct cloud *c, const struct json *external)
{
    struct cloud_id id = id_of(external);
    AUTO(mem_free_ptr) char *key = identity(&id);
    AUTO(mem_free_ptr) char *own = own_name(&id);

    if (strcmp(own, kobj_name(external)) != 0)
        free(
            map_put(&c->foreign, str_of(key), mem_strdup(kobj_name(external))));
}

static bool
look_at(void *arg, struct str text)
{
    struct error err;
    AUTO(json_free_ptr) struct json *external = json_parse(text, NULL, &err);

    remember(arg, external);
    return true;
}

void
cloud_heard(struct cloud *c, const struct registry_event *e)
{
    if (!c->looked)
        return;
    if (e->type == CHANGE_DELETED && map_count(&c->foreign))
        cloud_forget(c);
    else if (e->type != CHANGE_DELETED)
        look_at(c, e->text);
}

/* The name it has; to be freed. */
static char *
name_of(struct cloud *c, const struct kind *k, const struct cloud_id *id)
{
    char *own = own_name(id);
    const char *foreign;

    if (registry_has(c->registry, k, NULL, own))
        return own;
    if (!c->looked) {
        AUTO(status_release) struct status st = {0};

        registry_list(c->registry, k, NULL, NULL, look_at, c, &st);
        c->looked = true;
    }
    if (map_count(&c->foreign)) {
        AUTO(mem_free_ptr) char *key = identity(id);

        foreign = map_get(&c->foreign, str_of(key));
        if (foreign && registry_has(c->registry, k, NULL, foreign)) {
            free(own);
            return mem_strdup(foreign);
        }
    }
    return own;
}

/* ---- reading and writing ---- */

struct json *
cloud_find(struct cloud *c, const struct cloud_id *id)
{
    const struct kind *k = external_kind(c);
    AUTO(mem_free_ptr) char *name = NULL;

    if (!k || !*id->external_name)
        return NULL;
    name = name_of(c, k, id);
    return registry_get(c->registry, k, NULL, name);
}

static void
set_manager(struct json *spec, const struct json *mr, const char *plural)
{
    struct json *by = json_set(spec, "managedBy", json_new_object());

    json_set_string(by, "plural", plural);
    if (*kobj_namespace(mr))
        json_set_string(by, "namespace", kobj_namespace(mr));
    json_set_string(by, "name", kobj_name(mr));
}

bool
cloud_put(struct cloud *c, const struct cloud_id *id, const struct json *mr,
          const char *plural, int64_t now_s, struct json *parameters,
          struct status *st)
{
    const struct kind *k = external_kind(c);
    const struct registry_write w = {.manager = PROVIDER_MANAGER};
    AUTO(mem_free_ptr) char *name = k ? name_of(c, k, id) : NULL;
    struct json *external, *spec, *stored;
    char now[CLOCK_RFC3339_LEN];
    bool made = false;

    if (!k) {
        json_free(parameters);
        return true; /* its definition was deleted: nothing is remembered */
    }
    external = registry_get(c->registry, k, NULL, name);
    if (!external) {
        made = true;
        external =
            kobj_new(CLOUD_GROUP "/" CLOUD_VERSION, CLOUD_EXTERNAL, NULL, name);
    }
    spec = json_need_object(external, "spec");
    if (made) {
        clock_format(now_s, now);
        json_set_string(spec, "group", id->group);
        json_set_string(spec, "kind", id->kind);
        json_set_string(spec, "externalName", id->external_name);
        json_set_string(spec, "createdAt", now);
    }
    json_set(spec, "parameters", parameters);
    set_manager(spec, mr, plural);
    stored = made ? registry_create(c->registry, k, &w, NULL, external, st)
                  : registry_update(c->registry, k, &w, NULL, external, st);
    json_free(stored);
    return stored != NULL;
}

bool
cloud_delete(struct cloud *c, const struct cloud_id *id, struct status *st)
{
    const struct kind *k = external_kind(c);
    AUTO(mem_free_ptr) char *name = NULL;

    if (!k || !*id->external_name)
        return true;
    name = name_of(c, k, id);
    return registry_delete(c->registry, k, NULL, name, NULL, NULL, st) ||
           status_is(st, "NotFound");
}
