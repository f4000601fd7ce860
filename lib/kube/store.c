#include "lib/kube/store.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/kube/skim.h"

#define QUEUE_KEEP 4096

/* One piece of memory: this, the texts each with a NUL, the body. */
struct kube_box {
    struct kube_object o; /* first: a change points at it */
    unsigned epoch;
    size_t pending; /* index of its change in the queue + 1, or 0 */
    size_t size;
};

void
kube_store_init(struct kube_store *s, size_t max, enum kube_form form)
{
    *s = (struct kube_store){.max = max, .scratch = arena_new(), .form = form};
}

void
kube_store_release(struct kube_store *s)
{
    for (size_t i = 0; i < s->n; i++)
        free(s->v[i]);
    for (size_t i = 0; i < s->queued; i++) {
        if (s->queue[i].box && s->queue[i].type == KUBE_DELETED)
            free(s->queue[i].box);
    }
    free(s->v);
    free(s->queue);
    arena_free(s->scratch);
    *s = (struct kube_store){0};
}

/* ---- boxes ---- */

static struct str
keep(char **at, struct str s)
{
    char *to = *at;

    if (s.n)
        memcpy(to, s.s, s.n);
    to[s.n] = '\0';
    *at = to + s.n + 1;
    return str_n(to, s.n);
}

static struct str
keep_body(char *at, struct str text, const struct kube_skim *skim)
{
    size_t from = 0, n = 0;

    for (size_t i = 0; i <= skim->cuts; i++) {
        size_t to = i < skim->cuts ? skim->cut[i].start : text.n;

        memcpy(at + n, text.s + from, to - from);
        n += to - from;
        from = i < skim->cuts ? skim->cut[i].end : to;
    }
    at[n] = '\0';
    return str_n(at, n);
}

static struct kube_box *
box_new(struct str text, const struct kube_skim *skim)
{
    const struct kube_object *o = &skim->o;
    size_t size = sizeof(struct kube_box) + text.n + 1;
    struct kube_box *b;
    char *at;

    size += o->ns.n + o->name.n + o->uid.n + o->version.n + o->owner.n +
            o->ready.reason.n + o->synced.reason.n + 7;
    for (size_t i = 0; i < skim->cuts; i++)
        size -= skim->cut[i].end - skim->cut[i].start;
    b = mem_alloc(size);
    *b = (struct kube_box){.o = *o, .size = size};
    at = (char *)(b + 1);
    b->o.ns = keep(&at, o->ns);
    b->o.name = keep(&at, o->name);
    b->o.uid = keep(&at, o->uid);
    b->o.version = keep(&at, o->version);
    b->o.owner = keep(&at, o->owner);
    b->o.ready.reason = keep(&at, o->ready.reason);
    b->o.synced.reason = keep(&at, o->synced.reason);
    b->o.body = keep_body(at, text, skim);
    return b;
}

/* ---- the queue ---- */

static void
push(struct kube_store *s, enum kube_change_type type, struct kube_box *b)
{
    s->queue =
        mem_grow(s->queue, &s->queue_cap, s->queued + 1, sizeof(*s->queue));
    s->queue[s->queued++] = (struct kube_pending){type, b};
    b->pending = s->queued;
}

static void
queue_replaced(struct kube_store *s, struct kube_box *old,
               struct kube_box *fresh)
{
    if (old->pending) {
        /* ADDED stays ADDED, MODIFIED stays MODIFIED. */
        s->queue[old->pending - 1].box = fresh;
        fresh->pending = old->pending;
    } else {
        push(s, KUBE_MODIFIED, fresh);
    }
    s->bytes -= old->size;
    free(old);
}

/* b has left the vector. */
static void
queue_deleted(struct kube_store *s, struct kube_box *b)
{
    s->bytes -= b->size;
    if (!b->pending) {
        push(s, KUBE_DELETED, b);
    } else if (s->queue[b->pending - 1].type == KUBE_ADDED) {
        s->queue[b->pending - 1].box = NULL;
        free(b);
    } else {
        s->queue[b->pending - 1].type = KUBE_DELETED;
    }
}

size_t
kube_store_take(struct kube_store *s, struct kube_change *out, size_t max)
{
    size_t used = 0, n = 0;

    for (; used < s->queued && n < max; used++) {
        struct kube_pending *p = &s->queue[used];

        if (!p->box)
            continue;
        p->box->pending = 0;
        out[n++] = (struct kube_change){p->type, &p->box->o};
    }
    if (s->queued > used)
        memmove(s->queue, s->queue + used,
                (s->queued - used) * sizeof(*s->queue));
    s->queued -= used;
    /* The first list of a kind queued them all. */
    if (!s->queued && s->queue_cap > QUEUE_KEEP) {
        free(s->queue);
        s->queue = NULL;
        s->queue_cap = 0;
    }
    for (size_t i = 0; i < s->queued; i++) {
        if (s->queue[i].box)
            s->queue[i].box->pending = i + 1;
    }
    return n;
}

void
kube_store_drop(struct kube_change *v, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (v[i].type == KUBE_DELETED)
            free((struct kube_box *)(uintptr_t)v[i].object);
    }
}

/* ---- the vector ---- */

static int
compare(const struct kube_object *o, struct str ns, struct str name)
{
    int c = str_cmp(o->ns, ns);

    return c ? c : str_cmp(o->name, name);
}

size_t
kube_store_lower(const struct kube_store *s, struct str ns, struct str name)
{
    size_t lo = 0, hi = s->n;

    /* A list comes in order: most puts append. */
    if (s->n && compare(&s->v[s->n - 1]->o, ns, name) < 0)
        return s->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;

        if (compare(&s->v[mid]->o, ns, name) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const struct kube_object *
kube_store_at(const struct kube_store *s, size_t i)
{
    return i < s->n ? &s->v[i]->o : NULL;
}

static void
insert(struct kube_store *s, size_t at, struct kube_box *b)
{
    s->v = mem_grow(s->v, &s->cap, s->n + 1, sizeof(*s->v));
    memmove(s->v + at + 1, s->v + at, (s->n - at) * sizeof(*s->v));
    s->v[at] = b;
    s->n++;
    push(s, KUBE_ADDED, b);
}

static void
take_out(struct kube_store *s, size_t at)
{
    struct kube_box *b = s->v[at];

    s->n--;
    memmove(s->v + at, s->v + at + 1, (s->n - at) * sizeof(*s->v));
    queue_deleted(s, b);
}

/* The same version of the same object; a database that was put back may use
 * a version twice, so the bytes are compared. */
static bool
is_same(const struct kube_object *o, struct str text,
        const struct kube_skim *skim)
{
    size_t from = 0, at = 0;

    if (!skim->o.version.n || !str_eq(o->version, skim->o.version))
        return false;
    for (size_t i = 0; i <= skim->cuts; i++) {
        size_t to = i < skim->cuts ? skim->cut[i].start : text.n;

        if (o->body.n - at < to - from ||
            memcmp(o->body.s + at, text.s + from, to - from) != 0)
            return false;
        at += to - from;
        from = i < skim->cuts ? skim->cut[i].end : to;
    }
    return at == o->body.n;
}

/* The position of the object; *found: it is there. */
static bool
locate(const struct kube_store *s, const struct kube_skim *skim, size_t *at,
       bool *found, struct error *err)
{
    if (!skim->o.name.n)
        return error_set(err, ERR_PARSE, "an object without a name");
    *at = kube_store_lower(s, skim->o.ns, skim->o.name);
    *found =
        *at < s->n && compare(&s->v[*at]->o, skim->o.ns, skim->o.name) == 0;
    return true;
}

bool
kube_store_put_skimmed(struct kube_store *s, struct str text,
                       const struct kube_skim *skim, struct error *err)
{
    struct kube_box *old, *fresh;
    size_t at = 0;
    bool found = false;

    if (!locate(s, skim, &at, &found, err))
        return false;
    if (found && str_eq(s->v[at]->o.uid, skim->o.uid)) {
        old = s->v[at];
        old->epoch = s->epoch;
        if (is_same(&old->o, text, skim))
            return true;
        fresh = s->v[at] = box_new(text, skim);
        queue_replaced(s, old, fresh);
    } else {
        /* One name, another uid: the old one is gone. */
        if (found)
            take_out(s, at);
        if (s->n >= s->max)
            return error_set(err, ERR_LIMIT, "more than %zu objects", s->max);
        fresh = box_new(text, skim);
        insert(s, at, fresh);
    }
    fresh->epoch = s->epoch;
    s->bytes += fresh->size;
    return true;
}

bool
kube_store_drop_skimmed(struct kube_store *s, const struct kube_skim *skim,
                        struct error *err)
{
    size_t at = 0;
    bool found = false;

    if (!locate(s, skim, &at, &found, err))
        return false;
    if (found)
        take_out(s, at);
    return true;
}

static bool
skim_text(struct kube_store *s, struct str text, struct kube_skim *skim,
          struct str *version, struct error *err)
{
    arena_reset(s->scratch);
    if (s->form == KUBE_TABLE ? !kube_skim_row(text, s->scratch, skim, err)
                              : !kube_skim_object(text, s->scratch, skim, err))
        return false;
    if (version)
        *version = skim->o.version;
    return true;
}

bool
kube_store_put(struct kube_store *s, struct str text, struct str *version,
               struct error *err)
{
    struct kube_skim skim;

    return skim_text(s, text, &skim, version, err) &&
           kube_store_put_skimmed(s, text, &skim, err);
}

bool
kube_store_del(struct kube_store *s, struct str text, struct str *version,
               struct error *err)
{
    struct kube_skim skim;

    return skim_text(s, text, &skim, version, err) &&
           kube_store_drop_skimmed(s, &skim, err);
}

void
kube_store_begin(struct kube_store *s)
{
    s->epoch++;
}

void
kube_store_sweep(struct kube_store *s)
{
    size_t n = 0;

    for (size_t i = 0; i < s->n; i++) {
        if (s->v[i]->epoch == s->epoch)
            s->v[n++] = s->v[i];
        else
            queue_deleted(s, s->v[i]);
    }
    s->n = n;
}
