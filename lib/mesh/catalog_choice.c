/* Which Composition, and which revision of it, core would run for an XR. */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/mesh/catalog.h"

#define XP_V1 "apiextensions.crossplane.io/v1"

static const char *
name_of(const struct json *j)
{
    return json_get_text(json_get(j, "metadata"), "name");
}

/* ---- recipes ---- */

void
catalog_recipe_free(struct recipe *r)
{
    if (!r)
        return;
    pipeline_free(r->pipeline);
    json_free(r->source);
    free(r->name);
    free(r->revision);
    free(r);
}

static struct recipe *
known_recipe(const struct catalog *c, const char *kind, const char *name)
{
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);

    buf_printf(&key, "%s/%s", kind, name);
    return map_get(&c->recipes, buf_view(&key));
}

static struct recipe *
put_recipe(struct catalog *c, const char *kind, struct json *source)
{
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);
    struct recipe *r = mem_zalloc(1, sizeof(*r));
    char hash[REVISION_HASH_LEN];

    r->source = source;
    if (strcmp(kind, "Composition") == 0) {
        revision_hash(source, hash);
        r->name = mem_strdup(name_of(source));
        r->revision = mem_printf("%s-%.7s", r->name, hash);
    } else {
        r->name = mem_strdup(
            json_string_or(json_at(source, "metadata", "labels",
                                   "crossplane.io/composition-name", NULL),
                           ""));
        r->revision = mem_strdup(name_of(source));
    }
    buf_printf(&key, "%s/%s", kind, name_of(source));
    catalog_recipe_free(map_put(&c->recipes, buf_view(&key), r));
    return r;
}

/* NULL: not there, or not known. */
static struct recipe *
recipe(struct catalog *c, const char *kind, const char *name)
{
    struct recipe *r = known_recipe(c, kind, name);
    struct json *j = r ? NULL : catalog_get(c, XP_V1, kind, NULL, name);

    return j ? put_recipe(c, kind, j) : r;
}

/* Functions that look at composed resources through their input only, if at
 * all: what this input does not mention they do not see. */
static bool
is_readable(const struct json *step)
{
    static const char *const readable[] = {"function-go-templating",
                                           "function-auto-ready",
                                           "function-extra-resources"};
    const char *name = json_get_text(json_get(step, "functionRef"), "name");

    for (size_t i = 0; i < ARRAY_LEN(readable); i++) {
        if (strstr(name, readable[i]))
            return true;
    }
    return false;
}

static bool
looks_back(const struct json *source)
{
    static const char *const signs[] = {
        "observed.resources", "ComposedResource", "ResourceCondition",
        "$.observed}",        ".observed }",      ".observed)",
        "\"observed\""};
    const struct json *steps = json_at(source, "spec", "pipeline", NULL);

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
catalog_pipeline(struct recipe *r, struct error *err)
{
    if (!r->pipeline) {
        r->pipeline = pipeline_new(json_get(r->source, "spec"), err);
        r->looks_back = r->pipeline && looks_back(r->source);
    }
    return r->pipeline;
}

/* ---- the Composition ---- */

bool
catalog_labels_match(const struct json *object, const struct json *want)
{
    const struct json *labels = json_at(object, "metadata", "labels", NULL);

    for (struct json *w = json_first(want); w; w = json_next(w)) {
        const char *have = json_get_string(labels, json_key(w));

        if (!have || !json_string(w) || strcmp(have, json_string(w)) != 0)
            return false;
    }
    return true;
}

static bool
fits(const struct json *source, const struct json *xr)
{
    const struct json *type = json_at(source, "spec", "compositeTypeRef", NULL);

    return strcmp(json_get_text(type, "kind"), json_get_text(xr, "kind")) ==
               0 &&
           strcmp(json_get_text(type, "apiVersion"),
                  json_get_text(xr, "apiVersion")) == 0;
}

struct gather {
    const struct json *xr, *labels;
    struct json *best;
    size_t n;
    int64_t number; /* of the best revision */
};

bool
catalog_may_match(struct str body, const struct json *labels)
{
    for (struct json *l = json_first(labels); l; l = json_next(l)) {
        if (!str_contains(body, str_of(json_key(l))) ||
            !str_contains(body, str_of(json_string_or(l, ""))))
            return false;
    }
    return true;
}

static struct json *
parse_if_about(struct str body, const struct gather *g)
{
    return str_contains(body, str_of(json_get_text(g->xr, "kind"))) &&
                   catalog_may_match(body, g->labels)
               ? json_parse(body, NULL, NULL)
               : NULL;
}

/* The first by name of those that fit. */
static bool
on_composition(void *arg, struct str body)
{
    struct gather *g = arg;
    struct json *j = parse_if_about(body, g);

    if (j && fits(j, g->xr) && catalog_labels_match(j, g->labels)) {
        g->n++;
        if (!g->best || strcmp(name_of(j), name_of(g->best)) < 0) {
            struct json *worse = g->best;

            g->best = j;
            j = worse;
        }
    }
    json_free(j);
    return true;
}

/* Composites of one kind ask the same again and again. */
struct selection {
    struct recipe *recipe;
    size_t choices;
};

static void
keep_selection(struct catalog *c, struct str key, struct selection s)
{
    struct selection *kept = mem_zalloc(1, sizeof(*kept));

    *kept = s;
    free(map_put(&c->selections, key, kept));
}

static struct recipe *
recipe_of(struct catalog *c, struct json *source)
{
    struct recipe *r = known_recipe(c, "Composition", name_of(source));

    if (!r)
        return put_recipe(c, "Composition", source);
    json_free(source);
    return r;
}

static struct recipe *
select_any(struct catalog *c, const struct json *xr, const struct json *labels,
           size_t *choices, struct error *err)
{
    struct gather g = {.xr = xr, .labels = labels};
    AUTO(buf_release) struct buf key = BUF_INIT(BUF_TEXT_MAX);

    buf_printf(&key, "%s %s ", json_get_text(xr, "apiVersion"),
               json_get_text(xr, "kind"));
    if (labels)
        json_print(labels, JSON_SORTED, &key);
    const struct selection *kept = map_get(&c->selections, buf_view(&key));

    if (kept) {
        *choices = kept->choices;
        return kept->recipe;
    }
    bool known = c->host.each(c->host.arg, XP_V1, "Composition", NULL, labels,
                              on_composition, &g);

    if (!known && !strlist_has(&c->unknown, STR("Composition")))
        strlist_add(&c->unknown, STR("Composition"));
    if (!g.best) {
        error_set(err, ERR_NOT_FOUND,
                  "cannot select Composition: no "
                  "compatible Compositions found");
        return NULL;
    }
    struct recipe *r = recipe_of(c, g.best);

    *choices = g.n;
    if (known)
        keep_selection(c, buf_view(&key), (struct selection){r, g.n});
    return r;
}

static struct recipe *
named(struct catalog *c, const struct json *xr, const char *name,
      struct error *err)
{
    struct recipe *r = recipe(c, "Composition", name);

    if (!r)
        error_set(err, ERR_NOT_FOUND,
                  "cannot fetch Composition: cannot get Composition: "
                  "Composition.apiextensions.crossplane.io \"%s\" not found",
                  name);
    else if (!fits(r->source, xr))
        error_set(err, ERR_INVALID,
                  "cannot configure composite resource: referenced composition "
                  "is not compatible with this composite resource");
    else
        return r;
    return NULL;
}

static struct recipe *
composition(struct catalog *c, const struct definition *d,
            const struct json *xr, size_t *choices, struct error *err)
{
    const struct json *spec = json_get(d->source, "spec");
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
    return select_any(c, xr, json_get(selector, "matchLabels"), choices, err);
}

/* ---- the revision ---- */

static bool
on_revision(void *arg, struct str body)
{
    struct gather *g = arg;
    struct json *j = parse_if_about(body, g);
    int64_t n = json_int64_or(json_at(j, "spec", "revision", NULL), 0);

    if (j && catalog_labels_match(j, g->labels) &&
        (!g->best || n > g->number)) {
        struct json *worse = g->best;

        g->best = j;
        g->number = n;
        j = worse;
    }
    json_free(j);
    return true;
}

/* The newest that the selector lets through. The Composition as it is makes
 * the newest of all, with its own labels. */
static struct recipe *
select_revision(struct catalog *c, struct recipe *current,
                const struct json *xr, const struct json *selector,
                struct error *err)
{
    AUTO(json_free_ptr) struct json *labels = json_copy(selector);
    AUTO(json_free_ptr) struct json *own = revision_new(current->source, 1);
    struct gather g = {.xr = xr, .labels = labels};

    if (catalog_labels_match(own, selector))
        return current;
    json_set_string(labels, "crossplane.io/composition-name", current->name);
    if (!c->host.each(c->host.arg, XP_V1, "CompositionRevision", NULL, labels,
                      on_revision, &g) &&
        !strlist_has(&c->unknown, STR("CompositionRevision")))
        strlist_add(&c->unknown, STR("CompositionRevision"));
    if (!g.best) {
        error_set(err, ERR_NOT_FOUND,
                  "cannot fetch Composition: no compatible "
                  "CompositionRevisions found");
        return NULL;
    }
    return put_recipe(c, "CompositionRevision", g.best);
}

static struct recipe *
pinned(struct catalog *c, const char *name, struct error *err)
{
    struct recipe *r = recipe(c, "CompositionRevision", name);

    if (!r)
        error_set(err, ERR_NOT_FOUND,
                  "cannot fetch Composition: cannot get CompositionRevision: "
                  "CompositionRevision.apiextensions.crossplane.io \"%s\" not "
                  "found",
                  name);
    return r;
}

bool
catalog_choose(struct catalog *c, const struct definition *d,
               const struct json *xr, struct choice *out, struct error *err)
{
    const struct json *machinery = xrd_machinery(xr, d->legacy);
    const char *policy = json_get_text(machinery, "compositionUpdatePolicy");
    const char *ref =
        json_get_string(json_get(machinery, "compositionRevisionRef"), "name");
    const struct json *selector =
        json_at(machinery, "compositionRevisionSelector", "matchLabels", NULL);
    size_t choices = 1;
    bool manual = ref && strcmp(policy, "Manual") == 0;
    struct error why = {0};
    struct recipe *current = composition(c, d, xr, &choices, &why);
    struct recipe *r = current;

    if (manual)
        r = pinned(c, ref, err);
    else if (!current && err)
        *err = why;
    else if (current && selector && strcmp(policy, "Automatic") == 0)
        r = select_revision(c, current, xr, selector, err);
    if (!r)
        return false;
    bool newer = current && strcmp(current->revision, r->revision) != 0;

    *out = (struct choice){.recipe = r,
                           .choices = choices,
                           .newer = newer ? current->revision : NULL,
                           .manual = manual};
    return true;
}
