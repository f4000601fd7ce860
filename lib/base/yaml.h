/*
 * yaml.h - YAML as Kubernetes reads it, into and out of JSON trees.
 *
 * What: multi-document streams, YAML 1.1 scalars as sigs.k8s.io/yaml (yaml.v2
 * rules: yes/no/on/off are booleans, 0o and 0x and 0777 integers, 1_000;
 * kubectl's reading). Non-string keys become strings the way Go's reader does
 * it. Merge keys (<<) work; anchors and aliases are expanded under a cap.
 * Every error says line and column.
 */
#ifndef LIB_BASE_YAML_H
#define LIB_BASE_YAML_H

#include "lib/base/json.h"

/* All zero means the defaults: 16 MiB, depth 100, 1 million nodes after alias
 * expansion, 10,000 documents. */
struct yaml_options {
    size_t max_bytes;
    unsigned max_depth;
    size_t max_nodes;
    size_t max_documents;
    struct strlist *duplicates; /* paths of duplicate keys; NULL: an error */
    bool duplicate_lines;       /* not paths: `line 6: key "a" already set in
                                   map`, go-yaml's words */
    bool last_key_wins;         /* with duplicates == NULL: silently */
    struct json_places *places; /* where each value stands is added here */
};

struct yaml_doc {
    struct json *value; /* a null document has JSON_NULL */
    unsigned line;      /* of its first content, from 1 */
};

struct yaml_docs {
    struct yaml_doc *v;
    size_t n, cap;
};

/* Parses a whole stream; documents that are empty or null are left out. JSON
 * text is YAML too. */
bool yaml_parse(struct str text, const struct yaml_options *o,
                struct yaml_docs *out, struct error *err);
void yaml_docs_release(struct yaml_docs *d);
/* The one document of text; more or none is an error. */
struct json *yaml_parse_one(struct str text, const struct yaml_options *o,
                            struct error *err);

enum {
    YAML_SORTED = 1,     /* keys as kubectl -o yaml sorts them: a2 before a10 */
    YAML_INDENT4 = 2,    /* yaml.v3's default of 4 spaces, lists indented */
    YAML_LIST_INDENT = 4 /* list items indented under their key */
};
/* Appends the block form; strings are quoted where a YAML 1.1 reader would
 * take them for something else; multi-line strings use |. */
bool yaml_print(const struct json *j, unsigned flags, struct buf *out);

#endif
