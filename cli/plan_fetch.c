#include "cli/plan_fetch.h"

#include <assert.h>
#include <stdlib.h>

#include "lib/base/map.h"
#include "lib/base/mem.h"

#define QUESTIONS_MAX 20000
#define BYTES_MAX     ((size_t)64 << 20)
/* So many names of a kind, and it is listed. */
#define NAMES_MAX 48
#define PAGE      500
/* At once: over HTTP/1.1 each is a connection of its own, which costs both ends
 * more than a few answers in a row from a server on this host. */
#define AT_ONCE      8
#define AT_ONCE_HERE 2

enum question_state { Q_OPEN, Q_ASKED, Q_ANSWERED, Q_REFUSED };

struct question {
    struct plan_fetch *f;
    enum question_state state;
    const struct kube_kind *kind;
    char *ns, *name, *labels; /* name NULL: a list */
    struct strlist texts;     /* one object, or the list's */
    struct kube_call *call;
};

/* How often single objects of a kind were asked for. */
struct tally {
    size_t names;
    struct question *all; /* its list, once there are many */
    bool spread;          /* the list's objects are answers now */
};

struct plan_fetch {
    struct target *t;
    struct map questions;    /* key -> struct question */
    struct map tallies;      /* "resource.group" -> struct tally */
    bool bulk;               /* list what is asked for often */
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
    map_release(&f->tallies, free);
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
plan_fetch_bulk(struct plan_fetch *f)
{
    f->bulk = true;
}

/* ---- questions ---- */

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

static void
key_of(struct buf *key, const struct kube_kind *kind, const char *ns,
       const char *name, const char *labels)
{
    buf_printf(key, "%s/%s/%s/%s?%s", kind->gvr.group, kind->gvr.resource,
               kind->namespaced && ns ? ns : "", name ? name : "",
               labels ? labels : "");
}

static struct question *
find_question(const struct plan_fetch *f, const struct kube_kind *kind,
              const char *ns, const char *name)
{
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);

    key_of(&key, kind, ns, name, NULL);
    return map_get(&f->questions, buf_view(&key));
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
    key_of(&key, kind, ns, name, selector);
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

/* ---- many of a kind ---- */

static bool is_answered(const struct question *q);

static struct tally *
tally_of(struct plan_fetch *f, const struct kube_kind *kind)
{
    AUTO(buf_release) struct buf key = BUF_INIT(1024);
    struct tally *t;

    kube_gvr_name(&kind->gvr, &key);
    t = map_get(&f->tallies, buf_view(&key));
    if (!t) {
        t = mem_zalloc(1, sizeof(*t));
        map_put(&f->tallies, buf_view(&key), t);
    }
    return t;
}

/* Each object of a list becomes the answer to its name. */
static void
spread(struct plan_fetch *f, struct tally *t)
{
    for (size_t i = 0; i < t->all->texts.n; i++) {
        struct str text = str_of(t->all->texts.v[i]);
        AUTO(json_free_ptr) struct json *j = json_parse(text, NULL, NULL);
        const struct json *meta = json_get(j, "metadata");
        struct question *q =
            ask(f, t->all->kind, json_get_string(meta, "namespace"),
                json_string_or(json_get(meta, "name"), ""), NULL);

        if (q && q->state == Q_OPEN) {
            q->state = Q_ANSWERED;
            f->open--;
            strlist_add(&q->texts, text);
        }
    }
    t->spread = true;
}

/* True when all objects of the kind are here: what has no answer is not
 * there. */
static bool
knows_all(struct plan_fetch *f, const struct kube_kind *kind)
{
    struct tally *t = f->bulk ? tally_of(f, kind) : NULL;

    if (!t || strcmp(kind->kind, "Secret") == 0)
        return false;
    if (++t->names > NAMES_MAX && !t->all)
        t->all = ask(f, kind, NULL, NULL, NULL);
    if (is_answered(t->all) && !t->spread)
        spread(f, t);
    return t->spread;
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
    bool all = knows_all(f, k);
    struct question *q =
        all ? find_question(f, k, ns, name) : ask(f, k, ns, name, NULL);

    *known = all || is_answered(q);
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

const struct kube_kind *
plan_fetch_kind(const struct plan_fetch *f, const char *api_version,
                const char *kind)
{
    return kind_of(f, api_version, kind);
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

static size_t
at_once(const struct plan_fetch *f)
{
    static const char *const here[] = {
        "https://127.0.0.1:", "https://[::1]:", "https://localhost:"};
    struct str server = str_of(kube_client_access(f->t->client)->server);

    for (size_t i = 0; i < ARRAY_LEN(here); i++) {
        if (str_starts(server, str_of(here[i])))
            return AT_ONCE_HERE;
    }
    return AT_ONCE;
}

static bool
start_some(struct plan_fetch *f, struct error *err)
{
    while (f->next < f->queue_n && f->asked < at_once(f)) {
        struct question *q = f->queue[f->next++];

        /* A list may have answered it by now. */
        if (q->state == Q_OPEN && !start(q, err))
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
        else
            assert(f->next < f->queue_n || !f->open);
    }
    return true;
}

/* ---- pages ---- */

struct page {
    mesh_body_fn *fn;
    void *arg;
};

static bool
on_page_item(void *arg, struct str item)
{
    const struct page *p = arg;

    return p->fn(p->arg, item);
}

bool
plan_fetch_page(struct plan_fetch *f, const struct kube_kind *kind,
                struct buf *token, mesh_body_fn *fn, void *arg,
                int64_t *remaining, struct error *err)
{
    AUTO(buf_release) struct buf path = BUF_INIT(BUF_TEXT_MAX);
    AUTO(kube_answer_release) struct kube_answer answer = {0};
    AUTO(json_free_ptr) struct json *rest = NULL;
    struct kube_request r = {.verb = KUBE_RAW_GET};
    struct page p = {fn, arg};
    const struct json *meta;

    if (!kube_gvr_path(&kind->gvr, NULL, NULL, NULL, &path, err))
        return false;
    buf_printf(&path, "?limit=%d", PAGE);
    if (token->n)
        kube_query_add(&path, "continue", buf_view(token));
    r.path = buf_cstr(&path);
    f->requests++;
    if (!kube_client_wait(f->t->client, &r, &answer, err) ||
        !json_each_item(str_n(answer.body, answer.body_n), "items",
                        on_page_item, &p, &rest, err))
        return false;
    meta = json_get(rest, "metadata");
    buf_reset(token);
    buf_puts(token, json_string_or(json_get(meta, "continue"), ""));
    *remaining = json_int64_or(json_get(meta, "remainingItemCount"), 0);
    return true;
}
