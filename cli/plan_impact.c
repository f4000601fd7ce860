#include "cli/plan_impact.h"

#include <stdlib.h>
#include <unistd.h>

#include "lib/base/mem.h"

#include "lib/compose/xrd.h"

#include "cli/plan_json.h"
#include "cli/progress.h"

#define CHUNK 64

bool
plan_impact_depth_of(const struct args *a, enum plan_impact_depth *out,
                     struct error *err)
{
    static const char *const words[] = {[PLAN_IMPACT_SUMMARY] = "summary",
                                        [PLAN_IMPACT_FULL] = "full",
                                        [PLAN_IMPACT_NONE] = "none"};
    const char *word = args_get(a, "impact", words[PLAN_IMPACT_SUMMARY]);

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strcmp(words[i], word) == 0) {
            *out = (enum plan_impact_depth)i;
            return true;
        }
    }
    return error_set(err, ERR_USAGE,
                     "--impact %s: there are summary, full and none", word);
}

/* ---- which kinds ---- */

static void
add_kind(struct plan_impact *p, const char *api_version, const char *kind)
{
    AUTO(mem_free_ptr) char *text = mem_printf("%s %s", api_version, kind);

    if (!strlist_has(&p->kinds, str_of(text)))
        strlist_add(&p->kinds, str_of(text));
}

static void
add_xrd(struct plan_impact *p, const struct json *xrd)
{
    const struct json *spec = json_get(xrd, "spec");
    const char *version = xrd_referenceable(xrd);
    AUTO(mem_free_ptr)
    char *api = mem_printf("%s/%s", json_get_text(spec, "group"),
                           version ? version : "");

    add_kind(p, api, json_get_text(json_get(spec, "names"), "kind"));
}

/* What the plans change that composites are made by. */
static void
find_kinds(struct plan_impact *p)
{
    for (size_t i = 0; i < p->run->n; i++) {
        const struct mesh_plan *plan = &p->run->docs[i].plan;
        const struct mesh_plan_item *root = plan->items;
        const struct json *type =
            json_at(root->object, "spec", "compositeTypeRef", NULL);
        bool xrd = strcmp(root->kind, "CompositeResourceDefinition") == 0;
        bool composition = strcmp(root->kind, "Composition") == 0;

        if (root->sign == MESH_KEEP || (!xrd && !composition))
            continue;
        if (xrd)
            add_xrd(p, root->object);
        else
            add_kind(p, json_get_text(type, "apiVersion"),
                     json_get_text(type, "kind"));
        strlist_addf(&p->because, "%s %s", root->kind, root->name);
    }
}

/* ---- looking ---- */

/* A part of the composites, on its way. */
struct chunk {
    struct plan_impact *p;
    struct strlist texts;
    const char *api_version, *kind;
    struct step_run *run;
    int64_t total; /* as far as known */
    struct error *err;
    bool failed;
};

static void
note_one(struct plan_impact *p, const struct json *xr,
         const struct mesh_impact_one *one)
{
    const struct json *meta = json_get(xr, "metadata");
    struct json *j;

    if (!p->composites || !(one->changed || one->failing || one->refused))
        return;
    j = json_append(p->composites, json_new_object());
    json_set_string(j, "apiVersion", json_get_text(xr, "apiVersion"));
    json_set_string(j, "kind", json_get_text(xr, "kind"));
    if (json_get(meta, "namespace"))
        json_set_string(j, "namespace", json_get_text(meta, "namespace"));
    json_set_string(j, "name", json_get_text(meta, "name"));
    json_set_int(j, "add", (int64_t)one->add);
    json_set_int(j, "change", (int64_t)one->change);
    json_set_int(j, "replace", (int64_t)one->replace);
    json_set_int(j, "destroy", (int64_t)one->destroy);
    json_set_bool(j, "failing", one->failing);
    json_set_bool(j, "refused", one->refused);
}

/* False: something must be fetched first. */
static bool
look_at(struct chunk *c, struct str text)
{
    AUTO(json_free_ptr) struct json *xr = json_parse(text, NULL, NULL);
    struct mesh_impact_one one;

    if (!xr)
        return true;
    if (!json_get(xr, "kind")) {
        json_set_string(xr, "apiVersion", c->api_version);
        json_set_string(xr, "kind", c->kind);
    }
    if (!mesh_impact_add(c->p->impact, xr, &one) && c->p->run->world->fetch &&
        plan_fetch_open(c->p->run->world->fetch))
        return false;
    note_one(c->p, xr, &one);
    return true;
}

static void
show(struct chunk *c)
{
    const struct mesh_impact_sum *s = mesh_impact_sum(c->p->impact);

    if (!c->run->loop)
        return;
    step_bytes(c->run, 0, 0);
    step_detail(c->run, "upgrade impact: %zu of %lld composites, %zu change",
                s->composites, (long long)MAX((int64_t)s->composites, c->total),
                s->changed);
    loop_turn(c->run->loop, 0);
}

/* Looks at the texts until nothing is missing any more. */
static bool
look_at_all(struct chunk *c)
{
    struct plan_world *w = c->p->run->world;
    bool more = true;

    while (c->texts.n && more) {
        struct strlist again = {0};

        for (size_t i = 0; i < c->texts.n && !*c->p->stop; i++) {
            if (!look_at(c, str_of(c->texts.v[i])))
                strlist_add(&again, str_of(c->texts.v[i]));
        }
        strlist_release(&c->texts);
        c->texts = again;
        show(c);
        if (*c->p->stop)
            break;
        if (!plan_world_fetch(w, &more, c->err)) {
            c->failed = true;
            break;
        }
    }
    strlist_release(&c->texts);
    return !c->failed;
}

static bool
on_text(void *arg, struct str text)
{
    struct strlist *all = arg;

    strlist_add(all, text);
    return true;
}

static bool
in_chunks(struct chunk *c, struct strlist *page)
{
    for (size_t i = 0; i < page->n && !*c->p->stop; i++) {
        strlist_add(&c->texts, str_of(page->v[i]));
        if (c->texts.n == CHUNK && !look_at_all(c))
            return false;
    }
    return look_at_all(c);
}

static bool
look_live(struct chunk *c, const struct kube_kind *kind)
{
    struct plan_fetch *f = c->p->run->world->fetch;
    AUTO(buf_release) struct buf token = BUF_INIT(1 << 20);
    int64_t remaining = 0,
            before = (int64_t)mesh_impact_sum(c->p->impact)->composites;

    do {
        AUTO(strlist_release) struct strlist page = {0};

        if (!plan_fetch_page(f, kind, &token, on_text, &page, &remaining,
                             c->err))
            return false;
        c->total = before + (int64_t)page.n + remaining;
        before += (int64_t)page.n;
        if (!in_chunks(c, &page))
            return false;
    } while (token.n && !*c->p->stop);
    return true;
}

static bool
look_at_kind(struct chunk *c)
{
    const struct plan_world *w = c->p->run->world;
    const struct kube_kind *kind;
    AUTO(strlist_release) struct strlist all = {0};

    if (w->fetch) {
        kind = plan_fetch_kind(w->fetch, c->api_version, c->kind);
        return !kind || look_live(c, kind);
    }
    w->host.each(w->host.arg, c->api_version, c->kind, NULL, NULL, on_text,
                 &all);
    return in_chunks(c, &all);
}

static bool
look_at_kinds(struct plan_impact *p, struct step_run *run, struct error *err)
{
    for (size_t i = 0; i < p->kinds.n && !*p->stop; i++) {
        struct str api, kind;

        str_cut(str_of(p->kinds.v[i]), ' ', &api, &kind);
        AUTO(mem_free_ptr) char *api_version = mem_printf("%.*s", STR_ARG(api));
        struct chunk c = {.p = p,
                          .api_version = api_version,
                          .kind = kind.s,
                          .run = run,
                          .err = err};

        if (!look_at_kind(&c))
            return error_wrap(err, "the impact on %s", kind.s);
    }
    return true;
}

/* ---- a run ---- */

/* The progress is for people who wait. */
static bool
look_shown(struct plan_impact *p, struct error *err)
{
    static const volatile int never;
    struct loop *loop = p->run->world->fetch ? p->run->world->t.loop : NULL;
    struct step_run run = {.id = "impact", .title = "upgrade impact"};
    struct progress progress;
    bool shown = loop && isatty(STDERR_FILENO);

    p->stop = &never;
    if (shown) {
        progress_open(&progress, PROGRESS_TREE, stderr, loop);
        run.loop = loop;
        run.state = STEP_RUNNING;
        run.on_change = progress_changed;
        run.arg = &progress;
        run.cancelled = p->stop = &progress.cancelled;
    }
    bool ok = look_at_kinds(p, &run, err);

    p->cancelled = *p->stop;
    if (shown) {
        progress_aside(&progress);
        progress_end(&progress);
    }
    step_run_release(&run);
    return ok;
}

bool
plan_impact_run(struct plan_impact *p, struct plan_run *r,
                enum plan_impact_depth depth, struct error *err)
{
    *p = (struct plan_impact){.run = r, .depth = depth};
    if (depth == PLAN_IMPACT_NONE)
        return true;
    find_kinds(p);
    if (!p->kinds.n)
        return true;
    if (r->world->fetch)
        plan_fetch_bulk(r->world->fetch);
    p->before = mesh_planner_new(&r->world->host);
    p->impact = mesh_impact_new(p->before, r->planner);
    p->composites = depth == PLAN_IMPACT_FULL ? json_new_array() : NULL;
    return look_shown(p, err);
}

void
plan_impact_release(struct plan_impact *p)
{
    mesh_impact_free(p->impact);
    mesh_planner_free(p->before);
    json_free(p->composites);
    strlist_release(&p->kinds);
    strlist_release(&p->because);
}
