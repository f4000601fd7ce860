/*
 * table.h - objects as meta.k8s.io Tables and as metadata alone.
 *
 * Source: apiextensions-apiserver tableconvertor.go. Ages are
 * computed here, as the real server does.
 */
#ifndef DEVENV_SANDBOX_TABLE_H
#define DEVENV_SANDBOX_TABLE_H

#include "devenv/sandbox/kinds.h"

enum table_include { INCLUDE_METADATA, INCLUDE_OBJECT, INCLUDE_NONE };

/* includeObject; 400. NULL or "": Metadata. */
bool sandbox_table_include(const char *text, enum table_include *out,
                           struct status *st);
/* Appends `"columnDefinitions":[...]`. */
void sandbox_table_columns(const struct kind_info *k, struct buf *out);
/* Appends one row, {"cells":[...],"object":...}. version: "v1", "v1beta1". */
void sandbox_table_row(const struct kind_info *k, const struct json *obj,
                       enum table_include include, const char *version,
                       int64_t now_s, struct buf *out);
/* Appends {"kind":"PartialObjectMetadata","apiVersion":...,"metadata":...}. */
void sandbox_table_metadata(const struct json *obj, const char *version,
                            struct buf *out);

#endif
