/*
 * Which Composition and which revision of it (crossplane 2.0.8
 * composite/api.go). Differences on purpose: of several Compositions that
 * match, the first by name is taken (upstream: a random one); the finalizer and
 * the label ride with the write of the Composition and of its revision.
 */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/compose/compose.h"
#include "lib/compose/conditions.h"
#include "lib/compose/xrd.h"

#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/xr_compose.h"
#include "devenv/sandbox/xr_look.h"

static const char *
ref_name(struct xr_look *l, const char *key)
{
    const struct json *m = xrd_machinery(l->xr, l->s->type->legacy);

    return json_string_or(json_at(m, key, "name", NULL), "");
}

static bool
set_composition(struct xr_look *l, const char *name, bool store,
                struct error *err)
{
    AUTO(status_release) struct status st = {0};
    bool ok = true;

    /* What is not stored here must not ride with the finalizer either. */
    if (!store && l->unsaved)
        ok = xr_update(l, &st);
    json_set_string(
        json_set(xr_machinery(l), "compositionRef", json_new_object()), "name",
        name);
    if (store)
        ok = xr_update(l, &st);
    return ok || error_set(err, ERR_INVALID,
                           "cannot update composite resource: %s", st.message);
}

/* The first Composition by name whose labels and type fit. */
static bool
select_by_labels(struct xr_look *l, struct error *err)
{
    const struct json *m = xrd_machinery(l->xr, l->s->type->legacy);
    const struct json *labels =
        json_at(m, "compositionSelector", "matchLabels", NULL);
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    AUTO(status_release) struct status st = {0};
    AUTO(mem_free_ptr) char *chosen = NULL;

    xr_labels(labels, &b);
    const struct json *all =
        control_list(l->c, "compositions", b.n ? buf_cstr(&b) : NULL, &st);

    if (!all)
        return error_set(err, ERR_INVALID, "cannot list Compositions: %s",
                         st.message);
    for (const struct json *x = json_first(all); x && !chosen;
         x = json_next(x)) {
        const struct json *t = json_at(x, "spec", "compositeTypeRef", NULL);

        if (strcmp(kobj_api_version(t), l->s->type->api_version) == 0 &&
            strcmp(kobj_kind(t), l->s->type->kind) == 0)
            chosen = mem_strdup(kobj_name(x));
    }
    if (!chosen)
        return error_set(err, ERR_NOT_FOUND,
                         "no compatible Compositions found");
    return set_composition(l, chosen, true, err);
}

/* Enforced, then the reference, then the default, then the labels. */
static bool
choose(struct xr_look *l, struct error *err)
{
    const struct xr_type *t = l->s->type;
    const struct json *m = xrd_machinery(l->xr, t->legacy);

    if (t->enforced && strcmp(ref_name(l, "compositionRef"), t->enforced)) {
        if (!set_composition(l, t->enforced, true, err))
            return false;
        xr_say(l, false, "CompositionSelection",
               "Enforced composition has been selected");
    }
    if (*ref_name(l, "compositionRef"))
        return true;
    if (t->fallback && !json_get(m, "compositionSelector")) {
        xr_say(l, false, "CompositionSelection",
               "Default composition has been selected");
        return set_composition(l, t->fallback, false, err);
    }
    return select_by_labels(l, err);
}

static bool
select_composition(struct xr_look *l)
{
    AUTO(mem_free_ptr) char *had = mem_strdup(ref_name(l, "compositionRef"));
    struct error err = {0};
    const char *name;

    if (!choose(l, &err))
        return xr_failed(l, "SelectComposition", "cannot select Composition",
                         err.msg);
    name = ref_name(l, "compositionRef");
    if (strcmp(had, name) != 0)
        control_event(l->c, l->xr, XR_COMPONENT, false, "SelectComposition",
                      "Successfully selected composition: %s", name);
    return true;
}

static const struct json *
latest_revision(struct xr_look *l, const struct json *comp)
{
    const struct json *m = xrd_machinery(l->xr, l->s->type->legacy);
    const char *policy =
        json_string_or(json_get(m, "compositionUpdatePolicy"), "");
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    AUTO(status_release) struct status st = {0};
    const struct json *best = NULL;
    int64_t number = 0;

    buf_printf(&b, "crossplane.io/composition-name=%s", kobj_name(comp));
    if (strcmp(policy, "Automatic") == 0)
        xr_labels(
            json_at(m, "compositionRevisionSelector", "matchLabels", NULL), &b);
    const struct json *all =
        control_list(l->c, "compositionrevisions", buf_cstr(&b), &st);

    for (const struct json *r = json_first(all); r; r = json_next(r)) {
        int64_t n = json_int64_or(json_at(r, "spec", "revision", NULL), 0);

        if (n > number && kobj_is_controlled_by(r, kobj_uid(comp))) {
            best = r;
            number = n;
        }
    }
    return best;
}

/* The XR's own name, unless a parent gave it the root's. Rides with the write
 * of the revision when there is one. */
static void
set_root_label(struct xr_look *l)
{
    if (*kobj_label(l->xr, COMPOSE_LABEL_COMPOSITE))
        return;
    kobj_set_label(l->xr, COMPOSE_LABEL_COMPOSITE, l->s->name);
    l->unsaved = true;
}

/* NULL: failed, and said so. */
static const struct json *
fetch_revision(struct xr_look *l)
{
    const char *comp_name = ref_name(l, "compositionRef");
    const char *current = ref_name(l, "compositionRevisionRef");
    const struct json *m = xrd_machinery(l->xr, l->s->type->legacy);
    bool manual =
        strcmp(json_string_or(json_get(m, "compositionUpdatePolicy"), ""),
               "Manual") == 0;
    AUTO(mem_free_ptr) char *why = NULL;
    AUTO(status_release) struct status st = {0};
    const struct json *rev = NULL;

    l->s->manual = manual;
    if (*current && manual) {
        rev = control_get(l->c, "compositionrevisions", current);
        if (!rev)
            why = mem_printf("cannot get CompositionRevision: "
                             "CompositionRevision.apiextensions.crossplane.io "
                             "\"%s\" not found",
                             current);
    } else {
        const struct json *comp = control_get(l->c, "compositions", comp_name);

        rev = comp ? latest_revision(l, comp) : NULL;
        if (!comp)
            why = mem_printf("cannot get Composition: "
                             "Composition.apiextensions.crossplane.io \"%s\" "
                             "not found",
                             comp_name);
        else if (!rev)
            why = mem_strdup("no compatible CompositionRevisions found");
    }
    if (rev)
        set_root_label(l);
    if (rev && strcmp(current, kobj_name(rev)) != 0) {
        json_set_string(json_set(xr_machinery(l), "compositionRevisionRef",
                                 json_new_object()),
                        "name", kobj_name(rev));
        if (xr_update(l, &st))
            control_event(l->c, l->xr, XR_COMPONENT, false, "SelectComposition",
                          "Selected composition revision: %s", kobj_name(rev));
        else
            why =
                mem_printf("cannot update composite resource: %s", st.message);
    }
    if (why) {
        xr_failed(l, "ComposeResources", "cannot fetch Composition", why);
        return NULL;
    }
    return rev;
}

static bool
check_revision(struct xr_look *l, const struct json *rev)
{
    const struct json *t = json_at(rev, "spec", "compositeTypeRef", NULL);
    const char *message = json_string_or(
        json_get(condition_get(rev, "ValidPipeline"), "message"), "");
    AUTO(mem_free_ptr) char *what = NULL;

    if (!condition_true(rev, "ValidPipeline")) {
        what = mem_printf("selected CompositionRevision %s does not have a "
                          "valid function pipeline",
                          kobj_name(rev));
        return xr_failed(l, "ComposeResources", what,
                         *message ? message : "pipeline status unknown");
    }
    if (strcmp(kobj_api_version(t), l->s->type->api_version) != 0 ||
        strcmp(kobj_kind(t), l->s->type->kind) != 0)
        return xr_failed(l, "ComposeResources",
                         "cannot configure composite resource",
                         "referenced composition is not compatible with this "
                         "composite resource");
    return true;
}

static bool
save(struct xr_look *l)
{
    AUTO(status_release) struct status st = {0};

    return !l->unsaved || xr_update(l, &st) ||
           xr_failed(l, "ComposeResources",
                     "cannot configure composite resource", st.message);
}

/* Legacy: a Composition may say where connection secrets go. */
static void
need_secret_ref(struct xr_look *l, const struct json *rev)
{
    const char *ns = json_string_or(
        json_at(rev, "spec", "writeConnectionSecretsToNamespace", NULL), "");
    struct json *spec = json_get(l->xr, "spec"), *ref;

    if (!l->s->type->legacy || !*ns ||
        json_get(spec, "writeConnectionSecretToRef"))
        return;
    ref = json_need_object(spec, "writeConnectionSecretToRef");
    json_set_string(ref, "name", kobj_uid(l->xr));
    json_set_string(ref, "namespace", ns);
    l->unsaved = true;
}

const struct json *
xr_select(struct xr_look *l)
{
    const struct json *rev;

    if (!select_composition(l))
        return NULL;
    rev = fetch_revision(l);
    if (!rev || !check_revision(l, rev))
        return NULL;
    need_secret_ref(l, rev);
    return save(l) ? rev : NULL;
}
