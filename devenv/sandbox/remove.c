#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/builtin.h"
#include "devenv/sandbox/namespaces.h"
#include "devenv/sandbox/registry_state.h"

static bool
precondition(const struct kind *k, const struct json *obj, const char *want,
             const char *key, const char *const words[2], struct status *st)
{
    const char *have = json_string_or(json_at(obj, "metadata", key, NULL), "");
    AUTO(mem_free_ptr) char *why = NULL;

    if (!want || !strcmp(want, have))
        return true;
    why = mem_printf("the %s in the precondition (%s) does not match the %s "
                     "in record (%s). The object might have been %s",
                     words[0], want, words[0], have, words[1]);
    return status_conflict(st, k->group, k->kind, stored_name(obj), why);
}

static bool
check(const struct kind *k, const struct json *obj,
      const struct registry_delete *o, struct status *st)
{
    return precondition(k, obj, o->uid, "uid",
                        (const char *[]){"UID", "deleted and then recreated"},
                        st) &&
           precondition(k, obj, o->resource_version, "resourceVersion",
                        (const char *[]){"ResourceVersion", "modified"}, st);
}

static void
set_finalizer(struct json *meta, const char *name, bool want)
{
    struct json *list = json_get(meta, "finalizers");
    size_t i = 0;

    for (struct json *c = json_first(list); c; c = json_next(c), i++) {
        if (strcmp(json_string_or(c, ""), name) != 0)
            continue;
        if (!want)
            json_del_item(list, i);
        if (!want && !json_first(list))
            json_del(meta, "finalizers");
        return;
    }
    if (want)
        json_append(json_need_array(meta, "finalizers"), json_new_string(name));
}

static void
set_propagation(struct json *meta, enum registry_propagation p)
{
    if (p == PROPAGATE_DEFAULT)
        return;
    set_finalizer(meta, "orphan", p == PROPAGATE_ORPHAN);
    set_finalizer(meta, "foregroundDeletion", p == PROPAGATE_FOREGROUND);
}

static void
mark(struct registry *r, const struct kind *k, struct json *meta)
{
    char now[CLOCK_RFC3339_LEN];
    int64_t generation;

    registry_now(r, now);
    json_set_string(meta, "deletionTimestamp", now);
    if (k->builtin && !k->namespaced)
        return;
    json_set_int(meta, "deletionGracePeriodSeconds", 0);
    generation = json_int64_or(json_get(meta, "generation"), 0);
    if (generation > 0)
        json_set_int(meta, "generation", generation + 1);
}

/* Takes obj. */
static bool
leave(struct registry *r, const struct kind *k, struct json *obj,
      const struct registry_delete *o, struct json **left, int64_t rev,
      struct status *st)
{
    const struct builtin *b = kind_info(k)->builtin;

    if (!o->dry_run && !stored_put(r, k, obj, rev, st)) {
        json_free(obj);
        return false;
    }
    if (!o->dry_run && b && b->written)
        b->written(r, obj, obj);
    if (left)
        *left = obj;
    else
        json_free(obj);
    return true;
}

static bool
go(struct registry *r, const struct kind *k, struct json *last, bool dry,
   int64_t rev, struct status *st)
{
    const struct builtin *b = kind_info(k)->builtin;
    bool good = dry || stored_remove(r, k, last, rev, st);

    if (good && !dry && b && b->written)
        b->written(r, NULL, last);
    json_free(last);
    return good;
}

void
registry_set_guard(struct registry *r, registry_guard_fn *fn, void *arg)
{
    r->guard = fn;
    r->guard_arg = arg;
}

void
registry_set_admission(struct registry *r, registry_admit_fn *fn, void *arg)
{
    r->admit = fn;
    r->admit_arg = arg;
}

static bool
admitted(struct registry *r, const struct kind *k, const struct json *last,
         const struct registry_delete *o, struct status *st)
{
    const struct registry_attempt a = {.k = k,
                                       .operation = "DELETE",
                                       .ns = stored_ns(last),
                                       .name = stored_name(last),
                                       .who = o->who,
                                       .dry_run = o->dry_run,
                                       .old = last,
                                       .warnings = o->warnings};

    return !r->admit || r->admit(r->admit_arg, &a, st);
}

void
registry_set_gate(struct registry *r, registry_gate_fn *fn, void *arg)
{
    r->gate = fn;
    r->gate_arg = arg;
}

bool
registry_delete(struct registry *r, const struct kind *k, const char *ns,
                const char *name, const struct registry_delete *options,
                struct json **left, struct status *st)
{
    static const struct registry_delete plain = {0};
    const struct registry_delete *o = options ? options : &plain;
    const struct builtin *b = kind_info(k)->builtin;
    struct json *last, *obj, *meta;
    struct store_item it;
    int64_t rev;
    bool stays;

    if (left)
        *left = NULL;
    if (!strcmp(kind_info(k)->store_kind, "/namespaces") &&
        !namespaces_may_go(name, st))
        return false;
    if (!stored_find(r, k, ns, name, &it))
        return status_not_found(st, k->group, k->plural, name);
    rev = it.rev;
    last = stored_read(k, it.json);
    if (!check(k, last, o, st) ||
        (r->guard && !r->guard(r->guard_arg, k, last, o, st)) ||
        !admitted(r, k, last, o, st)) {
        json_free(last);
        return false;
    }
    obj = json_copy(last);
    meta = json_get(obj, "metadata");
    set_propagation(meta, o->propagation);
    if (!stored_deleting(obj))
        mark(r, k, meta);
    stays = b && b->stays && b->stays(r, obj, o->dry_run);
    if (!stays && !json_first(json_get(meta, "finalizers"))) {
        json_free(obj);
        return go(r, k, last, o->dry_run, rev, st);
    }
    if (json_equal(obj, last)) {
        json_free(last);
        if (left)
            *left = obj;
        else
            json_free(obj);
        return true;
    }
    json_free(last);
    return leave(r, k, obj, o, left, rev, st);
}
