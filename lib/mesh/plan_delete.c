/* What a deletion takes along, who misses it, and what stops it. */
#include "lib/mesh/graph.h"
#include "lib/mesh/plan.h"

/*
 * Crossplane leaves the deletion of composed objects to Kubernetes' garbage
 * collector: what goes is what names its parent as its controller. A reference
 * without that is a KEEP. Two passes: first everything that goes is stamped,
 * then the rest of the mesh is asked what it thinks of the stamped.
 */

#define NAMED_MAX 20 /* objects named one by one in notes of one kind */

struct work {
    struct mesh_plan *p;
    struct arena *a;
    const struct mesh_delete_options *o;
    int64_t now_s;
    unsigned going; /* stamp of what goes */
    struct items all;
};

static bool
goes(const struct work *w, const struct mesh_item *i)
{
    return ((const struct item *)i)->stamp == w->going;
}

static struct mesh_plan_item *
row(struct work *w, enum mesh_sign sign, const struct mesh_item *i,
    unsigned depth)
{
    struct mesh_plan_item *r = mesh_plan_add(w->p, sign, depth);

    r->api_version = arena_strdup(w->a, i->kind->api_version);
    r->kind = arena_strdup(w->a, i->kind->kind);
    r->ns = arena_strdup(w->a, i->ns);
    r->name = arena_strdup(w->a, i->name);
    r->resource = arena_strdup(w->a, i->resource_name);
    return r;
}

static const char *
external_words(struct work *w, const struct mesh_item *i)
{
    const char *name = *i->external_name ? i->external_name : i->name;

    if (!i->managed)
        return "";
    if (i->keeps_external) {
        w->p->external_kept++;
        return arena_printf(w->a, "external %s stays", name);
    }
    w->p->external_lost++;
    return arena_printf(w->a, "external %s is lost", name);
}

/* Why a composed object is not taken along, or NULL. */
static const char *
stays_because(const struct work *w, const struct item *parent,
              const struct item *i)
{
    if (w->o->orphan)
        return "stays (orphaned)";
    if (!*i->pub.controller)
        return "stays: nothing owns it";
    if (strcmp(i->pub.controller, parent->pub.uid) != 0)
        return "stays: somebody else owns it";
    return NULL;
}

static void
take(struct work *w, struct item *i, unsigned depth)
{
    if (!i->pub.present || i->stamp == w->going || depth > MESH_DEPTH_MAX ||
        w->all.n >= MESH_TREE_MAX)
        return;
    i->stamp = w->going;
    items_add(&w->all, i);
    row(w, MESH_DESTROY, &i->pub, depth)->note = external_words(w, &i->pub);
    for (size_t k = 0; k < i->children.n; k++) {
        struct item *c = item_at(&i->children, k);
        const char *why = stays_because(w, i, c);

        if (!c->pub.present || c->stamp == w->going)
            continue;
        if (why)
            row(w, MESH_KEEP, &c->pub, depth + 1)->note = why;
        else
            take(w, c, depth + 1);
    }
}

/* ---- what stops it ---- */

static void
note_usages(struct work *w, const struct mesh_item *i)
{
    for (size_t k = 0; k < i->usages_n; k++) {
        if (!goes(w, i->usages[k]))
            mesh_plan_note(w->p, MESH_BLOCK, "%s is in use: %s protects it",
                           mesh_item_text(i, w->a),
                           mesh_item_text(i->usages[k], w->a));
    }
    if (i->in_use && !i->usages_n)
        mesh_plan_note(w->p, MESH_BLOCK,
                       "%s is in use (label crossplane.io/in-use)",
                       mesh_item_text(i, w->a));
}

static void
note_state(struct work *w, const struct mesh_item *i)
{
    char age[CLOCK_HUMAN_LEN];

    if (i->deleted_s) {
        clock_human(w->now_s - i->deleted_s, age);
        mesh_plan_note(w->p, MESH_WARN,
                       "%s is being deleted for %s already; it waits for %s",
                       mesh_item_text(i, w->a), age,
                       *i->finalizers ? i->finalizers : "its dependents");
    }
    if (i->paused)
        mesh_plan_note(w->p, MESH_BLOCK,
                       "%s is paused: its deletion waits until the annotation "
                       "crossplane.io/paused is taken away",
                       mesh_item_text(i, w->a));
    if (i->managed && i->health == MESH_FAIL)
        mesh_plan_note(w->p, MESH_WARN,
                       "%s is not well: its finalizer may never be done",
                       mesh_item_text(i, w->a));
}

static void
note_shared(struct work *w, const struct mesh_item *i)
{
    for (size_t k = 0; k < i->parents_n; k++) {
        if (i->parents[k]->present && !goes(w, i->parents[k]))
            mesh_plan_note(w->p, MESH_WARN, "%s is also composed by %s",
                           mesh_item_text(i, w->a),
                           mesh_item_text(i->parents[k], w->a));
    }
}

/* ---- who misses it ---- */

static void
note_list(struct work *w, struct mesh_item *const *v, size_t n,
          const struct mesh_item *i, const char *what)
{
    size_t named = 0, more = 0;

    for (size_t k = 0; k < n; k++) {
        if (goes(w, v[k]) || !v[k]->present)
            continue;
        if (named++ < NAMED_MAX)
            mesh_plan_note(w->p, MESH_WARN, "%s %s %s",
                           mesh_item_text(v[k], w->a), what,
                           mesh_item_text(i, w->a));
        else
            more++;
    }
    if (more)
        mesh_plan_note(w->p, MESH_WARN, "and %zu more", more);
}

/* Readers of readers: they stay well themselves and get nothing new. */
static void
note_downstream(struct work *w, const struct mesh_item *i)
{
    struct mesh_tree down;
    size_t far = 0;

    note_list(w, i->product->readers, i->product->readers_n, i,
              "reads and loses its input from");
    mesh_lineage(i, false, w->a, &down);
    for (size_t k = 0; k < down.n; k++)
        far += down.v[k].depth > 1;
    if (far)
        mesh_plan_note(w->p, MESH_INFO, "%zu product%s further downstream", far,
                       far == 1 ? "" : "s");
}

static void
note_item(struct work *w, const struct mesh_item *i)
{
    note_usages(w, i);
    note_state(w, i);
    note_shared(w, i);
    if (i->domain)
        note_list(w, i->domain->products, i->domain->products_n, i,
                  "stays and loses its domain");
    if (i->contract)
        note_list(w, i->contract->users, i->contract->users_n, i,
                  "loses its contract");
}

static void
restamp(struct work *w, unsigned stamp)
{
    w->going = stamp;
    for (size_t k = 0; k < w->all.n; k++)
        item_at(&w->all, k)->stamp = stamp;
}

void
mesh_plan_delete(const struct mesh *m, const struct mesh_item *const *items,
                 size_t n, const struct mesh_delete_options *o, struct arena *a,
                 struct mesh_plan *out)
{
    static const struct mesh_delete_options none;
    struct mesh *writable = (struct mesh *)m; /* for its count of walks */
    struct work w = {.p = out, .a = a, .o = o ? o : &none};

    mesh_plan_init(out, a);
    w.now_s = clock_wall_ms(m->clock) / 1000;
    w.going = ++writable->stamp;
    for (size_t k = 0; k < n; k++) {
        struct item *i = (struct item *)items[k];

        take(&w, i, 0);
        for (size_t d = 0; w.o->with_products && d < i->products.n; d++)
            take(&w, item_at(&i->products, d), 0);
    }
    for (size_t k = 0; k < w.all.n; k++)
        note_item(&w, w.all.v[k]);
    /* A walk along the lineage takes the stamps away: put them back. */
    for (size_t k = 0; k < w.all.n; k++) {
        if (!w.all.v[k]->product)
            continue;
        restamp(&w, ++writable->stamp);
        note_downstream(&w, w.all.v[k]);
    }
    if (out->external_lost)
        mesh_plan_note(out, MESH_WARN,
                       "%zu external resource%s with all data "
                       "%s lost",
                       out->external_lost, out->external_lost == 1 ? "" : "s",
                       out->external_lost == 1 ? "is" : "are");
    items_release(&w.all);
}
