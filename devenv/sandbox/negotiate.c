#include "devenv/sandbox/negotiate.h"

#include <strings.h>

struct clause {
    struct str type, as, version, group;
};

static struct clause
read_clause(struct str text)
{
    struct clause c = {0};
    struct str part, name, value;

    str_next(&text, ';', &part);
    c.type = str_trim(part);
    while (str_next(&text, ';', &part)) {
        str_cut(str_trim(part), '=', &name, &value);
        if (str_eqz(name, "as"))
            c.as = value;
        else if (str_eqz(name, "v"))
            c.version = value;
        else if (str_eqz(name, "g"))
            c.group = value;
    }
    return c;
}

struct form {
    const char *as, *group, *version;
    enum accept_form form;
    unsigned allow;
};

static const struct form forms[] = {
    {"Table", "meta.k8s.io", "v1", ACCEPT_TABLE, ALLOW_TRANSFORMS},
    {"Table", "meta.k8s.io", "v1beta1", ACCEPT_TABLE, ALLOW_TRANSFORMS},
    {"PartialObjectMetadata", "meta.k8s.io", "v1", ACCEPT_METADATA,
     ALLOW_TRANSFORMS},
    {"PartialObjectMetadata", "meta.k8s.io", "v1beta1", ACCEPT_METADATA,
     ALLOW_TRANSFORMS},
    {"PartialObjectMetadataList", "meta.k8s.io", "v1", ACCEPT_METADATA_LIST,
     ALLOW_TRANSFORMS},
    {"PartialObjectMetadataList", "meta.k8s.io", "v1beta1",
     ACCEPT_METADATA_LIST, ALLOW_TRANSFORMS},
    {"APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2", ACCEPT_DISCOVERY,
     ALLOW_DISCOVERY},
    {"APIGroupDiscoveryList", "apidiscovery.k8s.io", "v2beta1",
     ACCEPT_DISCOVERY, ALLOW_DISCOVERY},
};

/* False: this clause cannot be served. */
static bool
serves(const struct clause *c, unsigned allow, struct accept *out)
{
    bool yaml = str_eqz(c->type, "application/yaml");

    if (!yaml && !str_eqz(c->type, "application/json") &&
        !str_eqz(c->type, "application/*") && !str_eqz(c->type, "*/*") &&
        !str_eqz(c->type, "text/html"))
        return false;
    *out =
        (struct accept){.yaml = yaml, .pretty = str_eqz(c->type, "text/html")};
    if (!c->as.n)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        if (str_eqz(c->as, forms[i].as) && str_eqz(c->group, forms[i].group) &&
            str_eqz(c->version, forms[i].version) && (forms[i].allow & allow)) {
            out->form = forms[i].form;
            out->version = forms[i].version;
            return true;
        }
    }
    return false;
}

bool
negotiate_accept(const char *header, unsigned allow, struct accept *out,
                 struct status *st)
{
    struct str rest = str_trim(str_of(header)), part;

    if (!rest.n) {
        *out = (struct accept){0};
        return true;
    }
    while (str_next(&rest, ',', &part)) {
        struct clause c = read_clause(part);

        if (serves(&c, allow, out))
            return true;
    }
    return status_set(st, 406, "NotAcceptable",
                      "only the following media types are accepted: "
                      "application/json, application/yaml, "
                      "application/vnd.kubernetes.protobuf");
}

enum body_type
negotiate_body(const char *header)
{
    static const struct {
        const char *type;
        enum body_type body;
    } types[] = {
        {"application/json", BODY_JSON},
        {"application/yaml", BODY_YAML},
        {"application/vnd.kubernetes.protobuf", BODY_PROTOBUF},
        {"application/merge-patch+json", BODY_MERGE_PATCH},
        {"application/json-patch+json", BODY_JSON_PATCH},
        {"application/strategic-merge-patch+json", BODY_STRATEGIC_PATCH},
        {"application/apply-patch+yaml", BODY_APPLY},
    };
    struct str type, rest;

    str_cut(str_of(header), ';', &type, &rest);
    type = str_trim(type);
    if (!type.n)
        return BODY_JSON;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        if (type.n == strlen(types[i].type) &&
            !strncasecmp(type.s, types[i].type, type.n))
            return types[i].body;
    }
    return BODY_OTHER;
}
