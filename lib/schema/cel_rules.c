#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/schema/cel_check.h"
#include "lib/schema/field_path.h"
#include "lib/schema/go_print.h"
#include "lib/schema/node.h"

/*
 * x-kubernetes-validations: apiextensions-apiserver's schema/cel. A node's
 * rules are compiled with the node and run on each value of it, after the
 * structural validation; those that name oldSelf only where there is an old
 * value of the same place (list-type map: of the same keys).
 */

#define INVALID "FieldValueInvalid"
/* The server adds a number that is another one each time. */
#define SELF_TYPE "selfType1"

/* celconfig.RuntimeCELCostBudget, MaxEvaluatedMessageExpressionSizeBytes. */
enum { COST_BUDGET = 10 * 1000 * 1000, MESSAGE_MAX = 5 * 1024 };

static struct str
text_at(const struct json *rule, const char *key)
{
    return cel_trim(str_of(json_string_or(json_get(rule, key), "")));
}

/* ---- compiling ---- */

struct rules_compiler {
    const struct schema *s;
    const char *at; /* path of the rule: "...x-kubernetes-validations[0]" */
    const struct schema_rule_place *place;
    struct schema_cost_total *total;
    struct schema_findings *problems;
};

static void
problem(struct rules_compiler *c, const char *field, const char *reason,
        const char *what, const char *why)
{
    AUTO(mem_free_ptr) char *path = mem_printf("%s.%s", c->at, field);

    schema_findings_add(c->problems, path, reason, "%s: %s", what, why);
}

static void
invalid(struct rules_compiler *c, const char *field, const struct json *value,
        const char *why)
{
    AUTO(mem_free_ptr) char *text = json_text(value, JSON_HTML);
    AUTO(mem_free_ptr) char *what = mem_printf("Invalid value: %s", text);

    problem(c, field, INVALID, what, why);
}

/* field: "rule" or "messageExpression", which must yield a bool or a string. */
static struct cel *
compile_one(struct rules_compiler *c, const struct json *rule,
            const char *field, bool message, const char **broken)
{
    AUTO(buf_release) struct buf text = BUF_INIT(1 << 20);
    AUTO(json_free_ptr) struct json *printed = go_print_rule(rule);
    AUTO(mem_free_ptr) char *why = NULL;
    struct cel_failure failure = {.text = &text};
    bool optional = json_bool(json_get(rule, "optionalOldSelf"), false);
    const struct cel_variable variables[] = {
        {.name = "self", .schema = c->s, .type_name = SELF_TYPE},
        {.name = "oldSelf",
         .schema = c->s,
         .optional = optional,
         .type_name = SELF_TYPE}};
    const char *prefix = message ? "messageExpression " : "";
    struct cel *cel =
        cel_compile(str_of(json_string_or(json_get(rule, field), "")),
                    variables, ARRAY_LEN(variables), &failure);
    const char *want = message ? "string" : "bool";

    if (cel && strcmp(cel_result_type(cel), want) == 0)
        return cel;
    if (cel)
        why =
            mem_printf("%s must evaluate to a %s",
                       message ? "messageExpression" : "cel expression", want);
    else if (failure.instantiation)
        why = mem_printf("%s instantiation failed: %s",
                         message ? "messageExpression" : "program",
                         buf_cstr(&text));
    else
        why = mem_printf("%scompilation failed: %s", prefix, buf_cstr(&text));
    invalid(c, field, printed, why);
    *broken = arena_strdup(c->s->root->arena, why);
    cel_free(cel);
    return NULL;
}

static void
complain_uncorrelated(struct rules_compiler *c, const struct json *rule)
{
    AUTO(mem_free_ptr)
    char *why = mem_printf("oldSelf cannot be used on the uncorrelatable "
                           "portion of the schema within %s",
                           c->place->uncorrelated);

    invalid(c, "rule", json_get(rule, "rule"), why);
}

/* What the rule may cost for all values of the node, and its message for one.
 */
static void
add_costs(struct rules_compiler *c, const struct schema_rule *r)
{
    AUTO(mem_free_ptr) char *rule = mem_printf("%s.rule", c->at);
    AUTO(mem_free_ptr)
    char *message = mem_printf("%s.messageExpression", c->at);
    uint64_t count = c->place->count ? *c->place->count
                                     : (3 << 20) / (cel_min_size(c->s) + 1);
    uint64_t cost = r->rule ? cel_estimate(r->rule, c->s) : 0;

    cost = count && cost > UINT64_MAX / count ? UINT64_MAX : cost * count;
    schema_cost_add(c->total, rule, "estimated rule cost", cost, c->problems);
    if (r->message)
        schema_cost_add(c->total, message, "estimated messageExpression cost",
                        cel_estimate(r->message, c->s), c->problems);
}

static void
compile_rule(struct rules_compiler *c, struct schema_rule *out,
             const struct json *rule)
{
    AUTO(buf_release) struct buf path = BUF_INIT(4096);
    const struct json *optional = json_get(rule, "optionalOldSelf");
    const char *unused;

    out->source = rule;
    out->optional_old = json_bool(optional, false);
    out->rule = compile_one(c, rule, "rule", false, &out->broken);
    if (out->rule && text_at(rule, "messageExpression").n)
        out->message = compile_one(c, rule, "messageExpression", true, &unused);
    out->uses_old = out->rule && cel_uses(out->rule, 1);
    add_costs(c, out);
    if (out->uses_old && c->place->uncorrelated)
        complain_uncorrelated(c, rule);
    else if (optional && !out->uses_old)
        invalid(c, "optionalOldSelf", optional,
                "may not be set if oldSelf is not used in rule");
    field_path_find(c->s->source, str_of(json_get_text(rule, "fieldPath")),
                    true, &path, NULL);
    out->path = arena_dup(c->s->root->arena, buf_view(&path));
}

bool
schema_needs_rules(const struct schema *s)
{
    for (size_t i = 0; i < s->property_count; i++) {
        if (s->properties[i].schema->has_rules)
            return true;
    }
    return s->info.rules || (s->items && s->items->has_rules) ||
           (s->values && s->values->has_rules);
}

/* Can expressions see values of this schema? */
static bool
has_type(const struct schema *s)
{
    if (!s || s->info.int_or_string)
        return s != NULL;
    if (s->info.type == SCHEMA_ARRAY)
        return has_type(s->items);
    return s->info.type != SCHEMA_ANY && (!s->values || has_type(s->values));
}

void
schema_rules_compile(struct schema *s, const struct schema_rule_place *at,
                     struct schema_cost_total *total,
                     struct schema_findings *problems)
{
    const char *path = at->path;

    if (s->info.rules && !has_type(s)) {
        AUTO(mem_free_ptr)
        char *field = mem_printf("%s.x-kubernetes-validations", path);

        schema_findings_add(problems, field, "InternalError",
                            "Internal error: internal error: failed to "
                            "construct type information for "
                            "x-kubernetes-validations rules: unable to convert "
                            "structural schema to CEL declarations");
        return;
    }
    s->rule_list = arena_array(s->root->arena, json_len(s->info.rules) + 1,
                               sizeof(*s->rule_list));
    for (struct json *r = json_first(s->info.rules); r; r = json_next(r)) {
        AUTO(mem_free_ptr)
        char *place = mem_printf("%s%sx-kubernetes-validations[%zu]", path,
                                 *path ? "." : "", s->rule_list_count);
        struct rules_compiler c = {s, place, at, total, problems};

        compile_rule(&c, &s->rule_list[s->rule_list_count++], r);
    }
}

void
schema_rules_release(struct schema *s)
{
    for (size_t i = 0; i < s->rule_list_count; i++) {
        cel_free(s->rule_list[i].rule);
        cel_free(s->rule_list[i].message);
    }
}

/* ---- evaluating ---- */

/*
 * What stood in a place before, for ratcheting: a rule without oldSelf that
 * fails for an unchanged value is let pass. Where nothing corresponds (items of
 * lists that are no maps) the nearest value around counts that has something
 * corresponding. For oldSelf only equal places count (old of check_node).
 */
struct place {
    const struct schema *schema;
    const struct json *old, *value; /* NULL: nothing corresponds */
    bool root;                      /* nothing is around */
};

/* One object under validation. */
struct checker {
    struct schema_findings *out;
    struct arena *arena; /* emptied after each node */
    struct buf path;
    int64_t budget; /* negative: no further rules */
    struct place place;
};

static void
add(struct checker *c, const struct schema *s, const char *reason,
    const char *path, const char *detail)
{
    AUTO(mem_free_ptr)
    char *field = *path ? mem_printf("%s%s%s", buf_cstr(&c->path),
                                     c->path.n ? "." : "", path)
                        : mem_strdup(buf_cstr(&c->path));
    const char *type = schema_type_name(s->info.type);

    if (strcmp(reason, "FieldValueForbidden") == 0)
        schema_findings_add(c->out, field, "FieldValueForbidden",
                            "Forbidden: %s", detail);
    else if (strcmp(reason, "FieldValueRequired") == 0)
        schema_findings_add(c->out, field, "FieldValueRequired",
                            "Required value: %s", detail);
    else if (strcmp(reason, "FieldValueDuplicate") == 0)
        schema_findings_add(c->out, field, "FieldValueDuplicate",
                            "Duplicate value: \"%s\"", type);
    else
        schema_findings_add(c->out, field, INVALID, "Invalid value: \"%s\": %s",
                            type, detail);
}

static void
add_invalid(struct checker *c, const struct schema *s, const char *detail)
{
    add(c, s, INVALID, "", detail);
}

/* The rule's message, or the rule itself. */
static struct str
named(const struct schema_rule *r)
{
    struct str message = text_at(r->source, "message");

    return message.n ? message : text_at(r->source, "rule");
}

static struct cel_value
run(struct checker *c, const struct cel *cel, const struct cel_value values[2],
    bool *stopped)
{
    struct cel_run run = {.arena = c->arena};
    struct cel_value v = cel_eval(cel, values, &run);

    *stopped = run.stopped;
    c->budget =
        (int64_t)run.cost > c->budget ? -1 : c->budget - (int64_t)run.cost;
    return v;
}

/* What messageExpression says; false: nothing that can be shown. */
static bool
message_of(struct checker *c, const struct schema *s,
           const struct schema_rule *r, const struct cel_value values[2],
           struct str *out)
{
    bool stopped;
    struct cel_value v = run(c, r->message, values, &stopped);
    AUTO(mem_free_ptr) char *why = NULL;

    if (c->budget < 0) {
        add_invalid(c, s,
                    "messageExpression evaluation failed due to running out of "
                    "cost budget, no further validation rules will be run");
        return true;
    }
    if (stopped) {
        c->budget = -1;
        why = mem_printf(
            "no further validation rules will be run due to call "
            "cost exceeds limit for messageExpression: \"%s\"",
            json_string_or(json_get(r->source, "messageExpression"), ""));
        add_invalid(c, s, why);
        return true;
    }
    *out = cel_trim(v.s);
    return v.kind == CEL_STRING && out->n && out->n <= MESSAGE_MAX &&
           !str_contains(*out, STR("\n"));
}

static bool
unchanged(const struct checker *c)
{
    return c->place.old &&
           schema_same(c->place.schema, c->place.old, c->place.value);
}

static void
broken(struct checker *c, const struct schema *s, const struct schema_rule *r,
       const struct cel_value values[2])
{
    AUTO(mem_free_ptr) char *text = NULL;
    const char *reason = json_string_or(json_get(r->source, "reason"), INVALID);
    struct str message = {0};

    if (r->message && message_of(c, s, r, values, &message)) {
        if (c->budget < 0)
            return;
        text = mem_printf("%.*s", STR_ARG(message));
    } else {
        text = mem_printf(
            "%s%.*s", text_at(r->source, "message").n ? "" : "failed rule: ",
            STR_ARG(named(r)));
    }
    add(c, s, reason, r->path, text);
}

/* The rule could not be evaluated. */
static void
failed(struct checker *c, const struct schema *s, const struct schema_rule *r,
       struct str error, bool stopped)
{
    AUTO(mem_free_ptr) char *text = NULL;
    struct str rule = named(r);

    if (str_starts(error, STR("no such overload")))
        text = mem_printf("'%.*s': call arguments did not match a supported "
                          "operator, function or macro signature for rule: "
                          "%.*s",
                          STR_ARG(error), STR_ARG(rule));
    else if (stopped)
        text = mem_printf("'%.*s': no further validation rules will be run due "
                          "to call cost exceeds limit for rule: %.*s",
                          STR_ARG(error), STR_ARG(rule));
    else
        text = mem_printf("%.*s evaluating rule: %.*s", STR_ARG(error),
                          STR_ARG(rule));
    add_invalid(c, s, text);
    if (stopped)
        c->budget = -1;
}

static void
check_rules(struct checker *c, const struct schema *s, const struct json *v,
            const struct json *old)
{
    struct cel_value self = cel_of_json(c->arena, v, s);
    struct cel_value was = old ? cel_of_json(c->arena, old, s) : self;
    struct cel_value inside = was, maybe;
    bool stopped;

    if (was.kind == CEL_ERROR)
        inside.s = str_of(arena_printf(c->arena,
                                       "unsupported conversion to ref.Val: "
                                       "(*errors.errorString)%.*s",
                                       STR_ARG(was.s)));
    maybe = cel_optional(c->arena, old ? &inside : NULL);

    for (size_t i = 0; i < s->rule_list_count && c->budget >= 0; i++) {
        const struct schema_rule *r = &s->rule_list[i];
        const struct cel_value values[] = {self, r->optional_old ? maybe : was};

        if (!r->rule && r->broken) {
            AUTO(mem_free_ptr)
            char *why = mem_printf("rule compile error: %s", r->broken);

            add_invalid(c, s, why);
        }
        if (!r->rule || (r->uses_old && !old && !r->optional_old))
            continue;
        struct cel_value got = run(c, r->rule, values, &stopped);

        if (c->budget < 0)
            add_invalid(c, s,
                        "validation failed due to running out of cost budget, "
                        "no further validation rules will be run");
        else if (got.kind == CEL_ERROR)
            failed(c, s, r, got.s, stopped);
        else if ((got.kind != CEL_BOOL || !got.b) &&
                 (r->uses_old || !unchanged(c)))
            broken(c, s, r, values);
    }
    arena_reset(c->arena);
}

static void check_node(struct checker *c, const struct schema *s,
                       const struct json *v, const struct json *old);

/* The place of a part: with a schema and an old value of its own, or, below
 * what corresponds to nothing, that of what is around. */
static struct place
part_of(const struct place *around, const struct schema *s,
        const struct json *old, const struct json *value)
{
    return s && old ? (struct place){s, old, value, false} : *around;
}

static void
check_items(struct checker *c, const struct schema *s, const struct json *v,
            const struct json *old)
{
    size_t i = 0;
    struct map before = {0};

    if (!s->items || !s->items->has_rules)
        return;
    schema_index_items(s, old, &before);
    for (struct json *e = json_first(v); e && c->budget >= 0;
         e = json_next(e)) {
        size_t mark = schema_path_index(&c->path, i++);

        const struct json *was = schema_same_item(s, &before, e);
        struct place around = c->place;

        c->place = part_of(&around, s->items, was, e);
        check_node(c, s->items, e, was);
        c->place = around;
        buf_truncate(&c->path, mark);
    }
    map_release(&before, NULL);
}

/* The type of an object is never taken for unchanged. */
static bool
type_member(const struct checker *c, const struct json *m)
{
    return c->place.root && (strcmp(json_key(m), "kind") == 0 ||
                             strcmp(json_key(m), "apiVersion") == 0);
}

static void
check_members(struct checker *c, const struct schema *s, const struct json *v,
              const struct json *old)
{
    for (struct json *m = json_first(v); m && c->budget >= 0;
         m = json_next(m)) {
        const struct schema_property *p = schema_find(s, json_key(m));
        const struct schema *child = p ? p->schema : s->values;
        size_t mark = c->path.n;

        if (!child || !child->has_rules)
            continue;
        if (p)
            schema_path_key(&c->path, json_key(m));
        else
            buf_printf(&c->path, "[%s]", json_key(m));
        const struct json *was = json_get(old, json_key(m));
        struct place around = c->place;

        c->place = type_member(c, m) ? (struct place){0}
                                     : part_of(&around, child, was, m);
        check_node(c, child, m, was);
        c->place = around;
        buf_truncate(&c->path, mark);
    }
}

/* Null is no value: rules about it belong to what is around. */
static void
check_node(struct checker *c, const struct schema *s, const struct json *v,
           const struct json *old)
{
    if (json_is(v, JSON_NULL))
        return;
    if (json_is(old, JSON_NULL))
        old = NULL;
    if (s->rule_list_count)
        check_rules(c, s, v, old);
    if (json_is(v, JSON_ARRAY))
        check_items(c, s, v, json_is(old, JSON_ARRAY) ? old : NULL);
    else if (json_is(v, JSON_OBJECT))
        check_members(c, s, v, json_is(old, JSON_OBJECT) ? old : NULL);
}

void
schema_rules_check(const struct schema *s, const struct json *value,
                   const struct json *old, const char *path,
                   struct schema_findings *findings)
{
    struct checker c = {.out = findings,
                        .arena = arena_new(),
                        .path = BUF_INIT(4096),
                        .budget = COST_BUDGET,
                        .place = {s, old, value, true}};

    buf_puts(&c.path, path);
    check_node(&c, s, value, old);
    arena_free(c.arena);
    buf_release(&c.path);
}
