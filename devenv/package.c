#include "devenv/package.h"

#include <stdlib.h>

#include "lib/base/asset.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "devenv/crossplane.h"
#include "devenv/owner.h"

#define KIND_WAIT_MS   10000
#define READY_LIMIT_MS 120000
#define METADATA_MAX   ((size_t)1 << 20)

static const struct kube_gvr xrds = {"apiextensions.crossplane.io", "v2",
                                     "compositeresourcedefinitions"};
static const struct kube_gvr domains = {"meshifi.io", "v1alpha1",
                                        "datadomains"};
static const struct kube_gvr contracts = {"meshifi.io", "v1alpha1",
                                          "datacontracts"};
static const struct kube_gvr products = {"meshifi.io", "v1alpha1",
                                         "dataproducts"};

static const char *const part_path[] = {
    [PACKAGE_FUNCTIONS] = "functions.yaml",
    [PACKAGE_XRDS] = "xrds",
    [PACKAGE_COMPOSITIONS] = "compositions",
};

/* The folder names right below prefix in the built-in files. */
static void
folders(const char *prefix, struct strlist *out)
{
    struct asset a;

    for (unsigned i = 0; asset_under(prefix, i, &a); i++) {
        struct str name, rest;

        if (str_cut(str_of(a.path + strlen(prefix)), '/', &name, &rest) &&
            !strlist_has(out, name))
            strlist_add(out, name);
    }
}

void
example_names(struct strlist *out)
{
    folders("examples/", out);
}

/* Of the folders in assets/ those with a package's metadata. */
static void
built_in_names(struct strlist *out)
{
    AUTO(strlist_release) struct strlist all = {0};

    folders("assets/", &all);
    for (size_t i = 0; i < all.n; i++) {
        AUTO(mem_free_ptr)
        char *path = mem_printf("assets/%s/crossplane.yaml", all.v[i]);
        struct asset a;

        if (asset_find(path, &a))
            strlist_add(out, str_of(all.v[i]));
    }
}

/* The built-in names below root. */
static void
names_of(const char *root, struct strlist *out)
{
    if (strcmp(root, "assets/") == 0)
        built_in_names(out);
    else
        folders(root, out);
}

static bool
builtin(const char *root, const char *name)
{
    AUTO(strlist_release) struct strlist names = {0};

    names_of(root, &names);
    return strlist_has(&names, str_of(name));
}

bool
package_is_builtin(const char *name)
{
    return builtin("assets/", name);
}

bool
example_is_builtin(const char *name)
{
    return builtin("examples/", name);
}

bool
package_is_planned(const char *name)
{
    static const char *const planned[] = {"aws", "gcp",      "azure",
                                          "dbt", "fivetran", "governance"};

    for (size_t i = 0; i < ARRAY_LEN(planned); i++) {
        if (strcmp(planned[i], name) == 0)
            return !package_is_builtin(name);
    }
    return false;
}

/* What a name or a path holds; nothing at all is an error that lists the
 * built-in names. */
static bool
load(struct manifest_set *set, const char *root, const char *name,
     const char *part, struct error *err)
{
    AUTO(strlist_release) struct strlist names = {0};
    AUTO(mem_free_ptr) char *path = NULL;

    if (builtin(root, name)) {
        path = mem_printf("%s%s/%s", root, name, part);
        return manifest_load_assets(set, path, err);
    }
    path = *part ? file_join(name, part) : mem_strdup(name);
    if (file_exists(path))
        return manifest_load(set, path, err);
    if (file_exists(name)) /* a folder without this part */
        return true;
    names_of(root, &names);
    error_set(err, ERR_NOT_FOUND, "no package or example \"%s\"", name);
    error_remedy(err, "MT-NO-SUCH-PACKAGE", "Built in: %s%s%s; or a folder.",
                 names.n ? names.v[0] : "nothing", names.n > 1 ? ", " : "",
                 names.n > 1 ? names.v[1] : "");
    return false;
}

bool
package_load(struct manifest_set *set, const char *package,
             enum package_part part, struct error *err)
{
    return load(set, "assets/", package, part_path[part], err);
}

bool
example_load(struct manifest_set *set, const char *example, struct error *err)
{
    if (!load(set, "examples/", example, "", err))
        return false;
    manifest_sort(set);
    return true;
}

static bool
apply(struct env *e, struct manifest_set *set, struct error *err)
{
    struct manifest_apply how = {.client = e->client,
                                 .discovery = e->discovery,
                                 .force = true,
                                 .kind_wait_ms = KIND_WAIT_MS};

    manifest_sort(set);
    if (!owner_keep_ours(e, set, NULL, err))
        return false;
    owner_label(set, e->profile.name);
    return manifest_apply(set, &how, err);
}

static bool
in_set(const struct manifest_set *set, const struct kube_object *o)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct manifest *m = &set->v[i];

        if (str_eqz(o->name, m->name) && (!m->ns || str_eqz(o->ns, m->ns)))
            return true;
    }
    return false;
}

/* An object that is not of the set is none of our business. */
static bool
check_gone(void *arg, const struct kube_object *o, struct buf *why)
{
    if (!in_set(arg, o))
        return true;
    buf_printf(why, "%s is being deleted", o->name.s);
    return false;
}

/* Only whoever holds the profile's lock changes it; on a cluster that is no
 * profile's nobody does. */
static bool
remember(const struct env *e, struct error *err)
{
    return e->profile.lock_fd < 0 || profile_save(&e->profile, err);
}

static bool
install_functions(struct env *e, struct manifest_set *set, struct step_run *run,
                  struct error *err)
{
    return crossplane_apply_sources(e, set, err) && apply(e, set, err) &&
           crossplane_wait_functions(e, set, run, err) &&
           crossplane_pin_functions(e, set, err) && remember(e, err);
}

static bool
install_xrds(struct env *e, struct manifest_set *set, struct step_run *run,
             struct error *err)
{
    struct crossplane_xrds *x = crossplane_xrds_begin(e, run, err);
    bool ok = x && apply(e, set, err) && crossplane_xrds_wait(x, set, err);

    crossplane_xrds_end(x);
    return ok;
}

static bool
install_compositions(struct env *e, struct manifest_set *set,
                     struct step_run *run, struct error *err)
{
    return apply(e, set, err) && crossplane_wait_compositions(e, set, run, err);
}

static bool (*const installers[])(struct env *e, struct manifest_set *set,
                                  struct step_run *run, struct error *err) = {
    [PACKAGE_FUNCTIONS] = install_functions,
    [PACKAGE_XRDS] = install_xrds,
    [PACKAGE_COMPOSITIONS] = install_compositions,
};

bool
package_install_part(struct env *e, const char *package, enum package_part part,
                     struct step_run *run, struct error *err)
{
    struct manifest_set set = {0};
    bool ok = package_load(&set, package, part, err) &&
              installers[part](e, &set, run, err);

    if (ok)
        step_detail(run, "%zu objects", set.n);
    manifest_release(&set);
    return ok;
}

/* ---- rights ---- */

static const struct kube_gvr cluster_roles = {"rbac.authorization.k8s.io", "v1",
                                              "clusterroles"};

/* What the package says it composes, in fresh memory; NULL: it does not say. */
static char *
declared(const char *package)
{
    AUTO(buf_release) struct buf text = BUF_INIT(METADATA_MAX);
    AUTO(mem_free_ptr)
    char *path = package_is_builtin(package)
                     ? mem_printf("assets/%s/crossplane.yaml", package)
                     : file_join(package, "crossplane.yaml");
    struct asset a = {0};

    if (!asset_find(path, &a) && file_read(path, &text, NULL))
        a.data = buf_view(&text);
    AUTO(json_free_ptr) struct json *meta = yaml_parse_one(a.data, NULL, NULL);

    return mem_strdup(json_string(json_at(meta, "metadata", "annotations",
                                          "meshtop.dev/composes", NULL)));
}

const char *
package_title(const char *package)
{
    const char *slash = strrchr(package, '/');

    return slash && slash[1] ? slash + 1 : package;
}

/* The last part of a path: names of objects hold no slash. */
static char *
short_name(const char *package)
{
    struct str rest = str_of(package), piece, last = rest;

    while (str_next(&rest, '/', &piece)) {
        if (piece.n)
            last = piece;
    }
    return mem_strndup(last.s, last.n);
}

/* The role; NULL and no error: it needs none. */
static struct json *
role_of(struct env *e, const char *package, struct strlist *unknown,
        struct error *err)
{
    struct manifest_set set = {0};
    AUTO(mem_free_ptr) char *says = declared(package);
    AUTO(mem_free_ptr) char *name = short_name(package);
    struct json *role = NULL;

    if (strcmp(e->profile.engine, "sandbox") != 0 &&
        package_load(&set, package, PACKAGE_COMPOSITIONS, err))
        role = crossplane_compose_role(package_title(package), e->profile.name,
                                       &set, says, unknown);
    manifest_release(&set);
    return role;
}

bool
package_disallow(struct env *e, const char *package, struct error *err)
{
    AUTO(mem_free_ptr)
    char *name = mem_printf("meshtop:compose:%s", package_title(package));
    struct kube_request r = {
        .verb = KUBE_DELETE, .gvr = cluster_roles, .name = name};
    struct error why = {0};

    if (kube_client_wait(e->client, &r, NULL, &why) ||
        why.code == ERR_NOT_FOUND)
        return true;
    if (err)
        *err = why;
    return false;
}

bool
package_is_allowed(struct env *e, const char *package)
{
    AUTO(strlist_release) struct strlist unknown = {0};
    struct error why = {0};
    AUTO(json_free_ptr) struct json *role = role_of(e, package, &unknown, &why);
    struct kube_request r = {
        .gvr = cluster_roles,
        .name = json_string(json_at(role, "metadata", "name", NULL))};

    if (!role)
        return !why.code;
    AUTO(json_free_ptr)
    struct json *there = kube_client_wait_json(e->client, &r, NULL);

    return there &&
           json_equal(json_get(there, "rules"), json_get(role, "rules"));
}

bool
package_allow(struct env *e, const char *package, struct step_run *run,
              struct error *err)
{
    AUTO(strlist_release) struct strlist unknown = {0};
    struct error why = {0};
    AUTO(json_free_ptr) struct json *role = role_of(e, package, &unknown, &why);
    AUTO(mem_free_ptr) char *text = role ? json_text(role, 0) : NULL;
    struct kube_request r = {
        .verb = KUBE_PATCH,
        .patch = KUBE_PATCH_APPLY,
        .force = true,
        .gvr = cluster_roles,
        .name = json_string(json_at(role, "metadata", "name", NULL)),
        .body = str_of(text)};

    for (size_t i = 0; i < unknown.n; i++)
        step_log(run, str_of(unknown.v[i]));
    if (why.code && err)
        *err = why;
    if (!role)
        return !why.code;
    step_detail(run, "%s: %zu kinds", r.name,
                json_len(json_get(role, "rules")));
    return kube_client_wait(e->client, &r, NULL, err);
}

/* What shows that the objects of a part work. */
static const char *const part_condition[] = {
    [PACKAGE_FUNCTIONS] = "Healthy",
    [PACKAGE_XRDS] = "Established",
    [PACKAGE_COMPOSITIONS] = NULL,
};

static bool
in_place(struct env *e, const char *root, const char *name, const char *part,
         const char *condition, struct buf *why)
{
    struct manifest_set set = {0};
    struct error err = {0};
    struct manifest_apply how = {.client = e->client,
                                 .discovery = e->discovery};
    bool ok = load(&set, root, name, part, &err);

    if (ok && condition && !crossplane_sources_in_place(e, &set))
        ok = !buf_puts(why, "where packages come from has changed");
    else if (ok)
        ok = manifest_in_place(&set, &how, condition, why);
    else
        buf_puts(why, err.msg);
    manifest_release(&set);
    return ok;
}

/* Are they still what they were, to the last bit? */
static bool
same_packages(struct env *e, const char *package, struct buf *why)
{
    struct manifest_set set = {0};
    struct error err = {0};
    bool ok = package_load(&set, package, PACKAGE_FUNCTIONS, &err) &&
              crossplane_pin_functions(e, &set, &err);

    manifest_release(&set);
    buf_puts(why, err.msg);
    return ok;
}

bool
package_part_in_place(struct env *e, const char *package,
                      enum package_part part, struct buf *why)
{
    return in_place(e, "assets/", package, part_path[part],
                    part_condition[part], why) &&
           (part != PACKAGE_FUNCTIONS || same_packages(e, package, why));
}

void
package_part_text(const char *package, enum package_part part, struct buf *out)
{
    AUTO(mem_free_ptr)
    char *prefix = mem_printf("assets/%s/%s", package, part_path[part]);
    struct asset a;

    for (unsigned i = 0; asset_under(prefix, i, &a); i++)
        buf_str(out, a.data);
}

bool
example_in_place(struct env *e, const char *example, struct buf *why)
{
    return in_place(e, "examples/", example, "", NULL, why);
}

bool
package_install(struct env *e, const char *package, struct step_run *run,
                struct error *err)
{
    if (!package_allow(e, package, run, err))
        return false;
    /* Before the first object, so that a kill leaves nothing unknown. */
    profile_note(&e->profile.packages, package);
    if (!remember(e, err))
        return false;
    for (enum package_part p = PACKAGE_FUNCTIONS; p <= PACKAGE_COMPOSITIONS;
         p++) {
        if (!package_install_part(e, package, p, run, err))
            return false;
    }
    return true;
}

static bool
count_item(void *arg, struct str item UNUSED)
{
    ++*(size_t *)arg;
    return true;
}

/* Objects of the kinds that the package's XRDs define. */
static bool
refuse_while_used(struct env *e, const struct manifest_set *set,
                  struct error *err)
{
    AUTO(buf_release) struct buf list = BUF_INIT(512);

    for (size_t i = 0; i < set->n; i++) {
        const struct json *spec = json_get(set->v[i].object, "spec");
        const struct json *version = json_first(json_get(spec, "versions"));
        const char *plural =
            json_string(json_at(spec, "names", "plural", NULL));
        struct kube_request r = {
            .gvr = {json_string_or(json_get(spec, "group"), ""),
                    json_string_or(json_get(version, "name"), ""), plural}};
        size_t n = 0;

        if (plural &&
            kube_client_wait_list(e->client, &r, count_item, &n, NULL) && n)
            buf_printf(&list, "%s%zu %s", list.n ? ", " : "", n, plural);
    }
    if (!list.n)
        return true;
    error_set(err, ERR_CONFLICT, "objects of its kinds still exist: %s",
              buf_cstr(&list));
    error_remedy(err, "MT-PACKAGE-IN-USE",
                 "Delete them first (meshtop examples rm NAME, meshtop "
                 "delete).");
    return false;
}

/* What is not there is fine. */
static bool
disallow(struct env *e, const char *package, struct error *err)
{
    AUTO(mem_free_ptr) char *last = short_name(package);
    AUTO(mem_free_ptr) char *name = mem_printf(COMPOSE_ROLE "%s", last);
    struct kube_request r = {
        .verb = KUBE_DELETE, .gvr = cluster_roles, .name = name};
    struct error why = {0};

    if (kube_client_wait(e->client, &r, NULL, &why) ||
        why.code == ERR_NOT_FOUND || why.code == ERR_USAGE)
        return true;
    if (err)
        *err = why;
    return false;
}

bool
package_uninstall(struct env *e, const char *package, struct step_run *run,
                  struct error *err)
{
    struct manifest_set compositions = {0}, definitions = {0};
    struct manifest_apply how = {.client = e->client,
                                 .discovery = e->discovery};
    const struct env_wait rows[] = {{xrds, 0, "resource definitions",
                                     check_gone, &definitions, READY_LIMIT_MS},
                                    {.check = NULL}};
    bool ok = package_load(&compositions, package, PACKAGE_COMPOSITIONS, err) &&
              package_load(&definitions, package, PACKAGE_XRDS, err) &&
              owner_keep_ours(e, &compositions, NULL, err) &&
              owner_keep_ours(e, &definitions, NULL, err) &&
              refuse_while_used(e, &definitions, err) &&
              manifest_delete(&compositions, &how, err) &&
              manifest_delete(&definitions, &how, err) &&
              env_wait_all(e, rows, run, err) && disallow(e, package, err);

    manifest_release(&compositions);
    manifest_release(&definitions);
    if (!ok)
        return false;
    profile_forget(&e->profile.packages, package);
    return remember(e, err);
}

bool
example_add(struct env *e, const char *example, struct step_run *run,
            struct error *err)
{
    struct manifest_set set = {0};
    bool ok = example_load(&set, example, err);

    if (ok) { /* before its first object, as package_install */
        profile_note(&e->profile.examples, example);
        ok = remember(e, err) && apply(e, &set, err);
    }
    if (ok)
        step_detail(run, "%s: %zu objects", example, set.n);
    manifest_release(&set);
    return ok;
}

bool
example_wait_ready(struct env *e, struct step_run *run, struct error *err)
{
    return crossplane_wait_ready(e, run, err);
}

bool
example_remove(struct env *e, const char *example, struct step_run *run,
               struct error *err)
{
    struct manifest_set set = {0};
    struct manifest_apply how = {.client = e->client,
                                 .discovery = e->discovery};
    const struct env_wait rows[] = {
        {domains, 0, "data domains", check_gone, &set, READY_LIMIT_MS},
        {contracts, 0, "data contracts", check_gone, &set, READY_LIMIT_MS},
        {products, 0, "data products", check_gone, &set, READY_LIMIT_MS},
        {.check = NULL}};
    bool ok = example_load(&set, example, err) &&
              owner_keep_ours(e, &set, NULL, err) &&
              manifest_delete(&set, &how, err) &&
              env_wait_all(e, rows, run, err);

    manifest_release(&set);
    if (!ok)
        return false;
    profile_forget(&e->profile.examples, example);
    return remember(e, err);
}
