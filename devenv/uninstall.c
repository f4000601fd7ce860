/* What install.h puts on, taken off: objects before what defines them. */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/install.h"

#define GONE_MS   180000
#define USERS_MAX 100000
#define NAMED_MAX 3
#define RANKS     4

/* Products before domains before the mesh; others in between. */
static const struct {
    const char *kind;
    unsigned rank;
} ranks[] = {{"DataProduct", 0}, {"DataDomain", 2}, {"Mesh", 3}};

static unsigned
rank_of(const char *kind)
{
    for (size_t i = 0; i < ARRAY_LEN(ranks); i++) {
        if (strcmp(ranks[i].kind, kind) == 0)
            return ranks[i].rank;
    }
    return 1;
}

/* ---- the plan ---- */

static void
drop(struct manifest_set *set, size_t i)
{
    json_free(set->v[i].object);
    free(set->v[i].source);
    memmove(&set->v[i], &set->v[i + 1], (set->n - i - 1) * sizeof(*set->v));
    set->n--;
}

static struct json *
get(struct env *e, const struct manifest *m, struct error *err)
{
    const struct kube_kind *k = kube_discovery_of(
        e->discovery, str_of(m->api_version), str_of(m->kind));
    struct kube_request r = {.name = m->name};

    if (!k) {
        error_set(err, ERR_NOT_FOUND, "the kind is not served");
        return NULL;
    }
    r.gvr = k->gvr;
    if (k->namespaced)
        r.ns = m->ns ? m->ns : "default";
    return kube_client_wait_json(e->client, &r, err);
}

/* Keeps of a set what is on the cluster and ours. */
static bool
keep_ours(struct env *e, struct manifest_set *set, struct strlist *kept,
          struct error *err)
{
    for (size_t i = 0; i < set->n;) {
        struct manifest *m = &set->v[i];
        struct error why = {0};
        AUTO(json_free_ptr) struct json *j = get(e, m, &why);

        if (!j && why.code != ERR_NOT_FOUND) {
            if (err)
                *err = why;
            return error_wrap(err, "%s/%s", m->kind, m->name);
        }
        if (j && drift_is_foreign(j))
            strlist_addf(kept, "%s/%s", m->kind, m->name);
        if (!j || drift_is_foreign(j))
            drop(set, i);
        else
            i++;
    }
    return true;
}

struct listing {
    struct uninstall_plan *plan;
    const struct kube_kind *kind;
    bool all; /* composed ones too */
};

static bool
is_composed(const struct json *object)
{
    const struct json *refs =
        json_at(object, "metadata", "ownerReferences", NULL);

    for (const struct json *r = json_first(refs); r; r = json_next(r)) {
        if (json_bool(json_get(r, "controller"), false))
            return true;
    }
    return false;
}

static bool
add_user(void *arg, struct str item)
{
    struct listing *l = arg;
    struct uninstall_plan *p = l->plan;
    AUTO(json_free_ptr) struct json *j = json_parse(item, NULL, NULL);
    const struct json *meta = json_get(j, "metadata");

    if (!l->all && is_composed(j))
        return true;
    p->users =
        mem_grow(p->users, &p->users_cap, p->users_n + 1, sizeof(*p->users));
    p->users[p->users_n++] = (struct install_object){
        .gvr = l->kind->gvr,
        .kind = mem_strdup(l->kind->kind),
        .ns = mem_strdup(json_get_string(meta, "namespace")),
        .name = mem_strdup(json_string_or(json_get(meta, "name"), "?"))};
    return p->users_n < USERS_MAX;
}

/* The kind an XRD defines, as it is served; NULL: not. */
static const struct kube_kind *
kind_of_xrd(struct env *e, const struct json *xrd)
{
    const struct json *spec = json_get(xrd, "spec");
    const struct json *versions = json_get(spec, "versions");
    const char *kind = json_string_or(json_at(spec, "names", "kind", NULL), "");

    for (const struct json *v = json_first(versions); v; v = json_next(v)) {
        AUTO(mem_free_ptr)
        char *api =
            mem_printf("%s/%s", json_string_or(json_get(spec, "group"), ""),
                       json_string_or(json_get(v, "name"), ""));
        const struct kube_kind *k =
            kube_discovery_of(e->discovery, str_of(api), str_of(kind));

        if (k)
            return k;
    }
    return NULL;
}

/* Objects of the kinds the set's XRDs define. */
static bool
add_users(struct env *e, const struct manifest_set *set, bool all,
          struct uninstall_plan *out, struct error *err)
{
    for (size_t i = 0; i < set->n; i++) {
        struct listing l = {out, kind_of_xrd(e, set->v[i].object), all};
        struct kube_request r = {0};

        if (strcmp(set->v[i].kind, "CompositeResourceDefinition") != 0 ||
            !l.kind)
            continue;
        r.gvr = l.kind->gvr;
        if (!kube_client_wait_list(e->client, &r, add_user, &l, err))
            return false;
    }
    return true;
}

/* Is the function named by a Composition that is not of the set? */
struct usage {
    const struct manifest_set *set;
    const char *function;
    bool used;
};

static bool
look_for_use(void *arg, struct str item)
{
    struct usage *u = arg;
    AUTO(json_free_ptr) struct json *j = json_parse(item, NULL, NULL);
    const struct json *steps = json_at(j, "spec", "pipeline", NULL);
    const char *name = json_string_or(json_at(j, "metadata", "name", NULL), "");

    for (size_t i = 0; i < u->set->n; i++) {
        if (strcmp(u->set->v[i].kind, "Composition") == 0 &&
            strcmp(u->set->v[i].name, name) == 0)
            return true;
    }
    for (const struct json *s = json_first(steps); s; s = json_next(s))
        u->used |=
            strcmp(json_string_or(json_at(s, "functionRef", "name", NULL), ""),
                   u->function) == 0;
    return !u->used;
}

static bool
keep_unused(struct env *e, struct uninstall_plan *p, struct error *err)
{
    struct kube_request r = {
        .gvr = {"apiextensions.crossplane.io", "v1", "compositions"}};

    for (size_t i = 0; i < p->functions.n;) {
        struct usage u = {.set = &p->set, .function = p->functions.v[i].name};

        if (!kube_client_wait_list(e->client, &r, look_for_use, &u, err))
            return false;
        if (u.used) {
            strlist_addf(&p->kept, "Function/%s (other Compositions use it)",
                         u.function);
            drop(&p->functions, i);
        } else {
            i++;
        }
    }
    return true;
}

static int
by_rank(const void *a, const void *b)
{
    const struct install_object *x = a, *y = b;
    int rank = (int)rank_of(x->kind) - (int)rank_of(y->kind);

    return rank ? rank : strcmp(x->name, y->name);
}

bool
uninstall_plan(struct env *e, const char *name, struct uninstall_plan *out,
               struct error *err)
{
    bool ok = install_name_ok(name, err) &&
              kube_discovery_wait(e->discovery, true, err);

    if (ok && !install_is_package(name))
        return example_load(&out->set, name, err) &&
               keep_ours(e, &out->set, &out->kept, err);
    ok = ok && package_load(&out->set, name, PACKAGE_XRDS, err) &&
         package_load(&out->set, name, PACKAGE_COMPOSITIONS, err) &&
         package_load(&out->functions, name, PACKAGE_FUNCTIONS, err) &&
         keep_ours(e, &out->set, &out->kept, err) &&
         keep_ours(e, &out->functions, &out->kept, err) &&
         keep_unused(e, out, err) && add_users(e, &out->set, false, out, err);
    if (ok && out->users_n)
        qsort(out->users, out->users_n, sizeof(*out->users), by_rank);
    return ok;
}

void
uninstall_plan_release(struct uninstall_plan *p)
{
    for (size_t i = 0; i < p->users_n; i++) {
        free(p->users[i].kind);
        free(p->users[i].ns);
        free(p->users[i].name);
    }
    free(p->users);
    manifest_release(&p->set);
    manifest_release(&p->functions);
    strlist_release(&p->kept);
    *p = (struct uninstall_plan){0};
}

/* ---- carrying it out ---- */

struct going {
    struct env *env;
    struct step_run *run;
    const struct manifest_set *set;     /* waited for, or */
    const struct install_object *users; /* these */
    size_t n;
    char held[512]; /* by what the first of them is held */
};

static void
say_left(struct going *g, const char *kind, const char *name, size_t left,
         const struct json *object)
{
    const struct json *list = json_at(object, "metadata", "finalizers", NULL);

    snprintf(g->held, sizeof(g->held), "%s/%s waits for finalizer %s", kind,
             name, json_string_or(json_first(list), "(none)"));
    step_detail(g->run, "%zu left, %s", left, g->held);
}

static bool
set_is_gone(void *arg)
{
    struct going *g = arg;

    for (size_t i = 0; i < g->set->n; i++) {
        const struct manifest *m = &g->set->v[i];
        struct error why = {0};
        AUTO(json_free_ptr) struct json *j = get(g->env, m, &why);

        if (j)
            say_left(g, m->kind, m->name, g->set->n - i, j);
        if (j || why.code != ERR_NOT_FOUND)
            return false;
    }
    return true;
}

static bool
users_are_gone(void *arg)
{
    struct going *g = arg;

    for (size_t i = 0; i < g->n; i++) {
        const struct install_object *o = &g->users[i];
        struct kube_request r = {.gvr = o->gvr, .ns = o->ns, .name = o->name};
        struct error why = {0};
        AUTO(json_free_ptr)
        struct json *j = kube_client_wait_json(g->env->client, &r, &why);

        if (j)
            say_left(g, o->kind, o->name, g->n - i, j);
        if (j || why.code != ERR_NOT_FOUND)
            return false;
    }
    return true;
}

static bool
wait_gone(struct going *g, bool (*gone)(void *arg), struct error *err)
{
    struct error why = {0};

    if (step_wait(g->run, GONE_MS, gone, g, &why))
        return true;
    if (why.code == ERR_TIMEOUT && *g->held) {
        error_set(&why, ERR_TIMEOUT, "%s after %d s", g->held, GONE_MS / 1000);
        error_remedy(&why, "MT-STUCK-FINALIZER",
                     "Is the controller running that serves it? \"meshtop why "
                     "NAME\" says more.");
    }
    if (err)
        *err = why;
    return false;
}

/* Rank by rank: what reads others goes before them. */
static bool
delete_users(struct going *g, const struct install_object *v, size_t n,
             struct error *err)
{
    for (unsigned rank = 0; rank < RANKS; rank++) {
        g->users = NULL;
        g->n = 0;
        for (size_t i = 0; i < n; i++) {
            struct kube_request r = {.verb = KUBE_DELETE,
                                     .gvr = v[i].gvr,
                                     .ns = v[i].ns,
                                     .name = v[i].name};
            struct error why = {0};

            if (rank_of(v[i].kind) != rank)
                continue;
            g->users = g->users ? g->users : &v[i];
            g->n++;
            if (kube_client_wait(g->env->client, &r, NULL, &why) ||
                why.code == ERR_NOT_FOUND)
                continue;
            if (err)
                *err = why;
            return error_wrap(err, "%s/%s", v[i].kind, v[i].name);
        }
        if (g->n && !wait_gone(g, users_are_gone, err))
            return false;
    }
    return true;
}

/* What the deleted ones composed goes by garbage collection. */
static bool
wait_for_composed(struct going *g, const struct manifest_set *set,
                  struct error *err)
{
    struct uninstall_plan rest = {0};
    bool ok = add_users(g->env, set, true, &rest, err);

    g->users = rest.users;
    g->n = rest.users_n;
    ok = ok && wait_gone(g, users_are_gone, err);
    uninstall_plan_release(&rest);
    return ok;
}

static bool
refuse(const struct uninstall_plan *p, struct error *err)
{
    AUTO(buf_release) struct buf names = BUF_INIT(512);

    for (size_t i = 0; i < MIN(p->users_n, NAMED_MAX); i++)
        buf_printf(&names, "%s%s/%s", i ? ", " : "", p->users[i].kind,
                   p->users[i].name);
    error_set(err, ERR_CONFLICT, "%zu objects of its kinds still exist: %s%s",
              p->users_n, buf_cstr(&names),
              p->users_n > NAMED_MAX ? ", ..." : "");
    error_remedy(err, "MT-PACKAGE-IN-USE",
                 "Delete them first (meshtop examples rm NAME, meshtop "
                 "delete), or --force deletes them too.");
    return false;
}

bool
uninstall_run(struct env *e, const char *name, const struct uninstall_plan *p,
              bool force, struct step_run *run, struct error *err)
{
    struct manifest_apply how = {.client = e->client,
                                 .discovery = e->discovery};
    struct going g = {.env = e, .run = run, .set = &p->set};

    if (p->users_n && !force)
        return refuse(p, err);
    bool ok = delete_users(&g, p->users, p->users_n, err) &&
              wait_for_composed(&g, &p->set, err) &&
              manifest_delete(&p->set, &how, err) &&
              wait_gone(&g, set_is_gone, err);

    g.set = &p->functions;
    ok = ok && manifest_delete(&p->functions, &how, err) &&
         wait_gone(&g, set_is_gone, err);
    ok = ok && (!install_is_package(name) || package_disallow(e, name, err));
    if (!ok || e->profile.lock_fd < 0)
        return ok;
    profile_forget(&e->profile.packages, name);
    profile_forget(&e->profile.examples, name);
    return profile_save(&e->profile, err);
}
