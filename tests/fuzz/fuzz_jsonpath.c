/* JSONPath of columns: compiled and searched in a fixed object.
 * covers: lib/schema/jsonpath.c */
#include <stdlib.h>

#include "lib/schema/jsonpath.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error err = {0};
    struct jsonpath *p =
        jsonpath_compile(str_n((const char *)data, size), &err);
    const struct json *out[16];
    struct json *j;

    if (!p) {
        if (!err.msg[0])
            abort();
        return 0;
    }
    j = json_parse(
        STR("{\"a\":{\"b\":[1,2,{\"c\":\"x\"}]},\"c\":[{\"type\":\"Ready\","
            "\"status\":\"True\",\"n\":2},{\"type\":\"Synced\"}],\"b\":true}"),
        NULL, NULL);
    if (jsonpath_find(p, j, out, 16) > 16)
        abort();
    jsonpath_first(p, j);
    jsonpath_member(p, 0);
    jsonpath_free(p);
    json_free(j);
    return 0;
}
