/*
 * gojson.h - the words of Go's encoding/json.
 *
 * What: why a text is no JSON, and why a value does not fit a Go type. Reading
 * itself is json_parse's and the accessors' work.
 * Source: encoding/json of Go 1.26 (scanner.go, decode.go), and its copy in
 * sigs.k8s.io/json that minds the case of names.
 */
#ifndef LIB_COMPOSE_GOJSON_H
#define LIB_COMPOSE_GOJSON_H

#include "lib/compose/strict.h"

/* What is wrong with the first value in text: "invalid character 'x' looking
 * for beginning of value". *offset (may be NULL): the bytes read, the bad one
 * included. stream: more may follow the value, and the end of the text is
 * "unexpected EOF"; otherwise only white space may follow. False when nothing
 * is wrong; *out is then untouched. */
bool gojson_syntax(struct str text, bool stream, struct buf *out,
                   size_t *offset);

/* Does j fit type, as Unmarshal sees it? Unknown members are fine. A field's
 * name may be "Embedded.name". Errors: "json:
 * cannot unmarshal string into Go struct field T.name of type int64". */
bool gojson_check(const struct json *j, const struct strict_type *type,
                  struct error *err);
#endif
