#include "cli/render.h"

#include <stdlib.h>

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include "lib/schema/schema.h"

#include "lib/compose/conditions.h"
#include "lib/compose/fieldpath.h"
#include "lib/compose/xrd.h"

/* Render prints one and the same time, so that output can be compared. */
#define RENDER_TIME "2024-01-01T00:00:00Z"

void
render_init(struct render *r)
{
    *r = (struct render){.observed = json_new_array(),
                         .extra = json_new_array(),
                         .required = json_new_array(),
                         .secrets = json_new_array(),
                         .context = json_new_object()};
}

void
render_release(struct render *r)
{
    json_free(r->xr);
    json_free(r->composition);
    json_free(r->observed);
    json_free(r->extra);
    json_free(r->required);
    json_free(r->secrets);
    json_free(r->context);
    functions_release(&r->functions);
    *r = (struct render){0};
}

/* ---- before the pipeline ---- */

static bool
check_type(const struct render *r, const char *key, struct error *err)
{
    const char *wanted = json_string_or(
        json_at(r->composition, "spec", "compositeTypeRef", key, NULL), "");
    const char *got = json_get_text(r->xr, key);

    return strcmp(wanted, got) == 0 ||
           error_set(err, ERR_INVALID,
                     "composition's compositeTypeRef.%s (%s) does not match "
                     "XR's %s (%s)",
                     key, wanted, key, got);
}

/* Labels that the XR's selector wants of the Composition. */
static bool
check_labels(const struct render *r, struct error *err)
{
    const struct json *want =
        json_at(r->xr, "spec", "crossplane", "compositionSelector",
                "matchLabels", NULL);
    const char *name = json_at_text(r->composition, "metadata", "name");

    for (const struct json *l = json_first(want); l; l = json_next(l)) {
        const char *got = json_string(
            json_at(r->composition, "metadata", "labels", json_key(l), NULL));

        if (!got)
            return error_set(err, ERR_INVALID,
                             "composition \"%s\" is missing required label "
                             "\"%s\"",
                             name, json_key(l));
        if (strcmp(got, json_string_or(l, "")) != 0)
            return error_set(err, ERR_INVALID,
                             "composition \"%s\" has incorrect value for label "
                             "\"%s\": want \"%s\", got \"%s\"",
                             name, json_key(l), json_string_or(l, ""), got);
    }
    return true;
}

bool
render_check(const struct render *r, struct error *err)
{
    const char *mode =
        json_string_or(json_at(r->composition, "spec", "mode", NULL), "");

    if (!check_type(r, "kind", err) || !check_type(r, "apiVersion", err) ||
        !check_labels(r, err))
        return false;
    return strcmp(mode, "Pipeline") == 0 ||
           error_set(err, ERR_INVALID,
                     "render only supports Composition Function pipelines: "
                     "Composition \"%s\" must use spec.mode: Pipeline",
                     json_at_text(r->composition, "metadata", "name"));
}

/* The schema of the XR's version in crd, without the default that the API
 * server, which render does not ask, would have put into the XRD. */
static struct json *
version_schema(struct json *crd, const struct json *xrd, const char *version)
{
    const char *group = json_string_or(json_at(crd, "spec", "group", NULL), "");
    struct json *all = json_at(crd, "spec", "versions", NULL), *schema, *spec;

    for (struct json *v = json_first(all); v; v = json_next(v)) {
        AUTO(mem_free_ptr)
        char *whole = mem_printf("%s/%s", group, json_get_text(v, "name"));

        if (strcmp(whole, version) != 0)
            continue;
        schema = json_at(v, "schema", "openAPIV3Schema", NULL);
        spec = json_at(schema, "properties", "spec", "properties", NULL);
        if (json_at(spec, "crossplane", NULL))
            spec = json_at(spec, "crossplane", "properties", NULL);
        spec = json_get(spec, "compositionUpdatePolicy");
        if (spec &&
            !json_at(xrd, "spec", "defaultCompositionUpdatePolicy", NULL))
            json_del(spec, "default");
        return schema;
    }
    return NULL;
}

bool
render_default(struct render *r, const struct json *xrd, struct error *err)
{
    AUTO(json_free_ptr) struct json *copy = json_copy(xrd);
    AUTO(schema_free_ptr) struct schema *compiled = NULL;
    struct schema_findings problems = {0};
    const char *version = json_get_text(r->xr, "apiVersion");

    /* A file is not defaulted by its version: no scope is the oldest one. */
    if (!json_at(copy, "spec", "scope", NULL))
        json_set_string(json_need_object(copy, "spec"), "scope",
                        "LegacyCluster");
    AUTO(json_free_ptr) struct json *crd = xrd_to_crd(copy, err);

    if (!crd)
        return error_wrap(err, "cannot derive composite CRD from XRD \"%s\"",
                          json_at_text(xrd, "metadata", "name"));
    struct json *schema = version_schema(crd, xrd, version);

    if (!schema)
        return error_set(err, ERR_NOT_FOUND,
                         "cannot default values for XR \"%s\": the specified "
                         "API version '%s' does not exist in the XRD",
                         json_at_text(r->xr, "metadata", "name"), version);
    compiled = schema_compile(schema, "", &problems, NULL);
    if (compiled) {
        schema_default(compiled, r->xr);
        r->legacy = strcmp(xrd_scope(copy), "LegacyCluster") == 0;
    } else {
        AUTO(buf_release) struct buf text = BUF_INIT(800);

        schema_findings_text(&problems, &text);
        error_set(err, ERR_INVALID, "cannot default values for XR \"%s\": %s",
                  json_at_text(r->xr, "metadata", "name"), buf_cstr(&text));
    }
    schema_findings_release(&problems);
    return compiled != NULL;
}

/* ---- what the pipeline asks for ---- */

const struct function *
render_function(void *arg, const char *name, struct error *err)
{
    struct render *r = arg;
    AUTO(buf_release) struct buf names = BUF_INIT(400);
    const struct function *fn;

    if (functions_has(&r->functions, name))
        return functions_find(&r->functions, name, err);
    fn = r->no_functions ? function_builtin_in(str_of(name)) : NULL;
    if (fn)
        return fn;
    if (compose_is_live(r->mode))
        error_set(err, ERR_NOT_FOUND,
                  "unknown function \"%s\" - is it listed in the render input?",
                  name);
    else
        error_set(err, ERR_NOT_FOUND,
                  "unknown Function \"%s\" - does it exist in your Functions "
                  "file?",
                  name);
    if (!r->no_functions) {
        functions_names(&r->functions, &names);
        buf_puts(&names, names.n ? " are in the file" : "The file has none");
        buf_puts(&names, ".\n");
    }
    buf_puts(&names, "Built in: ");
    function_builtin_names(&names);
    error_remedy(err, "", "%s.", buf_cstr(&names));
    return NULL;
}

static bool
has_labels(const struct json *obj, const struct json *labels)
{
    for (const struct json *l = json_first(labels); l; l = json_next(l)) {
        if (!json_equal(l,
                        json_at(obj, "metadata", "labels", json_key(l), NULL)))
            return false;
    }
    return true;
}

/* Adds to items what of `from` the selector means; true: by name, done. */
static bool
add_matches(const struct json *from, const struct json *selector,
            struct json *items)
{
    const char *name = json_get_string(selector, "matchName");
    const struct json *labels =
        json_at(selector, "matchLabels", "labels", NULL);

    for (const struct json *o = json_first(from); o; o = json_next(o)) {
        if (strcmp(json_get_text(o, "kind"), json_get_text(selector, "kind")) !=
                0 ||
            strcmp(json_get_text(o, "apiVersion"),
                   json_get_text(selector, "apiVersion")))
            continue;
        if (name ? strcmp(name, json_at_text(o, "metadata", "name")) == 0
                 : has_labels(o, labels))
            json_append(items, json_copy(o));
        if (name && json_len(items))
            return true;
    }
    return false;
}

/* Namespaces do not count, as upstream's FilteringFetcher has it. */
static bool
fetch(void *arg, const struct json *selector, struct json **items,
      struct error *err)
{
    const struct render *r = arg;

    (void)err;
    *items = json_new_array();
    if (!add_matches(r->extra, selector, *items))
        add_matches(r->required, selector, *items);
    return true;
}

/* What a Composition requires comes from --required-resources only. */
static bool
fetch_bootstrap(void *arg, const struct json *selector, struct json **items,
                struct error *err)
{
    const struct render *r = arg;

    (void)err;
    *items = json_new_array();
    add_matches(r->required, selector, *items);
    return true;
}

static bool
fetch_secret(void *arg, const struct json *selector, struct json **items,
             struct error *err)
{
    const struct render *r = arg;

    (void)err;
    for (const struct json *s = json_first(r->secrets); s; s = json_next(s)) {
        if (strcmp(json_at_text(s, "metadata", "name"),
                   json_get_text(selector, "matchName")) != 0 ||
            strcmp(json_at_text(s, "metadata", "namespace"),
                   json_get_text(selector, "namespace")))
            continue;
        *items = json_new_array();
        json_append(*items, json_copy(s));
        return true;
    }
    return true;
}

struct json *
render_observed(const struct render *r)
{
    struct json *all = json_new_object();

    for (const struct json *o = json_first(r->observed); o; o = json_next(o)) {
        const char *name = json_string(json_at(o, "metadata", "annotations",
                                               COMPOSE_ANNOTATION_NAME, NULL));

        json_set(json_need_object(all, name ? name : ""), "resource",
                 json_copy(o));
    }
    return all;
}

/* ---- what is printed ---- */

int64_t
render_time(void)
{
    int64_t now = 0;

    clock_parse(STR(RENDER_TIME), &now);
    return now;
}

/* The time as metav1.Time prints it again, or null; false: it is none. */
static bool
type_time(const struct json *from, struct json *to)
{
    const char *text = json_string(from);
    char whole[CLOCK_RFC3339_LEN];
    int64_t seconds;

    if (text && !clock_parse(str_of(text), &seconds))
        return false;
    if (text)
        clock_format(seconds, whole);
    json_set(to, "lastTransitionTime",
             text ? json_new_string(whole) : json_new_null());
    return true;
}

void
render_type_conditions(struct json *obj)
{
    static const char *const texts[] = {"reason", "status", "type"};
    const struct json *old = json_at(obj, "status", "conditions", NULL);
    struct json *list = json_new_array();
    bool ok = json_is(old, JSON_ARRAY);

    /* A time that is none ends the reading, as it does for the Go type. */
    for (const struct json *c = json_first(old); ok && c; c = json_next(c)) {
        const struct json *generation = json_get(c, "observedGeneration");
        struct json *typed = json_append(list, json_new_object());

        ok = type_time(json_get(c, "lastTransitionTime"), typed);
        if (!ok)
            json_set(typed, "lastTransitionTime", json_new_null());
        for (size_t i = 0; i < ARRAY_LEN(texts); i++)
            json_set_string(typed, texts[i],
                            ok ? json_get_text(c, texts[i]) : "");
        if (ok && *json_get_text(c, "message"))
            json_set_string(typed, "message", json_get_text(c, "message"));
        if (ok && json_int64_or(generation, 0))
            json_set(typed, "observedGeneration", json_copy(generation));
    }
    json_set(json_need_object(obj, "status"), "conditions", list);
}

void
render_set_ready(struct json *xr, const struct compose_result *out)
{
    AUTO(strlist_release) struct strlist unready = {0};
    AUTO(buf_release) struct buf b = BUF_INIT(BUF_TEXT_MAX);
    struct condition c = {"Ready", "True", "Available", NULL, 0};

    for (size_t i = 0; i < out->resource_count; i++) {
        if (!out->resources[i].ready)
            strlist_add(&unready, str_of(out->resources[i].name));
    }
    if (out->composite_ready == FN_READY_FALSE ||
        (out->composite_ready == FN_READY_UNSPECIFIED && unready.n))
        c = (struct condition){"Ready", "False", "Creating", NULL, 0};
    if (out->composite_ready == FN_READY_UNSPECIFIED && unready.n) {
        buf_puts(&b, "Unready resources: ");
        condition_names(&unready, &b);
        c.message = buf_cstr(&b);
    }
    condition_set(xr, &c, render_time());
}

void
render_set_conditions(struct json *xr, const struct compose_result *out)
{
    for (size_t i = 0; i < out->outcome.condition_count; i++) {
        const struct fn_condition *f = &out->outcome.conditions[i];
        struct condition c = {f->type, f->status, f->reason ? f->reason : "",
                              f->message, 0};

        if (!compose_reserved_condition(f->type))
            condition_set(xr, &c, render_time());
    }
}

/* Puts the input's member in the place of the output's. */
static bool
copy_member(const struct render *r, const char *key, struct json *xr,
            struct error *err)
{
    const struct json *j = fieldpath_get(r->xr, str_of(key), err);

    if (!j)
        return error_wrap(err, "cannot get composite resource %s", key);
    json_set(xr, key, json_copy(j));
    return true;
}

/* metadata.key as the XR has it; nothing is made for an empty one. */
static void
set_meta(const struct render *r, const char *key, struct json *xr)
{
    const char *value = json_at_text(r->xr, "metadata", key);

    if (*value)
        json_set_string(json_need_object(xr, "metadata"), key, value);
    else if (json_get(xr, "metadata"))
        json_del(json_get(xr, "metadata"), key);
}

static struct json *
composite(const struct render *r, const struct compose_result *out,
          struct error *err)
{
    const struct json *desired =
        json_at(out->outcome.desired, "composite", "resource", NULL);
    struct json *xr =
        json_is(desired, JSON_OBJECT) ? json_copy(desired) : json_new_object();

    json_set_string(xr, "apiVersion", json_get_text(r->xr, "apiVersion"));
    json_set_string(xr, "kind", json_get_text(r->xr, "kind"));
    set_meta(r, "name", xr);
    if (r->mode == COMPOSE_RENDER_208)
        set_meta(r, "namespace", xr);
    render_type_conditions(xr);
    render_set_ready(xr, out);
    render_set_conditions(xr, out);
    if (!r->with_full_xr || (copy_member(r, "spec", xr, err) &&
                             copy_member(r, "metadata", xr, err)))
        return xr;
    json_free(xr);
    return NULL;
}

struct json *
render_document(const char *kind)
{
    struct json *doc = json_new_object();

    json_set_string(doc, "apiVersion", "render.crossplane.io/v1beta1");
    json_set_string(doc, "kind", kind);
    return doc;
}

static struct json *
result_document(const struct pipeline_result *result)
{
    static const char *const names[] = {
        [FN_UNSPECIFIED] = "SEVERITY_UNSPECIFIED",
        [FN_FATAL] = "SEVERITY_FATAL",
        [FN_WARNING] = "SEVERITY_WARNING",
        [FN_NORMAL] = "SEVERITY_NORMAL",
    };
    struct json *doc = render_document("Result");

    json_set_string(doc, "message", result->result.message);
    json_set_string(doc, "severity", names[result->result.severity]);
    json_set_string(doc, "step", result->step);
    return doc;
}

/* An empty context has no fields at all. */
static struct json *
context_document(const struct json *context)
{
    struct json *doc = render_document("Context");

    json_set(doc, "fields",
             json_len(context) ? json_copy(context) : json_new_null());
    return doc;
}

static struct json *
documents(const struct render *r, const struct compose_result *out,
          struct error *err)
{
    struct json *docs = json_new_array();
    struct json *xr = composite(r, out, err);

    if (!xr) {
        json_free(docs);
        return NULL;
    }
    json_append(docs, xr);
    for (size_t i = 0; i < out->resource_count; i++)
        json_append(docs, json_copy(out->resources[i].object));
    for (size_t i = 0; r->with_results && i < out->outcome.result_count; i++)
        json_append(docs, result_document(&out->outcome.results[i]));
    if (r->with_context)
        json_append(docs, context_document(out->outcome.context));
    return docs;
}

static struct json *
render_classic(const struct render *r, struct pipeline *p, char **fatal,
               struct error *err)
{
    struct compose_host host = {.arg = (void *)(uintptr_t)r,
                                .function = render_function,
                                .fetch = fetch,
                                .secret = fetch_secret,
                                .bootstrap = fetch_bootstrap};
    const struct compose_input in = {.mode = r->mode,
                                     .xr = r->xr,
                                     .pipeline = p,
                                     .observed = render_observed(r),
                                     .context = json_copy(r->context),
                                     .host = &host};
    struct json *docs = NULL;
    struct compose_result out;

    host.world.now_ns = clock_wall_ms(clock_system()) * 1000000;
    if (compose(&in, &out, err))
        docs = documents(r, &out, err);
    else
        error_wrap(err, "cannot render composite resource");
    if (out.outcome.fatal)
        *fatal = mem_printf("cannot render composite resource: %s",
                            out.outcome.fatal);
    compose_release(&out);
    return docs;
}

struct json *
render_run(const struct render *r, char **fatal, struct error *err)
{
    AUTO(pipeline_free_ptr)
    struct pipeline *p = pipeline_new(json_get(r->composition, "spec"), err);

    *fatal = NULL;
    if (!p)
        return NULL;
    return compose_is_live(r->mode) ? render_live(r, p, fatal, err)
                                    : render_classic(r, p, fatal, err);
}
