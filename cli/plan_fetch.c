#include "cli/plan_fetch.h"

#include <stdlib.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"

#define QUESTIONS_MAX 20000
#define BYTES_MAX     ((size_t)64 << 20)
/* At once: over HTTP/1.1 each is a connection of its own. */
#define AT_ONCE 8

enum question_state { Q_OPEN, Q_ASKED, Q_ANSWERED, Q_REFUSED };

struct question {
    struct plan_fetch *f;
    enum question_state state;
    const struct kube_kind *kind;
    char *ns, *name, *labels; /* name NULL: a list */
    struct strlist texts;     /* one object, or the list's */
    struct kube_call *call;
};

struct plan_fetch {
    struct target *t;
    struct map questions;    /* key -> struct question */
    struct question **queue; /* in the order they were put */
    size_t queue_n, queue_cap, next;
    struct strlist refused;
    size_t open, asked, requests, bytes;
    struct error broken; /* the network's */
};

static void
free_question(void *v)
{
    struct question *q = v;

    kube_call_cancel(q->call);
    free(q->ns);
    free(q->name);
    free(q->labels);
    strlist_release(&q->texts);
    free(q);
}

struct plan_fetch *
plan_fetch_new(struct target *t, struct error *err)
{
    struct plan_fetch *f;

    if (!kube_discovery_wait(t->discovery, false, err))
        return NULL;
    f = mem_zalloc(1, sizeof(*f));
    f->t = t;
    return f;
}

void
plan_fetch_free(struct plan_fetch *f)
{
    if (!f)
        return;
    map_release(&f->questions, free_question);
    free(f->queue);
    strlist_release(&f->refused);
    free(f);
}

size_t
plan_fetch_open(const struct plan_fetch *f)
{
    return f->open;
}

const struct strlist *
plan_fetch_refused(const struct plan_fetch *f)
{
    return &f->refused;
}

size_t
plan_fetch_requests(const struct plan_fetch *f)
{
    return f->requests;
}

void
plan_fetch_forget(struct plan_fetch *f)
{
    map_release(&f->questions, free_question);
    f->open = f->bytes = f->queue_n = f->next = 0;
}

/* ---- questions ---- */

/* The version that is served; a group's kinds are one whatever version an
 * object names. */
static const struct kube_kind *
kind_of(const struct plan_fetch *f, const char *api_version, const char *kind)
{
    return kube_discovery_of(f->t->discovery, str_of(api_version),
                             str_of(kind));
}

/* "a=b,c=d" */
static char *
selector_text(const struct json *labels)
{
    struct buf b = BUF_INIT(BUF_TEXT_MAX);

    for (struct json *l = json_first(labels); l; l = json_next(l))
        buf_printf(&b, "%s%s=%s", b.n ? "," : "", json_key(l),
                   json_string_or(l, ""));
    return buf_take(&b);
}

/* The question, put when it is new; labels is taken over. NULL: too many. */
static struct question *
ask(struct plan_fetch *f, const struct kube_kind *kind, const char *ns,
    const char *name, char *labels)
{
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);
    AUTO(mem_free_ptr) char *selector = labels;

    if (!kind->namespaced || (ns && !*ns))
        ns = NULL;
    buf_printf(&key, "%s/%s/%s/%s?%s", kind->gvr.group, kind->gvr.resource,
               ns ? ns : "", name ? name : "", selector ? selector : "");
    struct question *q = map_get(&f->questions, buf_view(&key));

    if (q || map_count(&f->questions) >= QUESTIONS_MAX)
        return q;
    q = mem_zalloc(1, sizeof(*q));
    q->f = f;
    q->kind = kind;
    q->ns = ns ? mem_strdup(ns) : NULL;
    q->name = name ? mem_strdup(name) : NULL;
    q->labels = selector && *selector ? mem_strdup(selector) : NULL;
    map_put(&f->questions, buf_view(&key), q);
    f->queue =
        mem_grow(f->queue, &f->queue_cap, f->queue_n + 1, sizeof(*f->queue));
    f->queue[f->queue_n++] = q;
    f->open++;
    return q;
}

static bool
is_answered(const struct question *q)
{
    return q && q->state == Q_ANSWERED;
}

static struct str
first_text(const struct question *q)
{
    return is_answered(q) && q->texts.n ? str_of(q->texts.v[0])
                                        : (struct str){0};
}

/* ---- the host ---- */

/* Names that can be no path segment are not there. */
static bool
is_name(const char *name)
{
    return *name && !strchr(name, '/') && !strchr(name, '%') &&
           strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

static struct str
get(void *arg, const char *api_version, const char *kind, const char *ns,
    const char *name, bool *known)
{
    struct plan_fetch *f = arg;
    const struct kube_kind *k = kind_of(f, api_version, kind);

    *known = true;
    if (!k || !is_name(name) || (k->namespaced && (!ns || !is_name(ns))))
        return (struct str){0};
    struct question *q = ask(f, k, ns, name, NULL);

    *known = is_answered(q);
    return first_text(q);
}

static bool
each(void *arg, const char *api_version, const char *kind, const char *ns,
     const struct json *labels, mesh_body_fn *fn, void *fn_arg)
{
    struct plan_fetch *f = arg;
    const struct kube_kind *k = kind_of(f, api_version, kind);
    struct question *q = k ? ask(f, k, ns, NULL, selector_text(labels)) : NULL;

    if (!is_answered(q))
        return false;
    for (size_t i = 0; i < q->texts.n; i++) {
        if (!fn(fn_arg, str_of(q->texts.v[i])))
            break;
    }
    return true;
}

static bool
served(void *arg, const char *api_version, const char *kind, bool *namespaced)
{
    const struct kube_kind *k = kind_of(arg, api_version, kind);

    if (k)
        *namespaced = k->namespaced;
    return k;
}

static bool
is_composite(const struct kube_kind *k)
{
    for (const char *const *c = k->categories; *c; c++) {
        if (strcmp(*c, "composite") == 0)
            return true;
    }
    return false;
}

static const struct kube_kind *
definition_kind(const struct plan_fetch *f, bool composite)
{
    static const char *const xrd[] = {"apiextensions.crossplane.io/v2",
                                      "apiextensions.crossplane.io/v1"};
    const struct kube_kind *k = NULL;

    if (!composite)
        return kind_of(f, "apiextensions.k8s.io/v1",
                       "CustomResourceDefinition");
    for (size_t i = 0; !k && i < ARRAY_LEN(xrd); i++)
        k = kind_of(f, xrd[i], "CompositeResourceDefinition");
    return k;
}

static struct str
definition(void *arg, const char *api_version, const char *kind, bool *known)
{
    struct plan_fetch *f = arg;
    const struct kube_kind *k = kind_of(f, api_version, kind);
    const struct kube_kind *by = k ? definition_kind(f, is_composite(k)) : NULL;
    AUTO(buf_release) struct buf name = BUF_INIT(1024);

    *known = true;
    if (!by)
        return (struct str){0};
    kube_gvr_name(&k->gvr, &name);
    struct question *q = ask(f, by, NULL, buf_cstr(&name), NULL);

    /* Who may not read definitions plans without them. */
    *known = q && q->state >= Q_ANSWERED;
    return first_text(q);
}

struct mesh_host
plan_fetch_host(struct plan_fetch *f)
{
    return (struct mesh_host){.arg = f,
                              .get = get,
                              .each = each,
                              .served = served,
                              .definition = definition};
}

/* ---- asking ---- */

static void
settle(struct question *q, enum question_state state)
{
    q->state = state;
    q->f->open--;
    q->f->asked--;
    q->call = NULL;
}

static void
refuse(struct question *q, const struct error *err)
{
    strlist_addf(&q->f->refused, "%s%s%s cannot be read: %s",
                 q->kind->gvr.resource, q->ns ? " in " : "", q->ns ? q->ns : "",
                 err->msg);
    settle(q, Q_REFUSED);
}

static bool
on_item(void *arg, struct str item)
{
    struct question *q = arg;

    q->f->bytes += item.n;
    strlist_add(&q->texts, item);
    return true;
}

static void
on_reply(void *arg, const struct kube_reply *r, const struct error *err)
{
    struct question *q = arg;

    if (!err && q->name)
        on_item(q, r->body);
    if (!err || err->code == ERR_NOT_FOUND)
        settle(q, Q_ANSWERED);
    else if (err->http)
        refuse(q, err);
    else if (!q->f->broken.code) {
        q->f->broken = *err;
        settle(q, Q_REFUSED);
    } else {
        settle(q, Q_REFUSED);
    }
}

static bool
start(struct question *q, struct error *err)
{
    struct kube_client *c = q->f->t->client;
    const struct kube_request r = {.gvr = q->kind->gvr,
                                   .ns = q->ns,
                                   .name = q->name,
                                   .label_selector = q->labels};

    q->state = Q_ASKED;
    q->f->asked++;
    q->f->requests++;
    q->call = q->name ? kube_client_send(c, &r, on_reply, q, err)
                      : kube_client_list(c, &r, on_item, on_reply, q, err);
    return q->call;
}

static bool
start_some(struct plan_fetch *f, struct error *err)
{
    while (f->next < f->queue_n && f->asked < AT_ONCE) {
        if (!start(f->queue[f->next++], err))
            return false;
    }
    return true;
}

bool
plan_fetch_run(struct plan_fetch *f, struct error *err)
{
    while (f->open) {
        if (!start_some(f, err))
            return false;
        if (f->broken.code) {
            if (err)
                *err = f->broken;
            return false;
        }
        if (f->bytes > BYTES_MAX)
            return error_set(err, ERR_LIMIT,
                             "what the plan asks for is larger than %zu MiB",
                             BYTES_MAX >> 20);
        if (f->asked)
            loop_turn(f->t->loop, -1);
    }
    return true;
}
