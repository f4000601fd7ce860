/* What function-go-templating adds. Source: its function_maps.go (0.12). */
#include "lib/base/digest.h"

#include "lib/compose/funcs.h"

FUNC(fn_random_choice)
{
    if (!n)
        return call_fail(c, "invalid argument to Intn");
    *out = v[call_random(c) % n];
    return true;
}

FUNC(fn_set_resource_name_annotation)
{
    buf_puts(&c->text,
             "gotemplating.fn.crossplane.io/composition-resource-name: ");
    buf_str(&c->text, v[0].s);
    return call_text(c, out);
}

FUNC(fn_include)
{
    AUTO(buf_release) struct buf text = BUF_INIT(c->max_text);

    if (!exec_include(c, v[0].s, v[1], &text))
        return false;
    *out = value_str(arena_str(c->a, buf_view(&text)));
    return true;
}

/* ---- lookups in the request ---- */

/* A field path's segment in brackets: quotes at its ends do not count. */
static const char *
segment(struct call *c, struct str s)
{
    while (s.n && (s.s[0] == '\'' || s.s[0] == '"'))
        s = str_from(s, 1);
    while (s.n && (s.s[s.n - 1] == '\'' || s.s[s.n - 1] == '"'))
        s.n--;
    return arena_dup(c->a, s);
}

/* Results are copies: changing one leaves the request alone. */
static void
map_or_nil(struct call *c, struct value found, struct value *out)
{
    *out = found.type == VALUE_MAP ? value_deep_copy(c->a, found)
                                   : value_nil_map(c->a, ELEM_ANY);
}

static void
list_or_nil(struct call *c, struct value found, struct value *out)
{
    *out = found.type == VALUE_LIST ? value_deep_copy(c->a, found)
                                    : value_nil_list(c->a, ELEM_ANY);
}

FUNC(fn_composed_resource)
{
    map_or_nil(c,
               value_at(c->a, v[0], "observed", "resources", segment(c, v[1].s),
                        "resource", NULL),
               out);
    return true;
}

FUNC(fn_composite_resource)
{
    map_or_nil(c,
               value_at(c->a, v[0], "observed", "composite", "resource", NULL),
               out);
    return true;
}

FUNC(fn_connection_details)
{
    map_or_nil(c,
               value_at(c->a, v[0], "observed", "resources", segment(c, v[1].s),
                        "connectionDetails", NULL),
               out);
    return true;
}

FUNC(fn_extra_resources)
{
    const char *name = segment(c, v[1].s);
    struct value found =
        value_at(c->a, v[0], "requiredResources", name, "items", NULL);

    if (found.type != VALUE_LIST)
        found = value_at(c->a, v[0], "extraResources", name, "items", NULL);
    list_or_nil(c, found, out);
    return true;
}

FUNC(fn_extra_resources_from_context)
{
    list_or_nil(c,
                value_at(c->a, v[0], "context",
                         "apiextensions.crossplane.io/extra-resources",
                         segment(c, v[1].s), "items", NULL),
                out);
    return true;
}

FUNC(fn_credential_data)
{
    AUTO(buf_release) struct buf bytes = BUF_INIT(c->max_text);
    struct value data =
        value_at(c->a, v[0], "credentials", arena_dup(c->a, v[1].s),
                 "credentialData", "data", NULL);
    size_t count;

    *out = value_nil_map(c->a, ELEM_BYTES);
    if (data.type != VALUE_MAP)
        return true;
    const struct value_entry *e = value_entries(c->a, data, &count);

    *out = value_map(c->a, ELEM_BYTES);
    for (size_t i = 0; i < count; i++) {
        buf_reset(&bytes);
        if (e[i].value.type != VALUE_STRING ||
            !digest_unbase64(e[i].value.s, false, &bytes))
            continue;
        value_set(c->a, *out, e[i].key,
                  value_bytes(arena_str(c->a, buf_view(&bytes))));
    }
    return true;
}

/* ---- conditions ---- */

static struct value
named(const char *type, struct str s)
{
    struct value v = value_str(s);

    v.name = type;
    return v;
}

static struct str
text_of(struct call *c, struct value condition, const char *key)
{
    struct value v = value_at(c->a, condition, key, NULL);

    return v.type == VALUE_STRING ? v.s : STR("");
}

/* A metav1.Time. */
static struct value
stamp(struct str s)
{
    struct gotime t = GOTIME_ZERO;
    struct value v;

    if (!gotime_parse(STR("2006-01-02T15:04:05Z07:00"), s, &t, NULL))
        t = GOTIME_ZERO;
    t.offset = 0; /* it is told in the local zone */
    v = value_time(t);
    v.name = "v1.Time";
    return v;
}

#define FIELDS 6

/* Go's Condition struct; condition may be no map: then it is Unknown. */
static struct value
new_condition(struct call *c, struct str type, struct value condition)
{
    struct value_struct *st = arena_alloc(c->a, sizeof(*st));
    struct value_entry *f = arena_array(c->a, FIELDS, sizeof(*f));
    static const char *const tags[FIELDS] = {
        "type",   "status",   "lastTransitionTime",
        "reason", "?message", "?observedGeneration"};
    bool known = condition.type == VALUE_MAP;
    struct value generation =
        value_at(c->a, condition, "observedGeneration", NULL);

    f[0] =
        (struct value_entry){STR("Type"), named("common.ConditionType", type)};
    f[1] = (struct value_entry){
        STR("Status"),
        named("v1.ConditionStatus",
              known ? text_of(c, condition, "status") : STR("Unknown"))};
    f[2] = (struct value_entry){
        STR("LastTransitionTime"),
        stamp(text_of(c, condition, "lastTransitionTime"))};
    f[3] = (struct value_entry){
        STR("Reason"),
        named("common.ConditionReason", text_of(c, condition, "reason"))};
    f[4] = (struct value_entry){STR("Message"),
                                value_str(text_of(c, condition, "message"))};
    f[5] = (struct value_entry){
        STR("ObservedGeneration"),
        value_int64(generation.type == VALUE_INT64 ? generation.i : 0)};
    *st = (struct value_struct){
        .type = "common.Condition", .fields = f, .n = FIELDS, .tags = tags};
    return (struct value){.type = VALUE_STRUCT, .st = st};
}

FUNC(fn_resource_condition)
{
    struct value list = value_at(c->a, v[1], "resource", "status", NULL);
    size_t count = 0;
    struct value *items = NULL, none = value_none();

    if (list.type != VALUE_MAP)
        list = value_at(c->a, v[1], "status", NULL);
    list = value_at(c->a, list, "conditions", NULL);
    if (list.type == VALUE_LIST)
        items = value_items(c->a, list, &count);
    for (size_t i = 0; i < count; i++) {
        if (str_eq(text_of(c, items[i], "type"), v[0].s)) {
            *out = new_condition(c, v[0].s, items[i]);
            return true;
        }
    }
    *out = new_condition(c, v[0].s, none);
    return true;
}

static const struct func rows[] = {
    {"randomChoice", "s+", fn_random_choice},
    {"setResourceNameAnnotation", "s", fn_set_resource_name_annotation},
    {"include", "sa", fn_include},
    {"getComposedResource", "ms", fn_composed_resource},
    {"getCompositeResource", "m", fn_composite_resource},
    {"getComposedConnectionDetails", "ms", fn_connection_details},
    {"getExtraResources", "ms", fn_extra_resources},
    {"getExtraResourcesFromContext", "ms", fn_extra_resources_from_context},
    {"getCredentialData", "ms", fn_credential_data},
    {"getResourceCondition", "sm", fn_resource_condition},
};

const struct func_table funcs_crossplane = {rows, ARRAY_LEN(rows)};
