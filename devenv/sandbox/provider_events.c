/*
 * What changes make the provider look: every event of the registry comes here
 * once, after its commit.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/provider.h"

/* ---- our own writes ---- */

static char *
key_of(const char *group, const char *plural, const char *ns, const char *name)
{
    return mem_printf("%s/%s/%s/%s", group, plural, ns, name);
}

void
provider_wrote(struct provider *p, const char *group, const char *plural,
               const struct json *obj)
{
    AUTO(mem_free_ptr)
    char *key = key_of(group, plural, kobj_namespace(obj), kobj_name(obj));
    int64_t *seen = map_get(&p->seen, str_of(key));

    if (!seen) {
        seen = mem_zalloc(1, sizeof(*seen));
        map_put(&p->seen, str_of(key), seen);
    }
    *seen = kobj_revision(obj);
}

/* What we had read when we wrote is no news, nor is that write. */
static bool
is_our_write(struct provider *p, const struct registry_event *e)
{
    AUTO(mem_free_ptr)
    char *key = key_of(e->kind->group, e->kind->plural, e->ns, e->name);
    const int64_t *seen = map_get(&p->seen, str_of(key));
    bool ours = seen && (int64_t)e->revision <= *seen;

    if (seen && (int64_t)e->revision >= *seen)
        free(map_del(&p->seen, str_of(key)));
    return ours && e->type != CHANGE_DELETED;
}

/* ---- whom others' writes concern ---- */

bool
provider_is_config(const struct kind *k)
{
    return strcmp(k->kind, "ProviderConfig") == 0 ||
           strcmp(k->kind, "ClusterProviderConfig") == 0;
}

static void
look_again_at_all(void *arg, const struct kind *k)
{
    if (registry_in_category(k, "managed"))
        control_add_all(arg, JOB_MANAGED, k);
}

/* Whoever manages the external resource that somebody else wrote. */
static void
tell_manager(struct provider *p, const struct registry_event *e)
{
    struct error err;
    AUTO(json_free_ptr) struct json *x = json_parse(e->text, NULL, &err);
    const struct json *spec = json_get(x, "spec");
    const struct json *by = json_get(spec, "managedBy");
    const char *name = json_get_string(by, "name");

    if (name)
        control_add(p->control, JOB_MANAGED,
                    json_string_or(json_get(spec, "group"), ""),
                    json_string_or(json_get(by, "plural"), ""),
                    json_string_or(json_get(by, "namespace"), ""), name);
    else if (spec)
        registry_each_kind(p->control->registry, look_again_at_all, p->control);
}

static void
heard_own(struct provider *p, const struct registry_event *e)
{
    if (strcmp(e->kind->plural, CLOUD_FAULTS) == 0) {
        faults_heard(&p->faults);
        registry_each_kind(p->control->registry, look_again_at_all, p->control);
        return;
    }
    if (strcmp(e->kind->plural, CLOUD_PLURAL) != 0)
        return;
    cloud_heard(&p->cloud, e);
    if (!is_our_write(p, e))
        tell_manager(p, e);
}

/* Users are counted when nothing else is to be done: they come in crowds. */
static void
count_users(struct provider *p, const struct registry_event *e)
{
    struct error err;
    AUTO(json_free_ptr) struct json *u = json_parse(e->text, NULL, &err);
    const struct json *ref = json_get(u, "providerConfigRef");
    bool cluster = strcmp(json_string_or(json_get(ref, "kind"), ""),
                          "ProviderConfig") != 0;
    struct job j = {JOB_MANAGED, e->kind->group,
                    cluster ? "clusterproviderconfigs" : "providerconfigs",
                    cluster ? "" : e->ns,
                    json_string_or(json_get(ref, "name"), "")};
    const struct kind *k =
        registry_resource(p->control->registry, j.group, NULL, j.plural);

    if (k && registry_has(p->control->registry, k, j.ns, j.name))
        queue_add(p->control->queue, QUEUE_LOW, &j, control_now_ms(p->control),
                  0);
}

/* Those that wait for something of this kind. */
static void
wake_waiting(struct provider *p, const struct kind *k)
{
    AUTO(mem_free_ptr) char *key = mem_printf("%s/%s", k->group, k->kind);
    struct map *m = map_del(&p->waiting, str_of(key));

    for (struct map_entry *e = m ? map_first(m) : NULL; e; e = map_next(m, e)) {
        struct str part[4], rest = e->key;

        for (size_t i = 0; i < ARRAY_LEN(part); i++)
            str_next(&rest, '/', &part[i]);
        AUTO(mem_free_ptr) char *group = mem_strndup(part[0].s, part[0].n);
        AUTO(mem_free_ptr) char *plural = mem_strndup(part[1].s, part[1].n);
        AUTO(mem_free_ptr) char *ns = mem_strndup(part[2].s, part[2].n);

        control_add(p->control, JOB_MANAGED, group, plural, ns, part[3].s);
    }
    if (m)
        map_release(m, NULL);
    free(m);
}

bool
provider_heard(struct provider *p, const struct registry_event *e)
{
    const struct kind *k = e->kind;

    if (strcmp(k->group, CLOUD_GROUP) == 0)
        heard_own(p, e);
    else if (strcmp(k->kind, "ProviderConfigUsage") == 0)
        count_users(p, e);
    else if (provider_is_config(k))
        control_add(p->control, JOB_MANAGED, k->group, k->plural, e->ns,
                    e->name);
    else if (registry_in_category(k, "managed")) {
        if (map_count(&p->waiting))
            wake_waiting(p, k);
        return is_our_write(p, e);
    }
    return false;
}

struct provider *
provider_new(struct control *c)
{
    struct provider *p = mem_zalloc(1, sizeof(*p));

    p->control = c;
    cloud_init(&p->cloud, c->registry);
    faults_init(&p->faults, c->registry);
    return p;
}

static void
free_waiting(void *m)
{
    map_release(m, NULL);
    free(m);
}

void
provider_free(struct provider *p)
{
    if (!p)
        return;
    managed_kinds_free(p->kinds);
    cloud_release(&p->cloud);
    faults_release(&p->faults);
    map_release(&p->seen, free);
    map_release(&p->waiting, free_waiting);
    free(p);
}

void
provider_rolled_back(struct provider *p)
{
    map_release(&p->seen, free);
    cloud_forget(&p->cloud);
    faults_heard(&p->faults);
}
