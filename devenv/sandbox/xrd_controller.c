/*
 * XRDs: each becomes a CustomResourceDefinition; once it is served, objects of
 * its kind are composite resources. Deleting an XRD deletes them first.
 * Source: crossplane 2.0.8 internal/controller/apiextensions/definition. One
 * difference on purpose: upstream cannot delete namespaced XRs through the
 * path it asks (facts: the XRD hangs); here they are deleted.
 */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/compose/conditions.h"
#include "lib/compose/xrd.h"

#include "devenv/sandbox/control.h"
#include "devenv/sandbox/kobj.h"

#define FINALIZER "defined.apiextensions.crossplane.io"
#define COMPONENT                                                              \
    "defined/compositeresourcedefinition.apiextensions.crossplane.io"

static const struct kind *
crd_kind(struct control *c)
{
    return registry_resource(c->registry, "apiextensions.k8s.io", "v1",
                             "customresourcedefinitions");
}

static const char *
spec_text(const struct json *xrd, const char *a, const char *b)
{
    const struct json *s = json_get(xrd, "spec");

    return json_string_or(b ? json_at(s, a, b, NULL) : json_get(s, a), "");
}

static void
set_text(char **to, const char *value)
{
    free(*to);
    *to = value && *value ? mem_strdup(value) : NULL;
}

/* ---- types ---- */

static char *
type_key(const struct json *xrd)
{
    return mem_printf("%s/%s", spec_text(xrd, "group", NULL),
                      spec_text(xrd, "names", "plural"));
}

/* Answers true when it is new or of another version than before. */
static bool
set_type(struct control *c, const struct json *xrd)
{
    AUTO(mem_free_ptr) char *key = type_key(xrd);
    struct xr_type *t = map_get(&c->types, str_of(key));
    const char *version = xrd_referenceable(xrd);
    const char *scope = xrd_scope(xrd);
    bool fresh = !t || strcmp(t->version, version) != 0;

    if (!t) {
        t = mem_zalloc(1, sizeof(*t));
        map_put(&c->types, str_of(key), t);
    }
    set_text(&t->xrd, kobj_name(xrd));
    set_text(&t->group, spec_text(xrd, "group", NULL));
    set_text(&t->plural, spec_text(xrd, "names", "plural"));
    set_text(&t->kind, spec_text(xrd, "names", "kind"));
    set_text(&t->version, version);
    free(t->api_version);
    t->api_version = mem_printf("%s/%s", t->group, version);
    t->namespaced = strcmp(scope, "Namespaced") == 0;
    t->legacy = strcmp(scope, "LegacyCluster") == 0;
    set_text(&t->enforced, spec_text(xrd, "enforcedCompositionRef", "name"));
    set_text(&t->fallback, spec_text(xrd, "defaultCompositionRef", "name"));
    return fresh;
}

static void
drop_type(struct control *c, const struct json *xrd)
{
    AUTO(mem_free_ptr) char *key = type_key(xrd);
    struct xr_type *t = map_get(&c->types, str_of(key));

    if (!t)
        return;
    for (struct map_entry *e = map_first(&c->states), *next; e; e = next) {
        struct xr_state *s = e->value;

        next = map_next(&c->states, e);
        if (s->type == t)
            xr_state_drop(c, s);
    }
    xr_type_free(map_del(&c->types, str_of(key)));
}

/* ---- deleting ---- */

struct doomed {
    struct strlist ns, names;
};

static bool
doom(void *arg, struct str text)
{
    struct doomed *d = arg;
    struct error err;
    AUTO(json_free_ptr) struct json *obj = json_parse(text, NULL, &err);

    strlist_add(&d->ns, str_of(kobj_namespace(obj)));
    strlist_add(&d->names, str_of(kobj_name(obj)));
    return true;
}

/* Asks for the deletion of every XR; answers how many are still there. */
static size_t
delete_xrs(struct control *c, const struct json *xrd)
{
    const struct kind *k = registry_resource(
        c->registry, spec_text(xrd, "group", NULL), xrd_referenceable(xrd),
        spec_text(xrd, "names", "plural"));
    AUTO(status_release) struct status st = {0};
    struct doomed d = {0};
    size_t left = 0;

    if (!k)
        return 0;
    registry_list(c->registry, k, NULL, NULL, doom, &d, &st);
    for (size_t i = 0; i < d.names.n; i++) {
        AUTO(status_release) struct status one = {0};

        registry_delete(c->registry, k, d.ns.v[i], d.names.v[i], NULL, NULL,
                        &one);
        left += registry_has(c->registry, k, d.ns.v[i], d.names.v[i]);
    }
    strlist_release(&d.ns);
    strlist_release(&d.names);
    return left;
}

static bool
terminate(struct control *c, const struct kind *k, struct json **obj)
{
    struct json *xrd = *obj;
    static const struct condition terminating = {
        "Established", "False", "TerminatingCompositeResource", NULL, 0};
    struct condition cond = terminating;
    AUTO(status_release) struct status st = {0};
    AUTO(json_free_ptr)
    struct json *crd =
        registry_get(c->registry, crd_kind(c), "", kobj_name(xrd));

    cond.generation = kobj_generation(xrd);
    if (condition_set(xrd, &cond, control_now_s(c)))
        control_update_status(c, k, CORE_MANAGER, obj);
    xrd = *obj;
    if (!crd || !kobj_is_controlled_by(crd, kobj_uid(xrd))) {
        drop_type(c, xrd);
        return !kobj_remove_finalizer(xrd, FINALIZER) ||
               control_update(c, k, CORE_MANAGER, obj, &st);
    }
    if (delete_xrs(c, xrd)) {
        control_event(c, xrd, COMPONENT, false, "TerminateComposite",
                      "waiting for defined composite resources to be deleted");
        return false;
    }
    drop_type(c, xrd);
    if (!registry_delete(c->registry, crd_kind(c), "", kobj_name(xrd), NULL,
                         NULL, &st) &&
        !status_is(&st, "NotFound")) {
        control_event(c, xrd, COMPONENT, true, "TerminateComposite",
                      "cannot delete composite resource "
                      "CustomResourceDefinition: %s",
                      st.message);
        return false;
    }
    control_event(c, xrd, COMPONENT, false, "TerminateComposite",
                  "Deleted composite resource CustomResourceDefinition: %s",
                  kobj_name(xrd));
    /* The CRD's own change brings the XRD here again. */
    return true;
}

/* ---- establishing ---- */

static bool
add_finalizer(struct control *c, const struct kind *k, struct json **xrd)
{
    AUTO(status_release) struct status st = {0};

    if (!kobj_add_finalizer(*xrd, FINALIZER) ||
        control_update(c, k, CORE_MANAGER, xrd, &st))
        return true;
    control_event(c, *xrd, COMPONENT, true, "EstablishComposite",
                  "cannot add composite resource finalizer: %s", st.message);
    return false;
}

static bool
apply_crd(struct control *c, const struct json *xrd, const struct json *crd)
{
    AUTO(status_release) struct status st = {0};
    const char *name = kobj_name(xrd);
    AUTO(json_free_ptr)
    struct json *before = registry_get(c->registry, crd_kind(c), "", name);
    const struct json *owner = kobj_controller(before);

    if (owner && !kobj_is_controlled_by(before, kobj_uid(xrd))) {
        control_event(c, xrd, COMPONENT, true, "EstablishComposite",
                      "cannot apply rendered composite resource "
                      "CustomResourceDefinition: existing object is not "
                      "controlled by UID \"%s\"",
                      kobj_uid(xrd));
        return false;
    }
    if (!registry_install_crd(c->registry, CORE_MANAGER, crd, &st)) {
        control_event(c, xrd, COMPONENT, true, "EstablishComposite",
                      "cannot apply rendered composite resource "
                      "CustomResourceDefinition: %s",
                      st.message);
        return false;
    }
    AUTO(json_free_ptr)
    struct json *after = registry_get(c->registry, crd_kind(c), "", name);

    if (kobj_revision(after) != kobj_revision(before))
        control_event(c, xrd, COMPONENT, false, "EstablishComposite",
                      "Applied composite resource "
                      "CustomResourceDefinition: %s",
                      name);
    if (condition_true(after, "Established"))
        return true;
    control_event(c, xrd, COMPONENT, false, "EstablishComposite",
                  "waiting for composite resource CustomResourceDefinition to "
                  "be established");
    return false;
}

static void
set_type_reference(struct json *controllers, const char *key,
                   const char *api_version, const char *kind)
{
    struct json *ref = json_need_object(controllers, key);

    json_set_string(ref, "apiVersion", api_version);
    json_set_string(ref, "kind", kind);
}

static void
mark_established(struct control *c, const struct kind *k, struct json **obj)
{
    struct json *xrd = *obj;
    struct condition cond = {"Established", "True", "WatchingCompositeResource",
                             NULL, kobj_generation(xrd)};
    struct json *was = json_copy(json_get(xrd, "status"));
    struct json *controllers =
        json_need_object(json_need_object(xrd, "status"), "controllers");
    AUTO(mem_free_ptr)
    char *api = mem_printf("%s/%s", spec_text(xrd, "group", NULL),
                           xrd_referenceable(xrd));

    set_type_reference(controllers, "compositeResourceClaimType", "", "");
    set_type_reference(controllers, "compositeResourceType", api,
                       spec_text(xrd, "names", "kind"));
    condition_set(xrd, &cond, control_now_s(c));
    if (!json_equal(was, json_get(xrd, "status")))
        control_update_status(c, k, CORE_MANAGER, obj);
    json_free(was);
}

bool
control_xrd(struct control *c, const struct job *j)
{
    const struct kind *k = control_kind(c, j->group, j->plural);
    struct error err = {0};
    AUTO(json_free_ptr)
    struct json *xrd = registry_get(c->registry, k, "", j->name);
    AUTO(json_free_ptr) struct json *crd = NULL;

    if (!xrd)
        return true;
    crd = xrd_to_crd(xrd, &err);
    if (crd && !xrd_referenceable(xrd))
        error_set(&err, ERR_INVALID, "no version is referenceable");
    if (err.code) {
        control_event(c, xrd, COMPONENT, true, "RenderCRD",
                      "cannot render composite resource "
                      "CustomResourceDefinition: %s",
                      err.msg);
        return false;
    }
    if (kobj_is_deleted(xrd))
        return terminate(c, k, &xrd);
    if (!add_finalizer(c, k, &xrd) || !apply_crd(c, xrd, crd))
        return false;
    bool fresh = set_type(c, xrd);

    mark_established(c, k, &xrd);
    if (fresh)
        control_add_all(c, JOB_XR,
                        registry_resource(c->registry,
                                          spec_text(xrd, "group", NULL),
                                          xrd_referenceable(xrd),
                                          spec_text(xrd, "names", "plural")));
    return true;
}
