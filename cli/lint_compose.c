/*
 * What Compositions do with composite resources: each resource of the files is
 * composed, and each Composition is tried twice with a made-up one, to see
 * which names do not depend on it.
 */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "lib/compose/compose.h"
#include "lib/compose/xrd.h"

#include "cli/lint.h"

/* One composing. */
struct trial {
    struct lint *l;
    /* Told of selectors that find nothing. NULL: the resource is made up, and
     * so is what it asks for. */
    const struct source_doc *xr;
};

/* ---- what functions ask for ---- */

static bool
has_labels(const struct json *object, const struct json *wanted)
{
    const struct json *have = json_at(object, "metadata", "labels", NULL);

    for (const struct json *w = json_first(wanted); w; w = json_next(w)) {
        if (!json_equal(json_get(have, json_key(w)), w))
            return false;
    }
    return true;
}

static bool
matches(const struct json *object, const struct json *selector)
{
    const char *name = json_get_string(selector, "matchName");

    if (name)
        return strcmp(json_at_text(object, "metadata", "name"), name) == 0;
    return has_labels(object, json_at(selector, "matchLabels", "labels", NULL));
}

static void
tell_label(const struct trial *t, const struct json *selector)
{
    const struct json *labels =
        json_at(selector, "matchLabels", "labels", NULL);
    char *text;

    if (!t->xr || !json_len(labels))
        return;
    text = json_text(labels, JSON_SORTED);
    lint_add(t->l, "label-absent", t->xr, "", false,
             "its Composition asks for %s with labels %s: none here has them",
             json_get_text(selector, "kind"), text);
    free(text);
}

/* What a selector would find, when the composite resource is made up too. */
static struct json *
make_up_found(struct lint *l, const struct json *selector)
{
    const struct schema *s =
        schema_set_find(&l->schemas, json_get_text(selector, "apiVersion"),
                        json_get_text(selector, "kind"), NULL);
    const struct json *labels =
        json_at(selector, "matchLabels", "labels", NULL);
    struct json *o = s ? lint_sample(s, "sample") : json_new_object();
    struct json *m = json_set(o, "metadata", json_new_object());

    json_set_string(o, "apiVersion", json_get_text(selector, "apiVersion"));
    json_set_string(o, "kind", json_get_text(selector, "kind"));
    json_set_string(m, "name",
                    json_string_or(json_get(selector, "matchName"), "sample"));
    json_set_string(m, "namespace", "sample");
    if (labels)
        json_set(m, "labels", json_copy(labels));
    return o;
}

static bool
fetch(void *arg, const struct json *selector, struct json **items,
      UNUSED struct error *err)
{
    const struct trial *t = arg;
    const struct sources *all[] = {&t->l->sources, &t->l->builtin};
    struct json *found = json_new_array();
    bool others = false;

    for (size_t k = 0; k < ARRAY_LEN(all); k++) {
        for (size_t i = 0; i < all[k]->n; i++) {
            const struct json *o = all[k]->v[i].object;

            if (strcmp(json_get_text(o, "kind"),
                       json_get_text(selector, "kind")) != 0 ||
                strcmp(json_get_text(o, "apiVersion"),
                       json_get_text(selector, "apiVersion")) != 0)
                continue;
            if (matches(o, selector))
                json_append(found, json_copy(o));
            else
                others |= k == 0;
        }
    }
    if (!t->xr && !json_len(found))
        json_append(found, make_up_found(t->l, selector));
    else if (others && !json_len(found))
        tell_label(t, selector);
    if (json_len(found) || !json_get(selector, "matchName"))
        *items = found;
    else
        json_free(found);
    return true;
}

static const struct function *
find_function(void *arg, const char *name, struct error *err)
{
    return lint_function(((struct trial *)arg)->l, name, err);
}

/* ---- composing ---- */

static bool
try(struct trial *t, const struct json *xr, const struct json *composition,
    struct compose_result *out, struct error *err)
{
    struct compose_host host = {
        .arg = t, .function = find_function, .fetch = fetch};
    AUTO(pipeline_free_ptr)
    struct pipeline *p = pipeline_new(json_get(composition, "spec"), err);
    AUTO(json_free_ptr) struct json *live = json_copy(xr);
    struct compose_input in = {
        .mode = COMPOSE_LIVE, .xr = live, .pipeline = p, .host = &host};
    struct json *m = json_need_object(live, "metadata");

    *out = (struct compose_result){0};
    json_set_string(m, "uid", "00000000-0000-4000-8000-000000000000");
    return p && compose(&in, out, err);
}

/* ---- fixed names ---- */

/* The template line that says the name, else where the steps begin. */
static void
tell_fixed(struct lint *l, const struct source_doc *d, const char *kind,
           const char *name)
{
    const struct json *steps = json_at(d->object, "spec", "pipeline", NULL);
    struct json_place at = source_where(d, "spec.pipeline", true);
    AUTO(mem_free_ptr) char *line = mem_printf("name: %s\n", name);
    AUTO(mem_free_ptr)
    char *message = mem_printf(
        "%s %s has this name for every %s: in one namespace only the first is "
        "composed",
        kind, name,
        json_at_text(json_get(d->object, "spec"), "compositeTypeRef", "kind"));
    size_t i = 0;

    for (const struct json *s = json_first(steps); s; s = json_next(s), i++) {
        struct str text = str_of(
            json_string(json_at(s, "input", "inline", "template", NULL)));
        size_t found = str_find(text, str_of(line), 0);
        unsigned k = 1;
        AUTO(mem_free_ptr)
        char *field = mem_printf("spec.pipeline[%zu].input.inline.template", i);

        if (found == SIZE_MAX)
            continue;
        for (size_t c = 0; c < found; c++)
            k += text.s[c] == '\n';
        at = lint_text_line(d, field, k);
        break;
    }
    lint_add_at(l, "fixed-name", d, at, message);
}

static void
compare(struct lint *l, const struct source_doc *d,
        const struct compose_result *a, const struct compose_result *b)
{
    for (size_t i = 0; i < a->resource_count; i++) {
        const struct json *one = a->resources[i].object;
        const struct compose_resource *other =
            compose_find(b, a->resources[i].name);
        const char *name = json_at_text(one, "metadata", "name");

        if (*name && other &&
            strcmp(name, json_at_text(other->object, "metadata", "name")) ==
                0 &&
            strcmp(json_at_text(one, "metadata", "namespace"),
                   json_at_text(other->object, "metadata", "namespace")) == 0)
            tell_fixed(l, d, json_get_text(one, "kind"), name);
    }
}

static struct json *
make_up(struct lint *l, const struct json *type, const struct json *xrd,
        const char *word)
{
    const struct schema *s =
        schema_set_find(&l->schemas, json_get_text(type, "apiVersion"),
                        json_get_text(type, "kind"), NULL);
    struct json *xr, *m;

    if (!s)
        return NULL;
    xr = lint_sample(s, word);
    json_set_string(xr, "apiVersion", json_get_text(type, "apiVersion"));
    json_set_string(xr, "kind", json_get_text(type, "kind"));
    m = json_set(xr, "metadata", json_new_object());
    json_set_string(m, "name", word);
    if (strcmp(xrd_scope(xrd), "Namespaced") == 0)
        json_set_string(m, "namespace", "sample");
    return xr;
}

static void
check_names(struct lint *l, const struct source_doc *d, const struct json *xrd)
{
    static const char *const words[] = {"sample-one", "sample-two"};
    const struct json *type =
        json_at(d->object, "spec", "compositeTypeRef", NULL);
    struct trial t = {l, NULL};
    struct compose_result r[2] = {0};
    bool ok = true;

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        AUTO(json_free_ptr) struct json *xr = make_up(l, type, xrd, words[i]);
        struct error err = {0};

        /* What a made-up resource breaks need not break for real ones. */
        ok = xr && try(&t, xr, d->object, &r[i], &err) && ok;
    }
    if (ok)
        compare(l, d, &r[0], &r[1]);
    compose_release(&r[0]);
    compose_release(&r[1]);
}

/* ---- readiness ---- */

/* Functions that set readiness, or that may: what is not known is not blamed.
 */
static bool
may_set_ready(struct lint *l, const struct json *step)
{
    static const struct function *const silent[] = {
        &fn_gotemplate, &fn_extraresources, &fn_environmentconfigs,
        &fn_sequencer, &fn_statustransformer};
    const struct function *fn =
        lint_function(l, json_at_text(step, "functionRef", "name"), NULL);
    char *text = json_text(json_get(step, "input"), JSON_COMPACT);
    bool says = text && strstr(text, "fn.crossplane.io/ready");

    free(text);
    for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
        if (fn == silent[i])
            return says;
    }
    return true;
}

static void
check_ready(struct lint *l, const struct source_doc *d)
{
    const struct json *steps = json_at(d->object, "spec", "pipeline", NULL);

    for (const struct json *s = json_first(steps); s; s = json_next(s)) {
        if (may_set_ready(l, s))
            return;
    }
    if (json_len(steps))
        lint_add(l, "never-ready", d, "spec.pipeline", true,
                 "no step of %s says when composed resources are ready",
                 json_at_text(d->object, "metadata", "name"));
}

/* ---- the resources of the files ---- */

static bool
is_composition_of(const struct source_doc *d, const struct json *xr)
{
    const struct json *type =
        json_at(d->object, "spec", "compositeTypeRef", NULL);

    return lint_is(d, "Composition", "apiextensions.crossplane.io") &&
           strcmp(json_get_text(type, "kind"), json_get_text(xr, "kind")) ==
               0 &&
           strcmp(json_get_text(type, "apiVersion"),
                  json_get_text(xr, "apiVersion")) == 0;
}

/* Core's choice; where it would take any, the first. */
static const struct source_doc *
choose(struct lint *l, const struct json *xr, const struct json *xrd, bool *any)
{
    const struct sources *all[] = {&l->sources, &l->builtin};
    bool legacy = strcmp(xrd_scope(xrd), "LegacyCluster") == 0;
    const struct json *m = xrd_machinery(xr, legacy);
    const struct json *labels =
        json_at(m, "compositionSelector", "matchLabels", NULL);
    const char *name = json_at_text(m, "compositionRef", "name");

    if (json_at(xrd, "spec", "enforcedCompositionRef", NULL))
        name = json_string_or(
            json_at(xrd, "spec", "enforcedCompositionRef", "name", NULL), "");
    else if (!*name && !labels)
        name = json_string_or(
            json_at(xrd, "spec", "defaultCompositionRef", "name", NULL), "");
    for (size_t k = 0; k < ARRAY_LEN(all); k++) {
        for (size_t i = 0; i < all[k]->n; i++) {
            const struct json *c = all[k]->v[i].object;

            if (!is_composition_of(&all[k]->v[i], xr))
                continue;
            *any = true;
            if (*name ? strcmp(json_at_text(c, "metadata", "name"), name) == 0
                      : has_labels(c, labels))
                return &all[k]->v[i];
        }
    }
    return NULL;
}

/* The composite resource under another name: what keeps its name? */
static void
check_second(struct lint *l, const struct source_doc *composition,
             const struct json *xr, const struct compose_result *first)
{
    AUTO(json_free_ptr) struct json *second = json_copy(xr);
    AUTO(mem_free_ptr)
    char *name = mem_printf("%s-two", json_at_text(xr, "metadata", "name"));
    struct trial t = {l, NULL};
    struct compose_result r = {0};

    json_set_string(json_need_object(second, "metadata"), "name", name);
    if (try(&t, second, composition->object, &r, NULL))
        compare(l, composition, first, &r);
    compose_release(&r);
}

/* The first text in j that holds "<no value>": its path. */
static bool
find_no_value(const struct json *j, struct buf *path)
{
    size_t mark = path->n, i = 0;

    if (json_is(j, JSON_STRING))
        return strstr(json_string(j), "<no value>") != NULL;
    for (const struct json *c = json_first(j); c; c = json_next(c), i++) {
        if (json_key(c))
            buf_printf(path, "%s%s", path->n ? "." : "", json_key(c));
        else
            buf_printf(path, "[%zu]", i);
        if (find_no_value(c, path))
            return true;
        buf_truncate(path, mark);
    }
    return false;
}

static void
tell_no_values(struct lint *l, const struct source_doc *d,
               const struct compose_result *r)
{
    for (size_t i = 0; i < r->resource_count; i++) {
        AUTO(buf_release) struct buf path = BUF_INIT(4096);
        const struct json *o = r->resources[i].object;

        if (find_no_value(o, &path))
            lint_add(l, "no-value", d, "", false,
                     "its composed %s \"%s\" has <no value> at %s",
                     json_get_text(o, "kind"), r->resources[i].name,
                     buf_cstr(&path));
    }
}

/* What is composed must please the API server, too. */
static void
check_composed(struct lint *l, const struct source_doc *d,
               const struct compose_resource *r)
{
    AUTO(json_free_ptr) struct json *o = json_copy(r->object);
    const struct schema *s =
        schema_set_find(&l->schemas, json_get_text(o, "apiVersion"),
                        json_get_text(o, "kind"), NULL);
    AUTO(strlist_release) struct strlist unknown = {0};
    struct schema_findings found = {0};

    if (!s)
        return;
    schema_prune(s, o, false, &unknown);
    schema_default(s, o);
    schema_validate(s, o, &found);
    for (size_t i = 0; i < unknown.n; i++)
        lint_add(l, "composed-invalid", d, "", false,
                 "its composed %s \"%s\" has the unknown field %s",
                 json_get_text(o, "kind"), r->name, unknown.v[i]);
    for (size_t i = 0; i < found.n; i++)
        lint_add(l, "composed-invalid", d, "", false,
                 "its composed %s \"%s\" is invalid: %s: %s",
                 json_get_text(o, "kind"), r->name, found.v[i].field,
                 found.v[i].message);
    schema_findings_release(&found);
}

static void
check_resource(struct lint *l, const struct source_doc *d,
               const struct json *xrd)
{
    AUTO(json_free_ptr) struct json *xr = json_copy(d->object);
    const struct schema *s =
        schema_set_find(&l->schemas, json_get_text(xr, "apiVersion"),
                        json_get_text(xr, "kind"), NULL);
    struct trial t = {l, d};
    struct compose_result r = {0};
    struct error err = {0};
    bool any = false;
    const struct source_doc *c = choose(l, xr, xrd, &any);

    if (!c && any)
        lint_add(l, "composition-none", d, "spec", true,
                 "cannot select Composition: no compatible Compositions "
                 "found");
    if (!c || !s)
        return;
    schema_prune(s, xr, false, NULL);
    schema_default(s, xr);
    /* A function that only a cluster has says nothing about the resource. */
    if (try(&t, xr, c->object, &r, &err)) {
        tell_no_values(l, d, &r);
        for (size_t i = 0; i < r.resource_count; i++)
            check_composed(l, d, &r.resources[i]);
        if (c >= l->sources.v && c < l->sources.v + l->sources.n)
            check_second(l, c, xr, &r);
    } else if (err.code != ERR_UNSUPPORTED && err.code != ERR_NOT_FOUND) {
        lint_add(l, "compose-fails", d, "", false,
                 "cannot compose resources: %s", err.msg);
    }
    compose_release(&r);
}

/* The XRD whose composite resources d is one of, or NULL. */
static const struct json *
xrd_of(const struct lint *l, const struct source_doc *d)
{
    struct str group, version;
    AUTO(mem_free_ptr) char *name = NULL;
    const struct json *xrd;

    if (!str_cut(str_of(json_get_text(d->object, "apiVersion")), '/', &group,
                 &version))
        return NULL;
    name = mem_strndup(group.s, group.n);
    xrd = lint_xrd(l, name, json_get_text(d->object, "kind"));
    return xrd && strcmp(json_string_or(
                             json_at(xrd, "spec", "names", "kind", NULL), ""),
                         json_get_text(d->object, "kind")) == 0
               ? xrd
               : NULL;
}

void
lint_compositions(struct lint *l)
{
    for (size_t i = 0; i < l->sources.n; i++) {
        const struct source_doc *d = &l->sources.v[i];
        const struct json *type =
            json_at(d->object, "spec", "compositeTypeRef", NULL);
        struct source_doc of = {d->file, type, NULL};
        const struct json *xrd = xrd_of(l, type ? &of : d);

        if (lint_is(d, "Composition", "apiextensions.crossplane.io")) {
            check_ready(l, d);
            lint_reads(l, d);
            if (xrd)
                check_names(l, d, xrd);
        } else if (xrd) {
            check_resource(l, d, xrd);
        }
    }
}
