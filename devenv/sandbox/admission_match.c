#include "lib/base/mem.h"

#include "devenv/sandbox/admission.h"
#include "devenv/sandbox/kobj.h"
#include "devenv/sandbox/registry_state.h"

/* ---- labels of the object and of its namespace ---- */

static const struct json *
labels_of(const struct json *obj)
{
    return json_at(obj, "metadata", "labels", NULL);
}

static bool
is_namespace(const struct kind *k)
{
    return !*k->group && !strcmp(k->plural, "namespaces");
}

/* Objects of the cluster are in no namespace: every selector lets them
 * pass, but a Namespace is its own. */
static bool
namespace_selected(const struct admission_write *w, const struct json *selector)
{
    const struct json *space = w->space;

    if (selector_object_empty(selector))
        return true;
    if (is_namespace(w->a->k))
        space = w->a->obj ? w->a->obj : w->a->old;
    else if (!w->a->k->namespaced)
        return true;
    return selector_object_matches(selector, labels_of(space));
}

static bool
object_selected(const struct admission_write *w, const struct json *selector)
{
    return selector_object_empty(selector) ||
           (w->a->obj &&
            selector_object_matches(selector, labels_of(w->a->obj))) ||
           (w->a->old &&
            selector_object_matches(selector, labels_of(w->a->old)));
}

/* ---- rules ---- */

static bool
lists(const struct json *list, const char *want)
{
    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        const char *z = json_string_or(c, "");

        if (!strcmp(z, "*") || !strcmp(z, want))
            return true;
    }
    return false;
}

/* "pods", "pods/status", "pods/ *", "* / *": without a slash the objects
 * themselves are meant (admission/plugin/webhook/predicates/rules). */
static bool
lists_resource(const struct json *list, const char *plural, const char *sub)
{
    for (const struct json *c = json_first(list); c; c = json_next(c)) {
        struct str res, rest;

        str_cut(str_of(json_string_or(c, "")), '/', &res, &rest);
        if ((str_eqz(res, "*") || str_eqz(res, plural)) &&
            (str_eqz(rest, "*") || str_eqz(rest, sub)))
            return true;
    }
    return false;
}

static bool
in_scope(const struct json *rule, const struct admission_write *w)
{
    const char *scope = json_string_or(json_get(rule, "scope"), "*");
    bool spaced = w->a->k->namespaced;

    return !strcmp(scope, "Namespaced") ? spaced
           : !strcmp(scope, "Cluster")  ? !spaced
                                        : true;
}

static bool
rule_names(const struct json *rule, const struct admission_write *w,
           const struct kind *k)
{
    const struct json *names = json_get(rule, "resourceNames");
    bool named = !json_first(names);

    for (const struct json *c = json_first(names); c; c = json_next(c))
        named = named || !strcmp(json_string_or(c, ""), w->a->name);
    return named && in_scope(rule, w) &&
           lists(json_get(rule, "operations"), w->a->operation) &&
           lists(json_get(rule, "apiGroups"), k->group) &&
           lists(json_get(rule, "apiVersions"), k->version) &&
           lists_resource(json_get(rule, "resources"), k->plural,
                          w->a->sub ? w->a->sub : "");
}

/* The version of the kind that one of the rules names: that of the write
 * first, then, if others count too, another one. */
static const struct kind *
named_by(const struct json *rules, const struct admission_write *w,
         bool equivalent)
{
    const struct resource *res =
        kinds_resource(&w->r->kinds, w->a->k->group, w->a->k->plural);

    for (const struct json *c = json_first(rules); c; c = json_next(c)) {
        if (rule_names(c, w, w->a->k))
            return w->a->k;
    }
    for (size_t i = 0; equivalent && res && i < res->n; i++) {
        for (const struct json *c = json_first(rules); c; c = json_next(c)) {
            if (rule_names(c, w, &res->v[i]->pub))
                return &res->v[i]->pub;
        }
    }
    return NULL;
}

bool
admission_matches(const struct admission_write *w, const struct json *resources,
                  const struct kind **as)
{
    bool equivalent =
        strcmp(json_string_or(json_get(resources, "matchPolicy"), "Equivalent"),
               "Exact") != 0;
    const struct json *rules = json_get(resources, "resourceRules");
    const struct kind *k = w->a->k;

    if (!resources)
        return true;
    if (!namespace_selected(w, json_get(resources, "namespaceSelector")) ||
        !object_selected(w, json_get(resources, "objectSelector")))
        return false;
    if (named_by(json_get(resources, "excludeResourceRules"), w, equivalent))
        return false;
    /* A binding without rules takes all that its policy takes. */
    if (json_first(rules))
        k = named_by(rules, w, equivalent);
    if (k && as)
        *as = k;
    return k != NULL;
}
