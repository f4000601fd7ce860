/* Checks of PodSpecs, wherever they are. */
#include "lib/base/mem.h"

#include "lib/schema/names.h"

#include "devenv/sandbox/builtin.h"

#define REQUIRED "FieldValueRequired"
#define INVALID  "FieldValueInvalid"

static const char *const lists[] = {"initContainers", "containers",
                                    "ephemeralContainers"};

static void
check_name(const char *name, const char *path, struct schema_findings *bad)
{
    AUTO(strlist_release) struct strlist why = {0};

    if (!*name) {
        schema_findings_add(bad, path, REQUIRED, "Required value");
        return;
    }
    names_label(str_of(name), &why);
    for (size_t i = 0; i < why.n; i++)
        schema_findings_add(bad, path, INVALID, "Invalid value: \"%s\": %s",
                            name, why.v[i]);
}

static void
check_ports(const struct json *c, const char *path, struct schema_findings *bad)
{
    size_t i = 0;

    for (const struct json *p = json_first(json_get(c, "ports")); p;
         p = json_next(p), i++) {
        AUTO(mem_free_ptr)
        char *at = mem_printf("%s.ports[%zu].containerPort", path, i);
        int64_t n = json_int64_or(json_get(p, "containerPort"), 0);

        if (!n)
            schema_findings_add(bad, at, REQUIRED, "Required value");
        else if (n < 1 || n > 65535)
            schema_findings_add(bad, at, INVALID,
                                "Invalid value: %lld: must be between 1 and "
                                "65535, inclusive",
                                (long long)n);
    }
}

static bool
has_volume(const struct json *spec, const char *name)
{
    for (const struct json *v = json_first(json_get(spec, "volumes")); v;
         v = json_next(v)) {
        if (!strcmp(json_get_text(v, "name"), name))
            return true;
    }
    return false;
}

static void
check_mounts(const struct json *spec, const struct json *c, const char *path,
             struct schema_findings *bad)
{
    size_t i = 0;

    for (const struct json *m = json_first(json_get(c, "volumeMounts")); m;
         m = json_next(m), i++) {
        AUTO(mem_free_ptr)
        char *at = mem_printf("%s.volumeMounts[%zu].name", path, i);
        AUTO(mem_free_ptr)
        char *where = mem_printf("%s.volumeMounts[%zu].mountPath", path, i);
        const char *name = json_get_text(m, "name");

        if (!*name)
            schema_findings_add(bad, at, REQUIRED, "Required value");
        else if (!has_volume(spec, name))
            schema_findings_add(bad, at, "FieldValueNotFound",
                                "Not found: \"%s\"", name);
        if (!*json_get_text(m, "mountPath"))
            schema_findings_add(bad, where, REQUIRED, "Required value");
    }
}

static void
check_env(const struct json *c, const char *path, struct schema_findings *bad)
{
    size_t i = 0;

    for (const struct json *e = json_first(json_get(c, "env")); e;
         e = json_next(e), i++) {
        AUTO(mem_free_ptr) char *at = mem_printf("%s.env[%zu].name", path, i);

        if (!*json_get_text(e, "name"))
            schema_findings_add(bad, at, REQUIRED, "Required value");
    }
}

static void
check_container(const struct json *spec, const struct json *c, const char *path,
                struct schema_findings *bad)
{
    AUTO(mem_free_ptr) char *name = mem_printf("%s.name", path);
    AUTO(mem_free_ptr) char *image = mem_printf("%s.image", path);
    const char *text = json_get_text(c, "image");

    check_name(json_get_text(c, "name"), name, bad);
    if (!*text)
        schema_findings_add(bad, image, REQUIRED, "Required value");
    else if (*text == ' ' || text[strlen(text) - 1] == ' ')
        schema_findings_add(bad, image, INVALID,
                            "Invalid value: \"%s\": must not have leading or "
                            "trailing whitespace",
                            text);
    check_ports(c, path, bad);
    check_env(c, path, bad);
    check_mounts(spec, c, path, bad);
}

static bool
named_before(const struct json *list, const struct json *c)
{
    for (const struct json *o = json_first(list); o != c; o = json_next(o)) {
        if (!strcmp(json_get_text(o, "name"), json_get_text(c, "name")))
            return true;
    }
    return false;
}

static void
check_list(const struct json *spec, const char *which, const char *path,
           struct schema_findings *bad)
{
    const struct json *list = json_get(spec, which);
    size_t i = 0;

    for (const struct json *c = json_first(list); c; c = json_next(c), i++) {
        AUTO(mem_free_ptr) char *at = mem_printf("%s.%s[%zu]", path, which, i);
        AUTO(mem_free_ptr) char *name = mem_printf("%s.name", at);

        check_container(spec, c, at, bad);
        if (*json_get_text(c, "name") && named_before(list, c))
            schema_findings_add(bad, name, "FieldValueDuplicate",
                                "Duplicate value: \"%s\"",
                                json_get_text(c, "name"));
    }
}

static void
check_volumes(const struct json *spec, const char *path,
              struct schema_findings *bad)
{
    const struct json *list = json_get(spec, "volumes");
    size_t i = 0;

    for (const struct json *v = json_first(list); v; v = json_next(v), i++) {
        AUTO(mem_free_ptr)
        char *at = mem_printf("%s.volumes[%zu].name", path, i);

        check_name(json_get_text(v, "name"), at, bad);
        if (*json_get_text(v, "name") && named_before(list, v))
            schema_findings_add(bad, at, "FieldValueDuplicate",
                                "Duplicate value: \"%s\"",
                                json_get_text(v, "name"));
    }
}

void
builtin_check_pod_spec(const struct json *spec, const char *path,
                       struct schema_findings *bad)
{
    AUTO(mem_free_ptr) char *containers = mem_printf("%s.containers", path);

    check_volumes(spec, path, bad);
    if (!json_first(json_get(spec, "containers")))
        schema_findings_add(bad, containers, REQUIRED, "Required value");
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        check_list(spec, lists[i], path, bad);
}

/* ---- a pod ---- */

/* What of a pod's spec may change: images, deadlines, tolerations. */
static void
drop_what_may_change(struct json *spec)
{
    static const char *const fields[] = {
        "activeDeadlineSeconds", "tolerations", "terminationGracePeriodSeconds",
        "schedulingGates",       "nodeName",    "ephemeralContainers"};

    for (size_t i = 0; i < ARRAY_LEN(fields); i++)
        json_del(spec, fields[i]);
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        for (struct json *c = json_first(json_get(spec, lists[i])); c;
             c = json_next(c)) {
            json_del(c, "image");
            json_del(c, "imagePullPolicy");
        }
    }
}

void
builtin_check_pod(const struct json *obj, const struct json *old,
                  struct schema_findings *bad)
{
    AUTO(json_free_ptr) struct json *a = json_copy(json_get(obj, "spec"));
    AUTO(json_free_ptr) struct json *b = json_copy(json_get(old, "spec"));

    builtin_check_pod_spec(a, "spec", bad);
    drop_what_may_change(a);
    drop_what_may_change(b);
    if (old && !json_equal(a, b))
        schema_findings_add(
            bad, "spec", "FieldValueForbidden",
            "Forbidden: pod updates may not change fields other than "
            "`spec.containers[*].image`,`spec.initContainers[*].image`,"
            "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions "
            "to existing tolerations),`spec.terminationGracePeriodSeconds` "
            "(allow it to be set to 1 if it was previously negative)");
}
