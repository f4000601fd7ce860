/*
 * manifests.h - a rendered text as objects.
 *
 * What: reads a stream as function-go-templating does with Kubernetes'
 * YAMLOrJSONDecoder: a text that starts with "{" is JSON objects one after the
 * other, else YAML documents between lines of three dashes; null documents are
 * skipped; every object needs a kind; annotations are strings. The errors are
 * upstream's, with the line in the text and a piece of it.
 * A memo keeps what was read of YAML documents: a composite is rendered several
 * times before its plan stands still, and most of its documents stay the same.
 * Source: function-go-templating fn.go; apimachinery pkg/util/yaml decoder.go.
 */
#ifndef LIB_COMPOSE_MANIFESTS_H
#define LIB_COMPOSE_MANIFESTS_H

#include "lib/base/buf.h"
#include "lib/base/error.h"
#include "lib/base/json.h"
#include "lib/base/map.h"

#define MANIFESTS_MEMO_MAX ((size_t)256 << 10)

/* All zero is an empty one. When more than MANIFESTS_MEMO_MAX bytes of text are
 * new, what was not asked for since the last time this was so is forgotten. */
struct manifests_memo {
    struct map recent, older; /* text of a document -> its struct json */
    size_t bytes;             /* of the texts in recent */
};

void manifests_memo_release(struct manifests_memo *m);

struct manifests {
    struct json **v; /* objects, each with a kind */
    size_t n, cap;
};

/* More than 10,000 objects is ERR_LIMIT. out is complete or empty. memo may be
 * NULL. */
bool manifests_read(struct str text, struct manifests_memo *memo,
                    struct manifests *out, struct error *err);
void manifests_release(struct manifests *m);
/* Appends a YAML reader's error as sigs.k8s.io/yaml words it: "error converting
 * YAML to JSON: yaml: line 3: did not find expected key". */
void manifests_yaml_error(const struct error *err, struct buf *out);

#endif
