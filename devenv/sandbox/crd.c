#include "devenv/sandbox/crd.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/schema/crd_check.h"

#include "devenv/sandbox/registry_state.h"

#define FINALIZER "customresourcecleanup.apiextensions.k8s.io"
#define MANAGER   "kube-apiserver"

/* Values of the map of definitions that are going. */
static const char to_look_at = 1, waiting = 2;

/* ---- defaults ---- */

static void
default_status(struct json *obj, bool on_status)
{
    struct json *status = json_need_object(obj, "status"), *names;
    const struct json *versions = json_at(obj, "spec", "versions", NULL);
    struct json *stored = json_get(status, "storedVersions");

    if (!json_get(status, "conditions"))
        json_set(status, "conditions", json_new_null());
    if (!json_get(status, "acceptedNames")) {
        names = json_need_object(status, "acceptedNames");
        json_set_string(names, "plural", "");
        json_set_string(names, "kind", "");
    }
    stored = json_need_array(status, "storedVersions");
    if (on_status && json_first(stored))
        return;
    for (const struct json *v = json_first(versions); v; v = json_next(v)) {
        bool known = false;

        if (!json_bool(json_get(v, "storage"), false))
            continue;
        for (const struct json *s = json_first(stored); s; s = json_next(s))
            known |= !strcmp(json_string_or(s, ""), json_get_text(v, "name"));
        if (!known)
            json_append(stored, json_new_string(json_get_text(v, "name")));
    }
}

void
crd_prepare(const struct registry_write *w, struct json *obj,
            const struct json *old, struct schema_findings *bad)
{
    /* A write that leaves the spec alone need not compile the schemas. */
    if (!w->vouched &&
        (!old || !json_equal(json_get(obj, "spec"), json_get(old, "spec"))))
        crd_check(obj, old, old && crd_established(old), bad);
    default_status(obj, w->subresource != NULL);
}

/* ---- names ---- */

/* The names of a definition beside those of the others of its group. */
struct names_check {
    const struct json *names;
    const char *group, *plural;
    struct json *accepted; /* those that are free, or were accepted before */
    const char *reason;    /* of the last conflict, or NULL */
    char *message;
};

static void
clash(struct names_check *c, const char *reason, const char *name)
{
    free(c->message);
    c->reason = reason;
    c->message = mem_printf("\"%s\" is already in use", name);
}

/* A word that a resource of the group answers to. */
static bool
answers(const struct kind_info *k, const char *word)
{
    if (!strcmp(k->pub.plural, word) || !strcmp(k->pub.singular, word))
        return true;
    for (size_t i = 0; k->short_names[i]; i++) {
        if (!strcmp(k->short_names[i], word))
            return true;
    }
    return false;
}

static bool
is_kind(const struct kind_info *k, const char *word)
{
    return !strcmp(k->pub.kind, word) || !strcmp(k->pub.list_kind, word);
}

/* Does another resource of the group have it? */
static bool
is_taken(struct registry *r, const struct names_check *c, const char *word,
         bool (*has)(const struct kind_info *k, const char *word))
{
    for (struct map_entry *e = map_first(&r->kinds.resources); e;
         e = map_next(&r->kinds.resources, e)) {
        const struct resource *res = e->value;

        if (res->n && !strcmp(res->v[0]->pub.group, c->group) &&
            strcmp(res->v[0]->pub.plural, c->plural) != 0 &&
            has(res->v[0], word))
            return true;
    }
    return false;
}

static void
accept(struct names_check *c, const char *key)
{
    const struct json *v = json_get(c->names, key);

    json_del(c->accepted, key);
    if (v)
        json_set(c->accepted, key, json_copy(v));
}

static void
check_short_names(struct registry *r, struct names_check *c)
{
    bool fine = true;

    for (const struct json *s = json_first(json_get(c->names, "shortNames")); s;
         s = json_next(s)) {
        if (!is_taken(r, c, json_string_or(s, ""), answers))
            continue;
        clash(c, "ShortNamesConflict", json_string_or(s, ""));
        fine = false;
    }
    if (fine)
        accept(c, "shortNames");
}

/* The last conflict in this order is the one that is told. */
static struct names_check
check_names(struct registry *r, const struct json *obj)
{
    static const struct {
        const char *key, *reason;
        bool (*has)(const struct kind_info *k, const char *word);
    } rows[] = {{"plural", "PluralConflict", answers},
                {"singular", "SingularConflict", answers},
                {"shortNames", NULL, NULL},
                {"kind", "KindConflict", is_kind},
                {"listKind", "ListKindConflict", is_kind}};
    const struct json *spec = json_get(obj, "spec");
    const struct json *was = json_at(obj, "status", "acceptedNames", NULL);
    struct names_check c = {.names = json_get(spec, "names"),
                            .group = json_get_text(spec, "group")};

    c.plural = json_get_text(c.names, "plural");
    c.accepted = was ? json_copy(was) : json_new_object();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const char *name = json_get_text(c.names, rows[i].key);

        if (!rows[i].has)
            check_short_names(r, &c);
        else if (is_taken(r, &c, name, rows[i].has))
            clash(&c, rows[i].reason, name);
        else
            accept(&c, rows[i].key);
    }
    accept(&c, "categories");
    return c;
}

/* ---- conditions ---- */

static struct json *
find_condition(const struct json *obj, const char *type)
{
    const struct json *list = json_at(obj, "status", "conditions", NULL);

    for (struct json *c = json_first(list); c; c = json_next(c)) {
        if (!strcmp(json_get_text(c, "type"), type))
            return c;
    }
    return NULL;
}

bool
crd_established(const struct json *obj)
{
    return !strcmp(json_get_text(find_condition(obj, "Established"), "status"),
                   "True");
}

static void
set_condition(struct registry *r, struct json *obj, const char *type,
              const char *status, const char *reason, const char *message)
{
    struct json *c = find_condition(obj, type);
    char now[CLOCK_RFC3339_LEN];

    if (!c) {
        c = json_append(
            json_need_array(json_need_object(obj, "status"), "conditions"),
            json_new_object());
        json_set_string(c, "type", type);
    }
    if (strcmp(json_get_text(c, "status"), status) != 0) {
        registry_now(r, now);
        json_set_string(c, "status", status);
        json_set_string(c, "lastTransitionTime", now);
    }
    json_set_string(c, "reason", reason);
    json_set_string(c, "message", message);
}

/* Brings the status of obj to what the names allow. */
static bool
judge(struct registry *r, struct json *obj)
{
    struct names_check c = check_names(r, obj);
    bool was = crd_established(obj);

    json_set(json_need_object(obj, "status"), "acceptedNames", c.accepted);
    if (c.reason) {
        set_condition(r, obj, "NamesAccepted", "False", c.reason, c.message);
        if (!was)
            set_condition(r, obj, "Established", "False", "NotAccepted",
                          "not all names are accepted");
        free(c.message);
        return was;
    }
    set_condition(r, obj, "NamesAccepted", "True", "NoConflicts",
                  "no conflicts found");
    set_condition(r, obj, "Established", "True", "InitialNamesAccepted",
                  "the initial names have been accepted");
    return true;
}

/* Those that waited for a name are judged again. */
static void
judge_waiting(struct registry *r)
{
    const struct kind *k =
        registry_kind(r, "apiextensions.k8s.io/v1", "CustomResourceDefinition");
    AUTO(status_release) struct status st = {0};
    AUTO(json_free_ptr)
    struct json *all = registry_list_json(r, k, NULL, NULL, &st);

    for (const struct json *c = json_first(all); c; c = json_next(c)) {
        if (!crd_established(c))
            crd_written(r, c, NULL);
    }
}

static void
stop_serving(struct registry *r, const struct json *spec)
{
    const char *group = json_get_text(spec, "group");
    const char *plural = json_get_text(json_get(spec, "names"), "plural");
    struct resource *res = kinds_resource(&r->kinds, group, plural);
    AUTO(mem_free_ptr) char *key = mem_printf("%s/%s", group, plural);

    map_del(&r->going, str_of(key));
    for (size_t i = 0; res && i < res->n; i++)
        registry_drop_views(r, res->v[i]);
    kinds_remove(&r->kinds, group, plural);
    judge_waiting(r);
}

/* The controller writes as the server does, under its own name, what was read
 * a moment ago. */
static void
put_status(struct registry *r, const struct kind *k, const struct json *crd,
           struct status *st)
{
    const struct registry_write w = {
        .manager = MANAGER, .subresource = "status", .vouched = true};

    json_free(registry_update(r, k, &w, NULL, json_copy(crd), st));
}

void
crd_written(struct registry *r, const struct json *obj, const struct json *old)
{
    const struct kind *k =
        registry_kind(r, "apiextensions.k8s.io/v1", "CustomResourceDefinition");
    AUTO(json_free_ptr) struct json *next = NULL;
    AUTO(status_release) struct status st = {0};
    bool served;

    if (!obj) {
        stop_serving(r, json_get(old, "spec"));
        return;
    }
    if (stored_deleting(obj))
        return;
    next = json_copy(obj);
    served = judge(r, next);
    if (!json_equal(json_get(next, "status"), json_get(obj, "status"))) {
        put_status(r, k, next, &st);
        return; /* the write of the status comes here again */
    }
    if (served)
        registry_serve(r, next);
}

/* ---- going ---- */

bool
crd_stays(struct registry *r, struct json *obj, bool dry)
{
    const struct json *spec = json_get(obj, "spec");
    const char *plural = json_get_text(json_get(spec, "names"), "plural");
    struct resource *res =
        kinds_resource(&r->kinds, json_get_text(spec, "group"), plural);
    struct json *list;
    AUTO(mem_free_ptr) char *key = NULL;

    if (res && !dry)
        res->terminating = true;
    key = mem_printf("%s/%s", json_get_text(spec, "group"), plural);
    if (!dry)
        map_put(&r->going, str_of(key), (void *)&to_look_at);
    list = json_need_array(json_get(obj, "metadata"), "finalizers");
    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        if (!strcmp(json_string_or(c, ""), FINALIZER))
            return true;
    }
    json_append(list, json_new_string(FINALIZER));
    set_condition(r, obj, "Terminating", "True", "InstanceDeletionPending",
                  "CustomResourceDefinition marked for deletion; "
                  "CustomResource deletion will begin soon");
    return true;
}

void
crd_on_event(struct registry *r, const struct store_event *e)
{
    if (e->op == STORE_DELETED && map_has(&r->going, str_of(e->kind)))
        map_put(&r->going, str_of(e->kind), (void *)&to_look_at);
}

struct collected {
    struct strlist ns, names;
};

static bool
collect(void *arg, struct str object)
{
    struct collected *c = arg;
    AUTO(json_free_ptr) struct json *obj = json_parse(object, NULL, NULL);

    strlist_add(&c->ns, str_of(stored_ns(obj)));
    strlist_add(&c->names, str_of(stored_name(obj)));
    return true;
}

/* Deletes the objects of a going kind that are not yet deleted. */
static void
delete_objects(struct registry *r, const struct kind *k)
{
    struct collected c = {0};
    AUTO(status_release) struct status st = {0};

    registry_list(r, k, NULL, NULL, collect, &c, &st);
    for (size_t i = 0; i < c.names.n; i++) {
        AUTO(status_release) struct status gone = {0};

        registry_delete(r, k, c.ns.v[i], c.names.v[i], NULL, NULL, &gone);
    }
    strlist_release(&c.ns);
    strlist_release(&c.names);
}

static void
end_definition(struct registry *r, const char *group, const char *plural)
{
    const struct kind *k =
        registry_kind(r, "apiextensions.k8s.io/v1", "CustomResourceDefinition");
    AUTO(mem_free_ptr) char *name = mem_printf("%s.%s", plural, group);
    AUTO(mem_free_ptr)
    char *patch = mem_printf("{\"metadata\":{\"$deleteFromPrimitiveList/"
                             "finalizers\":[\"%s\"]}}",
                             FINALIZER);
    struct registry_write w = {.manager = MANAGER};
    AUTO(status_release) struct status st = {0};

    json_free(registry_patch(r, k, &w, NULL, name, PATCH_STRATEGIC,
                             str_of(patch), &st));
}

/* Finalizers hold objects: the definition says what it waits for. */
static void
say_in_progress(struct registry *r, const char *group, const char *plural)
{
    const struct kind *k =
        registry_kind(r, "apiextensions.k8s.io/v1", "CustomResourceDefinition");
    AUTO(mem_free_ptr) char *name = mem_printf("%s.%s", plural, group);
    struct json *obj = registry_get(r, k, NULL, name);
    AUTO(status_release) struct status st = {0};

    if (!obj)
        return;
    set_condition(r, obj, "Terminating", "True", "InstanceDeletionInProgress",
                  "CustomResource deletion is in progress");
    json_free(registry_update_status(r, k, MANAGER, NULL, obj, &st));
}

bool
crd_turn(struct registry *r)
{
    bool worked = false;

    for (struct map_entry *e = map_first(&r->going); e;
         e = map_next(&r->going, e)) {
        struct str group, plural;
        const struct kind *k;

        if (e->value != &to_look_at)
            continue;
        e->value = (void *)&waiting;
        worked = true;
        str_cut(e->key, '/', &group, &plural);
        AUTO(mem_free_ptr) char *g = mem_strndup(group.s, group.n);
        AUTO(mem_free_ptr) char *p = mem_strndup(plural.s, plural.n);
        k = registry_resource(r, g, NULL, p);
        if (k)
            delete_objects(r, k);
        if (!store_count(r->store, e->key))
            end_definition(r, g, p);
        else
            say_in_progress(r, g, p);
    }
    return worked;
}
