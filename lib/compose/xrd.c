/*
 * Crossplane rebuilds an XRD's schema: the user's spec and status give their
 * properties and a few more members (the `kept` tables), everything else at
 * those levels and at the root is dropped, and Crossplane's own properties go
 * in last, so that they win. The fixed parts stand here as JSON text. A claim's
 * CRD is made in the same way, of other fixed parts.
 */
#include "lib/compose/xrd.h"

#include <stdlib.h>

#include "lib/base/buf.h"
#include "lib/base/mem.h"

#include "lib/compose/props.h"

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

static const char claim_spec_props[] =
    "{\"compositeDeletePolicy\":{\"type\":\"string\","
    "\"enum\":[\"Background\",\"Foreground\"]},"
    "\"resourceRef\":{\"type\":\"object\",\"required\":[\"apiVersion\","
    "\"kind\",\"name\"],\"properties\":{\"apiVersion\":{\"type\":"
    "\"string\"},\"kind\":{\"type\":\"string\"},\"name\":{\"type\":"
    "\"string\"}}},"
    "\"writeConnectionSecretToRef\":{\"type\":\"object\","
    "\"required\":[\"name\"],\"properties\":{\"name\":{\"type\":"
    "\"string\"}}}}";

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

static const char claim_columns[] =
    "[{\"name\":\"SYNCED\",\"type\":\"string\",\"jsonPath\":"
    "\".status.conditions[?(@.type=='Synced')].status\"},"
    "{\"name\":\"READY\",\"type\":\"string\",\"jsonPath\":"
    "\".status.conditions[?(@.type=='Ready')].status\"},"
    "{\"name\":\"CONNECTION-SECRET\",\"type\":\"string\",\"jsonPath\":"
    "\".spec.writeConnectionSecretToRef.name\"},"
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

static const char *
xrd_name(const struct json *xrd)
{
    return json_string_or(json_at(xrd, "metadata", "name", NULL), "");
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

/* What is being made. */
struct making {
    const struct json *xrd;
    bool claim, namespaced;
    bool legacy; /* claims too: their machinery stands in spec itself */
};

static struct making
making_of(const struct json *xrd, bool claim)
{
    const char *scope = xrd_scope(xrd);
    struct making m = {xrd, claim, strcmp(scope, "Namespaced") == 0,
                       claim || strcmp(scope, "LegacyCluster") == 0};

    return m;
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

static void
set_default(struct json *prop, const struct making *m, const char *member,
            const char *fallback)
{
    json_set_string(
        prop, "default",
        json_string_or(json_at(m->xrd, "spec", member, NULL), fallback));
}

static struct json *
xr_machinery_props(const struct making *m)
{
    struct json *p = literal(spec_props);

    set_default(json_get(p, "compositionUpdatePolicy"), m,
                "defaultCompositionUpdatePolicy", "Automatic");
    if (m->namespaced)
        json_del(json_at(p, "resourceRefs", "items", "properties", NULL),
                 "namespace");
    return p;
}

/* A claim leaves the update policy to the XR, so it has no default. */
static struct json *
claim_machinery_props(const struct making *m)
{
    struct json *p = literal(spec_props);

    json_del(p, "resourceRefs");
    add_all(p, literal(claim_spec_props));
    set_default(json_get(p, "compositeDeletePolicy"), m,
                "defaultCompositeDeletePolicy", "Background");
    return p;
}

static struct json *
spec_schema(const struct making *m, const struct json *user)
{
    struct json *s = level(user, kept_spec, ARRAY_LEN(kept_spec));
    struct json *props = json_get(s, "properties");
    struct json *c;

    if (m->claim) {
        add_all(props, claim_machinery_props(m));
    } else if (m->legacy) {
        add_all(props, xr_machinery_props(m));
        add_all(props, literal(legacy_spec_props));
    } else {
        c = json_set(props, "crossplane", json_new_object());
        json_set_string(c, "type", "object");
        json_set_string(c, "description",
                        "Configures how Crossplane will reconcile this "
                        "composite resource");
        json_set(c, "properties", xr_machinery_props(m));
    }
    return s;
}

static struct json *
status_schema(const struct making *m, const struct json *user)
{
    struct json *s = level(user, kept_status, ARRAY_LEN(kept_status));
    struct json *props = json_get(s, "properties");

    add_all(props, literal(status_props));
    if (m->legacy)
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
root_schema(const struct making *m, const struct json *user)
{
    static const char *const kept[] = {"description"};
    struct json *s = literal("{\"type\":\"object\",\"required\":[\"spec\"],"
                             "\"properties\":{\"apiVersion\":{\"type\":"
                             "\"string\"},\"kind\":{\"type\":\"string\"}}}");
    struct json *props = json_get(s, "properties");
    const struct json *theirs = json_get(user, "properties");

    copy_members(s, user, kept, ARRAY_LEN(kept));
    json_set(props, "metadata", metadata_schema(user));
    json_set(props, "spec", spec_schema(m, json_get(theirs, "spec")));
    json_set(props, "status", status_schema(m, json_get(theirs, "status")));
    return s;
}

/* ---- the CRD around it ---- */

static void
add_columns(struct json *version, const struct json *theirs,
            const struct making *m)
{
    struct json *all =
        json_is(theirs, JSON_ARRAY) ? json_copy(theirs) : json_new_array();
    AUTO(mem_free_ptr)
    char *text = m->claim ? mem_strdup(claim_columns)
                          : mem_printf(columns, m->legacy ? "" : "crossplane.");
    AUTO(json_free_ptr) struct json *ours = literal(text);

    for (struct json *c = json_first(all); c; c = json_next(c)) {
        if (json_int64_or(json_get(c, "priority"), 1) == 0)
            json_del(c, "priority");
    }
    for (struct json *c; (c = json_first(ours));)
        json_append(all, json_detach(ours, c));
    json_set(version, "additionalPrinterColumns", all);
}

static struct json *
user_schema(const struct json *text, struct error *err)
{
    struct json *s = NULL;

    if (!text || json_is(text, JSON_NULL))
        error_set(err, ERR_INVALID, "unexpected end of JSON input");
    else
        s = props_read(text, err);
    if (!s)
        error_wrap(err, "cannot parse validation schema: cannot parse "
                        "validation schema");
    return s;
}

static struct json *
crd_version(const struct making *m, const struct json *v, struct error *err)
{
    static const char *const kept[] = {"name", "deprecated",
                                       "deprecationWarning"};
    const struct json *schema = json_get(v, "schema");
    AUTO(json_free_ptr) struct json *user = NULL;
    struct json *out;

    if (!json_is(schema, JSON_OBJECT)) {
        error_set(err, ERR_INVALID, "custom resource validation cannot be nil");
        return NULL;
    }
    user = user_schema(json_get(schema, "openAPIV3Schema"), err);
    if (!user)
        return NULL;
    out = json_new_object();
    copy_members(out, v, kept, ARRAY_LEN(kept));
    json_set_bool(out, "served", json_bool(json_get(v, "served"), false));
    json_set_bool(out, "storage",
                  json_bool(json_get(v, "referenceable"), false));
    json_set(json_need_object(out, "schema"), "openAPIV3Schema",
             root_schema(m, user));
    json_need_object(json_need_object(out, "subresources"), "status");
    add_columns(out, json_get(v, "additionalPrinterColumns"), m);
    return out;
}

static void
add_metadata(struct json *crd, const struct json *xrd, const char *name)
{
    const struct json *theirs = json_get(xrd, "metadata");
    const struct json *extra = json_at(xrd, "spec", "metadata", NULL);
    struct json *m = json_need_object(crd, "metadata");
    struct json *owner;

    json_set_string(m, "name", name);
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
    json_set_string(owner, "name",
                    json_string_or(json_get(theirs, "name"), ""));
    json_set_string(owner, "uid", json_string_or(json_get(theirs, "uid"), ""));
    json_set_bool(owner, "controller", true);
    json_set_bool(owner, "blockOwnerDeletion", true);
}

static void
add_names(struct json *spec, const struct json *names, const char *category)
{
    struct json *n = json_set(spec, "names",
                              json_is(names, JSON_OBJECT) ? json_copy(names)
                                                          : json_new_object());

    json_append(json_need_array(n, "categories"), json_new_string(category));
}

/* All but metadata and names. */
static bool
fill_spec(struct json *spec, const struct making *m, struct error *err)
{
    const struct json *from = json_get(m->xrd, "spec");
    struct json *versions;

    json_set_string(spec, "group", json_string_or(json_get(from, "group"), ""));
    json_set_string(spec, "scope",
                    m->claim || m->namespaced ? "Namespaced" : "Cluster");
    if (json_get(from, "conversion"))
        json_set(spec, "conversion", json_copy(json_get(from, "conversion")));
    versions = json_need_array(spec, "versions");
    for (const struct json *v = json_first(json_get(from, "versions")); v;
         v = json_next(v)) {
        struct json *made = crd_version(m, v, err);

        if (!made)
            return error_wrap(err, "cannot generate CRD for \"%s\" \"%s\"",
                              m->claim ? "Composite Resource Claim"
                                       : "Composite Resource",
                              xrd_name(m->xrd));
        json_append(versions, made);
    }
    return true;
}

static struct json *
make(const struct making *m, const char *name, const char *names,
     struct error *err)
{
    struct json *crd = json_new_object();
    struct json *spec;

    json_set_string(crd, "apiVersion", "apiextensions.k8s.io/v1");
    json_set_string(crd, "kind", "CustomResourceDefinition");
    add_metadata(crd, m->xrd, name);
    spec = json_need_object(crd, "spec");
    add_names(spec, json_at(m->xrd, "spec", names, NULL),
              m->claim ? "claim" : "composite");
    if (fill_spec(spec, m, err))
        return crd;
    json_free(crd);
    return NULL;
}

struct json *
xrd_to_crd(const struct json *xrd, struct error *err)
{
    struct making m = making_of(xrd, false);

    return make(&m, xrd_name(xrd), "names", err);
}

/* A claim may share no name with the XR. */
static bool
check_claim_names(const struct json *xrd, struct error *err)
{
    static const char *const members[] = {"kind", "plural", "singular",
                                          "listKind"};
    const struct json *xr = json_at(xrd, "spec", "names", NULL);
    const struct json *claim = json_at(xrd, "spec", "claimNames", NULL);

    if (!json_is(claim, JSON_OBJECT))
        return error_set(err, ERR_INVALID,
                         "invalid resource claim names: missing names");
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        const char *a = json_string_or(json_get(xr, members[i]), "");
        const char *b = json_string_or(json_get(claim, members[i]), "");

        /* Two absent singulars do not clash, two absent kinds do. */
        if (strcmp(a, b) == 0 && (*b || i < 2))
            return error_set(err, ERR_INVALID,
                             "invalid resource claim names: \"%s\" conflicts "
                             "with composite resource name",
                             b);
    }
    return true;
}

struct json *
xrd_to_claim_crd(const struct json *xrd, struct error *err)
{
    struct making m = making_of(xrd, true);
    AUTO(mem_free_ptr) char *name = NULL;

    if (!check_claim_names(xrd, err))
        return NULL;
    name = mem_printf(
        "%s.%s",
        json_string_or(json_at(xrd, "spec", "claimNames", "plural", NULL), ""),
        json_string_or(json_at(xrd, "spec", "group", NULL), ""));
    return make(&m, name, "claimNames", err);
}
