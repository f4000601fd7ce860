/* Meshes written as YAML in the tests of lib/mesh. */
#ifndef TESTS_UNIT_MESH_FIXTURE_H
#define TESTS_UNIT_MESH_FIXTURE_H

#include "lib/base/yaml.h"

#include "lib/mesh/model.h"

#include "tests/unit/test.h"

#define API "meshifi.io/v1alpha1"

/* Puts every document of text. */
UNUSED static void
put_yaml(struct mesh *m, const char *text)
{
    struct yaml_docs docs = {0};
    struct error err = {0};

    if (!yaml_parse(str_of(text), NULL, &docs, &err))
        fail_msg("%s", err.msg);
    for (size_t i = 0; i < docs.n; i++) {
        if (!mesh_put_json(m, docs.v[i].value, &err))
            fail_msg("%s", err.msg);
    }
    yaml_docs_release(&docs);
    mesh_settle(m);
}

/* Every kind that the tests use is completely known. */
UNUSED static void
all_synced(struct mesh *m)
{
    static const char *const kinds[][2] = {
        {API, "Mesh"},
        {API, "DataDomain"},
        {API, "DataProduct"},
        {API, "DataContract"},
        {"v1", "ConfigMap"},
        {"infra.meshifi.io/v1alpha1", "StorageBucket"},
        {"gcp.example.org/v1", "Dataset"},
        {"protection.crossplane.io/v1beta1", "Usage"},
    };

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        mesh_watched(m, kinds[i][0], kinds[i][1], MESH_SYNCED);
    mesh_settle(m);
}

UNUSED static const struct mesh_item *
product(const struct mesh *m, const char *ns, const char *name)
{
    const struct mesh_item *i = mesh_find(m, API, "DataProduct", ns, name);

    assert_non_null(i);
    return i;
}

UNUSED static const struct mesh_item *
domain(const struct mesh *m, const char *ns, const char *name)
{
    const struct mesh_item *i = mesh_find(m, API, "DataDomain", ns, name);

    assert_non_null(i);
    return i;
}

#endif
