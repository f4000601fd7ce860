/* V-m: the mesh's own rules (MESH-nnn), as its compositions report them. */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/verify_group.h"

static void
check_product(struct verify *v, const struct json *product)
{
    const struct json *violations =
        json_at(product, "status", "violations", NULL);
    size_t errors = 0;

    for (const struct json *i = json_first(violations); i; i = json_next(i)) {
        const char *id = json_string_or(json_get(i, "id"), "MESH");
        const char *text = json_string_or(json_get(i, "message"), "-");
        bool bad = strcmp(json_string_or(json_get(i, "severity"), "error"),
                          "error") == 0;

        errors += bad;
        if (bad)
            verify_say(v, false, text, "%s keeps %s", verify_name_of(product),
                       id);
        else
            verify_note(v, text, "%s: %s", verify_name_of(product), id);
    }
    if (!errors)
        verify_say(v, true, "", "%s breaks no rule", verify_name_of(product));
}

void
verify_rules(struct verify *v)
{
    struct kube_request r = {.gvr = {"meshifi.io", "v1alpha1", "dataproducts"}};
    struct error why = {0};
    AUTO(json_free_ptr) struct json *products = NULL;

    v->subject = "mesh";
    products = verify_list(v, &r, &why);
    if (!products)
        verify_say(v, false, why.msg, "the products can be read");
    else if (!json_len(products))
        verify_note(v, "there is no product", "no rule to look at");
    for (const struct json *p = json_first(products); p; p = json_next(p))
        check_product(v, p);
}
