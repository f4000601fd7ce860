/*
 * Definitions of the managed kinds. A definition is a part of parts.yaml with
 * names put in; a managed kind also gets the fields of its entry, twice:
 * forProvider has all of them, initProvider those that do not identify the
 * resource. A required field that initProvider may give instead is upjet's
 * rule on spec, so that a resource that is only observed need not say it.
 */
#include <string.h>

#include "lib/base/asset.h"
#include "lib/base/digest.h"
#include "lib/base/mem.h"
#include "lib/base/yaml.h"

#include "devenv/sandbox/cloud.h"
#include "devenv/sandbox/managed_kinds.h"

#define PARTS "assets/providers/parts.yaml"

/* What one definition is made of. */
struct making {
    const struct json *parts;
    const char *part; /* of parts.yaml: schema and columns */
    const char *group, *version, *kind, *plural;
    const char *categories[3];
    const char *short_name;
    bool cluster, status;
};

/* ---- fields ---- */

static struct json *
typed(const char *type)
{
    struct json *s = json_new_object();

    json_set_string(s, "type", type);
    return s;
}

static struct json *
open_object(void)
{
    struct json *s = typed("object");

    json_set_bool(s, "x-kubernetes-preserve-unknown-fields", true);
    return s;
}

static struct json *
field_schema(char type)
{
    struct json *s;

    if (type == 'o')
        return open_object();
    if (type == 'm') {
        s = typed("object");
        json_set(s, "additionalProperties", typed("string"));
        return s;
    }
    if (type == 'l' || type == 'L') {
        s = typed("array");
        json_set(s, "items", type == 'l' ? typed("string") : open_object());
        return s;
    }
    return typed(type == 'n' ? "number" : type == 'b' ? "boolean" : "string");
}

static void
set_named(struct json *properties, const struct managed_field *f,
          const char *suffix, const struct json *schema)
{
    AUTO(mem_free_ptr) char *name = mem_printf("%s%s", f->name, suffix);

    json_set(properties, name, json_copy(schema));
}

static void
add_fields(struct json *schema, const struct managed_field *f, size_t n,
           const struct json *parts, bool init)
{
    struct json *properties = json_need_object(schema, "properties");

    for (size_t i = 0; i < n; i++) {
        if (init && f[i].only_for)
            continue;
        json_set(properties, f[i].name, field_schema(f[i].type));
        if (f[i].refers) {
            set_named(properties, &f[i], "Ref", json_get(parts, "ref"));
            set_named(properties, &f[i], "Selector",
                      json_get(parts, "selector"));
        }
        if (f[i].required && !init)
            json_append(json_need_array(schema, "required"),
                        json_new_string(f[i].name));
    }
}

static void
add_rule(struct json *spec, const struct managed_field *f)
{
    AUTO(mem_free_ptr)
    char *rule = mem_printf(
        "!('*' in self.managementPolicies || 'Create' in "
        "self.managementPolicies || 'Update' in self.managementPolicies) || "
        "has(self.forProvider.%s) || (has(self.initProvider) && "
        "has(self.initProvider.%s))",
        f->name, f->name);
    AUTO(mem_free_ptr)
    char *text =
        mem_printf("spec.forProvider.%s is a required parameter", f->name);
    struct json *r = json_append(
        json_need_array(spec, "x-kubernetes-validations"), json_new_object());

    json_set_string(r, "rule", rule);
    json_set_string(r, "message", text);
}

/* ---- definitions ---- */

static void
add_names(struct json *spec, const struct making *m)
{
    struct json *names = json_need_object(spec, "names");
    AUTO(mem_free_ptr) char *list = mem_printf("%sList", m->kind);
    AUTO(mem_free_ptr) char *singular = mem_strdup(m->kind);

    for (char *s = singular; *s; s++)
        *s = (char)(*s | 0x20);
    json_set_string(names, "plural", m->plural);
    json_set_string(names, "singular", singular);
    json_set_string(names, "kind", m->kind);
    json_set_string(names, "listKind", list);
    for (size_t i = 0; i < ARRAY_LEN(m->categories) && m->categories[i]; i++)
        json_append(json_need_array(names, "categories"),
                    json_new_string(m->categories[i]));
    if (m->short_name)
        json_append(json_need_array(names, "shortNames"),
                    json_new_string(m->short_name));
}

/* *schema is the part's copy in it. */
static struct json *
define(const struct making *m, struct json **schema)
{
    struct json *crd = json_new_object(), *spec, *version;
    AUTO(mem_free_ptr) char *name = mem_printf("%s.%s", m->plural, m->group);

    json_set_string(crd, "apiVersion", "apiextensions.k8s.io/v1");
    json_set_string(crd, "kind", "CustomResourceDefinition");
    json_set_string(json_need_object(crd, "metadata"), "name", name);
    spec = json_need_object(crd, "spec");
    json_set_string(spec, "group", m->group);
    json_set_string(spec, "scope", m->cluster ? "Cluster" : "Namespaced");
    add_names(spec, m);
    version = json_append(json_need_array(spec, "versions"), json_new_object());
    json_set_string(version, "name", m->version);
    json_set_bool(version, "served", true);
    json_set_bool(version, "storage", true);
    json_set(version, "additionalPrinterColumns",
             json_copy(json_at(m->parts, "columns", m->part, NULL)));
    if (m->status)
        json_need_object(json_need_object(version, "subresources"), "status");
    *schema = json_set(json_need_object(version, "schema"), "openAPIV3Schema",
                       json_copy(json_get(m->parts, m->part)));
    return crd;
}

static struct json *
define_kind(const struct managed_kind *k, const struct json *parts)
{
    const struct making m = {
        .parts = parts,
        .part = "resource",
        .group = k->group,
        .version = MANAGED_VERSION,
        .kind = k->kind,
        .plural = k->plural,
        .categories = {"crossplane", "managed", k->family->name},
        .status = true,
    };
    struct json *schema, *crd = define(&m, &schema);
    struct json *spec = json_at(schema, "properties", "spec", NULL);

    add_fields(json_at(spec, "properties", "forProvider", NULL), k->fields,
               k->fields_n, parts, false);
    add_fields(json_at(spec, "properties", "initProvider", NULL), k->fields,
               k->fields_n, parts, true);
    for (size_t i = 0; i < k->fields_n; i++) {
        if (k->fields[i].needed)
            add_rule(spec, &k->fields[i]);
    }
    return crd;
}

static struct json *
define_config(const struct managed_family *f, const struct json *parts,
              bool cluster)
{
    const struct making m = {
        .parts = parts,
        .part = "config",
        .group = f->group,
        .version = MANAGED_VERSION,
        .kind = cluster ? "ClusterProviderConfig" : "ProviderConfig",
        .plural = cluster ? "clusterproviderconfigs" : "providerconfigs",
        .categories = {"crossplane", "providerconfig", f->name},
        .cluster = cluster,
        .status = true,
    };
    struct json *schema, *crd = define(&m, &schema);

    add_fields(json_at(schema, "properties", "spec", NULL), f->fields,
               f->fields_n, parts, false);
    return crd;
}

static struct json *
define_usage(const struct managed_family *f, const struct json *parts)
{
    const struct making m = {
        .parts = parts,
        .part = "usage",
        .group = f->group,
        .version = MANAGED_VERSION,
        .kind = "ProviderConfigUsage",
        .plural = "providerconfigusages",
        .categories = {"crossplane", "providerconfig", f->name},
    };
    struct json *schema;

    return define(&m, &schema);
}

static const struct making own[] = {
    {.part = "external",
     .group = CLOUD_GROUP,
     .version = CLOUD_VERSION,
     .kind = CLOUD_EXTERNAL,
     .plural = "externalresources",
     .short_name = "ext",
     .cluster = true},
    /* The last one: its description has the hash of all. */
    {.part = "fault",
     .group = CLOUD_GROUP,
     .version = CLOUD_VERSION,
     .kind = CLOUD_FAULT,
     .plural = CLOUD_FAULTS,
     .cluster = true},
};

/* ---- serving them ---- */

static bool
install(struct registry *r, struct json *crd, struct error *err)
{
    const struct registry_write w = {.manager = "crossplane", .vouched = true};
    AUTO(status_release) struct status st = {0};
    bool good = registry_install_crd(r, &w, crd, &st) || status_error(&st, err);

    json_free(crd);
    return good;
}

static bool
install_own(const struct json *parts, const char *hash, struct registry *r,
            struct error *err)
{
    bool good = true;

    for (size_t i = 0; good && i < ARRAY_LEN(own); i++) {
        struct making m = own[i];
        struct json *schema, *crd;

        m.parts = parts;
        crd = define(&m, &schema);
        json_set_string(schema, "description", hash);
        good = install(r, crd, err);
    }
    return good;
}

static bool
install_all(const struct managed_kinds *m, const struct json *parts,
            struct registry *r, struct error *err)
{
    const struct managed_family *f;
    size_t n = managed_kinds_families(m, &f);
    bool good = true;

    for (size_t i = 0; good && i < n; i++)
        good = install(r, define_config(&f[i], parts, false), err) &&
               install(r, define_config(&f[i], parts, true), err) &&
               install(r, define_usage(&f[i], parts), err);
    for (size_t i = 0; good && i < managed_kinds_count(m); i++)
        good = install(r, define_kind(managed_kinds_at(m, i), parts), err);
    return good;
}

/* The definitions that stand in the store are of these assets. */
static bool
installed(struct registry *r, const char *hash)
{
    const struct kind *k =
        registry_kind(r, "apiextensions.k8s.io/v1", "CustomResourceDefinition");
    struct str text;

    return registry_get_raw(r, k, NULL, CLOUD_FAULTS "." CLOUD_GROUP, &text) &&
           str_contains(text, str_of(hash));
}

struct json *
managed_kinds_definition(const struct managed_kinds *m, const char *group,
                         const char *kind)
{
    const struct managed_kind *k = managed_kinds_find(m, group, kind);
    const struct managed_family *f;
    size_t n = managed_kinds_families(m, &f);
    AUTO(json_free_ptr) struct json *parts = NULL;
    struct asset a;

    while (n && strcmp(f->group, group) != 0) {
        n--;
        f++;
    }
    if ((!k && !n) || !asset_find(PARTS, &a))
        return NULL;
    parts = yaml_parse_one(a.data, NULL, NULL);
    if (k)
        return define_kind(k, parts);
    if (strcmp(kind, "ProviderConfigUsage") == 0)
        return define_usage(f, parts);
    if (strcmp(kind, "ProviderConfig") == 0 ||
        strcmp(kind, "ClusterProviderConfig") == 0)
        return define_config(f, parts, *kind == 'C');
    return NULL;
}

bool
managed_kinds_install(struct registry *r, struct error *err)
{
    struct asset parts, kinds;
    struct managed_kinds *m;
    struct digest *d;
    char hash[DIGEST_HEX_MAX];
    bool good;

    if (!asset_find(PARTS, &parts) || !asset_find(MANAGED_ASSET, &kinds))
        return error_set(err, ERR_INTERNAL, "the managed kinds are not there");
    d = digest_new(DIGEST_SHA256);
    digest_add(d, parts.data.s, parts.data.n);
    digest_add(d, kinds.data.s, kinds.data.n);
    digest_end(d, hash);
    if (installed(r, hash))
        return true;
    AUTO(json_free_ptr)
    struct json *tree = yaml_parse_one(parts.data, NULL, err);

    m = tree ? managed_kinds_new(err) : NULL;
    good = m && install_all(m, tree, r, err) && install_own(tree, hash, r, err);
    managed_kinds_free(m);
    return good;
}
