#include "devenv/sandbox/namespaces.h"

#include "lib/base/mem.h"

#include "devenv/sandbox/registry_state.h"

static const char *const lasting[] = {"default", "kube-system", "kube-public"};
static const char *const made[] = {"default", "kube-system", "kube-public",
                                   "kube-node-lease"};

/* The phase says whether it is going. */
static void
check_phase(const struct json *obj, const struct json *old,
            struct schema_findings *bad)
{
    bool going = json_at(old, "metadata", "deletionTimestamp", NULL);
    const char *phase =
        json_string_or(json_at(obj, "status", "phase", NULL), "");

    if (*phase && strcmp(phase, going ? "Terminating" : "Active") != 0)
        schema_findings_add(bad, "status.Phase", "FieldValueInvalid",
                            "Invalid value: \"%s\": may only be '%s' if "
                            "`deletionTimestamp` is %sempty",
                            phase, going ? "Terminating" : "Active",
                            going ? "not " : "");
}

void
namespaces_prepare(const struct registry_write *w, struct json *obj,
                   const struct json *old, struct schema_findings *bad)
{
    const struct json *was = json_at(old, "spec", "finalizers", NULL);

    if (old) {
        check_phase(obj, old, bad);
        if (was && !w->subresource)
            json_set(json_need_object(obj, "spec"), "finalizers",
                     json_copy(was));
        return;
    }
    json_set(json_need_object(obj, "spec"), "finalizers", json_new_array());
    json_append(json_at(obj, "spec", "finalizers", NULL),
                json_new_string("kubernetes"));
    json_set_string(json_need_object(obj, "status"), "phase", "Active");
}

bool
namespaces_admit(struct registry *r, const struct kind *k, const char *ns,
                 const char *name, struct status *st)
{
    const struct kind *nk = registry_kind(r, "v1", "Namespace");
    struct store_item it;
    AUTO(mem_free_ptr) char *why = NULL, *cause = NULL;

    if (!ns || !*ns)
        return status_bad_request(st, "an empty namespace may not be set "
                                      "during creation");
    if (!stored_find(r, nk, NULL, ns, &it))
        return status_not_found(st, "", "namespaces", ns);
    if (!stored_facts(it.json)->deleting)
        return true;
    why = mem_printf("unable to create new content in namespace %s because it "
                     "is being terminated",
                     ns);
    status_forbidden(st, k->group, k->plural, name, why);
    cause = mem_printf("namespace %s is being terminated", ns);
    status_cause(st, "NamespaceTerminating", "metadata.namespace", cause);
    return false;
}

bool
namespaces_stays(struct registry *r, struct json *obj, bool dry)
{
    (void)r;
    (void)dry;
    json_set_string(json_need_object(obj, "status"), "phase", "Terminating");
    return json_first(json_at(obj, "spec", "finalizers", NULL)) != NULL;
}

bool
namespaces_may_go(const char *name, struct status *st)
{
    for (size_t i = 0; i < ARRAY_LEN(lasting); i++) {
        if (!strcmp(lasting[i], name))
            return status_forbidden(st, "", "namespaces", name,
                                    "this namespace may not be deleted");
    }
    return true;
}

bool
namespaces_ensure(struct registry *r, struct error *err)
{
    const struct kind *k = registry_kind(r, "v1", "Namespace");
    struct registry_write w = {.manager = "kube-apiserver"};

    for (size_t i = 0; i < ARRAY_LEN(made); i++) {
        AUTO(status_release) struct status st = {0};
        struct json *obj;

        if (registry_has(r, k, NULL, made[i]))
            continue;
        obj = json_new_object();
        json_set_string(json_need_object(obj, "metadata"), "name", made[i]);
        obj = registry_create(r, k, &w, NULL, obj, &st);
        if (!obj)
            return status_error(&st, err);
        json_free(obj);
    }
    return true;
}

/* ---- going ---- */

struct rest {
    struct registry *r;
    const char *ns;
    struct strlist names;
    size_t left;          /* objects that are still there */
    struct buf resources; /* "widgets.example.org has 1 resource instances" */
    struct buf finalizers;
};

static bool
collect_name(void *arg, struct str text)
{
    struct rest *rest = arg;
    AUTO(json_free_ptr) struct json *obj = json_parse(text, NULL, NULL);

    strlist_add(&rest->names, str_of(stored_name(obj)));
    return true;
}

static void
note_finalizers(struct rest *rest, const struct kind *k)
{
    for (size_t i = 0; i < rest->names.n; i++) {
        AUTO(json_free_ptr)
        struct json *obj = registry_get(rest->r, k, rest->ns, rest->names.v[i]);
        const struct json *list = json_at(obj, "metadata", "finalizers", NULL);

        for (const struct json *c = json_first(list); c; c = json_next(c))
            buf_printf(&rest->finalizers, "%s%s in 1 resource instances",
                       rest->finalizers.n ? ", " : "", json_string_or(c, ""));
    }
}

/* Deletes what the namespace holds of one kind and counts what stays. */
static void
empty_kind(void *arg, const struct kind *k)
{
    struct rest *rest = arg;
    AUTO(status_release) struct status st = {0};

    if (!k->namespaced || (k->builtin && !strcmp(k->group, "events.k8s.io")) ||
        !store_count(rest->r->store, str_of(kind_info(k)->store_kind)))
        return;
    registry_list(rest->r, k, rest->ns, NULL, collect_name, rest, &st);
    for (size_t i = 0; i < rest->names.n; i++) {
        AUTO(status_release) struct status gone = {0};

        registry_delete(rest->r, k, rest->ns, rest->names.v[i], NULL, NULL,
                        &gone);
    }
    strlist_release(&rest->names);
    registry_list(rest->r, k, rest->ns, NULL, collect_name, rest, &st);
    if (rest->names.n) {
        rest->left += rest->names.n;
        buf_printf(&rest->resources, "%s%s.%s has %zu resource instances",
                   rest->resources.n ? ", " : "", k->plural, k->group,
                   rest->names.n);
        note_finalizers(rest, k);
    }
    strlist_release(&rest->names);
}

static void
condition(struct json *list, const char *type, bool is, const char *reason,
          const char *message, const char *now)
{
    struct json *c = NULL;
    const char *status = is ? "True" : "False";

    for (c = json_first(list); c; c = json_next(c)) {
        if (!strcmp(json_string_or(json_get(c, "type"), ""), type))
            break;
    }
    if (!c) {
        c = json_append(list, json_new_object());
        json_set_string(c, "type", type);
    }
    if (strcmp(json_string_or(json_get(c, "status"), ""), status) != 0) {
        json_set_string(c, "status", status);
        json_set_string(c, "lastTransitionTime", now);
    }
    json_set_string(c, "reason", reason);
    json_set_string(c, "message", message);
}

static void
write_conditions(struct rest *rest)
{
    const struct kind *k = registry_kind(rest->r, "v1", "Namespace");
    struct json *obj = registry_get(rest->r, k, NULL, rest->ns), *list;
    AUTO(mem_free_ptr)
    char *remain = mem_printf("Some resources are remaining: %s",
                              buf_cstr(&rest->resources));
    AUTO(mem_free_ptr)
    char *held = mem_printf("Some content in the namespace has finalizers "
                            "remaining: %s",
                            buf_cstr(&rest->finalizers));
    AUTO(status_release) struct status st = {0};
    char now[CLOCK_RFC3339_LEN];

    if (!obj)
        return;
    registry_now(rest->r, now);
    list = json_need_array(json_need_object(obj, "status"), "conditions");
    condition(list, "NamespaceDeletionDiscoveryFailure", false,
              "ResourcesDiscovered", "All resources successfully discovered",
              now);
    condition(list, "NamespaceDeletionGroupVersionParsingFailure", false,
              "ParsedGroupVersions",
              "All legacy kube types successfully parsed", now);
    condition(list, "NamespaceDeletionContentFailure", false, "ContentDeleted",
              "All content successfully deleted, may be waiting on "
              "finalization",
              now);
    condition(list, "NamespaceContentRemaining", true, "SomeResourcesRemain",
              remain, now);
    if (rest->finalizers.n)
        condition(list, "NamespaceFinalizersRemaining", true,
                  "SomeFinalizersRemain", held, now);
    json_free(registry_update_status(rest->r, k, "kube-controller-manager",
                                     NULL, obj, &st));
}

static void
release_finalizer(struct registry *r, const char *ns)
{
    const struct kind *k = registry_kind(r, "v1", "Namespace");
    struct registry_write w = {.manager = "kube-controller-manager",
                               .subresource = "finalize"};
    struct json *obj = registry_get(r, k, NULL, ns);
    AUTO(status_release) struct status st = {0};

    if (!obj)
        return;
    json_set(json_need_object(obj, "spec"), "finalizers", json_new_array());
    json_free(registry_update(r, k, &w, NULL, obj, &st));
}

static void
go_on(struct registry *r, const char *ns)
{
    struct rest rest = {.r = r,
                        .ns = ns,
                        .resources = BUF_INIT(4096),
                        .finalizers = BUF_INIT(4096)};

    registry_each_kind(r, empty_kind, &rest);
    if (rest.left)
        write_conditions(&rest);
    else
        release_finalizer(r, ns);
    buf_release(&rest.resources);
    buf_release(&rest.finalizers);
}

/* Values of the map of namespaces that are going. */
static const char to_look_at = 1, waiting = 2;

void
namespaces_on_event(struct registry *r, const struct store_event *e)
{
    if (!strcmp(e->kind, "/namespaces")) {
        bool going = e->op != STORE_DELETED && stored_facts(e->json)->deleting;

        if (!going)
            map_del(&r->terminating, e->name);
        else if (!map_has(&r->terminating, e->name))
            map_put(&r->terminating, e->name, (void *)&to_look_at);
    } else if (e->op == STORE_DELETED && e->ns.n &&
               map_has(&r->terminating, e->ns)) {
        map_put(&r->terminating, e->ns, (void *)&to_look_at);
    }
}

void
namespaces_resume(struct registry *r)
{
    struct store_cursor c;
    struct store_item it;

    store_scan(r->store, STR("/namespaces"), STR(""), STR(""), 0, &c);
    while (store_next(&c, &it)) {
        if (stored_facts(it.json)->deleting)
            map_put(&r->terminating, it.name, (void *)&to_look_at);
    }
    store_cursor_release(&c);
}

bool
namespaces_turn(struct registry *r)
{
    bool worked = false;

    for (struct map_entry *e = map_first(&r->terminating); e;
         e = map_next(&r->terminating, e)) {
        if (e->value != &to_look_at)
            continue;
        e->value = (void *)&waiting;
        worked = true;
        go_on(r, e->key.s);
    }
    return worked;
}
