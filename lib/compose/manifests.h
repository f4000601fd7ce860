/*
 * manifests.h - a rendered text as objects.
 *
 * What: reads a stream as function-go-templating does with Kubernetes'
 * YAMLOrJSONDecoder: a text that starts with "{" is JSON objects one after the
 * other, else YAML documents between lines of three dashes; null documents are
 * skipped; every object needs a kind; annotations are strings. The errors are
 * upstream's, with the line in the text and a piece of it.
 * Source: function-go-templating fn.go; apimachinery pkg/util/yaml decoder.go.
 */
#ifndef LIB_COMPOSE_MANIFESTS_H
#define LIB_COMPOSE_MANIFESTS_H

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/json.h"

struct manifests {
    struct json **v; /* objects, each with a kind */
    size_t n, cap;
};

/* More than 10,000 objects is ERR_LIMIT. out is complete or empty. */
bool manifests_read(struct str text, struct manifests *out, struct error *err);
void manifests_release(struct manifests *m);
/* Appends a YAML reader's error as sigs.k8s.io/yaml words it: "error converting
 * YAML to JSON: yaml: line 3: did not find expected key". */
void manifests_yaml_error(const struct error *err, struct buf *out);

#endif
