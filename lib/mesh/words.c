/* Causes in words: one line for people, and where to look next. */
#include <strings.h>

#include "lib/mesh/graph.h"

#define SHOWN 160 /* bytes of a message in one line */

/* A word in a message (any case) -> what to do about it. */
static const struct {
    const char *word, *hint;
} hints[] = {
    {"already controlled", "two composites want the same object: rename one"},
    {"one reference can have controller",
     "two composites want the same object: rename one"},
    {"no matches for kind", "the package that brings this kind is missing"},
    {"compatible composition",
     "no Composition fits: install one, or correct compositionRef or the "
     "selector"},
    {"get function", "the pipeline names a Function that is not installed"},
    {"functionrevision", "the pipeline names a Function that is not installed"},
    {"providerconfig", "create the ProviderConfig, or name another one"},
    {"403", "the credentials lack a right: see the ProviderConfig"},
    {"denied", "the credentials lack a right: see the ProviderConfig"},
    {"forbidden", "the credentials lack a right: see the ProviderConfig"},
    {"401", "the credentials are refused: see the ProviderConfig"},
    {"quota", "a limit of the provider is reached"},
    {"template", "the Composition's template fails: see the message's line"},
    {"invalid", "the API server refuses a composed object: see its events"},
    {"timeout", "the provider or its network does not answer"},
};

static const char *const kind_hints[] = {
    [MESH_CAUSE_CONDITION] = "",
    [MESH_CAUSE_MISSING] = "somebody deleted it; it is composed again at the "
                           "next reconcile",
    [MESH_CAUSE_STUCK] = "the finalizer's controller must do its part: is it "
                         "running, and is the outside reachable?",
    [MESH_CAUSE_WAITING] = "see its events and its controller's log",
    [MESH_CAUSE_INPUT] = "correct the input port, or bring that product",
    [MESH_CAUSE_CONTRACT] = "bring the contract to the port's version",
    [MESH_CAUSE_NO_DOMAIN] = "correct spec.dataDomainRef, or bring the domain",
    [MESH_CAUSE_NO_OWNER] = "set spec.owner",
    [MESH_CAUSE_NO_CONTRACT] = "add a DataContract and name it in contractRef",
    [MESH_CAUSE_POLICY] = "see status.violations",
    [MESH_CAUSE_UPSTREAM] = "look there",
    [MESH_CAUSE_PAUSED] = "take the annotation crossplane.io/paused away",
};

static const char *
hint_of(const struct mesh_cause *c)
{
    for (size_t i = 0; c->problem && i < ARRAY_LEN(hints); i++) {
        if (strcasestr(c->problem->message, hints[i].word))
            return hints[i].hint;
    }
    if (c->kind == MESH_CAUSE_MISSING && c->health == MESH_WAIT)
        return "see the events of what composes it";
    return kind_hints[c->kind];
}

/* "Dataset/raw (ns)", or "3 Dataset". */
static const char *
who(const struct mesh_cause *c, bool alone, struct arena *a)
{
    if (c->items_n > 1 && !alone)
        return arena_printf(a, "%zu %s", c->items_n, c->item->kind->kind);
    return mesh_item_text(c->item, a);
}

/* "ReconcileError: message", cut. */
static const char *
problem_words(const struct mesh_problem *p, struct arena *a)
{
    struct str message = str_of(p ? p->message : "");
    bool cut = message.n > SHOWN;

    if (!p)
        return "no conditions yet";
    while (cut && message.n > SHOWN)
        message.n = SHOWN;
    while (cut && message.n &&
           ((unsigned char)message.s[message.n] & 0xc0) == 0x80)
        message.n--;
    return arena_printf(a, "%s%s%.*s%s", *p->reason ? p->reason : p->type,
                        message.n ? ": " : "", STR_ARG(message),
                        cut ? "..." : "");
}

static const char *
ago(int64_t since_s, int64_t now_s, struct arena *a)
{
    char text[CLOCK_HUMAN_LEN];

    clock_human(now_s - since_s, text);
    return arena_strdup(a, text);
}

static const char *
input_words(const struct mesh_port *p, struct arena *a)
{
    const struct mesh_item *peer = p->peer;
    const char *wants = p->state == MESH_PORT_VERSION
                            ? arena_printf(a, " (at least %s)", p->version)
                            : "";

    return arena_printf(a, "input %s reads %s/%s.%s: %s%s", p->name, peer->ns,
                        peer->name, p->peer_port, mesh_port_word(p->state),
                        wants);
}

static const char *
domain_words(const struct mesh_item *i, struct arena *a)
{
    const struct mesh_product *p = i->product;

    return arena_printf(a,
                        p->domain_ambiguous
                            ? "several domains carry the label of %s"
                            : "there is no domain %s",
                        *p->domain_ref ? p->domain_ref : "(none)");
}

static const char *
condition_words(const struct mesh_cause *c, int64_t now_s, struct arena *a)
{
    const char *what = problem_words(c->problem, a);

    if (c->kind != MESH_CAUSE_WAITING)
        return what;
    return arena_printf(a, "not ready for %s: %s", ago(c->since_s, now_s, a),
                        what);
}

static const char *
what(const struct mesh_cause *c, int64_t now_s, struct arena *a)
{
    const struct mesh_item *i = c->item;

    switch (c->kind) {
    case MESH_CAUSE_CONDITION:
    case MESH_CAUSE_WAITING:
        return condition_words(c, now_s, a);
    case MESH_CAUSE_MISSING:
        return arena_printf(a,
                            c->health == MESH_MISSING
                                ? "is not there, but %s refers to it"
                                : "is not there yet, %s waits for it",
                            mesh_item_text(i->parents[0], a));
    case MESH_CAUSE_STUCK:
        return arena_printf(a, "deleting for %s, waits for %s",
                            ago(c->since_s, now_s, a),
                            *i->finalizers ? i->finalizers : "its dependents");
    case MESH_CAUSE_INPUT:
        return input_words(c->port, a);
    case MESH_CAUSE_CONTRACT:
        return arena_printf(a, "port %s %s: %s %s", c->port->name,
                            c->port->version, c->port->contract,
                            mesh_port_word(c->port->state));
    case MESH_CAUSE_NO_DOMAIN:
        return domain_words(i, a);
    case MESH_CAUSE_NO_OWNER:
        return arena_printf(a, "no owner; %zu product%s inherit%s none",
                            i->domain->products_n,
                            i->domain->products_n == 1 ? "" : "s",
                            i->domain->products_n == 1 ? "s" : "");
    case MESH_CAUSE_NO_CONTRACT:
        return arena_printf(a, "active, but port %s has no contract",
                            c->port->name);
    case MESH_CAUSE_POLICY:
        return arena_printf(a, "breaks a rule: %s", c->problem->message);
    case MESH_CAUSE_UPSTREAM:
        return arena_printf(a, "input %s: %s is %s", c->port->name,
                            mesh_item_text(c->port->peer, a),
                            mesh_health_word(mesh_item_health(c->port->peer)));
    case MESH_CAUSE_PAUSED:
        return "is paused";
    }
    return "";
}

void
cause_words(struct mesh_cause *c, bool alone, int64_t now_s, struct arena *a)
{
    c->text = arena_printf(a, "%s: %s", who(c, alone, a), what(c, now_s, a));
    c->hint = hint_of(c);
}
