/* Readiness checks of an observed resource. */
#include "lib/base/clock.h"

#include "lib/compose/conditions.h"
#include "lib/compose/fieldpath.h"
#include "lib/compose/fn_patch.h"
#include "lib/compose/gojson.h"

/* ---- conditions ---- */

STRICT_FIELDS(condition, "v1.Condition", {"type", &strict_string},
              {"status", &strict_string},
              {"lastTransitionTime", &strict_string},
              {"reason", &strict_string}, {"message", &strict_string},
              {"observedGeneration", &strict_int64});
STRICT_LIST_OF(conditions, "[]v1.Condition", condition);
STRICT_FIELDS(conditioned, "v1.ConditionedStatus", {"conditions", &conditions});

/* Whether status can be read into upstream's type. */
static bool
is_readable(const struct json *status)
{
    const struct json *list = json_get(status, "conditions");
    int64_t ignored;

    if (!gojson_check(status, &conditioned, NULL))
        return false;
    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        const char *when = json_get_string(c, "lastTransitionTime");

        if (when && !clock_parse(str_of(when), &ignored))
            return false;
    }
    return true;
}

/* "Unknown" when there is no condition of that type, "" when there is no status
 * that could be read. */
static const char *
condition_status(const struct json *observed, const char *type)
{
    const struct json *status = json_get(observed, "status");
    const struct json *c = condition_get(observed, type);

    if (!status || !is_readable(status))
        return "";
    return c ? json_get_text(c, "status") : "Unknown";
}

/* ---- the checks ---- */

/* found: what lies at the check's path; never NULL. */
typedef bool check_fn(const struct json *check, const struct json *found,
                      bool *ready, struct error *err);

static bool
not_a(const struct json *check, const char *what, struct error *err)
{
    return error_set(err, ERR_INVALID, "%s: not a %s",
                     json_get_text(check, "fieldPath"), what);
}

static bool
non_empty(const struct json *check UNUSED, const struct json *found UNUSED,
          bool *ready, struct error *err UNUSED)
{
    *ready = true;
    return true;
}

static bool
match_string(const struct json *check, const struct json *found, bool *ready,
             struct error *err)
{
    if (!json_is(found, JSON_STRING))
        return not_a(check, "string", err);
    *ready =
        strcmp(json_string(found), json_get_text(check, "matchString")) == 0;
    return true;
}

/* Observed numbers are float64, of which upstream's check says that they are
 * no integers: it never passes. */
static bool
match_integer(const struct json *check, const struct json *found UNUSED,
              bool *ready UNUSED, struct error *err)
{
    return not_a(check, "(int64) number", err);
}

static bool
match_true(const struct json *check, const struct json *found, bool *ready,
           struct error *err)
{
    if (!json_is(found, JSON_BOOL))
        return not_a(check, "bool", err);
    *ready = json_bool(found, false);
    return true;
}

static bool
match_false(const struct json *check, const struct json *found, bool *ready,
            struct error *err)
{
    if (!match_true(check, found, ready, err))
        return false;
    *ready = !*ready;
    return true;
}

static const struct {
    const char *type;
    check_fn *run;
} checks[] = {
    {"NonEmpty", non_empty},         {"MatchString", match_string},
    {"MatchInteger", match_integer}, {"MatchTrue", match_true},
    {"MatchFalse", match_false},
};

static bool
run_check(const struct json *check, const struct json *observed, bool *ready,
          struct error *err)
{
    const char *type = json_get_text(check, "type");
    const struct json *want = json_get(check, "matchCondition"), *found;
    struct error why = {0};

    *ready = strcmp(type, "None") == 0;
    if (strcmp(type, "MatchCondition") == 0)
        *ready = strcmp(condition_status(observed, json_get_text(want, "type")),
                        json_get_text(want, "status")) == 0;
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        if (strcmp(checks[i].type, type) != 0)
            continue;
        found = fieldpath_get(observed,
                              str_of(json_get_text(check, "fieldPath")), &why);
        if (found)
            return checks[i].run(check, found, ready, err);
        return why.code == ERR_NOT_FOUND ||
               error_set(err, why.code, "%s", why.msg);
    }
    return true;
}

bool
patch_is_ready(const struct json *list, const struct json *observed,
               bool *ready, struct error *err)
{
    int i = 0;

    *ready = json_len(list) ||
             strcmp(condition_status(observed, "Ready"), "True") == 0;
    for (const struct json *c = json_first(list); c && *ready;
         c = json_next(c), i++) {
        if (run_check(c, observed, ready, err))
            continue;
        *ready = false;
        return error_wrap(err, "cannot run readiness check at index %d", i);
    }
    return true;
}
