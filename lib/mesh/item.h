/*
 * item.h - what the model knows of one object, for reading.
 *
 * What: the structs of the graph that lib/mesh/model.h keeps. Readers never
 * write them. Lifetimes and invariants: model.h.
 */
#ifndef LIB_MESH_ITEM_H
#define LIB_MESH_ITEM_H

#include "lib/base/base.h"

#include "lib/mesh/health.h"

#define MESH_GROUP     "meshifi.io"
#define MESH_REFS_MAX  2000
#define MESH_PORTS_MAX 200
#define MESH_TREE_MAX  5000
#define MESH_DEPTH_MAX 32

enum mesh_role {
    MESH_ROLE_OTHER,
    MESH_ROLE_MESH, /* Mesh of group meshifi.io */
    MESH_ROLE_DOMAIN,
    MESH_ROLE_PRODUCT,
    MESH_ROLE_CONTRACT,
    MESH_ROLE_USAGE, /* protection.crossplane.io Usage, ClusterUsage */
    MESH_ROLES       /* how many there are */
};

/* What is known of all objects of a kind. */
enum mesh_watch {
    MESH_UNWATCHED, /* nobody asked yet: a missing object means nothing */
    MESH_SYNCING,   /* the first list is on its way: the same */
    MESH_SYNCED,    /* complete: what is not there is missing */
    MESH_REFUSED    /* not served, or no right to list it */
};

/* One kind that occurs, as an object or in a reference. Lives as long as the
 * model. */
struct mesh_kind {
    const char *group, *kind;
    const char *api_version; /* as it was last seen */
    enum mesh_role role;
    enum mesh_watch watch;
    size_t present, referred; /* items there / referred to by a tree */
    void *user;               /* the feeder's */
};

struct mesh_item;

/* A condition that is not as hoped for. */
struct mesh_problem {
    const char *type, *reason, *message; /* message: at most 2,048 bytes */
    char status;                         /* 'F', 'U', 'T' */
    bool fault;                          /* and not just "not yet" */
    int64_t since_s;
};

enum mesh_port_state {
    MESH_PORT_OK,
    MESH_PORT_EXTERNAL,         /* an input from outside the mesh */
    MESH_PORT_LOADING,          /* the peer's kind is not known yet */
    MESH_PORT_PRODUCT_MISSING,  /* input: no such product */
    MESH_PORT_PORT_MISSING,     /* input: the product has no such port */
    MESH_PORT_VERSION,          /* input: other major or below minVersion */
    MESH_PORT_RETIRED,          /* input: the product is retired */
    MESH_PORT_CONTRACT_MISSING, /* output: contractRef leads nowhere */
    MESH_PORT_CONTRACT_VERSION, /* output: contract says another version */
    MESH_PORT_NO_CONTRACT       /* output: neither contractRef nor contractId */
};
/* "", "external", "product not found", ... */
const char *mesh_port_word(enum mesh_port_state s);
/* True for a state that is a fault (of a required input, of a contractRef). */
bool mesh_port_fault(enum mesh_port_state s);

struct mesh_port {
    bool input, required;
    enum mesh_port_state state;
    const char *name;
    /* input: the product that is read (NULL: external) and its port;
     * output: the contract (NULL: no contractRef). */
    const struct mesh_item *peer;
    const char *peer_port; /* input; "" else */
    const char *external;  /* input: the system's name, "" else */
    /* input: minVersion; output: its version ("1.0.0" by default). */
    const char *version;
    const char *type;     /* output: "table", ... */
    const char *contract; /* output: contractRef or contractId, or "" */
};

/* What stands below a root (itself not counted). */
struct mesh_rollup {
    enum mesh_health health; /* of the whole, the root included */
    size_t total, ready;     /* composed objects; OK or NONE among them */
    char synced;             /* the worst Synced: 'F', 'U', 'T', 0 */
    int64_t changed_s;       /* last transition anywhere in the tree */
    bool cut, cycle;
};

struct mesh_product {
    const char *title; /* spec.name */
    const char *domain_ref, *domain_ns;
    const struct mesh_item *domain; /* NULL: none, or several */
    bool domain_ambiguous;
    const char *owner;   /* its own, "" when it inherits */
    const char *version; /* "" when not declared, as all below */
    const char *status, *classification, *target, *description;
    bool pii;
    const struct mesh_port *ports; /* inputs first */
    size_t ports_n, inputs_n;
    const char *datasets; /* letters of raw, cleaned, curated: "rcC" */
    /* Products that read it, present ones; each once. */
    struct mesh_item *const *readers;
    size_t readers_n;
};

struct mesh_domain {
    const char *title, *owner, *type, *description;
    const char *label; /* label meshifi.io/data-domain, or "" */
    struct mesh_item *const *products;
    size_t products_n;
    size_t by_health[MESH_HEALTHS]; /* its products */
};

struct mesh_contract {
    const char *product_ref, *port, *version, *status;
    struct mesh_item *const *users; /* products whose ports name it */
    size_t users_n;
};

struct mesh_item {
    struct mesh_kind *kind;
    const char *ns; /* "": cluster-scoped */
    const char *name;
    bool present;
    /* ---- all below is empty unless present ---- */
    const char *uid;
    enum mesh_health health; /* its own; MISSING when not present */
    char ready, synced;      /* letters as in mesh_health_facts */
    bool is_xr;              /* it has references, or room for them */
    bool paused, in_use;     /* in_use: label crossplane.io/in-use */
    bool managed;            /* stands for something outside the cluster */
    bool keeps_external;     /* which stays when this is deleted */
    bool refs_cut;
    int64_t created_s, deleted_s; /* since 1970; 0: not */
    int64_t changed_s;            /* its last transition */
    int64_t generation, observed; /* observed: of Ready or Synced, or 0 */
    const char *controller;       /* uid of the controlling owner, or "" */
    const char *resource_name;    /* crossplane.io/composition-resource-name */
    const char *external_name;    /* crossplane.io/external-name, or "" */
    const char *finalizers;       /* "a, b", or "" */
    const char *composition;      /* compositionRef.name of an XR, or "" */
    const struct mesh_problem *problems; /* at most 16 */
    size_t problems_n;
    /* ---- edges, also of missing ones ---- */
    struct mesh_item *const *children; /* composed, in order of reference */
    size_t children_n;
    struct mesh_item *const *parents;
    size_t parents_n;
    struct mesh_item *const *usages; /* Usages whose `of` it is */
    size_t usages_n;
    /* One of them, by kind->role and only when present, else NULL. */
    const struct mesh_product *product;
    const struct mesh_domain *domain;
    const struct mesh_contract *contract;
    struct mesh_rollup roll; /* of domains, products, contracts, meshes */
    uint64_t changed;        /* mesh_generation at its last visible change */
};

#endif
