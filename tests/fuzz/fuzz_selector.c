/* Label and field selectors: whatever is taken is matched; what is refused says
 * why with a 400.
 * covers: devenv/sandbox/selectors.c lib/schema/names.c */
#include <stdlib.h>

#include "devenv/sandbox/selectors.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *
value(void *arg, const char *key)
{
    (void)arg;
    return key[0] == 'm' ? "a" : "";
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = str_n((const char *)data, size);
    struct selector s = {0};
    struct status st = {0};
    struct json *labels =
        json_parse(STR("{\"a\":\"1\",\"b\":\"\"}"), NULL, NULL);

    if (selector_labels_parse(text, &s, &st))
        selector_labels_match(&s, labels);
    else if (st.code != 400 || !st.message || s.n)
        abort();
    selector_release(&s);
    status_release(&st);
    if (selector_fields_parse(text, &s, &st)) {
        selector_fields_match(&s, value, NULL);
        selector_fields_exact(&s, "metadata.name");
    } else if (st.code != 400 || !st.message || s.n) {
        abort();
    }
    selector_release(&s);
    status_release(&st);
    json_free(labels);
    return 0;
}
