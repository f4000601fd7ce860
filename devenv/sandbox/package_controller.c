/*
 * Packages. A Function whose package names one of the built-in functions gets
 * an active revision and is healthy at once; nothing is pulled. Any other
 * Function, and Configurations and Providers, are installed but not healthy,
 * with a message that says what to do instead. One from a host that cannot be
 * (workload.h) is not even installed, in the package manager's words.
 * Words and objects: crossplane 2.0.8 internal/controller/pkg (vectors:
 * function-healthy, function-never-not-cached).
 */
#include <stdlib.h>

#include "lib/base/digest.h"
#include "lib/base/mem.h"

#include "lib/compose/conditions.h"

#include "devenv/sandbox/control.h"
#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/workload.h"

#define COMPONENT "packages/function.pkg.crossplane.io"

static const char *
package_of(const struct json *pkg)
{
    return json_string_or(json_at(pkg, "spec", "package", NULL), "");
}

/* Why it is not healthy; NULL: it is. */
static char *
trouble(const struct json *pkg)
{
    const char *kind = kobj_kind(pkg);

    if (strcmp(kind, "Function") != 0)
        return mem_printf("the sandbox pulls no packages: apply the manifests "
                          "of %s instead%s",
                          package_of(pkg),
                          strcmp(kind, "Provider") == 0
                              ? "; resources of its CRDs are simulated"
                              : "");
    if (function_builtin(str_of(package_of(pkg))))
        return NULL;
    AUTO(buf_release) struct buf names = BUF_INIT(BUF_TEXT_MAX);

    function_builtin_names(&names);
    return mem_printf("the sandbox has no built-in for %s; it has %s",
                      package_of(pkg), buf_cstr(&names));
}

/* Where the package comes from: the ImageConfig with the longest prefix that
 * matches says so (2.0 internal/xpkg/config.go). */
static char *
resolved_package(struct control *c, const struct json *pkg)
{
    const struct kind *k =
        registry_resource(c->registry, PACKAGE_GROUP, NULL, "imageconfigs");
    AUTO(status_release) struct status st = {0};
    AUTO(json_free_ptr)
    struct json *all =
        k ? registry_list_json(c->registry, k, NULL, NULL, &st) : NULL;
    struct str image = str_of(package_of(pkg));
    const char *rewrite = NULL;
    size_t longest = 0;

    for (const struct json *o = json_first(all); o; o = json_next(o)) {
        const char *to =
            json_string(json_at(o, "spec", "rewriteImage", "prefix", NULL));
        const struct json *list = json_at(o, "spec", "matchImages", NULL);

        for (const struct json *m = json_first(list); to && m;
             m = json_next(m)) {
            struct str prefix = str_of(json_get_string(m, "prefix"));

            if (prefix.n <= longest || !str_starts(image, prefix))
                continue;
            longest = prefix.n;
            rewrite = to;
        }
    }
    return mem_printf("%s%s", rewrite ? rewrite : "", image.s + longest);
}

/* ---- FunctionRevisions ---- */

static char *
revision_name(const struct json *pkg)
{
    char hex[DIGEST_HEX_MAX];

    digest_hex(DIGEST_SHA256, str_of(package_of(pkg)), hex);
    return mem_printf("%s-%.12s", kobj_name(pkg), hex);
}

static struct json *
list_revisions(struct control *c, const char *function)
{
    AUTO(status_release) struct status st = {0};
    AUTO(mem_free_ptr)
    char *sel = mem_printf("pkg.crossplane.io/package=%s", function);

    return registry_list_json(
        c->registry, control_kind(c, PACKAGE_GROUP, "functionrevisions"), NULL,
        sel, &st);
}

static struct json *
make_revision(const struct json *pkg, const char *name, int64_t number)
{
    static const char *const same[] = {
        "ignoreCrossplaneConstraints", "packagePullPolicy",
        "packagePullSecrets", "runtimeConfigRef", "skipDependencyResolution"};
    struct json *rev =
        kobj_new("pkg.crossplane.io/v1", "FunctionRevision", NULL, name);
    struct json *spec = json_need_object(rev, "spec");
    AUTO(mem_free_ptr)
    char *tls = mem_printf("%s-tls-server", kobj_name(pkg));

    kobj_set_label(rev, "pkg.crossplane.io/package", kobj_name(pkg));
    kobj_add_finalizer(rev, "revision.pkg.crossplane.io");
    json_append(json_need_array(json_get(rev, "metadata"), "ownerReferences"),
                kobj_owner_reference(pkg));
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        const struct json *v = json_at(pkg, "spec", same[i], NULL);

        if (v)
            json_set(spec, same[i], json_copy(v));
    }
    json_set_string(spec, "desiredState", "Active");
    json_set_string(spec, "image", package_of(pkg));
    json_set_int(spec, "revision", number);
    json_set_string(spec, "tlsServerSecretName", tls);
    return rev;
}

static void
set_revision_status(struct control *c, struct json **rev, const char *why)
{
    const struct kind *k = control_kind(c, PACKAGE_GROUP, "functionrevisions");
    struct json *status = json_need_object(*rev, "status");
    const char *ok = why ? "False" : "True";
    const char *reason =
        why ? "UnhealthyPackageRevision" : "HealthyPackageRevision";
    struct condition healthy = {"RevisionHealthy", ok, reason, why, 0};
    struct condition runtime = {
        "RuntimeHealthy", ok, reason,
        why ? "Package revision is not healthy yet" : NULL, 0};
    struct json *was = json_copy(status);

    healthy.generation = runtime.generation = kobj_generation(*rev);
    condition_set(*rev, &healthy, control_now_s(c));
    condition_set(*rev, &runtime, control_now_s(c));
    json_set(status, "resolvedImage",
             json_copy(json_at(*rev, "spec", "image", NULL)));
    json_set(status, "tlsServerSecretName",
             json_copy(json_at(*rev, "spec", "tlsServerSecretName", NULL)));
    if (!why) {
        AUTO(mem_free_ptr)
        char *endpoint = mem_printf(
            "builtin:///%s",
            function_builtin(str_of(json_string_or(
                                 json_at(*rev, "spec", "image", NULL), "")))
                ->name);

        json_set_string(status, "endpoint", endpoint);
        json_append(json_set(status, "capabilities", json_new_array()),
                    json_new_string("composition"));
    }
    if (!json_equal(was, status))
        control_update_status(c, k, CORE_MANAGER, rev);
    json_free(was);
}

/* Every other revision becomes inactive. */
static void
deactivate(struct control *c, struct json *rev)
{
    const struct kind *k = control_kind(c, PACKAGE_GROUP, "functionrevisions");
    AUTO(status_release) struct status st = {0};
    AUTO(json_free_ptr) struct json *copy = json_copy(rev);
    const char *state =
        json_string_or(json_at(rev, "spec", "desiredState", NULL), "");

    if (strcmp(state, "Inactive") == 0)
        return;
    json_set_string(json_get(copy, "spec"), "desiredState", "Inactive");
    control_update(c, k, CORE_MANAGER, &copy, &st);
}

static bool
need_revision(struct control *c, const struct json *pkg, const char *name,
              const char *why)
{
    const struct kind *k = control_kind(c, PACKAGE_GROUP, "functionrevisions");
    const struct registry_write w = {.manager = CORE_MANAGER};
    AUTO(status_release) struct status st = {0};
    AUTO(json_free_ptr)
    struct json *all = list_revisions(c, kobj_name(pkg));
    AUTO(json_free_ptr) struct json *rev = NULL;
    int64_t latest = 0;

    for (struct json *r = json_first(all); r; r = json_next(r)) {
        latest =
            MAX(latest, json_int64_or(json_at(r, "spec", "revision", NULL), 0));
        if (strcmp(kobj_name(r), name) == 0)
            rev = json_copy(r);
        else
            deactivate(c, r);
    }
    if (!rev)
        rev = registry_create(c->registry, k, &w, "",
                              make_revision(pkg, name, latest + 1), &st);
    if (rev)
        set_revision_status(c, &rev, why);
    return rev != NULL;
}

/* ---- the package itself ---- */

static void
put_status(struct control *c, const struct kind *k, struct json **pkg,
           const struct json *was)
{
    if (!json_equal(was, json_get(*pkg, "status")))
        control_update_status(c, k, CORE_MANAGER, pkg);
}

/* Nobody has the host its package would come from; tried again and again. */
static bool
set_unfetched(struct control *c, const struct kind *k, struct json **pkg,
              const char *resolved)
{
    AUTO(mem_free_ptr) char *host = workload_no_such_host(resolved);
    AUTO(mem_free_ptr)
    char *message = mem_printf("cannot unpack package: failed to fetch package "
                               "digest from remote: %s",
                               host);
    struct condition installed = {"Installed", "False", "UnpackingPackage",
                                  message, kobj_generation(*pkg)};
    AUTO(json_free_ptr)
    struct json *was = json_copy(json_need_object(*pkg, "status"));

    condition_set(*pkg, &installed, control_now_s(c));
    json_set_string(json_get(*pkg, "status"), "resolvedPackage", resolved);
    control_event(c, *pkg, COMPONENT, true, "UnpackPackage", "%s", message);
    put_status(c, k, pkg, was);
    return false;
}

static void
set_status(struct control *c, const struct kind *k, struct json **pkg,
           const char *revision, const char *resolved, const char *why)
{
    struct json *status = json_need_object(*pkg, "status");
    AUTO(mem_free_ptr)
    char *message =
        why ? mem_printf("Package revision health is \"False\" with message: "
                         "%s",
                         why)
            : NULL;
    struct condition healthy = {"Healthy", why ? "False" : "True",
                                why ? "UnhealthyPackageRevision"
                                    : "HealthyPackageRevision",
                                message, kobj_generation(*pkg)};
    struct condition installed = {"Installed", "True", "ActivePackageRevision",
                                  NULL, kobj_generation(*pkg)};
    struct json *was = json_copy(status);

    condition_set(*pkg, &healthy, control_now_s(c));
    condition_set(*pkg, &installed, control_now_s(c));
    json_set_string(status, "currentIdentifier", package_of(*pkg));
    json_set_string(status, "currentRevision", revision);
    json_set_string(status, "resolvedPackage", resolved);
    if (!why && !json_equal(was, status))
        control_event(c, *pkg, COMPONENT, false, "InstallPackageRevision",
                      "Successfully installed package revision");
    put_status(c, k, pkg, was);
    json_free(was);
}

/* A Function that is gone takes its revisions with it. */
static void
remove_revisions(struct control *c, const char *function)
{
    const struct kind *k = control_kind(c, PACKAGE_GROUP, "functionrevisions");
    AUTO(json_free_ptr) struct json *all = list_revisions(c, function);

    for (struct json *r = json_first(all); r; r = json_next(r)) {
        AUTO(json_free_ptr) struct json *rev = json_copy(r);
        AUTO(status_release) struct status st = {0};

        if (kobj_remove_finalizer(rev, "revision.pkg.crossplane.io") &&
            control_update(c, k, CORE_MANAGER, &rev, &st))
            registry_delete(c->registry, k, "", kobj_name(rev), NULL, NULL,
                            &st);
    }
}

bool
control_package(struct control *c, const struct job *j)
{
    const struct kind *k = control_kind(c, j->group, j->plural);
    bool is_function = strcmp(j->plural, "functions") == 0;
    AUTO(json_free_ptr)
    struct json *pkg = registry_get(c->registry, k, "", j->name);
    AUTO(mem_free_ptr) char *why = NULL;
    AUTO(mem_free_ptr) char *revision = NULL;
    AUTO(mem_free_ptr) char *resolved = NULL;

    if (!pkg || kobj_is_deleted(pkg)) {
        if (is_function) {
            functions_del(&c->functions, j->name);
            remove_revisions(c, j->name);
        }
        return true;
    }
    resolved = resolved_package(c, pkg);
    if (workload_unreachable(resolved))
        return set_unfetched(c, k, &pkg, resolved);
    why = trouble(pkg);
    revision = revision_name(pkg);
    if (is_function) {
        if (!need_revision(c, pkg, revision, why))
            return false;
        struct error err;
        bool had = functions_find(&c->functions, j->name, &err) != NULL;

        functions_add(&c->functions, pkg);
        if (!had)
            control_add_xrs(c, NULL, NULL);
    }
    set_status(c, k, &pkg, revision, resolved, why);
    return true;
}
