#include "lib/compose/mrd.h"

#include <stdlib.h>

#include "lib/base/mem.h"

/* ---- from a CRD and back ---- */

static const char *
kind_of(const struct json *crd)
{
    return json_string_or(json_at(crd, "spec", "names", "kind", NULL), "");
}

struct json *
mrd_of_crd(const struct json *crd, bool active)
{
    static const char *const others[] = {
        "ProviderConfig", "ClusterProviderConfig", "ProviderConfigUsage"};
    struct json *mrd;

    for (size_t i = 0; i < ARRAY_LEN(others); i++) {
        if (strcmp(kind_of(crd), others[i]) == 0)
            return NULL;
    }
    mrd = json_copy(crd);
    json_set_string(mrd, "apiVersion", "apiextensions.crossplane.io/v1alpha1");
    json_set_string(mrd, "kind", "ManagedResourceDefinition");
    json_del(mrd, "status");
    if (active)
        json_set_string(json_need_object(mrd, "spec"), "state", "Active");
    return mrd;
}

bool
mrd_is_active(const struct json *mrd)
{
    return strcmp(json_string_or(json_at(mrd, "spec", "state", NULL), ""),
                  "Active") == 0;
}

/* Copies members; those that are empty, false or "" are left out. */
static void
copy_set(struct json *to, const struct json *from, const char *const *keys,
         size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct json *j = json_get(from, keys[i]);
        bool empty = json_is(j, JSON_STRING)    ? !*json_string(j)
                     : json_is(j, JSON_BOOL)    ? !json_bool(j, false)
                     : !json_is(j, JSON_NUMBER) ? json_len(j) == 0
                                                : false;

        if (!empty)
            json_set(to, keys[i], json_copy(j));
    }
}

static struct json *
version_of(const struct json *v)
{
    static const char *const kept[] = {"deprecated", "additionalPrinterColumns",
                                       "selectableFields"};
    const struct json *schema = json_at(v, "schema", "openAPIV3Schema", NULL);
    const struct json *sub = json_get(v, "subresources");
    struct json *to = json_new_object();

    json_set_string(to, "name", json_string_or(json_get(v, "name"), ""));
    json_set_bool(to, "served", json_bool(json_get(v, "served"), false));
    json_set_bool(to, "storage", json_bool(json_get(v, "storage"), false));
    copy_set(to, v, kept, ARRAY_LEN(kept));
    if (json_get_string(v, "deprecationWarning"))
        json_set_string(to, "deprecationWarning",
                        json_get_string(v, "deprecationWarning"));
    if (schema)
        json_set(json_need_object(to, "schema"), "openAPIV3Schema",
                 json_copy(schema));
    if (json_is(json_get(sub, "status"), JSON_OBJECT))
        json_need_object(json_need_object(to, "subresources"), "status");
    if (json_get(sub, "scale"))
        json_set(json_need_object(to, "subresources"), "scale",
                 json_copy(json_get(sub, "scale")));
    return to;
}

/* Keeps the list sorted by name. */
static void
insert_version(struct json *list, struct json *version)
{
    const char *name = json_get_string(version, "name");
    size_t i = 0;

    for (const struct json *v = json_first(list);
         v && strcmp(json_get_string(v, "name"), name) <= 0; v = json_next(v))
        i++;
    json_insert(list, i, version);
}

static void
add_owners(struct json *metadata, const struct json *mrd)
{
    const struct json *meta = json_get(mrd, "metadata");
    struct json *all = json_need_array(metadata, "ownerReferences");
    struct json *own = json_append(all, json_new_object());

    json_set_string(own, "apiVersion", "apiextensions.crossplane.io/v1alpha1");
    json_set_string(own, "kind", "ManagedResourceDefinition");
    json_set_string(own, "name", json_string_or(json_get(meta, "name"), ""));
    json_set_string(own, "uid", json_string_or(json_get(meta, "uid"), ""));
    for (const struct json *o = json_first(json_get(meta, "ownerReferences"));
         o; o = json_next(o)) {
        if (json_bool(json_get(o, "controller"), false)) {
            json_append(all, json_copy(o));
            return;
        }
    }
}

struct json *
mrd_to_crd(const struct json *mrd)
{
    static const char *const kept[] = {"conversion", "preserveUnknownFields"};
    static const char *const names[] = {"kind",     "plural",     "singular",
                                        "listKind", "shortNames", "categories"};
    const struct json *from = json_get(mrd, "spec");
    struct json *crd = json_new_object();
    struct json *m, *spec, *versions;

    json_set_string(crd, "apiVersion", "apiextensions.k8s.io/v1");
    json_set_string(crd, "kind", "CustomResourceDefinition");
    m = json_need_object(crd, "metadata");
    json_set_string(m, "name",
                    json_string_or(json_at(mrd, "metadata", "name", NULL), ""));
    add_owners(m, mrd);
    spec = json_need_object(crd, "spec");
    json_set_string(spec, "group", json_string_or(json_get(from, "group"), ""));
    json_set_string(spec, "scope", json_string_or(json_get(from, "scope"), ""));
    copy_set(json_need_object(spec, "names"), json_get(from, "names"), names,
             ARRAY_LEN(names));
    copy_set(spec, from, kept, ARRAY_LEN(kept));
    versions = json_need_array(spec, "versions");
    for (const struct json *v = json_first(json_get(from, "versions")); v;
         v = json_next(v))
        insert_version(versions, version_of(v));
    return crd;
}

/* ---- activation ---- */

/* One character of a class, unescaped; false at a bad one. */
static bool
class_char(const char **p, char *c)
{
    if (!**p || **p == '-' || **p == ']')
        return false;
    if (**p == '\\' && !*++*p)
        return false;
    *c = *(*p)++;
    return true;
}

/* *p stands behind the opening bracket and ends behind the closing one. */
static bool
class_has(const char **p, char c, bool *has)
{
    bool negated = **p == '^', found = false;
    char low, high;

    *p += negated;
    do {
        if (!class_char(p, &low))
            return false;
        high = low;
        if (**p == '-') {
            ++*p;
            if (!class_char(p, &high))
                return false;
        }
        found |= low <= c && c <= high;
    } while (**p && **p != ']');
    *has = found != negated;
    return *(*p)++ == ']';
}

/* One step of a pattern that is no star against c. */
static bool
step_matches(const char **p, char c)
{
    bool has;

    switch (**p) {
    case '?':
        ++*p;
        return c != '/';
    case '[':
        ++*p;
        return class_has(p, c, &has) && has;
    case '\\':
        ++*p;
        break;
    }
    return **p && *(*p)++ == c;
}

/* After a mismatch the last star takes one character more: linear space, at
 * worst length x length steps. */
bool
mrd_matches(const char *pattern, const char *name)
{
    const char *star = NULL, *resume = NULL, *p = pattern;

    while (*name) {

        if (*p == '*') {
            star = ++p;
            resume = name;
            continue;
        }
        if (*p && step_matches(&p, *name)) {
            name++;
            continue;
        }
        if (!star || *resume == '/')
            return false;
        p = star;
        name = ++resume;
    }
    while (*p == '*')
        p++;
    return !*p;
}

bool
mrd_activated_by(const struct json *policy, const char *name)
{
    const struct json *all = json_at(policy, "spec", "activate", NULL);

    for (const struct json *p = json_first(all); p; p = json_next(p)) {
        if (mrd_matches(json_string_or(p, ""), name))
            return true;
    }
    return false;
}
