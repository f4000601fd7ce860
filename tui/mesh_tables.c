#include <stdlib.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"

#include "lib/mesh/why.h"

#include "tui/source_mesh.h"

/* Rows of tables, made from the mesh and from plain objects. */

enum { CELL_MAX = 512, EVENTS_MAX = 20000 };

const char *
mesh_tables_text(struct mesh_table *t, const char *z)
{
    struct str s = str_of(z);

    return s.n ? arena_dup(t->rows_arena, str_sub(s, 0, CELL_MAX)) : "";
}

static const char *
text(struct mesh_table *t, const char *z)
{
    return mesh_tables_text(t, z);
}

/* "ns/name", without printf: there are ten thousand of them. */
static const char *
key_of(struct mesh_table *t, const char *ns, const char *name)
{
    size_t n = strlen(ns), m = strlen(name);
    char *key = arena_alloc(t->rows_arena, n + m + 2);

    memcpy(key, ns, n);
    key[n] = '/';
    memcpy(key + n + 1, name, m + 1);
    return key;
}

static struct tui_cell *
add_row(struct mesh_table *t, enum tui_state state, const char *key)
{
    struct tui_row *r = arena_alloc(t->rows_arena, sizeof(*r));
    struct tui_cell *cells =
        arena_array(t->rows_arena, t->base.columns_n, sizeof(*cells));

    for (size_t i = 0; i < t->base.columns_n; i++)
        cells[i].text = "";
    t->rows = mem_grow(t->rows, &t->cap, t->base.rows_n + 1, sizeof(r));
    t->rows[t->base.rows_n++] = r;
    *r = (struct tui_row){
        .key = key, .cells = cells, .labels = "", .state = state};
    return cells;
}

static struct tui_row *
last_row(struct mesh_table *t)
{
    return t->rows[t->base.rows_n - 1];
}

static void
address(struct mesh_table *t, const struct mesh_item *i)
{
    struct tui_row *r = last_row(t);

    r->api = text(t, i->kind->api_version);
    r->kind = text(t, i->kind->kind);
    r->ns = text(t, i->ns);
    r->name = text(t, i->name);
}

static void
set_columns(struct mesh_table *t, const struct tui_column *c, size_t n)
{
    t->base.columns = c;
    t->base.columns_n = n;
}

/* The namespace that `:ns` chose, "" for all. */
static const char *
chosen_ns(struct source_mesh *s)
{
    struct tui_link l = {.ns = ""};

    s->store->ops->link(s->store, &l);
    return l.ns ? l.ns : "";
}

static bool
in_ns(const char *chosen, const char *ns)
{
    return !*chosen || !*ns || strcmp(chosen, ns) == 0;
}

/* The labels of an object as "a=b,c=d", by a scan of its text: inside strings
 * quotes are escaped, so the key cannot be mistaken. */
static const char *
labels_of(struct mesh_table *t, struct str body)
{
    size_t at = str_find(body, STR("\"metadata\":{"), 0), labels, end;
    char *out, *p;

    if (at == SIZE_MAX)
        return "";
    /* Keys are sorted: labels stand before the name. */
    body = str_sub(body, 0, at + 8192);
    end = str_find(body, STR("\"name\":"), at);
    labels = str_find(str_sub(body, 0, end), STR("\"labels\":{"), at);
    if (labels == SIZE_MAX)
        return "";
    end = str_find(body, STR("}"), labels);
    if (end == SIZE_MAX)
        return "";
    out = p =
        arena_dup(t->rows_arena, str_sub(body, labels + 10, end - labels - 10));
    for (const char *q = out; *q; q++) {
        if (*q == ':')
            *p++ = '=';
        else if (*q != '"' && *q != ' ')
            *p++ = *q;
    }
    *p = '\0';
    return out;
}

/* ---- the mesh ---- */

static const struct tui_column domain_columns[] = {
    {"HEALTH", COL_STATE, 0, false},  {"NAME", COL_NAME, 0, false},
    {"OWNER", COL_MESSAGE, 2, false}, {"READY", COL_NUMBER, 1, false},
    {"TYPE", COL_TEXT, 3, true},      {"NAMESPACE", COL_TEXT, 4, true},
    {"AGE", COL_AGE, 5, true},
};

static void
fill_domains(struct mesh_table *t, struct mesh *m, const char *ns)
{
    set_columns(t, domain_columns, ARRAY_LEN(domain_columns));
    for (size_t k = 0; k < mesh_role_count(m, MESH_ROLE_DOMAIN); k++) {
        const struct mesh_item *i = mesh_role_at(m, MESH_ROLE_DOMAIN, k);
        enum tui_state st = source_mesh_state(mesh_item_health(i));
        struct tui_cell *c;

        if (!in_ns(ns, i->ns))
            continue;
        c = add_row(t, st, key_of(t, i->ns, i->name));
        address(t, i);
        c[0].num = st;
        c[1].text = last_row(t)->name;
        c[2].text = *i->domain->owner ? text(t, i->domain->owner) : "(none)";
        c[3].text =
            arena_printf(t->rows_arena, "%zu/%zu",
                         i->domain->by_health[MESH_OK], i->domain->products_n);
        c[3].num = (int64_t)i->domain->by_health[MESH_OK];
        c[4].text = text(t, i->domain->type);
        c[5].text = last_row(t)->ns;
        c[6].num = i->created_s * 1000;
    }
}

static const struct tui_column product_columns[] = {
    {"HEALTH", COL_STATE, 0, false},    {"NAME", COL_NAME, 0, false},
    {"DOMAIN", COL_TEXT, 3, false},     {"VERSION", COL_TEXT, 6, false},
    {"STATUS", COL_TEXT, 9, false},     {"IN/OUT", COL_NUMBER, 5, false},
    {"COMPOSED", COL_NUMBER, 2, false}, {"SYNC", COL_TEXT, 7, false},
    {"AGE", COL_AGE, 1, false},         {"CHANGED", COL_AGE, 8, false},
    {"OWNER", COL_TEXT, 10, true},      {"CLASS", COL_TEXT, 11, true},
    {"TARGET", COL_TEXT, 12, true},     {"READERS", COL_NUMBER, 13, true},
    {"NAMESPACE", COL_TEXT, 14, true},
};

static const char *
synced_word(char letter)
{
    return letter == 'T'   ? "True"
           : letter == 'F' ? "False"
           : letter == 'U' ? "Unknown"
                           : "-";
}

static void
fill_product(struct mesh_table *t, const struct mesh_item *i)
{
    const struct mesh_product *p = i->product;
    struct arena *a = t->rows_arena;
    enum tui_state st = source_mesh_state(mesh_item_health(i));
    struct tui_cell *c = add_row(t, st, key_of(t, i->ns, i->name));

    address(t, i);
    c[0].num = st;
    c[1].text = last_row(t)->name;
    c[2].text = text(t, p->domain ? p->domain->name : p->domain_ref);
    c[3].text = text(t, p->version);
    c[4].text = text(t, p->status);
    c[5].text =
        arena_printf(a, "%zu/%zu", p->inputs_n, p->ports_n - p->inputs_n);
    c[5].num = (int64_t)p->ports_n;
    c[6].text = arena_printf(a, "%zu/%zu", i->roll.ready, i->roll.total);
    c[6].num = (int64_t)i->roll.total;
    c[7].text = synced_word(i->roll.synced);
    c[8].num = i->created_s * 1000;
    c[9].num = MAX(i->roll.changed_s, i->changed_s) * 1000;
    c[10].text = text(t, mesh_owner(i));
    c[11].text = text(t, p->classification);
    c[12].text = text(t, p->target);
    c[13].num = (int64_t)p->readers_n;
    c[13].text = arena_printf(a, "%zu", p->readers_n);
    c[14].text = last_row(t)->ns;
}

static void
fill_products(struct mesh_table *t, struct mesh *m, const char *ns)
{
    set_columns(t, product_columns, ARRAY_LEN(product_columns));
    for (size_t k = 0; k < mesh_role_count(m, MESH_ROLE_PRODUCT); k++) {
        const struct mesh_item *i = mesh_role_at(m, MESH_ROLE_PRODUCT, k);

        if (in_ns(ns, i->ns))
            fill_product(t, i);
    }
}

static const struct tui_column attention_columns[] = {
    {"HEALTH", COL_STATE, 0, false},
    {"WHAT", COL_MESSAGE, 0, false},
    {"HITS", COL_NUMBER, 1, false},
};

static void
fill_attention(struct mesh_table *t, struct mesh *m)
{
    struct arena *a = arena_new();
    struct mesh_causes causes;

    set_columns(t, attention_columns, ARRAY_LEN(attention_columns));
    mesh_attention(m, a, &causes);
    for (size_t k = 0; k < causes.n; k++) {
        const struct mesh_cause *v = &causes.v[k];
        enum tui_state st = source_mesh_state(v->health);
        struct tui_cell *c = add_row(
            t, st,
            arena_printf(t->rows_arena, "%d %s/%s/%s", (int)v->kind,
                         v->item->kind->kind, v->item->ns, v->item->name));

        address(t, v->item->present || !v->hits_n ? v->item : v->hits[0]);
        c[0].num = st;
        c[1].text = text(t, v->text);
        c[2].text = arena_printf(t->rows_arena, "hits %zu", v->hits_n);
        c[2].num = (int64_t)v->hits_n;
    }
    arena_free(a);
}

/* ---- plain objects ---- */

static const struct tui_column object_columns[] = {
    {"HEALTH", COL_STATE, 0, false},   {"NAME", COL_NAME, 0, false},
    {"NAMESPACE", COL_TEXT, 2, false}, {"SYNCED", COL_TEXT, 4, false},
    {"READY", COL_TEXT, 3, false},     {"REASON", COL_TEXT, 5, false},
    {"AGE", COL_AGE, 1, false},
};

static const struct tui_column plain_columns[] = {
    {"NAME", COL_NAME, 0, false},
    {"NAMESPACE", COL_TEXT, 2, false},
    {"AGE", COL_AGE, 1, false},
};

static enum tui_state
object_state(struct source_mesh *s, const char *api, const char *kind,
             const struct kube_object *o)
{
    struct mesh *m = s->store->ops->model(s->store);
    /* Only kinds of the mesh are more than their own conditions. */
    const struct mesh_item *i =
        m && strncmp(api, MESH_GROUP "/", sizeof(MESH_GROUP)) == 0
            ? mesh_find(m, api, kind, o->ns.s, o->name.s)
            : NULL;

    if (i && i->present)
        return source_mesh_state(mesh_item_health(i));
    if (o->deleted_s)
        return TUI_DELETING;
    if (o->synced.status == 'F')
        return TUI_FAIL;
    if (o->ready.status)
        return o->ready.status == 'T' ? TUI_OK : TUI_WAIT;
    return TUI_NONE;
}

struct tui_row *
mesh_tables_row(struct mesh_table *t, const char *api,
                const struct kube_object *o, struct tui_cell **cells)
{
    struct tui_row *r;

    *cells = add_row(t, TUI_NONE, key_of(t, o->ns.s, o->name.s));
    r = last_row(t);
    r->api = api;
    r->kind = text(t, t->kind->kind);
    r->ns = text(t, o->ns.s);
    r->name = text(t, o->name.s);
    r->labels = labels_of(t, o->body);
    return r;
}

void
mesh_tables_columns(struct mesh_table *t, const struct tui_column *c, size_t n)
{
    set_columns(t, c, n);
}

static void
fill_object(struct source_mesh *s, struct mesh_table *t, const char *api,
            const struct kube_object *o, bool conditions)
{
    enum tui_state st = object_state(s, api, t->kind->kind, o);
    struct tui_cell *c;
    struct tui_row *r = mesh_tables_row(t, api, o, &c);

    r->state = st;
    if (!conditions) {
        c[0].text = r->name;
        c[1].text = r->ns;
        c[2].num = o->created_s * 1000;
        return;
    }
    c[0].num = st;
    c[1].text = r->name;
    c[2].text = r->ns;
    c[3].text = synced_word(o->synced.status);
    c[4].text = synced_word(o->ready.status);
    c[5].text = text(t, o->synced.status == 'F' ? o->synced.reason.s
                                                : o->ready.reason.s);
    c[6].num = o->created_s * 1000;
}

/* Kinds whose objects the program reads itself; of others it shows the
 * server's own table. */
static bool
is_known(const struct kube_kind *k)
{
    static const char *const groups[] = {
        MESH_GROUP, "apiextensions.crossplane.io", "pkg.crossplane.io",
        "protection.crossplane.io"};
    struct str group = str_of(k->gvr.group);

    for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
        if (str_eqz(group, groups[i]))
            return true;
    }
    return str_ends(group, STR("." MESH_GROUP));
}

/* A word may mean another kind in another cluster. */
static void
forget_other(struct source_mesh *s, struct mesh_table *t)
{
    AUTO(buf_release) struct buf name = BUF_INIT(1000);

    kube_gvr_name(&t->kind->gvr, &name);
    if (t->collected && str_eqz(buf_view(&name), t->collected))
        return;
    s->store->ops->release(s->store, t->collection);
    t->collection = NULL;
    t->collected = arena_dup(t->kept, buf_view(&name));
}

static struct tui_collection *
collect(struct source_mesh *s, struct mesh_table *t, const char *word,
        enum kube_form form)
{
    const struct tui_store_ops *ops = s->store->ops;
    struct error err = {0};

    /* Anew each time: the connection may be another one. */
    t->kind = ops->kind_find(s->store, word);
    if (!t->kind) {
        t->base.loading = !ops->synced(s->store);
        t->base.problem =
            t->base.loading ? NULL : "the cluster does not serve this kind";
        return NULL;
    }
    forget_other(s, t);
    if (!t->collection) {
        const struct tui_want want = {
            .kind = t->kind,
            .form = form == KUBE_TABLE && is_known(t->kind) ? KUBE_FULL : form};

        t->collection = ops->collection(s->store, &want, &err);
    }
    if (!t->collection)
        t->base.problem = text(t, err.msg);
    else
        t->base.loading =
            !ops->collected(s->store, t->collection, &t->base.problem);
    return t->collection;
}

static void
fill_objects(struct source_mesh *s, struct mesh_table *t, const char *ns)
{
    const struct tui_store_ops *ops = s->store->ops;
    struct tui_collection *c = collect(s, t, t->query.kind, KUBE_TABLE);
    const struct json *columns = c ? ops->columns(s->store, c) : NULL;
    const struct kube_object *o;
    bool conditions = false;
    const char *api;

    set_columns(t, plain_columns, ARRAY_LEN(plain_columns));
    if (columns) {
        mesh_rows_fill(s, t, columns, ns);
        return;
    }
    if (!c)
        return;
    for (size_t i = 0; i < 50 && (o = ops->at(s->store, c, i)); i++)
        conditions |= o->ready.status || o->synced.status;
    if (conditions)
        set_columns(t, object_columns, ARRAY_LEN(object_columns));
    api = source_mesh_api(t->kind, t->rows_arena);
    for (size_t i = 0; (o = ops->at(s->store, c, i)); i++) {
        if (in_ns(ns, o->ns.s ? o->ns.s : ""))
            fill_object(s, t, api, o, conditions);
    }
}

/* ---- events ---- */

static const struct tui_column event_columns[] = {
    {"TYPE", COL_STATE, 0, false},   {"LAST", COL_AGE, 0, false},
    {"REASON", COL_TEXT, 0, false},  {"OBJECT", COL_NAME, 2, false},
    {"COUNT", COL_NUMBER, 1, false}, {"MESSAGE", COL_MESSAGE, 0, false},
};

static int64_t
stamp(const struct json *event)
{
    static const char *const keys[] = {"lastTimestamp", "eventTime",
                                       "firstTimestamp"};
    int64_t s;

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const char *z = json_get_string(event, keys[i]);

        if (z && clock_parse(str_of(z), &s))
            return s * 1000;
    }
    return 0;
}

/* Everything below the object that events are asked of, as
 * "Kind ns name". */
static void
tree_keys(struct source_mesh *s, const struct tui_ref *ref, struct map *out)
{
    struct mesh *m = s->store->ops->model(s->store);
    const struct mesh_item *root =
        m ? mesh_find(m, ref->api, ref->kind, ref->ns, ref->name) : NULL;
    struct arena *a = arena_new();
    struct mesh_tree tree = {0};

    if (root)
        mesh_tree(root, a, &tree);
    for (size_t i = 0; i < tree.n; i++) {
        const struct mesh_item *item = tree.v[i].item;

        map_put(out,
                str_of(arena_printf(a, "%s %s %s", item->kind->kind, item->ns,
                                    item->name)),
                s);
    }
    map_put(out,
            str_of(arena_printf(a, "%s %s %s", ref->kind, ref->ns, ref->name)),
            s);
    arena_free(a);
}

static void
fill_event(struct mesh_table *t, const struct kube_object *o,
           const struct json *e, const struct map *wanted)
{
    const struct json *about = json_get(e, "involvedObject");
    const char *type = json_string_or(json_get(e, "type"), "");
    const char *kind = json_string_or(json_get(about, "kind"), "");
    const char *name = json_string_or(json_get(about, "name"), "");
    const char *ns = json_string_or(json_get(about, "namespace"), "");
    enum tui_state st = strcmp(type, "Warning") == 0 ? TUI_FAIL : TUI_OK;
    struct tui_cell *c;
    struct tui_row *r;

    if (map_count(wanted) &&
        !map_has(wanted, str_of(arena_printf(t->rows_arena, "%s %s %s", kind,
                                             ns, name))))
        return;
    c = add_row(t, st, text(t, o->uid.n ? o->uid.s : o->name.s));
    r = last_row(t);
    r->api = text(t, json_string_or(json_get(about, "apiVersion"), ""));
    r->kind = text(t, kind);
    r->ns = text(t, ns);
    r->name = text(t, name);
    c[0].num = st;
    c[0].text = st == TUI_FAIL ? "Warning" : "Normal";
    c[1].num = stamp(e);
    c[2].text = text(t, json_string_or(json_get(e, "reason"), ""));
    c[3].text = arena_printf(t->rows_arena, "%s/%s", r->kind, r->name);
    c[4].num = json_int64_or(json_get(e, "count"), 1);
    c[4].text = arena_printf(t->rows_arena, "%d", (int)MIN(c[4].num, 999999));
    c[5].text = text(t, json_string_or(json_get(e, "message"), ""));
}

static int
newest_first(const void *a, const void *b)
{
    const struct tui_row *x = *(struct tui_row *const *)a;
    const struct tui_row *y = *(struct tui_row *const *)b;

    return (x->cells[1].num < y->cells[1].num) -
           (x->cells[1].num > y->cells[1].num);
}

static void
fill_events(struct source_mesh *s, struct mesh_table *t, const char *ns)
{
    const struct tui_store_ops *ops = s->store->ops;
    struct tui_collection *c = collect(s, t, "events", KUBE_FULL);
    const struct kube_object *o;
    struct map wanted = {0};

    set_columns(t, event_columns, ARRAY_LEN(event_columns));
    if (*t->query.ref.name)
        tree_keys(s, &t->query.ref, &wanted);
    for (size_t i = 0; c && i < EVENTS_MAX && (o = ops->at(s->store, c, i));
         i++) {
        struct json *e;

        if (!in_ns(ns, o->ns.s))
            continue;
        e = json_parse(o->body, NULL, NULL);
        if (e)
            fill_event(t, o, e, &wanted);
        json_free(e);
    }
    map_release(&wanted, NULL);
    if (t->base.rows_n)
        qsort(t->rows, t->base.rows_n, sizeof(*t->rows), newest_first);
}

/* ---- kinds, contexts, namespaces ---- */

static const struct tui_column kind_columns[] = {
    {"KIND", COL_NAME, 0, false},  {"NAME", COL_TEXT, 0, false},
    {"SHORT", COL_TEXT, 2, false}, {"GROUP", COL_TEXT, 1, false},
    {"SCOPE", COL_TEXT, 3, false},
};

static void
fill_kinds(struct source_mesh *s, struct mesh_table *t)
{
    const struct tui_store_ops *ops = s->store->ops;
    const struct kube_kind *k;

    set_columns(t, kind_columns, ARRAY_LEN(kind_columns));
    for (size_t i = 0; (k = ops->kind_at(s->store, i)); i++) {
        AUTO(buf_release) struct buf shorts = BUF_INIT(256);
        AUTO(buf_release) struct buf full = BUF_INIT(512);
        struct tui_cell *c;

        if (!k->preferred || !(k->verbs & KUBE_CAN_LIST))
            continue;
        kube_gvr_name(&k->gvr, &full);
        for (size_t n = 0; k->short_names[n]; n++)
            buf_printf(&shorts, "%s%s", n ? "," : "", k->short_names[n]);
        c = add_row(t, TUI_NONE,
                    ops->kind_find(s->store, k->gvr.resource) == k
                        ? text(t, k->gvr.resource)
                        : text(t, buf_cstr(&full)));
        c[0].text = text(t, k->kind);
        c[1].text = last_row(t)->key;
        c[2].text = text(t, buf_cstr(&shorts));
        c[3].text = text(t, k->gvr.group);
        c[4].text = k->namespaced ? "namespaced" : "cluster";
    }
}

static const struct tui_column context_columns[] = {
    {"NAME", COL_NAME, 0, false},
    {"SERVER", COL_TEXT, 1, false},
};

static void
fill_contexts(struct source_mesh *s, struct mesh_table *t)
{
    const char *name, *about;

    set_columns(t, context_columns, ARRAY_LEN(context_columns));
    for (size_t i = 0; s->store->ops->context_at(s->store, i, &name, &about);
         i++) {
        struct tui_cell *c = add_row(t, TUI_NONE, text(t, name));

        c[0].text = last_row(t)->key;
        c[1].text = text(t, about);
    }
}

static const struct tui_column namespace_columns[] = {
    {"NAME", COL_NAME, 0, false},
    {"AGE", COL_AGE, 1, false},
};

static void
fill_namespaces(struct source_mesh *s, struct mesh_table *t)
{
    const struct tui_store_ops *ops = s->store->ops;
    struct tui_collection *c = collect(s, t, "namespaces", KUBE_META);
    const struct kube_object *o;

    set_columns(t, namespace_columns, ARRAY_LEN(namespace_columns));
    add_row(t, TUI_NONE, "*")[0].text = "* (all)";
    for (size_t i = 0; c && (o = ops->at(s->store, c, i)); i++) {
        struct tui_cell *cell = add_row(t, TUI_NONE, text(t, o->name.s));

        cell[0].text = last_row(t)->key;
        cell[1].num = o->created_s * 1000;
    }
}

static void
fill_mesh(struct source_mesh *s, struct mesh_table *t, const char *ns)
{
    struct mesh *m = s->store->ops->model(s->store);
    struct tui_link link = {.ns = ""};

    s->store->ops->link(s->store, &link);
    t->base.loading = !s->store->ops->synced(s->store);
    if (t->base.loading && link.problem)
        t->base.problem = text(t, link.problem);
    if (!m)
        return; /* not connected */
    if (t->query.what == TUI_DOMAINS)
        fill_domains(t, m, ns);
    else if (t->query.what == TUI_PRODUCTS)
        fill_products(t, m, ns);
    else
        fill_attention(t, m);
}

/* By namespace and name; the mesh has no order of its own. */
static int
by_key(const void *a, const void *b)
{
    const struct tui_row *x = *(struct tui_row *const *)a;
    const struct tui_row *y = *(struct tui_row *const *)b;

    return strcmp(x->key, y->key);
}

void
mesh_tables_fill(struct source_mesh *s, struct mesh_table *t)
{
    const char *ns = chosen_ns(s);

    arena_reset(t->rows_arena);
    t->base.rows_n = 0;
    t->base.problem = NULL;
    t->base.loading = false;
    switch (t->query.what) {
    case TUI_DOMAINS:
    case TUI_PRODUCTS:
        fill_mesh(s, t, ns);
        if (t->base.rows_n)
            qsort(t->rows, t->base.rows_n, sizeof(*t->rows), by_key);
        break;
    case TUI_ATTENTION:
        fill_mesh(s, t, ns);
        break;
    case TUI_KINDS:
        fill_kinds(s, t);
        break;
    case TUI_OBJECTS:
        fill_objects(s, t, ns);
        break;
    case TUI_EVENTS:
        fill_events(s, t, ns);
        break;
    case TUI_CONTEXTS:
        fill_contexts(s, t);
        break;
    case TUI_NAMESPACES:
        fill_namespaces(s, t);
        break;
    }
    t->base.rows = t->rows;
}
