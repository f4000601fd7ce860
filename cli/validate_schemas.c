#include "cli/validate_schemas.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "lib/base/asset.h"
#include "lib/base/file.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "lib/compose/functions.h"
#include "lib/compose/xrd.h"

#include "devenv/xpkg.h"

#include "devenv/sandbox/managed_kinds.h"

#include "cli/sources.h"

#define PACKAGES_MAX 1000

/* ---- schemas ---- */

static void
entry_free(void *p)
{
    struct schema_entry *e = p;

    if (!e)
        return;
    json_free(e->openapi);
    schema_free(e->schema);
    free(e->problem);
    free(e);
}

static void
put(struct schema_set *s, const char *group, const char *version,
    const char *kind, const struct json *openapi, bool builtin)
{
    AUTO(mem_free_ptr)
    char *key =
        mem_printf("%s%s%s/%s", group, *group ? "/" : "", version, kind);
    struct schema_entry *e;

    if (builtin && map_has(&s->by_kind, str_of(key)))
        return;
    e = mem_zalloc(1, sizeof(*e));
    e->openapi = json_copy(openapi);
    e->builtin = builtin;
    entry_free(map_put(&s->by_kind, str_of(key), e));
}

/* A version without a schema is passed over, as upstream does. */
static void
add_crd(struct schema_set *s, const struct json *crd, bool builtin)
{
    const struct json *spec = json_get(crd, "spec");
    const struct json *all =
        json_at(spec, "validation", "openAPIV3Schema", NULL);

    for (const struct json *v = json_first(json_get(spec, "versions")); v;
         v = json_next(v)) {
        const struct json *own = json_at(v, "schema", "openAPIV3Schema", NULL);

        if (all || own)
            put(s, json_at_text(crd, "spec", "group"),
                json_string_or(json_get(v, "name"), ""),
                json_string_or(json_at(spec, "names", "kind", NULL), ""),
                all ? all : own, builtin);
    }
}

/* crank reads the file as it is: what the API server would have set in the XRD
 * is no default of its definitions. */
static void
drop_defaults(struct json *crd, const struct json *xrd)
{
    static const struct {
        const char *in_xrd, *prop;
    } all[] = {{"defaultCompositeDeletePolicy", "compositeDeletePolicy"},
               {"defaultCompositionUpdatePolicy", "compositionUpdatePolicy"}};

    for (struct json *v = json_first(json_at(crd, "spec", "versions", NULL)); v;
         v = json_next(v)) {
        struct json *props = json_at(v, "schema", "openAPIV3Schema",
                                     "properties", "spec", "properties", NULL);
        struct json *own = json_at(props, "crossplane", "properties", NULL);

        for (size_t i = 0; i < ARRAY_LEN(all); i++) {
            if (json_at(xrd, "spec", all[i].in_xrd, NULL))
                continue;
            json_del(json_get(props, all[i].prop), "default");
            json_del(json_get(own, all[i].prop), "default");
        }
    }
}

static bool
add_xrd(struct schema_set *s, const struct json *given, bool builtin,
        struct error *err)
{
    const char *name = json_at_text(given, "metadata", "name");
    AUTO(json_free_ptr) struct json *xrd = json_copy(given);
    AUTO(json_free_ptr) struct json *crd = NULL;
    AUTO(json_free_ptr) struct json *claim = NULL;

    /* crank reads every XRD as v1, whose default is another one. */
    if (s->as_crank && !json_at(xrd, "spec", "scope", NULL))
        json_set_string(json_need_object(xrd, "spec"), "scope",
                        "LegacyCluster");
    crd = xrd_to_crd(xrd, err);
    if (!crd)
        return error_wrap(err, "cannot derive composite CRD from XRD \"%s\"",
                          name);
    if (s->as_crank)
        drop_defaults(crd, given);
    add_crd(s, crd, builtin);
    if (!json_at(xrd, "spec", "claimNames", NULL))
        return true;
    claim = xrd_to_claim_crd(xrd, err);
    if (!claim)
        return error_wrap(err, "cannot derive claim CRD from XRD \"%s\"", name);
    if (s->as_crank)
        drop_defaults(claim, given);
    add_crd(s, claim, builtin);
    return true;
}

/* ---- packages ---- */

static bool
add_sources(struct schema_set *s, const struct sources *from, struct error *err)
{
    if (from->problems_n) {
        *err = from->problems[0].err;
        return error_wrap(err, "%s", from->problems[0].file);
    }
    for (size_t i = 0; i < from->n; i++) {
        if (!schema_set_add(s, from->v[i].object, err))
            return false;
    }
    return true;
}

static bool
add_folder(struct schema_set *s, const char *path, struct error *err)
{
    struct sources from = {0};
    bool ok;

    sources_add(&from, path);
    ok = add_sources(s, &from, err);
    sources_release(&from);
    return ok;
}

static bool
add_stream(struct schema_set *s, const struct xpkg *x, const char *path,
           struct error *err)
{
    struct sources from = {0};
    bool ok;

    sources_add_text(&from, path, buf_view(&x->stream));
    ok = add_sources(s, &from, err);
    sources_release(&from);
    return ok;
}

/* "function-x" of "host/org/function-x:v1". */
static struct str
repository_name(const char *image)
{
    const char *slash = strrchr(image, '/');
    struct str name = str_of(slash ? slash + 1 : image);
    struct str head, tail;

    if (str_cut(name, '@', &head, &tail))
        name = head;
    if (str_cut(name, ':', &head, &tail))
        name = head;
    return name;
}

/* A folder of a package by the name in its crossplane.yaml. */
static bool
folder_is(const char *path, struct str name)
{
    AUTO(mem_free_ptr) char *file = file_join(path, "crossplane.yaml");
    AUTO(buf_release) struct buf text = BUF_INIT(1 << 20);
    AUTO(json_free_ptr) struct json *meta = NULL;

    if (!file_exists(file) || !file_read(file, &text, NULL))
        return false;
    meta = yaml_parse_one(buf_view(&text), NULL, NULL);
    return str_eqz(name, json_at_text(meta, "metadata", "name"));
}

/* Is image at path? Then it is added; *found says so. */
static bool
try_place(struct schema_set *s, const char *path, const char *image,
          bool *found, struct error *err)
{
    struct xpkg x = {0};
    struct stat st;
    bool ok = true;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode) &&
        folder_is(path, repository_name(image))) {
        *found = true;
        return add_folder(s, path, err);
    }
    if (!str_ends(str_of(path), STR(".xpkg")))
        return true;
    ok = xpkg_open(path, &x, err);
    if (ok && str_eqz(repository_name(image),
                      json_at_text(x.meta, "metadata", "name"))) {
        *found = true;
        ok = add_stream(s, &x, path, err);
    }
    xpkg_release(&x);
    return ok;
}

/* The crossplane CLI keeps a package as cache/host/org/name@version/. */
static char *
cache_path(const struct schema_set *s, const char *image)
{
    AUTO(mem_free_ptr) char *name = mem_strdup(image);

    for (char *p = name; *p; p++) {
        if (*p == ':')
            *p = '@';
    }
    return file_join(s->cache ? s->cache : "", name);
}

static bool
add_package(struct schema_set *s, const char *image, struct error *err)
{
    AUTO(mem_free_ptr) char *cached = cache_path(s, image);
    bool found = false;

    if (map_has(&s->packages, str_of(image)))
        return true;
    if (map_count(&s->packages) >= PACKAGES_MAX)
        return error_set(err, ERR_LIMIT, "more than %d packages", PACKAGES_MAX);
    map_put(&s->packages, str_of(image), s);
    if (s->cache && file_exists(cached))
        return add_folder(s, cached, err);
    for (size_t i = 0; i < s->places.n && !found; i++) {
        if (!try_place(s, s->places.v[i], image, &found, err))
            return error_wrap(err, "package %s", image);
    }
    if (!found && !function_builtin(str_of(image)))
        strlist_add(&s->missing, str_of(image));
    return true;
}

static bool
add_dependencies(struct schema_set *s, const struct json *meta,
                 struct error *err)
{
    static const char *const keys[] = {"package", "configuration", "provider",
                                       "function"};
    const struct json *all = json_at(meta, "spec", "dependsOn", NULL);

    for (const struct json *d = json_first(all); d; d = json_next(d)) {
        const char *version = json_string_or(json_get(d, "version"), "");
        const char *name = NULL;
        AUTO(mem_free_ptr) char *image = NULL;

        for (size_t i = 0; !name && i < ARRAY_LEN(keys); i++)
            name = json_get_string(d, keys[i]);
        if (!name)
            continue;
        image = mem_printf("%s%c%s", name,
                           strncmp(version, "sha256:", 7) == 0 ? '@' : ':',
                           version);
        if (!add_package(s, image, err))
            return false;
    }
    return true;
}

/* ---- what an extension gives ---- */

static bool
take_crd(struct schema_set *s, const struct json *object,
         UNUSED struct error *e)
{
    add_crd(s, object, false);
    return true;
}

static bool
take_xrd(struct schema_set *s, const struct json *object, struct error *err)
{
    return add_xrd(s, object, false, err);
}

static bool
take_package(struct schema_set *s, const struct json *object, struct error *err)
{
    const char *image = json_string(json_at(object, "spec", "package", NULL));

    if (!image)
        return error_set(err, ERR_INVALID,
                         "cannot get package image: spec.package: no such "
                         "field");
    return add_package(s, image, err);
}

static const struct {
    const char *group, *kind;
    bool (*take)(struct schema_set *s, const struct json *object,
                 struct error *err);
} takers[] = {
    {"apiextensions.k8s.io", "CustomResourceDefinition", take_crd},
    {"apiextensions.crossplane.io", "CompositeResourceDefinition", take_xrd},
    {"pkg.crossplane.io", "Provider", take_package},
    {"pkg.crossplane.io", "Function", take_package},
    {"pkg.crossplane.io", "Configuration", take_package},
    {"meta.pkg.crossplane.io", "Configuration", add_dependencies},
};

bool
schema_set_add(struct schema_set *s, const struct json *object,
               struct error *err)
{
    const char *kind = json_string_or(json_get(object, "kind"), "");
    struct str group, version;

    str_cut(str_of(json_string_or(json_get(object, "apiVersion"), "")), '/',
            &group, &version);
    for (size_t i = 0; i < ARRAY_LEN(takers); i++) {
        if (strcmp(kind, takers[i].kind) == 0 &&
            str_eqz(group, takers[i].group))
            return takers[i].take(s, object, err);
    }
    return true;
}

static void
add_assets(struct schema_set *s, const char *prefix)
{
    struct asset a;

    for (unsigned i = 0; asset_under(prefix, i, &a); i++) {
        struct yaml_docs docs = {0};
        struct error err;

        if (!yaml_parse(a.data, NULL, &docs, &err))
            die("%s: %s", a.path, err.msg);
        for (size_t k = 0; k < docs.n; k++) {
            const struct json *o = docs.v[k].value;
            const char *kind = json_string_or(json_get(o, "kind"), "");

            if (strcmp(kind, "CustomResourceDefinition") == 0)
                add_crd(s, o, true);
            else
                add_xrd(s, o, true, NULL);
        }
        yaml_docs_release(&docs);
    }
}

void
schema_set_add_builtin(struct schema_set *s, bool mesh)
{
    add_assets(s, "assets/crossplane/");
    if (!mesh)
        return;
    add_assets(s, "assets/mesh-core/xrds/");
    s->clouds = managed_kinds_new(NULL);
}

/* The definitions of managed kinds are made when they are asked for. */
static void
add_managed(struct schema_set *s, const char *api_version, const char *kind)
{
    AUTO(mem_free_ptr) char *group = mem_strdup(api_version);
    AUTO(json_free_ptr) struct json *crd = NULL;

    group[strcspn(group, "/")] = '\0';
    crd = managed_kinds_definition(s->clouds, group, kind);
    if (crd)
        add_crd(s, crd, true);
}

/* ---- asking ---- */

static bool
compile(struct schema_entry *e, struct error *err)
{
    struct schema_findings bad = {0};
    AUTO(buf_release) struct buf text = BUF_INIT(900);

    if (e->openapi) {
        e->schema = schema_compile(e->openapi, "", &bad, NULL);
        json_free(e->openapi);
        e->openapi = NULL;
        schema_findings_text(&bad, &text);
        if (!e->schema)
            e->problem = mem_strdup(buf_cstr(&text));
        schema_findings_release(&bad);
    }
    return e->schema ||
           error_set(err, ERR_INVALID, "cannot create schema validators: %s",
                     e->problem);
}

const struct schema *
schema_set_find(struct schema_set *s, const char *api_version, const char *kind,
                struct error *err)
{
    AUTO(mem_free_ptr) char *key = mem_printf("%s/%s", api_version, kind);
    struct schema_entry *e = map_get(&s->by_kind, str_of(key));

    if (!e && s->clouds) {
        add_managed(s, api_version, kind);
        e = map_get(&s->by_kind, str_of(key));
    }
    return e && compile(e, err) ? e->schema : NULL;
}

bool
schema_set_compile(struct schema_set *s, struct error *err)
{
    for (struct map_entry *m = map_first(&s->by_kind); m;
         m = map_next(&s->by_kind, m)) {
        struct schema_entry *e = m->value;

        if (!e->builtin && !compile(e, err))
            return error_wrap(err, "%.*s", STR_ARG(m->key));
    }
    return true;
}

void
schema_set_release(struct schema_set *s)
{
    map_release(&s->by_kind, entry_free);
    map_release(&s->packages, NULL);
    managed_kinds_free(s->clouds);
    strlist_release(&s->missing);
    strlist_release(&s->places);
}
