/*
 * The steps of `up` that bring Crossplane into a cluster: its objects, and the
 * kinds its first start makes. The sandbox has a Crossplane inside: none of
 * this there.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"

#include "devenv/crossplane_steps.h"
#include "devenv/lock.h"
#include "devenv/owner.h"
#include "devenv/package.h"

#define CORE_PACKAGE  "mesh-core"
#define CA_CONFIG     "meshtop-registry-ca"
#define CA_KEY        "ca.crt"
#define CA_BYTES      ((size_t)1 << 20)
#define CRDS_LIMIT_MS 120000
#define CRDS_PAUSE_MS 250
#define ALL_KINDS     21 /* of Crossplane 2.0 to 2.3 */

static const struct kube_gvr deployments = {"apps", "v1", "deployments"};
static const struct kube_gvr secrets = {"", "v1", "secrets"};

static struct profile *
profile_of(const struct up *up)
{
    return &up->env->profile;
}

/* ---- where things come from: what was said now, else last time ---- */

const char *
up_mirror(const struct up *up)
{
    return up->options->registry_mirror
               ? up->options->registry_mirror
               : profile_fact(profile_of(up), FACT_MIRROR);
}

/* A version of ours stays what it is: Crossplane is not upgraded in place. */
static const char *
version_of(const struct up *up, const struct lock *lock)
{
    const struct lock_entry *e = lock_default(lock, "crossplane");
    const char *have = profile_fact(profile_of(up), "version/crossplane");
    const char *v = up->options->crossplane ? up->options->crossplane
                    : have                  ? have
                    : e                     ? e->version
                                            : CROSSPLANE_VERSION;

    return *v == 'v' ? v + 1 : v;
}

const char *
up_mirror_ca(const struct up *up)
{
    return up->options->registry_ca ? up->options->registry_ca
                                    : profile_fact(profile_of(up), FACT_CA);
}

static bool
has_ca(const struct up *up)
{
    return up_mirror_ca(up) != NULL;
}

/* The ConfigMap with the CA, as a set; empty when none was given, or the file
 * of last time is gone. */
static bool
ca_objects(const struct up *up, struct manifest_set *out, struct error *err)
{
    AUTO(buf_release) struct buf pem = BUF_INIT(CA_BYTES);
    AUTO(json_free_ptr) struct json *o = NULL;
    AUTO(mem_free_ptr) char *text = NULL;

    const char *file = up_mirror_ca(up);

    if (!file || (!up->options->registry_ca && !file_exists(file)))
        return true;
    if (!file_read(file, &pem, err))
        return error_wrap(err, "--registry-ca");
    if (!str_contains(buf_view(&pem), STR("-----BEGIN CERTIFICATE-----")))
        return error_set(err, ERR_USAGE,
                         "--registry-ca: %s holds no certificate in PEM form",
                         file);
    o = json_new_object();
    json_set_string(o, "apiVersion", "v1");
    json_set_string(o, "kind", "ConfigMap");
    json_set_string(json_need_object(o, "metadata"), "name", CA_CONFIG);
    json_set_string(json_get(o, "metadata"), "namespace", CROSSPLANE_NAMESPACE);
    json_set(json_need_object(o, "data"), CA_KEY, json_new_str(buf_view(&pem)));
    crossplane_mark(o, profile_of(up)->name);
    text = json_text(o, JSON_COMPACT);
    return manifest_parse(out, str_of(text), "--registry-ca", err);
}

bool
up_crossplane_objects(const struct up *up, struct manifest_set *out,
                      struct error *err)
{
    struct lock lock = {0};
    AUTO(mem_free_ptr)
    char *image = crossplane_mirrored(CROSSPLANE_IMAGE, up_mirror(up));
    bool ok = lock_load(&lock, err);

    if (ok) {
        const struct crossplane_values v = {
            .version = version_of(up, &lock),
            .run = profile_of(up)->name,
            .image = image,
            .ca_config = has_ca(up) ? CA_CONFIG : NULL,
            .ca_key = CA_KEY,
            .pull_secret = profile_fact(profile_of(up), FACT_PULL_SECRET)};

        ok = crossplane_objects(&v, out, err);
    }
    lock_release(&lock);
    return ok;
}

const char *
up_crossplane_namespace(const struct up *up)
{
    const char *ns = profile_fact(&up->env->profile, FACT_XP_ADOPTED);

    return ns ? ns : CROSSPLANE_NAMESPACE;
}

static struct manifest_apply
how(const struct up *up)
{
    return (struct manifest_apply){.client = up->env->client,
                                   .discovery = up->env->discovery,
                                   .force = true,
                                   .kind_wait_ms = 5000};
}

/* Is the object there, ours, and as it would be rendered? */
static bool
is_in_place(const struct up *up, const struct manifest *m)
{
    const struct manifest_apply a = how(up);
    const struct kube_kind *k = manifest_kind(m, &a, NULL);
    struct kube_request r = {.name = m->name, .ns = m->ns};

    if (!k)
        return false;
    r.gvr = k->gvr;
    AUTO(json_free_ptr)
    struct json *there = kube_client_wait_json(up->env->client, &r, NULL);
    const char *have = json_string_or(
        json_at(there, "metadata", "annotations", MARK_DIGEST, NULL), "");

    return strcmp(owner_of(there), profile_of(up)->name) == 0 &&
           strcmp(have,
                  json_string_or(json_at(m->object, "metadata", "annotations",
                                         MARK_DIGEST, NULL),
                                 "-")) == 0;
}

static size_t
count_in_place(const struct up *up, const struct manifest_set *set)
{
    size_t n = 0;

    for (size_t i = 0; i < set->n; i++)
        n += is_in_place(up, &set->v[i]);
    return n;
}

/* ---- whose Crossplane ---- */

static bool
look_at_deployment(struct up_found *f, const struct json *d,
                   const char *profile)
{
    AUTO(buf_release) struct buf who = BUF_INIT(sizeof(f->who));
    const struct json *pod = json_at(d, "spec", "template", "spec", NULL);

    f->any = true;
    f->ours = !owner_foreign(d, profile, &who);
    snprintf(f->who, sizeof(f->who), "%s", buf_cstr(&who));
    snprintf(f->ns, sizeof(f->ns), "%s",
             json_at_text(d, "metadata", "namespace"));
    snprintf(
        f->image, sizeof(f->image), "%s",
        json_string_or(
            json_get(json_first(json_get(pod, "containers")), "image"), ""));
    return f->ours;
}

bool
up_find_crossplane(const struct up *up, struct up_found *f, struct error *err)
{
    struct kube_request r = {.gvr = deployments,
                             .label_selector = "app=crossplane"};
    AUTO(json_free_ptr)
    struct json *list = kube_client_wait_json(up->env->client, &r, err);
    AUTO(json_free_ptr) struct json *releases = NULL;

    *f = (struct up_found){0};
    if (!list)
        return false;
    for (const struct json *d = json_first(json_get(list, "items")); d;
         d = json_next(d)) {
        if (look_at_deployment(f, d, profile_of(up)->name))
            return true;
    }
    if (f->any)
        return true;
    r = (struct kube_request){.gvr = secrets,
                              .label_selector = "owner=helm,name=crossplane"};
    releases = kube_client_wait_json(up->env->client, &r, NULL);
    const struct json *s = json_first(json_get(releases, "items"));

    if (s) {
        f->any = true;
        snprintf(f->ns, sizeof(f->ns), "%s",
                 json_at_text(s, "metadata", "namespace"));
        snprintf(f->who, sizeof(f->who), "the Helm release crossplane in %s",
                 f->ns);
    }
    return true;
}

static bool
may_adopt(const struct up *up)
{
    return up->options->adopt ||
           profile_fact(profile_of(up), FACT_XP_ADOPTED) != NULL;
}

/* Of another hand, in use because the user said so: is it one that can serve?
 */
static bool
adopt(struct up *up, const struct up_found *f, struct step_run *run,
      struct error *err)
{
    const char *tag = strrchr(f->image, ':');
    struct str version = str_of(tag ? tag + 1 : "");

    if (str_starts(version, STR("v1.")) || str_starts(version, STR("v0."))) {
        error_set(err, ERR_UNSUPPORTED,
                  "the Crossplane that is there is %s; the mesh needs 2.0 or "
                  "newer",
                  version.s);
        error_remedy(err, "MT-CROSSPLANE-VERSION",
                     "Upgrade it (its owner is %s), or use another cluster.",
                     f->who);
        return false;
    }
    step_detail(run, "in use as it is: %s, put up by %s",
                *f->image ? f->image : "Crossplane", f->who);
    profile_set_fact(profile_of(up), FACT_XP_ADOPTED, f->ns);
    profile_set_fact(profile_of(up), FACT_MIRROR, up_mirror(up));
    return profile_save(profile_of(up), err);
}

static bool
refuse(const struct up_found *f, struct error *err)
{
    error_set(err, ERR_CONFLICT,
              "Crossplane is there already (namespace %s), put up by %s", f->ns,
              f->who);
    error_remedy(err, "MT-CROSSPLANE-FOREIGN",
                 "meshtop up --adopt uses it as it is and leaves it there; or "
                 "take another cluster: meshtop up --engine kind");
    return false;
}

/* ---- crossplane ---- */

enum step_verdict
up_crossplane_check(void *context, struct step_run *run)
{
    struct up *up = context;
    AUTO(manifest_release) struct manifest_set set = {0};
    struct up_found f;
    struct error why = {0};
    size_t n;

    if (!up_find_crossplane(up, &f, &why) ||
        !up_crossplane_objects(up, &set, &why) || !ca_objects(up, &set, &why)) {
        step_detail(run, "%s", why.msg);
        return STEP_IS_TODO;
    }
    if (f.any && !f.ours) {
        step_detail(run, "%s, put up by %s", f.image, f.who);
        return profile_fact(profile_of(up), FACT_XP_ADOPTED) ? STEP_IS_DONE
                                                             : STEP_IS_TODO;
    }
    n = count_in_place(up, &set);
    step_detail(run, "%zu of %zu objects", n, set.n);
    return n == set.n ? STEP_IS_DONE : f.ours ? STEP_IS_BROKEN : STEP_IS_TODO;
}

/* Applies set[from..]; done counts on over all sets. */
static bool
apply_objects(struct up *up, const struct manifest_set *set, size_t from,
              size_t to, struct step_run *run, struct error *err)
{
    const struct manifest_apply a = how(up);

    for (size_t i = from; i < to; i++) {
        const struct manifest_set one = {.v = &set->v[i], .n = 1};

        if (step_cancelled(run, err) || !manifest_apply(&one, &a, err))
            return false;
        step_detail(run, "%zu of %zu objects", i + 1, set->n);
    }
    return true;
}

/* Stored versions of Crossplane's kinds change between minor versions
 * (crossplane#6717): such a change wants a new cluster. */
static bool
may_become(const struct up *up, struct error *err)
{
    const char *have = profile_fact(profile_of(up), "version/crossplane");
    const char *want = up->options->crossplane;
    size_t minor = have ? strcspn(have, ".") + 1 : 0;

    if (want && *want == 'v')
        want++;
    minor += have ? strcspn(have + minor, ".") : 0;
    if (!have || !want || strncmp(have, want, minor + 1) == 0)
        return true;
    error_set(err, ERR_UNSUPPORTED,
              "Crossplane %s is there; it is not changed to %s in place", have,
              want);
    error_remedy(err, "MT-CROSSPLANE-VERSION",
                 "meshtop down, then meshtop up --crossplane %s; or another "
                 "--profile.",
                 want);
    return false;
}

static bool
keep_facts(struct up *up, struct error *err)
{
    struct profile *p = profile_of(up);
    struct lock lock = {0};

    if (!lock_load(&lock, err))
        return false;
    if (!profile_fact(p, "version/crossplane") &&
        kube_discovery_of(up->env->discovery, STR("pkg.crossplane.io/v1"),
                          STR("Function")))
        profile_set_fact(p, FACT_XP_KINDS, "found");
    profile_set_fact(p, "version/crossplane", version_of(up, &lock));
    profile_set_fact(p, FACT_MIRROR, up_mirror(up));
    if (up->options->registry_ca) {
        AUTO(mem_free_ptr)
        char *whole = realpath(up->options->registry_ca, NULL);

        profile_set_fact(p, FACT_CA, whole ? whole : up->options->registry_ca);
    }
    lock_release(&lock);
    return profile_save(p, err);
}

bool
up_crossplane(void *context, struct step_run *run, struct error *err)
{
    struct up *up = context;
    AUTO(manifest_release) struct manifest_set set = {0}, ca = {0};
    struct up_found f;

    if (!up_find_crossplane(up, &f, err))
        return false;
    if (f.any && !f.ours)
        return may_adopt(up) ? adopt(up, &f, run, err) : refuse(&f, err);
    return may_become(up, err) && up_crossplane_objects(up, &set, err) &&
           ca_objects(up, &ca, err) && keep_facts(up, err) &&
           apply_objects(up, &set, 0, 1, run, err) &&
           apply_objects(up, &ca, 0, ca.n, run, err) &&
           apply_objects(up, &set, 1, set.n, run, err);
}

void
up_crossplane_inputs(void *context, struct buf *out)
{
    struct up *up = context;
    AUTO(manifest_release) struct manifest_set set = {0};

    if (!up_crossplane_objects(up, &set, NULL))
        return;
    for (size_t i = 0; i < set.n; i++)
        json_print(set.v[i].object, JSON_COMPACT | JSON_SORTED, out);
}

/* ---- what it runs ---- */

bool
up_images_needed(const struct up *up, struct strlist *out, struct error *err)
{
    AUTO(manifest_release) struct manifest_set set = {0}, functions = {0};

    if (!up_crossplane_objects(up, &set, err) ||
        !package_load(&functions, CORE_PACKAGE, PACKAGE_FUNCTIONS, err))
        return false;
    for (size_t i = 0; i < set.n; i++) {
        const struct json *all = json_at(set.v[i].object, "spec", "template",
                                         "spec", "containers", NULL);
        const char *image = json_get_string(json_first(all), "image");

        if (image && !strlist_has(out, str_of(image)))
            strlist_add(out, str_of(image));
    }
    for (size_t i = 0; i < functions.n; i++) {
        AUTO(mem_free_ptr)
        char *ref = crossplane_mirrored(
            json_at_text(functions.v[i].object, "spec", "package"),
            up_mirror(up));

        strlist_add(out, str_of(ref));
    }
    return true;
}

/* ---- kinds ---- */

static const struct {
    const char *api_version, *kind;
} needed[] = {
    {"apiextensions.crossplane.io/v2", "CompositeResourceDefinition"},
    {"apiextensions.crossplane.io/v1", "Composition"},
    {"apiextensions.crossplane.io/v1", "CompositionRevision"},
    {"pkg.crossplane.io/v1", "Function"},
    {"pkg.crossplane.io/v1", "FunctionRevision"},
    {"pkg.crossplane.io/v1beta1", "ImageConfig"},
    {"pkg.crossplane.io/v1beta1", "DeploymentRuntimeConfig"},
};

/* Kinds of Crossplane's groups, each once whatever its versions. */
static size_t
count_kinds(const struct kube_discovery *d)
{
    AUTO(strlist_release) struct strlist names = {0};
    const struct kube_kind *k;

    for (size_t i = 0; (k = kube_discovery_at(d, i)); i++) {
        AUTO(mem_free_ptr)
        char *name = mem_printf("%s.%s", k->gvr.resource, k->gvr.group);

        if (str_ends(str_of(k->gvr.group), STR(".crossplane.io")) &&
            !strlist_has(&names, str_of(name)))
            strlist_add(&names, str_of(name));
    }
    return names.n;
}

/* A kind is served when its CRD is Established. */
static bool
kinds_served(struct up *up, bool again, struct step_run *run)
{
    struct kube_discovery *d = up->env->discovery;
    size_t have = 0;
    struct error why = {0};

    if (!kube_discovery_wait(d, again, &why)) {
        step_detail(run, "%s", why.msg);
        return false;
    }
    for (size_t i = 0; i < ARRAY_LEN(needed); i++)
        have += kube_discovery_of(d, str_of(needed[i].api_version),
                                  str_of(needed[i].kind)) != NULL;
    step_detail(run, "%zu of %d kinds", MIN(count_kinds(d), (size_t)ALL_KINDS),
                ALL_KINDS);
    return have == ARRAY_LEN(needed);
}

enum step_verdict
up_crds_check(void *context, struct step_run *run)
{
    return kinds_served(context, true, run) ? STEP_IS_DONE : STEP_IS_TODO;
}

bool
up_crds(void *context, struct step_run *run, struct error *err)
{
    int64_t end = loop_now(run->loop) + CRDS_LIMIT_MS;

    while (!kinds_served(context, true, run)) {
        if (loop_now(run->loop) >= end) {
            error_set(err, ERR_TIMEOUT,
                      "Crossplane did not bring its kinds within %d s: %s",
                      CRDS_LIMIT_MS / 1000, run->detail);
            error_remedy(err, "MT-CROSSPLANE-START",
                         "kubectl -n " CROSSPLANE_NAMESPACE
                         " logs deploy/crossplane -c crossplane-init");
            return false;
        }
        if (!step_pause(run, CRDS_PAUSE_MS, err))
            return false;
    }
    return true;
}
