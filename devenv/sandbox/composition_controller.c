/*
 * Compositions and their revisions: any change of labels, annotations or spec
 * makes a revision; going back gives the old one the highest number again.
 * Source: crossplane 2.0.8 internal/controller/apiextensions/{composition,
 * revision}.
 */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/compose/conditions.h"
#include "lib/compose/revision.h"

#include "devenv/sandbox/control.h"
#include "devenv/sandbox/kobj.h"

#define COMPONENT "apiextensions/composition.apiextensions.crossplane.io"
#define REVISION_COMPONENT                                                     \
    "revision/compositionrevision.apiextensions.crossplane.io"

static int64_t
number_of(const struct json *revision)
{
    return json_int64_or(json_at(revision, "spec", "revision", NULL), 0);
}

static bool
waits(const struct xr_state *s, const void *composition)
{
    (void)composition;
    return !s->revision;
}

static struct json *
list_revisions(struct control *c, const char *composition)
{
    AUTO(status_release) struct status st = {0};
    AUTO(mem_free_ptr)
    char *sel = mem_printf("crossplane.io/composition-name=%s", composition);

    return registry_list_json(
        c->registry, control_kind(c, CROSSPLANE_GROUP, "compositionrevisions"),
        NULL, sel, &st);
}

/* Owner references are lost when objects move between clusters. */
static bool
own(struct control *c, const struct json *comp, struct json **rev)
{
    AUTO(status_release) struct status st = {0};
    const struct kind *k =
        control_kind(c, CROSSPLANE_GROUP, "compositionrevisions");

    if (kobj_is_controlled_by(*rev, kobj_uid(comp)))
        return true;
    if (kobj_controller(*rev))
        return false;
    json_append(json_need_array(json_get(*rev, "metadata"), "ownerReferences"),
                kobj_owner_reference(comp));
    return control_update(c, k, CORE_MANAGER, rev, &st);
}

static bool
create(struct control *c, const struct json *comp, int64_t number)
{
    const struct registry_write w = {.manager = CORE_MANAGER};
    AUTO(status_release) struct status st = {0};
    AUTO(json_free_ptr)
    struct json *made = registry_create(
        c->registry, control_kind(c, CROSSPLANE_GROUP, "compositionrevisions"),
        &w, "", revision_new(comp, number), &st);

    if (made)
        control_event(c, comp, COMPONENT, false, "CreateRevision",
                      "Created new revision");
    else
        control_event(c, comp, COMPONENT, true, "CreateRevision",
                      "cannot create CompositionRevision: %s", st.message);
    return made != NULL;
}

bool
control_composition(struct control *c, const struct job *j)
{
    const struct kind *k = control_kind(c, j->group, j->plural);
    AUTO(json_free_ptr)
    struct json *comp = registry_get(c->registry, k, "", j->name);
    AUTO(json_free_ptr) struct json *all = NULL;
    char hash[REVISION_HASH_LEN];
    int64_t latest = 0;
    bool exists = false;

    control_add_xrs(c, waits, j->name);
    if (!comp || kobj_is_deleted(comp))
        return true;
    revision_hash(comp, hash);
    hash[63] = '\0';
    all = list_revisions(c, j->name);
    for (const struct json *r = json_first(all); r; r = json_next(r))
        latest = MAX(latest, number_of(r));
    for (const struct json *r = json_first(all); r; r = json_next(r)) {
        AUTO(json_free_ptr) struct json *rev = json_copy(r);
        AUTO(status_release) struct status st = {0};

        if (!own(c, comp, &rev))
            return false;
        if (strcmp(kobj_label(rev, "crossplane.io/composition-hash"), hash) !=
            0)
            continue;
        exists = true;
        if (number_of(rev) == latest)
            continue;
        json_set_int(json_get(rev, "spec"), "revision", latest + 1);
        if (!control_update(
                c, control_kind(c, CROSSPLANE_GROUP, "compositionrevisions"),
                CORE_MANAGER, &rev, &st))
            return false;
    }
    return exists || create(c, comp, latest + 1);
}

/* ---- revisions ---- */

static void
forget_pipeline(struct control *c, const char *revision)
{
    pipeline_free(map_del(&c->pipelines, str_of(revision)));
}

/* An XR that waits for its first revision, or that would go on to this one of
 * its Composition: names are "<composition>-<7 hex>". */
static bool
waits_or_follows(const struct xr_state *s, const void *revision)
{
    const char *dash = strrchr(revision, '-');
    size_t n = dash ? (size_t)(dash + 1 - (const char *)revision) : 0;

    return !s->revision ||
           (!s->manual && n && strncmp(s->revision, revision, n) == 0 &&
            !strchr(s->revision + n, '-'));
}

/* Every function that is built in can compose; one that is not installed
 * passes here, as upstream, and fails when it is to run. */
bool
control_revision(struct control *c, const struct job *j)
{
    const struct kind *k = control_kind(c, j->group, j->plural);
    AUTO(json_free_ptr)
    struct json *rev = registry_get(c->registry, k, "", j->name);
    struct condition synced = {"Synced", "True", "ReconcileSuccess", NULL, 0};
    struct condition valid = {"ValidPipeline", "True", "ValidPipeline", NULL,
                              0};
    bool ok = true, changed;

    forget_pipeline(c, j->name);
    if (rev && !kobj_is_deleted(rev)) {
        synced.generation = valid.generation = kobj_generation(rev);
        changed = condition_set(rev, &synced, control_now_s(c));
        changed = condition_set(rev, &valid, control_now_s(c)) || changed;
        if (changed) {
            control_event(c, rev, REVISION_COMPONENT, false,
                          "CheckCapabilities",
                          "All functions have required composition "
                          "capability");
            ok = control_update_status(c, k, CORE_MANAGER, &rev);
        }
    }
    control_add_xrs(c, waits_or_follows, j->name);
    return ok;
}
