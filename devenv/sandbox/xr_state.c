/*
 * Who looks at what: a map from an object's key to the composite resources
 * that follow it. An XR follows its composed resources and, in the low lane,
 * what its functions asked for: by name one object, by labels a whole kind.
 */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/circuit.h"
#include "devenv/sandbox/control.h"
#include "devenv/sandbox/kobj.h"

struct followers {
    struct xr_state **v;
    size_t n, cap;
};

void
xr_followers_free(void *p)
{
    struct followers *f = p;

    if (f)
        free(f->v);
    free(f);
}

void
xr_type_free(void *p)
{
    struct xr_type *t = p;

    if (!t)
        return;
    free(t->xrd);
    free(t->group);
    free(t->version);
    free(t->plural);
    free(t->api_version);
    free(t->kind);
    free(t->enforced);
    free(t->fallback);
    free(t->claim_plural);
    json_free(t->keys);
    free(t);
}

void
xr_state_free(void *p)
{
    struct xr_state *s = p;

    if (!s)
        return;
    strlist_release(&s->children);
    strlist_release(&s->wanted);
    map_release(&s->applied, free);
    circuit_free(s->circuit);
    json_free(s->asked);
    free(s->revision);
    free(s->ns);
    free(s->name);
    free(s);
}

static void
state_key(struct buf *b, const char *group, const char *plural, const char *ns,
          const char *name)
{
    buf_printf(b, "%s/%s/%s/%s", group, plural, ns, name);
}

struct xr_state *
xr_state_find(struct control *c, const char *group, const char *plural,
              const char *ns, const char *name)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    state_key(&b, group, plural, ns, name);
    return map_get(&c->states, buf_view(&b));
}

struct xr_state *
xr_state_need(struct control *c, struct xr_type *type, const char *ns,
              const char *name)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    struct xr_state *s;

    state_key(&b, type->group, type->plural, ns, name);
    s = map_get(&c->states, buf_view(&b));
    if (!s) {
        s = mem_zalloc(1, sizeof(*s));
        s->ns = mem_strdup(ns);
        s->name = mem_strdup(name);
        map_put(&c->states, buf_view(&b), s);
    }
    s->type = type;
    return s;
}

/* ---- following ---- */

static void
unfollow(struct map *m, struct strlist *keys, const struct xr_state *s)
{
    for (size_t i = 0; i < keys->n; i++) {
        struct followers *f = map_get(m, str_of(keys->v[i]));

        for (size_t k = 0; f && k < f->n; k++) {
            if (f->v[k] == s) {
                f->v[k] = f->v[--f->n];
                break;
            }
        }
        if (f && !f->n)
            xr_followers_free(map_del(m, str_of(keys->v[i])));
    }
    strlist_release(keys);
}

static void
follow(struct map *m, const struct strlist *keys, struct xr_state *s)
{
    for (size_t i = 0; i < keys->n; i++) {
        struct followers *f = map_get(m, str_of(keys->v[i]));

        if (!f) {
            f = mem_zalloc(1, sizeof(*f));
            map_put(m, str_of(keys->v[i]), f);
        }
        f->v = mem_grow(f->v, &f->cap, f->n + 1, sizeof(struct xr_state *));
        f->v[f->n++] = s;
    }
}

static bool
same(const struct strlist *a, const struct strlist *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        if (strcmp(a->v[i], b->v[i]) != 0)
            return false;
    }
    return true;
}

/* Takes fresh over. */
static void
refollow(struct map *m, struct strlist *keys, struct strlist *fresh,
         struct xr_state *s)
{
    if (same(keys, fresh)) {
        strlist_release(fresh);
        return;
    }
    unfollow(m, keys, s);
    *keys = *fresh;
    follow(m, keys, s);
}

void
xr_state_drop(struct control *c, struct xr_state *s)
{
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);

    unfollow(&c->children, &s->children, s);
    unfollow(&c->wanted, &s->wanted, s);
    state_key(&b, s->type->group, s->type->plural, s->ns, s->name);
    map_del(&c->states, buf_view(&b));
    xr_state_free(s);
}

static void
object_key(struct strlist *keys, const char *api_version, const char *kind,
           const char *ns, const char *name)
{
    strlist_addf(keys, "%.*s/%s/%s/%s",
                 STR_ARG(kobj_group(str_of(api_version))), kind, ns, name);
}

void
xr_state_follow(struct control *c, struct xr_state *s, const struct json *refs,
                const struct json *selectors)
{
    struct strlist children = {0}, wanted = {0};

    for (const struct json *r = json_first(refs); r; r = json_next(r)) {
        const char *ns = json_string_or(json_get(r, "namespace"), s->ns);

        object_key(&children, kobj_api_version(r), kobj_kind(r), ns,
                   json_string_or(json_get(r, "name"), ""));
    }
    refollow(&c->children, &s->children, &children, s);
    if (!selectors)
        return;
    for (const struct json *w = json_first(selectors); w; w = json_next(w)) {
        const char *name = json_get_string(w, "matchName");
        size_t n = wanted.n;

        /* Without a name any object of the kind may begin to match. */
        object_key(&wanted, kobj_api_version(w), kobj_kind(w),
                   name ? json_string_or(json_get(w, "namespace"), "") : "*",
                   name ? name : "*");
        for (size_t i = 0; i < n; i++) {
            if (strcmp(wanted.v[i], wanted.v[n]) == 0) {
                free(wanted.v[--wanted.n]);
                break;
            }
        }
    }
    refollow(&c->wanted, &s->wanted, &wanted, s);
}

/* What is being deleted passes: no later event would say so. */
bool
xr_state_hears(struct control *c, struct xr_state *s,
               const struct registry_event *e)
{
    AUTO(json_free_ptr) struct json *obj = NULL;
    AUTO(mem_free_ptr) char *source = NULL;

    if (!c->core_23)
        return true;
    obj = json_parse(e->text, NULL, NULL);
    if (kobj_is_deleted(obj))
        return true;
    source = *e->ns ? mem_printf("%s/%s (%s)", e->kind->kind, e->name, e->ns)
                    : mem_printf("%s/%s", e->kind->kind, e->name);
    return circuit_pass(&s->circuit, control_now_ms(c), source,
                        e->type == CHANGE_MODIFIED ? 2 : 1);
}

/* What a parent composed changes often until it is ready: the parent looks
 * when its children are done, so it waits in the low lane. */
static void
add_parents(struct control *c, const char *key, const struct registry_event *e)
{
    const struct followers *f = map_get(&c->children, str_of(key));

    for (size_t i = 0; f && i < f->n; i++) {
        struct xr_state *s = f->v[i];
        struct job j = {JOB_XR, s->type->group, s->type->plural, s->ns,
                        s->name};

        if (!xr_state_hears(c, s, e))
            continue;
        queue_add(c->queue, s->nested ? QUEUE_NORMAL : QUEUE_LOW, &j,
                  control_now_ms(c), 0);
    }
}

/* An XR costs at most a twentieth of the time for what it only reads. */
static void
add_readers(struct control *c, const char *key)
{
    const struct followers *f = map_get(&c->wanted, str_of(key));

    for (size_t i = 0; f && i < f->n; i++) {
        const struct xr_state *s = f->v[i];
        struct job j = {JOB_XR, s->type->group, s->type->plural, s->ns,
                        s->name};

        queue_add(c->queue, QUEUE_LOW, &j, control_now_ms(c), 20 * s->cost_ms);
    }
}

void
xr_state_changed(struct control *c, const struct registry_event *e)
{
    const struct kind *k = e->kind;
    AUTO(mem_free_ptr)
    char *key = mem_printf("%s/%s/%s/%s", k->group, k->kind, e->ns, e->name);
    AUTO(mem_free_ptr) char *any = mem_printf("%s/%s/*/*", k->group, k->kind);

    add_parents(c, key, e);
    add_readers(c, key);
    add_readers(c, any);
}
