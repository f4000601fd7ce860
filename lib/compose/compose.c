#include "lib/compose/compose.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/digest.h"
#include "lib/base/mem.h"

#include "lib/compose/names.h"

static const char *
label_of(const struct json *obj, const char *key)
{
    return json_string_or(json_at(obj, "metadata", "labels", key, NULL), "");
}

/* ---- metadata of one composed resource ---- */

struct render {
    const struct compose_input *in;
    const char *root;            /* name prefix and label */
    const struct json *existing; /* identities */
    struct error *err;
};

static void
set_or_delete(struct json *meta, const char *key, const char *value)
{
    if (*value)
        json_set_string(meta, key, value);
    else
        json_del(meta, key);
}

/* An existing resource keeps its name and namespace. */
static void
keep_identity(struct json *cd, const struct json *identity)
{
    struct json *meta = json_need_object(cd, "metadata");

    for (const struct json *j = json_first(identity); j; j = json_next(j))
        set_or_delete(meta, json_key(j), json_string_or(j, ""));
}

/* NAME -> the members of metadata that an existing resource keeps; the run
 * takes the observed over, and of each only this is needed after it. */
static struct json *
identities(const struct json *observed)
{
    static const char *const keys[] = {"namespace", "name", "generateName"};
    struct json *all = json_new_object();

    for (struct json *o = json_first(observed); o; o = json_next(o)) {
        const struct json *res = json_get(o, "resource");
        struct json *id = json_set(all, json_key(o), json_new_object());

        for (size_t i = 0; i < ARRAY_LEN(keys); i++)
            json_set_string(id, keys[i],
                            json_at_text(res, "metadata", keys[i]));
    }
    return all;
}

static bool
check_scope(const struct render *r, const char *name, const struct json *cd)
{
    const struct compose_host *h = r->in->host;
    struct error why = {0};
    bool namespaced = true;

    if (!compose_is_live(r->in->mode) || !h->namespaced ||
        !*json_at_text(r->in->xr, "metadata", "namespace") ||
        *json_at_text(cd, "metadata", "namespace"))
        return true;
    if (!h->namespaced(h->arg, json_get_text(cd, "apiVersion"),
                       json_get_text(cd, "kind"), &namespaced, &why))
        return error_set(r->err, why.code,
                         "cannot check if composed resource \"%s\" is "
                         "namespaced (a %s named %s): %s",
                         name, json_get_text(cd, "kind"),
                         json_at_text(cd, "metadata", "name"), why.msg);
    if (!namespaced)
        return error_set(r->err, ERR_INVALID,
                         "cannot apply cluster scoped composed resource "
                         "\"%s\" (a %s named %s) for a namespaced composite "
                         "resource.",
                         name, json_get_text(cd, "kind"),
                         json_at_text(cd, "metadata", "name"));
    return true;
}

static struct json *
owner_reference(const struct json *xr)
{
    struct json *o = json_new_object();

    json_set_string(o, "apiVersion", json_get_text(xr, "apiVersion"));
    json_set_bool(o, "blockOwnerDeletion", true);
    json_set_bool(o, "controller", true);
    json_set_string(o, "kind", json_get_text(xr, "kind"));
    json_set_string(o, "name", json_at_text(xr, "metadata", "name"));
    json_set_string(o, "uid", json_at_text(xr, "metadata", "uid"));
    return o;
}

/* An owner that a function wrote, as the typed reference keeps it. */
static struct json *
owner_copy(const struct json *owner)
{
    static const char *const texts[] = {"apiVersion", "kind", "name", "uid"};
    static const char *const flags[] = {"blockOwnerDeletion", "controller"};
    struct json *o = json_new_object();

    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        json_set_string(o, texts[i], json_get_text(owner, texts[i]));
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        const struct json *flag = json_get(owner, flags[i]);

        if (json_is(flag, JSON_BOOL))
            json_set_bool(o, flags[i], json_bool(flag, false));
    }
    return o;
}

static bool
already_controlled(const struct render *r, const char *name,
                   const struct json *cd, const struct json *by)
{
    error_set(r->err, ERR_CONFLICT,
              "%s is already controlled by %s %s (UID %s)",
              json_at_text(cd, "metadata", "name"), json_get_text(by, "kind"),
              json_get_text(by, "name"), json_get_text(by, "uid"));
    if (compose_is_live(r->in->mode))
        return error_wrap(r->err,
                          "cannot render metadata for composed resource "
                          "\"%s\": cannot set controller reference",
                          name);
    return error_wrap(r->err,
                      "cannot render composed resource \"%s\" metadata: cannot "
                      "set composite resource \"%s\" as controller ref of "
                      "composed resource",
                      name, json_at_text(r->in->xr, "metadata", "name"));
}

static bool
set_owner(const struct render *r, const char *name, struct json *cd)
{
    const char *uid = json_at_text(r->in->xr, "metadata", "uid");
    struct json *meta = json_get(cd, "metadata");
    struct json *refs = json_new_array();
    const struct json *theirs = json_get(meta, "ownerReferences");
    bool mine = false;

    if (!json_is(theirs, JSON_ARRAY))
        theirs = NULL;
    for (const struct json *o = json_first(theirs); o; o = json_next(o)) {
        bool same = strcmp(json_get_text(o, "uid"), uid) == 0;

        if (!same && json_bool(json_get(o, "controller"), false)) {
            json_free(refs);
            return already_controlled(r, name, cd, o);
        }
        json_append(refs, same ? owner_reference(r->in->xr) : owner_copy(o));
        mine |= same;
    }
    if (!mine)
        json_append(refs, owner_reference(r->in->xr));
    json_set(meta, "ownerReferences", refs);
    return true;
}

/* metadata.key as labels and annotations are read: a map of strings, null is
 * an empty one, or as if it were not there. */
static struct json *
string_map(struct json *meta, const char *key)
{
    struct json *map = json_need_object(meta, key);

    for (struct json *v = json_first(map), *next; v; v = next) {
        next = json_next(v);
        if (json_is(v, JSON_NULL))
            json_replace(map, v, json_new_string(""));
        else if (!json_is(v, JSON_STRING))
            return json_set(meta, key, json_new_object());
    }
    return map;
}

static bool
set_metadata(const struct render *r, const char *name, struct json *cd)
{
    const struct json *xr = r->in->xr;
    struct json *meta = json_need_object(cd, "metadata");
    const char *ns = json_at_text(xr, "metadata", "namespace");
    const char *claim = label_of(xr, COMPOSE_LABEL_CLAIM);
    const char *claim_ns = label_of(xr, COMPOSE_LABEL_CLAIM_NS);
    struct json *labels;

    if (!*json_at_text(cd, "metadata", "name") &&
        !*json_at_text(cd, "metadata", "generateName")) {
        AUTO(mem_free_ptr) char *prefix = mem_printf("%s-", r->root);

        json_set_string(meta, "generateName", prefix);
    }
    if (*ns && r->in->mode != COMPOSE_RENDER)
        json_set_string(meta, "namespace", ns);
    json_set_string(string_map(meta, "annotations"), COMPOSE_ANNOTATION_NAME,
                    name);
    labels = string_map(meta, "labels");
    json_set_string(labels, COMPOSE_LABEL_COMPOSITE, r->root);
    if (*claim && *claim_ns && r->in->mode != COMPOSE_RENDER) {
        json_set_string(labels, COMPOSE_LABEL_CLAIM, claim);
        json_set_string(labels, COMPOSE_LABEL_CLAIM_NS, claim_ns);
    }
    return set_owner(r, name, cd);
}

static bool
is_rbac(const struct json *cd)
{
    return str_starts(str_of(json_get_text(cd, "apiVersion")),
                      STR("rbac.authorization.k8s.io/"));
}

static bool
is_valid_name(const struct json *cd)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    const char *name = json_at_text(cd, "metadata", "name");
    bool rbac = is_rbac(cd);

    for (; *name; name++) {
        if (!rbac || *name != ':')
            buf_putc(&b, *name);
    }
    return name_is_subdomain(buf_view(&b));
}

static bool
set_name(const struct render *r, const char *name, struct json *cd)
{
    const char *uid = json_at_text(r->in->xr, "metadata", "uid");
    char child[NAME_CHILD_MAX];

    if (!compose_is_live(r->in->mode))
        return true;
    if (!*json_at_text(cd, "metadata", "name")) {
        if (!*uid)
            return true;
        name_child(str_of(json_at_text(cd, "metadata", "generateName")),
                   str_of(uid), str_of(name), child);
        json_set_string(json_get(cd, "metadata"), "name", child);
    }
    if (!is_valid_name(cd))
        return error_set(r->err, ERR_INVALID,
                         "cannot apply composed resource \"%s\" because it "
                         "has an invalid name \"%s\". Must be a valid RFC "
                         "1123 subdomain name.",
                         name, json_at_text(cd, "metadata", "name"));
    return true;
}

/* ---- the whole ---- */

static void
add_event(struct compose_result *out, struct compose_event e)
{
    out->events = mem_grow(out->events, &out->event_cap, out->event_count + 1,
                           sizeof(*out->events));
    out->events[out->event_count++] = e;
}

static void
add_result(struct compose_result *out, const struct pipeline_result *p)
{
    const struct fn_result *f = &p->result;
    struct compose_event e = {.warning = f->severity != FN_NORMAL,
                              .target = f->target};

    e.reason =
        mem_strdup(f->reason && *f->reason ? f->reason : "ComposeResources");
    if (f->severity == FN_UNSPECIFIED) {
        e.target = FN_TARGET_COMPOSITE;
        e.message = mem_printf("Pipeline step \"%s\" returned a result of "
                               "unknown severity (assuming warning): %s",
                               p->step, f->message);
    } else {
        e.message = mem_printf("Pipeline step \"%s\": %s", p->step, f->message);
    }
    add_event(out, e);
}

/* From 2.3 on core says when a resource is not made where it was meant to. */
static void
say_namespace(const struct render *r, const char *name, const struct json *cd,
              struct compose_result *out)
{
    const char *mine = json_at_text(r->in->xr, "metadata", "namespace");
    const char *ns = json_at_text(cd, "metadata", "namespace");

    if (r->in->mode != COMPOSE_LIVE_23 || !*mine || !*ns ||
        strcmp(mine, ns) == 0)
        return;
    add_event(out, (struct compose_event){
                       .warning = true,
                       .target = FN_TARGET_COMPOSITE,
                       .reason = mem_strdup("NamespaceOverridden"),
                       .message = mem_printf(
                           "cannot create composed resource \"%s\" in "
                           "namespace \"%s\", using XR namespace \"%s\" "
                           "instead",
                           name, ns, mine)});
}

static struct json *
build_observed(const struct compose_input *in)
{
    struct json *o = json_new_object();

    json_set(json_need_object(o, "composite"), "resource", json_copy(in->xr));
    if (json_len(in->connection))
        json_set(json_get(o, "composite"), "connectionDetails",
                 json_copy(in->connection));
    if (json_len(in->observed))
        json_set(o, "resources", in->observed);
    else
        json_free(in->observed);
    return o;
}

static bool
render_one(const struct render *r, const char *name, struct json *wrapper,
           struct compose_result *result)
{
    struct compose_resource *out = &result->resources[result->resource_count];
    struct json *cd = json_get(wrapper, "resource");
    const struct json *existing = json_get(r->existing, name);

    if (!json_is(cd, JSON_OBJECT) || !*json_get_text(cd, "kind"))
        return error_set(r->err, ERR_INVALID,
                         "cannot unmarshal desired composed resource \"%s\" "
                         "from RunFunctionResponse: Object 'Kind' is missing",
                         name);
    if (existing)
        keep_identity(cd, existing);
    if (!check_scope(r, name, cd))
        return false;
    say_namespace(r, name, cd, result);
    if (!set_metadata(r, name, cd) || !set_name(r, name, cd))
        return false;
    out->name = mem_strdup(name);
    out->ready = fn_ready_of(wrapper) == FN_READY_TRUE;
    out->exists = existing != NULL;
    out->object = json_detach(wrapper, cd);
    return true;
}

static bool
render_all(const struct render *r, struct compose_result *out)
{
    struct json *all = json_get(out->outcome.desired, "resources");
    AUTO(strlist_release) struct strlist names = {0};

    for (const struct json *w = json_first(all); w; w = json_next(w))
        strlist_add(&names, str_of(json_key(w)));
    strlist_sort(&names);
    out->resources = mem_zalloc(names.n + 1, sizeof(*out->resources));
    for (size_t i = 0; i < names.n; i++) {
        if (!render_one(r, names.v[i], json_get(all, names.v[i]), out))
            return false;
        out->resource_count++;
    }
    return true;
}

bool
compose(const struct compose_input *in, struct compose_result *out,
        struct error *err)
{
    const char *label = label_of(in->xr, COMPOSE_LABEL_COMPOSITE);
    AUTO(json_free_ptr) struct json *existing = identities(in->observed);
    struct render r = {
        .in = in,
        .root = *label && in->mode != COMPOSE_RENDER
                    ? label
                    : json_at_text(in->xr, "metadata", "name"),
        .existing = existing,
        .err = err,
    };
    struct json *composite;

    *out = (struct compose_result){0};
    const struct pipeline_input run = {.mode = in->mode,
                                       .host = in->host,
                                       .observed = build_observed(in),
                                       .context = in->context,
                                       .known = in->known};
    bool ok = pipeline_run(in->pipeline, &run, &out->outcome, err);

    for (size_t i = 0; i < out->outcome.result_count; i++)
        add_result(out, &out->outcome.results[i]);
    ok = ok && render_all(&r, out);
    composite = json_get(out->outcome.desired, "composite");
    out->composite_ready = fn_ready_of(composite);
    if (json_at(composite, "resource", "status", NULL))
        out->status = json_copy(json_at(composite, "resource", "status", NULL));
    return ok;
}

void
compose_release(struct compose_result *out)
{
    for (size_t i = 0; i < out->resource_count; i++) {
        free(out->resources[i].name);
        json_free(out->resources[i].object);
    }
    for (size_t i = 0; i < out->event_count; i++) {
        free(out->events[i].reason);
        free(out->events[i].message);
    }
    free(out->resources);
    free(out->events);
    json_free(out->status);
    pipeline_outcome_release(&out->outcome);
    *out = (struct compose_result){0};
}

/* ---- helpers the callers share ---- */

const struct compose_resource *
compose_find(const struct compose_result *r, const char *name)
{
    for (size_t i = 0; i < r->resource_count; i++) {
        if (strcmp(r->resources[i].name, name) == 0)
            return &r->resources[i];
    }
    return NULL;
}

struct ref {
    char *key; /* apiVersion + kind + name, upstream's order */
    const struct json *object;
};

static int
ref_compare(const void *a, const void *b)
{
    return strcmp(((const struct ref *)a)->key, ((const struct ref *)b)->key);
}

struct json *
compose_refs(const struct compose_result *r, const struct json *xr,
             bool by_namespace)
{
    bool cluster = !*json_at_text(xr, "metadata", "namespace");
    struct ref *refs = mem_zalloc(r->resource_count + 1, sizeof(*refs));
    struct json *list = json_new_array();

    for (size_t i = 0; i < r->resource_count; i++) {
        const struct json *o = r->resources[i].object;

        refs[i].object = o;
        refs[i].key = mem_printf(
            "%s%s%s%s", json_get_text(o, "apiVersion"),
            json_get_text(o, "kind"), json_at_text(o, "metadata", "name"),
            by_namespace ? json_at_text(o, "metadata", "namespace") : "");
    }
    qsort(refs, r->resource_count, sizeof(*refs), ref_compare);
    for (size_t i = 0; i < r->resource_count; i++) {
        const struct json *o = refs[i].object;
        struct json *ref = json_append(list, json_new_object());

        json_set_string(ref, "apiVersion", json_get_text(o, "apiVersion"));
        json_set_string(ref, "kind", json_get_text(o, "kind"));
        json_set_string(ref, "name", json_at_text(o, "metadata", "name"));
        if (cluster && *json_at_text(o, "metadata", "namespace"))
            json_set_string(ref, "namespace",
                            json_at_text(o, "metadata", "namespace"));
        free(refs[i].key);
    }
    free(refs);
    return list;
}

void
compose_owner(const struct json *xr, char out[COMPOSE_OWNER_MAX])
{
    struct str group, version;
    char hex[DIGEST_HEX_MAX];

    if (!str_cut(str_of(json_get_text(xr, "apiVersion")), '/', &group,
                 &version))
        group = (struct str){0};
    AUTO(mem_free_ptr)
    char *key = mem_printf("%s%s%s%.*s", json_at_text(xr, "metadata", "name"),
                           json_get_text(xr, "kind"), group.n ? "." : "",
                           STR_ARG(group));

    digest_hex(DIGEST_SHA256, str_of(key), hex);
    snprintf(out, COMPOSE_OWNER_MAX, "apiextensions.crossplane.io/composed/%s",
             hex);
}

bool
compose_reserved_condition(const char *type)
{
    static const char *const reserved[] = {"Ready", "Synced", "Healthy"};

    for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
        if (strcmp(type, reserved[i]) == 0)
            return true;
    }
    return false;
}
