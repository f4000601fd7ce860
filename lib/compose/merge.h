/*
 * merge.h - one JSON value merged into another, as Crossplane's patches do.
 *
 * What: crossplane-runtime's MergeOptions over mergo 1.0.2, told by what comes
 * out (empty: null, false, 0, "", [] and {}; dst and src of equal type unless
 * a row says otherwise):
 *   keep            dst stays unless it is empty; maps are merged deep
 *   keep + append   the same, but arrays get src's elements at their end
 *   neither         src wins, null and empty values too; maps are merged deep
 *   append          the same, but arrays get src's elements at their end
 * Elements of the outermost array that dst holds already are not appended;
 * deeper arrays take duplicates. Of different types keep keeps dst and the
 * others take src; to append an array to something else is an error. A null on
 * either side: src.
 * Source: crossplane-runtime 2.1 pkg/fieldpath/merge.go, apis/common/merge.go;
 * dario.cat/mergo 1.0.2 merge.go.
 */
#ifndef LIB_COMPOSE_MERGE_H
#define LIB_COMPOSE_MERGE_H

#include "lib/base/error.h"
#include "lib/base/json.h"

struct merge_options {
    bool keep;   /* keepMapValues */
    bool append; /* appendSlice */
    /* All numbers of dst (src) are Go's float64, as structpb and encoding/json
     * make them: none of them equals an int64 of the other. */
    bool dst_floats, src_floats;
};

/* dst and src as one, both taken over, also on failure (NULL); a NULL dst is
 * null. ERR_INVALID: `failed to merge values: cannot append two slices with
 * different type ([]interface {}, string)`. */
struct json *merge_values(struct json *dst, struct json *src,
                          const struct merge_options *o, struct error *err);
/* Merges value (taken over, also on failure) into what the path names in j;
 * o NULL: value replaces it (fieldpath_set). Errors are fieldpath_get's (but
 * ERR_NOT_FOUND), merge_values' and fieldpath_set's. */
bool merge_at(struct json *j, struct str path, struct json *value,
              const struct merge_options *o, struct error *err);

#endif
