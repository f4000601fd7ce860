/* How a whole is, from its parts; and the tree as a list. */
#include "lib/base/mem.h"

#include "lib/mesh/graph.h"

/* ---- one walk for roll-ups and for lists ---- */

struct walk {
    struct mesh_rollup roll;
    unsigned stamp;
    /* When the tree is wanted as a list: */
    struct arena *a;
    struct mesh_node *v;
    size_t n, cap, seen;
};

static struct mesh_node *
add_node(struct walk *w, const struct mesh_item *item, unsigned depth)
{
    if (w->n == w->cap) {
        size_t cap = w->cap ? w->cap * 2 : 16;
        struct mesh_node *v = arena_array(w->a, cap, sizeof(*v));

        if (w->n)
            memcpy(v, w->v, w->n * sizeof(*v));
        w->v = v;
        w->cap = cap;
    }
    w->v[w->n] = (struct mesh_node){.item = item, .depth = depth};
    return &w->v[w->n++];
}

static char
worse_status(char a, char b)
{
    static const char order[] = "TUF";
    const char *at = a ? strchr(order, a) : NULL;
    const char *bt = b ? strchr(order, b) : NULL;

    return !bt || (at && at >= bt) ? a : b;
}

/* Of an object whose kind cannot be looked at its parent's word is all there
 * is. */
static bool
counts_as_ready(const struct mesh_item *parent, const struct mesh_item *i)
{
    if (i->present)
        return i->health <= MESH_OK;
    return !mesh_is_missing(i) && i->kind->watch != MESH_SYNCING &&
           parent->ready == 'T';
}

/* What a part means for the whole: a part that goes is not there yet or not
 * any more. */
static enum mesh_health
part_health(const struct mesh_item *i)
{
    if (!i->present)
        return mesh_is_missing(i) ? MESH_MISSING : MESH_NONE;
    return i->health == MESH_DELETING ? MESH_WAIT : i->health;
}

static void
count_part(struct mesh_rollup *r, const struct mesh_item *parent,
           const struct mesh_item *i)
{
    r->total++;
    r->ready += counts_as_ready(parent, i);
    r->health = MAX(r->health, part_health(i));
    r->synced = worse_status(r->synced, i->synced);
    r->changed_s = MAX(r->changed_s, i->changed_s);
    r->cut = r->cut || i->refs_cut;
}

static void
walk_children(struct walk *w, struct item *parent, unsigned depth)
{
    for (size_t k = 0; k < parent->children.n; k++) {
        struct item *i = item_at(&parent->children, k);
        bool again = i->stamp == w->stamp;
        struct mesh_node *node = NULL;

        if (depth > MESH_DEPTH_MAX || w->seen++ >= MESH_TREE_MAX) {
            w->roll.cut = true;
            return;
        }
        if (w->a) {
            node = add_node(w, &i->pub, depth);
            node->again = again;
            node->last = k + 1 == parent->children.n;
        }
        if (again) {
            w->roll.cycle = true;
            continue;
        }
        i->stamp = w->stamp;
        count_part(&w->roll, &parent->pub, &i->pub);
        walk_children(w, i, depth + 1);
    }
}

/* The stamp lives in the items, so a walk needs the root to be writable. */
static void
walk_from(struct walk *w, struct item *root)
{
    w->stamp = ++*root->walks;
    w->roll = (struct mesh_rollup){
        .health = root->pub.health,
        .synced = root->pub.synced,
        .changed_s = root->pub.changed_s,
        .cut = root->pub.refs_cut,
    };
    root->stamp = w->stamp;
    walk_children(w, root, 1);
    if (root->pub.health == MESH_DELETING)
        w->roll.health = MESH_DELETING;
}

/* ---- roots ---- */

bool
rollup_has_fault(const struct item *i)
{
    const struct mesh_product *p = i->product;

    if (!p)
        return false;
    for (size_t k = 0; k < p->ports_n; k++) {
        if (mesh_port_fault(i->ports[k].state) &&
            (!i->ports[k].input || i->ports[k].required))
            return true;
    }
    return i->domain_missing;
}

void
rollup_count(struct item *product, int sign)
{
    struct item *d = (struct item *)product->product->domain;

    if (!d || !d->domain)
        return;
    if (sign > 0)
        product->counted = product->pub.roll.health;
    d->domain->by_health[product->counted] += (size_t)sign;
}

void
rollup_refresh(struct mesh *m, struct item *root)
{
    struct walk w = {0};

    if (!root->pub.present) {
        root->pub.roll = (struct mesh_rollup){.health = MESH_MISSING};
        return;
    }
    if (root->product)
        rollup_count(root, -1);
    walk_from(&w, root);
    if (rollup_has_fault(root) && w.roll.health != MESH_DELETING)
        w.roll.health = MESH_FAIL;
    root->pub.roll = w.roll;
    if (root->product) {
        rollup_count(root, 1);
        struct item *d = (struct item *)root->product->domain;

        if (d)
            d->pub.changed = m->generation;
    }
}

enum mesh_health
mesh_item_health(const struct mesh_item *i)
{
    enum mesh_health worst = i->health;

    if (i->present && i->kind->role != MESH_ROLE_OTHER)
        worst = i->roll.health;
    for (int h = MESH_HEALTHS - 1; i->domain && h > (int)worst; h--) {
        if (i->domain->by_health[h])
            return (enum mesh_health)h;
    }
    return worst;
}

/* ---- reading ---- */

void
mesh_tree(const struct mesh_item *root, struct arena *a, struct mesh_tree *out)
{
    struct walk w = {.a = a};

    add_node(&w, root, 0)->last = true;
    walk_from(&w, (struct item *)root);
    *out = (struct mesh_tree){.v = w.v, .n = w.n, .roll = w.roll};
}

bool
mesh_is_missing(const struct mesh_item *i)
{
    return !i->present && i->kind->watch == MESH_SYNCED;
}

const char *
mesh_item_note(const struct mesh_item *i)
{
    static const char *const absent[] = {
        [MESH_UNWATCHED] = "not looked at",
        [MESH_SYNCING] = "loading",
        [MESH_SYNCED] = "missing",
        [MESH_REFUSED] = "cannot be read",
    };

    if (!i->present)
        return absent[i->kind->watch];
    if (i->health == MESH_DELETING)
        return "Deleting";
    if (i->health == MESH_PAUSED)
        return "Paused";
    for (size_t k = 0; k < i->problems_n; k++) {
        if (i->problems[k].fault && *i->problems[k].reason)
            return i->problems[k].reason;
    }
    for (size_t k = 0; i->health == MESH_WAIT && k < i->problems_n; k++) {
        if (*i->problems[k].reason)
            return i->problems[k].reason;
    }
    if (i->health == MESH_WAIT)
        return "no conditions yet";
    return i->health == MESH_OK ? "Ready" : "";
}

/* ---- lineage ---- */

static void
visit(struct walk *w, const struct mesh_item *to, unsigned depth)
{
    struct item *i = (struct item *)to;

    if (i->stamp == w->stamp || w->n >= MESH_TREE_MAX)
        return;
    i->stamp = w->stamp;
    add_node(w, to, depth);
}

void
mesh_lineage(const struct mesh_item *root, bool upstream, struct arena *a,
             struct mesh_tree *out)
{
    struct walk w = {.a = a};
    struct item *first = (struct item *)root;

    w.stamp = ++*first->walks;
    first->stamp = w.stamp;
    for (size_t at = 0; at == 0 || at <= w.n; at++) {
        struct item *i = at ? (struct item *)w.v[at - 1].item : first;
        unsigned depth = at ? w.v[at - 1].depth + 1 : 1;

        for (size_t k = 0; !upstream && k < i->readers.n; k++)
            visit(&w, i->readers.v[k], depth);
        for (size_t k = 0; upstream && i->product && k < i->product->inputs_n;
             k++) {
            if (i->ports[k].peer)
                visit(&w, i->ports[k].peer, depth);
        }
    }
    *out = (struct mesh_tree){.v = w.v, .n = w.n};
}
