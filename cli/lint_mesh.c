/*
 * The mesh's own rules that need no cluster, and the expectations of example
 * meshes. What the files do not hold at all (no domain, no contract) may be on
 * the cluster and is not missed.
 */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "cli/lint.h"

#define GROUP "meshifi.io"

/* A product with its schema's defaults. */
struct product {
    struct lint *l;
    const struct source_doc *doc;
    const struct json *spec;
    bool active;
};

static const char *
meta(const struct source_doc *d, const char *key)
{
    return json_string_or(json_at(d->object, "metadata", key, NULL), "");
}

/* From public to restricted; what is not said or not known is lowest. */
static size_t
rank_of(const char *classification)
{
    static const char *const ranks[] = {"public", "internal", "confidential",
                                        "restricted"};

    for (size_t i = 0; i < ARRAY_LEN(ranks); i++) {
        if (strcmp(ranks[i], classification) == 0)
            return i;
    }
    return 0;
}

/* The document of kind with this name; ns "": of any namespace. *any: there is
 * one of the kind at all. */
static const struct source_doc *
find(const struct lint *l, const char *kind, const char *ns, const char *name,
     bool *any)
{
    const struct source_doc *found = NULL;

    *any = false;
    for (size_t i = 0; i < l->sources.n; i++) {
        const struct source_doc *d = &l->sources.v[i];

        if (!lint_is(d, kind, GROUP))
            continue;
        *any = true;
        if (strcmp(meta(d, "name"), name) == 0 &&
            (!*ns || !*meta(d, "namespace") ||
             strcmp(meta(d, "namespace"), ns) == 0))
            found = d;
    }
    return found;
}

/* ---- ports ---- */

static void
check_output(const struct product *p, const struct json *port, size_t i)
{
    const char *class = json_get_text(p->spec, "classification");
    AUTO(mem_free_ptr) char *at = mem_printf("spec.outputPorts[%zu]", i);
    AUTO(mem_free_ptr) char *ref = mem_printf("%s.contractRef", at);
    bool any;

    if (p->active && !json_get(port, "contractRef") &&
        !json_get(port, "contractId"))
        lint_add(p->l, "MESH-102", p->doc, at, false,
                 "output port %s has no contract", json_get_text(port, "name"));
    if (rank_of(json_get_text(port, "classification")) > rank_of(class))
        lint_add(p->l, "MESH-104", p->doc, at, false,
                 "port %s is %s, its product %s", json_get_text(port, "name"),
                 json_get_text(port, "classification"), class);
    if (strcmp(json_get_text(port, "sharing"), "public") == 0 &&
        strcmp(class, "public") != 0)
        lint_add(p->l, "MESH-105", p->doc, at, false,
                 "port %s is shared publicly, its product is %s",
                 json_get_text(port, "name"),
                 *class ? class : "not classified");
    if (*json_get_text(port, "contractRef") &&
        !find(p->l, "DataContract", meta(p->doc, "namespace"),
              json_get_text(port, "contractRef"), &any) &&
        any)
        lint_add(p->l, "MESH-303", p->doc, ref, false,
                 "there is no contract %s in namespace %s",
                 json_get_text(port, "contractRef"), meta(p->doc, "namespace"));
}

static bool
has_port(const struct source_doc *product, const char *name)
{
    const struct json *ports =
        json_at(product->object, "spec", "outputPorts", NULL);

    for (const struct json *o = json_first(ports); o; o = json_next(o)) {
        if (strcmp(json_get_text(o, "name"), name) == 0)
            return true;
    }
    return false;
}

static void
check_input(const struct product *p, const struct json *port, size_t i)
{
    const struct json *from = json_get(port, "product");
    const char *ns = json_get_text(from, "namespace");
    const struct source_doc *d;
    AUTO(mem_free_ptr)
    char *at = mem_printf("spec.inputPorts[%zu].product", i);
    bool any;

    if (!*json_get_text(from, "name"))
        return;
    d = find(p->l, "DataProduct", ns, json_get_text(from, "name"), &any);
    /* A file of one product alone leaves the others to the cluster. */
    if (!d && p->l->sources.files_n > 1)
        lint_add(p->l, "MESH-302", p->doc, at, false, "there is no product %s",
                 json_get_text(from, "name"));
    if (d && *json_get_text(from, "port") &&
        !has_port(d, json_get_text(from, "port")))
        lint_add(p->l, "MESH-302", p->doc, at, false,
                 "product %s has no output port %s",
                 json_get_text(from, "name"), json_get_text(from, "port"));
}

/* ---- products ---- */

static void
check_whole(const struct product *p)
{
    const char *class = json_get_text(p->spec, "classification");
    const char *domain = json_get_text(p->spec, "dataDomainRef");
    bool any;

    if (p->active && !json_len(json_get(p->spec, "outputPorts")))
        lint_add(p->l, "MESH-101", p->doc, "spec", true,
                 "an active product needs an output port");
    if (json_bool(json_get(p->spec, "pii"), false) &&
        rank_of(class) < rank_of("confidential"))
        lint_add(p->l, "MESH-103", p->doc, "spec.pii", false,
                 "a product with PII must be confidential or restricted");
    if (*domain &&
        !find(p->l, "DataDomain", json_get_text(p->spec, "dataDomainNamespace"),
              domain, &any) &&
        any)
        lint_add(p->l, "MESH-301", p->doc, "spec.dataDomainRef", false,
                 "there is no domain %s", domain);
}

static void
check_product(struct lint *l, const struct source_doc *d)
{
    AUTO(json_free_ptr) struct json *object = json_copy(d->object);
    const struct schema *s = schema_set_find(
        &l->schemas, json_get_text(object, "apiVersion"), "DataProduct", NULL);
    struct product p = {l, d, NULL, false};
    size_t i = 0;

    if (s)
        schema_default(s, object);
    p.spec = json_get(object, "spec");
    p.active = strcmp(json_get_text(p.spec, "status"), "active") == 0;
    check_whole(&p);
    for (const struct json *o = json_first(json_get(p.spec, "outputPorts")); o;
         o = json_next(o))
        check_output(&p, o, i++);
    i = 0;
    for (const struct json *o = json_first(json_get(p.spec, "inputPorts")); o;
         o = json_next(o))
        check_input(&p, o, i++);
}

/* ---- expectations ---- */

static void
check_expectations(struct lint *l, const struct source_doc *d)
{
    static const struct {
        const char *list, *kind;
    } lists[] = {{"domains", "DataDomain"},
                 {"products", "DataProduct"},
                 {"contracts", "DataContract"}};

    for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
        size_t i = 0;

        for (const struct json *e =
                 json_first(json_get(d->object, lists[k].list));
             e; e = json_next(e), i++) {
            AUTO(mem_free_ptr)
            char *field = mem_printf("%s[%zu].name", lists[k].list, i);
            bool any;

            if (!find(l, lists[k].kind, json_get_text(e, "namespace"),
                      json_get_text(e, "name"), &any))
                lint_add(l, "expectations", d, field, false,
                         "there is no %s %s/%s", lists[k].kind,
                         json_get_text(e, "namespace"),
                         json_get_text(e, "name"));
        }
    }
}

void
lint_mesh(struct lint *l)
{
    for (size_t i = 0; i < l->sources.n; i++) {
        const struct source_doc *d = &l->sources.v[i];

        if (lint_is(d, "DataProduct", GROUP))
            check_product(l, d);
        else if (lint_is_expectations(d) && l->sources.files_n > 1)
            check_expectations(l, d);
    }
}
