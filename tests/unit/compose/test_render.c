/* Whole renders against what `crossplane render` 2.0.2 printed for the same
 * files (render/, recorded with the real functions). */
#include "lib/base/clock.h"
#include "lib/base/file.h"
#include "lib/base/yaml.h"

#include "lib/compose/compose.h"
#include "lib/compose/conditions.h"
#include "lib/compose/functions.h"

#include "tests/unit/compose/compose_test.h"

#define FOLDER "tests/unit/compose/render"

struct files {
    struct yaml_docs xr, composition, observed, extra;
    struct functions table;
    char *want;
    bool full, context; /* --include-full-xr, --include-context */
};

static char *
read_text(const char *folder, const char *name, bool needed)
{
    struct buf b = BUF_INIT(1 << 20);
    struct error err;
    char path[200];

    snprintf(path, sizeof(path), FOLDER "/%s/%s", folder, name);
    if (!file_read(path, &b, &err) && needed)
        fail_msg("%s", err.msg);
    return buf_take(&b);
}

static void
load(const char *folder, const char *name, bool needed, struct yaml_docs *out)
{
    char *text = read_text(folder, name, needed);
    struct error err;

    if (text && !yaml_parse(str_of(text), NULL, out, &err))
        fail_msg("%s/%s: %s", folder, name, err.msg);
    free(text);
}

static bool
matches(const struct json *obj, const struct json *sel)
{
    const struct json *labels = json_at(sel, "matchLabels", "labels", NULL);
    const char *name = json_get_string(sel, "matchName");

    if (!json_equal(json_get(obj, "kind"), json_get(sel, "kind")) ||
        !json_equal(json_get(obj, "apiVersion"), json_get(sel, "apiVersion")))
        return false;
    if (name)
        return strcmp(name,
                      json_string(json_at(obj, "metadata", "name", NULL))) == 0;
    for (const struct json *l = json_first(labels); l; l = json_next(l)) {
        if (!json_equal(l,
                        json_at(obj, "metadata", "labels", json_key(l), NULL)))
            return false;
    }
    return true;
}

static bool
fetch(void *arg, const struct json *selector, struct json **items,
      struct error *err)
{
    const struct files *f = arg;

    (void)err;
    if (!f->extra.n)
        return true;
    *items = json_new_array();
    for (size_t i = 0; i < f->extra.n; i++) {
        if (matches(f->extra.v[i].value, selector))
            json_append(*items, json_copy(f->extra.v[i].value));
    }
    return true;
}

static const struct function *
find(void *arg, const char *name, struct error *err)
{
    struct files *f = arg;

    return functions_find(&f->table, name, err);
}

static struct json *
observed(const struct files *f)
{
    struct json *all = json_new_object();

    for (size_t i = 0; i < f->observed.n; i++) {
        const struct json *o = f->observed.v[i].value;
        const char *name = json_string(json_at(o, "metadata", "annotations",
                                               COMPOSE_ANNOTATION_NAME, NULL));

        json_set(json_need_object(all, name), "resource", json_copy(o));
    }
    return all;
}

/* ---- as render prints ---- */

static void
add_ready(struct json *xr, const struct compose_result *r, int64_t now)
{
    AUTO(strlist_release) struct strlist unready = {0};
    AUTO(buf_release) struct buf b = BUF_INIT(4096);
    struct condition c = {"Ready", "True", "Available", NULL, 0};

    for (size_t i = 0; i < r->resource_count; i++) {
        if (!r->resources[i].ready)
            strlist_add(&unready, str_of(r->resources[i].name));
    }
    if (unready.n) {
        buf_puts(&b, "Unready resources: ");
        condition_names(&unready, &b);
        c = (struct condition){"Ready", "False", "Creating", buf_cstr(&b), 0};
    }
    condition_set(xr, &c, now);
    for (size_t i = 0; i < r->outcome.condition_count; i++) {
        const struct fn_condition *f = &r->outcome.conditions[i];
        struct condition own = {f->type, f->status, f->reason, f->message, 0};

        if (!compose_reserved_condition(f->type))
            condition_set(xr, &own, now);
    }
}

static void
print(const struct json *j, struct buf *out)
{
    buf_puts(out, "---\n");
    yaml_print(j, YAML_SORTED, out);
}

static void
print_xr(const struct files *f, const struct compose_result *r, struct buf *out)
{
    const struct json *in = f->xr.v[0].value;
    AUTO(json_free_ptr) struct json *xr = json_new_object();
    int64_t now;

    clock_parse(STR("2024-01-01T00:00:00Z"), &now);
    json_set(xr, "apiVersion", json_copy(json_get(in, "apiVersion")));
    json_set(xr, "kind", json_copy(json_get(in, "kind")));
    json_set(json_need_object(xr, "metadata"), "name",
             json_copy(json_at(in, "metadata", "name", NULL)));
    if (f->full) {
        json_set(xr, "metadata", json_copy(json_get(in, "metadata")));
        json_set(xr, "spec", json_copy(json_get(in, "spec")));
    }
    if (r->status)
        json_set(xr, "status", json_copy(r->status));
    add_ready(xr, r, now);
    print(xr, out);
}

static void
print_rest(const struct files *f, const struct compose_result *r,
           struct buf *out)
{
    for (size_t i = 0; i < r->resource_count; i++)
        print(r->resources[i].object, out);
    if (f->context) {
        AUTO(json_free_ptr) struct json *c = json_new_object();

        json_set_string(c, "apiVersion", "render.crossplane.io/v1beta1");
        json_set_string(c, "kind", "Context");
        json_set(c, "fields", json_copy(r->outcome.context));
        print(c, out);
    }
}

static void
add_functions(struct functions *table)
{
    static const char *const names[] = {"function-go-templating",
                                        "function-auto-ready",
                                        "function-extra-resources"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        AUTO(json_free_ptr) struct json *f = parse("{'spec':{}}");

        json_set_string(json_need_object(f, "metadata"), "name", names[i]);
        json_set_string(json_get(f, "spec"), "package", names[i]);
        functions_add(table, f);
    }
}

static void
render(struct files *f, struct buf *out)
{
    const struct json *spec = json_get(f->composition.v[0].value, "spec");
    struct compose_host host = {.arg = f, .function = find, .fetch = fetch};
    struct error err = {0};
    AUTO(pipeline_free_ptr) struct pipeline *p = pipeline_new(spec, &err);
    struct compose_input in = {.mode = COMPOSE_RENDER,
                               .xr = f->xr.v[0].value,
                               .pipeline = p,
                               .observed = observed(f),
                               .host = &host};
    struct compose_result r;

    assert_non_null(p);
    add_functions(&f->table);
    if (compose(&in, &r, &err)) {
        print_xr(f, &r, out);
        print_rest(f, &r, out);
    } else {
        buf_printf(out,
                   "crossplane: error: cannot render composite resource: %s\n",
                   err.msg);
    }
    compose_release(&r);
}

static void
one(void **state)
{
    const char *folder = *state;
    struct files f = {0};
    AUTO(buf_release) struct buf out = BUF_INIT(1 << 20);
    bool fails;

    load(folder, "xr.yaml", true, &f.xr);
    load(folder, "composition.yaml", true, &f.composition);
    load(folder, "observed.yaml", false, &f.observed);
    load(folder, "extra.yaml", false, &f.extra);
    f.full = strstr(folder, "full-xr");
    f.context = strstr(folder, "context") || strstr(folder, "then-template");
    f.want = read_text(folder, "expected.yaml", false);
    fails = !f.want || !*f.want;
    if (fails) {
        free(f.want);
        f.want = read_text(folder, "expected-error.txt", true);
    }
    render(&f, &out);
    assert_string_equal(buf_cstr(&out), f.want);
    yaml_docs_release(&f.xr);
    yaml_docs_release(&f.composition);
    yaml_docs_release(&f.observed);
    yaml_docs_release(&f.extra);
    functions_release(&f.table);
    free(f.want);
}

#define RENDER(name)                                                           \
    {                                                                          \
        name, one, NULL, NULL, (void *)(uintptr_t)(const void *)name           \
    }

int
main(void)
{
    const struct CMUnitTest tests[] = {
        RENDER("01-gt-range-if-sprig"),
        RENDER("02-gt-observed-status"),
        RENDER("03-gt-extra-resources"),
        RENDER("04-extra-resources-then-template"),
        RENDER("08-auto-ready"),
        RENDER("10-gt-fails"),
        RENDER("12-gt-conditions-context-results"),
        RENDER("14-full-xr-and-names"),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
