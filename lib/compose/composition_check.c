#include "lib/compose/composition_check.h"

#include "lib/base/mem.h"

#include "lib/compose/xrd.h"

static void
check_type(const struct json *type, const struct composition_world *w,
           struct schema_findings *bad)
{
    const char *api = json_string_or(json_get(type, "apiVersion"), "");
    const char *kind = json_string_or(json_get(type, "kind"), "");
    const struct json *xrd;
    const char *version;
    struct str group, v;
    AUTO(mem_free_ptr) char *name = NULL;

    if (!str_cut(str_of(api), '/', &group, &v)) {
        v = group;
        group = STR("");
    }
    name = mem_strndup(group.s, group.n);
    xrd = w->xrd(w->arg, name, kind);
    if (!xrd ||
        strcmp(kind, json_string_or(json_at(xrd, "spec", "names", "kind", NULL),
                                    "")) != 0) {
        schema_findings_add(bad, "spec.compositeTypeRef",
                            COMPOSITION_TYPE_UNDEFINED,
                            xrd ? "%s, Kind=%s is a claim, not a composite "
                                  "resource"
                                : "no CompositeResourceDefinition defines %s, "
                                  "Kind=%s",
                            api, kind);
        return;
    }
    version = xrd_referenceable(xrd);
    if (version && !str_eqz(v, version))
        schema_findings_add(
            bad, "spec.compositeTypeRef.apiVersion",
            COMPOSITION_TYPE_INCOMPATIBLE,
            "referenced composition is not compatible with this composite "
            "resource: composite resources are %s/%s, not %s",
            name, version, api);
}

static void
check_step(const struct json *step, size_t i, const struct composition_world *w,
           struct schema_findings *bad)
{
    const struct json *input = json_get(step, "input");
    const char *name =
        json_string_or(json_at(step, "functionRef", "name", NULL), "");
    AUTO(mem_free_ptr)
    char *ref = mem_printf("spec.pipeline[%zu].functionRef.name", i);
    AUTO(mem_free_ptr)
    char *at = mem_printf("spec.pipeline[%zu]%s", i, input ? ".input" : "");
    struct error err = {0};
    const struct function *fn = w->function(w->arg, name, &err);
    void *prepared;

    if (!fn) {
        schema_findings_add(bad, ref,
                            err.code == ERR_NOT_FOUND
                                ? COMPOSITION_FUNCTION_MISSING
                                : COMPOSITION_FUNCTION_FOREIGN,
                            "%s", err.msg);
        return;
    }
    if (!fn->prepare)
        return;
    prepared = fn->prepare(input, &err);
    if (prepared)
        fn->discard(prepared);
    else if (err.code != ERR_NONE)
        schema_findings_add(bad, at, COMPOSITION_INPUT_REFUSED,
                            "pipeline step \"%s\" returned a fatal result: %s",
                            json_string_or(json_get(step, "step"), ""),
                            err.msg);
}

void
composition_check(const struct json *composition,
                  const struct composition_world *w,
                  struct schema_findings *bad)
{
    const struct json *spec = json_get(composition, "spec");
    const struct json *pipeline = json_get(spec, "pipeline");
    size_t i = 0;

    if (w->xrd && json_get(spec, "compositeTypeRef"))
        check_type(json_get(spec, "compositeTypeRef"), w, bad);
    for (const struct json *s = json_first(pipeline); s;
         s = json_next(s), i++) {
        if (w->function)
            check_step(s, i, w, bad);
    }
}
