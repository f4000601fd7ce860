/*
 * yaml_scalar.h - what a plain YAML scalar means, for yaml.c and yaml_print.c.
 *
 * What: the resolution of yaml.v2 (resolve.go), on which sigs.k8s.io/yaml and
 * so kubectl and the API server stand. The printer asks the same question to
 * know which strings need quotes.
 */
#ifndef LIB_BASE_YAML_SCALAR_H
#define LIB_BASE_YAML_SCALAR_H

#include "lib/base/buf.h"

enum yaml_kind {
    YAML_STRING,
    YAML_NULL,
    YAML_BOOL,
    YAML_INT,
    YAML_FLOAT,
    YAML_TIMESTAMP, /* read as a string, but printed in quotes */
    YAML_MERGE
};

struct yaml_scalar {
    enum yaml_kind kind;
    bool truth;    /* YAML_BOOL */
    double number; /* YAML_FLOAT, may be infinite or NaN */
    char text[24]; /* YAML_INT in decimal, -2^63 to 2^64 - 1 */
};

void yaml_resolve(struct str s, struct yaml_scalar *out);
/* True for "12:30:45" and the like, numbers in base 60 to YAML 1.1. */
bool yaml_base60(struct str s);

#endif
