/*
 * What Crossplane must be allowed for our Compositions. Templates are not run:
 * a composed resource is a document of the template's text whose apiVersion
 * and kind stand at its left edge.
 */
#include <ctype.h>
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/crossplane.h"

/* What Crossplane may compose with its chart's roles; "*" is every kind. Own
 * composite resources are its manager of roles' affair. */
static const struct {
    const char *group, *kind;
} allowed[] = {
    {"", "Secret"},
    {"", "ConfigMap"},
    {"", "Service"},
    {"", "ServiceAccount"},
    {"", "Event"},
    {"apps", "Deployment"},
    {"coordination.k8s.io", "Lease"},
    {"apiextensions.k8s.io", "CustomResourceDefinition"},
    {"admissionregistration.k8s.io", "ValidatingWebhookConfiguration"},
    {"admissionregistration.k8s.io", "MutatingWebhookConfiguration"},
    {"apiextensions.crossplane.io", "*"},
    {"ops.crossplane.io", "*"},
    {"pkg.crossplane.io", "*"},
    {"protection.crossplane.io", "*"},
    {"meta.gotemplating.fn.crossplane.io", "*"}, /* words to the function */
};

struct scan {
    struct strlist composites; /* "group/Kind" */
    struct strlist kinds;      /* "group/Kind" */
    struct strlist *unknown;
    const char *composition;
};

/* "group/Kind" of an apiVersion and a kind, in fresh memory. */
static char *
key_of(struct str api_version, struct str kind)
{
    struct str group = {0}, version;

    kube_api_version_split(api_version, &group, &version);
    return mem_printf("%.*s/%.*s", STR_ARG(group), STR_ARG(kind));
}

static bool
is_allowed(struct str group, struct str kind)
{
    for (size_t i = 0; i < ARRAY_LEN(allowed); i++) {
        if (str_eqz(group, allowed[i].group) &&
            (*allowed[i].kind == '*' || str_eqz(kind, allowed[i].kind)))
            return true;
    }
    return false;
}

static void
found(struct scan *s, struct str api_version, struct str kind)
{
    AUTO(mem_free_ptr) char *key = NULL;
    struct str group, version;

    if (!api_version.n || !kind.n)
        return;
    if (str_contains(api_version, STR("{{")) || str_contains(kind, STR("{{"))) {
        strlist_addf(s->unknown,
                     "%s composes a kind that its template "
                     "computes: %.*s %.*s",
                     s->composition, STR_ARG(api_version), STR_ARG(kind));
        return;
    }
    if (!kube_api_version_split(api_version, &group, &version))
        return;
    key = key_of(api_version, kind);
    if (!is_allowed(group, kind) && !strlist_has(&s->composites, str_of(key)) &&
        !strlist_has(&s->kinds, str_of(key)))
        strlist_add(&s->kinds, str_of(key));
}

/* The value of "key: value" at the left edge of a line, without quotes. */
static bool
edge_value(struct str line, struct str key, struct str *out)
{
    struct str v, comment;

    if (!str_starts(line, key))
        return false;
    v = str_from(line, key.n);
    if (!str_contains(v, STR("{{")))
        str_cut(v, '#', &v, &comment);
    v = str_trim(v);
    if (v.n >= 2 && (v.s[0] == '"' || v.s[0] == '\'') && v.s[v.n - 1] == v.s[0])
        v = str_sub(v, 1, v.n - 2);
    *out = v;
    return true;
}

static void
scan_template(struct scan *s, struct str text)
{
    struct str api_version = {0}, kind = {0}, line;

    while (str_next(&text, '\n', &line)) {
        if (str_eqz(str_trim(line), "---")) {
            found(s, api_version, kind);
            api_version = kind = (struct str){0};
        }
        edge_value(line, STR("apiVersion:"), &api_version);
        edge_value(line, STR("kind:"), &kind);
    }
    found(s, api_version, kind);
}

static void
scan_base(struct scan *s, const struct json *resources)
{
    for (const struct json *r = json_first(resources); r; r = json_next(r)) {
        const struct json *base = json_get(r, "base");

        found(s, str_of(json_get_string(base, "apiVersion")),
              str_of(json_get_string(base, "kind")));
    }
}

static void
scan_composition(struct scan *s, const struct json *spec)
{
    scan_base(s, json_get(spec, "resources"));
    for (const struct json *p = json_first(json_get(spec, "pipeline")); p;
         p = json_next(p)) {
        const struct json *input = json_get(p, "input");

        scan_base(s, json_get(input, "resources"));
        scan_template(
            s, str_of(json_string(json_at(input, "inline", "template", NULL))));
    }
}

/* "v1/Namespace, batch/v1/Job" */
static void
read_list(struct scan *s, const char *composes)
{
    struct str rest = str_of(composes), piece;

    while (str_next(&rest, ',', &piece)) {
        struct str word = str_trim(piece);
        size_t slash = word.n;

        while (slash > 0 && word.s[slash - 1] != '/')
            slash--;
        if (slash > 1)
            found(s, str_sub(word, 0, slash - 1), str_from(word, slash));
    }
}

/* The plural Kubernetes gives a kind. */
static char *
plural_of(struct str kind)
{
    char *s = mem_strndup(kind.s, kind.n), *out;
    size_t n = kind.n;

    for (char *c = s; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    if (strcmp(s, "endpoints") == 0 || n == 0)
        return s;
    if (s[n - 1] == 'y')
        out = mem_printf("%.*sies", (int)(n - 1), s);
    else
        out = mem_printf("%s%s", s, s[n - 1] == 's' ? "es" : "s");
    free(s);
    return out;
}

static struct json *
text_list(const char *const *v, size_t n)
{
    struct json *list = json_new_array();

    for (size_t i = 0; i < n; i++)
        json_append(list, json_new_string(v[i]));
    return list;
}

static struct json *
rules_of(struct strlist *kinds)
{
    static const char *const verbs[] = {"get",    "list",  "watch", "create",
                                        "update", "patch", "delete"};
    struct json *rules = json_new_array();

    strlist_sort(kinds);
    for (size_t i = 0; i < kinds->n; i++) {
        struct json *rule = json_append(rules, json_new_object());
        struct str group, kind;
        AUTO(mem_free_ptr) char *plural = NULL;

        str_cut(str_of(kinds->v[i]), '/', &group, &kind);
        plural = plural_of(kind);
        json_append(json_need_array(rule, "apiGroups"), json_new_str(group));
        json_append(json_need_array(rule, "resources"),
                    json_new_string(plural));
        json_set(rule, "verbs", text_list(verbs, ARRAY_LEN(verbs)));
    }
    return rules;
}

static void
collect(struct scan *s, const struct manifest_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct json *ref =
            json_at(set->v[i].object, "spec", "compositeTypeRef", NULL);
        AUTO(mem_free_ptr)
        char *key = key_of(str_of(json_get_string(ref, "apiVersion")),
                           str_of(json_get_string(ref, "kind")));

        strlist_add(&s->composites, str_of(key));
    }
    for (size_t i = 0; i < set->n; i++) {
        s->composition = set->v[i].name;
        scan_composition(s, json_get(set->v[i].object, "spec"));
    }
}

struct json *
crossplane_compose_role(const char *package, const char *run,
                        const struct manifest_set *compositions,
                        const char *composes, struct strlist *unknown)
{
    struct scan s = {.unknown = unknown};
    AUTO(mem_free_ptr) char *name = mem_printf(COMPOSE_ROLE "%s", package);
    struct json *role = NULL;

    if (composes)
        read_list(&s, composes);
    else
        collect(&s, compositions);
    if (s.kinds.n) {
        role = json_new_object();
        json_set_string(role, "apiVersion", "rbac.authorization.k8s.io/v1");
        json_set_string(role, "kind", "ClusterRole");
        json_set_string(json_need_object(role, "metadata"), "name", name);
        json_set_string(json_need_object(json_get(role, "metadata"), "labels"),
                        "rbac.crossplane.io/aggregate-to-crossplane", "true");
        json_set(role, "rules", rules_of(&s.kinds));
        crossplane_mark(role, run);
    }
    strlist_release(&s.composites);
    strlist_release(&s.kinds);
    return role;
}
