/*
 * client.h - the verbs of one cluster.
 *
 * What: a client is a kube_access, a pool of connections and credentials that
 * renew themselves (token files, exec plugins). A request is one struct, sent
 * asynchronously (kube_client_send, kube_client_list) or waited for by
 * turning the loop (kube_client_wait: for commands, never from a callback of
 * the TUI).
 * Invariants: a read-only client refuses every write here, whatever the view
 * asked for (ERR_DENIED, MT-READ-ONLY), dry runs excepted; a dry-run delete is
 * refused for everyone (it has deleted real objects: ERR_UNSUPPORTED); answers
 * 429 and 5xx that name Retry-After, and GETs whose connection broke before an
 * answer, are repeated up to 10 times (client-go rest/with_retry.go); of
 * writes, 429 (nothing happened) and, of those that change nothing the second
 * time (server-side apply, dry runs), 5xx too. Objects travel as JSON text.
 * A client whose kubeconfig file was replaced reads it again when the server
 * refuses it (401), cannot be reached or is another one by its certificate, and
 * then tries once more.
 * Lifetimes: a call ends when its callback returns or with kube_call_cancel;
 * replies are valid during the callback.
 */
#ifndef LIB_KUBE_CLIENT_H
#define LIB_KUBE_CLIENT_H

#include "lib/base/json.h"
#include "lib/base/loop.h"

#include "lib/kube/gvr.h"
#include "lib/kube/http.h"
#include "lib/kube/kubeconfig.h"
#include "lib/kube/status.h"

#define KUBE_FIELD_MANAGER "meshtop"

struct kube_client;
struct kube_call;

struct kube_client_options {
    bool read_only;
    const char *user_agent; /* NULL: "meshtop/VERSION (linux/ARCH)" */
    int64_t timeout_ms;     /* of a request that names none; 0: 32 s */
    const char *cache_dir;  /* where discoveries of this client keep what they
                               learned (discovery_disk.h); NULL: nowhere */
};

/* access is copied; o may be NULL. */
struct kube_client *kube_client_new(struct loop *l,
                                    const struct kube_access *access,
                                    const struct kube_client_options *o,
                                    struct error *err);
/* Cancels what runs. Free caches and discoveries of this client before. Not
 * from a callback of this client. */
void kube_client_free(struct kube_client *c);
void kube_client_free_ptr(struct kube_client **c);
struct loop *kube_client_loop(const struct kube_client *c);
const struct kube_access *kube_client_access(const struct kube_client *c);
/* As in the options, or NULL. */
const char *kube_client_cache_dir(const struct kube_client *c);
bool kube_client_read_only(const struct kube_client *c);
/* With once, caches made from now on list one time and do not watch: for
 * commands that answer and end (a watch is a connection of its own where a
 * server speaks HTTP/1.1). */
void kube_client_set_once(struct kube_client *c, bool once);
bool kube_client_once(const struct kube_client *c);
/* Puts other facts in place (the kubeconfig changed); running calls end as
 * they are. */
bool kube_client_set_access(struct kube_client *c,
                            const struct kube_access *access,
                            struct error *err);

/* What the server warns of ("Warning: 299" headers) goes to fn, each text once
 * in the client's life, whichever request brought it; the replies hold all of
 * theirs beside that. Texts are the server's: filter them for a terminal. */
typedef void kube_warning_fn(void *arg, const char *text);
void kube_client_on_warning(struct kube_client *c, kube_warning_fn *fn,
                            void *arg);

/* What a credential plugin says on its standard error while it runs ("open this
 * address, type this code"): its lines, to be filtered as well. */
typedef void kube_plugin_fn(void *arg, struct str line);
void kube_client_on_plugin(struct kube_client *c, kube_plugin_fn *fn,
                           void *arg);

enum kube_verb {
    KUBE_GET,    /* one object; without a name: the collection, unpaged */
    KUBE_CREATE, /* POST body */
    KUBE_UPDATE, /* PUT body */
    KUBE_PATCH,
    KUBE_DELETE,
    KUBE_DELETE_ALL, /* of a collection, as the selectors say */
    KUBE_RAW_GET     /* path as it is */
};

enum kube_patch {
    KUBE_PATCH_MERGE,    /* RFC 7386 */
    KUBE_PATCH_JSON,     /* RFC 6902 */
    KUBE_PATCH_APPLY,    /* server-side apply; creates what is missing */
    KUBE_PATCH_STRATEGIC /* built-in kinds only: 415 for others */
};

/* What becomes of fields the schema does not know, and of double ones. */
enum kube_validation {
    KUBE_VALIDATION_WARN,
    KUBE_VALIDATION_STRICT, /* refused */
    KUBE_VALIDATION_IGNORE
};

enum kube_propagation {
    KUBE_PROPAGATE_DEFAULT,
    KUBE_PROPAGATE_BACKGROUND,
    KUBE_PROPAGATE_FOREGROUND,
    KUBE_PROPAGATE_ORPHAN
};

/* All zero is a GET; set what the verb needs. Copied when sent. */
struct kube_request {
    enum kube_verb verb;
    struct kube_gvr gvr;
    const char *ns;   /* NULL: cluster-scoped, or all namespaces */
    const char *name; /* NULL: the collection */
    const char *sub;  /* "status", or NULL */
    const char *path; /* KUBE_RAW_GET: "/openapi/v3?x=y" */
    struct str body;  /* JSON; for KUBE_PATCH_APPLY YAML too */
    enum kube_patch patch;
    const char *field_manager; /* NULL: KUBE_FIELD_MANAGER */
    bool force;                /* KUBE_PATCH_APPLY: take fields from others */
    bool dry_run;              /* create, update and patch */
    bool strict;               /* KUBE_VALIDATION_STRICT */
    enum kube_validation validation;
    enum kube_propagation propagation;
    const char *if_uid, *if_version; /* preconditions of a delete */
    bool grace; /* of a delete: grace_s counts, else the server's own */
    int64_t grace_s;
    const char *label_selector, *field_selector;
    /* of a GET: "" or NULL is the newest state; version_match Exact or
     * NotOlderThan (Kubernetes API concepts, "resourceVersion in lists") */
    const char *at_version, *version_match;
    const char *if_none_match; /* an ETag: 304 when it is still the same */
    unsigned page;             /* kube_client_list: items a page; 0: 500 */
    const char *accept;        /* NULL: application/json */
    size_t max_body;           /* 0: 64 MiB */
    int64_t timeout_ms;        /* 0: the client's */
};

struct kube_reply {
    int http;        /* 200, 201 (created), ...; 0: no answer */
    struct str body; /* JSON text of the object (or Status), newline cut */
    const char *content_type;
    const char *etag;                 /* or "" */
    const struct strlist *warnings;   /* each once, as the server said them */
    const struct kube_status *status; /* NULL unless the server refused */
    int64_t date_s;                   /* the server's clock, or 0 */
    /* of a list: */
    const char *resource_version; /* of its first page, "" else */
    size_t items;                 /* given to the item callback */
};

/* err is NULL on 2xx, and on 304 when if_none_match was given; else it says it
 * all. r is never NULL. */
typedef void kube_reply_fn(void *arg, const struct kube_reply *r,
                           const struct error *err);
/* The JSON text of one item; false ends the list without error. */
typedef bool kube_item_fn(void *arg, struct str item);

struct kube_call *kube_client_send(struct kube_client *c,
                                   const struct kube_request *r,
                                   kube_reply_fn *fn, void *arg,
                                   struct error *err);
/* GETs a collection page by page (limit and continue); each item goes to
 * on_item as its page is there. A continue token that expired (410) goes on
 * with the token the server offers instead. */
struct kube_call *kube_client_list(struct kube_client *c,
                                   const struct kube_request *r,
                                   kube_item_fn *on_item, kube_reply_fn *fn,
                                   void *arg, struct error *err);
/* NULL is fine; never calls back. */
void kube_call_cancel(struct kube_call *call);

/* ---- waiting, for commands ---- */
struct kube_answer {
    int http;
    char *body; /* NUL-terminated, or NULL */
    size_t body_n;
    struct strlist warnings;
    struct kube_status status; /* filled when the server refused */
};

/* Sends r and turns the loop until the answer is there. On failure out is
 * filled as well as far as there was an answer (status, warnings): release it
 * in any case. out may be NULL. */
bool kube_client_wait(struct kube_client *c, const struct kube_request *r,
                      struct kube_answer *out, struct error *err);
/* kube_client_wait that parses the body; NULL and err on failure. */
struct json *kube_client_wait_json(struct kube_client *c,
                                   const struct kube_request *r,
                                   struct error *err);
bool kube_client_wait_list(struct kube_client *c, const struct kube_request *r,
                           kube_item_fn *on_item, void *arg, struct error *err);
void kube_answer_release(struct kube_answer *a);

/* ---- for watches (lib/kube/cache.c) ---- */
struct kube_stream_fns {
    const char *accept;         /* NULL: application/json */
    void (*on_open)(void *arg); /* a 2xx head is there; may be NULL */
    kube_http_data_fn *on_data; /* pieces of the 2xx body as they come */
    kube_reply_fn *on_end;      /* as kube_reply_fn: err NULL on a clean end */
};
/* GETs path (with its query) without a time limit; stall_ms as in http.h. fns
 * must outlive the call. */
struct kube_call *kube_client_stream(struct kube_client *c, const char *path,
                                     int64_t stall_ms,
                                     const struct kube_stream_fns *fns,
                                     void *arg, struct error *err);

#endif
