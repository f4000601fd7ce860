/*
 * V-g: a domain and a product of our own come up, and go without a trace.
 *
 * All of it lives in a namespace of its own with a label that says what it is;
 * it is removed whatever happened, products before domains before the
 * namespace. The first stop asked for ends the waiting for Ready and begins
 * the removal, only a second one ends the removal too. What a killed run left
 * behind is found by its label and removed first.
 */
#include <stdio.h>
#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/random.h"

#include "devenv/verify_group.h"

#define READY_MS 120000
#define GONE_MS  120000
#define LIFE_S   600 /* no run takes that long */
#define LABEL    "meshtop.dev/scratch"
#define UNTIL    "meshtop.dev/until" /* from then on anybody may remove it */
#define NAME_LEN 6

static const char manifests[] = "apiVersion: v1\n"
                                "kind: Namespace\n"
                                "metadata:\n"
                                "  name: %s\n"
                                "  labels: {" LABEL ": verify}\n"
                                "  annotations: {" UNTIL ": \"%s\"}\n"
                                "---\n"
                                "apiVersion: meshifi.io/v1alpha1\n"
                                "kind: DataDomain\n"
                                "metadata:\n"
                                "  name: scratch\n"
                                "  namespace: %s\n"
                                "spec:\n"
                                "  description: made by meshtop verify\n"
                                "  owner: verify@meshtop.example\n"
                                "---\n"
                                "apiVersion: meshifi.io/v1alpha1\n"
                                "kind: DataProduct\n"
                                "metadata:\n"
                                "  name: scratch-product\n"
                                "  namespace: %s\n"
                                "spec:\n"
                                "  id: scratch-product\n"
                                "  name: Scratch product\n"
                                "  description: made by meshtop verify\n"
                                "  dataDomainRef: scratch\n"
                                "  capabilities:\n"
                                "  - name: store\n"
                                "    type: storage\n";

struct scratch {
    struct verify *v;
    struct manifest_set set;
    char ns[64];
    int cleaning;        /* what the removal's waits look at */
    struct step_run run; /* of the removal */
};

/* The first stop is no reason to leave something behind, the second is. */
static void
pass_on_stop(struct scratch *s)
{
    const volatile int *asked = s->v->o->run->cancelled;

    s->cleaning = asked && *asked > 1 ? *asked : 0;
}

static int64_t
now_s(void)
{
    return clock_wall_ms(clock_system()) / 1000;
}

/* ---- looking ---- */

struct look {
    struct scratch *s;
    const struct manifest *m;
    bool gone; /* what is waited for */
    bool lost; /* nobody answers any more */
};

/* Why an object that was deleted is still there. */
static void
say_who_holds(struct scratch *s, const struct json *object)
{
    const struct json *list = json_at(object, "metadata", "finalizers", NULL);

    if (json_first(list))
        step_detail(&s->run, "%s waits for finalizer %s",
                    verify_name_of(object),
                    json_string_or(json_first(list), "?"));
    else
        step_detail(&s->run, "%s is still there", verify_name_of(object));
}

static bool
holds(void *arg)
{
    struct look *l = arg;
    struct verify *v = l->s->v;
    struct error err = {0};
    AUTO(json_free_ptr)
    struct json *j = verify_get(v, l->m->api_version, l->m->kind, l->m->ns,
                                l->m->name, &err);

    pass_on_stop(l->s);
    l->lost = !l->gone && v->dead;
    if (l->lost)
        return true;
    if (l->gone) {
        if (j)
            say_who_holds(l->s, j);
        return !j && err.code == ERR_NOT_FOUND;
    }
    for (size_t i = 0; i < 2; i++) {
        const struct json *c = env_condition(j, i ? "Ready" : "Synced");

        if (strcmp(json_string_or(json_get(c, "status"), ""), "True") == 0)
            continue;
        step_detail(v->o->run, "%s: %s", l->m->name,
                    json_string_or(json_get(c, "message"),
                                   j ? "not Ready yet" : err.msg));
        return false;
    }
    return true;
}

/* ---- making ---- */

static bool
make(struct scratch *s, struct error *err)
{
    struct verify *v = s->v;
    char until[CLOCK_RFC3339_LEN];

    clock_format(now_s() + LIFE_S, until);
    AUTO(mem_free_ptr)
    char *text = mem_printf(manifests, s->ns, until, s->ns, s->ns);
    struct manifest_apply how = {.client = v->env->client,
                                 .discovery = v->env->discovery};

    return manifest_parse(&s->set, str_of(text), "scratch", err) &&
           manifest_apply(&s->set, &how, err);
}

static void
check_ready(struct scratch *s)
{
    for (size_t i = 1; i < s->set.n; i++) {
        struct look l = {.s = s, .m = &s->set.v[i]};
        struct error why = {0};
        bool ok = step_wait(s->v->o->run, READY_MS, holds, &l, &why);

        verify_say(s->v, ok && !l.lost,
                   l.lost ? "the API does not answer" : why.msg,
                   "%s %s turns Ready", l.m->kind, l.m->name);
    }
}

/* ---- removing ---- */

static bool
remove_one(struct scratch *s, const struct manifest *m, int64_t limit_ms,
           struct error *err)
{
    struct verify *v = s->v;
    const struct kube_kind *k = kube_discovery_of(
        v->env->discovery, str_of(m->api_version), str_of(m->kind));
    struct kube_request r = {.verb = KUBE_DELETE, .name = m->name, .ns = m->ns};
    struct look l = {.s = s, .m = m, .gone = true};
    struct error why = {0};

    if (!k)
        return true;
    r.gvr = k->gvr;
    if (!kube_client_wait(v->env->client, &r, NULL, &why) &&
        why.code != ERR_NOT_FOUND) {
        *err = why;
        return false;
    }
    return step_wait(&s->run, limit_ms, holds, &l, err);
}

static void
remove_all(struct scratch *s)
{
    int64_t limit_ms = GONE_MS;

    pass_on_stop(s);
    for (size_t i = s->set.n; i-- > 0;) {
        const struct manifest *m = &s->set.v[i];
        struct error why = {0};
        bool ok = remove_one(s, m, limit_ms, &why);

        if (!ok) /* the others are deleted, but not waited for */
            limit_ms = 1;
        verify_say(s->v, ok, why.msg, "%s %s is gone after its deletion",
                   m->kind, m->name);
    }
}

/* Namespaces of runs that were killed. Nobody waits for them. */
static void
remove_stale(struct verify *v)
{
    struct kube_request r = {.gvr = {"", "v1", "namespaces"},
                             .label_selector = LABEL "=verify"};
    AUTO(json_free_ptr) struct json *list = verify_list(v, &r, NULL);

    for (const struct json *n = json_first(list); n; n = json_next(n)) {
        struct kube_request del = {
            .verb = KUBE_DELETE, .gvr = r.gvr, .name = verify_name_of(n)};
        const struct json *marks = json_at(n, "metadata", "annotations", NULL);
        int64_t until;

        if (clock_parse(str_of(json_string_or(json_get(marks, UNTIL), "")),
                        &until) &&
            until < now_s() &&
            kube_client_wait(v->env->client, &del, NULL, NULL))
            verify_note(v, "an earlier run was killed", "%s removed", del.name);
    }
}

void
verify_scratch(struct verify *v)
{
    struct scratch s = {.v = v, .run.loop = v->o->run->loop};
    char random[NAME_LEN + 1];
    struct error why = {0};

    v->subject = "scratch";
    s.run.title = "removal";
    s.run.cancelled = &s.cleaning;
    remove_stale(v);
    random_name(random, NAME_LEN);
    snprintf(s.ns, sizeof(s.ns), "meshtop-verify-%s", random);
    if (make(&s, &why))
        check_ready(&s);
    else
        verify_say(v, false, why.msg, "%s is made", s.ns);
    remove_all(&s);
    manifest_release(&s.set);
    step_run_release(&s.run);
}
