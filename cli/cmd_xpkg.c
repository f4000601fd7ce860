/* meshtop xpkg: Crossplane packages built, looked at and pushed. */
#include <stdlib.h>
#include <unistd.h>

#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "devenv/manifest.h"
#include "devenv/package.h"
#include "devenv/xpkg_source.h"

#include "cli/columns.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/registry.h"

/* ---- build ---- */

/* Where the package goes: -o or --package-file, else a name of its own in the
 * package's folder (a built-in one has none: here). */
static char *
target_of(const struct args *a, const struct xpkg *x, const char *root)
{
    const char *given =
        args_get(a, "package-file", args_get(a, "output", NULL));
    AUTO(mem_free_ptr) char *name = xpkg_file_name(x);

    if (given)
        return mem_strdup(given);
    return package_is_builtin(root) ? mem_strdup(name) : file_join(root, name);
}

static bool
build(const struct args *a, struct error *err)
{
    AUTO(strlist_release) struct strlist ignore = {0};
    AUTO(xpkg_release) struct xpkg x = {0};
    AUTO(mem_free_ptr) char *examples = NULL, *path = NULL;
    const char *word = args_word(a, 1);
    const char *root = args_get(a, "package-root", word ? word : ".");
    const char *layout = args_get(a, "oci", NULL);
    struct xpkg_source s = {.root = root, .ignore = &ignore};

    args_list(a, "ignore", &ignore);
    examples = file_join(root, "examples");
    s.examples =
        args_get(a, "examples-root", file_exists(examples) ? examples : NULL);
    if (!xpkg_build(&s, &x, err))
        return error_wrap(err, "failed to build package");
    path = layout ? mem_strdup(layout) : target_of(a, &x, root);
    if (layout ? !xpkg_save_layout(&x, layout, err) : !xpkg_save(&x, path, err))
        return false;
    printf("%s  %s\n", path, x.digest);
    return true;
}

/* ---- inspect ---- */

static struct json *
objects_json(const struct manifest_set *set)
{
    struct json *list = json_new_array();

    for (size_t i = 0; i < set->n; i++) {
        const struct manifest *m = &set->v[i];
        struct json *o;

        if (str_starts(str_of(m->api_version), STR("meta.pkg.")))
            continue;
        o = json_append(list, json_new_object());
        json_set_string(o, "apiVersion", m->api_version);
        json_set_string(o, "kind", m->kind);
        json_set_string(o, "name", m->name);
    }
    return list;
}

static struct json *
layers_json(const struct xpkg *x)
{
    struct json *list = json_new_array();

    for (size_t i = 0; i < x->n; i++) {
        struct json *l = json_append(list, json_new_object());

        json_set_string(l, "digest", x->layers[i].digest);
        json_set_int(l, "size", (int64_t)x->layers[i].data.n);
        json_set_string(l, "role", x->layers[i].role);
    }
    return list;
}

static struct json *
package_json(const struct xpkg *x, const struct manifest_set *set)
{
    struct json *j = json_new_object();

    json_set_string(j, "digest", x->digest);
    json_set(j, "meta", json_copy(x->meta));
    json_set(j, "objects", objects_json(set));
    json_set(j, "layers", layers_json(x));
    return j;
}

static void
line(const char *title, const char *value)
{
    printf("%-12s ", title);
    columns_text(str_of(value), false, stdout);
    putchar('\n');
}

/* "Function xpkg.example.org/x/y >=v1": old forms name the kind as the key. */
static void
dependency_line(const char *title, const struct json *d)
{
    static const char *const old[] = {"provider", "configuration", "function"};
    const char *kind = json_get_text(d, "kind"),
               *package = json_get_text(d, "package");
    AUTO(mem_free_ptr) char *value = NULL;

    for (size_t i = 0; i < ARRAY_LEN(old); i++) {
        if (*json_get_text(d, old[i])) {
            kind = old[i];
            package = json_get_text(d, old[i]);
        }
    }
    value = mem_printf("%s %s %s", kind, package, json_get_text(d, "version"));
    line(title, value);
}

static void
print_package(const struct json *j)
{
    const struct json *meta = json_get(j, "meta");
    const struct json *spec = json_get(meta, "spec");
    const char *constraint =
        json_string_or(json_at(spec, "crossplane", "version", NULL), "");
    const char *title;

    line("Name", json_string_or(json_at(meta, "metadata", "name", NULL), ""));
    line("Kind", json_get_text(meta, "kind"));
    line("Digest", json_get_text(j, "digest"));
    if (*constraint)
        line("Crossplane", constraint);
    title = "Depends on";
    for (const struct json *d = json_first(json_get(spec, "dependsOn")); d;
         d = json_next(d), title = "")
        dependency_line(title, d);
    title = "Layers";
    for (const struct json *l = json_first(json_get(j, "layers")); l;
         l = json_next(l), title = "") {
        AUTO(mem_free_ptr)
        char *value =
            mem_printf("%s  %lld bytes  %s", json_get_text(l, "digest"),
                       (long long)json_int64_or(json_get(l, "size"), 0),
                       json_get_text(l, "role"));

        line(title, value);
    }
    title = "Objects";
    for (const struct json *o = json_first(json_get(j, "objects")); o;
         o = json_next(o), title = "") {
        AUTO(mem_free_ptr)
        char *value = mem_printf("%s/%s", json_get_text(o, "kind"),
                                 json_get_text(o, "name"));

        line(title, value);
    }
}

static bool
inspect(const struct args *a, struct error *err)
{
    AUTO(manifest_release) struct manifest_set set = {0};
    AUTO(registry_close) struct registry_access r = {0};
    AUTO(xpkg_release) struct xpkg x = {0};
    AUTO(json_free_ptr) struct json *j = NULL;
    enum output how;

    if (!args_word(a, 1))
        return error_set(err, ERR_USAGE,
                         "xpkg inspect takes a .xpkg file, an OCI layout or "
                         "REGISTRY/REPOSITORY:TAG");
    if (!output_of(a, &how, err) || !registry_open(&r, a, err) ||
        !xpkg_load(r.loop, args_word(a, 1), &r.options, &x, err) ||
        !manifest_parse(&set, buf_view(&x.stream), "package.yaml", err))
        return false;
    j = package_json(&x, &set);
    if (how == OUTPUT_JSON || how == OUTPUT_YAML)
        output_tree(j, how);
    else
        print_package(j);
    return true;
}

/* ---- push ---- */

static bool
push(const struct args *a, struct error *err)
{
    AUTO(registry_close) struct registry_access r = {0};
    AUTO(xpkg_release) struct xpkg x = {0};
    AUTO(oci_close_ptr) struct oci *c = NULL;
    const char *file = args_get(a, "package-files",
                                args_get(a, "package-root", args_word(a, 1)));
    const char *ref = args_word(a, args_word(a, 2) ? 2 : 1);

    if (!ref || !file || file == ref)
        return error_set(err, ERR_USAGE,
                         "xpkg push takes FILE REGISTRY/REPOSITORY:TAG");
    if (!registry_open(&r, a, err) ||
        !xpkg_load(r.loop, file, &r.options, &x, err))
        return false;
    c = oci_open(r.loop, ref, &r.options, err);
    if (!c || !oci_push(c, &x, err))
        return false;
    printf("%s  %s\n", ref, x.digest);
    return true;
}

/* ---- the command ---- */

static const struct {
    const char *word;
    bool (*fn)(const struct args *a, struct error *err);
} verbs[] = {{"build", build}, {"inspect", inspect}, {"push", push}};

static int
run(const struct args *a)
{
    struct error err = {0};

    for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
        if (strcmp(args_word(a, 0), verbs[i].word) == 0)
            return verbs[i].fn(a, &err) ? EXIT_DONE : command_fail(&err);
    }
    error_set(&err, ERR_USAGE, "xpkg takes build, inspect or push");
    return command_fail(&err);
}

static const struct flag flags[] = {
    {"package-root", 'f', "DIR",
     "build: the folder with crossplane.yaml; push: the .xpkg file"},
    {"package-file", 0, "FILE", "build: the file to write (also -o FILE)"},
    {"oci", 0, "DIR", "build: an OCI image layout instead of a file"},
    {"examples-root", 'e', "DIR", "build: examples to include (./examples)"},
    {"ignore", 0, "PATTERN,...", "build: paths to leave out"},
    {"package-files", 0, "FILE", "push: the .xpkg file"},
    REGISTRY_FLAGS,
    {0},
};

const struct command cmd_xpkg = {
    .name = "xpkg",
    .args = "build [DIR|NAME] | inspect PACKAGE | push FILE REF",
    .summary = "Crossplane packages: build, look inside, push to a registry",
    .help =
        "NAME is a built-in package (mesh-core). PACKAGE is a .xpkg file, an "
        "OCI layout or\nREGISTRY/REPOSITORY:TAG. Credentials are those of "
        "`docker login`.",
    .group = "Packages",
    .flags = flags,
    .min_words = 1,
    .max_words = 3,
    .run = run,
};
