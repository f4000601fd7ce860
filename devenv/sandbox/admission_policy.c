#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/sandbox/admission.h"

/* ---- the types of what expressions see ---- */

/* apiserver pkg/admission/plugin/cel: BuildRequestType, BuildNamespaceType. */
static const char types_text[] =
    "{\"type\":\"object\",\"properties\":{\"request\":{\"type\":\"object\","
    "\"properties\":{"
    "\"kind\":{\"type\":\"object\",\"properties\":{\"group\":{\"type\":"
    "\"string\"},\"version\":{\"type\":\"string\"},\"kind\":{\"type\":"
    "\"string\"}}},"
    "\"resource\":{\"type\":\"object\",\"properties\":{\"group\":{\"type\":"
    "\"string\"},\"version\":{\"type\":\"string\"},\"resource\":{\"type\":"
    "\"string\"}}},"
    "\"subResource\":{\"type\":\"string\"},"
    "\"requestKind\":{\"type\":\"object\",\"properties\":{\"group\":{\"type\":"
    "\"string\"},\"version\":{\"type\":\"string\"},\"kind\":{\"type\":"
    "\"string\"}}},"
    "\"requestResource\":{\"type\":\"object\",\"properties\":{\"group\":{"
    "\"type\":\"string\"},\"version\":{\"type\":\"string\"},\"resource\":{"
    "\"type\":\"string\"}}},"
    "\"requestSubResource\":{\"type\":\"string\"},"
    "\"name\":{\"type\":\"string\"},\"namespace\":{\"type\":\"string\"},"
    "\"operation\":{\"type\":\"string\"},"
    "\"userInfo\":{\"type\":\"object\",\"properties\":{\"username\":{\"type\":"
    "\"string\"},\"uid\":{\"type\":\"string\"},\"groups\":{\"type\":\"array\","
    "\"items\":{\"type\":\"string\"}},\"extra\":{\"type\":\"object\","
    "\"additionalProperties\":{\"type\":\"array\",\"items\":{\"type\":"
    "\"string\"}}}}},"
    "\"dryRun\":{\"type\":\"boolean\"},"
    "\"options\":{\"type\":\"object\","
    "\"x-kubernetes-preserve-unknown-fields\":true}}},"
    "\"namespaceObject\":{\"type\":\"object\",\"properties\":{"
    "\"metadata\":{\"type\":\"object\",\"properties\":{"
    "\"name\":{\"type\":\"string\"},\"generateName\":{\"type\":\"string\"},"
    "\"namespace\":{\"type\":\"string\"},\"labels\":{\"type\":\"object\","
    "\"additionalProperties\":{\"type\":\"string\"}},\"annotations\":{"
    "\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}},"
    "\"UID\":{\"type\":\"string\"},\"creationTimestamp\":{\"type\":\"string\","
    "\"format\":\"date-time\"},\"deletionGracePeriodSeconds\":{\"type\":"
    "\"integer\"},\"deletionTimestamp\":{\"type\":\"string\",\"format\":"
    "\"date-time\"},\"generation\":{\"type\":\"integer\"},"
    "\"resourceVersion\":{\"type\":\"string\"},\"finalizers\":{\"type\":"
    "\"array\",\"items\":{\"type\":\"string\"}}}},"
    "\"spec\":{\"type\":\"object\",\"properties\":{\"finalizers\":{\"type\":"
    "\"array\",\"items\":{\"type\":\"string\"}}}},"
    "\"status\":{\"type\":\"object\",\"properties\":{\"phase\":{\"type\":"
    "\"string\"}}}}}}}";

void
admission_types_init(struct admission_types *t)
{
    AUTO(json_free_ptr)
    struct json *j = json_parse(str_of(types_text), NULL, NULL);
    AUTO(schema_findings_release) struct schema_findings problems = {0};

    t->root = schema_compile(j, "", &problems, NULL);
    t->request = schema_at(t->root, "request", NULL);
    t->namespace_object = schema_at(t->root, "namespaceObject", NULL);
}

void
admission_types_release(struct admission_types *t)
{
    schema_free(t->root);
    *t = (struct admission_types){0};
}

/* ---- a policy ---- */

struct compiling {
    const struct admission_types *types;
    struct admission_policy *p;
};

/* Which variables there are depends on who asks: messages and variables see no
 * authorizer, and params are there only where the policy has a kind of them. */
static void
compile(const struct compiling *c, const char *source, bool authorizer,
        struct admission_expression *out)
{
    const struct cel_variable variables[ADMIT_N] = {
        [ADMIT_OBJECT] = {.name = "object"},
        [ADMIT_OLD] = {.name = "oldObject"},
        [ADMIT_REQUEST] = {.name = "request", .schema = c->types->request},
        [ADMIT_NAMESPACE] = {.name = "namespaceObject",
                             .schema = c->types->namespace_object},
        [ADMIT_VARIABLES] = {.name = "variables",
                             .type = CEL_VARIABLE_FIELDS,
                             .fields = &c->p->fields},
        [ADMIT_AUTHORIZER] = {.name = authorizer ? "authorizer" : "",
                              .type = CEL_VARIABLE_AUTHORIZER},
        [ADMIT_CHECK] = {.name = authorizer ? "authorizer.requestResource" : "",
                         .type = CEL_VARIABLE_CHECK},
        [ADMIT_PARAMS] = {.name = "params"},
    };
    AUTO(buf_release) struct buf why = BUF_INIT(1 << 20);
    struct cel_failure failure = {.text = &why};

    out->source = source;
    out->cel = cel_compile(str_of(source), variables,
                           c->p->has_params ? ADMIT_N : ADMIT_PARAMS, &failure);
    if (!out->cel)
        out->trouble = mem_printf("compilation failed: %s", buf_cstr(&why));
}

static void
compile_variables(const struct compiling *c, const struct json *list)
{
    struct admission_policy *p = c->p;
    size_t n = json_len(list), i = 0;

    p->variables = mem_zalloc(n + 1, sizeof(*p->variables));
    p->list = mem_zalloc(n + 1, sizeof(*p->list));
    p->fields.v = p->list;
    for (const struct json *v = json_first(list); v; v = json_next(v), i++) {
        /* A variable sees those before it. */
        compile(c, json_string_or(json_get(v, "expression"), ""), false,
                &p->variables[i]);
        p->list[i] = (struct cel_field){json_string_or(json_get(v, "name"), ""),
                                        p->variables[i].cel};
        p->fields.n = i + 1;
    }
}

static struct admission_expression *
compile_list(const struct compiling *c, const struct json *list,
             const char *key, size_t *n)
{
    struct admission_expression *out;
    size_t i = 0;

    *n = json_len(list);
    out = mem_zalloc(*n + 1, sizeof(*out));
    for (const struct json *v = json_first(list); v; v = json_next(v))
        compile(c, json_string_or(json_get(v, key), ""), true, &out[i++]);
    return out;
}

static void
compile_validations(const struct compiling *c, const struct json *list)
{
    struct admission_policy *p = c->p;
    size_t i = 0;

    p->validations_n = json_len(list);
    p->validations = mem_zalloc(p->validations_n + 1, sizeof(*p->validations));
    for (const struct json *v = json_first(list); v; v = json_next(v), i++) {
        struct admission_validation *out = &p->validations[i];
        const char *message = json_string(json_get(v, "messageExpression"));

        out->text = json_string(json_get(v, "message"));
        out->reason = json_string(json_get(v, "reason"));
        compile(c, json_string_or(json_get(v, "expression"), ""), true,
                &out->rule);
        if (message && *message)
            compile(c, message, false, &out->message);
    }
}

struct admission_policy *
admission_compile(const struct admission_types *types, struct json *j)
{
    struct admission_policy *p = mem_zalloc(1, sizeof(*p));
    const struct compiling c = {types, p};
    const struct json *spec = json_get(j, "spec");

    p->json = j;
    p->name = json_string_or(json_at(j, "metadata", "name", NULL), "");
    p->has_params = json_get(spec, "paramKind") != NULL;
    p->ignore = !strcmp(json_string_or(json_get(spec, "failurePolicy"), "Fail"),
                        "Ignore");
    compile_variables(&c, json_get(spec, "variables"));
    p->conditions = compile_list(&c, json_get(spec, "matchConditions"),
                                 "expression", &p->conditions_n);
    p->annotations = compile_list(&c, json_get(spec, "auditAnnotations"),
                                  "valueExpression", &p->annotations_n);
    compile_validations(&c, json_get(spec, "validations"));
    return p;
}

static void
release(struct admission_expression *e)
{
    cel_free(e->cel);
    free(e->trouble);
}

void
admission_policy_free(struct admission_policy *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->fields.n; i++)
        release(&p->variables[i]);
    for (size_t i = 0; i < p->conditions_n; i++)
        release(&p->conditions[i]);
    for (size_t i = 0; i < p->annotations_n; i++)
        release(&p->annotations[i]);
    for (size_t i = 0; i < p->validations_n; i++) {
        release(&p->validations[i].rule);
        release(&p->validations[i].message);
    }
    free(p->variables);
    free(p->list);
    free(p->conditions);
    free(p->annotations);
    free(p->validations);
    json_free(p->json);
    free(p);
}
