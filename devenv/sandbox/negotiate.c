#include "devenv/sandbox/negotiate.h"

#include <stdlib.h>
#include <strings.h>

#define CLAUSES_MAX 64

struct clause {
    struct str type, subtype, as, version, group;
    bool transform; /* any of the three above was there */
    bool pretty;
    double quality;
};

/* One parameter of a clause. */
static void
read_param(struct clause *c, struct str name, struct str value)
{
    if (str_eqz(name, "as"))
        c->as = value;
    else if (str_eqz(name, "v"))
        c->version = value;
    else if (str_eqz(name, "g"))
        c->group = value;
    else if (str_eqz(name, "pretty"))
        c->pretty = str_eqz(value, "1");
    else if (str_eqz(name, "q"))
        c->quality = strtod(value.n ? value.s : "1", NULL);
    c->transform |=
        str_eqz(name, "as") || str_eqz(name, "v") || str_eqz(name, "g");
}

static struct clause
read_clause(struct str text)
{
    struct clause c = {.quality = 1};
    struct str part, name, value;

    str_next(&text, ';', &part);
    /* "*" alone is what some send for everything. */
    if (!str_cut(str_trim(part), '/', &c.type, &c.subtype) &&
        str_eqz(c.type, "*"))
        c.subtype = c.type;
    while (str_next(&text, ';', &part)) {
        str_cut(str_trim(part), '=', &name, &value);
        read_param(&c, str_trim(name), str_trim(value));
    }
    return c;
}

/* What clients want most comes first, then what they name; else as they said
 * it (goautoneg.ParseAccept). */
static bool
before(const struct clause *a, const struct clause *b)
{
    bool any_a = str_eqz(a->type, "*"), any_b = str_eqz(b->type, "*");

    if (a->quality != b->quality)
        return a->quality > b->quality;
    if (any_a != any_b)
        return any_b;
    return !str_eqz(a->subtype, "*") && str_eqz(b->subtype, "*");
}

static size_t
read_clauses(struct str rest, struct clause out[CLAUSES_MAX])
{
    struct str part;
    size_t n = 0;

    while (n < CLAUSES_MAX && str_next(&rest, ',', &part)) {
        struct clause c = read_clause(part);
        size_t at = n++;

        for (; at > 0 && before(&c, &out[at - 1]); at--)
            out[at] = out[at - 1];
        out[at] = c;
    }
    return n;
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
};

/* False: this clause cannot be served. */
static bool
serves(const struct clause *c, unsigned allow, struct accept *out)
{
    bool any = str_eqz(c->type, "*"), sub = str_eqz(c->subtype, "*");
    bool yaml = str_eqz(c->subtype, "yaml");

    if ((!any && !str_eqz(c->type, "application")) ||
        (!sub && !yaml && !str_eqz(c->subtype, "json")))
        return false;
    *out = (struct accept){.yaml = yaml, .pretty = c->pretty};
    if (!c->transform)
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

#define ACCEPTED                                                               \
    "application/json, application/yaml, application/vnd.kubernetes.protobuf"

bool
negotiate_accept(const char *header, unsigned allow, struct accept *out,
                 struct status *st)
{
    struct clause clauses[CLAUSES_MAX];
    struct str text = str_trim(str_of(header));
    size_t n = read_clauses(text, clauses);

    *out = (struct accept){0};
    for (size_t i = 0; i < n; i++) {
        if (serves(&clauses[i], allow, out))
            return true;
    }
    *out = (struct accept){0};
    return !text.n ||
           status_set(st, 406, "NotAcceptable",
                      "only the following media types are accepted: " ACCEPTED);
}

bool
negotiate_route(const char *header, enum route_forms forms_of,
                struct status *st)
{
    static const char *const produced[] = {
        "application/json", "application/yaml",
        "application/vnd.kubernetes.protobuf"};
    static const char *const shown[] = {[ROUTE_JSON] = "application/json",
                                        [ROUTE_OBJECT] = ACCEPTED,
                                        [ROUTE_LIST] = ACCEPTED
                                        ", application/json;stream=watch, "
                                        "application/vnd.kubernetes.protobuf;"
                                        "stream=watch"};
    size_t n = forms_of == ROUTE_JSON ? 1 : ARRAY_LEN(produced);
    struct str rest = str_of(header), part, type, more;

    if (!rest.n)
        return true;
    while (str_next(&rest, ',', &part)) {
        str_cut(part, ';', &type, &more);
        type = str_trim(type);
        if (str_eqz(type, "*/*"))
            return true;
        for (size_t i = 0; i < n; i++) {
            if (str_eqz(type, produced[i]))
                return true;
        }
    }
    status_set(st, 406, "NotAcceptable",
               "406: Not Acceptable\n\nAvailable representations: %s",
               shown[forms_of]);
    st->details = json_new_object();
    return false;
}

bool
negotiate_pretty(const char *param, const char *user_agent)
{
    /* Go's strconv.ParseBool */
    static const char *const yes[] = {"1", "t", "T", "true", "TRUE", "True"};
    static const char *const people[] = {"curl", "Wget", "Mozilla/5.0"};

    for (size_t i = 0; param && *param && i < ARRAY_LEN(yes); i++) {
        if (!strcmp(param, yes[i]))
            return true;
    }
    if (param && *param)
        return false;
    for (size_t i = 0; user_agent && i < ARRAY_LEN(people); i++) {
        if (!strncmp(user_agent, people[i], strlen(people[i])))
            return true;
    }
    return false;
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
