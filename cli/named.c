#include "cli/named.h"

#include "lib/base/mem.h"

#include "cli/objects.h"

#define WAIT_MS 20000

/* Which roles a bare name may mean, in this order. */
static const enum mesh_role roles[] = {MESH_ROLE_PRODUCT, MESH_ROLE_DOMAIN,
                                       MESH_ROLE_CONTRACT};

static bool
by_name(struct named *n, const char *name, struct error *err)
{
    struct mesh *m = mesh_live_model(n->live);
    struct error why;

    for (size_t i = 0; i < ARRAY_LEN(roles); i++) {
        n->item = mesh_named(m, roles[i], name, &why);
        if (n->item)
            return true;
        if (why.code == ERR_CONFLICT) {
            if (err)
                *err = why;
            return false;
        }
    }
    return error_set(err, ERR_NOT_FOUND,
                     "no product, domain or contract named %s", name);
}

static bool
by_kind(struct named *n, const struct args *a, const char *kind,
        const char *name, struct error *err)
{
    AUTO(object_release) struct object o = {0};
    AUTO(buf_release) struct buf api = BUF_INIT(512);

    if (!object_find(&n->target, a, kind, name, &o, err) ||
        !mesh_live_follow(n->live, o.kind, err) ||
        !mesh_live_wait(n->live, WAIT_MS, err))
        return false;
    mesh_settle(mesh_live_model(n->live));
    kube_gvr_api_version(&o.kind->gvr, &api);
    n->item = mesh_find(mesh_live_model(n->live), buf_cstr(&api), o.kind->kind,
                        o.ns, o.name);
    if (n->item)
        return true;
    return error_set(err, ERR_NOT_FOUND, "%s %s is not there any more", kind,
                     o.name);
}

static bool
find(struct named *n, const struct args *a, struct error *err)
{
    const char *word = args_word(a, 0), *second = args_word(a, 1);
    const char *ns =
        args_has(a, "all-namespaces") ? NULL : args_get(a, "namespace", NULL);
    struct str left, right;
    bool slash = str_cut(str_of(word), '/', &left, &right);
    AUTO(mem_free_ptr) char *kind = mem_strndup(left.s, left.n);
    AUTO(mem_free_ptr)
    char *full = ns ? mem_printf("%s/%s", ns, word) : mem_strdup(word);

    if (second)
        return by_kind(n, a, word, second, err);
    if (!slash)
        return by_name(n, full, err);
    if (kube_discovery_find(mesh_live_discovery(n->live), kind, NULL))
        return by_kind(n, a, kind, right.s, err);
    return by_name(n, word, err);
}

bool
named_open(struct named *n, const struct args *a, struct error *err)
{
    *n = (struct named){0};
    if (!target_open(&n->target, a, err))
        return false;
    n->live =
        mesh_live_new_on(n->target.client, n->target.discovery, NULL, err);
    if (n->live && mesh_live_wait(n->live, WAIT_MS, err)) {
        mesh_settle(mesh_live_model(n->live));
        if (find(n, a, err))
            return true;
    }
    named_release(n);
    return false;
}

void
named_release(struct named *n)
{
    mesh_live_free(n->live);
    target_release(&n->target);
    *n = (struct named){0};
}
