#include "lib/schema/cel_value.h"
#include "lib/schema/names.h"

/*
 * k8s.io/apiserver/pkg/cel/library/authz.go: an authorizer is asked step by
 * step (authorizer.group('').resource('pods').check('get').allowed()); each
 * step is a copy of the question with one more thing said.
 */

/* Behind the definition of a value. */
struct asked {
    const struct cel_authorizer *authorizer;
    struct cel_question question;
    bool allowed; /* of a decision, as are the others */
    struct str reason, error;
};

static const struct asked *
asked(const struct cel_value *v)
{
    return v->object->definition;
}

static struct cel_value
wrap(struct arena *a, enum cel_kind kind, const struct asked *q)
{
    struct cel_object *o = arena_alloc(a, sizeof(*o));
    struct asked *copy = arena_alloc(a, sizeof(*copy));

    *copy = *q;
    o->definition = copy;
    return (struct cel_value){.kind = kind, .object = o};
}

struct cel_value
cel_of_authorizer(struct arena *a, const struct cel_authorizer *authorizer)
{
    struct asked q = {.authorizer = authorizer};

    return wrap(a, CEL_AUTHORIZER, &q);
}

struct cel_value
cel_of_check(struct arena *a, const struct cel_authorizer *authorizer,
             const struct cel_question *about)
{
    struct asked q = {.authorizer = authorizer, .question = *about};

    return wrap(a, CEL_RESOURCE_CHECK, &q);
}

struct cel_value
cel_of_lazy(struct arena *a, const struct cel_lazy *lazy)
{
    struct cel_map *m = arena_alloc(a, sizeof(*m));

    m->lazy = lazy;
    m->n = lazy->fields->n;
    m->v = arena_array(a, m->n + 1, sizeof(*m->v));
    return (struct cel_value){.kind = CEL_MAP, .map = m};
}

/* ---- steps ---- */

static struct cel_value
path(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    struct asked q = *asked(a);

    if (!cel_trim(a[1].s).n)
        return cel_error(e, "path must not be empty");
    q.question.is_path = true;
    q.question.path = a[1].s;
    return wrap(e->run->arena, CEL_PATH_CHECK, &q);
}

static struct cel_value
group(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    struct asked q = *asked(a);

    q.question.group = a[1].s;
    return wrap(e->run->arena, CEL_GROUP_CHECK, &q);
}

static struct cel_value
service_account(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    AUTO(strlist_release) struct strlist why = {0};
    struct asked q = *asked(a);

    if (!names_subdomain(a[2].s, &why))
        return cel_error(e, "Invalid service account name");
    if (!names_label(a[1].s, &why))
        return cel_error(e, "Invalid service account namespace");
    q.question.account_namespace = a[1].s;
    q.question.account_name = a[2].s;
    return wrap(e->run->arena, CEL_AUTHORIZER, &q);
}

static struct cel_value
resource(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    struct asked q = *asked(a);

    if (!cel_trim(a[1].s).n)
        return cel_error(e, "resource must not be empty");
    q.question.resource = a[1].s;
    return wrap(e->run->arena, CEL_RESOURCE_CHECK, &q);
}

/* A step that sets one text of the question. */
#define STEP(step, member)                                                     \
    static struct cel_value step(struct cel_eval *e,                           \
                                 const struct cel_value *a, UNUSED size_t n)   \
    {                                                                          \
        struct asked q = *asked(a);                                            \
                                                                               \
        q.question.member = a[1].s;                                            \
        return wrap(e->run->arena, CEL_RESOURCE_CHECK, &q);                    \
    }

STEP(subresource, subresource)
STEP(in_namespace, ns)
STEP(with_name, name)
STEP(with_fields, field_selector)
STEP(with_labels, label_selector)

static struct cel_value
check(struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    AUTO(buf_release) struct buf reason = BUF_INIT(1 << 16);
    AUTO(buf_release) struct buf error = BUF_INIT(1 << 16);
    struct asked q = *asked(a);

    q.question.verb = a[1].s;
    q.allowed =
        q.authorizer->decide(q.authorizer->arg, &q.question, &reason, &error);
    q.reason = arena_str(e->run->arena, buf_view(&reason));
    q.error = arena_str(e->run->arena, buf_view(&error));
    return wrap(e->run->arena, CEL_DECISION, &q);
}

/* ---- answers ---- */

static struct cel_value
allowed(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_bool(asked(a)->allowed);
}

static struct cel_value
errored(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_bool(asked(a)->error.n > 0);
}

static struct cel_value
reason_of(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_string(asked(a)->reason);
}

static struct cel_value
error_of(UNUSED struct cel_eval *e, const struct cel_value *a, UNUSED size_t n)
{
    return cel_of_string(asked(a)->error);
}

static const struct cel_overload rows[] = {
    {"path", "Z.s>P", path, CEL_COST_ONE},
    {"group", "Z.s>G", group, CEL_COST_ONE},
    {"serviceAccount", "Z.ss>Z", service_account, CEL_COST_ONE},
    {"resource", "G.s>R", resource, CEL_COST_ONE},
    {"subresource", "R.s>R", subresource, CEL_COST_ONE},
    {"namespace", "R.s>R", in_namespace, CEL_COST_ONE},
    {"name", "R.s>R", with_name, CEL_COST_ONE},
    {"fieldSelector", "R.s>R", with_fields, CEL_COST_ONE},
    {"labelSelector", "R.s>R", with_labels, CEL_COST_ONE},
    {"check", "P.s>D", check, CEL_COST_CHECK},
    {"check", "R.s>D", check, CEL_COST_CHECK},
    {"allowed", "D.>b", allowed, CEL_COST_ONE},
    {"errored", "D.>b", errored, CEL_COST_ONE},
    {"reason", "D.>s", reason_of, CEL_COST_ONE},
    {"error", "D.>s", error_of, CEL_COST_ONE},
};

const struct cel_library cel_authz = {rows, ARRAY_LEN(rows)};
