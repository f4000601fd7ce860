/*
 * server.h - the sandbox as one process: loop, store, HTTP, hub and modules.
 *
 * What: server_run serves until SIGTERM or SIGINT. A module is a part that
 * plugs in: the REST semantics (which set the handler), the controllers.
 * A turn: requests are handled (writes show in memory at once) -> modules'
 * turn -> COMMIT -> hub_turn (listeners hear of it and may write: once more
 * from "modules' turn", at most 8 times) -> held answers go out.
 * Who may come: authn.h finds out who a request is, the judge (rbac_module)
 * says whether it may; both when its headers are there. Without a judge the
 * admin may do everything and others see /livez, /readyz, /healthz (and below)
 * and /version. The engine answers those and /sandbox/status itself;
 * everything else is the handler's.
 * Listens on loopback only; the port of the first start is kept.
 */
#ifndef DEVENV_SANDBOX_SERVER_H
#define DEVENV_SANDBOX_SERVER_H

#include "devenv/sandbox/authn.h"
#include "devenv/sandbox/hub.h"

/* Says whether r (who it is: r->who) may go on, and may make it somebody else
 * (impersonation). False: *st or r->refused says why not. */
typedef bool server_judge_fn(void *arg, struct http_request *r,
                             struct status *st);

struct server_options {
    const char *listen;        /* "127.0.0.1:0", "[::1]:8443", "localhost:0";
                                  NULL: 127.0.0.1 and the stored port or any */
    const char *data;          /* file or ":memory:" */
    const char *kubeconfig;    /* written when serving; NULL: none */
    const char *name;          /* of cluster and context, "meshtop-mesh" */
    const char *pid_file;      /* locked while serving; NULL: none */
    const char *token_file;    /* of authn.h; NULL: none */
    struct strlist load;       /* files and folders to apply at the start: the
                                  REST module does it */
    int64_t provider_delay_ms; /* until a simulated resource is Ready */
    bool core_23;              /* Crossplane as 2.3, else as 2.0.8 */
    bool quiet;                /* no ready line */
    struct store_options store;
    unsigned http_timeout_s; /* as in http_options; 0: the defaults */
    unsigned http_connections;
};

struct server {
    const struct server_options *options;
    const struct clock *clock;
    struct loop *loop;
    struct store *store;
    struct hub *hub;
    struct http *http;
    struct tls_identity identity;
    struct authn *authn;
    server_judge_fn *judge; /* set by server_set_judge */
    void *judge_arg;
    http_handler_fn *handler; /* set by server_set_handler */
    void *handler_arg;
    void **states; /* one per module */
    int64_t started_ms;
    uint64_t requests; /* refused ones and open watches too */
    const struct server_module *const *modules;
    char *url;
    bool ready;       /* every module has started */
    size_t started_n; /* modules whose start is done */
    struct error start_error;
    struct loop_timer *start_timer; /* looks again while one waits */
    void (*on_ready)(struct server *s, void *arg); /* or failed; NULL: none */
    void *on_ready_arg;
    bool kicked;  /* a module wants another round */
    bool failing; /* the last commit did */
    struct loop_hook *hook;
};

enum server_start { SERVER_FAILED = -1, SERVER_WAITS, SERVER_READY };

struct server_module {
    const char *name;
    /* Runs when store and hub are there and before the first request; *state
     * is given to the others. */
    bool (*init)(struct server *s, void **state, struct error *err);
    /* Called in each turn, after all inits, until it answers SERVER_READY; only
     * then is the server ready. SERVER_FAILED ends the server. Or NULL. */
    enum server_start (*start)(void *state, struct error *err);
    /* Every turn before the commit, or NULL. True: it wrote or has more to do
     * and wants another round. */
    bool (*turn)(void *state);
    /* A commit failed and its writes were taken back: forget what was derived
     * from them. Or NULL. */
    void (*rolled_back)(void *state);
    void (*free)(void *state); /* accepts NULL and half-built */
};
/* The parts of the product in the order of their init; ends with NULL
 * (devenv/sandbox/modules.c: one row per part). */
extern const struct server_module *const server_modules[];

/* Serves until a signal; the exit is clean. False: could not start. */
bool server_run(const struct server_options *o, struct error *err);

/* For tests and benches: a server on a loop of the caller's. */
struct server *server_new(struct loop *l, const struct server_options *o,
                          const struct server_module *const *modules,
                          struct error *err);
void server_free(struct server *s);
/* "https://127.0.0.1:43123", lives as long as s. */
const char *server_url(const struct server *s);

/* The one who answers what the engine does not. */
void server_set_handler(struct server *s, http_handler_fn *fn, void *arg);
/* The one who judges requests. */
void server_set_judge(struct server *s, server_judge_fn *fn, void *arg);
/* The state of the module called name, or NULL. */
void *server_module_state(const struct server *s, const char *name);
/* Asks for another round in this turn. After any callback of the loop (timers,
 * deferred calls) a turn follows by itself. */
void server_kick(struct server *s);

#endif
