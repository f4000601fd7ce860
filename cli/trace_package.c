/* Packages: their revisions, and through the Lock what they depend on. */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "cli/trace.h"

#define GROUP     "pkg.crossplane.io/"
#define LOCK_NAME "lock"
#define OWN_LABEL "pkg.crossplane.io/package"
#define LABEL_MAX 63

static const char *const kinds[] = {"Provider", "Configuration", "Function"};

static const char *
name_of(const struct json *object)
{
    return json_string_or(json_at(object, "metadata", "name", NULL), "");
}

static bool
is_kind(const struct json *object, const char *suffix)
{
    struct str kind = str_of(json_get_text(object, "kind"));

    if (!str_starts(str_of(json_get_text(object, "apiVersion")), STR(GROUP)) ||
        !str_ends(kind, str_of(suffix)))
        return false;
    kind.n -= strlen(suffix);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        if (str_eqz(kind, kinds[i]))
            return true;
    }
    return false;
}

bool
trace_is_package(const struct json *object)
{
    return is_kind(object, "");
}

bool
trace_is_revision(const struct json *object)
{
    return is_kind(object, "Revision");
}

struct walk {
    struct trace *t;
    struct json *lock;
    struct strlist seen; /* packages that are in the tree already */
    struct trace_node **queue;
    size_t n, cap;
    struct error *err;
};

/* ---- children ---- */

static void
add_runtime_config(struct walk *w, struct trace_node *n)
{
    const struct json *ref =
        json_at(n->object, "spec", "runtimeConfigRef", NULL);

    if (!w->t->options.runtime_configs || !ref)
        return;
    struct trace_node *c =
        trace_node_new(w->t, n,
                       trace_unread(json_get_text(ref, "apiVersion"),
                                    json_get_text(ref, "kind"), "",
                                    json_get_text(ref, "name")));

    trace_read(w->t, &c, 1);
}

static int
by_age(const void *a, const void *b)
{
    const struct json *x = *(struct json *const *)a;
    const struct json *y = *(struct json *const *)b;

    return strcmp(
        json_string_or(json_at(x, "metadata", "creationTimestamp", NULL), ""),
        json_string_or(json_at(y, "metadata", "creationTimestamp", NULL), ""));
}

struct found {
    struct json **v;
    size_t n, cap;
};

static bool
note(void *arg, struct str item)
{
    struct found *f = arg;
    struct json *j = json_parse(item, NULL, NULL);

    if (!j)
        return true;
    f->v = mem_grow(f->v, &f->cap, f->n + 1, sizeof(j));
    f->v[f->n++] = j;
    return true;
}

static bool
is_shown(const struct walk *w, const struct json *revision)
{
    const char *state =
        json_string_or(json_at(revision, "spec", "desiredState", NULL), "");

    return strcmp(state, "Active") == 0 ||
           (strcmp(state, "Inactive") == 0 &&
            w->t->options.revisions == TRACE_ALL);
}

static bool
add_revisions(struct walk *w, struct trace_node *n)
{
    const char *api = json_get_text(n->object, "apiVersion");
    AUTO(mem_free_ptr)
    char *kind = mem_printf("%sRevision", json_get_text(n->object, "kind"));
    AUTO(mem_free_ptr)
    char *labels = mem_printf(OWN_LABEL "=%s", name_of(n->object));
    const struct kube_kind *k =
        kube_discovery_of(w->t->discovery, str_of(api), str_of(kind));
    struct found found = {0};
    bool ok = true;

    if (w->t->options.revisions == TRACE_NONE || !k)
        return true;
    struct kube_request q = {.gvr = k->gvr, .label_selector = labels};

    ok = kube_client_wait_list(w->t->client, &q, note, &found, w->err);
    if (found.n)
        qsort(found.v, found.n, sizeof(*found.v), by_age);
    for (size_t i = 0; i < found.n; i++) {
        json_set_string(found.v[i], "apiVersion", api);
        json_set_string(found.v[i], "kind", kind);
        if (ok && is_shown(w, found.v[i]))
            trace_node_new(w->t, n, found.v[i]);
        else
            json_free(found.v[i]);
    }
    free(found.v);
    return ok || error_wrap(w->err,
                            "failed to set package revision children for "
                            "package %s: failed to get revisions for package "
                            "%s",
                            name_of(n->object), name_of(n->object));
}

/* ---- dependencies ---- */

static const struct json *
lock_entry(const struct walk *w, const char *key, const char *value)
{
    const struct json *all = json_get(w->lock, "packages");

    for (const struct json *p = json_first(all); p; p = json_next(p)) {
        if (strcmp(json_get_text(p, key), value) == 0)
            return p;
    }
    return NULL;
}

/* A repository's path as a name: what upstream shows while the package itself
 * is not there (internal xpkg ToDNSLabel). */
static char *
label_of(const char *package)
{
    struct str head, rest = str_of(package);
    AUTO(buf_release) struct buf b = BUF_INIT(LABEL_MAX + 1);

    if (str_cut(rest, '/', &head, &rest) &&
        (str_contains(head, STR(".")) || str_contains(head, STR(":"))))
        rest = str_of(package + head.n + 1);
    else
        rest = str_of(package);
    for (size_t i = 0; i < rest.n && b.n < LABEL_MAX; i++) {
        char c = rest.s[i];

        if (c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            buf_putc(&b, c);
        else if (b.n && (c == '-' || c == '/' || c == '.' || c == '_'))
            buf_putc(&b, '-');
    }
    return mem_strdup(buf_cstr(&b));
}

/* The package that controls the revision of that name. */
static char *
owner_of(struct walk *w, const char *api, const char *kind,
         const char *revision)
{
    AUTO(mem_free_ptr) char *rev_kind = mem_printf("%sRevision", kind);
    const struct kube_kind *k =
        kube_discovery_of(w->t->discovery, str_of(api), str_of(rev_kind));
    struct error why = {0};

    if (!k)
        return NULL;
    struct kube_request q = {.gvr = k->gvr, .name = revision};
    AUTO(json_free_ptr)
    struct json *rev = kube_client_wait_json(w->t->client, &q, &why);
    const struct json *refs = json_at(rev, "metadata", "ownerReferences", NULL);

    for (const struct json *o = json_first(refs); o; o = json_next(o)) {
        if (strcmp(json_get_text(o, "kind"), kind) == 0 &&
            json_bool(json_get(o, "controller"), false))
            return mem_strdup(json_get_text(o, "name"));
    }
    return NULL;
}

static void
add_dependency(struct walk *w, struct trace_node *n, const struct json *d)
{
    const char *package = json_get_text(d, "package");
    const char *kind =
        json_get_text(d, *json_get_text(d, "kind") ? "kind" : "type");
    const char *api = *json_get_text(d, "apiVersion")
                          ? json_get_text(d, "apiVersion")
                          : GROUP "v1";
    const struct json *entry = lock_entry(w, "source", package);
    AUTO(mem_free_ptr)
    char *name =
        entry ? owner_of(w, api, kind, json_get_text(entry, "name")) : NULL;
    struct trace_node *c;

    if (!name)
        name = label_of(package);
    strlist_add(&w->seen, str_of(package));
    c = trace_node_new(w->t, n, trace_unread(api, kind, "", name));
    trace_read(w->t, &c, 1);
    w->queue = mem_grow(w->queue, &w->cap, w->n + 1, sizeof(c));
    w->queue[w->n++] = c;
}

static void
add_dependencies(struct walk *w, struct trace_node *n)
{
    const char *current = json_string_or(
        json_at(n->object, "status", "currentRevision", NULL), "");
    const struct json *entry = lock_entry(w, "name", current);
    const struct json *all = json_get(entry, "dependencies");

    if (w->t->options.dependencies == TRACE_NONE || !*current)
        return;
    for (const struct json *d = json_first(all); d; d = json_next(d)) {
        if (w->t->options.dependencies == TRACE_FEW &&
            strlist_has(&w->seen, str_of(json_get_text(d, "package"))))
            continue;
        add_dependency(w, n, d);
    }
}

/* ---- the walk ---- */

static size_t
depth_of(const struct trace_node *n)
{
    size_t depth = 0;

    for (; n->parent; n = n->parent)
        depth++;
    return depth;
}

/* A control plane that serves no Lock has no dependencies to show. */
static bool
read_lock(struct walk *w)
{
    const struct kube_kind *k =
        kube_discovery_find(w->t->discovery, "locks.pkg.crossplane.io", NULL);

    if (!k)
        return true;
    struct kube_request q = {.gvr = k->gvr, .name = LOCK_NAME};

    w->lock = kube_client_wait_json(w->t->client, &q, w->err);
    return w->lock != NULL;
}

bool
trace_package(struct trace *t, struct trace_node *root, struct error *err)
{
    struct walk w = {.t = t, .err = err};
    bool ok = read_lock(&w);

    w.queue = mem_grow(w.queue, &w.cap, 1, sizeof(root));
    w.queue[w.n++] = root;
    for (size_t i = 0; ok && i < w.n; i++) {
        struct trace_node *n = w.queue[i];

        add_runtime_config(&w, n);
        ok = add_revisions(&w, n);
        if (ok && depth_of(n) < TRACE_DEPTH_MAX)
            add_dependencies(&w, n);
        if (t->nodes > TRACE_NODES_MAX)
            ok = error_set(err, ERR_LIMIT,
                           "more than %d packages: that is no tree",
                           TRACE_NODES_MAX);
    }
    free(w.queue);
    strlist_release(&w.seen);
    json_free(w.lock);
    return ok;
}
