#include "cli/objects.h"

#include <ctype.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "lib/kube/merge.h"

#define OWN_GROUP "meshifi.io"

bool
objects_load(const struct args *a, struct manifest_set *out, struct error *err)
{
    AUTO(strlist_release) struct strlist files = {0};

    args_list(a, "filename", &files);
    if (files.n == 0)
        return error_set(err, ERR_USAGE, "say which files with -f");
    for (size_t i = 0; i < files.n; i++) {
        if (str_contains(str_of(files.v[i]), STR("://")))
            return error_set(err, ERR_USAGE,
                             "%s is an address: fetch it first, then -f FILE",
                             files.v[i]);
        if (!manifest_load(out, files.v[i], err))
            return false;
    }
    if (out->n == 0)
        return error_set(err, ERR_NOT_FOUND, "no object in %s", files.v[0]);
    manifest_sort(out);
    return true;
}

bool
objects_title(const char *api_version, const char *kind, const char *name,
              struct buf *out)
{
    struct str group = STR(""), version;

    kube_api_version_split(str_of(api_version), &group, &version);
    for (const char *p = kind; *p; p++)
        buf_putc(out, (char)tolower((unsigned char)*p));
    if (group.n)
        buf_printf(out, ".%.*s", STR_ARG(group));
    return buf_printf(out, "/%s", name);
}

void
object_release(struct object *o)
{
    free(o->ns);
    free(o->name);
    json_free(o->json);
    *o = (struct object){0};
}

static bool
fetch(struct target *t, struct object *o, struct error *err)
{
    struct kube_request r = {.gvr = o->kind->gvr, .ns = o->ns, .name = o->name};

    o->json = kube_client_wait_json(t->client, &r, err);
    return o->json != NULL;
}

static bool
note_namespace(void *arg, struct str item)
{
    struct json *j = json_parse(item, NULL, NULL);
    const char *ns = json_string(json_at(j, "metadata", "namespace", NULL));

    if (ns)
        strlist_add(arg, str_of(ns));
    json_free(j);
    return true;
}

/* A kind of ours is looked for in every namespace. */
static bool
find_namespace(struct target *t, struct object *o, struct error *err)
{
    AUTO(mem_free_ptr) char *only = mem_printf("metadata.name=%s", o->name);
    AUTO(strlist_release) struct strlist found = {0};
    struct kube_request r = {.gvr = o->kind->gvr, .field_selector = only};

    if (!kube_client_wait_list(t->client, &r, note_namespace, &found, err))
        return false;
    if (found.n == 1)
        o->ns = mem_strdup(found.v[0]);
    else if (found.n == 0)
        error_set(err, ERR_NOT_FOUND, "there is no %s %s in any namespace",
                  o->kind->singular, o->name);
    else
        error_set(err, ERR_CONFLICT,
                  "%s %s is in %zu namespaces (%s, %s%s): say which with -n",
                  o->kind->singular, o->name, found.n, found.v[0], found.v[1],
                  found.n > 2 ? ", ..." : "");
    return found.n == 1;
}

/* The core's group, and the groups of packages below it. */
static bool
is_ours(const char *group)
{
    return strcmp(group, OWN_GROUP) == 0 ||
           str_ends(str_of(group), STR("." OWN_GROUP));
}

bool
object_find(struct target *t, const struct args *a, const char *word,
            const char *name, struct object *out, struct error *err)
{
    struct object o = {0};
    struct str kind, rest;
    AUTO(mem_free_ptr) char *kind_word = NULL;
    bool slash = str_cut(str_of(word), '/', &kind, &rest);

    if (slash == (name != NULL))
        return error_set(err, ERR_USAGE, "say KIND NAME or KIND/NAME");
    kind_word = mem_strndup(kind.s, kind.n);
    o.kind = kube_discovery_seek(t->discovery, kind_word, err);
    if (!o.kind)
        return false;
    o.name = name ? mem_strdup(name) : mem_strndup(rest.s, rest.n);
    bool anywhere = o.kind->namespaced && !args_has(a, "namespace") &&
                    is_ours(o.kind->gvr.group);
    bool ok = !anywhere || find_namespace(t, &o, err);

    if (ok && o.kind->namespaced && !o.ns)
        o.ns = mem_strdup(
            args_get(a, "namespace", kube_client_access(t->client)->ns));
    if (ok && fetch(t, &o, err)) {
        *out = o;
        return true;
    }
    object_release(&o);
    return false;
}

bool
object_of(struct target *t, const struct args *a, const struct manifest *m,
          struct object *out, struct error *err)
{
    struct manifest_apply how = {.client = t->client,
                                 .discovery = t->discovery};
    struct object o = {.kind = manifest_kind(m, &how, err)};

    if (!o.kind)
        return false;
    o.name = mem_strdup(m->name);
    if (o.kind->namespaced)
        o.ns = mem_strdup(m->ns ? m->ns
                                : args_get(a, "namespace",
                                           kube_client_access(t->client)->ns));
    if (fetch(t, &o, err)) {
        *out = o;
        return true;
    }
    object_release(&o);
    return false;
}

/* "20261121T024205Z-orders.yaml"; what is not plain in a name becomes '-'. */
static char *
trash_name(const struct object *o)
{
    char now[CLOCK_RFC3339_LEN];
    AUTO(buf_release) struct buf b = BUF_INIT(400);

    clock_format(clock_wall_ms(clock_system()) / 1000, now);
    for (const char *p = now; *p; p++) {
        if (*p != '-' && *p != ':')
            buf_putc(&b, *p);
    }
    buf_putc(&b, '-');
    for (const char *p = o->name; *p; p++)
        buf_putc(&b, isalnum((unsigned char)*p) ? *p : '-');
    buf_puts(&b, ".yaml");
    return mem_strdup(buf_cstr(&b));
}

bool
objects_trash(struct target *t, const struct object *v, size_t n, char **path,
              struct error *err)
{
    AUTO(buf_release) struct buf text = BUF_INIT(BUF_TEXT_MAX);
    AUTO(mem_free_ptr) char *name = trash_name(&v[0]);
    AUTO(mem_free_ptr) char *file = file_join(t->profile.trash, name);

    buf_puts(&text, "# Deleted by meshtop; \"meshtop apply -f\" this file "
                    "brings it back.\n");
    for (size_t i = 0; i < n; i++) {
        AUTO(json_free_ptr) struct json *copy = json_copy(v[i].json);

        kube_strip(copy, KUBE_STRIP_SERVER | KUBE_STRIP_OWNED);
        buf_puts(&text, "---\n");
        yaml_print(copy, 0, &text);
    }
    if (text.over)
        return error_set(err, ERR_LIMIT, "too much to keep a copy of");
    if (!file_mkdirs(t->profile.trash, 0700, err) ||
        !file_write(file, buf_view(&text), 0600, err))
        return error_wrap(err, "no copy could be kept, nothing was deleted");
    *path = mem_strdup(file);
    return true;
}
