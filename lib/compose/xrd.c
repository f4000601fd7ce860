/*
 * Crossplane rebuilds an XRD's schema: the user's spec and status give their
 * properties and a few more members (the `kept` tables), everything else at
 * those levels and at the root is dropped, and Crossplane's own properties go
 * in last, so that they win. The fixed parts stand here as JSON text.
 */
#include "lib/compose/xrd.h"

#include <stdlib.h>

#include "lib/base/buf.h"
#include "lib/base/mem.h"

static const char spec_props[] =
    "{\"compositionRef\":{\"type\":\"object\",\"required\":[\"name\"],"
    "\"properties\":{\"name\":{\"type\":\"string\"}}},"
    "\"compositionSelector\":{\"type\":\"object\","
    "\"required\":[\"matchLabels\"],\"properties\":{\"matchLabels\":"
    "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}}},"
    "\"compositionRevisionRef\":{\"type\":\"object\",\"required\":[\"name\"],"
    "\"properties\":{\"name\":{\"type\":\"string\"}}},"
    "\"compositionRevisionSelector\":{\"type\":\"object\","
    "\"required\":[\"matchLabels\"],\"properties\":{\"matchLabels\":"
    "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}}},"
    "\"compositionUpdatePolicy\":{\"type\":\"string\","
    "\"enum\":[\"Automatic\",\"Manual\"]},"
    "\"resourceRefs\":{\"type\":\"array\",\"x-kubernetes-list-type\":"
    "\"atomic\",\"items\":{\"type\":\"object\","
    "\"required\":[\"apiVersion\",\"kind\"],\"properties\":"
    "{\"apiVersion\":{\"type\":\"string\"},\"kind\":{\"type\":\"string\"},"
    "\"name\":{\"type\":\"string\"},\"namespace\":{\"type\":\"string\"}}}}}";

static const char legacy_spec_props[] =
    "{\"claimRef\":{\"type\":\"object\",\"required\":[\"apiVersion\",\"kind\","
    "\"namespace\",\"name\"],\"properties\":{\"apiVersion\":{\"type\":"
    "\"string\"},\"kind\":{\"type\":\"string\"},\"namespace\":{\"type\":"
    "\"string\"},\"name\":{\"type\":\"string\"}}},"
    "\"writeConnectionSecretToRef\":{\"type\":\"object\","
    "\"required\":[\"name\",\"namespace\"],\"properties\":{\"name\":"
    "{\"type\":\"string\"},\"namespace\":{\"type\":\"string\"}}}}";

static const char status_props[] =
    "{\"conditions\":{\"description\":\"Conditions of the resource.\","
    "\"type\":\"array\",\"x-kubernetes-list-type\":\"map\","
    "\"x-kubernetes-list-map-keys\":[\"type\"],\"items\":{\"type\":"
    "\"object\",\"required\":[\"lastTransitionTime\",\"reason\",\"status\","
    "\"type\"],\"properties\":{\"lastTransitionTime\":{\"type\":\"string\","
    "\"format\":\"date-time\"},\"message\":{\"type\":\"string\"},"
    "\"reason\":{\"type\":\"string\"},\"status\":{\"type\":\"string\"},"
    "\"type\":{\"type\":\"string\"},\"observedGeneration\":{\"type\":"
    "\"integer\",\"format\":\"int64\"}}}}}";

static const char legacy_status_props[] =
    "{\"connectionDetails\":{\"type\":\"object\",\"properties\":"
    "{\"lastPublishedTime\":{\"type\":\"string\",\"format\":\"date-time\"}}},"
    "\"claimConditionTypes\":{\"type\":\"array\",\"x-kubernetes-list-type\":"
    "\"set\",\"items\":{\"type\":\"string\"}}}";

static const char columns[] =
    "[{\"name\":\"SYNCED\",\"type\":\"string\",\"jsonPath\":"
    "\".status.conditions[?(@.type=='Synced')].status\"},"
    "{\"name\":\"READY\",\"type\":\"string\",\"jsonPath\":"
    "\".status.conditions[?(@.type=='Ready')].status\"},"
    "{\"name\":\"COMPOSITION\",\"type\":\"string\",\"jsonPath\":"
    "\".spec.%1$scompositionRef.name\"},"
    "{\"name\":\"COMPOSITIONREVISION\",\"type\":\"string\",\"jsonPath\":"
    "\".spec.%1$scompositionRevisionRef.name\",\"priority\":1},"
    "{\"name\":\"AGE\",\"type\":\"date\",\"jsonPath\":"
    "\".metadata.creationTimestamp\"}]";

static const char *const kept_spec[] = {"description", "required",
                                        "x-kubernetes-preserve-unknown-fields",
                                        "x-kubernetes-validations", "oneOf"};
static const char *const kept_status[] = {"description", "required",
                                          "x-kubernetes-validations", "oneOf"};

static struct json *
literal(const char *text)
{
    struct error err;
    struct json *j = json_parse(str_of(text), NULL, &err);

    if (!j)
        die("xrd.c: %s", err.msg);
    return j;
}

/* Moves all members of from (taken) into the object to. */
static void
add_all(struct json *to, struct json *from)
{
    for (struct json *j; (j = json_first(from));) {
        char *key = mem_strdup(json_key(j));

        json_set(to, key, json_detach(from, j));
        free(key);
    }
    json_free(from);
}

static void
copy_members(struct json *to, const struct json *from, const char *const *keys,
             size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (json_get(from, keys[i]))
            json_set(to, keys[i], json_copy(json_get(from, keys[i])));
    }
}

const char *
xrd_scope(const struct json *xrd)
{
    const char *v = json_string_or(json_get(xrd, "apiVersion"), "");
    bool v1 = strcmp(v, "apiextensions.crossplane.io/v1") == 0;

    return json_string_or(json_at(xrd, "spec", "scope", NULL),
                          v1 ? "LegacyCluster" : "Namespaced");
}

const char *
xrd_referenceable(const struct json *xrd)
{
    const struct json *all = json_at(xrd, "spec", "versions", NULL);

    for (const struct json *v = json_first(all); v; v = json_next(v)) {
        if (json_bool(json_get(v, "referenceable"), false))
            return json_get_string(v, "name");
    }
    return NULL;
}

struct json *
xrd_machinery(const struct json *xr, bool legacy)
{
    struct json *spec = json_get(xr, "spec");

    return legacy ? spec : json_get(spec, "crossplane");
}

/* ---- the schema ---- */

/* {type: object, kept members and properties of the user's level}. */
static struct json *
level(const struct json *user, const char *const *kept, size_t n)
{
    struct json *j = json_new_object();
    const struct json *props = json_get(user, "properties");

    json_set_string(j, "type", "object");
    copy_members(j, user, kept, n);
    json_set(j, "properties",
             json_is(props, JSON_OBJECT) ? json_copy(props)
                                         : json_new_object());
    return j;
}

static struct json *
machinery_props(const struct json *xrd, const char *scope)
{
    struct json *p = literal(spec_props);
    struct json *policy = json_get(p, "compositionUpdatePolicy");

    json_set_string(
        policy, "default",
        json_string_or(
            json_at(xrd, "spec", "defaultCompositionUpdatePolicy", NULL),
            "Automatic"));
    if (strcmp(scope, "Namespaced") == 0)
        json_del(json_at(p, "resourceRefs", "items", "properties", NULL),
                 "namespace");
    return p;
}

static struct json *
spec_schema(const struct json *xrd, const struct json *user, const char *scope)
{
    struct json *s = level(user, kept_spec, ARRAY_LEN(kept_spec));
    struct json *props = json_get(s, "properties");

    if (strcmp(scope, "LegacyCluster") == 0) {
        add_all(props, machinery_props(xrd, scope));
        add_all(props, literal(legacy_spec_props));
    } else {
        struct json *c = json_set(props, "crossplane", json_new_object());

        json_set_string(c, "type", "object");
        json_set_string(c, "description",
                        "Configures how Crossplane will reconcile this "
                        "composite resource");
        json_set(c, "properties", machinery_props(xrd, scope));
    }
    return s;
}

static struct json *
status_schema(const struct json *user, const char *scope)
{
    struct json *s = level(user, kept_status, ARRAY_LEN(kept_status));
    struct json *props = json_get(s, "properties");

    add_all(props, literal(status_props));
    if (strcmp(scope, "LegacyCluster") == 0)
        add_all(props, literal(legacy_status_props));
    return s;
}

/* A name becomes a label value, so it is held to 63 bytes. */
static struct json *
metadata_schema(const struct json *user)
{
    const struct json *theirs =
        json_at(user, "properties", "metadata", "properties", "name",
                "maxLength", NULL);
    struct json *m = json_new_object();
    struct json *name;

    json_set_string(m, "type", "object");
    name = json_need_object(json_need_object(m, "properties"), "name");
    json_set_string(name, "type", "string");
    json_set_int(name, "maxLength", MIN(json_int64_or(theirs, 63), 63));
    return m;
}

static struct json *
root_schema(const struct json *xrd, const struct json *user, const char *scope)
{
    static const char *const kept[] = {"description"};
    struct json *s = literal("{\"type\":\"object\",\"required\":[\"spec\"],"
                             "\"properties\":{\"apiVersion\":{\"type\":"
                             "\"string\"},\"kind\":{\"type\":\"string\"}}}");
    struct json *props = json_get(s, "properties");
    const struct json *theirs = json_get(user, "properties");

    copy_members(s, user, kept, ARRAY_LEN(kept));
    json_set(props, "metadata", metadata_schema(user));
    json_set(props, "spec", spec_schema(xrd, json_get(theirs, "spec"), scope));
    json_set(props, "status", status_schema(json_get(theirs, "status"), scope));
    return s;
}

/* ---- the CRD around it ---- */

static void
add_columns(struct json *version, const struct json *theirs, const char *scope)
{
    struct json *all =
        json_is(theirs, JSON_ARRAY) ? json_copy(theirs) : json_new_array();
    bool legacy = strcmp(scope, "LegacyCluster") == 0;
    AUTO(mem_free_ptr)
    char *text = mem_printf(columns, legacy ? "" : "crossplane.");
    AUTO(json_free_ptr) struct json *ours = literal(text);

    for (struct json *c; (c = json_first(ours));)
        json_append(all, json_detach(ours, c));
    json_set(version, "additionalPrinterColumns", all);
}

static struct json *
crd_version(const struct json *xrd, const struct json *v, const char *scope,
            struct error *err)
{
    static const char *const kept[] = {"name", "deprecated",
                                       "deprecationWarning"};
    const struct json *schema = json_get(v, "schema");
    const struct json *user = json_get(schema, "openAPIV3Schema");
    struct json *out;

    if (!schema) {
        error_set(err, ERR_INVALID, "custom resource validation cannot be nil");
        return NULL;
    }
    if (user && !json_is(user, JSON_OBJECT)) {
        error_set(err, ERR_INVALID,
                  "cannot parse validation schema: cannot parse validation "
                  "schema: openAPIV3Schema is not an object");
        return NULL;
    }
    out = json_new_object();
    copy_members(out, v, kept, ARRAY_LEN(kept));
    json_set_bool(out, "served", json_bool(json_get(v, "served"), false));
    json_set_bool(out, "storage",
                  json_bool(json_get(v, "referenceable"), false));
    json_set(json_need_object(out, "schema"), "openAPIV3Schema",
             root_schema(xrd, user, scope));
    json_need_object(json_need_object(out, "subresources"), "status");
    add_columns(out, json_get(v, "additionalPrinterColumns"), scope);
    return out;
}

static void
add_metadata(struct json *crd, const struct json *xrd)
{
    const struct json *theirs = json_get(xrd, "metadata");
    const struct json *extra = json_at(xrd, "spec", "metadata", NULL);
    struct json *m = json_need_object(crd, "metadata");
    struct json *owner;

    json_set_string(m, "name", json_string_or(json_get(theirs, "name"), ""));
    if (json_len(json_get(theirs, "labels")))
        json_set(m, "labels", json_copy(json_get(theirs, "labels")));
    if (json_len(json_get(extra, "labels")))
        add_all(json_need_object(m, "labels"),
                json_copy(json_get(extra, "labels")));
    if (json_len(json_get(extra, "annotations")))
        json_set(m, "annotations", json_copy(json_get(extra, "annotations")));
    owner =
        json_append(json_need_array(m, "ownerReferences"), json_new_object());
    json_set_string(owner, "apiVersion", "apiextensions.crossplane.io/v1");
    json_set_string(owner, "kind", "CompositeResourceDefinition");
    json_set_string(owner, "name", json_get_string(m, "name"));
    json_set_string(owner, "uid", json_string_or(json_get(theirs, "uid"), ""));
    json_set_bool(owner, "controller", true);
    json_set_bool(owner, "blockOwnerDeletion", true);
}

static void
add_names(struct json *spec, const struct json *names)
{
    struct json *n = json_set(spec, "names",
                              json_is(names, JSON_OBJECT) ? json_copy(names)
                                                          : json_new_object());

    json_append(json_need_array(n, "categories"), json_new_string("composite"));
}

struct json *
xrd_to_crd(const struct json *xrd, struct error *err)
{
    const struct json *from = json_get(xrd, "spec");
    const char *scope = xrd_scope(xrd);
    struct json *crd = json_new_object();
    struct json *spec, *versions;

    json_set_string(crd, "apiVersion", "apiextensions.k8s.io/v1");
    json_set_string(crd, "kind", "CustomResourceDefinition");
    add_metadata(crd, xrd);
    spec = json_need_object(crd, "spec");
    json_set_string(spec, "group", json_string_or(json_get(from, "group"), ""));
    add_names(spec, json_get(from, "names"));
    json_set_string(spec, "scope",
                    strcmp(scope, "Namespaced") == 0 ? scope : "Cluster");
    if (json_get(from, "conversion"))
        json_set(spec, "conversion", json_copy(json_get(from, "conversion")));
    versions = json_need_array(spec, "versions");
    for (const struct json *v = json_first(json_get(from, "versions")); v;
         v = json_next(v)) {
        struct json *made = crd_version(xrd, v, scope, err);

        if (!made) {
            error_wrap(err,
                       "cannot generate CRD for \"Composite Resource\" \"%s\"",
                       json_string(json_at(crd, "metadata", "name", NULL)));
            json_free(crd);
            return NULL;
        }
        json_append(versions, made);
    }
    return crd;
}
