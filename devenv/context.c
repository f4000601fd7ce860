#include "devenv/context.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/flavor.h"
#include "devenv/owner.h"
#include "devenv/package.h"

#define CONFIG_MAX   ((size_t)8 << 20)
#define CORE_PACKAGE "mesh-core"
#define NODES_MAX    10000

static const struct kube_gvr nodes = {"", "v1", "nodes"};
static const struct kube_gvr reviews = {"authorization.k8s.io", "v1",
                                        "selfsubjectaccessreviews"};

/* ---- taking it ---- */

/* Relative to nobody: up may be run again from another folder. */
static char *
absolute(const char *path)
{
    char *real = path ? realpath(path, NULL) : NULL;

    return real ? real : mem_strdup(path);
}

bool
context_take(struct profile *p, const char *file, const char *context,
             struct error *err)
{
    AUTO(kube_config_free_ptr)
    struct kube_config *c = kube_config_load(file, err);
    AUTO(mem_free_ptr) char *source = absolute(file);
    struct buf text = BUF_INIT(CONFIG_MAX);

    if (!c)
        return false;
    const char *name = context ? context : kube_config_current(c);
    bool ok = kube_config_extract(c, name, &text, err);

    if (ok && strlen(name) >= sizeof(p->context))
        ok = error_set(err, ERR_LIMIT, "the context's name is too long");
    if (ok && file_mkdirs(p->dir, 0700, err) &&
        file_write(p->kubeconfig, buf_view(&text), 0600, err)) {
        snprintf(p->context, sizeof(p->context), "%s", name);
        profile_set_fact(p, CONTEXT_FACT_SOURCE, source);
        ok = profile_save(p, err);
    } else {
        ok = false;
    }
    mem_wipe(buf_take(&text));
    return ok;
}

/* ---- what it is ---- */

struct node_look {
    struct json *first;
    size_t n;
};

static bool
on_node(void *arg, struct str item)
{
    struct node_look *l = arg;

    if (!l->n++)
        l->first = json_parse(item, NULL, NULL);
    return l->n < NODES_MAX;
}

static void
served_groups(struct env *e, struct strlist *out)
{
    const struct kube_kind *k;

    if (!kube_discovery_wait(e->discovery, false, NULL))
        return;
    for (size_t i = 0; (k = kube_discovery_at(e->discovery, i)); i++) {
        if (!strlist_has(out, str_of(k->gvr.group)))
            strlist_add(out, str_of(k->gvr.group));
    }
}

bool
context_describe(struct env *e, struct buf *out, struct error *err)
{
    struct kube_request version = {.verb = KUBE_RAW_GET, .path = "/version"};
    struct kube_request list = {.gvr = nodes};
    AUTO(strlist_release) struct strlist groups = {0};
    struct node_look look = {0};
    const char *server = kube_client_access(e->client)->server;
    AUTO(json_free_ptr)
    struct json *v = kube_client_wait_json(e->client, &version, err);

    if (!v)
        return false;
    /* Who may not list nodes still may work on the mesh. */
    kube_client_wait_list(e->client, &list, on_node, &look, NULL);
    served_groups(e, &groups);
    struct flavor_facts f = {.context = e->profile.context,
                             .server = server,
                             .git_version =
                                 json_string_or(json_get(v, "gitVersion"), ""),
                             .node = look.first,
                             .groups = &groups};

    const char *flavor = flavor_of(&f);
    bool plain = strcmp(flavor, "Kubernetes") == 0;

    buf_printf(out, "%s%sKubernetes %s", plain ? "" : flavor, plain ? "" : ", ",
               f.git_version);
    if (look.n)
        buf_printf(out, ", %zu %s", look.n, look.n == 1 ? "node" : "nodes");
    profile_set_fact(&e->profile, CONTEXT_FACT_CLUSTER, buf_cstr(out));
    profile_set_fact(&e->profile, CONTEXT_FACT_SERVER, server);
    profile_set_fact(&e->profile, "version/kubernetes", f.git_version);
    buf_printf(out, ", %s", server);
    json_free(look.first);
    return true;
}

/* ---- what we may ---- */

static const struct {
    const char *group, *resource, *ns;
} rights[] = {
    {"", "configmaps", OWNER_NAMESPACE},
    {"", "namespaces", NULL},
    {"apiextensions.k8s.io", "customresourcedefinitions", NULL},
    {"rbac.authorization.k8s.io", "clusterroles", NULL},
    {"pkg.crossplane.io", "functions", NULL},
    {"apiextensions.crossplane.io", "compositeresourcedefinitions", NULL},
    {"apiextensions.crossplane.io", "compositions", NULL},
};

static bool
may_create(struct env *e, size_t i, bool *yes, struct error *err)
{
    struct kube_request r = {.verb = KUBE_CREATE, .gvr = reviews};
    AUTO(json_free_ptr) struct json *j = json_new_object();
    struct json *spec = json_need_object(j, "spec");
    struct json *what = json_need_object(spec, "resourceAttributes");

    json_set_string(j, "apiVersion", "authorization.k8s.io/v1");
    json_set_string(j, "kind", "SelfSubjectAccessReview");
    json_set_string(what, "verb", "create");
    json_set_string(what, "group", rights[i].group);
    json_set_string(what, "resource", rights[i].resource);
    if (rights[i].ns)
        json_set_string(what, "namespace", rights[i].ns);
    AUTO(mem_free_ptr) char *text = json_text(j, JSON_COMPACT);

    r.body = str_of(text);
    AUTO(json_free_ptr)
    struct json *said = kube_client_wait_json(e->client, &r, err);

    *yes = json_bool(json_at(said, "status", "allowed", NULL), false);
    return said != NULL;
}

bool
context_rights(struct env *e, struct error *err)
{
    AUTO(buf_release) struct buf list = BUF_INIT(700);
    const struct kube_access *access = kube_client_access(e->client);

    for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
        bool yes;

        if (!may_create(e, i, &yes, err))
            return false;
        if (!yes)
            buf_printf(&list, "%s%s%s%s", list.n ? ", " : "",
                       rights[i].resource, *rights[i].group ? "." : "",
                       rights[i].group);
    }
    if (!list.n)
        return true;
    error_set(err, ERR_DENIED,
              "the user \"%s\" of the context \"%s\" may not create: %s",
              access->user ? access->user : "", e->profile.context,
              buf_cstr(&list));
    error_remedy(err, "MT-CLUSTER-RIGHTS",
                 "Ask the cluster's owner for these rights (cluster-admin has "
                 "them), or name another context.");
    return false;
}

/* ---- what is in our way ---- */

static bool
refuse(const struct manifest *m, const char *owner, struct error *err)
{
    error_set(err, ERR_CONFLICT,
              "%s %s is in the cluster already and belongs to %s", m->kind,
              m->name, owner);
    error_remedy(err, "MT-CLUSTER-FOREIGN",
                 "--adopt uses it as it is: nothing of it is changed, and down "
                 "leaves it there. Or remove it the way it was installed.");
    return false;
}

static bool
check_part(struct env *e, enum package_part part, struct error *err)
{
    struct manifest_apply how = {.client = e->client,
                                 .discovery = e->discovery};
    struct manifest_set set = {0};
    bool ok = package_load(&set, CORE_PACKAGE, part, err);

    for (size_t i = 0; ok && i < set.n; i++) {
        AUTO(buf_release) struct buf owner = BUF_INIT(512);
        bool foreign = false;

        ok = owner_find(&set.v[i], &how, e->profile.name, &foreign, &owner,
                        err) &&
             (!foreign || refuse(&set.v[i], buf_cstr(&owner), err));
    }
    manifest_release(&set);
    return ok;
}

bool
context_free_of_others(struct env *e, struct error *err)
{
    return check_part(e, PACKAGE_XRDS, err) &&
           check_part(e, PACKAGE_COMPOSITIONS, err);
}
