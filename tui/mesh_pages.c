#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/mesh/why.h"

#include "tui/source_mesh.h"

/* Pages of one object, plans, and the schema of a form. */

enum { TEXT_MAX = 2048, CONDITIONS_MAX = 100 };

static const char *
text(struct arena *a, const char *z)
{
    struct str s = str_of(z);

    return s.n ? arena_dup(a, str_sub(s, 0, TEXT_MAX)) : "";
}

/* ---- the tree ---- */

static const char *
first_message(const struct mesh_item *i)
{
    return i->problems_n ? i->problems[0].message : "";
}

static void
fill_tree(struct mesh_page *p, const struct mesh_item *item)
{
    struct mesh_tree tree;
    struct tui_node *nodes;

    mesh_tree(item, p->arena, &tree);
    nodes = arena_array(p->arena, tree.n ? tree.n : 1, sizeof(*nodes));
    for (size_t k = 0; k < tree.n; k++) {
        const struct mesh_item *i = tree.v[k].item;
        const char *note = mesh_item_note(i);

        tui_ref_set(&nodes[k].ref, i->kind->api_version, i->kind->kind, i->ns,
                    i->name);
        nodes[k].depth = (int)tree.v[k].depth;
        nodes[k].state = source_mesh_state(k ? i->health : mesh_item_health(i));
        if (!i->present && !mesh_is_missing(i))
            nodes[k].state = TUI_UNKNOWN;
        nodes[k].note = tree.v[k].again
                            ? arena_printf(p->arena, "%s (shared)", note)
                            : text(p->arena, note);
        nodes[k].message = text(p->arena, first_message(i));
    }
    p->base.nodes = nodes;
    p->base.nodes_n = tree.n;
}

/* ---- why ---- */

struct lines {
    struct arena *a;
    struct tui_line *v;
    size_t n, cap;
};

static void
add_line(struct lines *l, enum tui_state st, int indent, const char *z)
{
    if (l->n == l->cap) {
        size_t cap = l->cap ? l->cap * 2 : 16;
        struct tui_line *v = arena_array(l->a, cap, sizeof(*v));

        if (l->n)
            memcpy(v, l->v, l->n * sizeof(*v));
        l->v = v;
        l->cap = cap;
    }
    l->v[l->n++] = (struct tui_line){st, indent, text(l->a, z)};
}

static void
add_cause(struct lines *l, const struct mesh_item *root,
          const struct mesh_cause *c)
{
    add_line(l, source_mesh_state(c->health), 0, c->text);
    if (c->problem && *c->problem->message &&
        !str_contains(str_of(c->text), str_of(c->problem->message)))
        add_line(l, TUI_NONE, 1, c->problem->message);
    for (size_t i = 0; i < c->blocks_n && i < 3; i++)
        add_line(l, TUI_NONE, 1,
                 arena_printf(l->a, "\xe2\x86\x92 holds up %s",
                              mesh_item_text(c->blocks[i], l->a)));
    for (size_t i = 0; i < c->hits_n && i < 5; i++) {
        if (c->hits[i] != root)
            add_line(l, TUI_NONE, 1,
                     arena_printf(l->a, "also hits %s",
                                  mesh_item_text(c->hits[i], l->a)));
    }
    if (*c->hint)
        add_line(l, TUI_NONE, 1, arena_printf(l->a, "hint: %s", c->hint));
}

static void
fill_why(struct source_mesh *s, struct mesh_page *p,
         const struct mesh_item *item)
{
    struct lines l = {.a = p->arena};
    struct mesh_causes causes;

    mesh_why(s->store->ops->model(s->store), item, p->arena, &causes);
    for (size_t i = 0; i < causes.n; i++)
        add_cause(&l, item, &causes.v[i]);
    p->base.why = l.v;
    p->base.why_n = l.n;
}

/* ---- ports, conditions, headline ---- */

static void
fill_ports(struct mesh_page *p, const struct mesh_product *product)
{
    struct tui_port *ports =
        arena_array(p->arena, product->ports_n + 1, sizeof(*ports));
    struct arena *a = p->arena;

    for (size_t i = 0; i < product->ports_n; i++) {
        const struct mesh_port *from = &product->ports[i];
        bool ok =
            from->state == MESH_PORT_OK || from->state == MESH_PORT_EXTERNAL;
        const char *peer = from->peer ? from->peer->name : from->external;

        ports[i] = (struct tui_port){
            .input = from->input,
            .name = text(a, from->name),
            .peer = from->input && from->peer
                        ? arena_printf(a, "%s:%s", peer, from->peer_port)
                        : text(a, peer),
            .version = text(a, from->version),
            .contract = text(a, from->contract),
            .note = text(a, mesh_port_word(from->state)),
            .state = ok                             ? TUI_OK
                     : mesh_port_fault(from->state) ? TUI_FAIL
                                                    : TUI_WAIT,
        };
    }
    p->base.ports = ports;
    p->base.ports_n = product->ports_n;
}

static void
fill_conditions(struct mesh_page *p)
{
    const struct json *list = json_at(p->object, "status", "conditions", NULL);
    struct tui_condition *v = arena_array(p->arena, CONDITIONS_MAX, sizeof(*v));
    size_t n = 0;

    for (const struct json *c = json_first(list); c && n < CONDITIONS_MAX;
         c = json_next(c)) {
        const char *at = json_get_string(c, "lastTransitionTime");
        int64_t since = 0;

        v[n].type = text(p->arena, json_get_string(c, "type"));
        v[n].status = text(p->arena, json_get_string(c, "status"));
        v[n].reason = text(p->arena, json_get_string(c, "reason"));
        v[n].message = text(p->arena, json_get_string(c, "message"));
        v[n].bad = mesh_condition_bad(v[n].type, v[n].status);
        if (at && clock_parse(str_of(at), &since))
            v[n].since_ms = since * 1000;
        n++;
    }
    p->base.conditions = v;
    p->base.conditions_n = n;
}

static void
say(struct buf *b, const char *what, const char *z)
{
    if (z && *z)
        buf_printf(b, "%s%s%s%s", b->n ? "  " : "", what, *what ? " " : "", z);
}

static const char *
headline(struct mesh_page *p, const struct mesh_item *i)
{
    AUTO(buf_release) struct buf b = BUF_INIT(4096);

    if (i->product) {
        say(&b, "domain",
            i->product->domain ? i->product->domain->name
                               : i->product->domain_ref);
        say(&b, "owner", mesh_owner(i));
        say(&b, "version", i->product->version);
        say(&b, "", i->product->status);
        say(&b, "target", i->product->target);
    } else if (i->domain) {
        say(&b, "owner", i->domain->owner);
        say(&b, "", i->domain->type);
    } else if (i->contract) {
        say(&b, "of", i->contract->product_ref);
        say(&b, "version", i->contract->version);
        say(&b, "", i->contract->status);
    } else {
        say(&b, "composition", i->composition);
        say(&b, "external name", i->external_name);
    }
    return text(p->arena, buf_cstr(&b));
}

/* ---- the page ---- */

/* Parses the object again when it is another version. */
static void
read_object(struct source_mesh *s, struct mesh_page *p)
{
    const char *problem;
    const struct kube_object *o = source_mesh_object(s, p, &problem);
    struct json *fresh;

    p->base.problem = problem;
    p->base.loading = !o && !problem;
    if (!o) {
        p->base.gone = p->object != NULL;
        return;
    }
    p->base.gone = false;
    p->base.created_ms = o->created_s * 1000;
    if (p->object && str_eqz(o->version, p->version))
        return;
    fresh = json_parse(o->body, NULL, NULL);
    if (!fresh)
        return;
    json_free(p->object);
    p->object = fresh;
    if (!json_get(fresh, "apiVersion"))
        json_set_string(fresh, "apiVersion", p->ref.api);
    if (!json_get(fresh, "kind"))
        json_set_string(fresh, "kind", p->ref.kind);
    snprintf(p->version, sizeof(p->version), "%.*s", STR_ARG(o->version));
}

static void
plain_page(struct mesh_page *p)
{
    struct mesh_health_facts facts;
    struct tui_node *self;

    mesh_health_of(p->object, false, &facts);
    p->base.state = source_mesh_state(facts.health);
    self = arena_alloc(p->arena, sizeof(*self));
    *self = (struct tui_node){
        .ref = p->ref, .state = p->base.state, .note = "", .message = ""};
    p->base.nodes = self;
    p->base.nodes_n = 1;
}

void
mesh_pages_fill(struct source_mesh *s, struct mesh_page *p)
{
    struct mesh *m = s->store->ops->model(s->store);
    const struct mesh_item *i =
        m ? mesh_find(m, p->ref.api, p->ref.kind, p->ref.ns, p->ref.name)
          : NULL;
    uint64_t generation = p->base.generation;

    arena_reset(p->arena);
    p->base = (struct tui_page){.generation = generation, .headline = ""};
    read_object(s, p);
    p->base.object = p->object;
    if (i && i->present && !p->base.gone) {
        p->base.state = source_mesh_state(mesh_item_health(i));
        p->base.product = i->product != NULL;
        p->base.headline = headline(p, i);
        fill_tree(p, i);
        fill_why(s, p, i);
        if (i->product)
            fill_ports(p, i->product);
    } else if (p->object) {
        plain_page(p);
    }
    fill_conditions(p);
}

/* ---- plans ---- */

static enum tui_plan_sign
sign_of(enum mesh_sign s)
{
    static const enum tui_plan_sign signs[] = {
        [MESH_ADD] = PLAN_ADD,           [MESH_CHANGE] = PLAN_CHANGE,
        [MESH_DESTROY] = PLAN_DELETE,    [MESH_KEEP] = PLAN_KEEP,
        [MESH_CONFLICT] = PLAN_CONFLICT, [MESH_REPLACE] = PLAN_CONFLICT,
    };

    return signs[s];
}

static void
copy_plan(const struct mesh_plan *from, struct arena *a, struct tui_plan *out)
{
    struct tui_plan_item *items =
        arena_array(a, from->items_n + 1, sizeof(*items));
    struct tui_line *notes = arena_array(a, from->notes_n + 1, sizeof(*notes));
    static const enum tui_state weights[] = {[MESH_INFO] = TUI_NONE,
                                             [MESH_WARN] = TUI_WAIT,
                                             [MESH_BLOCK] = TUI_FAIL};

    for (size_t i = 0; i < from->items_n; i++) {
        const struct mesh_plan_item *f = &from->items[i];

        items[i] = (struct tui_plan_item){sign_of(f->sign), (int)f->depth,
                                          text(a, f->kind), text(a, f->name),
                                          text(a, f->note)};
    }
    for (size_t i = 0; i < from->notes_n; i++)
        notes[i] = (struct tui_line){weights[from->notes[i].weight], 0,
                                     text(a, from->notes[i].text)};
    *out = (struct tui_plan){
        .summary = arena_strdup(a, mesh_plan_summary(from)),
        .items = items,
        .items_n = from->items_n,
        .notes = notes,
        .notes_n = from->notes_n,
        .blockers = from->blockers,
    };
}

bool
mesh_pages_plan_create(struct tui_source *base, const struct json *body,
                       struct arena *a, struct tui_plan *out, struct error *err)
{
    struct source_mesh *s = (struct source_mesh *)base;
    struct mesh_planner *planner = s->store->ops->planner(s->store);
    AUTO(mesh_plan_release) struct mesh_plan plan = {0};

    if (!planner)
        return error_set(err, ERR_NOT_FOUND, "no plan before the mesh is read");
    if (!mesh_plan_apply(planner, body, a, &plan, err))
        return false;
    copy_plan(&plan, a, out);
    return true;
}

/* An object the mesh does not know: a plan of one line. */
static void
plan_plain(const struct tui_ref *refs, size_t n, struct arena *a,
           struct tui_plan *out)
{
    struct tui_plan_item *items = arena_array(a, n, sizeof(*items));

    for (size_t i = 0; i < n; i++)
        items[i] = (struct tui_plan_item){PLAN_DELETE, 0, text(a, refs[i].kind),
                                          text(a, refs[i].name), ""};
    *out = (struct tui_plan){
        .summary = arena_printf(a, "0 to add, 0 to change, %zu to destroy", n),
        .items = items,
        .items_n = n,
    };
}

bool
mesh_pages_plan_delete(struct tui_source *base, const struct tui_ref *refs,
                       size_t n, struct arena *a, struct tui_plan *out,
                       struct error *err)
{
    struct source_mesh *s = (struct source_mesh *)base;
    struct mesh *m = s->store->ops->model(s->store);
    const struct mesh_item **items = arena_array(a, n, sizeof(*items));
    AUTO(mesh_plan_release) struct mesh_plan plan = {0};
    size_t known = 0;

    for (size_t i = 0; i < n; i++) {
        const struct mesh_item *item =
            m ? mesh_find(m, refs[i].api, refs[i].kind, refs[i].ns,
                          refs[i].name)
              : NULL;

        if (item && item->present)
            items[known++] = item;
    }
    if (!s->store->ops->synced(s->store))
        return error_set(err, ERR_NOT_FOUND,
                         "no plan before the whole mesh is read");
    if (known < n) {
        plan_plain(refs, n, a, out);
        return true;
    }
    mesh_plan_delete(m, items, n, &(struct mesh_delete_options){0}, a, &plan);
    copy_plan(&plan, a, out);
    return true;
}

/* ---- the schema of a form ---- */

static const struct json *
version_schema(const struct json *definition, const char *version)
{
    for (const struct json *v =
             json_first(json_at(definition, "spec", "versions", NULL));
         v; v = json_next(v)) {
        const char *name = json_get_string(v, "name");

        if (name && strcmp(name, version) == 0)
            return json_at(v, "schema", "openAPIV3Schema", NULL);
    }
    return NULL;
}

/* Lets go of the definitions that were looked at. */
static void
release_defs(struct source_mesh *s)
{
    for (size_t i = 0; i < ARRAY_LEN(s->defs); i++) {
        s->store->ops->release(s->store, s->defs[i]);
        s->defs[i] = NULL;
    }
    free(s->defs_name);
    s->defs_name = NULL;
}

/* Looks for the kind's definition, of the i-th sort; NULL when there is none,
 * *loading when that cannot be said yet. */
static struct json *
find_schema(struct source_mesh *s, size_t i, const struct kube_kind *k,
            bool *loading)
{
    static const char *const words[] = {"compositeresourcedefinitions",
                                        "customresourcedefinitions"};
    const struct tui_store_ops *ops = s->store->ops;
    const struct tui_want want = {.kind = ops->kind_find(s->store, words[i]),
                                  .form = KUBE_FULL,
                                  .name = s->defs_name};
    const struct kube_object *o = NULL;
    const char *problem = NULL;
    struct json *definition, *schema;

    if (!s->defs[i] && want.kind)
        s->defs[i] = ops->collection(s->store, &want, NULL);
    if (s->defs[i])
        o = ops->find(s->store, s->defs[i], "", s->defs_name);
    *loading = s->defs[i] && !o &&
               !ops->collected(s->store, s->defs[i], &problem) && !problem;
    definition = o ? json_parse(o->body, NULL, NULL) : NULL;
    schema = json_copy(version_schema(definition, k->gvr.version));
    json_free(definition);
    return schema;
}

struct json *
mesh_pages_schema(struct tui_source *base, const struct tui_ref *kind,
                  struct error *err)
{
    struct source_mesh *s = (struct source_mesh *)base;
    const struct kube_kind *k =
        s->store->ops->kind_of(s->store, kind->api, kind->kind);
    AUTO(mem_free_ptr)
    char *name = k ? mem_printf("%s.%s", k->gvr.resource, k->gvr.group) : NULL;

    if (s->defs_name && (!name || strcmp(name, s->defs_name) != 0))
        release_defs(s);
    if (!s->defs_name)
        s->defs_name = mem_strdup(name);
    for (size_t i = 0; k && i < ARRAY_LEN(s->defs); i++) {
        bool loading;
        struct json *schema = find_schema(s, i, k, &loading);

        if (schema) {
            release_defs(s);
            return schema;
        }
        if (loading) {
            error_set(err, ERR_NOT_FOUND, "the schema is on its way");
            return NULL;
        }
    }
    release_defs(s);
    error_set(err, ERR_UNSUPPORTED, "%s has no schema of its own", kind->kind);
    return NULL;
}
