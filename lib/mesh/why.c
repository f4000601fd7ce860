#include "lib/mesh/why.h"

#include <stdlib.h>
#include <strings.h>

#include "lib/mesh/graph.h"

/*
 * One pass turns items into causes, the other merges: a cause is found again
 * by a key made of what it is about and of its message without names. For one
 * object the first pass goes over its tree and a second one over all that is
 * sick, which only adds to causes that are there already; for the overview
 * there is only the pass over the sick.
 */

#define CAUSES_MAX 1000
#define STUCK_S    60
#define WAITING_S  600

/* A cause that grows; cause.items and cause.hits point into the lists. */
struct growing {
    struct mesh_cause cause;
    struct items items, hits;
    struct growing *next;
};

struct search {
    const struct mesh *m;
    struct arena *a;
    struct map by_key; /* -> struct growing */
    struct map hit;    /* (cause, list, item) */
    struct growing *first, **last;
    size_t n, more;
    bool only_known; /* do not start new causes */
    bool upstream;   /* an input that is not well counts */
    const struct mesh_item *root;
    int64_t now_s;
};

/* What is about to be told. */
struct finding {
    enum mesh_cause_kind kind;
    enum mesh_health health;
    const struct mesh_item *item;
    const struct mesh_problem *problem;
    const struct mesh_port *port;
    int64_t since_s;
};

/* ---- keys ---- */

static bool
is_word(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool
takes(struct str *rest, const char *name)
{
    struct str word = str_of(name);

    if (word.n < 3 || !str_starts(*rest, word))
        return false;
    *rest = str_from(*rest, word.n);
    return true;
}

/* The message without what differs between two objects with one trouble. */
static void
add_plain(struct buf *out, const struct mesh_item *i, const char *message)
{
    struct str rest = str_of(message);

    while (rest.n) {
        size_t run = 0, digits = 0;

        if (takes(&rest, i->name) || takes(&rest, i->external_name) ||
            takes(&rest, i->uid) ||
            (i->parents_n && takes(&rest, i->parents[0]->name))) {
            buf_putc(out, '*');
            continue;
        }
        for (; run < rest.n && is_word(rest.s[run]); run++)
            digits += rest.s[run] <= '9';
        if (run >= 6 && digits) {
            buf_putc(out, '#');
            rest = str_from(rest, run);
            continue;
        }
        run = MAX(run, 1);
        buf_str(out, str_sub(rest, 0, run));
        rest = str_from(rest, run);
    }
}

static void
key_of(const struct finding *f, struct buf *out)
{
    buf_printf(out, "%d|%d|%s/%s|", f->kind, f->health, f->item->kind->group,
               f->item->kind->kind);
    if (f->problem) {
        buf_printf(out, "%s|%s|", f->problem->type, f->problem->reason);
        add_plain(out, f->item, f->problem->message);
    } else if (f->port && f->port->peer) {
        buf_printf(out, "%d|%s/%s|%s", f->port->state, f->port->peer->ns,
                   f->port->peer->name, f->port->peer_port);
    } else {
        buf_printf(out, "%s/%s", f->item->ns, f->item->name);
    }
}

/* ---- merging ---- */

static bool
first_time(struct search *s, const struct growing *g, const void *list,
           const struct item *i)
{
    const void *pair[3] = {g, list, i};
    struct str key = str_n((const char *)pair, sizeof(pair));

    if (map_has(&s->hit, key))
        return false;
    map_put(&s->hit, key, NULL);
    return true;
}

static void
add_hit(struct search *s, struct growing *g, struct item *i, unsigned depth)
{
    enum mesh_role role = i->pub.kind->role;

    if (!first_time(s, g, &g->hits, i) || depth > MESH_DEPTH_MAX)
        return;
    if (i->pub.present &&
        (role == MESH_ROLE_PRODUCT || role == MESH_ROLE_DOMAIN))
        items_add(&g->hits, i);
    for (size_t k = 0; k < i->parents.n; k++)
        add_hit(s, g, item_at(&i->parents, k), depth + 1);
}

static struct growing *
growing_of(struct search *s, const struct finding *f)
{
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);

    key_of(f, &key);
    struct growing *g = map_get(&s->by_key, buf_view(&key));

    if (g || s->only_known)
        return g;
    if (s->n == CAUSES_MAX) {
        s->more++;
        return NULL;
    }
    g = arena_alloc(s->a, sizeof(*g));
    g->cause = (struct mesh_cause){.kind = f->kind,
                                   .health = f->health,
                                   .item = f->item,
                                   .problem = f->problem,
                                   .port = f->port,
                                   .since_s = f->since_s};
    map_put(&s->by_key, buf_view(&key), g);
    *s->last = g;
    s->last = &g->next;
    s->n++;
    return g;
}

static void
tell(struct search *s, struct finding f)
{
    struct growing *g = growing_of(s, &f);

    if (!g)
        return;
    if (first_time(s, g, &g->items, (const struct item *)f.item))
        items_add(&g->items, (struct item *)f.item);
    if (f.since_s && (!g->cause.since_s || f.since_s < g->cause.since_s))
        g->cause.since_s = f.since_s;
    add_hit(s, g, (struct item *)f.item, 0);
}

/* ---- what one item tells ---- */

static bool
has_child(const struct mesh_item *i, enum mesh_health at_least)
{
    for (size_t k = 0; k < i->children_n; k++) {
        const struct mesh_item *c = i->children[k];

        if (c->present ? c->health >= at_least : mesh_is_missing(c))
            return true;
    }
    return false;
}

static bool
has_faulty_port(const struct mesh_item *i, bool input)
{
    for (size_t k = 0; i->product && k < i->product->ports_n; k++) {
        if (i->product->ports[k].input == input &&
            mesh_port_fault(i->product->ports[k].state))
            return true;
    }
    return false;
}

/* A fault that repeats what a child, a port or the domain says itself. */
static bool
is_symptom(const struct mesh_item *i, const struct mesh_problem *p)
{
    if (strcmp(p->type, "InputsResolved") == 0)
        return has_faulty_port(i, true);
    if (strcmp(p->type, "ContractsValid") == 0)
        return has_faulty_port(i, false);
    if (strcmp(p->type, "DomainResolved") == 0)
        return i->product && !i->product->domain;
    if (strcmp(p->type, "Synced") == 0 &&
        strncmp(p->message, "Unsynced resources", 18) != 0)
        return false;
    return has_child(i, MESH_FAIL);
}

static void
tell_conditions(struct search *s, const struct mesh_item *i)
{
    for (size_t k = 0; k < i->problems_n; k++) {
        const struct mesh_problem *p = &i->problems[k];
        struct finding f = {.kind = MESH_CAUSE_CONDITION,
                            .health = MESH_FAIL,
                            .item = i,
                            .problem = p,
                            .since_s = p->since_s};

        if (strcmp(p->type, "PolicyCompliant") == 0) {
            f.kind = MESH_CAUSE_POLICY;
            f.health = MESH_WAIT;
        } else if (!p->fault || is_symptom(i, p)) {
            continue;
        }
        tell(s, f);
    }
}

/* The main condition of something that waits, or NULL. */
static const struct mesh_problem *
main_problem(const struct mesh_item *i)
{
    for (size_t k = 0; k < i->problems_n; k++) {
        const char *type = i->problems[k].type;

        if (strcmp(type, "Ready") == 0 || strcmp(type, "Available") == 0 ||
            strcmp(type, "Healthy") == 0)
            return &i->problems[k];
    }
    return i->problems_n ? &i->problems[0] : NULL;
}

static void
tell_waiting(struct search *s, const struct mesh_item *i)
{
    const struct mesh_problem *p = main_problem(i);
    int64_t since = p && p->since_s ? p->since_s : i->created_s;
    bool long_ago = since && s->now_s - since > WAITING_S;

    /* Everything that has just been made waits: no news for the overview. */
    if (has_child(i, MESH_WAIT) || (!s->root && !long_ago))
        return;
    tell(s, (struct finding){.kind = long_ago ? MESH_CAUSE_WAITING
                                              : MESH_CAUSE_CONDITION,
                             .health = MESH_WAIT,
                             .item = i,
                             .problem = p,
                             .since_s = since});
}

/* While its parent is being made it is only not there yet. */
static void
tell_missing(struct search *s, const struct mesh_item *i)
{
    const struct mesh_item *parent = i->parents[0];
    bool gone = parent->ready == 'T';
    bool long_ago = s->now_s - parent->changed_s > WAITING_S;

    if (!gone && !long_ago && !s->root)
        return;
    tell(s, (struct finding){.kind = MESH_CAUSE_MISSING,
                             .health = gone ? MESH_MISSING : MESH_WAIT,
                             .item = i});
}

static void
tell_deleting(struct search *s, const struct mesh_item *i)
{
    if (s->now_s - i->deleted_s <= STUCK_S)
        return;
    tell(s, (struct finding){.kind = MESH_CAUSE_STUCK,
                             .health = MESH_FAIL,
                             .item = i,
                             .since_s = i->deleted_s});
}

static void
tell_port(struct search *s, const struct mesh_item *i,
          const struct mesh_port *p)
{
    struct finding f = {.health = MESH_FAIL, .item = i, .port = p};

    if (mesh_port_fault(p->state)) {
        f.kind = p->input ? MESH_CAUSE_INPUT : MESH_CAUSE_CONTRACT;
        if (p->input && !p->required)
            f.health = MESH_WAIT;
    } else if (p->state == MESH_PORT_NO_CONTRACT &&
               strcmp(i->product->status, "active") == 0) {
        f.kind = MESH_CAUSE_NO_CONTRACT;
        f.health = MESH_WAIT;
    } else if (s->upstream && p->input && p->peer && p->peer->present &&
               mesh_item_health(p->peer) == MESH_FAIL) {
        f.kind = MESH_CAUSE_UPSTREAM;
        f.health = MESH_WAIT;
    } else {
        return;
    }
    tell(s, f);
}

static void
tell_product(struct search *s, const struct mesh_item *i)
{
    if (((const struct item *)i)->domain_missing)
        tell(s, (struct finding){.kind = MESH_CAUSE_NO_DOMAIN,
                                 .health = MESH_FAIL,
                                 .item = i});
    for (size_t k = 0; k < i->product->ports_n; k++)
        tell_port(s, i, &i->product->ports[k]);
}

static void
tell_item(struct search *s, const struct mesh_item *i)
{
    if (!i->present) {
        if (mesh_is_missing(i) && i->parents_n)
            tell_missing(s, i);
        return;
    }
    if (i->health == MESH_DELETING) {
        tell_deleting(s, i);
        return;
    }
    if (i->health == MESH_PAUSED)
        tell(s, (struct finding){.kind = MESH_CAUSE_PAUSED,
                                 .health = MESH_PAUSED,
                                 .item = i});
    else
        tell_conditions(s, i);
    if (i->health == MESH_WAIT)
        tell_waiting(s, i);
    if (i->product)
        tell_product(s, i);
    if (i->domain && !*i->domain->owner)
        tell(s, (struct finding){.kind = MESH_CAUSE_NO_OWNER,
                                 .health = MESH_WAIT,
                                 .item = i});
}

/* ---- the answer ---- */

static void
set_blocks(struct search *s, struct mesh_cause *c)
{
    const struct mesh_item **v = arena_array(s->a, MESH_DEPTH_MAX, sizeof(*v));
    const struct mesh_item *i = c->item;

    while (i != s->root && i->parents_n && c->blocks_n < MESH_DEPTH_MAX) {
        i = i->parents[0];
        v[c->blocks_n++] = i;
    }
    c->blocks = v;
}

static const struct mesh_item *const *
keep(struct search *s, const struct items *l)
{
    const struct mesh_item **v = arena_array(s->a, l->n, sizeof(*v));

    if (l->n)
        memcpy(v, l->v, l->n * sizeof(*v));
    return v;
}

static int
compare(const void *x, const void *y)
{
    const struct mesh_cause *a = x, *b = y;

    if (a->health != b->health)
        return b->health > a->health ? 1 : -1;
    if (a->hits_n != b->hits_n)
        return b->hits_n > a->hits_n ? 1 : -1;
    if (a->blocks_n != b->blocks_n)
        return b->blocks_n > a->blocks_n ? 1 : -1;
    return strcmp(a->text, b->text);
}

static void
search_init(struct search *s, const struct mesh *m, struct arena *a)
{
    *s = (struct search){.m = m, .a = a};
    s->last = &s->first;
    s->now_s = clock_wall_ms(m->clock) / 1000;
}

static void
finish(struct search *s, struct mesh_causes *out)
{
    *out = (struct mesh_causes){.n = s->n, .more = s->more};
    out->v = arena_array(s->a, s->n, sizeof(*out->v));
    size_t n = 0;

    for (struct growing *g = s->first; g; g = g->next) {
        struct mesh_cause *c = &out->v[n++];

        *c = g->cause;
        c->items = keep(s, &g->items);
        c->items_n = g->items.n;
        c->hits = keep(s, &g->hits);
        c->hits_n = g->hits.n;
        set_blocks(s, c);
        cause_words(c, s->root && !s->root->domain, s->now_s, s->a);
        items_release(&g->items);
        items_release(&g->hits);
    }
    if (n)
        qsort(out->v, n, sizeof(*out->v), compare);
    map_release(&s->by_key, NULL);
    map_release(&s->hit, NULL);
}

static void
tell_tree(struct search *s, const struct mesh_item *root)
{
    struct mesh_tree tree;

    mesh_tree(root, s->a, &tree);
    for (size_t k = 0; k < tree.n; k++) {
        if (!tree.v[k].again)
            tell_item(s, tree.v[k].item);
    }
}

static void
tell_sick(struct search *s)
{
    for (size_t k = 0; k < s->m->sick.n; k++)
        tell_item(s, s->m->sick.v[k]);
}

void
mesh_why(const struct mesh *m, const struct mesh_item *root, struct arena *a,
         struct mesh_causes *out)
{
    struct search s;

    search_init(&s, m, a);
    s.root = root;
    s.upstream = true;
    tell_tree(&s, root);
    for (size_t k = 0; root->domain && k < root->domain->products_n; k++)
        tell_tree(&s, root->domain->products[k]);
    s.only_known = true;
    tell_sick(&s);
    finish(&s, out);
}

void
mesh_attention(const struct mesh *m, struct arena *a, struct mesh_causes *out)
{
    struct search s;

    search_init(&s, m, a);
    tell_sick(&s);
    finish(&s, out);
}
