#include "devenv/sandbox/managed.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/fieldset.h"

#define UPDATERS_MAX 10
#define LAST_APPLIED "kubectl.kubernetes.io/last-applied-configuration"

/* What a write did, as sets. */
struct changes {
    struct json *changed, *removed;
};

static void
changes_release(struct changes *c)
{
    json_free(c->changed);
    json_free(c->removed);
}

static void
drop(struct json *set, const char *element)
{
    struct json *node = json_get(set, element);

    if (node && fieldset_empty(node))
        json_del(set, element);
    else if (node)
        json_del(node, ".");
}

/* Nobody owns an object's identity (stripmeta.go). */
static void
strip_meta(struct json *set)
{
    static const char *const names[] = {
        "f:name",       "f:namespace",     "f:creationTimestamp",
        "f:selfLink",   "f:uid",           "f:clusterName",
        "f:generation", "f:managedFields", "f:resourceVersion"};
    struct json *meta = json_get(set, "f:metadata");

    json_del(set, "f:apiVersion");
    json_del(set, "f:kind");
    for (size_t i = 0; meta && i < ARRAY_LEN(names); i++)
        json_del(meta, names[i]);
    drop(set, "f:metadata");
}

static struct changes
changes_between(const struct fields_types *t, const struct json *old,
                const struct json *now)
{
    struct changes c = {json_new_object(), json_new_object()};

    fields_compare(t, old, now, c.changed, c.removed);
    strip_meta(c.changed);
    strip_meta(c.removed);
    return c;
}

/* The entries out of obj, NULL when there are none. What is no list of objects
 * counts as none. */
static struct json *
take_entries(struct json *obj)
{
    struct json *meta = json_get(obj, "metadata");
    struct json *entries = json_get(meta, "managedFields");
    bool sound = json_is(entries, JSON_ARRAY);

    for (struct json *e = json_first(entries); e; e = json_next(e))
        sound = sound && json_is(e, JSON_OBJECT);
    if (sound)
        return json_detach(meta, entries);
    json_del(meta, "managedFields");
    return NULL;
}

/* [] and [{}] mean: forget it all. */
static bool
is_reset(const struct json *entries)
{
    return json_is(entries, JSON_ARRAY) &&
           (!json_first(entries) ||
            (json_len(entries) == 1 && !json_first(json_first(entries))));
}

static int
entry_order(const struct json *a, const struct json *b)
{
    static const char *const keys[] = {"operation", "time", "manager",
                                       "apiVersion", "subresource"};

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        int sign = strcmp(json_get_text(a, keys[i]), json_get_text(b, keys[i]));

        if (sign)
            return sign;
    }
    return 0;
}

/* Insertion sort: entries are few and nearly always in order. */
static void
sort_entries(struct json *entries)
{
    for (size_t i = 1; i < json_len(entries); i++) {
        struct json *e = json_item(entries, i);
        size_t at = i;

        while (at > 0 && entry_order(e, json_item(entries, at - 1)) < 0)
            at--;
        if (at != i)
            json_insert(entries, at, json_detach(entries, e));
    }
}

static struct json *
fields_set(const struct json *entry)
{
    return json_get(entry, "fieldsV1");
}

static void
drop_empty(struct json *entries)
{
    struct json *next;

    for (struct json *e = json_first(entries); e; e = next) {
        next = json_next(e);
        if (!json_first(fields_set(e)))
            json_free(json_detach(entries, e));
    }
}

static struct json *
find_entry(const struct json *entries, const struct managed_by *by,
           const char *operation)
{
    bool update = *operation == 'U';
    const char *sub = by->subresource ? by->subresource : "";

    for (struct json *e = json_first(entries); e; e = json_next(e)) {
        if (!strcmp(json_get_text(e, "manager"), by->manager) &&
            !strcmp(json_get_text(e, "operation"), operation) &&
            !strcmp(json_get_text(e, "subresource"), sub) &&
            (!update ||
             !strcmp(json_get_text(e, "apiVersion"), by->api_version)))
            return e;
    }
    return NULL;
}

static struct json *
new_entry(struct json *entries, const struct managed_by *by,
          const char *operation)
{
    struct json *e = json_append(entries, json_new_object());

    json_set_string(e, "manager", by->manager);
    json_set_string(e, "operation", operation);
    json_set_string(e, "apiVersion", by->api_version);
    json_set_string(e, "time", by->now);
    json_set_string(e, "fieldsType", "FieldsV1");
    json_set(e, "fieldsV1", json_new_object());
    if (by->subresource)
        json_set_string(e, "subresource", by->subresource);
    return e;
}

static bool
is_update(const struct json *entry)
{
    return !strcmp(json_get_text(entry, "operation"), "Update");
}

/* Folds b into the bucket of old updates of its version. */
static void
fold(struct json *entries, struct json *a, struct json *b)
{
    json_set_string(a, "manager", "ancient-changes");
    json_del(a, "subresource");
    fieldset_union(fields_set(a), fields_set(b));
    json_sort(fields_set(a));
    json_set_string(a, "time", json_get_text(b, "time"));
    json_free(json_detach(entries, b));
}

/* The two oldest updates of one version become one until few are left. */
static void
cap_updaters(struct json *entries)
{
    for (;;) {
        struct json *a = NULL, *b = NULL;
        size_t n = 0;

        for (struct json *e = json_first(entries); e; e = json_next(e)) {
            n += is_update(e);
            if (!is_update(e) || b)
                continue;
            if (!a)
                a = e;
            else if (!strcmp(json_get_text(a, "apiVersion"),
                             json_get_text(e, "apiVersion")))
                b = e;
        }
        if (n <= UPDATERS_MAX || !b)
            return;
        fold(entries, a, b);
        sort_entries(entries);
    }
}

/* Takes entries. */
static void
put_entries(struct json *obj, struct json *entries)
{
    drop_empty(entries);
    sort_entries(entries);
    cap_updaters(entries);
    if (json_first(entries))
        json_set(json_need_object(obj, "metadata"), "managedFields", entries);
    else
        json_free(entries);
}

/* What changed is taken from everyone and given to the writer. */
static void
record(struct json *entries, const struct managed_by *by,
       const struct changes *c)
{
    struct json *own;

    for (struct json *e = json_first(entries); e; e = json_next(e)) {
        struct json *set = fields_set(e);

        fieldset_subtract(set, c->removed);
        fieldset_subtract(set, c->changed);
    }
    if (!json_first(c->changed))
        return;
    own = find_entry(entries, by, "Update");
    if (!own)
        own = new_entry(entries, by, "Update");
    fieldset_union(fields_set(own), c->changed);
    json_sort(fields_set(own));
    json_set_string(own, "time", by->now);
}

void
managed_update(const struct fields_types *t, const struct managed_by *by,
               const struct json *old, struct json *now)
{
    struct json *entries = take_entries(now);
    const struct json *had = json_at(old, "metadata", "managedFields", NULL);
    AUTO(changes_release) struct changes c = {0};
    bool reset = is_reset(entries) && !by->subresource;

    if (!reset && (by->subresource || !json_first(entries))) {
        json_free(entries);
        entries = json_copy(had);
    }
    if (reset) {
        json_free(entries);
        entries = NULL;
    }
    if (!json_first(entries) && old) {
        json_free(entries);
        return;
    }
    if (!entries)
        entries = json_new_array();
    c = changes_between(t, old, now);
    if (json_first(c.changed) || json_first(c.removed))
        record(entries, by, &c);
    put_entries(now, entries);
}

/* ---- apply ---- */

struct conflict {
    char *manager; /* `"alice"`, `"upd" using example.org/v1` */
    struct strlist paths;
};

struct conflicts {
    struct conflict *v;
    size_t n, cap, total;
};

static void
conflicts_release(struct conflicts *c)
{
    for (size_t i = 0; i < c->n; i++) {
        free(c->v[i].manager);
        strlist_release(&c->v[i].paths);
    }
    free(c->v);
}

static char *
manager_text(const struct json *e)
{
    struct buf b = BUF_INIT(BUF_TEXT_MAX);

    buf_printf(&b, "\"%s\"", json_get_text(e, "manager"));
    if (*json_get_text(e, "subresource"))
        buf_printf(&b, " with subresource \"%s\"",
                   json_get_text(e, "subresource"));
    if (is_update(e))
        buf_printf(&b, " using %s", json_get_text(e, "apiVersion"));
    return buf_take(&b);
}

static void
add_path(void *arg, const char *path)
{
    strlist_add(arg, str_of(path));
}

static void
add_conflict(struct conflicts *c, const struct json *entry,
             const struct json *set)
{
    struct conflict *one;
    char *name = manager_text(entry);
    size_t at = 0;

    c->v = mem_grow(c->v, &c->cap, c->n + 1, sizeof(*c->v));
    while (at < c->n && strcmp(c->v[at].manager, name) < 0)
        at++;
    memmove(c->v + at + 1, c->v + at, (c->n - at) * sizeof(*c->v));
    one = &c->v[at];
    *one = (struct conflict){.manager = name};
    fieldset_each(set, add_path, &one->paths);
    c->total += one->paths.n;
    c->n++;
}

static bool
refuse_conflicts(const struct conflicts *c, struct status *st)
{
    struct buf b = BUF_INIT(BUF_TEXT_MAX);

    if (c->total == 1)
        buf_printf(&b, "Apply failed with 1 conflict: conflict with %s: %s",
                   c->v[0].manager, c->v[0].paths.v[0]);
    else
        buf_printf(&b, "Apply failed with %zu conflicts: ", c->total);
    for (size_t i = 0; c->total > 1 && i < c->n; i++) {
        buf_printf(&b, "%sconflicts with %s:", i ? "\n" : "", c->v[i].manager);
        for (size_t k = 0; k < c->v[i].paths.n; k++)
            buf_printf(&b, "\n- %s", c->v[i].paths.v[k]);
    }
    status_set(st, 409, "Conflict", "%s", buf_cstr(&b));
    buf_release(&b);
    for (size_t i = 0; i < c->n; i++) {
        AUTO(mem_free_ptr)
        char *message = mem_printf("conflict with %s", c->v[i].manager);

        for (size_t k = 0; k < c->v[i].paths.n; k++)
            status_cause(st, "FieldManagerConflict", c->v[i].paths.v[k],
                         message);
    }
    return false;
}

/* The fields that kubectl's client-side apply wrote and nobody has changed:
 * kubectl may take them over (lastappliedmanager.go). NULL when none. */
static struct json *
kubectl_may_take(const struct fields_types *t, const struct managed_by *by,
                 const struct json *live)
{
    const char *text = json_string(
        json_at(live, "metadata", "annotations", LAST_APPLIED, NULL));
    AUTO(json_free_ptr) struct json *last = NULL;
    AUTO(changes_release) struct changes c = {0};
    AUTO(buf_release) struct buf why = BUF_INIT(BUF_TEXT_MAX);
    struct json *set;

    if (!text || strcmp(by->manager, "kubectl") != 0)
        return NULL;
    last = json_parse(str_of(text), NULL, NULL);
    if (!json_is(last, JSON_OBJECT))
        return NULL;
    set = json_new_object();
    fields_of(t, last, set, &why);
    c = changes_between(t, last, live);
    fieldset_subtract(set, c.changed);
    fieldset_subtract(set, c.removed);
    return set;
}

/* Takes the changed fields away from others; false: they may not go. */
static bool
take_over(struct json *entries, const struct json *own, const struct changes *c,
          const struct json *allowed, bool force, struct status *st)
{
    AUTO(conflicts_release) struct conflicts conflicts = {0};

    for (struct json *e = json_first(entries); e; e = json_next(e)) {
        AUTO(json_free_ptr) struct json *both = NULL;

        if (e == own)
            continue;
        both = fieldset_intersect(fields_set(e), c->changed);
        fieldset_subtract(fields_set(e), both);
        fieldset_subtract(fields_set(e), c->removed);
        if (!force) {
            fieldset_subtract(both, allowed);
            if (json_first(both))
                add_conflict(&conflicts, e, both);
        }
    }
    return !conflicts.n || refuse_conflicts(&conflicts, st);
}

static struct json *
all_owned(const struct json *entries)
{
    struct json *out = json_new_object();

    for (const struct json *e = json_first(entries); e; e = json_next(e))
        fieldset_union(out, fields_set(e));
    return out;
}

static bool
config_fits(const struct fields_types *t, const struct managed_by *by,
            const struct json *config, struct json *set, struct status *st)
{
    AUTO(buf_release) struct buf why = BUF_INIT(BUF_TEXT_MAX);

    if (json_at(config, "metadata", "managedFields", NULL))
        return status_bad_request(st, "metadata.managedFields must be nil");
    if (!fields_of(t, config, set, &why))
        return status_set(
            st, 500, NULL,
            "failed to create typed patch object (%s/%s; %s, Kind=%s): %s",
            json_string_or(json_at(config, "metadata", "namespace", NULL), ""),
            json_string_or(json_at(config, "metadata", "name", NULL), ""),
            by->api_version, json_string_or(json_get(config, "kind"), ""),
            buf_cstr(&why));
    strip_meta(set);
    return true;
}

/* An object that has been written without managedFields: all it has belongs
 * to an updater of that name. */
static void
before_first_apply(const struct fields_types *t, const struct managed_by *by,
                   const struct json *live, struct json *entries)
{
    struct managed_by first = {"before-first-apply", NULL, by->api_version,
                               by->now};
    AUTO(changes_release)
    struct changes c = changes_between(t, NULL, live);

    if (json_at(live, "metadata", "uid", NULL))
        record(entries, &first, &c);
}

/* kubectl's annotation follows what kubectl applies from the server's side. */
static void
follow_last_applied(const struct managed_by *by, struct json *live,
                    const struct json *config)
{
    struct json *notes = json_at(live, "metadata", "annotations", NULL);
    AUTO(json_free_ptr) struct json *plain = NULL;
    AUTO(buf_release) struct buf text = BUF_INIT(256 << 10);

    if (strcmp(by->manager, "kubectl") != 0 || !json_get(notes, LAST_APPLIED))
        return;
    plain = json_copy(config);
    json_del(json_at(plain, "metadata", "annotations", NULL), LAST_APPLIED);
    if (json_print(plain, JSON_SORTED, &text) && buf_putc(&text, '\n'))
        json_set_string(notes, LAST_APPLIED, buf_cstr(&text));
}

enum managed_result
managed_apply(const struct fields_types *t, const struct managed_by *by,
              const struct json *old, struct json *live, struct json *config,
              bool force, struct status *st)
{
    AUTO(json_free_ptr)
    struct json *set = json_new_object(), *last = NULL, *before = NULL,
                *owned = NULL, *allowed = NULL;
    AUTO(changes_release) struct changes c = {0};
    struct json *entries = take_entries(live), *own;
    bool known;

    if (!entries)
        entries = json_new_array();
    if (!config_fits(t, by, config, set, st))
        goto refused;
    if (!json_first(entries))
        before_first_apply(t, by, live, entries);
    fields_merge(t, live, config);
    own = find_entry(entries, by, "Apply");
    known = own != NULL;
    if (!own)
        own = new_entry(entries, by, "Apply");
    last = json_detach(own, fields_set(own));
    json_sort(set);
    json_set(own, "fieldsV1", json_copy(set));
    json_set_string(own, "apiVersion", by->api_version);
    owned = all_owned(entries);
    fields_prune(t, live, last, owned);
    c = changes_between(t, old, live);
    allowed = force ? NULL : kubectl_may_take(t, by, old);
    if (!take_over(entries, own, &c, allowed, force, st))
        goto refused;
    if (known && !json_first(c.changed) && !json_first(c.removed) &&
        json_equal(last, set)) {
        put_entries(live, entries);
        return MANAGED_SAME;
    }
    follow_last_applied(by, live, config);
    json_set_string(own, "time", by->now);
    put_entries(live, entries);
    return MANAGED_APPLIED;
refused:
    json_free(entries);
    return MANAGED_REFUSED;
}
