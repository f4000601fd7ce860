/*
 * yaml_node.h - YAML as it is written, for readers with rules of their own.
 *
 * What: yaml.h reads as Kubernetes does and gives JSON; here a scalar keeps its
 * text and its tag, so that Go's yaml.v3 (fromYaml of templates) can be
 * followed, and messages are those of Go's yaml packages. Only the first
 * document is read.
 * Invariants: an alias is the very node it names; no node contains itself.
 * Lifetimes: nodes live in the arena. Caps: 16 MiB, depth 100, 1 million nodes
 * as written (aliases not counted: who walks counts).
 */
#ifndef LIB_BASE_YAML_NODE_H
#define LIB_BASE_YAML_NODE_H

#include "lib/base/arena.h"
#include "lib/base/error.h"

enum yaml_node_kind { YAML_NODE_SCALAR, YAML_NODE_LIST, YAML_NODE_MAP };

struct yaml_node {
    enum yaml_node_kind kind;
    bool plain;      /* a scalar without quotes */
    unsigned line;   /* from 1 */
    const char *tag; /* NULL: none; "tag:yaml.org,2002:str", "!mine" */
    struct str text;
    const struct yaml_node **kids; /* of a map: key, value, key, ... */
    size_t n;
};

/* *out is NULL when text holds no document. Errors: "line 3: found ..." or,
 * where Go says no line, "unknown anchor 'x' referenced". */
bool yaml_node_read(struct arena *a, struct str text,
                    const struct yaml_node **out, struct error *err);

#endif
