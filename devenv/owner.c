#include "devenv/owner.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/random.h"

#include "devenv/kind.h" /* KIND_FACT_ADOPTED */

#define FACT_UID     "owner/uid"
#define FACT_ADOPTED "owner/adopted"

static const struct kube_gvr configmaps = {"", "v1", "configmaps"};

/* ---- the mark ---- */

static struct kube_request
request(enum kube_verb verb)
{
    return (struct kube_request){.verb = verb,
                                 .gvr = configmaps,
                                 .ns = OWNER_NAMESPACE,
                                 .name = OWNER_NAME};
}

static bool
fact_is(const struct profile *p, const char *key, const char *value)
{
    const char *fact = profile_fact(p, key);

    return fact && *value && strcmp(fact, value) == 0;
}

static enum owner
whose(const struct profile *p, const struct owner_mark *m)
{
    bool known = profile_fact(p, FACT_UID) != NULL;

    if (fact_is(p, OWNER_FACT_RUN, m->run_id) &&
        (!known || fact_is(p, FACT_UID, m->uid)))
        return OWNER_OURS;
    return fact_is(p, FACT_ADOPTED, m->uid) ? OWNER_ADOPTED : OWNER_OTHER;
}

static void
read_mark(const struct profile *p, struct json *object, struct owner_mark *out)
{
    struct json *data = json_get(object, "data");

    snprintf(out->profile, sizeof(out->profile), "%s",
             json_string_or(json_get(data, "profile"), ""));
    snprintf(out->run_id, sizeof(out->run_id), "%s",
             json_string_or(json_get(data, "run-id"), ""));
    snprintf(out->uid, sizeof(out->uid), "%s",
             json_string_or(json_at(object, "metadata", "uid", NULL), ""));
    out->whose = whose(p, out);
    out->data = data ? json_detach(object, data) : NULL;
}

bool
owner_look(struct env *e, struct owner_mark *out, struct error *err)
{
    struct kube_request r = request(KUBE_GET);
    struct owner_mark m = {.whose = OWNER_NONE};
    struct error why = {0};
    AUTO(json_free_ptr)
    struct json *object = kube_client_wait_json(e->client, &r, &why);

    if (object) {
        read_mark(&e->profile, object, &m);
    } else if (why.code != ERR_NOT_FOUND) {
        if (err)
            *err = why;
        return error_wrap(err, "cannot read whose cluster it is");
    }
    *out = m;
    return true;
}

void
owner_mark_release(struct owner_mark *m)
{
    json_free(m->data);
    *m = (struct owner_mark){0};
}

bool
owner_says(const struct owner_mark *m, const struct json *facts)
{
    for (const struct json *f = json_first(facts); f; f = json_next(f)) {
        if (!json_equal(f, json_get(m->data, json_key(f))))
            return false;
    }
    return true;
}

/* The mark as an object; merged into what is there, so that what older runs
 * said stays. */
static struct json *
mark_object(const struct profile *p, const struct json *facts)
{
    struct json *object = json_new_object();
    struct json *meta = json_need_object(object, "metadata");
    struct json *data = json_need_object(object, "data");

    json_set_string(object, "apiVersion", "v1");
    json_set_string(object, "kind", "ConfigMap");
    json_set_string(meta, "name", OWNER_NAME);
    json_set_string(meta, "namespace", OWNER_NAMESPACE);
    json_set_string(json_need_object(meta, "labels"), MARK_RUN, p->name);
    for (const struct json *f = json_first(facts); f; f = json_next(f))
        json_set(data, json_key(f), json_copy(f));
    json_set_string(data, "profile", p->name);
    json_set_string(data, "engine", p->engine);
    json_set_string(data, "run-id", profile_fact(p, OWNER_FACT_RUN));
    return object;
}

static bool
write_mark(struct env *e, const struct json *facts, bool create,
           struct error *err)
{
    struct kube_request r = request(create ? KUBE_CREATE : KUBE_PATCH);
    AUTO(json_free_ptr)
    struct json *object = mark_object(&e->profile, facts);
    AUTO(mem_free_ptr) char *text = json_text(object, JSON_COMPACT);

    if (create)
        r.name = NULL;
    r.body = str_of(text);
    r.patch = KUBE_PATCH_MERGE;
    AUTO(json_free_ptr)
    struct json *said = kube_client_wait_json(e->client, &r, err);

    if (!said)
        return error_wrap(err, "cannot write whose cluster it is");
    profile_set_fact(&e->profile, FACT_UID,
                     json_string(json_at(said, "metadata", "uid", NULL)));
    return profile_save(&e->profile, err);
}

bool
owner_refuse(const struct env *e, const struct owner_mark *m, struct error *err)
{
    error_set(err, ERR_CONFLICT,
              "the cluster belongs to the profile \"%s\" of another meshtop, "
              "not to \"%s\"",
              m->profile, e->profile.name);
    error_remedy(err, "MT-CLUSTER-FOREIGN",
                 "Work on it with --profile %s where that profile is, or use "
                 "it as it is: --adopt (what is there stays its owner's).",
                 *m->profile ? m->profile : "NAME");
    return false;
}

bool
owner_claim(struct env *e, const struct json *facts, bool adopt,
            struct error *err)
{
    AUTO(owner_mark_release) struct owner_mark m = {0};
    struct profile *p = &e->profile;
    char id[RANDOM_UUID_LEN];

    if (!owner_look(e, &m, err))
        return false;
    if (m.whose == OWNER_ADOPTED)
        return true;
    if (m.whose == OWNER_OTHER && !adopt)
        return owner_refuse(e, &m, err);
    if (m.whose == OWNER_OTHER) {
        profile_set_fact(p, FACT_ADOPTED, m.uid);
        return profile_save(p, err);
    }
    if (m.whose == OWNER_NONE) {
        profile_set_fact(p, FACT_UID, NULL);
        profile_set_fact(p, FACT_ADOPTED, NULL);
    }
    if (!profile_fact(p, OWNER_FACT_RUN)) {
        random_uuid(id);
        profile_set_fact(p, OWNER_FACT_RUN, id);
    }
    /* Before the mark is there: a kill in between must leave it ours. */
    return profile_save(p, err) &&
           write_mark(e, facts, m.whose == OWNER_NONE, err);
}

bool
owner_release(struct env *e, struct error *err)
{
    AUTO(owner_mark_release) struct owner_mark m = {0};
    struct kube_request r = request(KUBE_DELETE);
    struct error why = {0};

    if (!owner_look(e, &m, err))
        return false;
    r.if_uid = m.uid;
    if (m.whose == OWNER_OURS && !kube_client_wait(e->client, &r, NULL, &why) &&
        why.code != ERR_NOT_FOUND) {
        if (err)
            *err = why;
        return error_wrap(err, "cannot remove our mark");
    }
    profile_set_fact(&e->profile, FACT_UID, NULL);
    profile_set_fact(&e->profile, FACT_ADOPTED, NULL);
    return profile_save(&e->profile, err);
}

bool
owner_is_guest(const struct profile *p)
{
    return strcmp(p->engine, "context") == 0 ||
           profile_fact(p, KIND_FACT_ADOPTED) != NULL;
}

/* ---- objects ---- */

static void
set_label(struct json *object, const char *run)
{
    struct json *meta = json_need_object(object, "metadata");

    json_set_string(json_need_object(meta, "labels"), MARK_RUN, run);
}

void
owner_label(struct manifest_set *set, const char *profile)
{
    for (size_t i = 0; i < set->n; i++)
        set_label(set->v[i].object, profile);
}

void
owner_copy(const struct json *from, struct json *to)
{
    const char *run = owner_of(from);

    if (*run)
        set_label(to, run);
}

const char *
owner_of(const struct json *object)
{
    return json_string_or(json_at(object, "metadata", "labels", MARK_RUN, NULL),
                          "");
}

/* The field manager that wrote most recently, else NULL. */
static const char *
last_manager(const struct json *object)
{
    const struct json *list =
        json_at(object, "metadata", "managedFields", NULL);
    const char *name = NULL, *when = "";

    for (const struct json *m = json_first(list); m; m = json_next(m)) {
        const char *time = json_string_or(json_get(m, "time"), "");

        /* RFC 3339 in UTC sorts as text. */
        if (json_get_string(m, "subresource") || strcmp(time, when) < 0)
            continue;
        name = json_get_string(m, "manager");
        when = time;
    }
    return name;
}

bool
owner_foreign(const struct json *object, const char *profile, struct buf *out)
{
    const struct json *meta = json_get(object, "metadata");
    const struct json *notes = json_get(meta, "annotations");
    const char *release = json_get_string(notes, "meta.helm.sh/release-name");
    const char *ns = json_get_string(notes, "meta.helm.sh/release-namespace");
    const char *by = json_string(
        json_at(meta, "labels", "app.kubernetes.io/managed-by", NULL));
    const char *run = owner_of(object), *manager = last_manager(object);

    if (strcmp(run, profile) == 0)
        return false;
    if (*run)
        return buf_printf(out, "the meshtop profile %s", run);
    if (release)
        return buf_printf(out, "the Helm release %s in %s", release,
                          ns ? ns : "?");
    if (by)
        return buf_puts(out, by);
    return buf_puts(out, manager ? manager : "somebody else");
}

bool
owner_find(const struct manifest *m, const struct manifest_apply *o,
           const char *profile, bool *foreign, struct buf *owner,
           struct error *err)
{
    struct error why = {0};
    const struct kube_kind *k = manifest_kind(m, o, &why);
    struct kube_request r = {.verb = KUBE_GET, .name = m->name};

    *foreign = false;
    if (k) {
        r.gvr = k->gvr;
        r.ns = !k->namespaced ? NULL : m->ns ? m->ns : "default";
        AUTO(json_free_ptr)
        struct json *there = kube_client_wait_json(o->client, &r, &why);

        if (there) {
            *foreign = owner_foreign(there, profile, owner);
            return true;
        }
    }
    if (why.code == ERR_NOT_FOUND) /* the object, or its kind */
        return true;
    if (err)
        *err = why;
    return false;
}

static void
take_out(struct manifest_set *set, size_t i)
{
    json_free(set->v[i].object);
    free(set->v[i].source);
    memmove(&set->v[i], &set->v[i + 1], (set->n - i - 1) * sizeof(*set->v));
    set->n--;
}

bool
owner_keep_ours(struct env *e, struct manifest_set *set, struct strlist *passed,
                struct error *err)
{
    const struct manifest_apply how = {.client = e->client,
                                       .discovery = e->discovery};

    if (!owner_is_guest(&e->profile))
        return true;
    for (size_t i = set->n; i-- > 0;) {
        const struct manifest *m = &set->v[i];
        AUTO(buf_release) struct buf who = BUF_INIT(1024);
        bool yes;

        if (!owner_find(m, &how, e->profile.name, &yes, &who, err))
            return false;
        if (yes && passed)
            strlist_addf(passed, "%s/%s", m->kind, m->name);
        if (yes)
            take_out(set, i);
    }
    return true;
}
