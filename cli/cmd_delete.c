/* meshtop delete: objects and what is composed below them, by a plan. */
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "lib/kube/cache.h"

#include "lib/mesh/live.h"

#include "cli/ask.h"
#include "cli/commands.h"
#include "cli/objects.h"
#include "cli/plan_text.h"

#define SYNC_MS 20000
#define GONE_MS 60000

/* What is to go, in the order of deletion. */
struct victims {
    struct object *v;
    size_t n, cap;
};

static void
victims_release(struct victims *w)
{
    for (size_t i = 0; i < w->n; i++)
        object_release(&w->v[i]);
    free(w->v);
}

static struct object *
victims_add(struct victims *w)
{
    w->v = mem_grow(w->v, &w->cap, w->n + 1, sizeof(*w->v));
    w->v[w->n] = (struct object){0};
    return &w->v[w->n++];
}

static bool
collect_files(struct target *t, const struct args *a, struct victims *w,
              struct error *err)
{
    AUTO(manifest_release) struct manifest_set set = {0};

    if (!objects_load(a, &set, err))
        return false;
    for (size_t i = set.n; i-- > 0;) {
        struct object o;
        struct error why = {0};

        if (object_of(t, a, &set.v[i], &o, &why)) {
            *victims_add(w) = o;
        } else if (why.code != ERR_NOT_FOUND) {
            *err = why;
            return false;
        } else {
            fprintf(stderr, "meshtop: %s: %s\n", set.v[i].source, why.msg);
        }
    }
    return w->n > 0 ||
           error_set(err, ERR_NOT_FOUND, "none of these objects is there");
}

static bool
collect(struct target *t, const struct args *a, struct victims *w,
        struct error *err)
{
    struct object o;

    if (args_has(a, "filename"))
        return args_word(a, 0)
                   ? error_set(err, ERR_USAGE, "either names or -f, not both")
                   : collect_files(t, a, w, err);
    if (!args_word(a, 0))
        return error_set(err, ERR_USAGE, "say KIND NAME, or -f FILE");
    if (!object_find(t, a, args_word(a, 0), args_word(a, 1), &o, err))
        return false;
    *victims_add(w) = o;
    return true;
}

/* ---- the plan ---- */

/* The item of the model that stands for o; what the model does not know (no
 * kind of a mesh) is put there. */
static const struct mesh_item *
item_of(struct mesh *m, const struct object *o, struct error *err)
{
    const char *version = json_get_string(o->json, "apiVersion");
    const struct mesh_item *i =
        mesh_find(m, version, o->kind->kind, o->ns, o->name);

    if (i && i->present)
        return i;
    if (!mesh_put_json(m, o->json, err))
        return NULL;
    return mesh_find(m, version, o->kind->kind, o->ns, o->name);
}

/* --with-products: a domain's products go before it. */
static bool
add_products(struct target *t, const struct args *a, struct mesh *m,
             struct victims *w, struct error *err)
{
    size_t n = w->n;

    for (size_t d = 0; args_has(a, "with-products") && d < n; d++) {
        const struct mesh_item *i = item_of(m, &w->v[d], err);

        if (!i)
            return false;
        for (size_t p = 0; i->domain && p < i->domain->products_n; p++) {
            const struct mesh_item *product = i->domain->products[p];
            struct manifest f = {
                .api_version = product->kind->api_version,
                .kind = product->kind->kind,
                .name = product->name,
                .ns = product->ns,
                .source = (char *)"the domain",
            };
            struct object o;

            if (!object_of(t, a, &f, &o, err))
                return false;
            *victims_add(w) = o;
        }
    }
    /* Products first, the domains behind them. */
    for (size_t i = 0; i < n && w->n > n; i++) {
        struct object domain = w->v[0];

        memmove(w->v, w->v + 1, (w->n - 1) * sizeof(*w->v));
        w->v[w->n - 1] = domain;
    }
    return true;
}

static bool
make_plan(const struct args *a, struct mesh *m, const struct victims *w,
          struct arena *arena, struct mesh_plan *plan, struct error *err)
{
    struct mesh_delete_options o = {
        .with_products = args_has(a, "with-products"),
        .orphan = args_has(a, "orphan"),
    };
    const struct mesh_item **items = arena_array(arena, w->n, sizeof(*items));

    /* First all puts: they may move items. */
    for (size_t i = 0; i < w->n; i++) {
        if (!item_of(m, &w->v[i], err))
            return false;
    }
    mesh_settle(m);
    for (size_t i = 0; i < w->n; i++)
        items[i] = item_of(m, &w->v[i], err);
    mesh_plan_delete(m, items, w->n, &o, arena, plan);
    return true;
}

/* Shows what would go; false when it must not. */
static bool
show_plan(struct target *t, const struct args *a, struct victims *w,
          struct error *err)
{
    AUTO(mesh_live_free_ptr) struct mesh_live *live = NULL;
    struct mesh_live_state state;
    struct arena *arena = arena_new();
    struct mesh_plan plan;
    struct plan_style style;
    bool ok;

    kube_client_set_once(t->client, true);
    live = mesh_live_new_on(t->client, t->discovery, NULL, err);
    ok = live && mesh_live_wait(live, SYNC_MS, err);
    kube_client_set_once(t->client, false);

    if (ok) {
        mesh_live_state(live, &state);
        if (!state.live && !state.no_mesh)
            ok = error_set(err, ERR_NETWORK,
                           "the state of the mesh is not live: %s",
                           state.problem ? state.problem->msg : "stale");
    }
    ok = ok && plan_style_of(&style, a, stdout, err) &&
         add_products(t, a, mesh_live_model(live), w, err) &&
         make_plan(a, mesh_live_model(live), w, arena, &plan, err);
    if (ok) {
        plan_text(&plan, &style);
        printf("Plan: %s.\n", mesh_plan_summary(&plan));
        fflush(stdout);
        if (plan.blockers && !args_has(a, "force")) {
            ok = error_set(err, ERR_CONFLICT,
                           "%zu things stand in the way (see above)",
                           plan.blockers);
            error_remedy(err, "MT-BLOCKED",
                         "Clear them, or delete all the same with --force.");
        }
        mesh_plan_release(&plan);
    }
    arena_free(arena);
    return ok;
}

/* ---- deleting ---- */

static bool
delete_one(struct target *t, const struct args *a, const struct object *o,
           struct error *err)
{
    struct kube_request r = {
        .verb = KUBE_DELETE,
        .gvr = o->kind->gvr,
        .ns = o->ns,
        .name = o->name,
        .propagation = args_has(a, "orphan") ? KUBE_PROPAGATE_ORPHAN
                                             : KUBE_PROPAGATE_BACKGROUND,
        /* What was shown, not one of the same name made meanwhile. */
        .if_uid = json_string(json_at(o->json, "metadata", "uid", NULL)),
    };
    struct error why = {0};

    if (kube_client_wait(t->client, &r, NULL, &why) ||
        why.code == ERR_NOT_FOUND)
        return true;
    *err = why;
    return error_wrap(err, "%s/%s", o->kind->singular, o->name);
}

/* Until nobody serves it any more; finalizers may take their time. */
static bool
wait_gone(struct target *t, const struct object *o, struct error *err)
{
    AUTO(mem_free_ptr) char *only = mem_printf("metadata.name=%s", o->name);
    struct kube_cache_options options = {
        .gvr = o->kind->gvr, .ns = o->ns, .field_selector = only};
    struct kube_cache *k = kube_cache_new(t->client, &options, NULL, err);
    int64_t end = clock_mono_ms(clock_system()) + GONE_MS;
    bool ok = k && kube_cache_wait(k, GONE_MS, err);

    while (ok && kube_cache_find(k, o->ns, o->name)) {
        int64_t left = end - clock_mono_ms(clock_system());

        if (left <= 0) {
            ok = error_set(err, ERR_TIMEOUT,
                           "%s/%s is still being deleted after %d s",
                           o->kind->singular, o->name, GONE_MS / 1000);
            error_remedy(err, "MT-STILL-THERE",
                         "A finalizer holds it: \"meshtop why %s\".", o->name);
        } else {
            loop_turn(t->loop, (int)MIN(left, 1000));
        }
    }
    kube_cache_free(k);
    return ok;
}

static bool
delete_all(struct target *t, const struct args *a, const struct victims *w,
           struct error *err)
{
    for (size_t i = 0; i < w->n; i++) {
        if (!delete_one(t, a, &w->v[i], err))
            return false;
    }
    for (size_t i = 0; i < w->n; i++) {
        const struct object *o = &w->v[i];
        AUTO(buf_release) struct buf title = BUF_INIT(1024);

        if (!args_has(a, "no-wait") && !wait_gone(t, o, err))
            return false;
        objects_title(json_get_string(o->json, "apiVersion"), o->kind->kind,
                      o->name, &title);
        printf("%s deleted\n", buf_cstr(&title));
    }
    return true;
}

static bool
delete_by_plan(struct target *t, const struct args *a, struct victims *w,
               struct error *err)
{
    AUTO(mem_free_ptr) char *copy = NULL;
    AUTO(mem_free_ptr) char *word = NULL;

    if (!collect(t, a, w, err))
        return false;
    if (!show_plan(t, a, w, err))
        return false;
    /* One by its name, several by how many they are. */
    word = w->n == 1 ? mem_strdup(w->v[0].name) : mem_printf("%zu", w->n);
    if (!ask_name(a, word, err) || !objects_trash(t, w->v, w->n, &copy, err))
        return false;
    if (!delete_all(t, a, w, err))
        return false;
    printf("undo: meshtop apply -f %s\n", copy);
    return true;
}

static int
run(const struct args *a)
{
    AUTO(victims_release) struct victims w = {0};
    struct error err = {0};
    struct target t;
    bool ok = target_open(&t, a, &err);

    if (!ok)
        return command_fail(&err);
    if (kube_client_read_only(t.client)) {
        ok = error_set(&err, ERR_DENIED, "read-only: nothing is deleted");
        error_remedy(&err, "MT-READ-ONLY", "Start again without --read-only.");
    }
    ok = ok && delete_by_plan(&t, a, &w, &err);
    target_release(&t);
    return ok ? EXIT_DONE : command_fail(&err);
}

static const struct flag flags[] = {
    {"filename", 'f', "FILE", "file, folder or - (repeatable)"},
    {"yes", 'y', NULL, "delete without asking"},
    {"with-products", 0, NULL, "of a domain: its products too"},
    {"orphan", 0, NULL, "leave what is composed below"},
    {"force", 0, NULL, "though the plan says that something stands in the way"},
    {"no-wait", 0, NULL, "do not wait until it is gone"},
    {0},
};

const struct command cmd_delete = {
    .name = "delete",
    .args = "KIND NAME | -f FILE",
    .summary = "delete objects and what is composed below them",
    .help = "Shows first what would go along, who reads it, and what would be "
            "lost; asks for the\nname to be typed (--yes without a terminal). "
            "A copy of the manifests is kept in the\nprofile's trash folder.",
    .group = "Change",
    .flags = flags,
    .max_words = 2,
    .run = run,
};
