#include "devenv/sandbox/managed.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/fieldset.h"

#define UPDATERS_MAX     10
#define LAST_APPLIED     "kubectl.kubernetes.io/last-applied-configuration"
#define LAST_APPLIED_MAX (256 << 10)

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

/* What a part of the API cannot set is not compared (reset fields). */
static void
skip_reset(const struct managed_by *by, struct json *set)
{
    if (by->reset)
        json_del(set, by->reset);
}

static struct changes
changes_between(const struct managed_by *by, const struct json *old,
                const struct json *now)
{
    struct changes c = {json_new_object(), json_new_object()};

    fields_compare(by->types, old, now, c.changed, c.removed);
    skip_reset(by, c.changed);
    skip_reset(by, c.removed);
    return c;
}

/* A set as it may be stored: objects all the way, each key an element. */
static bool
sound_set(const struct json *set)
{
    bool sound = json_is(set, JSON_OBJECT);

    for (const struct json *c = json_first(set); c && sound; c = json_next(c)) {
        const char *key = json_key(c);

        sound =
            (!strcmp(key, ".") || (key[0] && key[1] == ':')) && sound_set(c);
    }
    return sound;
}

static bool
sound_entry(const struct json *e)
{
    const char *operation = json_get_text(e, "operation");

    return json_is(e, JSON_OBJECT) &&
           (!strcmp(operation, "Apply") || !strcmp(operation, "Update")) &&
           *json_get_text(e, "apiVersion") &&
           !strcmp(json_get_text(e, "fieldsType"), "FieldsV1") &&
           (!json_get(e, "fieldsV1") || sound_set(json_get(e, "fieldsV1")));
}

/* The entries out of obj, NULL when there are none. A list with one that
 * cannot be read counts as none. */
static struct json *
take_entries(struct json *obj)
{
    struct json *meta = json_get(obj, "metadata");
    struct json *entries = json_get(meta, "managedFields");
    bool sound = json_is(entries, JSON_ARRAY);

    for (struct json *e = json_first(entries); e && sound; e = json_next(e))
        sound = sound_entry(e);
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

/* The entry that old updates of a version are folded into; first is the oldest
 * of them. */
static struct json *
bucket(struct json *entries, struct json *first)
{
    struct managed_by by = {.manager = "ancient-changes",
                            .api_version = json_get_text(first, "apiVersion")};
    struct json *found = find_entry(entries, &by, "Update");

    if (found)
        return found;
    json_set_string(first, "manager", by.manager);
    json_del(first, "subresource");
    json_del(first, "time");
    return first;
}

/* The oldest of the updates before e that has its version, or NULL. */
static struct json *
older_of_version(const struct json *entries, const struct json *e)
{
    for (struct json *c = json_first(entries); c && c != e; c = json_next(c)) {
        if (is_update(c) && !strcmp(json_get_text(c, "apiVersion"),
                                    json_get_text(e, "apiVersion")))
            return c;
    }
    return NULL;
}

/* Beyond ten, the oldest updates of each version become one. */
static void
cap_updaters(struct json *entries)
{
    struct json *next;
    size_t n = 0;

    for (struct json *e = json_first(entries); e; e = json_next(e))
        n += is_update(e);
    for (struct json *e = json_first(entries); e && n > UPDATERS_MAX;
         e = next) {
        struct json *first = is_update(e) ? older_of_version(entries, e) : NULL;
        struct json *into;

        next = json_next(e);
        if (!first)
            continue;
        into = bucket(entries, first);
        if (into != e) {
            fieldset_union(fields_set(into), fields_set(e));
            json_sort(fields_set(into));
            json_set_string(into, "time", json_get_text(e, "time"));
        }
        json_free(json_detach(entries, e));
        n--;
    }
    sort_entries(entries);
}

/* Takes entries. */
static void
put_entries(struct json *obj, struct json *entries)
{
    drop_empty(entries);
    sort_entries(entries);
    json_del(json_get(obj, "metadata"), "managedFields");
    if (json_first(entries))
        json_set(json_need_object(obj, "metadata"), "managedFields", entries);
    else
        json_free(entries);
}

/* ---- entries of several versions ---- */

enum { VERSIONS_MAX = 16 };

/* What a write did, as each version's schema sees it; the writer's first. */
struct views {
    const struct managed_by *by;
    const struct json *old, *now; /* NULL: only the types are asked for */
    struct view {
        const char *version; /* the text of an entry */
        const struct fields_types *types;
        struct changes c;
    } v[VERSIONS_MAX];
    size_t n;
};

static void
views_release(struct views *w)
{
    for (size_t i = 0; i < w->n; i++)
        changes_release(&w->v[i].c);
}

/* The view of an entry's version; NULL: it is not served (any more). */
static struct view *
view_of(struct views *w, const char *version)
{
    struct view *v;

    for (size_t i = 0; i < w->n; i++) {
        if (!strcmp(w->v[i].version, version))
            return &w->v[i];
    }
    if (w->n == VERSIONS_MAX)
        return NULL;
    v = &w->v[w->n];
    v->version = version;
    v->types = !strcmp(version, w->by->api_version) ? w->by->types
               : w->by->other ? w->by->other(w->by->other_arg, version)
                              : NULL;
    if (!v->types)
        return NULL;
    w->n++;
    if (!w->now)
        return v;
    v->c = changes_between(w->by, w->old, w->now);
    if (v->types != w->by->types) {
        struct managed_by other = {.types = v->types};

        changes_release(&v->c);
        v->c = changes_between(&other, w->old, w->now);
    }
    return v;
}

/* Entries whose version is gone go; the others follow their schema. */
static void
reconcile(const struct managed_by *by, struct json *entries)
{
    AUTO(views_release) struct views w = {.by = by};
    struct json *next;

    for (struct json *e = json_first(entries); e; e = next) {
        struct view *v = view_of(&w, json_get_text(e, "apiVersion"));

        next = json_next(e);
        if (!v)
            json_free(json_detach(entries, e));
        else if (fields_reconcile(v->types, fields_set(e)))
            json_sort(fields_set(e));
    }
}

/* ---- updates ---- */

/* What changed is taken from everyone and given to the writer. */
static void
record(const struct managed_by *by, const struct json *old,
       const struct json *now, struct json *entries)
{
    AUTO(views_release)
    struct views w = {.by = by, .old = old, .now = now};
    struct json *changed = view_of(&w, by->api_version)->c.changed;
    struct json *own;

    for (struct json *e = json_first(entries); e; e = json_next(e)) {
        const struct view *v = view_of(&w, json_get_text(e, "apiVersion"));

        fieldset_subtract(fields_set(e), v->c.removed);
        fieldset_subtract(fields_set(e), v->c.changed);
    }
    drop_empty(entries);
    strip_meta(changed);
    if (json_first(changed)) {
        own = find_entry(entries, by, "Update");
        if (!own)
            own = new_entry(entries, by, "Update");
        fieldset_union(fields_set(own), changed);
        json_sort(fields_set(own));
        json_set_string(own, "time", by->now);
    }
    sort_entries(entries);
    cap_updaters(entries);
}

void
managed_update(const struct managed_by *by, const struct json *old,
               struct json *now)
{
    const struct json *had = json_at(old, "metadata", "managedFields", NULL);
    bool reset = is_reset(json_at(now, "metadata", "managedFields", NULL)) &&
                 !by->subresource;
    struct json *entries = take_entries(now);

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
    reconcile(by, entries);
    record(by, old ? old : by->empty, now, entries);
    put_entries(now, entries);
}

bool
managed_times_alone(const struct json *old, const struct json *now)
{
    const struct json *a =
        json_first(json_at(old, "metadata", "managedFields", NULL));
    const struct json *b =
        json_first(json_at(now, "metadata", "managedFields", NULL));

    for (; a && b; a = json_next(a), b = json_next(b)) {
        static const char *const keys[] = {"manager", "operation", "apiVersion",
                                           "subresource"};

        for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
            if (strcmp(json_get_text(a, keys[i]), json_get_text(b, keys[i])))
                return false;
        }
        if (!json_equal(fields_set(a), fields_set(b)))
            return false;
    }
    return !a && !b;
}

/* ---- apply ---- */

struct conflict {
    char *id;      /* what conflicts are sorted by */
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
        free(c->v[i].id);
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
    const char *sub = json_get_text(entry, "subresource");
    struct conflict *one;
    char *id =
        mem_printf("%s\",%s,%s\"%c", json_get_text(entry, "manager"),
                   json_get_text(entry, "operation"),
                   is_update(entry) ? json_get_text(entry, "apiVersion") : "",
                   *sub ? ',' : '}');
    size_t at = 0;

    c->v = mem_grow(c->v, &c->cap, c->n + 1, sizeof(*c->v));
    while (at < c->n && strcmp(c->v[at].id, id) < 0)
        at++;
    memmove(c->v + at + 1, c->v + at, (c->n - at) * sizeof(*c->v));
    one = &c->v[at];
    *one = (struct conflict){.id = id, .manager = manager_text(entry)};
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
kubectl_may_take(const struct managed_by *by, const struct json *live)
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
    if (!json_is(last, JSON_OBJECT) ||
        strcmp(json_get_text(last, "apiVersion"), by->api_version) != 0 ||
        !fields_fit(by->types, last, &why))
        return NULL;
    set = json_new_object();
    fields_of(by->types, last, set);
    c = (struct changes){json_new_object(), json_new_object()};
    fields_compare(by->types, last, live, c.changed, c.removed);
    fieldset_subtract(set, c.changed);
    fieldset_subtract(set, c.removed);
    return set;
}

/* Takes the changed fields away from others; false: they may not go. */
static bool
take_over(struct views *w, struct json *entries, const struct json *own,
          const struct json *allowed, bool force, struct status *st)
{
    AUTO(conflicts_release) struct conflicts conflicts = {0};

    for (struct json *e = json_first(entries); e; e = json_next(e)) {
        AUTO(json_free_ptr) struct json *both = NULL;
        const struct view *v;

        if (e == own)
            continue;
        v = view_of(w, json_get_text(e, "apiVersion"));
        both = fieldset_intersect(fields_set(e), v->c.changed);
        fieldset_subtract(fields_set(e), both);
        fieldset_subtract(fields_set(e), v->c.removed);
        if (!force) {
            fieldset_subtract(both, allowed);
            if (json_first(both))
                add_conflict(&conflicts, e, both);
        }
    }
    return !conflicts.n || refuse_conflicts(&conflicts, st);
}

/* What the managers of each version own; the last set's version is first. */
struct ownership {
    struct fields_owned v[VERSIONS_MAX];
    size_t n;
};

static void
ownership_release(struct ownership *o)
{
    for (size_t i = 0; i < o->n; i++)
        json_free(o->v[i].set);
}

static void
add_owned(struct ownership *o, const struct fields_types *t,
          const struct json *set)
{
    size_t i = 0;

    while (i < o->n && o->v[i].t != t)
        i++;
    if (i == VERSIONS_MAX)
        return;
    if (i == o->n)
        o->v[o->n++] = (struct fields_owned){t, json_new_object()};
    fieldset_union(o->v[i].set, set);
}

/* Takes out of *live what the manager has named before and nobody has now. */
static void
give_up(const struct managed_by *by, struct json *entries,
        const struct json *last, const char *last_version, struct json **live)
{
    AUTO(views_release) struct views w = {.by = by};
    AUTO(ownership_release) struct ownership owned = {0};
    const struct view *v = last ? view_of(&w, last_version) : NULL;

    if (!v)
        return;
    add_owned(&owned, v->types, NULL);
    for (const struct json *e = json_first(entries); e; e = json_next(e)) {
        v = view_of(&w, json_get_text(e, "apiVersion"));
        if (v)
            add_owned(&owned, v->types, fields_set(e));
    }
    fields_prune(owned.v[0].t, live, last, owned.v, owned.n);
}

static bool
config_fits(const struct managed_by *by, const struct json *config,
            struct status *st)
{
    AUTO(buf_release) struct buf why = BUF_INIT(BUF_TEXT_MAX);

    const struct json *given =
        json_at(config, "metadata", "managedFields", NULL);

    if (given && !json_is(given, JSON_NULL))
        return status_bad_request(st, "metadata.managedFields must be nil");
    if (fields_fit(by->types, config, &why))
        return true;
    return status_set(
        st, 500, NULL,
        "failed to create typed patch object (%s/%s; %s%s, Kind=%s): %s",
        json_string_or(json_at(config, "metadata", "namespace", NULL), ""),
        json_string_or(json_at(config, "metadata", "name", NULL), ""),
        strchr(by->api_version, '/') ? "" : "/", by->api_version,
        json_string_or(json_get(config, "kind"), ""), buf_cstr(&why));
}

/* An object that has been written without managedFields: all it has belongs
 * to an updater of that name. */
static void
before_first_apply(const struct managed_by *by, const struct json *live,
                   struct json *entries)
{
    struct managed_by first = *by;

    first.manager = "before-first-apply";
    record(&first, NULL, live, entries);
}

/* kubectl's annotation follows what kubectl applies from the server's side. */
static void
follow_last_applied(const struct managed_by *by, struct json *live,
                    const struct json *config)
{
    struct json *notes = json_at(live, "metadata", "annotations", NULL);
    AUTO(json_free_ptr) struct json *plain = NULL;
    AUTO(buf_release) struct buf text = BUF_INIT(LAST_APPLIED_MAX);

    if (strcmp(by->manager, "kubectl") != 0 ||
        !*json_get_text(notes, LAST_APPLIED))
        return;
    plain = json_copy(config);
    json_del(json_at(plain, "metadata", "annotations", NULL), LAST_APPLIED);
    if (json_print(plain, JSON_SORTED | JSON_HTML, &text) &&
        buf_putc(&text, '\n'))
        json_set_string(notes, LAST_APPLIED, buf_cstr(&text));
    else
        json_del(notes, LAST_APPLIED);
}

/* The writer's entry, with what config names; last: what it held before. */
static struct json *
claim(const struct managed_by *by, struct json *entries,
      const struct json *config, struct json **last, char **last_version)
{
    struct json *own = find_entry(entries, by, "Apply");
    struct json *set = json_new_object();

    fields_of(by->types, config, set);
    skip_reset(by, set);
    json_sort(set);
    if (own) {
        *last = json_detach(own, fields_set(own));
        *last_version = mem_strdup(json_get_text(own, "apiVersion"));
    } else {
        own = new_entry(entries, by, "Apply");
        json_del(own, "time");
    }
    json_set(own, "fieldsV1", set);
    json_set_string(own, "apiVersion", by->api_version);
    return own;
}

bool
managed_apply(const struct managed_by *by, struct json **live,
              const struct json *config, bool force, struct status *st)
{
    AUTO(json_free_ptr) struct json *old = json_copy(*live), *last = NULL;
    AUTO(json_free_ptr) struct json *allowed = NULL, *entries = NULL;
    AUTO(mem_free_ptr) char *last_version = NULL;
    AUTO(views_release) struct views w = {.by = by};
    struct json *own;

    entries = take_entries(*live);
    if (!entries)
        entries = json_new_array();
    if (!config_fits(by, config, st))
        return false;
    if (!json_first(entries))
        before_first_apply(by, *live, entries);
    reconcile(by, entries);
    fields_merge(by->types, live, config);
    own = claim(by, entries, config, &last, &last_version);
    give_up(by, entries, last, last_version, live);
    json_del(json_get(old, "metadata"), "managedFields");
    w.old = old;
    w.now = *live;
    allowed = force ? NULL : kubectl_may_take(by, old);
    if (!take_over(&w, entries, own, allowed, force, st))
        return false;
    strip_meta(fields_set(own));
    if (!json_equal(old, *live))
        json_set_string(own, "time", by->now);
    follow_last_applied(by, *live, config);
    put_entries(*live, entries);
    entries = NULL;
    return true;
}
