/*
 * XRDs: each becomes a CustomResourceDefinition, and one for claims if it
 * offers them; once it is served, objects of its kind are composite resources
 * or claims. Deleting an XRD deletes them first.
 * Source: crossplane 2.0.8 internal/controller/apiextensions/{definition,
 * offered}: two controllers that do the same to the same XRD in other words
 * (sides[]). One difference on purpose: upstream cannot delete namespaced XRs
 * through the path it asks (the XRD hangs); here they are deleted.
 */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/compose/conditions.h"
#include "lib/compose/xrd.h"

#include "devenv/sandbox/control.h"
#include "devenv/sandbox/kobj.h"

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

static const char *
spec_claim(const struct json *xrd, const char *key)
{
    return json_string_or(json_at(xrd, "spec", "claimNames", key, NULL), "");
}

static void
set_text(char **to, const char *value)
{
    free(*to);
    *to = value && *value ? mem_strdup(value) : NULL;
}

/* ---- the two definitions an XRD stands for ---- */

static const char *
composite_plural(const struct json *xrd)
{
    return spec_text(xrd, "names", "plural");
}

static const char *
composite_kind(const struct json *xrd)
{
    return spec_text(xrd, "names", "kind");
}

static const char *
claim_plural(const struct json *xrd)
{
    return spec_claim(xrd, "plural");
}

static const char *
claim_kind(const struct json *xrd)
{
    return spec_claim(xrd, "kind");
}

static const struct side {
    struct json *(*render)(const struct json *xrd, struct error *err);
    const char *(*plural)(const struct json *xrd);
    const char *(*kind)(const struct json *xrd);
    const char *what; /* it defines, in events */
    const char *finalizer, *component;
    const char *condition, *yes, *no;  /* its condition and the reasons */
    const char *establish, *terminate; /* reasons of events */
    const char *type_reference;        /* in status.controllers */
    enum job_kind job;                 /* of an object of its kind */
} sides[] = {
    {xrd_to_claim_crd, claim_plural, claim_kind, "composite resource claim",
     "offered.apiextensions.crossplane.io",
     "offered/compositeresourcedefinition.apiextensions.crossplane.io",
     "Offered", "WatchingCompositeResourceClaim",
     "TerminatingCompositeResourceClaim", "OfferClaim", "RedactClaim",
     "compositeResourceClaimType", JOB_CLAIM},
    {xrd_to_crd, composite_plural, composite_kind, "composite resource",
     "defined.apiextensions.crossplane.io",
     "defined/compositeresourcedefinition.apiextensions.crossplane.io",
     "Established", "WatchingCompositeResource", "TerminatingCompositeResource",
     "EstablishComposite", "TerminateComposite", "compositeResourceType",
     JOB_XR},
};

static const struct kind *
defined_kind(struct control *c, const struct json *xrd, const struct side *side)
{
    return registry_resource(c->registry, spec_text(xrd, "group", NULL),
                             xrd_referenceable(xrd), side->plural(xrd));
}

/* ---- types ---- */

static char *
type_key(const struct json *xrd, const char *plural)
{
    return mem_printf("%s/%s", spec_text(xrd, "group", NULL), plural);
}

static struct xr_type *
type_of(struct control *c, const struct json *xrd)
{
    AUTO(mem_free_ptr) char *key = type_key(xrd, composite_plural(xrd));

    return map_get(&c->types, str_of(key));
}

/* Claims are found through the type of their XRs. */
static void
set_claims(struct control *c, const struct json *xrd, struct xr_type *t)
{
    const char *plural = claim_plural(xrd);
    AUTO(mem_free_ptr) char *key = type_key(xrd, plural);

    set_text(&t->claim_plural, plural);
    if (*plural)
        map_put(&c->claims, str_of(key), t);
    json_free(t->keys);
    t->keys = json_copy(json_at(xrd, "spec", "connectionSecretKeys", NULL));
}

/* Answers true when it is new or of another version than before. */
static bool
set_type(struct control *c, const struct json *xrd)
{
    AUTO(mem_free_ptr) char *key = type_key(xrd, composite_plural(xrd));
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
    set_text(&t->plural, composite_plural(xrd));
    set_text(&t->kind, composite_kind(xrd));
    set_text(&t->version, version);
    free(t->api_version);
    t->api_version = mem_printf("%s/%s", t->group, version);
    t->namespaced = strcmp(scope, "Namespaced") == 0;
    t->legacy = strcmp(scope, "LegacyCluster") == 0;
    set_text(&t->enforced, spec_text(xrd, "enforcedCompositionRef", "name"));
    set_text(&t->fallback, spec_text(xrd, "defaultCompositionRef", "name"));
    set_claims(c, xrd, t);
    return fresh;
}

static void
drop_type(struct control *c, const struct json *xrd)
{
    AUTO(mem_free_ptr) char *key = type_key(xrd, composite_plural(xrd));
    AUTO(mem_free_ptr) char *claims = type_key(xrd, claim_plural(xrd));
    struct xr_type *t = map_get(&c->types, str_of(key));

    if (!t)
        return;
    for (struct map_entry *e = map_first(&c->states), *next; e; e = next) {
        struct xr_state *s = e->value;

        next = map_next(&c->states, e);
        if (s->type == t)
            xr_state_drop(c, s);
    }
    map_del(&c->claims, str_of(claims));
    xr_type_free(map_del(&c->types, str_of(key)));
}

/* ---- telling ---- */

static bool
mark(struct control *c, struct json *xrd, const struct side *side, bool yes)
{
    return control_mark(c, xrd, side->condition, yes ? "True" : "False",
                        yes ? side->yes : side->no, NULL);
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

/* Asks for the deletion of all objects; answers how many are still there. */
static size_t
delete_all(struct control *c, const struct kind *k)
{
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
drop_finalizer(struct control *c, const struct kind *k, struct json **xrd,
               const struct side *side)
{
    AUTO(status_release) struct status st = {0};

    if (!kobj_remove_finalizer(*xrd, side->finalizer) ||
        control_update(c, k, CORE_MANAGER, xrd, &st))
        return true;
    control_event(c, *xrd, side->component, true, side->terminate,
                  "cannot remove %s finalizer: %s", side->what, st.message);
    return false;
}

static bool
terminate(struct control *c, const struct kind *k, struct json **xrd,
          const struct side *side, const char *name)
{
    AUTO(status_release) struct status st = {0};
    AUTO(json_free_ptr)
    struct json *crd = registry_get(c->registry, crd_kind(c), "", name);

    if (mark(c, *xrd, side, false))
        control_update_status(c, k, CORE_MANAGER, xrd);
    if (!crd || !kobj_is_controlled_by(crd, kobj_uid(*xrd))) {
        if (side->job == JOB_XR)
            drop_type(c, *xrd);
        return drop_finalizer(c, k, xrd, side);
    }
    if (delete_all(c, defined_kind(c, *xrd, side))) {
        control_event(c, *xrd, side->component, false, side->terminate,
                      "waiting for defined %ss to be deleted", side->what);
        return false;
    }
    if (side->job == JOB_XR)
        drop_type(c, *xrd);
    if (!registry_delete(c->registry, crd_kind(c), "", name, NULL, NULL, &st) &&
        !status_is(&st, "NotFound")) {
        control_event(c, *xrd, side->component, true, side->terminate,
                      "cannot delete %s CustomResourceDefinition: %s",
                      side->what, st.message);
        return false;
    }
    control_event(c, *xrd, side->component, false, side->terminate,
                  "Deleted %s CustomResourceDefinition: %s", side->what, name);
    /* The CRD's own change brings the XRD here again. */
    return true;
}

/* ---- establishing ---- */

static bool
add_finalizer(struct control *c, const struct kind *k, struct json **xrd,
              const struct side *side)
{
    AUTO(status_release) struct status st = {0};

    if (!kobj_add_finalizer(*xrd, side->finalizer) ||
        control_update(c, k, CORE_MANAGER, xrd, &st))
        return true;
    control_event(c, *xrd, side->component, true, side->establish,
                  "cannot add %s finalizer: %s", side->what, st.message);
    return false;
}

/* Says why the definition cannot be had. */
static bool
refused(struct control *c, const struct json *xrd, const struct side *side,
        const char *why)
{
    control_event(c, xrd, side->component, true, side->establish,
                  "cannot apply rendered %s CustomResourceDefinition: %s",
                  side->what, why);
    return false;
}

static bool
apply_crd(struct control *c, const struct json *xrd, const struct side *side,
          const struct json *crd)
{
    AUTO(status_release) struct status st = {0};
    const char *name = kobj_name(crd);
    AUTO(json_free_ptr)
    struct json *before = registry_get(c->registry, crd_kind(c), "", name);
    const struct json *owner = kobj_controller(before);

    if (owner && !kobj_is_controlled_by(before, kobj_uid(xrd))) {
        AUTO(mem_free_ptr)
        char *why = mem_printf("existing object is not controlled by UID "
                               "\"%s\"",
                               kobj_uid(xrd));

        return refused(c, xrd, side, why);
    }
    const struct registry_write w = {.manager = CORE_MANAGER};

    if (!registry_install_crd(c->registry, &w, crd, &st)) {
        AUTO(mem_free_ptr)
        char *why = mem_printf("cannot %s object: %s",
                               before ? "update" : "create", st.message);

        return refused(c, xrd, side, why);
    }
    AUTO(json_free_ptr)
    struct json *after = registry_get(c->registry, crd_kind(c), "", name);

    if (kobj_revision(after) != kobj_revision(before))
        control_event(c, xrd, side->component, false, side->establish,
                      "Applied %s CustomResourceDefinition: %s", side->what,
                      name);
    if (condition_true(after, "Established"))
        return true;
    control_event(c, xrd, side->component, false, side->establish,
                  "waiting for %s CustomResourceDefinition to be established",
                  side->what);
    return false;
}

/* Both references are always there; without claims theirs is empty. */
static struct json *
type_reference(struct json *xrd, const struct side *side)
{
    struct json *controllers =
        json_need_object(json_need_object(xrd, "status"), "controllers");
    struct json *ref = json_need_object(controllers, side->type_reference);

    if (!json_get(ref, "kind")) {
        json_set_string(ref, "apiVersion", "");
        json_set_string(ref, "kind", "");
    }
    return ref;
}

static void
mark_established(struct control *c, const struct kind *k, struct json **obj,
                 const struct side *side)
{
    struct json *xrd = *obj;
    AUTO(json_free_ptr) struct json *was = json_copy(json_get(xrd, "status"));
    AUTO(mem_free_ptr)
    char *api = mem_printf("%s/%s", spec_text(xrd, "group", NULL),
                           xrd_referenceable(xrd));
    struct json *ref = NULL;

    for (size_t i = 0; i < ARRAY_LEN(sides); i++) {
        struct json *each = type_reference(xrd, &sides[i]);

        ref = &sides[i] == side ? each : ref;
    }
    json_set_string(ref, "apiVersion", api);
    json_set_string(ref, "kind", side->kind(xrd));
    mark(c, xrd, side, true);
    if (!json_equal(was, json_get(xrd, "status")))
        control_update_status(c, k, CORE_MANAGER, obj);
}

/* The objects that are there already are looked at once. */
static void
start(struct control *c, const struct json *xrd, const struct side *side)
{
    const struct kind *k = defined_kind(c, xrd, side);

    if (k)
        control_add_all(c, side->job, k);
}

static bool
look_at_side(struct control *c, const struct kind *k, struct json **xrd,
             const struct side *side)
{
    struct error err = {0};
    AUTO(json_free_ptr) struct json *crd = side->render(*xrd, &err);

    if (crd && !xrd_referenceable(*xrd))
        error_set(&err, ERR_INVALID, "no version is referenceable");
    if (err.code) {
        control_event(c, *xrd, side->component, true, "RenderCRD",
                      "cannot render %s CustomResourceDefinition: %s",
                      side->what, err.msg);
        return false;
    }
    if (kobj_is_deleted(*xrd))
        return terminate(c, k, xrd, side, kobj_name(crd));
    if (!add_finalizer(c, k, xrd, side) || !apply_crd(c, *xrd, side, crd))
        return false;
    if (side->job == JOB_XR ? set_type(c, *xrd) : !type_of(c, *xrd))
        start(c, *xrd, side);
    mark_established(c, k, xrd, side);
    return true;
}

/* Claims go before what they claim, and come after it. */
bool
control_xrd(struct control *c, const struct job *j)
{
    const struct kind *k = control_kind(c, j->group, j->plural);
    AUTO(json_free_ptr)
    struct json *xrd = registry_get(c->registry, k, "", j->name);
    bool ok = true;

    for (size_t i = 0; xrd && i < ARRAY_LEN(sides); i++) {
        if (*sides[i].plural(xrd))
            ok = look_at_side(c, k, &xrd, &sides[i]) && ok;
    }
    return ok;
}
