/* Checks of built-in kinds in the API server's words (kubernetes pkg/apis,
 * .../validation/validation.go, observed). Pods are in builtin_pod.c. */
#include "lib/base/digest.h"
#include "lib/base/mem.h"

#include "lib/schema/names.h"

#include "devenv/sandbox/builtin.h"
#include "devenv/sandbox/selectors.h"
#include "devenv/sandbox/types.h"

#define REQUIRED  "FieldValueRequired"
#define INVALID   "FieldValueInvalid"
#define FORBIDDEN "FieldValueForbidden"
#define IMMUTABLE "field is immutable"

/* ---- choices ---- */

static void
check_choice(const struct types_field *f, const struct json *v,
             const char *path, struct schema_findings *bad)
{
    AUTO(buf_release) struct buf all = BUF_INIT(4096);
    AUTO(strlist_release) struct strlist words = {0};
    struct str rest = str_of(f->choices), one;

    while (str_next(&rest, '|', &one)) {
        if (str_eqz(one, json_string_or(v, "")))
            return;
        if (one.n)
            strlist_add(&words, one);
    }
    for (size_t i = 0; i < words.n; i++)
        buf_printf(&all, "%s\"%s\"", i ? ", " : "", words.v[i]);
    schema_findings_add(bad, path, "FieldValueNotSupported",
                        "Unsupported value: \"%s\": supported values: %s",
                        json_string_or(v, ""), buf_cstr(&all));
}

static void
check_field(const struct types_field *f, const struct json *v, const char *path,
            struct schema_findings *bad)
{
    size_t i = 0;

    if (f->shape == TYPES_ONE) {
        if (f->choices && json_string(v) && *json_string(v))
            check_choice(f, v, path, bad);
        if (f->type)
            builtin_check_choices(f->type, v, path, bad);
        return;
    }
    for (const struct json *c = json_first(v); c; c = json_next(c), i++) {
        AUTO(mem_free_ptr)
        char *at = json_key(c) ? mem_printf("%s[%s]", path, json_key(c))
                               : mem_printf("%s[%zu]", path, i);
        struct types_field one = *f;

        one.shape = TYPES_ONE;
        if (f->type || f->choices)
            check_field(&one, c, at, bad);
    }
}

void
builtin_check_choices(const struct types_struct *s, const struct json *obj,
                      const char *path, struct schema_findings *bad)
{
    for (const struct json *c = json_first(obj); c; c = json_next(c)) {
        const struct types_field *f = types_field(s, json_key(c));

        if (!f || (!*path && !strcmp(json_key(c), "metadata")))
            continue;
        AUTO(mem_free_ptr)
        char *at = mem_printf("%s%s%s", path, *path ? "." : "", json_key(c));

        check_field(f, c, at, bad);
    }
}

/* ---- what may not change ---- */

/* v, as field.Invalid prints it: JSON, texts in quotes. */
static void
immutable(const struct json *v, const char *path, struct schema_findings *bad)
{
    AUTO(mem_free_ptr) char *text = json_text(v, JSON_COMPACT);

    schema_findings_add(bad, path, INVALID, "Invalid value: %s: " IMMUTABLE,
                        text);
}

static void
same(const struct json *obj, const struct json *old, const char *path,
     struct schema_findings *bad)
{
    AUTO(mem_free_ptr) char *at = mem_printf(".%s", path);
    const struct json *v = builtin_reach(obj, at);

    if (old && !json_equal(v, builtin_reach(old, at)))
        immutable(v, path, bad);
}

/* ---- config maps and secrets ---- */

static void
check_keys(const struct json *map, const char *field,
           struct schema_findings *bad)
{
    for (const struct json *c = json_first(map); c; c = json_next(c)) {
        AUTO(strlist_release) struct strlist why = {0};
        AUTO(mem_free_ptr)
        char *path = mem_printf("%s[%s]", field, json_key(c));

        if (names_config_key(str_of(json_key(c)), &why))
            continue;
        for (size_t i = 0; i < why.n; i++)
            schema_findings_add(bad, path, INVALID, "Invalid value: \"%s\": %s",
                                json_key(c), why.v[i]);
    }
}

static void
check_immutable(const struct json *obj, const struct json *old,
                struct schema_findings *bad)
{
    static const char *const fields[] = {"data", "binaryData"};

    if (!json_bool(json_get(old, "immutable"), false))
        return;
    if (!json_bool(json_get(obj, "immutable"), false))
        schema_findings_add(bad, "immutable", FORBIDDEN,
                            "Forbidden: field is immutable when `immutable` "
                            "is set");
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (!json_equal(json_get(obj, fields[i]), json_get(old, fields[i])))
            schema_findings_add(bad, fields[i], FORBIDDEN,
                                "Forbidden: field is immutable when "
                                "`immutable` is set");
    }
}

#define DATA_MAX 1048576

static void
check_size(const struct json *obj, bool secret, struct schema_findings *bad)
{
    static const char *const fields[] = {"data", "binaryData"};
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        for (const struct json *c = json_first(json_get(obj, fields[i])); c;
             c = json_next(c)) {
            size_t len = strlen(json_string_or(c, ""));

            n += secret || i ? len / 4 * 3 : len;
        }
    }
    if (n > DATA_MAX)
        schema_findings_add(bad, secret ? "data" : "[]", "FieldValueTooLong",
                            "Too long: may not be more than %d bytes",
                            DATA_MAX);
}

void
builtin_check_config_map(const struct json *obj, const struct json *old,
                         struct schema_findings *bad)
{
    const struct json *plain = json_get(obj, "data");

    check_keys(plain, "data", bad);
    check_keys(json_get(obj, "binaryData"), "binaryData", bad);
    for (const struct json *c = json_first(plain); c; c = json_next(c)) {
        AUTO(mem_free_ptr) char *path = mem_printf("data[%s]", json_key(c));

        if (json_get(json_get(obj, "binaryData"), json_key(c)))
            schema_findings_add(bad, path, INVALID,
                                "Invalid value: \"%s\": duplicate of key "
                                "present in binaryData",
                                json_key(c));
    }
    check_size(obj, false, bad);
    check_immutable(obj, old, bad);
}

/* What a type of Secret has to hold. */
static const struct {
    const char *type, *key;
} secret_keys[] = {
    {"kubernetes.io/dockercfg", ".dockercfg"},
    {"kubernetes.io/dockerconfigjson", ".dockerconfigjson"},
    {"kubernetes.io/tls", "tls.crt"},
    {"kubernetes.io/tls", "tls.key"},
    {"kubernetes.io/ssh-auth", "ssh-privatekey"},
};

void
builtin_check_secret(const struct json *obj, const struct json *old,
                     struct schema_findings *bad)
{
    const char *type = json_get_text(obj, "type");

    check_keys(json_get(obj, "data"), "data", bad);
    check_size(obj, true, bad);
    for (size_t i = 0; i < ARRAY_LEN(secret_keys); i++) {
        AUTO(mem_free_ptr)
        char *path = mem_printf("data[%s]", secret_keys[i].key);

        if (!strcmp(type, secret_keys[i].type) &&
            !json_get(json_get(obj, "data"), secret_keys[i].key))
            schema_findings_add(bad, path, REQUIRED, "Required value");
    }
    if (!strcmp(type, "kubernetes.io/service-account-token") &&
        !*json_get_text(json_at(obj, "metadata", "annotations", NULL),
                        "kubernetes.io/service-account.name"))
        schema_findings_add(
            bad, "metadata.annotations[kubernetes.io/service-account.name]",
            REQUIRED, "Required value");
    same(obj, old, "type", bad);
    check_immutable(obj, old, bad);
}

/* ---- services ---- */

static void
check_port_number(const struct json *v, const char *path,
                  struct schema_findings *bad)
{
    int64_t n = 0;

    if (json_string(v))
        return;
    if (!json_int64(v, &n) || n < 1 || n > 65535)
        schema_findings_add(bad, path, INVALID,
                            "Invalid value: %lld: must be between 1 and 65535, "
                            "inclusive",
                            (long long)n);
}

static void
check_service_port(const struct json *spec, const struct json *p, size_t i,
                   struct schema_findings *bad)
{
    AUTO(mem_free_ptr) char *name = mem_printf("spec.ports[%zu].name", i);
    AUTO(mem_free_ptr) char *port = mem_printf("spec.ports[%zu].port", i);
    AUTO(mem_free_ptr) char *to = mem_printf("spec.ports[%zu].targetPort", i);
    AUTO(mem_free_ptr) char *here = mem_printf("spec.ports[%zu]", i);
    size_t k = 0;

    if (!*json_get_text(p, "name") && json_len(json_get(spec, "ports")) > 1)
        schema_findings_add(bad, name, REQUIRED, "Required value");
    check_port_number(json_get(p, "port"), port, bad);
    check_port_number(json_get(p, "targetPort"), to, bad);
    for (const struct json *q = json_first(json_get(spec, "ports")); q != p;
         q = json_next(q), k++) {
        bool twin =
            json_equal(json_get(p, "port"), json_get(q, "port")) &&
            json_equal(json_get(p, "protocol"), json_get(q, "protocol"));

        if (*json_get_text(p, "name") &&
            !strcmp(json_get_text(p, "name"), json_get_text(q, "name")))
            schema_findings_add(bad, name, "FieldValueDuplicate",
                                "Duplicate value: \"%s\"",
                                json_get_text(p, "name"));
        if (twin)
            schema_findings_add(
                bad, here, "FieldValueDuplicate",
                "Duplicate value: {\"protocol\":\"%s\","
                "\"port\":%lld,\"targetPort\":0}",
                json_get_text(p, "protocol"),
                (long long)json_int64_or(json_get(p, "port"), 0));
    }
}

void
builtin_check_service(const struct json *obj, const struct json *old,
                      struct schema_findings *bad)
{
    const struct json *spec = json_get(obj, "spec");
    const char *type = json_get_text(spec, "type");
    bool named = !strcmp(type, "ExternalName");
    size_t i = 0;

    if (!json_first(json_get(spec, "ports")) && !named &&
        strcmp(json_get_text(spec, "clusterIP"), "None") != 0)
        schema_findings_add(bad, "spec.ports", REQUIRED, "Required value");
    if (named && !*json_get_text(spec, "externalName"))
        schema_findings_add(bad, "spec.externalName", REQUIRED,
                            "Required value");
    for (const struct json *p = json_first(json_get(spec, "ports")); p;
         p = json_next(p), i++)
        check_service_port(spec, p, i, bad);
    if (old && !named &&
        strcmp(json_get_text(json_get(old, "spec"), "type"), "ExternalName"))
        same(obj, old, "spec.clusterIP", bad);
}

/* ---- workloads ---- */

static bool
matches(const struct json *selector, const struct json *labels)
{
    const struct json *want = json_get(selector, "matchLabels");

    for (const struct json *c = json_first(want); c; c = json_next(c)) {
        if (!json_equal(c, json_get(labels, json_key(c))))
            return false;
    }
    return true;
}

/* A selector that is there, says something, and takes the template's pods. */
static void
check_selector(const struct json *spec, struct schema_findings *bad)
{
    const struct json *selector = json_get(spec, "selector");
    const struct json *labels =
        json_at(spec, "template", "metadata", "labels", NULL);
    bool there = json_is(selector, JSON_OBJECT);
    bool empty = selector_object_empty(selector);
    AUTO(mem_free_ptr)
    char *text = json_text(labels, JSON_COMPACT | JSON_SORTED);

    if (!there)
        schema_findings_add(bad, "spec.selector", REQUIRED, "Required value");
    else if (empty)
        schema_findings_add(bad, "spec.selector", INVALID,
                            "Invalid value: {}: empty selector is invalid for "
                            "deployment");
    if (!there || !matches(selector, labels))
        schema_findings_add(bad, "spec.template.metadata.labels", INVALID,
                            "Invalid value: %s: `selector` does not match "
                            "template `labels`",
                            labels ? text : "null");
}

static void
check_not_negative(const struct json *obj, const char *path,
                   struct schema_findings *bad)
{
    AUTO(mem_free_ptr) char *at = mem_printf(".%s", path);
    int64_t n;

    if (json_int64(builtin_reach(obj, at), &n) && n < 0)
        schema_findings_add(bad, path, INVALID,
                            "Invalid value: %lld: must be greater than or "
                            "equal to 0",
                            (long long)n);
}

static void
check_always(const struct json *spec, struct schema_findings *bad)
{
    const char *policy = json_string_or(
        json_at(spec, "template", "spec", "restartPolicy", NULL), "Always");

    if (strcmp(policy, "Always") != 0)
        schema_findings_add(bad, "spec.template.spec.restartPolicy",
                            "FieldValueNotSupported",
                            "Unsupported value: \"%s\": supported values: "
                            "\"Always\"",
                            policy);
}

void
builtin_check_workload(const struct json *obj, const struct json *old,
                       struct schema_findings *bad)
{
    const struct json *spec = json_get(obj, "spec");

    check_not_negative(obj, "spec.replicas", bad);
    check_not_negative(obj, "spec.minReadySeconds", bad);
    check_not_negative(obj, "spec.revisionHistoryLimit", bad);
    check_selector(spec, bad);
    builtin_check_pod_spec(builtin_reach(obj, ".spec.template.spec"),
                           "spec.template.spec", bad);
    check_always(spec, bad);
    same(obj, old, "spec.selector", bad);
}

void
builtin_check_stateful_set(const struct json *obj, const struct json *old,
                           struct schema_findings *bad)
{
    static const char *const free_fields[] = {
        "replicas",
        "ordinals",
        "template",
        "updateStrategy",
        "revisionHistoryLimit",
        "persistentVolumeClaimRetentionPolicy",
        "minReadySeconds"};
    AUTO(json_free_ptr) struct json *a = json_copy(json_get(obj, "spec"));
    AUTO(json_free_ptr) struct json *b = json_copy(json_get(old, "spec"));

    check_not_negative(obj, "spec.replicas", bad);
    check_selector(json_get(obj, "spec"), bad);
    builtin_check_pod_spec(builtin_reach(obj, ".spec.template.spec"),
                           "spec.template.spec", bad);
    check_always(json_get(obj, "spec"), bad);
    for (size_t i = 0; i < ARRAY_LEN(free_fields); i++) {
        json_del(a, free_fields[i]);
        json_del(b, free_fields[i]);
    }
    if (old && !json_equal(a, b))
        schema_findings_add(
            bad, "spec", FORBIDDEN,
            "Forbidden: updates to statefulset spec for fields other than "
            "'replicas', 'ordinals', 'template', 'updateStrategy', "
            "'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' "
            "and 'minReadySeconds' are forbidden");
}

static void
check_job_spec(const struct json *spec, const char *path,
               struct schema_findings *bad)
{
    AUTO(mem_free_ptr) char *pods = mem_printf("%s.template.spec", path);
    AUTO(mem_free_ptr) char *at = mem_printf("%s.restartPolicy", pods);
    const char *policy = json_string_or(
        json_at(spec, "template", "spec", "restartPolicy", NULL), "");

    builtin_check_pod_spec(json_at(spec, "template", "spec", NULL), pods, bad);
    if (!strcmp(policy, "Always"))
        schema_findings_add(bad, at, "FieldValueRequired",
                            "Required value: valid values: \"OnFailure\", "
                            "\"Never\"");
}

void
builtin_check_job(const struct json *obj, const struct json *old,
                  struct schema_findings *bad)
{
    check_not_negative(obj, "spec.parallelism", bad);
    check_not_negative(obj, "spec.completions", bad);
    check_not_negative(obj, "spec.backoffLimit", bad);
    check_job_spec(json_get(obj, "spec"), "spec", bad);
    same(obj, old, "spec.selector", bad);
    same(obj, old, "spec.template", bad);
    same(obj, old, "spec.completionMode", bad);
}

/* "*", "1-5", "a/b", "1,2" five times, or "@daily". */
static bool
good_schedule(const char *text)
{
    static const char *const words[] = {"@yearly", "@annually", "@monthly",
                                        "@weekly", "@daily",    "@midnight",
                                        "@hourly"};
    struct str rest = str_of(text), field;
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!strcmp(text, words[i]))
            return true;
    }
    if (str_starts(rest, STR("@every ")))
        return true;
    while (str_next(&rest, ' ', &field))
        n += field.n > 0;
    return n == 5 && strspn(text, "0123456789*,-/? "
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "abcdefghijklmnopqrstuvwxyz") == strlen(text);
}

void
builtin_check_cron_job(const struct json *obj, const struct json *old,
                       struct schema_findings *bad)
{
    const struct json *spec = json_get(obj, "spec");
    const char *schedule = json_get_text(spec, "schedule");
    struct str rest = str_of(schedule), field;
    size_t n = 0;

    (void)old;
    while (str_next(&rest, ' ', &field))
        n += field.n > 0;
    if (!*schedule)
        schema_findings_add(bad, "spec.schedule", REQUIRED, "Required value");
    else if (!good_schedule(schedule))
        schema_findings_add(bad, "spec.schedule", INVALID,
                            "Invalid value: \"%s\": expected exactly 5 fields, "
                            "found %zu: [%s]",
                            schedule, n, schedule);
    check_job_spec(json_at(spec, "jobTemplate", "spec", NULL),
                   "spec.jobTemplate.spec", bad);
}

/* ---- the others ---- */

void
builtin_check_claim(const struct json *obj, const struct json *old,
                    struct schema_findings *bad)
{
    AUTO(json_free_ptr) struct json *a = json_copy(json_get(obj, "spec"));
    AUTO(json_free_ptr) struct json *b = json_copy(json_get(old, "spec"));

    if (!json_first(json_get(a, "accessModes")))
        schema_findings_add(bad, "spec.accessModes", REQUIRED,
                            "Required value: at least 1 access mode is "
                            "required");
    if (!json_at(a, "resources", "requests", "storage", NULL))
        schema_findings_add(bad, "spec.resources[storage]", REQUIRED,
                            "Required value");
    if (!old)
        return;
    json_del(a, "resources");
    json_del(b, "resources");
    json_del(a, "volumeAttributesClassName");
    json_del(b, "volumeAttributesClassName");
    if (!json_get(b, "volumeName"))
        json_del(a, "volumeName");
    if (!json_equal(a, b))
        schema_findings_add(bad, "spec", FORBIDDEN,
                            "Forbidden: spec is immutable after creation "
                            "except resources.requests and "
                            "volumeAttributesClassName for bound claims");
}

void
builtin_check_binding(const struct json *obj, const struct json *old,
                      struct schema_findings *bad)
{
    const struct json *ref = json_get(obj, "roleRef");

    if (!*json_get_text(ref, "kind"))
        schema_findings_add(bad, "roleRef.kind", "FieldValueNotSupported",
                            "Unsupported value: \"\": supported values: "
                            "\"Role\", \"ClusterRole\"");
    if (!*json_get_text(ref, "name"))
        schema_findings_add(bad, "roleRef.name", REQUIRED, "Required value");
    if (old && !json_equal(ref, json_get(old, "roleRef"))) {
        AUTO(mem_free_ptr) char *text = json_text(ref, JSON_COMPACT);

        schema_findings_add(bad, "roleRef", INVALID,
                            "Invalid value: %s: cannot change roleRef", text);
    }
}

void
builtin_check_ingress(const struct json *obj, const struct json *old,
                      struct schema_findings *bad)
{
    const struct json *spec = json_get(obj, "spec");
    size_t i = 0;

    (void)old;
    if (!json_first(json_get(spec, "rules")) &&
        !json_get(spec, "defaultBackend"))
        schema_findings_add(bad, "spec", INVALID,
                            "Invalid value: null: either `defaultBackend` or "
                            "`rules` must be specified");
    for (const struct json *r = json_first(json_get(spec, "rules")); r;
         r = json_next(r), i++) {
        size_t k = 0;

        for (const struct json *p =
                 json_first(json_at(r, "http", "paths", NULL));
             p; p = json_next(p), k++) {
            AUTO(mem_free_ptr)
            char *path =
                mem_printf("spec.rules[%zu].http.paths[%zu].pathType", i, k);

            if (!json_get(p, "pathType"))
                schema_findings_add(bad, path, REQUIRED,
                                    "Required value: pathType must be "
                                    "specified");
        }
    }
}

/* What it is about is in its namespace; what is in none, in default. */
void
builtin_check_event(const struct json *obj, const struct json *old,
                    struct schema_findings *bad)
{
    const char *ns =
        json_string_or(json_at(obj, "metadata", "namespace", NULL), "");
    const char *about =
        json_string_or(json_at(obj, "involvedObject", "namespace", NULL), "");

    (void)old;
    if (strcmp(ns, about) != 0 && (*about || strcmp(ns, "default") != 0))
        schema_findings_add(bad, "involvedObject.namespace", INVALID,
                            "Invalid value: \"%s\": does not match "
                            "event.namespace",
                            about);
}

void
builtin_check_lease(const struct json *obj, const struct json *old,
                    struct schema_findings *bad)
{
    static const struct {
        const char *path;
        int64_t least;
    } numbers[] = {{"leaseDurationSeconds", 1}, {"leaseTransitions", 0}};

    (void)old;
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        AUTO(mem_free_ptr) char *path = mem_printf("spec.%s", numbers[i].path);
        int64_t n;

        if (json_int64(json_get(json_get(obj, "spec"), numbers[i].path), &n) &&
            n < numbers[i].least)
            schema_findings_add(bad, path, INVALID,
                                "Invalid value: %lld: must be greater than%s 0",
                                (long long)n,
                                numbers[i].least ? "" : " or equal to");
    }
}

void
builtin_check_priority(const struct json *obj, const struct json *old,
                       struct schema_findings *bad)
{
    int64_t n = json_int64_or(json_get(obj, "value"), 0);

    if (n > 1000000000 &&
        !str_starts(str_of(json_at_text(obj, "metadata", "name")),
                    STR("system-")))
        schema_findings_add(bad, "value", FORBIDDEN,
                            "Forbidden: maximum allowed value of a user "
                            "defined priority is 1000000000");
    if (old && !json_equal(json_get(obj, "value"), json_get(old, "value")))
        schema_findings_add(bad, "value", FORBIDDEN,
                            "Forbidden: may not be changed in an update.");
}
