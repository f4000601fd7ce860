/*
 * Design: index maps an owner's uid to the keys of its dependents. An event
 * only touches what it names, so the cost of a write without owners is one
 * look-up. A dependent is judged when it appears, when an owner goes and when
 * an owner begins to wait for it (foreground).
 */
#include "devenv/sandbox/gc.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/registry_state.h"

struct gc {
    struct registry *r;
    struct map index;         /* owner uid -> struct map of "kind key" */
    struct strlist unsettled; /* found at the start: owned, or deleting */
};

static void
set_free(void *p)
{
    map_release(p, NULL);
    free(p);
}

static char *
id_of(const char *kind, struct str key)
{
    return mem_printf("%s %.*s", kind, STR_ARG(key));
}

static void
link_owners(struct gc *g, const struct stored_facts *f, const char *id)
{
    for (size_t i = 0; f && i < f->owners_n; i++) {
        struct str uid = str_of(f->owners[i].uid);
        struct map *set = map_get(&g->index, uid);

        if (!set) {
            set = mem_zalloc(1, sizeof(*set));
            map_put(&g->index, uid, set);
        }
        map_put(set, str_of(id), g);
    }
}

static void
unlink_owners(struct gc *g, const struct stored_facts *f, const char *id)
{
    for (size_t i = 0; f && i < f->owners_n; i++) {
        struct str uid = str_of(f->owners[i].uid);
        struct map *set = map_get(&g->index, uid);

        if (!set)
            continue;
        map_del(set, str_of(id));
        if (!map_count(set))
            set_free(map_del(&g->index, uid));
    }
}

/* ---- one object and its owners ---- */

/* An object by its place in the store. */
struct found {
    struct store_item it;
    const struct kind *k;
    char *ns, *name;
};

static bool
find(struct gc *g, const char *id, struct found *out)
{
    struct str kind, key, group, plural;
    bool good;

    str_cut(str_of(id), ' ', &kind, &key);
    if (!store_get(g->r->store, kind, key, 0, &out->it))
        return false;
    str_cut(kind, '/', &group, &plural);
    AUTO(mem_free_ptr) char *gr = mem_strndup(group.s, group.n);
    AUTO(mem_free_ptr) char *pl = mem_strndup(plural.s, plural.n);
    out->k = registry_resource(g->r, gr, NULL, pl);
    good = out->k != NULL;
    out->ns = good ? mem_strndup(out->it.ns.s, out->it.ns.n) : NULL;
    out->name = good ? mem_strndup(out->it.name.s, out->it.name.n) : NULL;
    return good;
}

static void
found_release(struct found *f)
{
    free(f->ns);
    free(f->name);
}

enum owner_state { OWNER_SOLID, OWNER_GONE, OWNER_WAITING };

static enum owner_state
owner_state(struct gc *g, const struct stored_owner *o, const char *ns)
{
    const struct kind *k = registry_kind(g->r, o->api_version, o->kind);
    const struct stored_facts *f;
    struct store_item it;

    /* A kind that is not served may only be late: leave its objects alone. */
    if (!k)
        return OWNER_SOLID;
    if (!stored_find(g->r, k, ns, o->name, &it))
        return OWNER_GONE;
    f = stored_facts(it.json);
    if (strcmp(f->uid, o->uid) != 0)
        return OWNER_GONE;
    return f->deleting && f->foreground ? OWNER_WAITING : OWNER_SOLID;
}

static void
write_metadata(struct gc *g, const struct found *f, struct json *obj)
{
    struct registry_write w = {.manager = "kube-controller-manager",
                               .validation = VALIDATE_IGNORE};
    AUTO(status_release) struct status st = {0};

    json_free(registry_update(g->r, f->k, &w, f->ns, obj, &st));
}

/* Takes the references to owners that are gone (and, with all, to those that
 * wait) away. */
static void
strip_owners(struct gc *g, const struct found *f, const struct stored_facts *x)
{
    struct json *obj = stored_read(f->k, f->it.json);
    struct json *refs = json_at(obj, "metadata", "ownerReferences", NULL);
    struct json *next, *ref = json_first(refs);

    for (size_t i = 0; i < x->owners_n && ref; i++, ref = next) {
        next = json_next(ref);
        if (owner_state(g, &x->owners[i], f->ns) != OWNER_SOLID)
            json_free(json_detach(refs, ref));
    }
    if (!json_first(refs))
        json_del(json_get(obj, "metadata"), "ownerReferences");
    write_metadata(g, f, obj);
}

static bool
has_dependents(struct gc *g, const char *uid)
{
    return map_get(&g->index, str_of(uid)) != NULL;
}

static void
judge(struct gc *g, const char *id)
{
    size_t count[3] = {0};
    struct registry_delete how = {.propagation = PROPAGATE_BACKGROUND};
    struct found f = {0};
    const struct stored_facts *x;
    AUTO(status_release) struct status st = {0};

    if (!find(g, id, &f))
        return;
    x = stored_facts(f.it.json);
    for (size_t i = 0; i < x->owners_n; i++)
        count[owner_state(g, &x->owners[i], f.ns)]++;
    if (!x->owners_n || count[OWNER_SOLID] == x->owners_n) {
        found_release(&f);
        return;
    }
    how.uid = x->uid;
    if (count[OWNER_SOLID]) {
        strip_owners(g, &f, x);
    } else if (!x->deleting) {
        AUTO(mem_free_ptr) char *uid = mem_strdup(x->uid);

        how.uid = uid;
        if (count[OWNER_WAITING] && has_dependents(g, uid))
            how.propagation = PROPAGATE_FOREGROUND;
        else if (x->orphan)
            how.propagation = PROPAGATE_DEFAULT;
        registry_delete(g->r, f.k, f.ns, f.name, &how, NULL, &st);
    }
    found_release(&f);
}

/* ---- owners ---- */

/* The dependents of an owner; the list is the caller's, because judging
 * changes the index. */
static void
dependents_of(struct gc *g, const char *uid, struct strlist *out)
{
    const struct map *set = map_get(&g->index, str_of(uid));

    for (struct map_entry *e = set ? map_first(set) : NULL; e;
         e = map_next(set, e))
        strlist_add(out, e->key);
}

static void
judge_dependents(struct gc *g, const char *uid)
{
    AUTO(strlist_release) struct strlist ids = {0};

    dependents_of(g, uid, &ids);
    for (size_t i = 0; i < ids.n; i++)
        judge(g, ids.v[i]);
}

static bool
blocks(struct gc *g, const char *id, const char *uid)
{
    struct found f = {0};
    bool yes = false;

    if (!find(g, id, &f))
        return false;
    for (size_t i = 0; i < stored_facts(f.it.json)->owners_n; i++) {
        const struct stored_owner *o = &stored_facts(f.it.json)->owners[i];

        yes |= o->block && !strcmp(o->uid, uid);
    }
    found_release(&f);
    return yes;
}

static void
drop_finalizer(struct gc *g, const char *id, const char *finalizer)
{
    struct found f = {0};
    struct json *obj, *list;

    if (!find(g, id, &f))
        return;
    obj = stored_read(f.k, f.it.json);
    list = json_at(obj, "metadata", "finalizers", NULL);
    for (struct json *c = json_first(list); c; c = json_next(c)) {
        if (!strcmp(json_string_or(c, ""), finalizer)) {
            json_free(json_detach(list, c));
            break;
        }
    }
    write_metadata(g, &f, obj);
    found_release(&f);
}

/* Foreground: what blocks goes first, then the rest, then the owner. */
static void
go_on_foreground(struct gc *g, const char *id, const char *uid)
{
    AUTO(strlist_release) struct strlist ids = {0};
    bool blocked = false;

    judge_dependents(g, uid);
    dependents_of(g, uid, &ids);
    for (size_t i = 0; i < ids.n; i++)
        blocked |= blocks(g, ids.v[i], uid);
    if (!blocked)
        drop_finalizer(g, id, "foregroundDeletion");
}

static void
set_free_dependent(struct gc *g, const char *id, const char *uid)
{
    struct found f = {0};
    struct json *obj, *refs, *next;

    if (!find(g, id, &f))
        return;
    obj = stored_read(f.k, f.it.json);
    refs = json_at(obj, "metadata", "ownerReferences", NULL);
    for (struct json *c = json_first(refs); c; c = next) {
        next = json_next(c);
        if (!strcmp(json_string_or(json_get(c, "uid"), ""), uid))
            json_free(json_detach(refs, c));
    }
    if (!json_first(refs))
        json_del(json_get(obj, "metadata"), "ownerReferences");
    write_metadata(g, &f, obj);
    found_release(&f);
}

static void
orphan(struct gc *g, const char *id, const char *uid)
{
    AUTO(strlist_release) struct strlist ids = {0};

    dependents_of(g, uid, &ids);
    for (size_t i = 0; i < ids.n; i++)
        set_free_dependent(g, ids.v[i], uid);
    drop_finalizer(g, id, "orphan");
}

/* An owner in foreground deletion hears that one it waits for is gone. */
static void
tell_waiting_owners(struct gc *g, const struct stored_facts *x, const char *ns)
{
    for (size_t i = 0; i < x->owners_n; i++) {
        const struct stored_owner *o = &x->owners[i];
        const struct kind *k = registry_kind(g->r, o->api_version, o->kind);
        AUTO(mem_free_ptr) char *id = NULL;
        AUTO(buf_release) struct buf key = BUF_INIT(4096);

        if (!k || owner_state(g, o, ns) != OWNER_WAITING)
            continue;
        id = id_of(kind_info(k)->store_kind, stored_key(k, ns, o->name, &key));
        go_on_foreground(g, id, o->uid);
    }
}

/* ---- events ---- */

void
gc_on_event(struct gc *g, const struct store_event *e)
{
    AUTO(mem_free_ptr) char *id = id_of(e->kind, e->key);
    AUTO(mem_free_ptr) char *ns = mem_strndup(e->ns.s ? e->ns.s : "", e->ns.n);
    struct blob *now = blob_keep(e->json);
    const struct stored_facts *x = stored_facts(now);
    struct blob *was = e->prev ? blob_keep(e->prev) : NULL;

    if (was)
        unlink_owners(g, stored_facts(was), id);
    if (e->op == STORE_DELETED) {
        unlink_owners(g, x, id);
        if (has_dependents(g, x->uid))
            judge_dependents(g, x->uid);
        tell_waiting_owners(g, x, ns);
    } else {
        link_owners(g, x, id);
        if (x->deleting && x->foreground)
            go_on_foreground(g, id, x->uid);
        else if (x->deleting && x->orphan)
            orphan(g, id, x->uid);
        if (x->owners_n && (!was || stored_facts(was)->owners_n == 0))
            judge(g, id);
    }
    blob_drop(now);
    blob_drop(was);
}

/* What a deleting owner waits for, and what an owned object is due. */
static void
look_again(struct gc *g, const char *id)
{
    struct found f = {0};
    const struct stored_facts *x;
    AUTO(mem_free_ptr) char *uid = NULL;

    if (!find(g, id, &f))
        return;
    found_release(&f);
    x = stored_facts(f.it.json);
    uid = mem_strdup(x->uid);
    if (x->deleting && x->foreground)
        go_on_foreground(g, id, uid);
    else if (x->deleting && x->orphan)
        orphan(g, id, uid);
    else
        judge(g, id);
}

bool
gc_turn(struct gc *g)
{
    struct strlist ids = g->unsettled;

    if (!ids.n)
        return false;
    g->unsettled = (struct strlist){0};
    for (size_t i = 0; i < ids.n; i++)
        look_again(g, ids.v[i]);
    strlist_release(&ids);
    return true;
}

bool
gc_concerns(struct str text)
{
    return str_contains(text, STR("\"ownerReferences\":")) ||
           str_contains(text, STR("\"deletionTimestamp\":"));
}

struct gc *
gc_new(struct registry *r)
{
    struct gc *g = mem_zalloc(1, sizeof(*g));
    const char *kind;

    g->r = r;
    for (size_t i = 0; (kind = store_kind(r->store, i)) != NULL; i++) {
        struct store_cursor c;
        struct store_item it;

        store_scan(r->store, str_of(kind), STR(""), STR(""), 0, &c);
        while (store_next_key(&c, &it)) {
            if (!it.marked)
                continue;
            it.json = store_item_json(&c, &it);
            if (!gc_concerns(blob_view(it.json)))
                continue;
            AUTO(mem_free_ptr) char *id = id_of(kind, it.key);
            const struct stored_facts *x = stored_facts(it.json);

            link_owners(g, x, id);
            if (x->owners_n || (x->deleting && (x->foreground || x->orphan)))
                strlist_add(&g->unsettled, str_of(id));
        }
        store_cursor_release(&c);
    }
    return g;
}

void
gc_free(struct gc *g)
{
    if (!g)
        return;
    map_release(&g->index, set_free);
    strlist_release(&g->unsettled);
    free(g);
}
