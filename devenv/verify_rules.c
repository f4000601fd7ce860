/* V-m: the mesh's own rules (MESH-nnn), as its compositions report them. */
#include <stdlib.h>

#include "lib/base/mem.h"

#include "devenv/verify_group.h"

struct rules {
    struct verify *v;
    size_t products;
};

/* Takes product. */
static void
check_product(void *arg, struct json *product)
{
    struct rules *r = arg;
    const struct json *violations =
        json_at(product, "status", "violations", NULL);
    const char *name = verify_name_of(product);
    size_t errors = 0;

    r->products++;
    for (const struct json *i = json_first(violations); i; i = json_next(i)) {
        const char *id = json_string_or(json_get(i, "id"), "MESH");
        const char *text = json_string_or(json_get(i, "message"), "-");
        bool bad = strcmp(json_string_or(json_get(i, "severity"), "error"),
                          "error") == 0;

        errors += bad;
        if (bad)
            verify_say(r->v, false, text, "%s keeps %s", name, id);
        else
            verify_note(r->v, text, "%s: %s", name, id);
    }
    if (!errors)
        verify_say(r->v, true, "", "%s breaks no rule", name);
    json_free(product);
}

void
verify_rules(struct verify *v)
{
    struct kube_request r = {.gvr = {"meshifi.io", "v1alpha1", "dataproducts"}};
    struct rules rules = {v, 0};
    struct error why = {0};

    v->subject = "mesh";
    if (!verify_each(v, &r, check_product, &rules, &why))
        verify_say(v, false, why.msg, "the products can be read");
    else if (!rules.products)
        verify_note(v, "there is no product", "no rule to look at");
}
