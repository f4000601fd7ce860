#include "lib/mesh/catalog.h"

#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/mesh/plan_builtin.h"

#define XP_GROUP "apiextensions.crossplane.io"

void
catalog_init(struct catalog *c, const struct mesh_host *host)
{
    *c = (struct catalog){
        .host = *host, .missed = json_new_array(), .memo = &c->own};
}

static void
free_definition(void *v)
{
    struct definition *d = v;

    if (d)
        json_free(d->source);
    free(d);
}

static void
free_schema(void *v)
{
    schema_free(v);
}

static void
free_tree(void *v)
{
    json_free(v);
}

static void
free_recipe(void *v)
{
    catalog_recipe_free(v);
}

void
catalog_forget(struct catalog *c)
{
    map_release(&c->selections, free);
    map_release(&c->definitions_asked, free_tree);
    map_release(&c->recipes, free_recipe);
    map_release(&c->schemas, free_schema);
    map_release(&c->definitions, free_definition);
    functions_release(&c->functions);
    c->functions = (struct functions){0};
    c->scanned = c->functions_known = false;
}

void
catalog_release(struct catalog *c)
{
    catalog_forget(c);
    manifests_memo_release(&c->own);
    map_release(&c->found, NULL);
    strlist_release(&c->unknown);
    json_free(c->missed);
}

void
catalog_begin_plan(struct catalog *c)
{
    strlist_release(&c->unknown);
    map_release(&c->found, NULL);
    json_free(c->missed);
    c->missed = json_new_array();
}

static void
note_unknown(struct catalog *c, const char *kind)
{
    if (!strlist_has(&c->unknown, str_of(kind)) && c->unknown.n < 100)
        strlist_add(&c->unknown, str_of(kind));
}

/* ---- definitions ---- */

static void
put_definition(struct catalog *c, struct json *source, bool built_in)
{
    const struct json *spec = json_get(source, "spec");
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);
    struct definition *d = mem_zalloc(1, sizeof(*d));

    d->source = source;
    d->group = json_get_text(spec, "group");
    d->kind = json_get_text(json_get(spec, "names"), "kind");
    d->composite = strcmp(json_get_text(source, "kind"),
                          "CompositeResourceDefinition") == 0;
    d->legacy = d->composite && strcmp(xrd_scope(source), "LegacyCluster") == 0;
    d->built_in = built_in;
    buf_printf(&key, "%s/%s", d->group, d->kind);
    free_definition(map_put(&c->definitions, buf_view(&key), d));
}

static bool
on_xrd(void *arg, struct str body)
{
    struct json *j = json_parse(body, NULL, NULL);

    if (j) {
        /* Items of a list may not say what they are. */
        json_set_string(j, "kind", "CompositeResourceDefinition");
        put_definition(arg, j, false);
    }
    return true;
}

static bool
on_function(void *arg, struct str body)
{
    AUTO(json_free_ptr) struct json *j = json_parse(body, NULL, NULL);
    struct catalog *c = arg;

    if (j)
        functions_add(&c->functions, j);
    return true;
}

bool
catalog_load(struct catalog *c)
{
    const struct mesh_host *h = &c->host;

    if (!c->scanned && !h->definition)
        c->scanned =
            h->each(h->arg, XP_GROUP "/v2", "CompositeResourceDefinition", NULL,
                    NULL, on_xrd, c) ||
            h->each(h->arg, XP_GROUP "/v1", "CompositeResourceDefinition", NULL,
                    NULL, on_xrd, c);
    if (!c->functions_known)
        c->functions_known = h->each(h->arg, "pkg.crossplane.io/v1", "Function",
                                     NULL, NULL, on_function, c);
    return (c->scanned || h->definition) && c->functions_known;
}

/* Asks the host, then the tables of what every cluster serves. */
static void
look_up(struct catalog *c, const char *api_version, const char *kind,
        struct str group, struct str key)
{
    const struct mesh_host *h = &c->host;
    bool known = true, own = plan_builtin_group(group);
    struct str body = {0};

    if (!own && h->definition)
        body = h->definition(h->arg, api_version, kind, &known);
    if (!known) {
        note_unknown(c, kind);
        return;
    }
    struct json *j = body.n ? json_parse(body, NULL, NULL)
                     : own  ? plan_builtin_definition(api_version, kind)
                            : NULL;

    if (j)
        put_definition(c, j, own);
    else if (h->definition || own)
        map_put(&c->definitions, key, NULL);
}

const struct definition *
catalog_kind(struct catalog *c, const char *api_version, const char *kind)
{
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);
    struct str group = STR(""), version;

    if (!str_cut(str_of(api_version), '/', &group, &version))
        group = STR("");
    buf_printf(&key, "%.*s/%s", STR_ARG(group), kind);
    if (!map_has(&c->definitions, buf_view(&key)))
        look_up(c, api_version, kind, group, buf_view(&key));
    return map_get(&c->definitions, buf_view(&key));
}

const struct definition *
catalog_definition(struct catalog *c, const char *api_version, const char *kind)
{
    const struct definition *d = catalog_kind(c, api_version, kind);

    return d && d->composite ? d : NULL;
}

/* ---- schemas ---- */

static const struct json *
version_of(const struct json *definition, const char *api_version)
{
    const struct json *all = json_at(definition, "spec", "versions", NULL);
    struct str group, version;

    if (!str_cut(str_of(api_version), '/', &group, &version))
        version = str_of(api_version);
    for (struct json *v = json_first(all); v; v = json_next(v)) {
        if (str_eqz(version, json_get_text(v, "name")))
            return v;
    }
    return NULL;
}

const struct json *
catalog_version(const struct definition *d, const char *api_version)
{
    return version_of(d->source, api_version);
}

static struct schema *
compile(const struct definition *d, const char *api_version, struct error *err)
{
    AUTO(json_free_ptr)
    struct json *crd =
        d->composite ? xrd_to_crd(d->source, err) : json_copy(d->source);
    const struct json *v = version_of(crd, api_version);
    struct schema_findings problems = {0};
    AUTO(buf_release) struct buf text = BUF_INIT(1000);

    if (!crd)
        return NULL;
    if (!v) {
        error_set(err, ERR_NOT_FOUND,
                  "no matches for kind \"%s\" in version "
                  "\"%s\"",
                  d->kind, api_version);
        return NULL;
    }
    struct schema *s =
        schema_compile(json_at(v, "schema", "openAPIV3Schema", NULL),
                       "openAPIV3Schema", &problems, NULL);

    if (!s) {
        schema_findings_text(&problems, &text);
        error_set(err, ERR_INVALID, "the schema of %s is broken: %s", d->kind,
                  buf_cstr(&text));
    }
    schema_findings_release(&problems);
    return s;
}

const struct schema *
catalog_schema(struct catalog *c, const struct definition *d,
               const char *api_version, struct error *err)
{
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);

    buf_printf(&key, "%s/%s", api_version, d->kind);
    struct schema *s = map_get(&c->schemas, buf_view(&key));

    if (s)
        return s;
    s = compile(d, api_version, err);
    if (s)
        map_put(&c->schemas, buf_view(&key), s);
    return s;
}

/* ---- objects ---- */

struct json *
catalog_get(struct catalog *c, const char *api_version, const char *kind,
            const char *ns, const char *name)
{
    bool known = true;
    struct str body =
        c->host.get(c->host.arg, api_version, kind, ns, name, &known);

    if (!known)
        note_unknown(c, kind);
    struct json *j = body.n ? json_parse(body, NULL, NULL) : NULL;

    /* Items of core lists do not say what they are. */
    if (j && !json_get(j, "kind")) {
        json_set_string(j, "apiVersion", api_version);
        json_set_string(j, "kind", kind);
    }
    return j;
}
