/*
 * function-status-transformer (v0.5.1): looks at the conditions of observed
 * resources and sets conditions and events on the composite.
 *
 * A hook's matchers must all match; groups that a message pattern captured
 * ("(?P<Error>.+)") are what its messages, Go templates, can name. A failure is
 * no fatal result: it becomes the condition StatusTransformationSuccess. Where
 * upstream takes any resource that matches, this takes the first by name.
 */
#include <stdlib.h>

#include "lib/base/mem.h"
#include "lib/base/re.h"

#include "lib/compose/function.h"
#include "lib/compose/strict.h"
#include "lib/compose/structpb.h"
#include "lib/compose/template.h"

#define SUCCESS   "StatusTransformationSuccess"
#define EXTRA_KEY "apiextensions.crossplane.io/extra-resources"

/* ---- the input ---- */

STRICT_NAMED(status_type, "v1.ConditionStatus");
STRICT_NAMED(target_type, "v1beta1.Target");
STRICT_NAMED(match_type, "v1beta1.MatchType");
STRICT_NAMED(event_type_type, "v1beta1.EventType");
STRICT_FIELDS(condition_type, "v1beta1.Condition", {"type", &strict_string},
              {"status", &status_type}, {"reason", &strict_string},
              {"message", &strict_string});
STRICT_FIELDS(set_type, "v1beta1.SetCondition", {"target", &target_type},
              {"force", &strict_bool}, {"condition", &condition_type});
STRICT_LIST_OF(sets_type, "[]v1beta1.SetCondition", set_type);
STRICT_FIELDS(event_type, "v1beta1.Event", {"type", &event_type_type},
              {"reason", &strict_string}, {"message", &strict_string});
STRICT_FIELDS(create_type, "v1beta1.CreateEvent", {"target", &target_type},
              {"event", &event_type});
STRICT_LIST_OF(creates_type, "[]v1beta1.CreateEvent", create_type);
STRICT_FIELDS(resource_type, "v1beta1.ResourceMatcher",
              {"name", &strict_string});
STRICT_LIST_OF(resources_type, "[]v1beta1.ResourceMatcher", resource_type);
STRICT_FIELDS(pattern_type, "v1beta1.ConditionMatcher",
              {"type", &strict_string}, {"status", &status_type},
              {"reason", &strict_string}, {"message", &strict_string});
STRICT_LIST_OF(patterns_type, "[]v1beta1.ConditionMatcher", pattern_type);
STRICT_FIELDS(matcher_type, "v1beta1.Matcher", {"name", &strict_string},
              {"type", &match_type}, {"resources", &resources_type},
              {"conditions", &patterns_type},
              {"includeCompositeAsResource", &strict_bool},
              {"includeExtraResources", &strict_bool});
STRICT_LIST_OF(matchers_type, "[]v1beta1.Matcher", matcher_type);
STRICT_FIELDS(hook_type, "v1beta1.StatusConditionHook",
              {"matchers", &matchers_type}, {"setConditions", &sets_type},
              {"createEvents", &creates_type});
STRICT_LIST_OF(hooks_type, "[]v1beta1.StatusConditionHook", hook_type);
STRICT_FIELDS(input_type, "v1beta1.StatusTransformation", STRICT_TYPE_META,
              {"statusConditionHooks", &hooks_type});

static void
failed(struct fn_response *rsp, const char *reason, const char *message)
{
    fn_condition_add(rsp, SUCCESS, "False", reason, message,
                     FN_TARGET_COMPOSITE);
}

/* ---- one condition of one resource ---- */

/* What GetCondition gives: nothing of an object without status, Unknown where
 * the type is not there. */
static const struct json *
condition_of(const struct json *object, const char *type, const char **status)
{
    const struct json *s = json_get(object, "status");
    const struct json *list = json_get(s, "conditions");

    *status = json_is(s, JSON_OBJECT) ? "Unknown" : "";
    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        if (strcmp(json_get_text(c, "type"), type) != 0)
            continue;
        *status = json_get_text(c, "status");
        return c;
    }
    return NULL;
}

static bool
differs(const struct json *pattern, const char *key, const char *got)
{
    const char *want = json_get_string(pattern, key);

    return want && strcmp(want, got) != 0;
}

/* Adds what the groups of pattern's message captured to groups, unnamed ones
 * as "". */
static bool
match_message(const char *pattern, const char *message, struct json *groups,
              bool *matched, struct error *err)
{
    enum { SPANS_MAX = 100 };
    struct re_span spans[SPANS_MAX];
    struct error why = {0};
    AUTO(re_free_ptr) struct re *re = re_compile(str_of(pattern), &why);

    if (!re)
        return error_set(err, why.code, "cannot compile message regex: %s",
                         why.msg);
    size_t n = MIN(re_groups(re) + 1, (size_t)SPANS_MAX);

    *matched = re_search(re, str_of(message), 0, spans, n);
    for (size_t i = 1; *matched && i < n; i++) {
        bool took = spans[i].start != SIZE_MAX;

        json_set(groups, re_group_name(re, i),
                 json_new_str(took ? str_n(message + spans[i].start,
                                           spans[i].end - spans[i].start)
                                   : STR("")));
    }
    return true;
}

static bool
match_one(const struct json *pattern, const struct json *object,
          struct json *groups, bool *matched, struct error *err)
{
    const char *status;
    const struct json *c =
        condition_of(object, json_get_text(pattern, "type"), &status);
    const char *message = json_get_string(pattern, "message");

    *matched = !differs(pattern, "reason", json_get_text(c, "reason")) &&
               !differs(pattern, "status", status);
    if (!*matched || !message)
        return true;
    return match_message(message, json_get_text(c, "message"), groups, matched,
                         err);
}

/* ---- a matcher ---- */

/* How many of the resources and of the conditions must match. */
struct rule {
    const char *name;
    bool any_resource, any_condition;
};

static struct rule
rule_of(const struct json *matcher)
{
    static const struct rule rules[] = {
        {"AnyResourceMatchesAnyCondition", true, true},
        {"AnyResourceMatchesAllConditions", true, false},
        {"AllResourcesMatchAnyCondition", false, true},
    };

    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        if (strcmp(json_get_text(matcher, "type"), rules[i].name) == 0)
            return rules[i];
    }
    return (struct rule){0};
}

/* All or any of the conditions against one object. */
static bool
match_object(const struct rule *rule, const struct json *patterns,
             const struct json *object, struct json *groups, bool *matched,
             struct error *err)
{
    bool any = false;

    for (const struct json *p = json_first(patterns); p; p = json_next(p)) {
        AUTO(json_free_ptr) struct json *own = json_new_object();
        bool one = false;

        if (!match_one(p, object, own, &one, err))
            return false;
        if (!one && !rule->any_condition) {
            *matched = false;
            return true;
        }
        any |= one;
        for (const struct json *g = json_first(own); one && g; g = json_next(g))
            json_set(groups, json_key(g), json_copy(g));
        if (one && rule->any_condition && rule->any_resource)
            break; /* the first that matches names the groups */
    }
    *matched = any;
    return true;
}

static bool
match_all(const struct json *matcher, const struct json *objects,
          struct json *groups, bool *matched, struct error *err)
{
    const struct rule rule = rule_of(matcher);
    const struct json *patterns = json_get(matcher, "conditions");

    *matched = false;
    for (const struct json *o = json_first(objects); o; o = json_next(o)) {
        if (!match_object(&rule, patterns, o, groups, matched, err))
            return false;
        if (*matched == rule.any_resource)
            return true;
    }
    return true;
}

/* "extra-resource.<into>.<group>.<kind>.<namespace>.<name>" */
static char *
extra_name(const char *into, const struct json *o)
{
    struct str group, version;

    if (!str_cut(str_of(json_get_text(o, "apiVersion")), '/', &group, &version))
        group = STR("");
    return mem_printf(
        "extra-resource.%s.%.*s.%s.%s.%s", into, STR_ARG(group),
        json_get_text(o, "kind"),
        json_string_or(json_at(o, "metadata", "namespace", NULL), ""),
        json_string_or(json_at(o, "metadata", "name", NULL), ""));
}

static void
add_extra(const struct json *extra, const struct re *re, struct json *objects)
{
    for (const struct json *list = json_first(extra); list;
         list = json_next(list)) {
        for (const struct json *o = json_first(list); o; o = json_next(o)) {
            AUTO(mem_free_ptr) char *name = extra_name(json_key(list), o);

            if (re_match(re, str_of(name)))
                json_set(objects, name, json_copy(o));
        }
    }
}

/* The context's extra resources, {into: [object]}. */
static bool
check_extra(const struct json *extra, struct error *err)
{
    const char *unexpected = "cannot load extra-resources: unexpected "
                             "extra-resources";

    if (extra && !json_is(extra, JSON_OBJECT))
        return error_set(err, ERR_INVALID, "%s type: %s", unexpected,
                         structpb_type(extra));
    for (const struct json *list = json_first(extra); list;
         list = json_next(list)) {
        size_t at = 0;

        if (!json_is(list, JSON_ARRAY))
            return error_set(err, ERR_INVALID, "%s value type for %s: %s",
                             unexpected, json_key(list), structpb_type(list));
        for (const struct json *o = json_first(list); o;
             o = json_next(o), at++) {
            if (!json_is(o, JSON_OBJECT))
                return error_set(err, ERR_INVALID,
                                 "%s value type for %s [%zu]: %s", unexpected,
                                 json_key(list), at, structpb_type(o));
        }
    }
    return true;
}

/* NAME -> object of everything the matcher means, by name. */
static bool
gather(const struct fn_request *req, const struct json *matcher,
       struct json *objects, struct error *err)
{
    const struct json *resources = json_get(matcher, "resources");
    const struct json *extra = json_get(fn_context(req), EXTRA_KEY);
    size_t at = 0;

    for (const struct json *r = json_first(resources); r;
         r = json_next(r), at++) {
        struct error why = {0};
        AUTO(re_free_ptr)
        struct re *re = re_compile(str_of(json_get_text(r, "name")), &why);

        if (!re)
            return error_set(err, why.code,
                             "cannot compile resource key regex, "
                             "resourcesIndex: %zu: %s",
                             at, why.msg);
        for (const struct json *o = json_first(fn_observed_all(req)); o;
             o = json_next(o)) {
            if (re_match(re, str_of(json_key(o))))
                json_set(objects, json_key(o),
                         json_copy(json_get(o, "resource")));
        }
        if (json_bool(json_get(matcher, "includeExtraResources"), false))
            add_extra(extra, re, objects);
    }
    if (json_bool(json_get(matcher, "includeCompositeAsResource"), false))
        json_set(objects,
                 "function-status-transformer.reserved-keys."
                 "composite-resource",
                 json_copy(fn_observed_composite(req)));
    json_sort(objects);
    return true;
}

/* ---- what a hook does ---- */

struct hook {
    const struct fn_request *req;
    struct fn_response *rsp;
    size_t at;
    struct json *groups; /* what the patterns captured */
    struct json *set;    /* the condition types that are set already */
    bool errored;
    bool stopped; /* the input cannot be worked with: no more hooks */
};

/* The message with the groups filled in; without groups it stays. */
static bool
fill(const struct hook *h, const char *message, struct buf *out,
     struct error *err)
{
    struct error why = {0};

    if (!json_len(h->groups)) {
        buf_puts(out, message);
        return true;
    }
    AUTO(template_free_ptr)
    struct template *t =
        template_parse("", str_of(message), STR(""), STR(""), &why);

    if (!t)
        return error_set(err, why.code, "cannot parse template: %s", why.msg);
    AUTO(arena_free_ptr) struct arena *a = arena_new();
    const struct template_run run = {.arena = a};
    struct value data = value_map(a, ELEM_STRING);

    for (const struct json *g = json_first(h->groups); g; g = json_next(g))
        value_set(a, data, str_of(json_key(g)),
                  value_str(str_of(json_string(g))));
    return template_execute(t, data, &run, out, &why) ||
           error_set(err, why.code, "cannot execute template: %s", why.msg);
}

static void
hook_failed(struct hook *h, const char *reason, const char *what,
            const char *index, size_t at, const struct error *why)
{
    AUTO(mem_free_ptr)
    char *message = mem_printf("%s, statusConditionHookIndex: %zu, %s: %zu: %s",
                               what, h->at, index, at, why->msg);

    failed(h->rsp, reason, message);
    h->errored = true;
}

static enum fn_target
target_of(const struct json *j)
{
    return strcmp(json_get_text(j, "target"), "CompositeAndClaim") == 0
               ? FN_TARGET_COMPOSITE_AND_CLAIM
               : FN_TARGET_COMPOSITE;
}

static void
set_condition(struct hook *h, const struct json *cs, size_t at)
{
    const struct json *c = json_get(cs, "condition");
    const char *message = json_get_string(c, "message");
    const char *type = json_get_text(c, "type"),
               *status = json_get_text(c, "status");
    AUTO(buf_release) struct buf out = BUF_INIT(BUF_TEXT_MAX);
    struct error why = {0};

    if (json_get(h->set, type) && !json_bool(json_get(cs, "force"), false))
        return;
    if (strcmp(status, "True") != 0 && strcmp(status, "False") != 0)
        status = "Unknown";
    if (message && !fill(h, message, &out, &why)) {
        hook_failed(h, "SetConditionFailure", "cannot set condition",
                    "setConditionIndex", at, &why);
        return;
    }
    fn_condition_add(h->rsp, type, status, json_get_text(c, "reason"),
                     message ? buf_cstr(&out) : NULL, target_of(cs));
    json_set_bool(h->set, type, true);
}

static bool
check_event_type(const char *type, struct error *err)
{
    return !type || strcmp(type, "Normal") == 0 ||
           strcmp(type, "Warning") == 0 ||
           error_set(err, ERR_INVALID,
                     "invalid type %s, must be one of [Normal, Warning]", type);
}

static void
create_event(struct hook *h, const struct json *ce, size_t at)
{
    const struct json *e = json_get(ce, "event");
    const char *type = json_get_string(e, "type");
    AUTO(buf_release) struct buf out = BUF_INIT(BUF_TEXT_MAX);
    struct error why = {0};

    if (!check_event_type(type, &why) ||
        !fill(h, json_get_text(e, "message"), &out, &why)) {
        hook_failed(h, "SetConditionFailure", "cannot create event",
                    "createEventIndex", at, &why);
        return;
    }
    fn_result_add(h->rsp,
                  type && strcmp(type, "Warning") == 0 ? FN_WARNING : FN_NORMAL,
                  json_get_string(e, "reason"), target_of(ce), buf_cstr(&out));
}

/* Do all matchers match? False also when one failed, which is said. */
static bool
hook_matches(struct hook *h, const struct json *matchers)
{
    size_t at = 0;

    for (const struct json *m = json_first(matchers); m;
         m = json_next(m), at++) {
        AUTO(json_free_ptr) struct json *objects = json_new_object();
        AUTO(json_free_ptr) struct json *own = json_new_object();
        struct error why = {0};
        bool matched = false;

        if (json_bool(json_get(m, "includeExtraResources"), false) &&
            !check_extra(json_get(fn_context(h->req), EXTRA_KEY), &why)) {
            failed(h->rsp, "InputFailure", why.msg);
            h->stopped = true;
            return false;
        }
        if (!gather(h->req, m, objects, &why) ||
            !match_all(m, objects, own, &matched, &why)) {
            hook_failed(h, "MatchFailure", "cannot match resources",
                        "matchConditionIndex", at, &why);
            return false;
        }
        if (!matched)
            return false;
        for (const struct json *g = json_first(own); g; g = json_next(g))
            json_set(h->groups, json_key(g), json_copy(g));
    }
    return at > 0;
}

static void
run_hook(struct hook *h, const struct json *hook)
{
    const struct json *list;
    size_t at = 0;

    if (!hook_matches(h, json_get(hook, "matchers")))
        return;
    list = json_get(hook, "setConditions");
    for (const struct json *c = json_first(list); c; c = json_next(c))
        set_condition(h, c, at++);
    at = 0;
    list = json_get(hook, "createEvents");
    for (const struct json *e = json_first(list); e; e = json_next(e))
        create_event(h, e, at++);
}

/* ---- the function ---- */

static void
run(const struct fn_request *req, struct fn_response *rsp)
{
    const struct json *hooks = json_get(fn_input(req), "statusConditionHooks");
    AUTO(json_free_ptr) struct json *set = json_new_object();
    struct hook h = {.req = req, .rsp = rsp, .set = set};
    struct error err = {0};

    rsp->ttl_s = 60;
    if (!strict_input(fn_input(req), &input_type, &err)) {
        error_wrap(&err,
                   "cannot get Function input from *v1.RunFunctionRequest");
        failed(rsp, "InputFailure", err.msg);
        return;
    }
    for (const struct json *k = json_first(hooks); k && !h.stopped;
         k = json_next(k)) {
        AUTO(json_free_ptr) struct json *groups = json_new_object();

        h.groups = groups;
        run_hook(&h, k);
        h.at++;
    }
    if (!h.errored && !h.stopped)
        fn_condition_add(rsp, SUCCESS, "True", "Available", NULL,
                         FN_TARGET_COMPOSITE);
}

const struct function fn_statustransformer = {
    .name = "function-status-transformer",
    .run = run,
};
