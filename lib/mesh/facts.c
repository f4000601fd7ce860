/* What one object says about itself; whatever has the wrong type is absent. */
#include "lib/base/digest.h"

#include "lib/mesh/graph.h"

#define TEXT_MAX     ((size_t)512)
#define MESSAGE_MAX  ((size_t)2048)
#define PROBLEMS_MAX 16
#define LIST_MAX     64

static const char *
text_at(struct pack *p, const struct json *object, const char *key)
{
    return pack_str(p, json_get_string(object, key), TEXT_MAX);
}

static int64_t
time_at(const struct json *object, const char *key)
{
    int64_t t;

    return clock_parse(str_of(json_get_string(object, key)), &t) ? t : 0;
}

/* The strings of an array as "a, b". */
static const char *
joined(struct pack *p, const struct json *array)
{
    AUTO(buf_release) struct buf b = BUF_INIT(TEXT_MAX);
    unsigned left = LIST_MAX;

    if (!json_is(array, JSON_ARRAY))
        return "";
    for (struct json *c = json_first(array); c && left--; c = json_next(c)) {
        if (json_string(c))
            buf_printf(&b, "%s%s", b.n ? ", " : "", json_string(c));
    }
    return pack_str(p, buf_cstr(&b), TEXT_MAX);
}

static bool
array_has(const struct json *array, const char *word)
{
    for (struct json *c = json_first(array); c; c = json_next(c)) {
        if (json_string(c) && strcmp(json_string(c), word) == 0)
            return true;
    }
    return false;
}

static const char *
controller_of(struct pack *p, const struct json *meta)
{
    const struct json *owners = json_get(meta, "ownerReferences");

    if (!json_is(owners, JSON_ARRAY))
        return "";
    for (struct json *o = json_first(owners); o; o = json_next(o)) {
        if (json_bool(json_get(o, "controller"), false))
            return text_at(p, o, "uid");
    }
    return "";
}

bool
facts_keeps_external(const struct json *spec)
{
    const struct json *policies = json_get(spec, "managementPolicies");
    const char *policy = json_get_string(spec, "deletionPolicy");

    if (policy && strcmp(policy, "Orphan") == 0)
        return true;
    return json_is(policies, JSON_ARRAY) && json_len(policies) &&
           !array_has(policies, "*") && !array_has(policies, "Delete");
}

static void
read_meta(struct item *i, const struct json *meta)
{
    const struct json *annotations = json_get(meta, "annotations");
    const char *in_use =
        json_get_string(json_get(meta, "labels"), "crossplane.io/in-use");
    struct mesh_item *o = &i->pub;

    o->uid = text_at(&i->pack, meta, "uid");
    o->created_s = time_at(meta, "creationTimestamp");
    o->deleted_s = time_at(meta, "deletionTimestamp");
    o->changed_s = MAX(o->created_s, o->deleted_s);
    o->generation = json_int64_or(json_get(meta, "generation"), 0);
    o->finalizers = joined(&i->pack, json_get(meta, "finalizers"));
    o->controller = controller_of(&i->pack, meta);
    o->resource_name = text_at(&i->pack, annotations,
                               "crossplane.io/composition-resource-name");
    o->external_name =
        text_at(&i->pack, annotations, "crossplane.io/external-name");
    o->in_use = in_use && strcmp(in_use, "true") == 0;
}

static void
read_condition(struct item *i, struct mesh_problem *problems,
               const struct json *c)
{
    const char *type = json_get_string(c, "type");
    const char *status = json_get_string(c, "status");
    int64_t since = time_at(c, "lastTransitionTime");
    struct mesh_item *o = &i->pub;

    if (!type || !mesh_status_letter(status))
        return;
    o->changed_s = MAX(o->changed_s, since);
    if (strcmp(type, "Ready") == 0 || strcmp(type, "Synced") == 0)
        o->observed = MAX(o->observed,
                          json_int64_or(json_get(c, "observedGeneration"), 0));
    if (!mesh_condition_bad(type, status) || o->problems_n == PROBLEMS_MAX)
        return;
    problems[o->problems_n++] = (struct mesh_problem){
        .type = pack_str(&i->pack, type, TEXT_MAX),
        .reason = text_at(&i->pack, c, "reason"),
        .message =
            pack_str(&i->pack, json_get_string(c, "message"), MESSAGE_MAX),
        .status = mesh_status_letter(status),
        .fault =
            mesh_condition_fault(type, status, json_get_string(c, "reason")),
        .since_s = since,
    };
}

static void
read_conditions(struct item *i, const struct json *list)
{
    struct mesh_problem found[PROBLEMS_MAX];

    if (!json_is(list, JSON_ARRAY))
        return;
    for (struct json *c = json_first(list); c; c = json_next(c))
        read_condition(i, found, c);
    size_t size = i->pub.problems_n * sizeof(*found);

    if (size)
        i->pub.problems = memcpy(pack_alloc(&i->pack, size), found, size);
}

/* ---- products ---- */

static const char *
datasets_of(struct pack *p, const struct json *spec)
{
    const struct json *sets = json_get(spec, "datasets");
    char letters[4] = "";
    size_t n = 0;

    if (json_bool(json_get(sets, "raw"), false))
        letters[n++] = 'r';
    if (json_bool(json_get(sets, "cleaned"), false))
        letters[n++] = 'c';
    if (json_bool(json_get(sets, "curated"), false))
        letters[n++] = 'C';
    return pack_str(p, letters, n);
}

static void
read_input(struct item *i, size_t at, const struct json *port)
{
    const struct json *from = json_get(port, "product");
    const char *system = json_get_string(json_get(port, "external"), "system");
    const char *ns = json_get_string(from, "namespace");
    struct mesh_port *p = &i->ports[at];

    p->input = true;
    p->required = json_bool(json_get(port, "required"), true);
    p->peer_port = text_at(&i->pack, from, "port");
    p->external = pack_str(&i->pack, system, TEXT_MAX);
    p->version = text_at(&i->pack, port, "minVersion");
    p->contract = text_at(&i->pack, port, "contractId");
    p->type = "";
    p->state = MESH_PORT_EXTERNAL;
    if (json_get_string(from, "name"))
        i->port_refs[at] =
            (struct port_ref){ns ? pack_str(&i->pack, ns, TEXT_MAX) : i->pub.ns,
                              text_at(&i->pack, from, "name")};
}

static void
read_output(struct item *i, size_t at, const struct json *port)
{
    const char *ref = json_get_string(port, "contractRef");
    const char *id = json_get_string(port, "contractId");
    const char *version = json_get_string(port, "version");
    struct mesh_port *p = &i->ports[at];

    p->peer_port = p->external = "";
    p->version = pack_str(&i->pack, version ? version : "1.0.0", TEXT_MAX);
    p->type = text_at(&i->pack, port, "type");
    p->contract = pack_str(&i->pack, ref ? ref : id, TEXT_MAX);
    p->state = ref || id ? MESH_PORT_OK : MESH_PORT_NO_CONTRACT;
    if (ref)
        i->port_refs[at] = (struct port_ref){i->pub.ns, p->contract};
}

static size_t
ports_in(const struct json *spec, const char *key)
{
    const struct json *list = json_get(spec, key);

    return json_is(list, JSON_ARRAY) ? MIN(json_len(list), MESH_PORTS_MAX) : 0;
}

static void
read_ports(struct item *i, const struct json *spec)
{
    size_t in = ports_in(spec, "inputPorts"), at = 0;
    size_t n = in + ports_in(spec, "outputPorts");
    struct json *c = json_first(json_get(spec, in ? "inputPorts" : ""));

    i->ports = pack_alloc(&i->pack, n * sizeof(*i->ports));
    i->port_refs = pack_alloc(&i->pack, n * sizeof(*i->port_refs));
    for (; at < in; at++, c = json_next(c)) {
        i->ports[at].name = text_at(&i->pack, c, "name");
        read_input(i, at, c);
    }
    c = json_first(json_get(spec, n > in ? "outputPorts" : ""));
    for (; at < n; at++, c = json_next(c)) {
        i->ports[at].name = text_at(&i->pack, c, "name");
        read_output(i, at, c);
    }
    i->product->ports = i->ports;
    i->product->ports_n = n;
    i->product->inputs_n = in;
}

static void
read_product(struct item *i, const struct json *object)
{
    const struct json *spec = json_get(object, "spec");
    const char *target = json_get_string(json_get(object, "status"), "target");
    struct pack *p = &i->pack;
    struct mesh_product *out = pack_alloc(p, sizeof(*out));

    out->title = text_at(p, spec, "name");
    out->domain_ref = text_at(p, spec, "dataDomainRef");
    out->domain_ns = text_at(p, spec, "dataDomainNamespace");
    out->owner = text_at(p, spec, "owner");
    out->version = text_at(p, spec, "version");
    out->status = text_at(p, spec, "status");
    out->classification = text_at(p, spec, "classification");
    out->description = text_at(p, spec, "description");
    out->target =
        target ? pack_str(p, target, TEXT_MAX) : text_at(p, spec, "target");
    out->pii = json_bool(json_get(spec, "pii"), false);
    out->datasets = datasets_of(p, spec);
    i->product = out;
    i->pub.product = out;
    read_ports(i, spec);
}

static void
read_domain(struct item *i, const struct json *object)
{
    const struct json *spec = json_get(object, "spec");
    struct mesh_domain *out = pack_alloc(&i->pack, sizeof(*out));

    /* The products counted so far stay counted. */
    if (i->domain)
        memcpy(out->by_health, i->domain->by_health, sizeof(out->by_health));
    out->title = text_at(&i->pack, spec, "displayName");
    out->owner = text_at(&i->pack, spec, "owner");
    out->type = text_at(&i->pack, spec, "type");
    out->description = text_at(&i->pack, spec, "description");
    out->label = text_at(&i->pack, json_at(object, "metadata", "labels", NULL),
                         "meshifi.io/data-domain");
    i->domain = out;
    i->pub.domain = out;
}

static void
read_contract(struct item *i, const struct json *spec)
{
    struct mesh_contract *out = pack_alloc(&i->pack, sizeof(*out));

    out->product_ref = text_at(&i->pack, spec, "productRef");
    out->port = text_at(&i->pack, spec, "port");
    out->version = text_at(&i->pack, spec, "version");
    out->status = text_at(&i->pack, spec, "status");
    i->contract = out;
    i->pub.contract = out;
}

/* What other objects judge this one by. */
static uint32_t
offer_of(const struct item *i)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    if (i->contract)
        buf_printf(&b, "%s|%s", i->contract->version, i->contract->status);
    if (i->domain)
        buf_puts(&b, i->domain->label);
    if (i->product)
        buf_puts(&b, i->product->status);
    for (size_t k = 0; i->product && k < i->product->ports_n; k++) {
        if (!i->ports[k].input)
            buf_printf(&b, "|%s %s", i->ports[k].name, i->ports[k].version);
    }
    return digest_fnv32(buf_view(&b));
}

/* ---- all ---- */

static void
read_spec(struct item *i, const struct json *object)
{
    const struct json *spec = json_get(object, "spec");
    const struct json *machinery = json_get(spec, "crossplane");
    const struct json *from =
        json_is(machinery, JSON_OBJECT) ? machinery : spec;
    struct mesh_item *o = &i->pub;

    o->composition =
        text_at(&i->pack, json_get(from, "compositionRef"), "name");
    o->is_xr =
        json_is(machinery, JSON_OBJECT) ||
        json_is(json_get(spec, "resourceRefs"), JSON_ARRAY) ||
        (o->kind->role != MESH_ROLE_OTHER && o->kind->role != MESH_ROLE_USAGE);
    o->managed =
        json_is(json_get(spec, "forProvider"), JSON_OBJECT) ||
        json_is(json_at(object, "status", "atProvider", NULL), JSON_OBJECT);
    o->keeps_external = facts_keeps_external(spec);
}

void
facts_clear(struct item *i)
{
    struct mesh_item *o = &i->pub;
    struct mesh_item fresh = {.kind = o->kind,
                              .ns = o->ns,
                              .name = o->name,
                              .health = MESH_MISSING,
                              .changed = o->changed,
                              .uid = "",
                              .controller = "",
                              .resource_name = "",
                              .external_name = "",
                              .finalizers = "",
                              .composition = ""};

    pack_release(&i->pack);
    i->product = NULL;
    i->domain = NULL;
    i->contract = NULL;
    i->ports = NULL;
    i->port_refs = NULL;
    *o = fresh;
    graph_publish(i);
}

void
facts_read(struct item *i, const struct json *object)
{
    struct pack old = i->pack;
    struct mesh_rollup roll = i->pub.roll;
    struct mesh_domain *domain = i->domain;
    struct mesh_health_facts health;

    i->pack = (struct pack){0};
    facts_clear(i);
    i->domain = domain;
    i->pub.present = true;
    i->pub.roll = roll;
    read_spec(i, object);
    read_meta(i, json_get(object, "metadata"));
    mesh_health_of(object, i->pub.is_xr, &health);
    i->pub.health = health.health;
    i->pub.ready = health.ready;
    i->pub.synced = health.synced;
    i->pub.paused = health.paused;
    read_conditions(i, json_at(object, "status", "conditions", NULL));
    if (i->pub.kind->role == MESH_ROLE_PRODUCT)
        read_product(i, object);
    else if (i->pub.kind->role == MESH_ROLE_DOMAIN)
        read_domain(i, object);
    else if (i->pub.kind->role == MESH_ROLE_CONTRACT)
        read_contract(i, json_get(object, "spec"));
    i->offer = offer_of(i);
    pack_release(&old);
    graph_publish(i);
}
