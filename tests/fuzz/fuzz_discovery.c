/* A discovery document in any form: every kind it gives is found again.
 * covers: lib/kube/discovery.c lib/kube/discovery_words.c */
#include <stdlib.h>

#include "lib/kube/discovery.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct kube_client *client;
    struct kube_access access = {.server = (char *)"http://127.0.0.1:1",
                                 .ns = (char *)"d"};
    const struct kube_kind *k;

    if (!client)
        client = kube_client_new(loop_new(NULL), &access, NULL, NULL);
    struct kube_discovery *d = kube_discovery_new(client);
    struct str doc = str_n((const char *)data, size);

    kube_discovery_read(d, doc, doc);
    for (size_t i = 0; (k = kube_discovery_at(d, i)); i++) {
        if (kube_discovery_gvr(d, &k->gvr) == NULL)
            abort();
        kube_discovery_find(d, k->gvr.resource, NULL);
        kube_discovery_find(d, k->kind, NULL);
        if (i > 100)
            break;
    }
    kube_discovery_find(d, "nothing.of.this", NULL);
    kube_discovery_free(d);
    return 0;
}
