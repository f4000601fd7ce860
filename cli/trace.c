#include "cli/trace.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#define IN_FLIGHT 32

/* ---- nodes ---- */

struct json *
trace_unread(const char *api_version, const char *kind, const char *ns,
             const char *name)
{
    struct json *j = json_new_object();

    json_set_string(j, "apiVersion", api_version);
    json_set_string(j, "kind", kind);
    if (*name)
        json_set_string(json_need_object(j, "metadata"), "name", name);
    if (*ns)
        json_set_string(json_need_object(j, "metadata"), "namespace", ns);
    return j;
}

struct trace_node *
trace_node_new(struct trace *t, struct trace_node *parent, struct json *object)
{
    struct trace_node *n = mem_zalloc(1, sizeof(*n));
    struct trace_node ***v = parent ? &parent->children : &t->roots;
    size_t *count = parent ? &parent->n : &t->n;

    n->object = object;
    n->parent = parent;
    *v = mem_grow(*v, parent ? &parent->cap : &t->cap, *count + 1, sizeof(n));
    (*v)[(*count)++] = n;
    t->nodes++;
    return n;
}

static void
node_free(struct trace_node *n)
{
    for (size_t i = 0; i < n->n; i++)
        node_free(n->children[i]);
    free(n->children);
    json_free(n->object);
    json_free(n->details);
    free(n->error);
    free(n);
}

void
trace_release(struct trace *t)
{
    for (size_t i = 0; i < t->n; i++)
        node_free(t->roots[i]);
    free(t->roots);
    t->roots = NULL;
    t->n = t->cap = t->nodes = 0;
}

/* ---- reading many at once ---- */

struct reading {
    struct trace *t;
    size_t in_flight;
};

struct one {
    struct reading *r;
    struct trace_node *node;
};

static void
fail(struct trace_node *n, const char *why)
{
    free(n->error);
    n->error = mem_strdup(why);
}

static void
on_reply(void *arg, const struct kube_reply *reply, const struct error *err)
{
    struct one *o = arg;
    struct error why = {0};

    o->r->in_flight--;
    if (err) {
        fail(o->node, err->msg);
        if (reply->status) {
            o->node->details = json_new_object();
            json_set(o->node->details, "ErrStatus",
                     json_parse(reply->body, NULL, NULL));
        }
    } else {
        struct json *j = json_parse(reply->body, NULL, &why);

        if (j) {
            json_free(o->node->object);
            o->node->object = j;
        } else {
            fail(o->node, why.msg);
        }
    }
    free(o);
}

/* What controller-runtime says of a kind that is not served, as JSON too. */
static void
fail_unserved(struct trace_node *n, const char *api, const char *kind)
{
    AUTO(mem_free_ptr)
    char *none =
        mem_printf("no matches for kind \"%s\" in version \"%s\"", kind, api);
    struct str group = {0}, version = {0};
    struct json *gk;

    fail(n, none);
    kube_api_version_split(str_of(api), &group, &version);
    n->details = json_new_object();
    gk = json_need_object(n->details, "GroupKind");
    json_set(gk, "Group", json_new_str(group));
    json_set_string(gk, "Kind", kind);
    json_append(json_need_array(n->details, "SearchedVersions"),
                json_new_str(version));
}

static void
send_one(struct reading *r, struct trace_node *n)
{
    const char *api = json_get_text(n->object, "apiVersion");
    const char *kind = json_get_text(n->object, "kind");
    const struct kube_kind *k =
        kube_discovery_of(r->t->discovery, str_of(api), str_of(kind));
    struct error why = {0};

    if (!k) {
        fail_unserved(n, api, kind);
        return;
    }
    if (!*json_at_text(n->object, "metadata", "name")) {
        fail(n, "resource name may not be empty");
        return;
    }
    const char *ns = json_at_text(n->object, "metadata", "namespace");
    struct kube_request q = {.gvr = k->gvr,
                             .ns = k->namespaced ? ns : NULL,
                             .name =
                                 json_at_text(n->object, "metadata", "name")};
    struct one *o = mem_zalloc(1, sizeof(*o));

    *o = (struct one){r, n};
    r->in_flight++;
    if (!kube_client_send(r->t->client, &q, on_reply, o, &why)) {
        r->in_flight--;
        free(o);
        fail(n, why.msg);
    }
}

void
trace_read(struct trace *t, struct trace_node *const *nodes, size_t n)
{
    struct reading r = {.t = t};

    for (size_t i = 0; i < n || r.in_flight;) {
        if (i < n && r.in_flight < IN_FLIGHT)
            send_one(&r, nodes[i++]);
        else
            loop_turn(kube_client_loop(t->client), -1);
    }
}

/* ---- what an object refers to ---- */

static void
add_ref(struct trace *t, struct trace_node *n, const struct json *ref,
        const char *ns)
{
    const char *own = json_get_text(ref, "namespace");

    trace_node_new(t, n,
                   trace_unread(json_get_text(ref, "apiVersion"),
                                json_get_text(ref, "kind"), *own ? own : ns,
                                json_get_text(ref, "name")));
}

static void
add_secret(struct trace *t, struct trace_node *n, const char *ns)
{
    const struct json *ref =
        json_at(n->object, "spec", "writeConnectionSecretToRef", NULL);

    if (t->options.secrets && ref)
        trace_node_new(
            t, n, trace_unread("v1", "Secret", ns, json_get_text(ref, "name")));
}

/* Kinds that are known to have no references. */
static bool
is_leaf(const struct json *object)
{
    static const char *const leaves[][2] = {
        {"v1", "Secret"},
        {"apiextensions.crossplane.io/", "Usage"},
        {"apiextensions.crossplane.io/", "EnvironmentConfig"},
    };

    for (size_t i = 0; i < ARRAY_LEN(leaves); i++) {
        if (str_starts(str_of(json_get_text(object, "apiVersion")),
                       str_of(leaves[i][0])) &&
            strcmp(json_get_text(object, "kind"), leaves[i][1]) == 0)
            return true;
    }
    return false;
}

static void
add_children(struct trace *t, struct trace_node *n)
{
    const struct json *spec = json_get(n->object, "spec");
    const struct json *claimed = json_get(spec, "resourceRef");
    const char *ns = json_at_text(n->object, "metadata", "namespace");
    const struct json *lists[] = {
        json_at(spec, "crossplane", "resourceRefs", NULL),
        json_get(spec, "resourceRefs")};

    if (is_leaf(n->object))
        return;
    if (json_is(claimed, JSON_OBJECT)) {
        add_ref(t, n, claimed, "");
        add_secret(t, n, ns);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        for (const struct json *r = json_first(lists[i]); r; r = json_next(r))
            add_ref(t, n, r, ns);
    }
    add_secret(t, n,
               *ns ? ns
                   : json_string_or(json_at(spec, "writeConnectionSecretToRef",
                                            "namespace", NULL),
                                    ""));
}

/* ---- the walk, a level at a time ---- */

struct level {
    struct trace_node **v;
    size_t n, cap;
};

static bool
is_above(const struct trace_node *n)
{
    static const char *const keys[] = {"name", "namespace"};

    for (const struct trace_node *p = n->parent; p; p = p->parent) {
        bool same = strcmp(json_get_text(p->object, "apiVersion"),
                           json_get_text(n->object, "apiVersion")) == 0 &&
                    strcmp(json_get_text(p->object, "kind"),
                           json_get_text(n->object, "kind")) == 0;

        for (size_t i = 0; same && i < ARRAY_LEN(keys); i++)
            same = strcmp(json_at_text(p->object, "metadata", keys[i]),
                          json_at_text(n->object, "metadata", keys[i])) == 0;
        if (same)
            return true;
    }
    return false;
}

static void
level_add(struct level *l, struct trace_node *n)
{
    l->v = mem_grow(l->v, &l->cap, l->n + 1, sizeof(n));
    l->v[l->n++] = n;
}

static struct level
next_level(struct trace *t, const struct level *now)
{
    struct level next = {0};

    for (size_t i = 0; i < now->n; i++) {
        struct trace_node *n = now->v[i];

        add_children(t, n);
        for (size_t k = 0; k < n->n; k++) {
            if (is_above(n->children[k]))
                fail(n->children[k], "it is above already: a cycle");
            else
                level_add(&next, n->children[k]);
        }
    }
    return next;
}

static int
by_key(const void *a, const void *b)
{
    static const char *const keys[] = {"apiVersion", "kind"};
    const struct trace_node *x = *(struct trace_node *const *)a;
    const struct trace_node *y = *(struct trace_node *const *)b;
    AUTO(buf_release) struct buf l = BUF_INIT(BUF_TEXT_MAX);
    AUTO(buf_release) struct buf r = BUF_INIT(BUF_TEXT_MAX);

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        buf_puts(&l, json_get_text(x->object, keys[i]));
        buf_puts(&r, json_get_text(y->object, keys[i]));
    }
    buf_puts(&l, json_at_text(x->object, "metadata", "name"));
    buf_puts(&r, json_at_text(y->object, "metadata", "name"));
    return strcmp(buf_cstr(&l), buf_cstr(&r));
}

static void
sort(struct trace_node *n)
{
    for (size_t i = 0; i < n->n; i++)
        sort(n->children[i]);
    if (n->n)
        qsort(n->children, n->n, sizeof(*n->children), by_key);
}

static bool
walk(struct trace *t, struct trace_node *root, struct error *err)
{
    struct level now = {0};
    size_t depth = 0;

    for (level_add(&now, root);
         now.n && t->nodes <= TRACE_NODES_MAX && depth < TRACE_DEPTH_MAX;
         depth++) {
        struct level next = next_level(t, &now);

        free(now.v);
        now = next;
        trace_read(t, now.v, now.n);
    }
    free(now.v);
    sort(root);
    return t->nodes <= TRACE_NODES_MAX ||
           error_set(err, ERR_LIMIT, "more than %d objects: that is no tree",
                     TRACE_NODES_MAX);
}

bool
trace_add(struct trace *t, struct json *object, struct error *err)
{
    struct trace_node *root = trace_node_new(t, NULL, object);

    return trace_is_package(object) ? trace_package(t, root, err)
                                    : walk(t, root, err);
}
