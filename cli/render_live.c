/*
 * The newer CLI's render: core's reconciler over objects in memory.
 *
 * What that shows, and this reproduces: names are final, the XR gets a uid made
 * of its kind and name, functions see what core would show them (label,
 * compositionRef, resourceRefs, the condition Responsive); printed is what the
 * reconciler wrote, of the XR its references and status, not its spec. All
 * objects lie in one store, so that functions can ask for observed resources
 * and credentials too, and namespaces count. Where core goes through a map,
 * this goes by name; the condition Responsive has render's fixed time.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/digest.h"
#include "lib/base/mem.h"

#include "lib/compose/conditions.h"
#include "lib/compose/merge.h"
#include "lib/compose/structpb.h"

#include "cli/render.h"

/* One render: the XR as core would have it, and what happens to it. */
struct live {
    const struct render *r;
    struct json *xr;
    struct json *events; /* Result documents */
    struct error *err;
};

static void
add_event(struct live *l, bool warning, const char *reason, const char *message)
{
    struct json *doc = json_append(l->events, render_document("Result"));

    json_set_string(doc, "message", message);
    json_set_string(doc, "reason", reason);
    json_set_string(doc, "severity", warning ? "Warning" : "Normal");
}

/* Where Crossplane's own fields of the XR are. */
static struct json *
machinery(const struct live *l, struct json *xr)
{
    struct json *spec = json_need_object(xr, "spec");

    return l->r->legacy ? spec : json_need_object(spec, "crossplane");
}

/* ---- the XR before the pipeline ---- */

/* A UUID of version 5 in the nil namespace, of "group/version, Kind=K", the
 * namespace and the name. */
static void
set_uid(struct live *l)
{
    const char *version = json_get_text(l->xr, "apiVersion");
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    uint8_t d[DIGEST_MAX];
    char text[37];

    if (*json_at_text(l->xr, "metadata", "uid"))
        return;
    buf_fill(&b, '\0', 16);
    buf_printf(&b, "%s%s, Kind=%s", strchr(version, '/') ? "" : "/", version,
               json_get_text(l->xr, "kind"));
    buf_putc(&b, '\0');
    buf_puts(&b, json_at_text(l->xr, "metadata", "namespace"));
    buf_putc(&b, '\0');
    buf_puts(&b, json_at_text(l->xr, "metadata", "name"));
    digest_of(DIGEST_SHA1, buf_view(&b), d);
    d[6] = (uint8_t)((d[6] & 0x0F) | 0x50);
    d[8] = (uint8_t)((d[8] & 0x3F) | 0x80);
    snprintf(text, sizeof(text),
             "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
             "%02x%02x%02x%02x%02x%02x",
             d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7], d[8], d[9], d[10],
             d[11], d[12], d[13], d[14], d[15]);
    json_set_string(json_need_object(l->xr, "metadata"), "uid", text);
}

static bool
is_foreign(const struct json *obj, const char *uid)
{
    const struct json *owners =
        json_at(obj, "metadata", "ownerReferences", NULL);

    for (const struct json *o = json_first(owners); o; o = json_next(o)) {
        if (json_bool(json_get(o, "controller"), false))
            return strcmp(json_get_text(o, "uid"), uid) != 0;
    }
    return false;
}

/* Observed resources that core would not take for the XR's. */
static bool
check_observed(struct live *l)
{
    const char *ns = json_at_text(l->xr, "metadata", "namespace");
    AUTO(buf_release) struct buf b = BUF_INIT(800);
    size_t n = 0;

    for (const struct json *o = json_first(l->r->observed); o;
         o = json_next(o)) {
        const char *name = json_at_text(o, "metadata", "name");

        if (is_foreign(o, json_at_text(l->xr, "metadata", "uid")))
            buf_printf(&b,
                       "%sobserved resource %s has a controller ref but is "
                       "not controlled by the XR",
                       n++ ? ", " : "", name);
        if (*ns && strcmp(json_at_text(o, "metadata", "namespace"), ns) != 0)
            buf_printf(&b,
                       "%sobserved resource %s is not in the same namespace "
                       "as the XR",
                       n++ ? ", " : "", name);
    }
    if (!n)
        return true;
    return error_set(l->err, ERR_INVALID,
                     "cannot render composite resource: invalid observed "
                     "resources: %s%s%s",
                     n > 1 ? "[" : "", buf_cstr(&b), n > 1 ? "]" : "");
}

/* References to what is observed take the place of those that are there. */
static void
set_references(struct live *l)
{
    bool cluster = !*json_at_text(l->xr, "metadata", "namespace");
    struct json *refs;

    if (!json_len(l->r->observed))
        return;
    refs = json_set(machinery(l, l->xr), "resourceRefs", json_new_array());
    for (const struct json *o = json_first(l->r->observed); o;
         o = json_next(o)) {
        struct json *ref = json_append(refs, json_new_object());

        json_set_string(ref, "apiVersion", json_get_text(o, "apiVersion"));
        json_set_string(ref, "kind", json_get_text(o, "kind"));
        json_set_string(ref, "name", json_at_text(o, "metadata", "name"));
        if (cluster && *json_at_text(o, "metadata", "namespace"))
            json_set_string(ref, "namespace",
                            json_at_text(o, "metadata", "namespace"));
    }
}

static void
select_composition(struct live *l)
{
    const char *name = json_at_text(l->r->composition, "metadata", "name");
    struct json *fields = machinery(l, l->xr);
    AUTO(mem_free_ptr)
    char *message = mem_printf("Successfully selected composition: %s", name);
    const char *before =
        json_string(json_at(fields, "compositionRef", "name", NULL));

    if (before && strcmp(before, name) == 0)
        return;
    json_set_string(json_set(fields, "compositionRef", json_new_object()),
                    "name", name);
    add_event(l, false, "SelectComposition", message);
}

static void
mark(struct json *xr, const char *type, const char *status, const char *reason,
     const char *message)
{
    const struct condition c = {
        type, status, reason, message,
        json_int64_or(json_at(xr, "metadata", "generation", NULL), 0)};

    condition_set(xr, &c, render_time());
}

/* The XR as it lies in the store, and what the reconciler adds before it
 * composes. */
static bool
prepare(struct live *l)
{
    struct json *meta = json_need_object(l->xr, "metadata");

    set_uid(l);
    json_set_string(meta, "resourceVersion", "999");
    if (!check_observed(l))
        return false;
    set_references(l);
    mark(l->xr, "Responsive", "True", "WatchCircuitClosed", NULL);
    return true;
}

static bool
is_paused(const struct live *l)
{
    return strcmp(json_string_or(json_at(l->xr, "metadata", "annotations",
                                         "crossplane.io/paused", NULL),
                                 ""),
                  "true") == 0;
}

static void
set_label(struct live *l)
{
    struct json *labels =
        json_need_object(json_get(l->xr, "metadata"), "labels");

    if (!*json_get_text(labels, COMPOSE_LABEL_COMPOSITE))
        json_set_string(labels, COMPOSE_LABEL_COMPOSITE,
                        json_at_text(l->xr, "metadata", "name"));
}

/* ---- the store ---- */

static bool
selects(const struct json *selector, const struct json *o)
{
    const char *name = json_get_string(selector, "matchName");
    const char *ns = json_get_text(selector, "namespace");
    const struct json *labels =
        json_at(selector, "matchLabels", "labels", NULL);

    if (strcmp(json_get_text(o, "kind"), json_get_text(selector, "kind")) !=
            0 ||
        strcmp(json_get_text(o, "apiVersion"),
               json_get_text(selector, "apiVersion")) != 0)
        return false;
    if ((name || *ns) &&
        strcmp(json_at_text(o, "metadata", "namespace"), ns) != 0)
        return false;
    if (name)
        return strcmp(json_at_text(o, "metadata", "name"), name) == 0;
    for (const struct json *w = json_first(labels); w; w = json_next(w)) {
        if (!json_equal(w, json_at(o, "metadata", "labels", json_key(w), NULL)))
            return false;
    }
    return true;
}

/* Of equal places the later object is the one that lies there. */
static void
find(const struct json *list, const struct json *selector, struct map *out)
{
    for (const struct json *o = json_first(list); o; o = json_next(o)) {
        AUTO(mem_free_ptr)
        char *place =
            mem_printf("%s/%s", json_at_text(o, "metadata", "namespace"),
                       json_at_text(o, "metadata", "name"));

        if (selects(selector, o))
            map_put(out, str_of(place), (void *)(uintptr_t)o);
    }
}

static bool
fetch(void *arg, const struct json *selector, struct json **items,
      struct error *err)
{
    const struct live *l = arg;
    struct map map = {0};
    struct strlist places = {0};

    (void)err;
    find(l->r->observed, selector, &map);
    find(l->r->required, selector, &map);
    find(l->r->extra, selector, &map);
    find(l->r->secrets, selector, &map);
    for (struct map_entry *e = map_first(&map); e; e = map_next(&map, e))
        strlist_add(&places, e->key);
    strlist_sort(&places);
    if (places.n || !json_get_string(selector, "matchName"))
        *items = json_new_array();
    for (size_t i = 0; i < places.n; i++)
        json_append(*items, json_copy(map_get(&map, str_of(places.v[i]))));
    strlist_release(&places);
    map_release(&map, NULL);
    return true;
}

static const struct function *
find_function(void *arg, const char *name, struct error *err)
{
    const struct live *l = arg;

    return render_function((void *)(uintptr_t)l->r, name, err);
}

/* ---- what is printed ---- */

/* Every condition gets render's time; a status without them gets a null. */
static void
stamp(struct json *obj)
{
    struct json *list;
    char now[CLOCK_RFC3339_LEN];

    if (!json_is(json_get(obj, "status"), JSON_OBJECT))
        return;
    render_type_conditions(obj);
    list = json_at(obj, "status", "conditions", NULL);
    clock_format(render_time(), now);
    for (struct json *c = json_first(list); c; c = json_next(c))
        json_set_string(c, "lastTransitionTime", now);
    if (!json_len(list))
        json_set(json_get(obj, "status"), "conditions", json_new_null());
}

/* What the reconciler wrote of the XR: its references and its status, with the
 * conditions that it had before. */
static struct json *
written(struct live *l, const struct compose_result *out)
{
    static const char *const same[] = {"name", "namespace"};
    struct json *xr = json_new_object();
    struct json *meta = json_set(xr, "metadata", json_new_object());
    const struct json *had = json_at(l->xr, "status", "conditions", NULL);

    json_set_string(xr, "apiVersion", json_get_text(l->xr, "apiVersion"));
    json_set_string(xr, "kind", json_get_text(l->xr, "kind"));
    for (size_t i = 0; i < ARRAY_LEN(same); i++) {
        if (*json_at_text(l->xr, "metadata", same[i]))
            json_set_string(meta, same[i],
                            json_at_text(l->xr, "metadata", same[i]));
    }
    json_set(machinery(l, xr), "resourceRefs",
             compose_refs(out, l->xr, l->r->mode == COMPOSE_LIVE_23));
    json_set(xr, "status",
             out->status ? json_copy(out->status) : json_new_object());
    render_type_conditions(xr);
    for (const struct json *c = json_first(had); c; c = json_next(c)) {
        const struct condition kept = {
            json_get_text(c, "type"), json_get_text(c, "status"),
            json_get_text(c, "reason"), json_get_text(c, "message"),
            json_int64_or(json_get(c, "observedGeneration"), 0)};

        condition_set(xr, &kept, render_time());
    }
    render_set_conditions(xr, out);
    mark(xr, "Synced", "True", "ReconcileSuccess", NULL);
    render_set_ready(xr, out);
    return xr;
}

/* --include-full-xr: what was written over what was given. */
static struct json *
over_input(const struct live *l, struct json *xr)
{
    static const struct merge_options all = {0};
    return merge_values(json_copy(l->r->xr), xr, &all, NULL);
}

static void
add_events(struct live *l, const struct compose_result *out)
{
    for (size_t i = 0; i < out->event_count; i++)
        add_event(l, out->events[i].warning, out->events[i].reason,
                  out->events[i].message);
    for (size_t i = 0; i < out->resource_count; i++) {
        AUTO(mem_free_ptr)
        char *message = mem_printf("Composed resource \"%s\" is not yet ready",
                                   out->resources[i].name);

        if (!out->resources[i].ready)
            add_event(l, false, "ComposeResources", message);
    }
}

static struct json *
documents(struct live *l, struct json *xr, const struct compose_result *out)
{
    struct json *docs = json_new_array(), *context;

    json_append(docs, l->r->with_full_xr ? over_input(l, xr) : xr);
    for (size_t i = 0; out && i < out->resource_count; i++)
        json_append(docs, json_copy(out->resources[i].object));
    for (struct json *d = json_first(docs); d; d = json_next(d))
        stamp(d);
    for (const struct json *e = json_first(l->events); l->r->with_results && e;
         e = json_next(e))
        json_append(docs, json_copy(e));
    if (l->r->with_context && out) {
        context = json_append(docs, render_document("Context"));
        json_set(context, "fields", json_copy(out->outcome.context));
    }
    return docs;
}

/* ---- the run ---- */

/* Core finds what exists by the references of the XR, and by this name. */
static bool
check_names(struct live *l, const struct json *observed)
{
    if (!json_get(observed, ""))
        return true;
    return error_set(l->err, ERR_INVALID,
                     "cannot get existing composed resources: encountered "
                     "composed resource without required \"%s\" annotation",
                     COMPOSE_ANNOTATION_NAME);
}

static struct json *
run(struct live *l, struct pipeline *p, char **fatal)
{
    struct compose_host host = {
        .arg = l, .function = find_function, .fetch = fetch};
    struct compose_input in = {.mode = l->r->mode,
                               .xr = l->xr,
                               .pipeline = p,
                               .observed = render_observed(l->r),
                               .host = &host};
    struct json *docs = NULL;
    struct compose_result out = {0};

    host.world.now_ns = clock_wall_ms(clock_system()) * 1000000;
    if (!check_names(l, in.observed)) {
        json_free(in.observed);
    } else {
        in.context = json_copy(l->r->context);
        if (compose(&in, &out, l->err)) {
            add_events(l, &out);
            docs = documents(l, written(l, &out), &out);
        }
    }
    if (!docs)
        error_wrap(l->err,
                   "cannot render composite resource: %scannot compose "
                   "resources",
                   out.outcome.fatal ? "" : "reconcile failed: ");
    if (out.outcome.fatal)
        *fatal = mem_printf("cannot render composite resource: cannot compose "
                            "resources: %s",
                            out.outcome.fatal);
    compose_release(&out);
    return docs;
}

struct json *
render_live(const struct render *r, struct pipeline *p, char **fatal,
            struct error *err)
{
    AUTO(json_free_ptr) struct json *xr = json_copy(r->xr);
    AUTO(json_free_ptr) struct json *events = json_new_array();
    struct live l = {r, xr, events, err};

    if (!prepare(&l))
        return NULL;
    if (is_paused(&l)) {
        structpb_numbers(xr);
        add_event(&l, false, "ReconciliationPaused",
                  "Reconciliation is paused via the pause annotation");
        mark(xr, "Synced", "False", "ReconcilePaused",
             "Reconciliation (including deletion) is paused via the pause "
             "annotation");
        return documents(&l, json_copy(xr), NULL);
    }
    select_composition(&l);
    set_label(&l);
    return run(&l, p, fatal);
}
