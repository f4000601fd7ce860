/* The edges between objects: composed, reads, contract, domain, usage. */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/mesh/graph.h"

#define MESH_API MESH_GROUP "/v1alpha1"

static const char *const port_words[] = {
    [MESH_PORT_OK] = "",
    [MESH_PORT_EXTERNAL] = "external",
    [MESH_PORT_LOADING] = "not known yet",
    [MESH_PORT_PRODUCT_MISSING] = "product not found",
    [MESH_PORT_PORT_MISSING] = "no such port",
    [MESH_PORT_VERSION] = "version does not fit",
    [MESH_PORT_RETIRED] = "product is retired",
    [MESH_PORT_CONTRACT_MISSING] = "contract not found",
    [MESH_PORT_CONTRACT_VERSION] = "contract says otherwise",
    [MESH_PORT_NO_CONTRACT] = "no contract",
};

const char *
mesh_port_word(enum mesh_port_state s)
{
    return (size_t)s < ARRAY_LEN(port_words) ? port_words[s] : "?";
}

bool
mesh_port_fault(enum mesh_port_state s)
{
    return s >= MESH_PORT_PRODUCT_MISSING && s != MESH_PORT_NO_CONTRACT;
}

/* ---- buckets: a word -> the items that say it ---- */

static void
bucket_add(struct map *m, const char *word, struct item *i)
{
    struct items *b = map_get(m, str_of(word));

    if (!b) {
        b = mem_zalloc(1, sizeof(*b));
        map_put(m, str_of(word), b);
    }
    items_add(b, i);
}

static void
bucket_del(struct map *m, const char *word, struct item *i)
{
    struct items *b = map_get(m, str_of(word));

    if (!b)
        return;
    items_del(b, i);
    if (!b->n) {
        map_del(m, str_of(word));
        items_release(b);
        free(b);
    }
}

/* ---- composed ---- */

static void
want(struct mesh *m, struct item *i)
{
    if (i->pub.present || i->wanted || i->pub.kind->watch != MESH_SYNCED)
        return;
    i->wanted = true;
    items_add(&m->wanted, i);
}

static void
link_child(struct mesh *m, struct item *i, const struct json *ref)
{
    const char *ns = json_get_string(ref, "namespace");
    struct mesh_kind *k = graph_kind(m, json_get_string(ref, "apiVersion"),
                                     json_get_string(ref, "kind"));
    struct item *child = graph_item(m, k, ns ? ns : i->pub.ns,
                                    json_get_string(ref, "name"), true);

    if (!child || child->stamp == m->stamp)
        return;
    child->stamp = m->stamp;
    if (!k->referred++ && k->watch == MESH_UNWATCHED)
        m->kinds_generation++;
    items_add(&i->children, child);
    items_add(&child->parents, i);
    graph_publish(child);
    graph_sick(m, child);
    want(m, child);
}

static void
link_refs(struct mesh *m, struct item *i, const struct json *list)
{
    if (!json_is(list, JSON_ARRAY))
        return;
    for (struct json *r = json_first(list); r; r = json_next(r)) {
        if (i->children.n == MESH_REFS_MAX) {
            i->pub.refs_cut = true;
            return;
        }
        link_child(m, i, r);
    }
}

static void
link_children(struct mesh *m, struct item *i, const struct json *spec)
{
    m->stamp++;
    link_refs(m, i, json_at(spec, "crossplane", "resourceRefs", NULL));
    link_refs(m, i, json_get(spec, "resourceRefs"));
    if (json_is(json_get(spec, "resourceRef"), JSON_OBJECT))
        link_child(m, i, json_get(spec, "resourceRef"));
}

/* An item that nobody refers to any more and that is not there goes; one that
 * is there has one parent less. */
static void
let_go(struct mesh *m, struct item *i)
{
    graph_publish(i);
    if (!i->pub.present && i->parents.n + i->readers.n + i->users.n == 0)
        graph_drop_unheld(m, i);
    else
        graph_sick(m, i);
}

static void
unlink_children(struct mesh *m, struct item *i)
{
    for (size_t k = 0; k < i->children.n; k++) {
        struct item *child = item_at(&i->children, k);

        child->pub.kind->referred--;
        items_del(&child->parents, i);
        if (child != i)
            let_go(m, child);
    }
    i->children.n = 0;
}

/* ---- ports ---- */

static void
link_ports(struct mesh *m, struct item *i)
{
    struct mesh_kind *product = graph_kind(m, MESH_API, "DataProduct");
    struct mesh_kind *contract = graph_kind(m, MESH_API, "DataContract");

    for (size_t k = 0; k < i->product->ports_n; k++) {
        const struct port_ref *ref = &i->port_refs[k];
        bool input = i->ports[k].input;
        struct item *peer =
            graph_item(m, input ? product : contract, ref->ns, ref->name, true);

        if (!peer)
            continue;
        struct items *back = input ? &peer->readers : &peer->users;

        i->ports[k].peer = &peer->pub;
        if (!items_has(back, i))
            items_add(back, i);
        graph_publish(peer);
        want(m, peer);
    }
    relations_judge(i);
}

static void
unlink_ports(struct mesh *m, struct item *i)
{
    for (size_t k = 0; i->product && k < i->product->ports_n; k++) {
        struct item *peer = (struct item *)i->ports[k].peer;
        bool again = false;

        if (!peer)
            continue;
        i->ports[k].peer = NULL;
        for (size_t later = k + 1; later < i->product->ports_n; later++)
            again = again || i->ports[later].peer == &peer->pub;
        if (again)
            continue;
        items_del(i->ports[k].input ? &peer->readers : &peer->users, i);
        if (peer != i)
            let_go(m, peer);
    }
}

/* major.minor.patch; what does not look like it counts as 0. */
static void
read_version(const char *z, uint64_t out[3])
{
    struct str rest = str_of(z), part;

    for (unsigned i = 0; i < 3; i++) {
        out[i] = 0;
        if (!str_next(&rest, '.', &part))
            continue;
        str_cut(part, '-', &part, &(struct str){0});
        str_to_u64(part, &out[i]);
    }
}

/* Same major, and not below. */
static bool
version_fits(const char *have, const char *least)
{
    uint64_t a[3], b[3];

    if (!*least)
        return true;
    read_version(have, a);
    read_version(least, b);
    if (a[0] != b[0] || a[1] != b[1])
        return a[0] == b[0] && a[1] > b[1];
    return a[2] >= b[2];
}

static enum mesh_port_state
absent(const struct mesh_item *peer, enum mesh_port_state missing)
{
    return mesh_is_missing(peer) ? missing : MESH_PORT_LOADING;
}

static enum mesh_port_state
judge_input(const struct mesh_port *p)
{
    const struct mesh_product *up = p->peer ? p->peer->product : NULL;
    bool found = false, fits = false;

    if (!p->peer)
        return MESH_PORT_EXTERNAL;
    if (!up)
        return absent(p->peer, MESH_PORT_PRODUCT_MISSING);
    for (size_t k = up->inputs_n; k < up->ports_n; k++) {
        const struct mesh_port *o = &up->ports[k];

        if (strcmp(o->name, p->peer_port) != 0)
            continue;
        found = true;
        fits = fits || version_fits(o->version, p->version);
    }
    if (!found)
        return MESH_PORT_PORT_MISSING;
    if (strcmp(up->status, "retired") == 0)
        return MESH_PORT_RETIRED;
    return fits ? MESH_PORT_OK : MESH_PORT_VERSION;
}

static enum mesh_port_state
judge_output(const struct mesh_port *p)
{
    const struct mesh_contract *c = p->peer ? p->peer->contract : NULL;

    if (!p->peer)
        return *p->contract ? MESH_PORT_OK : MESH_PORT_NO_CONTRACT;
    if (!c)
        return absent(p->peer, MESH_PORT_CONTRACT_MISSING);
    if (strcmp(c->version, p->version) != 0 ||
        strcmp(c->status, "retired") == 0)
        return MESH_PORT_CONTRACT_VERSION;
    return MESH_PORT_OK;
}

void
relations_judge(struct item *i)
{
    for (size_t k = 0; i->product && k < i->product->ports_n; k++) {
        struct mesh_port *p = &i->ports[k];

        p->state = p->input ? judge_input(p) : judge_output(p);
    }
}

/* ---- domains ---- */

static struct item *
find_domain(struct mesh *m, const struct item *i, bool *ambiguous)
{
    struct mesh_kind *k = graph_kind(m, MESH_API, "DataDomain");
    const struct mesh_product *p = i->product;
    const char *ns = *p->domain_ns ? p->domain_ns : i->pub.ns;
    struct item *d = graph_item(m, k, ns, p->domain_ref, false);
    const struct items *labelled = map_get(&m->by_label, str_of(p->domain_ref));

    *ambiguous = false;
    if (d && d->pub.present)
        return d;
    if (!labelled || !*p->domain_ref)
        return NULL;
    *ambiguous = labelled->n > 1;
    return labelled->n == 1 ? item_at(labelled, 0) : NULL;
}

static void
move_to_domain(struct item *i, struct item *to)
{
    struct item *from = (struct item *)i->product->domain;

    if (from == to)
        return;
    rollup_count(i, -1);
    if (from) {
        items_del(&from->products, i);
        graph_publish(from);
    }
    i->product->domain = to ? &to->pub : NULL;
    if (to) {
        items_add(&to->products, i);
        graph_publish(to);
    }
    rollup_count(i, 1);
}

void
relations_domain(struct mesh *m, struct item *i)
{
    if (!i->product)
        return;
    struct item *d = find_domain(m, i, &i->product->domain_ambiguous);

    move_to_domain(i, d);
    i->domain_missing =
        !d && graph_kind(m, MESH_API, "DataDomain")->watch == MESH_SYNCED;
}

/* ---- usages ---- */

static void
link_usage(struct mesh *m, struct item *i, const struct json *spec)
{
    const struct json *of = json_get(spec, "of");
    const struct json *ref = json_get(of, "resourceRef");
    const char *ns = json_get_string(ref, "namespace");
    struct mesh_kind *k = graph_kind(m, json_get_string(of, "apiVersion"),
                                     json_get_string(of, "kind"));
    struct item *used = graph_item(m, k, ns ? ns : i->pub.ns,
                                   json_get_string(ref, "name"), true);

    i->usage_of = used;
    if (!used)
        return;
    items_add(&used->usages, i);
    graph_publish(used);
}

/* ---- all of one object ---- */

void
relations_link(struct mesh *m, struct item *i, const struct json *object)
{
    const struct json *spec = json_get(object, "spec");

    link_children(m, i, spec);
    if (i->pub.kind->role == MESH_ROLE_USAGE)
        link_usage(m, i, spec);
    if (i->domain && *i->domain->label)
        bucket_add(&m->by_label, i->domain->label, i);
    if (i->product) {
        bucket_add(&m->by_ref, i->product->domain_ref, i);
        link_ports(m, i);
        relations_domain(m, i);
    }
    graph_publish(i);
}

void
relations_unlink(struct mesh *m, struct item *i)
{
    unlink_children(m, i);
    if (i->usage_of) {
        items_del(&i->usage_of->usages, i);
        if (i->usage_of != i)
            let_go(m, i->usage_of);
        i->usage_of = NULL;
    }
    if (i->domain && *i->domain->label)
        bucket_del(&m->by_label, i->domain->label, i);
    if (i->product) {
        bucket_del(&m->by_ref, i->product->domain_ref, i);
        move_to_domain(i, NULL);
        unlink_ports(m, i);
    }
    graph_publish(i);
}

static void
find_again(struct mesh *m, const struct items *products)
{
    struct items copy = {0};

    for (size_t k = 0; products && k < products->n; k++)
        items_add(&copy, item_at(products, k));
    for (size_t k = 0; k < copy.n; k++) {
        relations_domain(m, item_at(&copy, k));
        graph_changed(m, item_at(&copy, k));
    }
    items_release(&copy);
}

static void
judge_again(struct mesh *m, const struct items *products)
{
    for (size_t k = 0; k < products->n; k++) {
        relations_judge(item_at(products, k));
        graph_changed(m, item_at(products, k));
    }
}

void
relations_notify(struct mesh *m, struct item *i)
{
    judge_again(m, &i->readers);
    judge_again(m, &i->users);
    if (i->pub.kind->role != MESH_ROLE_DOMAIN)
        return;
    find_again(m, &i->products);
    find_again(m, map_get(&m->by_ref, str_of(i->pub.name)));
    if (i->domain && *i->domain->label)
        find_again(m, map_get(&m->by_ref, str_of(i->domain->label)));
}
