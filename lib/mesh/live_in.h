/*
 * live_in.h - inside of live.h: what live.c (the model and its feeds) and
 * live_entries.c (which feeds there are, and for how long) share.
 */
#ifndef LIB_MESH_LIVE_IN_H
#define LIB_MESH_LIVE_IN_H

#include "lib/mesh/live.h"

struct mesh_entry {
    struct mesh_live *l;
    const struct kube_kind *kind;
    char *api_version;
    struct mesh_feed *feed;
    struct mesh_kind *fed; /* the model's kind, NULL: not fed */
    bool role;             /* all its objects go into the model */
    bool composed_only;    /* holds no object that nobody composed */
    bool stays;            /* the model or the planner need it */
    unsigned holds;        /* screens that show it */
    int64_t unseen_ms;     /* since then neither (loop time) */
    enum kube_form form;
    char *ns, *name; /* of a part of the kind, or NULL */
};

struct mesh_live {
    struct kube_client *client;
    struct kube_discovery *discovery;
    bool borrowed; /* the discovery is somebody else's */
    struct mesh *model;
    struct mesh_planner *planner;
    struct mesh_host host;
    struct mesh_live_fns fns;
    struct mesh_entry **v;
    size_t n, cap;
    uint64_t kinds_seen;
    struct mesh_scope *scope;
    struct loop_timer *again;   /* discovery */
    struct loop_timer *sweeper; /* of what is unseen */
    int64_t backoff_ms, unseen_for_ms;
    struct error problem; /* of discovery */
    bool turn_wanted, news, looked;
};

/* The feed of a whole kind; one of whole objects is better than one of their
 * metadata, one with all better than one without. */
struct mesh_entry *mesh_entry_of(const struct mesh_live *l, const char *group,
                                 const char *kind);
/* One that stays. composed_only: a feed of all objects will do as well;
 * likewise for metadata one of whole objects. NULL and err. */
struct mesh_entry *mesh_entry_open(struct mesh_live *l,
                                   const struct kube_kind *kind,
                                   enum kube_form form, bool composed_only,
                                   struct error *err);
/* No screen shows it and nothing else needs it. */
bool mesh_entry_unseen(const struct mesh_entry *e);
/* Ends all of them. */
void mesh_entries_free(struct mesh_live *l);
/* ---- of live.c: a feed has news ---- */
void mesh_entry_changes(void *arg, const struct kube_change *v, size_t n);
void mesh_entry_state(void *arg);

#endif
