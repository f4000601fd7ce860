#include "lib/mesh/catalog.h"

#include <stdlib.h>

#include "lib/base/mem.h"

struct compiled {
    struct pipeline *pipeline;
    bool looks_back;
};

#define XP_GROUP "apiextensions.crossplane.io"

void
catalog_init(struct catalog *c, const struct mesh_host *host)
{
    *c = (struct catalog){.host = *host, .pretended = json_new_array()};
}

static void
free_definition(void *v)
{
    struct definition *d = v;

    json_free(d->xrd);
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
free_compiled(void *v)
{
    struct compiled *c = v;

    pipeline_free(c->pipeline);
    free(c);
}

void
catalog_forget(struct catalog *c)
{
    map_release(&c->pipelines, free_compiled);
    map_release(&c->schemas, free_schema);
    map_release(&c->definitions, free_definition);
    map_release(&c->compositions, free_tree);
    functions_release(&c->functions);
    c->functions = (struct functions){0};
    c->loaded = false;
}

void
catalog_release(struct catalog *c)
{
    catalog_forget(c);
    strlist_release(&c->unknown);
    json_free(c->pretended);
}

/* ---- loading ---- */

static const char *
text_at(const struct json *j, const char *key)
{
    return json_string_or(json_get(j, key), "");
}

static void
put_definition(struct catalog *c, struct json *xrd)
{
    const struct json *spec = json_get(xrd, "spec");
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);
    struct definition *d = mem_zalloc(1, sizeof(*d));

    d->xrd = xrd;
    d->group = text_at(spec, "group");
    d->kind = text_at(json_get(spec, "names"), "kind");
    d->legacy = strcmp(xrd_scope(xrd), "LegacyCluster") == 0;
    buf_printf(&key, "%s/%s", d->group, d->kind);
    d = map_put(&c->definitions, buf_view(&key), d);
    if (d)
        free_definition(d);
}

static bool
on_xrd(void *arg, struct str body)
{
    struct json *j = json_parse(body, NULL, NULL);

    if (j)
        put_definition(arg, j);
    return true;
}

static void
put_composition(struct catalog *c, struct json *composition)
{
    const char *name = text_at(json_get(composition, "metadata"), "name");

    json_free(map_put(&c->compositions, str_of(name), composition));
}

static bool
on_composition(void *arg, struct str body)
{
    struct json *j = json_parse(body, NULL, NULL);

    if (j)
        put_composition(arg, j);
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

static void
load_pretended(struct catalog *c)
{
    for (struct json *j = json_first(c->pretended); j; j = json_next(j)) {
        const char *kind = text_at(j, "kind");

        if (strcmp(kind, "CompositeResourceDefinition") == 0)
            put_definition(c, json_copy(j));
        else if (strcmp(kind, "Composition") == 0)
            put_composition(c, json_copy(j));
        else if (strcmp(kind, "Function") == 0)
            functions_add(&c->functions, j);
    }
}

bool
catalog_load(struct catalog *c)
{
    const struct mesh_host *h = &c->host;
    bool known = true;

    if (c->loaded)
        return true;
    catalog_forget(c);
    known = h->each(h->arg, XP_GROUP "/v2", "CompositeResourceDefinition", NULL,
                    on_xrd, c) ||
            h->each(h->arg, XP_GROUP "/v1", "CompositeResourceDefinition", NULL,
                    on_xrd, c);
    known = h->each(h->arg, XP_GROUP "/v1", "Composition", NULL, on_composition,
                    c) &&
            known;
    known = h->each(h->arg, "pkg.crossplane.io/v1", "Function", NULL,
                    on_function, c) &&
            known;
    load_pretended(c);
    c->loaded = known;
    return known;
}

const struct definition *
catalog_definition(const struct catalog *c, const char *api_version,
                   const char *kind)
{
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);
    struct str group, version;

    if (!str_cut(str_of(api_version), '/', &group, &version))
        return NULL;
    buf_printf(&key, "%.*s/%s", STR_ARG(group), kind);
    return map_get(&c->definitions, buf_view(&key));
}

/* ---- schemas ---- */

static const struct json *
version_of(const struct json *crd, struct str version)
{
    const struct json *all = json_at(crd, "spec", "versions", NULL);

    for (struct json *v = json_first(all); v; v = json_next(v)) {
        if (str_eqz(version, text_at(v, "name")))
            return v;
    }
    return NULL;
}

static struct schema *
compile(const struct definition *d, struct str version, struct error *err)
{
    AUTO(json_free_ptr) struct json *crd = xrd_to_crd(d->xrd, err);
    const struct json *v = version_of(crd, version);
    struct schema_findings problems = {0};
    AUTO(buf_release) struct buf text = BUF_INIT(1000);

    if (!crd)
        return NULL;
    if (!v) {
        error_set(err, ERR_NOT_FOUND, "%s has no version %.*s", d->kind,
                  STR_ARG(version));
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
    struct str group, version;

    buf_printf(&key, "%s/%s", api_version, d->kind);
    struct schema *s = map_get(&c->schemas, buf_view(&key));

    if (s)
        return s;
    str_cut(str_of(api_version), '/', &group, &version);
    s = compile(d, version, err);
    if (s)
        map_put(&c->schemas, buf_view(&key), s);
    return s;
}

/* ---- Compositions ---- */

static bool
fits(const struct json *composition, const struct json *xr)
{
    const struct json *type =
        json_at(composition, "spec", "compositeTypeRef", NULL);

    return strcmp(text_at(type, "kind"), text_at(xr, "kind")) == 0 &&
           strcmp(text_at(type, "apiVersion"), text_at(xr, "apiVersion")) == 0;
}

static bool
labels_match(const struct json *object, const struct json *want)
{
    const struct json *labels = json_at(object, "metadata", "labels", NULL);

    for (struct json *w = json_first(want); w; w = json_next(w)) {
        const char *have = json_get_string(labels, json_key(w));

        if (!have || !json_string(w) || strcmp(have, json_string(w)) != 0)
            return false;
    }
    return true;
}

/* The first by name of those that fit. */
static const struct json *
choose(const struct catalog *c, const struct json *xr,
       const struct json *labels, size_t *choices)
{
    const struct json *first = NULL;

    *choices = 0;
    for (struct map_entry *e = map_first(&c->compositions); e;
         e = map_next(&c->compositions, e)) {
        const struct json *j = e->value;

        if (!fits(j, xr) || !labels_match(j, labels))
            continue;
        ++*choices;
        if (!first || strcmp(text_at(json_get(j, "metadata"), "name"),
                             text_at(json_get(first, "metadata"), "name")) < 0)
            first = j;
    }
    return first;
}

static const struct json *
named(const struct catalog *c, const struct json *xr, const char *name,
      struct error *err)
{
    const struct json *j = map_get(&c->compositions, str_of(name));

    if (!j)
        error_set(err, ERR_NOT_FOUND,
                  "cannot fetch Composition: cannot get Composition: "
                  "Composition.apiextensions.crossplane.io \"%s\" not found",
                  name);
    else if (!fits(j, xr))
        error_set(err, ERR_INVALID,
                  "cannot configure composite resource: referenced composition "
                  "is not compatible with this composite resource");
    else
        return j;
    return NULL;
}

const struct json *
catalog_composition(const struct catalog *c, const struct definition *d,
                    const struct json *xr, size_t *choices, struct error *err)
{
    const struct json *spec = json_get(d->xrd, "spec");
    const struct json *machinery = xrd_machinery(xr, d->legacy);
    const struct json *selector = json_get(machinery, "compositionSelector");
    const char *enforced =
        json_get_string(json_get(spec, "enforcedCompositionRef"), "name");
    const char *ref =
        json_get_string(json_get(machinery, "compositionRef"), "name");
    const char *fallback =
        json_get_string(json_get(spec, "defaultCompositionRef"), "name");

    *choices = 1;
    if (enforced || ref)
        return named(c, xr, enforced ? enforced : ref, err);
    if (fallback && !selector)
        return named(c, xr, fallback, err);
    const struct json *found =
        choose(c, xr, json_get(selector, "matchLabels"), choices);

    if (!found)
        error_set(err, ERR_NOT_FOUND,
                  "cannot select Composition: no "
                  "compatible Compositions found");
    return found;
}

/* Functions that look at composed resources through their input only, if at
 * all: what this input does not mention they do not see. */
static bool
is_readable(const struct json *step)
{
    static const char *const readable[] = {"function-go-templating",
                                           "function-auto-ready",
                                           "function-extra-resources"};
    const char *name = text_at(json_get(step, "functionRef"), "name");

    for (size_t i = 0; i < ARRAY_LEN(readable); i++) {
        if (strstr(name, readable[i]))
            return true;
    }
    return false;
}

static bool
looks_back(const struct json *composition)
{
    static const char *const signs[] = {
        "observed.resources", "ComposedResource", "ResourceCondition",
        "$.observed}",        ".observed }",      ".observed)",
        "\"observed\""};
    const struct json *steps = json_at(composition, "spec", "pipeline", NULL);

    for (struct json *s = json_first(steps); s; s = json_next(s)) {
        AUTO(mem_free_ptr) char *text = json_text(s, JSON_COMPACT);

        if (!is_readable(s))
            return true;
        for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
            if (strstr(text, signs[i]))
                return true;
        }
    }
    return false;
}

struct pipeline *
catalog_pipeline(struct catalog *c, const struct json *composition, bool *back,
                 struct error *err)
{
    struct str name =
        str_of(text_at(json_get(composition, "metadata"), "name"));
    struct compiled *known = map_get(&c->pipelines, name);

    if (!known) {
        struct pipeline *p = pipeline_new(json_get(composition, "spec"), err);

        if (!p)
            return NULL;
        known = mem_zalloc(1, sizeof(*known));
        *known = (struct compiled){p, looks_back(composition)};
        map_put(&c->pipelines, name, known);
    }
    *back = known->looks_back;
    return known->pipeline;
}

/* ---- objects ---- */

static bool
same_kind(const struct json *j, const char *api_version, const char *kind)
{
    return strcmp(text_at(j, "apiVersion"), api_version) == 0 &&
           strcmp(text_at(j, "kind"), kind) == 0;
}

static const struct json *
find_pretended(const struct catalog *c, const char *api_version,
               const char *kind, const char *ns, const char *name)
{
    for (struct json *j = json_first(c->pretended); j; j = json_next(j)) {
        const struct json *meta = json_get(j, "metadata");

        if (same_kind(j, api_version, kind) &&
            strcmp(text_at(meta, "name"), name) == 0 &&
            strcmp(text_at(meta, "namespace"), ns ? ns : "") == 0)
            return j;
    }
    return NULL;
}

static void
note_unknown(struct catalog *c, const char *kind)
{
    if (!strlist_has(&c->unknown, str_of(kind)) && c->unknown.n < 100)
        strlist_add(&c->unknown, str_of(kind));
}

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

/* ---- what a pipeline asks for ---- */

struct gather {
    const struct json *labels;
    struct json *out;
    const char *api_version, *kind;
};

/* Most bodies are told apart without parsing them. */
static bool
may_match(struct str body, const struct json *labels)
{
    for (struct json *l = json_first(labels); l; l = json_next(l)) {
        if (!str_contains(body, str_of(json_key(l))) ||
            !str_contains(body, str_of(json_string_or(l, ""))))
            return false;
    }
    return true;
}

static bool
gather(void *arg, struct str body)
{
    struct gather *g = arg;

    if (!may_match(body, g->labels))
        return true;
    struct json *j = json_parse(body, NULL, NULL);

    if (j && labels_match(j, g->labels)) {
        if (!json_get(j, "kind")) {
            json_set_string(j, "apiVersion", g->api_version);
            json_set_string(j, "kind", g->kind);
        }
        json_append(g->out, j);
    } else {
        json_free(j);
    }
    return true;
}

static struct json *
fetch_definitions(const struct catalog *c, const struct json *labels)
{
    struct json *out = json_new_array();

    for (struct map_entry *e = map_first(&c->definitions); e;
         e = map_next(&c->definitions, e)) {
        const struct definition *d = e->value;

        if (labels_match(d->xrd, labels))
            json_append(out, json_copy(d->xrd));
    }
    return out;
}

static struct json *
fetch_matching(struct catalog *c, const struct json *selector)
{
    const char *kind = text_at(selector, "kind");
    const char *api_version = text_at(selector, "apiVersion");
    const char *ns = json_get_string(selector, "namespace");
    struct gather g = {.labels =
                           json_at(selector, "matchLabels", "labels", NULL),
                       .out = NULL,
                       .api_version = api_version,
                       .kind = kind};

    if (strcmp(kind, "CompositeResourceDefinition") == 0)
        return fetch_definitions(c, g.labels);
    g.out = json_new_array();
    for (struct json *j = json_first(c->pretended); j; j = json_next(j)) {
        const char *in = text_at(json_get(j, "metadata"), "namespace");

        if (same_kind(j, api_version, kind) && labels_match(j, g.labels) &&
            (!ns || strcmp(ns, in) == 0))
            json_append(g.out, json_copy(j));
    }
    if (!c->host.each(c->host.arg, api_version, kind, ns, gather, &g))
        note_unknown(c, kind);
    return g.out;
}

static bool
fetch(void *arg, const struct json *selector, struct json **items,
      struct error *err)
{
    struct catalog *c = arg;
    const char *name = json_get_string(selector, "matchName");

    (void)err;
    if (!name) {
        *items = fetch_matching(c, selector);
        return true;
    }
    const char *api_version = text_at(selector, "apiVersion");
    const char *kind = text_at(selector, "kind");
    const char *ns = text_at(selector, "namespace");
    const struct json *mine = find_pretended(c, api_version, kind, ns, name);
    struct json *j =
        mine ? json_copy(mine) : catalog_get(c, api_version, kind, ns, name);

    if (j) {
        *items = json_new_array();
        json_append(*items, j);
    }
    return true;
}

static const struct function *
find_function(void *arg, const char *name, struct error *err)
{
    struct catalog *c = arg;

    return functions_find(&c->functions, name, err);
}

static bool
is_namespaced(void *arg, const char *api_version, const char *kind,
              bool *namespaced, struct error *err)
{
    struct catalog *c = arg;
    const struct definition *d = catalog_definition(c, api_version, kind);

    if (c->host.served(c->host.arg, api_version, kind, namespaced))
        return true;
    if (d) {
        *namespaced = strcmp(xrd_scope(d->xrd), "Namespaced") == 0;
        return true;
    }
    return error_set(err, ERR_NOT_FOUND,
                     "failed to get restmapping: no matches for kind \"%s\" "
                     "in version \"%s\"",
                     kind, api_version);
}

struct compose_host
catalog_compose_host(struct catalog *c)
{
    return (struct compose_host){.arg = c,
                                 .function = find_function,
                                 .fetch = fetch,
                                 .namespaced = is_namespaced};
}
