/*
 * The lines of a watch, into a store, whole and as rows of Tables; the same
 * bytes as a list, in pieces. What is checked: a line that is JSON is
 * never called broken; what is kept of a JSON object is JSON; the store stays
 * sorted; changes and counts agree.
 * covers: lib/kube/skim.c lib/kube/store.c lib/kube/items.c */
#include <stdlib.h>

#include "lib/base/json.h"

#include "lib/kube/items.h"
#include "lib/kube/skim.h"
#include "lib/kube/store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_store(struct kube_store *s)
{
    size_t bytes = 0;

    for (size_t i = 0; kube_store_at(s, i); i++) {
        const struct kube_object *o = kube_store_at(s, i);
        const struct kube_object *next = kube_store_at(s, i + 1);

        bytes += o->body.n;
        if (!o->name.n || o->body.s[o->body.n] || o->name.s[o->name.n])
            abort();
        if (next &&
            (str_cmp(o->ns, next->ns) > 0 ||
             (str_eq(o->ns, next->ns) && str_cmp(o->name, next->name) >= 0)))
            abort();
        if (kube_store_lower(s, o->ns, o->name) != i)
            abort();
    }
    if (bytes > s->bytes)
        abort();
}

static void
check_object(struct kube_store *s, struct str object)
{
    struct json *tree = json_parse(object, NULL, NULL), *kept;
    struct kube_skim skim;
    struct error err = {0};
    const struct kube_object *o;
    bool fresh;

    arena_reset(s->scratch);
    if (!kube_skim_object(object, s->scratch, &skim, &err)) {
        if (json_is(tree, JSON_OBJECT))
            abort();
        json_free(tree);
        return;
    }
    /* An equal version is not taken again, so look at what is new only. */
    o = kube_store_at(s, kube_store_lower(s, skim.o.ns, skim.o.name));
    fresh = !o || !str_eq(o->name, skim.o.name) ||
            !str_eq(o->version, skim.o.version);
    if (kube_store_put(s, object, NULL, &err) && tree && fresh) {
        o = kube_store_at(s, kube_store_lower(s, skim.o.ns, skim.o.name));
        kept = o ? json_parse(o->body, NULL, NULL) : NULL;
        if (!kept)
            abort();
        json_free(kept);
    }
    json_free(tree);
}

/* ---- rows and lists ---- */

static bool
on_item(void *arg, struct str item)
{
    struct kube_store *s = arg;

    if (!item.n || item.s[0] != '{')
        abort();
    kube_store_put(s, item, NULL, NULL);
    return true;
}

/* What a list is taken to be must not depend on how it comes. */
static bool
feed_list(struct str text, const char *key, enum kube_form form, size_t piece,
          size_t *n)
{
    struct kube_items items;
    struct kube_store s;
    struct str rest;
    bool ok = true;

    kube_store_init(&s, 20, form);
    kube_items_init(&items, key, 4096, 4096, on_item, &s);
    while (ok && text.n) {
        ok = kube_items_feed(&items, str_sub(text, 0, piece), NULL);
        text = str_from(text, MIN(piece, text.n));
    }
    ok = ok && kube_items_end(&items, &rest, NULL);
    *n = s.n;
    check_store(&s);
    kube_items_release(&items);
    kube_store_release(&s);
    return ok;
}

static void
check_list(struct str text, const char *key, enum kube_form form)
{
    size_t a, b;
    bool whole = feed_list(text, key, form, SIZE_MAX / 2, &a);
    bool pieces = feed_list(text, key, form, 3, &b);

    if (whole != pieces || (whole && a != b))
        abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_n((const char *)data, size), line, type, object;
    struct kube_change changes[8];
    struct kube_store s;
    size_t n;

    check_list(rest, "items", KUBE_FULL);
    check_list(rest, "rows", KUBE_TABLE);
    kube_store_init(&s, 20, size % 3 ? KUBE_FULL : KUBE_TABLE);
    while (str_next(&rest, '\n', &line)) {
        if (!kube_skim_event(line, &type, &object, NULL))
            continue;
        if (str_eq(type, STR("DELETED")))
            kube_store_del(&s, object, NULL, NULL);
        else if (str_eq(type, STR("BOOKMARK")))
            kube_store_begin(&s);
        else if (str_eq(type, STR("ERROR")))
            kube_store_sweep(&s);
        else if (s.form == KUBE_TABLE)
            check_list(object, "rows", KUBE_TABLE);
        else
            check_object(&s, object);
        check_store(&s);
        if (str_eq(type, STR("BOOKMARK"))) {
            n = kube_store_take(&s, changes, ARRAY_LEN(changes));
            kube_store_drop(changes, n);
        }
    }
    kube_store_release(&s);
    return 0;
}
