#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/admission.h"
#include "devenv/sandbox/identity.h"
#include "devenv/sandbox/kobj.h"

/* celconfig.RuntimeCELCostBudget: of all expressions of a policy together. */
#define BUDGET      UINT64_C(10000000)
#define MESSAGE_MAX 5120

struct running {
    const struct admission_policy *p;
    struct arena *arena;
    struct cel_value values[ADMIT_N];
    struct cel_lazy lazy;
    uint64_t spent;
};

static struct cel_value
failure(const char *text)
{
    return (struct cel_value){.kind = CEL_ERROR, .s = str_of(text)};
}

static struct cel_value
evaluate(struct running *e, const struct admission_expression *x)
{
    struct cel_run run = {.arena = e->arena};
    struct cel_value v;

    if (!x->cel)
        return failure(x->trouble);
    v = cel_eval(x->cel, e->values, &run);
    e->spent += run.cost;
    if (e->spent > BUDGET)
        return failure("validation failed due to running out of cost budget, "
                       "no further validation rules will be run");
    return v;
}

static struct cel_value
variable(void *arg, size_t i)
{
    struct running *e = arg;

    return evaluate(e, &e->p->variables[i]);
}

/* ---- what expressions see ---- */

static struct json *
resource_json(const struct kind *k, bool kind)
{
    struct json *j = json_new_object();

    json_set_string(j, "group", k->group);
    json_set_string(j, "version", k->version);
    json_set_string(j, kind ? "kind" : "resource", kind ? k->kind : k->plural);
    return j;
}

/* extra as CEL sees it: {key: [values]}. */
static struct json *
user_json(const struct identity *who)
{
    struct json *j = json_new_object(), *groups, *extra;

    json_set_string(j, "username", who->name);
    if (*who->uid)
        json_set_string(j, "uid", who->uid);
    groups = json_set(j, "groups", json_new_array());
    for (size_t i = 0; i < who->groups_n; i++)
        json_append(groups, json_new_string(who->groups[i]));
    for (const struct identity_extra *x = who->extra; x; x = x->next) {
        extra = json_need_object(j, "extra");
        json_append(json_need_array(extra, x->key), json_new_string(x->value));
    }
    return j;
}

static struct json *
request_json(const struct admission_write *w, const struct kind *as)
{
    static const char *const options[][2] = {{"CREATE", "CreateOptions"},
                                             {"UPDATE", "UpdateOptions"},
                                             {"DELETE", "DeleteOptions"}};
    const struct registry_attempt *a = w->a;
    struct json *j = json_new_object(), *o;

    json_set(j, "kind", resource_json(as, true));
    json_set(j, "resource", resource_json(as, false));
    json_set(j, "requestKind", resource_json(a->k, true));
    json_set(j, "requestResource", resource_json(a->k, false));
    if (a->sub) {
        json_set_string(j, "subResource", a->sub);
        json_set_string(j, "requestSubResource", a->sub);
    }
    json_set_string(j, "name", a->name);
    if (*a->ns)
        json_set_string(j, "namespace", a->ns);
    json_set_string(j, "operation", a->operation);
    json_set(j, "userInfo", user_json(a->who));
    json_set(j, "dryRun", json_new_bool(a->dry_run));
    o = json_set(j, "options", json_new_object());
    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if (!strcmp(options[i][0], a->operation))
            json_set_string(o, "kind", options[i][1]);
    }
    json_set_string(o, "apiVersion", "meta.k8s.io/v1");
    return j;
}

/* The object in the version that the policy speaks of; NULL: null. */
static struct json *
object_json(const struct json *obj, const struct kind *as)
{
    struct json *copy = obj ? json_copy(obj) : NULL;

    if (copy) {
        json_set_string(copy, "apiVersion", as->api_version);
        json_set_string(copy, "kind", as->kind);
    }
    return copy;
}

/* ---- conditions, validations, messages ---- */

static void
add(struct admission_decisions *out, char *text, const char *reason)
{
    if (out->n < ADMIT_DECISIONS)
        out->v[out->n++] = (struct admission_decision){text, reason};
    else
        free(text);
}

static char *
trouble_text(const struct admission_expression *x, struct cel_value v)
{
    return mem_printf("expression '%s' resulted in error: %.*s", x->source,
                      STR_ARG(v.s));
}

/* False: the policy does not speak of this write, or cannot be asked. */
static bool
conditions_hold(struct running *e, struct admission_decisions *out)
{
    AUTO(buf_release) struct buf troubles = BUF_INIT(BUF_TEXT_MAX);
    size_t n = 0;

    for (size_t i = 0; i < e->p->conditions_n; i++) {
        const struct admission_expression *x = &e->p->conditions[i];
        struct cel_value v = evaluate(e, x);

        if (v.kind == CEL_BOOL && !v.b)
            return false;
        if (v.kind != CEL_BOOL) {
            AUTO(mem_free_ptr) char *text = trouble_text(x, v);

            buf_printf(&troubles, "%s%s", n++ ? ", " : "", text);
        }
    }
    if (!n)
        return true;
    if (!e->p->ignore)
        add(out,
            n > 1 ? mem_printf("[%s]", buf_cstr(&troubles))
                  : mem_strdup(buf_cstr(&troubles)),
            NULL);
    return false;
}

/* What a message expression says, if it is fit to be shown. */
static char *
said(struct running *e, const struct admission_expression *x)
{
    struct cel_value v;
    struct str s;

    if (!x->source)
        return NULL;
    v = evaluate(e, x);
    if (v.kind != CEL_STRING)
        return NULL;
    s = str_trim(v.s);
    if (!s.n || s.n > MESSAGE_MAX || memchr(s.s, '\n', s.n))
        return NULL;
    return mem_strndup(s.s, s.n);
}

static void
validate(struct running *e, const struct admission_validation *x,
         struct admission_decisions *out)
{
    struct cel_value v = evaluate(e, &x->rule);
    struct str source = str_trim(str_of(x->rule.source));
    char *text;

    if (v.kind == CEL_BOOL && v.b)
        return;
    if (v.kind != CEL_BOOL) {
        if (!e->p->ignore)
            add(out, trouble_text(&x->rule, v), NULL);
        return;
    }
    text = said(e, &x->message);
    if (!text && x->text && *x->text)
        text = mem_strdup(x->text);
    if (!text)
        text = mem_printf("failed expression: %.*s", STR_ARG(source));
    add(out, text, x->reason);
}

static void
set_values(struct running *e, const struct admission_types *types,
           const struct cel_authorizer *authorizer,
           const struct registry_attempt *a, const struct json *const trees[4])
{
    const struct cel_question about = {.group = str_of(a->k->group),
                                       .resource = str_of(a->k->plural),
                                       .subresource =
                                           str_of(a->sub ? a->sub : ""),
                                       .ns = str_of(a->ns),
                                       .name = str_of(a->name)};

    e->values[ADMIT_OBJECT] = cel_of_json(e->arena, trees[0], NULL);
    e->values[ADMIT_OLD] = cel_of_json(e->arena, trees[1], NULL);
    e->values[ADMIT_REQUEST] = cel_of_json(e->arena, trees[2], types->request);
    e->values[ADMIT_NAMESPACE] =
        cel_of_json(e->arena, trees[3], types->namespace_object);
    e->values[ADMIT_VARIABLES] = cel_of_lazy(e->arena, &e->lazy);
    e->values[ADMIT_AUTHORIZER] = cel_of_authorizer(e->arena, authorizer);
    e->values[ADMIT_CHECK] = cel_of_check(e->arena, authorizer, &about);
}

void
admission_run(const struct admission_policy *p,
              const struct admission_types *types,
              const struct admission_write *w, const struct kind *as,
              const struct json *params,
              const struct cel_authorizer *authorizer,
              struct admission_decisions *out)
{
    AUTO(arena_free_ptr) struct arena *arena = arena_new();
    AUTO(json_free_ptr) struct json *obj = object_json(w->a->obj, as);
    AUTO(json_free_ptr) struct json *old = object_json(w->a->old, as);
    AUTO(json_free_ptr) struct json *request = request_json(w, as);
    struct running e = {.p = p, .arena = arena};

    e.lazy = (struct cel_lazy){&p->fields, variable, &e};
    set_values(&e, types, authorizer, w->a,
               (const struct json *const[]){obj, old, request, w->space});
    e.values[ADMIT_PARAMS] = cel_of_json(arena, params, NULL);
    if (!conditions_hold(&e, out))
        return;
    for (size_t i = 0; i < p->validations_n; i++)
        validate(&e, &p->validations[i], out);
}

void
admission_decisions_release(struct admission_decisions *d)
{
    for (size_t i = 0; i < d->n; i++)
        free(d->v[i].text);
    d->n = 0;
}
