/*
 * function-sequencer (v0.6.0): takes a composed resource out of the desired
 * state as long as those before it in a sequence are not ready.
 *
 * Names in a sequence are patterns: ^name$ unless they begin with ^ or end
 * with $. What is observed already is never taken out. With
 * enableDeletionSequencing every pair that exists gets a Usage, so that the
 * later one is deleted first. A rule's `condition` (CEL) is asked first.
 */
#include <ctype.h>
#include <stdio.h>

#include "lib/base/digest.h"
#include "lib/base/mem.h"
#include "lib/base/re.h"

#include "lib/compose/format.h"
#include "lib/compose/function.h"
#include "lib/compose/gotime.h"
#include "lib/compose/sequencer_condition.h"
#include "lib/compose/strict.h"

/* ---- the input ---- */

STRICT_NAMED(name_type, "resource.Name");
STRICT_LIST_OF(names_type, "[]resource.Name", name_type);
STRICT_NAMED(usage_version, "v1beta1.UsageVersion");
STRICT_FIELDS(rule_type, "v1beta1.SequencingRule",
              {"condition", &strict_string}, {"deleteOnly", &strict_bool},
              {"sequence", &names_type});
STRICT_LIST_OF(rules_type, "[]v1beta1.SequencingRule", rule_type);
STRICT_FIELDS(input_type, "v1beta1.Input", STRICT_TYPE_META,
              {"cacheTTL", &strict_string},
              {"enableDeletionSequencing", &strict_bool},
              {"replayDeletion", &strict_bool},
              {"usageVersion", &usage_version},
              {"resetCompositeReadiness", &strict_bool},
              {"rules", &rules_type});

static bool
flag(const struct json *in, const char *key)
{
    return json_bool(json_get(in, key), false);
}

struct sequencer {
    const struct fn_request *req;
    struct fn_response *rsp;
    const struct json *in;
    struct json *usages; /* NAME -> the object; desired in the end */
};

/* ---- names ---- */

/* The pattern of a name in a sequence. NULL: a fatal result was added. */
static struct re *
pattern(struct sequencer *s, const struct json *name, const char *where)
{
    const char *text = json_string_or(name, "");
    bool whole = text[0] != '^' && !(*text && text[strlen(text) - 1] == '$');
    AUTO(mem_free_ptr)
    char *full = mem_printf(whole ? "^%s$" : "%s", text);
    struct error why = {0};
    struct re *re = re_compile(str_of(full), &why);

    if (!re)
        fn_resultf(s->rsp, FN_FATAL, "%scannot compile regex %s: %s", where,
                   text, why.msg);
    return re;
}

static bool
matches(const struct re *re, const struct json *member)
{
    return re_match(re, str_of(json_key(member)));
}

/* ---- creation ---- */

/* Takes what matches out of the desired state, except what exists. */
static void
take_out(struct sequencer *s, const struct re *current)
{
    struct json *all = fn_desired_all(s->rsp);

    for (struct json *d = json_first(all), *next; d; d = next) {
        next = json_next(d);
        if (!matches(current, d) || fn_observed(s->req, json_key(d)))
            continue;
        json_free(json_detach(all, d));
        if (flag(s->in, "resetCompositeReadiness"))
            fn_ready_set(json_need_object(s->rsp->desired, "composite"),
                         FN_READY_FALSE);
    }
}

/* Is everything that matches `before` desired and ready? Says why not. */
static bool
is_there(struct sequencer *s, const struct re *re, const char *current,
         const char *before)
{
    size_t desired = 0, ready = 0;

    for (const struct json *d = json_first(fn_desired_all(s->rsp)); d;
         d = json_next(d)) {
        if (!matches(re, d))
            continue;
        desired++;
        ready += fn_ready_of(d) == FN_READY_TRUE;
    }
    if (desired && desired == ready)
        return true;
    if (desired)
        fn_resultf(s->rsp, FN_NORMAL,
                   "Delaying creation of resource(s) matching \"%s\" because "
                   "\"%s\" is not fully ready (%zu of %zu)",
                   current, before, ready, desired);
    else
        fn_resultf(s->rsp, FN_NORMAL,
                   "Delaying creation of resource(s) matching \"%s\" because "
                   "\"%s\" does not exist yet",
                   current, before);
    return false;
}

/* One name of a sequence against all before it. False: fatal. */
static bool
sequence_one(struct sequencer *s, const struct json *sequence,
             const struct json *name)
{
    const char *current = json_string_or(name, "");

    for (const struct json *b = json_first(sequence); b != name;
         b = json_next(b)) {
        AUTO(re_free_ptr) struct re *before = pattern(s, b, "");
        AUTO(re_free_ptr)
        struct re *re = before ? pattern(s, name, "") : NULL;

        if (!re)
            return false;
        if (!is_there(s, before, current, json_string_or(b, ""))) {
            take_out(s, re);
            return true;
        }
    }
    return true;
}

/* ---- deletion ---- */

static bool
is_v1(const struct sequencer *s)
{
    return strcmp(json_string_or(json_get(s->in, "usageVersion"), ""), "v1") ==
           0;
}

static const char *
api_version(const struct sequencer *s)
{
    return is_v1(s) ? "apiextensions.crossplane.io/v1beta1"
                    : "protection.crossplane.io/v1beta1";
}

static bool
is_usage(const struct sequencer *s, const struct json *obj)
{
    const char *kind = json_get_text(obj, "kind");

    return strcmp(json_get_text(obj, "apiVersion"), api_version(s)) == 0 &&
           (strcmp(kind, "Usage") == 0 ||
            (!is_v1(s) && strcmp(kind, "ClusterUsage") == 0));
}

/* "<kind-name-kind-name>-<6 hex>-dependency" in at most 63 bytes. */
static char *
usage_name(const struct json *of, const struct json *by)
{
    enum { NAME_MAX_LEN = 63, HASH_LEN = 6 };
    AUTO(mem_free_ptr)
    char *name = mem_printf("%s-%s-%s-%s", json_get_text(by, "kind"),
                            json_at_text(by, "metadata", "name"),
                            json_get_text(of, "kind"),
                            json_at_text(of, "metadata", "name"));
    size_t n = strlen(name);
    char hex[DIGEST_HEX_MAX];

    for (char *p = name; *p; p++)
        *p = (char)tolower((unsigned char)*p);
    digest_hex(DIGEST_SHA256, str_of(name), hex);
    size_t room = NAME_MAX_LEN - HASH_LEN - strlen("--dependency");
    bool cut = n > room;

    if (cut)
        n = room;
    return mem_printf("%.*s%s%.*s-dependency", (int)n, name,
                      cut && name[n - 1] == '-' ? "" : "-", HASH_LEN, hex);
}

static struct json *
usage_end(const struct json *obj)
{
    struct json *end = json_new_object();

    json_set_string(end, "apiVersion", json_get_text(obj, "apiVersion"));
    json_set_string(end, "kind", json_get_text(obj, "kind"));
    json_set_string(json_need_object(end, "resourceRef"), "name",
                    json_at_text(obj, "metadata", "name"));
    return end;
}

static struct json *
usage(const struct sequencer *s, const struct json *of, const struct json *by)
{
    const char *ns = json_at_text(of, "metadata", "namespace");
    struct json *u = json_new_object();
    struct json *spec = json_set(u, "spec", json_new_object());
    struct json *meta = json_set(u, "metadata", json_new_object());
    AUTO(mem_free_ptr) char *name = usage_name(of, by);

    json_set_string(u, "apiVersion", api_version(s));
    json_set_string(u, "kind", is_v1(s) || *ns ? "Usage" : "ClusterUsage");
    json_set_string(meta, "name", name);
    if (*ns && !is_v1(s))
        json_set_string(meta, "namespace", ns);
    json_set(spec, "by", usage_end(by));
    json_set(spec, "of", usage_end(of));
    json_set_string(spec, "reason", "dependency");
    json_set_bool(spec, "replayDeletion", flag(s->in, "replayDeletion"));
    return u;
}

/* Usages of `of` by everything observed that matches the next name. */
static void
protect(struct sequencer *s, const struct json *of, const char *of_name,
        const struct re *by)
{
    for (const struct json *o = json_first(fn_observed_all(s->req)); o;
         o = json_next(o)) {
        const struct json *user = json_get(o, "resource");

        if (!matches(by, o) || is_usage(s, user))
            continue;
        AUTO(mem_free_ptr)
        char *name = mem_printf("%s-%s-usage", json_key(o), of_name);

        json_set(s->usages, name, usage(s, of, user));
    }
}

static bool
protect_all(struct sequencer *s, const struct json *sequence)
{
    static const char where[] = "cannot generate usages for sequence: ";

    for (const struct json *of = json_first(sequence), *by;
         (by = of ? json_next(of) : NULL); of = by) {
        AUTO(re_free_ptr) struct re *by_re = pattern(s, by, where);
        AUTO(re_free_ptr)
        struct re *of_re = by_re ? pattern(s, of, where) : NULL;

        if (!of_re)
            return false;
        for (const struct json *d = json_first(fn_desired_all(s->rsp)); d;
             d = json_next(d)) {
            const struct json *there = fn_observed(s->req, json_key(d));

            if (there && matches(of_re, d))
                protect(s, there, json_key(d), by_re);
        }
    }
    return true;
}

/* ---- rules ---- */

/* As fmt prints a []resource.Name. */
static void
show(const struct json *sequence, struct buf *out)
{
    buf_putc(out, '[');
    for (const struct json *n = json_first(sequence); n; n = json_next(n))
        buf_printf(out, "%s%s", n == json_first(sequence) ? "" : " ",
                   json_string_or(n, ""));
    buf_putc(out, ']');
}

/* False: fatal. *skip: the rule's condition does not hold. */
static bool
check_condition(struct sequencer *s, const struct json *rule, bool *skip)
{
    const char *source = json_string_or(json_get(rule, "condition"), "");
    AUTO(buf_release) struct buf names = BUF_INIT(BUF_TEXT_MAX);
    AUTO(buf_release) struct buf quoted = BUF_INIT(BUF_TEXT_MAX);
    struct error err = {0};
    bool holds = true;

    if (!*source)
        return true;
    show(json_get(rule, "sequence"), &names);
    format_quote(str_of(source), false, &quoted);
    if (!sequencer_condition(s->req, source, &holds, &err)) {
        fn_resultf(s->rsp, FN_FATAL,
                   "cannot evaluate condition %s for sequence %s: %s",
                   buf_cstr(&quoted), buf_cstr(&names), err.msg);
        return false;
    }
    *skip = !holds;
    if (!holds)
        fn_resultf(s->rsp, FN_NORMAL,
                   "Skipping sequence %s: condition %s evaluated to false",
                   buf_cstr(&names), buf_cstr(&quoted));
    return true;
}

static bool
run_rule(struct sequencer *s, const struct json *rule)
{
    const struct json *sequence = json_get(rule, "sequence");
    const struct json *first = json_first(sequence);
    bool skip = false;

    if (!check_condition(s, rule, &skip))
        return false;
    if (flag(s->in, "enableDeletionSequencing") && !protect_all(s, sequence))
        return false;
    if (skip || flag(rule, "deleteOnly") || !first)
        return true;
    for (const struct json *n = json_next(first); n; n = json_next(n)) {
        if (!fn_observed(s->req, json_string_or(n, "")) &&
            !sequence_one(s, sequence, n))
            return false;
    }
    return true;
}

static bool
set_ttl(const struct json *in, struct fn_response *rsp)
{
    const char *text = json_string_or(json_get(in, "cacheTTL"), "");
    struct error why = {0};
    int64_t ns;

    if (!*text)
        return true;
    if (!gotime_parse_duration(str_of(text), &ns, &why)) {
        fn_resultf(rsp, FN_FATAL, "cannot set cacheTTL: %s", why.msg);
        return false;
    }
    rsp->ttl_s = ns / 1000000000;
    return true;
}

static void
run(const struct fn_request *req, struct fn_response *rsp)
{
    AUTO(json_free_ptr) struct json *usages = json_new_object();
    struct sequencer s = {req, rsp, fn_input(req), usages};
    const struct json *rules = json_get(s.in, "rules");
    struct error err = {0};

    rsp->ttl_s = 60;
    if (!strict_input(s.in, &input_type, &err)) {
        fn_resultf(rsp, FN_FATAL,
                   "cannot get Function input from *v1.RunFunctionRequest: %s",
                   err.msg);
        return;
    }
    if (!set_ttl(s.in, rsp))
        return;
    for (const struct json *r = json_first(rules); r; r = json_next(r)) {
        if (!run_rule(&s, r))
            return;
    }
    for (const struct json *u = json_first(usages); u; u = json_next(u))
        fn_desired_set(rsp, json_key(u), json_copy(u), FN_READY_TRUE);
}

const struct function fn_sequencer = {
    .name = "function-sequencer",
    .run = run,
};
