/* kube_config_extract of kubeconfig.h: one context, by itself. */
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "lib/kube/kubeconfig.h"
#include "lib/kube/kubeconfig_tree.h"

/* Members that are paths, relative to the file they stand in. */
static const char *const paths[] = {
    "certificate-authority", "client-certificate", "client-key", "tokenFile"};

static void
make_absolute(struct json *value, const char *key, const char *folder)
{
    const char *path = json_get_string(value, key);

    if (!path || !*path || *path == '/')
        return;
    /* Not through links of the path itself: they may be turned meanwhile. */
    AUTO(mem_free_ptr) char *base = realpath(folder, NULL);
    AUTO(mem_free_ptr) char *whole = file_join(base ? base : folder, path);

    json_set_string(value, key, whole);
}

/* Appends {name, KEY: a copy of the entry} to list. */
static void
add_entry(struct json *root, const char *list, const char *key,
          const struct kube_entry *e)
{
    struct json *item =
        json_append(json_need_array(root, list), json_new_object());
    struct json *value = e->value ? json_copy(e->value) : json_new_object();
    struct json *exec = json_get(value, "exec");
    const char *command = json_get_string(exec, "command");

    json_set_string(item, "name", e->name);
    json_set(item, key, value);
    for (size_t i = 0; i < ARRAY_LEN(paths); i++)
        make_absolute(value, paths[i], e->source->folder);
    /* A bare name is looked up in PATH, as it is. */
    if (command && strchr(command, '/'))
        make_absolute(exec, "command", e->source->folder);
}

bool
kube_config_extract(const struct kube_config *c, const char *context,
                    struct buf *out, struct error *err)
{
    const char *name = context ? context : c->current;
    AUTO(kube_access_free_ptr)
    struct kube_access *whole = kube_config_access(c, name, err);
    AUTO(json_free_ptr) struct json *root = json_new_object();

    if (!whole) /* it says what is missing */
        return false;
    const struct kube_entry *entry = kube_config_entry(c, KUBE_CONTEXTS, name);
    const struct kube_entry *user =
        kube_config_entry(c, KUBE_USERS, whole->user);

    json_set_string(root, "apiVersion", "v1");
    json_set_string(root, "kind", "Config");
    json_set_string(root, "current-context", name);
    add_entry(root, "clusters", "cluster",
              kube_config_entry(c, KUBE_CLUSTERS, whole->cluster));
    if (user)
        add_entry(root, "users", "user", user);
    add_entry(root, "contexts", "context", entry);
    return yaml_print(root, 0, out) ||
           error_set(err, ERR_LIMIT, "the context %s is too large", name);
}
